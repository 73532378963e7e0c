"""Problems: the error bodies of the platform's REST APIs (RFC 9457; Belgif rest-guide, problems).

The platform says that its APIs follow the Belgif style guide; which types the real FLA emits is not public, except
`invalidAccessToken`, which the developer guide prints.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mock_server.asgi import Answer, Header

_HREF = "https://www.belgif.be/specification/rest/api-guide"
_BELGIF = "urn:problem-type:belgif"
_REALM = "fla-mock"

SCHEMA_VIOLATION = f"{_BELGIF}:input-validation:schemaViolation"
INVALID_INPUT = f"{_BELGIF}:input-validation:invalidInput"
UNKNOWN_INPUT = f"{_BELGIF}:input-validation:unknownInput"
REFERENCED_RESOURCE_NOT_FOUND = f"{_BELGIF}:input-validation:referencedResourceNotFound"
INVALID_STRUCTURE = "urn:problem-type:belgif-ext:input-validation:invalidStructure"
OUT_OF_RANGE = "urn:problem-type:belgif-ext:input-validation:outOfRange"
REJECTED_INPUT = "urn:problem-type:belgif-ext:input-validation:rejectedInput"
INVALID_PERIOD = "urn:problem-type:belgif-ext:input-validation:invalidPeriod"

_ISSUE_TITLES = {
    SCHEMA_VIOLATION: "Input isn't valid with respect to schema",
    INVALID_INPUT: "Invalid input",
    UNKNOWN_INPUT: "Unknown input",
    REFERENCED_RESOURCE_NOT_FOUND: "Referenced resource not found",
    INVALID_STRUCTURE: "Input value has invalid structure",
    OUT_OF_RANGE: "Input value is out of range",
    REJECTED_INPUT: "Input is not allowed in this context",
    INVALID_PERIOD: "Period is invalid",
}


def new_trace_id() -> str:
    """Return an id for an answer: random, never copied from the request (Belgif, rule trc-header)."""
    return str(uuid.uuid4())


def trace_header(trace_id: str) -> Header:
    """Return the header that carries a trace id."""
    return b"belgov-trace-id", trace_id.encode()


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with the input: where (`body`, `path`, `query`, `header`), which member, what.

    An issue of a `resourceNotFound` has no type: it names the path parameter that identifies nothing.
    """

    type: str | None
    location: str
    name: str
    detail: str
    value: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return the members of a Belgif InputValidationIssue; a value of None is left out."""
        members: dict[str, Any] = {}
        if self.type is not None:
            kind = self.type.rpartition(":")[2]
            folder = "issues/ext" if ":belgif-ext:" in self.type else "issues"
            members = {"type": self.type, "href": f"{_HREF}/{folder}/{kind}.html", "title": _ISSUE_TITLES[self.type]}
        members |= {"detail": self.detail, "in": self.location, "name": self.name}
        return members if self.value is None else members | {"value": self.value}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer: the members of the body, and headers that belong to it."""

    type: str
    title: str
    status: int
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the type, or the title of a problem without a type of its own."""
        return self.title if self.type == "about:blank" else self.type.rpartition(":")[2]

    def answer(self, trace_id: str) -> Answer:
        """Return the answer on the wire."""
        headers = ((b"content-type", b"application/problem+json"), trace_header(trace_id), *self.headers)
        return Answer(self.status, headers, self._body(trace_id))

    def _body(self, trace_id: str) -> bytes:
        members: dict[str, Any] = {"type": self.type}
        if self.type.startswith(f"{_BELGIF}:"):
            members["href"] = f"{_HREF}/problems/{self.name}.html"
        members |= {"title": self.title, "status": self.status, "detail": self.detail}
        members |= {"instance": f"urn:uuid:{trace_id}", **self.members}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def bad_request(issues: Sequence[Issue], headers: tuple[Header, ...] = ()) -> Problem:
    """Refuse wrong input, with every issue."""
    members = {"issues": [issue.as_dict() for issue in issues]}
    return Problem(f"{_BELGIF}:badRequest", "Bad Request", 400, "The input message is incorrect", members, headers)


def two_token_methods() -> Problem:
    """Refuse an access token that is sent in two ways (RFC 6750 §3.1)."""
    issue = Issue(INVALID_INPUT, "query", "access_token", "The access token is sent in the Authorization header only")
    return bad_request([issue], (_challenge(error="invalid_request"),))


def no_access_token() -> Problem:
    """Refuse a call without a bearer token in the Authorization header."""
    detail = "No Bearer access token found in Authorization HTTP header"
    return Problem(f"{_BELGIF}:noAccessToken", "No Access Token", 401, detail, headers=(_challenge(),))


def invalid_access_token() -> Problem:
    """Refuse a token that is not one of ours. This one the developer guide prints."""
    return Problem(
        f"{_BELGIF}:invalidAccessToken",
        "Invalid Access Token",
        401,
        "The Bearer access token found in the Authorization HTTP header is invalid",
        headers=(_challenge(error="invalid_token", error_description="The access token is invalid"),),
    )


def expired_access_token() -> Problem:
    """Refuse a token that was good once."""
    return Problem(
        f"{_BELGIF}:expiredAccessToken",
        "Expired Access Token",
        401,
        "The Bearer access token found in the Authorization HTTP header has expired",
        headers=(_challenge(error="invalid_token", error_description="The access token expired"),),
    )


def missing_scope(required: Sequence[str], detail: str) -> Problem:
    """Refuse a good token that has none of the scopes in `required`; any one of them would do."""
    challenge = _challenge(
        error="insufficient_scope", error_description="Missing scope to perform request", scope=" ".join(required)
    )
    members = {"requiredScopes": list(required)}
    return Problem(f"{_BELGIF}:missingScope", "Missing Scope", 403, detail, members, (challenge,))


def missing_permission(detail: str) -> Problem:
    """Refuse for want of a right on this resource: another enterprise's number, or no mandate."""
    return Problem(f"{_BELGIF}:missingPermission", "Missing Permission", 403, detail)


