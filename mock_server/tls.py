"""A certificate for https on this machine, from a CA that is made for it and can vouch for nothing else.

Who lets a client trust a CA lets its owner be anybody. This one may speak for the names it was made for and no others,
ends after 30 days, and has no owner: its private key signs one certificate, and is never written anywhere. trustme, the
usual library, limits its CA neither to names nor to days, so the certificates are built here.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from filelock import BaseFileLock

DEFAULT_NAMES: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
"""The names of this machine for itself."""

_DAY = 86_400
_DAYS = 30
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NAME_MAX = 253  # RFC 1035 §2.3.4, without the length bytes
_SECRET = 0o600
_PUBLIC = 0o644
_LOCK_SECONDS = 60


class TlsError(OSError):
    """The files for https cannot be made or used; says what to do."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What a server shows, and what its clients are to trust: absolute paths of PEM files."""

    certificate_file: Path
    """The server's certificate, followed by that of its CA."""
    key_file: Path
    """The server's private key: PKCS#8, not encrypted."""
    ca_file: Path | None
    """The certificate of the CA; None when no CA signed."""


@dataclass(frozen=True, slots=True)
class _Names:
    dns: frozenset[str]
    addresses: frozenset[IPv4Address | IPv6Address]

    def general(self) -> "list[x509.GeneralName]":
        from cryptography import x509  # noqa: PLC0415 - to import this module costs nothing

        dns: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted(self.dns)]
        return dns + [x509.IPAddress(address) for address in self._sorted_addresses()]

    def constraints(self) -> "x509.NameConstraints":
        from cryptography import x509  # noqa: PLC0415 - as above

        permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted(self.dns)]
        permitted += [x509.IPAddress(ip_network(address)) for address in self._sorted_addresses()]
        # A kind of name of which none is permitted is not limited (RFC 5280 §4.2.1.10): all of that kind are excluded.
        excluded: list[x509.GeneralName] = [] if self.dns else [x509.DNSName("")]
        if not self.addresses:
            excluded += [x509.IPAddress(ip_network(every)) for every in ("0.0.0.0/0", "::/0")]
        return x509.NameConstraints(permitted, excluded or None)

    def _sorted_addresses(self) -> list[IPv4Address | IPv6Address]:
        return sorted(self.addresses, key=lambda address: address.packed)


def platform_names() -> tuple[str, ...]:
    """Return the host names of the platform, for clients that are led here by a hosts entry."""
    from mock_server.oauth.audience import TOKEN_URLS  # noqa: PLC0415 - as above

    return tuple(dict.fromkeys(urlsplit(url).hostname or "" for url in TOKEN_URLS.values()))


