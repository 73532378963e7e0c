"""A stranger's client works: the examples, as separate programs, against a real server."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_server.certificates.making import KEY_KINDS
from tests.support import Reply
from tests.system.conftest import Client, need
from tests.system.processes import (
    TIMEOUT,
    Server,
    call,
    environment,
    get_token,
    started,
    training,
    trainings_url,
)

FOLDER = Path(__file__).parents[2] / "examples"
PROGRAMS = {
    "shell": ("bash", "openssl", "curl", "sed", "tr"),
    "java": ("java",),
    "node": ("node",),
    "python": (),
}
COMMANDS = {
    "shell": ["bash", str(FOLDER / "shell" / "send-trainings.sh")],
    # The option only makes it start faster.
    "java": ["java", "-XX:TieredStopAtLevel=1", str(FOLDER / "java" / "SendTrainings.java")],
    "node": ["node", str(FOLDER / "node" / "send-trainings.mjs")],
    "python": [sys.executable, str(FOLDER / "python" / "send_trainings.py")],
}
SSIN = "65111899997"
SCOPE = "scope:sigedis:gestion:careerpro-federal-learning-account:employer"

pytestmark = pytest.mark.system
every_example = pytest.mark.parametrize("example", PROGRAMS)

Finished = subprocess.CompletedProcess[str]


def submission(client: Client, year: int, *, employer: str | None = None, size: int = 1) -> dict[str, Any]:
    """Return a submission that nobody made before, with text that a careless program would spoil."""
    days = {"startDate": f"{year}-03-06", "endDate": f"{year}-03-07"}
    items = [
        training('Sécurité à Liège: "}],{\\ 学', externalReference=f"{uuid.uuid4()} {number}", **days)
        for number in range(size)
    ]
    return {"enterpriseNumber": employer or client.enterprise, "ssin": SSIN, "year": year, "body": {"items": items}}


def settings(server: Server, client: Client, **changes: str) -> dict[str, str]:
    """Return the environment of a client, changed; its locale is the least that a container has."""
    return environment(
        **{
            "FLA_TOKEN_URL": server.token_url,
            "FLA_AUDIENCE": server.token_url,
            "FLA_EMPLOYER_URL": server.employer_url,
            "FLA_CLIENT_ID": client.client_id,
            "FLA_KEY_FILE": str(client.files.key),
            "LC_ALL": "C",
        }
        | changes
    )


def send(
    example: str, folder: Path, variables: Mapping[str, str], submissions: Sequence[Mapping[str, Any]]
) -> Finished:
    """Run an example to its end."""
    need(*PROGRAMS[example])
    job = folder / "job.json"
    job.write_text(json.dumps({"version": 1, "submissions": submissions}, ensure_ascii=False), encoding="utf-8")
    arguments: list[str] = []
    if example == "shell":
        for number, one in enumerate(submissions):
            body = folder / f"body-{number}.json"
            body.write_text(json.dumps(one["body"], ensure_ascii=False), encoding="utf-8")
            arguments += [one["enterpriseNumber"], one["ssin"], str(one["year"]), str(body)]
    return subprocess.run(
        [*COMMANDS[example], *arguments],
        cwd=folder,
        env={**variables, "FLA_JOB": str(job)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=TIMEOUT,
    )


def stored(server: Server, client: Client, year: int) -> Reply:
    """Read back what is there."""
    headers = {"Authorization": f"Bearer {get_token(server, client.client_id, client.key)}"}
    return call("GET", trainings_url(server, client.enterprise, SSIN, year), headers=headers)


def tokens_issued(server: Server, client: Client) -> int:
    """Return how many tokens a client got, as the console says."""
    return server.errors.count(f" 200 token from {client.client_id}\n")


def only_line(finished: Finished) -> str:
    """Return the one line that was said on standard error: no stack trace, no warning, no secret."""
    (line,) = finished.stderr.splitlines()
    assert "eyJ" not in finished.stdout + finished.stderr
    return line


@every_example
@pytest.mark.parametrize("kind", KEY_KINDS)
def test_an_example_sends_trainings(
    example: str, kind: str, server: Server, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """With a key of any kind, an example sends all its submissions with one token, and they read back as sent."""
    client = clients[kind]
    job = [submission(client, year) for year in (2023, 2024, 2025)]
    tokens = tokens_issued(server, client)

    finished = send(example, tmp_path, settings(server, client), job)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert "eyJ" not in finished.stdout
    assert tokens + 1 == tokens_issued(server, client)
    for one in job:
        assert one["body"]["items"] == stored(server, client, one["year"]).json["items"]


@every_example
def test_an_example_stops_at_the_first_refusal(
    example: str, server: Server, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """Another's employer is refused with 403: the example says so, exits with 1, and sends nothing more."""
    client = clients["ec-p384"]
    other = clients["ec-p521"].enterprise
    job = [submission(client, 2023), submission(client, 2023, employer=other), submission(client, 2023)]

    finished = send(example, tmp_path, settings(server, client), job)

    assert finished.returncode == 1
    line = only_line(finished)
    assert "refused with 403" in line
    assert "missingPermission" in line
    assert job[0]["body"]["items"] == stored(server, client, 2023).json["items"]


