"""Judging what is uploaded as a certificate: ChaMan's rules (G§4.4.1), and that it is no private key."""

import base64
import binascii
from typing import NamedTuple

from mock_server.certificates.acceptance import judge
from mock_server.certificates.loading import UnreadableCertificateError, load_certificate
from mock_server.certificates.parsing import Kind, holds_private_key, recognize
from mock_server.portal.errors import RefusedError
from mock_server.portal.texts import name_issues, require
from mock_server.problems import INVALID_INPUT, OUT_OF_RANGE, Issue
from mock_server.verdict import Check, Outcome
from mock_server.world.certificates import register_certificate
from mock_server.world.model import RegisteredCertificate

CERTIFICATE_MAX = 64 * 1024
"""Bytes of an uploaded file; a certificate has a few thousand."""

_BASE64_ALIGNED = 4


class Upload(NamedTuple):
    """A file that is uploaded as a certificate, with the name that it is given."""

    name: str
    data: bytes


def accept_certificate(upload: Upload, now: float, place: str = "certificate") -> RegisteredCertificate:
    """Return an upload as an account keeps it, if ChaMan's rules accept it at a moment (Unix seconds).

    Unlike in a world file, a certificate that has expired, or is not valid yet, is refused. `place` names it in the
    issues. Raises `RefusedError`, which quotes nothing of the file.
    """
    require(name_issues(upload.name, "name" if place == "certificate" else f"{place}.name"), "The certificate")
    if len(upload.data) > CERTIFICATE_MAX:
        fault = f"expected a file of at most {CERTIFICATE_MAX} bytes; found {len(upload.data)}."
        raise _refusal(place, [fault], OUT_OF_RANGE)
    if _holds_private_key(upload.data):
        sentence = (
            "The file holds a private key, and nothing of it was kept. A private key must never be uploaded or handed "
            "to anyone: take another one if this one is used in earnest. Give the certificate alone (.cer)."
        )
        issue = Issue(INVALID_INPUT, "body", place, "expected a certificate; found a file that holds a private key")
        raise RefusedError(sentence, [issue])
    try:
        certificate = load_certificate(upload.data)
    except UnreadableCertificateError as error:
        raise _refusal(place, [str(error)]) from None
    failures = [check for check in judge(certificate, now).checks if check.outcome is Outcome.FAILED]
    if failures:
        raise _refusal(place, [_told(check) for check in failures])
    return register_certificate(upload.name, upload.data)


def _refusal(place: str, faults: list[str], kind: str = INVALID_INPUT) -> RefusedError:
    sentence = f"The certificate is refused: {' '.join(faults)} Nothing was stored."
    return RefusedError(sentence, [Issue(kind, "body", place, fault) for fault in faults])


def _told(check: Check) -> str:
    return f"{check.requirement.id}: expected {check.expected}, found {check.found}. {check.advice}"


def _holds_private_key(data: bytes) -> bool:
    kind = recognize(data)
    if kind is Kind.BARE_BASE64:
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error:
            return False
    return kind is Kind.JAVA_KEY_STORE or holds_private_key(data)
