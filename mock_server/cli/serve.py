"""`fla-mock serve`."""

import gc
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mock_server.cli.output import stop
from mock_server.redaction import shown
from mock_server.settings import Settings

if TYPE_CHECKING:
    from socket import socket

    from mock_server.app import Mock
    from mock_server.cli.banner import Banner
    from mock_server.tls import ServerIdentity


for_a_command: ContextVar[bool] = ContextVar("for_a_command", default=False)
"""Whether this server is one command's own, so that nobody is to be told what to try with it."""

_SECRET = {"admin_token", "store"}
"""Settings whose values are not shown."""


def flag(name: str, about: str | None = None, **more: Any) -> Any:  # noqa: ANN401 - stands where typer's Option does
    """Return the option of a setting, with its default, and the setting's own help or what is said `about` it here."""
    field = Settings.model_fields[name]
    default = field.default if field.default not in (None, ()) else "none"
    help_text = f"{about or field.description} [default: {default}; FLA_MOCK_{name.upper()}]"
    return typer.Option(f"--{name.replace('_', '-')}", help=help_text, show_default=False, **more)


World = Annotated[str | None, flag("world")]
Contracts = Annotated[list[str] | None, flag("contract", metavar="NAME=FILE")]
Services = Annotated[list[str] | None, flag("service", metavar="NAME=FILE")]
Parameters = Annotated[list[str] | None, flag("parameter", metavar="[API:]NAME=WHAT")]
UnknownQuery = Annotated[str | None, flag("unknown_query", metavar="refuse|ignore")]
UnknownMembers = Annotated[str | None, flag("unknown_members", metavar="contract|refuse")]
ReadOnly = Annotated[str | None, flag("read_only", metavar="refuse|ignore")]
Rules = Annotated[str | None, flag("rules", metavar="all|documented")]
OwnAccounts = Annotated[list[str] | None, flag("account", metavar="MEMBERS")]
Environment = Annotated[str | None, flag("environment", metavar="acceptance|production|simulation")]
Policy = Annotated[str | None, flag("policy", metavar="documented|lenient|strict")]
PolicyChange = Annotated[list[str] | None, flag("set", metavar="NAME=VALUE")]
Keys = Annotated[Path | None, flag("keys")]


def settings_from(**given: Any) -> Settings:  # noqa: ANN401 - validated here
    """Return the settings of a command line; what was not given comes from the environment. Stops on a bad value."""
    from pydantic import ValidationError  # noqa: PLC0415 - loaded by then

    try:
        settings = Settings(**{name: value for name, value in given.items() if value not in (None, [])})
    except ValidationError as error:
        stop("; ".join(_fault(fault) for fault in error.errors(include_url=False)))
    try:
        settings.token_policy()
    except ValidationError as error:
        stop("; ".join(f"--set (or FLA_MOCK_SET): {_fault(fault)}" for fault in error.errors(include_url=False)))
    return settings


def _fault(fault: Any) -> str:  # noqa: ANN401 - pydantic's own dictionary
    from mock_server.cli.faulty_settings import sentence  # noqa: PLC0415 - when there is a fault only

    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    option = f"--{name.replace('_', '-')} (or FLA_MOCK_{name.upper()})" if name in Settings.model_fields else name
    told = f"{option}: {sentence(name, fault)}"
    return told if name in _SECRET else f"{told}; found {shown(fault['input'])}"


