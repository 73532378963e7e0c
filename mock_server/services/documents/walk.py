"""Walking a document whose shape nobody vouches for: what is not as it should be is reported, and left out."""

from collections.abc import Iterator
from typing import Any

from mock_server.services.documents.files import Files, Node, kind
from mock_server.services.documents.schemas import Schemas
from mock_server.services.documents.shape import ContentShape, Schema

_WANTED: dict[type, str] = {dict: "an object", list: "a list", str: "text", bool: "true or false"}


class Walk:
    """What the readers of all versions share."""

    def __init__(self, files: Files, schemas: Schemas) -> None:
        self.files = files
        self.schemas = schemas

    def fault(self, node: Node, what: str) -> None:
        """Report a fault at a place."""
        self.files.report.add(node.file, node.path, what)

    def child(self, node: Node, name: str, expected: type) -> Node | None:
        """Return a member if it is there and of a type; one of another type is reported."""
        if name not in node.value:
            return None
        found = node.at(name)
        if isinstance(found.value, expected):
            return found
        if found.value is not None:
            self.fault(found, f"expected {_WANTED[expected]}, came {kind(found.value)}")
        return None

    def value(self, node: Node, name: str, default: Any) -> Any:  # noqa: ANN401 - of the type of the default
        """Return a member of the type of the default, or the default."""
        found = self.child(node, name, type(default))
        return default if found is None else found.value

    def required_text(self, node: Node, name: str, what: str) -> str | None:
        """Return a member that is a text, and has to be there."""
        if name not in node.value:
            self.fault(node, f"expected {name}, {what}; add it")
            return None
        found: str = self.value(node, name, "")
        return found or None

    def entries(self, node: Node, name: str) -> Iterator[Node]:
        """Yield the members of an object, or the entries of a list, their references followed, if they are objects."""
        return (entry for _, entry in self.named(node, name))

    def named(self, node: Node, name: str) -> Iterator[tuple[str, Node]]:
        """Yield the same with their names, or their indexes."""
        if name not in node.value:
            return
        found = node.at(name)
        if found.value is None:
            return
        if not isinstance(found.value, dict | list):
            self.fault(found, f"expected an object or a list, came {kind(found.value)}")
            return
        parts = range(len(found.value)) if isinstance(found.value, list) else list(found.value)
        for part in parts:
            entry = self.object(found.at(part))
            if entry is not None and not (isinstance(part, str) and part.startswith("x-")):
                yield str(part), entry

    def object(self, node: Node) -> Node | None:
        """Return an object, its references followed; anything else is reported."""
        found = self.files.resolved(node)
        if found is None or isinstance(found.value, dict):
            return found
        self.fault(found, f"expected an object, came {kind(found.value)}")
        return None

    def schema(self, node: Node, name: str = "schema") -> Schema | None:
        """Return the schema in a member."""
        return Schema(self.schemas, node.at(name)) if name in node.value else None

    def examples(self, node: Node) -> tuple[Any, ...]:
        """Return the examples of a parameter or a media type; those that lie elsewhere (externalValue) are left out."""
        if "example" in node.value:
            return (node.value["example"],)
        if not isinstance(node.value.get("examples"), dict):
            return ()
        return tuple(entry.value["value"] for entry in self.entries(node, "examples") if "value" in entry.value)

    def content(self, node: Node, name: str = "content") -> Iterator[ContentShape]:
        """Yield the media types of a body or an answer."""
        found = self.child(node, name, dict)
        for media_type in found.value if found is not None else ():
            entry = self.object(node.at(name, media_type))
            if entry is None:
                continue
            styles: dict[str, tuple[str, bool]] = {}
            encoding = self.child(entry, "encoding", dict)
            for field in encoding.value if encoding is not None else ():
                of_field = self.object(encoding.at(field)) if encoding is not None else None
                if of_field is not None:
                    style = self.value(of_field, "style", "form")
                    styles[field] = (style, self.value(of_field, "explode", style == "form"))
            plain = media_type.partition(";")[0].strip().lower()
            yield ContentShape(plain, self.schema(entry), self.examples(entry), styles)
