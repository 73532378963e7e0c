"""`demo.json`, which tells a client where the demo world is and with what keys it signs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_server.cli.output import stop

DEFAULT_KEYS = Path(".fla-mock")
_FILE = "demo.json"
_MANIFEST = {"token_url": str, "audience": str, "accounts": list}
_ACCOUNT = {"name": str, "client_id": str, "key": str}
_OPTIONAL = ("ca_file", "mock_url")
_KINDS = {str: "a text", list: "a list", dict: "an object", int: "a number", float: "a number", bool: "true or false"}


def manifest_path(keys: Path | None) -> Path:
    """Return where `demo.json` is: in the folder that is given, else where the environment says, else in `.fla-mock`.

    `FLA_DEMO_JSON` names the file, which is what `fla-mock exec` tells its command, and `FLA_MOCK_KEYS` the folder.
    """
    if keys is not None:
        return keys / _FILE
    named = os.environ.get("FLA_DEMO_JSON")
    return Path(named) if named else Path(os.environ.get("FLA_MOCK_KEYS") or DEFAULT_KEYS) / _FILE


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a `demo.json`: `token_url`, `audience`, and `accounts` with `name`, `client_id` and `key`.

    Ends the program with a message when it is not there, or is something else.
    """
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        stop(f"{path} is not there: start the demo world here with “fla-mock serve”, or name its folder with --keys.")
    except (ValueError, RecursionError):
        stop(f"{path} is not JSON: start “fla-mock serve” again, and it is written anew.")
    fault = _fault("", manifest, _MANIFEST)
    accounts = [] if fault else manifest["accounts"]
    fault = next(filter(None, (_fault(f"accounts[{n}]", one, _ACCOUNT) for n, one in enumerate(accounts))), fault)
    for name in () if fault else _OPTIONAL:
        if not isinstance(manifest.get(name), str | None):
            fault = f"expected a text as {name}, or none, found {kind(manifest[name])}"
    if fault:
        stop(f"{path} is not a demo.json: {fault}. Start “fla-mock serve” again, and it is written anew.")
    return dict(manifest)


def find_account(manifest: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an account of `demo.json`; ends the program with the known names when there is none of that name."""
    accounts: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in manifest["accounts"]}
    if name not in accounts:
        stop(
            f"no account is named {name}; there are {', '.join(accounts) or 'none'}. Any other is named by --client-id "
            "and --key."
        )
    return accounts[name]


def kind(value: object) -> str:
    """Return what sort of JSON a value is, as people say it."""
    return "none" if value is None else _KINDS[type(value)]


def _fault(place: str, found: object, members: Mapping[str, type]) -> str | None:
    """Return what an object lacks of its members."""
    if not isinstance(found, dict):
        return f"expected an object{f' as {place}' if place else ''}, found {kind(found)}"
    for name, wanted in members.items():
        if not isinstance(found.get(name), wanted):
            where = f"{place}.{name}" if place else name
            return f"expected {_KINDS[wanted]} as {where}, found {kind(found.get(name))}"
    return None