def resource_not_found(detail: str, issues: Sequence[Issue] = ()) -> Problem:
    """Say that nothing is at this path; an issue names the path parameter that identifies nothing."""
    members = {"issues": [issue.as_dict() for issue in issues]} if issues else {}
    return Problem(f"{_BELGIF}:resourceNotFound", "Resource Not Found", 404, detail, members)


def payload_too_large(limit: int) -> Problem:
    """Refuse a body of more than `limit` bytes."""
    detail = f"Request message must not be larger than {limit} bytes"
    return Problem(f"{_BELGIF}:payloadTooLarge", "Payload Too Large", 413, detail, {"limit": limit})


# Belgif has no type for the next six: RFC 9457 §4.2.1 then says about:blank, with the status phrase as title.


def method_not_allowed(allowed: Sequence[str]) -> Problem:
    """Refuse a method that this path does not have."""
    allow = ", ".join(allowed)
    return Problem(
        "about:blank", "Method Not Allowed", 405, f"Allowed here: {allow}", headers=((b"allow", allow.encode()),)
    )


def request_timeout(seconds: float) -> Problem:
    """Refuse a body that was not complete in time."""
    return Problem("about:blank", "Request Timeout", 408, f"The whole body is awaited for {seconds:g} seconds")


def uri_too_long(limit: int) -> Problem:
    """Refuse a path of more than `limit` characters below the base URL."""
    return Problem("about:blank", "URI Too Long", 414, f"A path has at most {limit} characters below the base URL")


def unsupported_media_type(detail: str) -> Problem:
    """Refuse a body of another media type, charset or content encoding."""
    return Problem("about:blank", "Unsupported Media Type", 415, detail)


def not_acceptable(offered: Sequence[str]) -> Problem:
    """Refuse a client that accepts none of the media types that there are."""
    return Problem("about:blank", "Not Acceptable", 406, f"This operation answers {', '.join(offered)}")


def conflict(detail: str) -> Problem:
    """Refuse what contradicts the state that there is."""
    return Problem("about:blank", "Conflict", 409, detail)


def service_unavailable() -> Problem:
    """Own up to a store that cannot be used; the console says why."""
    detail = "The mock server's store cannot be used; its console says more"
    return Problem(f"{_BELGIF}:serviceUnavailable", "Service is unavailable", 503, detail)


def internal_server_error() -> Problem:
    """Own up to a fault of the mock itself; the console says which."""
    detail = "An unexpected error in the mock server; its console says more"
    return Problem(f"{_BELGIF}:internalServerError", "Internal Server Error", 500, detail)


def answer_unfit() -> Problem:
    """Own up to an answer that the contract does not allow; the journal says why."""
    detail = "The mock server has no answer that follows the contract; its journal says why"
    return Problem(f"{_BELGIF}:internalServerError", "Internal Server Error", 500, detail)


def _challenge(**attributes: str) -> Header:
    parts = [f'realm="{_REALM}"', *(f'{name}="{value}"' for name, value in attributes.items())]
    return b"www-authenticate", f"Bearer {', '.join(parts)}".encode("latin-1", "replace")
