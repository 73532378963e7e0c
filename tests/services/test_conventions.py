"""What each operation of a contract does to what is kept."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.services.contract import load
from mock_server.services.conventions import Convention, Role, conventions

PET = {"type": "object", "properties": {"id": {"type": "integer"}, "tags": {"type": "array", "items": {}}}}
PETS = {"type": "object", "properties": {"items": {"type": "array", "items": PET}, "tags": {"type": "array"}}}


def of(folder: Path, **paths: Mapping[str, Any]) -> Mapping[str, Convention]:
    """Return the conventions of a contract; a method is given with its answer's schema, its body's, or both."""
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {
            template: {
                "parameters": [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in ("a", "b")
                    if f"{{{name}}}" in template
                ]
            }
            | {method: operation(**said) for method, said in methods.items()}
            for template, methods in paths.items()
        },
    }
    path = folder / "contract.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return conventions(load(path))


def operation(
    answer: object = None, body: object = None, status: str = "200", media_type: str = "application/json"
) -> dict[str, Any]:
    """Return an operation as a contract writes it."""
    answers: dict[str, Any] = {status: {"description": "ok"}}
    if answer is not None:
        answers[status]["content"] = {"application/json": {"schema": answer}}
    sent = {} if body is None else {"requestBody": {"content": {media_type: {"schema": body}}}}
    return {"responses": answers} | sent


GET, LIST, POST, PUT = (
    {"get": {"answer": PET}},
    {"get": {"answer": PETS}},
    {"post": {"body": PET}},
    {"put": {"body": PET}},
)
DELETE: dict[str, Any] = {"delete": {}}
PATCH = {"patch": {"body": PET}}
ROLES: dict[str, tuple[dict[str, Any], dict[str, Role]]] = {
    "a document": ({"/a": PUT | GET}, {"PUT /a": Role.REPLACES, "GET /a": Role.READS}),
    "a list that is put whole": (
        {"/a": {"put": {"body": PETS}} | LIST},
        {"PUT /a": Role.REPLACES, "GET /a": Role.READS},
    ),
    "a collection that is added to": (
        {"/a": POST | LIST, "/a/{a}": GET | DELETE},
        {"POST /a": Role.ADDS, "GET /a": Role.LISTS, "GET /a/{a}": Role.READS, "DELETE /a/{a}": Role.REMOVES},
    ),
    "a collection whose members are put": (
        {"/a": LIST, "/a/{a}": PUT | PATCH},
        {"GET /a": Role.LISTS, "PUT /a/{a}": Role.REPLACES, "PATCH /a/{a}": Role.MERGES},
    ),
    "a collection that is put whole, with members of their own": (
        {"/a": {"put": {"body": PETS}} | LIST, "/a/{a}": GET},
        {"PUT /a": Role.REPLACES, "GET /a": Role.LISTS, "GET /a/{a}": Role.READS},
    ),
    "a collection that nobody adds to": (
        {"/a": LIST, "/a/{a}": GET},
        {"GET /a": Role.ANSWERS, "GET /a/{a}": Role.ANSWERS},
    ),
    "a collection whose list cannot be told": (
        {"/a": {"get": {"answer": {"type": "object"}}} | POST, "/a/{a}": GET},
        {"GET /a": Role.ANSWERS, "POST /a": Role.ADDS},
    ),
    "a list without paths of its members": (
        {"/a": LIST | {"post": {"body": PET, "status": "201"}}},
        {"POST /a": Role.ADDS, "GET /a": Role.LISTS},
    ),
    "an action": (
        {"/a/{a}": GET | POST, "/a/{a}/go": POST},
        {"POST /a/{a}": Role.ANSWERS, "POST /a/{a}/go": Role.ANSWERS},
    ),
    "several at once": (
        {"/a": {"post": {"body": {"type": "array", "items": PET}}}, "/a/{a}": GET},
        {"POST /a": Role.ANSWERS},
    ),
    "what is there by itself": ({"/a/{a}": GET | DELETE}, {"GET /a/{a}": Role.READS, "DELETE /a/{a}": Role.REMOVES}),
    "a file": ({"/a": {"put": {"body": {}, "media_type": "image/png"}}}, {"PUT /a": Role.ANSWERS}),
    "a form": (
        {"/a": {"put": {"body": PET, "media_type": "application/x-www-form-urlencoded"}}},
        {"PUT /a": Role.REPLACES},
    ),
    "a patch of operations": (
        {"/a": {"patch": {"body": {}, "media_type": "application/json-patch+json"}} | GET},
        {"PATCH /a": Role.MERGES, "GET /a": Role.READS},
    ),
    "the head of a document": ({"/a": PUT | {"head": {}}}, {"HEAD /a": Role.READS}),
}


@pytest.mark.parametrize("name", ROLES)
def test_what_an_operation_does_follows_from_its_neighbours(tmp_path: Path, name: str) -> None:
    """Method, path and the paths above and below decide, whatever the parameters are called."""
    paths, expected = ROLES[name]

    found = of(tmp_path, **paths)

    assert {one: found[one].role for one in expected} == expected


@pytest.mark.parametrize(
    ("paths", "is_kept"),
    [
        ({"/a/{a}": GET | PUT}, True),
        ({"/a": POST, "/a/{a}": GET | DELETE}, True),
        ({"/a/{a}": GET | DELETE}, False),
        ({"/a": LIST, "/a/{a}": GET | PATCH}, False),
    ],
)
def test_what_nobody_can_put_or_add_is_there_by_itself(
    tmp_path: Path,
    paths: dict[str, Any],
    is_kept: bool,  # noqa: FBT001 - of the table
) -> None:
    """Anything else is there only after it was put or added."""
    assert of(tmp_path, **paths)["GET /a/{a}"].is_kept is is_kept


def test_names_of_parameters_do_not_part_a_collection_from_its_members(tmp_path: Path) -> None:
    """One path may call the same segment otherwise than another."""
    found = of(tmp_path, **{"/x/{a}/y": POST, "/x/{b}/y/{a}": GET})

    assert found["POST /x/{a}/y"].role is Role.ADDS


def test_what_lies_below_is_known(tmp_path: Path) -> None:
    """So that it is removed with what is above it, and only then looked for."""
    found = of(tmp_path, **{"/a/{a}": PUT | DELETE, "/a/{a}/x/{b}": PUT | DELETE})

    assert (found["DELETE /a/{a}"].has_below, found["DELETE /a/{a}/x/{b}"].has_below) == (True, False)
