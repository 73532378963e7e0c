"""What a fault does to a request: answer something else, wait, close the connection, or spoil the answer.

Values and pure functions only; sleeping, sending and closing are the caller's. Every effect answers the same questions,
and most answer most of them with “nothing”:

* `phase`: `before`, and the request is not carried out: `replacement` is sent, or nothing at all; or `after`, and the
  request is carried out and `transform` is applied to its answer;
* `delay_before`, `delay_in_body`: seconds to wait before anything is done, and between the two halves of the body;
* `close`: at which point the connection is closed;
* `token_expired`: whether the token to issue must have expired already;
* `applies_to`: whether the answer can show the effect at all. A request for which it says no is not counted.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from mock_server import problems
from mock_server.asgi import Answer, Header
from mock_server.problems import Problem

TOKEN = "token"  # noqa: S105 - the name of an operation
JWKS = "jwks"
NO_RETRY_AFTER = "none"
DEFAULT_RETRY_AFTER = 1
"""Seconds told with a 429 or a 503 when the fault does not say. Assumed, and short, so that tests are quick."""

_BELGIF = "urn:problem-type:belgif"
_UNAUTHORIZED = HTTPStatus.UNAUTHORIZED
_TOLD_WHEN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_SERVER_ERRORS = 500


class Phase(StrEnum):
    """When an effect acts."""

    BEFORE = "before"
    """The request is not carried out."""
    AFTER = "after"
    """The request is carried out."""


class Close(StrEnum):
    """At which point the connection is closed."""

    BEFORE = "before"
    """Nothing is done, nothing is answered."""
    HEADERS = "headers"
    """After status and headers, which tell the length of the whole body."""
    BODY = "body"
    """After the first half of the body."""
    AFTER_CHANGE = "after-change"
    """The request is carried out, nothing is answered."""


class Malform(StrEnum):
    """In what way an answer is spoiled."""

    JSON = "json"
    TRUNCATE = "truncate"
    CONTENT_TYPE = "content-type"


class TokenFault(StrEnum):
    """In what way the answer to a good token request is wrong."""

    EXPIRED = "expired"
    EXTRA_MEMBER = "extra-member"
    STRING_EXPIRES_IN = "string-expires-in"
    INVALID_CLIENT = "invalid-client"


class Effect(ABC):
    """What is done. What an effect does not say otherwise is: carry the request out and send its answer."""

    __slots__ = ()

    @property
    @abstractmethod
    def members(self) -> dict[str, Any]:
        """The members of `do`, the kind first."""

    @property
    def phase(self) -> Phase:
        """Whether the request is carried out."""
        return Phase.AFTER

    @property
    def delay_before(self) -> float:
        """Seconds to wait before anything is done."""
        return 0.0

    @property
    def delay_in_body(self) -> float:
        """Seconds to wait between the two `halves` of the body."""
        return 0.0

    @property
    def close(self) -> Close | None:
        """Where the connection is closed; None when it is not."""
        return None

    @property
    def token_expired(self) -> bool:
        """Whether the token to issue must have expired already, whatever `expires_in` says."""
        return False

    def replacement(self, operation: str) -> Answer | None:  # noqa: ARG002 - for the effects that answer
        """Return what is sent in place of an answer in phase `before`; None when nothing is."""
        return None

    def applies_to(self, answer: Answer) -> bool:  # noqa: ARG002 - for the effects that need something of the answer
        """Whether this answer can show the effect."""
        return True

    def transform(self, answer: Answer) -> Answer:
        """Return the answer to send, which is the same one when the effect does not apply to it."""
        return answer


@dataclass(frozen=True, slots=True)
class StatusEffect(Effect):
    """An error instead of an answer."""

    status: int
    """400 to 599."""
    retry_after: int | str | None = None
    """Seconds, an HTTP date, `none`, or None: one second for 429 and 503, nothing for the others."""

    @property
    def members(self) -> dict[str, Any]:
        """The members of `do`."""
        return {"status": self.status} | ({} if self.retry_after is None else {"retry_after": self.retry_after})

    @property
    def phase(self) -> Phase:
        """Nothing is carried out."""
        return Phase.BEFORE

    def replacement(self, operation: str) -> Answer:
        """Return the error: of RFC 6749's shape for the token endpoint and its keys, a Belgif problem elsewhere."""
        wait = self._wait()
        headers: tuple[Header, ...] = () if wait is None else ((b"retry-after", str(wait).encode()),)
        if operation in {TOKEN, JWKS}:
            error = _oauth_error(self.status)
            return _oauth_answer(self.status, error, _OAUTH_ERRORS[error], headers)
        problem = _problem(self.status)
        told = {**problem.members, **_when(wait)}
        problem = replace(problem, members=told, headers=(*problem.headers, *headers))
        return problem.answer(problems.new_trace_id())

    def _wait(self) -> int | str | None:
        if self.retry_after is None:
            return DEFAULT_RETRY_AFTER if self.status in _TOLD_WHEN else None
        return None if self.retry_after == NO_RETRY_AFTER else self.retry_after


