"""What is printed on terminals of any width, and in files and pipes."""

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from mock_server.cli import printing
from mock_server.cli.printing import fitted, print_table
from tests.cli.conftest import Run
from tests.cli.fakes import CLOCK, Fake, serving
from tests.cli.test_groups import ACCOUNT, MANDATE, SUMMARY, WORLD
from tests.system.processes import TIMEOUT, command, environment

CLIENT = "self_service_chaman_123456_k3v9x0ab1c"
LISTS: dict[str, tuple[str, list[object], list[str]]] = {
    "accounts": (
        "account list",
        [{"items": [ACCOUNT | {"client_id": CLIENT, "name": "A name that is long " * 3}], "total": 1}],
        [CLIENT, "1999010048"],
    ),
    "mandates": ("mandate list", [{"items": [MANDATE], "total": 1}], ["1999010048", "1999010147", "2025Q1", "active"]),
    "worlds": ("world list", [{"items": [WORLD], "total": 1}], ["test-1", "2026-11-23T18:40:00.000Z"]),
    "exchanges": (
        "exchanges",
        [
            {
                "items": [
                    SUMMARY
                    | {
                        "client_id": CLIENT,
                        "time": "2026-11-22T10:20:30.000Z",
                        "operation": "PUT /employers/{enterpriseNumber}/employees/{ssin}/trainings",
                        "refused_by": "OAUTH-CERT-1",
                    }
                ],
                "total": 1,
                "dropped": 0,
            },
            CLOCK,
        ],
        ["2026-11-22 10:20:30", "PUT …/trainings", "OAUTH-CERT-1"],
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_table_fits_a_terminal_of_80_columns(
    run: Run, fake: Fake, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No line is longer, and ids, numbers and times stand whole on one line."""
    text, answers, whole = LISTS[name]
    monkeypatch.setattr(printing, "terminal_width", lambda: 80)
    for answer in answers:
        fake.will(answer)

    result = run(*text.split(" "))

    assert result.exit_code == 0, result.output
    assert [line for line in result.stdout.splitlines() if cell_len(line) > 80] == []
    assert [part for part in whole if part not in result.stdout] == []


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[int | None], list[str]]:
    """Give a function that prints a table on a terminal of so many columns, or in a pipe, and returns its lines."""

    def lines(width: int | None) -> list[str]:
        monkeypatch.setattr(printing, "terminal_width", lambda: width)
        row = ["1999010048", "many words that are quite a lot of text", "12:00:00", None, "x" * 20]
        print_table(("id", "name", "time", "spare", "more"), [row], "None.", folded=("name",), spare=("more", "spare"))
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return lines


def test_a_wide_terminal_shows_all_on_one_line(table: Callable[[int | None], list[str]]) -> None:
    """Nothing is folded or left out that has room."""
    assert len(table(120)) == 2


def test_a_narrow_terminal_folds_names_first(table: Callable[[int | None], list[str]]) -> None:
    """A column of names breaks between words; the other columns are as they were."""
    lines = table(70)

    assert len(lines) > 2
    assert lines[1].startswith("1999010048  many words")
    assert "xxxxxxxxxxxxxxxxxxxx" in lines[1]
    assert "not shown" not in lines[-1]


def test_a_narrower_terminal_leaves_columns_out_and_says_so(table: Callable[[int | None], list[str]]) -> None:
    """A column without anything in it goes first, and is not missed."""
    lines = table(40)

    assert lines[0].split() == ["id", "name", "time"]
    assert lines[-1] == "(not shown for want of width: more)"


def test_ids_stay_whole_where_there_is_no_room_at_all(table: Callable[[int | None], list[str]]) -> None:
    """The terminal breaks the line then, and what is copied from it is right."""
    assert any("1999010048" in line and "12:00:00" in line for line in table(10))


def test_a_pipe_gets_everything_on_one_line(table: Callable[[int | None], list[str]]) -> None:
    """Without boxes, without a remark."""
    head, row = table(None)

    assert head.split() == ["id", "name", "time", "spare", "more"]
    assert "many words that are quite a lot of text  12:00:00" in row


def test_columns_of_texts_share_what_is_left() -> None:
    """One that needs little leaves more to the other."""
    assert fitted({"id": 10, "a": 5, "b": 90}, ("a", "b"), (), 50) == {"id": 10, "a": 5, "b": 31}
    assert fitted({"id": 10, "a": 60, "b": 90}, ("a", "b"), (), 54) == {"id": 10, "a": 20, "b": 20}


def test_the_policy_in_a_pipe_is_not_wrapped(run: Run) -> None:
    """Each field is one line."""
    lines = run("policy", env={"COLUMNS": "80"}).stdout.splitlines()

    assert {line.split()[0] for line in lines[1:]} >= {"max_lifetime", "refuse_replay"}
    assert not [line for line in lines if "│" in line or line.startswith(" ")]


def test_a_real_terminal_is_as_wide_as_it_is(tmp_path: Path) -> None:
    """The width is that of the terminal; a table for it has no line that is longer."""
    master, slave = pty.openpty()
    with serving() as server:
        server.will({"items": [ACCOUNT | {"client_id": CLIENT}], "total": 1})
        arguments = command("account", "list", "--url", server.url)
        process = subprocess.Popen(
            arguments, cwd=tmp_path, env=environment(COLUMNS="60", TERM="dumb"), stdout=slave, stderr=slave
        )
        os.close(slave)
        seen = b""
        with os.fdopen(master, "rb", buffering=0) as screen, process:
            while part := _read(screen.fileno()):
                seen += part
            assert process.wait(TIMEOUT) == 0, seen

    lines = seen.decode().replace("\r", "").splitlines()
    assert CLIENT in lines[1]
    assert "(not shown for want of width: capacity, certificates)" in lines[-1]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # Linux says so when nobody has the terminal any more
        return b""
