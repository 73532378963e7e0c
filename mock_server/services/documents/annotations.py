"""What a schema says without asking for it: its examples, its default, and what its discriminator tells."""

from typing import Any, NamedTuple

from mock_server.services.documents.files import Files, Node

EXAMPLES = "examples"
DEFAULT = "default"
CHOSEN_BY = "x-chosen-by"


def annotations(files: Files, node: Node) -> dict[str, Any]:
    """Return the annotations of a schema in one spelling for all versions.

    `examples` is a list, `default` any value, and `x-chosen-by` is `[member, [value, …]]`: the member that a
    discriminator names, and what it is in each alternative of the schema's oneOf or anyOf.
    """
    raw = node.value
    made: dict[str, Any] = {}
    listed = raw.get("examples")
    examples = [raw["example"]] if "example" in raw else []
    if isinstance(listed, list):
        examples += listed
    if examples:
        made[EXAMPLES] = examples
    if "default" in raw:
        made[DEFAULT] = raw["default"]
    chosen = _chosen_by(files, node)
    if chosen is not None:
        made[CHOSEN_BY] = chosen
    return made


def _chosen_by(files: Files, node: Node) -> list[Any] | None:
    found = tags(files, node)
    return None if found is None else [found.member, [names[0] if names else None for names in found.names]]


class Tags(NamedTuple):
    """What a discriminator tells: which alternative of a schema is meant (OpenAPI 3.0.3, Discriminator Object)."""

    word: str
    """`oneOf` or `anyOf`."""
    member: str
    names: list[list[str]]
    """What the member may be in each alternative, the mapping's first; empty for one that is written in place."""


def tags(files: Files, node: Node) -> Tags | None:
    """Return what the discriminator of a schema tells of its alternatives, if it has both."""
    raw = node.value
    word = next((word for word in ("oneOf", "anyOf") if isinstance(raw.get(word), list)), None)
    discriminator = raw.get("discriminator")
    if word is None or not isinstance(discriminator, dict) or not isinstance(discriminator.get("propertyName"), str):
        return None
    mapping = discriminator.get("mapping")
    pairs = mapping.items() if isinstance(mapping, dict) else ()
    names: list[list[str]] = []
    for index in range(len(raw[word])):
        alternative = node.at(word, index)
        if not isinstance(alternative.value, dict) or not isinstance(alternative.value.get("$ref"), str):
            names.append([])
            continue
        target = files.target(alternative)
        own = str(target.path[-1]) if target is not None and target.path else ""
        written = alternative.value["$ref"]
        mapped = [str(value) for value, leads in pairs if leads in {written, own}]
        names.append(list(dict.fromkeys([*mapped, *([own] if own else [])])))
    return Tags(word, discriminator["propertyName"], names)
