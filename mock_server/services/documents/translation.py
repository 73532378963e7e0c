"""One schema of any version, written as JSON Schema: draft 4 for Swagger 2.0 and OpenAPI 3.0, 2020-12 for 3.1."""

import re
from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from typing import Any, NamedTuple, Protocol

from mock_server.services.documents.annotations import annotations, tags
from mock_server.services.documents.closing import closing
from mock_server.services.documents.files import Files, Node, kind

READ_ONLY = "readOnly"
WRITE_ONLY = "writeOnly"


class Version(Enum):
    """The versions of the specification."""

    SWAGGER_2 = "2.0"
    OPENAPI_3_0 = "3.0"
    OPENAPI_3_1 = "3.1"


class Direction(StrEnum):
    """Which way a value goes: what is read-only is not sent, what is write-only is not answered."""

    REQUEST = "request"
    RESPONSE = "response"


_COMMON = (
    "type enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems"
    " minItems uniqueItems maxProperties minProperties required format"
)
_PLAIN = {
    False: frozenset(_COMMON.split()),
    True: frozenset(
        f"{_COMMON} const maxContains minContains dependentRequired contentEncoding contentMediaType".split()
    ),
}
_IN_PLACE_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
_IN_PLACE = {False: frozenset({"not"}), True: frozenset({"not", "if", "then", "else"})}
CHILD = {
    False: frozenset({"items", "additionalProperties", "additionalItems"}),
    True: frozenset(
        [
            "items",
            "additionalProperties",
            "contains",
            "propertyNames",
            "unevaluatedItems",
            "unevaluatedProperties",
            "contentSchema",
        ]
    ),
}
_CHILD_MAPS = frozenset({"properties", "patternProperties"})
_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}

_REFERENCE = re.compile(r"#/(?:\$defs|definitions)/([0-9]+p?)")
# In ECMA 262 a hyphen after a class is a hyphen; the engine takes it for a range.
_CLASS_AND_HYPHEN = re.compile(r"\\(.)(-?)", re.DOTALL)


class Dialect(NamedTuple):
    """How the schemas of one contract are read."""

    version: Version
    ignore_read_only: bool
    close_objects: bool

    @property
    def modern(self) -> bool:
        """Whether it is JSON Schema 2020-12 and not draft 4."""
        return self.version is Version.OPENAPI_3_1

    @property
    def holder(self) -> str:
        """The keyword that other schemas stand under."""
        return "$defs" if self.modern else "definitions"


class Reference(NamedTuple):
    """A schema of the contract by its number."""

    number: int
    part: bool = False
    """Whether it is composed into another, which is closed as a whole (`closing`)."""

    @property
    def name(self) -> str:
        """Its name among the others."""
        return f"{self.number}{'p' * self.part}"

    @classmethod
    def named(cls, name: str) -> "Reference":
        """Return the reference of a name."""
        return cls(int(name.removesuffix("p")), name.endswith("p"))

    def written(self, holder: str) -> dict[str, str]:
        """Return it as a schema has it."""
        return {"$ref": f"#/{holder}/{self.name}"}

    @classmethod
    def parse(cls, schema: object) -> "Reference | None":
        """Return the reference that a schema of ours is or begins with."""
        text = schema.get("$ref") if isinstance(schema, dict) else None
        found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
        return cls.named(found[1]) if found is not None else None


class Known(Protocol):
    """What a translation asks of the schemas that it is one of."""

    files: Files
    hides: bool

    def add(self, node: Node) -> int:
        """Register a schema, and return its number."""


