"""`fla-mock cert`: what it prints, what it writes, and its exit codes."""

import datetime as dt
import functools
import json
import os
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from typer.testing import CliRunner, Result

from mock_server.certificates.acceptance import ALL, judge
from mock_server.certificates.loading import SigningKey, load_certificate, load_pfx
from mock_server.certificates.making import KEY_KINDS, make_certificate, make_key
from mock_server.cli import cert
from mock_server.clock import SystemClock

FROM = "2026-01-15"
DURING = "2026-01-20T12:00:00"
START = dt.datetime(2026, 1, 15, tzinfo=dt.UTC).timestamp()
EC = ("--key", "ec-p384")  # quick to make

posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on POSIX systems only")


@functools.cache
def key() -> SigningKey:
    """Return one key for all tests."""
    return make_key("ec-p384")


def certificate(common_name: str = "client") -> x509.Certificate:
    """Return a certificate that is accepted in January 2026, from the 15th."""
    return make_certificate(key(), common_name=common_name, organization="Enterprise NV", not_before=START, days=10)


def bad_certificate(common_name: str = "client") -> x509.Certificate:
    """Return one that lacks key usage, valid in the same days."""
    good = certificate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(good.public_key())
    dated = builder.not_valid_before(good.not_valid_before_utc).not_valid_after(good.not_valid_after_utc)
    return dated.serial_number(255).sign(key(), hashes.SHA384())


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def key_pem() -> bytes:
    """Return the private key in PEM."""
    return key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pfx(alias: str | None = "My Alias", *, password: str = "changeit", others: int = 0) -> bytes:
    """Return a PFX."""
    label = None if alias is None else alias.encode()
    chain = [certificate(f"authority {number}") for number in range(others)]
    return pkcs12.serialize_key_and_certificates(
        label, key(), certificate(), chain, BestAvailableEncryption(password.encode())
    )


