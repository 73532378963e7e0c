"""The commands about a running mock: what each asks of it, and what people read of the answer."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from mock_server.certificates.loading import load_certificate
from mock_server.certificates.making import write_identity
from mock_server.cli import app
from tests.cli.conftest import Run
from tests.cli.fakes import CLOCK, Fake
from tests.support import certificate, key

PRINT = "ab" * 32
NUMBER, OTHER = "1999010048", "1999010147"
CERTIFICATE: dict[str, Any] = {
    "fingerprint": PRINT,
    "name": "my.cer",
    "subject": "CN=mine,C=BE",
    "issuer": "CN=mine,C=BE",
    "key": "RSA 2048",
    "not_before": "2026-01-01T00:00:00Z",
    "not_after": "2027-01-01T00:00:00Z",
    "active_from": "2026-02-01T00:00:00Z",
    "active_until": None,
}
ACCOUNT: dict[str, Any] = {
    "client_id": "my_client",
    "name": "mine",
    "enterprise": NUMBER,
    "capacity": "employer",
    "permissions": ["fla", "dimona"],
    "permission_periods": {},
    "scopes": ["scope:a"],
    "certificates": [CERTIFICATE],
    "active_from": None,
    "active_until": None,
}
ENTERPRISE: dict[str, Any] = {
    "number": NUMBER,
    "name": "My Company",
    "capacities": ["employer"],
    "administrators": {"employer": {"email": "hr@example.org", "local_administrator": "A. Person"}},
    "employments": None,
}
MANDATE: dict[str, Any] = {
    "id": 7,
    "mandator": NUMBER,
    "mandatary": OTHER,
    "service": "fla",
    "start": "2025Q1",
    "end": None,
    "status": "active",
    "proposed_by": "mandatary",
    "confirmed_by": ["mandator", "mandatary"],
}
FAULT: dict[str, Any] = {
    "id": 3,
    "operation": "token",
    "do": {"status": 503, "retry_after": 2},
    "times": 2,
    "every": 1,
    "client_id": None,
    "parameters": {"year": "2023"},
    "seen": 5,
    "fired": 2,
    "exhausted": True,
}
WORLD: dict[str, Any] = {
    "name": "test-1",
    "base_url": "http://127.0.0.1:8425/worlds/test-1",
    "token_url": "http://127.0.0.1:8425/worlds/test-1/token",
    "audience": "http://127.0.0.1:8425/worlds/test-1/token",
    "apis": {"fla-employer": "http://127.0.0.1:8425/worlds/test-1/v1"},
    "clock": CLOCK,
    "counts": {
        "enterprises": 11,
        "accounts": 12,
        "mandates": 13,
        "employments": 14,
        "documents": 15,
        "exchanges": 16,
    },
}
SETTINGS = {"employments": "open", "activation_delay": 900.0, "closed_answer": {"status": 410, "title": "Gone"}}


TERMS = ("--mandator", NUMBER, "--mandatary", OTHER, "--service", "fla", "--start", "2025Q1")
SENT_TERMS = {"mandator": NUMBER, "mandatary": OTHER, "service": "fla", "start": "2025Q1"}
HERE = "/_mock/worlds/default"

# The command; method, target and body of the one request that it makes; the answer; what people read of it.
CASES: dict[str, tuple[str, str, str, object, object, list[str]]] = {
    "world show": ("world show", "GET", HERE, None, WORLD, ["test-1", "fla-employer", "14", "real"]),
    "world show NAME": ("world show a", "GET", "/_mock/worlds/a", None, WORLD, ["test-1"]),
    "world create": ("world create", "POST", "/_mock/worlds", {}, WORLD, ["test-1"]),
    "world create, all of it": (
        "world create a --from empty --now 2027Q1 --frozen",
        "POST",
        "/_mock/worlds",
        {"name": "a", "from": "empty", "clock": {"now": "2027Q1", "frozen": True}},
        WORLD,
        ["token URL"],
    ),
    "world create, in the past": (
        "world create --offset -2h",
        "POST",
        "/_mock/worlds",
        {"clock": {"offset": -7200}},
        WORLD,
        [],
    ),
    "world delete": ("world delete a", "DELETE", "/_mock/worlds/a", None, None, ["World a is removed."]),
    "world settings": (
        "world settings",
        "GET",
        f"{HERE}/settings",
        None,
        SETTINGS,
        ["employments", "open", "900.0", "Gone"],
    ),
    "world settings, changed": (
        "world settings employments=closed activation_delay=900",
        "PATCH",
        f"{HERE}/settings",
        {"employments": "closed", "activation_delay": 900},
        SETTINGS,
        ["open"],
    ),
    "world settings, one with members": (
        'world settings phase=closed closed_answer={"status":404,"title":"Not=Found"}',
        "PATCH",
        f"{HERE}/settings",
        {"phase": "closed", "closed_answer": {"status": 404, "title": "Not=Found"}},
        SETTINGS,
        ['{"status": 410, "title": "Gone"}'],
    ),
    "world settings, one as usual again": (
        "world settings closed_answer=null",
        "PATCH",
        f"{HERE}/settings",
        {"closed_answer": None},
        SETTINGS,
        ["open"],
    ),
    "enterprise add": (
        f"enterprise add {NUMBER} Mine",
        "PUT",
        f"{HERE}/enterprises/{NUMBER}",
        {"name": "Mine"},
        ENTERPRISE,
        ["My Company"],
    ),
    "enterprise add, closed": (
        f"enterprise add {NUMBER} Mine --employments closed",
        "PUT",
        f"{HERE}/enterprises/{NUMBER}",
        {"name": "Mine", "employments": "closed"},
        ENTERPRISE,
        ["as the world says"],
    ),
    "enterprise show": (
        f"enterprise show {NUMBER}",
        "GET",
        f"{HERE}/enterprises/{NUMBER}",
        None,
        ENTERPRISE,
        ["administrator, employer", "A. Person <hr@example.org>"],
    ),
    "enterprise remove": (
        f"enterprise remove {NUMBER}",
        "DELETE",
        f"{HERE}/enterprises/{NUMBER}",
        None,
        None,
        [f"Enterprise {NUMBER} is removed."],
    ),
    "enterprise activate": (
        f"enterprise activate {NUMBER} social-secretariat --email a@example.org --local-administrator Ann",
        "PUT",
        f"{HERE}/enterprises/{NUMBER}/capacities/social-secretariat",
        {"email": "a@example.org", "local_administrator": "Ann"},
        ENTERPRISE,
        ["employer"],
    ),
    "enterprise deactivate": (
        f"enterprise deactivate {NUMBER} employer",
        "DELETE",
        f"{HERE}/enterprises/{NUMBER}/capacities/employer",
        None,
        None,
        ["no longer the capacity employer"],
    ),
    "enterprise employees": (
        f"enterprise employees {NUMBER}",
        "GET",
        f"{HERE}/enterprises/{NUMBER}/employments?limit=1000",
        None,
        {"items": ["65111899997"], "total": 3},
        ["65111899997", "And 2 more"],
    ),
    "enterprise employ": (
        f"enterprise employ {NUMBER} 65111899997",
        "PUT",
        f"{HERE}/enterprises/{NUMBER}/employments/65111899997",
        None,
        None,
        [f"Enterprise {NUMBER} employs 65111899997."],
    ),
    "enterprise dismiss": (
        f"enterprise dismiss {NUMBER} 65111899997",
        "DELETE",
        f"{HERE}/enterprises/{NUMBER}/employments/65111899997",
        None,
        None,
        ["does not employ 65111899997 any more"],
    ),
    "account show": (
        "account show my_client",
        "GET",
        f"{HERE}/accounts/my_client",
        None,
        ACCOUNT,
        ["fla, dimona", "scope:a", PRINT, "from 2026-02-01T00:00:00Z", "always", "2026-01-01T00:00:00Z to 2027"],
    ),
    "account create": (
        f"account create mine --enterprise {NUMBER} --capacity employer --permission fla --client-id my_client",
        "POST",
        f"{HERE}/enterprises/{NUMBER}/capacities/employer/accounts",
        {"name": "mine", "permissions": ["fla"], "certificates": [], "client_id": "my_client"},
        ACCOUNT | {"certificates": [], "permissions": [], "scopes": []},
        ["It has no certificate", "none"],
    ),
    "account create, with a form": (
        f"account create mine --enterprise {NUMBER} --capacity employer --client-id-form expeditor",
        "POST",
        f"{HERE}/enterprises/{NUMBER}/capacities/employer/accounts",
        {"name": "mine", "permissions": [], "certificates": [], "client_id_form": "expeditor"},
        ACCOUNT,
        ["my_client"],
    ),
    "account rename": (
        "account rename my_client other",
        "PATCH",
        f"{HERE}/accounts/my_client",
        {"name": "other"},
        ACCOUNT,
        ["mine"],
    ),
    "account tick": (
        "account tick c fla",
        "PUT",
        f"{HERE}/accounts/c/permissions/fla",
        None,
        ACCOUNT,
        ["Account c has the permission for fla."],
    ),
    "account rename-cert": (
        f"account rename-cert c {PRINT} new",
        "PATCH",
        f"{HERE}/accounts/c/certificates/{PRINT}",
        {"name": "new"},
        CERTIFICATE,
        ["my.cer", PRINT],
    ),
    "mandate show": ("mandate show 7", "GET", f"{HERE}/mandates/7", None, MANDATE, ["2025Q1", "mandator, mandatary"]),
    "mandate propose": (
        " ".join(("mandate propose", *TERMS, "--end 2026Q4 --by mandatary")),
        "POST",
        f"{HERE}/mandates",
        SENT_TERMS | {"end": "2026Q4", "proposed_by": "mandatary"},
        MANDATE,
        ["active"],
    ),
    "mandate procure": (
        " ".join(("mandate procure", *TERMS)),
        "POST",
        f"{HERE}/mandates",
        SENT_TERMS | {"procuration": True},
        MANDATE,
        ["active"],
    ),
    "mandate confirm": (
        "mandate confirm 7 --by mandator",
        "POST",
        f"{HERE}/mandates/7/confirm",
        {"by": "mandator"},
        MANDATE,
        ["active"],
    ),
    "mandate reject": (
        "mandate reject 7 --by mandator",
        "POST",
        f"{HERE}/mandates/7/reject",
        {"by": "mandator"},
        MANDATE,
        [],
    ),
    "mandate revoke": ("mandate revoke 7", "POST", f"{HERE}/mandates/7/revoke", {}, MANDATE, []),
    "mandate revoke, by one": (
        "mandate revoke 7 --by mandatary",
        "POST",
        f"{HERE}/mandates/7/revoke",
        {"by": "mandatary"},
        MANDATE,
        [],
    ),
    "mandate end": ("mandate end 7", "POST", f"{HERE}/mandates/7/end", {}, MANDATE, []),
    "mandate end, later": (
        "mandate end 7 --end 2027Q4",
        "POST",
        f"{HERE}/mandates/7/end",
        {"end": "2027Q4"},
        MANDATE,
        [],
    ),
    "clock show": ("clock show", "GET", f"{HERE}/clock", None, CLOCK, ["2026Q4", "follows real time"]),
    "clock advance": (
        "clock advance 90",
        "PATCH",
        f"{HERE}/clock",
        {"advance": 90},
        CLOCK | {"mode": "offset", "offset": 90.0},
        ["1 min 30 s ahead of real time"],
    ),
    "clock set": (
        "clock set 2027-01-01T00:00:00+01:00",
        "PATCH",
        f"{HERE}/clock",
        {"now": "2027-01-01T00:00:00+01:00"},
        CLOCK,
        [],
    ),
    "clock set, frozen": (
        "clock set 1790000000.5 --frozen",
        "PATCH",
        f"{HERE}/clock",
        {"now": 1790000000.5, "frozen": True},
        CLOCK | {"mode": "frozen"},
        ["stands still"],
    ),
    "clock freeze": ("clock freeze", "PATCH", f"{HERE}/clock", {"frozen": True}, CLOCK, []),
    "clock unfreeze": ("clock unfreeze", "PATCH", f"{HERE}/clock", {"frozen": False}, CLOCK, []),
    "clock real": ("clock real", "PATCH", f"{HERE}/clock", {"follow_real_time": True}, CLOCK, []),
    "fault list": (
        "fault list",
        "GET",
        f"{HERE}/faults",
        None,
        {"items": [FAULT]},
        ["status=503,retry_after=2", "yes", "token"],
    ),
    "fault list, empty": ("fault list", "GET", f"{HERE}/faults", None, {"items": []}, ["No faults."]),
    "fault add": (
        "fault add token status=503,retry_after=2 --times 2",
        "POST",
        f"{HERE}/faults",
        {"operation": "token", "do": {"status": 503, "retry_after": 2}, "times": 2},
        FAULT,
        ["status=503,retry_after=2", "year=2023"],
    ),
    "fault add, all of it": (
        "fault add any close=after-change --times until-reset --every 3 --client-id c --parameter a=1=2",
        "POST",
        f"{HERE}/faults",
        {
            "operation": "any",
            "do": {"close": "after-change"},
            "times": "until reset",
            "every": 3,
            "client_id": "c",
            "parameters": {"a": "1=2"},
        },
        FAULT,
        [],
    ),
    "fault add, JSON": (
        'fault add any {"delay":1.5,"in":"body"}',
        "POST",
        f"{HERE}/faults",
        {"operation": "any", "do": {"delay": 1.5, "in": "body"}},
        FAULT,
        [],
    ),
    "fault show": ("fault show 3", "GET", f"{HERE}/faults/3", None, FAULT, ["fired", "2"]),
    "fault remove": ("fault remove 3", "DELETE", f"{HERE}/faults/3", None, None, ["Fault 3 is removed."]),
    "fault reset": ("fault reset", "DELETE", f"{HERE}/faults", None, None, ["No faults are left."]),
    "exchanges --clear": ("exchanges --clear", "DELETE", f"{HERE}/exchanges", None, None, ["No exchanges are left."]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_command_makes_one_request_and_prints_its_answer(run: Run, fake: Fake, name: str) -> None:
    """Method, path and body are those of the API; people read the answer, scripts get it as it is."""
    command, method, target, body, answer, read = CASES[name]
    fake.will(answer)
    fake.will(answer)

    people, script = run(*command.split(" ")), run(*command.split(" "), "--json")

    assert [people.exit_code, script.exit_code] == [0, 0], people.output + script.output
    assert [text for text in read if text not in people.stdout] == []
    assert json.loads(script.stdout) == ({} if answer is None else answer)
    for asked in fake.asked:
        assert (asked.method, asked.target) == (method, target)
        assert body is None if asked.body == b"" else asked.json == body


LISTS: dict[str, tuple[str, str, dict[str, str], object, list[str]]] = {
    "worlds": ("world list", "/_mock/worlds", {}, WORLD, ["test-1", "11", "16"]),
    "enterprises": ("enterprise list", f"{HERE}/enterprises", {}, ENTERPRISE, [NUMBER, "My Company", "employer"]),
    "accounts": ("account list", f"{HERE}/accounts", {}, ACCOUNT, ["my_client", "fla, dimona"]),
    "accounts of one": (
        f"account list --enterprise {NUMBER} --capacity training-provider",
        f"{HERE}/accounts",
        {"enterprise": NUMBER, "capacity": "training-provider"},
        ACCOUNT,
        [],
    ),
    "mandates": ("mandate list", f"{HERE}/mandates", {}, MANDATE, ["2025Q1", "proposed by"]),
    "mandates of two": (
        f"mandate list --mandator {NUMBER} --mandatary {OTHER} --service fla --status active",
        f"{HERE}/mandates",
        {"mandator": NUMBER, "mandatary": OTHER, "service": "fla", "status": "active"},
        MANDATE,
        [],
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_a_table(run: Run, fake: Fake, name: str) -> None:
    """Filters go into the query; each item is a row below the names of the columns."""
    command, path, query, item, read = LISTS[name]
    fake.will({"items": [item], "total": 1})

    result = run(*command.split(" "))

    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 2
    assert [text for text in read if text not in result.stdout] == []
    assert (fake.asked[0].path, fake.asked[0].query) == (path, query)


@pytest.mark.parametrize("command", ["world", "enterprise", "account", "mandate"])
def test_an_empty_list_is_told(run: Run, fake: Fake, command: str) -> None:
    """People read that there is nothing, not a table without rows."""
    fake.will({"items": [], "total": 0})

    assert run(command, "list").stdout.startswith("No ")


# Worlds


def test_a_state_is_exported_to_the_byte(run: Run, fake: Fake, tmp_path: Path) -> None:
    """What is written, to a file or to standard output, is what came."""
    state = b'{"b":1.0, "a":"\xc3\xa9"}'
    for _ in range(3):
        fake.will(state)

    to_file = run("world", "export", "a", "--out", tmp_path / "state.json")
    to_output = [run("world", "export").stdout_bytes, run("world", "export", "--out", "-").stdout_bytes]

    assert (tmp_path / "state.json").read_bytes() == state
    assert f"{tmp_path / 'state.json'}: {len(state)} bytes." in to_file.stdout
    assert to_output == [state, state]
    assert [asked.target for asked in fake.asked] == ["/_mock/worlds/a/state", f"{HERE}/state", f"{HERE}/state"]


def test_an_export_that_cannot_be_written_is_told(run: Run, fake: Fake, tmp_path: Path) -> None:
    """The exit code is 2, and the message names the file."""
    fake.will({})
    result = run("world", "export", "--out", tmp_path / "none" / "state.json")

    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_a_state_is_imported(run: Run, fake: Fake, tmp_path: Path) -> None:
    """It comes from a file or from standard input, and goes to the world that is named."""
    state: dict[str, Any] = {"enterprises": []}
    (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    fake.will(WORLD)
    fake.will(WORLD)

    run("world", "import", tmp_path / "state.json")
    result = run("world", "import", "-", "--into", "a", input=json.dumps(state))

    assert "test-1" in result.stdout
    assert [asked.target for asked in fake.asked] == [f"{HERE}/state", "/_mock/worlds/a/state"]
    assert [asked.json for asked in fake.asked] == [state, state]
    assert {asked.method for asked in fake.asked} == {"PUT"}


def test_a_world_is_created_from_a_state(run: Run, fake: Fake, tmp_path: Path) -> None:
    """The state goes along in the place of the name of a source."""
    (tmp_path / "state.json").write_text('{"enterprises": []}', encoding="utf-8")
    fake.will(WORLD, 201)

    run("world", "create", "a", "--state", tmp_path / "state.json")

    assert fake.asked[0].json == {"name": "a", "state": {"enterprises": []}}


STATES: dict[str, tuple[str | None, str]] = {
    "nothing": (None, "cannot read"),
    "TOML": ("[[enterprises]]", "is not JSON: expected a JSON object, as “fla-mock world export” writes it."),
    "null": ("null", "expected a JSON object, as “fla-mock world export” writes it, found null."),
    "false": ("false", "found true or false."),
    "a list": ("[]", "found a list."),
    "a number": ("0", "found a number."),
    "a text": ('""', "found a text."),
    "a demo.json": ('{"token_url": "x", "accounts": []}', "found what looks like a demo.json"),
    "a HAR": ('{"log": {"version": "1.2"}}', "found what looks like a HAR file"),
}


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("command", [("world", "import"), ("world", "create", "--state")], ids=" ".join)
def test_a_state_that_is_none_is_told(
    run: Run, fake: Fake, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    """Nothing is asked then; the exit code is 2, and the message says what is wanted and what was found."""
    text, message = STATES[name]
    path = tmp_path / "state.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    result = run(*command, path)

    assert (result.exit_code, fake.asked) == (2, [])
    assert str(path) in result.stderr
    assert message in result.stderr


def test_a_real_mock_takes_a_setting_that_has_members(run: Run, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of a phase is set as JSON, and null brings the usual one back."""
    monkeypatch.setenv("FLA_MOCK_URL", json.loads((keys / "demo.json").read_text(encoding="utf-8"))["mock_url"])
    world = ("--world", "closing")
    own = {"status": 404, "type": "about:blank", "title": "Not Found", "detail": "It is over."}

    def told(*changes: str) -> object:
        result = run("world", "settings", *changes, *world, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)["closed_answer"]

    try:
        assert run("world", "create", "closing", "--from", "empty").exit_code == 0
        usual = told()

        assert told(f"closed_answer={json.dumps(own)}") == told() == own
        assert told("closed_answer=null") == told() == usual != own
    finally:
        run("world", "delete", "closing")


