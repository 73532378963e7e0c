"""The rules by which ChaMan accepts a certificate: the guide's table, and what is assumed beside it."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from mock_server.certificates import acceptance
from mock_server.certificates.acceptance import describe_key, describe_name, judge
from mock_server.certificates.making import KEY_KINDS, make_key
from mock_server.verdict import Check, Outcome, Provenance

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp()
DAY = 86_400
SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@functools.cache
def key(kind: str = "rsa-2048") -> CertificateIssuerPrivateKeyTypes:
    """Return one key of each kind, those that are refused included."""
    other: dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
        "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
        "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ec-brainpool": lambda: ec.generate_private_key(ec.BrainpoolP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
    }
    return other[kind]() if kind in other else make_key(kind)


def name(text: str) -> x509.Name:
    """Return a subject or an issuer."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*members: str) -> x509.KeyUsage:
    """Return a key usage with these members."""
    return x509.KeyUsage(**{member: member in members for member in USAGES})


def issue(
    *,
    kind: str = "rsa-2048",
    public_key: CertificatePublicKeyTypes | None = None,
    issuer: str = "subject",
    digest: Any = None,
    key_usage: x509.KeyUsage | None = usage("digital_signature"),  # noqa: B008 - immutable
    start: dt.datetime = START,
    end: dt.datetime = END,
    pss: bool = False,
) -> x509.Certificate:
    """Return a certificate that is accepted, but for what is said."""
    private_key = key(kind)
    subject_key = private_key.public_key() if public_key is None else public_key
    builder = (
        x509.CertificateBuilder()
        .issuer_name(name(issuer))
        .subject_name(name("subject"))
        .public_key(subject_key)
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    chosen = None if kind.startswith("ed") else digest or hashes.SHA256()
    if pss:
        return builder.sign(private_key, chosen, rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), 32))
    return builder.sign(private_key, chosen)


def patched(certificate: x509.Certificate, old: bytes, new: bytes) -> x509.Certificate:
    """Replace bytes of a certificate's DER, and correct the lengths of the two sequences around them."""
    data = certificate.public_bytes(Encoding.DER)
    difference = (len(new) - len(old)) * data.count(old)
    changed = bytearray(data.replace(old, new))
    for at in (2, 6):
        changed[at : at + 2] = (int.from_bytes(data[at : at + 2]) + difference).to_bytes(2)
    return x509.load_der_x509_certificate(bytes(changed))


def rsa_public(bits: int) -> rsa.RSAPublicKey:
    """Return an RSA public key of any size, without making its private key."""
    return rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key()


def spki(public_key: PublicKeyTypes) -> bytes:
    """Return a public key as it stands in a certificate."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pss_key(*, issuer: str = "subject") -> x509.Certificate:
    """Return a certificate whose RSA key is for RSA-PSS only."""
    certificate = issue(issuer=issuer)
    old = spki(certificate.public_key())
    algorithm = bytes.fromhex("300b06092a864886f70d01010a")
    content = algorithm + old[4 + 15 :]
    return patched(certificate, old, b"\x30\x82" + len(content).to_bytes(2) + content)


def failures(certificate: x509.Certificate, now: float = NOW) -> dict[str, Check]:
    """Return the failed checks by their ids."""
    return {check.requirement.id: check for check in judge(certificate, now).checks if check.outcome is Outcome.FAILED}


@pytest.mark.parametrize("kind", KEY_KINDS)
@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name)
def test_every_row_of_the_table_is_accepted(kind: str, digest: Any) -> None:
    """Each kind of key of the guide's table is accepted with each digest of it."""
    trail = judge(issue(kind=kind, digest=digest), NOW)

    assert trail.accepted
    assert {Outcome.PASSED} == {check.outcome for check in trail.checks}


