"""The portal over HTTP: the guide's chapters 4 and 5 and MAHIS, and how requests that are not right are refused."""

import asyncio
import base64
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from openapi_spec_validator import validate

from mock_server.clock import FixedClock
from mock_server.control.errors import install_error_handlers
from mock_server.control.portal_api import portal_router
from mock_server.control.records import timestamp
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber
from mock_server.services.catalogue import FLA, services
from mock_server.world.database import MEMORY, StoreError
from mock_server.world.model import CLOSED_ANSWER, CONSULTATION_ANSWER, Enterprise, WorldState
from mock_server.world.store import Store
from mock_server.world.world import World, WorldGoneError
from tests.support import NOW, Reply, certificate, key

SERVICES = services()
EMPLOYER = EnterpriseNumber("1999000150")
SECRETARIAT = EnterpriseNumber("1999000249")
PROVIDER = EnterpriseNumber("1999000447")
NOBODY = "1999000546"
SSIN = "85073099932"
ANSWER = {"status": 409, "type": "about:blank", "title": "Conflict", "detail": "Too late"}
BASE = "/_mock/worlds/default"
ENTERPRISE = f"{BASE}/enterprises/{EMPLOYER}"
ACCOUNTS = f"{ENTERPRISE}/capacities/employer/accounts"
JSON = {"content-type": "application/json"}
BOUNDARY = "between-parts"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
STATE = WorldState(
    enterprises=(
        Enterprise(EMPLOYER, "Employer", frozenset({Capacity.EMPLOYER})),
        Enterprise(SECRETARIAT, "Secretariat", frozenset({Capacity.SOCIAL_SECRETARIAT})),
        Enterprise(PROVIDER, "Provider", frozenset({Capacity.SERVICE_PROVIDER})),
    )
)
Part = tuple[str, str | None, bytes]


@dataclass
class Portal:
    """The API of one world, and its caller."""

    app: FastAPI
    world: World
    clock: FixedClock

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a request: a body that is not bytes is sent as JSON. The path goes as it is, like from the server."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = headers if headers is not None else {} if body is None else JSON
        return asyncio.run(self._call(method, path, data, headers))

    async def _call(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        path, _, query = target.partition("?")
        incoming: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        }
        try:
            await self.app(scope, receive, send)
        except RuntimeError:
            assert sent, "there is an answer before a fault is raised again"
        answer = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        reply = Reply(sent[0]["status"], answer, b"".join(message.get("body", b"") for message in sent[1:]))
        if reply.status >= 400:
            check_problem(reply)
        return reply

    def get(self, path: str) -> Any:
        """Return what is at a path."""
        reply = self.call("GET", path)
        assert reply.status == 200, reply.body
        return reply.json

    def make_account(self, **members: Any) -> Any:
        """Make an account of the employer, with the first certificate."""
        body = {"name": "Training data", "permissions": ["fla"], "client_id": "mine", "certificates": [entry()]}
        reply = self.call("POST", ACCOUNTS, body | members)
        assert reply.status == 201, reply.body
        return reply.json

    def active(self) -> tuple[list[str], list[str]]:
        """Return the permissions and the names of the certificates that the token endpoint goes by now."""
        account = self.world.active_account(ClientId("mine"))
        assert account is not None
        return list(account.permissions), [one.name for one in account.certificates]


def check_problem(reply: Reply) -> None:
    """Judge what every refusal has in common."""
    problem = reply.json
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["status"] == reply.status
    assert problem["instance"] == f"urn:uuid:{reply.headers['belgov-trace-id']}"
    assert problem["detail"]
    assert reply.status != 422
    for issue in problem.get("issues", []):
        assert issue["detail"]
        assert issue["in"] in {"body", "path", "query"}


def entry(number: int = 0, name: str = "first") -> dict[str, str]:
    """Return a certificate as JSON takes it."""
    return {"name": name, "der": base64.b64encode(certificate(number=number)).decode()}


