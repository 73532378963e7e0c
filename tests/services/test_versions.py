"""One contract in every version, form and spelling gives one set of answers, decisions and stored documents."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Starter
from tests.services.rewritten_contracts import Spelling, rewritten, write
from tests.support import Caller, Reply, assertion, form, key

BASE = "/REST/careerpro-federal-learning-account/v1"
PROVIDERS = "/REST/careerpro-federal-learning-account-training-provider/v1"
OWN, SECRETARIAT, TRAINER, OTHER = "1999000150", "1999000249", "1999000348", "1999000447"
FORMER, CLOSED = "1999000546", "1999000645"
SSIN, STRANGER = "65111899997", "62010199986"

# Beside the world of all tests: a mandate that is active and one that has ended, and an employer of few employees.
WORLD = f"""
[[enterprises]]
number = "{FORMER}"
name = "Former mandator"
capacities = ["employer"]

[[enterprises]]
number = "{CLOSED}"
name = "Employer of one"
capacities = ["employer"]
employments = "closed"

[[employments]]
enterprise = "{CLOSED}"
ssin = "{SSIN}"

[[accounts]]
name = "closed"
client_id = "closed"
enterprise = "{CLOSED}"
capacity = "employer"
permissions = ["fla"]
certificates = [{{ file = "rsa-2048.cer" }}]

[[mandates]]
mandator = "{OWN}"
mandatary = "{SECRETARIAT}"
service = "fla"
start = "2025Q1"

