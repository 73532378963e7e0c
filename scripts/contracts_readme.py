"""The page that tells where each element of our contracts comes from: `openapi/README.md`, made from their labels.

The text around the tables is `contracts_readme.md`, beside this file.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from scripts.provenance import LEVELS, Element, Node, at, faults, labelled

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "openapi"
PAGE: Final = FOLDER / "README.md"
TEMPLATE: Final = Path(__file__).with_suffix(".md")
NOTE: Final = (
    "<!-- Written by scripts/documentation.py from the labels of the contracts: change these, then run it. -->"
)

_HTTP_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LIMITS: Final = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "default")


class ProvenanceError(ValueError):
    """Elements whose label is missing or wrong; says which, and what was expected."""


class _Section(NamedTuple):
    """A table of the page, with the kinds of elements that it lists."""

    title: str
    column: str
    holds: frozenset[str]
    """The first steps of the pointers that it lists: a member of the document, or of its components."""


_SECTIONS: Final = (
    _Section("The API", "element", frozenset({"info", "servers"})),
    _Section("Calls", "path, operation", frozenset({"paths"})),
    _Section("Parameters", "parameter", frozenset({"parameters"})),
    _Section("Bodies that are sent", "body", frozenset({"requestBodies"})),
    _Section("Answers", "answer", frozenset({"responses"})),
    _Section("Headers of answers", "header", frozenset({"headers"})),
    _Section("Types and their members", "type, member", frozenset({"schemas"})),
    _Section("Security", "element", frozenset({"securitySchemes"})),
)


def page() -> str:
    """Return the whole page. Raises `ProvenanceError`."""
    return render({path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))})


def render(contracts: Mapping[str, Node]) -> str:
    """Return the page for contracts by their names. Raises `ProvenanceError`."""
    wrong = [f"{name}{at_}: {fault}" for name, document in contracts.items() for at_, fault in faults(document).items()]
    if wrong:
        raise ProvenanceError("\n".join(["elements that do not say where they come from:", *wrong]))
    parts = {
        "counts": "\n".join(_counts(contracts)),
        "contents": "\n".join(_contents(contracts)),
        "contracts": "\n\n".join("\n".join(_contract(name, document)) for name, document in contracts.items()),
    }
    first, rest = TEMPLATE.read_text("utf-8").split("\n", 1)
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], f"{first}\n{NOTE}\n{rest}")


def _counts(contracts: Mapping[str, Node]) -> Iterator[str]:
    yield f"| contract | {' | '.join(LEVELS)} | all |"
    yield "|---" * (len(LEVELS) + 2) + "|"
    for name, document in contracts.items():
        counted = Counter(element.level for element in labelled(document))
        cells = [str(counted[level]) for level in LEVELS]
        yield f"| [`{name}`](#{_anchor(name)}) | {' | '.join(cells)} | {counted.total()} |"


def _contents(contracts: Mapping[str, Node]) -> Iterator[str]:
    for name, document in contracts.items():
        yield f"* [`{name}`](#{_anchor(name)})"
        for section, _ in _tables(document):
            yield f"  * [{section.title}](#{_anchor(_title(name, section))})"
    yield "* [With the official file](#with-the-official-file)"


def _title(name: str, section: _Section) -> str:
    # GitHub makes anchors from titles, so that each title is there once.
    return f"{section.title} ({name})"


def _anchor(title: str) -> str:
    """Return what GitHub makes of a title in a link to it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _contract(name: str, document: Node) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield f"[`{name}.yaml`]({name}.yaml): {_text(document['info']['title'])}."
    for section, elements in _tables(document):
        yield ""
        yield f"### {_title(name, section)}"
        yield ""
        yield f"| {section.column} | is | level | source |"
        yield "|---|---|---|---|"
        for element in elements:
            cells = (_name(document, element), _says(document, element), element.level, _text(element.source))
            yield f"| {' | '.join(cells)} |"


def _tables(document: Node) -> Iterator[tuple[_Section, Sequence[Element]]]:
    elements = labelled(document)
    for section in _SECTIONS:
        listed = [element for element in elements if _steps(element.pointer)[0] in section.holds]
        if listed:
            yield section, listed


