"""`fla-mock token`: for which account, of which mock and world, and what is told when there is none."""

import datetime as dt
import inspect
import ipaddress
import json
import re
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import Result

from mock_server.certificates.loading import SigningKey, load_certificate
from mock_server.certificates.making import write_identity
from tests.cli.conftest import Run
from tests.cli.fakes import serving
from tests.support import certificate, key


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
    """The error goes to standard error with its description, and so does the command that tells the reason."""
    result = run("token", "employer", "--keys", keys, "--scope", "x")

    assert (result.exit_code, result.stdout) == (1, "")
    told, advice = result.stderr.splitlines()
    assert re.fullmatch("fla-mock: refused with 400 invalid_scope: .*[a-z].*", told)
    assert "{" not in told
    found = re.fullmatch("  fla-mock (exchange [0-9]+ --url [^ ]+) shows why[.]", advice)
    assert found
    assert "invalid_scope" in run(*found[1].split(" ")).stdout


def test_an_unknown_account_is_told_with_the_known_ones(run: Run, keys: Path) -> None:
    """The message lists the names that would do."""
    result = run("token", "nobody", "--keys", keys)

    assert result.exit_code == 2
    assert "no account is named nobody; there are employer, social-secretariat" in result.stderr


REFUSALS: dict[str, tuple[int, bytes, str]] = {
    "an error alone": (401, b'{"error": "invalid_client"}', "refused with 401 invalid_client\n"),
    "a problem": (404, b'{"title": "Not Found", "detail": "No x."}', "refused with 404 Not Found: No x.\n"),
    "nothing that is known": (503, b'{"a": {"b": "c"}}', "refused with 503\n"),
    "an error that steers": (400, b'{"error": "\\u001b[2J"}', "refused with 400 \\x1b[2J\n"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told_in_words(run: Run, keys: Path, tmp_path: Path, name: str) -> None:
    """What has no number in the journal was told on the server's console, if anywhere."""
    status, body, message = REFUSALS[name]
    with StandServer(status, body).running() as url:
        result = run("token", "employer", "--keys", changed_manifest(keys, tmp_path, token_url=url))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"fla-mock: {message}  The server's console says which check failed.\n"


def test_the_demo_json_of_exec_is_found(run: Run, keys: Path, tmp_path: Path) -> None:
    """FLA_DEMO_JSON names the file, and goes before the folder of FLA_MOCK_KEYS; --keys goes before both."""
    named = {"FLA_DEMO_JSON": str(keys / "demo.json"), "FLA_MOCK_KEYS": str(tmp_path)}

    assert run("token", "employer", env=named).exit_code == 0
    assert run("token", "employer", env={"FLA_MOCK_KEYS": str(keys)}).exit_code == 0
    assert f"{tmp_path / 'demo.json'} is not there" in run("token", "employer", "--keys", tmp_path, env=named).stderr


@pytest.fixture
def mock_url(keys: Path) -> str:
    """Give the URL of the mock that is served."""
    return str(json.loads((keys / "demo.json").read_text(encoding="utf-8"))["mock_url"])


@pytest.fixture
def world(run: Run, mock_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Make a world of the test's own in the mock that is served."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-60:].strip("-")
    assert run("world", "create", name, "--url", mock_url).exit_code == 0
    yield name
    run("world", "delete", name, "--url", mock_url)


def claims_of(result: Result) -> dict[str, Any]:
    """Return what an access token that was printed says."""
    assert result.exit_code == 0, result.output
    return dict(jwt.decode(result.stdout.strip(), options={"verify_signature": False}))


def test_a_token_of_another_world(run: Run, keys: Path, mock_url: str, world: str) -> None:
    """--world or FLA_WORLD names it; demo.json says where the mock is, unless --url does."""
    option = run("token", "employer", "--keys", keys, "--world", world)
    variable = run("token", "employer", "--keys", keys, "--url", mock_url, env={"FLA_WORLD": world})
    root = run("token", "employer", "--keys", keys)

    assert all(claims_of(result) for result in (option, variable, root))
    assert run("exchanges", "--count", "--world", world, "--url", mock_url).stdout == "2\n"
    refused = run("token", "employer", "--keys", keys, "--world", world, "--scope", "x")
    assert re.search(f"fla-mock exchange [0-9]+ --world {world} --url {mock_url} shows why.", refused.stderr)
    known = run("token", "employer", "--keys", keys, "--world", world, "--scope", "x", env={"FLA_MOCK_URL": mock_url})
    assert re.search(f"fla-mock exchange [0-9]+ --world {world} shows why.", known.stderr)


def test_a_world_that_is_not_there_is_a_refusal(run: Run, keys: Path) -> None:
    """The mock's own sentence is told."""
    result = run("token", "employer", "--keys", keys, "--world", "no-such")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "refused with 404" in result.stderr


@pytest.mark.parametrize("kind", ["key", "pfx"])
def test_a_token_for_an_account_that_was_just_made(
    run: Run, mock_url: str, world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """No demo.json is needed: the client id, the file of the key and the mock's URL will do."""
    monkeypatch.chdir(tmp_path)
    there = ("--url", mock_url, "--world", world)
    assert run("cert", "new", "mine", "--key", "ec-p384").exit_code == 0
    assert run("enterprise", "add", "1999010048", "Mine", *there).exit_code == 0
    who = ("--email", "a@example.org", "--local-administrator", "A")
    assert run("enterprise", "activate", "1999010048", "employer", *who, *there).exit_code == 0
    account = ("--enterprise", "1999010048", "--capacity", "employer", "--permission", "fla", "--cert", "mine.cer")
    assert run("account", "create", "mine", *account, "--client-id", "my_client", *there).exit_code == 0

    result = run("token", "--client-id", "my_client", "--key", f"mine.{kind}", *there)

    assert claims_of(result)["client_id"] == "my_client"


def test_a_pfx_with_a_password(run: Run, tmp_path: Path) -> None:
    """The password comes from the environment; one that does not fit is told, the variable's name when it is unset."""
    write_identity(tmp_path, "mine", key(), load_certificate(certificate()), "secret")
    pfx = tmp_path / "mine.pfx"
    stand = StandServer(200, b'{"access_token": "t"}')
    with stand.running() as url:
        arguments = ("token", "--client-id", "c", "--key", pfx, "--url", url.partition("/token")[0])
        fits = run(*arguments, env={"FLA_MOCK_PFX_PASSWORD": "secret"})
        missing = run(*arguments)
        wrong = run(*arguments, env={"FLA_MOCK_PFX_PASSWORD": "other-secret"})

    assert (fits.exit_code, fits.stdout) == (0, "t\n"), fits.output
    assert missing.exit_code == wrong.exit_code == 2
    assert "FLA_MOCK_PFX_PASSWORD" in missing.stderr
    assert "other-secret" not in wrong.output
    (form,) = stand.forms
    claims = jwt.decode(parse_qs(form.decode())["client_assertion"][0], options={"verify_signature": False})
    assert claims["aud"] == f"{url.partition('/token')[0]}/REST/oauth/v5/token"


@pytest.mark.parametrize("days", [0, 90])
def test_a_clock_that_was_moved_is_no_obstacle(run: Run, keys: Path, mock_url: str, world: str, days: int) -> None:
    """An assertion is made by the clock of the world that judges it."""
    run("clock", "advance", f"{days}d", "--world", world, "--url", mock_url)

    assert claims_of(run("token", "employer", "--keys", keys, "--world", world))


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_a_clock_that_cannot_be_asked_is_not_missed(
    run: Run, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Real time will do; and an admin token goes along when there is one."""
    monkeypatch.setattr("mock_server.cli.token.time.time", lambda: 2e9)
    stand = StandServer(200, b'{"access_token": "t"}')
    with serving() as control, stand.running() as url:
        control.will({"timestamp": 3e9} if status == 200 else {"title": "No"}, status)
        folder = changed_manifest(keys, tmp_path, token_url=url, mock_url=control.url)
        result = run("token", "employer", "--keys", folder, env={"FLA_MOCK_ADMIN_TOKEN": "a-secret"})
    (form,) = stand.forms

    assert (result.exit_code, result.output) == (0, "t\n")
    claims = jwt.decode(parse_qs(form.decode())["client_assertion"][0], options={"verify_signature": False})
    assert claims["exp"] == (3e9 if status == 200 else 2e9) + 300
    assert control.asked[0].target == "/_mock/worlds/default/clock"
    assert control.asked[0].headers["Authorization"] == "Bearer a-secret"


NOT_ASKED = {
    "nobody": ((), "say for which account: ACCOUNT, a name in demo.json, or --client-id and --key."),
    "two of them": (("employer", "--client-id", "c", "--key", "K"), "give either"),
    "a folder for nothing": (("--keys", "x", "--client-id", "c", "--key", "K"), "give either"),
    "no key": (("--client-id", "c"), "--client-id and --key go together"),
    "no client": (("--key", "K"), "--client-id and --key go together"),
    "a key that is gone": (
        ("--client-id", "c", "--key", "K", "--url", "http://127.0.0.1:9"),
        "K cannot be used: No such file or directory. Name the file of the private key with --key.",
    ),
    "a URL that is none": (("--client-id", "c", "--key", "K", "--url", "mock"), "expected a URL like"),
}


@pytest.mark.parametrize("name", NOT_ASKED)
def test_what_does_not_go_together_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The exit code is 2, and nothing is asked."""
    monkeypatch.chdir(tmp_path)
    arguments, message = NOT_ASKED[name]

    result = run("token", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


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
    "a mock that is no URL": (GOOD_MANIFEST | {"mock_url": 1}, "expected a text as mock_url, or none, found a number"),
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
    assert "no CA signed its certificate, as with --tls-untrusted" in unknown.stderr
    assert no_ca.exit_code == 2
    assert "expected a file of CA certificates" in no_ca.stderr


def test_https_where_http_is_spoken_is_told(run: Run, keys: Path, tmp_path: Path) -> None:
    """The two were mixed up, or the server was started anew without https."""
    with StandServer(200, b"{}").running("https") as url:
        result = run("token", "employer", "--keys", changed_manifest(keys, tmp_path, token_url=url))

    assert result.exit_code == 2
    assert f"no answer from {url}" in result.stderr
