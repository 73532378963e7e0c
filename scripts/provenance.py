"""Every element of a contract of ours, with the label that says where it comes from (`x-provenance`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

LABEL: Final = "x-provenance"
LEVELS: Final = ("documented", "platform", "assumed")
# How a source begins: with a section of the guide, or with a text of the platform or a standard that it follows.
SOURCES: Final[Mapping[str, re.Pattern[str]]] = {
    "documented": re.compile(r"G§[0-9]"),
    "platform": re.compile(r"Belgif |developer guide|RFC [0-9]"),
    "assumed": re.compile(r"\S"),
}

# What may stand in each kind of object: a member that leads to other objects names how (one, a list, a map) and which
# kind; PLAIN members are not looked into. A member in neither table is reported, so that nothing is passed over.
PARTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "document": {
        "info": ("one", "info"),
        "servers": ("list", "server"),
        "tags": ("list", "tag"),
        "paths": ("map", "path item"),
        "components": ("one", "components"),
    },
    "components": {
        "schemas": ("map", "named schema"),
        "parameters": ("map", "parameter"),
        "headers": ("map", "header"),
        "requestBodies": ("map", "request body"),
        "responses": ("map", "response"),
        "securitySchemes": ("map", "security scheme"),
    },
    "path item": {"parameters": ("list", "parameter")}
    | dict.fromkeys(("get", "put", "post", "delete", "options", "head", "patch", "trace"), ("one", "operation")),
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "request body"),
        "responses": ("map", "response"),
    },
    "parameter": {"schema": ("one", "schema")},
    "header": {"schema": ("one", "schema")},
    "request body": {"content": ("map", "media type")},
    "response": {"headers": ("map", "header"), "content": ("map", "media type")},
    "media type": {"schema": ("one", "schema")},
    "schema": {
        "properties": ("map", "property"),
        "items": ("one", "schema"),
        "not": ("one", "schema"),
        "additionalProperties": ("one", "schema"),
        "allOf": ("list", "schema part"),
        "anyOf": ("list", "schema"),
        "oneOf": ("list", "schema"),
    },
    "security scheme": {"flows": ("one", "flows")},
    "flows": {"clientCredentials": ("one", "flow")},
}
PLAIN: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "document": "openapi security",
        "info": "title version description license",
        "server": "url description",
        "tag": "name description",
        "path item": "summary description",
        "operation": "operationId summary description tags security deprecated",
        "parameter": "name in required description example examples",
        "header": "required description example examples",
        "request body": "required description",
        "response": "description",
        "media type": "example examples",
        "schema": "type format title description enum required default example pattern minLength maxLength minimum "
        "maximum exclusiveMinimum exclusiveMaximum minItems maxItems readOnly writeOnly deprecated",
        "security scheme": "type description",
        "flow": "tokenUrl scopes",
    }.items()
}
# A property and a named schema are schemas in another place, and so are the parts of an allOf.
SAME_AS: Final = {"named schema": "schema", "property": "schema", "schema part": "schema"}
# A part of an allOf is covered by the whole; what is below it is not.
UNLABELLED: Final = frozenset({"document", "components", "media type", "flows", "schema part"})
# What a bare reference stands for is labelled where it is defined; that a member exists is not said there.
NEVER_BARE: Final = frozenset({"property", "named schema"})

Node: TypeAlias = Any


class Element(NamedTuple):
    """One object of a document: where it is (a JSON pointer), which kind it is, and itself."""

    pointer: str
    kind: str
    node: Node

    @property
    def is_reference(self) -> bool:
        """Whether it only points to another object."""
        return set(self.node) == {"$ref"} and self.kind not in NEVER_BARE

    @property
    def needs_label(self) -> bool:
        """Whether it must say where it comes from."""
        return self.kind not in UNLABELLED and not self.is_reference

    @property
    def level(self) -> str:
        """Its level; only of an element without a fault."""
        return str(self.node[LABEL]["level"])

    @property
    def source(self) -> str:
        """Its source; only of an element without a fault."""
        return str(self.node[LABEL]["source"])


def walk(node: Node, kind: str = "document", pointer: str = "") -> Iterator[Element]:
    """Yield an object and all below it."""
    yield Element(pointer, kind, node)
    for name, (shape, child_kind) in PARTS.get(SAME_AS.get(kind, kind), {}).items():
        child = node.get(name)
        if child is None or isinstance(child, bool):
            continue
        below = f"{pointer}/{name}"
        if shape == "one":
            yield from walk(child, child_kind, below)
        else:
            for key, value in child.items() if shape == "map" else enumerate(child):
                yield from walk(value, child_kind, f"{below}/{str(key).replace('~', '~0').replace('/', '~1')}")


def labelled(document: Node) -> tuple[Element, ...]:
    """Return the elements that have a label, in the order of the walk. Only of a document without faults."""
    return tuple(element for element in walk(document) if element.needs_label)


def faults(document: Node) -> dict[str, str]:
    """Return what is wrong with the labels of a document, by the pointer of the element."""
    return {element.pointer: fault for element in walk(document) if (fault := _fault(element))}


def _fault(element: Element) -> str | None:
    if element.is_reference:
        return None
    if "$ref" in element.node:
        return "a reference, which cannot carry a label"
    kind = SAME_AS.get(element.kind, element.kind)
    known = PARTS.get(kind, {}).keys() | PLAIN.get(kind, frozenset())
    if unknown := {key for key in element.node if not key.startswith("x-")} - known:
        return f"members that nothing here knows: {sorted(unknown)}"
    return _label_fault(element.node.get(LABEL)) if element.needs_label else None


def _label_fault(label: Node) -> str | None:
    if not isinstance(label, dict) or label.keys() != {"level", "source"}:
        return f"expected {LABEL} with a level and a source, and nothing more"
    level, source = label["level"], label["source"]
    if level not in LEVELS:
        return f"expected one of the levels {', '.join(LEVELS)}"
    if not isinstance(source, str) or not SOURCES[level].match(source.strip()):
        return f"the source of what is {level} begins with {SOURCES[level].pattern!r}"
    return None


def at(document: Node, pointer: str) -> Node:
    """Return what a JSON pointer, or a reference within the document, points to. Raises `LookupError`."""
    node = document
    for step in pointer.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


def resolved(document: Node, node: Node) -> Node:
    """Return an object, or the one that it refers to."""
    return at(document, node["$ref"]) if "$ref" in node else node
