"""A lean load generator: whole requests on kept HTTP/1.1 connections, every answer read and its status checked."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_ANSWER_SECONDS = 10.0


class LoadError(Exception):
    """An answer that was not 200, or none at all: the figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of load saw."""

    answers: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class _Run:
    """What the connections of one run share."""

    def __init__(self, requests: Iterator[bytes], seconds: float) -> None:
        self.requests = requests
        self.answers = 0
        self.began = time.perf_counter()
        self.ends = self.began + seconds
        self.last = self.began

    def next(self) -> bytes | None:
        """Return the next request; none when the time is over or no request is left."""
        return next(self.requests, None) if time.perf_counter() < self.ends else None


class _Connection(asyncio.Protocol):
    """One request after the other on one connection."""

    def __init__(self, run: _Run) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run = run
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request as soon as an answer is whole."""
        self._received += data
        size = _whole(self._received)
        if size is None:
            return
        run = self._run
        if not self._received.startswith(b"HTTP/1.1 200 "):
            self._fail(f"an answer was not 200: {self._received[:600].decode('latin-1')}")
            return
        self._received = self._received[size:]
        run.answers += 1
        run.last = time.perf_counter()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server closed."""
        self._fail(f"the server closed a connection: {exc}")

    def _send(self) -> None:
        assert self._transport is not None
        request = self._run.next()
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(why))
        if self._transport is not None:
            self._transport.abort()


def _whole(received: bytes) -> int | None:
    """Return the size of the answer that was received, once it is whole."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        if b"\r\ntransfer-encoding: chunked" not in head:
            msg = f"an answer of unknown length: {head[:600].decode('latin-1')}"
            raise LoadError(msg)
        last = received.find(b"0\r\n\r\n", end + 2)
        return last + 5 if last >= 0 and received[last - 2 : last] == b"\r\n" else None
    size = end + 4 + int(head[at + 17 :].partition(b"\r")[0])
    return size if len(received) >= size else None


async def _drive(port: int, connections: int, requests: Iterator[bytes], seconds: float) -> Measured:
    loop = asyncio.get_running_loop()
    run = _Run(requests, seconds)
    made = [await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port) for _ in range(connections)]
    async with asyncio.timeout(seconds + _ANSWER_SECONDS):
        await asyncio.gather(*(protocol.done for _, protocol in made))
    return Measured(run.answers, run.last - run.began)


def drive(port: int, connections: int, requests: Iterable[bytes], seconds: float) -> Measured:
    """Send requests for some seconds, or until none is left. Raises `LoadError` for any answer but 200."""
    try:
        measured = asyncio.run(_drive(port, connections, iter(requests), seconds))
    except TimeoutError:
        msg = f"an answer took more than {_ANSWER_SECONDS:g} seconds"
        raise LoadError(msg) from None
    if not measured.answers:
        msg = "no answer at all"
        raise LoadError(msg)
    return measured


def request(method: str, port: int, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
