"""`fla-mock account`: the webservice accounts of a world of a running mock, as ChaMan keeps them."""

import base64
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mock_server.cli.inputs import CAPACITIES, ClientIdArgument, read_capacity, read_input
from mock_server.cli.output import stop
from mock_server.cli.printing import plain, print_rows, print_table, say
from mock_server.cli.remote import Remote, connected, group

app = group("Make and change webservice accounts: client ids, permissions, certificates.")

_DELAY = "activation_delay"
"""What makes a change have effect later, as “world settings” calls it."""

ServiceArgument = Annotated[
    str, typer.Argument(metavar="SERVICE", help="What is ticked: fla, dimona …", show_default=False)
]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="What it is called from now on.", show_default=False)]
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
    capacity: Annotated[
        str | None, typer.Option(metavar="CAPACITY", help=f"Only those in it: {CAPACITIES}.", callback=read_capacity)
    ] = None,
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
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called, free to choose.", show_default=False)],
    *,
    enterprise: Annotated[str, typer.Option(metavar="NUMBER", help="Whose it is.", show_default=False)],
    capacity: Annotated[
        str,
        typer.Option(
            metavar="CAPACITY",
            help=f"In what role it acts: {CAPACITIES}.",
            show_default=False,
            callback=read_capacity,
        ),
    ],
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
    mock.tell(mock.ask("POST", path, body=body), _show_new)


@app.command("rename")
@connected
def rename(mock: Remote, client_id: ClientIdArgument, name: NewName) -> None:
    """Give an account another name; its client id stays."""
    mock.tell(mock.ask("PATCH", mock.here("accounts", client_id), body={"name": name}), _show)


@app.command("delete")
@connected
def delete(mock: Remote, client_id: ClientIdArgument) -> None:
    """Remove an account; with an activation delay it still works until that is over.

    Example: fla-mock account delete my_client
    """
    mock.ask("DELETE", mock.here("accounts", client_id))
    account = _what_is_left(mock, client_id)
    with mock.understood():
        until = account and account["active_until"]
    mock.done(f"Account {client_id} is removed{_still_works(until)}.")


@app.command("tick")
@connected
def tick(mock: Remote, client_id: ClientIdArgument, service: ServiceArgument) -> None:
    """Give an account the permission for a service.

    Example: fla-mock account tick my_client dimona
    """
    answer = mock.ask("PUT", mock.here("accounts", client_id, "permissions", service))
    mock.tell(answer, lambda account: say(f"Account {client_id} has the permission for {_begins(account, service)}."))


@app.command("untick")
@connected
def untick(mock: Remote, client_id: ClientIdArgument, service: ServiceArgument) -> None:
    """Take the permission for a service from an account; with an activation delay it works until that is over.

    Example: fla-mock account untick my_client dimona
    """
    mock.ask("DELETE", mock.here("accounts", client_id, "permissions", service))
    account = _what_is_left(mock, client_id)
    with mock.understood():
        until = account and account["permission_periods"].get(service, {}).get("active_until")
    if until is None:
        mock.done(f"Account {client_id} has no permission for {service}.")
    else:
        mock.done(f"Account {client_id} loses the permission for {service}{_still_works(until)}.")


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
    mock.tell(mock.ask("POST", path, query, _der(file), "application/pkix-cert"), _show_added_certificate)


@app.command("rename-cert")
@connected
def rename_certificate(
    mock: Remote,
    client_id: ClientIdArgument,
    fingerprint: Fingerprint,
    name: NewName,
) -> None:
    """Give a certificate of an account another name."""
    path = mock.here("accounts", client_id, "certificates", _digits(fingerprint))
    mock.tell(mock.ask("PATCH", path, body={"name": name}), _show_certificate)


@app.command("remove-cert")
@connected
def remove_certificate(mock: Remote, client_id: ClientIdArgument, fingerprint: Fingerprint) -> None:
    """Remove a certificate from an account: assertions that are signed with its key are refused then.

    With an activation delay, it still works until that is over.
    """
    digits = _digits(fingerprint)
    mock.ask("DELETE", mock.here("accounts", client_id, "certificates", digits))
    account = _what_is_left(mock, client_id)
    with mock.understood():
        left = [one for one in (account or {"certificates": []})["certificates"] if one["fingerprint"] == digits]
        until = left[0]["active_until"] if left else None
    mock.done(f"The certificate is removed from account {client_id}{_still_works(until)}.")


def _what_is_left(mock: Remote, client_id: str) -> Any:  # noqa: ANN401 - JSON is any value
    """Return an account after a removal, which may have effect later only; None when it is gone, and for scripts."""
    return None if mock.as_json else mock.ask_if_there(mock.here("accounts", client_id))


def _still_works(until: str | None) -> str:
    return "" if until is None else f" at {until} ({_DELAY}); until then it still works"


def _begins(account: Any, service: str) -> str:  # noqa: ANN401 - JSON is any value
    since = account["permission_periods"].get(service, {}).get("active_from")
    return service if since is None else f"{service} from {since} on ({_DELAY})"


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
    print_table(columns, rows, "No accounts.", folded=("name", "permissions"), spare=("certificates", "capacity"))


def _show_new(account: Any) -> None:  # noqa: ANN401 - JSON is any value
    _show(account)
    if account["active_from"] is not None:
        say(f"It has effect from {account['active_from']} on ({_DELAY}); until then no token is given to it.")


def _show(account: Any) -> None:  # noqa: ANN401 - JSON is any value
    periods = account["permission_periods"]
    permissions = [f"{name} ({_period(periods[name])})" if name in periods else name for name in account["permissions"]]
    scopes = ", ".join(account["scopes"]) or "none"
    print_rows(
        {
            "client id": account["client_id"],
            "name": account["name"],
            "enterprise": account["enterprise"],
            "capacity": account["capacity"],
            "permissions": permissions or "none",
            "scopes": f"{scopes} (while the permissions have effect)" if periods else scopes,
            "active": _period(account),
        }
    )
    if not account["certificates"]:
        say("It has no certificate: fla-mock account add-cert adds one.")
    for certificate in account["certificates"]:
        say("")
        _show_certificate(certificate)


def _show_added_certificate(certificate: Any) -> None:  # noqa: ANN401 - JSON is any value
    _show_certificate(certificate)
    if certificate["active_from"] is not None:
        say(
            f"It has effect from {certificate['active_from']} on ({_DELAY}); until then assertions that are signed "
            "with its key are refused."
        )


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
