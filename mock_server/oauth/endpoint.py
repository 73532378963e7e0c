"""The token endpoint on the wire: `POST …/oauth/v5/token` and, assumed, `GET …/oauth/v5/jwks`.

This is the hottest path, and every byte of the answer matters to some client (facts in the docstrings of
`_success` and `_refusal`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

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
)
from mock_server.exchange import Exchange
from mock_server.gateway.access_token import AccessTokens
from mock_server.gateway.serving import Call, Reply
from mock_server.oauth import requirements as req
from mock_server.oauth.assertion import claimed_subject
from mock_server.oauth.audience import AudienceRule
from mock_server.oauth.authority import Authority
from mock_server.oauth.decision import Grant, judge_assertion
from mock_server.oauth.form import MEDIA_TYPE, read_parameters, read_request
from mock_server.oauth.one_use import note_use
from mock_server.oauth.requirements import ErrorCode, OAuthRequirement
from mock_server.oauth.times import duration
from mock_server.redaction import shown
from mock_server.verdict import Trail
from mock_server.world.world import World

# RFC 6749 §5.1 asks for both of the last two, on errors as well (§5.2).
_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)


_REDACTED = "[redacted]"
_SECRETS = ("client_assertion", "client_secret")


class TokenEndpoint:
    """Exchanges client assertions for access tokens, in one world."""

    def __init__(self, world: World, authority: Authority, tokens: AccessTokens, audience: AudienceRule) -> None:
        self.world = world
        self.authority = authority
        self.policy = authority.policy
        self.tokens = tokens
        self.audience = audience

    async def begin(self, scope: Scope, receive: Receive, exchange: Exchange) -> "_TokenCall":
        """Step 1, and the parameters of step 2. Raises `ClientGoneError`."""
        exchange.operation = "token"
        body = await self._body(exchange.trail, scope, receive)
        if body is None:
            return _TokenCall(self, scope, exchange, None, unread=True)
        parameters = read_parameters(exchange.trail, body, self.policy)
        exchange.request.body_size = len(body)
        if parameters is not None:
            exchange.request.form = {
                name: _REDACTED if name in _SECRETS else value for name, value in parameters.items()
            }
        return _TokenCall(self, scope, exchange, parameters)

    async def _body(self, trail: Trail, scope: Scope, receive: Receive) -> bytes | None:
        """Step 1: method, media type and size before anything is read."""
        method = scope["method"]
        if method != "POST":
            trail.failed(req.METHOD, "POST", shown(method))
            return None
        trail.passed(req.METHOD)
        content_type = only_header(scope, b"content-type")
        encoding = (only_header(scope, b"content-encoding") or "identity").strip().lower()
        if media_type(content_type) != MEDIA_TYPE or len(header_values(scope, b"content-type")) > 1:
            trail.failed(req.MEDIA_TYPE, MEDIA_TYPE, "no Content-Type" if content_type is None else shown(content_type))
            return None
        if encoding != "identity":
            trail.failed(req.MEDIA_TYPE, "no Content-Encoding", shown(encoding))
            return None
        trail.passed(req.MEDIA_TYPE)
        limit, seconds = self.policy.max_form_bytes, self.policy.body_timeout
        try:
            body = await read_body(scope, receive, limit=limit, seconds=seconds)
        except BodyTooLargeError:
            trail.failed(req.SIZE, f"at most {limit} bytes", "more")
            return None
        except BodyTooSlowError:
            trail.failed(req.COMPLETE, f"the whole body within {seconds:g} seconds", "only a part of it")
            return None
        trail.passed(req.SIZE, f"{len(body)} bytes")
        trail.passed(req.COMPLETE)
        return body


class _TokenCall(Call):
    """One token request."""

    def __init__(
        self,
        endpoint: TokenEndpoint,
        scope: Scope,
        exchange: Exchange,
        parameters: Mapping[str, str] | None,
        *,
        unread: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._policy = endpoint.policy
        self._scope = scope
        self._exchange = exchange
        self._trail = exchange.trail
        self._parameters = parameters
        self._unread = unread
        self._grant: Grant | None = None

    def caller(self) -> str | None:
        """Return the subject that the assertion names, verified or not."""
        return claimed_subject((self._parameters or {}).get("client_assertion", ""))

    async def decide(self) -> Reply:
        """Carry out steps 2 to 11."""
        authorization = only_header(self._scope, b"authorization")
        scheme = None if authorization is None else authorization.partition(" ")[0]
        request = None
        if self._parameters is not None:
            query = self._scope["query_string"].decode("latin-1")
            request = read_request(self._trail, self._parameters, scheme, query)
        if request is None:
            return self._refusal(None if self._unread else scheme)
        endpoint, exchange = self._endpoint, self._exchange
        now = endpoint.world.clock.now()
        account, grant = judge_assertion(
            self._trail,
            request.assertion,
            endpoint.authority,
            audiences=endpoint.audience.audiences(self._scope),
            now=now,
            scope=request.scope,
            client_id=request.client_id,
        )
        if account is not None:
            exchange.client_id, exchange.account = account.client_id, account.name
        if grant is None:
            return self._refusal(scheme)
        if self._policy.refuse_replay:
            # Last, so that a request refused for something else neither burns nor poisons a jti.
            used_at = endpoint.world.consume_jti(
                grant.account.client_id, grant.jti, expires_at=grant.expires_at + self._policy.clock_skew, now=now
            )
            note_use(self._trail, used_at)
            if used_at is not None:
                return self._refusal(scheme)
        self._grant = grant
        return self._success(grant, now)

    def with_expired_token(self, reply: Reply) -> Reply:
        """Return the answer with a token that expired a second ago, whatever `expires_in` says."""
        if self._grant is None:
            return reply
        return self._success(self._grant, self._endpoint.world.clock.now() - self._policy.access_token_lifetime - 1)

    def _success(self, grant: Grant, issued_at: float) -> Reply:
        """Return exactly four members, compact, `scope` right after `access_token`: two public clients need that."""
        lifetime = self._policy.access_token_lifetime
        token = self._endpoint.tokens.issue(grant.account, grant.scopes, now=issued_at, lifetime=lifetime)
        members: dict[str, str | int] = {
            "access_token": token,
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
            "expires_in": lifetime,
        }
        body = _json(members)
        return Reply(Answer(200, _HEADERS, body), shown_body=body.replace(token.encode(), _REDACTED.encode()))

    def _refusal(self, scheme: str | None) -> Reply:
        """Derive the refusal from the first failed check (RFC 6749 §5.2).

        Always JSON with an `error`: one generic client takes a problem document for a success. No `WWW-Authenticate`
        unless the client used the Authorization header: another hides the error behind the challenge.
        """
        failure = self._trail.first_failure
        if failure is None or not isinstance(failure.requirement, OAuthRequirement):
            msg = "a refusal is derived from a failed check of the token endpoint"
            raise TypeError(msg)
        requirement = failure.requirement
        error = requirement.error
        if requirement is req.PERMISSION:
            error = ErrorCode(self._policy.no_permission_error)
        elif requirement in {req.ASSERTION_TYPE, req.ASSERTION_PRESENT}:
            error = ErrorCode(self._policy.missing_assertion_error)
        status = self._policy.media_type_status if requirement is req.MEDIA_TYPE else _STATUS.get(requirement.id, 400)
        headers = _HEADERS
        if requirement is req.METHOD:
            headers = (*headers, (b"allow", b"POST"))
        elif error is ErrorCode.INVALID_CLIENT:
            status = self._policy.invalid_client_status
            if scheme is not None:
                status = 401
                headers = (*headers, (b"www-authenticate", _challenge(scheme)))
        description = requirement.description
        if requirement is req.LIFETIME:
            description = description.format(max_lifetime=duration(self._policy.max_lifetime))
        body = _json({"error": error.value, "error_description": description})
        self._exchange.error = error.value
        return Reply(Answer(status, headers, body), unread=self._unread)


_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_STATUS = {req.METHOD.id: 405, req.SIZE.id: 413, req.COMPLETE.id: 408}


def _challenge(scheme: str) -> bytes:
    return b'Bearer realm="oauth"' if scheme.lower() == "bearer" else b'Basic realm="oauth"'


def _json(members: Mapping[str, str | int]) -> bytes:
    return _ENCODE(members).encode()


class KeySetEndpoint:
    """Publishes the public key that access tokens verify with. Assumed: whether the real server does is not known."""

    def __init__(self, tokens: AccessTokens) -> None:
        self._body = _ENCODE(tokens.key_set()).encode()

    async def begin(self, scope: Scope, receive: Receive, exchange: Exchange) -> "_KeySetCall":  # noqa: ARG002 - has no body
        """Nothing has to be found out."""
        exchange.operation = "jwks"
        return _KeySetCall(scope, exchange, self._body)


@dataclass(frozen=True)
class _KeySetCall(Call):
    scope: Scope
    exchange: Exchange
    body: bytes

    async def decide(self) -> Reply:
        """Answer one request."""
        method = self.scope["method"]
        if method not in {"GET", "HEAD"}:
            self.exchange.trail.failed(req.METHOD, "GET", shown(method))
            headers = ((b"allow", b"GET, HEAD"), (b"content-type", b"application/json"))
            self.exchange.error = ErrorCode.INVALID_REQUEST.value
            return Reply(Answer(405, headers, _json({"error": self.exchange.error})), unread=True)
        return Reply(Answer(200, ((b"content-type", b"application/json"),), self.body))
