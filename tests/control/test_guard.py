"""Who may administer: judged before anything is read, by name, origin and token; and how much is read of a body."""

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from mock_server.asgi import Application, Message, Receive, Scope, Send
from mock_server.control import guard
from mock_server.control.guard import Admission, Guard, LazyPart
from tests.conftest import Starter
from tests.support import HOST, Caller, Reply

TOKEN = "a token of some length"
OPEN = Admission(frozenset({"127.0.0.1", "localhost", "[::1]", "mock.example"}), None, is_open=True)
CLOSED = Admission(OPEN.hosts, TOKEN, is_open=False)
SHUT = Admission(OPEN.hosts, None, is_open=False)


def asked(*headers: tuple[str, str], method: str = "GET", path: str = "/_mock", scheme: str = "http") -> Scope:
    """Return a request."""
    return {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in headers],
    }


def status(admission: Admission, scope: Scope) -> int | None:
    """Return the status of the refusal, None when the request is let in; its text must help."""
    problem = admission.judge(scope)
    if problem is None:
        return None
    assert problem.detail.endswith((".", ")"))
    assert TOKEN not in problem.detail
    return problem.status


# Names

NAMES: dict[str, tuple[list[str], bool]] = {
    "the address": (["127.0.0.1"], True),
    "with a port": (["127.0.0.1:8425"], True),
    "another port": (["localhost:1"], True),
    "in capitals": (["LocalHost:8425"], True),
    "IPv6": (["[::1]:8425"], True),
    "an allowed name, which others may reach": (["mock.example"], False),
    "another name": (["attacker.example"], False),
    "a name below an allowed one": (["a.mock.example"], False),
    "a name that begins alike": (["mock.example.attacker.example"], False),
    "a name that ends alike": (["attackermock.example"], False),
    "a name with a dot behind": (["localhost."], False),
    "another address of this machine": (["127.0.0.2"], False),
    "IPv6 without brackets": (["::1"], False),
    "no name": ([], False),
    "an empty name": ([""], False),
    "two names": (["127.0.0.1", "attacker.example"], False),
    "one name twice": (["127.0.0.1", "127.0.0.1"], False),
    "two names in one": (["127.0.0.1, attacker.example"], False),
    "a user": (["127.0.0.1@attacker.example"], False),
    "a blank": (["127.0.0.1 attacker.example"], False),
    "a port of words": (["127.0.0.1:http"], False),
    "a slash": (["127.0.0.1/attacker.example"], False),
}


@pytest.mark.parametrize("name", NAMES)
def test_only_who_calls_the_server_by_its_name_is_let_in(name: str) -> None:
    """Anything else may be another name that an attacker's DNS points here."""
    hosts, is_let_in = NAMES[name]
    scope = asked(*(("host", host) for host in hosts))

    assert status(OPEN, scope) == (None if is_let_in else 403)


@pytest.mark.parametrize("token", [TOKEN, ""])
def test_a_wrong_name_is_refused_with_the_right_token_too(token: str) -> None:
    """The name is judged first, so nobody learns whether a token is right."""
    scope = asked(("host", "attacker.example"), ("authorization", f"Bearer {token}"))

    assert status(CLOSED, scope) == 403


def test_by_an_allowed_name_the_token_is_asked_for() -> None:
    """Who may call by it need not be on this machine."""
    admission = Admission(OPEN.hosts, TOKEN, is_open=True)

    assert status(admission, asked(("host", "mock.example"))) == 401
    assert status(admission, asked(("host", "mock.example"), ("authorization", f"Bearer {TOKEN}"))) is None


# Where a browser says that it comes from

