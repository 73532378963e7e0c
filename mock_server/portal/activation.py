"""From when a change in ChaMan has effect, and until when what was removed still has.

How long the real system takes is not known. A world has a setting for it (`activation_delay`, none by default); with a
delay, what is removed stays until its time has come, and counts as gone from then on.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import select

from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber
from mock_server.world import schema
from mock_server.world.database import Statement
from mock_server.world.model import ALWAYS, Account, Period
from mock_server.world.world import World

Item = TypeVar("Item")


class Page(NamedTuple, Generic[Item]):
    """A part of a list, and how long the whole list is."""

    items: list[Item]
    total: int


def added(now: float, delay: float) -> Period:
    """Return the period of something that is added at a moment. Unix seconds; seconds."""
    return Period(since=now + delay) if delay > 0 else ALWAYS


def removed(period: Period, now: float, delay: float) -> Period | None:
    """Return the period of something that is removed at a moment; None: it goes at once.

    What has no effect yet goes at once, and what is removed twice goes when the first removal said.
    """
    if delay <= 0 or is_to_come(period, now):
        return None
    until = now + delay
    return period._replace(until=until if period.until is None else min(period.until, until))


def is_to_come(period: Period, now: float) -> bool:
    """Whether something has no effect yet."""
    return period.since is not None and period.since > now


def is_over(period: Period, now: float) -> bool:
    """Whether something has no effect any more."""
    return period.until is not None and period.until <= now


def tidied(account: Account | None, now: float) -> Account | None:
    """Return an account without what is over; None when it is over itself, or there is none."""
    if account is None or account.is_settled:
        return account
    if is_over(account.period, now):
        return None
    over = {name for name, period in account.permission_periods.items() if is_over(period, now)}
    return replace(
        account,
        permissions=tuple(name for name in account.permissions if name not in over),
        permission_periods={name: period for name, period in account.permission_periods.items() if name not in over},
        certificates=tuple(entry for entry in account.certificates if not is_over(entry.period, now)),
    )


def over_accounts(
    world: World, enterprise: EnterpriseNumber | None = None, capacity: Capacity | None = None
) -> list[ClientId]:
    """Return the client ids of accounts that are over but still kept, all or those of an enterprise or capacity."""
    table = schema.accounts
    query = select(table.c.client_id).where(
        table.c.world == world.name, table.c.active_until.is_not(None), table.c.active_until <= world.clock.now()
    )
    if enterprise is not None:
        query = query.where(table.c.enterprise == enterprise)
    if capacity is not None:
        query = query.where(table.c.capacity == capacity.value)
    return [ClientId(row.client_id) for row in world.database.all(Statement(query))]


def forget_over_accounts(world: World) -> None:
    """Delete the accounts that are over. To be called inside a change of the world."""
    for client_id in over_accounts(world):
        world.delete_account(client_id)


def without_over(accounts: Iterable[Account], now: float) -> list[Account]:
    """Return those accounts that are not over, each without what is over in it."""
    return [account for entry in accounts if (account := tidied(entry, now)) is not None]
