"""Other services behind the channel: each with its own permission, scopes, mandates and contract."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.app import StartError
from tests.conftest import Starter
from tests.support import Caller, Reply, assertion, form

OWN, SECRETARIAT, OTHER = "1999000150", "1999000249", "1999000447"
SSIN, STRANGER = "65111899997", "62010199986"
FLA = f"/REST/careerpro-federal-learning-account/v1/employers/{OWN}/employees/{SSIN}/calendarYears/2025/trainings"
FLA_SCOPE = "scope:sigedis:gestion:careerpro-federal-learning-account:employer"
DIMONA = "/REST/dimona/v2"
Json = dict[str, Any]


def parameter(name: str, where: str = "path") -> Json:
    """Return a parameter."""
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}}


def operation(*parameters: Json, body: bool = False) -> Json:
    """Return an operation that answers with any object, and takes one."""
    content = {"application/json": {"schema": {"type": "object", "properties": {"kind": {"type": "string"}}}}}
    made: Json = {"parameters": list(parameters), "responses": {"200": {"description": "Done.", "content": content}}}
    return made | ({"requestBody": {"required": True, "content": content}} if body else {})


WORK = "/employers/{employerId}/workers/{insz}/declarations/{reference}"


def contract(base: str = DIMONA, **members: Any) -> Json:
    """Return a contract about declarations, with operations of every kind of guard."""
    work = (parameter("employerId"), parameter("insz"), parameter("reference"))
    marked = parameter("owner") | {"x-fla-mock": {"holds": "enterpriseNumber"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Declarations", "version": "2"},
        "servers": [{"url": base}],
        "paths": {
            WORK: {"get": operation(*work), "put": operation(*work, body=True)},
            "/declarations": {"get": operation(parameter("enterpriseNumber", "query"))},
            "/periods/{period}": {"get": operation(parameter("period"))},
            "/dossiers/{dossier}": {"get": operation(parameter("dossier"))},
            "/marked/{owner}": {"get": operation(marked)},
        },
    } | members


def write(folder: Path, document: Json, name: str = "declarations") -> Path:
    """Write a contract."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the contract about declarations."""
    return write(tmp_path, contract())


def call(
    caller: Caller, account: str, path: str, method: str = "GET", body: Any = None, *, scope: str | None = None
) -> Reply:
    """Make a call as an account, with a token for all its scopes or for one."""
    headers = {"authorization": f"Bearer {caller.token(account, scope=scope)}"}
    if body is None:
        return caller.call(method, path, b"", headers)
    return caller.call(method, path, json.dumps(body).encode(), headers | {"content-type": "application/json"})


def work(employer: str = OWN, ssin: str = SSIN) -> str:
    """Return the path of a declaration."""
    template = WORK.replace("{reference}", "1")
    return f"{DIMONA}{template.replace('{employerId}', employer).replace('{insz}', ssin)}"


def mandate(service: str) -> str:
    """Return a mandate of the employer to the secretariat as TOML."""
    return f'[[mandates]]\nmandator = "{OWN}"\nmandatary = "{SECRETARIAT}"\nservice = "{service}"\nstart = "2025Q1"\n'


def account(name: str, permissions: str, capacity: str = "employer", enterprise: str = OWN) -> str:
    """Return an account as TOML."""
    return (
        f'[[accounts]]\nname = "{name}"\nclient_id = "{name}"\nenterprise = "{enterprise}"\n'
        f'capacity = "{capacity}"\npermissions = ["{permissions}"]\ncertificates = [{{ file = "rsa-2048.cer" }}]\n'
    )


def kind(reply: Reply) -> tuple[int, str]:
    """Return the status, and the type of a problem."""
    return reply.status, reply.json.get("type", "").removeprefix("urn:problem-type:belgif:")


MISSING_SCOPE, MISSING_PERMISSION = (403, "missingScope"), (403, "missingPermission")


def test_a_token_of_one_service_is_refused_by_the_other(started: Starter, file: Path) -> None:
    """Both ways, with the scopes that would do; a token with both scopes opens both."""
    caller = started(service=(f"dimona={file}",))

    to_fla, to_dimona = call(caller, "employer_dimona", FLA), call(caller, "employer_rsa", f"{DIMONA}/periods/1")

    assert kind(to_fla) == kind(to_dimona) == MISSING_SCOPE
    assert FLA_SCOPE in to_fla.json["requiredScopes"]
    assert to_dimona.json["requiredScopes"] == ["scope:dimona"]
    assert 'scope="scope:dimona"' in to_dimona.headers["www-authenticate"]
    assert caller.refused_by == "GW-SCOPE-1"
    assert [call(caller, "employer_both", path).status for path in (FLA, f"{DIMONA}/periods/1")] == [200, 200]


