"""The files of one contract, and the references between them: never over the network, never outside their folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from mock_server.services.documents import text
from mock_server.services.documents.report import ContractError, Part, Place, Report

MAX_FILES = 2_000
MAX_TOTAL_BYTES = 32 * 1024 * 1024
"""As large as the files of one contract may be together."""
_MAX_STEPS = 100
"""As many references as may lead from one to the next."""


class Node(NamedTuple):
    """A value in a file, and its place there."""

    value: Any
    file: Path
    path: Place

    def at(self, *parts: Part) -> "Node":
        """Return the value further down; the parts are there."""
        value = self.value
        for part in parts:
            value = value[part]
        return Node(value, self.file, (*self.path, *parts))

    def with_value(self, value: Any) -> "Node":  # noqa: ANN401 - a document is any value
        """Return another value that comes from the same place."""
        return Node(value, self.file, self.path)


def kind(value: object) -> str:
    """Say in a word or two what came."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    if type(value) in names:
        return names[type(value)]
    return "a number"


class Files:
    """Reads the files, each once, and follows references."""

    def __init__(self, root: Path, folder: Path | None, report: Report) -> None:
        self.report = report
        self._root = root
        self._folder = (folder or root.parent).resolve()
        self._read: dict[Path, Node | None] = {}
        self._targets: dict[tuple[Path, str], Node | None] = {}
        self._anchors: dict[Path, dict[str, Node]] = {}
        self._lines: dict[Path, Mapping[Place, int]] = {}
        self._count = self._size = 0
        self._is_too_much = False

    def root(self) -> Node:
        """Return the first file. Raises `ContractError`."""
        try:
            data = _bytes(self._root)
        except OSError as error:
            msg = f"{self._root}: cannot be read: {error.strerror or error}"
            raise ContractError(msg) from None
        try:
            node = Node(text.parse(data, only_json=self._root.suffix == ".json"), self._root, ())
        except text.TextError as error:
            msg = f"{self._root}: {error}"
            raise ContractError(msg) from None
        self._count, self._size = 1, len(data)
        self._read[self._root] = self._read[self._root.resolve()] = node
        return node

    def resolved(self, node: Node) -> Node | None:
        """Follow the references of a node, one after another; None where one leads nowhere, which is reported."""
        start = node
        for _ in range(_MAX_STEPS):
            if not isinstance(node.value, dict) or "$ref" not in node.value:
                return node
            found = self.target(node)
            if found is None:
                return None
            node = found
        self._fault(start, f"$ref {_shown(start.value['$ref'])} leads in a circle; let it lead to a value")
        return None

    def target(self, node: Node) -> Node | None:
        """Follow one reference; None where it leads nowhere, which is reported."""
        reference = node.value["$ref"]
        if not isinstance(reference, str):
            self._fault(node, f"expected $ref to be text, came {kind(reference)}")
            return None
        key = (node.file, reference)
        if key not in self._targets:
            self._targets[key] = self._find(node, reference)
        return self._targets[key]

    def line(self, file: Path, path: Place) -> int | None:
        """Return the line of a fault; a file is read again once for all of its faults."""
        from mock_server.services.documents.lines import lines_of  # noqa: PLC0415 - only faults need it

        if file not in self._lines:
            try:
                self._lines[file] = lines_of(_bytes(file), self.report.places(file))
            except OSError:
                self._lines[file] = {}
        return self._lines[file].get(path)

    def _fault(self, node: Node, what: str) -> None:
        self.report.add(node.file, node.path, what)

    def _find(self, node: Node, reference: str) -> Node | None:
        file, _, pointer = reference.partition("#")
        document = self._document(node, reference, file) if file else self._read[node.file]
        if document is None:
            return None
        pointer = unquote(pointer)
        if not pointer:
            return document
        if not pointer.startswith("/"):
            found = self._anchored(document).get(pointer)
            if found is None:
                self._fault(node, f"{_shown(reference)} leads nowhere: expected #/ and the way there, or an $anchor")
            return found
        found = self._walk(document, pointer)
        if found is None:
            self._fault(node, f"{_shown(reference)} leads nowhere; define it there, or correct the reference")
        return found

    def _walk(self, node: Node, pointer: str) -> Node | None:
        for raw in pointer[1:].split("/"):
            part = raw.replace("~1", "/").replace("~0", "~")
            if isinstance(node.value, dict) and part not in node.value and "$ref" in node.value:
                through = self.resolved(node)
                if through is None:
                    return None
                node = through
            if isinstance(node.value, dict) and part in node.value:
                node = node.at(part)
            elif isinstance(node.value, list) and part.isascii() and part.isdigit() and int(part) < len(node.value):
                node = node.at(int(part))
            else:
                return None
        return node

    def _document(self, node: Node, reference: str, file: str) -> Node | None:
        address = urlsplit(file)
        if address.scheme or address.netloc:
            self._fault(
                node,
                f"{_shown(reference)} lies on another host or has a scheme: nothing is fetched; "
                "save it beside this file, and refer to it by its relative path",
            )
            return None
        path = (node.file.parent / unquote(address.path)).resolve()
        if address.query or Path(unquote(address.path)).is_absolute() or not path.is_relative_to(self._folder):
            self._fault(
                node,
                f"{_shown(reference)} lies outside the contract's folder; "
                "expected a relative path to a file in that folder or below it",
            )
            return None
        if path not in self._read:
            self._read[path] = self._load(node, reference, path)
        return self._read[path]

    def _load(self, node: Node, reference: str, path: Path) -> Node | None:
        # Told once; the contract is refused, so what comes after it is not read.
        if self._is_too_much:
            return None
        left = MAX_TOTAL_BYTES - self._size
        try:
            data = _bytes(path, left)
        except OSError as error:
            self._fault(node, f"{_shown(reference)} cannot be read: {error.strerror or error}")
            return None
        self._count += 1
        self._size += len(data)
        if self._count > MAX_FILES or len(data) > left:
            self._is_too_much = True
            self._fault(
                node,
                f"expected at most {MAX_FILES} files of together at most {MAX_TOTAL_BYTES} bytes, came more; "
                "join some of them, or leave out what is not served",
            )
            return None
        try:
            return Node(text.parse(data, only_json=path.suffix == ".json"), path, ())
        except text.TextError as error:
            self.report.add(path, (), str(error))
            return None

    def _anchored(self, document: Node) -> dict[str, Node]:
        if document.file not in self._anchors:
            found: dict[str, Node] = {}
            waiting = [document]
            seen: set[int] = set()
            while waiting:
                node = waiting.pop()
                if id(node.value) in seen or not isinstance(node.value, dict | list):
                    continue
                seen.add(id(node.value))
                if isinstance(node.value, list):
                    waiting += [node.at(index) for index in range(len(node.value))]
                    continue
                for name in ("$anchor", "$dynamicAnchor"):
                    if isinstance(node.value.get(name), str):
                        found.setdefault(node.value[name], node)
                waiting += [node.at(name) for name in node.value]
            self._anchors[document.file] = found
        return self._anchors[document.file]


def _bytes(path: Path, most: int = text.MAX_BYTES) -> bytes:
    # A device or a pipe has no end; what is read is bounded too, because a file may grow meanwhile.
    if path.exists() and not path.is_file():
        raise OSError(0, "not a file")
    with path.open("rb") as file:
        return file.read(min(most, text.MAX_BYTES) + 1)


def _shown(reference: object) -> str:
    shown = str(reference)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"  # noqa: PLR2004 - a line of a terminal or two