def serve(  # noqa: PLR0913 - each is a setting
    *,
    host: Annotated[str | None, flag("host")] = None,
    port: Annotated[int | None, flag("port", min=0, max=65535)] = None,
    world: World = None,
    account: OwnAccounts = None,
    public_url: Annotated[str | None, flag("public_url")] = None,
    allowed_host: Annotated[list[str] | None, flag("allowed_host")] = None,
    environment: Environment = None,
    policy: Policy = None,
    change: PolicyChange = None,
    keys: Keys = None,
    ready_file: Annotated[Path | None, flag("ready_file")] = None,
    log_level: Annotated[str | None, flag("log_level", metavar="debug|info|warning|error")] = None,
    contract: Contracts = None,
    service: Services = None,
    parameter: Parameters = None,
    unknown_query: UnknownQuery = None,
    unknown_members: UnknownMembers = None,
    read_only: ReadOnly = None,
    rules: Rules = None,
    employer_path: Annotated[str | None, flag("employer_path")] = None,
    training_provider_path: Annotated[str | None, flag("training_provider_path")] = None,
    training_provider_scope: Annotated[str | None, flag("training_provider_scope")] = None,
    max_body_bytes: Annotated[int | None, flag("max_body_bytes")] = None,
    body_timeout: Annotated[float | None, flag("body_timeout")] = None,
    store: Annotated[str | None, flag("store", metavar="URL")] = None,
    workers: Annotated[int | None, flag("workers", min=1, max=64)] = None,
    admin_token: Annotated[str | None, flag("admin_token", metavar="TOKEN")] = None,
    tls: Annotated[bool | None, flag("tls")] = None,
    tls_untrusted: Annotated[bool | None, flag("tls_untrusted")] = None,
    demo_json: Annotated[Path | None, flag("demo_json", metavar="FILE")] = None,
    journal_size: Annotated[int | None, flag("journal_size")] = None,
    journal_body_bytes: Annotated[int | None, flag("journal_body_bytes")] = None,
) -> None:
    """Start the mock server.

    Without options it serves the demo world: the guide's examples, with keys made at the first start. Ctrl-C stops it.

    Example: fla-mock serve --port 9000 --policy lenient

    Example: fla-mock serve --world world.toml --store sqlite:///mock.db

    Example: fla-mock serve --contract fla-employer=official.json
    """
    settings = settings_from(
        host=host,
        port=port,
        world=world,
        account=account,
        public_url=public_url,
        allowed_host=allowed_host,
        environment=environment,
        policy=policy,
        set=change,
        keys=keys,
        ready_file=ready_file,
        log_level=log_level,
        contract=contract,
        service=service,
        parameter=parameter,
        unknown_query=unknown_query,
        unknown_members=unknown_members,
        read_only=read_only,
        rules=rules,
        employer_path=employer_path,
        training_provider_path=training_provider_path,
        training_provider_scope=training_provider_scope,
        max_body_bytes=max_body_bytes,
        body_timeout=body_timeout,
        store=store,
        workers=workers,
        admin_token=admin_token,
        tls=tls,
        tls_untrusted=tls_untrusted,
        demo_json=demo_json,
        journal_size=journal_size,
        journal_body_bytes=journal_body_bytes,
    )
    run(settings)


def run(settings: Settings) -> None:
    """Serve until a signal comes."""
    from mock_server import server  # noqa: PLC0415 - the server's own libraries are loaded when there is something to serve
    from mock_server.app import StartError, create_mock  # noqa: PLC0415 - as above
    from mock_server.cli import console  # noqa: PLC0415 - as above
    from mock_server.plan import read_plan  # noqa: PLC0415 - as above

    console.configure(settings.log_level)
    _prepare(settings.ready_file)
    identity = _identity(settings)
    try:
        listener = server.bind(settings.host, settings.port)
    except server.AddressError as error:
        stop(str(error))

    def make() -> "Mock":
        ca_file = None if identity is None else identity.ca_file
        base_url = server.base_url(listener, "http" if identity is None else "https")
        return create_mock(settings, base_url=base_url, observer=console.report, ca_file=ca_file, plan=plan)

    with listener:
        try:
            # Once for all processes: a pipe can be read once, and a large file takes its time.
            plan = read_plan(settings)
            mock = make()
        except StartError as error:
            stop(str(error))
        _write_manifest(mock)
        if settings.workers == 1:
            _serve(mock, listener, identity, lambda: _tell(settings, mock.urls.base, lambda: _banner(mock)))
            return
        if not mock.worlds.store.is_shared:
            mock.close()
            stop(
                f"--workers {settings.workers}: several processes need a store that they share: "
                "give --store sqlite:///FILE or --store postgresql+psycopg://USER@HOST/DATABASE."
            )
        _serve_with_workers(settings, mock, make, listener, identity)


