"""The schemas of all versions as JSON Schema, compiled when they are first used.

OpenAPI 3.0 and Swagger 2.0 have draft 4's schemas with words of their own (`nullable`, `readOnly`); 3.1 has JSON
Schema 2020-12. Every reference becomes one within the compiled schema, so that compiling never looks for a file.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import jsonschema_rs

from mock_server.services.documents import blame
from mock_server.services.documents.files import Files, Node
from mock_server.services.documents.report import Place
from mock_server.services.documents.translation import (
    CHILD,
    READ_ONLY,
    WRITE_ONLY,
    Dialect,
    Direction,
    Reference,
    Translation,
    Version,
)

__all__ = ["READ_ONLY", "WRITE_ONLY", "Direction", "Schemas", "Validator", "Version"]

Validator = jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator

MAX_COMPOSED = 10_000
"""As many schemas as one value may be held against at once, by allOf, anyOf, oneOf and references."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")

_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "uuid": lambda value: _UUID.fullmatch(value) is not None,
    "byte": lambda value: _BASE64.fullmatch(value) is not None,
}


class _Key(NamedTuple):
    """One schema, written for one purpose."""

    reference: Reference
    direction: Direction
    annotated: bool = False
    """With its examples and defaults; a validator needs none."""


def _never(uri: str) -> NoReturn:
    msg = f"{uri} is not fetched"
    raise ValueError(msg)


class Schemas:
    """The schemas of one contract."""

    def __init__(self, files: Files, version: Version, *, ignore_read_only: bool, close_objects: bool = False) -> None:
        """Begin without any schema.

        With `ignore_read_only` a read-only member that is sent is nothing; with `close_objects` a member that is sent
        and that no schema names is refused, where the contract does not say so itself.
        """
        self.files = files
        self.version = version
        self._modern = self.is_modern = version is Version.OPENAPI_3_1
        self._dialect = Dialect(version, ignore_read_only=ignore_read_only, close_objects=close_objects)
        self.hides = False
        """Whether there are members that go one way only; known when a direction was translated."""
        self._keys: dict[tuple[Path, Place], int] = {}
        self._nodes: list[Node] = []
        self._bodies: dict[_Key, Any] = {}
        self._needs: dict[_Key, set[Reference]] = {}
        self._in_place: dict[tuple[int, Direction], list[int]] = {}
        self._validators: dict[tuple[int, Direction], Validator] = {}
        self._holder = self._dialect.holder

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

    def outline(self, reference: Reference, direction: Direction) -> Any:  # noqa: ANN401 - a schema may be true or false
        """Return a schema as JSON Schema of one dialect, for those who build values instead of judging them.

        Its references are those of `Reference.parse`; the examples of all versions stand in `examples`, and
        `x-chosen-by` has the member, and its value for each alternative, that a discriminator tells.
        """
        return self._body(_Key(reference, direction, annotated=True))

    def reference(self, number: int) -> dict[str, str]:
        """Return a reference to a schema, as outlines have them."""
        return Reference(number).written(self._holder)

    def part_validator(self, parts: Sequence[Any], direction: Direction) -> tuple[Validator, int]:
        """Compile what parts of outlines ask together; beside it, as many schemas as that took."""
        only = Reference.parse(parts[0]) if len(parts) == 1 else None
        if only is not None and len(parts[0]) == 1 and not only.part:
            return self.validator(only.number, direction), 0
        needed = [one for one in _references(list(parts)) if one.number < len(self._nodes)]
        definitions = self._needed(needed, direction, annotated=True)
        whole: dict[str, Any] = {"allOf": [*parts]}
        if definitions:
            whole[self._holder] = definitions
        return self._compile(whole), len(definitions)

    def check(self) -> None:
        """Translate and compile every schema, and report those that are no schemas."""
        self._check(Direction.REQUEST)
        if self.hides and self.files.report.is_empty:
            # What is read-only is left out of the one direction, so only the other tells whether it is a schema.
            self._check(Direction.RESPONSE)

    def _check(self, direction: Direction) -> None:
        done = 0
        while done < len(self._nodes):
            self._body(_Key(Reference(done), direction))
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
        references = [Reference(number) for number in numbers]
        definitions = self._needed(references, direction)
        written = [reference.written(self._holder) for reference in references]
        if len(numbers) > 1:
            return {"anyOf": written, self._holder: definitions}
        body = self._bodies[_Key(references[0], direction)]
        if not isinstance(body, dict) or "$ref" in body:
            return {"allOf": written, self._holder: definitions}
        name = references[0].name
        if not any(references[0] in needs for needs in self._needs_of(definitions, direction)):
            del definitions[name]
        return {**body, self._holder: definitions} if definitions else body

    def _needs_of(self, definitions: Mapping[str, Any], direction: Direction) -> Iterator[set[Reference]]:
        return (self._needs[_Key(Reference.named(name), direction)] for name in definitions)

    def _needed(
        self, references: Sequence[Reference], direction: Direction, *, annotated: bool = False
    ) -> dict[str, Any]:
        """Return the schemas of references, and all that these refer to, by name."""
        found: dict[str, Any] = {}
        waiting = list(references)
        while waiting:
            reference = waiting.pop()
            if reference.name not in found:
                key = _Key(reference, direction, annotated)
                found[reference.name] = self._body(key)
                waiting += self._needs[key]
        return found

    def _blame(self, direction: Direction) -> None:
        """Compile each schema alone, with all that it refers to left open, and report those that fail."""
        words = CHILD[self._modern]
        found = False
        for number, node in enumerate(self._nodes):
            key = _Key(Reference(number), direction)
            open_: dict[str, Any] = {self._holder: {one.name: {} for one in self._needs[key]}}
            blamed = blame.culprit(self._bodies[key], words, partial(self._compile_beside, open_))
            if blamed is not None:
                path, what = blamed
                self.files.report.add(node.file, (*node.path, *path), what)
                found = True
        if not found:
            self._fault(self._nodes[0].with_value(None), "the schemas of this contract cannot be compiled together")

    def _compile_beside(self, others: Mapping[str, Any], part: Mapping[str, Any]) -> Validator:
        return self._compile({**part, **others})

    def _fault(self, node: Node, what: str) -> None:
        self.files.report.add(node.file, node.path, what)

    def _body(self, key: _Key) -> Any:  # noqa: ANN401 - a schema may be true or false
        if key not in self._bodies:
            translation = Translation(self, self._dialect, key.direction, annotated=key.annotated)
            node = self._nodes[key.reference.number]
            self._bodies[key] = translation.schema(node, in_place=True, part=key.reference.part)
            self._needs[key] = translation.needs
            self._in_place.setdefault((key.reference.number, key.direction), translation.in_place)
        return self._bodies[key]


def _references(value: object) -> list[Reference]:
    """Return the references anywhere in parts of outlines; an example that looks like one costs nothing but time."""
    found: list[Reference] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            reference = Reference.parse(one)
            if reference is not None:
                found.append(reference)
            waiting += one.values()
    return found
