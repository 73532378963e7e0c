"""What all commands share that ask a running mock: how they ask, what they print, and their exit codes."""

import json
import socket
import ssl
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from mock_server.cli import inputs, remote
from mock_server.identifiers import Capacity
from mock_server.tls import DEFAULT_NAMES, server_identity
from tests.cli.conftest import Run
from tests.cli.fakes import CLOCK, PROBLEM, Fake, serving


def test_what_people_read_and_what_scripts_read(run: Run, fake: Fake) -> None:
    """The same answer is printed as labelled lines, or with --json as the JSON that it is."""
    fake.will(CLOCK)
    fake.will(CLOCK)

    people, script = run("clock", "show"), run("clock", "show", "--json")

    assert [people.exit_code, script.exit_code] == [0, 0], people.output
    assert "quarter      2026Q4\n" in people.stdout
    assert json.loads(script.stdout) == CLOCK


def test_json_is_printed_whole_and_cannot_steer_a_terminal(run: Run, fake: Fake) -> None:
    """Characters without a shape are written as JSON's escapes: the value is the same, letters stay readable."""
    value = {"é": "…", "nested": [{"a": "\x1b[2J\u202e\x7f\U000e0041\ud800 \u00a0\n"}], "big": 2**70}
    fake.will(value)

    printed = run("clock", "show", "--json").stdout

    assert json.loads(printed) == value
    assert "é" in printed
    assert all(c == "\n" or c.isprintable() for c in printed)


def test_what_people_read_cannot_steer_a_terminal(run: Run, fake: Fake) -> None:
    """Control and direction characters of an answer are escaped, and nothing in it is taken for markup."""
    fake.will(CLOCK | {"now": "\x1b]0;x\x07\r\n[bold]:smile:\u202e", "mode": "m\x9b"})

    printed = run("clock", "show").stdout

    assert "\\x1b]0;x\\x07\\r\\n[bold]:smile:\\u202e" in printed
    assert "m\\x9b" in printed
    assert all(c == "\n" or c.isprintable() for c in printed)


def test_a_refusal_is_exit_code_1_with_the_reason(run: Run, fake: Fake) -> None:
    """The problem's detail and its issues go to standard error, a sentence a line; standard output stays empty."""
    issue = {"in": "body", "name": "now", "detail": "It is a moment\x1b", "value": "x\x1b"}
    fake.will_refuse(409, "It goes\nforward only", issues=[issue, {"detail": "else"}, {"in": "body", "name": "odd"}])

    result = run("clock", "set", "2020Q1", "--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "fla-mock: refused with 409: It goes\n"
        "  forward only\n"
        '  WHEN: It is a moment\\x1b (found "x\\u001b")\n'
        "  else\n"
        "  odd: is wrong\n"
    )


def test_many_sentences_are_told_in_part(run: Run, fake: Fake) -> None:
    """The first ten, and how many more there are."""
    issues = [{"in": "body", "name": "", "detail": f"sentence {number}"} for number in range(14)]
    fake.will_refuse(400, "The state cannot be used: sentence 0. There are 13 more issues.", issues=issues)

    lines = run("clock", "show").stderr.splitlines()

    # The detail says the first already.
    assert lines[1:] == [*(f"  sentence {number}" for number in range(1, 11)), "  and 3 more"]


