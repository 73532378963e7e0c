"""`fla-mock exec` as a process: what its command is told, how it ends, and that nothing is left of the mock."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.system.processes import TIMEOUT, command, environment, run

# What the commands of these tests do, in Python.
TELL = """
import json, os, sys, urllib.request
told = {name: text for name, text in os.environ.items() if name.startswith("FLA_")}
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
told["health"] = json.load(opener.open(told["FLA_MOCK_URL"] + "/health"))
if "FLA_DEMO_JSON" in told:
    told["demo"] = json.load(open(told["FLA_DEMO_JSON"], encoding="utf-8"))
print(json.dumps(told))
"""
WAIT = """
import os, signal, sys
def stop(number, frame):
    print("got", number, flush=True)
    sys.exit(number + 40)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, stop)
print(os.environ["FLA_MOCK_URL"], os.environ["FLA_DEMO_JSON"], flush=True)
sys.stdin.read()
"""
COUNT = """
import os, signal, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
interrupts = 0
def interrupt(number, frame):
    global interrupts
    interrupts += 1
    print("status", opener.open(os.environ["FLA_MOCK_URL"] + "/health").status, flush=True)
def stop(number, frame):
    print("interrupts", interrupts, flush=True)
    sys.exit(5)
signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True:
    signal.pause()
"""


def python(script: str, *arguments: str) -> list[str]:
    """Return the command line that runs a script."""
    return ["--", sys.executable, "-c", script, *arguments]


def is_gone(url: str) -> bool:
    """Tell whether nothing listens at a URL any more."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT).close()
    except ConnectionRefusedError:
        return True
    return False


@contextmanager
def running(keys: Path, script: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command with a mock, in a session of its own, while the context lasts."""
    process = subprocess.Popen(
        command("exec", "--keys", keys, *options, *python(script)),
        # What a killed process leaves behind is removed with the test.
        env=environment(TMPDIR=str(keys.parent)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests may have been told to ignore it (nohup), and a child inherits that.
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def told(keys: Path, folder: Path, *options: str | Path, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what a command is told about its mock."""
    finished = run("exec", "--keys", keys, *options, *python(TELL), folder=folder, **(variables or {}))
    assert (finished.returncode, finished.stderr) == (0, "")
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def test_a_command_is_told_where_its_mock_is(keys: Path, tmp_path: Path) -> None:
    """All URLs stand in the environment, they are those of demo.json, and the mock answers there."""
    found = told(keys, tmp_path)

    demo = found["demo"]
    for name in ("token_url", "audience", "employer_url", "training_provider_url", "mock_url"):
        assert demo[name] == found[f"FLA_{name.upper()}"]
    assert found["health"] == {"status": "UP"}
    assert "FLA_CA_FILE" not in found


def test_nothing_is_left_of_the_mock(keys: Path, tmp_path: Path) -> None:
    """When the command has ended, the port is free, and its files are gone; the key folder is as it was."""
    before = (keys / "demo.json").read_bytes()
    found = told(keys, tmp_path, variables={"TMPDIR": str(tmp_path)})

    assert is_gone(found["FLA_MOCK_URL"])
    assert list(tmp_path.iterdir()) == []
    assert (keys / "demo.json").read_bytes() == before


def test_settings_of_other_servers_do_not_disturb(keys: Path, tmp_path: Path) -> None:
    """What the caller's environment says of another mock is neither for this one nor for the command."""
    variables = {
        "FLA_MOCK_PORT": "1",
        "FLA_MOCK_HOST": "192.0.2.1",
        "FLA_MOCK_STORE": f"sqlite:///{tmp_path}/store",
        "FLA_MOCK_READY_FILE": str(tmp_path / "ready"),
        "FLA_MOCK_DEMO_JSON": str(tmp_path / "demo.json"),
        "FLA_MOCK_PUBLIC_URL": "https://mock.example.org",
        "FLA_MOCK_TLS": "true",
        "FLA_MOCK_ADMIN_TOKEN": "of-another-mock-0123456789",
        "FLA_MOCK_URL": "http://127.0.0.1:1",
        "FLA_WORLD": "other",
        "FLA_CA_FILE": "other.pem",
        "FLA_CLIENT_ID": "mine",
    }
    found = told(keys, tmp_path, variables=variables)

    assert found["health"] == {"status": "UP"}
    assert found["FLA_MOCK_URL"].startswith("http://127.0.0.1:")
    assert {"FLA_WORLD", "FLA_CA_FILE", "FLA_MOCK_ADMIN_TOKEN"}.isdisjoint(found)
    assert found["FLA_CLIENT_ID"] == "mine"
    assert list(tmp_path.iterdir()) == []


def test_settings_that_are_options_may_come_from_the_environment(keys: Path, tmp_path: Path) -> None:
    """A world in FLA_MOCK_WORLD is --world; the option goes before it."""
    variables = {"FLA_MOCK_WORLD": "none.toml"}

    assert "none.toml" in run("exec", *python(TELL), folder=tmp_path, **variables).stderr
    assert told(keys, tmp_path, "--world", "demo", variables=variables)["health"] == {"status": "UP"}


def test_a_module_of_the_current_folder_takes_no_place_of_ours(keys: Path, tmp_path: Path) -> None:
    """A project may have a folder mock_server of its own."""
    (tmp_path / "mock_server").mkdir()
    (tmp_path / "mock_server" / "__init__.py").write_text("raise SystemExit(9)", encoding="utf-8")

    finished = subprocess.run(
        [sys.executable, "-P", *command("exec", "--keys", keys, *python(TELL))[1:]],
        cwd=tmp_path,
        env=environment(),
        check=False,
        capture_output=True,
        timeout=TIMEOUT,
    )

    assert (finished.returncode, finished.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("script", "status"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)],
    ids=["done", "failed", "killed"],
)
def test_it_ends_as_its_command_ends(keys: Path, tmp_path: Path, script: str, status: int) -> None:
    """The exit code is the command's, or 128 and the number of the signal that killed it."""
    finished = run("exec", "--keys", keys, *python(script), folder=tmp_path)

    assert (finished.returncode, finished.stdout, finished.stderr) == (status, "", "")


