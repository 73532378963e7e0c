"""What `fla-mock serve` says when it is up: the next command that it names works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.processes import TIMEOUT, environment, run, started


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of keys that the servers share, which makes them once."""
    return tmp_path_factory.mktemp("banner") / "keys of ours"


def in_a_shell(lines: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what the banner says, in a terminal of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-ec", "\n".join(lines)],
        cwd=folder,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


NEXT: dict[str, tuple[list[str], list[str]]] = {
    "demo": ([], ["fla-mock token employer --keys '{keys}'"]),
    "demo, https": (
        ["--tls"],
        [
            "export FLA_MOCK_URL={url}",
            "export FLA_CA_FILE='{keys}/tls/ca.pem'",
            "fla-mock token employer --keys '{keys}'",
        ],
    ),
    "demo.json elsewhere": (
        ["--demo-json", "here.json"],
        ["FLA_DEMO_JSON={folder}/here.json fla-mock token employer"],
    ),
    "a world": (["--world", "empty"], ["fla-mock exchanges --url {url}"]),
    "a world, https": (
        ["--world", "empty", "--tls"],
        ["export FLA_MOCK_URL={url}", "export FLA_CA_FILE='{keys}/tls/ca.pem'", "fla-mock exchanges"],
    ),
}


@pytest.mark.parametrize("name", NEXT)
def test_what_is_to_be_tried_next_works(tmp_path: Path, keys: Path, name: str) -> None:
    """The lines can be pasted into another terminal."""
    options, expected = NEXT[name]
    with started(tmp_path, "--keys", keys, *options) as server:
        lines = [line.format(keys=keys, url=server.base, folder=tmp_path) for line in expected]
        done = in_a_shell(lines, tmp_path)
        server.stop()

        assert server.output.endswith("Try next, in another terminal:\n" + "".join(f"  {line}\n" for line in lines))
    assert done.returncode == 0, done.stderr


def test_a_certificate_that_no_ca_signed_has_no_ca_to_name(tmp_path: Path, keys: Path) -> None:
    """Neither the banner nor the commands lead to a file that is not there."""
    with started(tmp_path, "--keys", keys, "--tls-untrusted") as server:
        asked = run("clock", "show", "--url", server.base, folder=tmp_path)
        token = run("token", "employer", "--keys", keys, folder=tmp_path)
        server.stop()

        assert server.output.endswith(f"another terminal:\n  curl --insecure {server.base}/health\n")
        assert "CA" not in server.output.replace("CATION", "")
    for result in (asked, token):
        assert result.returncode == 2
        assert "no CA signed its certificate, as with --tls-untrusted" in result.stderr
        assert "FLA_CA_FILE" not in result.stderr


def test_without_the_control_api_no_command_that_needs_it_is_named(tmp_path: Path, keys: Path) -> None:
    """It is switched off where others can reach the server and there is no admin token."""
    with started(tmp_path, "--keys", keys, "--host", "0.0.0.0", "--world", "empty") as server:
        server.stop()

        assert server.output.endswith(f"another terminal:\n  curl {server.base}/health\n")


def many(folder: Path, count: int) -> Path:
    """Write a contract of so many operations; the first has a parameter whose name says nothing."""
    answer = {"200": {"description": "Done."}}
    boss = [{"name": "boss", "in": "path", "required": True, "schema": {"type": "string"}}]
    paths = {f"/things{number}": {"get": {"responses": answer}} for number in range(count - 1)}
    first = {"/leaves/{boss}": {"get": {"parameters": boss, "responses": answer}}}
    path = folder / "many of them.json"
    document = {"openapi": "3.0.3", "info": {"title": "Many"}, "paths": first | paths}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_each_route_is_told_with_what_guards_it(tmp_path: Path, keys: Path) -> None:
    """Of our own contracts and of those that were given, with their scopes and their files."""
    file = many(tmp_path, 2)
    with started(
        tmp_path, "--keys", keys, "--service", f"care={file}", "--parameter", "boss=enterpriseNumber"
    ) as server:
        server.stop()

        lines = server.output.splitlines()
    where = "employees/{ssin}/calendarYears/{year}/trainings"
    route = next(line for line in lines if line.startswith("PUT /employers/"))
    assert [cell.strip() for cell in route.split("  ") if cell.strip()] == [
        f"PUT /employers/{{enterpriseNumber}}/{where}",
        "own number or mandate: enterpriseNumber",
        "ssin",
        "year",
        "replaces",
    ]
    start = lines.index(f"care: Many, from {file}")
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[start : start + 5]]
    assert rows[1:] == [
        ["scope: scope:care"],
        ["operation", "guarded by", "kept"],
        ["GET /leaves/{boss}", "own number or mandate: boss", "answers with an example"],
        ["GET /things0", "any token with the scope", "answers with an example"],
    ]


def test_of_many_routes_the_first_are_told(tmp_path: Path, keys: Path) -> None:
    """And a command that works tells of all, with what was said of the parameters."""
    file = many(tmp_path, 45)
    with started(
        tmp_path, "--keys", keys, "--service", f"care={file}", "--parameter", "boss=enterpriseNumber"
    ) as server:
        server.stop()

        more = [line for line in server.output.splitlines() if line.startswith("… ")]
    assert server.output.count("GET /things") == 39
    assert more == [f"… and 5 more: fla-mock contract '{file}' --parameter=boss=enterpriseNumber"]
    done = in_a_shell([more[0].partition(": ")[2]], tmp_path)
    assert (done.returncode, done.stdout.count("\nGET /")) == (0, 45)
    assert "own number or mandate: boss" in done.stdout
