"""Access management (UMAN): enterprises, their capacities and who administers these (G§5).

A technical channel can only be opened in a capacity that is active; activating one takes an e-mail address for the
capacity and the name of a local administrator, who from then on has access to ChaMan.
"""

from collections.abc import Iterable
from dataclasses import replace

from mock_server.identifiers import Capacity, EnterpriseNumber, Ssin
from mock_server.portal.activation import Page, forget_over_accounts
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.portal.texts import email_issues, name_issues, require, some
from mock_server.problems import INVALID_INPUT, Issue
from mock_server.redaction import shown
from mock_server.world.model import (
    Account,
    Administrator,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateStatus,
    Party,
)
from mock_server.world.statements import DELETE_MANDATE
from mock_server.world.world import World

_OVER = frozenset({MandateStatus.ENDED, MandateStatus.REJECTED, MandateStatus.REVOKED})


def parse_capacity(text: str) -> Capacity:
    """Read the name of a capacity. Raises `RefusedError` for any but the four that can open a channel."""
    try:
        return Capacity(text)
    except ValueError:
        sentence = (
            f"a channel is opened in one of the capacities {', '.join(Capacity)}, and no other can open one "
            f"(G§4.4.1 and G§4.4.2, remarks); found {shown(text)}"
        )
        issue = Issue(INVALID_INPUT, "path", "capacity", sentence)
        raise RefusedError(sentence, [issue]) from None


def find_enterprise(world: World, number: EnterpriseNumber) -> Enterprise:
    """Return the enterprise with this number. Raises `NotFoundError`."""
    enterprise = world.enterprise(number)
    if enterprise is None:
        raise NotFoundError(f"enterprise {number}")
    return enterprise


def list_enterprises(world: World, *, after: str = "", limit: int | None = None) -> Page[Enterprise]:
    """Return enterprises by number, from the one after a number."""
    return Page(world.enterprises(after=after, limit=limit), world.count("enterprises"))


def put_enterprise(
    world: World, number: EnterpriseNumber, name: str, employments: Employments | None = None
) -> tuple[Enterprise, bool]:
    """Add an enterprise without capacities, or give a known one another name; return it, and whether it is new.

    `employments` says for this employer alone what the world's setting says for all. Raises `RefusedError`.
    """
    require(name_issues(name, "name"), "The enterprise")
    with world.changing():
        known = world.enterprise(number)
        enterprise = Enterprise(number, name, frozenset())
        if known is not None:
            enterprise = replace(known, name=name)
        enterprise = replace(enterprise, employments=employments)
        world.put_enterprise(enterprise)
    return enterprise, known is None


def delete_enterprise(world: World, number: EnterpriseNumber) -> None:
    """Delete an enterprise, with its employments and the mandates that are over.

    Raises `NotFoundError`, and `ConflictError` while accounts or mandates need it.
    """
    with world.changing():
        find_enterprise(world, number)
        forget_over_accounts(world)
        mandates = [*world.mandates(mandator=number), *world.mandates(mandatary=number)]
        needed_by = _needed_by(world.accounts(number), _not_over(world, mandates))
        if needed_by:
            msg = f"Enterprise {number} is still needed by {needed_by}. Delete or end these first."
            raise ConflictError(msg)
        _forget(world, mandates)
        world.delete_enterprise(number)


def activate(
    world: World, number: EnterpriseNumber, capacity: Capacity, email: str, local_administrator: str
) -> tuple[Enterprise, bool]:
    """Activate a capacity, or change who administers an active one; return the enterprise, and whether it is new.

    Raises `NotFoundError` and `RefusedError`.
    """
    issues = [*email_issues(email, "email"), *name_issues(local_administrator, "local_administrator")]
    require(issues, "The activation of the capacity")
    with world.changing():
        known = find_enterprise(world, number)
        enterprise = replace(
            known,
            capacities=known.capacities | {capacity},
            administrators={**known.administrators, capacity: Administrator(email, local_administrator)},
        )
        world.put_enterprise(enterprise)
    return enterprise, capacity not in known.capacities