def run(*arguments: str | Path, password: str | None = None) -> Result:
    """Run `fla-mock cert` in this process."""
    environment = {"FLA_MOCK_PFX_PASSWORD": password, "COLUMNS": "200", "TERMINAL_WIDTH": "200", "NO_COLOR": "1"}
    return CliRunner().invoke(cert.app, [str(one) for one in arguments], env=environment)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a certificate that is accepted."""
    path = tmp_path / "client.cer"
    path.write_bytes(pem(certificate()))
    return path


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    """Return the path of a certificate that is refused."""
    path = tmp_path / "bad.cer"
    path.write_bytes(pem(bad_certificate()))
    return path


@pytest.fixture
def pfx_file(tmp_path: Path) -> Path:
    """Return the path of a PFX whose password is “changeit”."""
    path = tmp_path / "client.pfx"
    path.write_bytes(pfx())
    return path


def printed(result: Result, code: int = 0) -> Any:
    """Return the JSON that a command printed, when it ended with the expected code."""
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", ["new", "check", "show"])
def test_help_says_what_the_command_does(command: str) -> None:
    """Each command has a help with its options."""
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert "FLA_MOCK_PFX_PASSWORD" in result.stdout


def test_no_command_shows_the_help() -> None:
    """Without a command, the commands are listed."""
    output = run().output

    assert all(command in output for command in ("new", "check", "show"))


def test_new_makes_files_that_are_accepted(tmp_path: Path) -> None:
    """`new` writes key, .cer and .pfx; the certificate is accepted, and the PFX opens with the password it tells."""
    result = run("new", "acme", "--out", tmp_path, "--from", FROM)
    read = load_certificate((tmp_path / "acme.cer").read_bytes())

    assert result.exit_code == 0
    assert {"acme.key", "acme.cer", "acme.pfx"} == {path.name for path in tmp_path.iterdir()}
    assert judge(read, START).accepted
    assert load_pfx((tmp_path / "acme.pfx").read_bytes(), "changeit").alias == "acme"
    assert "password “changeit”" in result.stdout
    assert str(tmp_path / "acme.key") in result.stdout


def test_new_says_what_to_do_next(tmp_path: Path) -> None:
    """`new` prints the command that starts the mock with an account for the certificate, quoted for a shell."""
    out = tmp_path / "with space"
    result = run("new", "acme", "--out", out, "--enterprise-number", "206653946", *EC)

    account = f"client_id=acme,capacity=employer,enterprise=0206653946,cert={out / 'acme.cer'}"
    assert f"  fla-mock serve --account '{account}'\n" in result.stdout


def test_new_takes_names_dates_and_password(tmp_path: Path) -> None:
    """The options of `new` decide on subject, period, kind of key and password."""
    options = ["--common-name", "Client 1", "--organization", "Enterprise NV", "--enterprise-number", "0206653946"]
    result = run(
        "new", "a", "--out", tmp_path, "--from", FROM, "--days", "3", *EC, *options, "--password", "s3cret", "--json"
    )
    told = printed(result)

    assert told["subject"] == "CN=Client 1,organizationIdentifier=NTRBE-0206653946,O=Enterprise NV,C=BE"
    assert told["key"] == "EC P-384"
    assert (told["not_before"], told["not_after"]) == ("2026-01-15T00:00:00Z", "2026-01-18T00:00:00Z")
    assert told["alias"] == "a"
    assert [told[f"{one}_file"] for one in ("key", "certificate", "pfx")] == [
        str(tmp_path / f"a.{end}") for end in ("key", "cer", "pfx")
    ]
    assert load_pfx(Path(told["pfx_file"]).read_bytes(), "s3cret").alias == "a"
    assert "s3cret" not in result.output


def test_new_takes_the_password_from_the_environment(tmp_path: Path) -> None:
    """The password of `new` may come from the environment, and is not printed then."""
    result = run("new", "a", "--out", tmp_path, *EC, password="from-env")

    assert load_pfx((tmp_path / "a.pfx").read_bytes(), "from-env").alias == "a"
    assert "the password you gave" in result.stdout
    assert "from-env" not in result.output


def test_new_starts_now_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options, the period begins at the present and the files are in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SystemClock, "now", lambda _: START + 7)

    told = printed(run("new", "a", *EC, "--json"))

    assert told["not_before"] == "2026-01-15T00:00:07Z"
    assert told["subject"] == "CN=a,O=a,C=BE"
    assert Path(told["key_file"]) == tmp_path / "a.key"


def test_kinds_of_key_are_all_offered() -> None:
    """The command offers the kinds of key that can be made."""
    assert get_args(cert.KeyKind) == KEY_KINDS


def test_new_does_not_overwrite(tmp_path: Path) -> None:
    """A file that exists stops `new`, and is left as it was."""
    (tmp_path / "a.pfx").write_text("mine")
    result = run("new", "a", "--out", tmp_path, *EC)

    assert result.exit_code == 2
    assert "a.pfx in " in result.stderr
    assert "--force" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.pfx"]
    assert (tmp_path / "a.pfx").read_text() == "mine"


def test_new_overwrites_when_told_to(tmp_path: Path) -> None:
    """With --force, files that exist are replaced."""
    (tmp_path / "a.pfx").write_text("mine")

    assert run("new", "a", "--out", tmp_path, *EC, "--force").exit_code == 0
    assert load_pfx((tmp_path / "a.pfx").read_bytes(), "changeit").alias == "a"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["../a"], "a name is 1 to 64 letters"),
        (
            ["a", "--enterprise-number", "0206653947"],
            "the check digits (the last two) of this enterprise number are wrong",
        ),
        (["a", "--common-name", "x" * 65], "the common name is 1 to 64 bytes of printable text"),
        (["a", "--days", "10000000"], "before the year 10000"),
        (["a", "--days", "0"], "valid for one day or more"),
        (["a", "--days", "9" * 4_000], "before the year 10000"),
        (["a", "--days", "9" * 5_000], "Invalid value for '--days'"),
        (["a", "--enterprise-number", "9" * 5_000], "an enterprise number is 10 digits"),
        (["9" * 5_000], "a name is 1 to 64 letters"),
        (["a", "--password", "\udcff"], "the password of a PFX is text, and this one has bytes that are no UTF-8"),
        (["a", "--key", "rsa-1024"], "'rsa-1024' is not one of 'rsa-2048'"),
    ],
)
def test_new_refuses_what_cannot_be(tmp_path: Path, options: list[str], message: str) -> None:
    """A wrong value ends `new` with one message and exit code 2, and nothing is written."""
    result = run("new", "--out", tmp_path, *EC, *options)

    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_new_tells_when_the_folder_cannot_be_written(tmp_path: Path) -> None:
    """A folder that cannot be made is told, with what to do."""
    (tmp_path / "taken").write_text("a file")
    result = run("new", "a", "--out", tmp_path / "taken", *EC)

    assert result.exit_code == 2
    assert "cannot write in" in result.stderr
    assert "--out" in result.stderr


def test_check_accepts(file: Path) -> None:
    """An accepted certificate gives exit code 0 and one line for each rule."""
    result = run("check", file, "--at", DURING)

    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()[:6]] == [["✓", rule.id] for rule in ALL]
    assert result.stdout.endswith("Accepted.\n")
    assert "private key" not in result.stdout


def test_check_refuses_and_says_why(bad_file: Path) -> None:
    """A certificate that would be refused gives exit code 1: what was expected, what came, what to do."""
    result = run("check", bad_file, "--at", DURING)

    assert result.exit_code == 1
    assert "✗ CERT-USAGE-1 " in result.stdout
    assert "expected  a key usage that has Digital Signature" in result.stdout
    assert "found     no key usage" in result.stdout
    assert "do        Make it again: openssl req -x509 -addext keyUsage=critical,digitalSignature" in result.stdout
    assert result.stdout.endswith("Would be refused.\n")


def test_check_prints_json(bad_file: Path) -> None:
    """With --json the verdict is a document: accepted or not, and all checks."""
    told = printed(run("check", bad_file, "--at", DURING, "--json"), code=1)

    assert told["accepted"] is False
    assert [check["id"] for check in told["checks"] if check["outcome"] == "failed"] == ["CERT-USAGE-1"]
    assert len(told["checks"]) == 6


def test_check_is_as_of_now(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --at, the dates are judged at the present."""
    monkeypatch.setattr(SystemClock, "now", lambda _: START - 1)

    assert run("check", file).exit_code == 1
    assert run("check", file, "--at", FROM).exit_code == 0


