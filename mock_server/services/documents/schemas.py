"""The schemas of all versions as JSON Schema, compiled when they are first used.

OpenAPI 3.0 and Swagger 2.0 have draft 4's schemas with words of their own (`nullable`, `readOnly`); 3.1 has JSON
Schema 2020-12. Every reference becomes one within the compiled schema, so that compiling never looks for a file.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs

from mock_server.services.documents import blame
from mock_server.services.documents.files import Files, Node, kind
from mock_server.services.documents.report import Place

Validator = jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator

MAX_COMPOSED = 10_000
"""As many schemas as one value may be held against at once, by allOf, anyOf, oneOf and references."""
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
_CHILD = {
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

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
# In ECMA 262 a hyphen after a class is a hyphen; the engine takes it for a range.
_CLASS_AND_HYPHEN = re.compile(r"\\(.)(-?)", re.DOTALL)

_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "uuid": lambda value: _UUID.fullmatch(value) is not None,
    "byte": lambda value: _BASE64.fullmatch(value) is not None,
}
_Key = tuple[int, Direction]


def _never(uri: str) -> NoReturn:
    msg = f"{uri} is not fetched"
    raise ValueError(msg)


class Schemas:
    """The schemas of one contract."""

    def __init__(self, files: Files, version: Version, *, ignore_read_only: bool) -> None:
        self.files = files
        self.version = version
        self._modern = self.is_modern = version is Version.OPENAPI_3_1
        self._ignore_read_only = ignore_read_only
        self.hides = False
        """Whether there are members that go one way only; known when a direction was translated."""
        self._keys: dict[tuple[Path, Place], int] = {}
        self._nodes: list[Node] = []
        self._bodies: dict[_Key, Any] = {}
        self._needs: dict[_Key, set[int]] = {}
        self._in_place: dict[_Key, list[int]] = {}
        self._validators: dict[_Key, Validator] = {}
        self._holder = "$defs" if self._modern else "definitions"

    def add(self, node: Node) -> int:
        """Register a schema, and return its number."""
        place = (node.file, node.path)
        if place not in self._keys:
            self._keys[place] = len(self._nodes)
            self._nodes.append(node)
        return self._keys[place]

    def validator(self, number: int, direction: Direction) -> Validator:
        """Return the validator of a schema, compiled the first time."""
        key = (number, direction)
        if key not in self._validators:
            self._validators[key] = self._compile(self._whole([number], direction))
        return self._validators[key]

    def check(self) -> None:
        """Translate and compile every schema, and report those that are no schemas."""
        self._check(Direction.REQUEST)
        if self.hides and self.files.report.is_empty:
            # What is read-only is left out of the one direction, so only the other tells whether it is a schema.
            self._check(Direction.RESPONSE)

    def _check(self, direction: Direction) -> None:
        done = 0
        while done < len(self._nodes):
            self._body((done, direction))
            done += 1
        if not self._nodes or self._composed_without_end(direction):
            return
        try:
            self._compile(self._whole(list(range(len(self._nodes))), direction))
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            self._blame(direction)

    def _composed_without_end(self, direction: Direction) -> bool:
        """Report a schema that is part of itself without a member between, or composed of too many others."""
        sizes: dict[int, int] = {}
        found = False
        for first in range(len(self._nodes)):
            stack: list[tuple[int, Iterator[int]]] = []
            waiting: list[int] = [first]
            open_: set[int] = set()
            while waiting or stack:
                if waiting:
                    number = waiting.pop()
                    if number in sizes:
                        continue
                    if number in open_:
                        self._fault(
                            self._nodes[number],
                            "this schema is part of itself (through $ref, allOf, anyOf, oneOf or not), so no value "
                            "can be held against it; put a property or a list between",
                        )
                        return True
                    open_.add(number)
                    stack.append((number, iter(self._in_place[number, direction])))
                number, parts = stack[-1]
                following = next(parts, None)
                if following is not None:
                    waiting.append(following)
                    continue
                stack.pop()
                open_.discard(number)
                sizes[number] = 1 + sum(sizes[part] for part in self._in_place[number, direction])
                if sizes[number] > MAX_COMPOSED:
                    self._fault(
                        self._nodes[number],
                        f"expected a schema composed of at most {MAX_COMPOSED} others, came more; "
                        "let allOf, anyOf and oneOf repeat less",
                    )
                    sizes[number] = 1
                    found = True
        return found

    def _compile(self, schema: Any) -> Validator:  # noqa: ANN401 - a schema may be true or false
        cls = jsonschema_rs.Draft202012Validator if self._modern else jsonschema_rs.Draft4Validator
        validator: Validator = cls(
            schema, formats=dict(_FORMATS), validate_formats=True, mask="the value", retriever=_never
        )
        return validator

    def _whole(self, numbers: list[int], direction: Direction) -> dict[str, Any]:
        needed: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number not in needed:
                needed.add(number)
                self._body((number, direction))
                waiting += self._needs[number, direction]
        definitions = {str(number): self._bodies[number, direction] for number in needed}
        references = [{"$ref": f"#/{self._holder}/{number}"} for number in numbers]
        if len(numbers) > 1:
            return {"anyOf": references, self._holder: definitions}
        body = self._bodies[numbers[0], direction]
        if not isinstance(body, dict) or "$ref" in body:
            return {"allOf": references, self._holder: definitions}
        if not any(numbers[0] in self._needs[number, direction] for number in needed):
            del definitions[str(numbers[0])]
        return {**body, self._holder: definitions} if definitions else body

    def _blame(self, direction: Direction) -> None:
        """Compile each schema alone, with all that it refers to left open, and report those that fail."""
        open_: dict[str, Any] = {self._holder: {str(number): {} for number in range(len(self._nodes))}}
        words = _CHILD[self._modern]
        found = False
        for number, node in enumerate(self._nodes):
            body = self._bodies[number, direction]
            blamed = blame.culprit(body, words, lambda part: self._compile({**part, **open_}))
            if blamed is not None:
                path, what = blamed
                self.files.report.add(node.file, (*node.path, *path), what)
                found = True
        if not found:
            self._fault(self._nodes[0].with_value(None), "the schemas of this contract cannot be compiled together")

    def _fault(self, node: Node, what: str) -> None:
        self.files.report.add(node.file, node.path, what)

    def _body(self, key: _Key) -> None:
        if key not in self._bodies:
            translation = _Translation(self, key[1], modern=self._modern, ignore_read_only=self._ignore_read_only)
            self._bodies[key] = translation.schema(self._nodes[key[0]], in_place=True)
            self._needs[key] = translation.needs
            self._in_place[key] = translation.in_place


class _Translation:
    """Writes one schema as JSON Schema."""

    def __init__(self, schemas: Schemas, direction: Direction, *, modern: bool, ignore_read_only: bool) -> None:
        self._schemas = schemas
        self._modern = modern
        self._open = ignore_read_only and direction is Direction.REQUEST
        self._hidden = READ_ONLY if direction is Direction.REQUEST else WRITE_ONLY
        self._nullable = "nullable" if schemas.version is Version.OPENAPI_3_0 else "x-nullable"
        self.needs: set[int] = set()
        self.in_place: list[int] = []

    def schema(self, node: Node, *, in_place: bool, absent: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401 - JSON is any value
        """Translate; `absent` are members that this direction does not have, whatever is required."""
        raw = node.value
        if isinstance(raw, bool) and self._modern:
            return raw
        if not isinstance(raw, dict):
            self._schemas.files.report.add(node.file, node.path, f"expected a schema (an object), came {kind(raw)}")
            return {}
        made: dict[str, Any] = {}
        if "$ref" in raw:
            made = self._reference(node, in_place=in_place)
            if not self._modern:
                return made
        if "$dynamicRef" in raw:
            what = "$dynamicRef is not understood here; write a $ref to the schema that is meant"
            self._schemas.files.report.add(node.file, node.path, what)
        absent |= frozenset(self._absent(node, 0))
        for name, value in raw.items():
            self._keyword(node, made, name, value, in_place=in_place, absent=absent)
        self._details(raw, made, absent)
        return made

    def _reference(self, node: Node, *, in_place: bool) -> dict[str, Any]:
        target = self._schemas.files.target(node)
        if target is None:
            return {}
        number = self._schemas.add(target)
        self.needs.add(number)
        if in_place:
            self.in_place.append(number)
        return {"$ref": f"#/{'$defs' if self._modern else 'definitions'}/{number}"}

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
                    self.schema(node.at(name, index), in_place=inside, absent=kept) for index in range(len(value))
                ]
        elif name in _CHILD_MAPS or (name in {"dependentSchemas", "dependencies"}):
            self._map(node, made, name, in_place=in_place)
        elif name in _IN_PLACE[modern]:
            made[name] = self.schema(node.at(name), in_place=in_place)
        elif name == "items" and isinstance(value, list) and not modern:
            made[name] = [self.schema(node.at(name, index), in_place=False) for index in range(len(value))]
        elif name in _CHILD[modern]:
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
                    child, in_place=inside
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
        if made.get("type") == "file" and self._schemas.version is Version.SWAGGER_2:
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
