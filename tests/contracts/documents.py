"""Reads contracts for the judge: its own reading of files and references, so that the mock's is judged by another."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import regex
import yaml
from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from openapi_schema_validator import (
    OAS30ReadValidator,
    OAS30WriteValidator,
    OAS31Validator,
    oas30_format_checker,
    oas31_format_checker,
)
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, DRAFT202012

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
# What an object says of a parameter in Swagger 2.0 beside its schema.
_NOT_SCHEMA = frozenset({"name", "in", "required", "description", "collectionFormat", "allowEmptyValue"})
_JSON = "application/json"
_UNREADABLE = object()


def _hidden(_validator: Any, value: Any, _instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if value is True:
        yield ValidationError("it goes the other way only")


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    # Python's own expressions know no Unicode categories, which contracts use.
    if isinstance(instance, str) and not regex.search(pattern, instance):
        yield ValidationError(f"it does not match {pattern}")


def _required_but(hidden: str) -> Callable[[Any, Any, Any, Any], Iterator[ValidationError]]:
    """Return the keyword `required` without the members that are hidden: they are required the other way only."""

    def required(_validator: Any, names: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        properties = schema.get("properties", {})
        for name in names if isinstance(instance, dict) else ():
            if name not in instance and not properties.get(name, {}).get(hidden):
                yield ValidationError(f"{name!r} is required")

    return required


def _type_or_null(validator: Any, kind: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    # Some contracts of 3.0 have the type null, which that version does not know.
    if kind != "null":
        yield from OAS30ReadValidator.VALIDATORS["type"](validator, kind, instance, schema)
    elif instance is not None:
        yield ValidationError("it is not null")


_Swagger = extend(Draft4Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
_SwaggerRequest = extend(_Swagger, {"readOnly": _hidden, "required": _required_but("readOnly")})  # type: ignore[no-untyped-call]
_Request30 = extend(OAS30WriteValidator, {"pattern": _pattern, "type": _type_or_null})  # type: ignore[no-untyped-call]
_Answer30 = extend(OAS30ReadValidator, {"pattern": _pattern, "type": _type_or_null})  # type: ignore[no-untyped-call]
_Request31 = extend(  # type: ignore[no-untyped-call]
    OAS31Validator, {"pattern": _pattern, "readOnly": _hidden, "required": _required_but("readOnly")}
)
_Answer31 = extend(  # type: ignore[no-untyped-call]
    OAS31Validator, {"pattern": _pattern, "writeOnly": _hidden, "required": _required_but("writeOnly")}
)


class _Yaml(yaml.CSafeLoader):
    """YAML as JSON has it: a date is text."""


_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class Place(NamedTuple):
    """A value in a file."""

    uri: str
    way: tuple[str, ...]
    value: Any

    def at(self, *parts: str) -> "Place":
        """Return the value further down."""
        value = self.value
        for part in parts:
            value = value[int(part)] if isinstance(value, list) else value[part]
        return Place(self.uri, (*self.way, *parts), value)

    @property
    def reference(self) -> str:
        """A reference that leads here from anywhere."""
        parts = (quote(part.replace("~", "~0").replace("/", "~1"), safe="") for part in self.way)
        return "#".join([self.uri, "".join(f"/{part}" for part in parts)])


class Document:
    """A contract and the files that it refers to."""

    def __init__(self, path: Path) -> None:
        self._files: dict[str, Any] = {}
        self._uri = path.resolve().as_uri()
        self.root = Place(self._uri, (), self._file(self._uri))
        self.version = "2.0" if "swagger" in self.root.value else str(self.root.value["openapi"])[:3]
        self._registry: Registry[Any] = Registry(retrieve=self._resource)  # type: ignore[call-arg]

    @property
    def title(self) -> str:
        """What it calls itself."""
        return str(self.root.value["info"]["title"])

    def operations(self) -> Iterator[tuple[str, str]]:
        """Yield method and path of every operation."""
        for template in self.root.value["paths"]:
            if not template.startswith("x-"):
                item = self.resolved(self.root.at("paths", template))
                yield from ((method.upper(), template) for method in METHODS if method in item.value)

    def operation(self, method: str, template: str) -> Place:
        """Return an operation."""
        return self.resolved(self.root.at("paths", template)).at(method.lower())

    def parameters(self, method: str, template: str) -> list[Place]:
        """Return the parameters of an operation, its path's among them."""
        item = self.resolved(self.root.at("paths", template))
        found: dict[tuple[str, str], Place] = {}
        for level in (item, item.at(method.lower())):
            for index in range(len(level.value.get("parameters", ()))):
                parameter = self.resolved(level.at("parameters", str(index)))
                found[parameter.value["in"], parameter.value["name"]] = parameter
        return list(found.values())

    def bodies(self, method: str, template: str) -> tuple[dict[str, Place | None], bool]:
        """Return the schema of each media type of the body, and whether it has to be there."""
        operation = self.operation(method, template)
        if self.version != "2.0":
            if "requestBody" not in operation.value:
                return {}, False
            body = self.resolved(operation.at("requestBody"))
            contents = body.at("content")
            schemas = {
                name: contents.at(name, "schema") if "schema" in contents.value[name] else None
                for name in contents.value
            }
            return schemas, body.value.get("required", False)
        parameters = self.parameters(method, template)
        consumes = operation.value.get("consumes", self.root.value.get("consumes", [_JSON]))
        fields = [parameter for parameter in parameters if parameter.value["in"] == "formData"]
        if fields:
            forms = [name for name in consumes if "form" in name] or ["application/x-www-form-urlencoded"]
            return dict.fromkeys(forms, None), any(field.value.get("required") for field in fields)
        one = next((parameter for parameter in parameters if parameter.value["in"] == "body"), None)
        if one is None:
            return {}, False
        return dict.fromkeys(consumes, one.at("schema")), one.value.get("required", False)

    def resolved(self, place: Place) -> Place:
        """Follow references."""
        while isinstance(place.value, dict) and isinstance(place.value.get("$ref"), str):
            uri, fragment = urldefrag(urljoin(place.uri, place.value["$ref"]))
            way = (unquote(part).replace("~1", "/").replace("~0", "~") for part in fragment.split("/")[1:])
            place = Place(uri, (), self._file(uri)).at(*way)
        return place

    def faults(self, value: Any, schema: Place, *, is_request: bool) -> list[str]:
        """Return what a value has against a schema."""
        return [
            f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message[:300]}"
            for error in self._validator({"$ref": schema.reference}, is_request=is_request).iter_errors(value)
        ]

    def accepts_text(self, parameter: Place, text: str) -> bool:
        """Whether a text is a value of a parameter or header, in any reading of it as one."""
        if "content" in parameter.value:
            return True
        if "schema" in parameter.value:
            schema: Mapping[str, Any] = {"$ref": parameter.at("schema").reference}
        else:
            schema = {name: value for name, value in parameter.value.items() if name not in _NOT_SCHEMA}
        return any(self._validator(schema, is_request=True).is_valid(reading) for reading in _readings(text))

    def _validator(self, schema: Mapping[str, Any], *, is_request: bool) -> Any:
        if self.version == "3.1":
            made = _Request31 if is_request else _Answer31
            return made(schema, registry=self._registry, format_checker=oas31_format_checker)
        if self.version == "2.0":
            swagger = _SwaggerRequest if is_request else _Swagger
            return swagger(schema, registry=self._registry, format_checker=FormatChecker())
        older = _Request30 if is_request else _Answer30
        return older(schema, registry=self._registry, format_checker=oas30_format_checker)

    def _resource(self, uri: str) -> Resource[Any]:
        return (DRAFT202012 if self.version == "3.1" else DRAFT4).create_resource(self._file(uri))

    def _file(self, uri: str) -> Any:
        if uri not in self._files:
            text = Path(url2pathname(urlsplit(uri).path)).read_text(encoding="utf-8-sig")
            self._files[uri] = json.loads(text) if uri.endswith(".json") else _as_json(yaml.load(text, _Yaml))
        return self._files[uri]


def _as_json(value: Any) -> Any:
    """Return what YAML made with names that are text, as JSON has them: a status may be written as a number."""
    if isinstance(value, dict):
        return {str(name): _as_json(one) for name, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, list) else value


def _readings(text: str) -> Iterator[Any]:
    """Yield every value that a text may stand for; of a list of several, which are written in many ways, one entry."""
    for reading in (text, _parsed(text)):
        # Nothing says how null would be written.
        if reading is not _UNREADABLE and reading is not None:
            yield reading
            yield [reading]
    for separator in (",", "|", " ", "\t"):
        parts = text.split(separator)
        if len(parts) > 1:
            yield parts
            yield [part if (read := _parsed(part)) is _UNREADABLE else read for part in parts]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _UNREADABLE
