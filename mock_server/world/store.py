"""Worlds in a database, through SQLAlchemy Core; by default SQLite in memory.

Every method that changes something is one statement, so one transaction. Calls are synchronous: in memory they take
tens of microseconds, less than handing them to a thread would cost.
"""

import hashlib
from typing import Any

from sqlalchemy import Connection, Engine, Row, String, bindparam, create_engine, delete, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber, Quarter, ServiceName, Ssin
from mock_server.world import schema
from mock_server.world.model import (
    Account,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateDecision,
    RegisteredCertificate,
    WorldSettings,
    WorldState,
)

DEFAULT_WORLD = "default"
_PURGE_EVERY = 1_000

_world_is = bindparam("world", type_=String)
_ACCOUNT = select(schema.accounts).where(
    schema.accounts.c.world == _world_is, schema.accounts.c.client_id == bindparam("client_id")
)
_CERTIFICATES = (
    select(schema.certificates.c.name, schema.certificates.c.der)
    .where(schema.certificates.c.world == _world_is, schema.certificates.c.client_id == bindparam("client_id"))
    .order_by(schema.certificates.c.position)
)
_CLIENT_IDS = (
    select(schema.accounts.c.client_id).where(schema.accounts.c.world == _world_is).order_by(schema.accounts.c.position)
)
_MANDATES = (
    select(schema.mandates)
    .where(
        schema.mandates.c.world == _world_is,
        schema.mandates.c.mandator == bindparam("mandator"),
        schema.mandates.c.service == bindparam("service"),
    )
    .order_by(schema.mandates.c.position)
)
_ENTERPRISE = select(schema.enterprises).where(
    schema.enterprises.c.world == _world_is, schema.enterprises.c.number == bindparam("number")
)
_EMPLOYMENT = select(schema.employments.c.ssin).where(
    schema.employments.c.world == _world_is,
    schema.employments.c.enterprise == bindparam("enterprise"),
    schema.employments.c.ssin == bindparam("ssin"),
)
_DOCUMENT = select(schema.documents.c.body).where(
    schema.documents.c.world == _world_is,
    schema.documents.c.api == bindparam("api"),
    schema.documents.c.path == bindparam("path"),
)
_CONSUME = sqlite.insert(schema.consumed_jtis)
# One statement, so that of two requests with one jti only one can win; a jti whose assertion has expired is free again.
_CONSUME = _CONSUME.on_conflict_do_update(
    index_elements=["world", "digest"],
    set_={"expires_at": _CONSUME.excluded.expires_at},
    where=schema.consumed_jtis.c.expires_at < bindparam("now"),
)
# A bounded number each time, more than can have come since: forgetting must not hold up whoever asks next.
_PURGE = delete(schema.consumed_jtis).where(
    schema.consumed_jtis.c.world == _world_is,
    schema.consumed_jtis.c.digest.in_(
        select(schema.consumed_jtis.c.digest)
        .where(schema.consumed_jtis.c.world == _world_is, schema.consumed_jtis.c.expires_at < bindparam("now"))
        .limit(2 * _PURGE_EVERY)
    ),
)
_PUT_DOCUMENT = sqlite.insert(schema.documents)
_PUT_DOCUMENT = _PUT_DOCUMENT.on_conflict_do_update(
    index_elements=["world", "api", "path"], set_={"body": _PUT_DOCUMENT.excluded.body}
)


class Store:
    """The database that worlds live in."""

    def __init__(self) -> None:
        # One connection that is never given back: a database in memory lives as long as its connection.
        self.engine: Engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        schema.metadata.create_all(self.engine)

    def create_world(self, state: WorldState, name: str = DEFAULT_WORLD) -> "World":
        """Write a world, whose state has been found consistent, and return it."""
        with self.engine.begin() as connection:
            for table, rows in _rows(name, state):
                if rows:
                    connection.execute(insert(table), rows)
        return World(self.engine, name, state.settings)

    def close(self) -> None:
        """Let the database go, and everything in it."""
        self.engine.dispose()