def form(*parts: Part) -> bytes:
    """Return a form; a part with a file name is a file."""
    lines = []
    for name, file, data in parts:
        disposition = f'form-data; name="{name}"' + ("" if file is None else f'; filename="{file}"')
        lines.append(f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def issues(reply: Reply) -> list[tuple[str, str]]:
    """Return where the issues of a refusal are."""
    assert reply.status == 400, reply.body
    return [(issue["in"], issue["name"]) for issue in reply.json["issues"]]


def private_key() -> bytes:
    """Write a private key as PEM."""
    return key(number=3).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def served() -> tuple[FastAPI, dict[str, World]]:
    """Make the application once, and the worlds that it finds."""
    worlds: dict[str, World] = {}

    def find_world(name: str) -> World:
        if name not in worlds:
            msg = f"the world {name} was deleted"
            raise WorldGoneError(msg)
        return worlds[name]

    return serve(find_world), worlds


@pytest.fixture
def portal(served: tuple[FastAPI, dict[str, World]]) -> Iterator[Portal]:
    """Serve one world, named default."""
    app, worlds = served
    store, clock = Store(MEMORY), FixedClock(NOW)
    worlds["default"] = store.create_world(STATE, clock)
    yield Portal(app, worlds["default"], clock)
    worlds.clear()
    store.close()


def serve(find_world: Callable[[str], World]) -> FastAPI:
    """Make the application."""
    app = FastAPI(redirect_slashes=False)
    install_error_handlers(app)
    app.include_router(portal_router(find_world, SERVICES))
    return app


# Chapter 5: access management


def test_chapter_5_a_new_capacity_is_activated(portal: Portal) -> None:
    """An employer becomes a training provider too, and can open a channel as such."""
    path = f"{ENTERPRISE}/capacities/training-provider"
    body = {"email": "learning@example.org", "local_administrator": "An Peeters"}
    assert portal.call("POST", f"{path}/accounts", {"name": "channel"}).status == 409

    reply = portal.call("PUT", path, body)

    assert reply.status == 201
    assert reply.json == portal.get(ENTERPRISE)
    assert reply.json == {
        "number": EMPLOYER,
        "name": "Employer",
        "capacities": ["employer", "training-provider"],
        "administrators": {"training-provider": body},
        "employments": None,
    }
    assert portal.call("PUT", path, body).status == 200
    assert portal.call("POST", f"{path}/accounts", {"name": "channel"}).status == 201


def test_a_capacity_is_deactivated_when_nothing_needs_it(portal: Portal) -> None:
    """While an account needs it, the refusal names the account."""
    portal.make_account()
    refused = portal.call("DELETE", f"{ENTERPRISE}/capacities/employer")
    assert refused.status == 409
    assert (refused.json["type"], refused.json["title"]) == ("about:blank", "Conflict")
    assert "account mine" in refused.json["detail"]

    portal.call("DELETE", f"{BASE}/accounts/mine")

    assert portal.call("DELETE", f"{ENTERPRISE}/capacities/employer").status == 204
    assert portal.get(ENTERPRISE)["capacities"] == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_the_four_capacities_of_the_guide_open_a_channel(portal: Portal, method: str) -> None:
    """Another one is refused with those four, and where that is said."""
    body = {"email": "a@example.org", "local_administrator": "A"} if method == "PUT" else None

    reply = portal.call(method, f"{ENTERPRISE}/capacities/pension-fund", body)

    assert issues(reply) == [("path", "capacity")]
    detail = reply.json["issues"][0]["detail"]
    assert "employer, social-secretariat, service-provider, training-provider" in detail
    assert "G§4.4.1" in detail
    assert detail.count("pension-fund") == 1


def test_an_enterprise_is_added_renamed_listed_and_deleted(portal: Portal) -> None:
    """Adding is 201 with its place, changing 200."""
    path = f"{BASE}/enterprises/{NOBODY}"
    added = portal.call("PUT", path, {"name": "Newcomer", "employments": "closed"})
    assert (added.status, added.headers["location"]) == (201, path)
    assert added.json["employments"] == "closed"

    renamed = portal.call("PUT", path, {"name": "Bakery Peeters & Söhne"})

    assert (renamed.status, renamed.json["name"], renamed.json["employments"]) == (200, "Bakery Peeters & Söhne", None)
    page = portal.get(f"{BASE}/enterprises?after={SECRETARIAT}&limit=1")
    assert ([one["number"] for one in page["items"]], page["total"]) == ([PROVIDER], 4)
    assert portal.call("DELETE", path).status == 204
    assert portal.call("GET", path).status == 404


def test_a_number_without_its_leading_zero_is_the_same_number(portal: Portal) -> None:
    """Nine digits are read, ten are answered."""
    number = "0880820673"

    assert portal.call("PUT", f"{BASE}/enterprises/{number[1:]}", {"name": "Old one"}).json["number"] == number
    assert portal.get(f"{BASE}/enterprises/{number}")["name"] == "Old one"


def test_employees_are_listed_by_employer(portal: Portal) -> None:
    """Put, listed, deleted; and only an employer has any."""
    path = f"{ENTERPRISE}/employments"
    assert portal.call("PUT", f"{path}/{SSIN}").status == 204
    assert portal.get(path) == {"items": [SSIN], "total": 1}
    assert portal.get(f"{path}?after={SSIN}") == {"items": [], "total": 1}
    assert portal.call("DELETE", f"{path}/{SSIN}").status == 204
    assert portal.call("DELETE", f"{path}/{SSIN}").status == 404
    assert portal.call("PUT", f"{BASE}/enterprises/{SECRETARIAT}/employments/{SSIN}").status == 409


# Chapter 4, step a: an account


def test_step_4a_an_account_is_made(portal: Portal) -> None:
    """Name, permission and certificate go in; client id, scopes and what the certificate says come out."""
    account = portal.make_account()

    assert account == portal.get(f"{BASE}/accounts/mine")
    scopes = list(SERVICES[FLA].scopes[Capacity.EMPLOYER])
    (shown,) = account.pop("certificates")
    assert account == {
        "client_id": "mine",
        "name": "Training data",
        "enterprise": EMPLOYER,
        "capacity": "employer",
        "permissions": ["fla"],
        "permission_periods": {},
        "scopes": scopes,
        "active_from": None,
        "active_until": None,
    }
    made = x509.load_der_x509_certificate(certificate())
    assert shown == {
        "fingerprint": shown["fingerprint"],
        "name": "first",
        "subject": "CN=test,O=test,C=BE",
        "issuer": "CN=test,O=test,C=BE",
        "key": "RSA 2048",
        "not_before": timestamp(made.not_valid_before_utc.timestamp()),
        "not_after": timestamp(made.not_valid_after_utc.timestamp()),
        "active_from": None,
        "active_until": None,
    }
    assert portal.active() == (["fla"], ["first"])


@pytest.mark.parametrize(
    ("members", "pattern"),
    [
        ({}, r"self_service_chaman_[0-9]{6}_[a-z0-9]{10}"),
        ({"client_id_form": "chaman"}, r"self_service_chaman_[0-9]{6}_[a-z0-9]{10}"),
        ({"client_id_form": "expeditor"}, r"self_service_expeditor_[0-9]{6}"),
    ],
)
def test_a_client_id_is_made_up_in_a_documented_form(portal: Portal, members: dict[str, str], pattern: str) -> None:
    """It is in the answer, and the account is where the answer says."""
    reply = portal.call("POST", ACCOUNTS, {"name": "account"} | members)

    assert re.fullmatch(pattern, reply.json["client_id"])
    assert portal.get(reply.headers["location"])["name"] == "account"


def test_step_4a_as_a_form_with_a_file(portal: Portal) -> None:
    """As a page sends it, with fields that were left blank; the certificate is named after its file."""
    body = form(
        ("name", None, "Opleidingsgegevens é".encode()),
        ("permission", None, b"fla"),
        ("permission", None, b"dimona"),
        ("client_id", None, b""),
        ("client_id_form", None, b"expeditor"),
        ("certificate", "C:\\keys\\new.cer", certificate()),
        ("certificate", "second.cer", certificate(number=1)),
        ("certificate", "", b""),
    )

    reply = portal.call("POST", ACCOUNTS, body, FORM)

    assert reply.status == 201
    assert (reply.json["name"], reply.json["permissions"]) == ("Opleidingsgegevens é", ["fla", "dimona"])
    assert reply.json["client_id"].startswith("self_service_expeditor_")
    assert [one["name"] for one in reply.json["certificates"]] == ["new.cer", "second.cer"]


def test_a_pem_text_is_taken_in_place_of_base64(portal: Portal) -> None:
    """As it was copied from a file."""
    text = x509.load_der_x509_certificate(certificate()).public_bytes(Encoding.PEM).decode()

    account = portal.make_account(certificates=[{"name": "pem", "der": text}])

    assert account["certificates"][0]["key"] == "RSA 2048"


def test_a_client_id_may_have_any_printable_character(portal: Portal) -> None:
    """Encoded in the path, a slash is no slash and two dots are no folder."""
    for client_id in ("a/b", "..", "a%2Fb", "a?b#c", "a/certificates"):
        portal.make_account(client_id=client_id)
        path = f"{BASE}/accounts/{quote(client_id, safe='')}"

        assert portal.get(path)["client_id"] == client_id
        assert portal.call("PATCH", path, {"name": "renamed"}).json["client_id"] == client_id
        assert portal.call("DELETE", path).status == 204


def test_accounts_are_listed_by_enterprise_and_capacity(portal: Portal) -> None:
    """All of them, those of one enterprise, those in one capacity; in pages."""
    for client_id in ("b", "a"):
        portal.make_account(client_id=client_id)
    theirs = f"{BASE}/enterprises/{SECRETARIAT}/capacities/social-secretariat/accounts"
    portal.call("POST", theirs, {"name": "theirs", "client_id": "c"})

    def listed(path: str) -> tuple[list[str], int]:
        page = portal.get(path)
        return [account["client_id"] for account in page["items"]], page["total"]

    assert listed(f"{BASE}/accounts") == (["a", "b", "c"], 3)
    assert listed(f"{BASE}/accounts?limit=1&after=a") == (["b"], 3)
    assert listed(f"{BASE}/accounts?enterprise={SECRETARIAT}") == (["c"], 1)
    assert listed(f"{BASE}/accounts?enterprise={SECRETARIAT}&capacity=employer") == ([], 0)
    assert listed(f"{BASE}/accounts?capacity=employer") == (["a", "b"], 2)
    assert listed(f"{ACCOUNTS}?after=a") == (["b"], 2)
    assert listed(theirs) == (["c"], 1)
    assert portal.call("GET", f"{BASE}/enterprises/{NOBODY}/capacities/employer/accounts").status == 404


# Chapter 4, step b: an account that is there


def test_step_4b_a_permission_is_ticked(portal: Portal) -> None:
    """The account is answered with its new scopes; unticking takes them away."""
    portal.make_account(permissions=["dimona"])
    path = f"{BASE}/accounts/mine/permissions/fla"

    reply = portal.call("PUT", path)

    assert (reply.status, reply.json["permissions"]) == (200, ["dimona", "fla"])
    assert set(SERVICES[FLA].scopes[Capacity.EMPLOYER]) <= set(reply.json["scopes"])
    assert portal.call("DELETE", path).status == 204
    assert portal.active() == (["dimona"], ["first"])
    assert portal.call("DELETE", path).status == 404


def test_a_permission_for_an_unknown_service_is_refused(portal: Portal) -> None:
    """With those that are known."""
    portal.make_account()

    reply = portal.call("PUT", f"{BASE}/accounts/mine/permissions/payroll")

    assert reply.status == 400
    assert "expected one of fla, dimona; found “payroll”" in reply.json["detail"]


# Certificates


@pytest.mark.parametrize("kind", ["application/pkix-cert", "application/x-x509-ca-cert", "application/octet-stream"])
def test_a_certificate_is_replaced_without_a_gap(portal: Portal, kind: str) -> None:
    """The new one is sent as the body, named in the query; then the old one is removed."""
    old = portal.make_account()["certificates"][0]["fingerprint"]
    path = f"{BASE}/accounts/mine/certificates"

    added = portal.call("POST", f"{path}?name=From%20July", certificate(number=1), {"content-type": kind})

    assert (added.status, added.json["name"]) == (201, "From July")
    assert portal.active() == (["fla"], ["first", "From July"])
    assert portal.call("DELETE", f"{path}/{old}").status == 204
    assert portal.active() == (["fla"], ["From July"])
    assert portal.get(path) == {"items": [added.json]}


@pytest.mark.parametrize(
    ("parts", "query", "name"),
    [
        ([("name", None, b"Named"), ("certificate", "new.cer", certificate())], "", "Named"),
        ([("certificate", "new.cer", certificate())], "", "new.cer"),
        ([("certificate", "new.cer", certificate())], "?name=asked", "asked"),
        ([("certificate", "", certificate())], "", "certificate 1"),
        ([("certificate", "..", certificate())], "", ".."),
    ],
)
def test_a_certificate_is_sent_in_a_form(portal: Portal, parts: list[Part], query: str, name: str) -> None:
    """It is named by a field, by the query, or after its file."""
    portal.make_account(certificates=[])

    reply = portal.call("POST", f"{BASE}/accounts/mine/certificates{query}", form(*parts), FORM)

    assert (reply.status, reply.json["name"]) == (201, name)


def test_a_certificate_is_renamed(portal: Portal) -> None:
    """Its fingerprint may be written with colons."""
    fingerprint = portal.make_account()["certificates"][0]["fingerprint"]
    written = "%3A".join(re.findall("..", fingerprint.upper()))

    reply = portal.call("PATCH", f"{BASE}/accounts/mine/certificates/{written}", {"name": "Another"})

    assert (reply.status, reply.json["name"], reply.json["fingerprint"]) == (200, "Another", fingerprint)


def test_a_refused_certificate_is_told_rule_by_rule(portal: Portal) -> None:
    """An expired one breaks the rule of the dates."""
    portal.make_account()
    expired = certificate(start=NOW - 1_000_000, days=1)

    reply = portal.call(
        "POST", f"{BASE}/accounts/mine/certificates", expired, {"content-type": "application/pkix-cert"}
    )

    assert issues(reply) == [("body", "certificate")]
    assert reply.json["issues"][0]["detail"].startswith("CERT-DATES-1: expected a certificate that is valid now, found")
    assert reply.json["detail"].endswith("Nothing was stored.")


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        (f"{BASE}/accounts/mine/certificates", private_key, {"content-type": "application/octet-stream"}),
        (f"{BASE}/accounts/mine/certificates", lambda: form(("certificate", "a.key", private_key())), FORM),
        (ACCOUNTS, lambda: form(("name", None, b"a"), ("certificate", "a.key", private_key())), FORM),
        (ACCOUNTS, lambda: {"name": "a", "certificates": [{"name": "a", "der": private_key().decode()}]}, JSON),
        (
            ACCOUNTS,
            lambda: {"name": "a", "certificates": [{"name": "a", "der": base64.b64encode(private_key()).decode()}]},
            JSON,
        ),
    ],
)
def test_a_private_key_is_refused_with_a_warning_however_it_is_sent(
    portal: Portal, path: str, body: Callable[[], Any], headers: dict[str, str]
) -> None:
    """Nothing of it comes back, and nothing is stored."""
    portal.make_account()
    before = portal.world.state()

    reply = portal.call("POST", path, body(), headers)

    assert reply.status == 400
    assert "A private key must never be uploaded" in reply.json["detail"]
    assert private_key().splitlines()[1][:20] not in reply.body
    assert portal.world.state() == before