[[mandates]]
mandator = "{FORMER}"
mandatary = "{SECRETARIAT}"
service = "fla"
start = "2025Q1"
end = "2026Q2"
"""

TRAINING: dict[str, Any] = {
    "name": "Gevaarlijke stoffen, module é",
    "startDate": "2025-03-03",
    "endDate": "2025-03-04",
    "duration": {"value": 7.6, "unit": "hours"},
    "type": "formal",
    "status": "followed",
    "certificate": {"obtained": True, "validUntil": "2030-03-04"},
    "countsForIndividualRight": True,
}
JSON = "application/json"

Issue = tuple[str, str, str]
"""Kind, location and name: the parameters are called as in our contract."""


@dataclass(frozen=True)
class Outcome:
    """What matters of an answer, and of the decision behind it."""

    status: int
    problem: str | None = None
    refused_by: str | None = None
    issues: frozenset[Issue] = frozenset()


@dataclass(frozen=True)
class Case:
    """A call, and what has to come of it."""

    expected: Outcome
    account: str | None = "employer_rsa"
    method: str = "GET"
    employer: str = OWN
    ssin: str = SSIN
    year: str = "2025"
    query: str = ""
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tail: str = "/trainings"
    where: str | None = None
    """A path of another API, in place of all that says one."""


def good(**members: Any) -> Case:
    """Return a case that is answered with 200."""
    return Case(Outcome(200), **members)


def put(body: Any, expected: Outcome | None = None, **members: Any) -> Case:
    """Return a case that puts a list."""
    return Case(expected or Outcome(200), method="PUT", body=body, **members)


def refused(status: int, problem: str, by: str, *issues: Issue, **members: Any) -> Case:
    """Return a case that is refused."""
    return Case(Outcome(status, problem, by, frozenset(issues)), **members)


def bad_path(name: str, kind: str, **members: Any) -> Case:
    """Return a case whose path is refused for one parameter."""
    return refused(400, "belgif:badRequest", "API-PARAM-1", (kind, "path", name), **members)


def bad_body(kind: str, name: str, change: Callable[[dict[str, Any]], object]) -> Case:
    """Return a case that puts a list with one thing wrong in its second training."""
    training = copy.deepcopy(TRAINING)
    change(training)
    expected = Outcome(400, "belgif:badRequest", "API-BODY-2", frozenset({(kind, "body", name)}))
    return put({"items": [TRAINING, training]}, expected)


def against_rule(requirement: str, kind: str, name: str, **members: Any) -> Case:
    """Return a case that puts a training that is good by the contract, and breaks a rule of the service."""
    expected = Outcome(400, "belgif:badRequest", requirement, frozenset({(kind, "body", name)}))
    return put({"items": [TRAINING | members]}, expected)


def no_json(raw: bytes) -> Case:
    """Return a case whose body is no JSON."""
    return refused(400, "belgif:badRequest", "API-BODY-1", (SCHEMA, "body", ""), method="PUT", raw=raw)


def not_supported(**headers: str) -> Case:
    """Return a case whose body is of another kind."""
    return refused(
        415, "about:blank", "GW-MEDIA-1", method="PUT", body={"items": []}, headers={"content-type": JSON} | headers
    )


def not_permitted(account: str, employer: str, by: str) -> Case:
    """Return a case of an account that may not act for an employer."""
    return refused(403, "belgif:missingPermission", by, account=account, employer=employer)


OF_2024 = {"items": [TRAINING | {"startDate": "2024-12-30", "endDate": "2025-01-03"}]}
SCHEMA, UNKNOWN = "schemaViolation", "unknownInput"
ONE, TWO = {"items": [TRAINING]}, {"items": [TRAINING | {"name": "First"}, TRAINING | {"name": "Second"}]}

CASES: dict[str, Case] = {
    # Who may act for whom.
    "an employer reads what is not there yet": good(),
    "an employer sends": put(ONE),
    "what was sent is read": good(),
    "the same list again": put(ONE),
    "a longer list takes its place": put(TWO),
    "what was sent last is read": good(),
    "an employer with two permissions": good(account="employer_both"),
    "an elliptic key": good(account="employer_p384"),
    "another employer for its own number": put(ONE, account="another", employer=OTHER),
    "a secretariat with a mandate": put(OF_2024, account="secretariat", year="2024"),
    "a service provider with a mandate": good(account="provider", year="2024"),
    "a number without its zero": not_permitted("employer_rsa", "880820673", "ACCESS-OWN-1"),
    "an employer for another": not_permitted("employer_rsa", OTHER, "ACCESS-OWN-1"),
    "an employer for one that nobody knows": not_permitted("employer_rsa", "0880820673", "ACCESS-OWN-1"),
    "another employer for the first": not_permitted("another", OWN, "ACCESS-OWN-1"),
    "a mandate that ended": not_permitted("secretariat", FORMER, "ACCESS-MANDATE-1"),
    "no mandate": not_permitted("secretariat", OTHER, "ACCESS-MANDATE-1"),
    "a mandatary for itself": not_permitted("secretariat", SECRETARIAT, "ACCESS-MANDATARY-1"),
    "a training provider": refused(403, "belgif:missingScope", "GW-SCOPE-1", account="trainer", employer=TRAINER),
    "a token for another service": refused(403, "belgif:missingScope", "GW-SCOPE-1", account="employer_dimona"),
    "no token": refused(401, "belgif:noAccessToken", "GW-TOKEN-1", account=None),
    "a token that is none": refused(
        401, "belgif:invalidAccessToken", "GW-TOKEN-3", account=None, headers={"authorization": "Bearer x.y.z"}
    ),
    "an employee in service": good(account="closed", employer=CLOSED),
    "an employee who is not in service": refused(
        404,
        "belgif:resourceNotFound",
        "ACCESS-EMPLOYMENT-1",
        ("", "path", "ssin"),
        account="closed",
        employer=CLOSED,
        ssin=STRANGER,
    ),
    "years are kept apart": good(year="2023"),
    "employees are kept apart": good(ssin=STRANGER),
    # Parameters.
    "a wrong check digit of the enterprise": bad_path("enterpriseNumber", "invalidStructure", employer="1999000151"),
    "an enterprise number with dots": bad_path("enterpriseNumber", SCHEMA, employer="1999.000.150"),
    "an enterprise number of eleven digits": bad_path("enterpriseNumber", SCHEMA, employer="11999000150"),
    "a wrong check digit of the SSIN": bad_path("ssin", "invalidStructure", ssin="65111899998"),
    "an SSIN with dashes": bad_path("ssin", SCHEMA, ssin="651118-999-97"),
    "a year in words": bad_path("year", SCHEMA, year="now"),
    "a year before the first": bad_path("year", SCHEMA, year="2022"),
    "a year with a zero in front": bad_path("year", SCHEMA, year="02025"),
    "everything in the path is wrong": refused(
        400,
        "belgif:badRequest",
        "API-PARAM-1",
        (SCHEMA, "path", "enterpriseNumber"),
        (SCHEMA, "path", "ssin"),
        (SCHEMA, "path", "year"),
        employer="x",
        ssin="x",
        year="x",
    ),
    "an unknown query parameter": refused(
        400, "belgif:badRequest", "API-PARAM-1", (UNKNOWN, "query", "page"), query="?page=2"
    ),
    "a trace id that is too long": refused(
        400,
        "belgif:badRequest",
        "API-PARAM-1",
        (SCHEMA, "header", "BelGov-Trace-Id"),
        headers={"belgov-trace-id": "x" * 37},
    ),
    "a header that nobody knows": good(headers={"x-other": "1"}),
    # Routes.
    "a path that is not there": refused(404, "belgif:resourceNotFound", "GW-ROUTE-1", tail="/courses"),
    "a method that is not there": refused(405, "about:blank", "GW-METHOD-1", method="DELETE"),
    # Bodies.
    "an empty list": put({"items": []}, year="2026"),
    "a name that is missing": bad_body(SCHEMA, "items[1].name", lambda one: one.pop("name")),
    "an empty name": bad_body(SCHEMA, "items[1].name", lambda one: one.update(name="")),
    "a name without end": bad_body(SCHEMA, "items[1].name", lambda one: one.update(name="x" * 251)),
    "null for a name": bad_body(SCHEMA, "items[1].name", lambda one: one.update(name=None)),
    "a date that is none": bad_body(SCHEMA, "items[1].startDate", lambda one: one.update(startDate="2025-02-30")),
    "a duration of nothing": bad_body(
        SCHEMA, "items[1].duration.value", lambda one: one.update(duration={"value": 0, "unit": "hours"})
    ),
    "a duration in words": bad_body(
        SCHEMA, "items[1].duration.value", lambda one: one.update(duration={"value": "7", "unit": "hours"})
    ),
    "an unknown unit": bad_body(
        SCHEMA, "items[1].duration.unit", lambda one: one.update(duration={"value": 7, "unit": "weeks"})
    ),
    "an unknown type": bad_body(SCHEMA, "items[1].type", lambda one: one.update(type="other")),
    "half a certificate": bad_body(
        SCHEMA, "items[1].certificate.obtained", lambda one: one.update(certificate={"validUntil": "2030-03-04"})
    ),
    "an unknown member": bad_body(UNKNOWN, "items[1].extra", lambda one: one.update(extra=1)),
    "an unknown member deep inside": bad_body(
        UNKNOWN, "items[1].certificate.extra", lambda one: one["certificate"].update(extra=1)
    ),
    "no list": put(
        {"items": {}}, Outcome(400, "belgif:badRequest", "API-BODY-2", frozenset({(SCHEMA, "body", "items")}))
    ),
    "a list at the top": put(
        [TRAINING], Outcome(400, "belgif:badRequest", "API-BODY-2", frozenset({(SCHEMA, "body", "")}))
    ),
    "nothing in an object": put(
        {}, Outcome(400, "belgif:badRequest", "API-BODY-2", frozenset({(SCHEMA, "body", "items")}))
    ),
    "no body": no_json(b""),
    "half a body": no_json(b'{"items": ['),
    "a member twice": no_json(b'{"items": [], "items": []}'),
    "not a number": no_json(b'{"items": [NaN]}'),
    "no media type": not_supported(**{"content-type": ""}),
    "another media type": not_supported(**{"content-type": "text/plain"}),
    "another charset": not_supported(**{"content-type": "application/json; charset=iso-8859-1"}),
    "a compressed body": not_supported(**{"content-encoding": "gzip"}),
    # Rules of the service beyond the contract, and what others sent.
    "an end before its start": against_rule(
        "FLA-PERIOD-1", "invalidPeriod", "items[0].endDate", startDate="2025-03-04", endDate="2025-03-03"
    ),
    "a training of another year": against_rule(
        "FLA-PERIOD-2", "outOfRange", "items[0].endDate", startDate="2024-03-03", endDate="2024-03-04"
    ),
    "more hours than there are": against_rule(
        "FLA-DURATION-2", "outOfRange", "items[0].duration.value", duration={"value": 49, "unit": "hours"}
    ),
    "a year to come": put(
        {"items": []},
        Outcome(400, "belgif:badRequest", "FLA-YEAR-1", frozenset({("outOfRange", "path", "year")})),
        year="2028",
    ),
    "two of a kind, with a warning": put({"items": [TRAINING, TRAINING]}, ssin=STRANGER),
    "a training provider sends": put(
        {
            "name": "Gabelstapler",
            "startDate": "2025-05-05",
            "endDate": "2025-05-05",
            "duration": {"value": 1, "unit": "days"},
            "type": "formal",
            "status": "completed",
            "participants": [{"ssin": SSIN, "employer": OWN}],
        },
        Outcome(201),
        account="trainer",
        where=f"{PROVIDERS}/trainingProviders/{TRAINER}/trainings/forklift",
    ),
    "the employer reads what a provider sent": good(),
    "nothing of what was refused is kept": good(),
}

SPELLINGS: dict[str, Spelling] = {
    "as ours": Spelling(),
    "employerId, insz, calendarYear": Spelling("employerId", "insz", "calendarYear"),
    "cbeNumber, niss, jaar": Spelling("cbeNumber", "niss", "jaar"),
    "kboNumber, employeeId, year": Spelling("kboNumber", "employeeId", "year"),
    "by the segment before": Spelling("id", "person", "period"),
}
VERSIONS = ("2.0", "3.0", "3.1")
FORMS = ("json", "yaml", "files")
REWRITINGS = [
    pytest.param(version, written, name, id=f"{version} in {written}, {name}")
    for place, name in enumerate(SPELLINGS)
    for turn, version in enumerate(VERSIONS)
    for written in (FORMS if name == "as ours" else (FORMS[(place + turn) % 3],))
]


@dataclass(frozen=True)
class Told:
    """An answer as it came, but for what is new each time, and with our names of the parameters."""

    outcome: Outcome
    media_type: str
    body: Any


def path_of(case: Case) -> str:
    """Return the path of a case."""
    if case.where is not None:
        return case.where
    return f"{BASE}/employers/{case.employer}/employees/{case.ssin}/calendarYears/{case.year}{case.tail}{case.query}"


def told(reply: Reply, caller: Caller, spelling: Spelling) -> Told:
    """Return what an answer says."""
    ours = {theirs: mine for mine, theirs in spelling.names.items()}
    body = reply.json
    body.pop("instance", None)
    issues = body.get("issues", [])
    for issue in issues:
        if issue["in"] == "path":
            issue["name"] = ours[issue["name"]]
    outcome = Outcome(
        reply.status,
        body["type"].removeprefix("urn:problem-type:") if reply.status >= 400 else None,
        caller.refused_by,
        frozenset((issue.get("type", "").rpartition(":")[2], issue["in"], issue["name"]) for issue in issues),
    )
    return Told(outcome, reply.headers["content-type"], body)


def answers(caller: Caller, spelling: Spelling) -> dict[str, Told]:
    """Make every call of the table, one after the other, and return what came of each."""
    tokens: dict[str, str] = {}
    found: dict[str, Told] = {}
    for name, case in CASES.items():
        headers = dict(case.headers)
        if case.account is not None:
            if case.account not in tokens:
                tokens[case.account] = token_of(caller, case.account)
            headers["authorization"] = f"Bearer {tokens[case.account]}"
        body = case.raw if case.raw is not None else b""
        if case.body is not None:
            body = json.dumps(case.body, ensure_ascii=False).encode()
        if case.method == "PUT":
            headers.setdefault("content-type", JSON)
        reply = caller.call(case.method, path_of(case), body, headers)
        found[name] = told(reply, caller, spelling)
    return found


def token_of(caller: Caller, account: str) -> str:
    """Return a token of an account with the key that is registered for it."""
    if account != "employer_p384":
        return caller.token(account, key(number=1) if account == "another" else None)
    elliptic = assertion(iss=account, sub=account, algorithm="ES384", signing_key=key("ec-p384"))
    return str(caller.post(form(elliptic)).json["access_token"])


def stored(caller: Caller) -> dict[str, Any]:
    """Return the bodies that are stored, by their paths."""
    state = caller.call("GET", "/_mock/worlds/default/state").json
    return {document["path"]: (document["api"], document["body"]) for document in state["documents"]}


Made = tuple[dict[str, Told], dict[str, Any]]
_MADE_BY_OURS: list[Made] = []


def made_by_ours(started: Starter) -> Made:
    """Return the answers that our own file gives, and what is stored then: they are the same for every test."""
    if not _MADE_BY_OURS:
        caller = started(WORLD)
        _MADE_BY_OURS.append((answers(caller, Spelling()), stored(caller)))
    return _MADE_BY_OURS[0]


def test_our_own_contract_gives_what_is_expected(started: Starter) -> None:
    """The table is right for the contract as we wrote it, with its extensions."""
    found, documents = made_by_ours(started)

    assert {one: told.outcome for one, told in found.items()} == {one: case.expected for one, case in CASES.items()}
    assert len(found["the employer reads what a provider sent"].body["items"]) == 3
    assert "warnings" in found["two of a kind, with a warning"].body
    assert len(documents) == 6


@pytest.mark.parametrize(("version", "written", "name"), REWRITINGS)
def test_every_rewriting_gives_the_same_answers(
    started: Starter, tmp_path: Path, version: str, written: str, name: str
) -> None:
    """Status, problem, issues, the failed requirement, the whole body and what is stored are those of our own file."""
    expected, documents = made_by_ours(started)
    spelling = SPELLINGS[name]
    path = write(tmp_path, rewritten(version, spelling), written)
    caller = started(WORLD, contract=(f"fla-employer={path}",))

    found = answers(caller, spelling)

    assert {one: told.outcome for one, told in found.items()} == {one: case.expected for one, case in CASES.items()}
    assert found == expected
    assert stored(caller) == documents
