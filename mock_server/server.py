"""Running the application on a socket, and holding its connections to limits.

The socket is bound first, so that its URL is known before anything is told about it. Who connects and then says
nothing, never finishes a head or never reads is let go, and cannot keep others out.
"""

import asyncio
import contextlib
import logging
import math
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from mock_server.asgi import CONNECTION, Receive, Scope, Send
from mock_server.tls import ServerIdentity

_STOP_SECONDS = 1
_BACKLOG = 512
_TICKS = 10  # of uvicorn, in a second
_TLS_HANDSHAKE = 0x16  # RFC 8446 §5.1: the first byte of a client that begins TLS, and of no HTTP request
_DESCRIPTORS = 4096
_ACCEPTED = 16  # in one turn of the event loop; it takes some turns until one too many is gone again
_RESERVE = 8 * _ACCEPTED + 64  # these, and what is open besides connections
_FEWEST = 16
_logger = logging.getLogger("fla_mock")


class AddressError(OSError):
    """An address that cannot be listened on; says what to do."""


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes a free one. Raises `AddressError`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # The protocol is named: for a socket of protocol 0 asyncio does not set TCP_NODELAY, and answers wait 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        msg = f"{host} is no address of this machine ({error.strerror}): name another with --host."
        raise AddressError(msg) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        msg = f"cannot listen on {host}, port {port}: {error.strerror}. Name another with --port (0 for a free one)."
        raise AddressError(msg) from None
    return listener