@pytest.mark.parametrize(
    "der", ["%%%", "QUJD" * 30_000, 7, None, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7!"]
)
def test_what_is_given_as_a_certificate_is_never_told(portal: Portal, der: object) -> None:
    """It may be a key."""
    reply = portal.call("POST", ACCOUNTS, {"name": "a", "certificates": [{"name": "a", "der": der}]})

    assert issues(reply) == [("body", "certificates[0].der")]
    assert str(der)[:20].encode() not in reply.body or der == 7
    assert "QUJD" not in reply.json["detail"]


def test_the_same_certificate_twice_is_a_conflict(portal: Portal) -> None:
    """On one account; on another it may be."""
    portal.make_account()
    portal.make_account(client_id="other")

    reply = portal.call(
        "POST", f"{BASE}/accounts/mine/certificates", certificate(), {"content-type": "application/pkix-cert"}
    )

    assert reply.status == 409
    assert "named “first”" in reply.json["detail"]


@pytest.mark.parametrize("headers", [{"content-type": "application/pkix-cert"}, FORM])
def test_a_file_that_is_too_large_is_refused(portal: Portal, headers: dict[str, str]) -> None:
    """A certificate has a few thousand bytes."""
    portal.make_account()
    data = b"\n" * 65_537
    body = form(("certificate", "a.cer", data)) if headers is FORM else data

    reply = portal.call("POST", f"{BASE}/accounts/mine/certificates", body, headers)

    assert (reply.status, reply.json["limit"]) == (413, 65_536)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([("name", None, b"a"), ("name", None, b"b")], [("body", "name")]),
        ([("name", None, b"a"), ("nickname", None, b"b")], [("body", "nickname")]),
        ([("name", "name.txt", b"a")], [("body", "name")]),
        ([("name", None, b"a"), ("certificate", None, b"text")], [("body", "certificate")]),
        ([("permission", None, b"fla")], [("body", "name")]),
        ([("name", None, b"")], [("body", "name")]),
        ([("name", None, b"a"), ("client_id_form", None, b"short")], [("body", "client_id_form")]),
        ([("name", None, b"a"), ("certificate", "a.cer", b"text")], [("body", "certificates[0]")]),
    ],
)
def test_a_form_that_is_not_right_is_refused(portal: Portal, parts: list[Part], found: list[tuple[str, str]]) -> None:
    """The issues name its parts."""
    assert issues(portal.call("POST", ACCOUNTS, form(*parts), FORM)) == found


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"no boundary in here", FORM),
        (form(("name", None, b"a"))[:-10], FORM),
        (form(("name", None, b"a")), {"content-type": "multipart/form-data"}),
        (b"--between-parts\r\nContent-Disposition: form-data\r\n\r\na\r\n--between-parts--\r\n", FORM),
        (form(*[("certificate", "a.cer", b"a")] * 11), FORM),
        (form(*[("permission", None, b"a")] * 51), FORM),
        (form(("name", None, b"a" * 70_000)), FORM),
    ],
    ids=["no parts", "cut off", "no boundary", "no name", "many files", "many fields", "long field"],
)
def test_a_form_that_is_broken_is_refused(portal: Portal, body: bytes, headers: dict[str, str]) -> None:
    """And nothing is made."""
    assert portal.call("POST", ACCOUNTS, body, headers).status == 400
    assert portal.get(f"{BASE}/accounts")["total"] == 0


