"""Which algorithm fits which registered key, and whether a signature verifies; PyJWT's algorithms do the work."""

from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import Algorithm, get_default_algorithms

from mock_server.oauth.policy import RSA_PKCS1, RSA_PSS
from mock_server.world.model import RegisteredCertificate

# RFC 7518 §3.4 ties each curve to one algorithm; the curves are those of G§4.4.1.
_CURVES: Mapping[type[ec.EllipticCurve], tuple[str, ...]] = {ec.SECP384R1: ("ES384",), ec.SECP521R1: ("ES512",)}

_ALGORITHMS: Mapping[str, Algorithm] = get_default_algorithms()


def fitting_algorithms(certificate: RegisteredCertificate) -> tuple[str, ...]:
    """Return the JWS algorithms that the key of a certificate can have signed with (RFC 7518 §3.3 to §3.5)."""
    key = certificate.public_key
    if isinstance(key, rsa.RSAPublicKey):
        return (*RSA_PKCS1, *RSA_PSS)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(type(key.curve), ())
    return ()


def verifying_certificate(
    certificates: Sequence[RegisteredCertificate], algorithm: str, signing_input: bytes, signature: bytes
) -> RegisteredCertificate | None:
    """Return the certificate whose key made a signature; all are tried, since no client names its key in `kid`.

    Each certificate's key must fit the algorithm (`fitting_algorithms`): PyJWT raises `TypeError` where it does not.
    """
    verify = _ALGORITHMS[algorithm].verify
    for certificate in certificates:
        if verify(signing_input, certificate.public_key, signature):
            return certificate
    return None
