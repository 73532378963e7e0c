"""Reading YAML and JSON into plain values, within bounds, and without YAML 1.1's surprises.

The values of a contract are those of JSON: `on` is a word, `2023-03-06` is text, `012` is twelve, and every key is
text, as the core schema of YAML 1.2 and the OpenAPI specification have it. A document that grows without end by its
aliases, or is nested without end, is refused before it costs anything.
"""

import contextlib
import json
import re
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 2_000_000
"""As many values as a file may have, its aliases counted with all that they stand for."""

_JSON_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_MAY_BE_NUMBER = frozenset("-+.0123456789")
_MAX_DIGITS = 1_000
_TEXT_TAGS = frozenset({"tag:yaml.org,2002:str", "!"})
_MERGE = object()


class TextError(ValueError):
    """A text that is not YAML or JSON as a contract has it; says the line and the column where it can."""


class _Open:
    """A list or an object that is not complete yet, with the number of values before it."""

    __slots__ = ("anchor", "before", "has_key", "is_list", "key", "merged", "value")

    def __init__(self, value: Any, anchor: str | None, before: int, *, is_list: bool) -> None:  # noqa: ANN401 - JSON is any value
        self.value = value
        self.is_list = is_list
        self.anchor = anchor
        self.before = before
        self.key: Any = None
        self.has_key = False
        self.merged: list[Any] = []


def parse(data: bytes, *, only_json: bool = False) -> Any:  # noqa: ANN401 - a document is any value
    """Read UTF-8 bytes as JSON if they look like it, else as YAML, unless only JSON is expected. Raises `TextError`."""
    if len(data) > MAX_BYTES:
        msg = f"expected at most {MAX_BYTES} bytes, came more; leave out what is not served, or split the file"
        raise TextError(msg)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"expected UTF-8, came another encoding (byte {error.start}); save the file as UTF-8"
        raise TextError(msg) from None
    if only_json or text.lstrip()[:1] == "{":
        try:
            return _parse_json(text)
        except json.JSONDecodeError as error:
            # A YAML document may begin with a brace too; when it is not that either, it was meant as JSON.
            if not only_json:
                with contextlib.suppress(TextError):
                    return _Builder().build(text)
            msg = f"line {error.lineno}, column {error.colno}: JSON syntax error: {error.msg}"
            raise TextError(msg) from None
    return _Builder().build(text)


def _parse_json(text: str) -> Any:  # noqa: ANN401 - JSON is any value
    depth = deepest = 0
    if text.count("[") + text.count("{") > MAX_DEPTH:
        for match in _JSON_BRACKETS.finditer(text):
            first = match[0][0]
            depth += (first in "[{") - (first in "]}")
            deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            msg = f"expected nesting of at most {MAX_DEPTH} levels, came {deepest}"
            raise TextError(msg)
    return json.loads(text, object_pairs_hook=_members, parse_constant=_constant, parse_int=_json_integer)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        msg = f"the member {twice[:100]!r} stands twice in one object; keep one of them"
        raise TextError(msg)
    return members


def _constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise TextError(msg)


def _json_integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        msg = f"expected numbers of at most {_MAX_DIGITS} digits, came {len(text)}"
        raise TextError(msg)
    return int(text)


