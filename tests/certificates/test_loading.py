"""Reading certificates, PFX key stores and private keys, and what is said of anything else."""

import base64
import datetime as dt
import functools
import re
import warnings
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.certificates.acceptance import judge
from mock_server.certificates.loading import (
    MAX_BYTES,
    SigningKey,
    UnreadableCertificateError,
    WrongPasswordError,
    load_certificate,
    load_pfx,
    load_private_key,
)
from mock_server.certificates.making import make_certificate, make_key
from mock_server.certificates.parsing import holds_private_key

NOON = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC).timestamp()
PASSWORD = "päss-€"

Maker = Callable[[], bytes]


@functools.cache
def made_key(name: str, kind: str) -> SigningKey:
    """Return one key for each name."""
    del name
    return make_key(kind)


@functools.cache
def made_certificate(name: str) -> x509.Certificate:
    """Return one certificate for each name."""
    return make_certificate(key(name), common_name=name, organization="Test", not_before=NOON, days=30)


def key(name: str = "leaf", kind: str = "ec-p384") -> SigningKey:
    """Return the key of a name, always the same."""
    return made_key(name, kind)


def certificate(name: str = "leaf") -> x509.Certificate:
    """Return the certificate of a name, always the same."""
    return made_certificate(name)


def plain_certificate(private_key: CertificateIssuerPrivateKeyTypes, digest: hashes.SHA384 | None) -> x509.Certificate:
    """Return a certificate of any key, with serial number 1."""
    base = certificate()
    builder = (
        x509.CertificateBuilder()
        .issuer_name(base.issuer)
        .subject_name(base.subject)
        .public_key(private_key.public_key())
        .serial_number(1)
        .not_valid_before(base.not_valid_before_utc)
        .not_valid_after(base.not_valid_after_utc)
    )
    return builder.sign(private_key, digest)


def der(name: str = "leaf") -> bytes:
    """Return a certificate in DER."""
    return certificate(name).public_bytes(Encoding.DER)


def pem(name: str = "leaf") -> bytes:
    """Return a certificate in PEM."""
    return certificate(name).public_bytes(Encoding.PEM)


def key_bytes(
    *, style: PrivateFormat = PrivateFormat.PKCS8, to: Encoding = Encoding.PEM, password: str | None = None
) -> bytes:
    """Return the leaf's private key."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return key().private_bytes(to, style, encryption)


def public_key(to: Encoding) -> bytes:
    """Return the leaf's public key."""
    return key().public_key().public_bytes(to, PublicFormat.SubjectPublicKeyInfo)


def rsa_public_key() -> bytes:
    """Return a public key as PKCS#1 writes it; its number is odd, and otherwise of no use."""
    return rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def request(to: Encoding) -> bytes:
    """Return a certificate signing request."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(certificate().subject)
    return builder.sign(key(), hashes.SHA384()).public_bytes(to)


def revocation_list(to: Encoding) -> bytes:
    """Return a certificate revocation list."""
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(certificate().subject)
    return builder.last_update(day).next_update(day).sign(key(), hashes.SHA384()).public_bytes(to)


def bundle(to: Encoding) -> bytes:
    """Return a PKCS#7 bundle of two certificates."""
    return pkcs7.serialize_certificates([certificate(), certificate("authority")], to)


def pfx(
    name: str | None = "my alias",
    *,
    password: str | None = PASSWORD,
    private_key: pkcs12.PKCS12PrivateKeyTypes | None = None,
    leaf: x509.Certificate | None = None,
    others: tuple[x509.Certificate, ...] = (),
) -> bytes:
    """Return a PFX, quick to read; without key and certificate, of the leaf."""
    encryption = (
        NoEncryption()
        if password is None
        else PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(1)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .build(password.encode())
    )
    if private_key is None and leaf is None:
        private_key, leaf = key(), certificate()
    label = None if name is None else name.encode()
    return pkcs12.serialize_key_and_certificates(label, private_key, leaf, others, encryption)


def openssh() -> bytes:
    """Return a private key in OpenSSH's format."""
    return key_bytes(style=PrivateFormat.OpenSSH)


