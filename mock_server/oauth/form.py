"""Steps 1 and 2: the body of a token request, and the way the client authenticates.

Frameworks' form parsers keep the last of repeated parameters, mend broken encodings and take JSON for an empty form
(measured); here each of these is told apart.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from mock_server.oauth import requirements as req
from mock_server.oauth.policy import Policy
from mock_server.redaction import shown
from mock_server.verdict import Trail

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MEDIA_TYPE = "application/x-www-form-urlencoded"

_KNOWN = ("grant_type", "client_assertion_type", "client_assertion", "scope", "client_id", "client_secret")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What is left of a request once its form and its way of authentication are in order."""

    assertion: str
    scope: str | None
    client_id: str | None


def read_parameters(trail: Trail, body: bytes, policy: Policy) -> dict[str, str] | None:
    """Return the parameters of a form; one without a value counts as left out (RFC 6749 §3.2)."""
    try:
        # The limit first: a body of separators alone must not become a list of a million parts.
        if body.count(b"&") >= policy.max_form_parameters:
            trail.failed(
                req.PARAMETER_COUNT, f"at most {policy.max_form_parameters} parameters", f"{body.count(b'&') + 1}"
            )
            return None
        trail.passed(req.PARAMETER_COUNT)
        text = body.decode("utf-8", "strict")
        broken = _BROKEN_ESCAPE.search(text)
        if broken:
            trail.failed(
                req.ENCODING,
                "% followed by two hexadecimal digits",
                f"something else at byte {len(text[: broken.start()].encode())}",
                "Percent-encode every value with your language's form encoder.",
            )
            return None
        pairs = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict")
    except UnicodeDecodeError:
        trail.failed(req.ENCODING, "UTF-8", "bytes that are not UTF-8", "Encode the form as UTF-8.")
        return None
    trail.passed(req.ENCODING)
    names = [name for name, _ in pairs]
    repeated = [name for name in _KNOWN if names.count(name) > 1]
    if repeated:
        trail.failed(req.REPEATED, "each parameter once", f"{', '.join(repeated)} more than once")
        return None
    trail.passed(req.REPEATED)
    return {name: value for name, value in pairs if name in _KNOWN and value}


def read_request(
    trail: Trail, parameters: Mapping[str, str], authorization: str | None, query: str = ""
) -> TokenRequest | None:
    """Judge the grant type and the way of authentication. `authorization` is the scheme of the header of that name."""
    elsewhere = _misplaced(query)
    _judge_grant_type(trail, parameters, elsewhere)
    assertion = _judge_authentication(trail, parameters, authorization, elsewhere)
    if assertion is None or not trail.accepted:
        return None
    return TokenRequest(assertion, parameters.get("scope"), parameters.get("client_id"))


def _misplaced(query: str) -> str:
    if not query:
        return ""
    names = {name for name, _ in parse_qsl(query[:4096], keep_blank_values=True)}
    return "Parameters in the query are not read: send them in the body." if names.intersection(_KNOWN) else ""


def _judge_grant_type(trail: Trail, parameters: Mapping[str, str], elsewhere: str) -> None:
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        trail.failed(req.GRANT_PRESENT, f"grant_type={GRANT_TYPE}", "no grant_type, or an empty one", elsewhere)
        return
    trail.passed(req.GRANT_PRESENT)
    if grant_type == GRANT_TYPE:
        trail.passed(req.GRANT_TYPE)
    else:
        trail.failed(req.GRANT_TYPE, GRANT_TYPE, shown(grant_type))


def _judge_authentication(
    trail: Trail, parameters: Mapping[str, str], authorization: str | None, elsewhere: str
) -> str | None:
    assertion = parameters.get("client_assertion")
    assertion_type = parameters.get("client_assertion_type")
    methods = {
        "client_assertion": bool(assertion or assertion_type),
        "client_secret": "client_secret" in parameters,
        "the Authorization header": authorization is not None,
    }
    used = [name for name, is_used in methods.items() if is_used]
    if len(used) > 1:
        trail.failed(req.ONE_METHOD, "client_assertion alone", " and ".join(used))
        return None
    trail.passed(req.ONE_METHOD)
    if used != ["client_assertion"]:
        advice = elsewhere or "Sign a JWT with the key of a registered certificate and send it as client_assertion."
        trail.failed(req.AUTHENTICATION, "client_assertion", used[0] if used else "no client authentication", advice)
        return None
    trail.passed(req.AUTHENTICATION)
    if assertion_type == ASSERTION_TYPE:
        trail.passed(req.ASSERTION_TYPE)
    else:
        found = "no client_assertion_type, or an empty one" if assertion_type is None else shown(assertion_type)
        trail.failed(req.ASSERTION_TYPE, ASSERTION_TYPE, found)
    if assertion is None:
        trail.failed(req.ASSERTION_PRESENT, "a signed JWT", "no client_assertion, or an empty one")
        return None
    trail.passed(req.ASSERTION_PRESENT)
    return assertion
