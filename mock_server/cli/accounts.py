"""`fla-mock account`: the webservice accounts of a world of a running mock, as ChaMan keeps them."""

import base64
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mock_server.cli.output import stop
from mock_server.cli.remote import (
    Capacity,
    ClientIdArgument,
    Remote,
    connected,
    group,
    plain,
    print_rows,
    print_table,
    read_input,
    say,
)

app = group("Make and change webservice accounts: client ids, permissions, certificates.")

ServiceArgument = Annotated[
    str, typer.Argument(metavar="SERVICE", help="What is ticked: fla, dimona …", show_default=False)
]
Fingerprint = Annotated[
    str,
    typer.Argument(
        metavar="FINGERPRINT", help="SHA-256, as “account show” and “cert show” print it.", show_default=False
    ),
]


@app.command("list")
@connected
def list_accounts(
    mock: Remote,
    *,
    enterprise: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only those of this enterprise.")] = None,
    capacity: Annotated[Capacity | None, typer.Option(help="Only those in this capacity.")] = None,
) -> None:
    """List the accounts of a world."""
    query = {"enterprise": enterprise, "capacity": capacity}
    mock.tell(mock.ask_all(mock.here("accounts"), "client_id", query), _show_list)


@app.command("show")
@connected
def show(mock: Remote, client_id: ClientIdArgument) -> None:
    """Show an account with its certificates."""
    mock.tell(mock.ask("GET", mock.here("accounts", client_id)), _show)


@app.command("create")
@connected
def create(  # noqa: PLR0913 - each is a part of an account
    mock: Remote,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    *,
    enterprise: Annotated[str, typer.Option(metavar="NUMBER", help="Whose it is.", show_default=False)],
    capacity: Annotated[Capacity, typer.Option(help="In what role it acts.", show_default=False)],
    permission: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE", help="A service that is ticked; as often as wanted.")
    ] = None,
    cert: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A certificate of it; as often as wanted.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Default: one that the mock makes up.", show_default=False)
    ] = None,
    client_id_form: Annotated[
        Literal["chaman", "expeditor"] | None, typer.Option(help="What a client id that is made up looks like.")
    ] = None,
) -> None:
    """Make an account for an enterprise in one of its capacities.

    Example: fla-mock account create mine --enterprise 1999010048 --capacity employer --permission fla --cert my.cer
    """
    certificates = [{"name": file.name, "der": base64.b64encode(_der(file)).decode()} for file in cert or []]
    body: dict[str, Any] = {"name": name, "permissions": permission or [], "certificates": certificates}
    if client_id is not None:
        body["client_id"] = client_id
    if client_id_form is not None:
        body["client_id_form"] = client_id_form
    path = mock.here("enterprises", enterprise, "capacities", capacity, "accounts")
    mock.tell(mock.ask("POST", path, body=body), _show)


@app.command("rename")
@connected
def rename(
    mock: Remote, client_id: ClientIdArgument, name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
) -> None:
    """Give an account another name; its client id stays."""
    mock.tell(mock.ask("PATCH", mock.here("accounts", client_id), body={"name": name}), _show)


@app.command("delete")
@connected
def delete(mock: Remote, client_id: ClientIdArgument) -> None:
    """Remove an account."""
    mock.ask("DELETE", mock.here("accounts", client_id))
    mock.done(f"Account {client_id} is removed.")


@app.command("tick")
@connected
def tick(mock: Remote, client_id: ClientIdArgument, service: ServiceArgument) -> None:
    """Give an account the permission for a service.

    Example: fla-mock account tick my_client dimona
    """
    _permission(mock, "PUT", client_id, service)
    mock.done(f"Account {client_id} has the permission for {service}.")


@app.command("untick")
@connected
def untick(mock: Remote, client_id: ClientIdArgument, service: ServiceArgument) -> None:
    """Take the permission for a service from an account."""
    _permission(mock, "DELETE", client_id, service)
    mock.done(f"Account {client_id} has no permission for {service}.")


