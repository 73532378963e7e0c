"""The commands that talk to a server, or do without one."""

import datetime as dt
import inspect
import ipaddress
import json
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from mock_server import __version__
from mock_server.certificates.loading import SigningKey, load_certificate, load_private_key
from mock_server.cli import app
from mock_server.cli.explain import PRESETS
from mock_server.oauth.policy import Policy
from tests.cli.conftest import Run
from tests.support import DAY, NOW, TOKEN_URL, assertion, key
from tests.system.processes import TIMEOUT, command, environment


def test_the_version_is_told(run: Run) -> None:
    """`--version` prints it and nothing else."""
    assert f"{__version__}\n" == run("--version").stdout


@pytest.mark.parametrize("command", ["serve", "token", "explain-assertion", "policy", "cert"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    """`--help` names the command's purpose."""
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_a_token_is_printed_alone(run: Run, keys: Path) -> None:
    """What `token` prints can be put in a variable."""
    result = run("token", "employer", "--keys", keys)

    assert result.exit_code == 0, result.output
    assert jwt.get_unverified_header(result.stdout.strip()) == {"alg": "RS256", "kid": "oauth"}


def test_the_whole_answer_is_printed_on_request(run: Run, keys: Path) -> None:
    """`--json` prints what the endpoint answered, for a narrower scope too."""
    scope = "scope:dimona"
    answer = json.loads(run("token", "example-1-common", "--keys", keys, "--scope", scope, "--json").stdout)

    assert (["access_token", "scope", "token_type", "expires_in"], scope) == (list(answer), answer["scope"])


def test_a_refusal_is_exit_code_1(run: Run, keys: Path) -> None:
    """The error goes to standard error, and says where the reason is told."""
    result = run("token", "employer", "--keys", keys, "--scope", "x")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "invalid_scope" in result.stderr
    assert "console" in result.stderr


def test_an_unknown_account_is_told_with_the_known_ones(run: Run, keys: Path) -> None:
    """The message lists the names that would do."""
    result = run("token", "nobody", "--keys", keys)

    assert result.exit_code == 2
    assert "no account is named nobody; there are employer, social-secretariat" in result.stderr


GOOD_ACCOUNT = {"name": "employer", "client_id": "c", "key": "K"}
GOOD_MANIFEST: dict[str, object] = {"token_url": "http://127.0.0.1:9/x", "audience": "x", "accounts": [GOOD_ACCOUNT]}
MANIFESTS: dict[str, tuple[str | dict[str, object] | None, str]] = {
    "missing": (None, "is not there: start the demo world"),
    "broken": ("{", "is not JSON"),
    "no text": ("\udcff", "is not JSON"),
    "nested without end": ("[" * 100_000, "is not JSON"),
    "a list": ("[]", "is not a demo.json: expected an object, found a list"),
    "empty": ("{}", "expected a text as token_url, found none"),
    "a URL that is a number": (GOOD_MANIFEST | {"token_url": 5}, "expected a text as token_url, found a number"),
    "a URL of another kind": (GOOD_MANIFEST | {"token_url": "ftp://x/"}, "expected a URL of http or https"),
    "a URL with a port that is none": (GOOD_MANIFEST | {"token_url": "http://x:99999/"}, "expected a URL of http"),
    "a URL without a host": (GOOD_MANIFEST | {"token_url": "http:///token"}, "expected a URL of http or https"),
    "no audience": (GOOD_MANIFEST | {"audience": None}, "expected a text as audience, found none"),
    "accounts that are no list": (GOOD_MANIFEST | {"accounts": {}}, "expected a list as accounts, found an object"),
    "an account that is none": (GOOD_MANIFEST | {"accounts": [True]}, "as accounts[0], found true or false"),
    "no accounts": (GOOD_MANIFEST | {"accounts": []}, "no account is named employer; there are none"),
    "no client id": (
        GOOD_MANIFEST | {"accounts": [{"name": "employer", "key": "K"}]},
        "expected a text as accounts[0].client_id, found none",
    ),
    "a CA that is no path": (GOOD_MANIFEST | {"ca_file": 1}, "expected a text as ca_file, or none, found a number"),
    "a key that is gone": (GOOD_MANIFEST, "K cannot be used: No such file"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_cannot_be_used_is_told(
    run: Run, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The message says what was expected, what came and what to do."""
    monkeypatch.chdir(tmp_path)
    content, message = MANIFESTS[name]
    if "URL" in message:
        shutil.copy(keys / "employer.key", "K")
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "demo.json").write_bytes(text.encode("utf-8", "surrogateescape"))

    result = run("token", "employer", "--keys", tmp_path)

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def changed_manifest(keys: Path, folder: Path, **members: object) -> Path:
    """Copy a manifest with some members changed."""
    told = json.loads((keys / "demo.json").read_text(encoding="utf-8"))
    (folder / "demo.json").write_text(json.dumps(told | members), encoding="utf-8")
    return folder


def with_key(keys: Path, folder: Path, pem: bytes) -> Path:
    """Copy a manifest with another key for the account `employer`."""
    (folder / "other.key").write_bytes(pem)
    told = json.loads((keys / "demo.json").read_text(encoding="utf-8"))
    entry = told["accounts"][0] | {"key": str(folder / "other.key")}
    return changed_manifest(keys, folder, accounts=[entry])


def pem_of(key: SigningKey) -> bytes:
    """Return a private key as a file holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_server_that_does_not_answer_is_told(run: Run, keys: Path, tmp_path: Path) -> None:
    """Nothing listens on the discard port."""
    folder = changed_manifest(keys, tmp_path, token_url="http://127.0.0.1:9/token")

    result = run("token", "employer", "--keys", folder)

    assert result.exit_code == 2
    assert "nothing answers at http://127.0.0.1:9/token" in result.stderr


class Stand(BaseHTTPRequestHandler):
    """Stands where a mock should be; keeps what it was sent, and answers what its server has to say."""

    server: "StandServer"

    def do_POST(self) -> None:
        """Answer."""
        self.server.forms.append(self.rfile.read(int(self.headers["content-length"])))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""


class StandServer(HTTPServer):
    """A server on a free port, on which something else than a mock answers."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Stand)
        self.answer = (status, body)
        self.forms: list[bytes] = []

    @contextmanager
    def running(self, scheme: str = "http") -> Iterator[str]:
        """Serve, and give the URL."""
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{self.server_port}/token?x=1"
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away."""


ANSWERS = {
    "not JSON": (200, b"<html>", "answered 200 with something that is not JSON"),
    "nothing": (502, b"", "answered 502 with no body"),
    "not UTF-8": (200, b"\xff\xfe{\0}\0", "answered 200 with something that is not JSON"),
    "a list": (200, b"[]", "answered 200 with a list in place of an object"),
    "a text": (400, b'"no"', "answered 400 with a text in place of an object"),
    "no token": (200, b"{}", "answered 200 with no access_token"),
    "a token that is none": (200, b'{"access_token": ["x"]}', "answered 200 with an access_token that is none"),
    "a token that steers": (200, b'{"access_token": "\\u001b[2J"}', "answered 200 with an access_token that is none"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_no_mock_gives_is_told(run: Run, keys: Path, tmp_path: Path, name: str) -> None:
    """Something else may listen on the port."""
    status, body, message = ANSWERS[name]
    with StandServer(status, body).running() as url:
        result = run("token", "employer", "--keys", changed_manifest(keys, tmp_path, token_url=url))

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "is it a fla-mock that listens there?" in result.stderr


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa-2048", "RS256"), ("ec-p384", "ES384"), ("ec-p521", "ES512")])
def test_the_key_decides_on_the_algorithm(run: Run, keys: Path, tmp_path: Path, kind: str, algorithm: str) -> None:
    """An account may have any key that its certificate may have."""
    signing = key(kind)
    stand = StandServer(200, b'{"access_token": "t"}')
    with stand.running() as url:
        folder = with_key(changed_manifest(keys, tmp_path, token_url=url), tmp_path, pem_of(signing))
        result = run("token", "employer", "--keys", folder)
    (assertion_sent,) = parse_qs(stand.forms[0].decode())["client_assertion"]

    assert result.stdout == "t\n"
    assert jwt.decode(assertion_sent, signing.public_key(), [algorithm], options={"verify_aud": False})["sub"]


def test_a_key_that_no_algorithm_fits_is_told(run: Run, keys: Path, tmp_path: Path) -> None:
    """P-256 is a common curve, but none of the guide's."""
    folder = with_key(keys, tmp_path, pem_of(ec.generate_private_key(ec.SECP256R1())))

    result = run("token", "employer", "--keys", folder)

    assert result.exit_code == 2
    assert "expected an RSA key, or an EC key on P-384 or P-521, found one on secp256r1" in result.stderr


@pytest.mark.parametrize("scope", ["\udcff", "scope:\ud800"])
def test_a_scope_that_is_no_text_is_told(run: Run, keys: Path, scope: str) -> None:
    """Bytes of the command line that are no UTF-8 cannot be sent."""
    result = run("token", "employer", "--keys", keys, "--scope", scope)

    assert result.exit_code == 2
    assert "--scope: expected text in UTF-8" in result.stderr


def test_a_name_that_could_steer_the_terminal_is_escaped(run: Run, keys: Path) -> None:
    """What was given on the command line may come from elsewhere."""
    result = run("token", "\x1b[2J\udcff", "--keys", keys)

    assert "no account is named \\x1b[2J\\udcff; there are employer" in result.stderr


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """Give the certificate of a server on 127.0.0.1, and what the server needs of it."""
    folder = tmp_path_factory.mktemp("https")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    usage = dict.fromkeys(inspect.signature(x509.KeyUsage).parameters, False)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key().public_key())
    certificate = (
        builder.serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key().public_key()), critical=False)
        .add_extension(x509.KeyUsage(**usage | {"digital_signature": True, "key_cert_sign": True}), critical=True)
        .sign(key(), hashes.SHA256())
    )
    file = folder / "ca.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(pem_of(key()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, folder / "server.key")
    return file, context


def test_a_token_is_got_over_https(
    run: Run, keys: Path, tmp_path: Path, certified: tuple[Path, ssl.SSLContext]
) -> None:
    """A server's certificate is verified against the CA that demo.json names."""
    ca_file, context = certified
    stand = StandServer(200, b'{"access_token": "t"}')
    stand.socket = context.wrap_socket(stand.socket, server_side=True)
    with stand.running("https") as url:
        trusted = run(
            "token", "employer", "--keys", changed_manifest(keys, tmp_path, token_url=url, ca_file=str(ca_file))
        )
        unknown = run("token", "employer", "--keys", changed_manifest(keys, tmp_path, token_url=url))
        broken = changed_manifest(keys, tmp_path, token_url=url, ca_file=str(tmp_path / "demo.json"))
        no_ca = run("token", "employer", "--keys", broken)

    assert (trusted.exit_code, trusted.stdout) == (0, "t\n"), trusted.stderr
    assert unknown.exit_code == 2
    assert "its certificate is not from the CA of this system (ca_file in demo.json)" in unknown.stderr
    assert no_ca.exit_code == 2
    assert "expected a file of CA certificates" in no_ca.stderr


def test_https_where_http_is_spoken_is_told(run: Run, keys: Path, tmp_path: Path) -> None:
    """The two were mixed up, or the server was started anew without https."""
    with StandServer(200, b"{}").running("https") as url:
        result = run("token", "employer", "--keys", changed_manifest(keys, tmp_path, token_url=url))

    assert result.exit_code == 2
    assert f"no answer from {url}" in result.stderr


@pytest.fixture
def moment(keys: Path) -> float:
    """Give a moment at which the served demo world's certificates are valid."""
    der = (keys / "employer.cer").read_bytes()
    return load_certificate(der).not_valid_before_utc.timestamp() + 2 * DAY


def own_assertion(keys: Path, moment: float, **changes: object) -> str:
    """Return an assertion of the demo account `employer`, meant for the server that runs."""
    told = json.loads((keys / "demo.json").read_text(encoding="utf-8"))
    entry = told["accounts"][0]
    key = load_private_key(Path(entry["key"]).read_bytes())
    claims = {
        "iss": entry["client_id"],
        "sub": entry["client_id"],
        "aud": told["token_url"],
        "exp": moment + 300,
        "jti": "a",
    }
    return jwt.encode(claims | changes, key, "RS256")


def test_an_assertion_is_explained_without_being_sent(run: Run, keys: Path, moment: float) -> None:
    """A good one passes every check; only the use of its jti is left open."""
    result = run("explain-assertion", own_assertion(keys, moment), "--keys", keys, "--at", moment, "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["accepted"], told["refused_by"]) == (0, True, None)
    assert (told["checks"][-1]["id"], told["checks"][-1]["outcome"]) == ("OAUTH-JTI-3", "not judged")


def test_a_faulty_assertion_is_explained_for_people(run: Run, keys: Path, moment: float) -> None:
    """Each failed check shows what was expected, what was found and what to do; the exit code is 1."""
    result = run("explain-assertion", own_assertion(keys, moment, exp=moment + 5000), "--keys", keys, "--at", moment)

    assert result.exit_code == 1
    assert "✗ OAUTH-EXP-3" in result.stdout
    for word in ("expected", "found", "do", "source", "G§6.1 (documented)"):
        assert word in result.stdout


def test_a_near_miss_is_told(run: Run, keys: Path, moment: float) -> None:
    """An assertion signed with the key of another account is told so, for people and for scripts."""
    text = own_assertion(keys, moment, iss="self_service_expeditor_105", sub="self_service_expeditor_105")

    result = run("explain-assertion", text, "--keys", keys, "--at", moment)
    as_json = run("explain-assertion", text, "--keys", keys, "--at", moment, "--json", env={"FLA_MOCK_STORE": "x://"})

    sentence = "of account “employer” (client id “self_service_chaman_123456_78912”), not of “example-1-fla”."
    assert sentence in result.stdout
    assert [line[-len(sentence) :] for line in json.loads(as_json.stdout)["near_misses"]] == [sentence]


def test_an_assertion_is_read_from_standard_input(run: Run, keys: Path, moment: float) -> None:
    """What should not stand in the shell's history is piped in."""
    text = own_assertion(keys, moment)

    assert run("explain-assertion", "-", "--keys", keys, "--at", moment, input=f"{text}\n").exit_code == 0


@pytest.mark.parametrize("at", ["1e300", "nan", "inf", "-1", "1790000000000", "9" * 5_000])
def test_a_moment_that_no_calendar_has_is_told(run: Run, keys: Path, at: str) -> None:
    """Moments are Unix seconds up to the year 9999; milliseconds are the common mistake."""
    result = run("explain-assertion", "x", "--keys", keys, f"--at={at}")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--at: expected Unix seconds (not milliseconds), from 0 in 1970 to 253370764800 in 9999" in result.stderr


def test_the_last_moment_can_be_judged(run: Run, keys: Path) -> None:
    """There is a time to compare with on either side of it."""
    text = own_assertion(keys, 253_370_764_800)

    result = run("explain-assertion", text, "--keys", keys, "--at", "253370764800", "--json")

    assert json.loads(result.stdout)["refused_by"] == "OAUTH-CERT-1"


INPUTS = {
    "bytes that are no text": (b"eyJ\xff", "found bytes that are no UTF-8 (the first at 3)"),
    "UTF-16": ("\ufeffx".encode("utf-16-le"), "found UTF-16, which PowerShell writes"),
    "far too much": (b"x" * 1_048_577, "found more than 1048576 bytes"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_standard_input_that_is_no_assertion_is_told(keys: Path, name: str) -> None:
    """The message says what was expected and what came."""
    data, message = INPUTS[name]

    result = CliRunner().invoke(app, ["explain-assertion", "-", "--keys", str(keys)], input=data)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "standard input: expected a client assertion" in result.stderr
    assert message in result.stderr


def test_a_byte_order_mark_before_an_assertion_is_no_obstacle(run: Run, keys: Path, moment: float) -> None:
    """Some shells of Windows put one before all that they pipe."""
    text = f"\ufeff{own_assertion(keys, moment)}\r\n"

    assert run("explain-assertion", "-", "--keys", keys, "--at", moment, input=text).exit_code == 0


def test_a_closed_standard_input_is_told(run: Run, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to read then."""
    monkeypatch.setattr("mock_server.cli.explain.sys", SimpleNamespace(stdin=None))

    result = run("explain-assertion", "-", "--keys", keys)

    assert result.exit_code == 2
    assert "standard input is closed" in result.stderr


def test_an_assertion_is_judged_by_the_policy_that_is_named(run: Run, keys: Path, moment: float) -> None:
    """The same settings as those of `serve` apply."""
    text = own_assertion(keys, moment, exp=moment + 5000)

    assert run("explain-assertion", text, "--keys", keys, "--at", moment, "--policy", "lenient").exit_code == 0


def test_an_assertion_is_judged_against_a_world_file(run: Run, world_file: Path) -> None:
    """Without the demo world the server's own URL, or the one that is named, is the audience."""
    named = run("explain-assertion", assertion(), "--world", world_file, "--at", NOW, "--url", TOKEN_URL)
    own = run("explain-assertion", assertion(), "--world", world_file, "--at", NOW)

    assert [named.exit_code, own.exit_code] == [0, 0], named.output


def test_explaining_changes_no_keys(run: Run, keys: Path, tmp_path: Path) -> None:
    """At a moment when the demo world's certificates are not valid, that is what is told; nothing is made anew."""
    before = (keys / "employer.cer").read_bytes()
    expired = run("explain-assertion", own_assertion(keys, 0), "--keys", keys, "--at", 0, "--json")
    missing = run("explain-assertion", "x", "--keys", tmp_path / "none")

    assert json.loads(expired.stdout)["refused_by"] == "OAUTH-CERT-1"
    assert before == (keys / "employer.cer").read_bytes()
    assert (missing.exit_code, "no demo keys" in missing.stderr) == (2, True)
    assert not (tmp_path / "none").exists()


def test_a_scope_can_be_explained_too(run: Run, world_file: Path) -> None:
    """What would be asked for with the assertion is judged with it."""
    result = run("explain-assertion", assertion(), "--world", world_file, "--at", NOW, "--scope", "x", "--json")

    assert json.loads(result.stdout)["refused_by"] == "OAUTH-SCOPE-2"


def test_a_world_that_cannot_be_used_is_told(run: Run, tmp_path: Path) -> None:
    """The message is the same as that of `serve`, without a stack trace."""
    result = run("explain-assertion", "x", "--world", tmp_path / "none.toml")

    assert result.exit_code == 2
    assert "none.toml: cannot be read" in result.stderr


def test_the_policy_is_told_as_json(run: Run) -> None:
    """Every choice has its value in each preset, and its provenance."""
    rows = json.loads(run("policy", "--json").stdout)

    assert list(Policy.model_fields) == [row["name"] for row in rows]
    assert {"name", *PRESETS, "provenance", "source", "description"} == set(rows[0])
    assert tuple(rows[0][preset] for preset in PRESETS) == (600, 100_000, 600)


def test_the_policy_is_told_as_a_table(run: Run) -> None:
    """Every choice is a row."""
    output = run("policy").stdout

    assert all(name[:8] in output for name in Policy.model_fields)


BAD_SETTINGS = {
    "an unknown policy": (["--policy", "loose"], "--policy (or FLA_MOCK_POLICY): Input should be 'documented'"),
    "an unknown field": (["--set", "speed=1"], "--set (or FLA_MOCK_SET): expected NAME=VALUE, where NAME is one of"),
    "no value": (["--set", "max_lifetime"], "expected NAME=VALUE"),
    "a bad value": (["--set", "max_lifetime=0"], "max_lifetime: Input should be greater than 0"),
    "an unknown environment": (["--environment", "moon"], "--environment (or FLA_MOCK_ENVIRONMENT): Input should be"),
    "a public URL that is none": (["--public-url", "mock"], "expected a URL like https://mock.example.org"),
    "a path that is none": (["--employer-path", "REST"], "expected a path like /REST/name/v1"),
    "a world that is not there": (["--world", "none.toml"], "none.toml: cannot be read"),
    "an account that is none": (["--account", "x"], "--account “x”: “x” is not understood"),
    "a host that is none": (["--host", "no such host"], "no such host is no address of this machine"),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_a_server_that_cannot_start_says_why(run: Run, tmp_path: Path, name: str) -> None:
    """One message, exit code 2, no stack trace."""
    arguments, message = BAD_SETTINGS[name]

    result = run("serve", "--port", 0, "--keys", tmp_path / "keys", *arguments)

    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["no-such-folder/ready", "folder"])
def test_a_ready_file_that_cannot_be_written_is_told(run: Run, tmp_path: Path, name: str) -> None:
    """Whoever waits for the file would wait for ever."""
    (tmp_path / "folder").mkdir()

    result = run("serve", "--port", 0, "--keys", tmp_path / "keys", "--ready-file", tmp_path / name)

    assert result.exit_code == 2
    assert "--ready-file" in result.stderr


def test_a_setting_of_the_environment_counts_like_its_flag(run: Run, tmp_path: Path) -> None:
    """`FLA_MOCK_WORLD` is `--world`, and the flag goes before it."""
    env = {"FLA_MOCK_WORLD": "from-environment.toml", "FLA_MOCK_KEYS": str(tmp_path)}

    assert "from-environment.toml" in run("serve", "--port", 0, env=env).stderr
    assert "from-flag.toml" in run("serve", "--port", 0, "--world", "from-flag.toml", env=env).stderr


def test_a_list_in_the_environment_is_separated_by_spaces_or_json(run: Run, tmp_path: Path) -> None:
    """Several `--set` become one variable."""
    for text in ("max_lifetime=1 speed=1", '["max_lifetime=1", "speed=1"]'):
        env = {"FLA_MOCK_SET": text, "FLA_MOCK_KEYS": str(tmp_path)}
        assert "expected NAME=VALUE" in run("serve", env=env).stderr


def test_a_port_in_use_is_told(run: Run, keys: Path, tmp_path: Path) -> None:
    """The message says how to choose another."""
    told = json.loads((keys / "demo.json").read_text(encoding="utf-8"))
    port = told["mock_url"].rpartition(":")[2]

    result = run("serve", "--port", port, "--keys", tmp_path)

    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in result.stderr
    assert "--port" in result.stderr


def test_every_setting_is_a_flag_and_every_flag_a_setting(run: Run) -> None:
    """The help tells each flag's variable and default."""
    from mock_server.settings import Settings  # noqa: PLC0415 - for this test only

    text = " ".join(run("serve", "--help", env={"COLUMNS": "500"}).stdout.split())

    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in text
        assert f"FLA_MOCK_{name.upper()}]" in text
    assert len(Settings.model_fields) == text.count("FLA_MOCK_")


posix_only = pytest.mark.skipif(os.name != "posix", reason="these are pipes and folders of POSIX systems")


@posix_only
@pytest.mark.parametrize("arguments", [["policy"], ["policy", "--json"], ["--help"]])
def test_a_reader_that_went_away_ends_a_command_quietly(tmp_path: Path, arguments: list[str]) -> None:
    """As in `fla-mock policy | head -1`: there is nobody to tell anything to."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            timeout=TIMEOUT,
        )
    finally:
        os.close(writing)

    assert result.returncode != 0
    assert result.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is full")
@pytest.mark.parametrize("arguments", [["policy"], ["policy", "--json"]])
def test_output_that_cannot_be_written_is_told(tmp_path: Path, arguments: list[str]) -> None:
    """A disk may be full."""
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    assert result.returncode == 2
    assert result.stderr == "fla-mock: cannot write: No space left on device. Make room, or write elsewhere.\n"


@posix_only
@pytest.mark.parametrize(
    "arguments", [["explain-assertion", "x"], ["cert", "new", "a", "--key", "ec-p384"], ["serve", "--port", "0"]]
)
def test_a_current_folder_that_was_removed_is_told(tmp_path: Path, arguments: list[str]) -> None:
    """Nothing can be found relative to a folder that is not there."""
    folder = tmp_path / "gone"
    folder.mkdir()
    result = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *command(*arguments)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )

    assert result.returncode == 2
    assert "fla-mock: the current folder is not there any more: change to one that is.\n" in result.stderr
    assert "fault" not in result.stderr
