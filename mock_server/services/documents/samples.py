"""Values built from schemas, for answers that nobody gave an example of: always the same ones, always valid.

What the contract itself gives goes first (examples, default, const, enum), where it is valid. Then comes a value with
all the members that can be built, then one with the required members only; a validator judges each.
"""

import contextlib
import json
import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice, product
from typing import Any

from mock_server.services.documents.annotations import DEFAULT, EXAMPLES
from mock_server.services.documents.outline import Flat, NoSampleError, Outline, Part, all_of, positions, types
from mock_server.services.documents.patterns import Pattern, PatternError
from mock_server.services.documents.plain_values import numbers, texts
from mock_server.services.documents.schemas import Direction
from mock_server.services.documents.shape import Schema
from mock_server.services.documents.translation import Reference

__all__ = ["Builder", "NoSampleError", "sample"]

MAX_STEPS = 20_000
"""As many values as are tried for one sample."""
_LAVISH_STEPS = 3_000
"""After so many, members that may be absent are."""
_LAVISH_DEPTH = 5
MAX_ENTRIES = 10_000
"""As many entries as a list is given, or members an object."""
_MAX_CHOICES = 40
_MAX_PLAIN = 150
_MAX_DEPTH = 60
_WORDS_JUDGED = (
    "not oneOf anyOf if dependentSchemas dependencies dependentRequired contains propertyNames minProperties"
    " maxProperties uniqueItems unevaluatedProperties unevaluatedItems enum const"
)
_JUDGED = frozenset(_WORDS_JUDGED.split())
"""With these a value is not valid because its parts are."""
_ODD: tuple[Any, ...] = ([], {}, "text", 0, True, None)
_NOTHING: frozenset[Reference] = frozenset()


class _SpentError(Exception):
    """The work that one sample may cost was done."""


def sample(schema: Schema | None, direction: Direction = Direction.RESPONSE) -> Any:  # noqa: ANN401 - JSON is any value
    """Return a value that is valid in a direction; the same one each time, as a new object.

    Without a schema, where any value will do, it is an empty object. Raises `NoSampleError`.
    """
    if schema is None:
        return {}
    reasons: list[NoSampleError] = []
    for careful in (False, True):
        builder = Builder(schema.outline(direction), careful=careful)
        try:
            value = builder.build([schema.reference])
        except NoSampleError as error:
            reasons.append(error)
            continue
        if schema.validator(direction).is_valid(value):
            # Entries that are one object here, or belong to the contract, become objects of their own.
            return json.loads(json.dumps(value))
    raise reasons[-1] if reasons else NoSampleError("what was built of this schema is not valid against it")


