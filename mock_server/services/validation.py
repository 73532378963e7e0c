"""Validating input by a contract: every violation becomes an issue that a developer can act on."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import jsonschema_rs

from mock_server.identifiers import WrongChecksumError, parse_enterprise_number, parse_ssin
from mock_server.problems import INVALID_STRUCTURE, SCHEMA_VIOLATION, UNKNOWN_INPUT, Issue

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_VALUE_MAX = 50

# What a parameter can hold, said by the contract in x-fla-mock: the reader returns the value in its canonical form.
_READERS: Mapping[str, Callable[[str], str]] = {"enterpriseNumber": parse_enterprise_number, "ssin": parse_ssin}
_PRIVATE = frozenset({"ssin"})


def _compile(schema: Mapping[str, Any], document: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator:
    # OpenAPI 3.0 schemas are draft 4's (boolean exclusiveMinimum). References point into the document's components.
    whole = {"allOf": [schema], "components": document.get("components", {})}
    return jsonschema_rs.Draft4Validator(whole, validate_formats=True, mask="the value")


@dataclass(frozen=True, slots=True)
class ParameterSchema:
    """A parameter of an operation."""

    name: str
    location: str
    required: bool
    is_integer: bool
    holds: str | None
    """What the value is to the access rules: `enterpriseNumber`, `ssin`, `year`, or nothing."""
    validator: jsonschema_rs.Draft4Validator

    @classmethod
    def compile(cls, raw: Mapping[str, Any], document: Mapping[str, Any]) -> Self:
        """Compile an OpenAPI parameter object."""
        schema = raw.get("schema", {})
        return cls(
            name=raw["name"],
            location=raw["in"],
            required=raw.get("required", False),
            is_integer=schema.get("type") == "integer",
            holds=raw.get("x-fla-mock", {}).get("holds"),
            validator=_compile(schema, document),
        )

    def read(self, text: str) -> tuple[str, list[Issue]]:
        """Return the value in its canonical form, and what is wrong with it."""
        value: str | int = int(text) if self.is_integer and _INTEGER.fullmatch(text) else text
        issues = [
            Issue(SCHEMA_VIOLATION, self.location, self.name, error.message, self._shown(text))
            for error in self.validator.iter_errors(value)
        ]
        reader = _READERS.get(self.holds or "")
        if issues or reader is None:
            return str(value), issues
        try:
            return reader(text), []
        except WrongChecksumError as error:
            return text, [Issue(INVALID_STRUCTURE, self.location, self.name, str(error), self._shown(text))]

    def _shown(self, text: str) -> str | None:
        return None if self.holds in _PRIVATE or len(text) > _VALUE_MAX else text


@dataclass(frozen=True, slots=True)
class BodySchema:
    """The JSON body of an operation."""

    required: bool
    validator: jsonschema_rs.Draft4Validator

    @classmethod
    def compile(cls, schema: Mapping[str, Any], document: Mapping[str, Any], *, required: bool) -> Self:
        """Compile an OpenAPI schema object."""
        return cls(required, _compile(schema, document))

    def issues(self, value: object) -> list[Issue]:
        """Return every violation; none of them quotes the body, which may hold personal data."""
        if self.validator.is_valid(value):
            return []
        return [issue for error in self.validator.iter_errors(value) for issue in _body_issues(error)]


def _body_issues(error: jsonschema_rs.ValidationError) -> Iterator[Issue]:
    place = _belgif_name(error.instance_path)
    if error.kind.name == "additionalProperties":
        for member in error.kind.as_dict()["unexpected"]:
            name = f"{place}.{member}" if place else member
            yield Issue(UNKNOWN_INPUT, "body", name, "this member is not known here")
    elif error.kind.name == "required":
        member = error.kind.as_dict()["property"]
        yield Issue(SCHEMA_VIOLATION, "body", f"{place}.{member}" if place else member, "this member is required")
    else:
        yield Issue(SCHEMA_VIOLATION, "body", place, error.message)


def _belgif_name(path: list[str | int]) -> str:
    """Write a place in the body as Belgif does: `items[0].duration.value`."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name
