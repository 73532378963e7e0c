"""An API on the wire: the gateway's decisions in their order, then what the operation does.

Route and method (404, 405), token (401), scope (403), the service's phase, path parameters (400), access (403, 404),
what the client accepts (406), size and media type (413, 415), everything that was sent (400 with every issue), rules of
the service (400).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import zip_longest
from urllib.parse import quote, unquote_to_bytes

from mock_server import problems
from mock_server.asgi import Answer, Receive, Scope, header_values, only_header
from mock_server.exchange import NO_ROUTE, Exchange
from mock_server.gateway import requirements as gateway
from mock_server.gateway import routes
from mock_server.gateway.access_token import AccessTokens
from mock_server.gateway.addresses import Addresses
from mock_server.gateway.bearer import Principal, authenticate, claimed_client, judge_scope
from mock_server.gateway.serving import Call, Reply
from mock_server.problems import Issue, Problem
from mock_server.redaction import shown
from mock_server.services import requirements as req
from mock_server.services.admission import Admission
from mock_server.services.answering import answered, status_of
from mock_server.services.behaviour import Finding, Findings, Place
from mock_server.services.catalogue import Api
from mock_server.services.contract import Contract, Inputs, Operation, Route
from mock_server.services.conventions import Convention, Role, conventions
from mock_server.services.documents.reader import TEMPLATE_NAME
from mock_server.services.documents.values import query_pairs
from mock_server.services.entity import Incoming, Limits
from mock_server.services.negotiation import negotiate, offered
from mock_server.services.outcomes import (
    NOTHING,
    Asked,
    BrokenRulesError,
    CannotAnswerError,
    NoneHereError,
    ThereAlreadyError,
    UnfitError,
)
from mock_server.services.phase import judge_phase
from mock_server.services.refused import Refused, in_words, refused, with_others
from mock_server.services.refusing import refusal
from mock_server.services.resources import Resources
from mock_server.services.scopes import required_scopes
from mock_server.strict_json import Json
from mock_server.verdict import Provenance, Requirement
from mock_server.world.model import Service
from mock_server.world.world import World

__all__ = ["ApiEndpoint", "Limits", "Served"]

_WARNED = "warnings"
_LONGEST_PATH = 1_000
"""Characters below the base path, percent-encoded: PostgreSQL's indexes hold it twice, in 2,700 bytes."""


@dataclass(frozen=True)
class Served:
    """An API that is served, and what all worlds share of it."""

    api: Api
    service: Service
    contract: Contract
    rules: frozenset[Provenance]
    """Which rules of the service apply, by how well they are known."""

    @cached_property
    def conventions(self) -> Mapping[str, Convention]:
        """What each operation does, by its name."""
        return conventions(self.contract)

    @cached_property
    def scopes(self) -> Mapping[str, Sequence[Sequence[str]]]:
        """What scopes each operation asks for, by its name."""
        return {one.name: required_scopes(one, self.api, self.service) for one in self.contract.operations}


