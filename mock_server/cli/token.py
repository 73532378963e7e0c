"""`fla-mock token`: an access token from the running mock, with a demo account's key."""

import json
import time
import uuid
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import typer

from mock_server.cli.output import EXIT_REFUSED, stop

_TIMEOUT = 10  # seconds
_LIFETIME = 300  # seconds


def token(
    account: Annotated[str, typer.Argument(help="Name of an account in demo.json, such as employer.")],
    *,
    keys: Annotated[
        Path, typer.Option(envvar="FLA_MOCK_KEYS", help="Folder that the mock was started with (--keys).")
    ] = Path(".fla-mock"),
    scope: Annotated[str | None, typer.Option(help="Scope to ask for; by default all that the account has.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer.")] = False,
) -> None:
    """Get an access token from the running mock, and print it.

    Exit code: 0 with a token, 1 when it was refused, 2 when nobody could be asked.
    """
    manifest = read_manifest(keys)
    entry = find_account(manifest, account)
    status, body = _ask(manifest["token_url"], _form(entry, manifest["audience"], scope))
    try:
        answer = json.loads(body)
    except ValueError:
        stop(f"{manifest['token_url']} answered {status} without JSON: is it a fla-mock that listens there?")
    if status != 200:  # noqa: PLR2004 - OK
        typer.echo(f"fla-mock: refused with {status}: {json.dumps(answer)}", err=True)
        typer.echo("The server's console says which check failed.", err=True)
        raise typer.Exit(EXIT_REFUSED)
    typer.echo(body.decode() if as_json else answer["access_token"])


def read_manifest(keys: Path) -> dict[str, Any]:
    """Read `demo.json` from a key folder; stops with a message when it is not there."""
    path = keys / "demo.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        stop(f"{path} is not there: start the demo world here with “fla-mock serve”, or name its folder with --keys.")
    except ValueError:
        stop(f"{path} is not JSON: start “fla-mock serve” again, and it is written anew.")
    return manifest


def find_account(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an account of `demo.json`; stops with the known names when there is none of that name."""
    accounts: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in manifest["accounts"]}
    if name not in accounts:
        stop(f"no account is named {name}; there are {', '.join(accounts)}")
    return accounts[name]


def _form(entry: dict[str, Any], audience: str, scope: str | None) -> bytes:
    import jwt  # noqa: PLC0415 - slow to import

    from mock_server.certificates.loading import (  # noqa: PLC0415 - as above
        UnreadableCertificateError,
        load_private_key,
    )

    try:
        key = load_private_key(Path(entry["key"]).read_bytes())
    except (OSError, UnreadableCertificateError) as error:
        stop(f"{entry['key']} cannot be used: {error}")
    claims = {
        "iss": entry["client_id"],
        "sub": entry["client_id"],
        "aud": audience,
        "exp": int(time.time()) + _LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, key, "RS256"),
    }
    return urlencode(form if scope is None else form | {"scope": scope}).encode()


def _ask(url: str, form: bytes) -> tuple[int, bytes]:
    # http.client, not urllib: a proxy of the environment has no business between this command and a local server.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - slow to import

    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        connection.request("POST", parts.path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        return response.status, response.read(1_000_000)
    except (OSError, HTTPException) as error:
        stop(f"nothing answers at {url} ({error}): start the mock with “fla-mock serve”.")
    finally:
        connection.close()
