"""Faults on request, as a client on a plain socket sees them: what comes, what does not, and what was done."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from mock_server.certificates.loading import SigningKey, load_private_key
from tests.support import FORM_HEADERS, TOKEN, Reply
from tests.system.processes import (
    TIMEOUT,
    Server,
    assertion,
    call,
    read_all,
    read_reply,
    request_bytes,
    started,
    token_form,
    training,
)

API = "/REST/careerpro-federal-learning-account/v1"
ROUTE = "/employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings"
PUT = f"PUT {ROUTE}"
SSIN = "65111899997"
LONG = 60
"""Seconds of a delay that no test waits for: what comes meanwhile came first, however busy the machine is."""
SHORT = 0.1


@dataclass
class Caller:
    """A client of one account in one world of its own."""

    server: Server
    world: str
    account: Mapping[str, Any]

    @property
    def base(self) -> str:
        """The URL that those of the world begin with."""
        return f"{self.server.base}/worlds/{self.world}"

    @cached_property
    def key(self) -> SigningKey:
        """The key of the account."""
        return load_private_key(Path(self.account["key"]).read_bytes())

    @cached_property
    def access_token(self) -> str:
        """A token that is asked for once."""
        return str(self.ask(self.token_request()).json["access_token"])

    def another(self, name: str) -> "Caller":
        """Return a client of another account in the same world."""
        return Caller(self.server, self.world, self.server.demo_account(name))

    # Requests, as they stand on the wire

    def form(self) -> bytes:
        """Return a good token request's body, with an assertion of its own."""
        return token_form(assertion(self.account["client_id"], self.key, f"{self.base}{TOKEN}"))

    def token_request(self, form: bytes | None = None) -> bytes:
        """Return a token request: a good one unless told otherwise."""
        body = self.form() if form is None else form
        lines = [f"{name}: {text}" for name, text in FORM_HEADERS.items()]
        return request_bytes("POST", f"/worlds/{self.world}{TOKEN}", [*lines, f"Content-Length: {len(body)}"], body)

    def keys_request(self) -> bytes:
        """Return a request for the key set."""
        return request_bytes("GET", f"/worlds/{self.world}/REST/oauth/v5/jwks", [])

    def trainings_request(
        self, method: str = "PUT", *, year: int = 2023, token: str | None = None, number: str = ""
    ) -> bytes:
        """Return a request to send the trainings of a year, or to read them."""
        employer = number or self.account["enterprise_number"]
        path = f"/worlds/{self.world}{API}/employers/{employer}/employees/{SSIN}/calendarYears/{year}/trainings"
        lines = [f"Authorization: Bearer {self.access_token if token is None else token}"]
        if method == "GET":
            return request_bytes(method, path, lines)
        dates = {"startDate": f"{year}-03-06", "endDate": f"{year}-03-07"}
        body = json.dumps({"items": [training(**dates)]}).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return request_bytes(method, path, lines, body)

    def ask(self, request: bytes) -> Reply:
        """Send a request on a connection of its own and return the answer."""
        with self.server.connect() as connection:
            connection.sendall(request)
            return read_reply(connection)

    def until_the_end(self, request: bytes) -> bytes:
        """Send a request, and return all that comes until the server closes the connection."""
        with self.server.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    def has_year(self, year: int = 2023) -> bool:
        """Whether the trainings of a year were stored; asked when no fault hits GET."""
        return bool(self.ask(self.trainings_request("GET", year=year)).json["total"])

    # Faults and the journal

    def control(self, method: str, path: str, body: object = None) -> Reply:
        """Call the control API of the world."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.server.base}/_mock/worlds/{self.world}{path}"
        return call(method, url, data, {"Content-Type": "application/json"})

    def script(self, do: Mapping[str, Any], operation: str = "PUT /employers/*", **more: Any) -> int:
        """Add a fault and return its id."""
        reply = self.control("POST", "/faults", {"operation": operation, "do": do, **more})
        assert reply.status == 201, reply.body
        return int(reply.json["id"])

    def fault(self, number: int = 1) -> Any:
        """Return a fault as it stands."""
        return self.control("GET", f"/faults/{number}").json

    def exchanges(self, query: str = "") -> list[Any]:
        """Return what the journal holds, whole."""
        items = self.control("GET", f"/exchanges?full=true&{query}").json["items"]
        return list(items)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server for all; each test takes a world of its own."""
    with started(tmp_path_factory.mktemp("server")) as running:
        yield running
        assert "Traceback" not in running.errors
        assert "a fault of the mock itself" not in running.errors


