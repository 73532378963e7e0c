"""What `fla-mock serve` says when it is up: where everything is, what guards each route, and what to try next."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mock_server.cli.guards import GuardTable, guard_table
from mock_server.cli.printing import plain
from mock_server.services.guards import guards, scopes_in_words

if TYPE_CHECKING:
    from mock_server.app import Mock

_MOST_ROUTES = 40
"""So many routes of an API are told at the start."""
_COLUMN = 24


@dataclass(frozen=True)
class Banner:
    """Lines and tables, in their order."""

    parts: Sequence[str | GuardTable]

    def show(self) -> None:
        """Print it on standard output."""
        for part in self.parts:
            if isinstance(part, str):
                typer.echo(part)
            else:
                part.show()


def make_banner(mock: "Mock", *, what_next: bool) -> Banner:
    """Return what there is to say about a server that is up; `what_next`: also what can be tried with it."""
    urls = mock.urls
    lines = [
        f"fla-mock serves {urls.base}  (world {mock.settings.world}, policy {mock.settings.policy})",
        _line("token URL and audience", urls.token),
        *(_line(name, url) for name, url in urls.apis.items()),
        _line("control API", _control(mock)),
    ]
    if urls.ca_file is not None:
        lines += [
            _line("CA of its certificate", f"{urls.ca_file}  (for your client alone: never install it system-wide)")
        ]
    if not mock.was_made:
        lines += [_line("state", f"as it was left in {mock.worlds.store.database.shown_url}")]
    keys, demo_json = mock.keys.path, mock.settings.demo_json
    if mock.demo is not None and demo_json is None:
        lines += [_line("keys and demo.json", str(keys))]
    elif mock.demo is not None:
        lines += [_line("keys", str(keys)), _line("demo.json", str(demo_json))]
    parts = [*lines, *_apis(mock)]
    if what_next:
        parts += ["", "Try next, in another terminal:", *(f"  {line}" for line in _next_steps(mock))]
    return Banner(parts)


def _line(label: str, value: str) -> str:
    return f"  {label:<{_COLUMN}} {value}"


def _apis(mock: "Mock") -> list[str | GuardTable]:
    parts: list[str | GuardTable] = []
    for api, contract in mock.channel.apis:
        found = guards(contract, api, mock.services[api.service])
        table = guard_table(found[:_MOST_ROUTES])
        origin = "the mock's own contract" if api.is_ours else str(api.contract)
        parts += ["", plain(f"{api.name}: {contract.title or 'a contract without a title'}, from {origin}")]
        parts += [] if table.has_scopes else [f"scope: {scopes_in_words(found[0].scopes)}"]
        parts.append(table)
        if len(found) > _MOST_ROUTES:
            more = len(found) - _MOST_ROUTES
            said = [f"--parameter={name}={word or 'nothing'}" for name, word in api.reading.holds.items()]
            command = shlex.join(["fla-mock", "contract", str(api.contract), *said])
            parts.append(plain(f"… and {more} more: {command}"))
    return parts


def _next_steps(mock: "Mock") -> list[str]:
    from mock_server.cli.remote import DEFAULT_URL  # noqa: PLC0415 - loaded by then

    base, settings = mock.urls.base, mock.settings
    if settings.tls_untrusted:
        # The other commands verify certificates, and nothing vouches for this one.
        return [shlex.join(["curl", "--insecure", f"{base}/health"])]
    steps = []
    if mock.urls.ca_file is not None:
        steps += [
            f"export FLA_MOCK_URL={shlex.quote(base)}",
            f"export FLA_CA_FILE={shlex.quote(str(mock.urls.ca_file))}",
        ]
    if mock.demo is not None:
        is_usual = mock.keys.path == Path(".fla-mock").absolute()
        keys = [] if is_usual or settings.demo_json else ["--keys", str(mock.keys.path)]
        named = f"FLA_DEMO_JSON={shlex.quote(str(settings.demo_json.absolute()))} " if settings.demo_json else ""
        return [*steps, named + shlex.join(["fla-mock", "token", "employer", *keys])]
    if settings.admin_token is None and not settings.is_loopback:
        return [*steps, shlex.join(["curl", f"{base}/health"])]
    return [*steps, shlex.join(["fla-mock", "exchanges", *([] if steps or base == DEFAULT_URL else ["--url", base])])]


def _control(mock: "Mock") -> str:
    settings = mock.settings
    if settings.admin_token is None and not settings.is_loopback:
        return "switched off: others can reach this address, so it wants --admin-token"
    return f"{mock.urls.base}/_mock/docs" + ("" if settings.admin_token is None else "  (wants the admin token)")
