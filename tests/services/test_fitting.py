"""Stored values as an answer's schema wants them: what is valid stays, what is missing is filled in."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from mock_server.services.documents.files import Files
from mock_server.services.documents.fitting import fitted
from mock_server.services.documents.report import Report
from mock_server.services.documents.schemas import Direction, Schemas, Version
from mock_server.services.documents.shape import Schema
from mock_server.services.issues import issues_of

OLD, MODERN, SWAGGER = Version.OPENAPI_3_0, Version.OPENAPI_3_1, Version.SWAGGER_2


def schema_of(folder: Path, version: Version, schema: Any, *, close_objects: bool = False, **others: Any) -> Schema:
    """Return a schema of a contract whose other schemas lie beside it."""
    path = folder / "schemas.json"
    path.write_text(json.dumps({"it": schema} | others), encoding="utf-8")
    report = Report(path)
    files = Files(path, None, report)
    schemas = Schemas(files, version, ignore_read_only=False, close_objects=close_objects)
    made = Schema(schemas, files.root().at("it"))
    schemas.check()
    report.raise_if_any(files.line)
    return made


THING = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "pin": {"type": "string", "writeOnly": True},
    },
}
CLOSED = THING | {"additionalProperties": False}
CAT = {
    "type": "object",
    "required": ["kind", "lives"],
    "properties": {"kind": {"enum": ["cat"]}, "lives": {"enum": [9]}},
}
DOG = {"type": "object", "required": ["kind", "tail"], "properties": {"kind": {"enum": ["dog"]}, "tail": {"enum": [1]}}}

CASES: dict[str, tuple[Version, Any, Any, Any]] = {
    "what is valid": (OLD, THING, {"id": 7, "name": "x", "more": 1}, {"id": 7, "name": "x", "more": 1}),
    "a write-only member": (OLD, THING, {"id": 7, "name": "x", "pin": "1"}, {"id": 7, "name": "x"}),
    "a missing member": (OLD, THING, {"name": "x"}, {"name": "x", "id": 1}),
    "another member of an open object": (OLD, THING, {"name": "x", "more": 1}, {"name": "x", "more": 1, "id": 1}),
    "another member of a closed object": (OLD, CLOSED, {"id": 7, "name": "x", "more": 1}, {"id": 7, "name": "x"}),
    "a closed object of Swagger": (SWAGGER, CLOSED, {"id": 7, "name": "x", "more": 1}, {"id": 7, "name": "x"}),
    "a closed object in 3.1": (
        MODERN,
        {"allOf": [{"$ref": "#/thing"}], "unevaluatedProperties": False},
        {"id": 7, "name": "x", "more": 1},
        {"id": 7, "name": "x"},
    ),
    "a default": (
        OLD,
        {"required": ["a"], "properties": {"a": {"type": "string", "default": "nl", "example": "fr"}}},
        {},
        {"a": "nl"},
    ),
    "a default that is not valid": (
        OLD,
        {"required": ["a"], "properties": {"a": {"type": "integer", "default": "nl"}}},
        {},
        {"a": 1},
    ),
    "a list within an object": (
        OLD,
        {"properties": {"items": {"type": "array", "items": {"$ref": "#/thing"}}}},
        {"items": [{"name": "x", "pin": "1"}, {"id": 2, "name": "y"}]},
        {"items": [{"name": "x", "id": 1}, {"id": 2, "name": "y"}]},
    ),
    "a map": (
        OLD,
        {"type": "object", "additionalProperties": {"$ref": "#/thing"}},
        {"a": {"name": "x"}},
        {"a": {"name": "x", "id": 1}},
    ),
    "a composition": (
        OLD,
        {"allOf": [{"$ref": "#/thing"}, {"required": ["size"], "properties": {"size": {"minimum": 3}}}]},
        {"name": "x"},
        {"name": "x", "id": 1, "size": 3},
    ),
    "the alternative that was meant": (
        OLD,
        {"oneOf": [{"$ref": "#/cat"}, {"$ref": "#/dog"}]},
        {"kind": "dog"},
        {"kind": "dog", "tail": 1},
    ),
    "a value that cannot be mended": (OLD, THING, {"name": 5}, {"name": 5, "id": 1}),
    "a member that cannot be built": (OLD, {"required": ["a"], "properties": {"a": {"not": {}}}}, {}, {}),
    "another type": (OLD, THING, "text", "text"),
    "a list where nothing is allowed": (MODERN, {"properties": {"a": False}}, {"a": [1]}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_value_is_changed_where_it_has_to_be(tmp_path: Path, name: str) -> None:
    """Members are left out or filled in, at any depth; the value that was stored stays as it is."""
    version, written, value, expected = CASES[name]
    schema = schema_of(tmp_path, version, written, thing=THING, cat=CAT, dog=DOG)
    before = deepcopy(value)

    made = fitted(value, schema)

    assert made == expected
    assert value == before


def test_nothing_is_changed_without_a_schema() -> None:
    """Then any value is valid."""
    assert fitted({"a": 1}, None) == {"a": 1}


def test_a_value_of_a_request_has_no_read_only_member(tmp_path: Path) -> None:
    """The other direction leaves out the other members."""
    schema = schema_of(tmp_path, OLD, THING)

    assert fitted({"id": 1, "pin": "1"}, schema, Direction.REQUEST) == {"pin": "1", "name": "text"}


def test_a_deep_value_is_fitted_to_its_end(tmp_path: Path) -> None:
    """A tree is what its schema says at each of its levels."""
    tree = {
        "required": ["id"],
        "properties": {"id": {"enum": [1]}, "parts": {"items": {"$ref": "#/it"}, "type": "array"}},
    }
    schema = schema_of(tmp_path, OLD, tree)
    value: dict[str, Any] = {}
    for _ in range(30):
        value = {"parts": [value, {}]}

    made = fitted(value, schema)

    schema.validator(Direction.RESPONSE).validate(made)


def test_what_is_filled_in_is_not_shared(tmp_path: Path) -> None:
    """A change of one entry that was filled in changes no other, and not the contract's own default."""
    entry = {"required": ["a"], "properties": {"a": {"type": "array", "items": {}, "default": []}}}
    schema = schema_of(tmp_path, OLD, {"type": "array", "items": entry})

    first, second = fitted([{}, {}], schema)
    first["a"].append(1)

    assert (second, fitted([{}], schema)) == ({"a": []}, [{"a": []}])


