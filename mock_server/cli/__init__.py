"""The command line: `fla-mock`."""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mock_server import __version__

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("serve", "serve"),
    "token": ("token", "token"),
    "explain-assertion": ("explain", "explain_assertion"),
    "policy": ("explain", "policy_table"),
    "contract": ("contract", "contract"),
    "cert": ("cert", "app"),
    "exec": ("execute", "app"),
    "exchanges": ("exchanges", "exchanges"),
    "exchange": ("exchanges", "exchange"),
    "world": ("worlds", "app"),
    "enterprise": ("enterprises", "app"),
    "account": ("accounts", "app"),
    "mandate": ("mandates", "app"),
    "clock": ("clock", "app"),
    "fault": ("faults", "app"),
}
"""Each command's module and what in it is the command: a function, or a `Typer` of its own."""


class _Commands(Mapping[str, Any]):
    """The commands by name; a module is imported when its command is asked for, so that none waits for all others."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - the type is in typer's private part
        module, attribute = _COMMANDS[name]
        found = getattr(import_module(f"{__name__}.{module}"), attribute)
        if not isinstance(found, typer.Typer):
            function, found = found, typer.Typer(rich_markup_mode=None, add_completion=False)
            found.command(name)(function)
        is_group = len(found.registered_commands) > 1
        return typer.main.get_group(found) if is_group else typer.main.get_command(found)

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Program(TyperGroup):
    """All commands, none of them imported yet."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as below
        super().__init__(**given)
        self.commands = _Commands()  # type: ignore[assignment] # nobody adds to it

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's own
        return list(self.commands)


app = typer.Typer(
    name="fla-mock",
    cls=_Program,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "A local mock of the Belgian social security's REST channel: a token endpoint that explains its refusals, "
        "and the Federal Learning Account API behind it. Start with: fla-mock serve"
    ),
)


@app.callback(invoke_without_command=True)
def _options(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show “✓” gets an escape in its place, not a stack trace.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
