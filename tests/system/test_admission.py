"""The control API seen from where it must not be reached, and given what it must not choke on."""

import base64
import itertools
import json
import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support import FORM_HEADERS, TOKEN, Reply
from tests.system.conftest import Client
from tests.system.processes import (
    TIMEOUT,
    Server,
    assertion,
    read_all,
    read_reply,
    request_bytes,
    started,
    token_form,
)

ADMIN = "an admin token of the tests"
BEARER = f"Authorization: Bearer {ADMIN}"
FOREIGN = "attacker.example"
JSON = "Content-Type: application/json"
PROBLEM = {"type", "title", "status", "detail", "instance"}
ROUTES = (
    "/_mock",
    "/_mock/",
    "/_mock/docs",
    "/_mock/openapi.json",
    "/_mock/static/swagger-ui-bundle.js",
    "/_mock/services",
    "/_mock/worlds",
    "/_mock/worlds/default",
    "/_mock/worlds/default/state",
    "/_mock/worlds/default/exchanges.har",
    "/_mock/worlds/default/accounts",
    "/_mock/worlds/nowhere/clock",
    "/_mock/nothing",
    "/%5Fmock/worlds",
)


@contextmanager
def watched(factory: pytest.TempPathFactory, *arguments: str) -> Iterator[Server]:
    """Run a server with an empty world, which must not fail in anything it is asked."""
    with started(factory.mktemp("server"), "--world=empty", "--log-level=debug", *arguments) as server:
        yield server
        assert server.is_up()
        assert "Traceback" not in server.errors
        assert "a fault of the mock itself" not in server.errors


