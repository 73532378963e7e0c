"""Making test certificates that ChaMan's rules accept, and writing them with their keys (G§4.4.1, G§7.3.2)."""

import datetime as dt
import errno
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from mock_server.certificates.loading import SigningKey
from mock_server.identifiers import EnterpriseNumber

DEFAULT_PASSWORD = "changeit"  # noqa: S105 - no secret: Java's own default, told wherever it is used

_MAKERS: dict[str, Callable[[], SigningKey]] = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ec-p521": lambda: ec.generate_private_key(ec.SECP521R1()),
}
KEY_KINDS: tuple[str, ...] = tuple(_MAKERS)
"""The kinds of key that the guide's table allows."""

# A file name on every system, an alias in Java, and nothing that a shell or a comma-separated option could take apart.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_WINDOWS_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_NAME_PART_MAX = (
    64  # bytes of UTF-8: the bound of RFC 5280's Appendix A for names and organizations, as the library counts
)
_FIRST_YEAR = 1950  # what UTCTime can say (RFC 5280 §4.1.2.5.1)
_KDF_ROUNDS = (
    2048  # OpenSSL's default. More would cost time at every start, to protect test keys with a known password.
)
_SECRET = 0o600
_PUBLIC = 0o666  # less the umask


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """The absolute paths of what `write_identity` wrote."""

    key: Path
    certificate: Path
    pfx: Path


def make_key(kind: str) -> SigningKey:
    """Make a private key of one of the `KEY_KINDS`; raises `ValueError` for another kind."""
    maker = _MAKERS.get(kind)
    if maker is None:
        msg = f"the kind of a key is one of {', '.join(KEY_KINDS)}"
        raise ValueError(msg)
    return maker()


def make_certificate(  # noqa: PLR0913 - each is a part of the certificate, and all but the key are named
    key: SigningKey,
    *,
    common_name: str,
    organization: str,
    enterprise_number: EnterpriseNumber | None = None,
    not_before: float,
    days: int,
) -> x509.Certificate:
    """Make a self-signed certificate that is valid from a moment (Unix seconds) for a number of days.

    The digest is SHA-256, or the one as strong as the curve. The enterprise number is written as ETSI EN 319 412-1
    §5.1.4 does, `NTRBE-0123456789` (trade register, Belgium); ChaMan is not known to look at it.
    Raises `ValueError` when a name or a date does not fit in a certificate.
    """
    start, end = _period(not_before, days)
    _require_name_part("common name", common_name)
    _require_name_part("organization", organization)
    parts = {
        x509.NameOID.COUNTRY_NAME: "BE",
        x509.NameOID.ORGANIZATION_NAME: organization,
        x509.NameOID.ORGANIZATION_IDENTIFIER: f"NTRBE-{enterprise_number}" if enterprise_number else "",
        x509.NameOID.COMMON_NAME: common_name,
    }
    name = x509.Name([x509.NameAttribute(part, text) for part, text in parts.items() if text])
    public_key = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_DIGITAL_SIGNATURE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    return builder.sign(key, _digest(key))


def identity_paths(folder: Path, name: str) -> IdentityFiles:
    """Return where `write_identity` puts its files; raises `ValueError` for a name that is not a safe file name."""
    if not _NAME.fullmatch(name) or _WINDOWS_DEVICES.fullmatch(name):
        msg = (
            "a name is 1 to 64 letters, digits, dots, dashes and underscores, begins with a letter or digit, "
            "does not end with a dot, and is no device of Windows (such as CON)"
        )
        raise ValueError(msg)
    root = folder.absolute()
    return IdentityFiles(root / f"{name}.key", root / f"{name}.cer", root / f"{name}.pfx")


def write_identity(
    folder: Path, name: str, key: SigningKey, certificate: x509.Certificate, password: str
) -> IdentityFiles:
    """Write `NAME.key` (PKCS#8 PEM, not encrypted), `NAME.cer` (DER) and `NAME.pfx` (both, alias NAME).

    The folder is made when it is not there, and files of these names are replaced. Each file appears whole, and those
    with the key can be read by nobody but their owner from the first moment on; the three together are not one step.
    The PFX is encrypted with AES-256 and SHA-256, which OpenSSL 1.1, Java 8u301 and all later ones read.
    Raises `ValueError` for an unsafe name, an empty password or a key of another certificate, and `OSError`.
    """
    files = identity_paths(folder, name)
    if not password:
        msg = "the password of a PFX has at least one character"
        raise ValueError(msg)
    try:
        secret = password.encode()
    except UnicodeEncodeError:
        msg = "the password of a PFX is text, and this one has bytes that are no UTF-8: look at the shell's encoding"
        raise ValueError(msg) from None
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_KDF_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(secret)
    )
    pfx = pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, None, encryption)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files.key.parent.mkdir(parents=True, exist_ok=True)
    write_whole(files.key, pem, _SECRET)
    write_whole(files.certificate, certificate.public_bytes(serialization.Encoding.DER))
    write_whole(files.pfx, pfx, _SECRET)
    return files


def write_whole(path: Path, data: bytes, mode: int = _PUBLIC) -> None:
    """Write a file that appears whole, with its mode (less the umask) from the first moment.

    An older file is replaced. Raises `OSError`, also where the path leads to a device, a pipe or a folder.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is there already, and is no file", str(path))
    # A file of its own, moved into place: no reader meets half of it, and an old file's wider mode is not kept.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


_DIGITAL_SIGNATURE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _digest(key: SigningKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    if isinstance(key, rsa.RSAPrivateKey):
        return hashes.SHA256()
    return hashes.SHA384() if isinstance(key.curve, ec.SECP384R1) else hashes.SHA512()


def _period(not_before: float, days: int) -> tuple[dt.datetime, dt.datetime]:
    try:
        start = dt.datetime.fromtimestamp(int(not_before), dt.UTC)
        end = start + dt.timedelta(days=days)
    except (ValueError, OverflowError, OSError):
        msg = "a certificate ends before the year 10000"
        raise ValueError(msg) from None
    if start.year < _FIRST_YEAR or days < 1:
        msg = f"a certificate begins in {_FIRST_YEAR} or later, and is valid for one day or more"
        raise ValueError(msg)
    return start, end


def _require_name_part(what: str, text: str) -> None:
    if not text.strip() or not text.isprintable() or len(text.encode()) > _NAME_PART_MAX:
        msg = f"the {what} is 1 to {_NAME_PART_MAX} bytes of printable text"
        raise ValueError(msg)
