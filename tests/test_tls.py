"""The certificate for https: who trusts it and who does not, what its CA may sign, and when it is made anew."""

import datetime as dt
import ipaddress
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from mock_server.tls import DEFAULT_NAMES, ServerIdentity, TlsError, platform_names, server_identity
from tests.support import DAY, NOW

NAMES = (*DEFAULT_NAMES, "services.socialsecurity.be", "services-acpt.socialsecurity.be")
TRUSTED_FILES = ("ca.pem", "server.pem", "server.key")


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ServerIdentity:
    """Make the files of a server that starts now: OpenSSL looks at the system's clock."""
    return server_identity(tmp_path_factory.mktemp("tls"), NAMES, time.time())


def handshake(shown: ServerIdentity, trusting: ssl.SSLContext, name: str) -> None:
    """Let a client and a server speak TLS in memory until both are done; raises what the client does."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(shown.certificate_file, shown.key_file)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(down, up, server_hostname=name)
    server = server_context.wrap_bio(up, down, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            assert side is not server or up.pending == 0
    assert client.version() == server.version() == "TLSv1.3"


def trusting(path: Path | None) -> ssl.SSLContext:
    """Return what a client trusts: a CA, or what the system does."""
    return ssl.create_default_context(cafile=path)


def certificates(path: Path) -> list[x509.Certificate]:
    """Read the certificates of a file."""
    return x509.load_pem_x509_certificates(path.read_bytes())


def ca_of(made: ServerIdentity) -> x509.Certificate:
    """Read the certificate of the CA."""
    assert made.ca_file is not None
    return certificates(made.ca_file)[0]


def contents(made: ServerIdentity) -> Mapping[str, bytes]:
    """Return the three files."""
    folder = made.certificate_file.parent
    return {name: (folder / name).read_bytes() for name in TRUSTED_FILES}


# Who trusts it


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_the_ca_connects_under_every_name(name: str, identity: ServerIdentity) -> None:
    """TLS with the name checked succeeds, for this machine's names and the platform's."""
    handshake(identity, trusting(identity.ca_file), name)


def test_a_client_that_knows_nothing_of_the_ca_refuses(identity: ServerIdentity) -> None:
    """What the system trusts does not include it."""
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate in certificate chain"):
        handshake(identity, ssl.create_default_context(), "localhost")


def test_a_client_that_trusts_another_ca_refuses(identity: ServerIdentity, tmp_path: Path) -> None:
    """The CA of one folder is none for the server of another."""
    other = server_identity(tmp_path, NAMES, time.time())

    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate in certificate chain"):
        handshake(identity, trusting(other.ca_file), "localhost")


@pytest.mark.parametrize("name", ["example.org", "127.0.0.2", "socialsecurity.be"])
def test_a_client_that_looks_for_another_name_refuses(name: str, identity: ServerIdentity) -> None:
    """The certificate holds for its names only."""
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(identity, trusting(identity.ca_file), name)


# What it is


def test_the_server_shows_itself_first(identity: ServerIdentity) -> None:
    """The file holds the server's certificate and then the CA's."""
    leaf, ca = certificates(identity.certificate_file)

    assert ca == ca_of(identity)
    leaf.verify_directly_issued_by(ca)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    assert {*names.get_values_for_type(x509.DNSName), *map(str, addresses)} == set(NAMES)
    uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_ca_may_sign_for_these_names_only(identity: ServerIdentity) -> None:
    """Its limits are critical: a client that does not know them has to refuse it."""
    extensions = ca_of(identity).extensions
    names = extensions.get_extension_for_class(x509.NameConstraints)
    permitted = names.value.permitted_subtrees or []

    assert names.critical
    assert names.value.excluded_subtrees is None
    assert sorted(str(one.value) for one in permitted) == sorted(
        ["localhost", "127.0.0.1/32", "::1/128", "services.socialsecurity.be", "services-acpt.socialsecurity.be"]
    )
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature


@pytest.mark.parametrize(
    ("names", "excluded"),
    [(["localhost"], ["0.0.0.0/0", "::/0"]), (["127.0.0.1"], [""])],
    ids=["DNS names", "addresses"],
)
def test_a_kind_of_name_of_which_there_is_none_is_excluded(
    names: list[str], excluded: list[str], tmp_path: Path
) -> None:
    """Limits to names of one kind say nothing of the other, so it is ruled out."""
    made = server_identity(tmp_path, names, time.time())

    limits = ca_of(made).extensions.get_extension_for_class(x509.NameConstraints).value
    assert [str(one.value) for one in limits.excluded_subtrees or []] == excluded
    handshake(made, trusting(made.ca_file), names[0])


def test_both_end_after_30_days(tmp_path: Path) -> None:
    """They begin a day before, and the server's certificate is not valid for longer than its CA."""
    made = server_identity(tmp_path, NAMES, NOW)

    for certificate in certificates(made.certificate_file):
        first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        assert (first.timestamp(), last - first) == (NOW - DAY, dt.timedelta(days=30))