# Accounts


def test_certificates_go_along_with_an_account(run: Run, fake: Fake, tmp_path: Path) -> None:
    """Each is sent as DER under its file's name, whatever its form, and a private key beside it stays here."""
    der = certificate()
    files = write_identity(tmp_path, "mine", key(), load_certificate(der), "changeit")
    pem = tmp_path / "bundle.pem"
    body = base64.encodebytes(der).decode()
    pem.write_text(
        f"{files.key.read_text('ascii')}-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n",
        encoding="ascii",
    )
    fake.will(ACCOUNT)

    options = ("--enterprise", NUMBER, "--capacity", "employer", "--cert", files.certificate, "--cert", pem)
    result = run("account", "create", "mine", *options)

    assert result.exit_code == 0, result.output
    sent = [(one["name"], base64.b64decode(one["der"])) for one in fake.asked[0].json["certificates"]]
    assert sent == [("mine.cer", der), ("bundle.pem", der)]
    assert b"PRIVATE" not in fake.asked[0].body


def test_a_certificate_is_added(run: Run, fake: Fake, tmp_path: Path) -> None:
    """It is the body of the request; its name is the file's, or the one that is given."""
    (tmp_path / "my.cer").write_bytes(certificate())
    fake.will(CERTIFICATE, 201)
    fake.will(CERTIFICATE, 201)

    run("account", "add-cert", "a/b", tmp_path / "my.cer")
    result = run("account", "add-cert", "a/b", tmp_path / "my.cer", "--name", "from July")

    assert PRINT in result.stdout
    assert {asked.path for asked in fake.asked} == {f"{HERE}/accounts/a%2Fb/certificates"}
    assert [asked.query for asked in fake.asked] == [{"name": "my.cer"}, {"name": "from July"}]
    assert {asked.body for asked in fake.asked} == {certificate()}
    assert fake.asked[0].headers["Content-Type"] == "application/pkix-cert"


