"""`fla-mock exchanges` and `fla-mock exchange`: what a running mock saw and what it answered, check by check."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mock_server.cli.inputs import read_number
from mock_server.cli.output import print_trail, stop
from mock_server.cli.printing import cell, json_lines, plain, print_answer, print_rows, print_table, say
from mock_server.cli.remote import LONGEST_WAIT, Remote, connected
from mock_server.verdict import Check, Outcome, Provenance, Requirement, Trail

_INDENT = "    "
_DATE = len("2026-11-23")
_MOST = 1_000


@connected
def exchanges(  # noqa: PLR0913 - each is an option of the command
    mock: Remote,
    *,
    client_id: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this client.")] = None,
    operation: Annotated[
        str | None, typer.Option(help="Only those of this operation: token, or method and path as in the contract.")
    ] = None,
    status: Annotated[int | None, typer.Option(help="Only those answered with this status.")] = None,
    refused_by: Annotated[
        str | None, typer.Option(metavar="CHECK", help="Only those that this check refused: OAUTH-EXP-3.")
    ] = None,
    fault: Annotated[
        bool | None, typer.Option("--fault/--no-fault", help="Only those with, or without, a fault on request.")
    ] = None,
    after: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only those with a higher number.")] = None,
    before: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only those with a lower number.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=1000, help="At most so many. Default: the last 50.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Print each one as it comes, until Ctrl-C (or --limit).")
    ] = False,
    count: Annotated[bool, typer.Option("--count", help="Print how many there are.")] = False,
    har: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all of them as HAR 1.2, which browsers' tools read.")
    ] = None,
    ssins: Annotated[
        Literal["masked", "shown"] | None, typer.Option(help="How --har writes SSINs. Default: masked.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all of them.")] = False,
) -> None:
    """List what a running mock was asked, and what it answered; the newest is the last.

    Example: fla-mock exchanges --status 400 --operation token
    """
    filters: dict[str, object] = {
        "client_id": client_id,
        "operation": operation,
        "status": status,
        "refused_by": refused_by,
        "fault": None if fault is None else str(fault).lower(),
    }
    place: dict[str, object] = {"after": after, "before": before}
    _at_most_one({"--follow": follow, "--count": count, "--har": har is not None, "--clear": clear})
    if ssins is not None and har is None:
        stop("--ssins goes with --har.")
    if (har is not None or clear) and any(value is not None for value in (*filters.values(), *place.values(), limit)):
        stop("--har and --clear are about all exchanges: leave the filters out.")
    path = mock.here("exchanges")
    if clear:
        mock.ask("DELETE", path)
        mock.done("No exchanges are left.")
    elif har is not None:
        mock.save(har, mock.ask_document(mock.here("exchanges.har"), {"ssins": ssins}))
    elif count:
        mock.tell(mock.ask("GET", mock.here("exchanges", "count"), filters | place), _show_count)
    elif follow:
        if before is not None:
            stop("--follow waits for what comes: leave --before out.")
        _follow(mock, filters, after, limit)
    else:
        answer = mock.ask("GET", path, filters | place | {"limit": limit})
        mock.tell(answer, lambda found: _show_list(mock, found, operation))


@connected
def exchange(
    mock: Remote,
    number: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER",
            help="As “exchanges” prints it first in a row.",
            show_default=False,
            callback=read_number,
        ),
    ],
) -> None:
    """Print one exchange: the request, the answer, and every check that led to it.

    An answer tells its number in the header Mock-Exchange.

    Example: fla-mock exchange 12
    """
    mock.tell(mock.ask("GET", mock.here("exchanges", number)), _show)


def _at_most_one(modes: Mapping[str, bool]) -> None:
    given = [name for name, is_given in modes.items() if is_given]
    if len(given) > 1:
        stop(f"{' and '.join(given)} are different things to do: give one of them.")


def _follow(mock: Remote, filters: Mapping[str, object], after: int | None, limit: int | None) -> None:
    wanted = {name: value for name, value in filters.items() if value is not None}
    printed = 0
    with mock.understood():
        if after is None:
            newest = mock.ask("GET", mock.here("exchanges"), {"limit": 1})["items"]
            after = newest[-1]["number"] if newest else 0
        while limit is None or printed < limit:
            query = {"after": after, "timeout": LONGEST_WAIT}
            found = mock.ask("GET", mock.here("exchanges", "next"), query)
            if found is None:
                continue
            after = found["number"]
            if _matches(found, wanted):
                printed += 1
                if mock.as_json:
                    print_answer(found, indent=None)
                else:
                    say(_line(found))
                sys.stdout.flush()


def _matches(found: Mapping[str, Any], wanted: Mapping[str, object]) -> bool:
    members = {**found, "fault": str(found["fault"] is not None).lower()}
    return all(members[name] == value for name, value in wanted.items())


def _line(found: Mapping[str, Any]) -> str:
    status = found["status"] or "---"
    parts = [f"{found['number']:>5}", found["time"], str(status), short_operation(found["operation"])]
    parts.append(found["client_id"])
    if found["error"] or found["refused_by"]:
        parts.append(f"{found['error'] or 'refused'} ({found['refused_by'] or 'no check'})")
    if found["fault"]:
        parts.append(f"fault {_fault(found['fault'])}")
    return "  ".join(part for part in parts if part)


def _fault(fault: Mapping[str, Any]) -> str:
    return str(fault.get("applied") or fault["id"])


def _show_count(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    say(str(answer["count"]))
    _show_dropped(answer)


def _show_dropped(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    if answer["dropped"]:
        say(f"{answer['dropped']} older ones were dropped: the mock keeps so many only.")


def _show_list(mock: Remote, answer: Any, operation: str | None) -> None:  # noqa: ANN401 - JSON is any value
    items = answer["items"]
    today = mock.ask("GET", mock.here("clock"))["now"][:_DATE] if items else ""
    rows = (
        [
            found["number"],
            _moment(found["time"], today),
            found["status"] or "none",
            short_operation(found["operation"]),
            found["client_id"],
            found["error"],
            found["refused_by"],
            found["fault"] and _fault(found["fault"]),
            found["duration_ms"],
        ]
        for found in items
    )
    columns = ("number", "time", "status", "operation", "client", "error", "refused by", "fault", "ms")
    print_table(columns, rows, "No exchanges.", folded=("fault",), spare=("ms", "error", "client"))
    if not items and operation is not None:
        _show_operations(mock)
    if len(items) < answer["total"]:
        say(f"{len(items)} of {answer['total']} are shown; --limit and --before show more.")
    _show_dropped(answer)


def _show_operations(mock: Remote) -> None:
    """Say what --operation could have been."""
    held = mock.ask("GET", mock.here("exchanges"), {"limit": _MOST})["items"]
    operations = dict.fromkeys(found["operation"] for found in held)
    if operations:
        say("The journal has these operations:")
    for operation in sorted(operations):
        say(_INDENT + operation)


def _moment(time: str, today: str) -> str:
    """Return when something was, to the second; without the date when it is that of `today`."""
    date, text = time[:_DATE], time[_DATE + 1 :].partition(".")[0].removesuffix("Z")
    return text if date == today else f"{date} {text}"


def short_operation(operation: str) -> str:
    """Return method and the last of the path that is no placeholder, with what stands after it."""
    method, _, path = operation.partition(" ")
    names = [index for index, part in enumerate(path.split("/")) if part and not part.startswith("{")]
    short = "…/" + "/".join(path.split("/")[names[-1] :]) if names else path
    return f"{method} {short}" if len(short) < len(path) else operation


def _show(found: Any) -> None:  # noqa: ANN401 - JSON is any value
    request, answer = found["request"], found["answer"]
    rows = {
        "number": found["number"],
        "time": f"{found['time']}, {found['duration_ms']} ms",
        "operation": found["operation"],
        "client": found["client_id"] or "not known",
    }
    if found["error"]:
        rows["error"] = found["error"]
    if found["fault"]:
        rows["fault"] = f"{_fault(found['fault'])} (on request)"
    print_rows(rows)
    target = request["path"] + (f"?{request['query']}" if request["query"] else "")
    version = str(request["http_version"]).removeprefix("HTTP/")
    _show_message(f"{request['method']} {target} HTTP/{version}", request)
    if answer is None:
        _heading("No answer")
    else:
        _show_message(f"Answer {answer['status']}", answer)
    if found["assertion"]:
        _heading("Client assertion")
        for part, value in found["assertion"].items():
            _print_lines([part, *(_INDENT + line for line in json_lines(value))])
    if found["checks"]:
        _heading("Checks")
        print_trail(_trail(found["checks"]))
    if found["near_misses"]:
        _heading("Near misses")
        for text in found["near_misses"]:
            say(_INDENT + text)


def _heading(text: str) -> None:
    say("")
    say(text, "bold")


def _show_message(first_line: str, message: Mapping[str, Any]) -> None:
    _heading(first_line)
    for name, value in message["headers"]:
        say(f"{name}: {value}")
    if message["body"]:
        say("")
        _print_lines(_body_lines(message["body"]))
    if message["body_truncated"]:
        say(f"(the beginning of {message['body_size']} bytes)", "dim")
    elif message["body"] is None and message["body_size"]:
        say(f"({message['body_size']} bytes that are not shown)", "dim")


def _body_lines(body: str) -> list[str]:
    try:
        return json_lines(json.loads(body))
    except (ValueError, RecursionError):
        return [plain(line) for line in body.splitlines()]


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        say(line)


def _trail(checks: list[Mapping[str, Any]]) -> Trail:
    trail = Trail()
    for members in checks:
        check = {name: cell(value) for name, value in members.items()}
        requirement = Requirement(check["id"], check["statement"], check["source"], Provenance(check["provenance"]))
        texts = (check.get(name, "") for name in ("expected", "found", "advice"))
        trail.checks.append(Check(requirement, Outcome(check["outcome"]), *texts))
    return trail
