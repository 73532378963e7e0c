"""The commands that talk to a server, or do without one."""

import json
from pathlib import Path

import jwt
import pytest

from mock_server import __version__
from mock_server.certificates.loading import load_certificate, load_private_key
from mock_server.cli.explain import PRESETS
from mock_server.oauth.policy import Policy
from tests.cli.conftest import Run
from tests.support import DAY, NOW, TOKEN_URL, assertion


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


MANIFESTS = {
    "missing": (None, "is not there: start the demo world"),
    "broken": ("{", "is not JSON"),
    "of a server that is gone": (
        '{"token_url": "http://127.0.0.1:9/x", "audience": "x", "accounts": [{"name": "employer", "key": "K"}]}',
        "K cannot be used",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_cannot_be_used_is_told(run: Run, tmp_path: Path, name: str) -> None:
    """The message says what to do."""
    text, message = MANIFESTS[name]
    if text is not None:
        (tmp_path / "demo.json").write_text(text, encoding="utf-8")

    result = run("token", "employer", "--keys", tmp_path)

    assert result.exit_code == 2
    assert message in result.stderr


def changed_manifest(keys: Path, folder: Path, **members: str) -> Path:
    """Copy a manifest with some members changed."""
    told = json.loads((keys / "demo.json").read_text(encoding="utf-8"))
    (folder / "demo.json").write_text(json.dumps(told | members), encoding="utf-8")
    return folder


def test_a_server_that_does_not_answer_is_told(run: Run, keys: Path, tmp_path: Path) -> None:
    """Nothing listens on the discard port."""
    folder = changed_manifest(keys, tmp_path, token_url="http://127.0.0.1:9/token")

    result = run("token", "employer", "--keys", folder)

    assert result.exit_code == 2
    assert "nothing answers at http://127.0.0.1:9/token" in result.stderr


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


def test_an_assertion_is_read_from_standard_input(run: Run, keys: Path, moment: float) -> None:
    """What should not stand in the shell's history is piped in."""
    text = own_assertion(keys, moment)

    assert run("explain-assertion", "-", "--keys", keys, "--at", moment, input=f"{text}\n").exit_code == 0


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
