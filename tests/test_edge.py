"""The guard against faults of our own, and bodies that come slowly or not at all."""

import asyncio
import logging
from typing import Any

import pytest

from mock_server.asgi import BodyTooSlowError, ClientGoneError, read_body
from mock_server.edge import Application
from tests.conftest import Starter
from tests.support import FORM_HEADERS, HOST, TOKEN, Caller, form


def test_a_fault_of_our_own_is_an_error_and_a_line_on_the_console(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller gets a 500 without a trace, in the form of the path; the console says where, without values."""
    monkeypatch.setattr(logging.getLogger("fla_mock"), "propagate", True)

    def fail(*_: object, **__: object) -> None:
        msg = "secret"
        raise RuntimeError(msg)

    monkeypatch.setattr(caller.mock.world, "consume_jti", fail)
    with caplog.at_level(logging.INFO, "fla_mock"):
        reply = caller.post()

    assert (reply.status, reply.json["error"]) == (500, "server_error")
    assert b"secret" not in reply.body
    assert "RuntimeError in fail" in caplog.text
    assert "secret" not in caplog.text


async def unreachable(*_: Any) -> Any:
    """Stand for what must not be asked."""
    raise AssertionError


def test_a_fault_after_the_answer_began_is_not_answered_twice(caller: Caller) -> None:
    """What was sent cannot be taken back."""
    sent: list[Any] = []

    async def control(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        msg = "late"
        raise RuntimeError(msg)

    async def send(message: Any) -> None:
        sent.append(message)

    application = Application(caller.mock.worlds, control)
    asyncio.run(application({"type": "http", "path": "/_mock", "headers": []}, unreachable, send))

    assert len(sent) == 1


def test_the_lifespan_of_another_server_is_followed(caller: Caller) -> None:
    """Under a server that wants to know when the application is ready, it is at once."""
    sent: list[str] = []
    asked = ["lifespan.startup", "lifespan.shutdown"]

    async def receive() -> Any:
        return {"type": asked.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(caller.mock.application({"type": "lifespan"}, receive, send))

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_target_may_be_a_whole_url(caller: Caller) -> None:
    """A client behind a proxy sends one, and every server takes it (RFC 9112 §3.2.2)."""
    whole = caller.call("POST", f"http://{HOST}{TOKEN}", form(), FORM_HEADERS)
    others = [caller.call("GET", target).status for target in ("http://127.0.0.1/health", "*", "http://[", "x")]

    assert (whole.status, others) == (200, [200, 404, 404, 404])


async def never() -> Any:
    """Wait for a message that does not come."""
    await asyncio.Event().wait()


def test_a_body_that_does_not_come_is_given_up() -> None:
    """Reading ends after the time limit."""
    with pytest.raises(BodyTooSlowError):
        asyncio.run(read_body({"headers": []}, never, limit=10, seconds=0.01))


def test_a_client_that_has_gone_is_not_answered(caller: Caller) -> None:
    """There is nobody to answer and nothing to tell."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in FORM_HEADERS.items()]
    scope = {"type": "http", "method": "POST", "path": TOKEN, "query_string": b"", "headers": headers, "scheme": "http"}
    asyncio.run(caller.mock.application(scope, receive, send))

    assert (sent, caller.exchanges) == ([], [])
    with pytest.raises(ClientGoneError):
        asyncio.run(read_body({"headers": []}, receive, limit=10, seconds=1))


def test_a_token_request_whose_body_stalls_is_refused(started: Starter) -> None:
    """408 with an error of RFC 6749, and the connection ends."""
    caller = started(set=("body_timeout=0.01",))
    sent: list[Any] = []
    waiting = [{"type": "http.request", "body": b"grant_type=", "more_body": True}]

    async def receive() -> Any:
        return waiting.pop() if waiting else await never()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in FORM_HEADERS.items()]
    headers.append((b"content-length", b"50"))
    scope = {"type": "http", "method": "POST", "path": TOKEN, "query_string": b"", "headers": headers, "scheme": "http"}
    asyncio.run(caller.mock.application(scope, receive, send))

    assert (sent[0]["status"], dict(sent[0]["headers"]).get(b"connection")) == (408, b"close")
    assert caller.refused_by == "OAUTH-BODY-1"
