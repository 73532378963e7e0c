"""JSON from outside, read without the leniency of Python's parser.

RFC 8259 leaves duplicate members and huge numbers open, and Python's parser adds NaN, unbounded integers and
lone surrogates. Each of these is a way to mean two things at once, or to fall over later.
"""

import json
import math
import re
from typing import Any, NoReturn

Json = Any
"""A JSON value. By a name of its own, so that `Any` stays what it says: a type that nobody looked at."""

MAX_DEPTH = 32
# An unclosed string swallows the rest, and the quantifier never gives back: linear on hostile input too.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)
_SURELY_DOUBLE = 300  # digits; the largest double has 309


class StrictJsonError(ValueError):
    """The text is not JSON that means one thing; says why, without quoting it."""


def loads(data: bytes) -> Any:  # noqa: ANN401 - JSON is any value
    """Parse UTF-8 bytes.

    Refuses a byte order mark, bytes that are not UTF-8, duplicate members, NaN and infinities, numbers beyond a
    double, lone surrogates, and nesting deeper than 32. Raises `StrictJsonError`.
    """
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        msg = f"not UTF-8 (byte {error.start})"
        raise StrictJsonError(msg) from None
    if text.startswith("\ufeff"):
        msg = "begins with a byte order mark"
        raise StrictJsonError(msg)
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        msg = f"nested deeper than {MAX_DEPTH} levels"
        raise StrictJsonError(msg)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        msg = f"JSON syntax error at line {error.lineno}, column {error.colno}"
        raise StrictJsonError(msg) from None
    if "\\u" in text:
        _refuse_lone_surrogates(value)
    return value


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        first = match[0][0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "an object has the same member twice"
        raise StrictJsonError(msg)
    return members


def _constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise StrictJsonError(msg)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        msg = "a number is beyond double precision"
        raise StrictJsonError(msg)
    return value


def _int(text: str) -> int:
    if len(text) > _SURELY_DOUBLE:
        _float(text)
    return int(text)


def _refuse_lone_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        msg = "a string has half a surrogate pair"
        raise StrictJsonError(msg) from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int, strict=True
)
