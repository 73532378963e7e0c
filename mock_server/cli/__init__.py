"""The command line: `fla-mock`."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from mock_server import __version__
from mock_server.cli import cert, explain, serve, token

app = typer.Typer(
    name="fla-mock",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "A local mock of the Belgian social security's REST channel: a token endpoint that explains its refusals, "
        "and the Federal Learning Account API behind it. Start with: fla-mock serve"
    ),
)
app.command("serve")(serve.serve)
app.command("token")(token.token)
app.command("explain-assertion")(explain.explain_assertion)
app.command("policy")(explain.policy_table)
app.add_typer(cert.app, name="cert")


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
