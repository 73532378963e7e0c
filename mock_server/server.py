"""Running the application on a socket: bound first, so that its URL is known before anything is told about it."""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from mock_server.edge import Application

_STOP_SECONDS = 1
_BACKLOG = 128


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


def base_url(listener: socket.socket) -> str:
    """Return the URL of a bound socket; an address that stands for all of them is called localhost."""
    host, port = listener.getsockname()[:2]
    name = "localhost" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


class Server(uvicorn.Server):
    """uvicorn, told to say when it answers, and to end with status 0 when it is asked to stop."""

    def __init__(self, application: Application, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                # httptools loses the body of requests that carry an h2c upgrade header, as Java's own client's do.
                http="h11",
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
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM; uvicorn's own version raises the signal once more afterwards."""
        signals = (signal.SIGINT, signal.SIGTERM)
        original = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in original.items():
                signal.signal(number, handler)
