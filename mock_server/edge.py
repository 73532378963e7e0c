"""What stands around everything: the guard against faults of our own, the health check, and the last 404."""

import logging
import traceback
from urllib.parse import unquote

from h11 import LocalProtocolError
from starlette.types import ASGIApp

from mock_server import problems
from mock_server.asgi import Answer, Message, Receive, Scope, Send, answer, answer_unread
from mock_server.exchange import Exchange, Observer
from mock_server.gateway.routes import no_such_route
from mock_server.problems import Problem
from mock_server.verdict import Trail

HEALTH_PATH = "/health"
_logger = logging.getLogger("fla_mock")


class Application:
    """The whole ASGI application; whatever goes wrong inside ends as a problem, never as a stack trace."""

    def __init__(self, router: ASGIApp) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        if not scope["path"].startswith("/"):
            scope = _in_origin_form(scope)
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._router(scope, receive, note_start)
        except LocalProtocolError:
            # The server has already refused the rest of this request, broken chunks for instance, and hung up.
            _logger.debug("the connection was gone before its answer")
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
                await answer_unread(scope, receive, send, _as_answer(problems.internal_server_error()))


def _in_origin_form(scope: Scope) -> Scope:
    """Return a request whose target was a whole URL, as a client behind a proxy sends it, with the path alone.

    RFC 9112 §3.2.2: a server accepts both. The Host header names the same server.
    """
    _, scheme_ends, rest = scope["raw_path"].decode("latin-1").partition("://")
    raw = f"/{rest.partition('/')[2]}" if scheme_ends else scope["raw_path"].decode("latin-1")
    return {**scope, "path": unquote(raw), "raw_path": raw.encode("latin-1")}


class Health:
    """`GET /health`, open to any client (Belgif rest-guide, health)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] in {"GET", "HEAD"}:
            await answer(send, Answer(200, ((b"content-type", b"application/json"),), b'{"status":"UP"}'))
        else:
            await answer_unread(scope, receive, send, _as_answer(problems.method_not_allowed(["GET", "HEAD"])))


class NotFound:
    """Answers what no route does."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        trail = Trail()
        problem = no_such_route(trail)
        self._observer(Exchange(f"{scope['method'][:16]} (no such route)", problem.status, trail, None, problem.name))
        await answer_unread(scope, receive, send, _as_answer(problem))


def _as_answer(problem: Problem) -> Answer:
    return problem.answer(problems.new_trace_id())
