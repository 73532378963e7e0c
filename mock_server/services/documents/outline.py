"""What the parts of a schema ask together, for those who build values or mend them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jsonschema_rs

from mock_server.services.documents.annotations import CHOSEN_BY
from mock_server.services.documents.schemas import READ_ONLY, WRITE_ONLY, Direction, Schemas, Validator
from mock_server.services.documents.translation import Reference

ALTERNATIVES = ("oneOf", "anyOf")
_CONDITIONAL = ("if", "dependentSchemas", "dependencies")
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_TOLD_BY = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "minLength", "maxLength", "format", "contentEncoding"),
    "number": ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"),
}
_MAX_DEPTH = 60
_SCHEMAS_A_STEP = 5

Part = Mapping[str, Any]


class NoSampleError(ValueError):
    """No value could be built; says why, and where."""

    def __init__(self, why: str, place: tuple[str | int, ...] = ()) -> None:
        where = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).lstrip(".")
        super().__init__(f"{where[:200]}: {why}" if place else why)
        self.why = why
        self.place = place

    def below(self, part: str | int) -> "NoSampleError":
        """Return it as told from one level up."""
        return NoSampleError(self.why, (part, *self.place))


class Flat(NamedTuple):
    """A schema as parts that hold together, without references and allOf."""

    parts: tuple[Part, ...]
    around: frozenset[Reference]
    """The schemas that this one is within."""
    own: frozenset[Reference]
    """The schemas that it is made of."""

    @property
    def within(self) -> frozenset[Reference]:
        """The schemas that its members and entries are within."""
        return self.around | self.own


class Outline:
    """The schemas of one contract in one direction."""

    def __init__(self, schemas: Schemas, direction: Direction) -> None:
        self._schemas = schemas
        self._direction = direction
        self._validators: dict[tuple[int, ...], tuple[Sequence[Any], Validator | None]] = {}
        self._names: dict[str, Validator] = {}
        self.spent = 0
        """What compiling cost, in the measure of building one value."""

    def flat(self, schemas: Sequence[Any], within: frozenset[Reference]) -> Flat:
        """Follow references and allOf. Raises `NoSampleError`: in a circle, or where nothing is allowed."""
        parts: list[Part] = []
        own: set[Reference] = set()
        self._flatten(schemas, within, own, parts, 0)
        return Flat(tuple(parts), within, frozenset(own))

    def _flatten(
        self, schemas: Sequence[Any], within: frozenset[Reference], own: set[Reference], parts: list[Part], depth: int
    ) -> None:
        for schema in schemas:
            if schema is True:
                continue
            if schema is False or hides(schema):
                raise NoSampleError("nothing is allowed here")
            reference = Reference.parse(schema)
            if reference is not None:
                if reference in within or depth > _MAX_DEPTH:
                    raise NoSampleError("the schema needs itself without end")
                own.add(reference)
                target = self._schemas.outline(reference, self._direction)
                self._flatten([target], within, own, parts, depth + 1)
            said = {name: value for name, value in schema.items() if name not in {"$ref", "allOf"}}
            if said:
                parts.append(said)
            if "allOf" in schema:
                self._flatten(schema["allOf"], within, own, parts, depth + 1)

    def expansions(self, flat: Flat) -> Iterator[Flat]:
        """Yield the ways to choose among alternatives and conditions, the likeliest first."""
        for index, part in enumerate(flat.parts):
            word = next((word for word in (*ALTERNATIVES, *_CONDITIONAL) if word in part), None)
            if word is None:
                continue
            rest = {name: value for name, value in part.items() if name != word}
            others = (*flat.parts[:index], rest, *flat.parts[index + 1 :])
            for choice in _choices(part, word):
                try:
                    chosen = self.flat(choice, flat.around)
                except NoSampleError:
                    continue
                yield from self.expansions(Flat((*others, *chosen.parts), flat.around, flat.own | chosen.own))
            return
        yield flat

    def member(self, parts: Sequence[Part], name: str) -> list[Any]:
        """Return the schemas that the value of a member is held against."""
        found: list[Any] = []
        evaluated = False
        for part in parts:
            mine = [part["properties"][name]] if name in part.get("properties", ()) else []
            mine += [
                schema for pattern, schema in part.get("patternProperties", {}).items() if self._has(pattern, name)
            ]
            if not mine and "additionalProperties" in part:
                mine = [part["additionalProperties"]]
            evaluated = evaluated or bool(mine)
            found += mine
        if not evaluated:
            found += [part["unevaluatedProperties"] for part in parts if "unevaluatedProperties" in part]
        return found

    def pruned(self, value: Any, schemas: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON is any value
        """Return a value without the members that go the other way, at any depth."""
        try:
            parts = self.flat(schemas, frozenset()).parts
        except NoSampleError:
            return value
        if isinstance(value, list):
            return [self.pruned(entry, self.entry(parts, index)) for index, entry in enumerate(value)]
        if isinstance(value, dict):
            members = {name: self.member(parts, name) for name in value}
            return {
                name: self.pruned(entry, members[name])
                for name, entry in value.items()
                if not any(hides(schema) for schema in members[name])
            }
        return value

    def entry(self, parts: Sequence[Part], index: int) -> list[Any]:
        """Return the schemas that an entry of a list is held against."""
        found = []
        for part in parts:
            listed = positions(part)
            if index < len(listed):
                found.append(listed[index])
            elif "items" in part and not isinstance(part["items"], list):
                found.append(part["items"])
            elif isinstance(part.get("items"), list) and "additionalItems" in part:
                found.append(part["additionalItems"])
        return found or all_of(parts, "unevaluatedItems")

    def _has(self, pattern: str, name: str) -> bool:
        if pattern not in self._names:
            self._names[pattern] = jsonschema_rs.Draft202012Validator({"pattern": pattern})
        return self._names[pattern].is_valid(name)

    def holds(self, schemas: Sequence[Any], value: Any) -> bool:  # noqa: ANN401 - JSON is any value
        """Return whether a value is valid against schemas, all of them."""
        key = tuple(map(id, schemas))
        if key not in self._validators:
            # Kept beside the validator, so that no other schema gets the same identity.
            self._validators[key] = (tuple(schemas), self._compiled(schemas))
        validator = self._validators[key][1]
        return validator is None or validator.is_valid(value)

    def _compiled(self, schemas: Sequence[Any]) -> Validator | None:
        # Draft 4 has true and false in place of a few schemas only.
        written = [{"not": {}} if schema is False else schema for schema in schemas if schema is not True]
        if not written:
            return None
        validator, size = self._schemas.part_validator(written, self._direction)
        self.spent += size // _SCHEMAS_A_STEP
        return validator


def hides(schema: object) -> bool:
    """Whether a member is one that goes the other way."""
    return isinstance(schema, dict) and schema.get("not") in ({"title": READ_ONLY}, {"title": WRITE_ONLY})


def _choices(part: Part, word: str) -> Iterator[list[Any]]:
    """Yield what each choice adds to the other parts."""
    value = part[word]
    if word == "if":
        yield [value, part.get("then", True)]
        yield [part.get("else", True)]
        yield []
    elif word not in ALTERNATIVES:
        schemas = [schema for schema in value.values() if not isinstance(schema, list)]
        yield []
        if schemas:
            yield schemas
    else:
        member, told = part.get(CHOSEN_BY, (None, ()))
        # What may be nothing is answered with something.
        order = sorted(range(len(value)), key=lambda index: value[index] in ({"enum": [None]}, {"type": "null"}))
        for index in order:
            if member is not None and told[index] is not None:
                yield [value[index], {"properties": {member: {"enum": [told[index]]}}, "required": [member]}]
        for index in order:
            yield [value[index]]


def all_of(parts: Sequence[Part], word: str) -> list[Any]:
    """Return what the parts say with a word."""
    return [part[word] for part in parts if word in part]


def types(parts: Sequence[Part]) -> tuple[list[str], list[str]]:
    """Return the types that a value may have: those that are meant, the likeliest first, and those that are let in."""
    possible: list[str] | None = None
    for given in all_of(parts, "type"):
        named = [given] if isinstance(given, str) else [one for one in given if isinstance(one, str)]
        named += ["integer"] if "number" in named else []
        possible = [one for one in possible or named if one in named] if possible != [] else []
    if possible is not None:
        unique = list(dict.fromkeys(one for one in possible if one != "integer" or "number" not in possible))
        return sorted(unique, key=lambda one: one == "null"), []
    words = {word for part in parts for word in part}
    told = [name for name, words_of in _TOLD_BY.items() if words & set(words_of)]
    rest = [one for one in _TYPES if one not in told]
    return (told, rest) if told else (rest, [])


def positions(part: Part) -> list[Any]:
    """Return the schemas of the first entries of a list, each for its position."""
    listed = part.get("prefixItems", part.get("items"))
    return listed if isinstance(listed, list) else []
