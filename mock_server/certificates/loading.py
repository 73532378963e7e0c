"""Reading certificates, PFX key stores and private keys in every common form.

What cannot be read is refused with what was expected, what came and what to give instead. Bytes are never
quoted: they may be key material that was given by mistake.
"""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12

from mock_server.certificates import files
from mock_server.certificates.acceptance import describe_key
from mock_server.certificates.parsing import (
    CRYPTOGRAPHY_ERRORS,
    Kind,
    decode_pem,
    der_content,
    pem_block,
    quiet,
    recognize,
)
from mock_server.redaction import shown

MAX_BYTES = files.MAX_BYTES
"""What is larger than this is refused before anything looks at it."""

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""The keys that a client assertion can be signed with (G§4.4.1)."""

_CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE")
_KEY_LABELS = (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY", b"ENCRYPTED PRIVATE KEY")
_FRIENDLY_NAME = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14"  # OID 1.2.840.113549.1.9.20 (RFC 2985 §5.5.1)
_NEW = "fla-mock cert new NAME"
_COPY_AGAIN = "Copy the file again, whole and in binary mode."
_ADVICE = {
    Kind.CUT_OFF: _COPY_AGAIN,
    Kind.HTML: "It is probably the page of an error or a sign-in: download the file again.",
    Kind.UTF_16: "Save it as ASCII or UTF-8 (in PowerShell: -Encoding ascii).",
    Kind.ZIP: "Unpack it first.",
    Kind.JAVA_KEY_STORE: "Convert it: keytool -importkeystore -srckeystore FILE -destkeystore NAME.pfx"
    " -deststoretype PKCS12",
}
_CERTIFICATE_ADVICE = _ADVICE | {
    Kind.PFX: "Take the certificate out of it: fla-mock cert show FILE.pfx --cer NAME.cer",
    Kind.PRIVATE_KEY: "Keep the key to yourself, and give the certificate that was made with it (.cer).",
    Kind.ENCRYPTED_KEY: "Keep the key to yourself, and give the certificate that was made with it (.cer).",
    Kind.OPENSSH_KEY: f"SSH keys have no certificate; make a key with one: {_NEW}",
    Kind.PUBLIC_KEY: "A public key has no name and no dates: give the certificate that it is in (.cer).",
    Kind.REQUEST: "A request only asks for a certificate: give the certificate that came of it (.cer).",
    Kind.REVOCATION_LIST: "Give the certificate itself (.cer).",
    Kind.PKCS7: "Take the certificate out of it: openssl pkcs7 -print_certs -in FILE -out NAME.pem"
    " (with -inform DER when it is binary)",
    Kind.BARE_BASE64: "Put a line -----BEGIN CERTIFICATE----- before it and -----END CERTIFICATE----- after it.",
}
_PFX_ADVICE = _ADVICE | {
    Kind.CERTIFICATE: "A certificate alone holds no private key: give the .pfx that was made with it.",
    Kind.PRIVATE_KEY: "Join it with its certificate: openssl pkcs12 -export -inkey FILE -in NAME.cer -out NAME.pfx",
    Kind.BARE_BASE64: "Decode it first: openssl base64 -d -in FILE -out NAME.pfx",
}
_KEY_ADVICE = _ADVICE | {
    Kind.CERTIFICATE: "A certificate holds the public half only: give the .key or .pfx that was made with it.",
    Kind.PFX: "Take the key out of it: openssl pkcs12 -in FILE -nocerts -noenc -out NAME.key",
    Kind.PUBLIC_KEY: "Give the private half.",
    Kind.OPENSSH_KEY: "Convert it: ssh-keygen -p -m PKCS8 -f FILE",
    Kind.BARE_BASE64: "Put the PEM lines around it: BEGIN and END of a PRIVATE KEY, between dashes.",
}


@dataclass(eq=False)
class UnreadableCertificateError(ValueError):
    """A certificate, PFX or key that cannot be read: what was expected, what came, what to do about it."""

    expected: str
    found: str
    advice: str

    def __str__(self) -> str:
        """Return all three in one line."""
        return f"expected {self.expected}, found {self.found}. {self.advice}"


class WrongPasswordError(UnreadableCertificateError):
    """The password is missing or does not fit."""


@dataclass(frozen=True, slots=True)
class KeyBundle:
    """What a PFX holds."""

    key: PrivateKeyTypes = field(repr=False)
    certificate: x509.Certificate
    """The certificate that belongs to the key."""
    chain: tuple[x509.Certificate, ...]
    """The other certificates, such as those of the authority that issued it."""
    alias: str | None
    """The friendly name; without one, Java's `KeyStore` calls the entry `1`."""


