"""Contracts of one's own, served by a real process: by flags, variables and a world file, and as the page tells."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.settings import Settings
from mock_server.world.service_entries import ServiceEntry
from tests.support import certificate, key
from tests.system.conftest import need
from tests.system.processes import (
    TIMEOUT,
    Server,
    await_file,
    call,
    demo_token,
    environment,
    get_token,
    run,
    started,
)

PAGE = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXPECTED = re.findall(r"# (\d{3})$", PAGE, re.MULTILINE)
FILES = {text.splitlines()[0].removeprefix("# "): text for language, text in BLOCKS if language in {"yaml", "toml"}}
BEARER = "authorization"


def write_files(folder: Path) -> None:
    """Write the files of the page under the names that they begin with."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")


class Reader:
    """Somebody who follows the page in one folder, with one server at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self._variables = environment(
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            FLA_MOCK_PORT="0",
            FLA_MOCK_READY_FILE=str(folder / "ready"),
        )
        write_files(folder)

    def follow(self, text: str) -> str:
        """Run the commands of a block and return what they print; a server is left running."""
        if text.startswith("fla-mock serve"):
            self._serve(text)
            return ""
        if self._server is not None:
            text = text.replace("http://127.0.0.1:8425", (self.folder / "ready").read_text(encoding="utf-8"))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self._variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _serve(self, text: str) -> None:
        self.stop()
        (self.folder / "ready").unlink(missing_ok=True)
        with (self.folder / "errors").open("wb") as errors:
            self._server = subprocess.Popen(
                ["bash", "-c", f"exec {text}"],
                cwd=self.folder,
                env=self._variables,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        await_file(self.folder / "ready", self._server)

    def stop(self) -> None:
        """End the server that runs."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(TIMEOUT)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Give a reader, and stop what it left running."""
    one = Reader(tmp_path)
    yield one
    one.stop()


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="the page is written for a POSIX shell")
def test_every_command_of_the_page_works(reader: Reader) -> None:
    """From top to bottom; what is shown is what is printed, and each call is answered as the comment behind it says."""
    need("bash", "curl")
    shown = [text for language, text in BLOCKS if language == "text"]

    printed = [reader.follow(text) for language, text in BLOCKS if language == "bash"]

    assert shown == [printed[0]]
    statuses = [line for text in printed[1:] for line in text.split()]
    assert statuses == EXPECTED
    assert len(statuses) == 8


def test_nothing_of_the_page_is_left_out() -> None:
    """Blocks are of kinds that are followed, written or compared."""
    assert {language for language, _ in BLOCKS} == {"bash", "yaml", "toml", "text"}
    assert set(FILES) == {"official.yaml", "care.yaml", "world.toml"}


def test_the_page_tells_of_every_member_of_a_service() -> None:
    """The table has each, in the order in which errors name them."""
    table = PAGE.partition("### In a world file")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)

    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == list(ServiceEntry.model_fields)


def test_the_page_tells_of_every_setting_about_contracts() -> None:
    """Each flag stands there."""
    about = ["contract", "service", "parameter", "unknown_query", "unknown_members", "read_only", "rules"]
    about += ["employer_path", "training_provider_path"]

    assert set(about) <= set(Settings.model_fields)
    assert [name for name in about if f"--{name.replace('_', '-')}" not in PAGE] == []


# The settings of contracts, with a value that can be seen to act.
GIVEN = {
    "contract": "fla-employer=official.yaml",
    "service": "care=care.yaml",
    "parameter": "dossier=enterpriseNumber",
    "unknown_query": "ignore",
    "unknown_members": "refuse",
    "read_only": "ignore",
    "rules": "documented",
    "training_provider_path": "/REST/trainers/v1",
}


