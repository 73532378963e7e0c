"""A contract of 500 operations: all are served, a call costs what its own path and schemas cost, and no more."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mock_server.services import contract as contracts
from mock_server.services.contract import Contract, load
from mock_server.services.documents.schemas import Schemas
from tests.conftest import Starter
from tests.services.made_contracts import OPERATIONS_OF_A_PART, large_contract
from tests.services.rewritten_contracts import write
from tests.support import Caller

BASE = "/REST/large/v1"
ACCOUNT = """
[[accounts]]
name = "clerk"
client_id = "clerk"
enterprise = "1999000150"
capacity = "employer"
permissions = ["large"]
certificates = [{ file = "rsa-2048.cer" }]
"""
FILE = {"title": "Correspondence", "chain": {"below": {"below": {}}}}


def loaded(folder: Path, parts: int = 50, form: str = "json") -> Contract:
    """Load a large contract."""
    return load(write(folder, large_contract(parts), form))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often a validator is compiled."""
    count: Counter[str] = Counter()
    compile_one = Schemas._compile

    def counted(self: Schemas, schema: Any) -> Any:
        count["compiled"] += 1
        return compile_one(self, schema)

    monkeypatch.setattr(Schemas, "_compile", counted)
    return count


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_five_hundred_operations_are_loaded(tmp_path: Path, form: str) -> None:
    """Every operation is there, in both forms, with its own parameters, body and answers."""
    contract = loaded(tmp_path, form=form)

    assert len(contract.operations) == 50 * OPERATIONS_OF_A_PART == 500
    assert len({operation.name for operation in contract.operations}) == 500
    assert all(operation.success is not None for operation in contract.operations)


def test_every_operation_is_found_by_its_path(tmp_path: Path) -> None:
    """A path leads to the operations of its template, and to no others."""
    contract = loaded(tmp_path)

    for operation in contract.operations:
        route = contract.route(operation.template.replace("{fileId}", "a-1").replace("{pageId}", "7"))
        assert route is not None
        assert route.operations[operation.method] is operation


def test_a_route_is_found_by_looking_at_its_own_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many operations there are, as many places are looked at as the path has segments, and the root."""
    small, large = loaded(tmp_path, 1), loaded(tmp_path, 50)
    visited: list[int] = []
    find = contracts._find

    def counted(*arguments: Any) -> Any:
        visited.append(arguments[2])
        return find(*arguments)

    monkeypatch.setattr(contracts, "_find", counted)

    looks: dict[str, tuple[int, int]] = {}
    for path in ("/departments000/files", "/departments000/files/a/pages/1", "/departments000/nothing", "/nothing"):
        visited.clear()
        small.route(path)
        of_small = len(visited)
        visited.clear()
        large.route(path)
        looks[path] = (of_small, len(visited))

    assert [found for found, _ in looks.values()] == [found for _, found in looks.values()]
    assert all(found <= path.count("/") + 1 for path, (_, found) in looks.items())


def test_loading_compiles_as_often_for_many_operations_as_for_few(tmp_path: Path, compiled: Counter[str]) -> None:
    """That every schema is one is found out at once; the validators of the operations wait for a call."""
    loaded(tmp_path, 1)
    few = compiled["compiled"]
    compiled.clear()
    loaded(tmp_path, 50)

    assert 0 < compiled["compiled"] == few


def test_a_call_compiles_what_it_needs_and_only_once(tmp_path: Path, compiled: Counter[str]) -> None:
    """The first body of an operation compiles one validator, the second none, and other operations are let be."""
    contract = loaded(tmp_path)
    compiled.clear()
    route = contract.route("/departments007/files/a-1")
    assert route is not None
    body = route.operations["PUT"].body
    assert body is not None

    issues = body.issues({"title": "", "number7": 9})

    assert {issue.name for issue in issues} == {"title", "number7"}
    assert compiled["compiled"] == 1
    assert body.issues(FILE) == []
    assert compiled["compiled"] == 1


def call(caller: Caller, token: str, method: str, path: str, body: Any = None) -> Any:
    """Make a call of the large API."""
    media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"authorization": f"Bearer {token}"} | ({"content-type": media_type} if body is not None else {})
    return caller.call(method, f"{BASE}{path}", b"" if body is None else json.dumps(body).encode(), headers)


def test_every_operation_is_served(started: Starter, tmp_path: Path) -> None:
    """Each of the 500 is called once in the order of a life, from the first file to its removal."""
    path = write(tmp_path, large_contract(), "json")
    caller = started(ACCOUNT, service=(f"large={path}",))
    token = caller.token("clerk")
    expected = [201, 200, 200, 200, 200, 201, 200, 200, 204, 204]

    for number in range(50):
        files = f"/departments{number:03d}/files"
        added = call(caller, token, "POST", files, FILE)
        one = added.headers["location"].partition(BASE)[2]
        found = [added, call(caller, token, "GET", files), call(caller, token, "GET", one)]
        found.append(call(caller, token, "PUT", one, FILE | {"title": "Again"}))
        found.append(call(caller, token, "PATCH", one, {"title": "Changed"}))
        page = call(caller, token, "POST", f"{one}/pages", {"text": "Dear"})
        page_path = page.headers["location"].partition(BASE)[2]
        found += [page, call(caller, token, "GET", f"{one}/pages"), call(caller, token, "GET", page_path)]
        found += [call(caller, token, "DELETE", page_path), call(caller, token, "DELETE", one)]
        assert [reply.status for reply in found] == expected, files

    assert len({exchange.operation for exchange in caller.exchanges if exchange.operation != "token"}) == 500
