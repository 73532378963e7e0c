"""`fla-mock mandate`: the mandates of a world of a running mock, as MAHIS keeps them."""

from typing import Annotated, Any

import typer

from mock_server.cli.inputs import Party, read_number
from mock_server.cli.printing import print_rows, print_table
from mock_server.cli.remote import Remote, connected, group

app = group("Propose, confirm and end mandates: what lets a mandatary act for an employer.")

MandateId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The mandate's number, as “mandate list” prints it.",
        show_default=False,
        callback=read_number,
    ),
]
Mandator = Annotated[
    str, typer.Option(metavar="NUMBER", help="The employer that gives it: an enterprise number.", show_default=False)
]
Mandatary = Annotated[
    str, typer.Option(metavar="NUMBER", help="Who acts for it: an enterprise number.", show_default=False)
]
Service = Annotated[str, typer.Option(help="What it is for: fla, dimona …", show_default=False)]
Start = Annotated[str, typer.Option(metavar="QUARTER", help="Its first quarter: 2025Q1.", show_default=False)]
End = Annotated[str | None, typer.Option(metavar="QUARTER", help="Its last quarter. Default: none.")]
By = Annotated[Party, typer.Option(help="Which of the two does it.", show_default=False)]


@app.command("list")
@connected
def list_mandates(
    mock: Remote,
    *,
    mandator: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only those this employer gave.")] = None,
    mandatary: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only those of this mandatary.")] = None,
    service: Annotated[str | None, typer.Option(help="Only those for this service.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those in this state: active, proposed …")] = None,
) -> None:
    """List the mandates of a world.

    Example: fla-mock mandate list --mandator 1999010048 --status active
    """
    query = {"mandator": mandator, "mandatary": mandatary, "service": service, "status": status}
    mock.tell(mock.ask_all(mock.here("mandates"), "id", query), _show_list)


@app.command("show")
@connected
def show(mock: Remote, mandate: MandateId) -> None:
    """Show a mandate."""
    mock.tell(mock.ask("GET", mock.here("mandates", mandate)), _show)


@app.command("propose")
@connected
def propose(  # noqa: PLR0913 - each is a part of a mandate
    mock: Remote,
    *,
    mandator: Mandator,
    mandatary: Mandatary,
    service: Service,
    start: Start,
    end: End = None,
    by: By,
) -> None:
    """Propose a mandate; it has effect when the other one confirms it.

    Example: fla-mock mandate propose --mandator 1999010048 --mandatary 1999010147 --service fla --start 2025Q1
    --by mandatary
    """
    _make(mock, _terms(mandator, mandatary, service, start, end) | {"proposed_by": by})


@app.command("procure")
@connected
def procure(  # noqa: PLR0913 - each is a part of a mandate
    mock: Remote, *, mandator: Mandator, mandatary: Mandatary, service: Service, start: Start, end: End = None
) -> None:
    """Enter a mandate that both signed on paper: a procuration.

    Example: fla-mock mandate procure --mandator 1999010048 --mandatary 1999010147 --service fla --start 2025Q1
    """
    _make(mock, _terms(mandator, mandatary, service, start, end) | {"procuration": True})


@app.command("confirm")
@connected
def confirm(mock: Remote, mandate: MandateId, *, by: By) -> None:
    """Confirm a mandate that was proposed.

    Example: fla-mock mandate confirm 3 --by mandator
    """
    _change(mock, mandate, "confirm", {"by": by})


@app.command("reject")
@connected
def reject(mock: Remote, mandate: MandateId, *, by: By) -> None:
    """Reject a mandate that was proposed."""
    _change(mock, mandate, "reject", {"by": by})


@app.command("revoke")
@connected
def revoke(
    mock: Remote,
    mandate: MandateId,
    *,
    by: Annotated[Party | None, typer.Option(help="Which of the two does it.", show_default=False)] = None,
) -> None:
    """Revoke a mandate at once.

    Example: fla-mock mandate revoke 3 --by mandatary
    """
    _change(mock, mandate, "revoke", {"by": by} if by else {})


@app.command("end")
@connected
def end_mandate(
    mock: Remote,
    mandate: MandateId,
    *,
    end: Annotated[
        str | None, typer.Option(metavar="QUARTER", help="Its last quarter. Default: this one.", show_default=False)
    ] = None,
) -> None:
    """Let a mandate end with a quarter.

    Example: fla-mock mandate end 3 --end 2026Q4
    """
    _change(mock, mandate, "end", {"end": end} if end else {})


def _terms(mandator: str, mandatary: str, service: str, start: str, end: str | None) -> dict[str, Any]:
    terms = {"mandator": mandator, "mandatary": mandatary, "service": service, "start": start}
    return terms if end is None else terms | {"end": end}


def _make(mock: Remote, members: dict[str, Any]) -> None:
    mock.tell(mock.ask("POST", mock.here("mandates"), body=members), _show)


def _change(mock: Remote, mandate: str, action: str, members: dict[str, Any]) -> None:
    mock.tell(mock.ask("POST", mock.here("mandates", mandate, action), body=members), _show)


_MEMBERS = ("id", "mandator", "mandatary", "service", "start", "end", "status", "proposed_by", "confirmed_by")
_SPARE = ("confirmed by", "proposed by")


def _show_list(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    rows = ([mandate[name] for name in _MEMBERS] for mandate in answer["items"])
    print_table([name.replace("_", " ") for name in _MEMBERS], rows, "No mandates.", spare=_SPARE)


def _show(mandate: Any) -> None:  # noqa: ANN401 - JSON is any value
    print_rows({name.replace("_", " "): mandate[name] or "none" for name in _MEMBERS})
