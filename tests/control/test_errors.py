"""Whatever goes wrong under the control API is answered with a problem."""

import asyncio
import json
import re
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from mock_server import problems
from mock_server.control.errors import MAX_ISSUES, ProblemError, install_error_handlers
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.problems import INVALID_INPUT, Issue
from mock_server.world.database import StoreError
from mock_server.world.world import WorldGoneError
from tests.support import Reply


class Body(BaseModel):
    """What the route takes."""

    count: Annotated[int, Field(ge=1)]
    names: Annotated[list[str], Field(max_length=2)] = []


def call(app: FastAPI, path: str, body: bytes = b"", method: str = "GET") -> Reply:
    """Send a request and return the answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    bare, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": bare,
        "raw_path": bare.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"content-type", b"application/json")],
    }
    try:
        asyncio.run(app(scope, receive, send))
    except ZeroDivisionError:
        assert sent
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, sent[1]["body"])


def raising(error: Exception) -> FastAPI:
    """Make an application whose only answer is an error."""
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "status", "title", "detail"),
    [
        (NotFoundError("world “x”"), 404, "Resource Not Found", "There is no world “x”. List what there is"),
        (ConflictError("It is taken."), 409, "Conflict", "It is taken."),
        (RefusedError("It is wrong."), 400, "Bad Request", "It is wrong."),
        (ProblemError(problems.payload_too_large(7)), 413, "Payload Too Large", "larger than 7 bytes"),
        (WorldGoneError("the world x was deleted"), 404, "Resource Not Found", "the world x was deleted. GET /_mock/"),
        (StoreError("disk full"), 503, "Service is unavailable", "its console says more"),
        (ZeroDivisionError("secret"), 500, "Internal Server Error", "An unexpected error"),
        (HTTPException(404), 404, "Resource Not Found", "Nothing is at this path"),
        (HTTPException(400, "broken"), 400, "Bad Request", "cannot be read: broken."),
        (HTTPException(405, headers={"Allow": "GET"}), 405, "Method Not Allowed", "Allowed here: GET"),
        (HTTPException(415, "text"), 415, "Unsupported Media Type", "text"),
        (HTTPException(418, "short and stout"), 418, "I'm a Teapot", "short and stout"),
    ],
)
def test_each_error_is_a_problem(error: Exception, status: int, title: str, detail: str) -> None:
    """With status, title and sentence, and an id of its own."""
    app = raising(error)
    first, second = call(app, "/"), call(app, "/")

    assert first.status == first.json["status"] == status
    assert first.headers["content-type"] == "application/problem+json"
    assert first.json["title"] == title
    assert detail in first.json["detail"]
    assert first.json["instance"] == f"urn:uuid:{first.headers['belgov-trace-id']}" != second.json["instance"]


def test_issues_are_told() -> None:
    """Each with its place."""
    issue = Issue(INVALID_INPUT, "body", "name", "expected another one")

    (told,) = call(raising(RefusedError("It is wrong.", [issue])), "/").json["issues"]

    assert (told["in"], told["name"], told["detail"]) == ("body", "name", "expected another one")


def test_headers_of_an_error_stay() -> None:
    """Such as those that say when to come back."""
    assert call(raising(HTTPException(429, headers={"Retry-After": "2"})), "/").headers["retry-after"] == "2"


def test_a_method_is_refused_with_those_that_the_path_has() -> None:
    """Of all its routes."""
    app = raising(ConflictError(""))
    app.add_api_route("/", lambda: None, methods=["DELETE"])

    assert call(app, "/", method="PUT").headers["allow"] == "GET, DELETE"


def taking() -> FastAPI:
    """Make an application that takes a body and a parameter."""
    app = FastAPI()
    install_error_handlers(app)

    @app.post("/")
    async def take(body: Body, limit: Annotated[int, Query(le=9)] = 1) -> None:
        raise AssertionError(body, limit)

    return app


@pytest.mark.parametrize(
    ("path", "body", "place", "kind", "detail"),
    [
        ("/", b"{", ("body", ""), "schemaViolation", "it is not JSON"),
        ("/", b"[]", ("body", ""), "schemaViolation", "expected a valid dictionary"),
        ("/", b"", ("body", ""), "schemaViolation", "it is missing"),
        ("/", b"{}", ("body", "count"), "schemaViolation", "it is missing"),
        ("/", b'{"count": "many"}', ("body", "count"), "schemaViolation", "expected a valid integer, .*; found “many”"),
        ("/", b'{"count": 0}', ("body", "count"), "outOfRange", "expected greater than or equal to 1; found 0"),
        (
            "/",
            b'{"count": 1, "names": [1]}',
            ("body", "names[0]"),
            "schemaViolation",
            "expected a valid string; found 1",
        ),
        ("/", b'{"count": 1, "names": ["","",""]}', ("body", "names"), "outOfRange", "at most 2 items"),
        ("/?limit=10", b'{"count": 1}', ("query", "limit"), "outOfRange", "less than or equal to 9; found “10”"),
    ],
)
def test_input_that_is_not_as_described_is_400(
    path: str, body: bytes, place: tuple[str, str], kind: str, detail: str
) -> None:
    """Never 422: the issue says where, what was expected and what came."""
    reply = call(taking(), path, body, "POST")

    assert reply.status == 400
    (issue,) = reply.json["issues"]
    assert (issue["in"], issue["name"]) == place
    assert issue["type"].endswith(f":{kind}")
    assert re.search(detail, issue["detail"])
    assert issue["detail"] in reply.json["detail"]


def test_so_many_issues_are_told_at_most() -> None:
    """A hostile body gets no endless answer."""
    body = json.dumps({"count": 1, "names": [1] * 500}).encode()
    errors = [{"type": "missing", "loc": ("body", "names", number), "msg": ""} for number in range(500)]

    assert len(call(raising(RequestValidationError(errors)), "/").json["issues"]) == MAX_ISSUES
    assert len(call(taking(), "/", body, "POST").json["issues"]) <= MAX_ISSUES


def test_a_place_that_says_no_location_is_in_the_body() -> None:
    """Such as one of a model that was judged by hand."""
    error = RequestValidationError([{"type": "missing", "loc": ("name",), "msg": ""}])

    (issue,) = call(raising(error), "/").json["issues"]

    assert (issue["in"], issue["name"]) == ("body", "name")


def test_the_description_has_problems_in_place_of_what_the_framework_would_answer() -> None:
    """Neither 422 nor its schemas."""
    described = taking().openapi()

    assert "422" not in described["paths"]["/"]["post"]["responses"]
    assert {"Problem", "Issue"} <= described["components"]["schemas"].keys()
    assert "HTTPValidationError" not in described["components"]["schemas"]
