"""Registering a certificate with an account: the rules of ChaMan (G§4.4.1), less the dates."""

from cryptography.hazmat.primitives.serialization import Encoding

from mock_server.certificates.acceptance import DATES, judge
from mock_server.certificates.loading import UnreadableCertificateError, load_certificate
from mock_server.verdict import Outcome
from mock_server.world.model import RegisteredCertificate


class CertificateRefusedError(ValueError):
    """A certificate that ChaMan would refuse; says what was expected and what came."""


def register_certificate(name: str, data: bytes) -> RegisteredCertificate:
    """Return a certificate as an account keeps it. Raises `CertificateRefusedError`.

    The dates are not judged here: a certificate that was registered may have expired since, and then it is the
    token endpoint that refuses what it signed.
    """
    try:
        certificate = load_certificate(data)
    except UnreadableCertificateError as error:
        raise CertificateRefusedError(str(error)) from None
    failures = [
        check
        for check in judge(certificate, certificate.not_valid_before_utc.timestamp()).checks
        if check.outcome is Outcome.FAILED and check.requirement is not DATES
    ]
    if failures:
        reasons = "; ".join(
            f"{check.requirement.id}: expected {check.expected}, found {check.found}" for check in failures
        )
        msg = f"this certificate would be refused: {reasons}"
        raise CertificateRefusedError(msg)
    return RegisteredCertificate(name, certificate.public_bytes(Encoding.DER))
