"""`fla-mock serve`."""

import gc
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mock_server.cli.output import stop
from mock_server.settings import Settings

if TYPE_CHECKING:
    from mock_server.app import Mock


def flag(name: str, **more: Any) -> Any:  # noqa: ANN401 - stands where typer's Option does
    """Return the option of a setting, with the setting's own help and default."""
    field = Settings.model_fields[name]
    default = field.default if field.default not in (None, ()) else "none"
    help_text = f"{field.description} [default: {default}; FLA_MOCK_{name.upper()}]"
    return typer.Option(f"--{name.replace('_', '-')}", help=help_text, show_default=False, **more)


World = Annotated[str | None, flag("world")]
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
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    option = f"--{name.replace('_', '-')} (or FLA_MOCK_{name.upper()})" if name in Settings.model_fields else name
    return f"{option}: {fault['msg'].removeprefix('Value error, ')}; found {fault['input']!r}"


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
    employer_path: Annotated[str | None, flag("employer_path")] = None,
    training_provider_path: Annotated[str | None, flag("training_provider_path")] = None,
    training_provider_scope: Annotated[str | None, flag("training_provider_scope")] = None,
    max_body_bytes: Annotated[int | None, flag("max_body_bytes")] = None,
    body_timeout: Annotated[float | None, flag("body_timeout")] = None,
) -> None:
    """Start the mock server.

    Without options it serves the demo world: the guide's examples, with keys made at the first start. Ctrl-C stops it.
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
        employer_path=employer_path,
        training_provider_path=training_provider_path,
        training_provider_scope=training_provider_scope,
        max_body_bytes=max_body_bytes,
        body_timeout=body_timeout,
    )
    run(settings)


def run(settings: Settings) -> None:
    """Serve until a signal comes."""
    import asyncio  # noqa: PLC0415 - the server's own libraries are loaded when there is something to serve

    from mock_server import server  # noqa: PLC0415 - as above
    from mock_server.app import StartError, create_mock  # noqa: PLC0415 - as above
    from mock_server.cli import console  # noqa: PLC0415 - as above
    from mock_server.demo.manifest import write_manifest  # noqa: PLC0415 - as above

    console.configure(settings.log_level)
    _prepare(settings.ready_file)
    try:
        listener = server.bind(settings.host, settings.port)
    except server.AddressError as error:
        stop(str(error))
    with listener:
        try:
            mock = create_mock(settings, base_url=server.base_url(listener), observer=console.report)
        except StartError as error:
            stop(str(error))
        try:
            if mock.demo is not None:
                write_manifest(mock.keys.path, mock.demo, mock.urls, mock.services)
        except OSError as error:
            stop(f"{mock.keys.path}: cannot be written: {error.strerror}. Name another folder with --keys.")
        gc.freeze()
        gc.enable()
        try:
            asyncio.run(server.Server(mock.application, lambda: _tell(mock)).serve([listener]))
        finally:
            mock.close()


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


def _tell(mock: "Mock") -> None:
    from mock_server.certificates.making import write_whole  # noqa: PLC0415 - loaded by then

    if mock.settings.ready_file is not None:
        write_whole(mock.settings.ready_file, mock.urls.base.encode())
    if mock.settings.log_level in {"debug", "info"}:
        typer.echo(_banner(mock))
        sys.stdout.flush()


def _banner(mock: "Mock") -> str:
    urls = mock.urls
    lines = [
        f"fla-mock serves {urls.base}  (world {mock.settings.world}, policy {mock.settings.policy})",
        f"  token URL and audience   {urls.token}",
        f"  employers' API           {urls.employer}",
    ]
    lines += [f"    {operation.name}" for operation in mock.contract.operations]
    if mock.demo is None:
        lines += ["", "Try next: curl " + f"{urls.base}/health"]
        return "\n".join(lines)
    keys = shlex.quote(str(mock.keys.path))
    option = "" if mock.keys.path == Path(".fla-mock").absolute() else f" --keys {keys}"
    lines += [
        f"  keys and demo.json       {mock.keys.path}",
        "",
        "Try next, in another terminal:",
        f"  fla-mock token employer{option}",
    ]
    return "\n".join(lines)
