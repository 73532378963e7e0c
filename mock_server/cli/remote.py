"""What the commands ask of a running mock: its API under `/_mock`, one request at a time, and how answers are told."""

import contextlib
import functools
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Concatenate, Literal, NoReturn, ParamSpec
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import typer

from mock_server.cli.output import EXIT_REFUSED, EXIT_UNUSABLE, stop

# Scripts run these commands often: http.client, ssl and rich are imported where they are used.

DEFAULT_URL = "http://127.0.0.1:8425"
LONGEST_WAIT = 30
"""Seconds that the mock is asked to wait for a next exchange."""

_TIMEOUT = 2 * LONGEST_WAIT  # seconds of silence
_MAX_ANSWER = 512 * 1024 * 1024  # the state of a world of a million documents
_REDIRECTION, _BAD_REQUEST, _UNAUTHORIZED, _SERVER_ERROR = 300, 400, 401, 500
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")

Capacity = Literal["employer", "social-secretariat", "service-provider", "training-provider"]
"""The values of `identifiers.Capacity`, known without importing it."""

Party = Literal["mandator", "mandatary"]

ClientIdArgument = Annotated[str, typer.Argument(metavar="CLIENT_ID", show_default=False)]
NumberArgument = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The enterprise number, 10 digits.", show_default=False)
]
CapacityArgument = Annotated[Capacity, typer.Argument(show_default=False)]


