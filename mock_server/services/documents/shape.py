"""What every version of the specification becomes: operations with parameters, bodies and answers.

Named tuples, because making the class takes a seventh of the time of a frozen dataclass, and every start pays it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_server.services.documents.files import Node
from mock_server.services.documents.schemas import READ_ONLY, WRITE_ONLY, Direction, Schemas, Validator

if TYPE_CHECKING:
    from mock_server.services.documents.outline import Outline

_DEEP = 20
"""As many steps through references and compositions as are looked at; more is a circle."""


class Schema:
    """One schema of a contract: what can be asked of it, and its validators, compiled when they are first used."""

    def __init__(self, schemas: Schemas, node: Node) -> None:
        self._schemas = schemas
        self._number = schemas.add(node)
        self.node = node

    def validator(self, direction: Direction = Direction.REQUEST) -> Validator:
        """Return the validator for values that are sent, or for values that are answered."""
        return self._schemas.validator(self._number, direction)

    @property
    def reference(self) -> dict[str, str]:
        """A reference to this schema, in the dialect that outlines are written in."""
        return self._schemas.reference(self._number)

    def outline(self, direction: Direction) -> "Outline":
        """Return what values are built and mended by."""
        from mock_server.services.documents.outline import Outline  # noqa: PLC0415 - no start needs it

        return Outline(self._schemas, direction)

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The schema as it is written, its own references followed."""
        found = self._schemas.files.resolved(self.node)
        return found.value if found is not None and isinstance(found.value, dict) else {}

    @cached_property
    def types(self) -> frozenset[str] | None:
        """The JSON types that a value may have, where the schema tells."""
        return _types(self._schemas, self.node, 0)

    @cached_property
    def properties(self) -> "dict[str, Schema]":
        """The members that the schema names, those of its compositions too."""
        found: dict[str, Schema] = {}
        for node in _parts(self._schemas, self.node, 0):
            properties = node.value.get("properties")
            if isinstance(properties, dict):
                for name in properties:
                    found.setdefault(name, Schema(self._schemas, node.at("properties", name)))
        return found

    @cached_property
    def is_open(self) -> bool:
        """Whether members that are not named are asked for: additionalProperties is true, or a schema."""
        return any(
            node.value.get("additionalProperties", False) is not False for node in _parts(self._schemas, self.node, 0)
        )

    @cached_property
    def items(self) -> "Schema | None":
        """The schema of the entries of a list."""
        for node in _parts(self._schemas, self.node, 0):
            if isinstance(node.value.get("items"), dict):
                return Schema(self._schemas, node.at("items"))
        return None

    @cached_property
    def additional(self) -> "Schema | None":
        """The schema of members that are not named."""
        for node in _parts(self._schemas, self.node, 0):
            if isinstance(node.value.get("additionalProperties"), dict):
                return Schema(self._schemas, node.at("additionalProperties"))
        return None

    @cached_property
    def examples(self) -> tuple[Any, ...]:
        """The examples that the schema itself gives."""
        raw = self.resolved
        if "example" in raw:
            return (raw["example"],)
        listed = raw.get("examples")
        return tuple(listed) if isinstance(listed, list) else ()

    @property
    def has_default(self) -> bool:
        """Whether there is a value that an absent one stands for."""
        return "default" in self.resolved

    @property
    def default(self) -> Any:  # noqa: ANN401 - JSON is any value
        """The value that an absent one stands for."""
        return self.resolved.get("default")

    def without(self, value: Any, direction: Direction) -> Any:  # noqa: ANN401 - JSON is any value
        """Return a value without the members that go the other way: write-only ones are not answered (`RESPONSE`),
        read-only ones are not sent (`REQUEST`)."""  # noqa: D205, D209 - one sentence
        return self._without(value, READ_ONLY if direction is Direction.REQUEST else WRITE_ONLY)

    def _without(self, value: Any, word: str) -> Any:  # noqa: ANN401 - JSON is any value
        if isinstance(value, list):
            items = self.items
            return value if items is None else [items._without(entry, word) for entry in value]  # noqa: SLF001 - itself
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, entry in value.items():
            schema = self.properties.get(name) or self.additional
            if schema is None:
                kept[name] = entry
            elif not schema._is(word):  # noqa: SLF001 - itself
                kept[name] = schema._without(entry, word)  # noqa: SLF001 - itself
        return kept

    @cached_property
    def write_only(self) -> frozenset[str]:
        """The members that are sent, and never answered."""
        return frozenset(name for name, member in self.properties.items() if member._is(WRITE_ONLY))  # noqa: SLF001 - itself

    def _is(self, word: str) -> bool:
        return any(node.value.get(word) is True for node in _parts(self._schemas, self.node, 0, alternatives=False))


