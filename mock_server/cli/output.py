"""What the commands share: errors, exit codes, and trails for people and for scripts."""

import json
from typing import Any, NoReturn

import typer

from mock_server.verdict import Check, Outcome, Trail

EXIT_REFUSED = 1
EXIT_UNUSABLE = 2

_MARKS = {Outcome.PASSED: ("✓", "green"), Outcome.FAILED: ("✗", "bold red"), Outcome.NOT_JUDGED: ("·", "dim")}


def stop(message: str) -> NoReturn:
    """End the program with a message about what cannot be used; what could steer a terminal in it is escaped."""
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape", "surrogatepass").decode() for c in message
    )
    typer.echo(f"fla-mock: {shown}", err=True)
    raise typer.Exit(EXIT_UNUSABLE)


def print_json(value: Any) -> None:  # noqa: ANN401 - JSON is any value
    """Print a value for scripts."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def trail_as_json(trail: Trail) -> dict[str, Any]:
    """Return a trail as JSON members."""
    failure = trail.first_failure
    return {
        "accepted": trail.accepted,
        "refused_by": None if failure is None else failure.requirement.id,
        "checks": [check.as_dict() for check in trail.checks],
        "near_misses": trail.near_misses,
    }


def print_trail(trail: Trail) -> None:
    """Print a trail for people: one line a check, more where it failed."""
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415 - as above

    console = Console(highlight=False, soft_wrap=True)
    for check in trail.checks:
        mark, style = _MARKS[check.outcome]
        console.print(Text(f"{mark} {check.requirement.id:<16}", style), Text(_line(check)))
        for name, text in _details(check):
            console.print(Text(f"    {name:<9}", "dim"), Text(text))
    for sentence in trail.near_misses:
        console.print(Text("nearly", "bold yellow"), Text(sentence))


def _line(check: Check) -> str:
    note = f" ({check.found})" if check.found and check.outcome is not Outcome.FAILED else ""
    return f"{check.requirement.statement}{note}"


def _details(check: Check) -> list[tuple[str, str]]:
    if check.outcome is not Outcome.FAILED:
        return []
    source = f"{check.requirement.source} ({check.requirement.provenance})"
    details = [("expected", check.expected), ("found", check.found), ("do", check.advice), ("source", source)]
    return [(name, text) for name, text in details if text]
