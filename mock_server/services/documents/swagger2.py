"""Swagger 2.0: body and form parameters, consumes and produces, and lists by collectionFormat."""

from collections.abc import Iterable, Sequence
from typing import Any

from mock_server.services.documents.files import Node
from mock_server.services.documents.shape import (
    AnswerShape,
    BodyShape,
    ContentShape,
    ParameterShape,
    Schema,
)
from mock_server.services.documents.walk import Walk

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_LOCATIONS = frozenset({"path", "query", "header"})
_STYLES = {"csv": "form", "ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited", "multi": "form"}
_NOT_SCHEMA = frozenset({"required", "in", "name", "description", "collectionFormat"})


class Swagger2:
    """Reads the parts of an operation that Swagger 2.0 writes in its own way."""

    def __init__(self, walk: Walk, root: Node) -> None:
        self._walk = walk
        self._consumes = self._media_types(root, "consumes")
        self._produces = self._media_types(root, "produces")

    def parameter(self, node: Node, name: str, location: str) -> ParameterShape | None:
        """Read a parameter of path, query or header; those of the body are read by `body`."""
        if location not in _LOCATIONS:
            return None
        style, explode = self._style(node, location)
        schema = Schema(self._walk.schemas, _schema_of(node))
        return ParameterShape(
            name=name,
            location=location,
            required=self._walk.value(node, "required", default=False),
            style=style,
            explode=explode,
            schema=schema,
            allow_empty=self._walk.value(node, "allowEmptyValue", default=False),
            default=(node.value["default"],) if "default" in node.value else (),
        )

    def body(self, operation: Node, parameters: Iterable[Node]) -> BodyShape | None:
        """Read the body, from one parameter in body or from those in formData."""
        bodies = [node for node in parameters if node.value.get("in") == "body"]
        fields = [node for node in parameters if node.value.get("in") == "formData"]
        consumes = self._media_types(operation, "consumes") or self._consumes
        if bodies and fields:
            self._walk.fault(bodies[0], "expected a parameter in body or parameters in formData, came both; keep one")
        if len(bodies) > 1:
            self._walk.fault(bodies[1], "expected one parameter in body, came another; describe both in one schema")
        if bodies:
            if "schema" not in bodies[0].value:
                self._walk.fault(bodies[0], "expected schema, what the body looks like; add it")
            schema = self._walk.schema(bodies[0])
            required = self._walk.value(bodies[0], "required", default=False)
            return BodyShape(required, tuple(ContentShape(one, schema) for one in consumes or (JSON,)))
        if fields:
            return self._form(operation, fields, consumes)
        return None

    def answer(self, operation: Node, status: str, node: Node) -> AnswerShape:
        """Read an answer: its schema holds for every media type that is produced."""
        produces = self._media_types(operation, "produces") or self._produces or (JSON,)
        schema = self._walk.schema(node)
        given = self._walk.value(node, "examples", {})
        contents: Sequence[ContentShape] = ()
        if schema is not None or given:
            media_types = dict.fromkeys((*produces, *(name.partition(";")[0].strip().lower() for name in given)))
            contents = [
                ContentShape(one, schema, tuple(value for name, value in given.items() if name.lower() == one))
                for one in media_types
            ]
        headers = tuple(
            ParameterShape(
                name=name,
                location="header",
                required=False,
                style="simple",
                explode=False,
                schema=Schema(self._walk.schemas, _schema_of(entry)),
            )
            for name, entry in self._walk.named(node, "headers")
        )
        return AnswerShape(status, self._walk.value(node, "description", ""), tuple(contents), headers)

    def _form(self, operation: Node, fields: Sequence[Node], consumes: tuple[str, ...]) -> BodyShape:
        has_file = any(node.value.get("type") == "file" for node in fields)
        usual = MULTIPART if has_file else FORM
        media_types = [one for one in consumes if one in {FORM, MULTIPART}] or [usual]
        named = [(node, node.value.get("name")) for node in fields]
        properties = {name: _schema_of(node).value for node, name in named if isinstance(name, str)}
        required = [name for node, name in named if node.value.get("required") is True and isinstance(name, str)]
        whole: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            whole["required"] = required
        # Not a place of the document, but all that is in it has one: faults are told where the fields are.
        schema = Schema(self._walk.schemas, Node(whole, operation.file, (*operation.path, "parameters", "formData")))
        styles = {name: self._style(node, "formData") for node, name in named if isinstance(name, str)}
        return BodyShape(bool(required), tuple(ContentShape(one, schema, (), styles) for one in media_types))

    def _style(self, node: Node, location: str) -> tuple[str, bool]:
        written = self._walk.value(node, "collectionFormat", "csv")
        if written not in _STYLES or (written == "multi" and location not in {"query", "formData"}):
            possible = [name for name in _STYLES if name != "multi" or location in {"query", "formData"}]
            self._walk.fault(node.at("collectionFormat"), f"expected one of {', '.join(possible)}, came {written!r}")
        if written == "csv" and location not in {"query", "formData"}:
            return "simple", False
        return _STYLES.get(written, "form"), written == "multi"

    def _media_types(self, node: Node, name: str) -> tuple[str, ...]:
        found = self._walk.value(node, name, [])
        return tuple(one.partition(";")[0].strip().lower() for one in found if isinstance(one, str))


def _schema_of(node: Node) -> Node:
    """Return what a parameter says of its value as a schema: `required` is the parameter's own."""
    return node.with_value({name: value for name, value in node.value.items() if name not in _NOT_SCHEMA})
