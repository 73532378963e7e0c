"""A world that was deleted, and one of the same name made after it: nothing passes from the one to the other."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_server.settings import Settings
from tests.support import FORM_HEADERS, HOST, TOKEN, Caller, Reply, assertion, certificate, form, start

JSON = {"content-type": "application/json"}
TOKEN_PATH = f"/worlds/a{TOKEN}"
API = "/worlds/a/REST/careerpro-federal-learning-account/v1"
TRAININGS = f"{API}/employers/1999000150/employees/65111899997/calendarYears/2023/trainings"
STATE: dict[str, Any] = {
    "enterprises": [{"number": "1999000150", "name": "Employer", "capacities": ["employer"]}],
    "accounts": [
        {
            "name": "mine",
            "client_id": "mine",
            "enterprise": "1999000150",
            "capacity": "employer",
            "permissions": ["fla"],
            "certificates": [{"name": "mine.cer", "der": base64.b64encode(certificate()).decode()}],
        }
    ],
}


@pytest.fixture(params=["memory", "sqlite"])
def mock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    """Start a mock whose world `a` knows one account."""
    store = "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"
    caller = start(Settings(world="empty", keys=tmp_path / "keys", store=store))
    make(caller)
    yield caller
    caller.mock.close()


def make(caller: Caller) -> None:
    """Make the world."""
    body = json.dumps({"name": "a", "state": STATE}).encode()
    assert caller.call("POST", "/_mock/worlds", body, JSON).status == 201


def delete(caller: Caller) -> None:
    """Delete it."""
    assert caller.call("DELETE", "/_mock/worlds/a").status == 204


def good_form() -> bytes:
    """Return a good token request to the world."""
    return form(assertion(iss="mine", sub="mine", aud=f"http://{HOST}{TOKEN_PATH}"))


def token(caller: Caller) -> dict[str, str]:
    """Return the headers of a call with a token of the world."""
    reply = caller.call("POST", TOKEN_PATH, good_form(), FORM_HEADERS)
    return {"authorization": f"Bearer {reply.json['access_token']}"}


def interrupted(
    caller: Caller, method: str, path: str, body: bytes, headers: dict[str, str], between: Callable[[], Awaitable[None]]
) -> Reply:
    """Send a request in two halves, and do something between them."""
    sent: list[Any] = []
    halves = [body[: len(body) // 2], body[len(body) // 2 :]]

    async def receive() -> Any:
        if len(halves) == 1:
            await between()
        return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(b"host", HOST.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    scope = {"type": "http", "method": method, "scheme": "http", "path": path, "query_string": b"", "headers": raw}
    asyncio.run(caller.mock.application(scope, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]))


def exchanges(caller: Caller) -> list[str]:
    """Return the operations in the journal of the world."""
    listed = caller.call("GET", "/_mock/worlds/a/exchanges").json
    return [item["operation"] for item in listed["items"]]


def test_a_token_ends_with_its_world(mock: Caller) -> None:
    """In the new world it is not one of ours, though the account is there again."""
    headers = token(mock)
    assert mock.call("GET", TRAININGS, headers=headers).status == 200

    delete(mock)
    make(mock)

    assert mock.call("GET", TRAININGS, headers=headers).status == 401


@pytest.mark.parametrize("anew", [False, True])
def test_what_is_being_sent_when_a_world_is_deleted_is_not_stored(mock: Caller, *, anew: bool) -> None:
    """It is answered with 404, and another world of that name does not have it."""

    async def between() -> None:
        mock.mock.worlds.delete("a")
        if anew:
            state = mock.mock.start.named("empty")
            mock.mock.worlds.create(state, "a")

    headers = token(mock) | JSON
    reply = interrupted(mock, "PUT", TRAININGS, b'{"items": []}', headers, between)

    assert reply.status == 404
    if not anew:
        make(mock)
    assert mock.call("GET", "/_mock/worlds/a").json["counts"]["documents"] == 0


def test_a_token_request_of_a_deleted_world_gets_none(mock: Caller) -> None:
    """Though all of it was right when it began."""

    async def between() -> None:
        mock.mock.worlds.delete("a")

    assert interrupted(mock, "POST", TOKEN_PATH, good_form(), FORM_HEADERS, between).status in {400, 404}


def test_the_journal_of_a_new_world_is_empty_and_can_be_written(mock: Caller) -> None:
    """Whatever the old one had not written yet."""
    token(mock)
    delete(mock)
    make(mock)
    before = exchanges(mock)
    token(mock)

    assert (before, exchanges(mock)) == ([], ["token"])
    assert mock.call("GET", "/_mock/worlds").json["total"] == 2