def test_check_marks_what_could_not_be_judged(tmp_path: Path) -> None:
    """A rule that could not be judged is shown as such, with the reason."""
    path = tmp_path / "p256.cer"
    odd = bad_certificate().public_bytes(Encoding.DER).replace(bytes.fromhex("2b81040022"), bytes.fromhex("2b8104007f"))
    path.write_bytes(odd)
    result = run("check", path, "--at", DURING)

    assert "· CERT-SELF-1 " in result.stdout
    assert "(needs a key and a digest of the accepted kinds)" in result.stdout


def test_check_warns_of_a_private_key(tmp_path: Path) -> None:
    """Who checks a bundle with a private key is told not to give it away."""
    path = tmp_path / "bundle.pem"
    path.write_bytes(key_pem() + pem(certificate()))

    assert "This file holds a private key too" in run("check", path, "--at", DURING).stdout


def test_check_reads_a_pfx(pfx_file: Path) -> None:
    """A PFX is judged by the certificate in it."""
    assert run("check", pfx_file, "--at", DURING).exit_code == 0


@pytest.mark.parametrize("command", ["check", "show"])
def test_what_cannot_be_read_is_told_in_one_line(command: str, tmp_path: Path) -> None:
    """A file of another kind gives exit code 2 and one line: what was expected, what came, what to do."""
    path = tmp_path / "client.cer"
    path.write_bytes(key_pem())
    result = run(command, path)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"fla-mock: cannot read {path}: expected a certificate (.cer or .crt, in DER or PEM), found a private key."
        " Keep the key to yourself, and give the certificate that was made with it (.cer).\n"
    )


@pytest.mark.parametrize("command", ["check", "show"])
def test_missing_file_is_told(command: str, tmp_path: Path) -> None:
    """A file that is not there, or is a folder, gives exit code 2."""
    missing, folder = run(command, tmp_path / "no.cer"), run(command, tmp_path)

    assert (missing.exit_code, folder.exit_code) == (2, 2)
    assert "No such file" in missing.stderr
    assert "Traceback" not in folder.output