def load_certificate(data: bytes) -> x509.Certificate:
    """Read a certificate: DER, or the first one of a PEM text.

    Text around the PEM blocks is skipped, and so is a private key beside the certificate. The names and dates of what
    is returned can be read; its public key and extensions may still turn out to be broken when they are read.
    Raises `UnreadableCertificateError`.
    """
    expected = "a certificate (.cer or .crt, in DER or PEM)"
    _refuse_oversized(data, expected)
    block = pem_block(data, *_CERTIFICATE_LABELS)
    der = data if block is None else decode_pem(block)
    if der is None:
        advice = "Copy it again, from its BEGIN line to its END line, with real line ends (not a written-out \\n)."
        raise UnreadableCertificateError(expected, "a PEM certificate whose text is broken or cut off", advice)
    try:
        return _parse_certificate(der)
    except CRYPTOGRAPHY_ERRORS as error:
        kind = recognize(der)
        found = str(kind)
        if kind is Kind.CERTIFICATE:
            found = f"a certificate that is damaged or breaks its standard: {shown(str(error))}"
        advice = _CERTIFICATE_ADVICE.get(kind, f"Give the .cer file, or make one: {_NEW}")
        raise UnreadableCertificateError(expected, found, advice) from None


def load_pfx(data: bytes, password: str | None) -> KeyBundle:
    """Read a PFX (PKCS#12): its private key, the certificate of that key, other certificates, the alias.

    No password and an empty one mean the same. The time it takes is set by the file (its number of hash rounds), so
    this is for a user's own files, never for uploads. Raises `WrongPasswordError`, `UnreadableCertificateError`.
    """
    expected = "a PFX (.pfx or .p12) with a private key and its certificate"
    _refuse_oversized(data, expected)
    kind = recognize(data)
    if kind is not Kind.PFX:
        advice = _PFX_ADVICE.get(kind, f"Give the .pfx file, or make one: {_NEW}")
        raise UnreadableCertificateError(expected, str(kind), advice)
    try:
        with quiet():
            held = pkcs12.load_pkcs12(data, _password_bytes(password))
        certificate = None if held.cert is None else _parse_certificate(held.cert.certificate)
    except CRYPTOGRAPHY_ERRORS as error:
        if "password" in str(error).lower():
            raise _wrong_password("the password of the PFX", password) from None
        found = "a PFX that is damaged, or written in a way that is not known here"
        raise UnreadableCertificateError(expected, found, f"{_COPY_AGAIN} Or export it again, with AES.") from None
    if held.key is None:
        advice = "Export it again, together with its private key."
        raise UnreadableCertificateError(expected, "a PFX without a private key", advice)
    if held.cert is None or certificate is None:
        advice = "Export it again, together with the certificate that was made with this key."
        raise UnreadableCertificateError(expected, "a PFX without the certificate of its private key", advice)
    chain = tuple(other.certificate for other in held.additional_certs)
    return KeyBundle(held.key, certificate, chain, _alias(data, held.cert))