@every_example
def test_an_example_says_that_it_got_no_token(
    example: str, server: Server, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """A client that the token endpoint does not know exits with 1, and says what it was told."""
    client = clients["ec-p384"]

    finished = send(example, tmp_path, settings(server, client, FLA_CLIENT_ID="stranger"), [submission(client, 2024)])

    assert finished.returncode == 1
    line = only_line(finished)
    assert "refused with 400" in line
    assert "invalid_client" in line


@every_example
@pytest.mark.parametrize(("scope", "status"), [(SCOPE, 0), ("scope:not:granted", 1)])
def test_an_example_asks_for_the_scope_it_is_told(
    example: str, scope: str, status: int, server: Server, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """The scope in FLA_SCOPE is asked for: one that is granted works, another is refused."""
    client = clients["ec-p384"]

    finished = send(example, tmp_path, settings(server, client, FLA_SCOPE=scope), [submission(client, 2024)])

    assert status == finished.returncode
    assert not status or "invalid_scope" in only_line(finished)


@every_example
def test_an_example_does_not_take_silence_for_a_refusal(
    example: str, server: Server, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """When nobody listens, the exit code is neither 0 nor 1."""
    client = clients["ec-p384"]
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"

        finished = send(example, tmp_path, settings(server, client, FLA_TOKEN_URL=url), [submission(client, 2025)])

    assert finished.returncode == 2
    assert "cannot go on" in finished.stderr


@every_example
def test_an_example_does_not_use_a_token_that_is_about_to_expire(
    example: str, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """When tokens live for a second, each submission gets a new one."""
    client = clients["ec-p384"]
    arguments = ("--world=empty", "--log-level=debug", "--set=access_token_lifetime=1", f"--account={client.account}")
    with started(tmp_path, *arguments) as server:
        finished = send(
            example, tmp_path, settings(server, client), [submission(client, year) for year in (2023, 2024, 2025)]
        )

        assert finished.returncode == 0, finished.stderr
        assert tokens_issued(server, client) == 3


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the demo world in a copy of the folder, as its README says."""
    folder = tmp_path_factory.mktemp("reader") / "examples"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(".fla-mock"))
    ready = folder / "ready"
    with started(folder, "--port=0", "--log-level=debug", "--ready-file", ready, ready=ready) as running:
        yield running


@every_example
def test_an_example_runs_as_the_readme_says(example: str, reader: Server) -> None:
    """Whoever copies the commands of the README into a terminal gets every submission accepted."""
    need("bash", *PROGRAMS[example])
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    serve, settings_block, *blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    assert ["fla-mock serve\n", len(PROGRAMS)] == [serve, len(blocks)]
    (block,) = (block for block in blocks if f"{example}/" in block)
    variables = environment()
    # The command is called python in a virtual environment, and the tests run in one.
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
    accepted = len(re.findall(" 200 PUT ", reader.errors))

    finished = subprocess.run(
        ["bash", "-euc", (settings_block + block).replace("http://127.0.0.1:8425", reader.base)],
        cwd=reader.folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    submissions = 1 if example == "shell" else 2
    assert submissions == len(re.findall("(?m)^accepted ", finished.stdout))
    assert submissions == len(re.findall(" 200 PUT ", reader.errors)) - accepted


def test_the_upgrade_header_of_java_loses_no_body(
    server: Server, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """Java's own client asks for h2c on plain http, and still the server gets its bodies whole, small and large."""
    client = clients["ec-p384"]
    job = [submission(client, 2025, size=1000)]
    with recorder(server.address) as (token_host, token_requests), recorder(server.address) as (api_host, api_requests):
        variables = settings(
            server,
            client,
            FLA_TOKEN_URL=server.token_url.replace(server.base, token_host),
            FLA_EMPLOYER_URL=server.employer_url.replace(server.base, api_host),
        )

        finished = send("java", tmp_path, variables, job)

    assert (finished.returncode, finished.stderr) == (0, "")
    for method, requests in (("POST", token_requests), ("PUT", api_requests)):
        (request,) = requests
        head, _, body = bytes(request).partition(b"\r\n\r\n")
        assert head.startswith(method.encode())
        assert re.search(rb"(?im)^upgrade: h2c\r?$", head)
        assert re.search(rb"(?im)^http2-settings: ", head)
        assert f"\r\ncontent-length: {len(body)}".encode() in head.lower()
    assert job[0]["body"]["items"] == stored(server, client, 2025).json["items"]


@contextmanager
def recorder(target: tuple[str, int]) -> Iterator[tuple[str, list[bytearray]]]:
    """Pass bytes on between clients and a server; yields its own base URL, and what each connection's client sent."""
    recorded: list[bytearray] = []

    def pump(source: socket.socket, sink: socket.socket, record: bytearray) -> None:
        try:
            while data := source.recv(65536):
                record.extend(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one side is gone, and the other will notice

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(target, TIMEOUT) as server:
            recorded.append(bytearray())
            back = threading.Thread(target=pump, args=(server, client, bytearray()), daemon=True)
            back.start()
            pump(client, server, recorded[-1])
            back.join()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", recorded
        listener.shutdown(socket.SHUT_RDWR)
