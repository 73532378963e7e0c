"""`--account`: a webservice account of one's own, added to a world from the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mock_server.certificates.files import read_bounded
from mock_server.identifiers import (
    Capacity,
    EnterpriseNumber,
    InvalidIdentifierError,
    Quarter,
    ServiceName,
    parse_client_id,
    parse_enterprise_number,
)
from mock_server.redaction import shown
from mock_server.world import consistency
from mock_server.world.certificates import CertificateRefusedError, register_certificate
from mock_server.world.model import (
    Account,
    Employments,
    Enterprise,
    Mandate,
    RegisteredCertificate,
    Service,
    WorldState,
)

_EXPECTED = (
    "expected client_id=…,capacity=…,enterprise=…,cert=FILE "
    "(optional: more cert=FILE, permission=SERVICE, mandator=ENTERPRISE, name=…)"
)
_ONCE = ("client_id", "capacity", "enterprise", "name")
_MANY = ("cert", "permission", "mandator")


class OwnAccountError(ValueError):
    """An `--account` that cannot be used; says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account as the command line says it."""

    account: Account
    mandators: tuple[EnterpriseNumber, ...]


def parse_own_account(text: str, services: Mapping[ServiceName, Service]) -> OwnAccount:
    """Read one `--account`; its certificates are read from their files. Raises `OwnAccountError`."""
    once, many = _members(text)
    missing = [name for name in ("client_id", "capacity", "enterprise") if name not in once]
    missing += [] if many["cert"] else ["cert"]
    if missing:
        msg = f"--account {shown(text)}: {', '.join(missing)} is missing; {_EXPECTED}"
        raise OwnAccountError(msg)
    try:
        client_id = parse_client_id(once["client_id"])
        enterprise = parse_enterprise_number(once["enterprise"])
        # A number may be written in two ways; a mandate is given once.
        mandators = tuple(dict.fromkeys(parse_enterprise_number(number) for number in many["mandator"]))
        capacity = Capacity(once["capacity"])
    except InvalidIdentifierError as error:
        msg = f"--account {shown(text)}: {error}"
        raise OwnAccountError(msg) from None
    except ValueError:
        msg = f"--account {shown(text)}: capacity is one of {', '.join(Capacity)}"
        raise OwnAccountError(msg) from None
    name = once.get("name", client_id)
    if name != _as_text(name):
        msg = f"--account {shown(text)}: name: expected text in UTF-8, found {shown(name)}"
        raise OwnAccountError(msg)
    certificates = [_certificate(text, path) for path in dict.fromkeys(many["cert"])]
    account = Account(
        client_id=client_id,
        name=name,
        enterprise=enterprise,
        capacity=capacity,
        # By default every permission that means something to this capacity is ticked.
        permissions=tuple(ServiceName(name) for name in dict.fromkeys(many["permission"]))
        or tuple(name for name, service in services.items() if capacity in service.scopes),
        certificates=tuple({entry.der: entry for entry in certificates}.values()),
    )
    return OwnAccount(account, mandators)


def _members(text: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    once: dict[str, str] = {}
    many: dict[str, list[str]] = {name: [] for name in _MANY}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or name not in (*_ONCE, *_MANY) or name in once:
            what = "is said twice" if name in once else "is not understood"
            msg = f"--account {shown(text)}: {shown(part)} {what}; {_EXPECTED}"
            raise OwnAccountError(msg)
        if name in _MANY:
            many[name].append(value)
        else:
            once[name] = value
    return once, many


def _certificate(text: str, path: str) -> RegisteredCertificate:
    try:
        file = Path(path).expanduser()
        # A file's name may be bytes that are no text; the certificate's has to be some.
        return register_certificate(_as_text(file.name), read_bounded(file))
    except RuntimeError:
        msg = f"--account {shown(text)}: {shown(path)} cannot be read: its user has no home folder; write the path out"
    except OSError as error:
        msg = f"--account {shown(text)}: {shown(path)} cannot be read: {error.strerror}"
    except CertificateRefusedError as error:
        msg = f"--account {shown(text)}: {shown(path)}: {error}"
    raise OwnAccountError(msg)


def _as_text(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def add_own_account(
    state: WorldState, own: OwnAccount, services: Mapping[ServiceName, Service], now: float
) -> WorldState:
    """Return a world with one more account, and what it needs: its enterprise, its mandators and their mandates.

    An enterprise that the world did not know employs everybody, since nobody said whom. Raises `OwnAccountError`.
    """
    account = own.account
    state = _with_capacity(state, account.enterprise, account.name, account.capacity)
    mandates = []
    for mandator in own.mandators:
        state = _with_capacity(state, mandator, f"Mandator of {account.name}", Capacity.EMPLOYER)
        mandates += [Mandate(mandator, account.enterprise, service, Quarter.at(now)) for service in account.permissions]
    state = replace(state, accounts=(*state.accounts, account), mandates=(*state.mandates, *mandates))
    faults = consistency.faults(state, services)
    if faults:
        msg = f"--account {shown(account.client_id)}: {'; '.join(faults)}"
        raise OwnAccountError(msg)
    return state


def _with_capacity(state: WorldState, number: EnterpriseNumber, name: str, capacity: Capacity) -> WorldState:
    known = next((enterprise for enterprise in state.enterprises if enterprise.number == number), None)
    if known is None:
        added = Enterprise(number, name, frozenset({capacity}), Employments.OPEN)
        return replace(state, enterprises=(*state.enterprises, added))
    widened = replace(known, capacities=known.capacities | {capacity})
    return replace(state, enterprises=tuple(widened if entry is known else entry for entry in state.enterprises))
