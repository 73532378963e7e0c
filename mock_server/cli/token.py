"""`fla-mock token`: an access token from the running mock, with a demo account's key."""

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import SplitResult, urlencode, urlsplit

import typer

from mock_server.cli.output import EXIT_REFUSED, stop

if TYPE_CHECKING:
    from mock_server.certificates.loading import SigningKey

_TIMEOUT = 10  # seconds
_LIFETIME = 300  # seconds
_MAX_ANSWER = 1_000_000  # bytes
_REFUSAL_SHOWN = 2_000  # characters
_OK = 200
# RFC 7518 §3.4 ties each curve to one algorithm.
_CURVES = {"secp384r1": "ES384", "secp521r1": "ES512"}
_MANIFEST = {"token_url": str, "audience": str, "accounts": list}
_ACCOUNT = {"name": str, "client_id": str, "key": str}
_KINDS = {str: "a text", list: "a list", dict: "an object", int: "a number", float: "a number", bool: "true or false"}


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
    url = manifest["token_url"]
    status, body = _ask(url, _form(entry, manifest["audience"], scope), manifest.get("ca_file"))
    answer = _answer(url, status, body)
    if status != _OK:
        typer.echo(f"fla-mock: refused with {status}: {json.dumps(answer)[:_REFUSAL_SHOWN]}", err=True)
        typer.echo("The server's console says which check failed.", err=True)
        raise typer.Exit(EXIT_REFUSED)
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token.isprintable():
        _stranger(url, status, "no access_token" if access_token is None else "an access_token that is none")
    typer.echo(body.decode() if as_json else access_token)


def read_manifest(keys: Path) -> dict[str, Any]:
    """Read `demo.json` from a key folder: `token_url`, `audience`, and `accounts` with `name`, `client_id` and `key`.

    Ends the program with a message when it is not there, or is something else.
    """
    path = keys / "demo.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        stop(f"{path} is not there: start the demo world here with “fla-mock serve”, or name its folder with --keys.")
    except (ValueError, RecursionError):
        stop(f"{path} is not JSON: start “fla-mock serve” again, and it is written anew.")
    fault = _fault("", manifest, _MANIFEST)
    accounts = [] if fault else manifest["accounts"]
    fault = next(filter(None, (_fault(f"accounts[{n}]", one, _ACCOUNT) for n, one in enumerate(accounts))), fault)
    if not fault and not isinstance(manifest.get("ca_file"), str | None):
        fault = f"expected a text as ca_file, or none, found {_kind(manifest['ca_file'])}"
    if fault:
        stop(f"{path} is not a demo.json: {fault}. Start “fla-mock serve” again, and it is written anew.")
    return dict(manifest)


def find_account(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an account of `demo.json`; ends the program with the known names when there is none of that name."""
    accounts: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in manifest["accounts"]}
    if name not in accounts:
        stop(f"no account is named {name}; there are {', '.join(accounts) or 'none'}")
    return accounts[name]


def _fault(place: str, found: object, members: Mapping[str, type]) -> str | None:
    """Return what an object lacks of its members."""
    if not isinstance(found, dict):
        return f"expected an object{f' as {place}' if place else ''}, found {_kind(found)}"
    for name, kind in members.items():
        if not isinstance(found.get(name), kind):
            where = f"{place}.{name}" if place else name
            return f"expected {_KINDS[kind]} as {where}, found {_kind(found.get(name))}"
    return None


def _kind(value: object) -> str:
    return "none" if value is None else _KINDS[type(value)]


def _form(entry: dict[str, Any], audience: str, scope: str | None) -> bytes:
    import jwt  # noqa: PLC0415 - slow to import

    from mock_server.certificates.files import read_bounded  # noqa: PLC0415 - as above
    from mock_server.certificates.loading import (  # noqa: PLC0415 - as above
        UnreadableCertificateError,
        load_private_key,
    )

    try:
        key = load_private_key(read_bounded(Path(entry["key"])))
    except OSError as error:
        stop(f"{entry['key']} cannot be used: {error.strerror}. Name the folder of the keys with --keys.")
    except UnreadableCertificateError as error:
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
        "client_assertion": jwt.encode(claims, key, _algorithm(key, entry["key"])),
    }
    try:
        return urlencode(form if scope is None else form | {"scope": scope}).encode()
    except UnicodeEncodeError:
        stop(f"--scope: expected text in UTF-8, found “{scope}”: look at the encoding of your shell or script.")


def _algorithm(key: "SigningKey", file: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - slow to import

    if isinstance(key, RSAPrivateKey):
        return "RS256"
    algorithm = _CURVES.get(key.curve.name)
    if algorithm is None:
        stop(
            f"{file} cannot be used: expected an RSA key, or an EC key on P-384 or P-521, found one on "
            f"{key.curve.name}. Make another: fla-mock cert new NAME"
        )
    return algorithm


def _ask(url: str, form: bytes, ca_file: str | None) -> tuple[int, bytes]:
    # http.client, not urllib: a proxy of the environment has no business between this command and a local server.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - slow to import

    parts = _parse(url)
    host, port = parts.hostname or "", parts.port
    connection = (
        HTTPSConnection(host, port, timeout=_TIMEOUT, context=_context(ca_file))
        if parts.scheme == "https"
        else HTTPConnection(host, port, timeout=_TIMEOUT)
    )
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    try:
        connection.request("POST", target, form, {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        return response.status, response.read(_MAX_ANSWER)
    except ConnectionRefusedError as error:
        stop(f"nothing answers at {url} ({error}): start the mock with “fla-mock serve”.")
    except (OSError, HTTPException, UnicodeError) as error:
        advice = "is the mock still there? Start it again with “fla-mock serve”, and demo.json is written anew."
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            advice = f"its certificate is not from the CA of {ca_file or 'this system'} (ca_file in demo.json)."
        stop(f"no answer from {url} ({str(error) or type(error).__name__}): {advice}")
    finally:
        connection.close()


def _parse(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # a port or an address that is none
        pass
    return stop(f"token_url in demo.json: expected a URL of http or https, found “{url}”: start the mock again.")


def _context(ca_file: str | None) -> Any:  # noqa: ANN401 - the type is in ssl, which is imported late
    import ssl  # noqa: PLC0415 - for https only

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl's own errors are of the first kind
        stop(f"{ca_file} (ca_file in demo.json) cannot be used: expected a file of CA certificates, found: {error}.")


def _answer(url: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body.decode())
    except (ValueError, RecursionError):
        _stranger(url, status, "something that is not JSON" if body else "no body")
    if not isinstance(answer, dict):
        _stranger(url, status, f"{_kind(answer)} in place of an object")
    return answer


def _stranger(url: str, status: int, found: str) -> NoReturn:
    stop(f"{url} answered {status} with {found}: is it a fla-mock that listens there?")
