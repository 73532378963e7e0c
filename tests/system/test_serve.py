"""`fla-mock serve` as a process: how it starts, what it is told, what it tells, and how it ends."""

import asyncio
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mock_server.server import bind
from mock_server.settings import Settings
from tests.support import FORM_HEADERS, TOKEN, Reply
from tests.system.conftest import Client, need
from tests.system.processes import (
    TIMEOUT,
    Server,
    assertion,
    call,
    demo_token,
    environment,
    get_token,
    read_reply,
    request_bytes,
    run,
    started,
    token_form,
    training,
    trainings_url,
)
from tests.system.test_contracts import GIVEN

signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


# Starting


def test_the_ready_file_holds_the_base_url_of_a_server_that_answers(tmp_path: Path) -> None:
    """As soon as the file is there it holds the base URL, nothing else, and a request to it is answered."""
    with started(tmp_path, "--world=empty") as server:
        assert server.is_up()
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*", server.base)


def test_port_0_is_a_free_one(tmp_path: Path) -> None:
    """Two servers that are told to take any port live side by side."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with (
        started(tmp_path / "first", "--world=empty") as first,
        started(tmp_path / "second", "--world=empty") as second,
    ):
        assert first.base != second.base
        assert [first.is_up(), second.is_up()] == [True, True]


def test_a_port_in_use_is_told_without_a_trace(tmp_path: Path) -> None:
    """The exit code is 2, and one line says which port it was and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finished = run("serve", "--world=empty", "--port", str(port), folder=tmp_path)

    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith(f"fla-mock: cannot listen on 127.0.0.1, port {port}: ")
    assert "--port" in line


def test_answers_are_not_held_back() -> None:
    """A connection to the bound socket has TCP_NODELAY: without it the second half of an answer waits 40 ms."""

    async def accepted() -> int:
        made: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                made.set_result(transport)

        listener = bind("127.0.0.1", 0)
        server = await asyncio.get_running_loop().create_server(Protocol, sock=listener)
        async with server:
            _, writer = await asyncio.open_connection(*listener.getsockname())
            transport = await made
            option: int = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.close()
            writer.close()
            await writer.wait_closed()
        return option

    assert asyncio.run(accepted()) == 1


COMPANY = """
[[enterprises]]
number = "1999000150"
name = "A"
capacities = ["employer"]

[[accounts]]
name = "a"
client_id = "a"
enterprise = "1999000150"
capacity = "employer"
permissions = ["fla"]
"""
BAD_WORLDS = {
    "no such file": (None, "world.toml"),
    "not TOML": ("[[enterprises]", "world.toml"),
    "an unknown member": ("[settings]\nemployment = 'open'", "employment"),
    "a wrong check digit": ('[[enterprises]]\nnumber = "1999000151"\nname = "A"\ncapacities = []', "1999000151"),
    "no such certificate": (COMPANY + 'certificates = [{ file = "none.cer" }]', "none.cer"),
}


@pytest.mark.parametrize("case", BAD_WORLDS)
def test_a_bad_world_file_is_told_without_a_trace(case: str, tmp_path: Path) -> None:
    """The exit code is 2, and the message names what is wrong."""
    text, named = BAD_WORLDS[case]
    if text is not None:
        (tmp_path / "world.toml").write_text(text, encoding="utf-8")

    finished = run("serve", "--port=0", "--world=world.toml", folder=tmp_path)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("fla-mock: ")
    assert named in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("path", ["missing/ready", "."])
def test_a_ready_file_that_cannot_be_written_is_told_without_a_trace(path: str, tmp_path: Path) -> None:
    """The exit code is 2, and the message names the flag."""
    finished = run("serve", "--world=empty", "--port=0", f"--ready-file={path}", folder=tmp_path)

    assert finished.returncode == 2
    assert "--ready-file" in finished.stderr
    assert "Traceback" not in finished.stderr


# Stopping