@pytest.mark.parametrize("count", [0, 2])
def test_one_certificate_is_added_at_a_time(portal: Portal, count: int) -> None:
    """A form without a file, or with two, says nothing clear."""
    portal.make_account()
    body = form(*[("certificate", "a.cer", certificate(number=1))] * count)

    reply = portal.call("POST", f"{BASE}/accounts/mine/certificates", body, FORM)

    assert issues(reply) == [("body", "certificate")]


# The activation delay


def test_changes_have_effect_after_the_activation_delay(portal: Portal) -> None:
    """What was added is shown with its moment, and what was removed with its own; then both have happened."""
    old = portal.make_account()["certificates"][0]["fingerprint"]
    portal.call("PATCH", f"{BASE}/settings", {"activation_delay": 600})
    path = f"{BASE}/accounts/mine"
    moment = timestamp(NOW + 600)

    added = portal.call(
        "POST", f"{path}/certificates?name=new", certificate(number=1), {"content-type": "application/pkix-cert"}
    )
    portal.call("DELETE", f"{path}/certificates/{old}")
    portal.call("PUT", f"{path}/permissions/dimona")
    portal.call("DELETE", f"{path}/permissions/fla")

    assert (added.json["active_from"], added.json["active_until"]) == (moment, None)
    account = portal.get(path)
    assert [one["active_until"] for one in account["certificates"]] == [moment, None]
    assert account["permission_periods"] == {
        "fla": {"active_from": None, "active_until": moment},
        "dimona": {"active_from": moment, "active_until": None},
    }
    assert portal.active() == (["fla"], ["first"])
    portal.clock.advance(600)
    assert portal.active() == (["dimona"], ["new"])
    assert portal.get(path)["permissions"] == ["dimona"]


