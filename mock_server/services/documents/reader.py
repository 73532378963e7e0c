"""Reading a contract of any version: what is broken is told with its place, everything at once."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from mock_server.services.documents.files import Files, Node, kind
from mock_server.services.documents.held import HOLDABLE, HOLDS_NOTHING
from mock_server.services.documents.report import Report
from mock_server.services.documents.schemas import Schemas, Version
from mock_server.services.documents.shape import (
    AnswerShape,
    BodyShape,
    ContentShape,
    DocumentShape,
    OperationShape,
    ParameterShape,
)
from mock_server.services.documents.swagger2 import Swagger2
from mock_server.services.documents.walk import Walk

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
MAX_OPERATIONS = 5_000
_LIKE_METHODS = frozenset(METHODS)
_BESIDE_METHODS = frozenset({"$ref", "summary", "description", "servers", "parameters"})
TEMPLATE_NAME = re.compile(r"\{([^{}]*)\}")
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|XX)|default")
_STYLES = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
# These are described elsewhere in a contract; a parameter of this name is ignored (OpenAPI 3.0.3, Parameter Object).
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
_DIALECTS = (
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://json-schema.org/draft/2020-12/schema",
)


class Reading(NamedTuple):
    """How a contract is read where its author leaves it open, or where its file cannot be changed."""

    folder: Path | None = None
    """References may lead to files in this folder and below; None is the folder of the first file."""
    read_only: Literal["refuse", "ignore"] = "refuse"
    """What a read-only member in a request is: an issue, or nothing."""
    unknown_query: Literal["refuse", "ignore"] = "refuse"
    """What a query parameter that the contract does not name is. Belgif asks to refuse it (rule req-valid)."""
    unknown_members: Literal["contract", "refuse"] = "contract"
    """What a member of a body that the contract does not name is, where it leaves the object open."""
    holds: Mapping[str, str | None] = MappingProxyType({})
    """Parameter names, and what they hold: `enterpriseNumber`, `ssin`, `year`, or None for nothing."""
    default_path: str = ""
    """Where the contract is served when its file names no path."""


def read(path: Path, base_path: str | None, reading: Reading) -> DocumentShape:
    """Read a contract, and every file that it refers to. Raises `ContractError`."""
    report = Report(path)
    files = Files(path, reading.folder, report)
    root = files.root()
    version = _version(root, report)
    if version is None:
        report.raise_if_any(files.line)
        raise AssertionError("a document of no version is reported")
    schemas = Schemas(
        files,
        version,
        ignore_read_only=reading.read_only == "ignore",
        close_objects=reading.unknown_members == "refuse",
    )
    shape = _Reader(Walk(files, schemas), root, version, reading.default_path).document(base_path)
    schemas.check()
    report.raise_if_any(files.line)
    return shape


def _version(root: Node, report: Report) -> Version | None:
    expected = "expected an OpenAPI document: an object with openapi: 3.0.x or 3.1.x, or swagger: '2.0', at its top"
    if not isinstance(root.value, dict):
        report.add(root.file, (), f"{expected}, came {kind(root.value)}")
        return None
    if "openapi" in root.value:
        written = str(root.value["openapi"])
        for version in (Version.OPENAPI_3_0, Version.OPENAPI_3_1):
            if written == version.value or written.startswith(f"{version.value}."):
                return version
        report.add(root.file, ("openapi",), f"{expected}, came openapi: {written[:50]}; convert it to one of these")
    elif "swagger" in root.value:
        written = str(root.value["swagger"])
        if written == Version.SWAGGER_2.value:
            return Version.SWAGGER_2
        report.add(root.file, ("swagger",), f"{expected}, came swagger: {written[:50]}; convert it to one of these")
    else:
        report.add(root.file, (), f"{expected}, came neither")
    return None


class _Reader:
    def __init__(self, walk: Walk, root: Node, version: Version, default_path: str) -> None:
        self._default_path = default_path
        self._walk = walk
        self._root = root
        self._version = version
        self._swagger2 = Swagger2(walk, root) if version is Version.SWAGGER_2 else None
        self._parameters: dict[tuple[Path, tuple[str | int, ...]], ParameterShape | None] = {}
        self._answers: dict[tuple[Path, tuple[str | int, ...], str], AnswerShape] = {}

    def document(self, base_path: str | None) -> DocumentShape:
        info = self._walk.child(self._root, "info", dict)
        dialect = self._root.value.get("jsonSchemaDialect")
        if self._version is Version.OPENAPI_3_1 and dialect is not None and dialect not in _DIALECTS:
            what = f"expected JSON Schema 2020-12 ({_DIALECTS[0]}), came another; leave jsonSchemaDialect out"
            self._walk.fault(self._root.at("jsonSchemaDialect"), what)
        served_at = base_path if base_path is not None else self._base_path().strip("/") or self._default_path
        return DocumentShape(
            version=self._version.value,
            title=self._walk.value(info, "title", "") if info is not None else "",
            base_path=f"/{served_at.strip('/')}" if served_at.strip("/") else "",
            operations=tuple(self._operations()),
            schemas=self._walk.schemas,
        )

    def _base_path(self) -> str:
        if self._swagger2 is not None:
            return str(self._walk.value(self._root, "basePath", ""))
        server = next(self._walk.entries(self._root, "servers"), None)
        if server is None:
            return ""
        url = str(self._walk.value(server, "url", "/"))
        variables = {name: str(entry.value.get("default", "")) for name, entry in self._walk.named(server, "variables")}
        url = TEMPLATE_NAME.sub(lambda match: variables.get(match[1], match[0]), url)
        try:
            return urlsplit(url).path
        except ValueError:
            self._walk.fault(server, f"expected a URL, came {url[:100]!r}")
            return ""

    def _operations(self) -> Iterator[OperationShape]:
        paths = self._walk.child(self._root, "paths", dict)
        if paths is None:
            if self._root.value.get("paths") is None:
                self._walk.fault(self._root, "expected paths, an object with the paths that are served; came none")
            return
        count = 0
        seen: dict[tuple[str, str], str] = {}
        for template in paths.value:
            place = paths.at(template)
            item = self._item(place, template)
            for method in METHODS:
                if item is None or method not in item.value:
                    continue
                shape = TEMPLATE_NAME.sub("{}", template)
                other = seen.setdefault((method, shape), template)
                if other != template:
                    what = f"{other} has the same method, and differs in the names of parameters only; keep one"
                    self._walk.fault(Node(None, place.file, (*place.path, method)), what)
                count += 1
                if count > MAX_OPERATIONS:
                    self._walk.fault(paths, f"expected at most {MAX_OPERATIONS} operations, came more; split the file")
                    return
                operation = self._operation(template, method, item)
                if operation is not None:
                    yield operation
        if not count and self._walk.files.report.is_empty:
            self._walk.fault(paths, "expected at least one operation (get, put, post …), came none; nothing is served")

    def _item(self, place: Node, template: str) -> Node | None:
        if template.startswith("x-"):
            return None
        item = self._walk.object(place)
        if item is None or not self._is_template(place, template):
            return None
        for name in item.value:
            # A method that is misspelt would not be served, and nobody would know.
            if name.lower() in _LIKE_METHODS and name not in METHODS:
                self._walk.fault(item.at(name), f"expected a method in small letters, one of {', '.join(METHODS)}")
            elif name not in METHODS and name not in _BESIDE_METHODS and not name.startswith("x-"):
                what = f"expected a method ({', '.join(METHODS)}) or what stands beside one, came {name[:50]!r}"
                self._walk.fault(item.at(name), what)
        return item

    def _is_template(self, place: Node, template: str) -> bool:
        rest = TEMPLATE_NAME.sub("", template)
        names = TEMPLATE_NAME.findall(template)
        if not template.startswith("/"):
            what = "expected a path that begins with a slash; write one in front"
        elif "{" in rest or "}" in rest or "" in names:
            what = "expected every brace closed around a name, like {id}"
        elif "?" in rest or "#" in rest:
            what = "expected a path without query and fragment; describe the query as parameters"
        elif "}{" in template:
            what = "expected a separator between two parameters of one path segment"
        elif len(set(names)) < len(names):
            what = "expected every parameter once in a path; rename one of them"
        else:
            return True
        self._walk.fault(place, what)
        return False

    def _operation(self, template: str, method: str, item: Node) -> OperationShape | None:
        walk = self._walk
        node = walk.object(item.at(method))
        if node is None:
            return None
        merged: dict[tuple[object, object], Node] = {}
        for level in (item, node):
            own: set[tuple[object, object]] = set()
            for parameter in walk.entries(level, "parameters"):
                key = (str(parameter.value.get("in")), str(parameter.value.get("name")))
                if key in own:
                    walk.fault(parameter, f"the {key[0]} parameter {key[1]} stands twice; keep one of them")
                own.add(key)
                merged[key] = parameter
        parameters = [self._parameter(parameter) for parameter in merged.values()]
        known = tuple(parameter for parameter in parameters if parameter is not None)
        place = Node(None, item.file, (*item.path, method))
        self._agree(place, template, {parameter.name for parameter in known if parameter.location == "path"})
        return OperationShape(
            method=method.upper(),
            template=template,
            operation_id=walk.value(node, "operationId", ""),
            summary=walk.value(node, "summary", ""),
            scopes=self._scopes(node if "security" in node.value else self._root),
            parameters=known,
            body=self._body(node, list(merged.values())),
            answers=tuple(self._answers_of(node)),
        )

    def _agree(self, place: Node, template: str, declared: set[str]) -> None:
        written = TEMPLATE_NAME.findall(template)
        for name in written:
            if name not in declared:
                what = f"the path parameter {name} is not declared; add a parameter of this name with in: path"
                self._walk.fault(place, what)
        for name in sorted(declared - set(written)):
            what = f"the path parameter {name} is declared, but {template} does not have it"
            self._walk.fault(place, f"{what}; remove it, or write {{{name}}} where it belongs")

    def _parameter(self, node: Node) -> ParameterShape | None:
        key = (node.file, node.path)
        if key not in self._parameters:
            self._parameters[key] = self._read_parameter(node)
        return self._parameters[key]

    def _read_parameter(self, node: Node) -> ParameterShape | None:
        walk = self._walk
        name = walk.required_text(node, "name", "the parameter's name")
        location = walk.required_text(node, "in", "where the parameter is (path, query, header …)")
        if name is None or location is None:
            return None
        if location == "header" and name.lower() in _NOT_PARAMETERS:
            return None
        holds = self._holds(node)
        if self._swagger2 is not None:
            if location not in {"path", "query", "header", "body", "formData"}:
                walk.fault(node.at("in"), f"expected path, query, header, body or formData, came {location[:50]!r}")
            made = self._swagger2.parameter(node, name, location)
            return made and _with_holds(made, holds)
        if location not in _STYLES:
            walk.fault(node.at("in"), f"expected path, query, header or cookie, came {location[:50]!r}")
            return None
        style = walk.value(node, "style", _STYLES[location][0])
        if style not in _STYLES[location]:
            walk.fault(node.at("style"), f"expected {' or '.join(_STYLES[location])}, came {style[:50]!r}")
        content = next(walk.content(node), None)
        schema = walk.schema(node)
        if schema is None and content is None:
            walk.fault(node, f"expected schema, what the value of {name} looks like; add it")
        return ParameterShape(
            name=name,
            location=location,
            required=walk.value(node, "required", default=False) or location == "path",
            style=style,
            explode=walk.value(node, "explode", style == "form"),
            schema=schema or (content.schema if content else None),
            content=content,
            allow_empty=walk.value(node, "allowEmptyValue", default=False),
            holds=holds,
            default=(schema.default,) if schema is not None and schema.has_default else (),
            examples=walk.examples(node),
        )

    def _holds(self, node: Node) -> str | None:
        extension = self._walk.child(node, "x-fla-mock", dict)
        if extension is None or "holds" not in extension.value:
            return None
        holds = extension.value["holds"]
        if holds in HOLDABLE or holds == HOLDS_NOTHING:
            return str(holds)
        known = ", ".join((*HOLDABLE, HOLDS_NOTHING))
        self._walk.fault(extension.at("holds"), f"expected one of {known}, came {str(holds)[:50]!r}")
        return None

    def _scopes(self, node: Node) -> tuple[tuple[str, ...], ...]:
        """Return the alternatives, each with all the scopes that it asks for."""
        alternatives: dict[tuple[str, ...], None] = {}
        for requirement in self._walk.entries(node, "security"):
            scopes: dict[str, None] = {}
            for scheme, needed in requirement.value.items():
                if not isinstance(needed, list) or not all(isinstance(scope, str) for scope in needed):
                    self._walk.fault(requirement.at(scheme), "expected a list of scopes")
                    continue
                scopes |= dict.fromkeys(needed)
            alternatives[tuple(scopes)] = None
        return tuple(alternatives)

    def _body(self, node: Node, parameters: list[Node]) -> BodyShape | None:
        if self._swagger2 is not None:
            return self._swagger2.body(node, parameters)
        if node.value.get("requestBody") is None:
            return None
        body = self._walk.object(node.at("requestBody"))
        if body is None:
            return None
        contents = tuple(self._walk.content(body))
        if not contents:
            self._walk.fault(body, "expected content, with the media types that the body may have; add one")
        return BodyShape(self._walk.value(body, "required", default=False), contents)

    def _answers_of(self, node: Node) -> Iterator[AnswerShape]:
        responses = self._walk.child(node, "responses", dict)
        for status in responses.value if responses is not None else ():
            if status.startswith("x-") or responses is None:
                continue
            if not _STATUS.fullmatch(status):
                hint = "; a range has capitals, like 4XX" if status.endswith("xx") else ""
                what = f"expected a status like 200, 2XX or default, came {status[:50]!r}{hint}"
                self._walk.fault(responses.at(status), what)
                continue
            found = self._walk.object(responses.at(status))
            if found is None:
                continue
            if self._swagger2 is not None:
                # What is produced is said by the operation, so one answer may differ between operations.
                yield self._swagger2.answer(node, status, found)
                continue
            key = (found.file, found.path, status)
            if key not in self._answers:
                self._answers[key] = self._answer(found, status)
            yield self._answers[key]

    def _answer(self, node: Node, status: str) -> AnswerShape:
        walk = self._walk
        contents: tuple[ContentShape, ...] = tuple(walk.content(node))
        headers = []
        found = walk.child(node, "headers", dict)
        for name in found.value if found is not None else ():
            entry = walk.object(node.at("headers", name))
            if entry is None or name.lower() == "content-type":
                continue
            content = next(walk.content(entry), None)
            headers.append(
                ParameterShape(
                    name=name,
                    location="header",
                    required=walk.value(entry, "required", default=False),
                    style="simple",
                    explode=walk.value(entry, "explode", default=False),
                    schema=walk.schema(entry) or (content.schema if content else None),
                    content=content,
                    examples=walk.examples(entry),
                )
            )
        return AnswerShape(status, walk.value(node, "description", ""), contents, tuple(headers))


def _with_holds(shape: ParameterShape, holds: str | None) -> ParameterShape:
    return shape if holds is None else shape._replace(holds=holds)