def load_private_key(data: bytes, password: str | None = None) -> SigningKey:
    """Read an RSA or EC private key: PKCS#8, PKCS#1 or SEC 1, in PEM or DER, encrypted or not.

    In a PEM text with several blocks, the first private key is taken. A password is ignored when the key
    needs none. Raises `WrongPasswordError`, `UnreadableCertificateError`.
    """
    expected = "an RSA or EC private key (.key or .pem, in PEM or DER)"
    _refuse_oversized(data, expected)
    block = pem_block(data, *_KEY_LABELS)
    kind = recognize(data if block is None else block)
    if kind not in {Kind.PRIVATE_KEY, Kind.ENCRYPTED_KEY}:
        advice = _KEY_ADVICE.get(kind, f"Give the .key file, or make one: {_NEW}")
        raise UnreadableCertificateError(expected, str(kind), advice)
    # OpenSSL's old way to encrypt a PEM key leaves the label as it is.
    encrypted = kind is Kind.ENCRYPTED_KEY or (block is not None and b"Proc-Type: 4,ENCRYPTED" in block)
    if encrypted and not password:
        raise _wrong_password("the password of the private key", password)
    secret = _password_bytes(password) if encrypted else None
    try:
        with quiet():
            if block is None:
                key = serialization.load_der_private_key(data, secret)
            else:
                key = serialization.load_pem_private_key(block, secret)
    except CRYPTOGRAPHY_ERRORS:
        # The library's own words stay out: they may tell something of the key.
        if encrypted:
            raise _wrong_password("the password of the private key", password) from None
        found = "a private key that is damaged, or of a kind that is not known here"
        raise UnreadableCertificateError(expected, found, f"{_COPY_AGAIN} Or make another: {_NEW}") from None
    return signing_key(key)


def signing_key(key: PrivateKeyTypes) -> SigningKey:
    """Return a key as one that can sign a client assertion; raises `UnreadableCertificateError` for other kinds."""
    if isinstance(key, SigningKey):
        return key
    advice = f"Make another: {_NEW}"
    raise UnreadableCertificateError(
        "an RSA or EC private key", f"a key of kind {describe_key(key.public_key())}", advice
    )


def _refuse_oversized(data: bytes, expected: str) -> None:
    if len(data) > MAX_BYTES:
        found = f"more than {MAX_BYTES} bytes"
        raise UnreadableCertificateError(expected, found, "This is another file: look at its name again.")


def _parse_certificate(source: bytes | x509.Certificate) -> x509.Certificate:
    with quiet():
        certificate = x509.load_der_x509_certificate(source) if isinstance(source, bytes) else source
        # The library reads these when asked for; a broken one must show here, where it can be told.
        for name in (certificate.subject, certificate.issuer):
            name.rfc4514_string()
        _ = (certificate.serial_number, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return certificate


def _password_bytes(password: str | None) -> bytes | None:
    # Bytes of the command line that are no UTF-8 arrive as surrogates; with another character it will just not fit.
    return password.encode("utf-8", "replace") if password else None


def _wrong_password(expected: str, password: str | None) -> WrongPasswordError:
    if not password:
        return WrongPasswordError(expected, "none", "Give the password that was set when the file was made.")
    return WrongPasswordError(
        expected, "one that does not fit", "Check capitals and keyboard layout; a damaged file gives the same error."
    )


def _alias(data: bytes, certificate: pkcs12.PKCS12Certificate) -> str | None:
    # Java takes the alias from the key's entry, the library tells the certificate's, and files from Windows differ in
    # the two. The attributes of a key's entry are in the clear, and keys come last.
    at = data.rfind(_FRIENDLY_NAME)
    if at >= 0:
        value, _ = der_content(data, at + len(_FRIENDLY_NAME))  # the attribute is a SET of one string
        start, end = der_content(data, value)
        return data[start:end].decode("utf-16-be", "replace")
    friendly = certificate.friendly_name
    return None if friendly is None else friendly.decode("utf-8", "replace")