def test_a_new_account_and_a_deleted_one_with_a_delay(portal: Portal) -> None:
    """The account says from when and until when it has effect."""
    portal.call("PATCH", f"{BASE}/settings", {"activation_delay": 0.5})
    assert portal.make_account()["active_from"] == timestamp(NOW + 0.5)
    assert portal.world.active_account(ClientId("mine")) is None
    portal.clock.advance(1)
    assert portal.active() == (["fla"], ["first"])

    assert portal.call("DELETE", f"{BASE}/accounts/mine").status == 204
    assert portal.get(f"{BASE}/accounts/mine")["active_until"] == timestamp(NOW + 1.5)
    portal.clock.advance(1)
    assert portal.call("GET", f"{BASE}/accounts/mine").status == 404
    assert portal.get(f"{BASE}/accounts") == {"items": [], "total": 0}


# MAHIS


def mandate(**changes: Any) -> dict[str, Any]:
    """Return a proposal of the secretariat, changed; a member changed to None is left out."""
    members = {
        "mandator": EMPLOYER,
        "mandatary": SECRETARIAT,
        "service": "fla",
        "start": "2026Q3",
        "proposed_by": "mandatary",
    } | changes
    return {name: value for name, value in members.items() if value is not None}


def procuration(**changes: Any) -> dict[str, Any]:
    """Return a mandate that both signed, changed."""
    return mandate(procuration=True, proposed_by=None) | changes


def test_a_mandate_is_proposed_confirmed_and_ended(portal: Portal) -> None:
    """Each step answers with the mandate."""
    made = portal.call("POST", f"{BASE}/mandates", mandate(end="2027Q1"))
    assert made.status == 201
    assert (
        made.json
        == portal.get(made.headers["location"])
        == {
            "id": 1,
            "mandator": EMPLOYER,
            "mandatary": SECRETARIAT,
            "service": "fla",
            "start": "2026Q3",
            "end": "2027Q1",
            "status": "proposed",
            "proposed_by": "mandatary",
            "confirmed_by": ["mandatary"],
        }
    )

    confirmed = portal.call("POST", f"{BASE}/mandates/1/confirm", {"by": "mandator"})
    ended = portal.call("POST", f"{BASE}/mandates/1/end", {"end": "2026Q4"})

    assert (confirmed.json["status"], confirmed.json["confirmed_by"]) == ("active", ["mandator", "mandatary"])
    assert (ended.status, ended.json["end"], ended.json["status"]) == (200, "2026Q4", "active")
    portal.clock.advance(200 * 86_400)
    assert portal.get(f"{BASE}/mandates/1")["status"] == "ended"


def test_a_procuration_is_active_at_once(portal: Portal) -> None:
    """Nobody proposed it, both confirmed it."""
    made = portal.call("POST", f"{BASE}/mandates", procuration())

    assert (made.json["status"], made.json["proposed_by"]) == ("active", None)
    assert made.json["confirmed_by"] == ["mandator", "mandatary"]


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("reject", {"by": "mandator"}, "rejected"),
        ("revoke", {"by": "mandatary"}, "revoked"),
        ("revoke", {}, "revoked"),
        ("revoke", None, "revoked"),
    ],
)
def test_a_proposal_is_rejected_or_withdrawn(portal: Portal, action: str, body: object, status: str) -> None:
    """Who revokes need not be said, and then neither need there be a body."""
    portal.call("POST", f"{BASE}/mandates", mandate())

    reply = portal.call("POST", f"{BASE}/mandates/1/{action}", body)

    assert (reply.status, reply.json["status"]) == (200, status)
    assert portal.call("POST", f"{BASE}/mandates/1/{action}", body).status == 409


@pytest.mark.parametrize("body", [{}, {"end": None}, None])
def test_a_mandate_ends_with_this_quarter_by_default(portal: Portal, body: object) -> None:
    """The quarter of the world's clock."""
    portal.call("POST", f"{BASE}/mandates", procuration())

    assert portal.call("POST", f"{BASE}/mandates/1/end", body).json["end"] == "2026Q3"