WRONG = {
    "one": (
        [{"in": "body", "name": "every", "detail": "expected at least 1; found 0"}],
        "fla-mock: refused with 400: --every: expected at least 1; found 0\n",
    ),
    "two": (
        [
            {"in": "body", "name": "client_id", "detail": "no"},
            {"in": "path", "name": "world", "detail": "unknown"},
        ],
        "fla-mock: refused with 400: 2 things are wrong:\n  --client-id: no\n  --world: unknown\n",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_told_by_its_option(run: Run, fake: Fake, name: str) -> None:
    """Nobody who gave an option looks for a member of a body, or for an OpenAPI document."""
    issues, told = WRONG[name]
    detail = "Wrong input, x in the body: no. What is expected is in the OpenAPI document that GET /_mock names."
    fake.will_refuse(400, detail, issues=issues)

    result = run("fault", "add", "any", "status=500")

    assert result.exit_code == 1
    assert result.stderr.startswith(told)
    assert "OpenAPI" not in result.stderr


def test_a_member_within_a_member_is_told_by_its_option(run: Run, fake: Fake) -> None:
    """The clock of a new world is given by --offset and --now; the second --permission by that."""
    fake.will_refuse(400, "No.", issues=[{"in": "body", "name": "clock.offset", "detail": "too far"}])
    fake.will_refuse(400, "No.", issues=[{"in": "body", "name": "permissions[1]", "detail": "unknown"}])

    world = run("world", "create", "--offset", "1")
    account = run("account", "create", "a", "--enterprise", "1999010048", "--capacity", "employer")

    fake.will_refuse(400, "No.", issues=[{"in": "path", "name": "number", "detail": "too long"}])
    enterprise = run("account", "create", "a", "--enterprise", "1", "--capacity", "employer")

    assert "  --offset: too far\n" in world.stderr
    assert "  --enterprise: too long\n" in enterprise.stderr
    assert "  --permission: unknown\n" in account.stderr


def test_a_refusal_may_have_a_title_only(run: Run, fake: Fake) -> None:
    """A problem need not have a detail (RFC 9457)."""
    fake.will({"title": "Not Found"}, 404, PROBLEM)

    assert run("clock", "show").stderr == "fla-mock: refused with 404: Not Found\n"


@pytest.mark.parametrize(("token", "told"), [(None, "None was given"), ("wrong", "The one that was given is not it")])
def test_a_mock_that_wants_an_admin_token_is_told(run: Run, fake: Fake, token: str | None, told: str) -> None:
    """The message names the variable, and never shows a token."""
    fake.will_refuse(401, "An admin token is wanted")

    result = run("clock", "show", *(["--admin-token", token] if token else []))

    assert result.exit_code == 1
    assert f"{told}: set FLA_MOCK_ADMIN_TOKEN" in result.stderr
    assert "wrong" not in result.output


def test_the_admin_token_is_sent_and_not_printed(run: Run, fake: Fake) -> None:
    """It comes from the variable, and travels in the Authorization header."""
    fake.will(CLOCK)
    variables = {"FLA_MOCK_ADMIN_TOKEN": "a-secret"}

    result = run("clock", "show", env=variables)
    help_text = run("clock", "show", "--help", env=variables)

    assert fake.asked[0].headers["Authorization"] == "Bearer a-secret"
    assert "a-secret" not in result.output + help_text.output


def test_without_an_admin_token_none_is_sent(run: Run, fake: Fake) -> None:
    """A mock on this machine's own address needs none."""
    fake.will(CLOCK)
    run("clock", "show")

    assert "Authorization" not in fake.asked[0].headers


def test_an_admin_token_that_cannot_be_sent_is_told_unseen(run: Run, fake: Fake) -> None:
    """A line end in it is a mistake of the shell's; the message does not repeat the token."""
    result = run("clock", "show", "--admin-token", "a-secret\n")

    assert (result.exit_code, fake.asked) == (2, [])
    assert "--admin-token" in result.stderr
    assert "a-secret" not in result.output


def test_a_fault_of_the_mock_is_exit_code_2(run: Run, fake: Fake) -> None:
    """5xx is no refusal: it could not be done."""
    fake.will_refuse(503, "The store is gone")

    result = run("clock", "show")

    assert result.exit_code == 2
    assert "the mock failed with 503: The store is gone" in result.stderr


STRANGERS: dict[str, tuple[object, int, str, str]] = {
    "a page": (b"<html>", 200, "text/html", "answered 200 with something that is not JSON"),
    "a page that is not there": (b"<html>", 404, "text/html", "answered 404 with something that is not JSON"),
    "JSON without end": (b"[" * 200_000, 200, "application/json", "answered 200 with something that is not JSON"),
    "an error of its own": ({"error": "x"}, 404, "application/json", "answered 404 with JSON that is not a problem"),
    "an error that is a list": ([1], 400, "application/json", "answered 400 with JSON that is not a problem"),
    "a redirection": ({}, 302, "application/json", "answered 302 with a redirection"),
    "nothing": (b"", 500, "text/plain", "answered 500 with no body"),
    "other JSON": ({"now": 1}, 200, "application/json", "is not what this command understands (KeyError: "),
    "a list": ([1], 200, "application/json", "is not what this command understands"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_another_server_is_told_from_a_mock(run: Run, fake: Fake, name: str) -> None:
    """The exit code is 2, and the message asks whether a mock listens there."""
    body, status, media_type, message = STRANGERS[name]
    fake.will(body, status, media_type)

    result = run("clock", "show")

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "is it a fla-mock" in result.stderr


def test_nobody_answers(run: Run) -> None:
    """Nothing listens on the discard port: the exit code is 2, and the message says how to start a mock."""
    result = run("clock", "show", "--url", "http://127.0.0.1:9")

    assert result.exit_code == 2
    assert "nothing answers at http://127.0.0.1:9: start the mock with “fla-mock serve”" in result.stderr


def test_a_server_that_says_nothing_is_not_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time the command gives up."""
    monkeypatch.setattr(remote, "_TIMEOUT", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run("clock", "show", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert result.exit_code == 2
    assert "timed out" in result.stderr


def test_a_broken_answer_is_told(run: Run, fake: Fake) -> None:
    """An answer that ends early is none."""
    fake.will(CLOCK, Content_Length="5000")

    result = run("clock", "show")

    assert result.exit_code == 2
    assert "no answer from" in result.stderr


def test_an_answer_is_read_up_to_a_bound(run: Run, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends is not kept."""
    monkeypatch.setattr(remote, "_MAX_ANSWER", 10)
    fake.will(CLOCK)

    result = run("clock", "show")

    assert result.exit_code == 2
    assert "more than 10 bytes" in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mock",
        "ftp://mock",
        "http://",
        "http://mock:99999",
        "http://[",
        "http://m?q",
        "http://m#f",
        "http://m/é",
        "http://m:0",
    ],
)
def test_a_url_that_is_none_is_told(run: Run, url: str) -> None:
    """The message shows what one looks like."""
    result = run("clock", "show", "--url", url)

    assert result.exit_code == 2
    assert "expected a URL like http://127.0.0.1:8425, found" in result.stderr


def test_a_url_with_a_password_is_refused_without_showing_it(run: Run) -> None:
    """What stands before the @ is not repeated."""
    result = run("clock", "show", "--url", "http://me:a-secret@mock")

    assert result.exit_code == 2
    assert "a-secret" not in result.output


def test_a_name_that_leads_nowhere_is_told(run: Run) -> None:
    """A host name that no resolver would take ends the command with 2."""
    result = run("clock", "show", "--url", f"http://{'a' * 80}.invalid")

    assert result.exit_code == 2
    assert "no answer from" in result.stderr


def test_the_mock_may_be_below_a_path(run: Run, fake: Fake) -> None:
    """Behind a proxy, the mock's own URL may have a path; the slash at its end does not matter."""
    fake.will(CLOCK)
    run("clock", "show", "--url", f"{fake.url}/below/")

    assert fake.asked[0].target == "/below/_mock/worlds/default/clock"


def test_the_world_is_named_by_option_or_variable(run: Run, fake: Fake) -> None:
    """FLA_WORLD names the world, and --world goes before it."""
    fake.will(CLOCK)
    fake.will(CLOCK)
    run("clock", "show", env={"FLA_WORLD": "one"})
    run("clock", "show", "--world", "two", env={"FLA_WORLD": "one"})

    assert [asked.path for asked in fake.asked] == ["/_mock/worlds/one/clock", "/_mock/worlds/two/clock"]


@pytest.mark.parametrize(
    ("client_id", "segment"),
    [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("a?b#c%2F", "a%3Fb%23c%252F"), ("a.b~c", "a.b~c")],
)
def test_a_client_id_is_one_segment_of_the_path(run: Run, fake: Fake, client_id: str, segment: str) -> None:
    """Any printable ASCII may stand in a client id, and none of it leads elsewhere."""
    fake.will()
    result = run("account", "delete", client_id, "--json")

    assert result.exit_code == 0, result.output
    assert fake.asked[0].target == f"/_mock/worlds/default/accounts/{segment}"


def test_an_empty_name_asks_nothing(run: Run, fake: Fake) -> None:
    """An unset variable of the shell does not turn a question about one thing into one about all."""
    result = run("world", "delete", "")

    assert (result.exit_code, fake.asked) == (2, [])
    assert "found an empty one" in result.stderr


def test_no_proxy_is_asked(run: Run, fake: Fake) -> None:
    """A proxy of the environment has no business between a command and a local server."""
    fake.will(CLOCK)
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")

    assert run("clock", "show", env=proxies).exit_code == 0


def test_a_list_is_fetched_to_its_end(run: Run, fake: Fake) -> None:
    """Pages are asked for one after the other, and printed as one list."""
    pages = [["1999010048", "1999010147"], ["1999020144"]]
    for numbers in pages:
        items: list[Any] = [
            {"number": number, "name": "N", "capacities": [], "employments": None} for number in numbers
        ]
        fake.will({"items": items, "total": 3})

    told = json.loads(run("enterprise", "list", "--json").stdout)

    assert ([item["number"] for item in told["items"]], told["total"]) == ([*pages[0], *pages[1]], 3)
    assert [asked.query for asked in fake.asked] == [{}, {"after": "1999010147"}]


def test_a_list_that_shrinks_has_an_end(run: Run, fake: Fake) -> None:
    """What was removed while the list was fetched is not waited for."""
    item: dict[str, Any] = {"number": "1999010048", "name": "N", "capacities": [], "employments": None}
    fake.will({"items": [item], "total": 2})
    fake.will({"items": [], "total": 1})

    assert json.loads(run("enterprise", "list", "--json").stdout) == {"items": [item], "total": 1}


def test_a_table_is_not_cut_off(run: Run, fake: Fake) -> None:
    """What goes into a file or a pipe has each row on one line, however long."""
    name = "long name " * 40
    fake.will({"items": [{"number": "1", "name": name, "capacities": ["employer"], "employments": None}], "total": 1})

    lines = run("enterprise", "list", env={"COLUMNS": "80"}).stdout.splitlines()

    assert len(lines) == 2
    assert name in lines[1]


def test_done_without_an_answer_is_an_empty_object_for_scripts(run: Run, fake: Fake) -> None:
    """What reads JSON always gets some; people get a line."""
    fake.will()
    fake.will()

    assert run("fault", "reset", "--json").output == "{}\n"
    assert run("fault", "reset").stdout == "No faults are left.\n"


def test_the_capacities_are_all_offered() -> None:
    """The commands offer the capacities that there are."""
    assert get_args(inputs.Capacity) == tuple(capacity.value for capacity in Capacity)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """Make what a server shows, and the file of its CA."""
    made = server_identity(tmp_path_factory.mktemp("tls"), DEFAULT_NAMES, time.time())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate_file, made.key_file)
    return context, str(made.ca_file)


def test_https_with_the_ca_of_the_mock(run: Run, identity: tuple[ssl.SSLContext, str]) -> None:
    """FLA_CA_FILE names the CA that the mock's certificate comes from."""
    context, ca_file = identity
    with serving(context) as server:
        server.will(CLOCK)
        result = run("clock", "show", "--url", server.url, env={"FLA_CA_FILE": ca_file})

    assert result.exit_code == 0, result.output


def test_https_without_the_ca_says_what_is_missing(run: Run, identity: tuple[ssl.SSLContext, str]) -> None:
    """A certificate that nobody vouches for is refused, and the message names the variable."""
    with serving(identity[0]) as server:
        result = run("clock", "show", "--url", server.url, env={"FLA_CA_FILE": ""})

    assert result.exit_code == 2
    assert "in FLA_CA_FILE" in result.stderr
    assert server.asked == []


def test_a_ca_file_that_cannot_be_used_is_told(run: Run, tmp_path: Path) -> None:
    """The message names the variable and the file."""
    for name in ("missing.pem", "broken.pem"):
        path = tmp_path / name
        if name == "broken.pem":
            path.write_text("x", encoding="ascii")
        result = run("clock", "show", "--url", "https://127.0.0.1:9", env={"FLA_CA_FILE": str(path)})

        assert result.exit_code == 2
        assert f"{path} (FLA_CA_FILE) cannot be used" in result.stderr


def test_http_and_https_are_told_apart(run: Run, fake: Fake) -> None:
    """To call a server by https that speaks http tells what may be wrong with the URL."""
    result = run("clock", "show", "--url", fake.url.replace("http", "https"))

    assert result.exit_code == 2
    assert "the right one of http and https" in result.stderr