@signals
def test_a_signal_ends_the_process_with_0(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM stop the server; it leaves no trace on the console, and frees its port."""
    with started(tmp_path, "--world=empty") as server:
        with server.connect() as idle:
            idle.sendall(request_bytes("GET", "/health", []))
            assert read_reply(idle).status == 200

            assert server.stop(number) == 0
        assert server.errors == ""
        with socket.create_server(server.address):
            pass


@signals
@pytest.mark.parametrize("target", ["token", "trainings"])
def test_a_signal_ends_the_process_while_a_body_is_awaited(
    number: signal.Signals, target: str, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """A request whose body never comes does not keep the server from stopping with exit code 0."""
    with awaiting_a_body(clients["ec-p384"], target, tmp_path) as server:
        assert server.stop(number) == 0


@pytest.mark.parametrize("target", ["token", "trainings"])
def test_stopping_while_a_body_is_awaited_leaves_no_trace(
    target: str, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """Who stops the server is not shown a stack trace for a client that was slow."""
    with awaiting_a_body(clients["ec-p384"], target, tmp_path) as server:
        server.stop()
        assert "Traceback" not in server.errors


@contextmanager
def awaiting_a_body(client: Client, target: str, folder: Path) -> Iterator[Server]:
    """Run a server that waits for the body of a request for an hour."""
    arguments = ("--world=empty", "--body-timeout=3600", "--set=body_timeout=3600", own(client))
    with started(folder, *arguments) as server, server.connect() as connection:
        connection.sendall(unfinished(server, client, target))
        # The server says so when it begins to wait.
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        yield server


def own(client: Client) -> str:
    """Return the argument that registers a client."""
    return f"--account={client.account}"


def unfinished(server: Server, client: Client, target: str) -> bytes:
    """Return the head of a request that would have a body."""
    more = ["Expect: 100-continue", "Content-Length: 1000"]
    if target == "token":
        return request_bytes("POST", TOKEN, [f"Content-Type: {FORM_HEADERS['content-type']}", *more])
    token = get_token(server, client.client_id, client.key)
    path = trainings_url(server, client.enterprise).removeprefix(server.base)
    return request_bytes("PUT", path, ["Content-Type: application/json", f"Authorization: Bearer {token}", *more])


# The folder of keys


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Start and stop the demo world in a folder, as somebody who protects no file."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "repository").mkdir()
    ready = folder / "ready"
    arguments = ("--port=0", "--ready-file", ready)
    with started(folder / "repository", *arguments, ready=ready, umask=0) as server:
        assert server.stop() == 0
    for name in ("output", "errors"):
        (folder / "repository" / name).unlink()
    return folder / "repository"


def test_git_does_not_see_the_keys(first_start: Path, tmp_path: Path) -> None:
    """The folder of keys ignores itself, so that nobody commits a private key."""
    need("git")
    folder = tmp_path / "repository"
    shutil.copytree(first_start, folder)
    assert list(folder.glob(".fla-mock/*.key"))

    subprocess.run(["git", "init", "--quiet", folder], check=True, env=environment(), timeout=TIMEOUT)
    status = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain", "--untracked-files=all"],
        check=True,
        env=environment(),
        capture_output=True,
        timeout=TIMEOUT,
    )

    assert status.stdout == b""


def test_private_keys_are_read_by_their_owner_alone(first_start: Path) -> None:
    """Whatever the umask, no other user may read a private key."""
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (first_start / ".fla-mock").iterdir()
        if path.suffix in {".key", ".pfx"}
    }

    assert {"employer.key", "employer.pfx", "token-signing.key"} <= set(modes)
    assert {0o600} == set(modes.values())


def test_the_second_start_uses_the_same_keys(first_start: Path, tmp_path: Path) -> None:
    """Keys and certificates are made once: a client that copied them is still known after a restart."""
    keys = tmp_path / "keys"
    shutil.copytree(first_start / ".fla-mock", keys)
    before = key_files(keys)

    with started(tmp_path) as server:
        demo_token(server)

    assert before == key_files(keys)


def key_files(folder: Path) -> dict[str, bytes]:
    """Return what the keys and certificates of a folder hold."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".key", ".cer", ".pfx"}}


def test_demo_json_is_all_that_a_client_needs(first_start: Path, tmp_path: Path) -> None:
    """With the paths and URLs of demo.json, the call that the guide prints works."""
    shutil.copytree(first_start / ".fla-mock", tmp_path / "keys")
    with started(tmp_path) as server:
        demo = server.demo
        account = server.demo_account("employer")
        headers = {"Authorization": f"Bearer {demo_token(server)}", "Content-Type": "application/json"}
        url = f"{demo['employer_url']}/employers/880820673/employees/65111899997/calendarYears/2023/trainings"
        reply = call("PUT", url, json.dumps({"items": [training()]}).encode(), headers)

    assert (200, [training()]) == (reply.status, reply.json["items"])
    assert [Path(account[name]).is_file() for name in ("key", "certificate", "pfx")] == [True] * 3


# Settings: each flag has a variable that acts alike


def values(port: int, folder: Path, client: Client) -> dict[str, str]:
    """Return a value for each setting that can be seen to act on one server."""
    return {
        "host": "0.0.0.0",
        "port": str(port),
        "account": client.account,
        "allowed_host": "mock.example",
        "environment": "production",
        "policy": "strict",
        "set": "access_token_lifetime=77",
        "keys": str(folder / "my keys"),
        "ready_file": str(folder / "my ready file"),
        "log_level": "debug",
        "employer_path": "/employers/v1",
        "training_provider_path": "/trainers/v1",
        "training_provider_scope": "scope:of:trainers",
        "max_body_bytes": "2048",
        "body_timeout": "0.25",
        "store": f"sqlite:///{folder / 'my store.db'}",
        "workers": "2",
        "admin_token": "not a secret at all",
        "demo_json": str(folder / "my demo.json"),
        "journal_size": "3",
        "journal_body_bytes": "5",
    }


@dataclass
class Told:
    """A server that was told its settings, and the client it knows."""

    server: Server
    client: Client

    @property
    def demo(self) -> Any:
        """What the server wrote of its demo world."""
        return json.loads((self.server.folder / "my demo.json").read_text("utf-8"))

    def control(self, path: str) -> Reply:
        """Ask the control API, with the admin token."""
        headers = {"Authorization": "Bearer not a secret at all"}
        return call("GET", f"{self.server.base}/_mock/worlds/default{path}", headers=headers)

    def token(self, **more: Any) -> Any:
        """Get a token; return the whole answer."""
        audience = more.pop("audience", self.server.token_url)
        text = assertion(self.client.client_id, self.client.key, audience, **more)
        via = self.server.base if audience.startswith("http://") else ""
        url = audience if via else self.server.token_url
        return call("POST", url, token_form(text), FORM_HEADERS, via=via).json

    def put(self, *headers: str) -> socket.socket:
        """Begin to send trainings, with these headers about the body."""
        path = f"/employers/v1/employers/{self.client.enterprise}/employees/65111899997/calendarYears/2023/trainings"
        lines = ["Content-Type: application/json", f"Authorization: Bearer {self.token()['access_token']}", *headers]
        connection = self.server.connect()
        connection.sendall(request_bytes("PUT", path, lines))
        return connection


@pytest.fixture(scope="module", params=["flags", "variables"])
def told(
    request: pytest.FixtureRequest,
    first_start: Path,
    clients: Mapping[str, Client],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    """Run a server of the demo world that was told everything, by flags or by variables."""
    folder = tmp_path_factory.mktemp("told")
    shutil.copytree(first_start / ".fla-mock", folder / "my keys")
    client = clients["ec-p384"]
    given = values(0, folder, client)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    variables = {f"FLA_MOCK_{name.upper()}": value for name, value in given.items()}
    ready = Path(given["ready_file"])
    started_so = (
        started(folder, *flags, ready=ready)
        if request.param == "flags"
        else started(folder, variables=variables, ready=ready)
    )
    with started_so as server:
        yield Told(server, client)


def test_host_and_port_are_settings(told: Told) -> None:
    """An address that stands for all of the machine's is called localhost."""
    assert re.fullmatch(r"http://localhost:[1-9][0-9]*", told.server.base)


def test_the_account_is_a_setting(told: Told) -> None:
    """The account of one's own gets a token."""
    assert "access_token" in told.token()


def test_the_allowed_host_is_a_setting(told: Told) -> None:
    """The URL under that name is an audience for who calls it, and under another name it is not."""
    port = told.server.address[1]
    assert "access_token" in told.token(audience=f"http://mock.example:{port}{TOKEN}")
    assert told.token(audience=f"http://other.example:{port}{TOKEN}")["error"] == "invalid_client"


def test_the_environment_is_a_setting(told: Told) -> None:
    """The token URL of that environment is an audience."""
    assert "access_token" in told.token(audience="https://services.socialsecurity.be/REST/oauth/v5/token")
    acceptance = told.token(audience="https://services-acpt.socialsecurity.be/REST/oauth/v5/token")
    assert acceptance["error"] == "invalid_client"


def test_the_policy_is_a_setting(told: Told) -> None:
    """Strict takes no list of audiences, though there is but one in it."""
    assert told.token(aud=[told.server.token_url])["error"] == "invalid_client"


def test_a_change_of_the_policy_is_a_setting(told: Told) -> None:
    """Tokens live as long as was said."""
    assert told.token()["expires_in"] == 77


def test_the_folder_of_keys_and_the_place_of_demo_json_are_settings(told: Told) -> None:
    """The demo.json of this server is where it was wanted, and names keys in the folder."""
    assert all(Path(account["key"]).parent == told.server.folder / "my keys" for account in told.demo["accounts"])
    assert told.server.base == told.demo["mock_url"]


def test_the_log_level_is_a_setting(told: Told) -> None:
    """At level debug, accepted requests are told too."""
    told.token()
    assert f" 200 token from {told.client.client_id}\n" in told.server.errors


def test_the_paths_and_the_scope_are_settings(told: Told) -> None:
    """demo.json tells the base paths and the scope of the training providers."""
    demo = told.demo
    assert f"{told.server.base}/employers/v1" == demo["employer_url"]
    assert f"{told.server.base}/trainers/v1" == demo["training_provider_url"]
    scopes = {scope for account in demo["accounts"] for scope in account["scopes"]}
    assert "scope:of:trainers" in scopes


def test_the_size_of_a_body_is_a_setting(told: Told) -> None:
    """A body of one byte more is refused, with the limit."""
    with told.put("Content-Length: 2049") as connection:
        reply = read_reply(connection)
    assert (reply.status, reply.json["limit"]) == (413, 2048)


def test_the_wait_for_a_body_is_a_setting(told: Told) -> None:
    """A body that does not come is refused, with the time that it had."""
    with told.put("Content-Length: 2000") as connection:
        reply = read_reply(connection)
    assert reply.status == 408
    assert "0.25 seconds" in reply.json["detail"]


@pytest.mark.parametrize("by", ["flags", "variables"])
def test_world_public_url_and_log_level_are_settings(by: str, tmp_path: Path) -> None:
    """The banner and the ready file tell of the world and the URL, and at level warning there is no banner."""
    given = {"world": "empty", "public-url": "https://mock.example/below"}
    for level, banner in (("warning", ""), ("info", "fla-mock serves https://mock.example/below  (world empty,")):
        settings = given | {"log-level": level}
        variables = {f"FLA_MOCK_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
        flags = [f"--{name}={value}" for name, value in settings.items()]
        told_so = started(tmp_path, *flags) if by == "flags" else started(tmp_path, variables=variables)
        with told_so as server:
            assert server.base == "https://mock.example/below"
            assert server.stop() == 0
        assert banner == server.output[: len(banner) or None]


def test_the_port_is_a_setting_and_a_flag_goes_before_its_variable(tmp_path: Path) -> None:
    """A taken port in the variable is an error; with a free one as a flag it is not looked at."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        finished = run("serve", "--world=empty", folder=tmp_path, FLA_MOCK_PORT=taken)
        assert (finished.returncode, f"port {taken}: " in finished.stderr) == (2, True)

        with started(tmp_path, "--world=empty", variables={"FLA_MOCK_PORT": taken}) as server:
            assert server.is_up()


def test_the_store_and_the_number_of_workers_are_settings(told: Told) -> None:
    """State is in the file, and more than one process serves it."""
    assert (told.server.folder / "my store.db").read_bytes().startswith(b"SQLite format 3")
    children = Path(f"/proc/{told.server.process.pid}/task/{told.server.process.pid}/children")
    assert len(children.read_text("ascii").split()) == 2


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """However it ends, nobody is left who holds the port."""
    with started(tmp_path, "--world=empty", f"--store=sqlite:///{tmp_path / 'store.db'}", "--workers=2") as server:
        pid = server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        watched = [os.pidfd_open(int(child)) for child in children]
        server.process.kill()
        for one in watched:
            assert select.select([one], [], [], TIMEOUT)[0] == [one]
            os.close(one)
        bind(*server.address).close()


def test_the_admin_token_is_a_setting(told: Told) -> None:
    """The control API asks for it."""
    assert call("GET", f"{told.server.base}/_mock").status == 401
    assert told.control("").status == 200


def test_the_size_of_the_journal_is_a_setting(told: Told) -> None:
    """It keeps three exchanges, and five bytes of each body."""
    for _ in range(4):
        told.token()
    listed = told.control("/exchanges?full=true&operation=token").json
    assert (0 < len(listed["items"]) <= 3, listed["dropped"] > 0) == (True, True)
    assert {(len(item["request"]["body"]), item["request"]["body_truncated"]) for item in listed["items"]} == {
        (5, True)
    }


@pytest.mark.parametrize("by", ["flags", "variables"])
@pytest.mark.parametrize("name", ["tls", "tls_untrusted"])
def test_https_is_a_setting(name: str, by: str, tmp_path: Path) -> None:
    """With --tls a client that knows the CA gets an answer, by the platform's name too; with the other none does."""
    flags, variables = (
        ([f"--{name.replace('_', '-')}"], {}) if by == "flags" else ([], {f"FLA_MOCK_{name.upper()}": "1"})
    )
    with started(tmp_path, "--world=empty", *flags, variables=variables) as server:
        context = ssl.create_default_context(
            cafile=str(tmp_path / "keys" / "tls" / "ca.pem") if name == "tls" else None
        )
        for host in ("localhost", "services.socialsecurity.be"):
            with server.connect() as plain:
                if name == "tls":
                    with context.wrap_socket(plain, server_hostname=host) as secured:
                        secured.sendall(request_bytes("GET", "/health", ["Connection: close"], host=host))
                        assert read_reply(secured).status == 200
                else:
                    with pytest.raises(ssl.SSLCertVerificationError):
                        context.wrap_socket(plain, server_hostname=host)
        assert server.base.startswith("https://")


def test_every_setting_is_tried_here(clients: Mapping[str, Client], tmp_path: Path) -> None:
    """A new setting needs a test that its flag and its variable act alike: add it to `values`, or to `GIVEN`."""
    tried = {*values(0, tmp_path, clients["ec-p384"]), *GIVEN, "world", "public_url", "tls", "tls_untrusted"}
    assert set(Settings.model_fields) == tried


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("--policy=loose", "--policy"),
        ("FLA_MOCK_POLICY=loose", "FLA_MOCK_POLICY"),
        ("--set=max_lifetime=long", "max_lifetime"),
        ("FLA_MOCK_SET=no_such=1", "FLA_MOCK_SET"),
        ("--account=client_id=a,capacity=employer", "enterprise, cert is missing"),
        ("FLA_MOCK_PUBLIC_URL=ftp://mock.example", "FLA_MOCK_PUBLIC_URL"),
        ("--max-body-bytes=12", "--max-body-bytes"),
        ("FLA_MOCK_BODY_TIMEOUT=soon", "FLA_MOCK_BODY_TIMEOUT"),
        ("--port=65536", "--port"),
        ("FLA_MOCK_PORT=none", "FLA_MOCK_PORT"),
        ("--host=no such host", "--host"),
        ("--employer-path=REST/v1", "--employer-path"),
    ],
)
def test_a_bad_setting_is_told_without_a_trace(given: str, named: str, tmp_path: Path) -> None:
    """The exit code is 2, and the message says which setting it is: flag, variable or field of the policy."""
    name, _, value = given.partition("=")
    arguments, variables = ([given], {}) if given.startswith("--") else ([], {name: value})

    finished = run("serve", "--world=empty", *arguments, folder=tmp_path, **variables)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert named in finished.stderr
    assert "Traceback" not in finished.stderr


# The console


def test_the_console_tells_what_a_refused_request_lacked(clients: Mapping[str, Client], tmp_path: Path) -> None:
    """For each refused request there is the requirement, what was expected and what came."""
    client = clients["ec-p384"]
    with started(tmp_path, "--world=empty", own(client)) as server:
        text = assertion(client.client_id, client.key, server.token_url, exp=int(time.time()) + 3600)
        assert call("POST", server.token_url, token_form(text), FORM_HEADERS).status == 400
        assert call("GET", trainings_url(server, client.enterprise)).status == 401
        told = server.errors

    assert f" 400 token from {client.client_id}: invalid_client  [exchange 1]\n" in told
    assert re.search(
        r"\n +OAUTH-EXP-\d: .*\n +expected  at most 600 seconds .*\n +came      .* seconds from now\n", told
    )
    assert re.search(r"401 GET /employers/.*: noAccessToken  .*\n.*\n +expected  Authorization: Bearer", told)
    assert client.enterprise not in told.partition("noAccessToken")[2]


def test_the_console_shows_no_secret(clients: Mapping[str, Client], tmp_path: Path) -> None:
    """Wherever a client puts an assertion, a token or a private key, at level debug no part of it is on the console."""
    client = clients["rsa-2048"]
    secret = client.files.key.read_text(encoding="ascii")
    with started(tmp_path, "--world=empty", "--log-level=debug", own(client)) as server:
        text = assertion(client.client_id, client.key, server.token_url)
        form = token_form(text)
        token = call("POST", server.token_url, form, FORM_HEADERS).json["access_token"]
        for body in (
            form,
            token_form(text[:-4] + "AAAA"),
            token_form(text, scope=text),
            token_form(text, client_id=text),
            token_form(text, client_secret=secret),
            token_form(secret),
            token_form(text + token),
            token_form(assertion(client.client_id, client.key, token)),
            token_form(assertion(token, client.key, server.token_url)),
            token_form(assertion(client.client_id, client.key, server.token_url, jti=[text])),
            token_form(text, grant_type=text, client_assertion_type=secret),
            text.encode(),
            secret.encode(),
        ):
            call("POST", server.token_url, body, FORM_HEADERS)
        call("POST", f"{server.token_url}?client_assertion={text}", form, FORM_HEADERS)
        call("POST", server.token_url, form, FORM_HEADERS | {"Authorization": f"Bearer {text}"})
        call("POST", server.token_url, form, {"Content-Type": text})
        call("POST", server.token_url, form, FORM_HEADERS | {"Content-Encoding": text})
        call("POST", server.token_url, form, FORM_HEADERS | {"Host": text})
        call(token, server.token_url)
        call("GET", f"{server.base}/{token}")
        url = trainings_url(server, "1999000249")
        for target in (url, f"{url}?access_token={token}", trainings_url(server, token), f"{url}/{token}"):
            for authorization in (f"Bearer {token}", f"Bearer {text}", token, f"{token} {token}", f"Bearer {token}x"):
                headers = {"Authorization": authorization, "Content-Type": token}
                call("GET", target, headers=headers)
                call("PUT", target, json.dumps({token: token}).encode(), headers)
        own_url = trainings_url(server, client.enterprise)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for document in ({token: token}, {"items": [training(token, type=token, **{secret: "x"})]}, token):
            call("PUT", own_url, json.dumps(document).encode(), headers)
        assert server.stop() == 0
        console = server.output + server.errors

    assert console.count("came  ") > 50
    for part in (*text.split("."), *token.split("."), *secret.splitlines()[1:-1]):
        # A beginning is half a secret, and a value may be cut where it is shown.
        pieces = [part[start : start + 12] for start in range(0, len(part) - 12, 12)]
        assert [piece for piece in pieces if piece in console] == []
