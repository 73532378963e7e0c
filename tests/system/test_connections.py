"""Connections on real sockets: how an application breaks one off, and how long a client may keep one.

The applications are small ones of these tests, served in a thread. That a connection is closed is seen by reading to
its end; that another is not, by letting it outlive one that is.
"""

import asyncio
import http.client
import logging
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mock_server.asgi import CONNECTION, Receive, Scope, Send
from mock_server.server import Server, base_url, bind, connection_limit
from mock_server.tls import DEFAULT_NAMES, ServerIdentity, server_identity
from tests.system.processes import TIMEOUT, environment, read_all, read_reply, request_bytes

HEADER_TIMEOUT = 0.3
SEND_TIMEOUT = 0.3
MEGABYTE = 1_000_000
GET = request_bytes("GET", "/", [])
HALF = GET[:20]
OK: list[tuple[bytes, bytes]] = [(b"content-length", b"2")]
HTTPS_HINT = "a client spoke https to this http port: use http://127.0.0.1:{}, or start with --tls"

App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass
class Serving:
    """A server in a thread of this process."""

    address: tuple[str, int]
    tls: ServerIdentity | None
    open: list[socket.socket] = field(default_factory=list)

    def connect(self) -> socket.socket:
        """Return a connection whose every wait ends."""
        connection = socket.create_connection(self.address, TIMEOUT)
        self.open.append(connection)
        if self.tls is None:
            return connection
        context = ssl.create_default_context(cafile=self.tls.ca_file)
        secure = context.wrap_socket(connection, server_hostname="localhost")
        self.open.append(secure)
        return secure

    def ask(self, request: bytes = GET) -> socket.socket:
        """Return a connection on which a request was sent."""
        connection = self.connect()
        connection.sendall(request)
        return connection


@contextmanager
def serving(app: App, tls: ServerIdentity | None = None, **limits: Any) -> Iterator[Serving]:
    """Serve an application while the context lasts."""
    started = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        server = Server(app, started.set, tls, **limits)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        running = Serving(listener.getsockname()[:2], tls)
        thread.start()
        try:
            assert started.wait(TIMEOUT)
            yield running
        finally:
            for connection in running.open:
                connection.close()
            server.should_exit = True
            thread.join(TIMEOUT)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ServerIdentity:
    """Make a certificate for this machine."""
    return server_identity(tmp_path_factory.mktemp("tls"), DEFAULT_NAMES, time.time())


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest, identity: ServerIdentity) -> ServerIdentity | None:
    """Give each test plain connections and TLS."""
    return identity if request.param == "https" else None


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Catch everything that is logged, whatever other tests of this process have set."""
    for name in ("fla_mock", "uvicorn.error", "asyncio"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.DEBUG, name)
    return caplog


def complaints(said: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as a warning or worse."""
    return [record.getMessage() for record in said.records if record.levelno >= logging.WARNING]


async def read_whole(receive: Receive) -> bytes:
    """Return the body of a request."""
    parts = []
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)


async def answer(send: Send, body: bytes = b"OK") -> None:
    """Send a whole answer."""
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