def test_a_second_mandatary_is_a_conflict_that_names_the_first(portal: Portal) -> None:
    """By enterprise number, period and id."""
    portal.call("POST", f"{BASE}/mandates", procuration(end="2026Q4"))
    portal.call("POST", f"{BASE}/mandates", mandate(mandatary=PROVIDER))

    refused = portal.call("POST", f"{BASE}/mandates/2/confirm", {"by": "mandator"})

    assert refused.status == 409
    assert f"mandate 1 of {SECRETARIAT} (from 2026Q3 to 2026Q4)" in refused.json["detail"]
    assert portal.get(f"{BASE}/mandates/2")["status"] == "proposed"


def test_mandates_are_filtered(portal: Portal) -> None:
    """By both sides, service and status."""
    portal.call("POST", f"{BASE}/mandates", procuration())
    portal.call("POST", f"{BASE}/mandates", mandate(mandatary=PROVIDER, service="dimona"))

    def listed(query: str) -> list[int]:
        page = portal.get(f"{BASE}/mandates?{query}")
        assert page["total"] == len(page["items"])
        return [one["id"] for one in page["items"]]

    assert listed("") == [1, 2]
    assert listed(f"mandator={EMPLOYER}&mandatary={PROVIDER}") == [2]
    assert listed("service=fla") == [1]
    assert listed("status=proposed") == [2]
    assert portal.get(f"{BASE}/mandates?after=1&limit=1")["items"][0]["id"] == 2
    assert issues(portal.call("GET", f"{BASE}/mandates?service=payroll")) == [("query", "service")]


@pytest.mark.parametrize(
    ("members", "found"),
    [
        (mandate(start="2026-Q3"), "start"),
        (mandate(start=20263), "start"),
        (mandate(end="2026Q5"), "end"),
        (mandate(end="2026Q2"), "end"),
        (mandate(mandator="1999000151"), "mandator"),
        (mandate(mandatary=NOBODY), "mandatary"),
        (mandate(service="payroll"), "service"),
        (mandate(proposed_by=None), "proposed_by"),
        (mandate(procuration=True), "proposed_by"),
        (mandate(proposed_by=None, procuration=False), "proposed_by"),
        (mandate(proposed_by="both"), "proposed_by"),
        (mandate(proposed_by=None, procuration="true"), "procuration"),
        (mandate(mandator=None), "mandator"),
    ],
)
def test_a_proposal_that_is_not_right_is_refused(portal: Portal, members: dict[str, Any], found: str) -> None:
    """One issue for the one thing that is wrong."""
    assert issues(portal.call("POST", f"{BASE}/mandates", members)) == [("body", found)]


# Settings


def test_settings_are_changed_one_by_one(portal: Portal) -> None:
    """Those that are left out stay."""
    defaults = {
        "employments": "open",
        "mandatary_own_number": "refuse",
        "activation_delay": 0,
        "calendar_year_in_mandate": "ignore",
        "phase": "open",
        "consultation_answer": CONSULTATION_ANSWER._asdict(),
        "closed_answer": CLOSED_ANSWER._asdict(),
    }
    assert portal.get(f"{BASE}/settings") == defaults
    for name, value in (
        ("employments", "closed"),
        ("mandatary_own_number", "allow"),
        ("activation_delay", 900),
        ("calendar_year_in_mandate", "require"),
        ("phase", "consultation"),
        ("consultation_answer", ANSWER),
        ("closed_answer", ANSWER | {"status": 503, "type": "urn:problem-type:example:over"}),
    ):
        defaults[name] = value

        assert portal.call("PATCH", f"{BASE}/settings", {name: value}).json == defaults

    assert portal.call("PATCH", f"{BASE}/settings", {}).json == defaults == portal.get(f"{BASE}/settings")


@pytest.mark.parametrize("name", ["consultation_answer", "closed_answer"])
def test_an_answer_of_a_phase_is_replaced_whole_and_put_back_with_null(portal: Portal, name: str) -> None:
    """What it leaves out is as usual, not as before; null is the answer that the world began with."""
    before = portal.get(f"{BASE}/settings")
    portal.call("PATCH", f"{BASE}/settings", {name: ANSWER | {"type": "urn:problem-type:example:over"}})

    without_type = {member: value for member, value in ANSWER.items() if member != "type"}
    assert portal.call("PATCH", f"{BASE}/settings", {name: without_type}).json == before | {name: ANSWER}
    assert portal.call("PATCH", f"{BASE}/settings", {name: None}).json == before


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"phase": "over"}', "phase"),
        (b'{"phase": null}', "phase"),
        (b'{"closed_answer": 410}', "closed_answer"),
        (b'{"closed_answer": {"status": 410, "title": "Gone"}}', "closed_answer.detail"),
        (b'{"closed_answer": {"status": 399, "title": "Gone", "detail": "Over"}}', "closed_answer.status"),
        (b'{"closed_answer": {"status": 600, "title": "Gone", "detail": "Over"}}', "closed_answer.status"),
        (b'{"closed_answer": {"status": "410", "title": "Gone", "detail": "Over"}}', "closed_answer.status"),
        (b'{"closed_answer": {"status": 410, "title": "", "detail": "Over"}}', "closed_answer.title"),
        (b'{"closed_answer": {"status": 410, "title": "Gone", "detail": "a\\nb"}}', "closed_answer.detail"),
        (b'{"closed_answer": {"status": 410, "title": "G", "detail": "O", "type": "a b"}}', "closed_answer.type"),
        (b'{"closed_answer": {"status": 410, "title": "G", "detail": "O", "code": 1}}', "closed_answer.code"),
        (b'{"activation_delay": -1}', "activation_delay"),
        (b'{"activation_delay": 1e99}', "activation_delay"),
        (b'{"activation_delay": "600"}', "activation_delay"),
        (b'{"activation_delay": true}', "activation_delay"),
        (b'{"activation_delay": null}', "activation_delay"),
        (b'{"employments": "ajar"}', "employments"),
        (b'{"employments": null}', "employments"),
        (b'{"employment": "open"}', "employment"),
        (b'{"activation_delay": NaN}', ""),
        (b'{"employments": "open", "employments": "closed"}', ""),
        (b'{"employments": "open"', ""),
        (b'{"employments": "\\ud800"}', ""),
        (b"\xef\xbb\xbf{}", ""),
        (b"[" * 10_000, ""),
        (b"[]", ""),
        (b"null", ""),
        (b"", ""),
    ],
)
def test_settings_that_are_not_right_are_refused(portal: Portal, body: bytes, name: str) -> None:
    """Nothing is changed."""
    before = portal.get(f"{BASE}/settings")

    assert issues(portal.call("PATCH", f"{BASE}/settings", body, JSON)) == [("body", name)]
    assert portal.get(f"{BASE}/settings") == before