@pytest.fixture(scope="module", params=["flags", "variables"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that was told all of them, by flags or by variables."""
    folder = tmp_path_factory.mktemp("told")
    write_files(folder)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in GIVEN.items()]
    variables = {f"FLA_MOCK_{name.upper()}": value for name, value in GIVEN.items()}
    with started(folder, *flags) if request.param == "flags" else started(folder, variables=variables) as server:
        yield server


def send(server: Server, method: str, path: str, body: Any = None, account: str = "employer") -> tuple[int, Any]:
    """Make a call as a demo account; return the status and what was answered."""
    headers: Mapping[str, str] = {BEARER: f"Bearer {demo_token(server, account)}"}
    if body is None:
        reply = call(method, f"{server.base}{path}", None, headers)
    else:
        data = json.dumps(body).encode()
        reply = call(method, f"{server.base}{path}", data, {**headers, "content-type": "application/json"})
    return reply.status, reply.json if reply.body else None


LEAVES = "/REST/care/v1/employers/0880820673/leaves"
TRAININGS = "/REST/invented/v3/werkgevers/0880820673/werknemers/65111899997/jaren/2025/opleidingen"


def test_the_contract_and_the_service_are_settings(told: Server) -> None:
    """Both files are served, and demo.json and the banner tell where."""
    assert send(told, "GET", LEAVES)[0] == 200
    assert send(told, "PUT", TRAININGS, {"items": [{"name": "First aid"}]})[0] == 200
    apis = told.demo["apis"]
    assert apis == {
        "fla-employer": f"{told.base}/REST/invented/v3",
        "fla-training-provider": f"{told.base}/REST/trainers/v1",
        "care": f"{told.base}/REST/care/v1",
    }
    assert [url for url in apis.values() if f" {url}\n" not in told.output] == []


def test_the_parameter_is_a_setting(told: Server) -> None:
    """With it the number in the path decides."""
    statuses = [send(told, "GET", f"/REST/invented/v3/dossiers/{number}")[0] for number in ("0880820673", "1999000447")]
    assert statuses == [200, 403]


def test_what_is_unknown_is_a_setting(told: Server) -> None:
    """A query parameter that nobody knows passes, and a member that nobody knows does not."""
    assert send(told, "GET", f"{LEAVES}?colour=blue")[0] == 200
    status, problem = send(told, "POST", LEAVES, {"from": "2025-03-01", "colour": "blue"})
    assert (status, problem["issues"][0]["name"]) == (400, "colour")


def test_read_only_members_are_a_setting(told: Server) -> None:
    """One that is sent is not looked at."""
    body = {"from": "2025-03-01", "leaveId": "1c8cd5de-5a1c-4d3a-b5b4-0f2e7d1d7f11"}
    assert send(told, "POST", LEAVES, body)[0] == 201


def provided(**more: Any) -> dict[str, Any]:
    """Return a training as a provider sends it."""
    training = {
        "name": "Safety",
        "startDate": "2025-03-01",
        "endDate": "2025-03-01",
        "duration": {"value": 1, "unit": "days"},
        "type": "formal",
        "status": "completed",
        "participants": [{"ssin": "65111899997"}],
    }
    return training | more


def test_the_rules_are_a_setting(told: Server) -> None:
    """A duration beyond belief is refused by an assumed rule; an end before the start by one that is not."""
    number = told.demo_account("training-provider")["enterprise_number"]
    path = f"/REST/trainers/v1/trainingProviders/{number}/trainings/one"

    long = send(told, "PUT", path, provided(duration={"value": 90, "unit": "days"}), "training-provider")
    backwards = send(told, "PUT", path, provided(endDate="2025-02-01"), "training-provider")

    assert (long[0], backwards[0]) == (201, 400)


def test_a_world_file_is_enough(tmp_path: Path) -> None:
    """Contract, permission and scopes stand in it, and a mandate for its service opens the API."""
    write_files(tmp_path)
    (tmp_path / "my.cer").write_bytes(certificate())
    account = (
        '[[accounts]]\nname = "m"\nenterprise = "1999010147"\ncapacity = "social-secretariat"\n'
        'client_id = "mandatary"\npermissions = ["care"]\ncertificates = [{ file = "my.cer" }]\n'
    )
    (tmp_path / "world.toml").write_text(FILES["world.toml"] + account, encoding="utf-8")

    with started(
        tmp_path, "--world", tmp_path / "world.toml", "--store", f"sqlite:///{tmp_path / 'store.db'}"
    ) as server:
        token = get_token(server, "mandatary", key())
        found = [
            call(
                "GET", f"{server.base}/REST/care/v1/employers/{number}/leaves", None, {BEARER: f"Bearer {token}"}
            ).status
            for number in ("1999010048", "1999010246")
        ]
        service = call("GET", f"{server.base}/_mock/services").json["items"][-1]

    assert found == [200, 403]
    assert (service["name"], service["permission"]) == ("care", "Care leave")
    assert service["scopes"] == {"employer": ["care:own"], "social-secretariat": ["care:others"]}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and forks are those of POSIX systems")
def test_a_world_file_is_read_once_by_all_workers(tmp_path: Path) -> None:
    """It may come through a pipe, which gives it to one reader only."""
    write_files(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", 'cat world.toml > "$0"', pipe], cwd=tmp_path):
        options: list[str | Path] = ["--world", pipe, "--workers", "2", "--store", f"sqlite:///{tmp_path / 'store.db'}"]
        with started(tmp_path, *options) as server:
            names = {entry["name"] for entry in call("GET", f"{server.base}/_mock/services").json["items"]}

    assert names == {"fla", "dimona", "care"}


def test_a_state_that_is_imported_brings_no_services(tmp_path: Path) -> None:
    """They are known at start only, and the answer says so."""
    with started(tmp_path, "--world", "empty") as server:
        body = json.dumps({"services": {"care": {"contract": "care.yaml"}}}).encode()
        headers = {"content-type": "application/json"}
        reply = call("PUT", f"{server.base}/_mock/worlds/default/state", body, headers)

    assert reply.status == 400
    assert "services: are given at start only, in a world file or with --service" in reply.body.decode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--contract", "fla-employer"], ["--contract (or FLA_MOCK_CONTRACT)", "expected NAME=FILE"]),
        (["--contract", "a=x", "--contract", "a=y"], ["expected one file for a, came two"]),
        (["--service", "Care=care.yaml"], ["--service (or FLA_MOCK_SERVICE)", "a small letter"]),
        (["--parameter", "dossier=number"], ["expected NAME=WHAT or API:NAME=WHAT", "enterpriseNumber, ssin, year"]),
        (["--unknown-query", "perhaps"], ["--unknown-query (or FLA_MOCK_UNKNOWN_QUERY)", "refuse or ignore"]),
        (["--contract", "care=care.yaml"], ["no API is called care", "--service NAME=care.yaml"]),
        (["--service", "care=care.yaml", "--parameter", "dosier=ssin"], ["--parameter “dosier=ssin”", "“employerId”"]),
        (["--contract", "fla-employer=nowhere.yaml"], ["nowhere.yaml: cannot be read"]),
    ],
)
def test_what_cannot_be_served_is_told_at_start(tmp_path: Path, options: list[str], words: list[str]) -> None:
    """In words, and with exit code 2."""
    write_files(tmp_path)

    done = run("serve", "--port", "0", *options, folder=tmp_path)

    assert done.returncode == 2
    assert [word for word in words if word not in done.stderr] == []
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("world", ["demo", "empty"])
def test_a_command_is_told_the_urls_of_all_apis(tmp_path: Path, world: str) -> None:
    """Those of the FLA by their usual names, and those of services by theirs."""
    write_files(tmp_path)
    script = (
        "import os; print(*(f'{n}={v}' for n, v in os.environ.items() if n.endswith('URL') or 'API' in n), sep='\\n')"
    )
    options = ["--world", world, "--service", "care-leave=care.yaml", "--contract", "fla-employer=official.yaml"]

    done = run("exec", *options, "--", sys.executable, "-c", script, folder=tmp_path, FLA_API_URL_OTHER="stale")

    told = dict(line.split("=", 1) for line in done.stdout.split())
    base = told["FLA_MOCK_URL"]
    assert told["FLA_EMPLOYER_URL"] == f"{base}/REST/invented/v3"
    assert told["FLA_TRAINING_PROVIDER_URL"].startswith(f"{base}/REST/")
    assert told["FLA_API_URL_CARE_LEAVE"] == f"{base}/REST/care-leave/v1"
    assert "FLA_API_URL_OTHER" not in told