class ApiEndpoint:
    """Serves one API in one world."""

    def __init__(
        self, served: Served, world: World, tokens: AccessTokens, *, limits: Limits, addresses: Addresses
    ) -> None:
        self.served = served
        self.contract = served.contract
        self.world = world
        self.behaviour = served.api.behaviour(world)
        self.resources = Resources(world, served.api.name, self.judge, self.behaviour.shown, served.api.mentioned)
        self.tokens = tokens
        self.limits = limits
        self.addresses = addresses

    def judge(self, document: object, place: Place) -> Findings:
        """Return what those rules of the service that apply have against a document."""
        return self.behaviour.judge(document, place).known(self.served.rules)

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
        drops = endpoint.served.api.reading.read_only == "ignore"
        self._incoming = Incoming(scope, receive, exchange, endpoint.limits, drops_read_only=drops)
        self._exchange = exchange
        self._trail = exchange.trail
        self._route: Route | None = None
        self._operation: Operation | None = None

    def find_route(self) -> None:
        """Find out which operation is called, and with which path parameters."""
        raw: bytes = self._scope.get("raw_path") or quote(self._scope["path"]).encode()
        contract = self._endpoint.contract
        path = raw.decode("latin-1").removeprefix(contract.base_path)
        self._route = contract.route(path) if _is_utf8(raw) else None
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
        values = route.of(operation)
        return {name: readers[name].read(text)[0] if name in readers else text for name, text in values.items()}

    def caller(self) -> str | None:
        """Return the client that the access token is of, expired or not."""
        return claimed_client(self._scope, self._endpoint.tokens)

    async def decide(self) -> Reply:
        """Answer one call."""
        trace_id = problems.new_trace_id()
        try:
            made = await self._decide()
        except Refused as ended:
            self._exchange.error = ended.problem.name
            return Reply(refusal(ended.problem, self._operation, trace_id), unread=ended.unread)
        answer = Answer(made.status, (*made.headers, problems.trace_header(trace_id)), made.body)
        is_read = self._operation is not None and self._operation.body is not None
        return Reply(answer, unread=not is_read and self._incoming.has_body)

    async def _decide(self) -> Answer:
        """Return the answer to a call that goes well. Raises `Refused`."""
        try:
            operation = self._operation = self._find_operation()
            convention = self._endpoint.served.conventions[operation.name]
            principal = self._principal(operation)
            self._phase()
            inputs, path = self._parameters(operation)
            served = self._endpoint.served
            admission = Admission(self._trail, self._scope, self._endpoint.world, served.service, served.rules)
            place = admission.place(operation, principal, inputs, path, is_apart=convention.is_apart)
            self._accept(operation)
        except Refused as ended:
            # Nothing of the body has been read: what is still coming must not hide the answer.
            ended.unread = True
            raise
        body = await self._body(operation, inputs.issues)
        if isinstance(body, bytes):
            # A file: it is not kept, and is answered as the contract's example has it.
            convention, body = replace(convention, role=Role.ANSWERS), NOTHING
        warnings = self._rules(convention, body, place)
        # A HEAD tells of what the GET would answer.
        told = convention.read if self._scope["method"] == "HEAD" and convention.read is not None else operation
        query = query_pairs(self._scope["query_string"].decode("latin-1"))
        asked = Asked(told, convention, place, self._url(told, place), query, inputs.values, body)
        key = convention.members.key if convention.members is not None else None
        if key is not None and key.holds is not None:
            asked = admission.with_keys_judged(asked, principal, key)
        return self._carry_out(asked, warnings)

    def _find_operation(self) -> Operation:
        if self._route is None:
            raise Refused(routes.no_such_route(self._trail))
        self._trail.passed(gateway.ROUTE)
        method = self._scope["method"]
        operation = self._route.operations.get(method)
        if operation is None:
            allowed = sorted(self._route.operations)
            self._trail.failed(gateway.METHOD, " or ".join(allowed), shown(method))
            raise Refused(problems.method_not_allowed(allowed))
        self._trail.passed(gateway.METHOD, method)
        return operation

    def _principal(self, operation: Operation) -> Principal:
        endpoint, exchange = self._endpoint, self._exchange
        now = endpoint.world.clock.now()
        found = authenticate(self._trail, self._scope, endpoint.tokens, endpoint.world.active_account, now)
        if isinstance(found, Problem):
            raise Refused(found)
        exchange.client_id, exchange.account = found.account.client_id, found.account.name
        problem = judge_scope(self._trail, found, endpoint.served.scopes[operation.name])
        if problem is not None:
            raise Refused(problem)
        return found

    def _phase(self) -> None:
        endpoint = self._endpoint
        ends = endpoint.served.service.ends
        problem = judge_phase(self._trail, endpoint.world.settings, self._scope["method"], ends=ends)
        if problem is not None:
            raise Refused(problem)

    def _parameters(self, operation: Operation) -> tuple[Inputs, str]:
        """Return the parameters, and the path that they stand in, in its canonical form."""
        inputs = operation.read_parameters(
            self._route.of(operation) if self._route else {},
            self._scope["query_string"].decode("latin-1"),
            lambda name: header_values(self._scope, name.lower().encode()),
        )
        guards = {(one.location, one.parameter) for one in operation.held.values()}
        if any(issue.location == "path" or (issue.location, issue.name) in guards for issue in inputs.issues):
            # Without these nobody knows whom the call is about.
            raise refused(self._trail, req.PARAMETERS, inputs.issues)
        self._exchange.parameters = dict(inputs.path)
        path = _canonical(operation, inputs.path)
        if len(path) > _LONGEST_PATH:
            self._trail.failed(req.PARAMETERS, f"a path of at most {_LONGEST_PATH} characters, encoded", "a longer one")
            raise Refused(problems.uri_too_long(_LONGEST_PATH))
        return inputs, path

    async def _body(self, operation: Operation, others: Sequence[Issue]) -> Json:
        """Return the value of the body; a 400 has its issues and those of the parameters at once."""
        ended = None
        if others:
            ended = refused(self._trail, req.PARAMETERS, others)
            ended.unread = operation.body is None
        else:
            self._trail.passed(req.PARAMETERS)
        body = NOTHING
        try:
            if operation.body is not None:
                body = await self._incoming.value(operation.body)
        except Refused as of_body:
            raise with_others(of_body, others) from None
        if ended is not None:
            raise ended
        return body

    def _accept(self, operation: Operation) -> None:
        contents = operation.success.contents if operation.success is not None else ()
        accept = only_header(self._scope, b"accept")
        if contents and negotiate(accept, contents) is None:
            media_types = [content.media_type for content in offered(contents)]
            self._trail.failed(req.ACCEPT, " or ".join(media_types), shown(accept))
            raise Refused(problems.not_acceptable(media_types))
        self._trail.passed(req.ACCEPT)

    def _rules(self, convention: Convention, body: object, place: Place) -> Sequence[Finding]:
        """Return the warnings of the service's rules about what was sent. Raises `Refused` for their errors."""
        if body is NOTHING or convention.role not in {Role.REPLACES, Role.ADDS}:
            return ()
        findings = self._endpoint.judge(body, place)
        if findings.errors:
            raise self._broken(findings.errors)
        for warning in findings.warnings:
            self._trail.passed(warning.requirement, f"a warning: {in_words([warning.issue])}")
        return findings.warnings

    def _broken(self, errors: Sequence[Finding]) -> Refused:
        by_rule: dict[Requirement, list[Issue]] = {}
        for error in errors:
            by_rule.setdefault(error.requirement, []).append(error.issue)
        for requirement, issues in by_rule.items():
            self._trail.failed(requirement, "no issues", in_words(issues))
        return Refused(problems.bad_request([error.issue for error in errors]))

    def _carry_out(self, asked: Asked, warnings: Sequence[Finding]) -> Answer:
        trail, resources = self._trail, self._endpoint.resources
        try:
            # What cannot be answered has not happened either.
            with resources.one_change(asked):
                outcome = resources.carry_out(asked)
                told = [*warnings, *outcome.warnings]
                more = {_WARNED: [one.issue.as_dict() for one in told]} if told else {}
                made = answered(asked, outcome, only_header(self._scope, b"accept"), more)
                if outcome.change is not None:
                    outcome.change()
            if self._scope["method"] == "HEAD" and self._operation is not None:
                made = replace(made, status=status_of(self._operation, asked.convention.role, was_made=False))
        except NoneHereError:
            trail.failed(req.KNOWN, "a resource that was put or added here", "nothing")
            raise Refused(problems.resource_not_found("There is nothing at this path")) from None
        except ThereAlreadyError:
            trail.failed(req.FREE, "an identifier that is free", "one that a member of the collection has")
            raise Refused(problems.conflict("There is a member with this identifier already")) from None
        except UnfitError as error:
            raise refused(trail, req.FITTING, error.issues) from None
        except BrokenRulesError as error:
            raise self._broken(error.errors) from None
        except CannotAnswerError as error:
            raise self._unanswerable(error) from None
        if asked.convention.role is not Role.REPLACES:
            trail.passed(req.KNOWN)
        trail.passed(req.ANSWER)
        return made

    def _unanswerable(self, error: CannotAnswerError) -> Refused:
        advice = "Give the contract an example of this answer, or mend its schema."
        self._trail.failed(req.ANSWER, "an answer that is valid by the contract", str(error), advice)
        return Refused(problems.answer_unfit())

    def _url(self, operation: Operation, place: Place) -> str:
        endpoint = self._endpoint
        slash = "/" if operation.template.endswith("/") else ""
        return f"{endpoint.addresses.called_or_own(self._scope)}{endpoint.contract.base_path}/{place.path}{slash}"


def _is_utf8(raw: bytes) -> bool:
    """Whether a percent-encoded path says text: what is not UTF-8 would be read as one and the same character."""
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True


def _canonical(operation: Operation, values: Mapping[str, str]) -> str:
    fixed, names = _parts(operation)
    written = [quote(values[name], safe="") for name in names]
    return "".join(part for pair in zip_longest(fixed, written, fillvalue="") for part in pair)


@lru_cache(maxsize=8_192)
def _parts(operation: Operation) -> tuple[list[str], list[str]]:
    """Return the fixed parts of a path, and the names of the parameters between them."""
    path = operation.template.strip("/")
    return TEMPLATE_NAME.sub("{}", path).split("{}"), TEMPLATE_NAME.findall(path)
