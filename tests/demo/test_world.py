"""The guide's examples, as the demo world tells them: the calls that pass and those that do not."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mock_server.certificates.loading import load_private_key
from mock_server.demo.manifest import manifest
from mock_server.settings import Settings
from mock_server.world.model import Account
from tests.support import NOW, Caller, Reply, assertion, form, start

BASE = "/REST/careerpro-federal-learning-account/v1"
TRAINERS = "/REST/careerpro-federal-learning-account-training-provider/v1"
FLA = "scope:sigedis:gestion:careerpro-federal-learning-account"


def body(year: int) -> bytes:
    """Return a list with one training in a year."""
    training = {
        "name": "Safety",
        "startDate": f"{year}-03-01",
        "endDate": f"{year}-03-01",
        "duration": {"value": 1, "unit": "days"},
        "type": "formal",
        "status": "followed",
        "certificate": {"obtained": False},
        "countsForIndividualRight": True,
    }
    return json.dumps({"items": [training]}).encode()


def account_of(demo: Caller, name: str) -> Account:
    """Return a demo account by its name."""
    assert demo.mock.demo is not None
    return next(account for account in demo.mock.demo.state.accounts if account.name == name)


def ask(demo: Caller, name: str, scope: str | None = None) -> Reply:
    """Ask for a token as a demo account, with its own key."""
    assert demo.mock.demo is not None
    client_id = account_of(demo, name).client_id
    key = load_private_key(demo.mock.demo.identities[name].files.key.read_bytes())
    assert isinstance(key, RSAPrivateKey)
    return demo.post(form(assertion(iss=client_id, sub=client_id, signing_key=key), scope=scope))


def put(demo: Caller, name: str, employer: str, ssin: str, year: int = 2025) -> int:
    """Send trainings as a demo account and return the status."""
    headers = {"authorization": f"Bearer {ask(demo, name).json['access_token']}", "content-type": "application/json"}
    where = f"{BASE}/employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"
    return demo.call("PUT", where, body(year), headers).status


def enterprise(demo: Caller, name: str) -> str:
    """Return the number of an enterprise of the demo world."""
    assert demo.mock.demo is not None
    return next(entry.number for entry in demo.mock.demo.state.enterprises if entry.name == name)


def employee(demo: Caller, employer: str) -> str:
    """Return an employee of an employer of the demo world."""
    assert demo.mock.demo is not None
    return next(entry.ssin for entry in demo.mock.demo.state.employments if entry.enterprise == employer)


def test_the_documented_call_succeeds_as_it_is_printed(demo: Caller) -> None:
    """The one call that the guide shows (G§7.3.1): nine digits, counter 999, the year 2023."""
    assert put(demo, "employer", "880820673", "65111899997", 2023) == 200


# Each example: which account sends for which enterprise, and the status.
CALLS: dict[str, list[tuple[str, str, int]]] = {
    "example 1, an account for each service": [
        ("example-1-fla", "Example 1 (two accounts)", 200),
        ("example-1-dimona", "Example 1 (two accounts)", 403),
    ],
    "example 1, one account for both": [("example-1-common", "Example 1 (one common account)", 200)],
    "example 2, a mandatary for all services": [
        ("social-secretariat", "Example 2 (one mandatary for all)", 200),
        ("service-provider", "Example 2 (one mandatary for all)", 403),
    ],
    "example 3, a mandatary for the FLA only": [
        ("service-provider", "Example 3 (a mandatary for FLA)", 200),
        ("social-secretariat", "Example 3 (a mandatary for FLA)", 403),
    ],
    "example 4, own Dimona and a common mandatary for the FLA": [
        ("service-provider", "Example 4, employer 1", 200),
        ("service-provider", "Example 4, employer 2", 200),
        ("example-4-employer-1", "Example 4, employer 1", 403),
        ("example-4-employer-2", "Example 4, employer 2", 403),
    ],
    "example 5, a group that sends apart": [
        ("example-5-company-1", "Example 5, company 1", 200),
        ("example-5-company-2", "Example 5, company 2", 200),
        ("example-5-company-3", "Example 5, company 3", 200),
        ("example-5-company-1", "Example 5, company 2", 403),
    ],
    "example 6, a group with one mandatary": [
        ("example-6-company-2-group", "Example 6, company 1", 200),
        ("example-6-company-2-group", "Example 6, company 3", 200),
        ("example-6-company-2", "Example 6, company 2", 200),
        ("example-6-company-2", "Example 6, company 1", 403),
        ("example-6-company-2-group", "Example 6, company 2", 403),
        ("example-6-company-1", "Example 6, company 1", 403),
    ],
    "a vendor that sends": [
        ("vendor-central", "Client of the Central Vendor", 200),
        ("vendor-central", "User of Stand-alone Software", 403),
    ],
    "software on its own": [
        ("vendor-stand-alone", "User of Stand-alone Software", 200),
        ("vendor-stand-alone", "Client of the Central Vendor", 403),
    ],
}


@pytest.mark.parametrize("name", CALLS)
def test_an_example_of_the_guide_works_as_it_tells(demo: Caller, name: str) -> None:
    """Who may send in the example can, and who may not is refused."""
    for account, company, status in CALLS[name]:
        number = enterprise(demo, company)
        assert status == put(demo, account, number, employee(demo, number)), (account, company)


def test_a_training_provider_has_a_scope_of_its_own_and_may_not_use_the_employers_api(demo: Caller) -> None:
    """Its scope is assumed; with it, the employers' API answers missingScope."""
    assert f"{FLA}:training-provider" == ask(demo, "training-provider").json["scope"]
    assert put(demo, "training-provider", "0880820673", "65111899997") == 403