BROWSERS: dict[str, tuple[Mapping[str, str], bool]] = {
    "nothing said": ({}, True),
    "the same origin": ({"origin": "http://127.0.0.1:8425"}, True),
    "the same origin in capitals": ({"origin": "HTTP://127.0.0.1:8425"}, True),
    "through a proxy that speaks https": ({"origin": "https://127.0.0.1:8425"}, True),
    "the same origin, and a site": ({"origin": "http://127.0.0.1:8425", "sec-fetch-site": "same-origin"}, True),
    "typed into the address bar": ({"sec-fetch-site": "none"}, True),
    "a page of this server": ({"referer": "http://127.0.0.1:8425/_mock/docs"}, True),
    "another origin": ({"origin": "http://attacker.example"}, False),
    "no origin": ({"origin": "null"}, False),
    "an empty origin": ({"origin": ""}, False),
    "another port": ({"origin": "http://127.0.0.1:9000"}, False),
    "another name of this machine": ({"origin": "http://localhost:8425"}, False),
    "an origin that begins alike": ({"origin": "http://127.0.0.1:8425.attacker.example"}, False),
    "an origin with a user": ({"origin": "http://127.0.0.1:8425@attacker.example"}, False),
    "an origin without a scheme": ({"origin": "127.0.0.1:8425"}, False),
    "an extension": ({"origin": "moz-extension://127"}, False),
    "another site": ({"sec-fetch-site": "cross-site"}, False),
    "a neighbour": ({"sec-fetch-site": "same-site"}, False),
    "a site that is not known": ({"sec-fetch-site": "perhaps"}, False),
    "this origin from another site": ({"origin": "http://127.0.0.1:8425", "sec-fetch-site": "cross-site"}, False),
}
REFERERS: dict[str, str] = {
    "another site": "http://attacker.example/page",
    "another port": "http://127.0.0.1:9000/",
    "this server in the path": "http://attacker.example/http://127.0.0.1:8425/",
    "this server as a user": "http://127.0.0.1:8425@attacker.example/",
    "nonsense": "http://[",
    "nothing": "",
}


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_page_of_another_site_is_not_let_in(name: str, method: str) -> None:
    """Whatever it asks for."""
    headers, is_let_in = BROWSERS[name]
    scope = asked(("host", "127.0.0.1:8425"), *headers.items(), method=method)

    assert status(OPEN, scope) == (None if is_let_in else 403)


@pytest.mark.parametrize("name", REFERERS)
def test_a_form_that_tells_only_the_page_it_is_on_is_judged_by_that(name: str) -> None:
    """Old browsers send no origin with a form; following a link changes nothing, and is let in."""
    headers = (("host", "127.0.0.1:8425"), ("referer", REFERERS[name]))

    assert status(OPEN, asked(*headers, method="POST")) == 403
    assert status(OPEN, asked(*headers)) is None


@pytest.mark.parametrize(("first", "second"), [("http://127.0.0.1", "null"), ("null", "http://127.0.0.1")])
def test_of_two_origins_both_have_to_be_right(first: str, second: str) -> None:
    """The order does not matter."""
    assert status(OPEN, asked(("host", "127.0.0.1"), ("origin", first), ("origin", second), method="POST")) == 403


# Tokens