@pytest.mark.parametrize("name", ["missing.cer", "mine.key", "mine.pfx", "large.cer"])
def test_a_file_that_is_no_certificate_is_not_sent(run: Run, fake: Fake, tmp_path: Path, name: str) -> None:
    """Private keys above all; the exit code is 2, and the message says what to give."""
    write_identity(tmp_path, "mine", key(), load_certificate(certificate()), "changeit")
    (tmp_path / "large.cer").write_bytes(b"0" * 2_000_000)

    result = run("account", "add-cert", "my_client", tmp_path / name)

    assert (result.exit_code, fake.asked) == (2, [])
    assert name in result.stderr


LATER = "2026-11-23T18:55:00.000Z"
REMOVALS: dict[str, tuple[str, str, object, str]] = {
    "an account": ("delete c", f"{HERE}/accounts/c", None, "Account c is removed.\n"),
    "an account, later": (
        "delete c",
        f"{HERE}/accounts/c",
        ACCOUNT | {"active_until": LATER},
        f"Account c is removed at {LATER} (activation_delay); until then it still works.\n",
    ),
    "a permission": (
        "untick c fla",
        f"{HERE}/accounts/c/permissions/fla",
        ACCOUNT | {"permissions": ["dimona"]},
        "Account c has no permission for fla.\n",
    ),
    "a permission, later": (
        "untick c fla",
        f"{HERE}/accounts/c/permissions/fla",
        ACCOUNT | {"permission_periods": {"fla": {"active_from": None, "active_until": LATER}}},
        f"Account c loses the permission for fla at {LATER} (activation_delay); until then it still works.\n",
    ),
    # As `cert show` writes a fingerprint.
    "a certificate": (
        f"remove-cert c {':'.join(['AB'] * 32)}",
        f"{HERE}/accounts/c/certificates/{PRINT}",
        ACCOUNT | {"certificates": []},
        "The certificate is removed from account c.\n",
    ),
    "a certificate, later": (
        f"remove-cert c {PRINT}",
        f"{HERE}/accounts/c/certificates/{PRINT}",
        ACCOUNT | {"certificates": [CERTIFICATE | {"active_until": LATER}]},
        f"The certificate is removed from account c at {LATER} (activation_delay); until then it still works.\n",
    ),
}


