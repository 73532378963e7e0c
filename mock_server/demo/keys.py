"""The demo world's keys: made at the first start, kept in a folder that git ignores, used again after that."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from mock_server.certificates.making import (
    DEFAULT_PASSWORD,
    IdentityFiles,
    identity_paths,
    make_certificate,
    make_key,
    write_identity,
    write_whole,
)
from mock_server.world.model import Account, RegisteredCertificate

if TYPE_CHECKING:
    from filelock import BaseFileLock

_KIND = "rsa-2048"
_DAYS = 730
_DAY = 86_400
_SIGNING_KEY = "token-signing.key"
_LOCK_SECONDS = 60


class KeyFolderError(OSError):
    """The folder of keys cannot be used; says what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One account's key and certificate on disk."""

    files: IdentityFiles
    certificate: RegisteredCertificate


class KeyFolder:
    """The folder that `--keys` names."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def identities(self, accounts: Iterable[Account], now: float) -> Mapping[str, Identity]:
        """Return an identity for each account, by the account's name. What is missing or expired is made.

        Raises `KeyFolderError`.
        """
        accounts = list(accounts)
        try:
            if not all(self._is_usable(account.name, now) for account in accounts):
                self._make(accounts, now)
            return {account.name: self._read(account.name) for account in accounts}
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            msg = f"{self.path}: the demo keys cannot be used: {reason}. Remove it, or name another folder with --keys."
            raise KeyFolderError(msg) from None

    def existing(self, accounts: Iterable[Account]) -> Mapping[str, Identity]:
        """Return the identities that are there, and change nothing. Raises `KeyFolderError`."""
        try:
            return {account.name: self._read(account.name) for account in accounts}
        except OSError as error:
            advice = "start “fla-mock serve” once, or name their folder with --keys"
            msg = f"{self.path}: no demo keys ({error.strerror}): {advice}."
            raise KeyFolderError(msg) from None

    def signing_key(self) -> rsa.RSAPrivateKey:
        """Return the key that signs access tokens, made at the first start. Raises `KeyFolderError`."""
        path = self.path / _SIGNING_KEY
        try:
            if not path.exists():
                self._prepare()
                with self._lock():
                    if not path.exists():
                        pem = new_signing_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                        write_whole(path, pem, 0o600)
            # Written by this program, so the checks, which cost as much as half a start, are left out.
            key = load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        except (OSError, ValueError, TypeError) as error:
            msg = f"{path}: cannot be used: {error}. Remove this file, and a new one is made."
            raise KeyFolderError(msg) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            msg = f"{path}: not an RSA key. Remove this file, and a new one is made."
            raise KeyFolderError(msg)
        return key

    def _is_usable(self, name: str, now: float) -> bool:
        files = identity_paths(self.path, name)
        if not (files.key.exists() and files.certificate.exists() and files.pfx.exists()):
            return False
        first, last = self._read(name).certificate.validity
        return first <= now < last - _DAY

    def _read(self, name: str) -> Identity:
        files = identity_paths(self.path, name)
        return Identity(files, RegisteredCertificate(files.certificate.name, files.certificate.read_bytes()))

    def _make(self, accounts: list[Account], now: float) -> None:
        self._prepare()
        with self._lock():
            missing = [account for account in accounts if not self._is_usable(account.name, now)]
            # Two threads: making an RSA key is arithmetic outside the interpreter's lock.
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda account: self._make_one(account, now), missing))

    def _make_one(self, account: Account, now: float) -> None:
        key = make_key(_KIND)
        certificate = make_certificate(
            key,
            common_name=account.name,
            organization="fla-mock demo world",
            enterprise_number=account.enterprise,
            not_before=now - _DAY,
            days=_DAYS,
        )
        write_identity(self.path, account.name, key, certificate, DEFAULT_PASSWORD)

    def _prepare(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            write_whole(ignore, b"# Private keys: this folder ignores itself.\n*\n")

    def _lock(self) -> "BaseFileLock":
        from filelock import FileLock  # noqa: PLC0415 - needed at the first start only

        return FileLock(self.path / ".lock", timeout=_LOCK_SECONDS)


def new_signing_key() -> rsa.RSAPrivateKey:
    """Make a key that signs access tokens (RS256, as the one header known of the real ones says)."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