def basic(password: str, user: str = "") -> str:
    """Return the credentials that a browser sends."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


CREDENTIALS: dict[str, tuple[str | None, bool]] = {
    "Bearer": (f"Bearer {TOKEN}", True),
    "bearer": (f"bearer {TOKEN}", True),
    "more blanks": (f"Bearer   {TOKEN} ", True),
    "a password": (basic(TOKEN), True),
    "a password with a user": (basic(TOKEN, "admin"), True),
    "basic": ("basic" + basic(TOKEN).removeprefix("Basic"), True),
    "nothing": (None, False),
    "an empty header": ("", False),
    "a scheme alone": ("Bearer", False),
    "an empty token": ("Bearer ", False),
    "the token alone": (TOKEN, False),
    "another scheme": (f"Token {TOKEN}", False),
    "another token": ("Bearer a token of some lengtH", False),
    "the beginning": (f"Bearer {TOKEN[:-1]}", False),
    "more than the token": (f"Bearer {TOKEN}x", False),
    "a long token": ("Bearer " + "x" * 100_000, False),
    "a letter outside ASCII": (f"Bearer {TOKEN[:-1]}é", False),
    "all bytes": ("Bearer " + bytes(range(128, 256)).decode("latin-1"), False),
    "the token as user": (basic("", TOKEN), False),
    "another password": (basic("x", TOKEN), False),
    "a password and more": (basic(f"{TOKEN}:x"), False),
    "no base64": ("Basic %%%", False),
    "base64 outside ASCII": ("Basic ééé", False),
    "base64 without a colon": ("Basic " + base64.b64encode(TOKEN.encode()).decode(), False),
    "bytes that are not UTF-8": ("Basic " + base64.b64encode(b"\xff:\xff").decode(), False),
    "a long password": (basic("x" * 100_000), False),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_who_has_the_token_is_let_in(name: str) -> None:
    """As Bearer, or as the password that a browser asks for."""
    credentials, is_let_in = CREDENTIALS[name]
    scope = asked(("host", "127.0.0.1"), *([] if credentials is None else [("authorization", credentials)]))

    problem = CLOSED.judge(scope)

    assert (problem is None) == is_let_in
    if problem is not None:
        assert (problem.status, problem.headers) == (
            401,
            ((b"www-authenticate", b'Basic realm="fla-mock", charset="UTF-8"'),),
        )


def test_two_tokens_are_none() -> None:
    """Also when one of them is right."""
    headers = [("host", "127.0.0.1"), *[("authorization", f"Bearer {token}") for token in (TOKEN, "x")]]

    assert status(CLOSED, asked(*headers)) == 401


@pytest.mark.parametrize("token", ["mot de passe à", "пароль и еще слово", "\U0001f511" * 16, "ends with Å", "ü" * 16])
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_token_may_have_any_letters(scheme: str, token: str) -> None:
    """Sent as UTF-8, as clients do."""
    given = f"Bearer {token.encode().decode('latin-1')}" if scheme == "Bearer" else basic(token)
    admission = Admission(OPEN.hosts, token, is_open=True)

    assert status(admission, asked(("host", "127.0.0.1"), ("authorization", given))) is None
    assert status(admission, asked(("host", "127.0.0.1"), ("authorization", f"{given}x"))) == 401


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole tokens, by the function that is made for it, so that no beginning can be found out."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, wanted: bytes) -> bool:
        compared.append((given, wanted))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for credentials in (f"Bearer {TOKEN}", basic("x")):
        assert status(CLOSED, asked(("host", "127.0.0.1"), ("authorization", credentials))) == 401

    assert compared == [(TOKEN.encode(), TOKEN.encode()), (b"x", TOKEN.encode())]


@pytest.mark.parametrize("token", [TOKEN, "", "None"])
def test_without_a_token_of_its_own_an_open_address_lets_nobody_in(token: str) -> None:
    """The refusal says how to switch the control API on."""
    problem = SHUT.judge(asked(("host", "127.0.0.1"), ("authorization", f"Bearer {token}")))

    assert problem is not None
    assert problem.status == 403
    assert "--admin-token" in problem.detail


def test_a_token_is_asked_for_on_loopback_too_when_there_is_one() -> None:
    """Whoever gives one wants it."""
    admission = Admission(OPEN.hosts, TOKEN, is_open=True)

    assert status(admission, asked(("host", "127.0.0.1"))) == 401
    assert status(admission, asked(("host", "127.0.0.1"), ("authorization", f"Bearer {TOKEN}"))) is None


# What stands behind it


@dataclass
class Inner:
    """What is guarded: notes the bodies that reach it."""

    bodies: list[bytes] = field(default_factory=list)
    types: list[str] = field(default_factory=list)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Take a whole body, and what comes after it, and answer."""
        message = await receive()
        assert not message["more_body"]
        self.bodies.append(message["body"])
        self.types.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def serve(guarded: Guard, scope: Scope, incoming: Iterator[Message]) -> Reply:
    """Send a request through a guard; a message that never comes is waited for without end."""
    sent: list[Message] = []

    async def receive() -> Message:
        message = next(incoming, None)
        return await asyncio.Event().wait() if message is None else message  # type: ignore[return-value] # never returns

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(guarded(scope, receive, send))
    if not sent:
        return Reply(0, {}, b"")
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def chunk(data: bytes, *, more: bool = True) -> Message:
    """Return a part of a body."""
    return {"type": "http.request", "body": data, "more_body": more}


