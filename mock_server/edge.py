"""What stands around everything: which part a path belongs to, the health check, the guard against our own faults."""

import logging
import re
import traceback
from urllib.parse import quote

from h11 import LocalProtocolError

from mock_server import asgi, problems
from mock_server.asgi import Answer, Message, Receive, Scope, Send, answer_unread
from mock_server.control.worlds import WORLDS_PREFIX, Worlds
from mock_server.gateway.serving import ConnectionClosed
from mock_server.oauth.audience import TOKEN_PATH
from mock_server.problems import Problem
from mock_server.world.database import StoreError
from mock_server.world.store import DEFAULT_WORLD
from mock_server.world.world import WorldGoneError

HEALTH_PATH = "/health"
CONTROL_PATH = "/_mock"
_UNRESERVED = re.compile(rb"%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
_logger = logging.getLogger("fla_mock")


class Application:
    """The whole ASGI application; whatever goes wrong inside ends as an answer, never as a stack trace."""

    def __init__(self, worlds: Worlds, control: asgi.Application) -> None:
        self._worlds = worlds
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or take note of the server's lifespan."""
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._route(_normal(scope), receive, note_start)
        except LocalProtocolError:
            # The server has already refused the rest of this request, broken chunks for instance, and hung up.
            _logger.debug("the connection was gone before its answer")
        except ConnectionClosed:
            # Asked for, where there is no connection of the server's own: whoever called sees it.
            raise
        except StoreError as error:
            _logger.error("%s", error)  # noqa: TRY400 - the sentence says it all
            if not started:
                await answer_unread(scope, receive, send, _failure(scope, problems.service_unavailable()))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            _logger.error(  # noqa: TRY400 - a stack trace is for those who ask for it, at level debug
                "a fault of the mock itself, please report it: %s in %s, line %s",
                type(error).__name__,
                place.name,
                place.lineno,
            )
            _logger.debug("its trace", exc_info=error)
            if not started:
                await answer_unread(scope, receive, send, _failure(scope, problems.internal_server_error()))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path == HEALTH_PATH:
            await _health(scope, receive, send)
        elif path == CONTROL_PATH or path.startswith(f"{CONTROL_PATH}/"):
            await self._control(scope, receive, send)
        elif path.startswith(f"{WORLDS_PREFIX}/"):
            name, slash, rest = path.removeprefix(f"{WORLDS_PREFIX}/").partition("/")
            inner = {**scope, "path": slash + rest, "raw_path": (slash + rest).encode("latin-1")}
            await self._serve(name, inner | {"root_path": f"{WORLDS_PREFIX}/{name}"}, receive, send)
        else:
            await self._serve(DEFAULT_WORLD, scope, receive, send)

    async def _serve(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        opened = self._worlds.find(name)
        if opened is not None:
            try:
                await opened.serve(scope, receive, send)
            except WorldGoneError:
                # While its request was answered.
                self._worlds.forget(name)
            else:
                return
        problem = problems.resource_not_found("No such world on this server")
        await answer_unread(scope, receive, send, _as_answer(problem))


def _normal(scope: Scope) -> Scope:
    """Return a request whose target is a path, in which no character is encoded that need not be (RFC 3986 §6.2.2.2).

    A target may be a whole URL, as a client behind a proxy sends it: then that says which host is called, whatever the
    Host header says (RFC 9112 §3.2.2).
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    if raw.startswith(b"/") and b"%" not in raw:
        return scope
    headers = scope["headers"]
    if not raw.startswith(b"/"):
        authority, slash, path = raw.partition(b"://")[2].partition(b"/")
        if authority:
            headers = [*(header for header in headers if header[0] != b"host"), (b"host", authority)]
        raw = b"/" + path if slash else b"/" if authority else raw
    raw = _UNRESERVED.sub(lambda match: bytes([int(match[1], 16)]), raw)
    return {**scope, "path": raw.decode("latin-1"), "raw_path": raw, "headers": headers}


async def _health(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /health`, open to any client (Belgif rest-guide, health)."""
    if scope["method"] in {"GET", "HEAD"}:
        up = Answer(200, ((b"content-type", b"application/json"),), b'{"status":"UP"}')
        await answer_unread(scope, receive, send, up)
    else:
        await answer_unread(scope, receive, send, _as_answer(problems.method_not_allowed(["GET", "HEAD"])))


def _failure(scope: Scope, problem: Problem) -> Answer:
    """Return a failure of the server in the form that clients of the path read."""
    reply = _as_answer(problem)
    if not scope["path"].endswith(TOKEN_PATH):
        return reply
    body = b'{"error":"server_error","error_description":"The mock server failed; its console says more"}'
    return Answer(problem.status, ((b"content-type", b"application/json"), (b"cache-control", b"no-store")), body)


def _as_answer(problem: Problem) -> Answer:
    return problem.answer(problems.new_trace_id())
