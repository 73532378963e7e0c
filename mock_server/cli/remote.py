"""What the commands ask of a running mock: its API under `/_mock`, one request at a time, and how answers are told."""

import contextlib
import functools
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Concatenate, NoReturn, ParamSpec
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import typer

from mock_server.cli.http import NoAnswerError, TooLargeError, certificate_advice, send
from mock_server.cli.output import EXIT_REFUSED, EXIT_UNUSABLE, stop
from mock_server.cli.printing import plain, print_answer, say
from mock_server.cli.refusals import labels, refusal

DEFAULT_URL = "http://127.0.0.1:8425"
LONGEST_WAIT = 30
"""Seconds that the mock is asked to wait for a next exchange."""

_TIMEOUT = 2 * LONGEST_WAIT  # seconds of silence
_MAX_ANSWER = 512 * 1024 * 1024  # the state of a world of a million documents
_REDIRECTION, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND, _SERVER_ERROR = 300, 400, 401, 404, 500
_NO_BODY = object()


@dataclass(frozen=True, slots=True)
class Remote:
    """A running mock, and the world in it that a command is about."""

    url: str
    world: str = "default"
    admin_token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    as_json: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    """What people call the members of the API that this command is given."""

    def about(self, world: str | None) -> "Remote":
        """Return the same for another world; None changes nothing."""
        return self if world is None else replace(self, world=world)

    def here(self, *segments: str) -> str:
        """Return a path in the world; what stands between the slashes may be any text."""
        return self.root("worlds", self.world, *segments)

    def root(self, *segments: str) -> str:
        """Return a path below `/_mock`."""
        return "/".join(["/_mock", *map(_segment, segments)])

    def ask(  # noqa: PLR0913 - each is a part of a request
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = _NO_BODY,
        content_type: str = "application/json",
        *,
        advice: str | None = None,
    ) -> Any:  # noqa: ANN401 - JSON is any value
        """Send one request; return the JSON of the answer, None when it has no body.

        `body` is bytes, or a value that is sent as JSON, null for None. A member of `query` that is None is left out.
        Ends the program with 1 when the mock refuses, with 2 when it cannot be asked; `advice` is what helps with wrong
        input.
        """
        return self._ask(method, path, query, body, content_type, advice)[0]

    def ask_if_there(self, path: str) -> Any:  # noqa: ANN401 - JSON is any value
        """Get what may be gone: None when the mock answers 404; otherwise ends the program as `ask` does."""
        status, answer = self._send("GET", path, None, {"Accept": "application/json"})
        return None if status == _NOT_FOUND else self._judged(status, answer, None)

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
        """Tell people that something without an answer of its own is done; scripts get an empty object."""
        if self.as_json:
            print_answer({})
        else:
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

    def _ask(  # noqa: PLR0913 - each is a part of a request
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = _NO_BODY,
        content_type: str = "application/json",
        advice: str | None = None,
    ) -> tuple[Any, bytes]:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        data = None if body is _NO_BODY else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Accept": "application/json"} | ({} if data is None else {"Content-Type": content_type})
        status, answer = self._send(method, path + (f"?{urlencode(given)}" if given else ""), data, headers)
        return self._judged(status, answer, advice), answer

    def _judged(self, status: int, answer: bytes, advice: str | None) -> Any:  # noqa: ANN401 - JSON is any value
        value = self._parsed(status, answer)
        if status >= _BAD_REQUEST:
            self._refused(status, value, advice)
        if status >= _REDIRECTION:
            self._stranger(status, "a redirection")
        return value

    def _send(self, method: str, target: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        parts = parse_url(self.url)
        if self.admin_token is not None:
            headers["Authorization"] = f"Bearer {header_value(self.admin_token)}"
        try:
            status, _, answer = send(
                parts,
                method,
                parts.path.rstrip("/") + target,
                data,
                headers,
                ca_file=self.ca_file,
                ca_named_in="FLA_CA_FILE",
                timeout=_TIMEOUT,
                limit=_MAX_ANSWER,
            )
        except NoAnswerError as error:
            self._unreachable(error)
        except TooLargeError:
            _stop(f"{self.url} answers with more than {_MAX_ANSWER} bytes, which is more than is read.")
        return status, answer

    def _unreachable(self, error: NoAnswerError) -> NoReturn:
        if error.is_refused:
            _stop(
                f"nothing answers at {self.url}: start the mock with “fla-mock serve”, "
                "or say where it is with --url (or FLA_MOCK_URL)."
            )
        advice = "is that its URL, with the right one of http and https?"
        if error.is_late:
            advice = "is it stopped, or is something else in its place?"
        ca = "name the file of the CA that its certificate comes from in FLA_CA_FILE."
        _stop(f"no answer from {self.url} ({error}): {certificate_advice(error, ca) or advice}")

    def _parsed(self, status: int, answer: bytes) -> Any:  # noqa: ANN401 - JSON is any value
        if not answer and status < _BAD_REQUEST:
            return None
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            self._stranger(status, "something that is not JSON" if answer else "no body")

    def _stranger(self, status: int, found: str) -> NoReturn:
        _stop(f"{self.url} answered {status} with {found}: is it a fla-mock that listens there?")

    def _refused(self, status: int, problem: Any, advice: str | None) -> NoReturn:  # noqa: ANN401 - JSON is any value
        if not isinstance(problem, dict) or not isinstance(problem.get("detail") or problem.get("title"), str):
            self._stranger(status, "JSON that is not a problem")
        what = "refused with" if status < _SERVER_ERROR else "the mock failed with"
        lines = refusal(problem, self.labels, advice if status == _BAD_REQUEST else None)
        lines[0] = f"fla-mock: {what} {status}: {lines[0]}"
        if status == _UNAUTHORIZED:
            given = "The one that was given is not it" if self.admin_token else "None was given"
            lines.append(f"  {given}: set FLA_MOCK_ADMIN_TOKEN to what the mock was started with.")
        for line in lines:
            typer.echo(plain(line), err=True)
        raise typer.Exit(EXIT_REFUSED if status < _SERVER_ERROR else EXIT_UNUSABLE)


P = ParamSpec("P")


def connected(command: Callable[Concatenate[Remote, P], None]) -> Callable[..., None]:
    """Make a command of a function whose first parameter is the mock: the options that say which take its place."""
    own = list(inspect.signature(command).parameters.values())[1:]
    shared = inspect.signature(_which).parameters.values()
    known = labels({parameter.name: parameter for parameter in [*own, *shared]})

    @functools.wraps(command)
    def run(*, url: str, world: str, admin_token: str | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - the command's own
        ca_file = os.environ.get("FLA_CA_FILE") or None
        command(Remote(url, world, admin_token, ca_file, as_json, known), **given)  # type: ignore[call-arg] # typer gives all

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
            help=(
                "The mock's admin token, if it has one. Better given in the variable: others on this machine can see "
                "a command line."
            ),
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the mock's own JSON, for scripts.")] = False,
) -> None:
    """Stand for the options that every command has which asks a running mock."""


def group(help_text: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, help=help_text)


def _segment(text: str) -> str:
    if not text:
        _stop("expected a name or an id, found an empty one.")
    # A client id may be two dots, which would lead elsewhere.
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def parse_url(url: str) -> SplitResult:
    """Return the parts of a mock's URL; ends the program with 2 when it is none."""
    with contextlib.suppress(ValueError):  # a port or an address that is none
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        if is_whole and not (parts.query or parts.fragment) and re.fullmatch(r"[!-?A-~]+", url):
            return parts
    # What stands before an @ may be a password.
    return _stop(f"--url (or FLA_MOCK_URL): expected a URL like {DEFAULT_URL}, found {url.rpartition('@')[2]!r}.")


def header_value(token: str) -> str:
    """Return an admin token as it stands in a header; ends the program with 2 when it cannot."""
    # http.client would quote in its error what cannot be in a header.
    if not re.fullmatch(r"[!-~]+", token):
        _stop("--admin-token (or FLA_MOCK_ADMIN_TOKEN): expected printable ASCII characters without spaces.")
    return token


def _stop(message: str) -> NoReturn:
    stop(plain(message))