class Builder:
    """Builds one value, within bounds of work."""

    def __init__(self, outline: Outline, *, careful: bool) -> None:
        self._outline = outline
        self._careful = careful
        self._steps = 0

    def build(self, schemas: Sequence[Any], within: frozenset[Reference] = _NOTHING) -> Any:  # noqa: ANN401 - JSON is any value
        """Return a value of schemas, all of them. Raises `NoSampleError`."""
        try:
            return self._value(schemas, within, 0, 0)
        except _SpentError:
            msg = f"none was found within {MAX_STEPS} steps"
            raise NoSampleError(msg) from None

    def _value(self, schemas: Sequence[Any], within: frozenset[Reference], depth: int, turn: int) -> Any:  # noqa: ANN401 - as above
        return next(self._values(schemas, within, depth, turn))

    def _values(self, schemas: Sequence[Any], within: frozenset[Reference], depth: int, turn: int) -> Iterator[Any]:
        """Yield values, each judged where building alone does not make it valid. Raises `NoSampleError` for none."""
        self._spend()
        if depth > _MAX_DEPTH:
            msg = f"the schema goes deeper than {_MAX_DEPTH} levels"
            raise NoSampleError(msg)
        flat = self._outline.flat(schemas, within)
        is_listed = any(_is_listed(part) for part in flat.parts)
        found = False
        reasons: list[NoSampleError] = []
        for value in chain(
            self._given(schemas, flat), () if is_listed else self._made(schemas, flat, depth, turn, reasons)
        ):
            found = True
            yield value
        if not found:
            yield self._apart(schemas, flat, depth, reasons)

    def _made(
        self, schemas: Sequence[Any], flat: Flat, depth: int, turn: int, reasons: list[NoSampleError]
    ) -> Iterator[Any]:
        """Yield what can be built of each choice of alternatives, and add why others cannot."""
        judged = self._careful or any(_JUDGED & part.keys() for part in flat.parts)
        for meant, lavish in product((True, False), (True, False)):
            for chosen in islice(self._outline.expansions(flat), _MAX_CHOICES):
                kinds = types(chosen.parts)[0 if meant else 1]
                try:
                    given = self._given(schemas, chosen) if chosen is not flat else ()
                    for value in chain(given, self._built(chosen, kinds, depth, turn, lavish=lavish)):
                        if not judged or self._outline.holds(schemas, value):
                            yield value
                except NoSampleError as error:
                    reasons.append(error)

    def _apart(self, schemas: Sequence[Any], flat: Flat, depth: int, reasons: list[NoSampleError]) -> dict[str, Any]:
        """Return an object that fits one alternative because a member of another has a value that it cannot have there.

        Alternatives of oneOf that leave other members open often fit the same objects, so that nothing else is left.
        Raises `NoSampleError`.
        """
        alternatives = [schema for schemas in all_of(flat.parts, "oneOf") for schema in schemas]
        names: dict[str, None] = {}
        for chosen in islice(self._outline.expansions(flat), _MAX_CHOICES if alternatives else 0):
            names |= dict.fromkeys(name for members in all_of(chosen.parts, "properties") for name in members)
        choices = list(islice(self._outline.expansions(flat), _MAX_CHOICES if names else 0))
        for lavish, chosen in product((True, False), choices):
            with contextlib.suppress(NoSampleError):
                made = self._object(chosen, depth, 0, lavish=lavish)
                for name, odd in islice(product(names, _ODD), _MAX_PLAIN):
                    changed = {**made, name: odd}
                    if name not in made and self._fits(schemas, changed):
                        return changed
        why = "what it asks for cannot be had together, or was not found"
        raise reasons[0] if reasons else NoSampleError(why)

    def _given(self, schemas: Sequence[Any], flat: Flat) -> Iterator[Any]:
        """Yield what the contract itself gives, where it is valid; members that go the other way are left out."""
        for value in _written(flat.parts):
            if self._outline.holds(schemas, value):
                yield value
            elif isinstance(value, dict | list):
                pruned = self._outline.pruned(value, schemas)
                if pruned != value and self._outline.holds(schemas, pruned):
                    yield pruned

    def _built(self, flat: Flat, kinds: list[str], depth: int, turn: int, *, lavish: bool) -> Iterator[Any]:
        if any(_is_listed(part) for part in flat.parts):
            return
        reason: NoSampleError | None = None
        for kind in kinds:
            try:
                if kind == "object":
                    yield self._object(flat, depth, turn, lavish=lavish)
                elif kind == "array":
                    yield self._list(flat, depth, turn, lavish=lavish)
                elif lavish:
                    yield from (one for one in self._plain(kind, flat.parts, turn) if self._fits(flat.parts, one))
            except NoSampleError as error:
                reason = reason or error
        if reason is not None:
            raise reason

    def _spend(self) -> None:
        self._steps += 1
        if self._steps + self._outline.spent > MAX_STEPS:
            raise _SpentError

    def _fits(self, parts: Sequence[Part], value: Any) -> bool:  # noqa: ANN401 - JSON is any value
        self._spend()
        return self._outline.holds(parts, value)

    def _plain(self, kind: str, parts: Sequence[Part], turn: int) -> Iterator[Any]:
        if kind == "null":
            yield None
        elif kind == "boolean":
            yield from ((True, False) if turn % 2 == 0 else (False, True))
        else:
            for moved in (turn, turn + 1, turn + 2, turn + 17):
                made = texts(parts, moved) if kind == "string" else numbers(parts, moved, whole=kind == "integer")
                yield from islice(made, _MAX_PLAIN)

    def _object(self, flat: Flat, depth: int, turn: int, *, lavish: bool) -> dict[str, Any]:
        parts = flat.parts
        required = _required(parts, {name: None for names in all_of(parts, "required") for name in names})
        named = dict.fromkeys(name for members in all_of(parts, "properties") for name in members)
        least = max(all_of(parts, "minProperties"), default=0)
        most = min(all_of(parts, "maxProperties"), default=MAX_ENTRIES)
        optional = [name for name in named if name not in required]
        is_lavish = lavish and depth < _LAVISH_DEPTH and self._steps < _LAVISH_STEPS
        made: dict[str, Any] = {}
        for name in required:
            try:
                made[name] = self._member(flat, name, depth, turn)
            except NoSampleError as error:
                raise error.below(name) from None
        for name in optional:
            if len(made) >= (most if is_lavish else min(least, most)):
                break
            self._add(made, flat, name, depth, turn)
        if is_lavish:
            # Of members that ask for others, those too.
            for name in _required(parts, dict.fromkeys(made)):
                if name not in made and len(made) < most:
                    self._add(made, flat, name, depth, turn)
        wanted = min(most, max(least, 1 if is_lavish and not named and not made and _is_map(parts) else 0))
        self._fill(made, flat, depth, turn, wanted)
        if len(made) < least:
            msg = f"expected at least {least} members, and only {len(made)} can be built"
            raise NoSampleError(msg)
        ordered = [*(name for name in named if name in made), *(name for name in made if name not in named)]
        return {name: made[name] for name in ordered}

    def _member(self, flat: Flat, name: str, depth: int, turn: int) -> Any:  # noqa: ANN401 - JSON is any value
        return self._value(self._outline.member(flat.parts, name), flat.within, depth + 1, turn)

    def _add(self, made: dict[str, Any], flat: Flat, name: str, depth: int, turn: int) -> None:
        with contextlib.suppress(NoSampleError):
            made[name] = self._member(flat, name, depth, turn)

    def _fill(self, made: dict[str, Any], flat: Flat, depth: int, turn: int, wanted: int) -> None:
        """Add members that are not named, until there are enough."""
        if len(made) >= wanted or wanted > MAX_ENTRIES:
            return
        for name in islice(self._names(flat), 4 * wanted + 20):
            if name not in made:
                self._add(made, flat, name, depth, turn)
            if len(made) >= wanted:
                return

    def _names(self, flat: Flat) -> Iterator[str]:
        rules = all_of(flat.parts, "propertyNames")
        patterns = [pattern for members in all_of(flat.parts, "patternProperties") for pattern in members]
        for turn in range(MAX_ENTRIES):
            made = [f"key{turn + 1}"]
            for pattern in patterns:
                try:
                    made += islice(Pattern(pattern).texts(turn=turn), 1)
                except PatternError:
                    continue
            if rules:
                with contextlib.suppress(NoSampleError):
                    made.append(self._value([{"type": "string"}, *rules], flat.within, 0, turn))
            yield from (name for name in made if not rules or self._outline.holds(rules, name))

    def _list(self, flat: Flat, depth: int, turn: int, *, lavish: bool) -> list[Any]:
        parts = flat.parts
        least = max(all_of(parts, "minItems"), default=0)
        most = min(all_of(parts, "maxItems"), default=MAX_ENTRIES)
        if least > MAX_ENTRIES:
            msg = f"expected at least {least} entries; a sample has at most {MAX_ENTRIES}"
            raise NoSampleError(msg)
        unique = any(all_of(parts, "uniqueItems"))
        made: list[Any] = []
        first = max((len(positions(part)) for part in parts), default=0)
        contained = _contained(parts)
        wanted = max(least, min(most, max(first, 1)) if lavish and depth < _LAVISH_DEPTH else 0)
        start = min(first, max(0, most - len(contained))) if lavish else 0
        wanted = max(wanted, start + len(contained)) if contained else wanted
        while len(made) < wanted:
            index = len(made)
            schemas = self._outline.entry(parts, index)
            special = contained[index - start : index - start + 1] if index >= start else []
            count = 1 if special or index < first or index < start else wanted - index
            try:
                made += self._entries(flat, [*schemas, *special], count, made if unique else None, depth, turn)
            except NoSampleError as error:
                if index < least or contained:
                    raise error.below(index) from None
                break
        return made

    def _entries(  # noqa: PLR0913 - entries, and where they stand
        self,
        flat: Flat,
        schemas: Sequence[Any],
        count: int,
        others: list[Any] | None,
        depth: int,
        turn: int,
    ) -> list[Any]:
        """Return entries of one kind; different ones, and different from the others, where these are given."""
        if others is None:
            return [self._value(schemas, flat.within, depth + 1, turn)] * count
        made: list[Any] = []
        seen = {_identity(other) for other in others}
        # Another turn is another likely value, where there is one; else all that there is.
        for many in (1, 2 * count + 2):
            for moved in range(4 * count + 20):
                before = len(made)
                values = self._values(schemas, flat.within, depth + 1, turn + len(others) + moved)
                for value in islice(values, many):
                    identity = _identity(value)
                    if identity not in seen:
                        seen.add(identity)
                        made.append(value)
                    if len(made) == count:
                        return made
                if len(made) == before and moved:
                    break
        msg = f"expected {count} different entries, and only {len(made)} can be built"
        raise NoSampleError(msg)


