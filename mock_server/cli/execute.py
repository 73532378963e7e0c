"""`fla-mock exec`: a command with a mock of its own, which lives as long as the command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self

import typer

from mock_server.cli.output import stop
from mock_server.cli.printing import plain
from mock_server.cli.remote import Remote
from mock_server.cli.serve import (
    Contracts,
    Keys,
    OwnAccounts,
    Parameters,
    Policy,
    PolicyChange,
    ReadOnly,
    Rules,
    Services,
    UnknownMembers,
    UnknownQuery,
    World,
    for_a_command,
)
from mock_server.services.names import EMPLOYER_API, TRAINING_PROVIDER_API
from mock_server.settings import Settings

# What stands after the command is the command's own.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"allow_interspersed_args": False},
)

_NOT_EXECUTABLE, _NOT_FOUND, _KILLED = 126, 127, 128  # as a shell says
_START_SECONDS = 60
_STOP_SECONDS = 5
_STANDARD_ERROR = 2
_POLL_SECONDS = 0.01
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has fewer

# What the mock may be told by the caller's environment: the options of this command. A port, a store or a ready file
# that is meant for another server stays away from it.
_HEEDED = {
    f"FLA_MOCK_{name}"
    for name in (
        "WORLD",
        "ACCOUNT",
        "POLICY",
        "SET",
        "KEYS",
        "CONTRACT",
        "SERVICE",
        "PARAMETER",
        "UNKNOWN_QUERY",
        "UNKNOWN_MEMBERS",
        "READ_ONLY",
        "RULES",
    )
}
_API_URL = "FLA_API_URL_"
"""The variables with the base URLs of services that are added begin so; their names follow, in capitals."""
_OF_THE_MOCK = (
    "FLA_TOKEN_URL",
    "FLA_AUDIENCE",
    "FLA_EMPLOYER_URL",
    "FLA_TRAINING_PROVIDER_URL",
    "FLA_DEMO_JSON",
    "FLA_CA_FILE",
    "FLA_WORLD",
    "FLA_MOCK_URL",
    "FLA_MOCK_ADMIN_TOKEN",
)
"""Variables of the command that say which mock it talks to: those of the caller are of another one."""


@app.command("exec")
def execute(  # noqa: PLR0913 - each is a setting of the mock
    command: Annotated[
        list[str], typer.Argument(metavar="CMD [ARG]…", help="What is run, after --.", show_default=False)
    ],
    *,
    tls: Annotated[bool, typer.Option("--tls", help="The mock speaks https; FLA_CA_FILE names its CA.")] = False,
    world: World = None,
    account: OwnAccounts = None,
    policy: Policy = None,
    change: PolicyChange = None,
    keys: Keys = None,
    contract: Contracts = None,
    service: Services = None,
    parameter: Parameters = None,
    unknown_query: UnknownQuery = None,
    unknown_members: UnknownMembers = None,
    read_only: ReadOnly = None,
    rules: Rules = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(envvar="FLA_MOCK_LOG_LEVEL", help="How much the mock says on standard error."),
    ] = "warning",
) -> None:
    """Start a fresh mock on a free port, run a command with it, stop it, and end as the command ends.

    The command finds the mock by FLA_TOKEN_URL, FLA_AUDIENCE, FLA_EMPLOYER_URL, FLA_TRAINING_PROVIDER_URL,
    FLA_MOCK_URL, with the demo world FLA_DEMO_JSON, with --tls FLA_CA_FILE, and the APIs of further services by
    FLA_API_URL_ and their names in capitals, with _ for a hyphen. The exit code is the command's own;
    128 and the signal's number when a signal ended it, 127 when it was not found, 126 when it cannot be run, 2 when the
    mock does not start.

    Example: fla-mock exec -- pytest tests/integration
    """
    import tempfile  # noqa: PLC0415 - for this command only

    options = ["--tls"] if tls else []
    options += ["--log-level", log_level]
    once = {
        "--world": world,
        "--policy": policy,
        "--keys": keys,
        "--unknown-query": unknown_query,
        "--unknown-members": unknown_members,
        "--read-only": read_only,
        "--rules": rules,
    }
    often = {
        "--account": account,
        "--set": change,
        "--contract": contract,
        "--service": service,
        "--parameter": parameter,
    }
    for name, value in once.items():
        options += [] if value is None else [name, str(value)]
    for name, values in often.items():
        options += [part for value in values or () for part in (name, value)]
    with _Signals() as signals:
        try:
            folder = tempfile.TemporaryDirectory(prefix="fla-mock-", ignore_cleanup_errors=True)
        except OSError as error:
            stop(f"there is no place for temporary files: {error.strerror}. Name a folder in TMPDIR.")
        with folder as path:
            ca_file = _folder_of_keys(keys) / "tls" / "ca.pem" if tls else None
            status = _run(command, options, Path(path), ca_file, signals)
    raise typer.Exit(status)


def _folder_of_keys(keys: Path | None) -> Path:
    default: Path = Settings.model_fields["keys"].default
    return (keys or Path(os.environ.get("FLA_MOCK_KEYS") or default)).absolute()


class _Signals:
    """Keeps signals from ending this process: they are the command's, and before there is one, a reason to stop."""

    def __init__(self) -> None:
        self.first: int | None = None
        """What came while there was no command to pass it on to."""
        self._command: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            # Who is started with nohup stays deaf, and so does the command.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, command: subprocess.Popen[bytes]) -> None:
        """From now on, let the command have the signals."""
        self._command = command
        if self.first is not None:
            command.send_signal(self.first)

    def _handle(self, number: int, _: object) -> None:
        if self._command is None:
            self.first = self.first or number
        elif not (number == signal.SIGINT and _is_in_the_foreground()):
            self._command.send_signal(number)


