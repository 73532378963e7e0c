"""Clients that send too much, too little or nonsense: a clear refusal at once, flat memory, and the server goes on."""

import itertools
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import FORM_HEADERS, TOKEN, Reply
from tests.system.conftest import Client
from tests.system.processes import (
    TIMEOUT,
    Server,
    assertion,
    call,
    get_token,
    read_all,
    read_reply,
    request_bytes,
    started,
    token_form,
    training,
    trainings_url,
)

GROWTH = 20_000_000
"""How many bytes the memory of the server may grow by, at its highest, under any of this."""
LARGE = 10_000_000
FORM_LIMIT = 65_536
BODY_LIMIT = 1_048_576
TARGETS = ("token", "trainings")

Flood = Callable[[], Iterator[bytes]]

every_target = pytest.mark.parametrize("target", TARGETS)


@dataclass
class Victim:
    """A server that knows one client."""

    server: Server
    client: Client

    def __post_init__(self) -> None:
        self.access_token = get_token(self.server, self.client.client_id, self.client.key)
        self.trainings = trainings_url(self.server, self.client.enterprise)
        # What is made at the first use of each part is not growth.
        assert self.put(json.dumps({"items": [training()]}).encode()).status == 200
        assert self.put(b"{}").status == 400
        assert call("POST", self.server.token_url, b"", FORM_HEADERS).status == 400

    def put(self, body: bytes) -> Reply:
        """Send trainings."""
        return call("PUT", self.trainings, body, self.headers("trainings"))

    def form(self) -> bytes:
        """Return a good token request."""
        return token_form(assertion(self.client.client_id, self.client.key, self.server.token_url))

    def headers(self, target: str) -> dict[str, str]:
        """Return the headers of a good request."""
        if target == "token":
            return dict(FORM_HEADERS)
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self.access_token}"}

    def url(self, target: str) -> tuple[str, str]:
        """Return method and URL."""
        return ("POST", self.server.token_url) if target == "token" else ("PUT", self.trainings)

    def head(self, target: str, *more: str) -> bytes:
        """Return the head of a good request, with more headers."""
        method, url = self.url(target)
        lines = [f"{name}: {value}" for name, value in self.headers(target).items()]
        return request_bytes(method, urlsplit(url).path, [*lines, *more])

    @contextmanager
    def unharmed(self, growth: int = GROWTH) -> Iterator[Server]:
        """Judge afterwards: the server answers, has said nothing of a fault of its own, and has hardly grown."""
        said = len(self.server.errors)
        memory = Path(f"/proc/{self.server.process.pid}")
        before = start_of_peak(memory)
        yield self.server
        assert self.server.is_up()
        errors = self.server.errors[said:]
        assert "Traceback" not in errors
        assert "a fault of the mock itself" not in errors
        if before is not None:
            assert kilobytes(memory, "VmHWM") * 1024 - before < growth


def start_of_peak(memory: Path) -> int | None:
    """Return the memory that a process has, in bytes, and measure its peak from now on; None where /proc is missing."""
    if not (memory / "status").exists():
        return None
    # Without the right to forget the old peak, only a growth beyond it is seen.
    with suppress(PermissionError):
        (memory / "clear_refs").write_text("5")
    return kilobytes(memory, "VmHWM") * 1024


