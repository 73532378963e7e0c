"""The commands that talk to a server, or do without one."""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
from typer.testing import CliRunner

from mock_server import __version__
from mock_server.certificates.loading import load_certificate, load_private_key
from mock_server.cli import app
from mock_server.cli.explain import PRESETS
from mock_server.oauth.policy import Policy
from tests.cli.conftest import Run
from tests.support import DAY, NOW, TOKEN_URL, assertion
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
    "an unknown policy": (
        ["--policy", "loose"],
        "FLA_MOCK_POLICY): expected documented, lenient or strict; found “loose”",
    ),
    "an unknown field": (["--set", "speed=1"], "--set (or FLA_MOCK_SET): expected NAME=VALUE, where NAME is one of"),
    "no value": (["--set", "max_lifetime"], "expected NAME=VALUE"),
    "a bad value": (
        ["--set", "max_lifetime=0"],
        "FLA_MOCK_SET): max_lifetime: expected a whole number above 0; found 0",
    ),
    "a field that is no number": (
        ["--set", "max_lifetime=x"],
        "max_lifetime: expected a whole number above 0; found “x”",
    ),
    "too small a number": (["--max-body-bytes", "5"], "expected a whole number of at least 1024; found 5"),
    "too large a number": (["--journal-size", "9999999"], "expected a whole number from 1 to 1000000; found"),
    "no time at all": (["--body-timeout", "0"], "expected a number above 0; found 0.0"),
    "a scope that is none": (["--training-provider-scope", "a b"], "expected a scope: printable ASCII without blanks"),
    "a list that is none": (["--set", "[x"], "expected NAME=VALUE"),
    "a token that is too short": (
        ["--admin-token", "a-secret"],
        "FLA_MOCK_ADMIN_TOKEN): expected at least 16 characters\n",
    ),
    "an unknown environment": (
        ["--environment", "moon"],
        "ENVIRONMENT): expected acceptance, production or simulation",
    ),
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
    assert "a-secret" not in result.output


BAD_VARIABLES = {
    "PORT": ("many", "expected a whole number from 0 to 65535; found “many”"),
    "TLS": ("maybe", "expected true or false; found “maybe”"),
    "BODY_TIMEOUT": ("long", "expected a number above 0; found “long”"),
    "SET": ("[x", "expected texts with blanks between them, or a JSON list of texts"),
    "ADMIN_TOKEN": ("a-secret", "expected at least 16 characters"),
}


@pytest.mark.parametrize("name", BAD_VARIABLES)
def test_a_variable_that_cannot_be_used_is_told(run: Run, tmp_path: Path, name: str) -> None:
    """The message says what was expected and what came, but nothing of a secret."""
    value, message = BAD_VARIABLES[name]

    result = run("serve", env={f"FLA_MOCK_{name}": value, "FLA_MOCK_KEYS": str(tmp_path)})

    assert result.exit_code == 2
    assert f"(or FLA_MOCK_{name}): {message}" in result.stderr
    assert "a-secret" not in result.output


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