def _is_in_the_foreground() -> bool:
    """Whether Ctrl-C in the terminal reaches the command too, which would otherwise get it twice."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except (OSError, AttributeError):
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _run(command: Sequence[str], options: Sequence[str], folder: Path, ca_file: Path | None, signals: _Signals) -> int:
    with _served(options, folder, signals) as url:
        if url is None:
            return _KILLED + (signals.first or 0)
        variables = _variables(url, folder, ca_file)
        try:
            process = subprocess.Popen(command, env=_inherited(_OF_THE_MOCK) | variables)  # noqa: S603 - as asked for
        except OSError as error:
            return _cannot_run(command[0], error)
        signals.pass_on_to(process)
        status = process.wait()
    return _KILLED - status if status < 0 else status


def _inherited(without: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in without and not name.startswith(_API_URL)}


def _cannot_run(name: str, error: OSError) -> int:
    import shutil  # noqa: PLC0415 - for a message only

    # A script that is there, but whose interpreter is not, is not found either.
    if isinstance(error, FileNotFoundError) and shutil.which(name) is None:
        typer.echo(plain(f"fla-mock: {name}: no such command"), err=True)
        return _NOT_FOUND
    typer.echo(plain(f"fla-mock: {name}: cannot be run: {error.strerror}"), err=True)
    return _NOT_EXECUTABLE


@contextmanager
def _served(options: Sequence[str], folder: Path, signals: _Signals) -> Iterator[str | None]:
    """Run a mock while the context lasts; gives its URL, None when a signal came before it was up."""
    ready = folder / "ready"
    arguments = ["serve", "--host", "127.0.0.1", "--port", "0"]
    arguments += ["--ready-file", str(ready), "--demo-json", str(folder / "demo.json"), *options]
    # -P: no module in the current folder takes the place of one of ours. The session of its own keeps a terminal's
    # Ctrl-C away from the mock, which is still needed while the command ends.
    server = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-c", f"from {__name__} import serve_until_left as s; s()", *arguments],
        env={name: value for name, value in os.environ.items() if _is_heeded(name)},
        stdin=subprocess.PIPE,
        stdout=_STANDARD_ERROR,
        start_new_session=True,
    )
    try:
        yield _await_ready(server, ready, signals)
    finally:
        _stop_server(server)


def _is_heeded(name: str) -> bool:
    return name in _HEEDED or not name.startswith("FLA_MOCK_")


def _await_ready(server: subprocess.Popen[bytes], ready: Path, signals: _Signals) -> str | None:
    for _ in range(int(_START_SECONDS / _POLL_SECONDS)):
        if signals.first is not None:
            return None
        if ready.exists():
            return ready.read_text(encoding="utf-8")
        try:
            # Waits for the end of the process, so that its failure is seen at once.
            status = server.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        stop(f"the mock did not start, so the command was not run (its exit code is {status}).")
    return stop(f"the mock is not up after {_START_SECONDS} seconds, so the command was not run.")


def _stop_server(server: subprocess.Popen[bytes]) -> None:
    if server.stdin is not None:
        server.stdin.close()
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _variables(url: str, folder: Path, ca_file: Path | None) -> dict[str, str]:
    """Return what the command is told about the mock."""
    demo = folder / "demo.json"
    is_demo = demo.exists()
    told = json.loads(demo.read_text(encoding="utf-8")) if is_demo else _told_by(url, ca_file)
    apis = {name: str(address) for name, address in told["apis"].items()}
    found = {
        "FLA_TOKEN_URL": told["token_url"],
        "FLA_AUDIENCE": told["audience"],
        "FLA_EMPLOYER_URL": apis.pop(EMPLOYER_API),
        "FLA_TRAINING_PROVIDER_URL": apis.pop(TRAINING_PROVIDER_API),
        **{f"{_API_URL}{name.upper().replace('-', '_')}": address for name, address in apis.items()},
        "FLA_DEMO_JSON": demo if is_demo else None,
        "FLA_CA_FILE": ca_file,
        "FLA_MOCK_URL": url,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def _told_by(url: str, ca_file: Path | None) -> Mapping[str, Any]:
    """Return the URLs of a mock without a demo world, under the names that demo.json has for them."""
    mock = Remote(url, ca_file=None if ca_file is None else str(ca_file))
    world: Mapping[str, Any] = mock.ask("GET", mock.here())
    return {name: world[name] for name in ("token_url", "audience", "apis")}


def serve_until_left() -> NoReturn:
    """Serve until standard input ends, which it does when whoever holds its other end is gone, however it went."""
    import threading  # noqa: PLC0415 - for the mock of `exec` only

    from mock_server.__main__ import main  # noqa: PLC0415 - as above

    def watch() -> None:
        # Not sys.stdin, whose lock would be held when the interpreter ends.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    for_a_command.set(True)
    threading.Thread(target=watch, daemon=True).start()
    sys.argv[0] = "fla-mock"
    main()
    sys.exit()
