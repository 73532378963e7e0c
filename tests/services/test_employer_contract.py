"""The employers' contract: which calls it has, who may make them, and what a body may be."""

from typing import Any, Final

import pytest

from scripts.provenance import Node
from tests.services.own_contracts import CONTRACTS, EMPLOYER, answer, body, operations, parameters, validator

CONTRACT: Final = CONTRACTS[EMPLOYER]
ROUTE: Final = "/employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings"
EMPLOYER_SCOPE: Final = "scope:sigedis:gestion:careerpro-federal-learning-account:employer"
MANDATARY_SCOPE: Final = "scope:sigedis:gestion:careerpro-federal-learning-account:provider"
OPERATIONS: Final = dict(operations(CONTRACT))
REQUEST: Final[Node] = body(CONTRACT, OPERATIONS[f"PUT {ROUTE}"])
ANSWER: Final[Node] = answer(CONTRACT, OPERATIONS[f"PUT {ROUTE}"], "200")


def test_it_has_the_documented_call_and_its_reading() -> None:
    """One route can be written and read, and there is no other."""
    assert {f"PUT {ROUTE}", f"GET {ROUTE}"} == OPERATIONS.keys()


def test_the_scopes_are_the_two_documented_ones() -> None:
    """No third scope hides below the documented label."""
    flow = CONTRACT["components"]["securitySchemes"]["socialSecurity"]["flows"]["clientCredentials"]
    assert {EMPLOYER_SCOPE, MANDATARY_SCOPE} == flow["scopes"].keys()


@pytest.mark.parametrize("called", OPERATIONS)
def test_either_scope_is_enough(called: str) -> None:
    """An employer's token and a mandatary's are alternatives, never both needed."""
    expected = [{"socialSecurity": [EMPLOYER_SCOPE]}, {"socialSecurity": [MANDATARY_SCOPE]}]
    assert expected == OPERATIONS[called]["security"]


def test_the_server_is_told_what_the_path_holds() -> None:
    """Each path parameter says what it identifies, so that access rules find it whatever its name."""
    in_path = [parameter for parameter in parameters(CONTRACT, ROUTE) if parameter["in"] == "path"]
    holds = {parameter["name"]: parameter["x-fla-mock"]["holds"] for parameter in in_path}
    assert holds == {"enterpriseNumber": "enterpriseNumber", "ssin": "ssin", "year": "year"}


@pytest.mark.parametrize(
    ("parameter", "value", "accepted"),
    [
        ("EnterpriseNumber", "0880820673", True),
        ("EnterpriseNumber", "880820673", True),  # as the guide prints it (G§7.3.1)
        ("EnterpriseNumber", "1880820673", True),
        ("EnterpriseNumber", "2880820673", False),
        ("EnterpriseNumber", "80820673", False),
        ("EnterpriseNumber", "00880820673", False),
        ("EnterpriseNumber", "0880.820.673", False),
        ("EnterpriseNumber", "٠٨٨٠٨٢٠٦٧٣", False),
        ("Ssin", "65111899997", True),
        ("Ssin", "6511189999", False),
        ("Ssin", "651118999970", False),
        ("Ssin", "65.11.18-999.97", False),
        ("Year", 2023, True),
        ("Year", 2100, True),
        ("Year", 2022, False),
        ("Year", 2101, False),
        ("Year", 2023.5, False),
        ("TraceId", "3f0c1a52-8a7e-4d5b-9c61-7be2d40a9f11", True),
        ("TraceId", "any-other-form", True),
        ("TraceId", "3f0c1a52-8a7e-4d5b-9c61-7be2d40a9f110", False),
        ("TraceId", "", False),
    ],
)
def test_parameters(parameter: str, value: Node, accepted: bool) -> None:  # noqa: FBT001 - a column of the table
    """A parameter has the form that the contract gives it."""
    assert accepted == validator(CONTRACT, CONTRACT["components"]["parameters"][parameter]["schema"]).is_valid(value)