def _steps(pointer: str) -> list[str]:
    """Return the steps of a pointer as keys, without the one that all components have."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return steps[1:] if steps[0] == "components" else steps


# What an element is called -------------------------------------------------------------------------------------------


def _name(document: Node, element: Element) -> str:
    """Return the name of an element, as a reader would write it."""
    first, *steps = _steps(element.pointer)
    if first in {"info", "servers"}:
        return _code(first)
    if first == "paths":
        return _name_of_call(*steps)
    name, *below = steps
    shown = at(document, f"/components/{first}/{name}").get("name", name) if first == "parameters" else name
    if first == "responses":
        shown = " ".join([*_statuses(document, name), name])
    if first == "securitySchemes" and below:
        return _code(f"{shown}, {below[-1]}")
    told = _header_name(document, name) if first == "headers" else _code(f"{shown}{_member(below)}")
    return told + (", its value" if "schema" in below else "")


def _name_of_call(path: str, *steps: str) -> str:
    if not steps:
        return _code(path)
    return _code(" ".join([steps[0].upper(), path, *steps[1:]]))


def _member(steps: Sequence[str]) -> str:
    """Return the rest of the name of a member: `.duration.value`, `.items[]`."""
    rest = iter(steps)
    text = ""
    for step in rest:
        if step == "properties":
            text += f".{next(rest)}"
        elif step == "items":
            text += "[]"
    return text


def _header_name(document: Node, component: str) -> str:
    """Return the name that a header has in the answers, and in which of them it stands if not in all."""
    reference = {"$ref": f"#/components/headers/{component}"}
    answers = document["components"]["responses"]
    uses = [(name, key) for key, answer in answers.items() for name in _named(answer.get("headers", {}), reference)]
    names = _code(", ".join(sorted({name for name, _ in uses})) or component)
    statuses = sorted({status for _, key in uses for status in _statuses(document, key)})
    return names if len(uses) == len(answers) else f"{names} of {', '.join(statuses) or 'no answer'}"


def _named(headers: Mapping[str, Node], reference: Node) -> list[str]:
    return [name for name, header in headers.items() if header == reference]


def _statuses(document: Node, component: str) -> list[str]:
    """Return the statuses that an answer is given with."""
    return sorted({status for _, _, status in _uses(document, component)})


def _uses(document: Node, component: str) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and status of each use of an answer."""
    reference = {"$ref": f"#/components/responses/{component}"}
    for path, item in document["paths"].items():
        for method in item.keys() & frozenset(_HTTP_METHODS):
            for status, answer in item[method]["responses"].items():
                if answer == reference:
                    yield method, path, status


# What an element is --------------------------------------------------------------------------------------------------


def _says(document: Node, element: Element) -> str:
    """Return in a few words what an element is."""
    if element.kind in _SAYS:
        return _SAYS[element.kind](element.node)
    if element.kind == "response":
        methods = {method.upper() for method, _, _ in _uses(document, element.pointer.rpartition("/")[2])}
        return f"{_contents_of(element.node)}, of {', '.join(sorted(methods))}"
    return _form(document, element)


def _contents_of(node: Node) -> str:
    shown = [f"{media_type}: {_type(content['schema'])}" for media_type, content in node.get("content", {}).items()]
    return "; ".join(shown) or "no body"


_SAYS: Final[Mapping[str, Callable[[Node], str]]] = {
    "info": lambda node: f"version {node['version']}",
    "server": lambda node: _code(node["url"]),
    "path item": lambda node: _text(node["description"]),
    "operation": lambda node: _text(node["summary"]),
    "parameter": lambda node: f"{node['in']}, {'required' if node.get('required') else 'optional'}",
    "header": lambda node: "always" if node.get("required") else "not always",
    "request body": _contents_of,
    "security scheme": lambda node: _text(node["type"]),
    "flow": lambda node: "scopes " + ", ".join(_code(scope) for scope in node["scopes"]),
}


def _form(document: Node, element: Element) -> str:
    """Return type, limits and codes of a schema, and whether it is a required member."""
    node = element.node
    said = [_type(node)]
    if "enum" in node:
        said.append("codes " + ", ".join(_code(str(code)) for code in node["enum"]))
    said += [f"{name} {_code(str(node[name]))}" for name in _LIMITS if name in node]
    if node.get("exclusiveMinimum") is True:
        said.append("the minimum excluded")
    if node.get("additionalProperties") is False:
        said.append("closed")
    if element.kind == "property":
        owner, _, name = element.pointer.rpartition("/properties/")
        said.append("required" if name in at(document, owner).get("required", ()) else "optional")
    return ", ".join(said)


def _type(schema: Node) -> str:
    if "$ref" in schema:
        return _code(schema["$ref"].rpartition("/")[2])
    named = [part["$ref"].rpartition("/")[2] for part in schema.get("allOf", ()) if "$ref" in part]
    if named:
        return " and ".join(_code(name) for name in named) + (" and more" if len(schema["allOf"]) > len(named) else "")
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return " ".join(filter(None, [schema.get("type", "any type"), schema.get("format")]))


# Markdown ------------------------------------------------------------------------------------------------------------


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def _text(text: str) -> str:
    """Return a text for a cell: no cell ends early, and nothing is taken for a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