class _Builder:
    """Makes values of the events of the YAML parser: no recursion, no tags, bounded aliases."""

    def __init__(self) -> None:
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0
        self._result: Any = None
        self._done = False

    def build(self, text: str) -> Any:  # noqa: ANN401 - JSON is any value
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(text, Loader=loader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
            msg = f"{where}YAML syntax error: {error.problem or error.context}"
            raise TextError(msg) from None
        except yaml.YAMLError as error:
            msg = f"YAML syntax error: {str(error).splitlines()[0]}"
            raise TextError(msg) from None
        return self._result

    def _take(self, event: Any) -> None:  # noqa: ANN401 - the parser's events have no common interface
        kind = type(event)
        if kind is ScalarEvent:
            self._take_scalar(event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            self._begin(event, is_list=kind is SequenceStartEvent)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._end(event)
        elif kind is AliasEvent:
            self._take_alias(event)

    def _take_scalar(self, event: Any) -> None:  # noqa: ANN401 - JSON is any value
        value = event.value
        stack = self._stack
        if stack and not stack[-1].is_list and not stack[-1].has_key:
            is_merge = value == "<<" and not event.style and event.tag is None
            self._put_key(_MERGE if is_merge else value, event)
        else:
            # A plain scalar has no style; a tag other than !!str changes nothing of what JSON can say.
            if not event.style and event.tag not in _TEXT_TAGS:
                value = _plain(value, event)
            self._add(value, 1, event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)

    def _take_alias(self, event: Any) -> None:  # noqa: ANN401 - JSON is any value
        if event.anchor not in self._anchors:
            _refuse(event, f"the alias *{event.anchor} names nothing that is complete before it")
        value, size = self._anchors[event.anchor]
        top = self._stack[-1]
        if top.is_list or top.has_key:
            self._add(value, size, event)
        elif isinstance(value, str):
            self._put_key(value, event)
        else:
            _refuse(event, "a key is text")

    def _put_key(self, key: Any, event: Any) -> None:  # noqa: ANN401 - JSON is any value
        top = self._stack[-1]
        if key is not _MERGE and key in top.value:
            _refuse(event, f"the member {key[:100]!r} stands twice in one object; keep one of them")
        top.key, top.has_key = key, True

    def _begin(self, event: Any, *, is_list: bool) -> None:  # noqa: ANN401 - JSON is any value
        if len(self._stack) >= MAX_DEPTH:
            _refuse(event, f"expected nesting of at most {MAX_DEPTH} levels, came more")
        if self._stack and not self._stack[-1].is_list and not self._stack[-1].has_key:
            _refuse(event, "a key is text, not a list or an object")
        self._stack.append(_Open([] if is_list else {}, event.anchor, self._count, is_list=is_list))

    def _end(self, event: Any) -> None:  # noqa: ANN401 - JSON is any value
        top = self._stack.pop()
        for other in top.merged:
            for name, value in other.items():
                top.value.setdefault(name, value)
        if top.anchor:
            self._anchors[top.anchor] = (top.value, self._count - top.before + 1)
        self._add(top.value, 1, event)

    def _add(self, value: Any, size: int, event: Any) -> None:  # noqa: ANN401 - JSON is any value
        self._count += size
        if self._count > MAX_VALUES:
            _refuse(event, f"expected at most {MAX_VALUES} values, came more (an alias counts all that it stands for)")
        if not self._stack:
            if self._done:
                _refuse(event, "expected one document, came another after it")
            self._result, self._done = value, True
            return
        top = self._stack[-1]
        if top.is_list:
            top.value.append(value)
            return
        if top.key is _MERGE:
            parts = value if isinstance(value, list) else [value]
            if not all(isinstance(part, dict) for part in parts):
                _refuse(event, "a merge key (<<) takes an object, or a list of objects")
            top.merged.extend(parts)
        else:
            top.value[top.key] = value
        top.has_key = False


def _plain(text: str, event: Any) -> Any:  # noqa: ANN401 - JSON is any value
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAY_BE_NUMBER:
        return text
    if _NUMBER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            _refuse(event, f"expected numbers of at most {_MAX_DIGITS} digits, came {len(text)}")
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if value - value == 0 else text
    return text


def _refuse(event: Any, what: str) -> NoReturn:  # noqa: ANN401 - JSON is any value
    mark = event.start_mark
    msg = f"line {mark.line + 1}, column {mark.column + 1}: {what}"
    raise TextError(msg)


def line_of(data: bytes, path: tuple[str | int, ...]) -> int | None:
    """Return the line (from 1) of a place in a file that was read before, or of the last part of it that is there."""
    try:
        node = yaml.compose(data.decode("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    line: int | None = None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
