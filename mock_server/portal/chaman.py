"""ChaMan: webservice accounts with their permissions and certificates (G§4.4, steps 4a and 4b)."""

import secrets
import string
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from mock_server.identifiers import (
    Capacity,
    ClientId,
    EnterpriseNumber,
    InvalidIdentifierError,
    ServiceName,
    parse_client_id,
)
from mock_server.portal.access_management import find_enterprise
from mock_server.portal.activation import (
    Page,
    added,
    forget_over_accounts,
    is_to_come,
    over_accounts,
    removed,
    tidied,
    without_over,
)
from mock_server.portal.errors import ConflictError, NotFoundError
from mock_server.portal.texts import name_issues, require, service_issues
from mock_server.portal.uploads import Upload, accept_certificate
from mock_server.problems import INVALID_INPUT, OUT_OF_RANGE, Issue
from mock_server.redaction import shown
from mock_server.world.model import ALWAYS, Account, Enterprise, Period, RegisteredCertificate, Service
from mock_server.world.world import World

CERTIFICATES_MAX = 50
"""Of one account. Assumed: the guide's page has a button to add one, and names no limit."""

_SUFFIX = string.ascii_lowercase + string.digits
_SUFFIX_LENGTH = 10
_SENDER_NUMBERS = range(100_000, 1_000_000)


class ClientIdForm(StrEnum):
    """The forms of client id that the guide prints; both are opaque to a client."""

    CHAMAN = "chaman"
    """`self_service_chaman_123456_k3v9…` (G§6.1)."""
    EXPEDITOR = "expeditor"
    """`self_service_expeditor_123456`, the sender number (G§4.4.1)."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What the form of step 4a asks for (G§4.4.1), and a client id of one's own, which the real one does not take."""

    name: str
    permissions: tuple[str, ...] = ()
    certificates: tuple[Upload, ...] = ()
    client_id: str | None = None
    client_id_form: ClientIdForm | None = None
    """Of the client id that is made up when none is given."""


# Accounts -----------------------------------------------------------------------------------------------------------


def find_account(world: World, client_id: str) -> Account:
    """Return an account without what is over in it. Raises `NotFoundError`."""
    account = tidied(world.account(ClientId(client_id)), world.clock.now())
    if account is None:
        raise NotFoundError(f"account with client id {shown(client_id)}")
    return account


def list_accounts(
    world: World,
    enterprise: EnterpriseNumber | None = None,
    capacity: Capacity | None = None,
    *,
    after: str = "",
    limit: int | None = None,
) -> Page[Account]:
    """Return accounts by client id, all or those of an enterprise or capacity, from the one after a client id."""
    over = over_accounts(world, enterprise, capacity)
    more = None if limit is None else limit + len(over)
    found = without_over(world.accounts(enterprise, capacity, after=after, limit=more), world.clock.now())
    wanted = {"enterprise": enterprise, "capacity": capacity and capacity.value}
    total = world.count("accounts", **{name: value for name, value in wanted.items() if value is not None})
    return Page(found[:limit], total - len(over))


def create_account(
    world: World,
    services: Mapping[ServiceName, Service],
    number: EnterpriseNumber,
    capacity: Capacity,
    new: NewAccount,
) -> Account:
    """Make an account of type REST for an enterprise in one of its capacities.

    Raises `NotFoundError` for an unknown enterprise, `RefusedError` for wrong input, `ConflictError` when the capacity
    is not active or the client id is taken.
    """
    require([*_faults(new, services)], "The account")
    now = world.clock.now()
    certificates = tuple(
        accept_certificate(upload, now, f"certificates[{index}]") for index, upload in enumerate(new.certificates)
    )
    for index, certificate in enumerate(certificates):
        _refuse_twice(certificate, certificates[:index], "The account")
    with world.changing():
        _require_active(find_enterprise(world, number), capacity)
        forget_over_accounts(world)
        account = Account(
            client_id=_free_client_id(world, new),
            name=new.name,
            enterprise=number,
            capacity=capacity,
            permissions=tuple(ServiceName(name) for name in dict.fromkeys(new.permissions)),
            certificates=certificates,
            period=added(world.clock.now(), world.settings.activation_delay),
        )
        world.put_account(account)
    return account


