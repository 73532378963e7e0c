"""The token endpoint on the wire: `POST …/oauth/v5/token` and, assumed, `GET …/oauth/v5/jwks`.

Plain ASGI, since this is the hottest path and every byte of the answer matters to some client (facts in the
docstrings of `_success` and `_refusal`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

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
    media_type,
    only_header,
    read_body,
)
from mock_server.clock import Clock
from mock_server.exchange import Exchange, Observer
from mock_server.gateway.access_token import AccessTokens
from mock_server.oauth import requirements as req
from mock_server.oauth.audience import AudienceRule
from mock_server.oauth.decision import Authority, judge_assertion
from mock_server.oauth.form import MEDIA_TYPE, read_parameters, read_request
from mock_server.oauth.one_use import note_use
from mock_server.oauth.requirements import ErrorCode, OAuthRequirement
from mock_server.redaction import shown
from mock_server.verdict import Trail
from mock_server.world.model import Account
from mock_server.world.store import World

# RFC 6749 §5.1 asks for both of the last two, on errors as well (§5.2).
_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)


@dataclass(frozen=True, slots=True)
class _Reply:
    answer: Answer
    error: str | None = None
    account: Account | None = None


class TokenEndpoint:
    """Exchanges client assertions for access tokens, in one world."""

    def __init__(  # noqa: PLR0913 - the parts that the composition joins
        self,
        world: World,
        authority: Authority,
        tokens: AccessTokens,
        audience: AudienceRule,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._world = world
        self._authority = authority
        self._policy = authority.policy
        self._tokens = tokens
        self._audience = audience
        self._clock = clock
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        trail = Trail()
        try:
            body = await self._body(trail, scope, receive)
        except ClientGoneError:
            return
        if body is None:
            refusal = self._refusal(trail, None)
            self._observe(trail, refusal)
            await answer_unread(scope, receive, send, refusal.answer)
            return
        reply = self._decide(trail, scope, body)
        self._observe(trail, reply)
        await answer(send, reply.answer)

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
        limit, seconds = self._policy.max_form_bytes, self._policy.body_timeout
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

    def _decide(self, trail: Trail, scope: Scope, body: bytes) -> _Reply:
        authorization = only_header(scope, b"authorization")
        scheme = None if authorization is None else authorization.partition(" ")[0]
        parameters = read_parameters(trail, body, self._policy)
        if parameters is None:
            return self._refusal(trail, scheme)
        request = read_request(trail, parameters, scheme, scope["query_string"].decode("latin-1"))
        if request is None:
            return self._refusal(trail, scheme)
        now = self._clock.now()
        account, grant = judge_assertion(
            trail,
            request.assertion,
            self._authority,
            audiences=self._audience.audiences(scope),
            now=now,
            scope=request.scope,
            client_id=request.client_id,
        )
        if grant is None:
            return self._refusal(trail, scheme, account)
        if self._policy.refuse_replay:
            # Last, so that a request refused for something else neither burns nor poisons a jti.
            is_new = self._world.consume_jti(
                grant.account.client_id, grant.jti, expires_at=grant.expires_at + self._policy.clock_skew, now=now
            )
            note_use(trail, is_new=is_new)
            if not is_new:
                return self._refusal(trail, scheme, account)
        lifetime = self._policy.access_token_lifetime
        token = self._tokens.issue(grant.account, grant.scopes, now=now, lifetime=lifetime)
        return _success(token, grant.scopes, lifetime, grant.account)

    def _refusal(self, trail: Trail, scheme: str | None, account: Account | None = None) -> _Reply:
        """Derive the refusal from the first failed check (RFC 6749 §5.2).

        Always JSON with an `error`: one generic client takes a problem document for a success. No `WWW-Authenticate`
        unless the client used the Authorization header: another hides the error behind the challenge.
        """
        failure = trail.first_failure
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
        body = _json({"error": error.value, "error_description": requirement.description})
        return _Reply(Answer(status, headers, body), error.value, account)

    def _observe(self, trail: Trail, reply: _Reply) -> None:
        client_id = None if reply.account is None else reply.account.client_id
        self._observer(Exchange("token", reply.answer.status, trail, client_id, reply.error))


_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_STATUS = {req.METHOD.id: 405, req.SIZE.id: 413, req.COMPLETE.id: 408}


def _challenge(scheme: str) -> bytes:
    return b'Bearer realm="oauth"' if scheme.lower() == "bearer" else b'Basic realm="oauth"'


def _success(token: str, scopes: tuple[str, ...], lifetime: int, account: Account) -> _Reply:
    """Return exactly four members, compact, `scope` right after `access_token`: two public clients need just that."""
    members: dict[str, str | int] = {
        "access_token": token,
        "scope": " ".join(scopes),
        "token_type": "Bearer",
        "expires_in": lifetime,
    }
    return _Reply(Answer(200, _HEADERS, _json(members)), None, account)


def _json(members: Mapping[str, str | int]) -> bytes:
    return _ENCODE(members).encode()


class KeySetEndpoint:
    """Publishes the public key that access tokens verify with. Assumed: whether the real server does is not known."""

    def __init__(self, tokens: AccessTokens) -> None:
        self._body = _ENCODE(tokens.key_set()).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "GET":
            headers = ((b"allow", b"GET"), (b"content-type", b"application/json"))
            await answer_unread(scope, receive, send, Answer(405, headers, _json({"error": "invalid_request"})))
            return
        await answer(send, Answer(200, ((b"content-type", b"application/json"),), self._body))
