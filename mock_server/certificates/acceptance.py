"""What ChaMan accepts as a certificate of a webservice account: the guide's table, as a verdict (G§4.4.1).

The guide states the table for self-signed certificates. Those of a certification authority are held to it as well,
which is assumed. Who issued them is not judged: the guide names GlobalSign's PersonalSign 3 Pro as the one that is
supported now, but a company's own test authority must be able to pass here.
"""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import PublicKeyAlgorithmOID, SignatureAlgorithmOID

from mock_server.certificates.parsing import CRYPTOGRAPHY_ERRORS, quiet
from mock_server.redaction import shown
from mock_server.verdict import Provenance, Requirement, Trail

KEY = Requirement(
    "CERT-KEY-1",
    "The key pair is RSA of 2048, 3072 or 4096 bits, or EC on the curve P-384 or P-521.",
    "G§4.4.1",
    Provenance.DOCUMENTED,
)
DIGEST = Requirement(
    "CERT-DIGEST-1",
    "The certificate's signature uses the digest SHA-256, SHA-384 or SHA-512.",
    "G§4.4.1",
    Provenance.DOCUMENTED,
)
USAGE = Requirement(
    "CERT-USAGE-1",
    "The certificate's key usage has Digital Signature.",
    "G§4.4.1",
    Provenance.DOCUMENTED,
)
DATES = Requirement(
    "CERT-DATES-1",
    "The certificate is valid now.",
    "RFC 5280 §4.1.2.5",
    Provenance.ASSUMED,
)
PLAIN_RSA = Requirement(
    "CERT-PSS-1",
    "Neither the key nor the certificate's signature is of the kind RSA-PSS, which the guide's table does not name.",
    "RFC 4055 §1.2",
    Provenance.ASSUMED,
)
OWN_SIGNATURE = Requirement(
    "CERT-SELF-1",
    "A certificate that names itself as its issuer is signed with its own key.",
    "RFC 5280 §3.2",
    Provenance.ASSUMED,
)
ALL: tuple[Requirement, ...] = (KEY, DIGEST, USAGE, DATES, PLAIN_RSA, OWN_SIGNATURE)
"""The rules, in the order in which they are judged."""

NAME_MAX = 400
"""A subject or an issuer is shown up to this number of characters."""

_KEYS = frozenset({"RSA 2048", "RSA 3072", "RSA 4096", "EC P-384", "EC P-521"})
_DIGESTS = frozenset({"SHA-256", "SHA-384", "SHA-512"})
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp224r1": "P-224", "secp192r1": "P-192"}
_DIGEST_NAMES = {"md5": "MD5"} | {f"sha{size}": f"SHA-{size}" for size in (1, 224, 256, 384, 512)}
# RFC 5280 §4.2.1.3. The last two bits refine key agreement only, and may not be read without it.
_USAGES = {
    "digital_signature": "Digital Signature",
    "content_commitment": "Non Repudiation",
    "key_encipherment": "Key Encipherment",
    "data_encipherment": "Data Encipherment",
    "key_agreement": "Key Agreement",
    "key_cert_sign": "Certificate Sign",
    "crl_sign": "CRL Sign",
}
_DAY = 86_400  # seconds


def judge(certificate: x509.Certificate, now: float) -> Trail:
    """Judge a certificate at a moment (Unix seconds): one check for each requirement of `ALL`, whatever fails."""
    trail = Trail()
    with quiet():
        _judge_key(certificate, trail)
        _judge_digest(certificate, trail)
        # Unless its key and digest are accepted ones, a signature is too weak, too costly or too odd to verify.
        verifiable = trail.accepted
        _judge_usage(certificate, trail)
        _judge_dates(certificate, now, trail)
        _judge_scheme(certificate, trail)
        _judge_own_signature(certificate, trail, verifiable=verifiable)
    return trail


def describe_key(public_key: PublicKeyTypes) -> str:
    """Return the kind and size of a public key, such as `RSA 2048`, `EC P-384`, `Ed25519`."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA {public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(public_key.curve.name, public_key.curve.name)}"
    # The other kinds are told by their class: a list would miss new ones and outlive those that the library drops.
    kind = type(public_key).__name__.removesuffix("PublicKey")
    size = getattr(public_key, "key_size", None)
    return kind if size is None else f"{kind} {size}"


def describe_certificate_key(certificate: x509.Certificate) -> str:
    """Return the kind and size of a certificate's key, or why it cannot be read."""
    try:
        with quiet():
            return describe_key(certificate.public_key())
    except CRYPTOGRAPHY_ERRORS as error:
        return f"a key that cannot be read: {shown(str(error))}"