class Translation:
    """Writes one schema as JSON Schema."""

    def __init__(self, schemas: Known, dialect: Dialect, direction: Direction, *, annotated: bool) -> None:
        self._schemas = schemas
        self._dialect = dialect
        self._modern = dialect.modern
        self._annotated = annotated
        self._open = dialect.ignore_read_only and direction is Direction.REQUEST and not annotated
        self._closes = dialect.close_objects and direction is Direction.REQUEST
        self._hidden = READ_ONLY if direction is Direction.REQUEST else WRITE_ONLY
        self._nullable = "nullable" if dialect.version is Version.OPENAPI_3_0 else "x-nullable"
        self.needs: set[Reference] = set()
        self.in_place: list[int] = []

    def schema(self, node: Node, *, in_place: bool, absent: frozenset[str] = frozenset(), part: bool = False) -> Any:  # noqa: ANN401 - a schema may be true or false
        """Translate; `absent` are members that this direction does not have, whatever is required.

        In place is what is held against the same value as the registered schema; a part is closed with the whole
        that it is a part of.
        """
        raw = node.value
        if isinstance(raw, bool) and self._modern:
            return raw
        if not isinstance(raw, dict):
            self._schemas.files.report.add(node.file, node.path, f"expected a schema (an object), came {kind(raw)}")
            return {}
        made: dict[str, Any] = {}
        if "$ref" in raw:
            made = self._reference(node, in_place=in_place, part=part or self._modern)
            if not self._modern:
                return made
        if "$dynamicRef" in raw:
            what = "$dynamicRef is not understood here; write a $ref to the schema that is meant"
            self._schemas.files.report.add(node.file, node.path, what)
        absent |= frozenset(self._absent(node, 0))
        for name, value in raw.items():
            self._keyword(node, made, name, value, in_place=in_place, absent=absent)
        if self._annotated:
            made |= annotations(self._schemas.files, node)
        elif "discriminator" in raw:
            self._tag(node, made)
        if self._closes and not part:
            self._close(node, made)
        self._details(raw, made, absent)
        return made

    def _close(self, node: Node, made: dict[str, Any]) -> None:
        closed = closing(self._schemas.files, node, modern=self._modern)
        if closed is not None:
            closed["patternProperties"] = {_pattern(name): {} for name in closed["patternProperties"]}
            made["allOf"] = [*made.get("allOf", ()), closed]

    def _tag(self, node: Node, made: dict[str, Any]) -> None:
        """Let the discriminator decide between alternatives that would both let a value pass."""
        found = tags(self._schemas.files, node)
        if found is None or not isinstance(made.get(found.word), list):
            return
        alternatives = zip(made[found.word], found.names, strict=True)
        made[found.word] = [
            {"allOf": [alternative, {"properties": {found.member: {"enum": names}}}]} if names else alternative
            for alternative, names in alternatives
        ]

    def _reference(self, node: Node, *, in_place: bool, part: bool) -> dict[str, Any]:
        target = self._schemas.files.target(node)
        if target is None:
            return {}
        number = self._schemas.add(target)
        reference = Reference(number, part and self._closes)
        self.needs.add(reference)
        if in_place:
            self.in_place.append(number)
        return reference.written(self._dialect.holder)

    def _keyword(  # noqa: PLR0913 - one keyword, with all that its meaning depends on
        self,
        node: Node,
        made: dict[str, Any],
        name: str,
        value: Any,  # noqa: ANN401 - JSON is any value
        *,
        in_place: bool,
        absent: frozenset[str],
    ) -> None:
        modern = self._modern
        if name in _PLAIN[modern]:
            made[name] = value
        elif name in _IN_PLACE_LISTS or (name == "prefixItems" and modern):
            inside = in_place and name != "prefixItems"
            kept = absent if name == "allOf" else frozenset()
            if self._is(node, name, list):
                made[name] = [
                    self.schema(node.at(name, index), in_place=inside, absent=kept, part=name != "prefixItems")
                    for index in range(len(value))
                ]
        elif name in _CHILD_MAPS or (name in {"dependentSchemas", "dependencies"}):
            self._map(node, made, name, in_place=in_place)
        elif name in _IN_PLACE[modern]:
            made[name] = self.schema(node.at(name), in_place=in_place, part=True)
        elif name == "items" and isinstance(value, list) and not modern:
            made[name] = [self.schema(node.at(name, index), in_place=False) for index in range(len(value))]
        elif name in CHILD[modern]:
            made[name] = value if isinstance(value, bool) else self.schema(node.at(name), in_place=False)

    def _map(self, node: Node, made: dict[str, Any], name: str, *, in_place: bool) -> None:
        if not self._is(node, name, dict):
            return
        inside = in_place and name not in _CHILD_MAPS
        members: dict[str, Any] = {}
        for member, value in node.value[name].items():
            child = node.at(name, member)
            if name == "dependencies" and isinstance(value, list):
                members[member] = value
            elif name == "properties" and self._is_hidden(child):
                self._schemas.hides = True
                members[member] = {} if self._open else {"not": {"title": self._hidden}}
            else:
                members[_pattern(member) if name == "patternProperties" else member] = self.schema(
                    child, in_place=inside, part=name not in _CHILD_MAPS
                )
        made[name] = members

    def _is(self, node: Node, name: str, expected: type[dict[Any, Any]] | type[list[Any]]) -> bool:
        value = node.value[name]
        if isinstance(value, expected):
            return True
        wanted = "a list of schemas" if expected is list else "an object with a schema for each name"
        path = (*node.path, name)
        self._schemas.files.report.add(node.file, path, f"expected {wanted}, came {kind(value)}")
        return False

    def _is_hidden(self, node: Node) -> bool:
        """Whether a member is read-only (or write-only), said by itself, by its reference, or by a part of allOf."""
        return self._says(node, 0)

    def _says(self, node: Node, depth: int) -> bool:
        if not isinstance(node.value, dict) or depth > 10:  # noqa: PLR2004 - deeper is a circle, or a joke
            return False
        if "$ref" in node.value:
            found = self._schemas.files.target(node)
            if found is not None and self._says(found, depth + 1):
                return True
            if not self._modern:
                return False
        if node.value.get(self._hidden) is True:
            return True
        parts = node.value.get("allOf")
        return isinstance(parts, list) and any(
            self._says(node.at("allOf", index), depth + 1) for index in range(len(parts))
        )

    def _absent(self, node: Node, depth: int) -> Iterator[str]:
        """Yield the members that this direction does not have, of a schema and of all that it is composed of."""
        if not isinstance(node.value, dict) or depth > 10:  # noqa: PLR2004 - as above
            return
        properties = node.value.get("properties")
        if isinstance(properties, dict) and (self._modern or "$ref" not in node.value):
            yield from (name for name in properties if self._is_hidden(node.at("properties", name)))
        if "required" not in node.value and "allOf" not in node.value and depth == 0:
            return
        if "$ref" in node.value:
            found = self._schemas.files.target(node)
            if found is not None:
                yield from self._absent(found, depth + 1)
        parts = node.value.get("allOf")
        if isinstance(parts, list):
            for index in range(len(parts)):
                yield from self._absent(node.at("allOf", index), depth + 1)

    def _details(self, raw: Mapping[str, Any], made: dict[str, Any], absent: frozenset[str]) -> None:
        required = made.get("required")
        if isinstance(required, list):
            made["required"] = [name for name in required if not isinstance(name, str) or name not in absent]
            if not made["required"]:
                del made["required"]
        if isinstance(made.get("pattern"), str):
            made["pattern"] = _pattern(made["pattern"])
        if made.get("type") == "file" and self._dialect.version is Version.SWAGGER_2:
            del made["type"]
        limits = _INTEGERS.get(raw.get("format", "")) if isinstance(raw.get("format", ""), str) else None
        types = made.get("type")
        if limits and isinstance(types, str | list) and "integer" in types:
            made["allOf"] = [*made.get("allOf", ()), {"minimum": limits[0], "maximum": limits[1]}]
        if not self._modern and raw.get(self._nullable) is True:
            if isinstance(made.get("type"), str):
                made["type"] = [made["type"], "null"]
            elif made:
                inner = dict(made)
                made.clear()
                made["anyOf"] = [{"enum": [None]}, inner]


def _pattern(pattern: str) -> str:
    return _CLASS_AND_HYPHEN.sub(
        lambda match: f"\\{match[1]}\\-" if match[2] and match[1] in "wWdDsS" else match[0], pattern
    )
