"""What bytes from outside are, told from their outer signs, so that an error can name what came.

Nothing here parses a private key: the first tags of its DER, or the label of its PEM, are enough to name it.
"""

import base64
import binascii
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm

CRYPTOGRAPHY_ERRORS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    InternalError,
    KeyError,  # cryptography 45: a name with a type of string that it does not know
    # These three derive from Exception alone.
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""All that the library raises on bytes that it does not like, at loading or when a member is read later."""


class Kind(StrEnum):
    """What the bytes look like, in words for the reader of an error."""

    EMPTY = "an empty file"
    CERTIFICATE = "a certificate"
    PFX = "a PFX (PKCS#12) key store"
    PRIVATE_KEY = "a private key"
    ENCRYPTED_KEY = "an encrypted private key"
    OPENSSH_KEY = "a private key in OpenSSH's own format"
    PUBLIC_KEY = "a public key"
    REQUEST = "a certificate signing request (CSR)"
    REVOCATION_LIST = "a certificate revocation list (CRL)"
    PKCS7 = "a PKCS#7 bundle (.p7b)"
    JAVA_KEY_STORE = "a Java key store (JKS)"
    ZIP = "a ZIP archive"
    PDF = "a PDF document"
    HTML = "an HTML page"
    UTF_16 = "text in UTF-16"
    BARE_BASE64 = "base64 without its BEGIN and END lines"
    OTHER_PEM = "PEM text of another kind"
    CUT_OFF = "DER data that is cut off before its end"
    OTHER_DER = "DER data of another kind"
    TEXT = "text that is neither PEM nor base64"
    BINARY = "binary data that is not DER"


_STARTS = (
    (b"\xfe\xed\xfe\xed", Kind.JAVA_KEY_STORE),
    (b"\xce\xce\xce\xce", Kind.JAVA_KEY_STORE),
    (b"PK\x03\x04", Kind.ZIP),
    (b"%PDF-", Kind.PDF),
    (b"\xff\xfe", Kind.UTF_16),
    (b"\xfe\xff", Kind.UTF_16),
    (b"-\x00-\x00", Kind.UTF_16),
    (b"ssh-", Kind.PUBLIC_KEY),
    (b"ecdsa-sha2-", Kind.PUBLIC_KEY),
)
_LABELS = {
    b"CERTIFICATE": Kind.CERTIFICATE,
    b"X509 CERTIFICATE": Kind.CERTIFICATE,
    b"PRIVATE KEY": Kind.PRIVATE_KEY,
    b"RSA PRIVATE KEY": Kind.PRIVATE_KEY,
    b"EC PRIVATE KEY": Kind.PRIVATE_KEY,
    b"DSA PRIVATE KEY": Kind.PRIVATE_KEY,
    b"ENCRYPTED PRIVATE KEY": Kind.ENCRYPTED_KEY,
    b"OPENSSH PRIVATE KEY": Kind.OPENSSH_KEY,
    b"PUBLIC KEY": Kind.PUBLIC_KEY,
    b"RSA PUBLIC KEY": Kind.PUBLIC_KEY,
    b"CERTIFICATE REQUEST": Kind.REQUEST,
    b"NEW CERTIFICATE REQUEST": Kind.REQUEST,
    b"X509 CRL": Kind.REVOCATION_LIST,
    b"PKCS7": Kind.PKCS7,
    b"CMS": Kind.PKCS7,
}
# The tags of the first members of the outer SEQUENCE; the longest pattern that fits comes first.
_SHAPES = (
    (b"\x02\x30\x04", Kind.PRIVATE_KEY),  # PKCS#8: version, algorithm, octets
    (b"\x02\x02\x02", Kind.PRIVATE_KEY),  # PKCS#1: version and numbers
    (b"\x02\x02", Kind.PUBLIC_KEY),  # PKCS#1: modulus and exponent
    (b"\x02\x04", Kind.PRIVATE_KEY),  # SEC 1: version, octets
    (b"\x02\x30", Kind.PFX),  # version, contents
    (b"\x30\x03", Kind.PUBLIC_KEY),  # algorithm, bits
    (b"\x30\x04", Kind.ENCRYPTED_KEY),  # algorithm, octets
    (b"\x06\xa0", Kind.PKCS7),  # type of content, content
)
_SIGNED_SHAPE = b"\x30\x30\x03"  # content, algorithm, signature: certificates, requests and revocation lists
_PEM_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,40})-----")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]++={0,2}")
_MEMBERS_READ = 3
_SEQUENCE = 0x30
_LONG_LENGTH = 0x80
_BASE64_MIN = 64


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the library's warnings about old or odd files from the terminal: the file is judged here, by rules.

    It warns, among others, of serial numbers that are not positive, of countries that are not two letters, and of a PFX
    in BER, as Windows writes them; and again each time that such a member of a certificate is read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def pem_labels(data: bytes) -> list[bytes]:
    """Return the labels of the PEM blocks, in their order."""
    return _PEM_LABEL.findall(data)


def pem_block(data: bytes, *labels: bytes) -> bytes | None:
    """Return the first PEM block with one of these labels, its BEGIN and END lines included; None without one.

    A block whose END line is missing is returned up to the end of the data.
    """
    for match in _PEM_LABEL.finditer(data):
        if match[1] in labels:
            end_line = b"-----END %b-----" % match[1]
            end = data.find(end_line, match.end())
            return data[match.start() :] if end < 0 else data[match.start() : end + len(end_line)]
    return None


def decode_pem(block: bytes) -> bytes | None:
    """Return the bytes inside a block of `pem_block`; None when its END line is missing or its base64 is broken."""
    match = re.fullmatch(rb"-----BEGIN [A-Z0-9 ]+-----([^-]*)-----END [A-Z0-9 ]+-----", block)
    if match is None:
        return None
    try:
        return base64.b64decode(b"".join(match[1].split()), validate=True)
    except binascii.Error:
        return None


def der_content(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the DER or BER element at an offset begins and ends."""
    length = int.from_bytes(data[at + 1 : at + 2])
    if length < _LONG_LENGTH:
        return at + 2, at + 2 + length
    if length == _LONG_LENGTH:  # BER of indefinite length: the end is not needed to name it
        return at + 2, len(data)
    start = at + 2 + (length & 0x7F)
    return start, start + int.from_bytes(data[at + 2 : start])