NOT_RUN = {
    "not there": ("no-such-command", 127, "no-such-command: no such command"),
    "a folder": ("./folder", 126, "Permission denied"),
    "not executable": ("./text", 126, "Permission denied"),
    "without its interpreter": ("./script", 126, "No such file"),
}


@pytest.mark.parametrize("name", NOT_RUN)
def test_a_command_that_cannot_be_run_is_told_as_by_a_shell(keys: Path, tmp_path: Path, name: str) -> None:
    """127 when it is not found, 126 when it cannot be run."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("x", encoding="ascii")
    (tmp_path / "script").write_text("#!/no/such/interpreter\n", encoding="ascii")
    (tmp_path / "script").chmod(0o755)
    argument, status, message = NOT_RUN[name]

    finished = run("exec", "--keys", keys, "--", argument, folder=tmp_path)

    assert (finished.returncode, finished.stdout) == (status, "")
    assert message in finished.stderr


def test_the_streams_are_the_commands_own(keys: Path, tmp_path: Path) -> None:
    """What comes in goes to the command, and what it prints comes out, each on its own stream."""
    script = "import sys; print(sys.stdin.read().upper(), end=''); print('errors', file=sys.stderr)"
    finished = subprocess.run(
        command("exec", "--keys", keys, *python(script)),
        input="in",
        cwd=tmp_path,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "IN", "errors\n")


@pytest.mark.parametrize("dashes", [["--"], []], ids=["with dashes", "without"])
def test_arguments_of_the_command_are_its_own(keys: Path, tmp_path: Path, dashes: list[str]) -> None:
    """Options after the command are not ours, even those that we have too."""
    arguments = ["--world", "-x", "--", "--help"]
    script = "import sys; print(sys.argv[1:])"

    finished = run("exec", "--keys", keys, *dashes, sys.executable, "-c", script, *arguments, folder=tmp_path)

    assert finished.stdout == f"{arguments}\n"


def test_a_mock_that_does_not_start_is_told(tmp_path: Path) -> None:
    """The exit code is 2, the mock's own message is there, and the command was not run."""
    finished = run("exec", "--world", "none.toml", *python("print('run')"), folder=tmp_path)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert "none.toml: cannot be read" in finished.stderr
    assert "the command was not run" in finished.stderr