# Refusals in general


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", f"{BASE}/enterprises/1999000151", ("path", "number")),
        ("GET", f"{BASE}/enterprises/BE1999000150", ("path", "number")),
        ("GET", f"{BASE}/enterprises?limit=0", ("query", "limit")),
        ("GET", f"{BASE}/enterprises?limit=1001", ("query", "limit")),
        ("GET", f"{BASE}/enterprises?limit=many", ("query", "limit")),
        ("GET", f"{BASE}/enterprises?after=%00", ("query", "after")),
        ("GET", f"{BASE}/enterprises?before=1", ("query", "before")),
        ("GET", f"{BASE}/accounts?enterprise=1", ("query", "enterprise")),
        ("GET", f"{BASE}/accounts?capacity=pension-fund", ("query", "capacity")),
        ("GET", f"{BASE}/accounts/with%20space", ("path", "client_id")),
        ("GET", f"{BASE}/accounts/{'a' * 201}", ("path", "client_id")),
        ("GET", f"{BASE}/mandates/0", ("path", "id")),
        ("GET", f"{BASE}/mandates/9999999999", ("path", "id")),
        ("GET", f"{BASE}/mandates/one", ("path", "id")),
        ("GET", f"{BASE}/mandates?status=alive", ("query", "status")),
        ("PUT", f"{ENTERPRISE}/employments/85073099933", ("path", "ssin")),
    ],
)
def test_parameters_are_judged(portal: Portal, method: str, path: str, found: tuple[str, str]) -> None:
    """The issue names the parameter, and says what was expected and what came."""
    reply = portal.call(method, path)

    assert issues(reply) == [found]
    assert reply.json["issues"][0]["name"] in reply.json["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{BASE}/nothing"),
        ("GET", f"{BASE}/enterprises/"),
        ("GET", f"{BASE}/enterprises/{NOBODY}"),
        ("GET", f"{BASE}/accounts/unknown"),
        ("DELETE", f"{BASE}/accounts/unknown"),
        ("GET", f"{BASE}/accounts/unknown/certificates"),
        ("DELETE", f"{BASE}/accounts/unknown/certificates/ab"),
        ("GET", f"{BASE}/mandates/7"),
        ("GET", "/_mock/worlds/another/settings"),
        ("GET", "/_mock/worlds/another/accounts/mine"),
    ],
)
def test_what_is_not_there_is_404(portal: Portal, method: str, path: str) -> None:
    """Whether a path, a world, or something in it."""
    reply = portal.call(method, path)

    assert (reply.status, reply.json["title"]) == (404, "Resource Not Found")


def test_a_method_that_a_path_does_not_have_is_405_with_all_that_it_has(portal: Portal) -> None:
    """Not only those of the first route."""
    reply = portal.call("POST", f"{BASE}/accounts/mine", {})

    assert (reply.status, reply.headers["allow"]) == (405, "GET, PATCH, DELETE")


def test_unknown_members_are_told_apart_from_missing_ones(portal: Portal) -> None:
    """Both are issues of one answer, and the sentence tells the first and how many more there are."""
    reply = portal.call("PUT", f"{ENTERPRISE}/capacities/employer", {"e-mail": "a@example.org"})

    assert sorted(issues(reply)) == [("body", "e-mail"), ("body", "email"), ("body", "local_administrator")]
    kinds = {issue["name"]: issue["type"].rpartition(":")[2] for issue in reply.json["issues"]}
    assert kinds == {"e-mail": "unknownInput", "email": "schemaViolation", "local_administrator": "schemaViolation"}
    assert "2 more are in issues" in reply.json["detail"]


def test_values_are_told_without_secrets_and_control_characters(portal: Portal) -> None:
    """What a client sent cannot steer a terminal, nor come back when it looks like a key."""
    secret = base64.b64encode(key(number=3).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()

    reply = portal.call("POST", ACCOUNTS, {"name": "a", "client_id": "a\x1b[2J", "permissions": [secret[:190]]})

    assert reply.status == 400
    assert "\\x1b" in reply.json["detail"]
    assert secret[30:60].encode() not in reply.body


@cache
def document() -> Any:
    """Return the OpenAPI document of the portal."""
    return serve(lambda _: pytest.fail("not asked for")).openapi()


def json_operations() -> list[tuple[str, str]]:
    """Return the operations that take JSON, with a path that fits."""
    values = {
        "world": "default",
        "number": EMPLOYER,
        "capacity": "employer",
        "client_id": "mine",
        "fingerprint": "ab",
        "id": "1",
    }
    return [
        (method.upper(), path.format(**values))
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]


@pytest.mark.parametrize(("method", "path"), json_operations())
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=iso-8859-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=["none", "text", "form", "charset", "encoding"],
)
def test_a_body_that_is_not_said_to_be_json_is_refused(
    portal: Portal, method: str, path: str, headers: dict[str, str]
) -> None:
    """A page of another site can send text and forms without asking, but no JSON."""
    reply = portal.call(method, path, b"{}", headers)

    assert reply.status == 415
    assert "Expected" in reply.json["detail"]


