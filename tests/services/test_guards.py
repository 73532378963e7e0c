"""What guards each operation of a contract, told before anybody calls it."""

import json
from pathlib import Path
from typing import Any

import pytest

from mock_server.identifiers import Capacity, ServiceName
from mock_server.services.catalogue import Api, own_apis, services
from mock_server.services.contract import load
from mock_server.services.documents.held import Found
from mock_server.services.documents.reader import Reading
from mock_server.services.guards import Guard, guards
from mock_server.world.model import Service

EMPLOYER, TRAINER = frozenset({Capacity.EMPLOYER}), frozenset({Capacity.TRAINING_PROVIDER})
MANDATARY = frozenset({Capacity.SOCIAL_SECRETARIAT})
ANSWER = {"200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}}


def parameter(name: str, where: str = "path", /, **more: Any) -> dict[str, Any]:
    """Return a parameter; one of a path is always there."""
    made = {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}}
    return made | more


def guard_of(  # what one test changes
    folder: Path,
    path: str,
    *parameters: dict[str, Any],
    capacities: frozenset[Capacity] = frozenset(Capacity),
    scopes: tuple[str, ...] = ("scope:care",),
    security: list[dict[str, list[str]]] | None = None,
    reading: Reading | None = None,
) -> Guard:
    """Return what guards the one operation of a contract."""
    operation = {"operationId": "one", "parameters": list(parameters), "responses": ANSWER, "security": security or []}
    file = folder / "care.json"
    document = {"openapi": "3.0.3", "info": {"title": "Care"}, "paths": {path: {"get": operation}}}
    file.write_text(json.dumps(document), encoding="utf-8")
    name = ServiceName("care")
    service = Service(name, "Care", dict.fromkeys(Capacity, scopes) if scopes else {}, one_mandatary=False)
    (found,) = guards(load(file, None, reading or Reading()), Api("care", name, file, capacities=capacities), service)
    return found


def test_our_contracts_are_guarded_by_the_enterprise_number() -> None:
    """Employers and their mandataries on one API, training providers on the other; each with its scopes."""
    known = services()
    found = {
        (api.name, guard.rule) for api in own_apis() for guard in guards(load(api.contract), api, known[api.service])
    }

    assert found == {
        ("fla-employer", "own number or mandate: enterpriseNumber"),
        ("fla-training-provider", "own number: enterpriseNumber"),
    }


WHO = {
    "all": (frozenset(Capacity), "own number or mandate: employerId"),
    "employers": (EMPLOYER, "own number: employerId"),
    "training providers": (TRAINER, "own number: employerId"),
    "mandataries": (MANDATARY, "mandate: employerId"),
}


@pytest.mark.parametrize("name", WHO)
def test_the_capacities_of_an_api_say_who_may_act(tmp_path: Path, name: str) -> None:
    """Only a mandatary needs a mandate, and only the others have a number of their own to act for."""
    capacities, rule = WHO[name]

    found = guard_of(tmp_path, "/employers/{employerId}", parameter("employerId"), capacities=capacities)

    assert found.rule == rule


INPUTS: dict[str, tuple[str, tuple[dict[str, Any], ...], str]] = {
    "in the path": ("/a/{kbo}", (parameter("kbo"),), "own number or mandate: kbo"),
    "a query parameter that is required": (
        "/a",
        (parameter("kbo", "query", required=True),),
        "own number or mandate: kbo (query)",
    ),
    "one that is optional": (
        "/a",
        (parameter("kbo", "query"),),
        "own number or mandate: kbo (query, when it is sent); else any token with the scope",
    ),
    "one with a default": (
        "/a",
        (parameter("kbo", "query", schema={"type": "string", "default": "1999000150"}),),
        "own number or mandate: kbo (query)",
    ),
    "a header": (
        "/a",
        (parameter("kbo", "header"),),
        "own number or mandate: kbo (header, when it is sent); else any token with the scope",
    ),
    "a cookie, which is not looked at": ("/a", (parameter("kbo", "cookie"),), "any token with the scope"),
    "none": ("/a/{b}", (parameter("b"),), "any token with the scope"),
    "the path goes before the query": (
        "/a/{kbo}",
        (parameter("cbe", "query", required=True), parameter("kbo")),
        "own number or mandate: kbo",
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_where_the_enterprise_number_is_says_when_it_guards(tmp_path: Path, name: str) -> None:
    """Without one, or while an optional one is not sent, the scope is all that counts."""
    path, parameters, rule = INPUTS[name]

    assert guard_of(tmp_path, path, *parameters).rule == rule


def test_how_a_parameter_is_known_is_told(tmp_path: Path) -> None:
    """By its name, by the segment before it, by the contract or by a setting; each way once."""
    path = "/employers/{e}/employees/{insz}/years/{when}"
    marked = parameter("when") | {"x-fla-mock": {"holds": "year"}}
    parameters = (parameter("e"), parameter("insz"), marked)

    found = guard_of(tmp_path, path, *parameters)
    told = guard_of(tmp_path, path, *parameters, reading=Reading(holds={"e": None, "insz": "ssin"}))

    assert found.known_by == (Found.SEGMENT, Found.NAME, Found.EXTENSION)
    assert [str(one) for one in (found.enterprise, found.person, found.year)] == ["e", "insz", "when"]
    assert (told.rule, told.known_by) == ("any token with the scope", (Found.SETTING, Found.EXTENSION))


def test_the_scopes_are_those_that_the_gateway_asks_for(tmp_path: Path) -> None:
    """Alternatives of the contract as far as they are granted, else the service's; without any, every token will do."""
    security = [{"oauth": ["a", "b"]}, {"oauth": ["c"]}, {"oauth": ["d"]}]

    named = guard_of(tmp_path, "/a", scopes=("a", "b", "c"), security=security)
    plain = guard_of(tmp_path, "/a")
    none = guard_of(tmp_path, "/a", scopes=())

    assert (named.scopes, named.scopes_in_words) == ((("a", "b"), ("c",)), "a and b or c")
    assert plain.scopes_in_words == "scope:care"
    assert (none.scopes_in_words, none.rule) == ("none", "any token")


def test_what_is_kept_is_told() -> None:
    """The word of the convention stands beside each operation."""
    api = own_apis()[1]
    found = {
        guard.operation.split()[0]: guard.keeps for guard in guards(load(api.contract), api, services()[api.service])
    }

    assert (found["PUT"], found["DELETE"]) == ("replaces", "removes")
