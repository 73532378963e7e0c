"""`fla-mock cert`: making, checking and showing certificates (G§4.4.1, G§7.3.2)."""

import datetime as dt
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from mock_server.cli.output import EXIT_REFUSED, print_json, print_trail, stop, trail_as_json
from mock_server.clock import SystemClock

# The cryptography library and rich are imported where they are used: every command line pays for what stands here.
if TYPE_CHECKING:
    from cryptography import x509

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Make, check and show certificates.",
)


KeyKind = Literal["rsa-2048", "rsa-3072", "rsa-4096", "ec-p384", "ec-p521"]
"""The kinds of key that `cert new` makes; those of `making.KEY_KINDS`, known without importing it."""

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A .cer, .crt, .pem, .pfx or .p12 file.", show_default=False)
]
Password = Annotated[
    str | None,
    typer.Option(
        envvar="FLA_MOCK_PFX_PASSWORD",
        help="The password of the PFX. When not given: none, then “changeit”.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")]


@dataclass(frozen=True, slots=True)
class _Held:
    """What a file of any kind holds."""

    certificate: "x509.Certificate"
    alias: str | None = None
    further: int = 0
    """How many other certificates the file holds."""
    is_pfx: bool = False
    holds_key: bool = False


@app.command()
def new(  # noqa: PLR0913 - each is an option of the command
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The name of the files, and the alias in the PFX.", show_default=False)
    ],
    *,
    out: Annotated[Path, typer.Option(help="The folder to write in; made when it is not there.")] = Path(),
    key: Annotated[KeyKind, typer.Option(help="The kind of key.")] = "rsa-2048",
    common_name: Annotated[str | None, typer.Option(help="The subject's common name. Default: NAME.")] = None,
    organization: Annotated[str | None, typer.Option(help="The enterprise's name. Default: the common name.")] = None,
    enterprise_number: Annotated[str | None, typer.Option(help="The enterprise's number, 10 digits.")] = None,
    days: Annotated[int, typer.Option(help="For how many days it is valid.")] = 730,
    start: Annotated[
        dt.datetime | None,
        typer.Option("--from", metavar="DATE", help="From when it is valid, in UTC. Default: now.", show_default=False),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="FLA_MOCK_PFX_PASSWORD",
            help="The password of the PFX. Default: “changeit”; these are test keys.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a key and a self-signed test certificate: NAME.key, NAME.cer and NAME.pfx.

    ChaMan's rules accept it. The .key is PKCS#8 in PEM, not encrypted; the .cer is DER; the .pfx holds both.

    Example: fla-mock cert new my --organization "My Company" --enterprise-number 1999010048
    """
    from mock_server.certificates import making  # noqa: PLC0415 - slow to import
    from mock_server.identifiers import parse_enterprise_number  # noqa: PLC0415 - imports stdnum

    try:
        files = making.identity_paths(out, name)
        number = None if enterprise_number is None else parse_enterprise_number(enterprise_number)
        existing = [path for path in (files.key, files.certificate, files.pfx) if path.exists()]
        if existing and not force:
            names = ", ".join(path.name for path in existing)
            _stop(f"{names} in {out.absolute()} would be overwritten: choose another name or folder, or give --force.")
        private_key = making.make_key(key)
        certificate = making.make_certificate(
            private_key,
            common_name=common_name or name,
            organization=organization or common_name or name,
            enterprise_number=number,
            not_before=_moment(start),
            days=days,
        )
        making.write_identity(out, name, private_key, certificate, password or making.DEFAULT_PASSWORD)
    except ValueError as error:
        _stop(f"{error}.")
    except OSError as error:
        _stop(f"cannot write in {out.absolute()}: {error.strerror or error}. Give another folder with --out.")

    if as_json:
        members = _members(_Held(certificate, name, is_pfx=True, holds_key=True))
        paths = {"key_file": files.key, "certificate_file": files.certificate, "pfx_file": files.pfx}
        print_json({member: str(path) for member, path in paths.items()} | members)
        return
    told = "the password you gave" if password else f"password “{making.DEFAULT_PASSWORD}” (set it with --password)"
    account = f"client_id={name},capacity=employer,enterprise={number or 'NUMBER'},cert={files.certificate}"
    _print_rows(
        {
            "key": f"{files.key}  (secret: it signs the client assertions)",
            "certificate": f"{files.certificate}  (public: this is what ChaMan asks for)",
            "pfx": f"{files.pfx}  (secret: both, alias “{name}”, {told})",
        }
    )
    _print("Next, start the mock with an account for it:")
    _print(f"  fla-mock serve --account {shlex.quote(account)}")


@app.command()
def check(
    file: FileArgument,
    *,
    password: Password = None,
    at: Annotated[dt.datetime | None, typer.Option(metavar="DATE", help="Judge as of this day or time (UTC).")] = None,
    as_json: Json = False,
) -> None:
    """Tell whether ChaMan's rules accept a certificate, and why not.

    Exit code: 0 accepted, 1 would be refused, 2 the file could not be read.

    Example: fla-mock cert check my.cer --at 2027-01-01
    """
    from mock_server.certificates.acceptance import judge  # noqa: PLC0415 - slow to import

    held = _load(file, password)
    trail = judge(held.certificate, _moment(at))
    if as_json:
        print_json(trail_as_json(trail))
    else:
        print_trail(trail)
        if held.holds_key:
            _print(_SECRET)
        _print(*("Accepted.", "bold green") if trail.accepted else ("Would be refused.", "bold red"))
    if not trail.accepted:
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def show(
    file: FileArgument,
    *,
    cer: Annotated[
        Path | None,
        typer.Option(metavar="OUT.cer", help="Write the certificate to this file, in DER.", show_default=False),
    ] = None,
    password: Password = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Print what a certificate or PFX holds: alias, subject, algorithm, dates; and write its .cer.

    The .cer is the form in which ChaMan asks for a certificate.

    Example: fla-mock cert show my.pfx --cer my.cer
    """
    held = _load(file, password)
    members = _members(held)
    if cer is not None:
        members["certificate_file"] = str(_write_cer(held.certificate, cer, force=force))
    if as_json:
        print_json(members)
        return
    if held.alias is None:
        members["alias"] = "none (Java's KeyStore calls it “1”)" if held.is_pfx else "none (only a PFX has one)"
    members["holds_private_key"] = "yes" if held.holds_key else "no"
    _print_rows({member.replace("_", " "): str(value) for member, value in members.items()})
    if held.holds_key:
        _print(_SECRET)


_SECRET = "This file holds a private key too: keep it to yourself, and give others the .cer only."  # noqa: S105 - no secret


def _load(file: Path, password: str | None) -> _Held:
    from mock_server.certificates import files, loading, making, parsing  # noqa: PLC0415 - slow to import

    try:
        data = files.read_bounded(file)
    except OSError as error:
        _stop(f"cannot read {file}: {error.strerror or error}. Give the path of a .cer, .crt, .pem or .pfx file.")

    try:
        if parsing.recognize(data) is not parsing.Kind.PFX:
            blocks = parsing.pem_labels(data).count(b"CERTIFICATE")
            return _Held(
                loading.load_certificate(data), None, max(blocks - 1, 0), holds_key=parsing.holds_private_key(data)
            )
        try:
            bundle = loading.load_pfx(data, password)
        except loading.WrongPasswordError:
            if password:
                raise
            bundle = loading.load_pfx(data, making.DEFAULT_PASSWORD)
    except loading.WrongPasswordError:
        if password:
            _stop(f"cannot read {file}: the password does not fit. Check capitals and keyboard layout.")
        _stop(f"cannot read {file}: it needs a password. Give --password, or set FLA_MOCK_PFX_PASSWORD.")
    except loading.UnreadableCertificateError as error:
        _stop(f"cannot read {file}: {error}")
    return _Held(bundle.certificate, bundle.alias, len(bundle.chain), is_pfx=True, holds_key=True)


def _members(held: _Held) -> dict[str, object]:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - slow to import

    from mock_server.certificates import acceptance, parsing  # noqa: PLC0415 - slow to import

    certificate = held.certificate
    with parsing.quiet():
        return {
            "alias": held.alias,
            "subject": acceptance.describe_name(certificate.subject),
            "issuer": acceptance.describe_name(certificate.issuer),
            "serial_number": f"{certificate.serial_number:x}",
            "key": acceptance.describe_certificate_key(certificate),
            "signature_digest": acceptance.describe_digest(certificate),
            "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
            "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            "sha256_fingerprint": certificate.fingerprint(SHA256()).hex(":").upper(),
            "holds_private_key": held.holds_key,
            "further_certificates": held.further,
        }


def _write_cer(certificate: "x509.Certificate", target: Path, *, force: bool) -> Path:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - slow to import

    from mock_server.certificates.making import write_whole  # noqa: PLC0415 - slow to import

    target = target.absolute()
    try:
        if target.is_file() and not force:
            _stop(f"{target} would be overwritten: choose another name, or give --force.")
        write_whole(target, certificate.public_bytes(Encoding.DER))
    except OSError as error:
        _stop(f"cannot write {target}: {error.strerror or error}. Give another path with --cer.")
    return target


def _moment(chosen: dt.datetime | None) -> float:
    return SystemClock().now() if chosen is None else chosen.replace(tzinfo=dt.UTC).timestamp()


def _print_rows(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    for label, text in rows.items():
        _print(f"{label:<{width}}  {text}")


def _print(text: str, style: str | None = None) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import

    from mock_server.certificates.acceptance import printable  # noqa: PLC0415 - slow to import

    # Markup, emoji codes and wrapping are off: values stand in this text, and people paste it.
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    console.print(printable(text), style=style)


def _stop(message: str) -> NoReturn:
    from mock_server.certificates.acceptance import printable  # noqa: PLC0415 - slow to import

    stop(printable(message))