@dataclass(frozen=True, slots=True)
class DelayEffect(Effect):
    """A wait, in seconds."""

    seconds: float
    in_body: bool = False

    @property
    def members(self) -> dict[str, Any]:
        """The members of `do`."""
        return {"delay": self.seconds} | ({"in": "body"} if self.in_body else {})

    @property
    def delay_before(self) -> float:
        """The wait, unless it is in the body."""
        return 0.0 if self.in_body else self.seconds

    @property
    def delay_in_body(self) -> float:
        """The wait, if it is in the body."""
        return self.seconds if self.in_body else 0.0


@dataclass(frozen=True, slots=True)
class CloseEffect(Effect):
    """A connection closed too early."""

    point: Close

    @property
    def members(self) -> dict[str, Any]:
        """The members of `do`."""
        return {"close": self.point.value}

    @property
    def phase(self) -> Phase:
        """Only `before` leaves the request undone."""
        return Phase.BEFORE if self.point is Close.BEFORE else Phase.AFTER

    @property
    def close(self) -> Close:
        """Where the connection is closed."""
        return self.point


@dataclass(frozen=True, slots=True)
class MalformEffect(Effect):
    """An answer that is well-formed HTTP, and wrong all the same."""

    kind: Malform

    @property
    def members(self) -> dict[str, Any]:
        """The members of `do`."""
        return {"malform": self.kind.value}

    def applies_to(self, answer: Answer) -> bool:
        """Whether there is a body, and for the faults of JSON, a JSON object or array in it."""
        body = answer.body.strip()
        return bool(body) if self.kind is Malform.CONTENT_TYPE else body[:1] + body[-1:] in {b"{}", b"[]"}

    def transform(self, answer: Answer) -> Answer:
        """Return the answer spoiled; its status and other headers stay."""
        if not self.applies_to(answer):
            return answer
        if self.kind is Malform.CONTENT_TYPE:
            headers = (header for header in answer.headers if header[0] != b"content-type")
            return replace(answer, headers=((b"content-type", b"text/html"), *headers))
        if self.kind is Malform.TRUNCATE:
            return replace(answer, body=halves(answer.body)[0])
        # The last bracket becomes one of the other kind: not even a lenient parser reads that, and the length stays.
        body = answer.body.rstrip()
        return replace(answer, body=body[:-1] + (b"]" if body.endswith(b"}") else b"}"))


@dataclass(frozen=True, slots=True)
class TokenEffect(Effect):
    """A wrong answer to a good token request; refusals are left alone."""

    kind: TokenFault

    @property
    def members(self) -> dict[str, Any]:
        """The members of `do`."""
        return {"token": self.kind.value}

    @property
    def token_expired(self) -> bool:
        """Whether the token must have expired: no change of the answer could make it so."""
        return self.kind is TokenFault.EXPIRED

    def applies_to(self, answer: Answer) -> bool:
        """Whether the answer carries a token."""
        return _token_members(answer) is not None

    def transform(self, answer: Answer) -> Answer:
        """Return the success changed in one thing, or turned into a refusal."""
        members = _token_members(answer)
        if members is None or self.kind is TokenFault.EXPIRED:
            return answer
        if self.kind is TokenFault.INVALID_CLIENT:
            body = {"error": "invalid_client", "error_description": _OAUTH_ERRORS["invalid_client"]}
            return replace(answer, status=HTTPStatus.BAD_REQUEST.value, body=_json(body))
        if self.kind is TokenFault.EXTRA_MEMBER:
            changed = members | {"mock_fault": self.kind.value}
        else:
            changed = members | {"expires_in": str(members["expires_in"])}
        return replace(answer, body=_json(changed))