def deactivate(world: World, number: EnterpriseNumber, capacity: Capacity) -> None:
    """Take a capacity away; what cannot be without it goes with it: employments, and mandates that are over.

    Raises `NotFoundError` when it is not active, `ConflictError` while accounts or mandates need it.
    """
    with world.changing():
        enterprise = find_enterprise(world, number)
        if capacity not in enterprise.capacities:
            raise NotFoundError(f"active capacity {capacity} of enterprise {number}")
        forget_over_accounts(world)
        left = enterprise.capacities - {capacity}
        mandates = _mandates_in(world, number, capacity, left)
        needed_by = _needed_by(world.accounts(number, capacity), _not_over(world, mandates))
        if needed_by:
            msg = (
                f"The capacity {capacity} of enterprise {number} is still needed by {needed_by}. "
                "Delete or end these first, then deactivate it."
            )
            raise ConflictError(msg)
        administrators = {name: who for name, who in enterprise.administrators.items() if name is not capacity}
        world.put_enterprise(replace(enterprise, capacities=left, administrators=administrators))
        _forget(world, mandates)
        if capacity is Capacity.EMPLOYER:
            for employment in world.employments(number):
                world.remove_employment(employment)


def add_employment(world: World, number: EnterpriseNumber, ssin: Ssin) -> None:
    """List an employee as in service of an employer (G§2.3). Raises `NotFoundError` and `ConflictError`."""
    with world.changing():
        require_capacity(find_enterprise(world, number), Party.MANDATOR, "have employees in service")
        world.add_employment(Employment(number, ssin))


def remove_employment(world: World, number: EnterpriseNumber, ssin: Ssin) -> None:
    """Take an employee from the list of an employer. Raises `NotFoundError`."""
    with world.changing():
        find_enterprise(world, number)
        if not world.remove_employment(Employment(number, ssin)):
            raise NotFoundError(f"employment of this SSIN at enterprise {number}")


def list_employments(
    world: World, number: EnterpriseNumber, *, after: str = "", limit: int | None = None
) -> Page[Employment]:
    """Return the employments listed for an employer, by SSIN. Raises `NotFoundError`."""
    find_enterprise(world, number)
    return Page(world.employments(number, after=after, limit=limit), world.count("employments", enterprise=number))


def needed_capacities(party: Party) -> frozenset[Capacity]:
    """Return the capacities of which an enterprise needs one to be a side of a mandate (G§2.2)."""
    if party is Party.MANDATOR:
        return frozenset({Capacity.EMPLOYER})
    return frozenset(capacity for capacity in Capacity if capacity.is_mandatary)


def require_capacity(enterprise: Enterprise, party: Party, purpose: str) -> None:
    """Raise `ConflictError` when an enterprise has no active capacity that lets it be a side of a mandate."""
    wanted = needed_capacities(party)
    if enterprise.capacities.isdisjoint(wanted):
        names = " or ".join(capacity for capacity in Capacity if capacity in wanted)
        active = ", ".join(sorted(enterprise.capacities)) or "none"
        msg = (
            f"To {purpose}, enterprise {enterprise.number} needs the active capacity {names}; active is {active}. "
            "Activate it in access management first (G§5)."
        )
        raise ConflictError(msg)


def _not_over(world: World, mandates: Iterable[Mandate]) -> list[Mandate]:
    quarter = world.current_quarter()
    return [mandate for mandate in mandates if mandate.status_in(quarter) not in _OVER]


def _mandates_in(
    world: World, number: EnterpriseNumber, capacity: Capacity, left: frozenset[Capacity]
) -> list[Mandate]:
    """Return the mandates, also those that are over, that need more than the capacities that are left."""
    if capacity is Capacity.EMPLOYER:
        return world.mandates(mandator=number)
    if capacity.is_mandatary and left.isdisjoint(needed_capacities(Party.MANDATARY)):
        return world.mandates(mandatary=number)
    return []


def _forget(world: World, mandates: Iterable[Mandate]) -> None:
    """Delete mandates that are over: a world whose mandates name no employer and mandatary does not fit together."""
    for mandate in mandates:
        world.database.run(DELETE_MANDATE, world=world.name, id=mandate.id)


def _needed_by(accounts: list[Account], mandates: list[Mandate]) -> str:
    """Say which accounts and mandates need something; an empty text when none does."""
    parts = [f"account {some([account.client_id for account in accounts])}"] if accounts else []
    parts += [f"mandate {some([str(mandate.id) for mandate in mandates])}"] if mandates else []
    return " and ".join(parts)