TRAINING: Final[dict[str, Any]] = {
    "name": "First aid at work",
    "startDate": "2023-03-06",
    "endDate": "2023-03-07",
    "duration": {"value": 2, "unit": "days"},
    "type": "formal",
    "status": "followed",
    "certificate": {"obtained": True, "validUntil": "2026-03-07"},
    "countsForIndividualRight": True,
    "financing": "sector fund",
    "externalReference": "course-0042",
    "trainingProvider": {"enterpriseNumber": "1999000348", "trainingKey": "first-aid-2023"},
}
OPTIONAL: Final = {"financing", "externalReference", "trainingProvider"}


def changed(**members: Node) -> dict[str, Any]:
    """Return a body with one good training in which these members are set."""
    return {"items": [TRAINING | members]}


def without(member: str) -> dict[str, Any]:
    """Return a body with one good training that lacks a member."""
    return {"items": [{name: value for name, value in TRAINING.items() if name != member}]}


def of_provider(**members: Node) -> dict[str, Any]:
    """Return a body with one good training in whose reference to a provider these members are set."""
    return changed(trainingProvider={"enterpriseNumber": "1999000348", "trainingKey": "first-aid-2023"} | members)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(sent, id=name)
        for name, sent in {
            "the good one": changed(),
            "no training": {"items": []},
            "the same training twice": {"items": [TRAINING, TRAINING]},
            "many trainings": {"items": [TRAINING] * 2000},
            "no financing": without("financing"),
            "no external reference": without("externalReference"),
            "nothing of a training provider": without("trainingProvider"),
            "a provider without its leading zero": of_provider(enterpriseNumber="880820673"),
            "the shortest key": of_provider(trainingKey="7"),
            "the longest key": of_provider(trainingKey="x" * 64),
            "a key of all kinds of characters": of_provider(trainingKey="A.b_c~d-9"),
            "a name of one letter": changed(name="é"),
            "a name in three languages": changed(name="Sécurité, coördinatie, geïntegreerd, Straße"),
            "a name with blanks around": changed(name=" First aid "),
            "the longest name": changed(name="ß" * 250),
            "the longest name, outside the basic plane": changed(name="\U0001d538" * 250),
            "the longest financing": changed(financing="x" * 100),
            "the longest reference": changed(externalReference="x" * 100),
            "a leap day": changed(startDate="2024-02-29"),
            "one day": changed(startDate="2023-03-07"),
            "hours": changed(duration={"value": 2, "unit": "hours"}),
            "a part of a day": changed(duration={"value": 0.25, "unit": "days"}),
            "the longest duration": changed(duration={"value": 8784, "unit": "hours"}),
            "informal": changed(type="informal"),
            "planned": changed(status="planned"),
            "no certificate": changed(certificate={"obtained": False}),
            "a certificate without end": changed(certificate={"obtained": True}),
            "not counted": changed(countsForIndividualRight=False),
        }.items()
    ],
)
def test_a_good_body_is_accepted(sent: Node) -> None:
    """A body within the contract's limits is right, as a request and as an answer."""
    validator(CONTRACT, REQUEST).validate(sent)
    validator(CONTRACT, ANSWER).validate(
        sent | {"self": "https://mock.example/REST/trainings", "total": len(sent["items"])}
    )


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(sent, id=name)
        for name, sent in {
            "a list": [TRAINING],
            "nothing": {},
            "items null": {"items": None},
            "items an object": {"items": TRAINING},
            "a training null": {"items": [None]},
            "an empty training": {"items": [{}]},
            "one training of two wrong": {"items": [TRAINING, {}]},
            "another member beside items": changed() | {"total": 1},
            "another member": changed(cost=100),
            "another member in the duration": changed(duration={"value": 2, "unit": "days", "total": 2}),
            "another member in the certificate": changed(certificate={"obtained": True, "name": "EHBO"}),
            "a member in another case": changed(Financing="sector fund"),
            "an empty name": changed(name=""),
            "a blank name": changed(name="   "),
            "a name of other blanks": changed(name="\t\u00a0\u3000\n"),
            "a name too long": changed(name="ß" * 251),
            "a name of a number": changed(name=5),
            "a start with a time": changed(startDate="2023-03-06T00:00:00Z"),
            "a start in Belgian order": changed(startDate="06/03/2023"),
            "a start that does not exist": changed(startDate="2023-02-29"),
            "an end that does not exist": changed(endDate="2023-04-31"),
            "an empty end": changed(endDate=""),
            "a bare duration": changed(duration=2),
            "a duration without value": changed(duration={"unit": "days"}),
            "a duration without unit": changed(duration={"value": 2}),
            "a duration of nothing": changed(duration={"value": 0, "unit": "days"}),
            "a negative duration": changed(duration={"value": -1, "unit": "days"}),
            "a duration too long": changed(duration={"value": 8784.5, "unit": "hours"}),
            "a duration in text": changed(duration={"value": "2", "unit": "days"}),
            "another unit": changed(duration={"value": 2, "unit": "weeks"}),
            "a unit in another case": changed(duration={"value": 2, "unit": "Days"}),
            "another type": changed(type="online"),
            "another status": changed(status="cancelled"),
            "a bare certificate": changed(certificate=True),
            "a certificate without answer": changed(certificate={"validUntil": "2026-03-07"}),
            "an answer in text": changed(certificate={"obtained": "true"}),
            "a validity that does not exist": changed(certificate={"obtained": True, "validUntil": "2023-02-29"}),
            "counted in text": changed(countsForIndividualRight="yes"),
            "an empty financing": changed(financing=""),
            "a blank financing": changed(financing=" "),
            "a financing too long": changed(financing="x" * 101),
            "an empty reference": changed(externalReference=""),
            "a blank reference": changed(externalReference=" "),
            "a reference too long": changed(externalReference="x" * 101),
            "a bare key": changed(trainingProvider="first-aid-2023"),
            "a provider without key": changed(trainingProvider={"enterpriseNumber": "1999000348"}),
            "a key without provider": changed(trainingProvider={"trainingKey": "first-aid-2023"}),
            "another member beside the key": of_provider(name="Demo"),
            "a provider's number too short": of_provider(enterpriseNumber="19990003"),
            "an empty key": of_provider(trainingKey=""),
            "a key too long": of_provider(trainingKey="x" * 65),
            "a key of two segments": of_provider(trainingKey="first/aid"),
            "a key that begins with a dot": of_provider(trainingKey=".."),
            "a key with an accent": of_provider(trainingKey="sécurité"),
            "a key of a number": of_provider(trainingKey=7),
        }.items()
    ],
)
def test_a_bad_body_is_refused(sent: Node) -> None:
    """A body that differs from the good one in one thing is wrong when that thing is outside the contract."""
    assert not validator(CONTRACT, REQUEST).is_valid(sent)


