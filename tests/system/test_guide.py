"""The set-up guide done from the first chapter to the last over HTTP, against a real server process.

Each test has a world of its own, which begins empty and whose clock stands still in the third quarter of 2026 until the
test moves it: what the guide does on the pages of access management, ChaMan and MAHIS is done under `/_mock`.
"""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mock_server.certificates.making import KEY_KINDS
from mock_server.control.records import timestamp
from tests.support import FORM_HEADERS, NOW, TOKEN, Key, Reply, certificate, key
from tests.system.conftest import Client as OwnClient
from tests.system.conftest import need
from tests.system.processes import (
    TIMEOUT,
    Server,
    assertion,
    await_file,
    call,
    environment,
    token_form,
    training,
)

JSON = {"Content-Type": "application/json"}
CER = {"Content-Type": "application/pkix-cert"}
FLA_PATH = "/REST/careerpro-federal-learning-account/v1"
FLA_SCOPE = "scope:sigedis:gestion:careerpro-federal-learning-account"
DIMONA_SCOPE = "scope:dimona"
SSIN = "65111899997"
ADMINISTRATOR = {"email": "hr@example.org", "local_administrator": "A. Person"}
THIS_QUARTER, NEXT_QUARTER, LATER_QUARTER = "2026Q3", "2026Q4", "2027Q1"


def number(index: int) -> str:
    """Return an enterprise number that is not given out, the same one for the same index."""
    stem = 19990300 + index
    return f"{stem}{97 - stem % 97:02d}"


def training_of(year: int, name: str) -> dict[str, Any]:
    """Return a training whose days are in a calendar year."""
    return training(name, startDate=f"{year}-03-06", endDate=f"{year}-03-07")


E1, E2, E3, P, Q = map(number, range(5))
"""Three employers and two others."""


@dataclass(frozen=True)
class World:
    """A world of a running server."""

    server: Server
    name: str

    @classmethod
    def made(cls, server: Server, **members: Any) -> "World":
        """Make one: empty, with a clock that stands still, unless told otherwise."""
        start: dict[str, Any] = {"from": "empty", "clock": {"now": NOW, "frozen": True}}
        body = json.dumps(start | members).encode()
        reply = call("POST", f"{server.base}/_mock/worlds", body, JSON)
        assert reply.status == 201, reply.body
        return cls(server, reply.json["name"])

    @property
    def base(self) -> str:
        """The base URL of its services."""
        return f"{self.server.base}/worlds/{self.name}"

    @property
    def token_url(self) -> str:
        """The URL of its token endpoint."""
        return f"{self.base}{TOKEN}"

    @property
    def now(self) -> float:
        """What time it is here, in Unix seconds."""
        return float(self.do("GET", "/clock")["timestamp"])

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a request to its control API: a body that is not bytes is sent as JSON."""
        url = f"{self.server.base}/_mock/worlds/{self.name}{path}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return call(method, url, data, headers if headers is not None or body is None else JSON)

    def do(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that is carried out, and return what comes of it."""
        reply = self.ask(method, path, body, headers)
        assert reply.status < 300, reply.body
        return reply.json if reply.body else None

    def enterprise(self, enterprise: str, *capacities: str) -> None:
        """Add an enterprise, and activate its capacities (G§5)."""
        self.do("PUT", f"/enterprises/{enterprise}", {"name": f"Enterprise {enterprise}"})
        for capacity in capacities:
            self.do("PUT", f"/enterprises/{enterprise}/capacities/{capacity}", ADMINISTRATOR)

    def account(
        self, enterprise: str, capacity: str, *permissions: str, signing_key: Key | None = None, cer: bytes = b""
    ) -> "Account":
        """Make an account with a certificate (G§4.4.1), whose client id is made up."""
        entry = {"name": "first", "der": base64.b64encode(cer or certificate()).decode()}
        body = {"name": f"{capacity} {permissions}", "permissions": permissions, "certificates": [entry]}
        made = self.do("POST", f"/enterprises/{enterprise}/capacities/{capacity}/accounts", body)
        return Account(self, made["client_id"], signing_key or key())

    def mandate(self, mandator: str, mandatary: str, service: str = "fla", start: str = "2024Q2", **more: Any) -> int:
        """Enter a mandate that both sides signed, unless told otherwise (MAHIS); return its number."""
        terms = {"mandator": mandator, "mandatary": mandatary, "service": service, "start": start}
        more = more or {"procuration": True}
        return int(self.do("POST", "/mandates", terms | more)["id"])

    def status(self, mandate: int) -> str:
        """Return what a mandate is now."""
        return str(self.do("GET", f"/mandates/{mandate}")["status"])

    def move(self, **change: Any) -> None:
        """Move the clock forward."""
        self.do("PATCH", "/clock", change)

    def exchanges(self, query: str = "") -> list[Any]:
        """Return what the journal holds."""
        found: list[Any] = self.do("GET", f"/exchanges?limit=1000&{query}")["items"]
        return found

    @property
    def refused_by(self) -> str | None:
        """The requirement that the last exchange was refused by."""
        last: str | None = self.exchanges()[-1]["refused_by"]
        return last