CERTIFICATE_FORMS: dict[str, Maker] = {
    "DER": der,
    "PEM": pem,
    "PEM with CRLF": lambda: pem().replace(b"\n", b"\r\n"),
    "PEM after a byte order mark": lambda: b"\xef\xbb\xbf" + pem(),
    "PEM after text": lambda: b"Bag Attributes\n    friendlyName: caf\xc3\xa9 - \xff\nsubject=CN = x\n" + pem(),
    "PEM before text": lambda: pem() + b"\nthat was it\n",
    "indented PEM": lambda: b"".join(b"    " + line for line in pem().splitlines(keepends=True)),
    "PEM in one line": lambda: re.sub(rb"(?<=-)\n|(?<!-)\n(?!-)", b"", pem()),
    "old label": lambda: pem().replace(b" CERTIFICATE", b" X509 CERTIFICATE"),
    "chain": lambda: pem() + pem("intermediate") + pem("authority"),
    "chain with a broken end": lambda: pem() + pem("authority")[:100],
    "key first": lambda: key_bytes() + pem(),
    "key last": lambda: pem() + key_bytes(),
    "broken key first": lambda: key_bytes().replace(b"M", b"?") + pem(),
    "request first": lambda: request(Encoding.PEM) + pem(),
}


@pytest.mark.parametrize("form", CERTIFICATE_FORMS)
def test_certificate_is_read_in_every_form(form: str) -> None:
    """A certificate is read from DER and PEM, and of a text with several blocks it is the first certificate."""
    assert certificate() == load_certificate(CERTIFICATE_FORMS[form]())


def test_certificate_with_an_odd_serial_number_is_read_without_a_warning() -> None:
    """A serial number of zero, which the library warns of, is read in silence."""
    odd = (
        plain_certificate(key(), hashes.SHA384())
        .public_bytes(Encoding.DER)
        .replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)
    )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = load_certificate(odd)
        assert judge(read, NOON).checks

    assert odd == read.public_bytes(Encoding.DER)