def test_without_a_place_for_files_it_is_told(tmp_path: Path) -> None:
    """A folder for temporary files that is none is no fault of ours."""
    script = "import tempfile; tempfile.tempdir = '/no/such'; from mock_server.__main__ import main; main()"
    finished = subprocess.run(
        [sys.executable, "-c", script, "exec", "--", "true"],
        cwd=tmp_path,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )

    assert finished.returncode == 2
    assert "TMPDIR" in finished.stderr


def test_a_command_is_needed(tmp_path: Path) -> None:
    """Without one there is nothing to do."""
    assert run("exec", folder=tmp_path).returncode == 2


def test_the_mock_speaks_when_it_is_asked_to(keys: Path, tmp_path: Path) -> None:
    """Its console goes to standard error, and standard output stays the command's."""
    finished = run("exec", "--keys", keys, "--log-level", "info", *python("print('mine')"), folder=tmp_path)

    assert finished.stdout == "mine\n"
    assert "fla-mock serves http://127.0.0.1:" in finished.stderr


def test_the_banner_of_a_mock_of_its_own_is_true(keys: Path, tmp_path: Path) -> None:
    """It names the demo.json that there is, and nothing to try in another terminal: the mock is the command's."""
    finished = run("exec", "--keys", keys, "--log-level", "info", *python(TELL), folder=tmp_path)

    found = json.loads(finished.stdout)
    assert f"demo.json                {found['FLA_DEMO_JSON']}\n" in finished.stderr
    assert "Try next" not in finished.stderr