@pytest.fixture(scope="module")
def server(clients: Mapping[str, Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server on loopback, without a token, that knows one client."""
    with watched(tmp_path_factory, f"--account={clients['rsa-2048'].account}") as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server on loopback with a token."""
    with watched(tmp_path_factory, f"--admin-token={ADMIN}") as running:
        yield running


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server on all addresses, without a token."""
    with watched(tmp_path_factory, "--host=0.0.0.0") as running:
        yield running


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server on all addresses, with a token."""
    with watched(tmp_path_factory, "--host=0.0.0.0", f"--admin-token={ADMIN}") as running:
        yield running


def ask(
    server: Server,
    method: str,
    target: str,
    *lines: str,
    body: bytes = b"",
    host: str | None = None,
    whole: bytes | None = None,
) -> Reply:
    """Send one request as it is written, and return the answer; no answer lets other origins read it."""
    if whole is None:
        name = "{}:{}".format(*server.address) if host is None else host
        length = [f"Content-Length: {len(body)}"] if body or method in {"POST", "PUT", "PATCH"} else []
        whole = request_bytes(method, target, [*lines, *length, "Connection: close"], body, name)
    with server.connect() as connection:
        connection.sendall(whole)
        reply = parsed(read_all(connection))
    assert not [header for header in reply.headers if header.startswith("access-control")]
    return reply


def parsed(data: bytes) -> Reply:
    """Return a whole answer."""
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return Reply(int(status.split()[1]), {name.lower(): text for name, _, text in pairs}, body)


def assert_problem(reply: Reply, status: int, told: object = "") -> None:
    """Judge a refusal: a problem, and nothing that a framework would say."""
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json"), told
    assert set(reply.json) >= PROBLEM, told
    assert reply.json["status"] == status, told


# By name

END = ["Connection: close"]
FOREIGN_CALLS = {
    "another name": request_bytes("GET", "{}", END, host=FOREIGN),
    "another name with the port": request_bytes("GET", "{}", END, host=f"{FOREIGN}:8425"),
    "two names, ours first": request_bytes("GET", "{}", [f"Host: {FOREIGN}", *END]),
    "two names, ours last": request_bytes("GET", "{}", ["Host: 127.0.0.1", *END], host=FOREIGN),
    "a whole URL with another name": request_bytes("GET", f"http://{FOREIGN}{{}}", END),
    "a whole URL with our name as a user": request_bytes("GET", f"http://127.0.0.1@{FOREIGN}{{}}", END),
    "the address of all": request_bytes("GET", "{}", END, host="0.0.0.0"),
    "no name in HTTP/1.0": b"GET {} HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("name", FOREIGN_CALLS)
def test_who_calls_by_another_name_gets_nothing_of_the_control_api(name: str, server: Server) -> None:
    """Neither pages nor data, nor whether something is there."""
    for path in ROUTES:
        whole = FOREIGN_CALLS[name].replace(b"{}", path.encode())
        reply = ask(server, "GET", path, whole=whole)
        # What is no HTTP at all is refused before it has a path.
        if name.startswith("two names") and reply.status == 400:
            continue
        assert_problem(reply, 403, path)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP"])
def test_no_method_passes_under_another_name(method: str, server: Server) -> None:
    """Whatever is asked for."""
    reply = ask(server, method, "/_mock/worlds", host=FOREIGN)

    assert reply.status == 403


def test_a_whole_url_with_the_servers_name_is_served(server: Server) -> None:
    """Whatever the Host header says: the URL decides (RFC 9112 §3.2.2)."""
    whole = request_bytes("GET", "http://{}:{}/_mock".format(*server.address), END, host=FOREIGN)

    assert ask(server, "GET", "", whole=whole).status == 200


def test_services_answer_under_any_name(server: Server, clients: Mapping[str, Client]) -> None:
    """A client with a built-in URL reaches them through a hosts entry: health, token endpoint and API."""
    client = clients["rsa-2048"]
    form = token_form(assertion(client.client_id, client.key, server.token_url))
    lines = [f"{name}: {text}" for name, text in FORM_HEADERS.items()]
    browser = ["Origin: http://attacker.example", "Sec-Fetch-Site: cross-site"]
    token = ask(server, "POST", TOKEN, *lines, *browser, body=form, host=FOREIGN)
    path = f"/REST/careerpro-federal-learning-account/v1/employers/{client.enterprise}/employees/65111899997"
    bearer = f"Authorization: Bearer {token.json['access_token']}"
    call = ask(server, "GET", f"{path}/calendarYears/2023/trainings", bearer, *browser, host=FOREIGN)

    assert ask(server, "GET", "/health", *browser, host=FOREIGN).status == 200
    assert (token.status, call.status) == (200, 200)


# By address and token

TOKENS: dict[str, tuple[str | None, int]] = {
    "Bearer": (BEARER, 200),
    "a password": ("Authorization: Basic " + base64.b64encode(f"admin:{ADMIN}".encode()).decode(), 200),
    "nothing": (None, 401),
    "another token": ("Authorization: Bearer another", 401),
    "a long token": (f"Authorization: Bearer {ADMIN * 1_000}", 401),
    "a letter outside ASCII": (f"{BEARER}é", 401),
    "another password": ("Authorization: Basic " + base64.b64encode(b"admin:another").decode(), 401),
    "no base64": ("Authorization: Basic é", 401),
    "the token in a cookie": (f"Cookie: token={ADMIN}", 401),
    "the token in another header": (f"X-Admin-Token: {ADMIN}", 401),
}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("which", ["guarded", "public"])
def test_who_administers_has_the_token(which: str, name: str, request: pytest.FixtureRequest) -> None:
    """On loopback, if there is one, and on any other address; for pages too, which a browser then asks about."""
    server: Server = request.getfixturevalue(which)
    line, status = TOKENS[name]

    for path in ROUTES:
        reply = ask(server, "GET", path, *([] if line is None else [line]))

        if status == 401:
            assert_problem(reply, 401, path)
            assert reply.headers["www-authenticate"].startswith("Basic realm=")
        else:
            assert reply.status in {200, 404}, path


def test_the_token_in_the_query_is_no_token(public: Server) -> None:
    """It would end in logs and in histories."""
    assert_problem(ask(public, "GET", f"/_mock?access_token={quote(ADMIN)}&token={quote(ADMIN)}"), 401)


@pytest.mark.parametrize("line", [None, BEARER, "Authorization: Bearer None", "Authorization: Basic Og=="])
def test_without_a_token_an_open_address_has_no_control_api(line: str | None, shut: Server) -> None:
    """Nobody can ask for anything, also from the same machine; the services work."""
    for path in ROUTES:
        reply = ask(shut, "GET", path, *([] if line is None else [line]))

        assert_problem(reply, 403, path)
        assert "--admin-token" in reply.json["detail"]
    assert ask(shut, "GET", "/health").status == 200
    assert ask(shut, "GET", "/REST/oauth/v5/jwks").status == 200


@pytest.mark.parametrize("which", ["shut", "public"])
def test_another_name_is_refused_on_an_open_address_too(which: str, request: pytest.FixtureRequest) -> None:
    """The token changes nothing about that."""
    server: Server = request.getfixturevalue(which)

    for path in ROUTES:
        assert_problem(ask(server, "GET", path, BEARER, host=FOREIGN), 403, path)


# By where a browser says that it comes from

FROM_ELSEWHERE: dict[str, list[str]] = {
    "another origin": ["Origin: http://attacker.example"],
    "no origin": ["Origin: null"],
    "another port": ["Origin: http://127.0.0.1:1"],
    "another site": ["Sec-Fetch-Site: cross-site"],
    "a neighbour": ["Sec-Fetch-Site: same-site"],
    "a page elsewhere": ["Referer: http://attacker.example/page"],
    "all of a browser": [
        "Origin: http://attacker.example",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Mode: no-cors",
        "Referer: http://attacker.example/",
    ],
}
BOUNDARY = "a-boundary"


def upload(client: Client) -> bytes:
    """Return a form with a certificate."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="certificate"; filename="a.cer"\r\n\r\n'
    return head.encode() + Path(client.files.certificate).read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def posts(clients: Mapping[str, Client]) -> dict[str, tuple[str, str, bytes]]:
    """Return what a page can post without being asked: path, media type and body."""
    world = b'{"name":"planted","from":"empty"}'
    account = f"/_mock/worlds/default/accounts/{clients['rsa-2048'].client_id}"
    return {
        "a form": ("/_mock/worlds", FORM_HEADERS["content-type"], b"name=planted&from=empty"),
        "JSON as a form": ("/_mock/worlds", FORM_HEADERS["content-type"], world),
        "JSON as text": ("/_mock/worlds", "text/plain", world),
        "JSON": ("/_mock/worlds", "application/json", world),
        "a certificate": (
            f"{account}/certificates",
            f"multipart/form-data; boundary={BOUNDARY}",
            upload(clients["ec-p384"]),
        ),
    }


@pytest.mark.parametrize("origin", FROM_ELSEWHERE)
def test_a_page_elsewhere_changes_nothing(origin: str, server: Server, clients: Mapping[str, Client]) -> None:
    """Whatever it posts, with any method and media type that a browser sends without asking."""
    before = ask(server, "GET", "/_mock/worlds").json, ask(server, "GET", "/_mock/worlds/default/state").body

    for what, (path, kind, body) in posts(clients).items():
        reply = ask(server, "POST", path, f"Content-Type: {kind}", *FROM_ELSEWHERE[origin], body=body)
        assert_problem(reply, 403, what)
    for method, path in (("DELETE", "/_mock/worlds/default/exchanges"), ("PUT", "/_mock/worlds/default/state")):
        assert_problem(ask(server, method, path, JSON, *FROM_ELSEWHERE[origin], body=b"{}"), 403, method)

    after = ask(server, "GET", "/_mock/worlds").json, ask(server, "GET", "/_mock/worlds/default/state").body
    assert [world["name"] for world in before[0]["items"]] == [world["name"] for world in after[0]["items"]]
    assert before[1] == after[1]


def test_a_page_of_the_server_itself_may(server: Server, clients: Mapping[str, Client]) -> None:
    """JSON and a certificate in a form are accepted; a form that is no JSON is not, from anywhere."""
    own = ["Origin: http://{}:{}".format(*server.address), "Sec-Fetch-Site: same-origin"]
    statuses = {
        what: ask(server, "POST", path, f"Content-Type: {kind}", *own, body=body).status
        for what, (path, kind, body) in posts(clients).items()
    }
    account = f"/_mock/worlds/default/accounts/{clients['rsa-2048'].client_id}/certificates"
    entries = ask(server, "GET", account).json["items"][1:]
    planted = ["/_mock/worlds/planted", *(f"{account}/{entry['fingerprint']}" for entry in entries)]
    removed = [ask(server, "DELETE", path, *own).status for path in planted]

    assert statuses == {
        "a form": 415,
        "JSON as a form": 415,
        "JSON as text": 415,
        "JSON": 201,
        "a certificate": 201,
    }
    assert removed == [204, 204]


@pytest.mark.parametrize("path", [*ROUTES, TOKEN, "/REST/careerpro-federal-learning-account/v1/x", "/health"])
def test_a_browser_that_asks_beforehand_is_told_nothing(path: str, server: Server) -> None:
    """No answer to OPTIONS lets another origin in, nor this one."""
    for origin in ("http://attacker.example", "http://{}:{}".format(*server.address)):
        asked = ["Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization"]
        # `ask` looks for headers that would.
        reply = ask(server, "OPTIONS", path, f"Origin: {origin}", *asked)
        assert reply.status >= 400


@pytest.mark.parametrize("path", ["/_mock", "/_mock/docs", "/_mock/worlds/default/state", "/_mock/worlds/nowhere"])
def test_a_head_request_is_answered_as_a_get_without_its_body(path: str, server: Server) -> None:
    """Links are checked like that."""
    head, whole = ask(server, "HEAD", path), ask(server, "GET", path)

    assert (head.status, head.body) == (whole.status, b"")
    assert head.headers.keys() == whole.headers.keys()
    assert head.headers["content-length"] == str(len(whole.body))


# Limits


@pytest.mark.parametrize("path", ["/_mock/worlds/default/faults", "/_mock/nothing"])
def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(path: str, server: Server) -> None:
    """The client has sent no byte of it."""
    with server.connect() as connection:
        connection.sendall(request_bytes("POST", path, [JSON, "Content-Length: 1048577", "Expect: 100-continue"]))

        assert_problem(read_reply(connection), 413)


def test_a_body_without_end_is_refused_while_it_comes(server: Server) -> None:
    """The answer is there before all is read, which it never would be."""
    part = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent = 0
    with server.connect() as connection:
        connection.sendall(request_bytes("POST", "/_mock/worlds/default/faults", [JSON, "Transfer-Encoding: chunked"]))
        while not select.select([connection], [], [], 0)[0]:
            select.select([connection], [connection], [], TIMEOUT)
            sent += connection.send(part[sent % len(part) :])
            assert sent < 200_000_000

        assert_problem(read_reply(connection), 413)


def test_a_target_without_end_is_refused(server: Server) -> None:
    """In the path, or in the query."""
    for target in ("/_mock/" + "a" * 9_000, "/_mock/worlds?after=" + "a" * 9_000):
        assert_problem(ask(server, "GET", target), 414, target[:20])


DEEP = {
    "brackets": b"[" * 100_000,
    "braces": b'{"do":' * 100_000,
    "closed brackets": b"[" * 50_000 + b"]" * 50_000,
    "members": json.dumps({f"member {number}": number for number in range(10_000)}).encode(),
    "a huge number": b'{"do":' + b"9" * 100_000 + b"}",
    "a huge exponent": b'{"times":1e999999}',
    "a name twice": b'{"times":1,"times":2}',
    "no number": b'{"times":NaN}',
    "no UTF-8": b'{"operation":"\xff"}',
    "half a pair": b'{"operation":"\\ud800"}',
    "UTF-16": '{"times":1}'.encode("utf-16"),
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("kind", DEEP)
def test_nonsense_in_json_is_refused(kind: str, server: Server) -> None:
    """Briefly, whatever its depth and length."""
    for method, path in (("POST", "/faults"), ("PUT", "/state"), ("PATCH", "/clock"), ("PATCH", "/settings")):
        reply = ask(server, method, f"/_mock/worlds/default{path}", JSON, body=DEEP[kind])

        assert_problem(reply, 400, path)
        assert len(reply.body) < 100_000
        assert len(reply.json.get("issues", [])) <= 100


ODD = (
    "%00",
    "%FF",
    "%ED%A0%80",
    "%F0%9F%92%A5",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%",
    "%zz",
    "..",
    "a" * 3_000,
    "9" * 30,
    "-1",
    "0",
    "1e3",
    "%31",
    "1.5",
    "%27%3B%20DROP%20TABLE%20worlds%3B--",
    "{world}",
    "default",
    "*",
    "+",
    "null",
    "%20",
    "1999000150",
    "employer",
)
BODIES: Sequence[bytes] = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"1",
    b"{",
    b'{"name":null}',
    b'{"name":{}}',
    b'{"name":"\\u0000"}',
    b'{"do":{"status":"x"}}',
    b'{"by":1}',
    b'{"end":"2026Q5"}',
    b'{"state":{"accounts":[[]]}}',
    b'{"certificates":[{"der":"x","name":"y"}]}',
    b'{"activation_delay":1e400}',
    b'{"advance":-1}',
    b'{"now":"yesterday"}',
)
KINDS = (
    "application/json",
    "application/json; charset=latin-1",
    "text/plain",
    FORM_HEADERS["content-type"],
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/pkix-cert",
    "",
)


class Fuzz:
    """Sends odd requests to every operation that the OpenAPI document describes."""

    def __init__(self, server: Server) -> None:
        self.connection = HTTPConnection(*server.address, timeout=TIMEOUT)
        self.document = self._send("GET", "/_mock/openapi.json")[1]
        self.asked = 0
        self.faults: list[str] = []

    def operations(self) -> Iterator[tuple[str, str, Any]]:
        """Yield method, path and description."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def _send(self, method: str, target: str, body: bytes | None = None, kind: str | None = None) -> tuple[Any, Any]:
        headers = {} if kind is None else {"Content-Type": kind}
        self.connection.request(method, target, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        is_json = "json" in (response.headers["Content-Type"] or "")
        return response, json.loads(data) if data and is_json else data

    def judge(
        self, method: str, target: str, operation: Any, body: bytes | None = None, kind: str | None = None
    ) -> None:
        """Send one request; what is answered is described, and a refusal is a problem."""
        response, value = self._send(method, target, body, kind)
        status = response.status
        # An odd value may make it another path or method, which have no description.
        is_described = str(status) in operation["responses"] or status in {404, 405}
        is_well_told = status < 400 or (
            response.headers["Content-Type"] == "application/problem+json"
            and PROBLEM <= set(value) <= PROBLEM | {"href", "issues", "limit"}
            and "Traceback" not in str(value)
        )
        self.asked += 1
        if not (is_described and is_well_told):
            what = f"{operation['operationId']}: {method} {target[:100]} {(body or b'')[:60]!r} {kind}"
            self.faults.append(f"{what} was answered {status} {str(value)[:300]}")


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server of its own, that may come to anything but harm."""
    with watched(tmp_path_factory) as running:
        yield running


@pytest.fixture
def fuzz(victim: Server) -> Iterator[Fuzz]:
    """Connect to it."""
    made = Fuzz(victim)
    yield made
    made.connection.close()


def filled(path: str, **values: str) -> str:
    """Return a path with values for its parameters, usual ones where nothing is said; no wait is asked for."""
    usual = {
        "world": "default",
        "number": "1",
        "capacity": "employer",
        "client_id": "nobody",
        "ssin": "65111899997",
        "service": "fla",
        "fingerprint": "00",
        "id": "1",
        "mandate": "1",
    }
    for name in parameters(path):
        path = path.replace(f"{{{name}}}", (usual | values)[name])
    return path


def parameters(path: str) -> list[str]:
    """Return the names of the parameters of a path."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def no_wait(path: str) -> str:
    """Return the beginning of a query, in which nothing is waited for."""
    return "?timeout=0" if path.endswith("/next") else ""


def test_odd_values_in_paths_are_refused_in_words(fuzz: Fuzz) -> None:
    """Each operation, each parameter, each value: a described success or a problem, never 422 or 500."""
    for method, path, operation in fuzz.operations():
        for name, value in itertools.product(parameters(path), ODD):
            target = filled(path, **{name: value}) + no_wait(path)
            body = b"{}" if "requestBody" in operation else None
            fuzz.judge(method, target, operation, body, None if body is None else "application/json")

    assert fuzz.faults == []
    assert fuzz.asked > 500


def test_odd_values_in_queries_are_refused_in_words(fuzz: Fuzz) -> None:
    """Each operation, each parameter of its query and one that it does not have, each value."""
    for method, path, operation in fuzz.operations():
        names = [entry["name"] for entry in operation.get("parameters", []) if entry["in"] == "query"]
        for name, value in itertools.product([*(set(names) - {"timeout"}), "unknown"], ODD):
            start = no_wait(path) or "?"
            if method == "GET":
                fuzz.judge(method, f"{filled(path)}{start}&{name}={value}&{name}={value}", operation)
            fuzz.judge(method, f"{filled(path)}{start}&{name}={value}", operation)

    assert fuzz.faults == []


def test_odd_bodies_are_refused_in_words(fuzz: Fuzz) -> None:
    """Each operation with a body, each body, each media type; and a body where none is expected."""
    for method, path, operation in fuzz.operations():
        if "requestBody" in operation:
            for body, kind in itertools.product(BODIES, KINDS):
                fuzz.judge(method, filled(path), operation, body, kind)
        else:
            fuzz.judge(method, filled(path) + no_wait(path), operation, b'{"x":', "application/json")

    assert fuzz.faults == []


def test_a_method_that_a_path_does_not_have_is_refused_in_words(fuzz: Fuzz) -> None:
    """405 with those that it has, 404 where nothing is."""
    for path, item in fuzz.document["paths"].items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP"):
            if method.lower() in item:
                continue
            response, value = fuzz._send(method, filled(path))
            assert response.status == 405, (method, path)
            assert set(value) == PROBLEM, (method, path)
            allowed = set(response.headers["Allow"].split(", "))
            assert {name.upper() for name in item} <= allowed, (method, path)