def test_a_token_that_was_asked_for_one_scope_opens_one_service(started: Starter, file: Path) -> None:
    """What the account may do counts for nothing: the token says what it is for."""
    caller = started(service=(f"dimona={file}",))

    replies = [call(caller, "employer_both", path, scope="scope:dimona") for path in (FLA, f"{DIMONA}/periods/1")]

    assert [reply.status for reply in replies] == [403, 200]


@pytest.mark.parametrize(("given", "statuses"), [("fla", (200, 403)), ("dimona", (403, 200))])
def test_a_mandate_is_for_one_service(started: Starter, file: Path, given: str, statuses: tuple[int, int]) -> None:
    """An active mandate for the one does not open the other."""
    caller = started(mandate(given), service=(f"dimona={file}",))

    replies = [call(caller, "secretariat", path) for path in (FLA, work())]

    found = tuple(reply.status for reply in replies)
    # What is not there yet is 404 to those who may know.
    assert tuple(200 if status == 404 else status for status in found) == statuses
    assert [kind(reply) for reply in replies if reply.status == 403] == [MISSING_PERMISSION]


def test_a_mandatary_writes_for_its_mandator(started: Starter, file: Path) -> None:
    """With a mandate for the service, what the mandatary puts is what the employer reads."""
    caller = started(mandate("dimona"), service=(f"dimona={file}",))

    put = call(caller, "secretariat", work(), "PUT", {"kind": "in"})

    assert put.status == 200
    assert call(caller, "employer_dimona", work()).json == {"kind": "in"}
    assert kind(call(caller, "secretariat", work(OTHER), "PUT", {"kind": "in"})) == MISSING_PERMISSION


def test_a_permission_that_is_not_ticked_gives_no_scope(started: Starter, file: Path) -> None:
    """Who asks for the scope of a service without its permission gets invalid_scope; without asking, it is left out."""
    caller = started(service=(f"dimona={file}",))

    asked = caller.post(form(_assertion(caller), scope="scope:dimona"))

    assert (asked.status, asked.json["error"]) == (400, "invalid_scope")
    assert kind(call(caller, "employer_rsa", f"{DIMONA}/periods/1")) == MISSING_SCOPE


def _assertion(caller: Caller) -> str:
    return assertion(exp=int(caller.clock.now()) + 300)


def test_an_operation_without_an_enterprise_number_is_open_to_the_scope(started: Starter, file: Path) -> None:
    """Any account with the scope may call it, for whomever."""
    caller = started(service=(f"dimona={file}",))

    for who in ("employer_dimona", "secretariat"):
        assert call(caller, who, f"{DIMONA}/periods/{OTHER}").status == 200


def test_an_employer_acts_for_its_own_number_everywhere(started: Starter, file: Path) -> None:
    """The access table is the one of the channel; parameters are known by their names."""
    caller = started(service=(f"dimona={file}",))

    assert call(caller, "employer_dimona", work(), "PUT", {"kind": "in"}).status == 200
    assert kind(call(caller, "employer_dimona", work(OTHER), "PUT", {"kind": "in"})) == MISSING_PERMISSION
    assert caller.refused_by == "ACCESS-OWN-1"


@pytest.mark.parametrize(("phase", "read", "written"), [("consultation", 200, 403), ("closed", 410, 410)])
def test_the_end_of_one_service_is_not_that_of_others(
    started: Starter, file: Path, phase: str, read: int, written: int
) -> None:
    """A world may stand in the years when the FLA ends; what else is behind the channel goes on."""
    caller = started(f'[settings]\nphase = "{phase}"\n', service=(f"dimona={file}",))

    fla = [call(caller, "employer_both", FLA, method, body) for method, body in (("GET", None), ("PUT", {"items": []}))]
    other = [call(caller, "employer_both", work(), method, body) for method, body in (("PUT", {}), ("GET", None))]

    assert [reply.status for reply in fla] == [read, written]
    assert [reply.status for reply in other] == [200, 200]