def test_oversized_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A file that is too large is refused; a sparse one of a terabyte costs nothing."""
    path = tmp_path / "large.cer"
    with path.open("wb") as opened:
        opened.truncate(10**12)
    result = run("check", path)

    assert result.exit_code == 2
    assert "more than 1048576 bytes" in result.stderr


@posix_only
@pytest.mark.parametrize("command", ["check", "show"])
def test_what_is_no_file_is_told(command: str, tmp_path: Path) -> None:
    """Nobody waits for a named pipe, and no device is read without end."""
    (tmp_path / "device").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")

    for kind, name in (("device", "device"), ("named pipe", "pipe")):
        result = run(command, tmp_path / name)
        assert result.exit_code == 2
        assert f"it is a {kind}, not a file. Give the path of a .cer, .crt, .pem or .pfx file." in result.stderr


@posix_only
def test_a_pipe_of_the_shell_is_read(file: Path) -> None:
    """`cat client.cer | fla-mock cert check /dev/stdin` works, and so does `<(…)`."""
    reading, writing = os.pipe()
    os.write(writing, file.read_bytes())
    os.close(writing)
    try:
        result = run("check", f"/dev/fd/{reading}", "--at", DURING)
    finally:
        os.close(reading)

    assert result.exit_code == 0


def test_file_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters of a file's name are escaped in the message."""
    result = run("check", tmp_path / "a\x1b[2J.cer")

    assert "\x1b" not in result.output
    assert "a\\x1b[2J.cer" in result.stderr


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize(
    ("given", "from_environment", "message"),
    [
        (None, None, "it needs a password. Give --password, or set FLA_MOCK_PFX_PASSWORD."),
        ("wrong", None, "the password does not fit. Check capitals and keyboard layout."),
        (None, "wrong", "the password does not fit. Check capitals and keyboard layout."),
        ("wrong", "right", "the password does not fit. Check capitals and keyboard layout."),
    ],
)
def test_wrong_password_is_told(
    command: str, given: str | None, from_environment: str | None, message: str, tmp_path: Path
) -> None:
    """A password that is missing is told from one that does not fit; the option goes before the environment."""
    path = tmp_path / "client.pfx"
    path.write_bytes(pfx(password="right"))
    result = run(command, path, *(() if given is None else ("--password", given)), password=from_environment)

    assert result.exit_code == 2
    assert f"fla-mock: cannot read {path}: {message}\n" == result.stderr


@pytest.mark.parametrize(("given", "from_environment"), [("right", None), (None, "right"), ("right", "wrong")])
def test_password_comes_from_option_or_environment(
    given: str | None, from_environment: str | None, tmp_path: Path
) -> None:
    """A PFX opens with the password of the option, or of the environment."""
    path = tmp_path / "client.pfx"
    path.write_bytes(pfx(password="right"))
    result = run("show", path, *(() if given is None else ("--password", given)), password=from_environment)

    assert result.exit_code == 0


def test_show_prints_what_a_pfx_holds(pfx_file: Path) -> None:
    """`show` prints alias, subject, issuer, serial number, algorithm, dates and fingerprint of a PFX."""
    told = printed(run("show", pfx_file, "--json"))
    held = load_pfx(pfx_file.read_bytes(), "changeit").certificate

    assert told == {
        "alias": "My Alias",
        "subject": "CN=client,O=Enterprise NV,C=BE",
        "issuer": "CN=client,O=Enterprise NV,C=BE",
        "serial_number": f"{held.serial_number:x}",
        "key": "EC P-384",
        "signature_digest": "SHA-384",
        "not_before": "2026-01-15T00:00:00Z",
        "not_after": "2026-01-25T00:00:00Z",
        "sha256_fingerprint": held.fingerprint(hashes.SHA256()).hex(":").upper(),
        "holds_private_key": True,
        "further_certificates": 0,
    }


def test_show_prints_lines_for_people(pfx_file: Path) -> None:
    """Without --json, `show` prints one line for each value, and warns of the private key."""
    output = run("show", pfx_file).stdout

    assert "alias                 My Alias\n" in output
    assert "not after             2026-01-25T00:00:00Z\n" in output
    assert "holds private key     yes\n" in output
    assert output.endswith("This file holds a private key too: keep it to yourself, and give others the .cer only.\n")


def test_show_tells_java_s_alias_when_there_is_none(tmp_path: Path) -> None:
    """A PFX without a friendly name has the alias that Java gives it."""
    path = tmp_path / "client.pfx"
    path.write_bytes(pfx(None))

    assert "alias                 none (Java's KeyStore calls it “1”)\n" in run("show", path).stdout


def test_show_reads_a_certificate(file: Path) -> None:
    """A certificate alone has no alias and no private key."""
    output = run("show", file).stdout

    assert "alias                 none (only a PFX has one)\n" in output
    assert "holds private key     no\n" in output
    assert "keep it to yourself" not in output


