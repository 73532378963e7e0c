"""JSON from outside, read without leniency."""

import pytest

from mock_server.strict_json import MAX_DEPTH, StrictJsonError, loads


def nested(depth: int, text: str = "") -> bytes:
    """Return arrays within arrays."""
    return ("[" * depth + text + "]" * depth).encode()


ACCEPTED = {
    "a string with brackets in it": (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 40),
    "a whole surrogate pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
    "the largest double": (b"1.7976931348623157e308", 1.7976931348623157e308),
    "an integer of 300 digits": (b"9" * 300, int("9" * 300)),
    "as deep as allowed": (nested(MAX_DEPTH), None),
    "many arrays, none of them deep": (b"[" + b"[]," * 100 + b"[]]", [[]] * 101),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_means_one_thing_is_read(name: str) -> None:
    """Strictness does not refuse what JSON allows."""
    data, value = ACCEPTED[name]

    read = loads(data)

    assert value is None or read == value


REFUSED = {
    "deeper than allowed": (nested(MAX_DEPTH + 1), "nested deeper than 32 levels"),
    "deep behind an escaped quote": (nested(MAX_DEPTH + 1, '"\\""'), "nested deeper than 32 levels"),
    "a member twice": (b'{"a":1,"a":1}', "the same member twice"),
    "a member twice, spelled with an escape": (b'{"a":1,"\\u0061":1}', "the same member twice"),
    "a member twice, deep inside": (b'[{"a":{"b":1,"b":1}}]', "the same member twice"),
    "NaN": (b"NaN", "NaN is not JSON"),
    "minus infinity": (b"-Infinity", "-Infinity is not JSON"),
    "a float beyond a double": (b"1e309", "beyond double precision"),
    "an integer beyond a double": (b"9" * 400, "beyond double precision"),
    "an integer beyond what Python converts": (b"9" * 10_000, "beyond double precision"),
    "half a surrogate pair": (b'["\\udc00"]', "half a surrogate pair"),
    "half a surrogate pair as a member's name": (b'{"\\ud800":1}', "half a surrogate pair"),
    "a byte order mark": (b"\xef\xbb\xbf1", "byte order mark"),
    "UTF-16": ("[]".encode("utf-16"), "not UTF-8 (byte 0)"),
    "nothing": (b"", "JSON syntax error at line 1, column 1"),
    "two values": (b"1 2", "JSON syntax error at line 1, column 3"),
    "a comma too many": (b"[1,]", "JSON syntax error"),
    "a control character in a string": (b'"\n"', "JSON syntax error"),
    "single quotes": (b"'a'", "JSON syntax error"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_mean_two_things_is_refused(name: str) -> None:
    """The reason is told without quoting the text."""
    data, reason = REFUSED[name]

    with pytest.raises(StrictJsonError) as refused:
        loads(data)

    assert reason in str(refused.value)
