"""Every violation of a body as an issue, without letting one hostile body cost gigabytes.

The validator makes all errors of a document at once, and a megabyte of `{}` has millions. So long lists are looked at
in stretches, and looking ends when there are enough issues for anyone to mend.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from mock_server.problems import Issue
from mock_server.redaction import mask_ssins
from mock_server.services.documents.details import showable, told
from mock_server.services.documents.schemas import Validator

MAX_ISSUES = 100
"""As many issues as are told of one body; a body with more has them told when these are mended."""
_STRETCH = 50
_MAX_NAME = 200

_WIDE = 200

_WHOLE = object()
"""In place of a member's name: the long list is the value itself."""

# What a shorter list, or an object with fewer members, would be blamed for wrongly.
_OF_WHOLE_LISTS = frozenset({"minItems", "maxItems", "uniqueItems"})
_OF_WHOLE_OBJECTS = frozenset({"required", "minProperties", "maxProperties"})


def issues_of(value: object, validator: Validator, location: str = "body", name: str = "") -> list[Issue]:
    """Return the violations of a value, at most `MAX_ISSUES`.

    `location` and `name` are of the parameter that the value came in; a body has none. Only a short value that tells
    nothing of a person is repeated in an issue of a body, and none in an issue of a parameter.
    """
    if validator.is_valid(value):
        return []
    of_parts = _OF_WHOLE_LISTS | _OF_WHOLE_OBJECTS if _has_wide_object(value) else _OF_WHOLE_LISTS
    found: dict[tuple[str, str, str], Issue] = {}
    for part, member, offset in _stretches(value):
        if validator.is_valid(part):
            continue
        untold = of_parts if part is not value else frozenset()
        for error in validator.iter_errors(part):
            for issue in _told(error, member, offset, location, name, untold):
                found.setdefault((str(issue.type), issue.name, issue.detail), issue)
                if len(found) >= MAX_ISSUES:
                    return list(found.values())
    return list(found.values()) or [_first(value, validator, location, name)]


def _stretches(value: object) -> Iterator[tuple[object, object, int]]:
    """Yield the value in parts: each has one stretch of one long list, and says of which member and from where on."""
    if isinstance(value, list) and len(value) > _STRETCH:
        for start in range(0, len(value), _STRETCH):
            yield [_cut(entry) for entry in value[start : start + _STRETCH]], _WHOLE, start
        return
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


def _first(value: object, validator: Validator, location: str, name: str) -> Issue:
    """Return the first violation, where no stretch has one: it lies far down a list within a list."""
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return next(_told(error, None, 0, location, name))
    msg = "only an invalid value comes here"
    raise AssertionError(msg)


def _may_be_cut(value: object) -> bool:
    if isinstance(value, dict):
        return len(value) >= _WIDE or any(_may_be_cut(entry) for entry in value.values())
    return isinstance(value, list) and (len(value) >= _STRETCH or any(_may_be_cut(entry) for entry in value))


def _told(  # noqa: PLR0913 - a violation, and where the part of the value that has it belongs
    error: jsonschema_rs.ValidationError,
    member: object,
    offset: int,
    location: str,
    name: str,
    untold: frozenset[str] = frozenset(),
) -> Iterator[Issue]:
    for kind, path, detail, is_wrong in told(error, untold, _may_be_cut):
        shown = showable(path, _value_at(error, path)) if is_wrong and location == "body" else None
        if member is _WHOLE:
            if path and isinstance(path[0], int):
                path[0] += offset
        elif member is not None and len(path) > 1 and path[0] == member and isinstance(path[1], int):
            path[1] += offset
        yield Issue(kind, location, belgif_name(path, name), detail, shown)


def _value_at(error: jsonschema_rs.ValidationError, path: list[str | int]) -> object:
    """Return the value that a violation is of; one of an alternative lies further down than the alternatives."""
    value: Any = error.instance
    for part in path[len(list(error.instance_path)) :]:
        value = value[part]
    return value


def shown_name(name: str) -> str:
    """Return the name of a member or a parameter that a client chose, as it can be repeated."""
    masked = mask_ssins(name)
    return masked if len(masked) <= _MAX_NAME else f"{masked[:_MAX_NAME]}…"


def _joined(place: str, name: str) -> str:
    shown = shown_name(name)
    return f"{place}.{shown}" if place else shown


def belgif_name(path: list[str | int], name: str = "") -> str:
    """Write a place in the body, or in the parameter of a name, as Belgif does: `items[0].duration.value`."""
    for part in path:
        name = f"{name}[{part}]" if isinstance(part, int) else _joined(name, part)
    return name
