"""The contracts made here, for the tests of them: documents, validators, what is below a schema."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml

from scripts.provenance import Node, resolved, walk

FOLDER: Final = Path(__file__).resolve().parents[2] / "openapi"
EMPLOYER: Final = "fla-employer-v1"
TRAINING_PROVIDER: Final = "fla-training-provider-v1"
FILES: Final[Mapping[str, Path]] = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
CONTRACTS: Final[Mapping[str, dict[str, Any]]] = {
    name: yaml.safe_load(path.read_text("utf-8")) for name, path in FILES.items()
}
_METHODS: Final = ("get", "put", "post", "patch", "delete")


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield each operation by its method and path."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def parameters(document: Node, path: str) -> list[Node]:
    """Return the parameters of a path, and of all its operations."""
    item = document["paths"][path]
    listed = [*item.get("parameters", []), *(one for m in _METHODS for one in item.get(m, {}).get("parameters", []))]
    return [resolved(document, parameter) for parameter in listed]


def body(document: Node, operation: Node) -> Node:
    """Return the schema of what an operation reads."""
    return resolved(document, operation["requestBody"])["content"]["application/json"]["schema"]


def answer(document: Node, operation: Node, status: str) -> Node:
    """Return the schema of what an operation answers with a status of success."""
    return resolved(document, operation["responses"][status])["content"]["application/json"]["schema"]


def validator(document: Node, schema: Node) -> jsonschema_rs.Draft4Validator:
    """Make a validator of a schema of a contract; OpenAPI 3.0's keywords mean what they mean in draft 4."""
    root = {"allOf": [schema], "components": document["components"]}
    return jsonschema_rs.Draft4Validator(root, validate_formats=True)


def schemas_below(document: Node, schema: Node) -> Iterator[Node]:
    """Yield a schema and all that it is made of, references followed; our contracts have no circles."""
    for element in walk(schema, "schema"):
        if "$ref" in element.node:
            yield from schemas_below(document, resolved(document, element.node))
        else:
            yield element.node


def examples(document: Node) -> Iterator[tuple[str, Node, Node]]:
    """Yield the pointer of each example with its schema and itself."""
    for pointer, kind, node in walk(document):
        if "example" in node:
            yield pointer, node.get("schema", node), node["example"]
        if kind == "media type":
            for name, example in node.get("examples", {}).items():
                yield f"{pointer}/{name}", node["schema"], example["value"]