@dataclass(frozen=True)
class Account:
    """A client of a world, with its account and its key."""

    world: World
    client_id: str
    key: Key
    path: str = field(init=False)
    """Of the account, in the control API."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", f"/accounts/{quote(self.client_id, safe='')}")

    def ask(self, scope: str | None = None, **changes: Any) -> Reply:
        """Ask for a token, with a good assertion, changed (G§6.1)."""
        claims = {"exp": int(self.world.now) + 300} | changes
        text = assertion(self.client_id, self.key, self.world.token_url, **claims)
        more = {} if scope is None else {"scope": scope}
        return call("POST", self.world.token_url, token_form(text, **more), FORM_HEADERS)

    def refused(self, scope: str | None = None, **changes: Any) -> str:
        """Ask for a token that is not given; return the error."""
        reply = self.ask(scope, **changes)
        assert reply.status == 400, reply.body
        return str(reply.json["error"])

    def token(self, scope: str | None = None) -> str:
        """Return an access token."""
        reply = self.ask(scope)
        assert reply.status == 200, reply.body
        return str(reply.json["access_token"])

    def send(
        self,
        employer: str,
        names: Sequence[str] = ("First aid",),
        *,
        ssin: str = SSIN,
        year: int = 2023,
        token: str = "",
    ) -> Reply:
        """Send an employee's trainings of a year (G§7.3.1)."""
        url = f"{self.world.base}{FLA_PATH}/employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"
        body = json.dumps({"items": [training_of(year, name) for name in names]}).encode()
        return call("PUT", url, body, JSON | {"Authorization": f"Bearer {token or self.token()}"})

    def read(self, employer: str, *, ssin: str = SSIN, year: int = 2023, token: str = "") -> Reply:
        """Read them back."""
        url = f"{self.world.base}{FLA_PATH}/employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"
        return call("GET", url, headers={"Authorization": f"Bearer {token or self.token()}"})


def problem(reply: Reply) -> tuple[int, str]:
    """Return status and type of a problem."""
    assert reply.headers["content-type"] == "application/problem+json"
    return reply.status, str(reply.json["type"]).rpartition(":")[2]


def conflict(reply: Reply) -> str:
    """Judge a 409, and return its sentence."""
    assert (reply.status, reply.json["title"]) == (409, "Conflict"), reply.body
    return str(reply.json["detail"])


NO_PERMISSION, NO_SCOPE = (403, "missingPermission"), (403, "missingScope")


@pytest.fixture
def world(server: Server) -> World:
    """Make an empty world."""
    return World.made(server)


def form_body(
    fields: Sequence[tuple[str, str]], files: Sequence[tuple[str, str, bytes]]
) -> tuple[bytes, dict[str, str]]:
    """Return a form as a browser sends it, and its headers."""
    parts = [
        f'--guide\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    parts += [
        f'--guide\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        "Content-Type: application/x-x509-ca-cert\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, file, data in files
    ]
    return b"".join([*parts, b"--guide--\r\n"]), {"Content-Type": "multipart/form-data; boundary=guide"}


# Chapter 5: a capacity


def test_chapter_5_a_capacity_is_activated(world: World) -> None:
    """An employer becomes a training provider; who is named administers it, and an account can be made from then on."""
    world.enterprise(E1, "employer")
    accounts = f"/enterprises/{E1}/capacities/training-provider/accounts"
    assert "Activate it in access management first" in conflict(world.ask("POST", accounts, {"name": "channel"}))

    reply = world.ask("PUT", f"/enterprises/{E1}/capacities/training-provider", ADMINISTRATOR)

    assert reply.status == 201
    assert reply.json["capacities"] == ["employer", "training-provider"]
    assert reply.json["administrators"]["training-provider"] == ADMINISTRATOR
    provider = world.account(E1, "training-provider", "fla")
    assert provider.ask().json["scope"] == f"{FLA_SCOPE}:training-provider"
    assert problem(provider.send(E1)) == NO_SCOPE


