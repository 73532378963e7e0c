"""What a violation of a schema is called: an issue's type, its place, and a sentence that a developer can act on."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jsonschema_rs

from mock_server.problems import REJECTED_INPUT, SCHEMA_VIOLATION, UNKNOWN_INPUT
from mock_server.services.documents.schemas import READ_ONLY, WRITE_ONLY

Told = tuple[str, list[str | int], str, bool]
"""The type, the place, the sentence, and whether the value there is what is wrong (not the want of one)."""

_SHOWN_OPTIONS = 20
_SHOWN_LENGTH = 200
_MAX_UNEXPECTED = 100
_MAX_DEPTH = 8
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FORMATS = {
    "date": "a date of the calendar, written like 2025-03-31",
    "date-time": "a moment, written like 2025-03-31T09:30:00+02:00",
    "time": "a time, written like 09:30:00Z",
    "uuid": "a UUID, written like 123e4567-e89b-42d3-a456-426614174000",
    "email": "an e-mail address",
    "uri": "an absolute URI",
    "byte": "base64 with its padding",
}
_SENTENCES = {
    "minimum": "expected at least {limit}",
    "maximum": "expected at most {limit}",
    "exclusiveMinimum": "expected more than {limit}",
    "exclusiveMaximum": "expected less than {limit}",
    "multipleOf": "expected a multiple of {multiple_of}",
    "minLength": "expected at least {limit} characters",
    "maxLength": "expected at most {limit} characters",
    "minItems": "expected at least {limit} entries",
    "maxItems": "expected at most {limit} entries",
    "minProperties": "expected at least {limit} members",
    "maxProperties": "expected at most {limit} members",
    "uniqueItems": "expected every entry once; an entry stands twice",
    "pattern": "expected text that matches {pattern}",
    "contains": "expected an entry of the kind that the contract asks for; none is",
    "propertyNames": "a member has a name that the contract does not allow",
    "falseSchema": "this member is not allowed here",
    "not": "this value is excluded by the contract",
}
_OF_ALL_OF_IT = frozenset({"anyOf", "oneOf", "oneOfNotValid", "oneOfMultipleValid", "not", "contains"})
_HIDDEN = {
    READ_ONLY: "this member is set by the server (readOnly); leave it out of the request",
    WRITE_ONLY: "this member is sent, and never answered (writeOnly)",
}
_LONG_DIGITS = re.compile(r"[0-9]{7}")
_CODE_LIKE = re.compile(r"[A-Za-z0-9_.:+-]{0,30}", re.ASCII)
_PERSONAL = re.compile(
    r"name|naam|nom|birth|geboorte|naissance|mail|phone|gsm|address|adres|ssin|insz|niss", re.IGNORECASE
)


def told(
    error: jsonschema_rs.ValidationError,
    untold: frozenset[str] = frozenset(),
    is_cut: Callable[[object], bool] = bool,
    depth: int = 0,
) -> Iterator[Told]:
    """Yield what one violation comes to; of alternatives, the violations of the one that was meant.

    Of a value that was shortened, `untold` are the violations that come of that, and `is_cut` tells whether a part
    of it may be one that was: then that it fits no alternative says nothing.
    """
    path = list(error.instance_path)
    kind = error.kind.name
    if kind in untold:
        return
    if kind in {"additionalProperties", "unevaluatedProperties"}:
        for name in error.kind.as_dict()["unexpected"][:_MAX_UNEXPECTED]:
            yield UNKNOWN_INPUT, [*path, name], "this member is not known here", False
    elif kind == "required":
        name = error.kind.as_dict()["property"]
        yield SCHEMA_VIOLATION, [*path, name], "this member is required", False
    elif kind == "not" and (hidden := _hidden(error)) is not None:
        yield REJECTED_INPUT, path, hidden, False
    elif kind in {"anyOf", "oneOf", "oneOfNotValid"} and (meant := _meant(error, depth)):
        for inner in meant:
            yield from told(inner, untold, is_cut, depth + 1)
    elif kind in {"anyOf", "oneOf", "oneOfNotValid"} and (tag := _tag(error)) is not None:
        yield SCHEMA_VIOLATION, tag[0], f"expected {_one_of(tag[1])}", True
    elif not (untold and kind in _OF_ALL_OF_IT and is_cut(error.instance)):
        yield SCHEMA_VIOLATION, path, _sentence(error), kind in {"type", "enum", "const", "format", *_SENTENCES}


def _hidden(error: jsonschema_rs.ValidationError) -> str | None:
    schema = error.kind.as_dict().get("schema")
    return _HIDDEN.get(schema.get("title", "")) if isinstance(schema, dict) and len(schema) == 1 else None


def _tag(error: jsonschema_rs.ValidationError) -> tuple[list[str | int], list[object]] | None:
    """Return the member that tells which alternative is meant, and what it may be, when it fits none of them."""
    here = list(error.instance_path)
    options: list[object] = []
    places: set[str | int] = set()
    for branch in getattr(error.kind, "context", None) or []:
        wrong = next(
            (one for one in branch if len(one.instance_path) == len(here) + 1 and one.kind.name in {"enum", "const"}),
            None,
        )
        if wrong is None:
            return None
        members = wrong.kind.as_dict()
        options += members["options"] if wrong.kind.name == "enum" else [members["expected_value"]]
        places.add(list(wrong.instance_path)[-1])
    return ([*here, *places], options) if len(places) == 1 else None


def _meant(error: jsonschema_rs.ValidationError, depth: int) -> Sequence[jsonschema_rs.ValidationError]:
    """Return the violations of the one alternative whose type fits, if it is one only."""
    branches = getattr(error.kind, "context", None) or []
    here = list(error.instance_path)
    fitting = [
        branch
        for branch in branches
        if branch
        and not any(
            list(one.instance_path) == here and one.kind.name in {"type", "enum", "const", "falseSchema"}
            for one in branch
        )
    ]
    if len(fitting) > 1:
        # Of alternatives with a tag, the one whose tag is right.
        tagged = [
            branch
            for branch in fitting
            if not any(len(one.instance_path) == len(here) + 1 and one.kind.name in {"enum", "const"} for one in branch)
        ]
        fitting = tagged if len(tagged) == 1 else fitting
    return fitting[0] if len(fitting) == 1 and depth < _MAX_DEPTH else ()


def _sentence(error: jsonschema_rs.ValidationError) -> str:
    kind, members = error.kind.name, error.kind.as_dict()
    if kind == "type":
        types = sorted(members["types"], key=list(_TYPES).index)
        return f"expected {' or '.join(_TYPES[one] for one in types)}, came {_came(error.instance)}"
    if kind in {"enum", "const"}:
        options = members["options"] if kind == "enum" else [members["expected_value"]]
        return f"expected {_one_of(options)}"
    if kind == "format":
        return f"expected {_FORMATS.get(members['format'], members['format'])}"
    if kind in _SENTENCES:
        return _cut(_SENTENCES[kind].format_map(members))
    if kind.startswith(("anyOf", "oneOf")):
        return "expected one of the alternatives that the contract has here; the value fits " + (
            "more than one" if "more than one" in error.message else "none"
        )
    return _cut(error.message)


def _one_of(options: Sequence[object]) -> str:
    listed = ", ".join(json.dumps(one, ensure_ascii=False) for one in options[:_SHOWN_OPTIONS])
    more = f", or {len(options) - _SHOWN_OPTIONS} others" if len(options) > _SHOWN_OPTIONS else ""
    return f"{'one of ' if len(options) > 1 else ''}{_cut(listed)}{more}"


def _came(value: object) -> str:
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "true or false", str: "text", list: "a list", dict: "an object", int: "a number"}
    if isinstance(value, float):
        return "a number" if value.is_integer() else "a number with decimals"
    return names.get(type(value), "something else")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def showable(path: Sequence[str | int], value: Any) -> bool | int | float | str | None:  # noqa: ANN401 - JSON is any value
    """Return a value of a body if it may be repeated: short, and nothing that could tell who somebody is."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if not isinstance(value, bool | int | float | str) or _PERSONAL.search(name):
        return None
    text = str(value)
    digits = sum(character.isdigit() for character in text)
    if not _CODE_LIKE.fullmatch(text) or _LONG_DIGITS.search(text) or digits > 8:  # noqa: PLR2004 - a date has 8
        return None
    return value
