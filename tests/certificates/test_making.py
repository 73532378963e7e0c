"""Making certificates that are accepted, and writing them as files that other tools read."""

import datetime as dt
import functools
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mock_server.certificates.acceptance import describe_key, judge
from mock_server.certificates.loading import SigningKey, load_certificate, load_pfx, load_private_key
from mock_server.certificates.making import (
    DEFAULT_PASSWORD,
    KEY_KINDS,
    make_certificate,
    make_key,
    write_identity,
    write_whole,
)
from mock_server.identifiers import EnterpriseNumber

NOON = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC).timestamp()
NUMBER = EnterpriseNumber("0206653946")
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")


@functools.cache
def made_key(kind: str) -> SigningKey:
    """Return one key of each kind."""
    return make_key(kind)


def key(kind: str = "ec-p384") -> SigningKey:
    """Return the key of a kind, always the same."""
    return made_key(kind)


def certificate(
    kind: str = "ec-p384",
    *,
    common_name: str = "Client",
    organization: str = "Enterprise NV",
    number: EnterpriseNumber | None = None,
    not_before: float = NOON,
    days: int = 30,
) -> x509.Certificate:
    """Make a certificate for the one key of a kind."""
    return make_certificate(
        key(kind),
        common_name=common_name,
        organization=organization,
        enterprise_number=number,
        not_before=not_before,
        days=days,
    )


@pytest.mark.parametrize(
    ("kind", "described", "digest"),
    [
        ("rsa-2048", "RSA 2048", "sha256"),
        ("rsa-3072", "RSA 3072", "sha256"),
        ("rsa-4096", "RSA 4096", "sha256"),
        ("ec-p384", "EC P-384", "sha384"),
        ("ec-p521", "EC P-521", "sha512"),
    ],
)
def test_made_certificate_is_accepted(kind: str, described: str, digest: str) -> None:
    """A certificate of every kind of key is accepted from its first moment on, with the digest that fits the key."""
    made = certificate(kind)

    assert judge(made, NOON).accepted
    assert described == describe_key(made.public_key())
    assert made.signature_hash_algorithm is not None
    assert digest == made.signature_hash_algorithm.name


def test_kinds_are_those_of_the_table() -> None:
    """There is one kind of key for each size that the guide's table allows, and no other."""
    assert KEY_KINDS == ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p384", "ec-p521")
    with pytest.raises(ValueError, match="one of rsa-2048, rsa-3072, rsa-4096, ec-p384, ec-p521"):
        make_key("rsa-1024")


def test_subject_names_the_enterprise() -> None:
    """Subject and issuer hold country, enterprise, its number in the trade register, and the common name."""
    made = certificate(number=NUMBER)

    assert made.subject == made.issuer
    assert [(part.oid, part.value) for part in made.subject] == [
        (NameOID.COUNTRY_NAME, "BE"),
        (NameOID.ORGANIZATION_NAME, "Enterprise NV"),
        (NameOID.ORGANIZATION_IDENTIFIER, "NTRBE-0206653946"),
        (NameOID.COMMON_NAME, "Client"),
    ]


def test_enterprise_number_may_be_left_out() -> None:
    """Without an enterprise number the subject has none."""
    assert not certificate().subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)


def test_certificate_is_for_signatures_only() -> None:
    """The key usage is Digital Signature alone, the certificate is no authority, and both must be understood."""
    made = certificate()
    usage = made.extensions.get_extension_for_class(x509.KeyUsage)
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints)

    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert constraints.critical
    assert not constraints.value.ca


def test_period_is_what_was_asked_for() -> None:
    """The certificate begins at the given moment, in whole seconds, and ends the given number of days later."""
    made = certificate(not_before=NOON + 0.9, days=2)

    assert made.not_valid_before_utc.timestamp() == NOON
    assert made.not_valid_after_utc.timestamp() == NOON + 2 * 86_400


def test_two_certificates_of_one_key_differ() -> None:
    """Each certificate has a serial number of its own."""
    assert certificate().serial_number != certificate().serial_number


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"common_name": ""}, "the common name is 1 to 64 bytes"),
        ({"common_name": "é" * 33}, "the common name is 1 to 64 bytes"),
        ({"common_name": "a\nb"}, "the common name is 1 to 64 bytes of printable text"),
        ({"organization": " "}, "the organization is 1 to 64 bytes"),
        ({"days": 0}, "valid for one day or more"),
        ({"days": 10**7}, "before the year 10000"),
        ({"days": 10**12}, "before the year 10000"),
        ({"not_before": 1e20}, "before the year 10000"),
        ({"not_before": -1e9}, "begins in 1950 or later"),
    ],
)
def test_what_does_not_fit_in_a_certificate_is_refused(fault: dict[str, object], message: str) -> None:
    """A name or a period that a certificate cannot hold is refused in words of ours."""
    with pytest.raises(ValueError, match=message):
        certificate(**fault)  # type: ignore[arg-type]  # the table holds faults of several types