def describe_digest(certificate: x509.Certificate) -> str:
    """Return the digest of a certificate's signature, such as `SHA-256`, or why there is none to tell."""
    try:
        with quiet():
            algorithm = certificate.signature_hash_algorithm
    except CRYPTOGRAPHY_ERRORS:
        return f"unknown (signature algorithm {certificate.signature_algorithm_oid.dotted_string})"
    # EdDSA has its digest built in.
    return "none of its own" if algorithm is None else _DIGEST_NAMES.get(algorithm.name, algorithm.name.upper())


def describe_name(name: x509.Name) -> str:
    """Return a subject or an issuer as RFC 4514 writes it, safe to print on one line, cut after 400 characters."""
    text = name.rfc4514_string({x509.NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier"}) or "(empty)"
    cut = text if len(text) <= NAME_MAX else f"{text[:NAME_MAX]}…"
    return printable(cut)


def printable(text: str) -> str:
    """Escape what could steer a terminal or reorder a line: control, format and other characters without a shape.

    Unlike `redaction.shown` it leaves dotted names whole: what stands in a certificate is public.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _judge_key(certificate: x509.Certificate, trail: Trail) -> None:
    found = describe_certificate_key(certificate)
    if found in _KEYS:
        trail.passed(KEY, found)
    else:
        advice = "Make a new key and certificate: fla-mock cert new NAME --key rsa-2048"
        trail.failed(KEY, "RSA of 2048, 3072 or 4096 bits, or EC on P-384 or P-521", found, advice)


def _judge_digest(certificate: x509.Certificate, trail: Trail) -> None:
    found = describe_digest(certificate)
    if found in _DIGESTS:
        trail.passed(DIGEST, found)
    else:
        trail.failed(DIGEST, "SHA-256, SHA-384 or SHA-512", found, "Sign it again: openssl req -x509 -sha256 …")


def _judge_usage(certificate: x509.Certificate, trail: Trail) -> None:
    expected = "a key usage that has Digital Signature"
    advice = "Make it again: openssl req -x509 -addext keyUsage=critical,digitalSignature …"
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        found = "no key usage"
        if certificate.version is x509.Version.v1:
            found += ": this is a certificate of version 1, which has no extensions"
        trail.failed(USAGE, expected, found, advice)
        return
    except CRYPTOGRAPHY_ERRORS as error:
        trail.failed(USAGE, expected, f"extensions that cannot be read: {shown(str(error))}", advice)
        return
    found = ", ".join(name for member, name in _USAGES.items() if getattr(usage, member)) or "nothing"
    if usage.digital_signature:
        trail.passed(USAGE, found)
    else:
        trail.failed(USAGE, expected, f"a key usage without it: {found}", advice)


def _judge_dates(certificate: x509.Certificate, now: float, trail: Trail) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    period = f"from {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"
    expected = "a certificate that is valid now"
    advice = "Make a new one, or look at the clock."
    if end < start:
        trail.failed(DATES, expected, f"a period that ends before it begins: {period}", advice)
    elif now < start.timestamp():
        trail.failed(DATES, expected, f"one that begins in {_span(start.timestamp() - now)}: {period}", advice)
    elif now > end.timestamp():
        trail.failed(DATES, expected, f"one that ended {_span(now - end.timestamp())} ago: {period}", advice)
    else:
        trail.passed(DATES, f"{period}, which ends in {_span(end.timestamp() - now)}")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} days"


def _judge_scheme(certificate: x509.Certificate, trail: Trail) -> None:
    found = []
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        found.append("a key for RSA-PSS only")
    if certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        found.append("a signature in RSA-PSS")
    if found:
        advice = "Make it again with a plain RSA key (openssl: -newkey rsa:2048, no rsa_padding_mode)."
        trail.failed(PLAIN_RSA, "a plain RSA key and signature, or EC", " and ".join(found), advice)
    else:
        trail.passed(PLAIN_RSA)


def _judge_own_signature(certificate: x509.Certificate, trail: Trail, *, verifiable: bool) -> None:
    if certificate.issuer != certificate.subject:
        trail.passed(
            OWN_SIGNATURE, f"not self-signed, but issued by {describe_name(certificate.issuer)}; not judged further"
        )
        return
    if not verifiable:
        trail.not_judged(OWN_SIGNATURE, "needs a key and a digest of the accepted kinds")
        return
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, *CRYPTOGRAPHY_ERRORS):
        found = "a signature that this key did not make: changed after signing, or signed by another of the same name"
        trail.failed(OWN_SIGNATURE, "a signature by the certificate's own key", found, "Make the certificate again.")
    else:
        trail.passed(OWN_SIGNATURE, "self-signed")
