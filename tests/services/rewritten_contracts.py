"""Our employers' contract as others would have written it: every version, both forms, other names of parameters.

The rewriting is by code, so that it follows the contract. What a version cannot say is written down where it is left
out; nothing of it changes an answer.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mock_server.services.catalogue import contract_file
from mock_server.services.documents.text import parse

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})
_SHARED = ("components", "definitions", "parameters", "responses")
# No word of Swagger 2.0; the contract does without them, and a rewriting that dropped one would be another contract.
_UNSAYABLE = frozenset({"oneOf", "anyOf", "not", "nullable", "writeOnly", "deprecated"})


@dataclass(frozen=True)
class Spelling:
    """What a contract calls the parameters that the access rules look at."""

    enterprise: str = "enterpriseNumber"
    ssin: str = "ssin"
    year: str = "year"

    @property
    def names(self) -> Mapping[str, str]:
        """The names by those that our contract has."""
        return {"enterpriseNumber": self.enterprise, "ssin": self.ssin, "year": self.year}


def original() -> dict[str, Any]:
    """Return our contract for employers."""
    document: dict[str, Any] = parse(contract_file("fla-employer-v1.yaml").read_bytes())
    return document


def rewritten(version: str, spelling: Spelling) -> dict[str, Any]:
    """Return our contract in another version (2.0, 3.0 or 3.1), with other names and without extensions."""
    document: dict[str, Any] = _renamed(_without_extensions(original()), spelling)
    if version == "2.0":
        return _Swagger(document).document()
    return _as_3_1(document) if version == "3.1" else document


def write(folder: Path, document: Mapping[str, Any], form: str) -> Path:
    """Write a contract as `json`, as the `yaml` that people write (statuses are numbers), or as several `files`."""
    if form == "files":
        return _write_files(folder, document)
    path = folder / f"contract.{form}"
    if form == "json":
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    else:
        text = yaml.dump(_with_bare_statuses(document), sort_keys=False, allow_unicode=True, Dumper=_Dumper)
        path.write_text(text, encoding="utf-8")
    return path


def _write_files(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write each path to a file of its own, and what they share to another one, which is JSON where these are YAML."""
    shared = {name: document[name] for name in _SHARED if name in document}
    (folder / "shared.json").write_text(json.dumps(shared, ensure_ascii=False), encoding="utf-8")
    (folder / "paths").mkdir()
    paths: dict[str, Any] = {}
    for number, (template, item) in enumerate(document["paths"].items()):
        moved = _with_references_to(item, "../shared.json")
        (folder / "paths" / f"{number}.yaml").write_text(yaml.safe_dump(moved, sort_keys=False), encoding="utf-8")
        paths[template] = {"$ref": f"paths/{number}.yaml"}
    rest = {name: value for name, value in document.items() if name not in _SHARED}
    return write(folder, rest | {"paths": paths} | _schemes(document), "yaml")


def _with_references_to(value: Any, file: str) -> Any:
    def change(one: dict[str, Any]) -> Any:
        reference = one.get("$ref")
        return one | {"$ref": f"{file}{reference}"} if isinstance(reference, str) else one

    return _mapped(value, change)


