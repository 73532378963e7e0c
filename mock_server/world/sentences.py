"""What is wrong with an entry of a world, in sentences with a place: in the words of TOML and JSON, not of Python."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from mock_server.redaction import shown
from mock_server.world.entries import Entry

_HUGE = 10**15
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHAPES = {
    "tuple_type": "a list",
    "string_type": "text, in quotes",
    "string_too_short": "text of at least {min_length} character",
    "string_too_long": "text of at most {max_length} characters",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "greater_than_equal": "at least {ge:.12g}",
    "less_than_equal": "at most {le:.12g}",
}
_TABLE_SHAPES = frozenset({"model_type", "model_attributes_type", "dict_type", "mapping_type"})


def sentences(error: ValidationError, model: type[Entry], value: object, place: str, table: str) -> Iterator[str]:
    """Yield each fault of an entry as place, expectation and what came; `table` is what the format calls an object."""
    for fault in error.errors(include_url=False):
        location = fault["loc"]
        if location[-1:] == ("[key]",) and fault["type"] != "extra_forbidden":
            location = location[:-1]  # what is wrong is the name that stands before
        kind, context, found = fault["type"], fault.get("ctx", {}), f"; found {in_words(fault['input'], table)}"
        if kind == "extra_forbidden":
            expectation = f"is not known here; known are {', '.join(_holder(model, location).model_fields)}"
        elif kind == "missing":
            expectation = "is missing"
        elif kind in _TABLE_SHAPES:
            expectation = f"should be {table}{found}"
        elif kind in _SHAPES:
            expectation = f"should be {_SHAPES[kind].format_map(context)}{found}"
        elif kind in {"enum", "literal_error"}:
            expectation = f"should be {context['expected'].replace(chr(39), '')}{found}"
        else:
            message = fault["msg"].removeprefix("Value error, ")
            # Of an entry or a list, the sentence says what is wrong, and there is no one value to show.
            expectation = message if isinstance(fault["input"], dict | list) else f"{message}{found}"
        yield f"{place}{''.join(map(_step, location))}{_label(value, location)}: {expectation}"


def in_words(value: object, table: str) -> str:
    """Return a value from outside as it can be shown, on one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return f"{table} with {len(value)} members"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "[]"
    if isinstance(value, int) and abs(value) >= _HUGE:
        return "a huge number"
    return shown(value.isoformat() if isinstance(value, dt.date | dt.time) else value)


def named(name: object) -> str:
    """Return the name of a member as it can stand in a location."""
    return name if isinstance(name, str) and _PLAIN.fullmatch(name) else shown(name)


def _step(part: int | str) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{named(part)}"


def _holder(model: type[Entry], location: tuple[int | str, ...]) -> type[Entry]:
    """Return the model of the entry, inside another, that holds the last part of a location."""
    return next((model.nested[part] for part in location[:-1] if isinstance(part, str) and part in model.nested), model)


def _label(value: Any, location: tuple[int | str, ...]) -> str:  # noqa: ANN401 - what came, of any shape
    """Return the name of the innermost entry that has one."""
    name = None
    for part in (None, *location):
        try:
            value = value if part is None else value[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            name = value["name"]
    return f" ({shown(name)})" if name else ""
