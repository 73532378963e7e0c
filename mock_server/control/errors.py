"""Every refusal of the control API as a problem: 422 and `{"detail": …}` never reach a caller, nor the description."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from mock_server import problems
from mock_server.asgi import Scope
from mock_server.control import models
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.problems import INVALID_INPUT, OUT_OF_RANGE, SCHEMA_VIOLATION, UNKNOWN_INPUT, Issue, Problem
from mock_server.redaction import shown
from mock_server.world.database import StoreError
from mock_server.world.world import WorldGoneError

MAX_ISSUES = 100
"""So many are told of one request."""

_logger = logging.getLogger("fla_mock")
_UNQUOTED = {"der", "certificate", "certificates"}
"""What is never echoed: it may be a private key that was given by mistake."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_WHERE = "the OpenAPI document that GET /_mock names"
_PREFIX = re.compile(r"(?:Value|Assertion) error, ")
_SHOULD = re.compile(r"^(?:Input|String|List|Value) should (?:be |have )?")
_LOCATIONS = {"body", "path", "query", "header"}
_OUT_OF_RANGE = re.compile(r"(?:greater|less)_than.*|(?:.*_)?too_(?:long|short)|finite_number")


class ProblemError(Exception):
    """A refusal that is told as a problem of its own."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def install_error_handlers(app: FastAPI) -> None:
    """Make an application answer every error with a problem, and describe problems in its OpenAPI document."""

    def handle(kind: type[Exception], problem_of: Any) -> None:  # noqa: ANN401 - a function of an error of that kind
        async def answer(request: Request, error: Exception) -> Response:
            return as_response(problem_of(request, error))

        app.add_exception_handler(kind, answer)

    handle(ProblemError, lambda _, error: error.problem)
    handle(NotFoundError, lambda _, error: problems.resource_not_found(error.sentence))
    handle(ConflictError, lambda _, error: conflict(error.sentence))
    handle(RefusedError, lambda _, error: bad_request(error.sentence, error.issues))
    handle(RequestValidationError, lambda _, error: invalid(error.errors()))
    handle(HTTPException, _of_http_exception)
    handle(WorldGoneError, lambda _, error: _no_world(error))
    handle(StoreError, lambda _, error: _no_store(error))
    # Without this, the answer would be plain text. What went wrong is raised again, for whoever logs it.
    handle(Exception, lambda *_: problems.internal_server_error())
    _describe_problems(app)


def as_response(problem: Problem) -> Response:
    """Return a problem as an answer with a trace id of its own."""
    answer = problem.answer(problems.new_trace_id())
    response = Response(answer.body, answer.status)
    response.raw_headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    return response


def conflict(detail: str) -> Problem:
    """Refuse what does not fit with the state of the world."""
    return Problem("about:blank", "Conflict", 409, detail)


def bad_request(detail: str, issues: Sequence[Issue] = ()) -> Problem:
    """Refuse wrong input, with a sentence of its own."""
    problem = problems.bad_request(issues[:MAX_ISSUES])
    return replace(problem, detail=detail, members=problem.members if issues else {})


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Refuse input that is not as the OpenAPI document says."""
    issues = [_issue(error) for error in errors[:MAX_ISSUES]]
    first = issues[0]
    place = f"{first.name} in the {first.location}" if first.name else f"the {first.location}"
    more = f" {len(errors) - 1} more are in issues." if len(errors) > 1 else ""
    return bad_request(f"Wrong input, {place}: {first.detail}.{more} What is expected is in {_WHERE}.", issues)


def _issue(error: Mapping[str, Any]) -> Issue:
    location, *parts = error["loc"] or ("body",)
    if location not in _LOCATIONS:
        location, parts = "body", list(error["loc"])
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")[:200]
    kind = error["type"]
    if kind == "missing":
        return Issue(SCHEMA_VIOLATION, location, name, "expected it, and it is missing")
    if kind == "extra_forbidden":
        return Issue(UNKNOWN_INPUT, location, name, "it is not known here")
    if kind == "json_invalid":
        return Issue(SCHEMA_VIOLATION, "body", "", "it is not JSON")
    detail = _SHOULD.sub("expected ", _PREFIX.sub("", error["msg"], count=1))
    value = error.get("input")
    is_told = "found " in detail or not isinstance(value, str | int | float | bool) or _UNQUOTED & {*map(str, parts)}
    if not is_told:
        detail = f"{detail}; found {shown(value)}"
    if kind == "value_error":
        return Issue(INVALID_INPUT, location, name, detail)
    return Issue(OUT_OF_RANGE if _OUT_OF_RANGE.fullmatch(kind) else SCHEMA_VIOLATION, location, name, detail)


def _of_http_exception(request: Request, error: HTTPException) -> Problem:
    headers = tuple((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"Nothing is at this path. The paths are in {_WHERE}."
        return replace(problems.resource_not_found(detail), headers=headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problems.method_not_allowed(_methods_here(request) or [(error.headers or {}).get("Allow", "GET")])
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return replace(bad_request(f"The request cannot be read: {str(error.detail).rstrip('.')}."), headers=headers)
    title = HTTPStatus(error.status_code).phrase
    return Problem("about:blank", title, error.status_code, str(error.detail), headers=headers)


def _methods_here(request: Request) -> list[str]:
    """Return the methods of all routes at this path; the router itself tells those of the first one."""
    return [method for method in _METHODS if _is_route({**request.scope, "method": method}, request.app.routes)]


def _is_route(scope: Scope, routes: Sequence[BaseRoute]) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _no_world(error: Exception) -> Problem:
    return problems.resource_not_found(f"No such world: {error}. GET /_mock/worlds lists the worlds that there are.")


def _no_store(error: Exception) -> Problem:
    _logger.error("%s", error)
    return problems.service_unavailable()


_SECURITY = {
    "adminToken": {"type": "http", "scheme": "bearer", "description": "Where the server was given an admin token."},
    "adminPassword": {"type": "http", "scheme": "basic", "description": "The same as the password of any user."},
}
_EVERYWHERE = {
    "401": {"description": "The admin token is wanted.", "content": models.PROBLEM_CONTENT},
    "403": {
        "description": "Called by a foreign name, or from a page of another site.",
        "content": models.PROBLEM_CONTENT,
    },
}
_PARAMETERS = {
    "world": "Name of the world; the one at the root is `default`.",
    "number": "Number of the enterprise, the mandate, the exchange or the fault.",
    "capacity": "The enterprise's role: `employer`, `social-secretariat`, `service-provider` or `training-provider`.",
    "client_id": "Client id of the account.",
    "service": "Name of a service, as `GET /_mock/services` lists them.",
    "fingerprint": "SHA-256 of the certificate, in hexadecimal.",
    "ssin": "SSIN of the employee, 11 digits.",
    "status": "HTTP status of the answer, or status of the mandate.",
}


def _describe_problems(app: FastAPI) -> None:
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schema = models.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {**schema.pop("$defs"), "Problem": schema}
        # FastAPI describes what it answers itself to wrong input, which is not what is answered here.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        document["components"]["securitySchemes"] = _SECURITY
        for path in document["paths"].values():
            for operation in path.values():
                operation["security"] = [{}, {"adminToken": []}, {"adminPassword": []}]
                operation["responses"].pop("422", None)
                operation["responses"] |= _EVERYWHERE
                for parameter in operation.get("parameters", ()):
                    parameter.setdefault("description", _PARAMETERS.get(parameter["name"], ""))
        return document

    app.openapi = described  # type: ignore[method-assign] # how FastAPI says that its document is extended