def make_world(server: Server) -> Caller:
    """Make another demo world, and return a client of its employer who has a token."""
    reply = call("POST", f"{server.base}/_mock/worlds", b"{}", {"Content-Type": "application/json"})
    assert reply.status == 201, reply.body
    caller = Caller(server, reply.json["name"], server.demo_account())
    assert caller.access_token
    return caller


@pytest.fixture
def caller(server: Server) -> Caller:
    """Give a test a world of its own."""
    return make_world(server)


def announced(reply: Reply, effect: str, number: int = 1) -> bool:
    """Tell whether an answer says which fault touched it."""
    return reply.headers.get("mock-fault") == f"{number}; {effect}"


# Errors instead of answers

BELGIF = "urn:problem-type:belgif:"
PROBLEMS: dict[int, tuple[str, str, str]] = {
    400: (f"{BELGIF}badRequest", "Bad Request", "The request was refused"),
    401: (
        f"{BELGIF}invalidAccessToken",
        "Invalid Access Token",
        "The Bearer access token found in the Authorization HTTP header is invalid",
    ),
    403: (f"{BELGIF}missingPermission", "Missing Permission", "Not permitted"),
    404: (f"{BELGIF}resourceNotFound", "Resource Not Found", "No such resource"),
    405: ("about:blank", "Method Not Allowed", "The request was not carried out"),
    408: ("about:blank", "Request Timeout", "The request was not carried out"),
    409: ("about:blank", "Conflict", "The request was not carried out"),
    413: (f"{BELGIF}payloadTooLarge", "Payload Too Large", "The request message is too large"),
    418: ("about:blank", "I'm a Teapot", "The request was not carried out"),
    429: (f"{BELGIF}tooManyRequests", "Too Many Requests", "The quota of requests is used up"),
    500: (
        f"{BELGIF}internalServerError",
        "Internal Server Error",
        "The server met a situation that it cannot handle",
    ),
    502: (f"{BELGIF}badGateway", "Bad Gateway", "The server behind this one gave an invalid answer"),
    503: (f"{BELGIF}serviceUnavailable", "Service is unavailable", "The service is down for a moment"),
    504: ("about:blank", "Gateway Timeout", "The request was not carried out"),
    599: ("about:blank", "Unassigned Status", "The request was not carried out"),
}


@pytest.mark.parametrize("status", PROBLEMS)
def test_an_api_answers_an_error_as_a_problem(status: int, caller: Caller) -> None:
    """The body has the members of Belgif, the headers belong to the status, and nothing was carried out."""
    kind, title, detail = PROBLEMS[status]
    caller.script({"status": status})

    reply = caller.ask(caller.trainings_request())

    wait = {429: {"retryAfterSec": 1}, 503: {"retryAfterSec": 1}}.get(status, {})
    name = kind.removeprefix(BELGIF)
    href = f"https://www.belgif.be/specification/rest/api-guide/problems/{name}.html"
    members = {"type": kind} | ({} if name == kind else {"href": href}) | {"title": title, "status": status}
    trace_id = reply.headers["belgov-trace-id"]
    assert status == reply.status
    assert reply.json == members | {"detail": detail, "instance": f"urn:uuid:{trace_id}"} | wait
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers.get("retry-after") == ("1" if wait else None)
    assert ("www-authenticate" in reply.headers) == (status == 401)
    assert ("allow" in reply.headers) == (status == 405)
    assert announced(reply, f"status={status}")
    assert not caller.has_year()


OAUTH_ERRORS = {
    400: "invalid_request",
    401: "invalid_client",
    403: "invalid_request",
    429: "temporarily_unavailable",
    500: "server_error",
    502: "server_error",
    503: "temporarily_unavailable",
    504: "server_error",
}