@pytest.fixture
def keys_made(monkeypatch: pytest.MonkeyPatch) -> list[ec.EllipticCurvePrivateKey]:
    """Keep every key that is made."""
    made: list[ec.EllipticCurvePrivateKey] = []
    make = ec.generate_private_key

    def keep(*arguments: Any) -> ec.EllipticCurvePrivateKey:
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(ec, "generate_private_key", keep)
    return made


def key_of(certificate: x509.Certificate, keys: Iterable[ec.EllipticCurvePrivateKey]) -> ec.EllipticCurvePrivateKey:
    """Return the key of a certificate."""
    return next(key for key in keys if key.public_key() == certificate.public_key())


def test_the_ca_key_is_written_nowhere(tmp_path: Path, keys_made: list[ec.EllipticCurvePrivateKey]) -> None:
    """No file holds it, in no form: the server's own key, which is looked for alike, is found."""
    made = server_identity(tmp_path, NAMES, NOW)
    leaf, ca = certificates(made.certificate_file)

    def files_with(key: ec.EllipticCurvePrivateKey) -> list[str]:
        secret = key.private_numbers().private_value.to_bytes(32, "big")
        return [path.name for path in tmp_path.rglob("*") if path.is_file() and holds(path.read_bytes(), secret)]

    assert files_with(key_of(leaf, keys_made)) == ["server.key"]
    assert files_with(key_of(ca, keys_made)) == []


def holds(data: bytes, secret: bytes) -> bool:
    """Tell whether a file holds a secret, as PEM or as it is."""
    try:
        key = load_pem_private_key(data, None)
    except ValueError:
        return secret in data
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32, "big") == secret


@pytest.mark.parametrize(
    "name",
    [x509.DNSName("example.org"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))],
    ids=["a DNS name", "an address"],
)
def test_even_with_its_key_the_ca_could_not_sign_for_another_name(
    name: x509.GeneralName, tmp_path: Path, keys_made: list[ec.EllipticCurvePrivateKey]
) -> None:
    """A client that trusts the CA refuses what it signed outside of its limits."""
    made = server_identity(tmp_path, NAMES, time.time())
    ca = ca_of(made)
    leaf = certificates(made.certificate_file)[0]
    forged = (
        x509.CertificateBuilder(extensions=[one for one in leaf.extensions if one.oid.dotted_string != "2.5.29.17"])
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(leaf.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key_of(ca, keys_made), hashes.SHA256())
    )
    made.certificate_file.write_bytes(forged.public_bytes(Encoding.PEM))

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(made, trusting(made.ca_file), str(name.value))


# Signed by nobody


def test_an_untrusted_certificate_is_refused_even_by_who_trusts_the_ca(identity: ServerIdentity) -> None:
    """Nobody signed it but itself, and there is no CA to trust."""
    folder = identity.certificate_file.parent
    before = contents(identity)
    untrusted = server_identity(folder, NAMES, time.time(), trusted=False)

    assert untrusted == ServerIdentity(folder / "untrusted.pem", folder / "untrusted.key", None)
    assert contents(identity) == before
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
        handshake(untrusted, trusting(identity.ca_file), "localhost")


def test_an_untrusted_certificate_is_right_in_everything_else(tmp_path: Path) -> None:
    """A client that is told to trust this very certificate connects: only the signature is missing."""
    untrusted = server_identity(tmp_path, NAMES, time.time(), trusted=False)
    pinned = trusting(untrusted.certificate_file)
    pinned.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN

    handshake(untrusted, pinned, "localhost")
    assert len(certificates(untrusted.certificate_file)) == 1
    again = server_identity(tmp_path, NAMES, time.time(), trusted=False)
    assert certificates(again.certificate_file) == certificates(untrusted.certificate_file)


# Made once, and anew


def test_files_are_used_again(tmp_path: Path) -> None:
    """A later start with the same names, however they are written, changes nothing."""
    first = server_identity(tmp_path / "deep" / "tls", NAMES, NOW)
    before = contents(first)
    second = server_identity(tmp_path / "deep" / "tls", [" LOCALHOST", "[::1]", *NAMES[::-1]], NOW + 27 * DAY)

    assert (first, before) == (second, contents(second))
    assert all(path.is_absolute() for path in (first.certificate_file, first.key_file, first.ca_file or Path()))