A = {"type": "object", "properties": {"a": {"type": "string"}}}
B = {"type": "object", "properties": {"b": {"type": "integer"}}}
OPENED = A | {"additionalProperties": True}
BASE = A | {"discriminator": {"propertyName": "a"}}
BOTH = {"allOf": [{"$ref": "#/a"}, {"$ref": "#/b"}]}

CLOSING: dict[str, tuple[Any, Any, list[str]]] = {
    "a member that is not named": (A, {"a": "x", "z": 1}, ["z"]),
    "within a member": ({"properties": {"m": {"$ref": "#/a"}}}, {"m": {"z": 1}}, ["m.z"]),
    "within a list": ({"type": "array", "items": {"$ref": "#/a"}}, [{"z": 1}], ["[0].z"]),
    "members of both": (BOTH, {"a": "x", "b": 1}, []),
    "neither's member": (BOTH, {"a": "x", "z": 1}, ["z"]),
    "a known member that is wrong": (BOTH, {"a": 5, "b": 1}, ["a"]),
    "a member of an alternative": ({"oneOf": [A | {"required": ["a"]}, B | {"required": ["b"]}]}, {"b": 1}, []),
    "no alternative's member": ({"anyOf": [{"$ref": "#/a"}, {"$ref": "#/b"}]}, {"z": 1}, ["z"]),
    "an alternative that is a map": ({"anyOf": [{"$ref": "#/a"}, {"type": "object"}]}, {"z": 1}, []),
    "a map": ({"type": "object"}, {"z": 1}, []),
    "what the contract leaves open": (OPENED, {"z": 1}, []),
    "a part that the contract leaves open": ({"allOf": [{"$ref": "#/b"}, OPENED]}, {"z": 1}, []),
    "what the contract closes": (A | {"additionalProperties": False}, {"z": 1}, ["z"]),
    "what others add members to": (BASE, {"z": 1}, []),
    "a null": ({"allOf": [A], "nullable": True}, None, []),
}  # fmt: skip


@pytest.mark.parametrize("version", [SWAGGER, OLD, MODERN])
@pytest.mark.parametrize("name", CLOSING)
def test_members_that_nobody_named_are_refused_when_asked_for(tmp_path: Path, version: Version, name: str) -> None:
    """Compositions are closed as a whole; a member of a broken part is not called unknown; answers stay open."""
    written, value, expected = CLOSING[name]
    if value is None and version is not OLD:
        written = {"allOf": [A], "x-nullable": True} if version is SWAGGER else {"anyOf": [A, {"type": "null"}]}
    schema = schema_of(tmp_path, version, written, close_objects=True, a=A, b=B)

    issues = issues_of(value, schema.validator(Direction.REQUEST))

    assert [issue.name for issue in issues] == expected
    unknown = [issue for issue in issues if issue.name.rpartition(".")[2] == "z"]
    assert all(str(issue.type).endswith("unknownInput") for issue in unknown)
    if unknown and "additionalProperties" not in written:
        assert schema.validator(Direction.RESPONSE).is_valid(value)


def test_names_by_pattern_are_known_too(tmp_path: Path) -> None:
    """A name that fits a pattern of the contract is not refused, written as the contract may write it."""
    schema = schema_of(
        tmp_path, MODERN, A | {"patternProperties": {r"^x[\w-.]$": {"type": "integer"}}}, close_objects=True
    )

    issues = issues_of({"a": "x", "x-": 1, "y": 2}, schema.validator(Direction.REQUEST))

    assert [issue.name for issue in issues] == ["y"]


def test_conditions_name_members_too(tmp_path: Path) -> None:
    """What if, then and dependent schemas name is known."""
    written = A | {
        "if": {"required": ["a"]},
        "then": {"properties": {"c": {"type": "integer"}}},
        "dependentSchemas": {"c": {"properties": {"d": {"type": "integer"}}}},
    }
    schema = schema_of(tmp_path, MODERN, written, close_objects=True)

    issues = issues_of({"a": "x", "c": 1, "d": 2, "e": 3}, schema.validator(Direction.REQUEST))

    assert [issue.name for issue in issues] == ["e"]


def test_a_schema_that_is_a_part_here_and_a_whole_there_is_both(tmp_path: Path) -> None:
    """It is closed where it stands alone, and gives its names where it is composed."""
    written = {"type": "object", "properties": {"alone": {"$ref": "#/a"}, "both": BOTH}}
    schema = schema_of(tmp_path, OLD, written, close_objects=True, a=A, b=B)

    issues = issues_of({"alone": {"b": 1}, "both": {"a": "x", "b": 1}}, schema.validator(Direction.REQUEST))

    assert [issue.name for issue in issues] == ["alone.b"]