@dataclass(frozen=True, slots=True)
class Remote:
    """A running mock, and the world in it that a command is about."""

    url: str
    world: str = "default"
    admin_token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    as_json: bool = False

    def about(self, world: str | None) -> "Remote":
        """Return the same for another world; None changes nothing."""
        return self if world is None else replace(self, world=world)

    def here(self, *segments: str) -> str:
        """Return a path in the world; what stands between the slashes may be any text."""
        return self.root("worlds", self.world, *segments)

    def root(self, *segments: str) -> str:
        """Return a path below `/_mock`."""
        return "/".join(["/_mock", *map(_segment, segments)])

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> Any:  # noqa: ANN401 - JSON is any value
        """Send one request; return the JSON of the answer, None when it has no body.

        `body` is bytes, or a value that is sent as JSON. A member of `query` that is None is left out. Ends the program
        with 1 when the mock refuses, with 2 when it cannot be asked.
        """
        return self._ask(method, path, query, body, content_type)[0]

    def ask_document(self, path: str, query: Mapping[str, object] | None = None) -> bytes:
        """Get a JSON document as it is, to the byte; ends the program as `ask` does."""
        return self._ask("GET", path, query)[1]

    def ask_all(self, path: str, key: str, query: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Get a list that comes in pages, whole; `key` is the member that the next page goes on from."""
        items: list[Any] = []
        after: object = None
        with self.understood():
            while True:
                page = self.ask("GET", path, {**(query or {}), "after": after})
                items += page["items"]
                if not page["items"] or len(items) >= page["total"]:
                    return {"items": items, "total": page["total"]}
                after = items[-1][key]

    def tell(self, value: Any, show: Callable[[Any], None]) -> None:  # noqa: ANN401 - JSON is any value
        """Print an answer: as the JSON that it is, or for people with `show`."""
        if self.as_json:
            print_answer(value)
            return
        with self.understood():
            show(value)

    def done(self, text: str) -> None:
        """Tell people that something without an answer of its own is done."""
        if not self.as_json:
            say(text)

    def save(self, file: Path | None, document: bytes) -> None:
        """Write a JSON document to a file, or to standard output for `-` and None; to the byte, but for a terminal."""
        if file is None or str(file) == "-":
            if sys.stdout.isatty():
                print_answer(json.loads(document))
            else:
                typer.echo(document, nl=False)
            return
        try:
            file.write_bytes(document)
        except OSError as error:
            _stop(f"cannot write {file}: {error.strerror or error}. Name another file.")
        self.done(f"{file}: {len(document)} bytes.")

    @contextlib.contextmanager
    def understood(self) -> Iterator[None]:
        """Read an answer; ends the program with 2 when it lacks what is looked for."""
        try:
            yield
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            _stop(
                f"the answer of {self.url} is not what this command understands ({type(error).__name__}: {error}): "
                "is it a fla-mock of the same version that listens there? --json prints an answer as it is."
            )

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> tuple[Any, bytes]:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"} | ({} if data is None else {"Content-Type": content_type})
        status, answer = self._send(method, path + (f"?{urlencode(given)}" if given else ""), data, headers)
        value = self._parsed(status, answer)
        if status >= _BAD_REQUEST:
            self._refused(status, value)
        if status >= _REDIRECTION:
            self._stranger(status, "a redirection")
        return value, answer

    def _send(self, method: str, target: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        parts = _parse_url(self.url)
        if self.admin_token is not None:
            headers["Authorization"] = f"Bearer {_header_value(self.admin_token)}"
        # http.client, not urllib: a proxy of the environment has no business between this command and a local server.
        from http.client import (  # noqa: PLC0415 - slow to import
            HTTPConnection,
            HTTPException,
            HTTPSConnection,
            IncompleteRead,
        )

        host, port = parts.hostname or "", parts.port
        connection = (
            HTTPSConnection(host, port, timeout=_TIMEOUT, context=self._context())
            if parts.scheme == "https"
            else HTTPConnection(host, port, timeout=_TIMEOUT)
        )
        try:
            connection.request(method, parts.path.rstrip("/") + target, data, headers)
            with connection.getresponse() as response:
                answer = response.read(_MAX_ANSWER + 1)
                if response.length and len(answer) <= _MAX_ANSWER:
                    raise IncompleteRead(answer, response.length)
        except (OSError, HTTPException, UnicodeError) as error:
            self._unreachable(error)
        finally:
            connection.close()
        if len(answer) > _MAX_ANSWER:
            _stop(f"{self.url} answers with more than {_MAX_ANSWER} bytes, which is more than is read.")
        return response.status, answer

    def _context(self) -> Any:  # noqa: ANN401 - the type is in ssl, which is imported late
        import ssl  # noqa: PLC0415 - for https only

        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl's own errors too
            _stop(f"{self.ca_file} (FLA_CA_FILE) cannot be used as a file of CA certificates: {error}")

    def _unreachable(self, error: Exception) -> NoReturn:
        if isinstance(error, ConnectionRefusedError):
            _stop(
                f"nothing answers at {self.url}: start the mock with “fla-mock serve”, "
                "or say where it is with --url (or FLA_MOCK_URL)."
            )
        reason = str(error) or type(error).__name__
        advice = "is that its URL, with the right one of http and https?"
        if isinstance(error, TimeoutError):
            advice = "is it stopped, or is something else in its place?"
        elif "CERTIFICATE_VERIFY_FAILED" in reason:
            advice = "name the file of the CA that its certificate comes from in FLA_CA_FILE."
        _stop(f"no answer from {self.url} ({reason}): {advice}")

    def _parsed(self, status: int, answer: bytes) -> Any:  # noqa: ANN401 - JSON is any value
        if not answer and status < _BAD_REQUEST:
            return None
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            self._stranger(status, "something that is not JSON" if answer else "no body")

    def _stranger(self, status: int, found: str) -> NoReturn:
        _stop(f"{self.url} answered {status} with {found}: is it a fla-mock that listens there?")

    def _refused(self, status: int, problem: Any) -> NoReturn:  # noqa: ANN401 - JSON is any value
        if not isinstance(problem, dict) or not isinstance(problem.get("detail") or problem.get("title"), str):
            self._stranger(status, "JSON that is not a problem")
        what = "refused with" if status < _SERVER_ERROR else "the mock failed with"
        lines = [f"fla-mock: {what} {status}: {problem.get('detail') or problem['title']}"]
        issues = problem.get("issues")
        for issue in issues if isinstance(issues, list) else []:
            found = f" (found {json.dumps(issue['value'])})" if "value" in issue else ""
            where = " ".join(str(issue[name]) for name in ("in", "name") if issue.get(name))
            lines.append(f"  {where or '-'}: {issue.get('detail') or issue.get('title') or 'is wrong'}{found}")
        if status == _UNAUTHORIZED:
            given = "The one that was given is not it" if self.admin_token else "None was given"
            lines.append(f"  {given}: set FLA_MOCK_ADMIN_TOKEN to what the mock was started with.")
        for line in lines:
            typer.echo(plain(line), err=True)
        raise typer.Exit(EXIT_REFUSED if status < _SERVER_ERROR else EXIT_UNUSABLE)


P = ParamSpec("P")


def connected(command: Callable[Concatenate[Remote, P], None]) -> Callable[..., None]:
    """Make a command of a function whose first parameter is the mock: the options that say which take its place."""

    @functools.wraps(command)
    def run(*, url: str, world: str, admin_token: str | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - the command's own
        ca_file = os.environ.get("FLA_CA_FILE") or None
        command(Remote(url, world, admin_token, ca_file, as_json), **given)  # type: ignore[call-arg] # typer gives all

    own = list(inspect.signature(command).parameters.values())[1:]
    shared = inspect.signature(_which).parameters.values()
    run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined] # typer reads it
    return run


def _which(
    *,
    url: Annotated[str, typer.Option(envvar="FLA_MOCK_URL", metavar="URL", help="Where the mock is.")] = DEFAULT_URL,
    world: Annotated[str, typer.Option(envvar="FLA_WORLD", metavar="NAME", help="The world in it.")] = "default",
    admin_token: Annotated[
        str | None,
        typer.Option(
            envvar="FLA_MOCK_ADMIN_TOKEN",
            metavar="TOKEN",
            help="The mock's admin token, if it has one; better given in the variable.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the mock's own JSON, for scripts.")] = False,
) -> None:
    """Stand for the options that every command has which asks a running mock."""


def group(help_text: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, help=help_text)


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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table for people, or `empty` when it has no rows. None is an empty cell, a list its members."""
    from rich.table import Column, Table  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(*(Column(name, overflow="fold") for name in columns), box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    if table.row_count:
        _console().print(table)
    else:
        say(empty)


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


def number_or_text(text: str) -> float | str:
    """Return a JSON number for a text that is one, and any other text as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def assignment(text: str, option: str) -> tuple[str, str]:
    """Return the two sides of NAME=VALUE; ends the program with 2 when it is something else."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        _stop(f"{option}: expected NAME=VALUE, found {text!r}.")
    return name, value


def read_input(file: Path, limit: int = _MAX_ANSWER) -> bytes:
    """Return what a file holds, or standard input for `-`; ends the program with 2 when it cannot be read."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(limit + 1)
    except OSError as error:
        _stop(f"cannot read {file}: {error.strerror or error}.")
    if len(data) > limit:
        _stop(f"{file} is larger than {limit} bytes.")
    return data


def _console() -> Any:  # noqa: ANN401 - the type is in rich, which is imported late
    from rich.console import Console  # noqa: PLC0415 - slow to import

    # Nothing is cut off for a file or a pipe; and markup and emoji codes are off: values stand in this text.
    width = None if sys.stdout.isatty() else 2_000
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=sys.stdout.isatty(), width=width)


def _segment(text: str) -> str:
    if not text:
        _stop("expected a name or an id, found an empty one.")
    # A client id may be two dots, which would lead elsewhere.
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def _parse_url(url: str) -> SplitResult:
    with contextlib.suppress(ValueError):  # a port or an address that is none
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        if is_whole and not (parts.query or parts.fragment) and re.fullmatch(r"[!-?A-~]+", url):
            return parts
    # What stands before an @ may be a password.
    return _stop(f"--url (or FLA_MOCK_URL): expected a URL like {DEFAULT_URL}, found {url.rpartition('@')[2]!r}.")


def _header_value(token: str) -> str:
    # http.client would quote in its error what cannot be in a header.
    if not re.fullmatch(r"[!-~]+", token):
        _stop("--admin-token (or FLA_MOCK_ADMIN_TOKEN): expected printable ASCII characters without spaces.")
    return token


def _stop(message: str) -> NoReturn:
    stop(plain(message))
