"""Who may administer: the checks that stand before everything under `/_mock`.

A page in the browser of somebody who runs the mock must not be able to reach it: not by a name that an attacker's DNS
points here (Host), not from another origin (Origin, Sec-Fetch-Site, Referer), which is all that a form needs.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from mock_server import problems
from mock_server.asgi import (
    Application,
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    Message,
    Receive,
    Scope,
    Send,
    answer_unread,
    header_values,
    host_of,
    only_header,
    read_body,
)
from mock_server.gateway.addresses import is_loopback
from mock_server.problems import Problem
from mock_server.redaction import shown

_OWN_SITES = {"same-origin", "none"}
_MAX_BODY = 1024 * 1024
_MAX_STATE = 64 * 1024 * 1024
_WITH_STATE = ("/state", "/worlds")
_BODY_SECONDS = 30.0
_MAX_TARGET = 8_192
_SWITCHED_OFF = (
    "The control API is switched off: others can reach this server by this name, and it has no admin token. "
    "Start it with --admin-token (or FLA_MOCK_ADMIN_TOKEN), or on 127.0.0.1 without --public-url, and call it by that."
)


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in."""

    hosts: Collection[str]
    """Names that the server may be called by, in lower case and without port."""
    token: str | None
    is_open: bool
    """Whether nobody but programs of this machine can call, so that by a loopback name no token is needed."""

    def judge(self, scope: Scope) -> Problem | None:
        """Return why a request is not let in, or None when it is."""
        host = host_of(scope)
        if host is None or host[1] not in self.hosts:
            called = "no usable Host header" if host is None else f"the name {shown(host[1])}"
            return _forbidden(f"Called by {called}: expected a name of this server; start it with --allowed-host.")
        foreign = _foreign(scope, host[0])
        if foreign is not None:
            return foreign
        if self.token is None:
            return None if self.is_open and is_loopback(host[1]) else _forbidden(_SWITCHED_OFF)
        return None if any(hmac.compare_digest(given, self.token.encode()) for given in _tokens(scope)) else _token()


def _foreign(scope: Scope, host: str) -> Problem | None:
    """Judge where a browser says that the request comes from; other clients say nothing."""
    own = f"{scope['scheme']}://{host}".lower()
    for origin in header_values(scope, b"origin"):
        # Behind a proxy that speaks https, the scheme is not ours to know: the name and port are.
        if origin.lower().partition("://")[2] != host.lower() or "://" not in origin:
            return _forbidden(f"Sent from {shown(origin)}: expected {own}, or a client that is not a browser.")
    sites = header_values(scope, b"sec-fetch-site")
    if any(site.strip().lower() not in _OWN_SITES for site in sites):
        return _forbidden("Sent by a page of another site: open the pages of this server itself.")
    if scope["method"] not in {"GET", "HEAD"} and not header_values(scope, b"origin"):
        for referer in header_values(scope, b"referer"):
            if _netloc(referer) != host.lower():
                return _forbidden(f"Sent from {shown(referer)}: expected a page of this server.")
    return None


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _tokens(scope: Scope) -> list[bytes]:
    """Return what the request gives as its token: Bearer, or the password of Basic, which is what browsers ask for."""
    header = only_header(scope, b"authorization") or ""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        # Of blanks only what HTTP calls so: other bytes may be half of a letter.
        return [value.strip(" \t").encode("latin-1", "replace")]
    if scheme.lower() == "basic":
        try:
            return [base64.b64decode(value, validate=True).partition(b":")[2]]
        except (binascii.Error, ValueError):
            return []
    return []


def _forbidden(detail: str) -> Problem:
    return Problem("about:blank", "Forbidden", 403, detail)


def _token() -> Problem:
    challenge = (b"www-authenticate", b'Basic realm="fla-mock", charset="UTF-8"')
    detail = "Expected the admin token of this server: Authorization: Bearer TOKEN (in a browser, as the password)."
    return Problem("about:blank", "Unauthorized", 401, detail, headers=(challenge,))


class Guard:
    """Lets in who may administer, with bodies that have a limit."""

    def __init__(self, admission: Admission, inner: Application) -> None:
        self._admission = admission
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it before anything of it is read."""
        problem = self._admission.judge(scope) or _judge_target(scope)
        if problem is None:
            limit = _MAX_STATE if scope["path"].endswith(_WITH_STATE) else _MAX_BODY
            try:
                body = await read_body(scope, receive, limit=limit, seconds=_BODY_SECONDS)
            except ClientGoneError:
                return
            except BodyTooLargeError:
                problem = problems.payload_too_large(limit)
            except BodyTooSlowError:
                problem = problems.request_timeout(_BODY_SECONDS)
            else:
                # RFC 9110 §9.3.2: the same answer, of which the server then leaves out the body.
                method = "GET" if scope["method"] == "HEAD" else scope["method"]
                await self._inner({**scope, "method": method}, _replay(body, receive), send)
                return
        await answer_unread(scope, receive, send, problem.answer(problems.new_trace_id()))


def _judge_target(scope: Scope) -> Problem | None:
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size <= _MAX_TARGET:
        return None
    detail = f"Expected a target of {_MAX_TARGET} characters at most, and got {size}"
    return Problem("about:blank", "URI Too Long", 414, detail)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives a whole body, and after it what really comes: the end of the connection."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


class LazyPart:
    """A part that is made when it is first asked for, beside the loop, since its libraries take long to load."""

    def __init__(self, make: Callable[[], Application]) -> None:
        self._make = make
        self._part: Application | None = None
        self._making: asyncio.Task[Application] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if self._part is None:
            if self._making is None:
                self._making = asyncio.create_task(asyncio.to_thread(self._make))
            try:
                self._part = await asyncio.shield(self._making)
            finally:
                self._making = None
        await self._part(scope, receive, send)
