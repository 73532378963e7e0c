"""Loading a contract: an OpenAPI document becomes routes, parameters and compiled validators, once, at start."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from mock_server.services.validation import BodySchema, ParameterSchema

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_JSON = "application/json"
_TEMPLATE_NAME = re.compile(r"\{([^}]*)\}")


class ContractError(ValueError):
    """A contract that cannot be served; says where in the file, and why."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    template: str
    scopes: tuple[str, ...]
    """Any one of these is enough; none means that any token will do."""
    parameters: tuple[ParameterSchema, ...]
    body: BodySchema | None
    answers_with: frozenset[str]
    """The members that the schema of the 200 answer names."""

    @property
    def name(self) -> str:
        """Method and path template."""
        return f"{self.method} {self.template}"


@dataclass(slots=True)
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    names: tuple[str, ...] = ()
    operations: dict[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A path that the contract has: its operations by method, and the values of its parameters, decoded."""

    operations: Mapping[str, Operation]
    values: Mapping[str, str]

    @property
    def template(self) -> str:
        """The path as the contract writes it."""
        return next(iter(self.operations.values())).template


class Contract:
    """A loaded contract."""

    def __init__(self, base_path: str, operations: Iterator[Operation]) -> None:
        self.base_path = base_path
        self.operations = tuple(operations)
        self._root = _Node()
        for operation in self.operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        names = []
        for segment in operation.template.strip("/").split("/"):
            if segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.fixed.setdefault(segment, _Node())
        node.names = tuple(names)
        node.operations[operation.method] = operation

    def route(self, path: str) -> Route | None:
        """Find a path, given percent-encoded and below the base path. A fixed segment goes before a parameter."""
        values: list[str] = []
        node = _find(self._root, [unquote(segment) for segment in path.removeprefix("/").split("/")], values)
        return None if node is None else Route(node.operations, dict(zip(node.names, values, strict=True)))


def _find(node: _Node, segments: list[str], values: list[str]) -> _Node | None:
    if not segments:
        return node if node.operations else None
    head, rest = segments[0], segments[1:]
    if head in node.fixed:
        found = _find(node.fixed[head], rest, values)
        if found is not None:
            return found
    if node.parameter is not None and head:
        values.append(head)
        found = _find(node.parameter, rest, values)
        if found is not None:
            return found
        values.pop()
    return None


def load(path: Path, base_path: str | None = None) -> Contract:
    """Load an OpenAPI 3.0 document. Raises `ContractError`."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise ContractError(msg) from None
    except yaml.YAMLError as error:
        msg = f"{path}: not YAML or JSON: {error}"
        raise ContractError(msg) from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        msg = f"{path}: expected an OpenAPI 3.0 document, with openapi: 3.0.x at its top"
        raise ContractError(msg)
    return _Loader(path, document).contract(base_path)


class _Loader:
    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self._path = path
        self._document = document

    def contract(self, base_path: str | None) -> Contract:
        servers = self._document.get("servers") or [{"url": "/"}]
        served_at = base_path if base_path is not None else urlsplit(servers[0]["url"]).path
        return Contract(served_at.rstrip("/"), self._operations())

    def _operations(self) -> Iterator[Operation]:
        for template, item in self._document.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    yield self._operation(template, method, item, item[method])

    def _operation(self, template: str, method: str, item: Mapping[str, Any], raw: Mapping[str, Any]) -> Operation:
        place = f"paths.{template}.{method}"
        shared = [self._resolved(parameter, place) for parameter in item.get("parameters", [])]
        own = [self._resolved(parameter, place) for parameter in raw.get("parameters", [])]
        merged = {(parameter["in"], parameter["name"]): parameter for parameter in (*shared, *own)}
        for name in _TEMPLATE_NAME.findall(template):
            if ("path", name) not in merged:
                msg = f"{self._path}: {place}: the path parameter {name} is not declared"
                raise ContractError(msg)
        return Operation(
            method=method.upper(),
            template=template,
            scopes=self._scopes(raw.get("security", self._document.get("security", []))),
            parameters=tuple(ParameterSchema.compile(parameter, self._document) for parameter in merged.values()),
            body=self._body(raw.get("requestBody"), place),
            answers_with=self._answer(raw.get("responses", {}), place),
        )

    def _resolved(self, raw: Mapping[str, Any], place: str) -> Mapping[str, Any]:
        while "$ref" in raw:
            reference = raw["$ref"]
            found: Any = self._document
            for part in reference.removeprefix("#/").split("/"):
                found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
            if not isinstance(found, dict):
                msg = f"{self._path}: {place}: {reference} leads nowhere"
                raise ContractError(msg)
            raw = found
        return raw

    @staticmethod
    def _scopes(security: list[Mapping[str, list[str]]]) -> tuple[str, ...]:
        return tuple(scope for requirement in security for scopes in requirement.values() for scope in scopes)

    def _body(self, raw: Mapping[str, Any] | None, place: str) -> BodySchema | None:
        if raw is None:
            return None
        body = self._resolved(raw, place)
        content = body.get("content", {})
        if _JSON not in content:
            msg = f"{self._path}: {place}.requestBody: only {_JSON} can be served"
            raise ContractError(msg)
        return BodySchema.compile(
            content[_JSON].get("schema", {}), self._document, required=body.get("required", False)
        )

    def _answer(self, responses: Mapping[str, Any], place: str) -> frozenset[str]:
        answer = self._resolved(responses.get("200", {}), place)
        schema = self._resolved(answer.get("content", {}).get(_JSON, {}).get("schema", {}), place)
        return frozenset(schema.get("properties", {}))
