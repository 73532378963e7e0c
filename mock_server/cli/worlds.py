"""`fla-mock world`: the worlds of a running mock."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mock_server.cli.clock import seconds
from mock_server.cli.inputs import assignment, number_or_text, read_input
from mock_server.cli.output import stop
from mock_server.cli.printing import plain, print_rows, print_table
from mock_server.cli.remote import Remote, connected, group

app = group("Make, show, save and remove the worlds of a running mock; each is a state of its own.")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # as in `control.worlds`, which is slow to import
Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Name of the world. Default: that of --world.", show_default=False),
]


@app.command("list")
@connected
def list_worlds(mock: Remote) -> None:
    """List the worlds."""
    mock.tell(mock.ask_all(mock.root("worlds"), key="name"), _show_list)


@app.command("show")
@connected
def show(mock: Remote, name: Name = None) -> None:
    """Show a world: its URLs, its clock, and how much is in it."""
    mock.tell(mock.ask("GET", mock.about(name).here()), _show)


@app.command("create")
@connected
def create(  # noqa: PLR0913 - each is a part of a world
    mock: Remote,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Lower case letters, digits and hyphens, 63 at most. Default: one that the mock makes up.",
            show_default=False,
        ),
    ] = None,
    *,
    source: Annotated[
        Literal["demo", "empty"] | None, typer.Option("--from", help="What it begins with. Default: demo.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What it begins with: a file of “world export”, or - .")
    ] = None,
    offset: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Its time from real time: 3600, 90d, -2h.")
    ] = None,
    now: Annotated[str | None, typer.Option(metavar="WHEN", help="Its time: 2027-01-01T00:00:00Z, 2027Q1.")] = None,
    frozen: Annotated[bool, typer.Option("--frozen", help="Its clock stands still.")] = False,
) -> None:
    """Make a world, whose URLs begin with /worlds/NAME.

    Example: fla-mock world create test-1 --from empty --now 2027Q1 --frozen
    """
    if source is not None and state is not None:
        stop("--from and --state both say what the world begins with: give one of them.")
    if offset is not None and now is not None:
        stop("--offset and --now both say what time it is: give one of them.")
    clock: dict[str, Any] = {"offset": None if offset is None else seconds(offset, "--offset")}
    clock |= {"now": None if now is None else number_or_text(now), "frozen": frozen or None}
    members: dict[str, Any] = {
        "name": None if name is None else _world_name(name),
        "from": source,
        "clock": _given(clock) or None,
    }
    members["state"] = None if state is None else _state(state)
    mock.tell(mock.ask("POST", mock.root("worlds"), body=_given(members)), _show)


@app.command("delete")
@connected
def delete(
    mock: Remote,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As “world list” prints it.", show_default=False)],
) -> None:
    """Remove a world and all that is in it; the one at the root, “default”, stays."""
    mock.ask("DELETE", mock.about(name).here())
    mock.done(f"World {name} is removed.")


@app.command("export")
@connected
def export(
    mock: Remote,
    name: Name = None,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it. Default: standard output.")
    ] = None,
) -> None:
    """Write a world's state as JSON, always the same bytes for the same state.

    Example: fla-mock world export --out before.json
    """
    mock.save(out, mock.ask_document(mock.about(name).here("state")))


@app.command("import")
@connected
def import_state(
    mock: Remote,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of “world export”, or - .", show_default=False)],
    *,
    into: Annotated[str | None, typer.Option(metavar="NAME", help="Default: that of --world.")] = None,
) -> None:
    """Replace all that is in a world by a state that was exported.

    Example: fla-mock world import before.json
    """
    mock.tell(mock.ask("PUT", mock.about(into).here("state"), body=_state(file)), _show)


@app.command("settings")
@connected
def settings(
    mock: Remote,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="What to change.", show_default=False)
    ] = None,
) -> None:
    """Show a world's settings, or change some.

    A value that begins with a brace is read as JSON, and null brings the usual one back.

    Example: fla-mock world settings employments=closed activation_delay=900

    Example: fla-mock world settings 'closed_answer={"status":404,"title":"Over","detail":"It is over."}'
    """
    path = mock.here("settings")
    if not changes:
        mock.tell(mock.ask("GET", path), print_rows)
        return
    given = dict(assignment(change, "NAME=VALUE") for change in changes)
    body = {name: _setting(name, value) for name, value in given.items()}
    mock.tell(mock.ask("PATCH", path, body=body), print_rows)


def _setting(name: str, text: str) -> Any:  # noqa: ANN401 - JSON is any value
    """Return the value that a setting is given; ends the program with 2 when it is to be JSON, and is none."""
    if text != "null" and not text.lstrip().startswith("{"):
        return number_or_text(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        stop(plain(f"{name}: begins like JSON, and is none ({error}). “fla-mock world settings --help” shows how."))


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _state(file: Path) -> dict[str, Any]:
    """Return what a file holds as a state; ends the program with 2 when it can be none."""
    wanted = "expected a JSON object, as “fla-mock world export” writes it"
    try:
        found = json.loads(read_input(file))
    except (ValueError, RecursionError):
        stop(plain(f"{file} is not JSON: {wanted}."))
    if not isinstance(found, dict):
        stop(plain(f"{file}: {wanted}, found {_kind(found)}."))
    if "token_url" in found or "mock_url" in found:
        stop(
            plain(
                f"{file}: {wanted}, found what looks like a demo.json, which tells clients where a mock is and holds "
                "no state. A new world has the demo's state with --from demo."
            )
        )
    if isinstance(found.get("log"), dict):
        stop(plain(f"{file}: {wanted}, found what looks like a HAR file, which holds exchanges and no state."))
    return found


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {list: "a list", str: "a text", bool: "true or false"}.get(type(value), "a number")


def _world_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        stop(plain(f"NAME: expected lower case letters, digits and hyphens, 63 at most, found {name!r}."))
    return name


def _show_list(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    counted = ("enterprises", "accounts", "mandates", "documents", "exchanges")
    rows = (
        [world["name"], world["clock"]["now"], world["clock"]["mode"], *(world["counts"][name] for name in counted)]
        for world in answer["items"]
    )
    print_table(
        ("name", "clock", "", *counted),
        rows,
        "No worlds.",
        spare=("documents", "mandates", "accounts", "enterprises", ""),
    )


def _show(world: Any) -> None:  # noqa: ANN401 - JSON is any value
    urls = {"base URL": world["base_url"], "token URL": world["token_url"], "audience": world["audience"]}
    clock = f"{world['clock']['now']} ({world['clock']['mode']})"
    print_rows({"name": world["name"], **urls, **world["apis"], "clock": clock, **world["counts"]})
