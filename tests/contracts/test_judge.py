"""The judge of the contracts of others finds what is wrong with an answer, and the breaker of calls breaks them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.breaking import Breaking
from tests.contracts.calls import Sent
from tests.contracts.documents import Document
from tests.contracts.judge import Judge

_THING = {
    "type": "object",
    "required": ["id", "secret"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "secret": {"type": "string", "writeOnly": True, "minLength": 2},
    },
}
_COUNT = {"type": "integer", "maximum": 9}
_PROBLEM = {"type": "about:blank", "title": "Not Found", "status": 404}


def _document(folder: Path, version: str) -> Document:
    """Write a contract of one path: PUT /things/{id} needs a thing and a header, and is answered with a thing."""
    thing = json.loads(
        json.dumps(_THING).replace('"writeOnly": true, ', "") if version == "2.0" else json.dumps(_THING)
    )
    if version == "2.0":
        thing["required"] = ["id"]
    parameters: list[dict[str, Any]] = [
        {"in": "path", "name": "id", "required": True, **_typed({"type": "integer"}, version)},
        {"in": "header", "name": "Reason", "required": True, **_typed({"type": "string"}, version)},
        {"in": "query", "name": "count", "required": True, **_typed(_COUNT, version)},
    ]
    reference = {"$ref": "#/definitions/Thing" if version == "2.0" else "#/components/schemas/Thing"}
    answer: dict[str, Any] = {"description": "it", "headers": {"Left": _typed(_COUNT, version)}}
    operation: dict[str, Any] = {"parameters": parameters, "responses": {"200": answer, "204": {"description": "it"}}}
    document: dict[str, Any] = {
        "info": {"title": "things", "version": "1"},
        "paths": {"/things/{id}": {"put": operation}},
    }
    if version == "2.0":
        document |= {"swagger": "2.0", "definitions": {"Thing": thing}, "consumes": ["application/json"]}
        parameters.append({"in": "body", "name": "body", "required": True, "schema": reference})
        answer["schema"] = reference
    else:
        content = {"application/json": {"schema": reference}}
        document |= {"openapi": f"{version}.0", "components": {"schemas": {"Thing": thing}}}
        operation["requestBody"] = {"required": True, "content": content}
        answer["content"] = content
        answer["headers"]["Left"]["required"] = True
    path = folder / "things.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return Document(path)


def _typed(schema: dict[str, Any], version: str) -> dict[str, Any]:
    return schema if version == "2.0" else {"schema": schema}


def _faults(
    document: Document, status: int = 200, body: Any = None, headers: Mapping[str, str] | None = None
) -> list[str]:
    """Judge an answer: a good one, unless told otherwise."""
    good = {"content-type": "application/json", "left": "3"}
    data = body if isinstance(body, bytes) else json.dumps({"id": 1} if body is None else body).encode()
    return Judge(document).faults("PUT", "/things/{id}", status, good if headers is None else headers, data)


@pytest.fixture(params=["2.0", "3.0", "3.1"])
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Document:
    """Give the contract in each version."""
    return _document(tmp_path, request.param)


def test_a_good_answer_has_no_faults(document: Document) -> None:
    """An answer as the contract has it, without the write-only member, passes in each version."""
    assert _faults(document) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 201},
        {"status": 404, "body": {"title": "Not Found"}},
        {"status": 204},
        {"body": {"id": "one"}},
        {"body": {}},
        {"body": b"{"},
        {"headers": {"content-type": "text/plain", "left": "3"}},
        {"headers": {"content-type": "application/json", "left": "10"}},
        {"headers": {"content-type": "application/json", "left": "some"}},
    ],
    ids=["status", "refusal", "no body", "type", "member", "JSON", "media type", "header", "header's type"],
)
def test_a_planted_fault_is_found(document: Document, changes: dict[str, Any]) -> None:
    """What differs in one thing from a good answer has faults."""
    assert _faults(document, **changes) != []


def test_an_undocumented_refusal_is_a_problem(document: Document) -> None:
    """A refusal of which the contract says nothing passes as a Belgif problem of its status only."""
    problem = {"content-type": "application/problem+json"}

    assert _faults(document, 404, _PROBLEM, problem) == []
    assert _faults(document, 403, _PROBLEM, problem) != []
    assert _faults(document, 404, _PROBLEM, {"content-type": "application/json"}) != []


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_a_promised_header_and_a_secret_are_looked_for(version: str, tmp_path: Path) -> None:
    """A header that must be there is missed, and a write-only member that is told is seen."""
    document = _document(tmp_path, version)

    assert _faults(document, headers={"content-type": "application/json"}) != []
    assert _faults(document, body={"id": 1, "secret": "abc"}) != []


def test_a_call_is_broken_in_every_place_that_the_contract_constrains(document: Document) -> None:
    """The path's number, the header, the query parameter and the body are each missing or wrong in some call."""
    breaking = Breaking(document)
    headers = {"Reason": "none", "Content-Type": "application/json"}
    good = Sent("PUT", "/things/{id}", "/things/1?count=2", headers, b'{"secret": "abc"}')

    broken = list(breaking.broken(good))

    told = " ".join(sent.what for sent in broken)
    for what in ("path parameter id is", "header Reason is missing", "count is missing", "count is", "body is missing"):
        assert what in told
    assert all((sent.target, sent.body, sent.headers) != (good.target, good.body, good.headers) for sent in broken)
    assert b'{"secret": null}' in [sent.body for sent in broken]
    unknown = breaking.unknown_query(good)
    assert unknown is not None
    assert unknown.query == [("count", "2"), ("thirdPartyTestsUnknown", "1")]
