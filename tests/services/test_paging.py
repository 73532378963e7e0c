"""Pages of a collection, in the form that its contract has."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mock_server.services.contract import Operation, load
from mock_server.services.paging import envelope, page_of

WHOLE = {"type": "integer"}
URL = "https://host.example/things"


def operation(folder: Path, *parameters: dict[str, Any], members: dict[str, Any] | None = None) -> Operation:
    """Load a collection with query parameters, whose answer has members."""
    schema = {"type": "object", "properties": {"items": {"type": "array"}} | (members or {})}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things": {
                "get": {
                    "parameters": list(parameters),
                    "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}},
                }
            }
        },
    }
    path = folder / "contract.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path).operations[0]


def query(name: str, **schema: Any) -> dict[str, Any]:
    """Return a parameter of the query that is a whole number."""
    return {"name": name, "in": "query", "schema": WHOLE | schema}


STRETCHES = {
    "no paging": ((), "", (0, None)),
    "the first page": ((query("page"), query("pageSize")), "pageSize=10", (0, 10)),
    "a later page": ((query("page"), query("pageSize")), "page=3&pageSize=10", (20, 10)),
    "a default of the contract": ((query("page"), query("pageSize", default=25)), "page=2", (25, 25)),
    "no size at all": ((query("page"),), "page=2", (100, 100)),
    "the most of the contract": ((query("page"), query("per_page", maximum=30)), "page=2", (30, 30)),
    "pages from zero": ((query("page", minimum=0), query("size")), "page=2&size=10", (20, 10)),
    "an offset": ((query("offset"), query("limit")), "offset=7&limit=5", (7, 5)),
    "an offset without a limit": ((query("offset"),), "offset=7", (7, 100)),
    "a limit alone": ((query("limit"),), "limit=5", (0, 5)),
    "other words": ((query("skip"), query("top")), "skip=1&top=2", (1, 2)),
    "a page beyond all numbers": (
        (query("page"), query("pageSize")),
        "page=999999999&pageSize=999999999",
        (2**31 - 1, 999999999),
    ),
    "no whole number": (({"name": "page", "in": "query", "schema": {"type": "string"}},), "page=x", (0, None)),
}


@pytest.mark.parametrize("name", STRETCHES)
def test_a_call_asks_for_a_stretch(tmp_path: Path, name: str) -> None:
    """By page and size, or by offset and limit, under the names that are usual."""
    parameters, text, expected = STRETCHES[name]
    one = operation(tmp_path, *parameters)

    page = page_of(one, one.read_parameters({}, text, lambda _name: []).values)

    assert (page.offset, page.size) == expected


def test_the_members_around_a_list_are_those_that_the_contract_names(tmp_path: Path) -> None:
    """Total, number and size of the page, and links that keep the rest of the query."""
    members = dict.fromkeys(("total", "page", "pageSize", "totalPages"), WHOLE)
    members |= {name: {"type": "string", "format": "uri"} for name in ("self", "first", "prev", "next", "last")}
    one = operation(tmp_path, query("page"), query("pageSize"), query("year"), members=members)
    sent = [("year", "2025"), ("page", "2"), ("pageSize", "10")]
    answer = one.answer(200)
    assert answer is not None
    assert answer.json is not None
    assert answer.json.schema is not None

    page = page_of(one, {("query", "page"): 2, ("query", "pageSize"): 10})
    made = envelope(page, 35, answer.json.schema, URL, sent)

    links = {name: urlsplit(made.pop(name)).query for name in ("first", "prev", "next", "last", "self")}
    assert made == {"total": 35, "page": 2, "pageSize": 10, "totalPages": 4}
    assert links == {
        "self": "year=2025&page=2&pageSize=10",
        "first": "year=2025&pageSize=10&page=1",
        "prev": "year=2025&pageSize=10&page=1",
        "next": "year=2025&pageSize=10&page=3",
        "last": "year=2025&pageSize=10&page=4",
    }


@pytest.mark.parametrize(("offset", "links"), [(0, {"next"}), (10, {"next", "prev"}), (20, {"prev"}), (30, {"prev"})])
def test_there_is_no_link_past_either_end(tmp_path: Path, offset: int, links: set[str]) -> None:
    """The last page has no next one, and the first none before it (Belgif, collections)."""
    members = {name: {"type": "string"} for name in ("prev", "next")}
    one = operation(tmp_path, query("offset"), query("limit"), members=members)
    answer = one.answer(200)
    assert answer is not None
    assert answer.json is not None
    assert answer.json.schema is not None

    page = page_of(one, {("query", "offset"): offset, ("query", "limit"): 10})

    assert envelope(page, 25, answer.json.schema, URL, []).keys() == links
