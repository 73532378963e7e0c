"""The requirements on a token request, in the order they are judged, and the error each refusal answers with."""

from dataclasses import dataclass
from enum import StrEnum

from mock_server.verdict import Provenance, Requirement


class ErrorCode(StrEnum):
    """The `error` of RFC 6749 §5.2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_SCOPE = "invalid_scope"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


@dataclass(frozen=True, slots=True, eq=False)
class OAuthRequirement(Requirement):
    """A requirement with the error that its refusal answers with; the text is ours, and never quotes the request."""

    error: ErrorCode
    description: str


_UNVERIFIED = "Client authentication failed: no registered certificate verifies this assertion for its subject"


def _documented(*parts: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> OAuthRequirement:
    return _requirement(Provenance.DOCUMENTED, error, *parts)


def _rfc(*parts: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> OAuthRequirement:
    return _requirement(Provenance.RFC, error, *parts)


def _assumed(*parts: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> OAuthRequirement:
    return _requirement(Provenance.ASSUMED, error, *parts)


def _requirement(provenance: Provenance, error: ErrorCode, *parts: str) -> OAuthRequirement:
    identity, source, statement, description = parts
    return OAuthRequirement(identity, statement, source, provenance, error, description)


_CLIENT = ErrorCode.INVALID_CLIENT

# 1. The request, before and while its body is read.
METHOD = _documented("OAUTH-METHOD-1", "developer guide", "The token endpoint is called with POST.", "Use POST")
MEDIA_TYPE = _documented(
    "OAUTH-MEDIA-1",
    "developer guide; RFC 6749 §4.4.2",
    "The body is application/x-www-form-urlencoded, without a content encoding.",
    "The body must be application/x-www-form-urlencoded",
)
SIZE = _assumed(
    "OAUTH-SIZE-1", "a limit of ours", "The body is not larger than the limit.", "The request body is too large"
)
COMPLETE = _assumed(
    "OAUTH-BODY-1",
    "a limit of ours",
    "The whole body arrives within the time limit.",
    "The request body did not arrive in time",
)
ENCODING = _documented(
    "OAUTH-FORM-1",
    "developer guide; RFC 6749 appendix B",
    "Names and values are UTF-8, percent-encoded where needed.",
    "The request body is not valid percent-encoded UTF-8",
)
PARAMETER_COUNT = _assumed(
    "OAUTH-FORM-2", "a limit of ours", "There are not more parameters than the limit.", "Too many parameters"
)
REPEATED = _rfc(
    "OAUTH-FORM-3", "RFC 6749 §3.2", "No parameter is sent more than once.", "A parameter is sent more than once"
)

# 2. Grant type and way of authentication.
GRANT_PRESENT = _documented(
    "OAUTH-GRANT-1", "developer guide; G§6.1", "grant_type is sent.", "The parameter grant_type is missing"
)
GRANT_TYPE = _documented(
    "OAUTH-GRANT-2",
    "developer guide; G§6.1",
    "grant_type is client_credentials.",
    "The grant type must be client_credentials",
    error=ErrorCode.UNSUPPORTED_GRANT_TYPE,
)
ONE_METHOD = _rfc(
    "OAUTH-AUTH-1",
    "RFC 6749 §2.3",
    "The client authenticates in one way only.",
    "More than one way of client authentication is used",
)
AUTHENTICATION = _documented(
    "OAUTH-AUTH-2",
    "developer guide; RFC 7521 §4.2",
    "The client authenticates with a client assertion, not with a secret.",
    "Client authentication with client_assertion is required",
    error=_CLIENT,
)
ASSERTION_TYPE = _documented(
    "OAUTH-AUTH-3",
    "developer guide; RFC 7523 §2.2",
    "client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
    "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    error=_CLIENT,
)
ASSERTION_PRESENT = _documented(
    "OAUTH-AUTH-4",
    "developer guide; RFC 7523 §2.2",
    "client_assertion is sent.",
    "The parameter client_assertion is missing",
    error=_CLIENT,
)

# 3. Structure of the assertion.
ASSERTION_SIZE = _assumed(
    "OAUTH-JWT-1",
    "a limit of ours",
    "The assertion is not longer than the limit.",
    "The client assertion is too long",
    error=_CLIENT,
)
SEGMENTS = _rfc(
    "OAUTH-JWT-2",
    "RFC 7515 §3.1, §7.1",
    "The assertion is a JWS: three base64url parts without padding, joined by dots.",
    "The client assertion is not a signed JWT",
    error=_CLIENT,
)
HEADER = _rfc(
    "OAUTH-JWT-3",
    "RFC 7515 §4",
    "The header is a JSON object in UTF-8 without duplicate members.",
    "The header of the client assertion is not a JSON object",
    error=_CLIENT,
)
PAYLOAD = _rfc(
    "OAUTH-JWT-4",
    "RFC 7519 §4, §7.2",
    "The payload is a JSON object in UTF-8 without duplicate members.",
    "The payload of the client assertion is not a JSON object",
    error=_CLIENT,
)
SIGNED = _rfc(
    "OAUTH-HEADER-1",
    "RFC 8725 §3.1; Belgif rest-security",
    "alg names a digital signature: not none, not an HMAC.",
    "The client assertion must carry a digital signature",
    error=_CLIENT,
)
EXTENSIONS = _rfc(
    "OAUTH-HEADER-2",
    "RFC 7515 §4.1.11; RFC 7797",
    "The header has no crit, b64, enc or zip.",
    "The header of the client assertion has an unsupported extension",
    error=_CLIENT,
)

# 4. Whose assertion it claims to be.
SUBJECT = _documented(
    "OAUTH-SUB-1",
    "G§6.1; RFC 7523 §3 item 2",
    "sub is the client id.",
    "The claim sub must be the client id",
    error=_CLIENT,
)
ISSUER = _documented(
    "OAUTH-ISS-1",
    "G§6.1; RFC 7523 §3 item 1",
    "iss is the client id, as sub is.",
    "The claims iss and sub must both be the client id",
    error=_CLIENT,
)
CLIENT_ID = _rfc(
    "OAUTH-CLIENT-1",
    "RFC 7521 §4.2",
    "client_id, if it is sent, names the same client as sub.",
    "The parameter client_id must be equal to the claim sub",
    error=_CLIENT,
)
# These four answer alike: whether an account exists is nobody's business but its owner's. The trail tells them apart.
ACCOUNT = _documented(
    "OAUTH-CLIENT-2", "G§4.4.1", "The client id belongs to a webservice account.", _UNVERIFIED, error=_CLIENT
)

# 5. Algorithm and type.
ALGORITHM = _rfc(
    "OAUTH-ALG-1",
    "RFC 8725 §3.1; G§4.4.1",
    "alg is accepted, and fits a key that is registered for the account.",
    _UNVERIFIED,
    error=_CLIENT,
)
TYPE = _rfc(
    "OAUTH-HEADER-3",
    "RFC 8725 §3.11",
    "typ is absent or JWT.",
    "The header typ of the client assertion must be JWT or absent",
    error=_CLIENT,
)
KEY_HINT = _rfc(
    "OAUTH-HEADER-4",
    "RFC 7515 §4.1.4",
    "kid, if it is sent, is a string; it is not used to find a key.",
    "The header kid of the client assertion must be a string",
    error=_CLIENT,
)

# 6. Signature.
CERTIFICATE = _assumed(
    "OAUTH-CERT-1",
    "G§4.4.2 shows an expiry date; its effect is not known",
    "The account has a certificate of the right kind that is valid now.",
    _UNVERIFIED,
    error=_CLIENT,
)
SIGNATURE = _documented(
    "OAUTH-SIG-1",
    "G§4.4.1; RFC 7515 §5.2",
    "The signature verifies with a certificate registered for the account.",
    _UNVERIFIED,
    error=_CLIENT,
)

# 7. Audience.
AUDIENCE_FORM = _rfc(
    "OAUTH-AUD-1",
    "RFC 7523 §3 item 3; RFC 7519 §4.1.3",
    "aud is one audience.",
    "The claim aud must be one string",
    error=_CLIENT,
)
AUDIENCE = _documented(
    "OAUTH-AUD-2",
    "G§6.1; RFC 7523 §3 item 3",
    "aud is the URL of the token endpoint, character for character.",
    "The claim aud must be the URL of the token endpoint",
    error=_CLIENT,
)

# 8. Times.
EXPIRY_FORM = _documented(
    "OAUTH-EXP-1",
    "G§6.1; RFC 7523 §3 item 4",
    "exp is sent, as a number of seconds since 1970.",
    "The claim exp must be a number of seconds since 1970",
    error=_CLIENT,
)
EXPIRED = _rfc(
    "OAUTH-EXP-2",
    "RFC 7523 §3 item 4",
    "exp is in the future.",
    "The client assertion has expired",
    error=_CLIENT,
)
LIFETIME = _documented(
    "OAUTH-EXP-3",
    "G§6.1",
    "exp is at most ten minutes from now, or as far as the setting max_lifetime says.",
    "The claim exp is too far in the future: the lifetime may not exceed {max_lifetime}",
    error=_CLIENT,
)
NOT_BEFORE = _rfc(
    "OAUTH-NBF-1",
    "RFC 7523 §3 item 5",
    "nbf, if it is sent, is a time that has come.",
    "The claim nbf must be a time that is not in the future",
    error=_CLIENT,
)
ISSUED_AT = _rfc(
    "OAUTH-IAT-1",
    "RFC 7523 §3 item 6",
    "iat, if it is sent, is a time that has come.",
    "The claim iat must be a time that is not in the future",
    error=_CLIENT,
)

# 9. Scope.
PERMISSION = _documented(
    "OAUTH-PERM-1",
    "G§4.4.1",
    "The account has a permission that gives a scope to its capacity.",
    "The account has no permission for any service",
    error=ErrorCode.UNAUTHORIZED_CLIENT,
)
SCOPE_FORM = _rfc(
    "OAUTH-SCOPE-1",
    "RFC 6749 §3.3",
    "scope is a list of names, one space between two.",
    "The parameter scope is malformed",
    error=ErrorCode.INVALID_SCOPE,
)
SCOPE_GRANTED = _documented(
    "OAUTH-SCOPE-2",
    "G§6.1; RFC 6749 §5.2",
    "Every scope asked for belongs to the account's capacity and permissions.",
    "A requested scope is not granted to this account",
    error=ErrorCode.INVALID_SCOPE,
)

# 10. One use.
JTI_FORM = _documented(
    "OAUTH-JTI-1",
    "G§6.1; RFC 7523 §3 item 7",
    "jti is sent, as a string with something in it.",
    "The claim jti must be a string of one or more characters",
    error=_CLIENT,
)
JTI_LENGTH = _assumed(
    "OAUTH-JTI-2", "a limit of ours", "jti is not longer than the limit.", "The claim jti is too long", error=_CLIENT
)
JTI_UNUSED = _assumed(
    "OAUTH-JTI-3",
    "RFC 7523 §3 item 7 (MAY)",
    "jti was not used before by this client.",
    "The client assertion was used before: the claim jti must be new every time",
    error=_CLIENT,
)

ALL: tuple[OAuthRequirement, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, OAuthRequirement)
)
