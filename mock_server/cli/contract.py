"""`fla-mock contract`: what a contract is to the mock, before it is served."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mock_server.cli.output import EXIT_REFUSED, stop
from mock_server.cli.printing import plain, print_answer, print_rows, say

_NAME = "NAME"
"""Stands for what the service would be called."""


def contract(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An OpenAPI or Swagger file, YAML or JSON.", show_default=False)
    ],
    *,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=WHAT",
            help="What a parameter holds: enterpriseNumber, ssin, year or nothing; as often as wanted.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for scripts.")] = False,
) -> None:
    """Show what a contract is to the mock: its operations, what guards each, and what each keeps. No server is needed.

    Exit code: 0 when it can be served, 1 when something is wrong with it (all of it is told), 2 when there is no such
    file.

    Example: fla-mock contract official.json --parameter werkgever=enterpriseNumber
    """
    from mock_server.cli.guards import as_json as told  # noqa: PLC0415 - as above
    from mock_server.cli.guards import guard_table  # noqa: PLC0415 - slow to import
    from mock_server.services.catalogue import Api  # noqa: PLC0415 - as above
    from mock_server.services.contract import ContractError, load  # noqa: PLC0415 - as above
    from mock_server.services.documents.reader import Reading  # noqa: PLC0415 - as above
    from mock_server.services.given import default_path, parameter_names, scopes_named, there_are  # noqa: PLC0415
    from mock_server.services.guards import guards, scopes_in_words  # noqa: PLC0415 - as above

    holds = _holds(parameter or [])
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        stop(f"{file}: cannot be read: {error.strerror}.")
    try:
        loaded = load(file, None, Reading(holds=holds))
    except ContractError as error:
        _refuse(file, str(error), as_json=as_json)
    names = parameter_names(loaded)
    for name in holds:
        if name not in names:
            stop(f"--parameter {name}: no operation has a parameter of this name; {there_are([names])}.")
    service = _service(scopes_named(loaded))
    found = guards(loaded, Api(_NAME, service.name, file, is_ours=False), service)
    is_open = sum(guard.enterprise is None for guard in found)
    if as_json:
        print_answer(
            {
                "file": str(file),
                "title": loaded.title,
                "version": loaded.version,
                "base_path": loaded.base_path or None,
                "scopes": list(scopes_named(loaded)),
                "counts": {"operations": len(found), "guarded": len(found) - is_open, "open": is_open},
                "operations": [told(guard) for guard in found],
            }
        )
        return
    table = guard_table(found, known_by=True)
    rows: dict[str, object] = {
        "title": loaded.title or "none",
        "version": f"{'Swagger' if loaded.version == '2.0' else 'OpenAPI'} {loaded.version}",
        "base path": loaded.base_path or f"none: {default_path(_NAME)} when it is served with --service {_NAME}=FILE",
        "operations": f"{len(found)}, {is_open} of them open to any token with the scope",
    }
    rows |= {} if table.has_scopes else {"scope": scopes_in_words(found[0].scopes)}
    print_rows(rows)
    say("")
    table.show()


def _holds(given: list[str]) -> dict[str, str | None]:
    from mock_server.world.served import HOLDS  # noqa: PLC0415 - for this command only

    found: dict[str, str | None] = {}
    for text in given:
        name, _, word = text.rpartition("=")
        if not name or word not in HOLDS:
            stop(f"--parameter: expected NAME=WHAT, where WHAT is one of {', '.join(HOLDS)}; found {text}.")
        found[name] = None if word == "nothing" else word
    return found


def _service(scopes: tuple[str, ...]) -> Any:  # noqa: ANN401 - the type is imported late
    from mock_server.identifiers import Capacity, ServiceName  # noqa: PLC0415 - slow to import
    from mock_server.world.model import Service  # noqa: PLC0415 - as above

    granted = dict.fromkeys(Capacity, scopes or (f"scope:{_NAME}",))
    return Service(ServiceName(_NAME), _NAME, granted, one_mandatary=False)


def _refuse(file: Path, told: str, *, as_json: bool) -> NoReturn:
    """Tell what is wrong with a contract, and end the program with 1."""
    if as_json:
        first, *others = told.split("\n  - ")
        print_answer({"file": str(file), "faults": others or [first.removeprefix(f"{file}: ")]})
    else:
        typer.echo("\n".join(plain(line) for line in f"fla-mock: {told}".split("\n")), err=True)
    raise typer.Exit(EXIT_REFUSED)