def _parts(schemas: Schemas, node: Node, depth: int, *, alternatives: bool = True) -> list[Node]:
    """Return a schema and the schemas it is composed of, references followed."""
    found = schemas.files.resolved(node)
    if found is None or not isinstance(found.value, dict) or depth > _DEEP:
        return []
    parts = [found]
    if found.path != node.path and len(node.value) > 1 and schemas.is_modern:
        parts.append(node.with_value({name: value for name, value in node.value.items() if name != "$ref"}))
    for word in ("allOf", "anyOf", "oneOf") if alternatives else ("allOf",):
        composed = found.value.get(word)
        if isinstance(composed, list) and depth < _DEEP:
            for index in range(len(composed)):
                parts += _parts(schemas, found.at(word, index), depth + 4, alternatives=alternatives)
    return parts


def _types(schemas: Schemas, node: Node, depth: int) -> frozenset[str] | None:
    found = schemas.files.resolved(node)
    if found is None or not isinstance(found.value, dict) or depth > _DEEP:
        return None
    raw = found.value
    known: frozenset[str] | None = None
    given = raw.get("type")
    if isinstance(given, str | list):
        known = frozenset([given] if isinstance(given, str) else [one for one in given if isinstance(one, str)])
        if raw.get("nullable") is True or raw.get("x-nullable") is True:
            known |= {"null"}
    elif isinstance(raw.get("enum"), list):
        known = frozenset(_type_of(value) for value in raw["enum"])
    elif "const" in raw and schemas.is_modern:
        known = frozenset({_type_of(raw["const"])})
    for word in ("anyOf", "oneOf", "allOf"):
        composed = raw.get(word)
        if isinstance(composed, list) and composed:
            each = [_types(schemas, found.at(word, index), depth + 4) for index in range(len(composed))]
            known = _all_of(known, each) if word == "allOf" else _any_of(known, each)
    return known


def _any_of(known: frozenset[str] | None, each: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    if any(one is None for one in each):
        return known
    return _both(known, frozenset().union(*(one or () for one in each)))


def _all_of(known: frozenset[str] | None, each: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    for one in each:
        known = _both(known, one)
    return known


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    # An integer is a number: what may be both is the narrower one.
    wide = {"integer"} if "number" in one | other and "integer" in one | other else set()
    return (one & other) | (frozenset(wide) if not one & other else frozenset())


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


class ContentShape(NamedTuple):
    """One media type of a body, an answer or a parameter."""

    media_type: str
    schema: Schema | None
    examples: tuple[Any, ...] = ()
    """What the contract gives as examples of this content, without those of its schema."""
    styles: Mapping[str, tuple[str, bool]] = MappingProxyType({})
    """Of a form: how a field's list is written, as (style, explode)."""


class ParameterShape(NamedTuple):
    """A parameter, or a header of an answer."""

    name: str
    location: str
    """`path`, `query`, `header` or `cookie`."""
    required: bool
    style: str
    explode: bool
    schema: Schema | None
    content: ContentShape | None = None
    """Of a parameter that holds a text of a media type of its own."""
    allow_empty: bool = False
    holds: str | None = None
    """What `x-fla-mock` says that the value is to the access rules."""
    default: tuple[Any, ...] = ()
    """The value that an absent one stands for, if there is one."""
    examples: tuple[Any, ...] = ()


class BodyShape(NamedTuple):
    """The body of a request."""

    required: bool
    contents: tuple[ContentShape, ...]


class AnswerShape(NamedTuple):
    """One answer of an operation."""

    status: str
    """Three digits, `2XX`, or `default`."""
    description: str
    contents: tuple[ContentShape, ...]
    headers: tuple[ParameterShape, ...] = ()


class OperationShape(NamedTuple):
    """One method of one path."""

    method: str
    template: str
    operation_id: str
    summary: str
    scopes: tuple[tuple[str, ...], ...]
    """Alternatives, each with all the scopes that it asks for."""
    parameters: tuple[ParameterShape, ...]
    body: BodyShape | None
    answers: tuple[AnswerShape, ...]


class DocumentShape(NamedTuple):
    """A contract, whatever its version."""

    version: str
    title: str
    base_path: str
    operations: tuple[OperationShape, ...]
    schemas: Schemas
