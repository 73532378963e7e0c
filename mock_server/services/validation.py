"""Validating input by a contract: every violation becomes an issue that a developer can act on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import jsonschema_rs

from mock_server.identifiers import WrongChecksumError, parse_enterprise_number, parse_ssin
from mock_server.problems import INVALID_STRUCTURE, SCHEMA_VIOLATION, Issue
from mock_server.services.issues import issues_of

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
        """Return the violations of a body."""
        return issues_of(value, self.validator)
