"""What is wrong with a setting, in plain words in place of those of the library that found it."""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any

from pydantic.fields import FieldInfo

from mock_server.oauth.policy import Policy
from mock_server.settings import Settings

_OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_NO_NUMBER = ("int_", "float_", "finite_number")
_PATTERNS = {
    "training_provider_scope": "expected a scope: printable ASCII without blanks, quotation marks and backslashes",
}


def sentence(name: str, fault: Mapping[str, Any]) -> str:
    """Return what was expected of a setting or a field of the policy, from pydantic's description of its fault."""
    field = Settings.model_fields.get(name) or Policy.model_fields.get(name)
    kind, context = fault["type"], fault.get("ctx", {})
    if field is not None and (kind in _OUT_OF_RANGE or kind.startswith(_NO_NUMBER)):
        return f"expected {'a whole number' if field.annotation is int else 'a number'}{_range(field)}"
    if isinstance(context.get("error"), JSONDecodeError):
        return "expected texts with blanks between them, or a JSON list of texts"
    words = {
        "literal_error": f"expected {str(context.get('expected')).replace(chr(39), '')}",
        "bool_parsing": "expected true or false",
        "string_too_short": f"expected at least {context.get('min_length')} characters",
        "string_pattern_mismatch": _PATTERNS.get(name),
    }
    if words.get(kind):
        return str(words[kind])
    return str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")


def _range(field: FieldInfo) -> str:
    limits = {
        name: limit
        for entry in field.metadata
        for name in ("gt", "ge", "lt", "le")
        if (limit := getattr(entry, name, None)) is not None
    }
    if {"ge", "le"} <= limits.keys():
        return f" from {limits['ge']} to {limits['le']}"
    words = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}
    return "".join(f" {words[name]} {limit}" for name, limit in limits.items())