@pytest.mark.parametrize("name", REMOVALS)
def test_a_removal_says_until_when_it_still_works(run: Run, fake: Fake, name: str) -> None:
    """People are told what holds: the account is asked for after the removal. Scripts get an empty object."""
    command, target, left, told = REMOVALS[name]
    fake.will()
    if left is None:
        fake.will_refuse(404, "No such account")
    else:
        fake.will(left)
    fake.will()

    people, script = run("account", *command.split(" ")), run("account", *command.split(" "), "--json")

    assert (people.exit_code, people.stdout) == (0, told)
    assert (script.exit_code, script.stdout) == (0, "{}\n")
    asked = [(one.method, one.target) for one in fake.asked]
    assert asked == [("DELETE", target), ("GET", f"{HERE}/accounts/c"), ("DELETE", target)]


def test_what_begins_later_is_told(run: Run, fake: Fake, tmp_path: Path) -> None:
    """An account, a permission and a certificate may have effect from a later time on only."""
    (tmp_path / "my.cer").write_bytes(certificate())
    begun = {"active_from": LATER, "active_until": None}
    fake.will(ACCOUNT | {"permission_periods": {"fla": begun}})
    fake.will(CERTIFICATE | begun)
    fake.will(ACCOUNT | begun)

    ticked = run("account", "tick", "c", "fla")
    added = run("account", "add-cert", "c", tmp_path / "my.cer")
    made = run("account", "create", "mine", "--enterprise", NUMBER, "--capacity", "employer")

    assert ticked.stdout == f"Account c has the permission for fla from {LATER} on (activation_delay).\n"
    assert f"It has effect from {LATER} on (activation_delay); until then assertions" in added.stdout
    assert f"It has effect from {LATER} on (activation_delay); until then no token is given to it." in made.stdout