class World:
    """One world, as the services behind the channel ask it."""

    def __init__(self, engine: Engine, name: str, settings: WorldSettings) -> None:
        self.name = name
        self.settings = settings
        # Kept open, and without transactions of several statements: taking a connection from a pool and giving it
        # back costs more than the statements do.
        self._connection: Connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._enterprises: dict[EnterpriseNumber, Enterprise] = {}
        self._accounts: dict[ClientId, Account] = {}
        self._until_purge = _PURGE_EVERY

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _one(self, statement: Any, **values: Any) -> Row[Any] | None:  # noqa: ANN401 - SQLAlchemy's own statement types
        return self._connection.execute(statement, {"world": self.name, **values}).first()

    def _all(self, statement: Any, **values: Any) -> list[Row[Any]]:  # noqa: ANN401 - as above
        return list(self._connection.execute(statement, {"world": self.name, **values}))

    def account(self, client_id: ClientId) -> Account | None:
        """Return the account with this client id, its certificates parsed at most once."""
        known = self._accounts.get(client_id)
        if known is not None:
            return known
        row = self._one(_ACCOUNT, client_id=client_id)
        if row is None:
            return None
        account = Account(
            client_id=ClientId(row.client_id),
            name=row.name,
            enterprise=EnterpriseNumber(row.enterprise),
            capacity=Capacity(row.capacity),
            permissions=tuple(ServiceName(name) for name in row.permissions.split()),
            certificates=tuple(
                RegisteredCertificate(entry.name, entry.der) for entry in self._all(_CERTIFICATES, client_id=client_id)
            ),
        )
        self._accounts[client_id] = account
        return account

    def accounts(self) -> list[Account]:
        """Return all accounts, in the order they were added."""
        found = (self.account(ClientId(row.client_id)) for row in self._all(_CLIENT_IDS))
        return [account for account in found if account is not None]

    def enterprise(self, number: EnterpriseNumber) -> Enterprise | None:
        """Return the enterprise with this number."""
        known = self._enterprises.get(number)
        if known is not None:
            return known
        row = self._one(_ENTERPRISE, number=number)
        if row is None:
            return None
        enterprise = self._enterprises[number] = Enterprise(
            number=EnterpriseNumber(row.number),
            name=row.name,
            capacities=frozenset(Capacity(name) for name in row.capacities.split()),
            employments=Employments(row.employments) if row.employments else None,
        )
        return enterprise

    def mandates_given(self, mandator: EnterpriseNumber, service: ServiceName) -> list[Mandate]:
        """Return the mandates that an employer has or had for a service."""
        return [
            Mandate(
                mandator=EnterpriseNumber(row.mandator),
                mandatary=EnterpriseNumber(row.mandatary),
                service=ServiceName(row.service),
                start=Quarter.parse(row.start),
                end=Quarter.parse(row.end) if row.end else None,
                decision=MandateDecision(row.decision),
            )
            for row in self._all(_MANDATES, mandator=mandator, service=service)
        ]

    def employs(self, number: EnterpriseNumber, ssin: Ssin) -> bool:
        """Whether this person is taken as in service of this enterprise."""
        enterprise = self.enterprise(number)
        mode = (enterprise.employments if enterprise else None) or self.settings.employments
        return mode is Employments.OPEN or self._one(_EMPLOYMENT, enterprise=number, ssin=ssin) is not None

    def consume_jti(self, client_id: ClientId, jti: str, *, expires_at: float, now: float) -> bool:
        """Mark a jti as used until its assertion has expired; False when it was used before."""
        digest = hashlib.sha256(f"{client_id} {jti}".encode()).hexdigest()
        self._until_purge -= 1
        if self._until_purge <= 0:
            self._until_purge = _PURGE_EVERY
            self._connection.execute(_PURGE, {"world": self.name, "now": now})
        values = {"world": self.name, "digest": digest, "expires_at": expires_at, "now": now}
        return self._connection.execute(_CONSUME, values).rowcount == 1

    def put_document(self, api: str, path: str, body: str) -> None:
        """Store a document in place of what was there."""
        self._connection.execute(_PUT_DOCUMENT, {"world": self.name, "api": api, "path": path, "body": body})

    def document(self, api: str, path: str) -> str | None:
        """Return the document at a path."""
        row = self._one(_DOCUMENT, api=api, path=path)
        return None if row is None else str(row.body)


def _rows(world: str, state: WorldState) -> list[tuple[Any, list[dict[str, Any]]]]:
    employment_rows = dict.fromkeys(state.employments)
    return [
        (
            schema.worlds,
            [
                {
                    "world": world,
                    "employments": state.settings.employments,
                    "mandatary_own_number": state.settings.mandatary_own_number,
                }
            ],
        ),
        (schema.enterprises, [_enterprise_row(world, enterprise) for enterprise in state.enterprises]),
        (schema.accounts, [_account_row(world, index, account) for index, account in enumerate(state.accounts)]),
        (
            schema.certificates,
            [
                {
                    "world": world,
                    "client_id": account.client_id,
                    "position": index,
                    "name": entry.name,
                    "der": entry.der,
                }
                for account in state.accounts
                for index, entry in enumerate(account.certificates)
            ],
        ),
        (schema.mandates, [_mandate_row(world, index, mandate) for index, mandate in enumerate(state.mandates)]),
        (schema.employments, [_employment_row(world, employment) for employment in employment_rows]),
    ]


def _enterprise_row(world: str, enterprise: Enterprise) -> dict[str, Any]:
    return {
        "world": world,
        "number": enterprise.number,
        "name": enterprise.name,
        "capacities": " ".join(sorted(enterprise.capacities)),
        "employments": enterprise.employments,
    }


def _account_row(world: str, index: int, account: Account) -> dict[str, Any]:
    return {
        "world": world,
        "client_id": account.client_id,
        "position": index,
        "name": account.name,
        "enterprise": account.enterprise,
        "capacity": account.capacity,
        "permissions": " ".join(account.permissions),
    }


def _mandate_row(world: str, index: int, mandate: Mandate) -> dict[str, Any]:
    return {
        "world": world,
        "position": index,
        "mandator": mandate.mandator,
        "mandatary": mandate.mandatary,
        "service": mandate.service,
        "start": str(mandate.start),
        "end": str(mandate.end) if mandate.end else None,
        "decision": mandate.decision,
    }


def _employment_row(world: str, employment: Employment) -> dict[str, Any]:
    return {"world": world, "enterprise": employment.enterprise, "ssin": employment.ssin}