@pytest.mark.parametrize("later", [28 * DAY, 29 * DAY, 400 * DAY, -2 * DAY])
def test_files_that_are_about_to_end_are_made_anew(later: int, tmp_path: Path) -> None:
    """With less than a day left, or before they begin, another CA signs another certificate for another key."""
    before = contents(server_identity(tmp_path, NAMES, NOW))
    after = contents(server_identity(tmp_path, NAMES, NOW + later))

    assert all(before[name] != after[name] for name in TRUSTED_FILES)


@pytest.mark.parametrize("names", [NAMES[:-1], [*NAMES, "mock.internal"], [*NAMES[1:], "fla_mock"]])
def test_other_names_need_another_certificate(names: list[str], tmp_path: Path) -> None:
    """One name less, one more, or another one."""
    before = contents(server_identity(tmp_path, NAMES, NOW))
    after = contents(server_identity(tmp_path, names, NOW))

    assert all(before[name] != after[name] for name in TRUSTED_FILES)


@pytest.mark.parametrize("broken", [None, b"", b"x", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
@pytest.mark.parametrize("name", TRUSTED_FILES)
def test_what_is_missing_or_broken_is_made_anew(name: str, broken: bytes | None, tmp_path: Path) -> None:
    """The three files are whole or new."""
    before = contents(server_identity(tmp_path, NAMES, NOW))
    if broken is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(broken)
    after = contents(server_identity(tmp_path, NAMES, NOW))

    assert all(before[name] != after[name] for name in TRUSTED_FILES)


@pytest.mark.parametrize("name", TRUSTED_FILES)
def test_files_that_do_not_belong_together_are_made_anew(name: str, tmp_path: Path) -> None:
    """A certificate of another key or of another CA is not used."""
    here = contents(server_identity(tmp_path / "here", NAMES, NOW))
    there = contents(server_identity(tmp_path / "there", NAMES, NOW))
    (tmp_path / "here" / name).write_bytes(there[name])
    after = contents(server_identity(tmp_path / "here", NAMES, NOW))

    assert all(after[name] not in {here[name], there[name]} for name in TRUSTED_FILES)


def test_several_starts_at_once_agree(tmp_path: Path) -> None:
    """Those that start together wait for each other and use the same files."""

    def start(_: int) -> Mapping[str, bytes]:
        return contents(server_identity(tmp_path, NAMES, NOW))

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(start, range(4)))

    assert all(one == made[0] for one in made)


def test_the_folder_ignores_itself(tmp_path: Path) -> None:
    """Git takes nothing of a folder whose own .gitignore names everything; one that is there stays."""
    server_identity(tmp_path / "new", NAMES, NOW)
    (tmp_path / ".gitignore").write_text("mine", encoding="utf-8")
    server_identity(tmp_path, NAMES, NOW)

    assert "*" in (tmp_path / "new" / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_nobody_else_may_read_a_key(tmp_path: Path) -> None:
    """Private keys are their owner's alone; what is public can be read by the client of another user."""
    server_identity(tmp_path, NAMES, NOW)
    server_identity(tmp_path, NAMES, NOW, trusted=False)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.suffix != ".lock"}
    assert {modes.pop("server.key"), modes.pop("untrusted.key")} == {0o600}
    assert {modes.pop("server.pem"), modes.pop("ca.pem"), modes.pop("untrusted.pem")} == {0o644}


# Wrong


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A file in the place of the folder is no folder."""
    (tmp_path / "tls").write_text("x", encoding="utf-8")

    with pytest.raises(TlsError, match=r"tls: the certificate for https cannot be made: .*name another folder\.$"):
        server_identity(tmp_path / "tls", NAMES, NOW)


@pytest.mark.parametrize(
    "name", ["", "a b", "caf\u00e9.be", "*.example.org", "a..b", "-a", "x" * 64, "http://a", "a:1"]
)
def test_a_name_that_is_none_is_told(name: str, tmp_path: Path) -> None:
    """The message names it, and nothing is written."""
    with pytest.raises(TlsError, match="cannot stand in a certificate: a name is made of letters") as caught:
        server_identity(tmp_path / "tls", [*NAMES, name], NOW)

    assert repr(name) in str(caught.value)
    assert not (tmp_path / "tls").exists()


def test_no_name_is_told(tmp_path: Path) -> None:
    """A certificate for nobody is of no use."""
    with pytest.raises(TlsError, match="at least one name"):
        server_identity(tmp_path, [], NOW)


def test_the_platform_names_are_those_of_its_token_urls() -> None:
    """Acceptance and production; the simulation environment is at production's."""
    assert platform_names() == ("services-acpt.socialsecurity.be", "services.socialsecurity.be")


def test_importing_costs_nothing() -> None:
    """A start without https loads nothing for it."""
    code = "import mock_server.tls, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "mock_server" in loaded
    assert not {"cryptography", "filelock", "ssl"} & set(loaded)
