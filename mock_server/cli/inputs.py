"""What the commands share that they are given: arguments, numbers, assignments, files."""

import re
import sys
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from mock_server.cli.output import stop
from mock_server.cli.printing import plain

LARGEST_FILE = 512 * 1024 * 1024  # the state of a world of a million documents
_LONGEST_NUMBER = 15  # digits
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")

Capacity = Literal["employer", "social-secretariat", "service-provider", "training-provider"]
"""The values of `identifiers.Capacity`, known without importing it."""

Party = Literal["mandator", "mandatary"]


def read_capacity(text: str | None) -> str | None:
    """Return a capacity that an option or argument gives, or None when it is not given. Raises `BadParameter`."""
    if text is None or text in get_args(Capacity):
        return text
    *others, last = get_args(Capacity)
    msg = (
        f"expected {', '.join(others)} or {last}, found {plain(text)!r}: only these four can open a channel (G§4.4.1)."
    )
    raise typer.BadParameter(msg)


def read_number(text: str) -> str:
    """Return an id that is a whole number. Raises `BadParameter`."""
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER and int(text) > 0:
        return str(int(text))
    msg = f"expected a whole number from 1 on, found {plain(text)!r}."
    raise typer.BadParameter(msg)


CAPACITIES = "|".join(get_args(Capacity))

ClientIdArgument = Annotated[
    str,
    typer.Argument(
        metavar="CLIENT_ID", help="The account's client id, as “account list” prints it.", show_default=False
    ),
]
NumberArgument = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The enterprise number, 10 digits.", show_default=False)
]
CapacityArgument = Annotated[
    str,
    typer.Argument(metavar="CAPACITY", help=f"{CAPACITIES}.", show_default=False, callback=read_capacity),
]


def number_or_text(text: str) -> float | str:
    """Return a JSON number for a text that is one, and any other text as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def assignment(text: str, option: str) -> tuple[str, str]:
    """Return the two sides of NAME=VALUE; ends the program with 2 when it is something else."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        stop(plain(f"{option}: expected NAME=VALUE, found {text!r}."))
    return name, value


def read_input(file: Path, limit: int = LARGEST_FILE) -> bytes:
    """Return what a file holds, or standard input for `-`; ends the program with 2 when it cannot be read."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(limit + 1)
    except OSError as error:
        stop(plain(f"cannot read {file}: {error.strerror or error}."))
    if len(data) > limit:
        stop(plain(f"{file} is larger than {limit} bytes."))
    return data