@pytest.mark.parametrize("form", ["pem", "pfx"])
def test_show_counts_further_certificates(form: str, tmp_path: Path) -> None:
    """The first certificate of a chain is shown, the others are counted."""
    path = tmp_path / "chain"
    chain = b"".join(pem(certificate(name)) for name in ("client", "middle", "top"))
    path.write_bytes(chain if form == "pem" else pfx(others=2))
    told = printed(run("show", path, "--json"))

    assert told["further_certificates"] == 2
    assert told["subject"] == "CN=client,O=Enterprise NV,C=BE"


def test_show_writes_the_cer(pfx_file: Path, tmp_path: Path) -> None:
    """With --cer the certificate is written in DER, and nothing else is."""
    target = tmp_path / "out.cer"
    result = run("show", pfx_file, "--cer", target)

    assert load_pfx(pfx_file.read_bytes(), "changeit").certificate.public_bytes(Encoding.DER) == target.read_bytes()
    assert f"certificate file      {target}\n" in result.stdout
    assert {"client.pfx", "out.cer"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(("force", "code"), [((), 2), (("--force",), 0)])
def test_show_overwrites_only_when_told_to(pfx_file: Path, tmp_path: Path, force: tuple[str, ...], code: int) -> None:
    """An existing file is kept, unless --force is given."""
    target = tmp_path / "out.cer"
    target.write_text("mine")
    result = run("show", pfx_file, "--cer", target, *force)

    assert code == result.exit_code
    assert (target.read_bytes() == b"mine") is (code == 2)
    assert ("--force" in result.stderr) is (code == 2)


@posix_only
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_show_puts_no_file_in_the_place_of_something_else(
    pfx_file: Path, tmp_path: Path, force: tuple[str, ...]
) -> None:
    """A device or a named pipe stays what it is, even with --force."""
    device, pipe = tmp_path / "device", tmp_path / "pipe"
    device.symlink_to(os.devnull)
    os.mkfifo(pipe)

    for target in (device, pipe):
        result = run("show", pfx_file, "--cer", target, *force)
        assert result.exit_code == 2
        assert f"cannot write {target}: it is there already, and is no file. Give another path" in result.stderr
    assert device.is_symlink()
    assert pipe.is_fifo()


def test_show_tells_when_the_cer_cannot_be_written(pfx_file: Path, tmp_path: Path) -> None:
    """A path that cannot be written gives exit code 2 and what to do."""
    result = run("show", pfx_file, "--cer", tmp_path / "no" / "out.cer")

    assert result.exit_code == 2
    assert "--cer" in result.stderr


@pytest.mark.parametrize("command", ["check", "show"])
def test_certificate_cannot_steer_the_terminal(command: str, tmp_path: Path) -> None:
    """Control characters, direction marks and markup of a subject are printed as what they are."""
    path = tmp_path / "client.cer"
    subject = "[bold]x[/bold]\x1b[2J\u202e :smile:"
    builder = x509.CertificateBuilder().subject_name(certificate().subject)
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    dated = builder.issuer_name(issuer).not_valid_before(certificate().not_valid_before_utc).serial_number(1)
    made = dated.not_valid_after(certificate().not_valid_after_utc).public_key(key().public_key())
    path.write_bytes(pem(made.sign(key(), hashes.SHA384())))
    output = run(command, path, *(("--at", DURING) if command == "check" else ())).stdout

    assert "CN=[bold]x[/bold]\\x1b[2J\\u202e :smile:" in output
    assert "\x1b" not in output


@pytest.mark.parametrize(("command", "code"), [("check", 1), ("show", 0)])
@pytest.mark.filterwarnings("error")
def test_library_does_not_warn_over_the_output(command: str, code: int, tmp_path: Path) -> None:
    """A country that is not two letters, which the library warns of at each reading, is shown in silence."""
    path = tmp_path / "client.cer"
    path.write_bytes(certificate().public_bytes(Encoding.DER).replace(b"\x55\x04\x0a", b"\x55\x04\x06"))
    result = run(command, path, *(("--at", DURING) if command == "check" else ()))

    assert code == result.exit_code
    assert ("C=Enterprise NV" in result.stdout) is (command == "show")


def test_alias_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters of an alias are escaped."""
    path = tmp_path / "client.pfx"
    path.write_bytes(pfx("a\x1b[2J"))

    assert "alias                 a\\x1b[2J\n" in run("show", path).stdout
