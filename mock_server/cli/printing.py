"""What commands print: lines, labelled values and tables for people, JSON for scripts; nothing of it steers a terminal.

On a terminal a table fits its width: texts are folded, columns that matter least are left out, and ids, numbers and
times are never cut. In a file or a pipe each row is one line, whole.
"""

import json
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import typer

_GAP = 2
"""Blanks between two columns."""
_NARROWEST = 12
"""Characters that a column of texts has at least, if it needs them."""


def plain(value: object) -> str:
    """Return what came from outside on one line, with what could steer a terminal or reorder the line escaped."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def print_answer(value: Any, indent: int | None = 2) -> None:  # noqa: ANN401 - JSON is any value
    """Print JSON for scripts; the characters that could steer a terminal are written as JSON's escapes."""
    typer.echo("\n".join(json_lines(value, indent)))


def json_lines(value: Any, indent: int | None = 2) -> list[str]:  # noqa: ANN401 - JSON is any value
    """Return the lines of a value as JSON, fit to be shown."""
    lines = json.dumps(value, indent=indent, ensure_ascii=False).split("\n")
    return [line if line.isprintable() else "".join(map(_json_character, line)) for line in lines]


def _json_character(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def say(text: str, style: str = "") -> None:
    """Print a line for people."""
    _console().print(plain(text), style=style or None)


def warn(text: str) -> None:
    """Print a line for people on standard error."""
    typer.echo(plain(text), err=True)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    empty: str,
    *,
    folded: Collection[str] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print a table for people, or `empty` when it has no rows. None is an empty cell, a list its members.

    On a terminal that is too narrow, the columns in `folded` break their texts, and those in `spare` are left out, the
    first ones first; of these, those without anything in them go before all others.
    """
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        say(empty)
        return
    needed = {name: max(_length(name), *(_length(row[index]) for row in cells)) for index, name in enumerate(columns)}
    width = terminal_width()
    if width is None:
        for row in (columns, *cells):
            padded = (text + " " * (needed[name] - _length(text)) for name, text in zip(columns, row, strict=True))
            typer.echo((" " * _GAP).join(padded).rstrip())
        return
    from rich.table import Column, Table  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415 - as above

    is_empty = {name: not any(row[index] for row in cells) for index, name in enumerate(columns)}
    least_first = sorted(spare, key=lambda name: not is_empty[name])
    widths = fitted(needed, folded, least_first, width)
    table = Table(
        *(Column(name, width=width, no_wrap=name not in folded, overflow="fold") for name, width in widths.items()),
        box=None,
        pad_edge=False,
        padding=(0, _GAP, 0, 0),
    )
    for row in cells:
        table.add_row(*(Text(text) for name, text in zip(columns, row, strict=True) if name in widths))
    _console(sum(widths.values()) + _GAP * len(widths)).print(table)
    missing = [name for name in columns if name not in widths and not is_empty[name]]
    if missing:
        say(f"(not shown for want of width: {', '.join(missing)})", "dim")


def _length(text: str) -> int:
    """Return how many places of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - slow to import

    return cell_len(text)


def fitted(needed: Mapping[str, int], folded: Collection[str], spare: Sequence[str], width: int) -> dict[str, int]:
    """Return the columns of a table with their widths in characters.

    Columns that are not `folded` have what they need; these share what is left, at least 12 characters each. While that
    cannot be, a column of `spare` is dropped, and at last the table is wider than the terminal.
    """
    widths = dict(needed)
    left_out = iter(name for name in spare if name in needed)
    while _least(widths, folded) > width:
        name = next(left_out, None)
        if name is None:
            break
        del widths[name]
    texts = sorted((name for name in widths if name in folded), key=widths.__getitem__)
    room = width - _GAP * (len(widths) - 1) - sum(length for name, length in widths.items() if name not in folded)
    for index, name in enumerate(texts):
        # Those that need little leave more to the others.
        widths[name] = max(min(widths[name], room // (len(texts) - index)), min(widths[name], _NARROWEST))
        room -= widths[name]
    return widths


def _least(widths: Mapping[str, int], folded: Collection[str]) -> int:
    texts = sum(min(length, _NARROWEST) if name in folded else length for name, length in widths.items())
    return texts + _GAP * (len(widths) - 1)


def print_rows(rows: Mapping[str, object]) -> None:
    """Print values under one another for people, each with its label."""
    from rich.text import Text  # noqa: PLC0415 - slow to import

    width = max(map(len, rows))
    for label, value in rows.items():
        _console().print(Text(f"{label:<{width}}", "dim"), Text(cell(value)))


def cell(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value)


def terminal_width() -> int | None:
    """Return how many characters fit beside one another on standard output; None when it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _console(width: int = 0) -> Any:  # noqa: ANN401 - the type is in rich, which is imported late
    from rich.console import Console  # noqa: PLC0415 - slow to import

    # Markup and emoji codes are off: values stand in this text. A line is never broken here, only a table's cell.
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=True, width=max(width, terminal_width() or 1))