@pytest.mark.parametrize("status", OAUTH_ERRORS)
def test_the_token_endpoint_answers_an_error_in_its_own_form(status: int, caller: Caller) -> None:
    """The body is JSON with an error that may not be stored, and the assertion was not used up."""
    caller.script({"status": status}, "token", times=1)
    form = caller.form()

    reply = caller.ask(caller.token_request(form))

    assert status == reply.status
    assert OAUTH_ERRORS[status] == reply.json["error"]
    assert list(reply.json) == ["error", "error_description"]
    headers = {name: reply.headers.get(name) for name in ("content-type", "cache-control", "pragma", "retry-after")}
    wait = "1" if status in {429, 503} else None
    assert list(headers.values()) == ["application/json", "no-store", "no-cache", wait]
    assert announced(reply, f"status={status}")
    assert caller.ask(caller.token_request(form)).status == 200


def test_the_key_set_answers_an_error_as_the_token_endpoint_does(caller: Caller) -> None:
    """A fault of jwks hits nothing else."""
    caller.script({"status": 503}, "jwks")

    reply = caller.ask(caller.keys_request())

    assert (reply.status, reply.json["error"]) == (503, "temporarily_unavailable")
    assert caller.ask(caller.token_request()).status == 200


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
WAITS: dict[str, tuple[Mapping[str, Any], str | None, Mapping[str, Any]]] = {
    "seconds": ({"status": 503, "retry_after": 7}, "7", {"retryAfterSec": 7}),
    "no time at all": ({"status": 503, "retry_after": 0}, "0", {"retryAfterSec": 0}),
    "a date": ({"status": 503, "retry_after": DATE}, DATE, {"retryAfter": "2026-10-21T07:28:00Z"}),
    "no word": ({"status": 503, "retry_after": "none"}, None, {}),
    "no word with 429": ({"status": 429, "retry_after": "none"}, None, {}),
    "seconds with 500": ({"status": 500, "retry_after": 3}, "3", {"retryAfterSec": 3}),
}


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("operation", ["PUT /employers/*", "token"])
def test_when_to_come_back_is_told_as_asked_for(name: str, operation: str, caller: Caller) -> None:
    """Retry-After says seconds, a date, or nothing; a problem says the same in a member."""
    do, header, members = WAITS[name]
    caller.script(do, operation)

    reply = caller.ask(caller.token_request() if operation == "token" else caller.trainings_request())

    assert header == reply.headers.get("retry-after")
    told = {key: value for key, value in reply.json.items() if key.startswith("retryAfter")}
    assert told == ({} if operation == "token" else members)
    assert announced(reply, ",".join(f"{key}={value}" for key, value in do.items()))


# Slow answers


def test_a_slow_answer_keeps_nobody_else_waiting(caller: Caller) -> None:
    """While one call waits, with nothing sent and nothing done, other calls are answered."""
    caller.script({"delay": LONG}, parameters={"year": "2024"})
    with caller.server.connect() as slow:
        slow.sendall(caller.trainings_request(year=2024))
        assert caller.ask(caller.trainings_request()).status == 200
        # The second request that matches is past its own waiting when it has been seen.
        assert nothing_came(slow)
        assert not caller.has_year(2024)


def nothing_came(connection: socket.socket) -> bool:
    """Tell whether nothing is there to be read, and the connection is not closed."""
    connection.settimeout(0)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("place", [{}, {"in": "body"}], ids=["before", "in the body"])
def test_a_slow_answer_is_the_usual_one(place: Mapping[str, str], caller: Caller) -> None:
    """After the wait the answer is as ever, but for the header that announces the fault."""
    usual = caller.ask(caller.trainings_request())
    caller.script({"delay": SHORT, **place})

    reply = caller.ask(caller.trainings_request())

    assert announced(reply, f"delay={SHORT}" + (",in=body" if place else ""))
    assert (usual.status, usual.body) == (reply.status, reply.body)
    assert usual.headers.keys() | {"mock-fault"} == reply.headers.keys()