NOT_CERTIFICATES: dict[str, tuple[Maker, str, str]] = {
    "nothing": (lambda: b"", "an empty file", "cert new"),
    "blanks": (lambda: b" \r\n\t", "an empty file", "cert new"),
    "PFX": (pfx, "a PFX (PKCS#12) key store", "fla-mock cert show FILE.pfx --cer"),
    "PFX in BER": (lambda: as_ber(pfx()), "a PFX (PKCS#12) key store", "fla-mock cert show FILE.pfx --cer"),
    "PKCS#8 key": (key_bytes, "a private key", "Keep the key to yourself"),
    "SEC 1 key": (lambda: key_bytes(style=PrivateFormat.TraditionalOpenSSL), "a private key", ".cer"),
    "PKCS#8 key in DER": (lambda: key_bytes(to=Encoding.DER), "a private key", ".cer"),
    "SEC 1 key in DER": (
        lambda: key_bytes(style=PrivateFormat.TraditionalOpenSSL, to=Encoding.DER),
        "a private key",
        ".cer",
    ),
    "PKCS#1 key in DER": (lambda: b"\x30\x09" + b"\x02\x01\x01" * 3, "a private key", ".cer"),
    "encrypted key": (lambda: key_bytes(password=PASSWORD), "an encrypted private key", "Keep the key to yourself"),
    "encrypted key in DER": (lambda: key_bytes(to=Encoding.DER, password=PASSWORD), "an encrypted private key", ".cer"),
    "key after the parameters of its curve": (
        lambda: b"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n" + key_bytes(),
        "a private key",
        ".cer",
    ),
    "OpenSSH key": (openssh, "a private key in OpenSSH's own format", "fla-mock cert new"),
    "public key": (lambda: public_key(Encoding.PEM), "a public key", "no name and no dates"),
    "public key in DER": (lambda: public_key(Encoding.DER), "a public key", "no name and no dates"),
    "PKCS#1 public key in DER": (rsa_public_key, "a public key", "no name and no dates"),
    "OpenSSH public key": (
        lambda: key().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "a public key",
        "no name and no dates",
    ),
    "request": (lambda: request(Encoding.PEM), "a certificate signing request (CSR)", "only asks"),
    "request in DER": (lambda: request(Encoding.DER), "a certificate signing request (CSR)", "only asks"),
    "revocation list": (lambda: revocation_list(Encoding.PEM), "a certificate revocation list (CRL)", ".cer"),
    "revocation list in DER": (lambda: revocation_list(Encoding.DER), "a certificate revocation list (CRL)", ".cer"),
    "PKCS#7": (lambda: bundle(Encoding.PEM), "a PKCS#7 bundle (.p7b)", "openssl pkcs7 -print_certs"),
    "PKCS#7 in DER": (lambda: bundle(Encoding.DER), "a PKCS#7 bundle (.p7b)", "-inform DER"),
    "request labelled as a certificate": (
        lambda: request(Encoding.PEM).replace(b" CERTIFICATE REQUEST", b" CERTIFICATE"),
        "a certificate signing request (CSR)",
        "only asks",
    ),
    "Java key store": (lambda: b"\xfe\xed\xfe\xed\x00\x00\x00\x02", "a Java key store (JKS)", "keytool"),
    "ZIP": (lambda: b"PK\x03\x04rest", "a ZIP archive", "Unpack"),
    "PDF": (lambda: b"%PDF-1.7\n", "a PDF document", "cert new"),
    "HTML": (lambda: b"\n<!DOCTYPE html>\n<html></html>", "an HTML page", "download the file again"),
    "UTF-16": (lambda: pem().decode().encode("utf-16"), "text in UTF-16", "-Encoding ascii"),
    "UTF-16 without a mark": (lambda: pem().decode().encode("utf-16-le"), "text in UTF-16", "-Encoding ascii"),
    "base64": (lambda: base64.encodebytes(der()), "base64 without its BEGIN and END lines", "-----BEGIN CERTIFICATE"),
    "other PEM": (
        lambda: pem().replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"),
        "PEM text of another kind",
        "cert new",
    ),
    "text": (lambda: b"0 is not a certificate", "text that is neither PEM nor base64", "cert new"),
    "binary": (lambda: b"\x00\x01\x02", "binary data that is not DER", "cert new"),
    "other DER": (lambda: b"\x30\x03\x0c\x01\x00", "DER data of another kind", "cert new"),
    "DER of one byte": (lambda: b"\x30\x80\xff", "DER data of another kind", "cert new"),
    "cut off": (lambda: der()[:-1], "DER data that is cut off before its end", "binary mode"),
    "damaged": (
        lambda: der().replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1),
        "a certificate that is damaged or breaks its standard: “7 is not a valid X509 version”",
        "cert new",
    ),
    "subject that is no text": (
        lambda: der().replace(b"\x0c\x04leaf", b"\x0c\x04\xff\xff\xff\xff"),
        "a certificate that is damaged or breaks its standard",
        "cert new",
    ),
    "PEM without its END line": (lambda: pem()[:-28], "a PEM certificate whose text is broken or cut off", "END line"),
    "PEM with other characters": (
        lambda: pem().replace(b"M", b"?", 1),
        "a PEM certificate whose text is broken or cut off",
        "real line ends",
    ),
    "PEM with written-out line ends": (
        lambda: pem().replace(b"\n", b"\\n"),
        "a PEM certificate whose text is broken or cut off",
        "not a written-out",
    ),
    "PEM with a character too few": (
        lambda: re.sub(rb"M", b"", pem(), count=1),
        "a PEM certificate whose text is broken or cut off",
        "Copy it again",
    ),
    "oversized": (lambda: der() + bytes(MAX_BYTES), f"more than {MAX_BYTES} bytes", "another file"),
}


def as_ber(data: bytes) -> bytes:
    """Rewrite DER so that its outermost length is left open, as BER may."""
    assert data[:2] == b"\x30\x82"
    return b"\x30\x80" + data[4:] + b"\x00\x00"


@pytest.mark.parametrize("what", NOT_CERTIFICATES)
def test_what_is_no_certificate_is_named(what: str) -> None:
    """Bytes that are no certificate are refused with what was expected, what they are, and what to give instead."""
    make, found, advice = NOT_CERTIFICATES[what]

    with pytest.raises(UnreadableCertificateError) as caught:
        load_certificate(make())

    assert found == caught.value.found[: len(found)]
    assert advice in caught.value.advice
    assert caught.value.expected == "a certificate (.cer or .crt, in DER or PEM)"


def refusal_of(load: Callable[[bytes], object], data: bytes) -> bytes:
    """Return the words of the refusal; none when the data is read."""
    try:
        load(data)
    except UnreadableCertificateError as error:
        return str(error).encode()
    return b""