def test_the_demo_world_is_closed(demo: Caller) -> None:
    """An employee who is not listed with the employer is not known."""
    assert put(demo, "employer", "0880820673", employee(demo, enterprise(demo, "Example 5, company 1"))) == 404


def test_all_numbers_are_the_guides_own_or_belong_to_nobody(demo: Caller) -> None:
    """No real enterprise or person is named: a range that is not given out, and counters that nobody has."""
    assert demo.mock.demo is not None
    state = demo.mock.demo.state
    numbers = {entry.number for entry in state.enterprises} - {"0880820673"}

    assert all(number.startswith("1999") for number in numbers)
    assert all(entry.ssin[6:9] == "999" for entry in state.employments)


def test_a_training_provider_sends_under_its_own_number(demo: Caller) -> None:
    """On its own API, which is served beside the employers'; for another number it is refused."""
    token = ask(demo, "training-provider").json["access_token"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    training = {
        "name": "Safety",
        "startDate": "2025-03-01",
        "endDate": "2025-03-01",
        "duration": {"value": 1, "unit": "days"},
        "type": "formal",
        "status": "completed",
        "participants": [{"ssin": "65111899997"}],
    }

    found = []
    for number in (account_of(demo, "training-provider").enterprise, "0880820673"):
        path = f"{TRAINERS}/trainingProviders/{number}/trainings/safety-1"
        found.append(demo.call("PUT", path, json.dumps(training).encode(), headers).status)

    assert found == [201, 403]


def described(demo: Caller) -> dict[str, Any]:
    """Return what `demo.json` holds."""
    assert demo.mock.demo is not None
    return manifest(demo.mock.demo, demo.mock.urls, demo.mock.services)


def test_the_manifest_has_all_that_a_client_needs(demo: Caller) -> None:
    """Every member that clients start from is there, for every account."""
    told = described(demo)

    members = {
        "mock_url",
        "token_url",
        "audience",
        "employer_url",
        "training_provider_url",
        "apis",
        "ca_file",
        "accounts",
        "mandates",
        "employments",
    }
    account_members = {
        "name",
        "capacity",
        "enterprise_number",
        "client_id",
        "scopes",
        "permissions",
        "key",
        "certificate",
        "pfx",
        "pfx_password",
    }
    assert members == set(told)
    assert {frozenset(account_members)} == {frozenset(entry) for entry in told["accounts"]}
    assert {frozenset({"mandator", "mandatary", "service", "start", "end"})} == {
        frozenset(entry) for entry in told["mandates"]
    }
    assert {"enterprise_number": "0880820673", "ssin": "65111899997"} in told["employments"]
    assert {"employer", "social-secretariat", "service-provider", "training-provider"} <= {
        entry["name"] for entry in told["accounts"]
    }
    assert ("0880820673", [f"{FLA}:employer"]) == (
        told["accounts"][0]["enterprise_number"],
        told["accounts"][0]["scopes"],
    )


def test_the_manifest_names_every_api_by_its_url(demo: Caller) -> None:
    """Those of the FLA stand there twice: by the names that clients know them by, too."""
    told = described(demo)

    assert told["apis"] == {
        "fla-employer": told["employer_url"],
        "fla-training-provider": told["training_provider_url"],
    }
    assert told["employer_url"].endswith(BASE)
    assert told["training_provider_url"].endswith(TRAINERS)


def contract(folder: Path) -> Path:
    """Write the contract of a further service."""
    path = folder / "more.json"
    answer = {"200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    paths = {"/things": {"get": {"responses": answer}}}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "More"}, "paths": paths}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("service", "without"),
    [
        # Of the Dimona, the demo world says itself who has it in the guide's examples.
        ("dimona", {"training-provider", "example-1-fla", "example-6-company-2-group"}),
        ("care", set()),
    ],
)
def test_the_permission_of_an_added_service_is_ticked(
    demo_keys: Path, tmp_path: Path, service: str, without: set[str]
) -> None:
    """So it can be tried at once; the guide's examples stay as they are told, and no mandates are given."""
    caller = start(Settings(keys=demo_keys, service=(f"{service}={contract(tmp_path)}",)))
    told = described(caller)
    calls = {
        name: caller.call(
            "GET",
            f"/REST/{service}/v1/things",
            headers={"authorization": f"Bearer {ask(caller, name).json['access_token']}"},
        ).status
        for name in ("employer", "example-1-fla")
    }
    caller.mock.close()

    assert {entry["name"] for entry in told["accounts"] if service not in entry["permissions"]} == without
    assert told["apis"][service].endswith(f"/REST/{service}/v1")
    assert {entry["service"] for entry in told["mandates"]} <= {"fla", "dimona"}
    assert calls == {"employer": 200, "example-1-fla": 403 if "example-1-fla" in without else 200}


def test_every_account_of_the_manifest_gets_the_scopes_that_it_tells(demo: Caller) -> None:
    """A client may start from any account."""
    for entry in described(demo)["accounts"]:
        assert " ".join(entry["scopes"]) == ask(demo, entry["name"]).json["scope"]


def test_every_mandate_of_the_manifest_works_today(demo: Caller) -> None:
    """A client may start from any mandate for the FLA."""
    told = described(demo)
    accounts = {entry["enterprise_number"]: entry["name"] for entry in told["accounts"] if "-" in entry["capacity"]}
    mandates = [entry for entry in told["mandates"] if entry["service"] == "fla"]

    assert NOW  # the tests' clock stands in 2026Q3
    for entry in mandates:
        employer = entry["mandator"]
        assert put(demo, accounts[entry["mandatary"]], employer, employee(demo, employer)) == 200