def rename_account(world: World, client_id: str, name: str) -> Account:
    """Give an account another name, at once. Raises `NotFoundError` and `RefusedError`."""
    require(name_issues(name, "name"), "The account")
    with world.changing():
        account = replace(find_account(world, client_id), name=name)
        world.put_account(account)
    return account


def delete_account(world: World, client_id: str) -> None:
    """Delete an account; with a delay it still has effect for a while. Raises `NotFoundError`."""
    with world.changing():
        account = find_account(world, client_id)
        period = removed(account.period, world.clock.now(), world.settings.activation_delay)
        if period is None:
            world.delete_account(account.client_id)
        else:
            world.put_account(replace(account, period=period))
        forget_over_accounts(world)


def _faults(new: NewAccount, services: Collection[ServiceName]) -> Iterator[Issue]:
    yield from name_issues(new.name, "name")
    yield from service_issues(new.permissions, services, "permissions[{}]")
    if len(new.certificates) > CERTIFICATES_MAX:
        detail = f"expected at most {CERTIFICATES_MAX} certificates; found {len(new.certificates)}"
        yield Issue(OUT_OF_RANGE, "body", "certificates", detail)
    if new.client_id is not None and new.client_id_form is not None:
        detail = "expected a client id, or the form of one that is made up; found both"
        yield Issue(INVALID_INPUT, "body", "client_id_form", detail)
    if new.client_id is not None:
        try:
            parse_client_id(new.client_id)
        except InvalidIdentifierError as error:
            yield Issue(INVALID_INPUT, "body", "client_id", f"{error}; found {shown(new.client_id)}")


def _require_active(enterprise: Enterprise, capacity: Capacity) -> None:
    if capacity not in enterprise.capacities:
        active = ", ".join(sorted(enterprise.capacities)) or "none"
        msg = (
            f"An account belongs to an active capacity, and {capacity} is not active for enterprise "
            f"{enterprise.number}; active is {active}. Activate it in access management first (G§4.4, G§5)."
        )
        raise ConflictError(msg)


def _free_client_id(world: World, new: NewAccount) -> ClientId:
    if new.client_id is None:
        form = new.client_id_form or ClientIdForm.CHAMAN
        return next(client_id for client_id in _made_up(form) if world.account(client_id) is None)
    client_id = ClientId(new.client_id)
    if world.account(client_id) is not None:
        msg = (
            f"The client id {shown(client_id)} is taken by another account of this world. Choose another, or leave it "
            "out and one is made up."
        )
        raise ConflictError(msg)
    return client_id


def _made_up(form: ClientIdForm) -> Iterator[ClientId]:
    while True:
        number = secrets.choice(_SENDER_NUMBERS)
        if form is ClientIdForm.EXPEDITOR:
            yield ClientId(f"self_service_expeditor_{number}")
        else:
            suffix = "".join(secrets.choice(_SUFFIX) for _ in range(_SUFFIX_LENGTH))
            yield ClientId(f"self_service_chaman_{number}_{suffix}")


# Permissions --------------------------------------------------------------------------------------------------------


def tick(world: World, services: Mapping[ServiceName, Service], client_id: str, service: str) -> Account:
    """Tick a permission of an account; one whose removal has not had effect yet stays after all.

    Raises `NotFoundError`, and `RefusedError` for a service that is not known.
    """
    require(service_issues([service], services, "service"), "The permission")
    name = ServiceName(service)
    with world.changing():
        account = find_account(world, client_id)
        periods = dict(account.permission_periods)
        if name in account.permissions:
            periods[name] = periods.get(name, ALWAYS)._replace(until=None)
        else:
            periods[name] = added(world.clock.now(), world.settings.activation_delay)
            account = replace(account, permissions=(*account.permissions, name))
        account = replace(account, permission_periods=_told(periods))
        world.put_account(account)
    return account


def untick(world: World, client_id: str, service: str) -> Account:
    """Take a permission away from an account; with a delay it still has effect for a while. Raises `NotFoundError`."""
    name = ServiceName(service)
    with world.changing():
        account = find_account(world, client_id)
        if name not in account.permissions:
            raise NotFoundError(f"permission {shown(service)} on the account {shown(client_id)}")
        now, delay = world.clock.now(), world.settings.activation_delay
        periods = dict(account.permission_periods)
        known = periods.pop(name, ALWAYS)
        period = None if is_to_come(account.period, now) else removed(known, now, delay)
        if period is None:
            account = replace(account, permissions=tuple(kept for kept in account.permissions if kept != name))
        else:
            periods[name] = period
        account = replace(account, permission_periods=_told(periods))
        world.put_account(account)
    return account