GONE: Message = {"type": "http.disconnect"}
KNOWN = ("host", "127.0.0.1")


def endless(counted: list[int]) -> Iterator[Message]:
    """Yield a body that never ends, and count its parts."""
    while True:
        counted[0] += 1
        yield chunk(b"x" * 65_536)


def test_a_body_reaches_the_control_api_in_one_piece() -> None:
    """And after it whatever the connection says."""
    inner = Inner()
    parts = [chunk(b"ab"), chunk(b""), chunk(b"cd", more=False), GONE]

    reply = serve(Guard(OPEN, inner), asked(KNOWN, method="POST"), iter(parts))

    assert (reply.status, inner.bodies, inner.types) == (200, [b"abcd"], ["http.disconnect"])


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/_mock/worlds/default/faults", 1_048_576),
        ("/_mock/nothing", 1_048_576),
        ("/_mock/worlds", 67_108_864),
        ("/_mock/worlds/default/state", 67_108_864),
    ],
)
def test_a_body_that_says_it_is_too_large_is_refused_unread(path: str, limit: int) -> None:
    """A state may be large, everything else is small."""
    inner, counted = Inner(), [0]
    scope = asked(KNOWN, ("content-length", str(limit + 1)), method="POST", path=path)

    reply = serve(Guard(OPEN, inner), scope, iter([GONE]))

    assert (reply.status, reply.json["limit"]) == (413, limit)
    assert reply.headers["connection"] == "close"
    assert (inner.bodies, counted) == ([], [0])


def test_a_body_without_end_is_refused_at_the_limit() -> None:
    """Without a length, no more is read than is needed to know; what comes then is thrown away, and not without end."""
    inner, counted = Inner(), [0]
    parts = endless(counted)

    reply = serve(Guard(OPEN, inner), asked(KNOWN, ("transfer-encoding", "chunked"), method="POST"), parts)

    assert (reply.status, inner.bodies) == (413, [])
    assert counted[0] * 65_536 < 100_000_000