def test_the_periods_of_permissions_are_shown(run: Run, fake: Fake) -> None:
    """Beside a permission that does not have effect always stands when it has."""
    fake.will(ACCOUNT | {"permission_periods": {"fla": {"active_from": None, "active_until": LATER}}})

    shown = run("account", "show", "c").stdout

    assert f"fla (until {LATER}), dimona" in shown
    assert "scope:a (while the permissions have effect)" in shown


def test_the_periods_of_a_real_mock_are_told(run: Run, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an activation delay, what is unticked still works, and the command says so."""
    monkeypatch.setenv("FLA_MOCK_URL", json.loads((keys / "demo.json").read_text(encoding="utf-8"))["mock_url"])
    world = ("--world", "delayed")
    client = "self_service_chaman_123456_78912"
    try:
        assert run("world", "create", "delayed", "--now", "2026-11-23T12:00:00Z", "--frozen").exit_code == 0
        assert run("world", "settings", "activation_delay=900", *world).exit_code == 0

        assert (
            "loses the permission for fla at 2026-11-23T12:15:00"
            in run("account", "untick", client, "fla", *world).stdout
        )
        assert "fla (until 2026-11-23T12:15:00" in run("account", "show", client, *world).stdout
        run("clock", "advance", "15m", *world)
        assert "fla (" not in run("account", "show", client, *world).stdout
        assert "is removed at 2026-11-23T12:30:00" in run("account", "delete", client, *world).stdout
    finally:
        run("world", "delete", "delayed")


# Clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("1h30m", 5400),
        ("0.5", 0.5),
    ],
)
def test_a_duration_is_written_in_several_ways(run: Run, fake: Fake, text: str, seconds: float) -> None:
    """Seconds, or numbers with units."""
    fake.will(CLOCK)
    run("clock", "advance", text)

    assert fake.asked[0].json == {"advance": seconds}


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (7_776_000.0, "90 d ahead of real time"),
        (7_776_000.4, "90 d ahead of real time"),
        (5_400, "1 h 30 min ahead"),
        (-7_261, "2 h 1 min 1 s behind real time"),
        (0.5, "0.5 s ahead"),
    ],
)
def test_an_offset_is_told_in_days_and_hours(run: Run, fake: Fake, offset: float, text: str) -> None:
    """Nobody reads 7776000 seconds as 90 days."""
    fake.will(CLOCK | {"mode": "offset", "offset": offset})

    assert text in run("clock", "show").stdout


BAD = {
    "a duration without unit": ("clock advance 1h30", "expected seconds, or a duration like 90s"),
    "a duration that is none": ("clock advance soon", "found 'soon'"),
    "an offset that is none": ("world create --offset 1y", "--offset: expected seconds"),
    "two moments": ("world create --offset 1 --now 2027Q1", "--offset and --now both"),
    "two sources": ("world create --from demo --state x.json", "--from and --state both"),
    "a setting without a value": ("world settings employments", "expected NAME=VALUE, found 'employments'"),
    "a setting that is no JSON": (
        'world settings closed_answer={"status":404',
        "closed_answer: begins like JSON, and is",
    ),
    "a setting without help": ("world settings closed_answer={404}", "“fla-mock world settings --help” shows how."),
    "a parameter without a name": ("fault add any status=500 --parameter =1", "--parameter: expected NAME=VALUE"),
    "an effect that is none": ("fault add any 503", "EFFECT: an effect is written NAME=VALUE"),
    "an effect that is no JSON": ('fault add any {"status"', "EFFECT: begins like JSON"),
    "an effect without help": ("fault add any 503", "“fla-mock fault add --help”"),
    "an unknown capacity": (
        f"enterprise deactivate {NUMBER} boss",
        "expected employer, social-secretariat, service-provider or training-provider, found 'boss': only these four",
    ),
    "a capacity of others": (
        f"account create a --enterprise {NUMBER} --capacity notaris",
        "found 'notaris': only these four can open a channel (G§4.4.1).",
    ),
    "a capacity to look for": ("account list --capacity boss", "found 'boss': only these four"),
    "a mandate that is no number": ("mandate show first", "expected a whole number from 1 on, found 'first'."),
    "a fault that is no number": ("fault remove first", "expected a whole number from 1 on, found 'first'."),
    "an exchange that is no number": ("exchange first", "expected a whole number from 1 on, found 'first'."),
    "a number below all": ("mandate end 0", "expected a whole number from 1 on, found '0'."),
    "a name with capitals": (
        "world create Bad",
        "NAME: expected lower case letters, digits and hyphens, 63 at most, found 'Bad'.",
    ),
    "a name that is too long": (f"world create {'a' * 64}", "63 at most"),
    "an unknown party": ("mandate confirm 7 --by me", "'me' is not one of 'mandator'"),
    "two things to do": ("exchanges --follow --count", "--follow and --count are different things"),
    "a filter for all": ("exchanges --clear --status 400", "leave the filters out"),
    "SSINs of nothing": ("exchanges --ssins shown", "--ssins goes with --har"),
    "an end that will not come": ("exchanges --follow --before 3", "leave --before out"),
    "too many": ("exchanges --limit 1001", "1000"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_argument_asks_nothing(run: Run, fake: Fake, name: str) -> None:
    """The exit code is 2, and the message says what was expected."""
    command, message = BAD[name]

    result = run(*command.split(" "))

    assert (result.exit_code, fake.asked) == (2, []), result.output
    assert message in result.stderr


# Exchanges


def check(outcome: str, **more: str) -> dict[str, str]:
    """Return a check as the mock tells it."""
    made = {"id": f"CHECK-{outcome[0].upper()}", "outcome": outcome, "statement": "It is so.", "source": "G§6.1"}
    return made | {"provenance": "documented"} | more


SUMMARY: dict[str, Any] = {
    "number": 12,
    "time": "2026-11-23T18:40:00.000Z",
    "operation": "token",
    "status": 400,
    "duration_ms": 1.5,
    "client_id": "my_client",
    "account": "mine",
    "error": "invalid_client",
    "refused_by": "CHECK-F",
    "fault": None,
}
HIT = {"id": 3, "applied": "3; status=503"}
EXCHANGE: dict[str, Any] = SUMMARY | {
    "request": {
        "method": "POST",
        "path": "/REST/oauth/v5/token",
        "query": "a=b",
        "http_version": "1.1",
        "headers": [["host", "127.0.0.1"], ["x-odd", "\x1b[2J"]],
        "body": "grant_type=x\nline\x1b",
        "body_size": 17,
        "body_truncated": False,
    },
    "answer": {
        "status": 400,
        "headers": [["content-type", "application/json"]],
        "body": '{"error":"invalid_client"}',
        "body_size": 26,
        "body_truncated": False,
    },
    "assertion": {"header": {"alg": "RS256"}, "claims": {"iss": "my_client", "aud": ["\x1b"]}},
    "checks": [
        check("passed", found="RS256"),
        check("failed", expected="at most 600 s", found="3600 s\x1b", advice="Set exp."),
        check("not judged", found="needs a key"),
    ],
    "near_misses": ["The audience differs in the last slash only."],
}


def test_exchanges_are_a_table(run: Run, fake: Fake) -> None:
    """Each is a row, and it is told how many there are besides those that are shown."""
    fake.will({"items": [SUMMARY, SUMMARY | {"status": None, "fault": HIT}], "total": 60, "dropped": 7})
    fake.will(CLOCK)

    result = run("exchanges")

    for text in ("12", "token", "my_client", "invalid_client", "CHECK-F", "1.5", "none", "3; status=503"):
        assert text in result.stdout
    assert "2 of 60 are shown" in result.stdout
    assert "7 older ones were dropped" in result.stdout
    assert fake.asked[0].target == f"{HERE}/exchanges"


def test_a_time_of_today_is_told_without_its_date(run: Run, fake: Fake) -> None:
    """Today is what the clock of the world says."""
    fake.will({"items": [SUMMARY | {"time": "2026-11-22T23:59:59.999Z"}, SUMMARY], "total": 2, "dropped": 0})
    fake.will(CLOCK)

    _, first, second = run("exchanges").stdout.splitlines()

    assert first.split()[1:3] == ["2026-11-22", "23:59:59"]
    assert second.split()[1:3] == ["18:40:00", "400"]


OPERATIONS = {
    "token": "token",
    "PUT /employers/{n}/employees/{s}/trainings": "PUT …/trainings",
    "GET /employers/{n}/trainings/{id}": "GET …/trainings/{id}",
    "GET /trainings": "GET /trainings",
    "GET /{a}/{b}": "GET /{a}/{b}",
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_shortened_for_people(run: Run, fake: Fake, operation: str) -> None:
    """Its last words tell it from the others; scripts get it whole."""
    listed = {"items": [SUMMARY | {"operation": operation}], "total": 1, "dropped": 0}
    fake.will(listed)
    fake.will(CLOCK)
    fake.will(listed)

    assert f"  {OPERATIONS[operation]}  " in run("exchanges").stdout
    assert json.loads(run("exchanges", "--json").stdout) == listed


def test_an_operation_that_is_not_there_is_told_with_those_that_are(run: Run, fake: Fake) -> None:
    """The journal knows what --operation could have been."""
    fake.will({"items": [], "total": 0, "dropped": 0})
    fake.will({"items": [SUMMARY, SUMMARY | {"operation": "GET /x"}, SUMMARY], "total": 3, "dropped": 0})

    result = run("exchanges", "--operation", "tokens")

    assert result.stdout == "No exchanges.\nThe journal has these operations:\n    GET /x\n    token\n"


def test_nothing_is_told_of_what_is_not_there(run: Run, fake: Fake) -> None:
    """Whole lists have no remarks below them."""
    fake.will({"items": [], "total": 0, "dropped": 0})

    assert run("exchanges").stdout == "No exchanges.\n"


def test_exchanges_are_filtered(run: Run, fake: Fake) -> None:
    """Every filter goes into the query; --count takes the same ones."""
    filters = ["--client-id=c", "--operation=token", "--status=400", "--refused-by=CHECK-F", "--no-fault"]
    filters += ["--after=3", "--before=9"]
    fake.will({"items": [SUMMARY], "total": 1, "dropped": 0})
    fake.will(CLOCK)
    fake.will({"count": 4, "dropped": 2})

    run("exchanges", *filters, "--limit", 5)
    counted = run("exchanges", "--count", *filters)

    query = {"client_id": "c", "operation": "token", "status": "400", "refused_by": "CHECK-F", "fault": "false"}
    query |= {"after": "3", "before": "9"}
    assert [asked.query for asked in fake.asked] == [query | {"limit": "5"}, {}, query]
    assert fake.asked[2].path == f"{HERE}/exchanges/count"
    assert counted.stdout == "4\n2 older ones were dropped: the mock keeps so many only.\n"


def test_exchanges_are_followed(run: Run, fake: Fake) -> None:
    """From now on, each that comes and is wanted is printed; an empty wait is begun again."""
    fake.will({"items": [SUMMARY], "total": 12, "dropped": 0})
    fake.will(None)
    fake.will(EXCHANGE | {"number": 13})
    fake.will(EXCHANGE | {"number": 14, "operation": "jwks"})
    fake.will(EXCHANGE | {"number": 15, "status": None, "fault": HIT, "error": None})

    result = run("exchanges", "--follow", "--operation", "token", "--limit", 2)

    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["13", "15"]
    assert "400  token  my_client  invalid_client (CHECK-F)" in result.stdout
    assert "---  token  my_client  refused (CHECK-F)  fault 3; status=503" in result.stdout
    waits = fake.asked[1:]
    assert {asked.path for asked in waits} == {f"{HERE}/exchanges/next"}
    assert [asked.query["after"] for asked in waits] == ["12", "12", "13", "14"]


def test_exchanges_are_followed_from_a_number_for_scripts(run: Run, fake: Fake) -> None:
    """With --json, each is one line; with --after, those that are there already come first."""
    fake.will(EXCHANGE)
    fake.will(EXCHANGE | {"number": 13, "fault": HIT})

    result = run("exchanges", "--follow", "--after", 0, "--limit", 1, "--fault", "--json")

    assert json.loads(result.stdout) == EXCHANGE | {"number": 13, "fault": HIT}
    assert len(result.stdout.splitlines()) == 1
    assert [asked.query["after"] for asked in fake.asked] == ["0", "12"]


def test_following_begins_with_the_first_in_a_new_world(run: Run, fake: Fake) -> None:
    """Where there is none yet, the first that comes is printed."""
    fake.will({"items": [], "total": 0, "dropped": 0})
    fake.will(EXCHANGE)

    assert run("exchanges", "--follow", "--limit", 1).exit_code == 0
    assert fake.asked[1].query["after"] == "0"


def test_following_ends_when_the_mock_is_gone(run: Run, fake: Fake) -> None:
    """A world that was deleted is a refusal."""
    fake.will(EXCHANGE)
    fake.will_refuse(404, "No such world")

    result = run("exchanges", "--follow", "--after", 11)

    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 1)


def test_exchanges_are_written_as_har(run: Run, fake: Fake, tmp_path: Path) -> None:
    """The file is what came; SSINs are masked unless it is said that they are to be shown."""
    har = b'{"log": {"version": "1.2"}}'
    for _ in range(2):
        fake.will(har)

    told = run("exchanges", "--har", tmp_path / "all.har")
    printed = run("exchanges", "--har", "-", "--ssins", "shown")

    assert (tmp_path / "all.har").read_bytes() == har
    assert f"{len(har)} bytes" in told.stdout
    assert printed.stdout_bytes == har
    assert [asked.target for asked in fake.asked] == [f"{HERE}/exchanges.har", f"{HERE}/exchanges.har?ssins=shown"]


def test_one_exchange_is_printed_with_all_that_is_known(run: Run, fake: Fake) -> None:
    """Request, answer, decoded assertion, every check, near misses; nothing in it steers the terminal."""
    fake.will(EXCHANGE)

    result = run("exchange", 12)

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    for line in (
        "POST /REST/oauth/v5/token?a=b HTTP/1.1",
        "x-odd: \\x1b[2J",
        "line\\x1b",
        "Answer 400",
        '  "error": "invalid_client"',
        '        "\\u001b"',
        "    The audience differs in the last slash only.",
    ):
        assert line in lines
    assert "✓ CHECK-P          It is so. (RS256)" in lines
    assert "✗ CHECK-F          It is so." in lines
    assert "· CHECK-N          It is so. (needs a key)" in lines
    trail = result.stdout[result.stdout.index("Checks") :]
    for text in ("expected  at most 600 s", "found     3600 s\\x1b", "do        Set exp.", "G§6.1 (documented)"):
        assert text in trail
    assert all(c == "\n" or c.isprintable() for c in result.stdout)
    assert fake.asked[0].target == f"{HERE}/exchanges/12"


def test_an_exchange_without_answer_or_body_is_printed(run: Run, fake: Fake) -> None:
    """What is not there is said so, or left out; what was cut is said too."""
    request = EXCHANGE["request"] | {"query": "", "body": "begin", "body_size": 9_000, "body_truncated": True}
    bare: dict[str, Any] = {
        "answer": None,
        "assertion": None,
        "checks": [],
        "near_misses": [],
        "error": None,
        "client_id": None,
    }
    fake.will(EXCHANGE | bare | {"request": request, "fault": HIT})
    fake.will(EXCHANGE | {"request": request | {"body": None, "body_truncated": False}})

    first, second = run("exchange", 12).stdout, run("exchange", 12).stdout

    assert "POST /REST/oauth/v5/token HTTP/1.1\n" in first
    assert "(the beginning of 9000 bytes)" in first
    assert "No answer" in first
    assert "3; status=503" in first
    assert "not known" in first
    assert "Checks" not in first
    assert "(9000 bytes that are not shown)" in second


def test_one_exchange_for_scripts_is_what_the_mock_tells(run: Run, fake: Fake) -> None:
    """With --json nothing is left out."""
    fake.will(EXCHANGE)

    assert json.loads(run("exchange", 12, "--json").stdout) == EXCHANGE


# Faults


def test_a_fault_that_may_never_hit_is_warned_of(run: Run, fake: Fake) -> None:
    """It was added all the same: the exit code is 0, and standard output is as always."""
    warned = FAULT | {"warnings": ["No operation of this world is “x\x1b”."]}
    fake.will(warned, 201)
    fake.will(warned, 201)

    people, script = run("fault", "add", "x", "status=503"), run("fault", "add", "x", "status=503", "--json")

    assert (people.exit_code, script.exit_code) == (0, 0)
    for result in (people, script):
        assert result.stderr == "fla-mock: warning: No operation of this world is “x\\x1b”.\n"
    assert json.loads(script.stdout) == warned


def test_a_fault_that_is_refused_leads_to_the_help(run: Run, fake: Fake) -> None:
    """The option is named as it was given, and so is the command's help."""
    issues = [{"in": "body", "name": "times", "detail": "expected a number"}, {"in": "body", "name": "do.status"}]
    fake.will_refuse(400, "The fault cannot be.", issues=issues)

    result = run("fault", "add", "any", "status=5", "--times", "x")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "fla-mock: refused with 400: The fault cannot be.",
        "  --times: expected a number",
        "  EFFECT: is wrong",
        "  “fla-mock fault add --help” and docs/faults.md tell how a fault is written.",
    ]