async def greet(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request and answer."""
    await read_whole(receive)
    await answer(send)


def end_of(connection: socket.socket) -> bytes:
    """Return what still comes until the connection ends, orderly or not."""
    data = b""
    with suppress(ConnectionError, ssl.SSLError):
        while part := connection.recv(65536):
            data += part
    return data


# Broken off by the application


@dataclass
class Breaker:
    """An application that sends a part of an answer, closes the connection, and returns."""

    sent: bytes | None
    """What is sent of the body; None when not even the head is."""
    length: int = 10
    returned: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await read_whole(receive)
        if self.sent is not None:
            headers = [(b"content-length", str(self.length).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if self.sent:
                await send({"type": "http.response.body", "body": self.sent, "more_body": True})
        await scope["extensions"][CONNECTION].close()
        self.returned.set()


@pytest.mark.parametrize(
    ("sent", "came"),
    [(None, None), (b"", b""), (b"half ", b"half ")],
    ids=["before the answer", "after its head", "in its body"],
)
def test_an_application_breaks_a_connection_off(
    sent: bytes | None, came: bytes | None, tls: ServerIdentity | None, said: pytest.LogCaptureFixture
) -> None:
    """The client gets what was sent and then the end, and the server has nothing to say of it."""
    app = Breaker(sent)
    with serving(app, tls) as server:
        with server.ask() as connection:
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert app.returned.wait(TIMEOUT)

    assert body == (came or b"")
    assert head.startswith(b"HTTP/1.1 200 ") if came is not None else head == b""
    assert (b"content-length: 10" in head) == (came is not None)
    assert complaints(said) == []


def test_a_client_sees_that_an_answer_is_not_whole(tls: ServerIdentity | None) -> None:
    """An HTTP library tells the end before the declared length from a whole answer."""
    with serving(Breaker(b"half "), tls) as server:
        response = http.client.HTTPResponse(server.ask())
        response.begin()
        with pytest.raises(http.client.IncompleteRead) as caught, response:
            response.read()

    assert caught.value.partial == b"half "


def test_all_that_was_sent_arrives_before_a_connection_is_broken_off(
    tls: ServerIdentity | None, said: pytest.LogCaptureFixture
) -> None:
    """More than any buffer of the system holds comes whole, to a client that begins to read late."""
    app = Breaker(b"x" * 20 * MEGABYTE, length=20 * MEGABYTE + 1)
    with serving(app, tls) as server:
        late = server.ask()
        # Another client is served while the first one's answer waits to be read.
        assert len(end_of(server.ask())) > 20 * MEGABYTE
        body = read_all(late).partition(b"\r\n\r\n")[2]

    assert len(body) == 20 * MEGABYTE
    assert complaints(said) == []


def test_a_connection_that_is_gone_can_be_closed(tls: ServerIdentity | None, said: pytest.LogCaptureFixture) -> None:
    """Closing what the client has closed already is no fault."""
    waits, returned = threading.Event(), threading.Event()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        await read_whole(receive)
        waits.set()
        assert (await receive())["type"] == "http.disconnect"
        await scope["extensions"][CONNECTION].close()
        await scope["extensions"][CONNECTION].close()
        returned.set()

    with serving(app, tls) as server:
        connection = server.ask()
        assert waits.wait(TIMEOUT)
        connection.close()
        assert returned.wait(TIMEOUT)

    assert complaints(said) == []


def test_other_connections_live_on(tls: ServerIdentity | None) -> None:
    """Breaking one off leaves the others as they are."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_whole(receive)
        if scope["path"] == "/break":
            await scope["extensions"][CONNECTION].close()
        else:
            await answer(send)

    with serving(app, tls) as server:
        other = server.ask()
        assert read_reply(other).body == b"OK"
        assert read_all(server.ask(request_bytes("GET", "/break", []))) == b""
        other.sendall(GET)
        assert read_reply(other).body == b"OK"


# Who does not finish a head


@pytest.mark.parametrize("start", [b"", b"G", HALF, GET[:-2]], ids=["nothing", "a byte", "half", "all but the end"])
def test_a_head_that_does_not_come_is_not_waited_for(
    start: bytes, tls: ServerIdentity | None, said: pytest.LogCaptureFixture
) -> None:
    """The connection ends without an answer."""
    with serving(greet, tls, header_timeout=HEADER_TIMEOUT) as server:
        assert read_all(server.ask(start)) == b""

    assert complaints(said) == []


def test_half_a_head_after_an_answer_is_not_waited_for(tls: ServerIdentity | None) -> None:
    """The time for the next head begins with the last answer."""
    with serving(greet, tls, header_timeout=HEADER_TIMEOUT) as server:
        connection = server.ask(GET + HALF)
        assert read_reply(connection).body == b"OK"
        assert read_all(connection) == b""


def test_a_head_that_drips_is_not_waited_for() -> None:
    """A byte now and then buys no time."""
    with serving(greet, header_timeout=HEADER_TIMEOUT) as server:
        connection = server.connect()
        connection.settimeout(0.05)
        drip = request_bytes("GET", "/", ["X: " + "x" * 100_000])
        # Each byte waits for an answer that does not come, as long as the connection lasts.
        ended = next((sent for sent in range(len(drip)) if has_ended(connection, drip[sent : sent + 1])), None)

    assert ended is not None


def has_ended(connection: socket.socket, data: bytes) -> bool:
    """Send, wait a moment, and tell whether the other side has closed."""
    try:
        connection.sendall(data)
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_client_that_never_begins_tls_is_not_waited_for(identity: ServerIdentity) -> None:
    """The handshake is a part of the time."""
    with serving(greet, identity, header_timeout=HEADER_TIMEOUT) as server:
        connection = socket.create_connection(server.address, TIMEOUT)
        server.open.append(connection)
        assert read_all(connection) == b""


def outlive(server: Serving) -> None:
    """Return when a connection that began now has been closed for its age, and older ones have been looked at too."""
    assert read_all(server.ask(HALF)) == b""


def test_a_long_answer_is_not_cut(tls: ServerIdentity | None) -> None:
    """The time for a head is none for the answer, whether it has begun or not."""
    waits, go = threading.Event(), threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_whole(receive)
        if scope["path"] == "/begun":
            await send({"type": "http.response.start", "status": 200, "headers": OK})
            await send({"type": "http.response.body", "body": b"O", "more_body": True})
            waits.set()
            await asyncio.to_thread(go.wait, TIMEOUT)
            await send({"type": "http.response.body", "body": b"K"})
        else:
            await asyncio.to_thread(go.wait, TIMEOUT)
            await answer(send)

    with serving(app, tls, header_timeout=HEADER_TIMEOUT) as server:
        silent, begun = server.ask(), server.ask(request_bytes("GET", "/begun", []))
        assert waits.wait(TIMEOUT)
        outlive(server)
        go.set()

        assert [read_reply(silent).body, read_reply(begun).body] == [b"OK", b"OK"]


def test_a_slow_body_is_not_cut(tls: ServerIdentity | None) -> None:
    """The time for a head is none for the body: the application decides on that."""
    waits = threading.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        waits.set()
        await answer(send, first["body"] + await read_whole(receive))

    with serving(app, tls, header_timeout=HEADER_TIMEOUT) as server:
        slow = server.ask(request_bytes("POST", "/", ["Content-Length: 4"], b"sl"))
        assert waits.wait(TIMEOUT)
        outlive(server)
        slow.sendall(b"ow")

        assert read_reply(slow).body == b"slow"


# Who does not read


def test_a_client_that_takes_nothing_of_its_answer_is_cut(
    tls: ServerIdentity | None, said: pytest.LogCaptureFixture
) -> None:
    """It holds neither its connection nor the application for ever."""
    returned = threading.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await read_whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * MEGABYTE, "more_body": True})
        returned.set()

    with serving(app, tls, send_timeout=SEND_TIMEOUT) as server:
        connection = server.ask()
        assert returned.wait(TIMEOUT)
        assert len(end_of(connection)) < 1000 * MEGABYTE

    assert complaints(said) == []