@pytest.mark.parametrize("what", NOT_CERTIFICATES)
def test_error_does_not_quote_what_came(what: str) -> None:
    """No error repeats a run of the bytes that were given: they may be a secret."""
    data = NOT_CERTIFICATES[what][0]()

    for load in (load_certificate, load_private_key, lambda data: load_pfx(data, None)):
        text = refusal_of(load, data)
        assert not any(run in text for run in re.findall(rb"[A-Za-z0-9+/]{16,}", data))


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"", b"-----BEGIN CERTIFICATE-----\n"),
        (b"", b"-----BEGIN "),
        (b"-----BEGIN CERTIFICATE-----", b"-"),
        (b"", b"\x30\x82"),
        (b"", b"\x30\x80"),
        (b"\x30\x80", b"\x05\x00"),
        (b"A", b"A"),
        (b"A", b" "),
        (b"A", b"="),
    ],
)
def test_hostile_repetition_is_refused_in_time(head: bytes, line: bytes) -> None:
    """A file that repeats one thing up to the limit is refused like any other, without trying all ways to read it."""
    data = head + line * ((MAX_BYTES - 100) // len(line)) + b"!"

    with pytest.raises(UnreadableCertificateError):
        load_certificate(data)


@settings(deadline=None, max_examples=300, derandomize=True, database=None)
@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), min_size=1, max_size=3))
def test_damaged_certificate_is_refused_or_judged(changes: list[tuple[int, int]]) -> None:
    """Whatever bytes of a certificate are changed, it is refused as unreadable or judged; nothing else is raised."""
    data = bytearray(der())
    for position, mask in changes:
        data[position % len(data)] ^= mask

    try:
        read = load_certificate(bytes(data))
    except UnreadableCertificateError:
        return
    assert len(judge(read, NOON).checks) == 6


@settings(deadline=None, max_examples=200, derandomize=True, database=None)
@given(data=st.binary(max_size=200), head=st.sampled_from([b"", b"\x30", b"\x30\x82", b"-----BEGIN CERTIFICATE-----"]))
def test_no_loader_raises_anything_else(data: bytes, head: bytes) -> None:
    """Any bytes at all give a value or the one kind of error."""
    for load in (load_certificate, load_private_key, lambda data: load_pfx(data, "x")):
        with pytest.raises(UnreadableCertificateError):
            load(head + data)


@pytest.mark.parametrize(
    ("make", "held"),
    [(key_bytes, True), (openssh, True), (pfx, True), (lambda: pem() + key_bytes(), True), (pem, False), (der, False)],
)
def test_private_key_in_a_file_is_noticed(make: Maker, *, held: bool) -> None:
    """A file that holds a private key is told from one that does not."""
    assert held is holds_private_key(make())


def test_pfx_gives_key_certificate_and_alias() -> None:
    """A PFX gives its private key, the certificate of it, and the alias."""
    held = load_pfx(pfx("naïve €"), PASSWORD)

    assert key().private_numbers() == load_numbers(held.key)
    assert certificate() == held.certificate
    assert held.chain == ()
    assert held.alias == "naïve €"


def load_numbers(private_key: object) -> object:
    """Return the numbers of an EC or RSA key, to compare it."""
    assert isinstance(private_key, SigningKey)
    return private_key.private_numbers()


def test_pfx_tells_the_leaf_from_its_chain() -> None:
    """The certificate of a PFX is the one of its key, the others are its chain."""
    held = load_pfx(pfx(others=(certificate("intermediate"), certificate("authority"))), PASSWORD)

    assert certificate() == held.certificate
    assert {certificate("intermediate"), certificate("authority")} == set(held.chain)


@pytest.mark.parametrize("length", [1, 100])
def test_alias_may_have_any_length(length: int) -> None:
    """The alias is read whole, however long."""
    assert load_pfx(pfx("a" * length), PASSWORD).alias == "a" * length


def test_pfx_may_have_no_alias() -> None:
    """A PFX without friendly name has no alias."""
    assert load_pfx(pfx(None), PASSWORD).alias is None


def without_mac(data: bytes) -> bytes:
    """Take the integrity check off a PFX, so that it can be changed."""
    contents = data[7:]  # after the outer header and the version
    contents = contents[: 4 + int.from_bytes(contents[2:4])]
    return b"\x30\x82" + (3 + len(contents)).to_bytes(2) + data[4:7] + contents


