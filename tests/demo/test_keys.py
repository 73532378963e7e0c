"""The demo world's keys: made once, kept, mended."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mock_server.certificates.loading import load_pfx
from mock_server.demo.keys import KeyFolder, KeyFolderError
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber
from mock_server.world.model import Account
from tests.support import DAY, NOW


def account(name: str) -> Account:
    """Return an account that needs a key."""
    return Account(ClientId(name), name, EnterpriseNumber("1999000150"), Capacity.EMPLOYER, (), ())


ACCOUNTS = [account("one"), account("two")]


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_keys_are_made_once_and_used_again(tmp_path: Path) -> None:
    """A second start finds the same keys and changes nothing."""
    folder = tmp_path / "deep" / "keys"
    first = KeyFolder(folder).identities(ACCOUNTS, NOW)
    before = contents(folder)
    second = KeyFolder(folder).identities(ACCOUNTS, NOW + DAY)

    assert first == second
    assert before == contents(folder)
    assert {"one.key", "one.cer", "one.pfx", "two.key", "two.cer", "two.pfx"} <= set(before)


def test_the_folder_ignores_itself(tmp_path: Path) -> None:
    """Git takes nothing of a folder whose own .gitignore names everything."""
    KeyFolder(tmp_path).identities(ACCOUNTS[:1], NOW)

    assert "*" in (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_nobody_else_may_read_a_key(tmp_path: Path) -> None:
    """Files that hold a private key are their owner's alone."""
    keys = KeyFolder(tmp_path)
    keys.identities(ACCOUNTS[:1], NOW)
    keys.signing_key()

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("one.key", "one.pfx", "token-signing.key")]
    assert modes == [0o600] * 3


def test_the_pfx_opens_with_the_password_that_is_told(tmp_path: Path) -> None:
    """A PFX holds the key and the certificate that is registered."""
    identity = KeyFolder(tmp_path).identities(ACCOUNTS[:1], NOW)["one"]

    bundle = load_pfx(identity.files.pfx.read_bytes(), "changeit")

    assert identity.certificate.x509 == bundle.certificate
    assert bundle.alias == "one"


@pytest.mark.parametrize("suffix", ["key", "cer", "pfx"])
def test_what_is_missing_is_made_anew(tmp_path: Path, suffix: str) -> None:
    """An identity is whole or new, and the others stay."""
    keys = KeyFolder(tmp_path)
    before = keys.identities(ACCOUNTS, NOW)
    (tmp_path / f"one.{suffix}").unlink()
    after = keys.identities(ACCOUNTS, NOW)

    assert before["one"] != after["one"]
    assert before["two"] == after["two"]


def test_a_certificate_that_has_expired_is_made_anew(tmp_path: Path) -> None:
    """Nobody has to remove an old folder."""
    keys = KeyFolder(tmp_path)
    before = keys.identities(ACCOUNTS[:1], NOW)
    after = keys.identities(ACCOUNTS[:1], NOW + 730 * DAY)

    assert before != after


def test_several_starts_at_once_agree(tmp_path: Path) -> None:
    """Processes that start together wait for each other, and use one set of keys."""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: KeyFolder(tmp_path).identities(ACCOUNTS, NOW), range(4)))
        signing = list(pool.map(lambda _: KeyFolder(tmp_path).signing_key().private_numbers(), range(4)))

    assert all(identities == made[0] for identities in made)
    assert all(numbers == signing[0] for numbers in signing)


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    """The message says what to do."""
    keys = KeyFolder(tmp_path)
    keys.identities(ACCOUNTS[:1], NOW)
    (tmp_path / "one.cer").write_bytes(b"x")

    with pytest.raises(KeyFolderError, match="Remove it, or name another folder with --keys"):
        keys.identities(ACCOUNTS[:1], NOW)


EC_KEY = """-----BEGIN {0}-----
x
-----END {0}-----
"""


@pytest.mark.parametrize("text", ["", "x", EC_KEY.format("PRIVATE" + " KEY")])
def test_a_signing_key_that_cannot_be_used_is_told(tmp_path: Path, text: str) -> None:
    """The message names the file, and says what to do."""
    (tmp_path / "token-signing.key").write_text(text, encoding="utf-8")

    with pytest.raises(KeyFolderError, match=r"token-signing\.key: .* Remove this file"):
        KeyFolder(tmp_path).signing_key()


def test_a_signing_key_of_another_kind_is_told(tmp_path: Path) -> None:
    """Access tokens are signed with RSA."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - for this test only
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from tests.support import key  # noqa: PLC0415 - as above

    pem = key("ec-p384").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "token-signing.key").write_bytes(pem)

    with pytest.raises(KeyFolderError, match="not an RSA key"):
        KeyFolder(tmp_path).signing_key()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in the place of the folder is no folder."""
    (tmp_path / "keys").write_text("x", encoding="utf-8")

    with pytest.raises(KeyFolderError, match="the demo keys cannot be used"):
        KeyFolder(tmp_path / "keys").identities(ACCOUNTS, NOW)
