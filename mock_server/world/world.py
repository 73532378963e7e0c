"""One world of a store: what the services behind the channel ask of it, and how it is changed.

What a world remembers of its rows is as old as its `revision`: every process that shares the store asks for that number
at each request (`refresh`), so a change made by one has effect in all at once.
"""

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import select

from mock_server.clock import Clock, ClockState, WorldClock
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber, Quarter, ServiceName, Ssin
from mock_server.world import rows, schema
from mock_server.world import statements as sql
from mock_server.world.database import Database, Statement
from mock_server.world.documents import Documents, WorldGoneError
from mock_server.world.model import (
    Account,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    StoredFault,
    WorldSettings,
    WorldState,
)

__all__ = ["World", "WorldGoneError"]

_COUNTED = ("enterprises", "accounts", "mandates", "employments", "documents")
_REMEMBERED = 20_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    """Keep what a row says until the revision changes; when it is too much, begin again."""
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
    return value


class World(Documents):
    """One world."""

    def __init__(self, database: Database, name: str, clock: Clock) -> None:
        """Open a world that is there; `clock` tells real time, from which the world's own may differ."""
        super().__init__(database, name)
        self.settings = WorldSettings()
        self.clock = WorldClock(clock, ClockState())
        self._revision = -1
        self._accounts: dict[ClientId, Account] = {}
        self._enterprises: dict[EnterpriseNumber, Enterprise] = {}
        self._given: dict[tuple[EnterpriseNumber, ServiceName], list[Mandate]] = {}
        self._employed: dict[tuple[EnterpriseNumber, Ssin], bool] = {}
        self._faults: tuple[StoredFault, ...] | None = None
        self._until_purge = sql.PURGE_EVERY
        self._load()

    # What is remembered ---------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Forget what another process has changed. Raises `WorldGoneError`."""
        if self.database.is_shared:
            self._load()

    def look_again(self) -> None:
        """Make sure that it is still there, after a wait. Raises `WorldGoneError`."""
        self._load()

    def _load(self) -> None:
        row = self._one(sql.WORLD)
        if row is None or (self.born and row.born != self.born):
            raise self._gone()
        self.born = row.born
        if row.revision == self._revision:
            return
        self._revision = row.revision
        self.settings = rows.settings(row)
        self.clock.state = rows.clock(row)
        self._accounts.clear()
        self._enterprises.clear()
        self._given.clear()
        self._employed.clear()
        self._faults = None

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Make all changes inside one; nobody else changes this world meanwhile. Raises `WorldGoneError`."""
        try:
            with self.database.transaction():
                self.database.run(sql.CHANGED, world=self.name)
                self._load()
                yield
        finally:
            # Read again, whether or not it was carried out: what was read inside may not have come to be.
            self._revision = -1
            self._load()

    def next_number(self, counter: str, by: int = 1) -> int:
        """Raise a counter of this world (`exchanges`, `dropped`, `mandates`, `faults`, `documents`) and return it."""
        row = self._one(sql.COUNTER[counter], by=by)
        if row is None:
            raise self._gone()
        return int(row.n)

    @property
    def dropped(self) -> int:
        """How many exchanges the journal has let go."""
        return int(self._one(sql.COUNTERS).dropped)

    # Settings and clock ---------------------------------------------------------------------------------------------

    def put_settings(self, settings: WorldSettings) -> None:
        """Replace the settings."""
        self._set(settings, self.clock.state)

    def put_clock(self, clock: ClockState) -> None:
        """Replace the state of the clock; that it does not go back is for the caller to see to."""
        self._set(self.settings, clock)

    def _set(self, settings: WorldSettings, clock: ClockState) -> None:
        columns = {**rows.of_settings(settings), **rows.of_clock(clock)}
        self._run(sql.SET_WORLD, **{f"new_{name}": value for name, value in columns.items()})
        self.settings = settings
        self.clock.state = clock

    # Accounts -------------------------------------------------------------------------------------------------------

    def account(self, client_id: ClientId) -> Account | None:
        """Return the account with this client id, whether it has effect now or not; its certificates stay parsed."""
        known = self._accounts.get(client_id)
        if known is not None:
            return known
        if not (client_id.isascii() and client_id.isprintable()):
            # Nobody has it, and there are characters that a database cannot be asked for.
            return None
        row = self._one(sql.ACCOUNT, client_id=client_id)
        if row is None:
            return None
        account = self._accounts[client_id] = rows.account(
            row, self._all(sql.PERMISSIONS, client_id=client_id), self._all(sql.CERTIFICATES, client_id=client_id)
        )
        return account

    def active_account(self, client_id: ClientId) -> Account | None:
        """Return the account with what has effect now."""
        account = self.account(client_id)
        return account if account is None or account.is_settled else account.at(self.clock.now())

    def accounts(
        self,
        enterprise: EnterpriseNumber | None = None,
        capacity: Capacity | None = None,
        *,
        after: str = "",
        limit: int | None = None,
    ) -> list[Account]:
        """Return accounts by client id, all or those of an enterprise or capacity, from the one after a client id."""
        table = schema.accounts
        query = select(table.c.client_id).where(table.c.world == self.name, table.c.client_id > after)
        if enterprise is not None:
            query = query.where(table.c.enterprise == enterprise)
        if capacity is not None:
            query = query.where(table.c.capacity == capacity.value)
        found = self.database.all(Statement(query.order_by(table.c.client_id).limit(limit)))
        accounts = (self.account(ClientId(row.client_id)) for row in found)
        return [account for account in accounts if account is not None]

    def some_accounts(self, limit: int) -> list[Account]:
        """Return the first accounts that were made, so many at most."""
        found = self._all(sql.SOME_CLIENTS, limit=limit)
        return [account for row in found if (account := self.account(ClientId(row.client_id))) is not None]

    def put_account(self, account: Account) -> None:
        """Add an account, or replace the one with its client id."""
        known = self._one(sql.ACCOUNT, client_id=account.client_id)
        position = known.position if known else 1 + (self._one(sql.LAST_POSITION).n or 0)
        self.delete_account(account.client_id)
        self._insert("accounts", rows.of_account(self.name, position, account))
        self._insert("permissions", *rows.of_permissions(self.name, account))
        self._insert("certificates", *rows.of_certificates(self.name, account))

    def delete_account(self, client_id: ClientId) -> bool:
        """Delete an account with its permissions and certificates; False when there is none."""
        self._accounts.pop(client_id, None)
        return sum(self._run(statement, client_id=client_id) for statement in sql.DELETE_ACCOUNT) > 0

    # Enterprises and employments ------------------------------------------------------------------------------------

    def enterprise(self, number: EnterpriseNumber) -> Enterprise | None:
        """Return the enterprise with this number."""
        known = self._enterprises.get(number)
        if known is not None:
            return known
        row = self._one(sql.ENTERPRISE, number=number)
        if row is None:
            return None
        found = rows.enterprise(row, self._all(sql.ADMINISTRATORS, enterprise=number))
        self._enterprises[number] = found
        return found

    def enterprises(self, *, after: str = "", limit: int | None = None) -> list[Enterprise]:
        """Return enterprises by number, from the one after a number."""
        table = schema.enterprises
        query = select(table.c.number).where(table.c.world == self.name, table.c.number > after)
        found = self.database.all(Statement(query.order_by(table.c.number).limit(limit)))
        enterprises = (self.enterprise(EnterpriseNumber(row.number)) for row in found)
        return [enterprise for enterprise in enterprises if enterprise is not None]

    def put_enterprise(self, enterprise: Enterprise) -> None:
        """Add an enterprise, or replace the one with its number."""
        self._remove_enterprise(enterprise.number)
        self._insert("enterprises", rows.of_enterprise(self.name, enterprise))
        self._insert("administrators", *rows.of_administrators(self.name, enterprise))

    def delete_enterprise(self, number: EnterpriseNumber) -> bool:
        """Delete an enterprise and its employments; False when there is none."""
        self._employed.clear()
        self._run(sql.DELETE_EMPLOYMENTS, enterprise=number)
        return self._remove_enterprise(number)

    def _remove_enterprise(self, number: EnterpriseNumber) -> bool:
        self._enterprises.pop(number, None)
        self._run(sql.DELETE_ADMINISTRATORS, enterprise=number)
        return self._run(sql.DELETE_ENTERPRISE, number=number) > 0

    def employs(self, number: EnterpriseNumber, ssin: Ssin) -> bool:
        """Whether this person is taken as in service of this enterprise."""
        enterprise = self.enterprise(number)
        mode = (enterprise.employments if enterprise else None) or self.settings.employments
        if mode is Employments.OPEN:
            return True
        known = self._employed.get((number, ssin))
        if known is None:
            known = _remember(self._employed, (number, ssin), self.has_employment(Employment(number, ssin)))
        return known

    def has_employment(self, employment: Employment) -> bool:
        """Whether this employment is listed."""
        return self._one(sql.EMPLOYMENT, enterprise=employment.enterprise, ssin=employment.ssin) is not None

    def employments(self, number: EnterpriseNumber, *, after: str = "", limit: int | None = None) -> list[Employment]:
        """Return the employments of an enterprise by SSIN, from the one after an SSIN."""
        table = schema.employments
        query = select(table).where(table.c.world == self.name, table.c.enterprise == number, table.c.ssin > after)
        found = self.database.all(Statement(query.order_by(table.c.ssin).limit(limit)))
        return [rows.employment(row) for row in found]

    def add_employment(self, employment: Employment) -> None:
        """List an employment, unless it is listed."""
        self._employed.clear()
        if not self.has_employment(employment):
            self._insert("employments", rows.of_employment(self.name, employment))

    def remove_employment(self, employment: Employment) -> bool:
        """Take an employment from the list; False when it is not there."""
        self._employed.clear()
        return self._run(sql.DELETE_EMPLOYMENT, enterprise=employment.enterprise, ssin=employment.ssin) > 0

    # Mandates -------------------------------------------------------------------------------------------------------

    def mandates_given(self, mandator: EnterpriseNumber, service: ServiceName) -> list[Mandate]:
        """Return the mandates that an employer has or had for a service."""
        known = self._given.get((mandator, service))
        if known is None:
            found = [rows.mandate(row) for row in self._all(sql.MANDATES_GIVEN, mandator=mandator, service=service)]
            known = _remember(self._given, (mandator, service), found)
        return known

    def mandate(self, number: int) -> Mandate | None:
        """Return the mandate with this number."""
        row = self._one(sql.MANDATE, id=number)
        return None if row is None else rows.mandate(row)

    def mandates(
        self,
        *,
        mandator: EnterpriseNumber | None = None,
        mandatary: EnterpriseNumber | None = None,
        service: ServiceName | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Mandate]:
        """Return mandates by number, from the one after a number."""
        table = schema.mandates
        query = select(table).where(table.c.world == self.name, table.c.id > after)
        wanted = {"mandator": mandator, "mandatary": mandatary, "service": service}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(table.c[name] == value)
        return [rows.mandate(row) for row in self.database.all(Statement(query.order_by(table.c.id).limit(limit)))]

    def put_mandate(self, mandate: Mandate) -> Mandate:
        """Add a mandate that has no number yet, or replace the one with its number; return it as it is kept."""
        self._given.clear()
        if mandate.id:
            self._run(sql.DELETE_MANDATE, id=mandate.id)
        else:
            mandate = replace(mandate, id=self.next_number("mandates"))
        self._insert("mandates", rows.of_mandate(self.name, mandate))
        return mandate

    def current_quarter(self) -> Quarter:
        """Return the quarter of the world's time."""
        return Quarter.at(self.clock.now())

    # One use of an assertion ----------------------------------------------------------------------------------------

    def consume_jti(self, client_id: ClientId, jti: str, *, expires_at: float, now: float) -> float | None:
        """Mark a jti as used until its assertion has expired; return when it was used before, if it was.

        Raises `WorldGoneError`.
        """
        digest = hashlib.sha256(f"{client_id} {jti}".encode()).hexdigest()
        self._until_purge -= 1
        if self._until_purge <= 0:
            self._until_purge = sql.PURGE_EVERY
            self._run(sql.PURGE, now=now)
        if self._run(sql.CONSUME, born=self.born, digest=digest, expires_at=expires_at, used_at=now) == 1:
            return None
        row = self._one(sql.USED_AT, digest=digest)
        if row is None:
            raise self._gone()
        return float(row.used_at)

    # Documents ------------------------------------------------------------------------------------------------------

    # Faults ---------------------------------------------------------------------------------------------------------

    def faults(self) -> tuple[StoredFault, ...]:
        """Return the scripted faults in the order they were added; their counts may be older than the store's."""
        if self._faults is None:
            self._faults = tuple(self.read_faults())
        return self._faults

    def read_faults(self) -> list[StoredFault]:
        """Return the scripted faults with their counts."""
        return [rows.fault(row) for row in self._all(sql.FAULTS)]

    def add_fault(self, members: dict[str, Any]) -> StoredFault:
        """Add a scripted fault and return it with its number."""
        fault = StoredFault(self.next_number("faults"), members)
        self._insert("faults", rows.of_fault(self.name, fault))
        return fault

    def remove_fault(self, number: int) -> bool:
        """Remove a fault; False when there is none."""
        return self._run(sql.DELETE_FAULT, id=number) > 0

    def remove_faults(self) -> None:
        """Remove all faults."""
        self._run(sql.DELETE_ALL["faults"])

    def fault_seen(self, number: int) -> tuple[int, int] | None:
        """Count a request that a fault matches; return how many it saw and was applied to, None when it is gone."""
        row = self._one(sql.FAULT_SEEN, id=number)
        return None if row is None else (row.seen, row.fired)

    def fault_fired(self, number: int) -> int:
        """Count that a fault was applied; return how often it was, 0 when it is gone."""
        row = self._one(sql.FAULT_FIRED, id=number)
        return 0 if row is None else int(row.fired)

    # As a whole -----------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return how much there is of each kind."""
        return {name: self.count(name) for name in _COUNTED}

    def count(self, name: str, **wanted: str) -> int:
        """Return how many rows a table has of this world, those with the wanted values."""
        return int(self._one(sql.count(name, tuple(wanted)), **wanted).n)

    def state(self) -> WorldState:
        """Return all of the world but its journal and its consumed jtis, as it is at one moment."""
        with self.database.transaction(snapshot=True):
            self._load()
            permissions = rows.by_client(self._all(sql.ALL_PERMISSIONS))
            certificates = rows.by_client(self._all(sql.ALL_CERTIFICATES))
            administrators: dict[str, list[Any]] = defaultdict(list)
            for entry in self._all(sql.ALL_ADMINISTRATORS):
                administrators[entry.enterprise].append(entry)
            return WorldState(
                enterprises=tuple(
                    rows.enterprise(row, administrators.get(row.number, ())) for row in self._all(sql.ENTERPRISES)
                ),
                accounts=tuple(
                    rows.account(row, permissions[row.client_id], certificates[row.client_id])
                    for row in self._all(sql.ACCOUNTS)
                ),
                mandates=tuple(self.mandates()),
                employments=tuple(rows.employment(row) for row in self._every(schema.employments)),
                settings=self.settings,
                documents=tuple(self.documents()),
                clock=self.clock.state,
                faults=tuple(self.read_faults()),
            )

    def _every(self, table: Any) -> list[Any]:  # noqa: ANN401 - a table, and its rows
        return self.database.all(Statement(select(table).where(table.c.world == self.name)))

    def replace_state(self, state: WorldState) -> None:
        """Put another state in place of all that `state` returns, which has been found consistent."""
        kept = {"worlds", "counters", "exchanges", "consumed_jtis"}
        with self.changing():
            for name, statement in sql.DELETE_ALL.items():
                if name not in kept:
                    self._run(statement)
            for table, entries in rows.of_state(self.name, state):
                if table.name not in kept:
                    self.database.run_many(sql.INSERT[table.name], entries)
            self._set(state.settings, state.clock)
            numbers = self._one(sql.COUNTERS)
            self.next_number("mandates", max(0, len(state.mandates) - numbers.mandates))
            self.next_number("faults", max(0, max((f.id for f in state.faults), default=0) - numbers.faults))
            highest = max((document.number for document in state.documents), default=0)
            self.next_number("documents", max(0, highest - numbers.documents))
