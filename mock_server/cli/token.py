"""`fla-mock token`: an access token from the running mock, with a demo account's key or any other."""

import json
import os
import shlex
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import typer

from mock_server.cli.http import NoAnswerError, TooLargeError, certificate_advice, send
from mock_server.cli.manifest import find_account, kind, manifest_path, read_manifest
from mock_server.cli.output import EXIT_REFUSED, stop
from mock_server.cli.printing import plain
from mock_server.cli.remote import DEFAULT_URL, header_value, parse_url

if TYPE_CHECKING:
    from mock_server.certificates.loading import SigningKey

_TIMEOUT = 10  # seconds
_LIFETIME = 300  # seconds
_MAX_ANSWER = 1_000_000  # bytes
_OK = 200
_DEFAULT_WORLD = "default"
_TOKEN_PATH = "/REST/oauth/v5/token"  # noqa: S105 - a path, as in `oauth.endpoint`
# RFC 7518 §3.4 ties each curve to one algorithm.
_CURVES = {"secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class _Signer:
    """Who asks, and the file of the key that it signs with."""

    client_id: str
    key_file: Path
    advice: str
    """What to do when the file is not there."""
    may_be_pfx: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a token is asked for."""

    url: str
    """The token URL."""
    audience: str
    base: str | None
    """The URL of the mock; None when it is not known."""
    world: str
    ca_file: str | None
    ca_named_in: str
    token_url_named_in: str


def token(  # noqa: PLR0913 - each is an option of the command
    account: Annotated[
        str | None,
        typer.Argument(
            metavar="ACCOUNT", help="Name of an account in demo.json, such as employer.", show_default=False
        ),
    ] = None,
    *,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the mock was started with (--keys), where demo.json is. Default: the file in "
            "FLA_DEMO_JSON, else the folder in FLA_MOCK_KEYS, else .fla-mock.",
            show_default=False,
        ),
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Any account, with --key; demo.json is not read then.", show_default=False),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Its private key: .key, .pem, or .pfx (password in FLA_MOCK_PFX_PASSWORD).",
            show_default=False,
        ),
    ] = None,
    world: Annotated[
        str | None, typer.Option(envvar="FLA_WORLD", metavar="NAME", help="The world that gives it.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="FLA_MOCK_URL",
            metavar="URL",
            help=f"Where the mock is. Default: as demo.json says; with --client-id {DEFAULT_URL}.",
        ),
    ] = None,
    scope: Annotated[str | None, typer.Option(help="Scope to ask for; by default all that the account has.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer.")] = False,
) -> None:
    """Get an access token from the running mock, and print it.

    Exit code: 0 with a token, 1 when it was refused, 2 when nobody could be asked.

    Example: fla-mock token employer

    Example: fla-mock token --client-id my_client --key my.key --world test-1
    """
    if client_id is None and key is None:
        if account is None:
            stop("say for which account: ACCOUNT, a name in demo.json, or --client-id and --key.")
        manifest = read_manifest(manifest_path(keys))
        entry = find_account(manifest, account)
        signer = _Signer(entry["client_id"], Path(entry["key"]), "Name the folder of the keys with --keys.")
    else:
        if account is not None or keys is not None:
            stop("ACCOUNT and --keys are about demo.json, --client-id and --key about any account: give either.")
        if client_id is None or key is None:
            stop("--client-id and --key go together: the account, and the private key of one of its certificates.")
        manifest = {}
        signer = _Signer(client_id, key, "Name the file of the private key with --key.", may_be_pfx=True)
    place = _place(manifest, url, world)
    status, headers, body = _ask(place, _form(signer, place, scope))
    answer = _answer(place.url, status, body)
    if status != _OK:
        _refused(place, status, headers, answer)
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token.isprintable():
        _stranger(place.url, status, "no access_token" if access_token is None else "an access_token that is none")
    typer.echo(body.decode() if as_json else access_token)


# Where to ask


def _place(manifest: Mapping[str, Any], url: str | None, world: str | None) -> _Place:
    own = manifest.get("mock_url") if manifest else DEFAULT_URL
    base = own if url is None else url
    ca_file, named_in = manifest.get("ca_file"), "ca_file in demo.json"
    if ca_file is None and (not manifest or os.environ.get("FLA_CA_FILE")):
        ca_file, named_in = os.environ.get("FLA_CA_FILE") or None, "FLA_CA_FILE"
    name = world or _DEFAULT_WORLD
    if manifest and name == _DEFAULT_WORLD and (url is None or _is_same(url, own)):
        audience = manifest["audience"]
        return _Place(manifest["token_url"], audience, base, name, ca_file, named_in, "token_url in demo.json")
    if base is None:
        stop("demo.json does not say where the mock is (mock_url): say it with --url.")
    base = parse_url(base).geturl().rstrip("/")
    prefix = "" if name == _DEFAULT_WORLD else f"/worlds/{quote(name, safe='')}"
    guessed = f"{base}{prefix}{_TOKEN_PATH}"
    place = _Place(guessed, guessed, base, name, ca_file, named_in, "the token URL of the mock")
    told = _control(place, "") or {}
    found, audience = told.get("token_url"), told.get("audience")
    if not isinstance(found, str) or not isinstance(audience, str):
        return place
    return _Place(found, audience, base, name, ca_file, named_in, place.token_url_named_in)


def _is_same(url: str, other: str | None) -> bool:
    return other is not None and url.rstrip("/") == other.rstrip("/")


def _control(place: _Place, path: str) -> dict[str, Any] | None:
    """Ask the control API about the world; None when it cannot be asked, which is no reason not to go on."""
    if place.base is None:
        return None
    parts = parse_url(place.base)
    secret = os.environ.get("FLA_MOCK_ADMIN_TOKEN")
    headers = {"Accept": "application/json"}
    if secret:
        headers["Authorization"] = f"Bearer {header_value(secret)}"
    target = f"{parts.path.rstrip('/')}/_mock/worlds/{quote(place.world, safe='')}{path}"
    try:
        status, _, body = _send(place, parts, "GET", target, None, headers)
        found = json.loads(body) if status == _OK else None
    except (NoAnswerError, TooLargeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _now(place: _Place) -> float:
    """Return the time by the world's clock when it can be asked, real time otherwise. Unix seconds."""
    told = (_control(place, "/clock") or {}).get("timestamp")
    return float(told) if isinstance(told, int | float) else time.time()


# What is sent


def _form(signer: _Signer, place: _Place, scope: str | None) -> bytes:
    import jwt  # noqa: PLC0415 - slow to import

    key = _key(signer)
    claims = {
        "iss": signer.client_id,
        "sub": signer.client_id,
        "aud": place.audience,
        "exp": int(_now(place)) + _LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, key, _algorithm(key, signer.key_file)),
    }
    try:
        return urlencode(form if scope is None else form | {"scope": scope}).encode()
    except UnicodeEncodeError:
        stop(f"--scope: expected text in UTF-8, found “{scope}”: look at the encoding of your shell or script.")


