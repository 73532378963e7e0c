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
    DocumentStartEvent,
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
_ENTRY = object()
_KEY_IS_NEXT = object()


class TextError(ValueError):
    """A text that is not YAML or JSON as a contract has it; says the line and the column where it can."""


class _Open:
    """A list or an object that is not complete yet, with the number of values before it."""

    __slots__ = ("anchor", "before", "key", "merged", "value")

    def __init__(self, value: Any, anchor: str | None, before: int, key: Any) -> None:  # noqa: ANN401 - JSON is any value
        self.value = value
        self.anchor = anchor
        self.before = before
        self.key = key
        """The key of the next value, or that a key is next, or that it is an entry of a list."""
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
    """Makes values of the events of the YAML parser: no recursion, no tags, bounded aliases.

    There are as many events as values, so what is done for each is kept short: a start reads two contracts.
    """

    def __init__(self) -> None:
        # The stream is a list of documents, of which there is one at most.
        self._top = _Open([], None, 0, _ENTRY)
        self._stack = [self._top]
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def build(self, text: str) -> Any:  # noqa: ANN401 - JSON is any value
        documents = self._top.value
        take = {
            ScalarEvent: self._take_scalar,
            MappingStartEvent: self._begin_object,
            SequenceStartEvent: self._begin_list,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._take_alias,
            DocumentStartEvent: self._begin_document,
        }
        try:
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
            for event in iter(loader.get_event, None):
                kind = type(event)
                if kind in take:
                    take[kind](event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
            msg = f"{where}YAML syntax error: {error.problem or error.context}"
            raise TextError(msg) from None
        except yaml.YAMLError as error:
            msg = f"YAML syntax error: {str(error).splitlines()[0]}"
            raise TextError(msg) from None
        return documents[0] if documents else None

    def _begin_document(self, event: Any) -> None:  # noqa: ANN401 - the parser's events have no common interface
        if self._top.value:
            _refuse(event, "expected one document, came another after it")

    def _take_scalar(self, event: Any) -> None:  # noqa: ANN401 - as above
        value = event.value
        top = self._top
        if top.key is _KEY_IS_NEXT:
            self._put_key(_MERGE if value == "<<" and not event.style and event.tag is None else value, event)
        else:
            # A plain scalar has no style; a tag other than !!str changes nothing of what JSON can say.
            if not event.style and event.tag not in _TEXT_TAGS:
                value = _plain(value, event)
            self._add(value, 1, event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)

    def _take_alias(self, event: Any) -> None:  # noqa: ANN401 - as above
        if event.anchor not in self._anchors:
            _refuse(event, f"the alias *{event.anchor} names nothing that is complete before it")
        value, size = self._anchors[event.anchor]
        if self._top.key is not _KEY_IS_NEXT:
            self._add(value, size, event)
        elif isinstance(value, str):
            self._put_key(value, event)
        else:
            _refuse(event, "a key is text")

    def _put_key(self, key: Any, event: Any) -> None:  # noqa: ANN401 - as above
        top = self._top
        if key in top.value:
            _refuse(event, f"the member {key[:100]!r} stands twice in one object; keep one of them")
        top.key = key

    def _begin_object(self, event: Any) -> None:  # noqa: ANN401 - as above
        self._begin(event, _Open({}, event.anchor, self._count, _KEY_IS_NEXT))

    def _begin_list(self, event: Any) -> None:  # noqa: ANN401 - as above
        self._begin(event, _Open([], event.anchor, self._count, _ENTRY))

    def _begin(self, event: Any, made: _Open) -> None:  # noqa: ANN401 - as above
        if len(self._stack) > MAX_DEPTH:
            _refuse(event, f"expected nesting of at most {MAX_DEPTH} levels, came more")
        if self._top.key is _KEY_IS_NEXT:
            _refuse(event, "a key is text, not a list or an object")
        self._stack.append(made)
        self._top = made

    def _end(self, event: Any) -> None:  # noqa: ANN401 - as above
        ended = self._stack.pop()
        self._top = self._stack[-1]
        for other in ended.merged:
            for name, value in other.items():
                ended.value.setdefault(name, value)
        if ended.anchor:
            self._anchors[ended.anchor] = (ended.value, self._count - ended.before + 1)
        self._add(ended.value, 1, event)

    def _add(self, value: Any, size: int, event: Any) -> None:  # noqa: ANN401 - as above
        self._count += size
        if self._count > MAX_VALUES:
            _refuse(event, f"expected at most {MAX_VALUES} values, came more (an alias counts all that it stands for)")
        top = self._top
        key = top.key
        if key is _ENTRY:
            top.value.append(value)
            return
        if key is _MERGE:
            parts = value if isinstance(value, list) else [value]
            if not all(isinstance(part, dict) for part in parts):
                _refuse(event, "a merge key (<<) takes an object, or a list of objects")
            top.merged.extend(parts)
        else:
            top.value[key] = value
        top.key = _KEY_IS_NEXT


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
