"""An API on the wire: the gateway's decisions in their order, then the resource.

Route and method (404, 405), token (401), scope (403), parameters (400), access (403, 404), size and media type (413,
415), body (400 with every issue).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

from mock_server import problems, strict_json
from mock_server.asgi import (
    Answer,
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    Header,
    Receive,
    Scope,
    Send,
    answer,
    answer_unread,
    header_values,
    host_of,
    media_type,
    only_header,
    read_body,
)
from mock_server.clock import Clock
from mock_server.exchange import Exchange, Observer
from mock_server.gateway import requirements as gateway
from mock_server.gateway import routes
from mock_server.gateway.access_token import AccessTokens
from mock_server.gateway.bearer import Principal, authenticate, judge_scope
from mock_server.identifiers import EnterpriseNumber, ServiceName, Ssin
from mock_server.problems import Issue, Problem
from mock_server.redaction import shown
from mock_server.services import requirements as req
from mock_server.services.access import judge_employment, judge_enterprise
from mock_server.services.contract import Contract, Operation, Route
from mock_server.services.resources import Resources, encode, represent
from mock_server.verdict import Requirement, Trail
from mock_server.world.store import World

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


@dataclass(slots=True)
class _Call:
    """One call while it is decided."""

    scope: Scope
    trail: Trail
    now: float
    template: str = "(no such route)"
    principal: Principal | None = None


class ApiEndpoint:
    """Serves one API in one world."""

    def __init__(  # noqa: PLR0913 - the parts that the composition joins
        self,
        name: str,
        service: ServiceName,
        contract: Contract,
        world: World,
        tokens: AccessTokens,
        clock: Clock,
        observer: Observer,
        *,
        limits: Limits,
        base_url: str,
        hosts: Iterable[str],
    ) -> None:
        self._service = service
        self._contract = contract
        self._world = world
        self._resources = Resources(world, name)
        self._tokens = tokens
        self._clock = clock
        self._observer = observer
        self._limits = limits
        self._base_url = base_url
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = _Call(scope, Trail(), self._clock.now())
        trace_id = problems.new_trace_id()
        try:
            document = await self._decide(call, receive)
        except ClientGoneError:
            return
        except _Refused as refused:
            problem = refused.problem
            self._observe(call, problem.status, problem.name)
            reply = problem.answer(trace_id)
            await (answer_unread(scope, receive, send, reply) if refused.unread else answer(send, reply))
            return
        self._observe(call, 200, None)
        body = encode(document).encode()
        await answer(send, Answer(200, (_JSON, problems.trace_header(trace_id)), body))

    def _observe(self, call: _Call, status: int, error: str | None) -> None:
        name = f"{call.scope['method'][:16]} {call.template}"
        client_id = call.principal.account.client_id if call.principal else None
        self._observer(Exchange(name, status, call.trail, client_id, error))

    async def _decide(self, call: _Call, receive: Receive) -> dict[str, Any]:
        """Return the document to answer with. Raises `_Refused`."""
        try:
            route, operation = self._route(call)
            principal = self._principal(call, operation)
            values = self._parameters(call, operation, route)
            self._access(call, operation, principal, values)
            if operation.body is not None:
                self._media_type(call)
        except _Refused as refused:
            # Nothing of the body has been read: what is still coming must not hide the answer.
            refused.unread = True
            raise
        path = _canonical(operation, values)
        url = f"{self._called(call.scope)}{self._contract.base_path}/{path}"
        if operation.body is None:
            return self._read(call, operation, path, url)
        document = self._document(call, operation, await self._body(call, receive))
        self._resources.put(path, document)
        return represent(document, url, operation)

    def _route(self, call: _Call) -> tuple[Route, Operation]:
        raw: bytes = call.scope.get("raw_path") or quote(call.scope["path"]).encode()
        route = self._contract.route(raw.decode("latin-1").removeprefix(self._contract.base_path))
        if route is None:
            raise _Refused(routes.no_such_route(call.trail))
        call.trail.passed(gateway.ROUTE)
        call.template = route.template
        method = call.scope["method"]
        operation = route.operations.get(method)
        if operation is None:
            allowed = sorted(route.operations)
            call.trail.failed(gateway.METHOD, " or ".join(allowed), shown(method))
            raise _Refused(problems.method_not_allowed(allowed))
        call.trail.passed(gateway.METHOD, method)
        return route, operation

    def _principal(self, call: _Call, operation: Operation) -> Principal:
        found = authenticate(call.trail, call.scope, self._tokens, self._world.account, call.now)
        if isinstance(found, Problem):
            raise _Refused(found)
        call.principal = found
        problem = judge_scope(call.trail, found, operation.scopes)
        if problem is not None:
            raise _Refused(problem)
        return found

    @staticmethod
    def _parameters(call: _Call, operation: Operation, route: Route) -> dict[str, str]:
        """Return the values of the path parameters in their canonical form."""
        issues: list[Issue] = []
        values: dict[str, str] = {}
        query = dict(parse_qsl(call.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        for parameter in operation.parameters:
            if parameter.location == "path":
                text: str | None = route.values[parameter.name]
            elif parameter.location == "query":
                text = query.pop(parameter.name, None)
            else:
                text = only_header(call.scope, parameter.name.lower().encode())
            if text is None:
                if parameter.required:
                    detail = "this parameter is required"
                    issues.append(Issue(problems.SCHEMA_VIOLATION, parameter.location, parameter.name, detail))
                continue
            value, found = parameter.read(text)
            issues += found
            if parameter.location == "path":
                values[parameter.name] = value
        issues += [
            Issue(problems.UNKNOWN_INPUT, "query", name, "this query parameter is not known here") for name in query
        ]
        _refuse_if(call.trail, req.PARAMETERS, issues)
        return values

    def _access(self, call: _Call, operation: Operation, principal: Principal, values: Mapping[str, str]) -> None:
        held = {
            parameter.holds: parameter.name
            for parameter in operation.parameters
            if parameter.holds is not None and parameter.location == "path"
        }
        if "enterpriseNumber" not in held:
            return
        employer = EnterpriseNumber(values[held["enterpriseNumber"]])
        problem = judge_enterprise(call.trail, principal.account, employer, self._service, self._world, call.now)
        if problem is None and "ssin" in held:
            ssin = Ssin(values[held["ssin"]])
            problem = judge_employment(call.trail, employer, ssin, self._world, held["ssin"])
        if problem is not None:
            raise _Refused(problem)

    @staticmethod
    def _media_type(call: _Call) -> None:
        content_type = only_header(call.scope, b"content-type")
        charset = [
            part.partition("=")[2].strip(' "').lower()
            for part in (content_type or "").split(";")[1:]
            if part.partition("=")[0].strip().lower() == "charset"
        ]
        encoding = (only_header(call.scope, b"content-encoding") or "identity").strip().lower()
        one = len(header_values(call.scope, b"content-type")) == 1
        if not one or media_type(content_type) != "application/json" or charset not in ([], ["utf-8"]):
            found = "no Content-Type" if content_type is None else shown(content_type)
            call.trail.failed(gateway.MEDIA_TYPE, "application/json in UTF-8", found)
            raise _Refused(problems.unsupported_media_type("The body must be application/json, in UTF-8"))
        if encoding != "identity":
            call.trail.failed(gateway.MEDIA_TYPE, "no Content-Encoding", shown(encoding))
            raise _Refused(problems.unsupported_media_type("The body must not have a content encoding"))
        call.trail.passed(gateway.MEDIA_TYPE)

    async def _body(self, call: _Call, receive: Receive) -> bytes:
        limits = self._limits
        try:
            body = await read_body(call.scope, receive, limit=limits.body_bytes, seconds=limits.body_seconds)
        except BodyTooLargeError:
            call.trail.failed(gateway.SIZE, f"at most {limits.body_bytes} bytes", "more")
            raise _Refused(problems.payload_too_large(limits.body_bytes), unread=True) from None
        except BodyTooSlowError:
            call.trail.failed(
                gateway.COMPLETE, f"the whole body within {limits.body_seconds:g} seconds", "only a part of it"
            )
            raise _Refused(problems.request_timeout(limits.body_seconds), unread=True) from None
        call.trail.passed(gateway.SIZE, f"{len(body)} bytes")
        call.trail.passed(gateway.COMPLETE)
        return body

    @staticmethod
    def _document(call: _Call, operation: Operation, body: bytes) -> dict[str, Any]:
        issues: list[Issue] = []
        document: Any = None
        try:
            document = strict_json.loads(body)
        except strict_json.StrictJsonError as error:
            detail = "a body is required" if not body else str(error)
            issues = [Issue(problems.SCHEMA_VIOLATION, "body", "", detail)]
        _refuse_if(call.trail, req.JSON, issues)
        if operation.body is not None:
            issues = operation.body.issues(document)
        _refuse_if(call.trail, req.SCHEMA, issues)
        result: dict[str, Any] = document
        return result

    def _read(self, call: _Call, operation: Operation, path: str, url: str) -> dict[str, Any]:
        document = self._resources.get(path, operation)
        if document is None:
            call.trail.failed(req.KNOWN, "a resource that was put here", "nothing")
            raise _Refused(problems.resource_not_found("Nothing was put here"))
        call.trail.passed(req.KNOWN)
        return represent(document, url, operation)

    def _called(self, scope: Scope) -> str:
        """Return the start of absolute links: the URL called if its host is one of ours, the server's own otherwise."""
        host = host_of(scope)
        known = host is not None and host[1] in self._hosts
        return f"{scope['scheme']}://{host[0]}" if host and known else self._base_url


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
