"""Which media type an answer has."""

import pytest

from mock_server.services.documents.shape import ContentShape
from mock_server.services.negotiation import negotiate
from mock_server.services.validation import Content

JSON, HAL, XML, TEXT = "application/json", "application/hal+json", "application/xml", "text/plain"

CHOICES = {
    "nothing said": (None, (JSON, HAL), JSON),
    "an empty header": ("", (JSON,), JSON),
    "anything": ("*/*", (HAL, JSON), HAL),
    "one of two": (HAL, (JSON, HAL), HAL),
    "the better one": (f"{JSON};q=0.5, {HAL};q=0.9", (JSON, HAL), HAL),
    "the contract's order among equals": (f"{HAL}, {JSON}", (JSON, HAL), JSON),
    "a range": ("application/*", (TEXT, JSON), JSON),
    "a range, and one that is not wanted": (f"application/*, {JSON};q=0", (JSON, HAL), HAL),
    "capital letters": ("APPLICATION/JSON", (JSON,), JSON),
    "parameters": ("application/json;charset=utf-8", (JSON,), JSON),
    "a browser": ("text/html,application/xhtml+xml,*/*;q=0.8", (JSON,), JSON),
    "a quality that is none": (f"{JSON};q=high", (JSON,), JSON),
    "no media range": ("json", (JSON,), JSON),
    "another": (XML, (JSON,), None),
    "one that is not wanted": (f"{JSON};q=0", (JSON,), None),
    "nothing but JSON is written": (XML, (JSON, XML), None),
    "nothing but text": ("text/*", (TEXT,), TEXT),
    "JSON, where there is none": (JSON, (TEXT,), None),
    "a range of the contract": (f"{HAL}, */*;q=0.1", ("*/*",), HAL),
    "a range of the contract, and no wish": (None, ("*/*",), JSON),
    "a range of texts": (None, ("text/*",), TEXT),
    "no content": ("*/*", (), None),
}


@pytest.mark.parametrize("name", CHOICES)
def test_the_client_chooses_among_what_there_is(name: str) -> None:
    """By quality, then by the contract's order; JSON is all that is written where there is JSON."""
    accept, media_types, expected = CHOICES[name]

    found = negotiate(accept, tuple(Content(ContentShape(one, None)) for one in media_types))

    assert (None if found is None else found[1]) == expected