def base_url(listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a bound socket; an address that stands for all of them is called localhost."""
    host, port = listener.getsockname()[:2]
    return _url(scheme, "localhost" if host in {"0.0.0.0", "::"} else host, port)


def _url(scheme: str, host: str, port: int | None) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class Connection:
    """A client's connection, for an application that wants to break it off."""

    __slots__ = ("_lost", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._lost = asyncio.Event()

    async def close(self) -> None:
        """Close it when all that was sent has left, and return when it is gone; after that the application returns.

        The body of the request is to be read before: a socket closed with something unread in it is reset, and then
        the client may not see all that was sent. A client that does not read is given up as always (see `Server`).
        """
        # asyncio takes the second closing of a TLS connection for the end of its shutdown.
        if not self._transport.is_closing():
            self._transport.close()
        await self._lost.wait()

    def note_lost(self) -> None:
        """Take note that it is gone."""
        self._lost.set()


class _State(ServerState):
    """What the connections of a server share."""

    def __init__(self, header_timeout: float, send_timeout: float, max_connections: int) -> None:
        super().__init__()
        self.header_timeout = header_timeout
        self.send_timeout = send_timeout
        self.max_connections = max_connections
        self._told: dict[str, float] = {}

    def tell(self, message: str, detail: object) -> None:
        """Log a message, once a second at most: who floods the server is not to flood its console."""
        now = time.monotonic()
        if now - self._told.get(message, -math.inf) >= 1:
            self._told[message] = now
            _logger.info(message, detail)


class _Http(H11Protocol):
    """uvicorn's connection, that its application can close and that does not wait for ever."""

    server_state: _State

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Begin to wait for a request; one connection too many ends another."""
        super().connection_made(transport)
        self.waiting_since = self._unsent_since = self.loop.time()
        self._unsent = 0
        self._is_new = True
        self.is_given_up = False
        self._connection = Connection(transport)
        self.app = self._call
        if len(self.connections) > self.server_state.max_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell an application that closes the connection."""
        super().connection_lost(exc)
        self._connection.note_lost()
        # Without this the connection would be in a circle, and stay in memory until the next collection.
        self.app = self.config.loaded_app

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is of no use."""
        if self.transport.is_closing():
            # Over TLS asyncio hands on what came before the end.
            return
        if self._is_new:
            self._is_new = False
            if data[0] == _TLS_HANDSHAKE and self.scheme == "http":
                host, port = self.server or ("localhost", None)
                message = "a client spoke https to this http port: use %s, or start with --tls"
                self.server_state.tell(message, _url("http", host, port))
                self.transport.close()
                return
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self.waiting_since = self.loop.time()
        super().on_response_complete()

    @property
    def is_waiting(self) -> bool:
        """Whether a request is waited for: there was none yet, or the last one is answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def look_after(self, now: float) -> None:
        """End what has waited too long; `now` is the time of the event loop."""
        is_closing = self.transport.is_closing()
        if is_closing and self.scheme == "https":
            return  # asyncio's time for the end of TLS, which is as long, runs
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since > self.server_state.send_timeout:
            self.transport.abort()
            return
        if not is_closing and self.is_waiting and now - self.waiting_since > self.server_state.header_timeout:
            self.transport.close()

    def time_to_go(self) -> tuple[bool, float]:
        """Return what is lowest for the connection that is missed least: who still receives an answer comes last."""
        return self._unsent > 0, self.waiting_since

    def _call(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        scope["extensions"] = {CONNECTION: self._connection}
        return cast("Awaitable[None]", self.config.loaded_app(scope, receive, send))

    def _make_room(self) -> None:
        # Also one that is being closed, while its client lingers.
        others = (
            other
            for other in cast("set[_Http]", self.connections)
            if other.is_waiting and not other.is_given_up and other is not self
        )
        victim = min(others, key=_Http.time_to_go, default=None)
        if victim is None:
            message = "more than %s connections are open, and all have a request: new ones are refused"
            victim = self
        else:
            message = "more than %s connections are open: those that wait longest for a request are closed"
        victim.is_given_up = True
        if victim is self:
            # In the next turn of the loop: asyncio does not expect the end of a connection while it begins.
            self.loop.call_soon(self.transport.abort)
        else:
            victim.transport.abort()
        self.server_state.tell(message, self.server_state.max_connections)


class Server(uvicorn.Server):
    """uvicorn, told to say when it answers, to bound its connections, and to end with status 0 when asked to stop.

    With `tls` it speaks https. A connection that sends no whole head within `header_timeout` seconds, from its
    beginning or from its last answer on, is closed, one whose client takes nothing of an answer for `send_timeout`
    seconds is cut; both are looked at once a second. Of more than `max_connections`, or what the limit on open files
    leaves, the one that has waited longest for a request is closed; when none waits, the new one is.
    """

    def __init__(  # noqa: PLR0913 - the limits have names
        self,
        application: Callable[[Scope, Receive, Send], Awaitable[None]],
        on_started: Callable[[], None],
        tls: ServerIdentity | None = None,
        *,
        header_timeout: float = 10.0,
        send_timeout: float = 60.0,
        max_connections: int = 1000,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                # httptools loses the body of requests that carry an h2c upgrade header, as Java's own client's do.
                http=_Http,
                loop="asyncio",
                ws="none",
                lifespan="off",
                # uvicorn's access log would write tokens that clients put in URLs.
                access_log=False,
                log_config=None,
                # Behind a proxy --public-url says what is true; headers that anybody can send do not.
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=_STOP_SECONDS,
                ssl_certfile=None if tls is None else tls.certificate_file,
                ssl_keyfile=None if tls is None else tls.key_file,
            )
        )
        self._on_started = on_started
        self.server_state: _State = _State(header_timeout, send_timeout, max_connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on bound sockets, then tell. uvicorn's own version sets no limits to TLS."""
        config, state = self.config, self.server_state
        state.max_connections = connection_limit(state.max_connections, _descriptors())
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                lambda: _Http(config, state, self.lifespan.state),
                sock=bound,
                backlog=_ACCEPTED,
                ssl=config.ssl,
                ssl_handshake_timeout=state.header_timeout if config.ssl else None,
                ssl_shutdown_timeout=state.send_timeout if config.ssl else None,
            )
            for bound in sockets or []
        ]
        for bound in sockets or []:
            # asyncio has one number for how many may queue and how many it accepts in one go.
            bound.listen(_BACKLOG)
        self.started = True
        self._on_started()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections once a second."""
        if counter % _TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(cast("set[_Http]", self.server_state.connections)):
                connection.look_after(now)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM; uvicorn's own version raises the signal once more afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals come to the main thread alone
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        original = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in original.items():
                signal.signal(number, handler)


def connection_limit(wanted: int, descriptors: int | None) -> int:
    """Return how many connections may be open, given how many files may; None is no limit."""
    return wanted if descriptors is None else min(wanted, max(_FEWEST, descriptors - _RESERVE))


def _descriptors() -> int | None:
    """Raise the limit on open files as far as is useful and allowed; return it, None where there is none."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return None if soft == resource.RLIM_INFINITY else soft