@pytest.mark.parametrize(("path", "name"), [(work("1999000151"), "employerId"), (work(ssin="65111899998"), "insz")])
def test_check_digits_are_judged_in_every_contract(started: Starter, file: Path, path: str, name: str) -> None:
    """A parameter that holds an identifier has to be one, whatever its schema says."""
    reply = call(started(service=(f"dimona={file}",)), "employer_dimona", path)

    assert kind(reply) == (400, "badRequest")
    assert [(issue["in"], issue["name"]) for issue in reply.json["issues"]] == [("path", name)]


def test_employment_is_looked_at_in_every_contract(started: Starter, file: Path) -> None:
    """In a closed world a person who is not in service is unknown to any service."""
    closed = f'[settings]\nemployments = "closed"\n[[employments]]\nenterprise = "{OWN}"\nssin = "{SSIN}"\n'
    caller = started(closed, service=(f"dimona={file}",))

    known, unknown = (call(caller, "employer_dimona", work(ssin=one), "PUT", {}) for one in (SSIN, STRANGER))

    assert (known.status, kind(unknown)) == (200, (404, "resourceNotFound"))
    assert caller.refused_by == "ACCESS-EMPLOYMENT-1"


QUERIES: Mapping[str, tuple[str, int]] = {
    "its own": (f"?enterpriseNumber={OWN}", 200),
    "another's": (f"?enterpriseNumber={OTHER}", 403),
    "one of wrong digits": ("?enterpriseNumber=1999000151", 400),
    "none": ("", 200),
}


@pytest.mark.parametrize("name", QUERIES)
def test_an_enterprise_number_in_the_query_is_one(started: Starter, file: Path, name: str) -> None:
    """Where it is sent it is judged; where it is optional and not sent, the scope is enough."""
    query, status = QUERIES[name]

    assert (
        call(started(service=(f"dimona={file}",)), "employer_dimona", f"{DIMONA}/declarations{query}").status == status
    )


def test_the_contract_may_say_what_a_parameter_holds(started: Starter, file: Path) -> None:
    """x-fla-mock guards a route whose parameter has a name that tells nothing."""
    caller = started(service=(f"dimona={file}",))

    replies = [call(caller, "employer_dimona", f"{DIMONA}/marked/{number}") for number in (OWN, OTHER)]

    assert [reply.status for reply in replies] == [200, 403]


@pytest.mark.parametrize("written", ["dossier=enterpriseNumber", "dimona:dossier=enterpriseNumber"])
def test_a_setting_may_say_what_a_parameter_holds(started: Starter, file: Path, written: str) -> None:
    """Without it the route is open to the scope, with it the number in it decides."""
    open_, guarded = started(service=(f"dimona={file}",)), started(service=(f"dimona={file}",), parameter=(written,))
    path = f"{DIMONA}/dossiers/{OTHER}"

    assert [call(caller, "employer_dimona", path).status for caller in (open_, guarded)] == [200, 403]
    assert call(guarded, "employer_dimona", path.replace(OTHER, OWN)).status == 200


def test_a_setting_may_say_that_a_parameter_holds_nothing(started: Starter, file: Path) -> None:
    """It goes before the name and before what the contract says."""
    caller = started(service=(f"dimona={file}",), parameter=("owner=nothing",))

    assert call(caller, "employer_dimona", f"{DIMONA}/marked/{OTHER}").status == 200


def test_a_setting_for_a_parameter_that_nobody_has_is_refused_at_start(started: Starter, file: Path) -> None:
    """A typing mistake does not open a route."""
    with pytest.raises(StartError, match="dosier"):
        started(service=(f"dimona={file}",), parameter=("dosier=enterpriseNumber",))


