"""`fla-mock fault`: misbehaviour of a running mock, on request."""

import json
from typing import Annotated, Any

import typer

from mock_server.cli.inputs import assignment, number_or_text, read_number
from mock_server.cli.output import stop
from mock_server.cli.printing import plain, print_rows, print_table, warn
from mock_server.cli.remote import Remote, connected, group

app = group("Let a running mock misbehave on request, and no longer.")

FaultId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The fault's number, as “fault list” prints it.",
        show_default=False,
        callback=read_number,
    ),
]
_HELP = "“fla-mock fault add --help” and docs/faults.md tell how a fault is written."


@app.command("list")
@connected
def list_faults(mock: Remote) -> None:
    """List the faults of a world, and how often each was met."""
    mock.tell(mock.ask("GET", mock.here("faults")), _show_list)


@app.command("add")
@connected
def add(  # noqa: PLR0913 - each is a part of a fault
    mock: Remote,
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OPERATION",
            help="token, jwks, any, or method and path as in the contract; may end with *.",
            show_default=False,
        ),
    ],
    effect: Annotated[
        str,
        typer.Argument(
            metavar="EFFECT",
            help="status=503,retry_after=2; close=before; delay=1.5,in=body; token=expired; malform=json; or JSON.",
            show_default=False,
        ),
    ],
    *,
    times: Annotated[
        str | None, typer.Option(metavar="N", help="How often it happens. Default: until reset.", show_default=False)
    ] = None,
    every: Annotated[
        int | None, typer.Option(metavar="K", help="Only every K-th request. Default: each.", show_default=False)
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Only to this client.", show_default=False)
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only where the path has this value; as often as wanted."),
    ] = None,
) -> None:
    """Add a fault.

    Example: fla-mock fault add "PUT /employers/*" status=503,retry_after=2 --times 2
    """
    members: dict[str, Any] = {"operation": operation, "do": _effect(effect), "every": every, "client_id": client_id}
    members["times"] = None if times is None else number_or_text(times.replace("-", " "))
    members["parameters"] = dict(assignment(text, "--parameter") for text in parameter) if parameter else None
    body = {name: value for name, value in members.items() if value is not None}
    answer = mock.ask("POST", mock.here("faults"), body=body, advice=_HELP)
    mock.tell(answer, _show)
    with mock.understood():
        for warning in answer.get("warnings", []):
            warn(f"fla-mock: warning: {warning}")


@app.command("show")
@connected
def show(mock: Remote, fault: FaultId) -> None:
    """Show a fault."""
    mock.tell(mock.ask("GET", mock.here("faults", fault)), _show)


@app.command("remove")
@connected
def remove(mock: Remote, fault: FaultId) -> None:
    """Remove a fault."""
    mock.ask("DELETE", mock.here("faults", fault))
    mock.done(f"Fault {fault} is removed.")


@app.command("reset")
@connected
def reset(mock: Remote) -> None:
    """Remove all faults of a world."""
    mock.ask("DELETE", mock.here("faults"))
    mock.done("No faults are left.")


def _effect(text: str) -> dict[str, Any]:
    from mock_server.gateway.faults import FaultError, parse_effect  # noqa: PLC0415 - for this command only

    try:
        if text.lstrip().startswith("{"):
            members: dict[str, Any] = json.loads(text)
            return members
        return parse_effect(text)
    except FaultError as error:
        stop(plain(f"EFFECT: {str(error).removeprefix('do: ')}. {_HELP}"))
    except (ValueError, RecursionError) as error:
        stop(f"EFFECT: begins like JSON, and is none ({error}). {_HELP}")


def _show_list(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    columns = ("id", "operation", "does", "times", "every", "client", "seen", "fired", "exhausted")
    rows = (
        [
            fault["id"],
            fault["operation"],
            _effect_text(fault["do"]),
            fault["times"],
            fault["every"],
            fault["client_id"],
            fault["seen"],
            fault["fired"],
            fault["exhausted"],
        ]
        for fault in answer["items"]
    )
    print_table(columns, rows, "No faults.", folded=("operation", "does"), spare=("exhausted", "every", "client"))


def _show(fault: Any) -> None:  # noqa: ANN401 - JSON is any value
    parameters = [f"{name}={value}" for name, value in fault.get("parameters", {}).items()]
    print_rows(
        {
            "id": fault["id"],
            "operation": fault["operation"],
            "does": _effect_text(fault["do"]),
            "times": fault["times"],
            "every": fault["every"],
            "client": fault["client_id"] or "any",
            "parameters": parameters or "any",
            "seen": fault["seen"],
            "fired": fault["fired"],
            "exhausted": fault["exhausted"],
        }
    )


def _effect_text(members: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in members.items())