def test_chapter_5_no_other_capacity_opens_a_channel(world: World) -> None:
    """The four that can are told."""
    world.enterprise(E1)

    reply = world.ask("PUT", f"/enterprises/{E1}/capacities/pension-fund", ADMINISTRATOR)

    assert problem(reply) == (400, "badRequest")
    assert "employer, social-secretariat, service-provider, training-provider" in reply.json["detail"]


# Chapter 4: an account


@pytest.mark.parametrize("form", ["chaman", "expeditor"])
def test_chapter_4_4_1_an_account_is_made_and_its_client_gets_through(world: World, form: str) -> None:
    """Name, permission and .cer file go into the form; the client id comes out, and is all that a client needs."""
    world.enterprise(E1, "employer")
    body, headers = form_body(
        [("name", "My REST Account"), ("permission", "fla"), ("client_id_form", form)],
        [("certificate", "REST_Certificate.cer", certificate())],
    )

    made = world.do("POST", f"/enterprises/{E1}/capacities/employer/accounts", body, headers)

    listed = world.do("GET", f"/enterprises/{E1}/capacities/employer/accounts")
    assert listed == {"items": [made], "total": 1}
    assert re.fullmatch(rf"self_service_{form}_[0-9]{{6}}(_[a-z0-9]{{10}})?", made["client_id"])
    assert (made["permissions"], made["certificates"][0]["name"]) == (["fla"], "REST_Certificate.cer")
    client = Account(world, made["client_id"], key())
    answer = client.ask(f"{FLA_SCOPE}:employer").json
    assert (answer["scope"], answer["token_type"]) == (f"{FLA_SCOPE}:employer", "Bearer")
    assert client.send(E1, ["First aid", "Welding"], token=answer["access_token"]).status == 200
    assert [item["name"] for item in client.read(E1).json["items"]] == ["First aid", "Welding"]
    assert client.send(E1, ["Welding"]).json["total"] == client.read(E1).json["total"] == 1


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_chapter_4_4_1_every_key_of_the_table_is_accepted(
    server: Server, clients: Mapping[str, OwnClient], kind: str
) -> None:
    """RSA of three sizes and two curves; the client signs with the key of its certificate."""
    client = clients[kind]
    # The certificates of the system tests are of today.
    world = World.made(server, clock={})
    world.enterprise(E1, "employer")

    account = world.account(E1, "employer", "fla", signing_key=client.key, cer=client.files.certificate.read_bytes())

    assert account.send(E1).status == 200


def test_chapter_4_4_1_the_certificate_is_asked_for_and_never_the_key(world: World) -> None:
    """Who uploads the wrong file is told so, and nothing of it is kept."""
    world.enterprise(E1, "employer")
    secret = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    body, headers = form_body([("name", "My REST Account")], [("certificate", "my.key", secret)])

    reply = world.ask("POST", f"/enterprises/{E1}/capacities/employer/accounts", body, headers)

    assert problem(reply) == (400, "badRequest")
    assert "A private key must never be uploaded" in reply.json["detail"]
    assert secret.splitlines()[3] not in reply.body
    assert world.do("GET", "/accounts")["total"] == 0


def test_chapter_4_4_2_an_existing_account_is_used_for_another_service(world: World) -> None:
    """No new certificate is needed: one tick, and the same client gets a scope that it was refused before."""
    world.enterprise(E1, "employer")
    account = world.account(E1, "employer", "dimona")
    assert account.refused(f"{FLA_SCOPE}:employer") == "invalid_scope"
    assert world.refused_by == "OAUTH-SCOPE-2"
    assert account.ask().json["scope"] == DIMONA_SCOPE
    assert problem(account.send(E1)) == NO_SCOPE

    ticked = world.do("PUT", f"{account.path}/permissions/fla")

    assert ticked["permissions"] == ["dimona", "fla"]
    assert account.ask(f"{FLA_SCOPE}:employer").status == 200
    assert account.ask().json["scope"] == f"{DIMONA_SCOPE} {FLA_SCOPE}:employer"
    assert account.send(E1).status == 200
    world.do("DELETE", f"{account.path}/permissions/fla")
    assert account.refused(f"{FLA_SCOPE}:employer") == "invalid_scope"