# Help


GROUPS = {
    "world": "list show create delete export import settings",
    "enterprise": "list add show remove activate deactivate employees employ dismiss",
    "account": "list show create rename delete tick untick add-cert rename-cert remove-cert",
    "mandate": "list show propose procure confirm reject revoke end",
    "clock": "show advance set freeze unfreeze real",
    "fault": "list add show remove reset",
}
COMMANDS = [(group, command) for group, commands in GROUPS.items() for command in commands.split(" ")]


@pytest.mark.parametrize("command", [*COMMANDS, ("exchanges",), ("exchange",)], ids=" ".join)
def test_every_command_says_what_it_does_and_which_mock_it_asks(run: Run, command: tuple[str, ...]) -> None:
    """The help has a sentence, and the options that all of them share with their variables."""
    result = run(*command, "--help", env={"COLUMNS": "200"})

    assert result.exit_code == 0
    assert result.stdout.splitlines()[2].strip().split(" ")[0].isalpha()
    for text in ("--url", "FLA_MOCK_URL", "--world", "FLA_WORLD", "--admin-token", "FLA_MOCK_ADMIN_TOKEN", "--json"):
        assert text in result.stdout


@pytest.mark.parametrize("command", [*COMMANDS, ("exchange",), ("token",), ("cert", "new")], ids=" ".join)
def test_every_argument_is_explained(command: tuple[str, ...]) -> None:
    """Beside the name of each stands what it is."""
    found: Any = typer.main.get_command(app)
    for name in command:
        found = found.commands[name]

    assert [one.name for one in found.params if one.param_type_name == "argument" and not one.help] == []


