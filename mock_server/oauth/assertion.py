"""Step 3: the structure of a client assertion, before anything in it is believed (RFC 7515, RFC 7519, RFC 8725).

PyJWT accepts more than these documents allow (duplicate members, `crit`, padding, measured), so the compact form is
taken apart here; PyJWT's algorithms then do the cryptography.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from mock_server import strict_json
from mock_server.oauth import requirements as req
from mock_server.oauth.policy import SIGNATURE_ALGORITHMS, Policy
from mock_server.oauth.requirements import OAuthRequirement
from mock_server.redaction import shown
from mock_server.verdict import Trail

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_EXTENSIONS = ("crit", "b64", "enc", "zip")
_HMAC = "HS"
_DOTS = 2


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion taken apart; nothing in it is verified yet."""

    header: dict[str, Any]
    claims: dict[str, Any]
    algorithm: str
    signing_input: bytes
    signature: bytes


def take_apart(trail: Trail, text: str, policy: Policy) -> Assertion | None:
    """Return the parts of an assertion in compact serialisation; None when its structure is wrong."""
    if len(text) > policy.max_assertion_length:
        trail.failed(req.ASSERTION_SIZE, f"at most {policy.max_assertion_length} characters", str(len(text)))
        return None
    trail.passed(req.ASSERTION_SIZE)
    segments = _segments(trail, text)
    if segments is None:
        return None
    header_bytes, payload_bytes, signature = segments
    header = _object(trail, req.HEADER, header_bytes)
    claims = _object(trail, req.PAYLOAD, payload_bytes)
    if header is None or claims is None:
        return None
    trail.evidence = {"header": header, "claims": claims}
    algorithm = _algorithm(trail, header)
    extensions = [name for name in _EXTENSIONS if name in header]
    if extensions:
        trail.failed(req.EXTENSIONS, "none of crit, b64, enc, zip", ", ".join(extensions))
    else:
        trail.passed(req.EXTENSIONS)
    if algorithm is None or extensions:
        return None
    signing_input = text.rpartition(".")[0].encode("ascii")
    return Assertion(header, claims, algorithm, signing_input, signature)


def _segments(trail: Trail, text: str) -> tuple[bytes, bytes, bytes] | None:
    expected = "three parts of base64url characters, joined by dots"
    segments = text.split(".", 5)
    if len(segments) != 3:  # noqa: PLR2004 - the compact serialisation has three parts
        many = f"{len(segments)}{' or more' if len(segments) > 5 else ''}"  # noqa: PLR2004 - where split() stopped
        trail.failed(req.SEGMENTS, expected, f"{many} part{'' if many == '1' else 's'}")
        return None
    decoded = []
    for name, segment in zip(("header", "payload", "signature"), segments, strict=True):
        data = _base64url(segment)
        if data is None:
            found = f"the {name} is {'empty' if not segment else 'not base64url as RFC 7515 §2 writes it'}"
            trail.failed(
                req.SEGMENTS, expected, found, "Use the URL-safe alphabet, without padding, spaces or line breaks."
            )
            return None
        decoded.append(data)
    trail.passed(req.SEGMENTS)
    header, payload, signature = decoded
    return header, payload, signature


def _base64url(segment: str) -> bytes | None:
    if not _BASE64URL.fullmatch(segment):
        return None
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error:
        return None
    # One value has one spelling: bits left over in the last character are zero.
    return data if base64.urlsafe_b64encode(data).rstrip(b"=") == segment.encode("ascii") else None


def _object(trail: Trail, requirement: OAuthRequirement, data: bytes) -> dict[str, Any] | None:
    try:
        value = strict_json.loads(data)
    except strict_json.StrictJsonError as error:
        trail.failed(requirement, "a JSON object", str(error))
        return None
    if not isinstance(value, dict):
        trail.failed(requirement, "a JSON object", f"a JSON {type(value).__name__}")
        return None
    trail.passed(requirement)
    return value


def _algorithm(trail: Trail, header: dict[str, Any]) -> str | None:
    algorithm = header.get("alg")
    if algorithm in SIGNATURE_ALGORITHMS:
        trail.passed(req.SIGNED, algorithm)
        return str(algorithm)
    if isinstance(algorithm, str) and not algorithm.startswith(_HMAC) and algorithm.lower() != "none":
        # A signature algorithm perhaps, but of no key that can be registered: judged with the keys, in step 5.
        trail.passed(req.SIGNED, shown(algorithm))
        return algorithm
    advice = "Sign with the private key of the certificate: RS256 for an RSA key, ES384 for P-384, ES512 for P-521."
    found = "no alg" if "alg" not in header else shown(algorithm)
    trail.failed(req.SIGNED, "a digital signature algorithm such as RS256", found, advice)
    return None


def claimed_subject(text: str) -> str | None:
    """Return the `sub` that an assertion names, if it can be read at all; nothing is verified."""
    payload = text.split(".", 2)[1] if text.count(".") == _DOTS else ""
    try:
        claims = strict_json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else None