REFUSED: dict[str, tuple[Callable[[], x509.Certificate], str, str]] = {
    "RSA 1024": (lambda: issue(kind="rsa-1024"), "CERT-KEY-1", "RSA 1024"),
    "RSA 8192": (lambda: issue(public_key=rsa_public(8192), issuer="authority"), "CERT-KEY-1", "RSA 8192"),
    "RSA 2047": (lambda: issue(public_key=rsa_public(2047), issuer="authority"), "CERT-KEY-1", "RSA 2047"),
    "EC P-256": (lambda: issue(kind="ec-p256"), "CERT-KEY-1", "EC P-256"),
    "EC brainpool": (lambda: issue(kind="ec-brainpool"), "CERT-KEY-1", "EC brainpoolP384r1"),
    "unknown curve": (
        lambda: patched(issue(kind="ec-p384"), bytes.fromhex("2b81040022"), bytes.fromhex("2b8104007f")),
        "CERT-KEY-1",
        "a key that cannot be read: “Curve 1.3.132.0.127 is not supported”",
    ),
    "SHA-1": (
        lambda: patched(issue(), SHA256_WITH_RSA, bytes.fromhex("300d06092a864886f70d0101050500")),
        "CERT-DIGEST-1",
        "SHA-1",
    ),
    "MD5": (
        lambda: patched(issue(), SHA256_WITH_RSA, bytes.fromhex("300d06092a864886f70d0101040500")),
        "CERT-DIGEST-1",
        "MD5",
    ),
    "MD2": (
        lambda: patched(issue(), SHA256_WITH_RSA, bytes.fromhex("300d06092a864886f70d0101020500")),
        "CERT-DIGEST-1",
        "unknown (signature algorithm 1.2.840.113549.1.1.2)",
    ),
    "SHA-224": (lambda: issue(digest=hashes.SHA224()), "CERT-DIGEST-1", "SHA-224"),
    "SHA3-256": (lambda: issue(digest=hashes.SHA3_256()), "CERT-DIGEST-1", "SHA3-256"),
    "no key usage": (lambda: issue(key_usage=None), "CERT-USAGE-1", "no key usage"),
    "key usage without digital signature": (
        lambda: issue(key_usage=usage("key_encipherment", "crl_sign")),
        "CERT-USAGE-1",
        "a key usage without it: Key Encipherment, CRL Sign",
    ),
    "key usage of nothing": (lambda: issue(key_usage=usage()), "CERT-USAGE-1", "a key usage without it: nothing"),
    "version 1": (
        lambda: patched(issue(key_usage=None, issuer="authority"), b"\xa0\x03\x02\x01\x02", b""),
        "CERT-USAGE-1",
        "no key usage: this is a certificate of version 1, which has no extensions",
    ),
    "broken key usage": (
        lambda: patched(issue(issuer="authority"), b"\x04\x04\x03\x02\x07\x80", b"\x04\x04\x05\x02\x07\x80"),
        "CERT-USAGE-1",
        "extensions that cannot be read: “",
    ),
    "key for RSA-PSS": (lambda: pss_key(issuer="authority"), "CERT-PSS-1", "a key for RSA-PSS only"),
    "signature in RSA-PSS": (lambda: issue(pss=True), "CERT-PSS-1", "a signature in RSA-PSS"),
    "signature of another key": (
        lambda: issue(public_key=rsa_public(2048)),
        "CERT-SELF-1",
        "a signature that this key did not make",
    ),
    "changed after signing": (
        lambda: patched(issue(), b"\x0c\x07subject", b"\x0c\x07Subject"),
        "CERT-SELF-1",
        "a signature that this key did not make",
    ),
    "two algorithms": (
        lambda: patched(
            issue(), SHA256_WITH_RSA + b"\x30\x12", bytes.fromhex("300d06092a864886f70d01010c0500") + b"\x30\x12"
        ),
        "CERT-SELF-1",
        "a signature that this key did not make",
    ),
    "ended before it began": (
        lambda: patched(issue(issuer="authority"), b"261231235959Z", b"251231235959Z"),
        "CERT-DATES-1",
        "a period that ends before it begins: from 2026-01-01 00:00:00 to 2025-12-31 23:59:59 UTC",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_one_fault_fails_its_own_check_alone(what: str) -> None:
    """Each fault fails the check of its rule, and no other, with a finding of its own and advice."""
    make, identifier, found = REFUSED[what]

    failed = failures(make())

    assert [identifier] == list(failed)
    assert failed[identifier].found.startswith(found)
    assert failed[identifier].expected
    assert failed[identifier].advice


@pytest.mark.parametrize(("kind", "found"), [("ed25519", "Ed25519"), ("ed448", "Ed448")])
def test_eddsa_fails_for_its_key_and_its_digest(kind: str, found: str) -> None:
    """An EdDSA certificate has a key of another kind, and a signature without a digest of its own."""
    failed = failures(issue(kind=kind))

    assert {"CERT-KEY-1": found, "CERT-DIGEST-1": "none of its own"} == {
        identifier: check.found for identifier, check in failed.items()
    }


def test_all_rules_are_judged_when_all_fail() -> None:
    """One verdict tells everything that is wrong, one check for each rule, in the order of the rules."""
    trail = judge(issue(kind="rsa-1024", digest=hashes.SHA224(), key_usage=None, pss=True), START.timestamp() - 1)

    assert [requirement.id for requirement in acceptance.ALL] == [check.requirement.id for check in trail.checks]
    assert [check.outcome for check in trail.checks] == [Outcome.FAILED] * 5 + [Outcome.NOT_JUDGED]


@pytest.mark.parametrize(
    ("now", "accepted", "found"),
    [
        (START.timestamp() - 1, False, "one that begins in 1 s: from 2026-01-01 00:00:00 to 2026-12-31 23:59:59"),
        (START.timestamp() - 3 * DAY, False, "one that begins in 3 days: from "),
        (START.timestamp(), True, "from 2026-01-01 00:00:00 to 2026-12-31 23:59:59 UTC, which ends in 365 days"),
        (END.timestamp(), True, "from 2026-01-01 00:00:00 to 2026-12-31 23:59:59 UTC, which ends in 0 s"),
        (END.timestamp() + 1, False, "one that ended 1 s ago: from "),
        (1e300, False, "one that ended 1"),
        (-1e300, False, "one that begins in 1"),
    ],
)
def test_dates_are_judged_at_the_given_moment(now: float, accepted: bool, found: str) -> None:  # noqa: FBT001 - a table
    """A certificate is accepted from its first to its last second, both included."""
    trail = judge(issue(), now)
    check = next(check for check in trail.checks if check.requirement is acceptance.DATES)

    assert accepted is trail.accepted
    assert check.found.startswith(found)


def test_issuer_of_another_certificate_is_named_but_not_judged() -> None:
    """A certificate of an authority is accepted whoever issued it; the finding names the issuer, escaped."""
    trail = judge(issue(issuer="An authority\x1b[2J"), NOW)

    assert trail.accepted
    assert trail.checks[-1].found == "not self-signed, but issued by CN=An authority\\x1b[2J; not judged further"


@pytest.mark.parametrize("what", ["RSA 1024", "SHA-1", "MD2"])
def test_own_signature_is_not_judged_without_an_accepted_key_and_digest(what: str) -> None:
    """A signature whose key or digest is refused is not verified, and the verdict says so."""
    last = judge(REFUSED[what][0](), NOW).checks[-1]

    assert last.outcome is Outcome.NOT_JUDGED
    assert last.found == "needs a key and a digest of the accepted kinds"


def test_extension_twice_is_a_finding() -> None:
    """A certificate that states its key usage twice, which the library refuses to read, fails the rule on key usage."""
    certificate = issue(issuer="authority")
    block = x509.Extension(x509.KeyUsage.oid, critical=True, value=usage("digital_signature"))
    one = bytes.fromhex("300e0603551d0f0101ff040403020780")
    two = patched_extensions(certificate, one)

    assert block == certificate.extensions[0]
    assert failures(two)["CERT-USAGE-1"].found.startswith("extensions that cannot be read: “Duplicate")


def patched_extensions(certificate: x509.Certificate, one: bytes) -> x509.Certificate:
    """Return a certificate with its only extension twice."""
    headers = b"\xa3" + bytes([len(one) + 2]) + b"\x30" + bytes([len(one)])
    longer = b"\xa3" + bytes([2 * len(one) + 2]) + b"\x30" + bytes([2 * len(one)])
    return patched(certificate, headers + one, longer + one + one)


def test_rules_of_the_table_are_documented_and_the_others_assumed() -> None:
    """What the guide's table says is marked as documented, with its place; the rest as assumed."""
    documented = {rule.id for rule in acceptance.ALL if rule.provenance is Provenance.DOCUMENTED}

    assert documented == {"CERT-KEY-1", "CERT-DIGEST-1", "CERT-USAGE-1"}
    assert {"G§4.4.1"} == {rule.source for rule in acceptance.ALL if rule.id in documented}
    assert {Provenance.ASSUMED} == {rule.provenance for rule in acceptance.ALL if rule.id not in documented}


def dsa_public() -> dsa.DSAPublicKey:
    """Return a DSA public key; its numbers have the right sizes only."""
    return dsa.DSAPublicNumbers(5, dsa.DSAParameterNumbers((1 << 2047) + 99_999, (1 << 255) + 19, 2)).public_key()


@pytest.mark.parametrize(
    ("make", "described"),
    [
        (lambda: key("ec-p384").public_key(), "EC P-384"),
        (lambda: key("ec-p521").public_key(), "EC P-521"),
        (lambda: rsa_public(3072), "RSA 3072"),
        (lambda: ec.generate_private_key(ec.SECP256K1()).public_key(), "EC secp256k1"),
        (lambda: x25519.X25519PrivateKey.generate().public_key(), "X25519"),
        (dsa_public, "DSA 2048"),
    ],
)
def test_key_is_described_by_kind_and_size(make: Callable[[], PublicKeyTypes], described: str) -> None:
    """A key is described by its kind and its size or curve."""
    assert described == describe_key(make())


@pytest.mark.parametrize(
    ("attributes", "described"),
    [
        ([], "(empty)"),
        ([(NameOID.COMMON_NAME, "client.example-company.be")], "CN=client.example-company.be"),
        ([(NameOID.COMMON_NAME, "a, b")], "CN=a\\, b"),
        ([(NameOID.COMMON_NAME, "a\x1b[31m\u202eb\nc\x9b")], "CN=a\\x1b[31m\\u202eb\\nc\\x9b"),
        ([(NameOID.ORGANIZATION_IDENTIFIER, "NTRBE-1")], "organizationIdentifier=NTRBE-1"),
        ([(NameOID.ORGANIZATION_NAME, "x" * 500)], f"O={'x' * 398}…"),
    ],
)
def test_name_is_described_safely(attributes: list[tuple[x509.ObjectIdentifier, str]], described: str) -> None:
    """A subject is written in one line, whole up to a limit, with nothing that steers a terminal."""
    assert described == describe_name(x509.Name([x509.NameAttribute(*attribute) for attribute in attributes]))