def halves(body: bytes) -> tuple[bytes, bytes]:
    """Return the two halves of a body; the first one is the shorter when the length is odd."""
    middle = len(body) // 2
    return body[:middle], body[middle:]


# Title and detail by status (Belgif rest-guide, problems); a status without a type of its own gets about:blank.
_PROBLEMS: Mapping[int, tuple[str, str, str]] = {
    400: ("badRequest", "Bad Request", "The request was refused"),
    403: ("missingPermission", "Missing Permission", "Not permitted"),
    404: ("resourceNotFound", "Resource Not Found", "No such resource"),
    413: ("payloadTooLarge", "Payload Too Large", "The request message is too large"),
    429: ("tooManyRequests", "Too Many Requests", "The quota of requests is used up"),
    500: ("internalServerError", "Internal Server Error", "The server met a situation that it cannot handle"),
    502: ("badGateway", "Bad Gateway", "The server behind this one gave an invalid answer"),
    503: ("serviceUnavailable", "Service is unavailable", "The service is down for a moment"),
}


def _problem(status: int) -> Problem:
    if status == _UNAUTHORIZED:
        return problems.invalid_access_token()
    if status in _PROBLEMS:
        name, title, detail = _PROBLEMS[status]
        return Problem(f"{_BELGIF}:{name}", title, status, detail)
    # RFC 9110 §15.5.6 wants an Allow header with 405; an empty one allows nothing.
    allow: tuple[Header, ...] = ((b"allow", b""),) if status == HTTPStatus.METHOD_NOT_ALLOWED else ()
    return Problem("about:blank", _phrase(status), status, "The request was not carried out", headers=allow)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unassigned Status"


def _when(wait: int | str | None) -> dict[str, Any]:
    """Return what Belgif's problems tell beside the header: seconds, or a moment (RFC 3339)."""
    if wait is None:
        return {}
    if isinstance(wait, int):
        return {"retryAfterSec": wait}
    return {"retryAfter": parsedate_to_datetime(wait).isoformat().replace("+00:00", "Z")}


# Assumed: no error body of the real endpoint is public. server_error and temporarily_unavailable are registered for
# another endpoint (RFC 6749 §4.1.2.1), but §5.2 has no word for a failure of the server, and clients need an `error`.
_OAUTH_ERRORS = {
    "invalid_request": "The request was refused",
    "invalid_client": "Client authentication failed",
    "temporarily_unavailable": "The authorization server cannot handle the request for now",
    "server_error": "The authorization server met a situation that it cannot handle",
}
# RFC 6749 §5.1 and §5.2.
_OAUTH_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)


def _oauth_error(status: int) -> str:
    if status in _TOLD_WHEN:
        return "temporarily_unavailable"
    if status == _UNAUTHORIZED:
        return "invalid_client"
    return "server_error" if status >= _SERVER_ERRORS else "invalid_request"


def _oauth_answer(status: int, error: str, description: str, headers: tuple[Header, ...]) -> Answer:
    body = _json({"error": error, "error_description": description})
    return Answer(status, (*_OAUTH_HEADERS, *headers), body)


def _token_members(answer: Answer) -> dict[str, Any] | None:
    """Return the members of a token answer; None for anything else."""
    if answer.status != HTTPStatus.OK:
        return None
    try:
        members = json.loads(answer.body)
    except ValueError:
        return None
    return members if isinstance(members, dict) and {"access_token", "expires_in"} <= members.keys() else None


def _json(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()
