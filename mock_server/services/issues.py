"""Every violation of a body as an issue, without letting one hostile body cost gigabytes.

The validator makes all errors of a document at once, and a megabyte of `{}` has millions. So long lists are looked at
in stretches, and looking ends when there are enough issues for anyone to mend.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from mock_server.problems import SCHEMA_VIOLATION, UNKNOWN_INPUT, Issue

MAX_ISSUES = 100
"""As many issues as are told of one body; a body with more has them told when these are mended."""
_STRETCH = 50
_MAX_NAME = 200

_WIDE = 200

# What a shorter list, or an object with fewer members, would be blamed for wrongly.
_OF_WHOLE_LISTS = frozenset({"minItems", "maxItems", "uniqueItems"})
_OF_WHOLE_OBJECTS = frozenset({"required", "minProperties", "maxProperties"})


def issues_of(value: object, validator: jsonschema_rs.Draft4Validator) -> list[Issue]:
    """Return the violations of a value, at most `MAX_ISSUES`; none quotes the value, which may hold personal data."""
    if validator.is_valid(value):
        return []
    untold = _OF_WHOLE_LISTS | _OF_WHOLE_OBJECTS if _has_wide_object(value) else _OF_WHOLE_LISTS
    found: dict[Issue, None] = {}
    for part, member, offset in _stretches(value):
        if validator.is_valid(part):
            continue
        for error in validator.iter_errors(part):
            if part is not value and error.kind.name in untold:
                continue
            for issue in _told(error, member, offset):
                found[issue] = None
                if len(found) >= MAX_ISSUES:
                    return list(found)
    return list(found) or [_first(value, validator)]


def _stretches(value: object) -> Iterator[tuple[object, str | None, int]]:
    """Yield the value in parts: each has one stretch of one long list, and says of which member and from where on."""
    long = []
    if isinstance(value, dict):
        long = [name for name, entry in value.items() if isinstance(entry, list) and len(entry) > _STRETCH]
    if not long or not isinstance(value, dict):
        cut = _cut(value)
        yield (value if cut == value else cut), None, 0
        return
    shortened = _cut(value)
    for name in long:
        entries = value[name]
        for start in range(0, len(entries), _STRETCH):
            stretch = [_cut(entry) for entry in entries[start : start + _STRETCH]]
            yield {**shortened, name: stretch}, name, start


def _cut(value: Any) -> Any:  # noqa: ANN401 - JSON is any value
    if isinstance(value, list):
        return [_cut(entry) for entry in value[:_STRETCH]]
    if isinstance(value, dict):
        return {name: _cut(entry) for name, entry in islice(value.items(), _WIDE)}
    return value


def _has_wide_object(value: object) -> bool:
    if isinstance(value, dict):
        return len(value) > _WIDE or any(_has_wide_object(entry) for entry in value.values())
    return isinstance(value, list) and any(_has_wide_object(entry) for entry in value)


def _first(value: object, validator: jsonschema_rs.Draft4Validator) -> Issue:
    """Return the first violation, where no stretch has one: it lies far down a list within a list."""
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return next(_told(error, None, 0))
    msg = "only an invalid value comes here"
    raise AssertionError(msg)


def _told(error: jsonschema_rs.ValidationError, member: str | None, offset: int) -> Iterator[Issue]:
    path = list(error.instance_path)
    if member is not None and len(path) > 1 and path[0] == member and isinstance(path[1], int):
        path[1] += offset
    place = belgif_name(path)
    if error.kind.name == "additionalProperties":
        for name in error.kind.as_dict()["unexpected"][:MAX_ISSUES]:
            yield Issue(UNKNOWN_INPUT, "body", _joined(place, name), "this member is not known here")
    elif error.kind.name == "required":
        name = error.kind.as_dict()["property"]
        yield Issue(SCHEMA_VIOLATION, "body", _joined(place, name), "this member is required")
    else:
        yield Issue(SCHEMA_VIOLATION, "body", place, error.message)


def _joined(place: str, name: str) -> str:
    shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}…"
    return f"{place}.{shown}" if place else shown


def belgif_name(path: list[str | int]) -> str:
    """Write a place in the body as Belgif does: `items[0].duration.value`."""
    name = ""
    for part in path:
        name = f"{name}[{part}]" if isinstance(part, int) else _joined(name, part)
    return name
