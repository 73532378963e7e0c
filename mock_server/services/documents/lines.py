"""The lines of places in a file: all that are asked for in one reading, because a large file may have many faults.

Nothing is kept of the file but the places, whatever its size. Only faults need this, so no start pays for it.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mock_server.services.documents.report import Part, Place

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def _after_space(text: str, position: int) -> int:
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing too


class _Wanted:
    """A part of a place that is looked for, with all that is looked for below it."""

    __slots__ = ("below", "line")

    def __init__(self) -> None:
        self.below: dict[Part, _Wanted] = {}
        self.line: int | None = None

    def line_of(self, place: Place) -> int | None:
        """Return the line of a place, or of the last part of it that was found."""
        wanted, line = self, None
        for part in place:
            wanted = wanted.below[part]
            if wanted.line is None:
                break
            line = wanted.line
        return line


def lines_of(data: bytes, places: Iterable[Place]) -> Mapping[Place, int]:
    """Return the line (from 1) of each place in a file that was read before, or of the last part that is there.

    What an alias stands for has the line of the alias. A place of which nothing is there is left out.
    """
    asked = list(places)
    top = _Wanted()
    for place in asked:
        wanted = top
        for part in place:
            wanted = wanted.below.setdefault(part, _Wanted())
    # The file may have changed meanwhile: then what was found before it went wrong is as good as anything.
    with contextlib.suppress(UnicodeDecodeError, yaml.YAMLError):
        _find(data.decode("utf-8-sig"), top)
    found = ((place, top.line_of(place)) for place in asked)
    return {place: line for place, line in found if line is not None}


def _find(text: str, top: _Wanted) -> None:
    start = _after_space(text, 0)
    if text[start : start + 1] in {"{", "["}:
        try:
            _Json(text).find(start, top)
        except (ValueError, IndexError, RecursionError):
            pass  # not JSON, but YAML may begin like this too
        else:
            return
    _find_in_yaml(text, top)


class _Json:
    """Goes through JSON; what is not on the way to a place is skipped by the decoder, at its speed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._counted = 0

    def find(self, position: int, wanted: _Wanted) -> int:
        """Find what is wanted in the value at a position, and return where the value ends.

        Raises `ValueError` or `IndexError` where it is no JSON.
        """
        text = self._text
        if not wanted.below or text[position] not in "{[":
            return _DECODER.raw_decode(text, position)[1]
        is_list = text[position] == "["
        position = _after_space(text, position + 1)
        index = 0
        while text[position] not in "]}":
            begins = position
            part: Part = index
            if not is_list:
                self._expect(position, '"')
                part, position = _DECODER.raw_decode(text, position)
                position = self._after(_after_space(text, position), ":")
            below = wanted.below.get(part)
            if below is None:
                position = _DECODER.raw_decode(text, position)[1]
            else:
                below.line = self._line_at(begins)
                position = self.find(position, below)
            position = _after_space(text, position)
            if text[position] not in "]}":
                position = self._after(position, ",")
            index += 1
        return position + 1

    def _expect(self, position: int, character: str) -> None:
        if self._text[position] != character:
            msg = f"expected {character}"
            raise ValueError(msg)

    def _after(self, position: int, separator: str) -> int:
        self._expect(position, separator)
        return _after_space(self._text, position + 1)

    def _line_at(self, position: int) -> int:
        self._line += self._text.count("\n", self._counted, position)
        self._counted = position
        return self._line


class _Level:
    """A list or an object that something is wanted of."""

    __slots__ = ("below", "has_key", "index", "is_list", "wanted")

    def __init__(self, wanted: _Wanted, *, is_list: bool) -> None:
        self.wanted = wanted
        self.is_list = is_list
        self.index = 0
        self.has_key = False
        self.below: _Wanted | None = None


def _find_in_yaml(text: str, top: _Wanted) -> None:
    """Go through the events of the YAML parser. Raises `yaml.YAMLError`."""
    levels: list[_Level] = []
    skipped = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        kind = type(event)
        begins = kind is MappingStartEvent or kind is SequenceStartEvent
        ends = kind is MappingEndEvent or kind is SequenceEndEvent
        if skipped:
            skipped += begins - ends
        elif ends:
            levels.pop()
            if not levels:
                return
        elif begins or kind is ScalarEvent or kind is AliasEvent:
            below = _taken(levels[-1], event) if levels else top
            if begins and below is not None and below.below:
                levels.append(_Level(below, is_list=kind is SequenceStartEvent))
            else:
                skipped = int(begins)


def _taken(level: _Level, event: Any) -> _Wanted | None:  # noqa: ANN401 - the parser's events have no common interface
    """Note the line of a key or an entry that is wanted, and return what is wanted of a value."""
    if not level.is_list and level.has_key:
        level.has_key = False
        return level.below
    part = level.index if level.is_list else getattr(event, "value", None)
    below = level.wanted.below.get(part) if part is not None else None
    if below is not None:
        below.line = event.start_mark.line + 1
    if level.is_list:
        level.index += 1
        return below
    level.below, level.has_key = below, True
    return None