@pytest.mark.parametrize("options", [(), ("--tls",)], ids=["http", "https"])
def test_a_token_command_needs_to_be_told_nothing(keys: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    """FLA_DEMO_JSON leads it to this mock, whatever FLA_MOCK_KEYS says of another."""
    finished = run(
        "exec",
        "--keys",
        keys,
        *options,
        "--",
        *command("token", "employer"),
        folder=tmp_path,
        FLA_MOCK_KEYS=str(tmp_path),
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count(".") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on(keys: Path, number: signal.Signals) -> None:
    """The command gets it and decides what comes of it; then the mock is stopped."""
    with running(keys, WAIT) as process:
        assert process.stdout is not None
        url, demo = process.stdout.readline().split()
        process.send_signal(number)
        # Read before the command's input ends with `communicate`, which would end it too.
        got = process.stdout.readline()

        output, errors = process.communicate(timeout=TIMEOUT)

    assert (process.returncode, got, output, errors) == (number + 40, f"got {number:d}\n", "", "")
    assert is_gone(url)
    assert not Path(demo).parent.exists()


def test_a_signal_while_the_mock_starts_ends_it(tmp_path: Path) -> None:
    """The command is not run then, and the mock is not left behind."""
    world = tmp_path / "world.toml"
    os.mkfifo(world)
    # The file opens when the mock opens it: the mock has begun to start then, and waits for what is in it.
    with (
        running(tmp_path / "keys", "print('run')", "--world", str(world)) as process,
        world.open("w", encoding="utf-8"),
    ):
        process.send_signal(signal.SIGTERM)
        # Both streams end when the last process that holds them has ended.
        output, _ = process.communicate(timeout=TIMEOUT)

    assert (process.returncode, output) == (128 + signal.SIGTERM, "")


def test_the_mock_ends_even_when_nobody_can_stop_it(keys: Path) -> None:
    """A SIGKILL leaves no time to stop anything; the mock notices that it was left alone."""
    with running(keys, WAIT) as process:
        assert process.stdout is not None
        url, _ = process.stdout.readline().split()
        process.kill()
        # The command ends with its input; the streams end with the mock, which holds standard error too.
        process.communicate(timeout=TIMEOUT)

    assert process.returncode == -signal.SIGKILL
    assert is_gone(url)


def test_an_interrupt_in_a_terminal_reaches_the_command_once(keys: Path) -> None:
    """Ctrl-C goes to the command from the terminal itself: it is not passed on too, and the mock still answers."""
    # The leader of a session gets the first terminal that it opens for its own.
    launcher = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
    arguments = [sys.executable, "-c", launcher, *command("exec", "--keys", keys, *python(COUNT))]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        arguments, env=environment(), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    with os.fdopen(master, "r+b", buffering=0) as screen, process:
        wait_for(screen, b"ready")
        screen.write(b"\x03")
        wait_for(screen, b"status 200")
        # Comes after the interrupt, if that was passed on as well.
        process.terminate()
        wait_for(screen, b"interrupts 1\r\n")

        assert process.wait(TIMEOUT) == 5


def wait_for(screen: Any, text: bytes) -> None:
    """Read what appears on a terminal up to a text; fails when the other side is gone before."""
    seen = b""
    while text not in seen:
        try:
            part = screen.read(1024)
        except OSError:  # Linux says so when nobody has the terminal any more
            part = b""
        assert part, f"{text!r} did not appear: {seen!r}"
        seen += part


def test_two_at_once_share_a_folder_of_keys(keys: Path) -> None:
    """Each has a mock and a demo.json of its own, and tells its command about that one."""
    with running(keys, TELL) as first, running(keys, TELL) as second:
        found = [json.loads(process.communicate(timeout=TIMEOUT)[0]) for process in (first, second)]

    assert found[0]["FLA_MOCK_URL"] != found[1]["FLA_MOCK_URL"]
    for one in found:
        assert one["demo"]["mock_url"] == one["FLA_MOCK_URL"]


def test_a_world_of_its_own(world_file: Path, tmp_path: Path) -> None:
    """Without the demo world there is no demo.json, and the URLs are told all the same."""
    found = told(tmp_path / "keys", tmp_path, "--world", world_file)

    assert "FLA_DEMO_JSON" not in found
    assert found["FLA_TOKEN_URL"] == found["FLA_AUDIENCE"] == f"{found['FLA_MOCK_URL']}/REST/oauth/v5/token"
    assert found["FLA_EMPLOYER_URL"].startswith(f"{found['FLA_MOCK_URL']}/REST/")


@pytest.mark.parametrize("world", ["demo", "empty"])
def test_https_with_a_ca_that_the_command_can_trust(keys: Path, tmp_path: Path, world: str) -> None:
    """FLA_CA_FILE vouches for the mock, and all URLs begin with https."""
    script = TELL.replace("urllib.request.Proxy", "HTTPS, urllib.request.Proxy").replace(
        "told = {",
        "import ssl\nHTTPS = urllib.request.HTTPSHandler(context=ssl.create_default_context("
        "cafile=os.environ['FLA_CA_FILE']))\ntold = {",
        1,
    )
    finished = run("exec", "--keys", keys, "--tls", "--world", world, *python(script), folder=tmp_path)

    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert found["health"] == {"status": "UP"}
    assert {text.partition(":")[0] for name, text in found.items() if name.endswith("_URL")} == {"https"}


def test_the_policy_is_the_one_that_is_given(keys: Path, tmp_path: Path) -> None:
    """What `serve` can be told is told to this mock too: a command that asks for a token sees it."""
    options = ("--policy", "strict", "--set", "max_lifetime=600", "--set", "access_token_lifetime=77")

    finished = run("exec", "--keys", keys, *options, "--", *command("token", "employer", "--json"), folder=tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["expires_in"] == 77


def test_commands_about_a_mock_find_this_one(keys: Path, tmp_path: Path) -> None:
    """FLA_MOCK_URL leads every other command of ours to the mock."""
    listed = run("exec", "--keys", keys, "--", *command("account", "list", "--json"), folder=tmp_path)

    assert listed.returncode == 0, listed.stderr
    assert "employer" in {account["name"] for account in json.loads(listed.stdout)["items"]}