def test_a_body_of_just_the_limit_is_read() -> None:
    """One byte more is not."""
    inner = Inner()
    for size in (1_048_576, 1_048_577):
        parts = [chunk(b"x" * 524_288), chunk(b"x" * (size - 524_288), more=False), GONE, GONE]
        reply = serve(Guard(OPEN, inner), asked(KNOWN, ("transfer-encoding", "chunked"), method="POST"), iter(parts))
        assert reply.status == (200 if size == 1_048_576 else 413)

    assert [len(body) for body in inner.bodies] == [1_048_576]


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the answer is 408."""
    monkeypatch.setattr(guard, "_BODY_SECONDS", 0.01)
    inner = Inner()

    reply = serve(Guard(OPEN, inner), asked(KNOWN, method="POST"), iter([chunk(b"ab")]))

    assert (reply.status, reply.headers["connection"], inner.bodies) == (408, "close", [])


def test_a_client_that_goes_is_not_answered() -> None:
    """Nobody would read it."""
    inner = Inner()

    reply = serve(Guard(OPEN, inner), asked(KNOWN, method="POST"), iter([chunk(b"ab"), GONE]))

    assert (reply.status, inner.bodies) == (0, [])


@pytest.mark.parametrize(("path", "query"), [("a", 0), ("", 1)])
def test_an_endless_target_is_refused(path: str, query: int) -> None:
    """Path and query together have 8192 characters at most."""
    for size, expected in ((8_192, 200), (8_193, 414)):
        scope = asked(KNOWN)
        scope["raw_path"] = b"/" + b"a" * (size - 1) if path else b"/"
        scope["query_string"] = b"a" * (size - 1) if query else b""
        assert serve(Guard(OPEN, Inner()), scope, iter([chunk(b"", more=False), GONE])).status == expected


def test_who_is_not_let_in_is_not_read() -> None:
    """The body stays where it is, and the refusal is a problem."""
    inner, counted = Inner(), [0]
    scope = asked(("host", "attacker.example"), ("content-length", "10"), method="POST")

    reply = serve(Guard(OPEN, inner), scope, endless(counted))

    assert (reply.status, inner.bodies, counted) == (403, [], [0])
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.json) == {"type", "title", "status", "detail", "instance"}


def test_a_lazy_part_is_made_once() -> None:
    """Also when many ask for it at the same time; one that cannot be made is tried again."""
    made: list[int] = []

    async def part(_scope: Scope, _receive: Receive, _send: Send) -> None:
        made.append(0)

    def make() -> Application:
        made.append(1)
        if made == [1]:
            raise OSError
        return part

    async def ask() -> Sequence[Any]:
        lazy = LazyPart(make)

        async def nothing(*_: Any) -> Any:
            return None

        first = await asyncio.gather(lazy({}, nothing, nothing), return_exceptions=True)
        await asyncio.gather(*(lazy({}, nothing, nothing) for _ in range(3)))
        return first

    (error,) = asyncio.run(ask())

    assert isinstance(error, OSError)
    assert made == [1, 1, 0, 0, 0]


# The same rules through the whole application

ROUTES = (
    "/_mock",
    "/_mock/docs",
    "/_mock/openapi.json",
    "/_mock/static/swagger-ui.css",
    "/_mock/services",
    "/_mock/worlds",
    "/_mock/worlds/default/state",
    "/_mock/worlds/default/exchanges",
    "/_mock/worlds/nowhere",
    "/_mock/nothing",
    "/%5Fmock",
    "/%5fmoc%6B/worlds",
)


@pytest.fixture
def caller(started: Starter) -> Caller:
    """Start a mock that asks for a token."""
    return started(admin_token=TOKEN)


def test_everything_of_the_control_api_is_guarded(caller: Caller) -> None:
    """By name first, then by token; what is not there is guarded too."""
    for path in ROUTES:
        foreign = caller.call("GET", path, headers={"authorization": f"Bearer {TOKEN}"}, host="attacker.example")
        unknown = caller.call("GET", path)
        known = caller.call("GET", path, headers={"authorization": f"Bearer {TOKEN}"})

        assert (foreign.status, unknown.status) == (403, 401), path
        assert known.status in {200, 404}, path
        assert {foreign.headers["content-type"], unknown.headers["content-type"]} == {"application/problem+json"}


def test_services_of_the_platform_are_not_guarded(caller: Caller) -> None:
    """Token endpoint, APIs and health answer whatever name they are called by, without the admin token."""
    for path in ("/health", "/REST/oauth/v5/jwks", "/worlds/default/REST/oauth/v5/jwks"):
        headers = {"origin": "http://attacker.example", "sec-fetch-site": "cross-site"}
        assert caller.call("GET", path, headers=headers, host="attacker.example").status == 200, path
    assert caller.post(host=HOST).status == 200


def test_an_admin_token_is_no_access_token(caller: Caller) -> None:
    """Nor the other way round."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    path = "/REST/careerpro-federal-learning-account/v1/employers/1999000150/employees/65111899997/calendarYears/2025"

    assert caller.call("GET", f"{path}/trainings", headers=headers).status == 401
    assert caller.call("GET", "/_mock", headers={"authorization": f"Bearer {caller.token()}"}).status == 401


def test_the_admin_token_is_nowhere_in_the_journal(caller: Caller) -> None:
    """Also when it was sent to the wrong place."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    caller.call("GET", "/nothing", headers=headers)

    reply = caller.call("GET", "/_mock/worlds/default/exchanges?full=true", headers=headers)

    assert TOKEN not in json.dumps(reply.json)
