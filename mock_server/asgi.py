"""The thin edge to ASGI: headers, bodies read within limits, whole answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

CONNECTION = "fla_mock.connection"
"""The extension of a request's scope that closes its connection: an object with `async close()`."""

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_SKIPPED_BYTES = 64 * 1024
_SKIPPED_DIGITS = 5
_REQUEST_TIMEOUT = 408
_NO_CONTENT = 204
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `content-length` is added when it is sent."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class BodyTooLargeError(Exception):
    """The body is, or says it is, larger than the limit."""


class BodyTooSlowError(Exception):
    """The body was not complete within the time limit."""


class ClientGoneError(Exception):
    """The client closed the connection; there is nobody to answer."""


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return the values of a header, one for each time it was sent."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def only_header(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header; several are joined with commas, as RFC 9110 §5.3 reads them."""
    values = header_values(scope, name)
    return ", ".join(values) if values else None


def media_type(content_type: str | None) -> str:
    """Return the media type in lower case, without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def host_of(scope: Scope) -> tuple[str, str] | None:
    """Return the Host header, whole, and its name in lower case; None unless there is exactly one, well-formed."""
    values = header_values(scope, b"host")
    match = _HOST.fullmatch(values[0]) if len(values) == 1 else None
    return (match[0], match[1].lower()) if match else None


def refuse_announced(scope: Scope, limit: int) -> None:
    """Raise `BodyTooLargeError` if the body says that it is larger than the limit."""
    lengths = header_values(scope, b"content-length")
    # One that is no number is the server's to refuse: within one process there may be none.
    if lengths and lengths[0].isdecimal() and (len(lengths[0]) > len(str(limit)) + 1 or int(lengths[0]) > limit):
        raise BodyTooLargeError


async def read_body(scope: Scope, receive: Receive, *, limit: int, seconds: float) -> bytes:
    """Read a whole body.

    A body that says it is too large is refused before anything of it is read. Raises `BodyTooLargeError`,
    `BodyTooSlowError` and `ClientGoneError`.
    """
    refuse_announced(scope, limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise BodyTooLargeError
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        raise BodyTooSlowError from None


async def answer(send: Send, reply: Answer) -> None:
    """Send a whole answer; a 204 has no length (RFC 9110 §8.6)."""
    length = () if reply.status == _NO_CONTENT else ((b"content-length", str(len(reply.body)).encode()),)
    headers = (*reply.headers, *length)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def send_whole(send: Send, reply: Answer, parts: Iterable[bytes], seconds: float) -> None:
    """Send a whole answer whose body is in parts, with a wait of so many seconds between two of them."""
    headers = (*reply.headers, (b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for number, part in enumerate(parts):
        if number:
            await asyncio.sleep(seconds)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def answer_unread(scope: Scope, receive: Receive, send: Send, reply: Answer) -> None:
    """Send a whole answer to a request whose body was not read.

    A small body is skipped by the server. After anything else the connection is closed, and closing a socket that still
    receives resets it, so that the client may never see the answer: what still comes is thrown away for a while first.
    """
    if reply.status == _REQUEST_TIMEOUT:
        # Nobody is sending: there is nothing to throw away, and nothing to wait for.
        await answer(send, replace(reply, headers=(*reply.headers, (b"connection", b"close"))))
        return
    lengths = header_values(scope, b"content-length")
    chunked = header_values(scope, b"transfer-encoding")
    is_small = not lengths or (
        lengths[0].isdecimal() and len(lengths[0]) <= _SKIPPED_DIGITS and int(lengths[0]) <= _SKIPPED_BYTES
    )
    if not chunked and is_small:
        await answer(send, reply)
        return
    closing = (*reply.headers, (b"content-length", str(len(reply.body)).encode()), (b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": closing})
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    await _discard(receive)
    await send({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return
