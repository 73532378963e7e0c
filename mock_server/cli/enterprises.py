"""`fla-mock enterprise`: the enterprises of a world of a running mock, and their capacities."""

from typing import Annotated, Any, Literal

import typer

from mock_server.cli.inputs import CapacityArgument, NumberArgument
from mock_server.cli.printing import print_rows, print_table, say
from mock_server.cli.remote import Remote, connected, group

_MOST = 1_000
SsinArgument = Annotated[str, typer.Argument(metavar="SSIN", help="An SSIN, 11 digits.", show_default=False)]

app = group("List, add and remove enterprises, and activate their capacities, as access management does.")


@app.command("list")
@connected
def list_enterprises(mock: Remote) -> None:
    """List the enterprises of a world."""
    mock.tell(mock.ask_all(mock.here("enterprises"), key="number"), _show_list)


@app.command("add")
@connected
def add(
    mock: Remote,
    number: NumberArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called, free to choose.", show_default=False)],
    *,
    employments: Annotated[
        Literal["open", "closed"] | None,
        typer.Option(help="Whether only those listed are employed here. Default: as the world says."),
    ] = None,
) -> None:
    """Add an enterprise, or change the name of one.

    Example: fla-mock enterprise add 1999010048 "My Company"
    """
    body = {"name": name} | ({} if employments is None else {"employments": employments})
    mock.tell(mock.ask("PUT", mock.here("enterprises", number), body=body), _show)


@app.command("show")
@connected
def show(mock: Remote, number: NumberArgument) -> None:
    """Show an enterprise with its capacities and their administrators."""
    mock.tell(mock.ask("GET", mock.here("enterprises", number)), _show)


@app.command("remove")
@connected
def remove(mock: Remote, number: NumberArgument) -> None:
    """Remove an enterprise; refused while accounts or mandates need it."""
    mock.ask("DELETE", mock.here("enterprises", number))
    mock.done(f"Enterprise {number} is removed.")


@app.command("activate")
@connected
def activate(
    mock: Remote,
    number: NumberArgument,
    capacity: CapacityArgument,
    *,
    email: Annotated[str, typer.Option(help="The e-mail address of the capacity.", show_default=False)],
    local_administrator: Annotated[
        str, typer.Option(metavar="NAME", help="Who administers it at the enterprise.", show_default=False)
    ],
) -> None:
    """Activate a capacity of an enterprise.

    Example: fla-mock enterprise activate 1999010048 employer --email hr@example.org --local-administrator "A. Person"
    """
    body = {"email": email, "local_administrator": local_administrator}
    mock.tell(mock.ask("PUT", mock.here("enterprises", number, "capacities", capacity), body=body), _show)


@app.command("deactivate")
@connected
def deactivate(mock: Remote, number: NumberArgument, capacity: CapacityArgument) -> None:
    """Take a capacity from an enterprise; refused while accounts or mandates need it."""
    mock.ask("DELETE", mock.here("enterprises", number, "capacities", capacity))
    mock.done(f"Enterprise {number} has no longer the capacity {capacity}.")


@app.command("employees")
@connected
def employees(mock: Remote, number: NumberArgument) -> None:
    """List the employees (SSINs) of an enterprise; with employments “open” it employs everybody."""
    answer = mock.ask("GET", mock.here("enterprises", number, "employments"), query={"limit": _MOST})
    mock.tell(answer, _show_employees)


@app.command("employ")
@connected
def employ(mock: Remote, number: NumberArgument, ssin: SsinArgument) -> None:
    """Add an employee. Use invented numbers only.

    Example: fla-mock enterprise employ 1999010048 65111899997
    """
    mock.ask("PUT", mock.here("enterprises", number, "employments", ssin))
    mock.done(f"Enterprise {number} employs {ssin}.")


@app.command("dismiss")
@connected
def dismiss(mock: Remote, number: NumberArgument, ssin: SsinArgument) -> None:
    """Remove an employee."""
    mock.ask("DELETE", mock.here("enterprises", number, "employments", ssin))
    mock.done(f"Enterprise {number} does not employ {ssin} any more.")


def _show_employees(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    print_table(("ssin",), ([ssin] for ssin in answer["items"]), empty="No employees are listed.")
    more = answer["total"] - len(answer["items"])
    if more > 0:
        say(f"And {more} more: export the world to see all.")


def _show_list(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    rows = ([entry["number"], entry["name"], entry["capacities"], entry["employments"]] for entry in answer["items"])
    print_table(("number", "name", "capacities", "employments"), rows, "No enterprises.", folded=("name", "capacities"))


def _show(enterprise: Any) -> None:  # noqa: ANN401 - JSON is any value
    administrators = {
        f"administrator, {capacity}": f"{entry['local_administrator']} <{entry['email']}>"
        for capacity, entry in enterprise["administrators"].items()
    }
    rows = {
        "number": enterprise["number"],
        "name": enterprise["name"],
        "capacities": enterprise["capacities"] or "none",
        **administrators,
        "employments": enterprise["employments"] or "as the world says",
    }
    print_rows(rows)