def test_a_wait_before_the_answer_is_part_of_what_the_journal_says_it_took(caller: Caller) -> None:
    """The duration holds the delay."""
    caller.script({"delay": SHORT})
    caller.ask(caller.trainings_request())

    assert caller.exchanges("fault=true")[0]["duration_ms"] >= SHORT * 1000


def test_half_a_body_comes_before_the_wait(caller: Caller) -> None:
    """Status, headers with the whole length and half the body are there and the change is made; the rest waits."""
    usual = caller.ask(caller.trainings_request()).body.replace(b"2023", b"2024")
    caller.script({"delay": LONG, "in": "body"}, parameters={"year": "2024"})
    with caller.server.connect() as slow:
        slow.sendall(caller.trainings_request(year=2024))
        head, body = head_and(slow, len(usual) // 2)

        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"\r\ncontent-length: %d\r\n" % len(usual) in head + b"\r\n"
        assert body == usual[: len(usual) // 2]
        assert caller.has_year(2024)
        assert nothing_came(slow)


def head_and(connection: socket.socket, size: int) -> tuple[bytes, bytes]:
    """Return the head of an answer, and so many bytes of its body."""
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < size:
        part = connection.recv(65536)
        assert part
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body


# Connections closed too early

CLOSINGS = ("before", "headers", "body", "after-change")


@pytest.mark.parametrize("point", CLOSINGS)
def test_a_connection_is_closed_where_it_is_asked_for(point: str, caller: Caller) -> None:
    """What came before the end is what the point says, and only `before` leaves the change undone."""
    usual = caller.ask(caller.trainings_request()).body.replace(b"2023", b"2024")
    caller.script({"close": point}, times=1)

    head, blank, body = caller.until_the_end(caller.trainings_request(year=2024)).partition(b"\r\n\r\n")

    if point in {"headers", "body"}:
        lines = head.decode().split("\r\n")
        assert (lines[0], blank) == ("HTTP/1.1 200 OK", b"\r\n\r\n")
        assert f"content-length: {len(usual)}" in lines
        assert f"mock-fault: 1; close={point}" in lines
    else:
        assert head == b""
    assert body == (usual[: len(usual) // 2] if point == "body" else b"")
    assert caller.has_year(2024) == (point != "before")


@pytest.mark.parametrize("point", CLOSINGS)
def test_a_closed_connection_costs_a_token_request_its_assertion(point: str, caller: Caller) -> None:
    """The assertion is used up, unless the connection was closed before anything was done."""
    caller.script({"close": point}, "token", times=1)
    form = caller.form()

    came = caller.until_the_end(caller.token_request(form))
    again = caller.ask(caller.token_request(form))

    assert bool(came) == (point in {"headers", "body"})
    if point == "before":
        assert again.status == 200
    else:
        assert (again.status, again.json["error"]) == (400, "invalid_client")
        assert caller.exchanges("status=400")[0]["refused_by"] == "OAUTH-JTI-3"


@pytest.mark.parametrize("point", CLOSINGS)
def test_the_journal_tells_of_a_closed_connection(point: str, caller: Caller) -> None:
    """The exchange names its fault and its client, also where no answer was sent."""
    caller.script({"close": point})
    caller.until_the_end(caller.trainings_request())

    (exchange,) = caller.exchanges("fault=true")

    assert exchange["fault"] == {"id": 1, "applied": f"1; close={point}"}
    assert (exchange["operation"], exchange["client_id"]) == (PUT, caller.account["client_id"])
    was_sent = point in {"headers", "body"}
    assert exchange["status"] == (200 if was_sent else None)
    assert (exchange["answer"] is not None) == was_sent


# Spoiled answers


def spoil(body: bytes, how: str) -> bytes:
    """Return a body of JSON as a fault leaves it."""
    return {"json": body[:-1] + b"]", "truncate": body[: len(body) // 2], "content-type": body}[how]


SPOILINGS = ("json", "truncate", "content-type")


@pytest.mark.parametrize("how", SPOILINGS)
def test_an_answer_is_spoiled_in_one_way(how: str, caller: Caller) -> None:
    """Body or media type is wrong, the length is right, and the request was carried out."""
    usual = caller.ask(caller.trainings_request())
    caller.script({"malform": how}, parameters={"year": "2023"})

    reply = caller.ask(caller.trainings_request())

    assert reply.status == 200
    assert reply.body == spoil(usual.body, how)
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["content-type"] == ("text/html" if how == "content-type" else "application/json")
    assert announced(reply, f"malform={how}")
    assert caller.has_year()


@pytest.mark.parametrize("how", SPOILINGS)
def test_a_refusal_is_spoiled_too(how: str, caller: Caller) -> None:
    """A 401 keeps its status and its challenge."""
    caller.script({"malform": how})

    reply = caller.ask(caller.trainings_request(token="x"))

    assert (401, f"1; malform={how}") == (reply.status, reply.headers["mock-fault"])
    assert "www-authenticate" in reply.headers
    assert (reply.headers["content-type"] == "text/html") == (how == "content-type")
    assert is_json(reply.body) == (how == "content-type")


def is_json(body: bytes) -> bool:
    """Tell whether a body is JSON."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("how", ["json", "truncate"])
def test_a_spoiled_token_answer_is_no_json(how: str, caller: Caller) -> None:
    """The token endpoint's answer is spoiled as well, and the journal shows no token of it."""
    caller.script({"malform": how}, "token")

    reply = caller.ask(caller.token_request())

    assert reply.status == 200
    assert not is_json(reply.body)
    token = reply.body.partition(b'"access_token":"')[2][:40]
    assert token.startswith(b"eyJ")
    assert token not in caller.control("GET", "/exchanges?full=true").body


# Wrong token answers


def test_a_token_can_be_expired_on_arrival(caller: Caller) -> None:
    """The answer looks like any other, and a call with its token is 401 expiredAccessToken."""
    caller.script({"token": "expired"}, "token", times=1)

    reply = caller.ask(caller.token_request())

    assert (reply.status, reply.json["expires_in"], len(reply.json)) == (200, 600, 4)
    assert announced(reply, "token=expired")
    refused = caller.ask(caller.trainings_request(token=reply.json["access_token"]))
    assert (401, f"{BELGIF}expiredAccessToken") == (refused.status, refused.json["type"])
    assert caller.exchanges("status=401")[0]["refused_by"] == "GW-TOKEN-4"
    # The next one is good again.
    good = caller.ask(caller.token_request()).json["access_token"]
    assert caller.ask(caller.trainings_request(token=good)).status == 200


def test_a_token_answer_can_have_a_fifth_member(caller: Caller) -> None:
    """The four others are as ever, and the token is good."""
    caller.script({"token": "extra-member"}, "token")

    reply = caller.ask(caller.token_request())

    assert list(reply.json) == ["access_token", "scope", "token_type", "expires_in", "mock_fault"]
    assert (reply.status, reply.json["mock_fault"]) == (200, "extra-member")
    assert caller.ask(caller.trainings_request(token=reply.json["access_token"])).status == 200


def test_a_token_answer_can_quote_its_number(caller: Caller) -> None:
    """`expires_in` is text, and the token is good."""
    caller.script({"token": "string-expires-in"}, "token")

    reply = caller.ask(caller.token_request())

    assert (reply.status, reply.json["expires_in"], len(reply.json)) == (200, "600", 4)
    assert caller.ask(caller.trainings_request(token=reply.json["access_token"])).status == 200


def test_a_good_assertion_can_be_refused(caller: Caller) -> None:
    """The answer is invalid_client as the endpoint writes it, and the assertion is used up."""
    caller.script({"token": "invalid-client"}, "token", times=1)
    form = caller.form()

    reply = caller.ask(caller.token_request(form))

    error = {"error": "invalid_client", "error_description": "Client authentication failed"}
    assert (400, error) == (reply.status, reply.json)
    assert reply.headers["cache-control"] == "no-store"
    assert announced(reply, "token=invalid-client")
    assert caller.ask(caller.token_request(form)).status == 400
    assert caller.ask(caller.token_request()).status == 200


@pytest.mark.parametrize("kind", ["expired", "extra-member", "string-expires-in", "invalid-client"])
def test_a_refused_token_request_does_not_count(kind: str, caller: Caller) -> None:
    """A fault of token answers waits for a good request; a bad one is refused as ever, without an announcement."""
    caller.script({"token": kind}, "any", times=1)

    refused = caller.ask(caller.token_request(token_form("x")))

    assert (refused.status, refused.headers.get("mock-fault")) == (400, None)
    assert (caller.fault()["seen"], caller.fault()["fired"]) == (0, 0)
    assert announced(caller.ask(caller.token_request()), f"token={kind}")


# Which requests, and how often


def statuses(caller: Caller, *requests: Callable[[], bytes]) -> list[int]:
    """Send requests one after the other and return the statuses."""
    return [caller.ask(request()).status for request in requests]


def test_a_fault_hits_so_many_times(caller: Caller) -> None:
    """After that it stays in the list, exhausted."""
    caller.script({"status": 503}, times=2)

    assert statuses(caller, *[caller.trainings_request] * 4) == [503, 503, 200, 200]
    fault = caller.fault()
    assert (fault["fired"], fault["exhausted"]) == (2, True)


def test_a_fault_hits_until_it_is_reset(caller: Caller) -> None:
    """Without a number it goes on until all faults are taken away."""
    caller.script({"status": 503})
    before = statuses(caller, *[caller.trainings_request] * 3)
    assert caller.control("DELETE", "/faults").status == 204

    assert (before, caller.ask(caller.trainings_request()).status) == ([503] * 3, 200)
    assert caller.control("GET", "/faults").json == {"items": []}


def test_a_fault_is_removed_alone(caller: Caller) -> None:
    """The others stay, and its number is given to no other."""
    caller.script({"status": 500})
    caller.script({"status": 503})
    assert caller.control("DELETE", "/faults/1").status == 204

    assert caller.ask(caller.trainings_request()).status == 503
    assert [caller.control(method, "/faults/1").status for method in ("GET", "DELETE")] == [404, 404]
    assert caller.script({"status": 500}) == 3


def test_a_fault_hits_every_third(caller: Caller) -> None:
    """Requests that do not match are not counted."""
    caller.script({"status": 503}, every=3)

    asked: list[Callable[[], bytes]] = [caller.trainings_request, caller.token_request] * 3
    asked += [caller.trainings_request] * 3
    assert statuses(caller, *asked) == [200, 200, 200, 200, 503, 200, 200, 200, 503]
    assert (caller.fault()["seen"], caller.fault()["fired"]) == (6, 2)


def test_every_and_times_work_together(caller: Caller) -> None:
    """Every second request, and that once."""
    caller.script({"status": 503}, every=2, times=1)

    assert statuses(caller, *[caller.trainings_request] * 4) == [200, 503, 200, 200]


@pytest.mark.parametrize("do", [{"status": 500}, {"malform": "json"}], ids=["before", "after"])
def test_a_fault_hits_one_client(do: Mapping[str, Any], caller: Caller) -> None:
    """Another client's calls and token requests are answered as ever."""
    other = caller.another("example-5-company-1")
    assert other.access_token
    caller.script(do, "any", client_id=other.account["client_id"])

    for one in (caller.token_request, caller.trainings_request):
        assert "mock-fault" not in caller.ask(one()).headers
    for one in (other.token_request, other.trainings_request):
        assert "mock-fault" in caller.ask(one()).headers


def test_a_fault_hits_calls_with_certain_path_parameters(caller: Caller) -> None:
    """A year, or an employer however its number is written: with ten digits or nine."""
    number = caller.account["enterprise_number"]
    assert number.startswith("0")
    caller.script({"status": 500}, parameters={"enterpriseNumber": number, "year": "2024"})

    assert caller.ask(caller.trainings_request(year=2023)).status == 200
    assert caller.ask(caller.trainings_request(year=2024)).status == 500
    assert caller.ask(caller.trainings_request(year=2024, number=number[1:])).status == 500


OPERATIONS: dict[str, tuple[int, int, int, int]] = {
    "any": (503, 503, 503, 503),
    "token": (503, 200, 200, 200),
    "jwks": (200, 503, 200, 200),
    "* *": (200, 200, 503, 503),
    PUT: (200, 200, 503, 200),
    "PUT /employers/{a}/employees/{b}/calendarYears/{c}/trainings": (200, 200, 503, 200),
    "GET /employers/*": (200, 200, 200, 503),
    "PUT /employers/…": (200, 200, 503, 200),
    "PUT /employers/...": (200, 200, 503, 200),
    "PUT …": (200, 200, 503, 200),
    "* /employers/{number}/employees/*": (200, 200, 503, 503),
    "DELETE /employers/*": (200, 200, 200, 200),
    "PUT /employers": (200, 200, 200, 200),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_says_which_requests_are_hit(operation: str, caller: Caller) -> None:
    """Token endpoint, key set, PUT and GET: each is hit when it is meant."""
    assert caller.ask(caller.trainings_request()).status == 200
    caller.script({"status": 503}, operation)

    requests = (
        caller.token_request,
        caller.keys_request,
        caller.trainings_request,
        lambda: caller.trainings_request("GET"),
    )
    assert tuple(statuses(caller, *requests)) == OPERATIONS[operation]
    assert caller.fault()["operation"] == operation


def test_any_hits_paths_that_nothing_is_at(caller: Caller) -> None:
    """A wrong path is spoiled like a right one, and the control API never is."""
    caller.script({"status": 503}, "any")

    assert caller.ask(request_bytes("GET", f"/worlds/{caller.world}/nothing", [])).status == 503
    assert caller.control("GET", "/faults").status == 200


# Several

SEVERAL: dict[str, tuple[list[Mapping[str, Any]], list[str]]] = {
    "two errors": ([{"do": {"status": 503}, "times": 1}, {"do": {"status": 500}, "times": 1}], ["503", "500", "200"]),
    "an error after a spoiled answer": (
        [{"do": {"malform": "json"}, "times": 1}, {"do": {"status": 500}}],
        ["200; 1", "500", "500"],
    ),
    "an error after a closed connection": (
        [{"do": {"close": "after-change"}, "times": 1}, {"do": {"status": 500}}],
        ["nothing", "500", "500"],
    ),
    "an error after half a slow answer": (
        [{"do": {"delay": SHORT, "in": "body"}, "times": 1}, {"do": {"status": 500}}],
        ["200; 1", "500", "500"],
    ),
    "a spoiled answer that is not due, and an error": (
        [{"do": {"malform": "json"}, "every": 2}, {"do": {"status": 500}, "times": 2}],
        ["500", "500", "200", "200; 1"],
    ),
    "a closed connection after a spoiled answer": (
        [{"do": {"malform": "truncate"}, "times": 1}, {"do": {"close": "before"}, "times": 1}],
        ["200; 1", "nothing", "200"],
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_of_faults_that_are_due_the_first_one_hits(name: str, caller: Caller) -> None:
    """Whatever they do: the one that was added first has its turn, and the next one when that is exhausted."""
    faults, expected = SEVERAL[name]
    for fault in faults:
        caller.script(**fault)

    seen = []
    for _ in expected:
        request = caller.trainings_request().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        came = caller.until_the_end(request)
        status = came[9:12].decode() or "nothing"
        spoiled = status == "200" and b"mock-fault: 1;" in came
        seen.append(f"{status}; 1" if spoiled else status)
    assert seen == expected


def test_a_fault_of_one_world_does_not_touch_another(caller: Caller) -> None:
    """Neither another world nor the one at the root."""
    other = make_world(caller.server)
    caller.script({"status": 503}, "any")

    assert other.ask(other.trainings_request()).status == 200
    assert call("GET", f"{caller.server.base}/REST/oauth/v5/jwks").status == 200
    assert caller.ask(caller.keys_request()).status == 503
    assert other.control("GET", "/faults").json == {"items": []}


# Announcements, journal, connections


def test_the_journal_names_the_fault_of_an_answer(caller: Caller) -> None:
    """The exchange has the number in `Mock-Exchange`, and says what the header `Mock-Fault` says."""
    caller.script({"status": 503, "retry_after": 2})
    reply = caller.ask(caller.trainings_request())

    exchange = caller.control("GET", f"/exchanges/{reply.headers['mock-exchange']}").json

    assert exchange["fault"] == {"id": 1, "applied": reply.headers["mock-fault"]}
    assert (exchange["status"], exchange["client_id"]) == (503, caller.account["client_id"])
    assert exchange["refused_by"] is None
    assert exchange["answer"]["body"] == reply.body.decode()


def test_a_request_without_a_fault_announces_none(caller: Caller) -> None:
    """Neither its answer nor its exchange."""
    caller.script({"status": 503}, "token")

    assert "mock-fault" not in caller.ask(caller.trainings_request()).headers
    assert caller.exchanges("fault=true") == []


STAYING: list[Mapping[str, Any]] = [
    {"status": 503},
    {"status": 401},
    {"delay": SHORT},
    {"delay": SHORT, "in": "body"},
    {"malform": "json"},
    {"malform": "truncate"},
    {"malform": "content-type"},
]


def test_faults_that_close_nothing_leave_the_connection_open(caller: Caller) -> None:
    """A client of the standard library sends all its requests on one connection."""
    path = f"/worlds/{caller.world}{API}/employers/{caller.account['enterprise_number']}/employees/{SSIN}"
    body = json.dumps({"items": [training()]})
    headers = {"Authorization": f"Bearer {caller.access_token}", "Content-Type": "application/json"}
    for do in STAYING:
        caller.script(do, times=1)
    connection = HTTPConnection(*caller.server.address, timeout=TIMEOUT)
    ports, faults = set(), []
    with ExitStack() as stack:
        stack.callback(connection.close)
        for _ in [*STAYING, None]:
            connection.request("PUT", f"{path}/calendarYears/2023/trainings", body, headers)
            ports.add(connection.sock.getsockname())
            response = connection.getresponse()
            response.read()
            faults.append(response.headers["Mock-Fault"])
            assert not response.will_close

    assert len(ports) == 1
    assert [fault and int(fault.partition(";")[0]) for fault in faults] == [*range(1, len(STAYING) + 1), None]


@pytest.mark.parametrize("point", CLOSINGS)
def test_a_client_of_the_standard_library_notices_a_closed_connection(point: str, caller: Caller) -> None:
    """It never takes what came for a whole answer."""
    caller.script({"close": point}, "jwks")
    connection = HTTPConnection(*caller.server.address, timeout=TIMEOUT)
    with ExitStack() as stack:
        stack.callback(connection.close)
        connection.request("GET", f"/worlds/{caller.world}/REST/oauth/v5/jwks")
        with pytest.raises(Exception, match=r"closed connection|IncompleteRead"):
            connection.getresponse().read()


WRONG: dict[str, tuple[object, str]] = {
    "a status that is no error": ({"do": {"status": 200}}, "do.status"),
    "nothing to do": ({"do": {}}, "do"),
    "no effect": ({}, "do"),
    "two effects": ({"do": {"status": 503, "delay": 1}}, "do"),
    "a delay of a minute and more": ({"do": {"delay": 61}}, "do.delay"),
    "an unknown point": ({"do": {"close": "later"}}, "do.close"),
    "no times": ({"do": {"status": 503}, "times": 0}, "times"),
    "every none": ({"do": {"status": 503}, "every": 0}, "every"),
    "an operation without a path": ({"do": {"status": 503}, "operation": "PUT"}, "operation"),
    "an unknown member": ({"do": {"status": 503}, "often": 1}, "often"),
    "a token fault elsewhere": ({"operation": "jwks", "do": {"token": "expired"}}, "do.token"),
    "a client of the key set": ({"operation": "jwks", "do": {"status": 503}, "client_id": "a"}, "client_id"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_that_cannot_be_is_refused(name: str, caller: Caller) -> None:
    """The problem names the member, and no fault is added."""
    body, member = WRONG[name]

    reply = caller.control("POST", "/faults", body)

    assert (400, f"{BELGIF}badRequest") == (reply.status, reply.json["type"])
    assert [issue["name"] for issue in reply.json["issues"]] == [member]
    assert caller.control("GET", "/faults").json == {"items": []}