def test_chapter_4_4_2_an_account_without_any_permission_gets_no_token(world: World) -> None:
    """Until the first one is ticked."""
    world.enterprise(E1, "employer")
    account = world.account(E1, "employer")
    assert account.refused() == "unauthorized_client"
    assert world.refused_by == "OAUTH-PERM-1"

    world.do("PUT", f"{account.path}/permissions/fla")

    assert account.ask().json["scope"] == f"{FLA_SCOPE}:employer"


def test_chapter_4_4_each_capacity_has_an_account_of_its_own(world: World) -> None:
    """One enterprise in three roles: what each account may do follows from the capacity that it was made in."""
    world.enterprise(E1, "employer", "service-provider", "training-provider")
    world.enterprise(E2, "employer")
    world.mandate(E2, E1)
    scopes = {"employer": "employer", "service-provider": "provider", "training-provider": "training-provider"}
    accounts = {capacity: world.account(E1, capacity, "fla") for capacity in scopes}

    for capacity, suffix in scopes.items():
        assert accounts[capacity].ask().json["scope"] == f"{FLA_SCOPE}:{suffix}"
        others = [other for other in scopes.values() if other != suffix]
        assert {accounts[capacity].refused(f"{FLA_SCOPE}:{other}") for other in others} == {"invalid_scope"}
    calls = {
        (capacity, employer): accounts[capacity].send(employer).status for capacity in scopes for employer in (E1, E2)
    }
    assert [called for called, status in calls.items() if status == 200] == [("employer", E1), ("service-provider", E2)]


def test_a_certificate_is_replaced_without_a_gap(world: World) -> None:
    """Both work until the first is removed; then its key gets no token, and tokens that it got before still work."""
    world.enterprise(E1, "employer")
    before = world.account(E1, "employer", "fla")
    (first,) = world.do("GET", f"{before.path}/certificates")["items"]
    after = Account(world, before.client_id, key(number=1))
    assert after.refused() == "invalid_client"
    second = world.do("POST", f"{before.path}/certificates?name=from+October", certificate(number=1), CER)
    assert [before.ask().status, after.ask().status] == [200, 200]
    token = before.token()

    world.do("DELETE", f"{before.path}/certificates/{first['fingerprint']}")

    assert world.do("GET", f"{before.path}/certificates")["items"] == [second]
    assert before.refused() == "invalid_client"
    assert world.refused_by == "OAUTH-SIG-1"
    assert before.send(E1, token=token).status == 200
    assert after.send(E1).status == 200


# Chapter 6: a client


def test_chapter_6_the_call_that_the_guide_prints(world: World) -> None:
    """Nine digits, counter 999, the year 2023, and the client id of the sample (G§6.1, G§7.3.1)."""
    world.enterprise("880820673", "employer")
    entry = {"name": "1", "der": base64.b64encode(certificate()).decode()}
    sample = "self_service_chaman_123456_78912"
    members = {"name": "guide", "client_id": sample, "permissions": ["fla"], "certificates": [entry]}
    world.do("POST", "/enterprises/880820673/capacities/employer/accounts", members)

    client = Account(world, sample, key())

    assert client.send("880820673").status == 200
    assert client.read("0880820673").json["total"] == 1
    assert [one["operation"].split(" ")[0] for one in world.exchanges()] == ["token", "PUT", "token", "GET"]


