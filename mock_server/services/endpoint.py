"""An API on the wire: the gateway's decisions in their order, then the resource.

Route and method (404, 405), token (401), scope (403), parameters (400), access (403, 404), size and media type (413,
415), body (400 with every issue).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mock_server import problems, strict_json
from mock_server.asgi import (
    Answer,
    BodyTooLargeError,
    BodyTooSlowError,
    Header,
    Receive,
    Scope,
    header_values,
    media_type,
    only_header,
    read_body,
    refuse_announced,
)
from mock_server.exchange import NO_ROUTE, Exchange
from mock_server.gateway import requirements as gateway
from mock_server.gateway import routes
from mock_server.gateway.access_token import AccessTokens
from mock_server.gateway.addresses import Addresses
from mock_server.gateway.bearer import Principal, authenticate, claimed_client, judge_scope
from mock_server.gateway.serving import Call, Reply
from mock_server.identifiers import EnterpriseNumber, ServiceName, Ssin
from mock_server.problems import Issue, Problem
from mock_server.redaction import shown
from mock_server.services import requirements as req
from mock_server.services.access import Asked, judge_employment, judge_enterprise
from mock_server.services.contract import Contract, Operation, Route
from mock_server.services.resources import Resources, encode, represent
from mock_server.verdict import Requirement, Trail
from mock_server.world.world import World

_JSON: Header = (b"content-type", b"application/json")
_ISSUES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a body is read, and for how long (bytes, seconds)."""

    body_bytes: int
    body_seconds: float


class _Refused(Exception):  # noqa: N818 - control flow within this module, not an error of the program
    """Ends the decision with a problem."""

    def __init__(self, problem: Problem, *, unread: bool = False) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.unread = unread


class ApiEndpoint:
    """Serves one API in one world."""

    def __init__(  # noqa: PLR0913 - the parts that the composition joins
        self,
        name: str,
        service: ServiceName,
        contract: Contract,
        world: World,
        tokens: AccessTokens,
        *,
        limits: Limits,
        addresses: Addresses,
    ) -> None:
        self.service = service
        self.contract = contract
        self.world = world
        self.resources = Resources(world, name)
        self.tokens = tokens
        self.limits = limits
        self.addresses = addresses

    async def begin(self, scope: Scope, receive: Receive, exchange: Exchange) -> "_ApiCall":
        """Find the operation; whether there is one is told when it is decided."""
        call = _ApiCall(self, scope, receive, exchange)
        call.find_route()
        return call


