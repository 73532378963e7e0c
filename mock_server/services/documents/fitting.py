"""A stored value as an answer's schema wants it: what the client sent is seldom the whole of what is answered."""

from collections.abc import Sequence
from copy import deepcopy
from itertools import islice
from typing import Any

from mock_server.services.documents.annotations import DEFAULT
from mock_server.services.documents.outline import Flat, NoSampleError, Outline, all_of, hides
from mock_server.services.documents.samples import Builder
from mock_server.services.documents.schemas import Direction
from mock_server.services.documents.shape import Schema
from mock_server.services.documents.translation import Reference

_MAX_STEPS = 20_000
"""As many values as are looked at; what comes after is left as it is."""
_MAX_CHOICES = 20
_NOTHING: frozenset[Reference] = frozenset()


def fitted(value: Any, schema: Schema | None, direction: Direction = Direction.RESPONSE) -> Any:  # noqa: ANN401 - JSON is any value
    """Return a value as a schema wants it in a direction, as far as that can be done; the value itself stays as it is.

    Members that go the other way are left out, and members that a closed object does not name; a required member that
    is missing gets its default, else what `sample` would build. Nothing that is valid is changed. What comes back may
    be invalid still, so it has to be validated.
    """
    if schema is None or schema.validator(direction).is_valid(value):
        return value
    return _Fitter(schema.outline(direction)).fit(value, [schema.reference])


class _Fitter:
    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._steps = 0
        self._filled: dict[tuple[int, ...], tuple[Sequence[Any], list[Any]]] = {}

    def fit(self, value: Any, schemas: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON is any value
        self._steps += 1
        if (
            not isinstance(value, dict | list)
            or self._steps + self._outline.spent > _MAX_STEPS
            or self._outline.holds(schemas, value)
        ):
            return value
        try:
            flat = self._outline.flat(schemas, _NOTHING)
        except NoSampleError:
            return value
        best: Any = None
        least: int | None = None
        for chosen in islice(self._outline.expansions(flat), _MAX_CHOICES):
            made = self._members(value, chosen) if isinstance(value, dict) else self._entries(value, chosen)
            holds = self._outline.holds(schemas, made)
            # The alternative that was meant is the one that asks for the fewest changes.
            changes = (0 if holds else 1_000_000) + _changes(value, made)
            if least is None or changes < least:
                best, least = made, changes
        return value if least is None else best

    def _entries(self, value: list[Any], flat: Flat) -> list[Any]:
        return [self.fit(entry, self._outline.entry(flat.parts, index)) for index, entry in enumerate(value)]

    def _members(self, value: dict[str, Any], flat: Flat) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, entry in value.items():
            schemas = self._outline.member(flat.parts, name)
            if not any(schema is False or hides(schema) for schema in schemas):
                made[name] = self.fit(entry, schemas)
        for name in dict.fromkeys(name for names in all_of(flat.parts, "required") for name in names):
            if name not in made:
                for built in self._missing(self._outline.member(flat.parts, name)):
                    made[name] = deepcopy(built)
        return made

    def _missing(self, schemas: Sequence[Any]) -> list[Any]:
        """Return what a missing member is, as one value or none; worked out once for all entries of a list."""
        key = tuple(map(id, schemas))
        if key not in self._filled:
            # Kept beside it, so that no other schema gets the same identity.
            self._filled[key] = (schemas, self._default(schemas))
        return self._filled[key][1]

    def _default(self, schemas: Sequence[Any]) -> list[Any]:
        try:
            parts = self._outline.flat(schemas, _NOTHING).parts
            for value in all_of(parts, DEFAULT):
                if self._outline.holds(schemas, value):
                    return [value]
            return [Builder(self._outline, careful=True).build(schemas)]
        except NoSampleError:
            return []


def _changes(value: Any, made: Any) -> int:  # noqa: ANN401 - JSON is any value
    """Count the members that were left out or filled in."""
    if isinstance(value, dict) and isinstance(made, dict):
        return len(value.keys() ^ made.keys()) + sum(
            _changes(value[name], made[name]) for name in value if name in made
        )
    if isinstance(value, list) and isinstance(made, list):
        return sum(map(_changes, value, made))
    return 0