@pytest.mark.parametrize(
    ("changes", "requirement"),
    [
        ({"exp": int(NOW) + 660}, "OAUTH-EXP-3"),
        ({"exp": int(NOW) - 60}, "OAUTH-EXP-2"),
        ({"aud": "https://services.example.org/REST/oauth/v5/token"}, "OAUTH-AUD-2"),
        ({"iss": "somebody_else"}, "OAUTH-ISS-1"),
        ({"jti": ""}, "OAUTH-JTI-1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_chapter_6_1_what_is_wrong_with_an_assertion_is_in_the_journal(
    world: World, changes: dict[str, Any], requirement: str
) -> None:
    """On the wire it is one word; the journal names the check, with what was expected and what came."""
    world.enterprise(E1, "employer")
    account = world.account(E1, "employer", "fla")

    assert account.refused(**changes) == "invalid_client"

    (exchange,) = world.exchanges("full=true")
    assert exchange["refused_by"] == requirement
    failed = [check for check in exchange["checks"] if check["outcome"] == "failed"]
    assert [(check["id"], bool(check["expected"] and check["found"])) for check in failed] == [(requirement, True)]


# Chapter 2: mandates


@pytest.fixture
def office(world: World) -> Account:
    """Give the account of a service provider in a world with employers, none of which has given it a mandate yet."""
    for employer in (E1, E2):
        world.enterprise(employer, "employer")
    world.enterprise(P, "service-provider")
    world.enterprise(Q, "social-secretariat")
    return world.account(P, "service-provider", "fla")


@pytest.mark.parametrize(("first", "second"), [("mandator", "mandatary"), ("mandatary", "mandator")])
def test_chapter_2_2_1_a_mandate_needs_both_sides(office: Account, first: str, second: str) -> None:
    """Proposed by one, it lets nobody send; once the other has confirmed it, at once."""
    world = office.world
    mandate = world.mandate(E1, P, start=THIS_QUARTER, proposed_by=first)
    assert (world.status(mandate), problem(office.send(E1))) == ("proposed", NO_PERMISSION)
    world.do("POST", f"/mandates/{mandate}/confirm", {"by": first})
    assert (world.status(mandate), problem(office.send(E1))) == ("proposed", NO_PERMISSION)
    assert world.refused_by == "ACCESS-MANDATE-1"

    world.do("POST", f"/mandates/{mandate}/confirm", {"by": second})

    assert (world.status(mandate), office.send(E1).status) == ("active", 200)
    assert problem(office.send(E2)) == NO_PERMISSION


def test_chapter_2_2_a_mandate_is_for_one_service(office: Account) -> None:
    """One for Dimona lets nobody send trainings."""
    office.world.mandate(E1, P, "dimona")

    assert problem(office.send(E1)) == NO_PERMISSION


def test_chapter_2_2_a_mandate_works_from_its_first_quarter_to_its_last(office: Account) -> None:
    """Once the clock is in it; what was sent in time stays."""
    world = office.world
    mandate = world.mandate(E1, P, start=NEXT_QUARTER, end=NEXT_QUARTER, procuration=True)
    assert (world.status(mandate), problem(office.send(E1))) == ("confirmed", NO_PERMISSION)

    world.move(now=NEXT_QUARTER)

    assert (world.status(mandate), office.send(E1, ["In time"]).status) == ("active", 200)
    world.move(now=LATER_QUARTER)
    assert (world.status(mandate), problem(office.send(E1, ["Too late"]))) == ("ended", NO_PERMISSION)
    own = world.account(E1, "employer", "fla")
    assert [item["name"] for item in own.read(E1).json["items"]] == ["In time"]


def test_chapter_2_2_a_mandate_is_ended_with_this_quarter(office: Account) -> None:
    """It works until the quarter is over."""
    world = office.world
    mandate = world.mandate(E1, P)
    ended = world.do("POST", f"/mandates/{mandate}/end")
    assert (ended["end"], ended["status"], office.send(E1).status) == (THIS_QUARTER, "active", 200)

    world.move(now=NEXT_QUARTER)

    assert (world.status(mandate), problem(office.send(E1))) == ("ended", NO_PERMISSION)


def test_chapter_2_2_a_mandate_that_is_revoked_ends_at_once(office: Account) -> None:
    """In the middle of a quarter, and for tokens that are out already."""
    world = office.world
    mandate = world.mandate(E1, P)
    token = office.token()
    assert office.send(E1, token=token).status == 200

    world.do("POST", f"/mandates/{mandate}/revoke", {"by": "mandator"})

    assert (world.status(mandate), problem(office.send(E1, token=token))) == ("revoked", NO_PERMISSION)


def test_chapter_2_2_a_mandate_that_is_rejected_never_works(office: Account) -> None:
    """The other side did not want it."""
    world = office.world
    mandate = world.mandate(E1, P, start=THIS_QUARTER, proposed_by="mandatary")

    world.do("POST", f"/mandates/{mandate}/reject", {"by": "mandator"})

    assert (world.status(mandate), problem(office.send(E1))) == ("rejected", NO_PERMISSION)
    assert "rejected" in conflict(world.ask("POST", f"/mandates/{mandate}/confirm", {"by": "mandator"}))


def test_chapter_2_2_1_an_employer_has_one_mandatary_for_the_fla(office: Account) -> None:
    """A second one is refused with the name of the first, until the first has ended; other services may differ."""
    world = office.world
    first = world.mandate(E1, P)
    second = world.mandate(E1, Q, start=NEXT_QUARTER, proposed_by="mandatary")
    world.mandate(E1, Q, "dimona")

    refused = conflict(world.ask("POST", f"/mandates/{second}/confirm", {"by": "mandator"}))

    assert P in refused
    assert f"mandate {first}" in refused
    assert (world.status(second), office.send(E1).status) == ("proposed", 200)
    world.do("POST", f"/mandates/{first}/end", {"end": THIS_QUARTER})
    world.do("POST", f"/mandates/{second}/confirm", {"by": "mandator"})
    world.move(now=NEXT_QUARTER)
    assert [world.status(mandate) for mandate in (first, second)] == ["ended", "active"]
    assert problem(office.send(E1)) == NO_PERMISSION
    assert world.account(Q, "social-secretariat", "fla").send(E1).status == 200


# The examples of chapter 2. An account is written enterprise, capacity, permissions; a call account, employer, and what
# comes of it. Of Dimona there is no API here: what its flow needs is the token.

SENT = (200, "")
Calls = dict[tuple[str, str], tuple[int, str]]


@dataclass(frozen=True)
class Example:
    """One example: who there is, and which calls must pass and which must not."""

    enterprises: Mapping[str, Sequence[str]]
    accounts: Mapping[str, tuple[str, str, str]]
    calls: Mapping[tuple[str, str], tuple[int, str]]
    dimona: Mapping[str, bool]
    """Whether an account gets a token for Dimona."""
    mandates: Sequence[tuple[str, str, str]] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


EMPLOYER, SECRETARIAT, PROVIDER = "employer", "social-secretariat", "service-provider"
GROUP = Example(
    enterprises={E1: [EMPLOYER], E2: [EMPLOYER, PROVIDER], E3: [EMPLOYER]},
    accounts={
        "1": (E1, EMPLOYER, "dimona"),
        "2": (E2, EMPLOYER, "fla dimona"),
        "2 for the group": (E2, PROVIDER, "fla"),
        "3": (E3, EMPLOYER, "dimona"),
    },
    mandates=[(E1, E2, "fla"), (E3, E2, "fla")],
    calls={
        ("2 for the group", E1): SENT,
        ("2 for the group", E3): SENT,
        ("2", E2): SENT,
        ("2", E1): NO_PERMISSION,
        ("2", E3): NO_PERMISSION,
        ("2 for the group", E2): NO_PERMISSION,
        ("1", E1): NO_SCOPE,
        ("3", E3): NO_SCOPE,
    },
    dimona={"1": True, "2": True, "2 for the group": False, "3": True},
)
EXAMPLES: dict[str, Example] = {
    "1, left: an account for each service": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER]},
        accounts={"fla": (E1, EMPLOYER, "fla"), "dimona": (E1, EMPLOYER, "dimona")},
        calls={("fla", E1): SENT, ("dimona", E1): NO_SCOPE, ("fla", E2): NO_PERMISSION},
        dimona={"fla": False, "dimona": True},
    ),
    "1, right: one account for both services": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER]},
        accounts={"common": (E1, EMPLOYER, "fla dimona")},
        calls={("common", E1): SENT, ("common", E2): NO_PERMISSION},
        dimona={"common": True},
    ),
    "2: one mandatary for all services": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER], P: [PROVIDER], Q: [SECRETARIAT]},
        accounts={"provider": (P, PROVIDER, "fla dimona"), "another": (Q, SECRETARIAT, "fla dimona")},
        mandates=[(E1, P, "fla"), (E1, P, "dimona")],
        calls={
            ("provider", E1): SENT,
            ("provider", E2): NO_PERMISSION,
            ("provider", P): NO_PERMISSION,
            ("another", E1): NO_PERMISSION,
        },
        dimona={"provider": True, "another": True},
    ),
    "3: a mandatary for the FLA alone": Example(
        enterprises={E1: [EMPLOYER], P: [PROVIDER], Q: [SECRETARIAT]},
        accounts={"for the fla": (P, PROVIDER, "fla"), "for dimona": (Q, SECRETARIAT, "fla dimona")},
        mandates=[(E1, P, "fla"), (E1, Q, "dimona")],
        calls={("for the fla", E1): SENT, ("for dimona", E1): NO_PERMISSION},
        dimona={"for the fla": False, "for dimona": True},
    ),
    "4: Dimona by themselves, the FLA through one mandatary": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER], E3: [EMPLOYER], P: [PROVIDER]},
        accounts={"1": (E1, EMPLOYER, "dimona"), "2": (E2, EMPLOYER, "dimona"), "provider": (P, PROVIDER, "fla")},
        mandates=[(E1, P, "fla"), (E2, P, "fla")],
        calls={
            ("provider", E1): SENT,
            ("provider", E2): SENT,
            ("provider", E3): NO_PERMISSION,
            ("1", E1): NO_SCOPE,
            ("2", E2): NO_SCOPE,
        },
        dimona={"1": True, "2": True, "provider": False},
    ),
    "mixed: an employer that gave a mandate still sends by itself": Example(
        enterprises={E1: [EMPLOYER], P: [PROVIDER]},
        accounts={"own": (E1, EMPLOYER, "fla"), "provider": (P, PROVIDER, "fla")},
        mandates=[(E1, P, "fla")],
        calls={("own", E1): SENT, ("provider", E1): SENT},
        dimona={"own": False},
    ),
    "5: a group whose companies send apart": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER], E3: [EMPLOYER]},
        accounts={
            "1": (E1, EMPLOYER, "fla dimona"),
            "2": (E2, EMPLOYER, "fla dimona"),
            "3": (E3, EMPLOYER, "fla dimona"),
        },
        calls={
            ("1", E1): SENT,
            ("2", E2): SENT,
            ("3", E3): SENT,
            ("1", E2): NO_PERMISSION,
            ("2", E3): NO_PERMISSION,
            ("3", E1): NO_PERMISSION,
        },
        dimona={"1": True, "2": True, "3": True},
    ),
    "6: a group with one of them as its mandatary": GROUP,
    "6, with one account for all that company 2 sends": Example(
        GROUP.enterprises,
        GROUP.accounts,
        {**GROUP.calls, ("2 for the group", E2): SENT},
        GROUP.dimona,
        GROUP.mandates,
        {"mandatary_own_number": "allow"},
    ),
    "vendor, case 1: the vendor sends": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER], P: [PROVIDER]},
        accounts={"vendor": (P, PROVIDER, "fla")},
        mandates=[(E1, P, "fla")],
        calls={("vendor", E1): SENT, ("vendor", E2): NO_PERMISSION},
        dimona={"vendor": False},
    ),
    "vendor, case 2: its software sends with the employer's account": Example(
        enterprises={E1: [EMPLOYER], E2: [EMPLOYER], P: [PROVIDER]},
        accounts={
            "employer 1": (E1, EMPLOYER, "fla"),
            "employer 2": (E2, EMPLOYER, "fla"),
            "vendor": (P, PROVIDER, "fla"),
        },
        calls={
            ("employer 1", E1): SENT,
            ("employer 2", E2): SENT,
            ("employer 1", E2): NO_PERMISSION,
            ("vendor", E1): NO_PERMISSION,
        },
        dimona={"employer 1": False},
    ),
    "2.5: a training provider": Example(
        enterprises={E1: [EMPLOYER], P: ["training-provider"]},
        accounts={"trainer": (P, "training-provider", "fla")},
        calls={("trainer", E1): NO_SCOPE, ("trainer", P): NO_SCOPE},
        dimona={"trainer": False},
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_chapter_2_an_example_works_as_it_is_told(world: World, name: str) -> None:
    """Who sends in the example can, and who does not cannot; each account has a certificate of its own."""
    example = EXAMPLES[name]
    world.do("PATCH", "/settings", dict(example.settings))
    for enterprise, capacities in example.enterprises.items():
        world.enterprise(enterprise, *capacities)
    accounts = {}
    for index, (label, (enterprise, capacity, permissions)) in enumerate(example.accounts.items()):
        accounts[label] = world.account(
            enterprise,
            capacity,
            *permissions.split(),
            signing_key=key("ec-p384", index),
            cer=certificate("ec-p384", index),
        )
    for mandator, mandatary, service in example.mandates:
        world.mandate(mandator, mandatary, service)

    replies = {called: accounts[called[0]].send(called[1]) for called in example.calls}

    assert example.calls == {
        called: SENT if reply.status == 200 else problem(reply) for called, reply in replies.items()
    }
    assert example.dimona == {label: accounts[label].ask(DIMONA_SCOPE).status == 200 for label in example.dimona}


def test_chapter_2_3_data_go_under_the_number_that_does_the_dimona(world: World) -> None:
    """In a world that knows who works where, an employee of another company of the group is not found."""
    world.do("PATCH", "/settings", {"employments": "closed"})
    for employer in (E1, E2):
        world.enterprise(employer, "employer")
    world.do("PUT", f"/enterprises/{E1}/employments/{SSIN}")

    assert world.account(E1, "employer", "fla").send(E1).status == 200
    assert problem(world.account(E2, "employer", "fla").send(E2)) == (404, "resourceNotFound")


# What is not documented, and a setting


def test_a_change_in_chaman_may_take_a_while(world: World) -> None:
    """An account, and later a tick, is refused until the delay is over."""
    world.do("PATCH", "/settings", {"activation_delay": 900})
    world.enterprise(E1, "employer")
    account = world.account(E1, "employer", "dimona")
    assert world.do("GET", account.path)["active_from"] == timestamp(NOW + 900)
    world.move(advance=899)
    assert account.refused() == "invalid_client"

    world.move(advance=1)

    assert account.ask().json["scope"] == DIMONA_SCOPE
    world.do("PUT", f"{account.path}/permissions/fla")
    assert account.refused(f"{FLA_SCOPE}:employer") == "invalid_scope"
    world.move(advance=900)
    assert account.send(E1).status == 200


def test_the_calendar_year_may_have_to_lie_inside_the_mandate(office: Account) -> None:
    """When the setting says so; else a mandate of today is enough for any year."""
    world = office.world
    world.mandate(E1, P, start="2025Q1", end="2026Q4", procuration=True)
    years = (2023, 2025, 2026, 2027)
    assert [office.send(E1, year=year).status for year in years] == [200, 200, 200, 200]

    world.do("PATCH", "/settings", {"calendar_year_in_mandate": "require"})

    assert [office.send(E1, year=year).status for year in years] == [403, 200, 200, 403]
    assert world.refused_by == "ACCESS-MANDATE-2"
    assert world.do("POST", "/mandates/1/end", {"end": "2026Q3"})["status"] == "active"
    assert [office.send(E1, year=year).status for year in years] == [403, 200, 403, 403]


# The documentation that does all this with commands

CHANNEL = (Path(__file__).parents[2] / "docs" / "channel.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", CHANNEL, re.MULTILINE | re.DOTALL)
SERVE = "fla-mock serve --world empty\n"
EXPECTED = re.findall(r"# (\d{3})(?: (\w+))?$", CHANNEL, re.MULTILINE)
"""What the comments behind the calls say: a status, and a word of the answer."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start the server of the page in a fresh folder; give the environment of somebody who works beside it."""
    need("bash", "curl", "openssl")
    variables = environment(
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        FLA_MOCK_PORT="0",
        FLA_MOCK_READY_FILE=str(tmp_path / "ready"),
    )
    with (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {SERVE}"],
            cwd=tmp_path,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        await_file(tmp_path / "ready", process)
        yield variables | {"FLA_MOCK_URL": (tmp_path / "ready").read_text(encoding="utf-8")}
    finally:
        process.kill()
        process.wait(TIMEOUT)


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="the page is written for a POSIX shell")
def test_every_command_of_the_page_works(terminal: dict[str, str], tmp_path: Path) -> None:
    """In one terminal from top to bottom; each call is answered as the comment behind it says."""
    commands = "".join(text for language, text in BLOCKS if language == "bash" and text != SERVE)
    commands = commands.replace("http://127.0.0.1:8425", terminal["FLA_MOCK_URL"])

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        env=terminal,
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * TIMEOUT,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    answers = re.findall(r"^(\{.*\})\n(\d{3})$", done.stdout, re.MULTILINE)
    assert [status for status, _ in EXPECTED] == [status for _, status in answers], done.stdout
    assert all(word in answer for (_, word), (answer, _) in zip(EXPECTED, answers, strict=True))
    assert "PRIVATE" not in (tmp_path / "my-channel.json").read_text(encoding="utf-8")


def test_nothing_of_the_page_is_left_out() -> None:
    """Every block is a command, and the server is the one that the page starts."""
    assert {language for language, _ in BLOCKS} == {"bash"}
    assert [text for _, text in BLOCKS if "fla-mock serve" in text] == [SERVE]
    assert len(EXPECTED) >= 15