def holds_private_key(data: bytes) -> bool:
    """Tell whether a file holds a private key, alone or beside something else."""
    secret = {Kind.PRIVATE_KEY, Kind.ENCRYPTED_KEY, Kind.OPENSSH_KEY}
    return any(_LABELS.get(label) in secret for label in pem_labels(data)) or recognize(data) in secret | {Kind.PFX}


def recognize(data: bytes) -> Kind:
    """Tell what the bytes look like. Never fails, and takes time in proportion to their length."""
    if not data.strip():
        return Kind.EMPTY
    start = next((kind for start, kind in _STARTS if data.startswith(start)), None)
    if start is not None:
        return start
    labels = pem_labels(data)
    if labels:
        # Parameters of a curve, or labels that mean nothing here, may stand before the block that tells.
        return next((_LABELS[label] for label in labels if label in _LABELS), Kind.OTHER_PEM)
    if _is_text(data):
        return _recognize_text(data)
    return _recognize_der(data) if data[0] == _SEQUENCE else Kind.BINARY


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return "".join(text.split()).isprintable()


def _recognize_text(data: bytes) -> Kind:
    head = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return Kind.HTML
    if len(data) >= _BASE64_MIN and _BASE64.fullmatch(b"".join(data.split())):
        return Kind.BARE_BASE64
    return Kind.TEXT


def _recognize_der(data: bytes) -> Kind:
    start, end = der_content(data, 0)
    if end > len(data):
        return Kind.CUT_OFF
    tags = b""
    while start < end and len(tags) < _MEMBERS_READ:
        tags += data[start : start + 1]
        _, start = der_content(data, start)
    if tags == _SIGNED_SHAPE:
        return _recognize_signed(data)
    return next((kind for shape, kind in _SHAPES if tags.startswith(shape)), Kind.OTHER_DER)


def _recognize_signed(data: bytes) -> Kind:
    with quiet():
        for load, kind in (
            (x509.load_der_x509_csr, Kind.REQUEST),
            (x509.load_der_x509_crl, Kind.REVOCATION_LIST),
        ):
            try:
                load(data)
            except CRYPTOGRAPHY_ERRORS:
                continue
            return kind
    return Kind.CERTIFICATE