def test_a_connection_that_cannot_be_flushed_is_cut(tls: ServerIdentity | None, said: pytest.LogCaptureFixture) -> None:
    """An application that breaks off an answer that nobody reads gets to its end."""
    app = Breaker(b"x" * 20 * MEGABYTE, length=20 * MEGABYTE + 1)
    with serving(app, tls, send_timeout=SEND_TIMEOUT) as server:
        connection = server.ask()
        assert app.returned.wait(TIMEOUT)
        assert len(end_of(connection)) < 20 * MEGABYTE

    assert complaints(said) == []


# Too many


@pytest.mark.parametrize("start", [b"", HALF], ids=["nothing", "half a head"])
def test_idle_connections_keep_nobody_out(
    start: bytes, tls: ServerIdentity | None, said: pytest.LogCaptureFixture
) -> None:
    """The oldest of them are closed, the latest stay, and each new client is answered."""
    with serving(greet, tls, max_connections=20, header_timeout=TIMEOUT) as server:
        idle = [server.ask(start) for _ in range(50)]
        for _ in range(3):
            assert read_reply(server.ask()).body == b"OK"
        assert [end_of(connection) for connection in idle[:30]] == [b""] * 30
        # The last one waits still: what it lacks of a request is answered.
        idle[-1].sendall(GET.removeprefix(start))
        assert read_reply(idle[-1]).body == b"OK"

    assert complaints(said) == []
    told = [record.getMessage() for record in said.records if record.name == "fla_mock"]
    assert set(told) == {"more than 20 connections are open: those that wait longest for a request are closed"}
    assert len(told) < 33


def test_an_answered_connection_makes_room_too() -> None:
    """Clients that keep their connections for later cannot keep others out either."""
    with serving(greet, max_connections=5) as server:
        connections = []
        for _ in range(10):
            connections.append(server.ask())
            assert read_reply(connections[-1]).body == b"OK"
        assert [end_of(connection) for connection in connections[:5]] == [b""] * 5
        connections[-1].sendall(GET)
        assert read_reply(connections[-1]).body == b"OK"