def _schemes(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what operations name and do not refer to, which stays where they are."""
    schemes = document.get("components", {}).get("securitySchemes")
    return {"components": {"securitySchemes": schemes}} if schemes else {}


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice: the text is read by people."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _mapped(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """Return a value with every object in it changed, from the inside out."""
    if isinstance(value, dict):
        return change({name: _mapped(member, change) for name, member in value.items()})
    return [_mapped(member, change) for member in value] if isinstance(value, list) else value


def _with_bare_statuses(document: Any) -> Any:
    def change(value: dict[str, Any]) -> Any:
        answers = value.get("responses")
        if not isinstance(answers, dict):
            return value
        return value | {"responses": {int(one) if one.isdigit() else one: said for one, said in answers.items()}}

    return _mapped(document, change)


def _without_extensions(document: Any) -> Any:
    return _mapped(document, lambda value: {name: one for name, one in value.items() if not name.startswith("x-")})


def _renamed(document: Any, spelling: Spelling) -> Any:
    def change(value: dict[str, Any]) -> Any:
        if value.get("in") == "path" and value.get("name") in spelling.names:
            return value | {"name": spelling.names[value["name"]]}
        return {_template(name, spelling) if name.startswith("/") else name: one for name, one in value.items()}

    return _mapped(document, change)


def _template(path: str, spelling: Spelling) -> str:
    for ours, theirs in spelling.names.items():
        path = path.replace(f"{{{ours}}}", f"{{{theirs}}}")
    return path


def _as_3_1(document: dict[str, Any]) -> dict[str, Any]:
    """Write schemas as JSON Schema 2020-12: bounds are numbers, and words stand beside a reference."""

    def change(value: dict[str, Any]) -> Any:
        made = dict(value)
        assert "nullable" not in made, "OpenAPI 3.1 has no nullable; write null among the types here"
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if made.get(exclusive) is True:
                made[exclusive] = made.pop(bound)
        parts = made.get("allOf")
        if isinstance(parts, list) and len(parts) == 1 and "$ref" in parts[0]:
            del made["allOf"]
            made |= parts[0]
        return made

    components = document["components"]
    schemas = {name: _mapped(schema, change) for name, schema in components["schemas"].items()}
    return document | {"openapi": "3.1.0", "components": components | {"schemas": schemas}}


class _Swagger:
    """Writes a contract of OpenAPI 3.0 as Swagger 2.0.

    Swagger 2.0 has no required header of an answer, no example of a parameter, one example of each media type, and one
    schema of an answer for all media types. None of these decides on a call.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._from = document
        self._components = document["components"]

    def document(self) -> dict[str, Any]:
        return {
            "swagger": "2.0",
            "info": self._from["info"],
            "basePath": self._from["servers"][0]["url"],
            "schemes": ["https"],
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": {path: self._item(item) for path, item in self._from["paths"].items()},
            "definitions": {name: self._schema(one) for name, one in self._components["schemas"].items()},
            "parameters": {name: self._parameter(one) for name, one in self._components["parameters"].items()},
            "responses": {name: self._answer(one) for name, one in self._components["responses"].items()},
            "securityDefinitions": {name: _scheme(one) for name, one in self._components["securitySchemes"].items()},
        }

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {"parameters": [self._parameter(one) for one in item.get("parameters", ())]}
        return made | {method: self._operation(one) for method, one in item.items() if method in _METHODS}

    def _operation(self, operation: dict[str, Any]) -> dict[str, Any]:
        left_out = {"requestBody", "responses", "parameters"}
        made = {name: value for name, value in operation.items() if name not in left_out}
        made["parameters"] = [self._parameter(one) for one in operation.get("parameters", ())]
        if "requestBody" in operation:
            body = self._found(operation["requestBody"])
            made["consumes"] = list(body["content"])
            (schema,) = {json.dumps(content["schema"]) for content in body["content"].values()}
            described = {"name": "body", "in": "body", "required": body.get("required", False)}
            made["parameters"].append(described | {"schema": self._schema(json.loads(schema))})
        answers = operation["responses"]
        contents = [self._found(answer).get("content", {}) for answer in answers.values()]
        made["produces"] = list(dict.fromkeys(media_type for content in contents for media_type in content))
        made["responses"] = {status: self._answer(answer) for status, answer in answers.items()}
        return made

    def _parameter(self, parameter: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in parameter:
            return {"$ref": parameter["$ref"].replace("#/components/parameters/", "#/parameters/")}
        named = {name: parameter[name] for name in ("name", "in", "description", "required") if name in parameter}
        return named | self._simple(parameter["schema"])

    def _answer(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in answer:
            return {"$ref": answer["$ref"].replace("#/components/responses/", "#/responses/")}
        made: dict[str, Any] = {"description": answer["description"]}
        if "headers" in answer:
            headers = {name: self._found(header) for name, header in answer["headers"].items()}
            made["headers"] = {
                name: {"description": header.get("description", "")} | self._simple(header["schema"])
                for name, header in headers.items()
            }
        for media_type, content in answer.get("content", {}).items():
            assert made.setdefault("schema", self._schema(content["schema"])) == self._schema(content["schema"])
            examples = [one["value"] for one in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            if examples:
                made.setdefault("examples", {})[media_type] = examples[0]
        return made

    def _schema(self, schema: Any) -> Any:
        def change(value: dict[str, Any]) -> Any:
            assert not value.keys() & _UNSAYABLE, f"Swagger 2.0 cannot say {value.keys() & _UNSAYABLE}"
            if isinstance(value.get("$ref"), str):
                return {"$ref": value["$ref"].replace("#/components/schemas/", "#/definitions/")}
            return value

        return _mapped(schema, change)

    def _simple(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a parameter or a header, which stands beside its name and refers to nothing."""
        found = self._found(schema)
        assert "allOf" not in found, "Swagger 2.0 composes no parameters"
        return {name: value for name, value in found.items() if name not in {"example", "description"}}

    def _found(self, value: dict[str, Any]) -> dict[str, Any]:
        reference = value.get("$ref")
        if reference is None:
            return value
        found: Any = self._from
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return self._found(found)


def _scheme(scheme: dict[str, Any]) -> dict[str, Any]:
    flow = scheme["flows"]["clientCredentials"]
    return {
        "type": "oauth2",
        "flow": "application",
        "description": scheme["description"],
        "tokenUrl": flow["tokenUrl"],
        "scopes": flow["scopes"],
    }