def kilobytes(memory: Path, name: str) -> int:
    """Return a line of the status file of a process."""
    lines = (memory / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextmanager
def victim_with(clients: Mapping[str, Client], factory: pytest.TempPathFactory, *arguments: str) -> Iterator[Victim]:
    """Run a victim with more arguments."""
    client = clients["ec-p384"]
    folder = factory.mktemp("victim")
    with started(folder, "--world=empty", f"--account={client.account}", *arguments) as server:
        yield Victim(server, client)


@pytest.fixture(scope="module")
def victim(clients: Mapping[str, Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Run a server with the limits that it has when nothing is said."""
    with victim_with(clients, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(clients: Mapping[str, Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Run a server that waits for a body no longer than 0.3 seconds."""
    with victim_with(clients, tmp_path_factory, "--set=body_timeout=0.3", "--body-timeout=0.3") as made:
        yield made


@pytest.fixture(scope="module")
def generous(clients: Mapping[str, Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Run a server that takes forms and bodies of 20 MB, so that what is in them is judged."""
    with victim_with(clients, tmp_path_factory, "--set=max_form_bytes=20000000", "--max-body-bytes=20000000") as made:
        yield made


def assert_refused(target: str, reply: Reply, status: int, name: str) -> None:
    """Judge a refusal: the status, and the error in the form that this target has."""
    assert status == reply.status, reply.body[:1000]
    if target == "token":
        assert ("application/json", name) == (reply.headers["content-type"], reply.json["error"])
    else:
        assert reply.headers["content-type"] == "application/problem+json"
        assert (status, name) == (reply.json["status"], reply.json["type"].rpartition(":")[2])


def assert_too_large(target: str, reply: Reply) -> None:
    """Judge the refusal of a body that is too large."""
    assert_refused(target, reply, 413, "invalid_request" if target == "token" else "payloadTooLarge")
    assert target == "token" or reply.json["limit"] == BODY_LIMIT


# Too much


@every_target
@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_large_body_is_refused(target: str, is_chunked: bool, victim: Victim) -> None:  # noqa: FBT001 - a parameter
    """A client that sends all of 10 MB before it looks for an answer finds the whole refusal."""
    method, url = victim.url(target)
    with victim.unharmed() as server:
        for _ in range(5):
            connection = HTTPConnection(*server.address, timeout=TIMEOUT)
            body = iter([b"x" * 100_000] * (LARGE // 100_000)) if is_chunked else b"x" * LARGE
            connection.request(method, urlsplit(url).path, body, victim.headers(target), encode_chunked=is_chunked)
            response = connection.getresponse()
            headers = {name.lower(): text for name, text in response.getheaders()}
            reply = Reply(response.status, headers, response.read())
            connection.close()

            assert_too_large(target, reply)
            assert reply.headers["connection"] == "close"


@every_target
def test_a_large_body_is_refused_before_it_is_sent(target: str, victim: Victim) -> None:
    """A client that asks first (Expect: 100-continue) is refused at once, and told not to go on."""
    with victim.unharmed() as server, server.connect() as connection:
        connection.sendall(victim.head(target, "Expect: 100-continue", f"Content-Length: {LARGE}"))

        assert_too_large(target, read_reply(connection))


@every_target
def test_a_body_that_never_ends_is_refused(target: str, victim: Victim) -> None:
    """The client sees the whole answer while it is still sending, and the connection ends."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for _ in range(3):
        with victim.unharmed() as server, server.connect() as connection:
            connection.sendall(victim.head(target, "Transfer-Encoding: chunked"))
            with sending(connection, itertools.repeat(chunk)) as ended:
                assert_too_large(target, read_reply(connection))
                assert not ended.is_set()
                assert ended.wait(TIMEOUT)


@every_target
def test_many_bodies_that_never_end_are_refused(target: str, victim: Victim) -> None:
    """Twenty of them at once take the memory of as many bodies within the limit, and no more."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with victim.unharmed(GROWTH + 20 * BODY_LIMIT) as server, ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(20)]
        for connection in connections:
            connection.sendall(victim.head(target, "Transfer-Encoding: chunked"))
        endings = [stack.enter_context(sending(connection, itertools.repeat(chunk))) for connection in connections]
        for connection in connections:
            assert_too_large(target, read_reply(connection))
        assert [ended.wait(TIMEOUT) for ended in endings] == [True] * 20


@contextmanager
def sending(connection: socket.socket, data: Iterator[bytes]) -> Iterator[threading.Event]:
    """Send beside what the test does; yields an event that says when nothing more could be sent."""
    ended = threading.Event()

    def send() -> None:
        with suppress(OSError):
            for part in data:
                connection.sendall(part)
        ended.set()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        thread.join(TIMEOUT)


FORMS = {
    "a long assertion": (token_form("x" * 1_000_000), "invalid_client"),
    "many fields": (b"&".join(b"field-%d=x" % number for number in range(10_000)), "invalid_request"),
    "separators": (b"&" * 1_000_000, "invalid_request"),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_large_form_is_refused(kind: str, victim: Victim, generous: Victim) -> None:
    """An assertion of 1 MB, 10,000 fields or a million separators are refused, wherever the limit on the body is."""
    body, error = FORMS[kind]
    with victim.unharmed() as server:
        assert_too_large("token", call("POST", server.token_url, body, FORM_HEADERS))
    with generous.unharmed() as server:
        assert_refused("token", call("POST", server.token_url, body, FORM_HEADERS), 400, error)


@pytest.mark.parametrize("unit", [b"&", b"a=b&", b"%26", b"%", b"=", b"+"])
def test_a_form_just_within_the_limit_is_refused(unit: bytes, victim: Victim) -> None:
    """As many fields, escapes or signs as fit are still a wrong request."""
    body = (unit * FORM_LIMIT)[: FORM_LIMIT // len(unit) * len(unit)]
    with victim.unharmed() as server:
        assert_refused("token", call("POST", server.token_url, body, FORM_HEADERS), 400, "invalid_request")


# Not as many as fit into a body: a server without limits on them would take the machine down with it.
BODIES = {
    "brackets": b"[" * 1_000_000,
    "braces": b'{"items":' * 100_000,
    "digits": b'{"items":[' + b"9" * 1_000_000 + b"]}",
    "exponent": b'{"items":[1e' + b"9" * 100_000 + b"]}",
    "text": b'{"items":["' + b"x" * 1_000_000 + b'"]}',
    "members": json.dumps({f"member {number}": number for number in range(45_000)}).encode(),
    "numbers": b'{"items":[' + b",".join([b"0"] * 50_000) + b"]}",
    "empty items": b'{"items":[' + b",".join([b"{}"] * 20_000) + b"]}",
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_nonsensical_body_within_the_limit_is_refused(kind: str, victim: Victim) -> None:
    """Nesting, numbers, text and members without end are wrong input, and the answer is no longer than a body."""
    assert len(BODIES[kind]) <= BODY_LIMIT
    with victim.unharmed():
        reply = victim.put(BODIES[kind])

    assert_refused("trainings", reply, 400, "badRequest")
    assert len(reply.body) < BODY_LIMIT


# Bytes that are no text


@every_target
@pytest.mark.parametrize("data", [b"\xff\xfe\xfd", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\x00\xff" * 1000])
def test_bytes_that_are_not_utf_8_are_refused(target: str, data: bytes, victim: Victim) -> None:
    """They are wrong input, in a form and in JSON."""
    body = b"grant_type=" + data if target == "token" else b'{"items":"' + data + b'"}'
    method, url = victim.url(target)
    with victim.unharmed():
        reply = call(method, url, body, victim.headers(target))

    assert_refused(target, reply, 400, "invalid_request" if target == "token" else "badRequest")


@pytest.mark.parametrize("escaped", ["%FF", "%ED%A0%80", "%00%FF", "%C3"])
def test_escaped_bytes_that_are_not_utf_8_are_refused(escaped: str, victim: Victim) -> None:
    """An escape in a form or in a path hides them from nobody; no path of a contract has any."""
    with victim.unharmed() as server:
        form = call("POST", server.token_url, f"grant_type={escaped}".encode(), FORM_HEADERS)
        path = call("GET", f"{victim.trainings[:-4]}{escaped}", headers=victim.headers("trainings"))
        number = call("GET", victim.trainings.replace("65111899997", escaped), headers=victim.headers("trainings"))

    assert_refused("token", form, 400, "invalid_request")
    assert_refused("trainings", path, 404, "resourceNotFound")
    assert_refused("trainings", number, 404, "resourceNotFound")


RANDOM = random.Random(20_230_306)
GARBAGE = {
    "nothing": b"",
    "a line": b"hello\r\n",
    "an empty line": b"\r\n\r\n",
    "zeros": bytes(10_000),
    "noise": RANDOM.randbytes(10_000),
    "noise of text": bytes(RANDOM.choices(range(32, 127), k=10_000)),
    "TLS": bytes.fromhex("16030100c8010000c40303") + RANDOM.randbytes(200),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "HTTP/9": b"GET /health HTTP/9.9\r\nHost: a\r\n\r\n",
    "no version": b"GET /health\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a control character": b"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\x1b[31m\r\n\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes in a header": b"GET /health HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    "a negative length": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a length of words": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    "an endless length": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "two lengths": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a bad chunk": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a bad chunk of a form": b"POST /REST/oauth/v5/token HTTP/1.1\r\nHost: a\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a whole address": b"GET http://other.example/health HTTP/1.1\r\nHost: other.example\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n",
    "a web socket": b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_no_request(kind: str, victim: Victim) -> None:
    """What is not HTTP, or odd HTTP, is answered or not, and the connection ends when its client ends it."""
    with victim.unharmed() as server, server.connect() as connection:
        connection.sendall(GARBAGE[kind])
        connection.shutdown(socket.SHUT_WR)
        answer = end_of(connection)

    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in answer.partition(b"\r\n")[0]


def end_of(connection: socket.socket) -> bytes:
    """Return what still comes until the connection ends, which an abrupt end may cut short."""
    try:
        return read_all(connection)
    except ConnectionError:
        return b""


def endless_headers() -> Iterator[bytes]:
    """Yield a request that has headers without end."""
    yield b"GET /health HTTP/1.1\r\nHost: a\r\n"
    for number in itertools.count():
        yield b"X-%d: " % number + b"x" * 1000 + b"\r\n"


def endless_line() -> Iterator[bytes]:
    """Yield a request line without end."""
    yield b"GET /"
    yield from itertools.repeat(b"x" * 1000)


def endless_trailers() -> Iterator[bytes]:
    """Yield a chunked body that ends, and trailers that do not."""
    yield f"POST {TOKEN} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM_HEADERS['content-type']}\r\n".encode()
    yield b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    for number in itertools.count():
        yield b"X-%d: " % number + b"x" * 1000 + b"\r\n"


@pytest.mark.parametrize("flood", [endless_headers, endless_line, endless_trailers])
def test_a_flood_of_headers_is_stopped(flood: Flood, victim: Victim) -> None:
    """The server ends the connection while the client is still sending."""
    with victim.unharmed() as server, server.connect() as connection, sending(connection, flood()) as ended:
        assert ended.wait(TIMEOUT)


def test_many_headers_are_no_harm(victim: Victim) -> None:
    """A thousand small headers are odd, and still a request."""
    lines = [f"X-{number}: x" for number in range(1000)]
    with victim.unharmed() as server, server.connect() as connection:
        connection.sendall(request_bytes("GET", "/health", lines))

        assert read_reply(connection).status == 200


# Too little


@every_target
@pytest.mark.parametrize("start", [b"", b"x" * 10], ids=["nothing", "a part"])
@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_stalls_is_refused(target: str, start: bytes, framing: str, hasty: Victim) -> None:
    """When the rest of a body does not come in time the answer is 408, and the connection ends."""
    if framing.endswith("chunked"):
        start = start and b"%x\r\n" % len(start) + start + b"\r\n"
    with hasty.unharmed() as server, server.connect() as connection:
        connection.sendall(hasty.head(target, framing) + start)
        reply = read_reply(connection)
        assert end_of(connection) == b""

    assert_refused(target, reply, 408, "invalid_request" if target == "token" else "blank")
    assert reply.headers["connection"] == "close"


@every_target
@pytest.mark.parametrize("half", ["of a head", "of a body"])
def test_many_halves_of_requests_are_no_harm(target: str, half: str, victim: Victim) -> None:
    """While 200 connections wait with half a request, another is answered; and when they are given up, too."""
    data = victim.head(target, "Content-Length: 1000") + b"x" * 500
    if half == "of a head":
        data = data[:60]
    with victim.unharmed() as server, ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(server.connect()).sendall(data)
        assert server.is_up()
        assert call("POST", server.token_url, victim.form(), FORM_HEADERS).status == 200


def test_answers_that_nobody_reads_do_not_pile_up(victim: Victim) -> None:
    """A client that asks without end and reads nothing is not read either."""
    requests = request_bytes("GET", TOKEN, []) * 1000
    with victim.unharmed() as server, server.connect() as connection:
        connection.settimeout(1)
        # The server stops reading long before 100 MB, and then sending waits in vain.
        with pytest.raises(TimeoutError):
            send_all(connection, requests, 100_000_000)
        assert server.is_up()


def send_all(connection: socket.socket, data: bytes, size: int) -> None:
    """Send the same again and again, until it is so many bytes."""
    sent = 0
    while sent < size:
        connection.sendall(data)
        sent += len(data)


# At the same time


def test_one_assertion_posted_64_times_at_once_gives_one_token(victim: Victim) -> None:
    """Whoever is first gets it; the other 63 are refused as invalid_client."""
    body = victim.form()
    whole = victim.head("token", f"Content-Length: {len(body)}") + body
    with victim.unharmed() as server, ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(64)]
        for connection in connections:
            connection.sendall(whole[:-1])
        # All are one byte from complete, so that they arrive together.
        for connection in connections:
            connection.sendall(whole[-1:])
        replies = [read_reply(connection) for connection in connections]

    outcomes: Sequence[tuple[int, str | None]] = sorted((reply.status, reply.json.get("error")) for reply in replies)
    assert outcomes == [(200, None)] + [(400, "invalid_client")] * 63