def test_alias_is_the_name_of_the_key() -> None:
    """Where key and certificate have other names, the alias is the key's: the one that Java goes by."""
    data = without_mac(pfx("leaf", password=None))
    name = "leaf".encode("utf-16-be")
    at = data.rindex(name)

    held = load_pfx(data[:at] + "mine".encode("utf-16-be") + data[at + len(name) :], None)

    assert held.alias == "mine"


@pytest.mark.parametrize("password", [None, ""])
def test_pfx_without_password(password: str | None) -> None:
    """No password and an empty one open a PFX that has none."""
    assert certificate() == load_pfx(without_mac(pfx(password=None)), password).certificate


def test_pfx_in_ber_is_read_without_a_warning() -> None:
    """A PFX in BER, as Windows writes it, is read in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert certificate() == load_pfx(as_ber(pfx()), PASSWORD).certificate


@pytest.mark.parametrize(
    ("password", "found"),
    [(None, "none"), ("", "none"), ("other", "one that does not fit"), ("\udcff", "one that does")],
)
def test_wrong_password_of_a_pfx_is_told(password: str | None, found: str) -> None:
    """A missing password is told from one that does not fit, and both from a broken file."""
    with pytest.raises(WrongPasswordError) as caught:
        load_pfx(pfx(), password)

    assert caught.value.found.startswith(found)
    assert caught.value.expected == "the password of the PFX"


NOT_PFX: dict[str, tuple[Maker, str, str]] = {
    "key without certificate": (
        lambda: pfx(private_key=key(), leaf=None),
        "a PFX without the certificate of its private key",
        "together with the certificate",
    ),
    "key with another's certificate": (
        lambda: pfx(private_key=key(), others=(certificate("authority"),)),
        "a PFX without the certificate of its private key",
        "together with the certificate",
    ),
    "certificate without key": (
        lambda: pfx(leaf=certificate()),
        "a PFX without a private key",
        "together with its private key",
    ),
    "damaged": (lambda: b"\x30\x05\x02\x01\x03\x30\x00", "a PFX that is damaged", "AES"),
    "certificate": (der, "a certificate", "give the .pfx"),
    "certificate in PEM": (pem, "a certificate", "give the .pfx"),
    "damaged certificate": (lambda: der().replace(b"\xa0\x03\x02", b"\xa0\x03\x03", 1), "a certificate", ".pfx"),
    "key": (key_bytes, "a private key", "openssl pkcs12 -export"),
    "base64": (lambda: base64.encodebytes(pfx()), "base64 without its BEGIN and END lines", "openssl base64 -d"),
    "cut off": (lambda: pfx()[:-1], "DER data that is cut off", "binary mode"),
    "oversized": (lambda: bytes(MAX_BYTES + 1), f"more than {MAX_BYTES} bytes", "another file"),
    "text": (lambda: b"hello", "text that is neither PEM nor base64", "cert new"),
}


@pytest.mark.parametrize("what", NOT_PFX)
def test_what_is_no_pfx_is_named(what: str) -> None:
    """Bytes that are no PFX with key and certificate are refused with what they are and what to give instead."""
    make, found, advice = NOT_PFX[what]

    with pytest.raises(UnreadableCertificateError) as caught:
        load_pfx(make(), PASSWORD)

    assert not isinstance(caught.value, WrongPasswordError)
    assert caught.value.found.startswith(found)
    assert advice in caught.value.advice


def test_pfx_may_hold_a_key_of_another_kind() -> None:
    """A PFX with an Ed25519 key is read: whether it would be accepted is another question."""
    other = ed25519.Ed25519PrivateKey.generate()
    held = load_pfx(pfx(private_key=other, leaf=plain_certificate(other, None)), PASSWORD)

    assert isinstance(held.key, ed25519.Ed25519PrivateKey)


def test_private_key_is_not_shown() -> None:
    """The printed form of what a PFX holds has nothing of the key."""
    assert "key=" not in repr(load_pfx(pfx(), PASSWORD))


KEY_FORMS: dict[str, Maker] = {
    "PKCS#8": key_bytes,
    "PKCS#8 in DER": lambda: key_bytes(to=Encoding.DER),
    "SEC 1": lambda: key_bytes(style=PrivateFormat.TraditionalOpenSSL),
    "SEC 1 in DER": lambda: key_bytes(style=PrivateFormat.TraditionalOpenSSL, to=Encoding.DER),
    "encrypted": lambda: key_bytes(password=PASSWORD),
    "encrypted in DER": lambda: key_bytes(to=Encoding.DER, password=PASSWORD),
    "encrypted the old way": lambda: key_bytes(style=PrivateFormat.TraditionalOpenSSL, password=PASSWORD),
    "with CRLF": lambda: key_bytes().replace(b"\n", b"\r\n"),
    "after a certificate": lambda: pem() + key_bytes(),
    "before a certificate": lambda: key_bytes() + pem(),
    "after the parameters of its curve": lambda: (
        b"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
        + key_bytes(style=PrivateFormat.TraditionalOpenSSL)
    ),
}


@pytest.mark.parametrize("form", KEY_FORMS)
def test_private_key_is_read_in_every_form(form: str) -> None:
    """A private key is read from PEM and DER, encrypted or not; a password that is not needed does no harm."""
    assert key().private_numbers() == load_private_key(KEY_FORMS[form](), PASSWORD).private_numbers()


@pytest.mark.parametrize("style", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("to", [Encoding.PEM, Encoding.DER])
def test_rsa_key_is_read(style: PrivateFormat, to: Encoding) -> None:
    """An RSA key is read from PKCS#8 and PKCS#1, in PEM and DER."""
    rsa_key = key("rsa", "rsa-2048")

    assert (
        rsa_key.private_numbers()
        == load_private_key(rsa_key.private_bytes(to, style, NoEncryption())).private_numbers()
    )