@app.command("add-cert")
@connected
def add_certificate(
    mock: Remote,
    client_id: ClientIdArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .cer, .crt or .pem file.", show_default=False)],
    *,
    name: Annotated[str | None, typer.Option(help="Default: the file's name.", show_default=False)] = None,
) -> None:
    """Add a certificate to an account; those that it has stay.

    Example: fla-mock account add-cert my_client new.cer --name "from July"
    """
    path = mock.here("accounts", client_id, "certificates")
    query = {"name": name or file.name}
    mock.tell(mock.ask("POST", path, query, _der(file), "application/pkix-cert"), _show_certificate)


@app.command("rename-cert")
@connected
def rename_certificate(
    mock: Remote,
    client_id: ClientIdArgument,
    fingerprint: Fingerprint,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
) -> None:
    """Give a certificate of an account another name."""
    path = mock.here("accounts", client_id, "certificates", _digits(fingerprint))
    mock.tell(mock.ask("PATCH", path, body={"name": name}), _show_certificate)


@app.command("remove-cert")
@connected
def remove_certificate(mock: Remote, client_id: ClientIdArgument, fingerprint: Fingerprint) -> None:
    """Remove a certificate from an account: assertions that are signed with its key are refused then."""
    mock.ask("DELETE", mock.here("accounts", client_id, "certificates", _digits(fingerprint)))
    mock.done(f"The certificate is removed from account {client_id}.")


def _permission(mock: Remote, method: str, client_id: str, service: str) -> None:
    answer = mock.ask(method, mock.here("accounts", client_id, "permissions", service))
    if answer is not None and mock.as_json:
        mock.tell(answer, _show)


def _der(file: Path) -> bytes:
    """Return the certificate that a file holds, and nothing else of it: a file may hold its private key too."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - slow to import

    from mock_server.certificates import loading  # noqa: PLC0415 - slow to import

    data = read_input(file, loading.MAX_BYTES)
    try:
        return loading.load_certificate(data).public_bytes(Encoding.DER)
    except loading.UnreadableCertificateError as error:
        stop(plain(f"cannot read {file}: {error}"))


def _digits(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()


def _show_list(answer: Any) -> None:  # noqa: ANN401 - JSON is any value
    rows = (
        [
            account["client_id"],
            account["name"],
            account["enterprise"],
            account["capacity"],
            account["permissions"],
            len(account["certificates"]),
        ]
        for account in answer["items"]
    )
    columns = ("client id", "name", "enterprise", "capacity", "permissions", "certificates")
    print_table(columns, rows, empty="No accounts.")


def _show(account: Any) -> None:  # noqa: ANN401 - JSON is any value
    print_rows(
        {
            "client id": account["client_id"],
            "name": account["name"],
            "enterprise": account["enterprise"],
            "capacity": account["capacity"],
            "permissions": account["permissions"] or "none",
            "scopes": account["scopes"] or "none",
            "active": _period(account),
        }
    )
    if not account["certificates"]:
        say("It has no certificate: fla-mock account add-cert adds one.")
    for certificate in account["certificates"]:
        say("")
        _show_certificate(certificate)


def _show_certificate(certificate: Any) -> None:  # noqa: ANN401 - JSON is any value
    print_rows(
        {
            "certificate": certificate["name"],
            "fingerprint": certificate["fingerprint"],
            "subject": certificate["subject"],
            "issuer": certificate["issuer"],
            "key": certificate["key"],
            "valid": f"{certificate['not_before']} to {certificate['not_after']}",
            "active": _period(certificate),
        }
    )


def _period(members: Any) -> str:  # noqa: ANN401 - JSON is any value
    since, until = members["active_from"], members["active_until"]
    if since is None and until is None:
        return "always"
    return " ".join(part for part in (since and f"from {since}", until and f"until {until}") if part)