def test_a_contract_may_name_its_own_scopes(started: Starter, tmp_path: Path) -> None:
    """Every capacity gets the scopes that the operations name, and an operation asks for its own."""
    document = contract("/REST/care/v1")
    document["paths"]["/periods/{period}"]["get"]["security"] = [{"oauth": ["scope:care:read"]}]
    document["paths"]["/dossiers/{dossier}"]["get"]["security"] = [{"oauth": ["scope:care:write"]}]
    flow = {"tokenUrl": "https://example.org/token", "scopes": {"scope:care:read": "", "scope:care:write": ""}}
    document["components"] = {"securitySchemes": {"oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}}}}
    caller = started(account("nurse", "care"), service=(f"care={write(tmp_path, document)}",))

    def status(path: str, scope: str | None) -> int:
        return call(caller, "nurse", f"/REST/care/v1{path}", scope=scope).status

    assert [status(path, None) for path in ("/periods/1", "/dossiers/1")] == [200, 200]
    assert [status(path, "scope:care:read") for path in ("/periods/1", "/dossiers/1")] == [200, 403]


def test_a_service_without_scopes_gets_one_of_its_name(started: Starter, tmp_path: Path) -> None:
    """A contract that names none is opened by the scope of the service."""
    path = write(tmp_path, contract("/REST/care/v1"))
    caller = started(account("nurse", "care"), service=(f"care={path}",))

    assert call(caller, "nurse", "/REST/care/v1/periods/1", scope="scope:care").status == 200
    assert kind(call(caller, "employer_both", "/REST/care/v1/periods/1")) == MISSING_SCOPE


SERVICES = """
[services.care]
contract = "declarations.json"
base_path = "/REST/home-care/v3"
permission = "Thuiszorg"
scopes = { employer = ["scope:care:employer"], social-secretariat = ["scope:care:agent"] }
one_mandatary = true
unknown_query = "ignore"
unknown_members = "refuse"
parameters = { dossier = "enterpriseNumber" }
"""


def test_a_world_file_may_say_all_of_a_service(started: Starter, tmp_path: Path) -> None:
    """Contract, base path, permission, scopes by capacity, mandates, parameters and how strict it is."""
    document = contract()
    del document["servers"]
    write(tmp_path, document)
    accounts = account("nurse", "care") + account("agent", "care", "social-secretariat", SECRETARIAT)
    caller = started(SERVICES + accounts + mandate("care"))
    base = "/REST/home-care/v3"
    place = work().removeprefix(DIMONA)

    (told,) = [one for one in caller.call("GET", "/_mock/services").json["items"] if one["name"] == "care"]
    assert (told["permission"], told["one_mandatary"]) == ("Thuiszorg", True)
    assert told["scopes"] == {"employer": ["scope:care:employer"], "social-secretariat": ["scope:care:agent"]}
    assert call(caller, "nurse", f"{base}/periods/1?more=1").status == 200
    assert call(caller, "nurse", f"{base}{place}", "PUT", {"kind": "in"}).status == 200
    assert call(caller, "agent", f"{base}{place}").json == {"kind": "in"}
    unknown = call(caller, "nurse", f"{base}{place}", "PUT", {"other": 1})
    assert [issue["name"] for issue in unknown.json["issues"]] == ["other"]
    assert [call(caller, "nurse", f"{base}/dossiers/{number}").status for number in (OWN, OTHER)] == [200, 403]
    assert caller.call("GET", "/_mock/worlds/default").json["apis"]["care"].endswith(base)


@pytest.mark.parametrize(("settings", "status"), [({}, 400), ({"unknown_query": "ignore"}, 200)])
def test_unknown_query_parameters_are_refused_unless_told_otherwise(
    started: Starter, file: Path, settings: dict[str, str], status: int
) -> None:
    """A setting says what they are to a contract that is not ours."""
    caller = started(service=(f"dimona={file}",), **settings)

    assert call(caller, "employer_dimona", f"{DIMONA}/periods/1?more=1").status == status


@pytest.mark.parametrize(("settings", "status"), [({}, 200), ({"unknown_members": "refuse"}, 400)])
def test_unknown_members_are_what_the_contract_says_unless_told_otherwise(
    started: Starter, file: Path, settings: dict[str, str], status: int
) -> None:
    """The contract leaves its objects open; a setting closes them."""
    caller = started(service=(f"dimona={file}",), **settings)

    assert call(caller, "employer_dimona", work(), "PUT", {"kind": "in", "other": 1}).status == status


def test_faults_and_the_journal_know_the_operations(started: Starter, file: Path) -> None:
    """A fault on an operation hits that operation, and the journal finds it by its name."""
    caller = started(service=(f"dimona={file}",))
    fault = {"operation": f"PUT {WORK}", "do": {"status": 503}, "parameters": {"employerId": OWN}}
    json_headers = {"content-type": "application/json"}
    added = caller.call("POST", "/_mock/worlds/default/faults", json.dumps(fault).encode(), json_headers)

    hit = call(caller, "employer_dimona", work(), "PUT", {"kind": "in"})
    missed = call(caller, "employer_dimona", f"{DIMONA}/periods/1")

    assert (added.status, hit.status, missed.status) == (201, 503, 200)
    assert "mock-fault" in hit.headers
    query = "operation=PUT%20" + WORK.replace("{", "%7B").replace("}", "%7D")
    found = caller.call("GET", f"/_mock/worlds/default/exchanges?{query}").json
    assert [(one["status"], one["client_id"]) for one in found["items"]] == [(503, "employer_dimona")]