def test_connections_with_a_request_are_not_closed_for_others(
    tls: ServerIdentity | None, said: pytest.LogCaptureFixture
) -> None:
    """When all are at work a new one is refused, and afterwards there is room again."""
    working, go = threading.Semaphore(0), threading.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await read_whole(receive)
        working.release()
        await asyncio.to_thread(go.wait, TIMEOUT)
        await answer(send)

    with serving(app, tls, max_connections=3) as server:
        connections = [server.ask() for _ in range(3)]
        assert all(working.acquire(timeout=TIMEOUT) for _ in range(3))
        assert refused(server)
        go.set()
        assert [read_reply(connection).body for connection in connections] == [b"OK"] * 3
        assert read_reply(server.ask()).body == b"OK"

    assert complaints(said) == []
    assert "more than 3 connections are open, and all have a request: new ones are refused" in said.messages


def refused(server: Serving) -> bool:
    """Tell whether a new connection ends without an answer."""
    try:
        return end_of(server.ask()) == b""
    except (ConnectionError, ssl.SSLError):
        return True


@pytest.mark.parametrize(
    ("descriptors", "limit"),
    [(None, 1000), (4096, 1000), (1024, 832), (256, 64), (100, 16)],
)
def test_the_limit_on_open_files_bounds_the_connections(descriptors: int | None, limit: int) -> None:
    """Something is left for everything else, and some connections are always possible."""
    assert connection_limit(1000, descriptors) == limit


LIMITED = """
import asyncio, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 512))
from mock_server.server import Server, bind

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"OK"})

with bind("127.0.0.1", 0) as listener:
    server = Server(app, lambda: print(listener.getsockname()[1], flush=True), header_timeout=600.0)
    asyncio.run(server.serve([listener]))
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is that of POSIX")
def test_a_low_limit_on_open_files_is_raised_and_never_reached(tmp_path: Path) -> None:
    """More idle connections than the system lets a process have open keep nobody out."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIMITED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        address = "127.0.0.1", int(process.stdout.readline())
        with ExitStack() as stack:
            for _ in range(600):
                stack.enter_context(socket.create_connection(address, TIMEOUT))
            connection = stack.enter_context(socket.create_connection(address, TIMEOUT))
            connection.sendall(GET)
            assert read_reply(connection).body == b"OK"
    finally:
        process.terminate()
        output, errors = process.communicate(timeout=TIMEOUT)
    assert (output, errors, process.returncode) == ("512 512\n", "", 0)


# The wrong protocol


def test_https_to_an_http_port_is_told(said: pytest.LogCaptureFixture) -> None:
    """The client's connection ends, the console says what to do, and says it once for many."""
    context = ssl.create_default_context()
    with serving(greet) as server:
        for _ in range(20):
            connection = socket.create_connection(server.address, TIMEOUT)
            with connection, pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(connection, server_hostname="localhost")
        assert read_reply(server.ask()).body == b"OK"

    told = [record.getMessage() for record in said.records if record.name == "fla_mock"]
    assert set(told) == {HTTPS_HINT.format(server.address[1])}
    assert len(told) < 20
    assert complaints(said) == []


def test_http_to_an_https_port_ends(identity: ServerIdentity, said: pytest.LogCaptureFixture) -> None:
    """The client is not left waiting, and the server goes on."""
    with serving(greet, identity) as server:
        connection = socket.create_connection(server.address, TIMEOUT)
        server.open.append(connection)
        connection.sendall(GET)
        assert not end_of(connection).startswith(b"HTTP/")
        assert read_reply(server.ask()).body == b"OK"

    assert complaints(said) == []


def test_the_application_is_told_the_scheme(tls: ServerIdentity | None) -> None:
    """What is called over TLS has an https URL."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_whole(receive)
        await answer(send, scope["scheme"].encode())

    with serving(app, tls) as server:
        assert read_reply(server.ask()).body == (b"http" if tls is None else b"https")


@pytest.mark.parametrize(
    ("host", "scheme", "url"),
    [("127.0.0.1", "https", "https://127.0.0.1:{}"), ("0.0.0.0", "https", "https://localhost:{}")],
)
def test_the_base_url_has_the_scheme(host: str, scheme: str, url: str) -> None:
    """Whoever is told a URL is told how to speak."""
    with bind(host, 0) as listener:
        assert base_url(listener, scheme) == url.format(listener.getsockname()[1])