@pytest.mark.parametrize("kind", ["ec-p384", "rsa-2048"])
def test_written_files_hold_what_was_given(tmp_path: Path, kind: str) -> None:
    """Key, certificate and PFX are read back as they were, from absolute paths, and the alias is the name."""
    made = certificate(kind)
    files = write_identity(tmp_path, "acme-1", key(kind), made, "secret €")
    held = load_pfx(files.pfx.read_bytes(), "secret €")

    assert [files.key, files.certificate, files.pfx] == [tmp_path / f"acme-1.{end}" for end in ("key", "cer", "pfx")]
    assert files.key.read_bytes().startswith(b"-----BEGIN PRIVATE" + b" KEY-----\n")
    assert key(kind).private_numbers() == load_private_key(files.key.read_bytes()).private_numbers()
    assert made.public_bytes(Encoding.DER) == files.certificate.read_bytes()
    assert made == load_certificate(files.certificate.read_bytes()) == held.certificate
    assert held.alias == "acme-1"


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is made, and told as an absolute one."""
    monkeypatch.chdir(tmp_path)

    assert write_identity(Path("a/b"), "x", key(), certificate(), "p").pfx == tmp_path / "a/b/x.pfx"


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Run with a umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


@posix_only
@pytest.mark.usefixtures("no_umask")
def test_private_files_are_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files with the key are their owner's before they have their name, and after; the certificate is for all."""
    modes: dict[str, int] = {}
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes[target.suffix] = stat.S_IMODE(self.stat().st_mode)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    files = write_identity(tmp_path, "x", key(), certificate(), "p")

    assert modes == {".key": 0o600, ".cer": 0o666, ".pfx": 0o600}
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.pfx.stat().st_mode) == 0o600


@posix_only
def test_mode_of_an_older_file_is_not_kept(tmp_path: Path) -> None:
    """A key that replaces a file that all may read is for its owner only."""
    (tmp_path / "x.key").write_text("old")
    (tmp_path / "x.key").chmod(0o644)

    files = write_identity(tmp_path, "x", key(), certificate(), "p")

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert files.key.read_bytes().startswith(b"-----BEGIN")


@posix_only
def test_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """A symbolic link in the place of the key is replaced: the key is written nowhere else."""
    other = tmp_path / "other"
    other.write_text("old")
    (tmp_path / "x.key").symlink_to(other)

    write_identity(tmp_path, "x", key(), certificate(), "p")

    assert other.read_text() == "old"


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """When a file cannot be put in place, no part of it stays behind."""
    target = tmp_path / "taken"
    target.mkdir()

    with pytest.raises(OSError, match="taken"):
        write_whole(target, b"data")

    assert [target] == list(tmp_path.iterdir())


@posix_only
def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """A named pipe, or a link to a device, is not taken away to put a file in its place."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(os.devnull)

    for target in (pipe, link):
        with pytest.raises(OSError, match="it is there already, and is no file"):
            write_whole(target, b"data")

    assert pipe.is_fifo()
    assert link.is_symlink()
    assert {pipe, link} == set(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "a\\b",
        "../a",
        "a b",
        "a,b",
        "a=b",
        "a.",
        "-a",
        "é",
        "a\n",
        "CON",
        "nul.x",
        "a" * 65,
    ],
)
def test_unsafe_name_is_refused(tmp_path: Path, name: str) -> None:
    """A name that could leave the folder, or is no file name everywhere, is refused, and nothing is written."""
    with pytest.raises(ValueError, match="a name is 1 to 64 letters"):
        write_identity(tmp_path, name, key(), certificate(), "p")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "console", "1", "a" * 64])
def test_safe_name_is_taken(tmp_path: Path, name: str) -> None:
    """Letters, digits, dots, dashes and underscores make a name."""
    assert write_identity(tmp_path, name, key(), certificate(), "p").key.name == f"{name}.key"


def test_empty_password_is_refused(tmp_path: Path) -> None:
    """A PFX has a password, as Java wants one."""
    with pytest.raises(ValueError, match="at least one character"):
        write_identity(tmp_path, "x", key(), certificate(), "")

    assert list(tmp_path.iterdir()) == []


def test_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    """Key and certificate that do not belong together are not written."""
    with pytest.raises(ValueError, match="do not match"):
        write_identity(tmp_path, "x", make_key("ec-p384"), certificate(), "p")

    assert list(tmp_path.iterdir()) == []


def run(*command: str | Path) -> str:
    """Run a tool and return what it prints."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.system
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize("kind", KEY_KINDS)
def test_openssl_reads_the_files(tmp_path: Path, kind: str) -> None:
    """OpenSSL reads all three files, and finds the same key in them."""
    files = write_identity(tmp_path, "acme", key(kind), certificate(kind), DEFAULT_PASSWORD)
    opened = tmp_path / "opened.pem"

    run("openssl", "pkcs12", "-in", files.pfx, "-passin", f"pass:{DEFAULT_PASSWORD}", "-nodes", "-out", opened)
    from_key = run("openssl", "pkey", "-in", files.key, "-pubout")

    assert "friendlyName: acme" in opened.read_text()
    assert from_key == run("openssl", "pkey", "-in", opened, "-pubout")
    assert from_key == run("openssl", "x509", "-inform", "DER", "-in", files.certificate, "-noout", "-pubkey")


@pytest.mark.system
@pytest.mark.skipif(shutil.which("keytool") is None, reason="needs Java's keytool")
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p521"])
def test_java_reads_the_pfx(tmp_path: Path, kind: str) -> None:
    """Java opens the PFX, decrypts the key under its alias, and sees the certificate."""
    made = certificate(kind)
    files = write_identity(tmp_path, "acme", key(kind), made, DEFAULT_PASSWORD)
    copy = tmp_path / "copy.p12"

    passwords = ["-srcstorepass", DEFAULT_PASSWORD, "-deststorepass", DEFAULT_PASSWORD]
    run("keytool", "-importkeystore", "-srckeystore", files.pfx, "-srcalias", "acme", "-destkeystore", copy, *passwords)
    listed = run("keytool", "-list", "-keystore", copy, "-storepass", DEFAULT_PASSWORD)

    assert "acme" in listed
    assert "PrivateKeyEntry" in listed
    assert made.fingerprint(hashes.SHA256()).hex(":").upper() in listed


def test_keys_are_new_each_time() -> None:
    """No key is made twice."""
    first, second = make_key("ec-p384"), make_key("ec-p384")

    assert isinstance(first, ec.EllipticCurvePrivateKey)
    assert first.private_numbers() != second.private_numbers()