@pytest.mark.parametrize("member", sorted(TRAINING.keys() - OPTIONAL))
def test_a_missing_member_is_refused(member: str) -> None:
    """All members but financing and the two references are required."""
    assert not validator(CONTRACT, REQUEST).is_valid(without(member))


@pytest.mark.parametrize("member", sorted(TRAINING))
def test_null_is_refused(member: str) -> None:
    """A member without value is left out, never null."""
    assert not validator(CONTRACT, REQUEST).is_valid(changed(**{member: None}))


WARNING: Final = {
    "type": "urn:problem-type:belgif:input-validation:invalidInput",
    "title": "Invalid input",
    "detail": "This training is planned, and its last day is over",
    "in": "body",
    "name": "items[0].endDate",
}


@pytest.mark.parametrize(
    ("warnings", "accepted"),
    [
        ([], True),
        ([WARNING], True),
        ([WARNING | {"value": "2023-03-07"}], True),
        ([WARNING | {"href": "https://www.belgif.be/specification/rest/api-guide/issues/invalidInput.html"}], True),
        *(([{name: text for name, text in WARNING.items() if name != left_out}], False) for left_out in WARNING),
        ([WARNING | {"in": "cookie"}], False),
        (WARNING, False),
    ],
)
def test_warnings_are_issues_of_an_answer(warnings: Node, accepted: bool) -> None:  # noqa: FBT001 - as above
    """An answer may say what is doubtful in the list, each with its kind and its place."""
    told = changed() | {"self": "https://mock.example/REST/trainings", "total": 1, "warnings": warnings}
    assert accepted == validator(CONTRACT, ANSWER).is_valid(told)


def test_warnings_are_not_sent() -> None:
    """A client cannot send warnings back."""
    assert not validator(CONTRACT, REQUEST).is_valid(changed() | {"warnings": []})