@pytest.mark.parametrize("kind", ["application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"'])
def test_json_may_say_that_it_is_utf_8(portal: Portal, kind: str) -> None:
    """It is, by definition."""
    assert portal.call("PATCH", f"{BASE}/settings", b"{}", {"content-type": kind}).status == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-pem-file", None])
def test_a_certificate_of_another_media_type_is_refused(portal: Portal, kind: str | None) -> None:
    """The refusal lists those that are taken."""
    portal.make_account()
    headers = {} if kind is None else {"content-type": kind}

    reply = portal.call("POST", f"{BASE}/accounts/mine/certificates", certificate(number=1), headers)

    assert reply.status == 415
    assert "application/pkix-cert or application/x-x509-ca-cert" in reply.json["detail"]


def test_a_store_that_fails_is_503(caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, the answer that the console does."""

    def fail(_: str) -> World:
        msg = "the store sqlite:///x cannot be used: disk I/O error"
        raise StoreError(msg)

    with caplog.at_level(logging.ERROR):
        reply = Portal(serve(fail), None, FixedClock(NOW)).call("GET", f"{BASE}/settings")  # type: ignore[arg-type] # not asked

    assert reply.status == 503
    assert "disk I/O error" in caplog.text
    assert b"disk" not in reply.body


def test_a_fault_of_the_mock_itself_is_a_problem_too() -> None:
    """Without its words, which may tell anything; it is raised again for whoever logs it."""

    def fail(_: str) -> World:
        msg = "secret"
        raise RuntimeError(msg)

    reply = Portal(serve(fail), None, FixedClock(NOW)).call("GET", f"{BASE}/settings")  # type: ignore[arg-type] # as above

    assert reply.status == 500
    assert b"secret" not in reply.body


# The OpenAPI document

OPERATIONS = {
    "getSettings": ("GET", "/settings"),
    "changeSettings": ("PATCH", "/settings"),
    "listEnterprises": ("GET", "/enterprises"),
    "getEnterprise": ("GET", "/enterprises/{number}"),
    "putEnterprise": ("PUT", "/enterprises/{number}"),
    "deleteEnterprise": ("DELETE", "/enterprises/{number}"),
    "activateCapacity": ("PUT", "/enterprises/{number}/capacities/{capacity}"),
    "deactivateCapacity": ("DELETE", "/enterprises/{number}/capacities/{capacity}"),
    "listEmployments": ("GET", "/enterprises/{number}/employments"),
    "addEmployment": ("PUT", "/enterprises/{number}/employments/{ssin}"),
    "removeEmployment": ("DELETE", "/enterprises/{number}/employments/{ssin}"),
    "listAccounts": ("GET", "/accounts"),
    "listAccountsOfCapacity": ("GET", "/enterprises/{number}/capacities/{capacity}/accounts"),
    "createAccount": ("POST", "/enterprises/{number}/capacities/{capacity}/accounts"),
    "getAccount": ("GET", "/accounts/{client_id}"),
    "renameAccount": ("PATCH", "/accounts/{client_id}"),
    "deleteAccount": ("DELETE", "/accounts/{client_id}"),
    "tickPermission": ("PUT", "/accounts/{client_id}/permissions/{service}"),
    "untickPermission": ("DELETE", "/accounts/{client_id}/permissions/{service}"),
    "listCertificates": ("GET", "/accounts/{client_id}/certificates"),
    "addCertificate": ("POST", "/accounts/{client_id}/certificates"),
    "renameCertificate": ("PATCH", "/accounts/{client_id}/certificates/{fingerprint}"),
    "removeCertificate": ("DELETE", "/accounts/{client_id}/certificates/{fingerprint}"),
    "listMandates": ("GET", "/mandates"),
    "createMandate": ("POST", "/mandates"),
    "getMandate": ("GET", "/mandates/{id}"),
    "confirmMandate": ("POST", "/mandates/{id}/confirm"),
    "rejectMandate": ("POST", "/mandates/{id}/reject"),
    "revokeMandate": ("POST", "/mandates/{id}/revoke"),
    "endMandate": ("POST", "/mandates/{id}/end"),
}


def test_the_openapi_document_is_valid_and_its_operations_are_stable() -> None:
    """Others make clients from the names."""
    described = document()

    validate(described)
    found = {
        operation["operationId"]: (method.upper(), path.removeprefix("/_mock/worlds/{world}"))
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }
    assert found == OPERATIONS


def test_every_operation_is_explained_with_its_refusals() -> None:
    """A sentence, a chapter, refusals as problems, and no 422."""
    described = document()
    for operations in described["paths"].values():
        for operation in operations.values():
            assert operation["description"].endswith(".")
            assert operation["tags"][0] in {"Settings", "Access management", "ChaMan", "MAHIS"}
            refusals = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
            assert {"400", "404"} <= refusals.keys() <= {"400", "401", "403", "404", "409", "413", "415"}
            for answer in refusals.values():
                assert list(answer["content"]) == ["application/problem+json"]
    assert "Problem" in described["components"]["schemas"]
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_every_member_that_is_sent_is_explained() -> None:
    """Bodies and parameters teach what goes in them."""
    schemas = document()["components"]["schemas"]
    for name in ("EnterpriseBody", "ActivationBody", "MandateBody", "EndBody"):
        for member, schema in schemas[name]["properties"].items():
            assert schema.get("description"), (name, member)
    assert schemas["Capacity"]["enum"] == [*Capacity]