def server_identity(folder: Path, names: Iterable[str], now: float, *, trusted: bool = True) -> ServerIdentity:
    """Return the server's certificate for these names, made at the first start and used again after that.

    `names` are DNS names and IP addresses, `now` is in Unix seconds. The files are made anew when one is missing or
    does not belong to the others, when the names have changed, or when less than a day is left. The CA may speak for
    these names only (a DNS name permits those below it as well, RFC 5280 §4.2.1.10). With `trusted` False no CA signs:
    the certificate is one that every client has to refuse. Processes that start together use the same files; two that
    share a folder and want different names take it from each other. Raises `TlsError`.
    """
    wanted = _parsed(names)
    root = folder.absolute()
    identity = (
        ServerIdentity(root / "server.pem", root / "server.key", root / "ca.pem")
        if trusted
        else ServerIdentity(root / "untrusted.pem", root / "untrusted.key", None)
    )
    try:
        # Only files that belong together are used without the lock, so what is half written is waited for.
        if not _is_usable(identity, wanted, now):
            _prepare(root)
            with _lock(root):
                if not _is_usable(identity, wanted, now):
                    _make(identity, wanted, now)
    except (OSError, ValueError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        msg = f"{root}: the certificate for https cannot be made: {reason}. Remove it, or name another folder."
        raise TlsError(msg) from None
    return identity


def _parsed(names: Iterable[str]) -> _Names:
    dns, addresses = set(), set()
    for name in names:
        text = name.strip().lower()
        try:
            addresses.add(ip_address(text.removeprefix("[").removesuffix("]")))
        except ValueError:
            if len(text) > _NAME_MAX or not all(_LABEL.fullmatch(label) for label in text.split(".")):
                msg = (
                    f"{name!r} cannot stand in a certificate: a name is made of letters, digits, dashes and dots "
                    "(write others in punycode, xn--…), or is an IP address."
                )
                raise TlsError(msg) from None
            dns.add(text)
    if not dns and not addresses:
        msg = "a certificate for https has at least one name: give one, such as localhost."
        raise TlsError(msg)
    return _Names(frozenset(dns), frozenset(addresses))


def _is_usable(identity: ServerIdentity, names: _Names, now: float) -> bool:
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    try:
        chain = x509.load_pem_x509_certificates(identity.certificate_file.read_bytes())
        key = load_pem_private_key(identity.key_file.read_bytes(), None)
        shown = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        is_whole = identity.ca_file is None or chain[1:] == [
            x509.load_pem_x509_certificate(identity.ca_file.read_bytes())
        ]
    except (FileNotFoundError, ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    first, last = chain[0].not_valid_before_utc.timestamp(), chain[0].not_valid_after_utc.timestamp()
    is_of_key = key.public_key() == chain[0].public_key()
    return is_whole and is_of_key and set(shown) == set(names.general()) and first <= now < last - _DAY


def _prepare(folder: Path) -> None:
    from mock_server.certificates.making import write_whole  # noqa: PLC0415 - as above

    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_whole(ignore, b"# Private keys: this folder ignores itself.\n*\n")


def _lock(folder: Path) -> "BaseFileLock":
    from filelock import FileLock  # noqa: PLC0415 - needed when something is made

    return FileLock(folder / ".tls.lock", timeout=_LOCK_SECONDS)


def _make(identity: ServerIdentity, names: _Names, now: float) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from mock_server.certificates.making import write_whole  # noqa: PLC0415 - as above

    key = ec.generate_private_key(ec.SECP256R1())
    chain = _chain(key, names, now, trusted=identity.ca_file is not None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_whole(identity.key_file, pem, _SECRET)
    write_whole(identity.certificate_file, b"".join(one.public_bytes(Encoding.PEM) for one in chain), _PUBLIC)
    if identity.ca_file is not None:
        write_whole(identity.ca_file, chain[-1].public_bytes(Encoding.PEM), _PUBLIC)


def _chain(
    key: "ec.EllipticCurvePrivateKey", names: _Names, now: float, *, trusted: bool
) -> "tuple[x509.Certificate, ...]":
    """Make the certificate of a key, and the CA that signs it; not trusted, it signs itself.

    The CA's key is gone when this returns: nobody can sign in its name again.
    """
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

    # Begun a day ago, for clients whose clock is behind.
    first = dt.datetime.fromtimestamp(int(now) - _DAY, dt.UTC)
    issuer_key = ec.generate_private_key(ec.SECP256R1()) if trusted else key

    def named(unit: str) -> x509.Name:
        kinds = x509.NameOID.ORGANIZATION_NAME, x509.NameOID.ORGANIZATIONAL_UNIT_NAME
        return x509.Name([x509.NameAttribute(*part) for part in zip(kinds, ("fla-mock", unit), strict=True)])

    # Each CA has a name of its own: a client that still trusts the one before does not take this one for it.
    issuer = named(f"CA {x509.random_serial_number():040x}" if trusted else "not trusted")

    def begun(subject: x509.Name, public_key: ec.EllipticCurvePublicKey, *, is_ca: bool) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=not is_ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=is_ca,
            crl_sign=is_ca,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(first)
            .not_valid_after(first + dt.timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(is_ca, 0 if is_ca else None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )

    leaf = (
        begun(named("server") if trusted else issuer, key.public_key(), is_ca=False)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names.general()), critical=False)
        .sign(issuer_key, SHA256())
    )
    if not trusted:
        return (leaf,)
    ca = begun(issuer, issuer_key.public_key(), is_ca=True).add_extension(names.constraints(), critical=True)
    return leaf, ca.sign(issuer_key, SHA256())