def _key(signer: _Signer) -> "SigningKey":
    from mock_server.certificates.files import read_bounded  # noqa: PLC0415 - slow to import
    from mock_server.certificates.loading import (  # noqa: PLC0415 - as above
        UnreadableCertificateError,
        WrongPasswordError,
        load_pfx,
        load_private_key,
        signing_key,
    )
    from mock_server.certificates.making import DEFAULT_PASSWORD  # noqa: PLC0415 - as above
    from mock_server.certificates.parsing import Kind, recognize  # noqa: PLC0415 - as above

    password = os.environ.get("FLA_MOCK_PFX_PASSWORD") or None
    try:
        data = read_bounded(signer.key_file)
        if not signer.may_be_pfx or recognize(data) is not Kind.PFX:
            return load_private_key(data, password)
        try:
            return signing_key(load_pfx(data, password).key)
        except WrongPasswordError:
            if password is not None:
                raise
            return signing_key(load_pfx(data, DEFAULT_PASSWORD).key)
    except OSError as error:
        stop(f"{signer.key_file} cannot be used: {error.strerror}. {signer.advice}")
    except UnreadableCertificateError as error:
        stop(f"{signer.key_file} cannot be used: {error}{_PASSWORD if signer.may_be_pfx and not password else ''}")


_PASSWORD = " (A password is given in FLA_MOCK_PFX_PASSWORD.)"  # noqa: S105 - no password


def _algorithm(key: "SigningKey", file: Path) -> str:
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


def _send(  # noqa: PLR0913 - each is a part of a request
    place: _Place, parts: SplitResult, method: str, target: str, data: bytes | None, headers: Mapping[str, str]
) -> tuple[int, Mapping[str, str], bytes]:
    return send(
        parts,
        method,
        target,
        data,
        headers,
        ca_file=place.ca_file,
        ca_named_in=place.ca_named_in,
        timeout=_TIMEOUT,
        limit=_MAX_ANSWER,
    )


def _ask(place: _Place, form: bytes) -> tuple[int, Mapping[str, str], bytes]:
    parts = _parse(place)
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        return _send(place, parts, "POST", target, form, headers)
    except TooLargeError:
        stop(f"{place.url} answers with more than {_MAX_ANSWER} bytes: is it a fla-mock that listens there?")
    except NoAnswerError as error:
        if error.is_refused:
            stop(f"nothing answers at {place.url} ({error}): start the mock with “fla-mock serve”.")
        advice = "is the mock still there? Start it again with “fla-mock serve”, and demo.json is written anew."
        ca = f"its certificate is not from the CA of {place.ca_file or 'this system'} ({place.ca_named_in})."
        stop(f"no answer from {place.url} ({error}): {certificate_advice(error, ca) or advice}")


def _parse(place: _Place) -> SplitResult:
    try:
        parts = urlsplit(place.url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # a port or an address that is none
        pass
    return stop(
        f"{place.token_url_named_in}: expected a URL of http or https, found “{place.url}”: start the mock again."
    )


# What came


def _answer(url: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body.decode())
    except (ValueError, RecursionError):
        _stranger(url, status, "something that is not JSON" if body else "no body")
    if not isinstance(answer, dict):
        _stranger(url, status, f"{kind(answer)} in place of an object")
    return answer


def _refused(place: _Place, status: int, headers: Mapping[str, str], answer: Mapping[str, Any]) -> NoReturn:
    error = answer.get("error") or answer.get("title")
    detail = answer.get("error_description") or answer.get("detail")
    told = ": ".join(text for text in (error, detail) if isinstance(text, str))
    typer.echo(plain(f"fla-mock: refused with {status}{f' {told}' if told else ''}"), err=True)
    number = headers.get("mock-exchange", "")
    if number.isascii() and number.isdigit():
        command = ["fla-mock", "exchange", number]
        command += [] if place.world == _DEFAULT_WORLD else ["--world", place.world]
        known = os.environ.get("FLA_MOCK_URL") or DEFAULT_URL
        command += [] if place.base is None or _is_same(place.base, known) else ["--url", place.base]
        typer.echo(plain(f"  {shlex.join(command)} shows why."), err=True)
    else:
        typer.echo("  The server's console says which check failed.", err=True)
    raise typer.Exit(EXIT_REFUSED)


def _stranger(url: str, status: int, found: str) -> NoReturn:
    stop(f"{url} answered {status} with {found}: is it a fla-mock that listens there?")
