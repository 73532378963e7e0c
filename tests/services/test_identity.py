"""What a member of a collection is known by."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mock_server.services.contract import Operation, load
from mock_server.services.identity import Replace, made_for, told_by, with_identity
from mock_server.services.validation import ParameterSchema


def operation(folder: Path, key: dict[str, Any], members: dict[str, Any], name: str = "petId") -> Operation:
    """Load a member's path with the schema of its key, and an answer with members."""
    schema = {"type": "object", "properties": members}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {
            f"/owners/{{owner}}/pets/{{{name}}}": {
                "parameters": [
                    {"name": "owner", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": name, "in": "path", "required": True, "schema": key},
                ],
                "get": {
                    "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}
                },
            }
        },
    }
    path = folder / "contract.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path).operations[0]


def key_of(folder: Path, schema: dict[str, Any], name: str = "petId") -> ParameterSchema:
    """Return the parameter that a member's path ends with."""
    return operation(folder, schema, {}, name).parameters[-1]


FORMATS: dict[str, tuple[dict[str, Any], str]] = {
    "whole numbers": ({"type": "integer"}, r"\d+"),
    "whole numbers from a thousand": ({"type": "integer", "minimum": 1000}, r"\d{4}"),
    "uuids": ({"type": "string", "format": "uuid"}, r"[0-9a-f]{8}-.*"),
    "any text": ({"type": "string"}, r".+"),
    "texts of some length": ({"type": "string", "minLength": 6, "maxLength": 8}, r".{6,8}"),
    "a pattern": ({"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"}, r"[A-Z]{2}-\d{4}"),
    "a pattern of small letters": ({"type": "string", "pattern": "^[a-z]{5}$"}, r"[a-z]{5}"),
    "hexadecimal": ({"type": "string", "pattern": "^[0-9a-f]{32}$"}, r"[0-9a-f]{32}"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_identifiers_follow_the_format_of_the_contract(tmp_path: Path, name: str) -> None:
    """They are valid, the same for the same member, and others for others."""
    schema, pattern = FORMATS[name]
    key = key_of(tmp_path, schema)

    found = [made_for(key, "owners/1/pets", number) for number in range(1, 60)]

    assert all(one is not None and re.fullmatch(pattern, one) for one in found)
    assert len(set(found)) == len(found)
    assert found == [made_for(key, "owners/1/pets", number) for number in range(1, 60)]


def test_a_format_without_a_choice_gives_what_there_is(tmp_path: Path) -> None:
    """One that is not valid is never made: there may be none at all."""
    key = key_of(tmp_path, {"type": "string", "enum": ["cat", "dog"]})

    assert {made_for(key, "owners/1/pets", number) for number in range(5)} <= {"cat", "dog", None}


TOLD: dict[str, tuple[Any, dict[str, Any], str | None]] = {
    "by its own name": ({"petId": "a"}, {"petId": {}}, "a"),
    "in another spelling": ({"pet_id": "a"}, {"pet_id": {}}, "a"),
    "by a short name": ({"id": "a"}, {"id": {}}, "a"),
    "as a number": ({"id": 5}, {"id": {}}, "5"),
    "by its own name before a short one": ({"id": "a", "petId": "b"}, {"id": {}, "petId": {}}, "b"),
    "not at all": ({"name": "a"}, {"name": {}}, None),
    "by nothing that could end a path": ({"id": {"a": 1}}, {"id": {}}, None),
    "by what the contract does not take": ({"id": "A"}, {"id": {}}, None),
    "by no object": (["a"], {}, None),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_body_may_bring_its_identifier(tmp_path: Path, name: str) -> None:
    """Under the parameter's name or the last word of it, when it is valid as the end of a path."""
    document, members, expected = TOLD[name]
    one = operation(tmp_path, {"type": "string", "pattern": "^[a-z0-9]+$"}, members)
    answer = one.answer(200)
    assert answer is not None
    assert answer.json is not None

    assert told_by(document, answer.json.schema, one.parameters[-1]) == expected


def test_an_object_says_what_its_path_says(tmp_path: Path) -> None:
    """The last parameter by a short name too, those before by their own; what is there stays, unless told otherwise."""
    members = {"id": {"type": "integer"}, "owner": {"type": "string"}, "name": {"type": "string"}}
    one = operation(tmp_path, {"type": "integer"}, members)
    answer = one.answer(200)
    assert answer is not None
    assert answer.json is not None
    path = {"owner": "x", "petId": "7"}

    assert with_identity({"name": "a"}, answer.json.schema, path, "petId") == {"name": "a", "owner": "x", "id": 7}
    assert with_identity({"id": 1}, answer.json.schema, path, "petId") == {"id": 1, "owner": "x"}
    assert with_identity({"id": None}, answer.json.schema, path, "petId") == {"id": 7, "owner": "x"}
    assert with_identity({}, answer.json.schema, path, None) == {"owner": "x"}
    sent = {"id": 1, "owner": "y"}
    assert with_identity(sent, answer.json.schema, path, "petId", replace=Replace.KEY) == {"id": 7, "owner": "y"}
    assert with_identity({"id": 1}, answer.json.schema, path, "petId", replace=Replace.ALL) == {"id": 7, "owner": "x"}