def _told(periods: Mapping[ServiceName, Period]) -> dict[ServiceName, Period]:
    return {name: period for name, period in periods.items() if period != ALWAYS}


# Certificates -------------------------------------------------------------------------------------------------------


def add_certificate(world: World, client_id: str, upload: Upload) -> RegisteredCertificate:
    """Add a certificate to an account; those that it has stay, so one can be replaced without a gap.

    One whose removal has not had effect yet stays after all, under the new name. The same certificate may be on several
    accounts: all flows of an enterprise can share one (G§2.1), and there is an account for each capacity (G§4.4).
    Raises `NotFoundError`, `RefusedError`, and `ConflictError` when the account has it already or has too many.
    """
    find_account(world, client_id)
    certificate = accept_certificate(upload, world.clock.now())
    with world.changing():
        account = find_account(world, client_id)
        known = _certificate(account, certificate.fingerprint)
        if known is not None and known.period.until is not None:
            certificate = replace(known, name=upload.name, period=known.period._replace(until=None))
            world.put_account(_with(account, known, certificate))
            return certificate
        _refuse_twice(certificate, account.certificates, f"The account {shown(client_id)}")
        if len(account.certificates) >= CERTIFICATES_MAX:
            msg = (
                f"An account has at most {CERTIFICATES_MAX} certificates, and {shown(client_id)} has as many. "
                "Remove one that is not used any more."
            )
            raise ConflictError(msg)
        certificate = replace(certificate, period=added(world.clock.now(), world.settings.activation_delay))
        world.put_account(replace(account, certificates=(*account.certificates, certificate)))
    return certificate


def rename_certificate(world: World, client_id: str, fingerprint: str, name: str) -> RegisteredCertificate:
    """Give a certificate of an account another name, at once. Raises `NotFoundError` and `RefusedError`."""
    require(name_issues(name, "name"), "The certificate")
    with world.changing():
        account = find_account(world, client_id)
        known = _find_certificate(account, fingerprint)
        certificate = replace(known, name=name)
        world.put_account(_with(account, known, certificate))
    return certificate


def remove_certificate(world: World, client_id: str, fingerprint: str) -> None:
    """Remove a certificate, be it the last; with a delay it still has effect for a while. Raises `NotFoundError`."""
    with world.changing():
        account = find_account(world, client_id)
        known = _find_certificate(account, fingerprint)
        now, delay = world.clock.now(), world.settings.activation_delay
        period = None if is_to_come(account.period, now) else removed(known.period, now, delay)
        world.put_account(_with(account, known, None if period is None else replace(known, period=period)))


def _certificate(account: Account, fingerprint: str) -> RegisteredCertificate | None:
    digits = fingerprint.replace(":", "").lower()
    return next((entry for entry in account.certificates if entry.fingerprint == digits), None)


def _find_certificate(account: Account, fingerprint: str) -> RegisteredCertificate:
    known = _certificate(account, fingerprint)
    if known is None:
        what = (
            f"certificate with the SHA-256 fingerprint {shown(fingerprint)} on the account {shown(account.client_id)}"
        )
        raise NotFoundError(what)
    return known


def _with(account: Account, known: RegisteredCertificate, changed: RegisteredCertificate | None) -> Account:
    """Return an account with a certificate changed, or taken away."""
    entries = (changed if entry is known else entry for entry in account.certificates)
    return replace(account, certificates=tuple(entry for entry in entries if entry is not None))


def _refuse_twice(certificate: RegisteredCertificate, others: Collection[RegisteredCertificate], subject: str) -> None:
    same = next((entry for entry in others if entry.fingerprint == certificate.fingerprint), None)
    if same is not None:
        msg = (
            f"{subject} has this certificate already, named {shown(same.name)} (SHA-256 {same.fingerprint}). "
            "Add another one, or leave it as it is."
        )
        raise ConflictError(msg)