def _identity(settings: Settings) -> "ServerIdentity | None":
    if not (settings.tls or settings.tls_untrusted):
        return None
    if settings.tls and settings.tls_untrusted:
        stop("--tls and --tls-untrusted: choose one, a certificate that a CA signed or one that none did.")
    from urllib.parse import urlsplit  # noqa: PLC0415 - loaded by then

    from mock_server import tls  # noqa: PLC0415 - needed with --tls alone
    from mock_server.clock import SystemClock  # noqa: PLC0415 - as above

    public = urlsplit(settings.public_url or "").hostname
    names = [*tls.DEFAULT_NAMES, *tls.platform_names(), *settings.allowed_host, *([public] if public else [])]
    try:
        folder = settings.keys.absolute() / "tls"
        return tls.server_identity(folder, dict.fromkeys(names), SystemClock().now(), trusted=settings.tls)
    except tls.TlsError as error:
        stop(str(error))


def _serve(mock: "Mock", listener: "socket", identity: "ServerIdentity | None", on_started: Callable[[], None]) -> None:
    import asyncio  # noqa: PLC0415 - loaded by then

    from mock_server import server  # noqa: PLC0415 - as above

    gc.freeze()
    gc.enable()
    try:
        asyncio.run(server.Server(mock.application, on_started, identity).serve([listener]))
    finally:
        mock.close()


def _serve_with_workers(
    settings: Settings,
    mock: "Mock",
    make: "Callable[[], Mock]",
    listener: "socket",
    identity: "ServerIdentity | None",
) -> None:
    from mock_server.cli import workers  # noqa: PLC0415 - needed with --workers alone

    base, banner = mock.urls.base, _banner(mock)
    # A connection to the store is not to be shared with children.
    mock.close()
    status = workers.supervise(
        settings.workers,
        lambda on_started: _serve(make(), listener, identity, on_started),
        lambda: _tell(settings, base, lambda: banner),
    )
    raise typer.Exit(status)


def _banner(mock: "Mock") -> "Banner":
    from mock_server.cli.banner import make_banner  # noqa: PLC0415 - what it tells of is loaded by then

    return make_banner(mock, what_next=not for_a_command.get())


def _write_manifest(mock: "Mock") -> None:
    from mock_server.demo.manifest import FILE_NAME, write_manifest  # noqa: PLC0415 - loaded by then

    if mock.demo is None:
        return
    path = mock.settings.demo_json or mock.keys.path / FILE_NAME
    try:
        write_manifest(path.absolute(), mock.demo, mock.urls, mock.services)
    except OSError as error:
        mock.close()
        stop(f"{path}: cannot be written: {error.strerror}. Name another folder with --keys, or file with --demo-json.")


def _prepare(ready_file: Path | None) -> None:
    """Remove a ready file of an earlier start, which would tell of a server that is gone."""
    if ready_file is None:
        return
    if not os.access(ready_file.absolute().parent, os.W_OK):
        stop(f"{ready_file}: its folder is not there, or cannot be written to. Name another with --ready-file.")
    try:
        ready_file.unlink(missing_ok=True)
    except OSError as error:
        stop(f"{ready_file}: cannot be replaced: {error.strerror}. Name another with --ready-file.")


def _tell(settings: Settings, base_url: str, banner: "Callable[[], Banner]") -> None:
    from mock_server.certificates.making import write_whole  # noqa: PLC0415 - loaded by then

    if settings.ready_file is not None:
        write_whole(settings.ready_file, base_url.encode())
    if settings.log_level in {"debug", "info"}:
        # The file goes first: who waits for it does not wait for this.
        banner().show()
        sys.stdout.flush()