class _ApiCall(Call):
    """One call."""

    def __init__(self, endpoint: ApiEndpoint, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        self._endpoint = endpoint
        self._scope = scope
        self._receive = receive
        self._exchange = exchange
        self._trail = exchange.trail
        self._route: Route | None = None

    def find_route(self) -> None:
        """Find out which operation is called, and with which path parameters."""
        raw: bytes = self._scope.get("raw_path") or quote(self._scope["path"]).encode()
        contract = self._endpoint.contract
        self._route = contract.route(raw.decode("latin-1").removeprefix(contract.base_path))
        method = self._scope["method"][:16]
        if self._route is None:
            self._exchange.operation = f"{method} {NO_ROUTE}"
            return
        self._exchange.operation = f"{method} {self._route.template}"
        self._exchange.parameters = self._route.values
        if self._endpoint.world.faults():
            self._exchange.parameters = self._canonical_values(self._route)

    def _canonical_values(self, route: Route) -> dict[str, str]:
        operation = route.operations.get(self._scope["method"], next(iter(route.operations.values())))
        readers = {parameter.name: parameter for parameter in operation.parameters if parameter.location == "path"}
        return {name: readers[name].read(text)[0] if name in readers else text for name, text in route.values.items()}

    def caller(self) -> str | None:
        """Return the client that the access token is of, expired or not."""
        return claimed_client(self._scope, self._endpoint.tokens)

    async def decide(self) -> Reply:
        """Answer one call."""
        trace_id = problems.new_trace_id()
        try:
            document = await self._decide()
        except _Refused as refused:
            self._exchange.error = refused.problem.name
            return Reply(refused.problem.answer(trace_id), unread=refused.unread)
        body = encode(document).encode()
        return Reply(Answer(200, (_JSON, problems.trace_header(trace_id)), body))

    async def _decide(self) -> dict[str, Any]:
        """Return the document to answer with. Raises `_Refused`."""
        try:
            operation = self._operation()
            principal = self._principal(operation)
            values = self._parameters(operation)
            self._exchange.parameters = values
            self._access(operation, principal, values)
        except _Refused as refused:
            # Nothing of the body has been read: what is still coming must not hide the answer.
            refused.unread = True
            raise
        path = _canonical(operation, values)
        url = f"{self._endpoint.addresses.called_or_own(self._scope)}{self._endpoint.contract.base_path}/{path}"
        if operation.body is None:
            return self._read(operation, path, url)
        body = await self._body()
        document = self._document(operation, body)
        self._endpoint.resources.put(path, document)
        return represent(document, url, operation)

    def _operation(self) -> Operation:
        if self._route is None:
            raise _Refused(routes.no_such_route(self._trail))
        self._trail.passed(gateway.ROUTE)
        method = self._scope["method"]
        operation = self._route.operations.get(method)
        if operation is None:
            allowed = sorted(self._route.operations)
            self._trail.failed(gateway.METHOD, " or ".join(allowed), shown(method))
            raise _Refused(problems.method_not_allowed(allowed))
        self._trail.passed(gateway.METHOD, method)
        return operation

    def _principal(self, operation: Operation) -> Principal:
        endpoint, exchange = self._endpoint, self._exchange
        now = endpoint.world.clock.now()
        found = authenticate(self._trail, self._scope, endpoint.tokens, endpoint.world.active_account, now)
        if isinstance(found, Problem):
            raise _Refused(found)
        exchange.client_id, exchange.account = found.account.client_id, found.account.name
        problem = judge_scope(self._trail, found, operation.scopes)
        if problem is not None:
            raise _Refused(problem)
        return found

    def _parameters(self, operation: Operation) -> dict[str, str]:
        """Return the values of the path parameters in their canonical form."""
        inputs = operation.read_parameters(
            self._route.values if self._route else {},
            self._scope["query_string"].decode("latin-1"),
            lambda name: header_values(self._scope, name.lower().encode()),
        )
        _refuse_if(self._trail, req.PARAMETERS, inputs.issues)
        return dict(inputs.path)

    def _access(self, operation: Operation, principal: Principal, values: Mapping[str, str]) -> None:
        held = {
            parameter.holds: parameter.name
            for parameter in operation.parameters
            if parameter.holds is not None and parameter.location == "path"
        }
        if "enterpriseNumber" not in held:
            return
        employer = EnterpriseNumber(values[held["enterpriseNumber"]])
        world = self._endpoint.world
        year = int(values[held["year"]]) if "year" in held else None
        asked = Asked(employer, self._endpoint.service, world.clock.now(), year)
        problem = judge_enterprise(self._trail, principal.account, asked, world)
        if problem is None and "ssin" in held:
            ssin = Ssin(values[held["ssin"]])
            problem = judge_employment(self._trail, employer, ssin, world, held["ssin"])
        if problem is not None:
            raise _Refused(problem)

    def _media_type(self) -> None:
        content_type = only_header(self._scope, b"content-type")
        charset = [
            part.partition("=")[2].strip(' "').lower()
            for part in (content_type or "").split(";")[1:]
            if part.partition("=")[0].strip().lower() == "charset"
        ]
        encoding = (only_header(self._scope, b"content-encoding") or "identity").strip().lower()
        one = len(header_values(self._scope, b"content-type")) == 1
        if not one or media_type(content_type) != "application/json" or charset not in ([], ["utf-8"]):
            found = "no Content-Type" if content_type is None else shown(content_type)
            self._trail.failed(gateway.MEDIA_TYPE, "application/json in UTF-8", found)
            raise _Refused(problems.unsupported_media_type("The body must be application/json, in UTF-8"))
        if encoding != "identity":
            self._trail.failed(gateway.MEDIA_TYPE, "no Content-Encoding", shown(encoding))
            raise _Refused(problems.unsupported_media_type("The body must not have a content encoding"))
        self._trail.passed(gateway.MEDIA_TYPE)

    async def _body(self) -> bytes:
        limits = self._endpoint.limits
        exchange = self._exchange
        try:
            # The size that is announced before the media type; what is sent is read after it.
            refuse_announced(self._scope, limits.body_bytes)
            self._media_type()
            body = await read_body(self._scope, self._receive, limit=limits.body_bytes, seconds=limits.body_seconds)
        except _Refused as refused:
            refused.unread = True
            raise
        except BodyTooLargeError:
            self._trail.failed(gateway.SIZE, f"at most {limits.body_bytes} bytes", "more")
            raise _Refused(problems.payload_too_large(limits.body_bytes), unread=True) from None
        except BodyTooSlowError:
            self._trail.failed(
                gateway.COMPLETE, f"the whole body within {limits.body_seconds:g} seconds", "only a part of it"
            )
            raise _Refused(problems.request_timeout(limits.body_seconds), unread=True) from None
        self._trail.passed(gateway.SIZE, f"{len(body)} bytes")
        self._trail.passed(gateway.COMPLETE)
        exchange.request.body, exchange.request.body_size = body, len(body)
        return body

    def _document(self, operation: Operation, body: bytes) -> dict[str, Any]:
        issues: list[Issue] = []
        document: Any = None
        try:
            document = strict_json.loads(body)
        except strict_json.StrictJsonError as error:
            detail = "a body is required" if not body else str(error)
            issues = [Issue(problems.SCHEMA_VIOLATION, "body", "", detail)]
        _refuse_if(self._trail, req.JSON, issues)
        if operation.body is not None:
            issues = operation.body.issues(document)
        _refuse_if(self._trail, req.SCHEMA, issues)
        result: dict[str, Any] = document
        return result

    def _read(self, operation: Operation, path: str, url: str) -> dict[str, Any]:
        document = self._endpoint.resources.get(path, operation)
        if document is None:
            self._trail.failed(req.KNOWN, "a resource that was put here", "nothing")
            raise _Refused(problems.resource_not_found("Nothing was put here"))
        self._trail.passed(req.KNOWN)
        return represent(document, url, operation)


def _refuse_if(trail: Trail, requirement: Requirement, issues: list[Issue]) -> None:
    if not issues:
        trail.passed(requirement)
        return
    found = "; ".join(f"{issue.location} {shown(issue.name)}: {issue.detail}" for issue in issues[:_ISSUES_SHOWN])
    more = f"; and {len(issues) - _ISSUES_SHOWN} more" if len(issues) > _ISSUES_SHOWN else ""
    trail.failed(requirement, "no issues", found + more)
    raise _Refused(problems.bad_request(issues))


def _canonical(operation: Operation, values: Mapping[str, str]) -> str:
    parts = (
        quote(values[part[1:-1]], safe="") if part.startswith("{") else part
        for part in operation.template.strip("/").split("/")
    )
    return "/".join(parts)