@pytest.mark.parametrize("form", ["encrypted", "encrypted in DER", "encrypted the old way"])
@pytest.mark.parametrize(("password", "found"), [(None, "none"), ("", "none"), ("other", "one that does not fit")])
def test_wrong_password_of_a_key_is_told(form: str, password: str | None, found: str) -> None:
    """A missing password is told from one that does not fit."""
    with pytest.raises(WrongPasswordError) as caught:
        load_private_key(KEY_FORMS[form](), password)

    assert found == caught.value.found


def other_key(private_key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key of another kind than the accepted ones."""
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_on_unknown_curve() -> bytes:
    """Return a key in DER whose curve is one that nobody defined."""
    return key_bytes(to=Encoding.DER).replace(bytes.fromhex("2b81040022"), bytes.fromhex("2b8104007f"))


NOT_KEYS: dict[str, tuple[Maker, str, str]] = {
    "certificate": (pem, "a certificate", "public half only"),
    "PFX": (pfx, "a PFX (PKCS#12) key store", "openssl pkcs12 -in FILE -nocerts"),
    "public key": (lambda: public_key(Encoding.PEM), "a public key", "private half"),
    "OpenSSH key": (openssh, "a private key in OpenSSH's own format", "ssh-keygen -p -m PKCS8"),
    "base64": (lambda: base64.encodebytes(key_bytes(to=Encoding.DER)), "base64 without", "Put the PEM lines around it"),
    "Ed25519": (lambda: other_key(ed25519.Ed25519PrivateKey.generate()), "a key of kind Ed25519", "cert new"),
    "unknown curve": (
        key_on_unknown_curve,
        "a private key that is damaged, or of a kind that is not known",
        "cert new",
    ),
    "damaged": (lambda: key_bytes(to=Encoding.DER)[:-1] + b"\xff", "a private key that is damaged", "Copy the file"),
    "PEM without its END line": (lambda: key_bytes()[:-28], "a private key that is damaged", "Copy the file"),
    "nothing": (lambda: b"", "an empty file", "cert new"),
    "oversized": (lambda: key_bytes() + bytes(MAX_BYTES), f"more than {MAX_BYTES} bytes", "another file"),
}


@pytest.mark.parametrize("what", NOT_KEYS)
def test_what_is_no_private_key_is_named(what: str) -> None:
    """Bytes that are no RSA or EC private key are refused with what they are and what to give instead."""
    make, found, advice = NOT_KEYS[what]

    with pytest.raises(UnreadableCertificateError) as caught:
        load_private_key(make())

    assert caught.value.found.startswith(found)
    assert advice in caught.value.advice
