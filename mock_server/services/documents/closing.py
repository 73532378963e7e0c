"""Which members the author of a contract meant to name, where the contract leaves its objects open.

JSON Schema lets an object have members that nobody named. Where the settings refuse them, an object is held against the
names of all that it is composed of. `unevaluatedProperties` would say that in one word, but draft 4 does not have
it, and where one part of `allOf` is broken it calls the known members of that part unknown.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mock_server.services.documents.files import Files, Node
from mock_server.services.documents.report import Place

_ALTERNATIVES = ("anyOf", "oneOf")
_ONE_PART = ("if", "then", "else")
_REST = ("additionalProperties", "unevaluatedProperties")


class _Names(NamedTuple):
    properties: dict[str, Any]
    patterns: dict[str, Any]


def closing(files: Files, node: Node, *, modern: bool) -> dict[str, Any] | None:
    """Return what an object's member names are held against, as JSON Schema; None where the object stays open.

    It stays open where the contract says what other members are (`additionalProperties`), where nothing is named
    (it is a map), and where a `discriminator` lets other schemas add members to it.
    """
    found = _Names({}, {})
    own = files.resolved(node)
    if own is None or (isinstance(own.value, dict) and _is_base(own.value)):
        return None
    if not _gather(files, node, found, set(), modern=modern) or not found.properties:
        return None
    return {
        "properties": found.properties,
        "patternProperties": found.patterns,
        "additionalProperties": False,
    }


def _is_base(raw: dict[str, Any]) -> bool:
    return "discriminator" in raw and not any(word in raw for word in _ALTERNATIVES)


def _gather(files: Files, node: Node, found: _Names, seen: set[tuple[Path, Place]], *, modern: bool) -> bool:
    """Add the names of a schema and its parts; return whether nothing lets other names in."""
    place = (node.file, node.path)
    raw = node.value
    if place in seen or not isinstance(raw, dict):
        return True
    seen.add(place)
    if "$ref" in raw:
        target = files.target(node)
        closes = target is None or _gather(files, target, found, seen, modern=modern)
        if not closes or not modern:
            return closes
    if any(raw.get(word, False) is not False for word in _REST if modern or word == "additionalProperties"):
        return False
    for word, names in (("properties", found.properties), ("patternProperties", found.patterns)):
        members = raw.get(word)
        if isinstance(members, dict):
            names.update({name: {} for name in members})
    for part, is_alternative in _parts(node):
        before = len(found.properties) + len(found.patterns)
        if not _gather(files, part, found, seen, modern=modern):
            return False
        added = len(found.properties) + len(found.patterns) > before
        if is_alternative and not added and _is_map(files, part):
            return False
    return True


def _parts(node: Node) -> Iterator[tuple[Node, bool]]:
    raw = node.value
    for word in ("allOf", *_ALTERNATIVES):
        if isinstance(raw.get(word), list):
            for index in range(len(raw[word])):
                yield node.at(word, index), word != "allOf"
    for word in _ONE_PART:
        if isinstance(raw.get(word), dict):
            yield node.at(word), False
    for word in ("dependentSchemas", "dependencies"):
        if isinstance(raw.get(word), dict):
            for name in raw[word]:
                yield node.at(word, name), False


def _is_map(files: Files, node: Node) -> bool:
    """Whether an alternative is an object of any members, and not only a condition on named ones."""
    found = files.resolved(node)
    raw = found.value if found is not None else None
    return isinstance(raw, dict) and raw.get("type") == "object" and not raw.get("properties")