def _written(parts: Sequence[Part]) -> Iterator[Any]:
    """Yield what parts of a schema give as values: one example of them all, examples, defaults, const, enum."""
    objects = [part[EXAMPLES][0] for part in parts if part.get(EXAMPLES) and isinstance(part[EXAMPLES][0], dict)]
    if len(objects) > 1:
        yield {name: value for one in objects for name, value in one.items()}
    for examples in all_of(parts, EXAMPLES):
        yield from examples
    yield from all_of(parts, DEFAULT)
    yield from all_of(parts, "const")
    for values in all_of(parts, "enum"):
        yield from sorted(values, key=lambda value: value is None)


def _is_listed(part: Part) -> bool:
    return "enum" in part or "const" in part


def _is_map(parts: Sequence[Part]) -> bool:
    return any(isinstance(part.get("additionalProperties"), dict) or part.get("patternProperties") for part in parts)


def _required(parts: Sequence[Part], names: dict[str, None]) -> dict[str, None]:
    """Return names of members, and those that these ask for."""
    asked = [rules for word in ("dependentRequired", "dependencies") for rules in all_of(parts, word)]
    waiting = list(names)
    found = dict(names)
    while waiting:
        name = waiting.pop()
        for rules in asked:
            more = rules.get(name, ())
            new = [one for one in more if one not in found] if isinstance(more, list) else []
            found |= dict.fromkeys(new)
            waiting += new
    return found


def _contained(parts: Sequence[Part]) -> list[Any]:
    """Return the schemas of entries that a list has to contain, each as often as it is asked for."""
    found: list[Any] = []
    for part in parts:
        if "contains" in part:
            found += [part["contains"]] * min(math.ceil(part.get("minContains", 1)), MAX_ENTRIES)
    return found


def _identity(value: Any) -> str:  # noqa: ANN401 - JSON is any value
    return json.dumps(value, sort_keys=True)
