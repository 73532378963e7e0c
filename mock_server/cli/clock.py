"""`fla-mock clock`: the time of a world of a running mock."""

import re
from typing import Annotated, Any

import typer

from mock_server.cli.inputs import number_or_text
from mock_server.cli.output import stop
from mock_server.cli.printing import print_rows
from mock_server.cli.remote import Remote, connected, group

app = group("Show and move the clock of a world: it is moved forward only, and follows real time unless frozen.")

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART = re.compile(rf"([0-9]{{1,12}}(?:\.[0-9]{{1,9}})?)([{''.join(_UNITS)}])")
_DURATION = re.compile(rf"([+-]?)((?:{_PART.pattern})+)")


def seconds(text: str, name: str) -> float:
    """Read a number of seconds, or a duration such as `90s`, `15m`, `1h30m`, `-2d`; ends the program with 2 for else.

    `name` says in the message which argument it was.
    """
    number = number_or_text(text.removeprefix("+"))
    if not isinstance(number, str):
        return number
    whole = _DURATION.fullmatch(text)
    if whole is None:
        stop(f"{name}: expected seconds, or a duration like 90s, 15m, 2h, 3d or 1h30m; found {text!r}.")
    total = sum(float(part[1]) * _UNITS[part[2]] for part in _PART.finditer(whole[2]))
    return -total if whole[1] == "-" else total


def duration(length: float) -> str:
    """Return a number of seconds, not negative, as people say it: `90 d`, `1 h 30 min`, `1.5 s`."""
    if length < _UNITS["m"]:
        return f"{length:g} s"
    left, parts = round(length), []
    for unit, name in (("d", "d"), ("h", "h"), ("m", "min"), ("s", "s")):
        count, left = divmod(left, _UNITS[unit])
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts)


@app.command("show")
@connected
def show(mock: Remote) -> None:
    """Show what time it is in a world, and whether its clock runs."""
    mock.tell(mock.ask("GET", mock.here("clock")), _show)


@app.command("advance")
@connected
def advance(
    mock: Remote,
    by: Annotated[
        str, typer.Argument(metavar="SECONDS", help="Or a duration: 90s, 15m, 2h, 3d, 1h30m.", show_default=False)
    ],
) -> None:
    """Move the clock forward.

    Example: fla-mock clock advance 10m
    """
    _change(mock, {"advance": seconds(by, "SECONDS")})


@app.command("set")
@connected
def set_to(
    mock: Remote,
    when: Annotated[
        str,
        typer.Argument(
            metavar="WHEN", help="ISO 8601 with its zone, Unix seconds, or the first moment of a quarter: 2027Q1."
        ),
    ],
    *,
    frozen: Annotated[bool, typer.Option("--frozen", help="And let it stand still there.")] = False,
) -> None:
    """Move the clock forward to a moment.

    Example: fla-mock clock set 2027-01-01T00:00:00+01:00
    """
    _change(mock, {"now": number_or_text(when)} | ({"frozen": True} if frozen else {}))


@app.command("freeze")
@connected
def freeze(mock: Remote) -> None:
    """Let the clock stand still."""
    _change(mock, {"frozen": True})


@app.command("unfreeze")
@connected
def unfreeze(mock: Remote) -> None:
    """Let the clock run on from where it stands."""
    _change(mock, {"frozen": False})


@app.command("real")
@connected
def real(mock: Remote) -> None:
    """Let the clock follow real time again; refused when it is ahead of it."""
    _change(mock, {"follow_real_time": True})


def _change(mock: Remote, members: dict[str, Any]) -> None:
    mock.tell(mock.ask("PATCH", mock.here("clock"), body=members), _show)


def _show(clock: Any) -> None:  # noqa: ANN401 - JSON is any value
    mode = {
        "real": "follows real time",
        "offset": f"{duration(abs(clock['offset']))} {'behind' if clock['offset'] < 0 else 'ahead of'} real time",
        "frozen": "stands still",
    }
    rows = {"now": clock["now"], "Unix seconds": clock["timestamp"], "quarter": clock["quarter"]}
    print_rows(rows | {"clock": mode.get(clock["mode"], clock["mode"])})
