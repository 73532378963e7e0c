"""Finding what makes a schema none: the compiler tells the first fault only, and not always its place."""

from collections.abc import Callable, Container, Sequence
from typing import Any

import jsonschema_rs

_SHOWN = 100
_EXPECTED = {
    "type": "a type that this version knows (string, number, integer, boolean, array, object)",
    "pattern": "a regular expression (ECMA 262)",
    "patternProperties": "regular expressions (ECMA 262) as names",
    "required": "a list of member names, each once",
    "enum": "a list of values",
    "exclusiveMinimum": "true or false beside a minimum (2.0 and 3.0), or a number (3.1)",
    "exclusiveMaximum": "true or false beside a maximum (2.0 and 3.0), or a number (3.1)",
}

Part = str | int


def culprit(
    body: object, children: Container[str], compile_: Callable[[dict[str, Any]], object]
) -> tuple[Sequence[Part], str] | None:
    """Return the way to the value that makes a schema none, and what is wrong with it; None if it is a schema.

    `children` are the keywords whose values are schemas.
    """
    if not isinstance(body, dict):
        return None
    try:
        compile_(body)
    except jsonschema_rs.ValidationError as error:
        path: list[Part] = list(error.instance_path)
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        return [], f"this schema cannot be compiled: {str(error).splitlines()[0][:_SHOWN]}"
    else:
        return None
    value: Any = body
    for part in path:
        value = value[part]
    # The meta-schema blames the whole where a keyword has alternatives or conditions: each keyword is looked at alone.
    for keyword, alone in value.items() if isinstance(value, dict) else ():
        inner = culprit(alone, children, compile_) if keyword in children else None
        if inner is not None:
            return [*path, keyword, *inner[0]], inner[1]
        if keyword not in children and _fails({keyword: alone}, compile_):
            return [*path, keyword], _told(keyword, alone)
    return path, _told(next((part for part in reversed(path) if isinstance(part, str)), ""), value)


def _fails(schema: dict[str, Any], compile_: Callable[[dict[str, Any]], object]) -> bool:
    try:
        compile_(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return True
    return False


def _told(keyword: str, value: object) -> str:
    expected = _EXPECTED.get(keyword, f"what JSON Schema says of {keyword or 'schemas'}")
    return f"expected {expected}, came {repr(value)[:_SHOWN]}"