WITH_EXAMPLES = [
    *("serve", "token", "explain-assertion", "policy", "cert new", "cert check", "cert show", "exchange"),
    *("mandate confirm", "mandate procure", "mandate revoke"),
]


@pytest.mark.parametrize("command", WITH_EXAMPLES)
def test_the_help_has_an_example(run: Run, command: str) -> None:
    """What can be copied is understood first."""
    assert "Example: fla-mock " in run(*command.split(" "), "--help", env={"COLUMNS": "200"}).stdout


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands(run: Run, group: str) -> None:
    """Without a command, the group's help is shown."""
    output = run(group).output

    assert [command for command in GROUPS[group].split(" ") if f"  {command} " not in output] == []


@pytest.mark.parametrize("arguments", [("--version",), ("clock", "show", "--url", "x")], ids=" ".join)
def test_no_command_waits_for_the_others(arguments: tuple[str, ...]) -> None:
    """What is slow to import is imported by the commands that need it only."""
    script = (
        "import sys\nfrom mock_server.cli import app\n"
        "try:\n    app(sys.argv[1:])\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)

    loaded = set(finished.stderr.split())
    assert "mock_server.cli" in loaded
    slow = {"rich.console", "http.client", "ssl", "cryptography", "starlette", "mock_server.settings"}
    assert slow & loaded == set()


def test_a_mistyped_command_is_guessed(run: Run) -> None:
    """The names of all commands are known, though none is imported."""
    assert "Did you mean 'world'" in run("wrold").stderr
