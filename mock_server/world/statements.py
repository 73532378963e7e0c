"""The statements that a world is read and changed with. Each names its values; all have `world`."""

from functools import cache
from typing import Any

from sqlalchemy import Float, String, Table, and_, bindparam, delete, func, insert, select, update

from mock_server.world import schema
from mock_server.world.database import Statement

PURGE_EVERY = 1_000
_WORLD = bindparam("world", type_=String)
_TABLES = [table for table in schema.metadata.sorted_tables if table is not schema.meta]


def of(table: Table, *names: str) -> Any:  # noqa: ANN401 - a condition
    """Return the condition that a row belongs to the world, and has the named values."""
    return and_(table.c.world == _WORLD, *(table.c[name] == bindparam(name) for name in names))


@cache
def count(name: str, columns: tuple[str, ...]) -> Statement:
    """Return the statement that counts the rows of a table, those with values for the columns."""
    table = schema.metadata.tables[name]
    return Statement(select(func.count().label("n")).select_from(table).where(of(table, *columns)))


INSERT = {table.name: Statement(insert(table)) for table in _TABLES}
DELETE_ALL = {table.name: Statement(delete(table).where(of(table))) for table in _TABLES}

WORLD = Statement(select(schema.worlds).where(of(schema.worlds)))
WORLD_NAMES = Statement(
    select(schema.worlds.c.world)
    .where(schema.worlds.c.world > bindparam("after", type_=String))
    .order_by(schema.worlds.c.world)
    .limit(bindparam("limit"))
)
WORLD_COUNT = Statement(select(func.count().label("n")).select_from(schema.worlds))
CHANGED = Statement(update(schema.worlds).where(of(schema.worlds)).values(revision=schema.worlds.c.revision + 1))
SET_WORLD = Statement(
    update(schema.worlds)
    .where(of(schema.worlds))
    .values(
        {
            name: bindparam(f"new_{name}", type_=schema.worlds.c[name].type)
            for name in (
                "employments",
                "mandatary_own_number",
                "activation_delay",
                "calendar_year_in_mandate",
                "phase",
                "consultation_answer",
                "closed_answer",
                "clock_offset",
                "clock_frozen_at",
            )
        }
    )
)

ACCOUNT = Statement(select(schema.accounts).where(of(schema.accounts, "client_id")))
PERMISSIONS = Statement(
    select(schema.permissions).where(of(schema.permissions, "client_id")).order_by(schema.permissions.c.position)
)
CERTIFICATES = Statement(
    select(schema.certificates).where(of(schema.certificates, "client_id")).order_by(schema.certificates.c.position)
)
ACCOUNTS = Statement(select(schema.accounts).where(of(schema.accounts)).order_by(schema.accounts.c.position))
ALL_PERMISSIONS = Statement(
    select(schema.permissions).where(of(schema.permissions)).order_by(schema.permissions.c.position)
)
ALL_CERTIFICATES = Statement(
    select(schema.certificates).where(of(schema.certificates)).order_by(schema.certificates.c.position)
)
SOME_CLIENTS = Statement(
    select(schema.accounts.c.client_id)
    .where(of(schema.accounts))
    .order_by(schema.accounts.c.position)
    .limit(bindparam("limit"))
)
LAST_POSITION = Statement(select(func.max(schema.accounts.c.position).label("n")).where(of(schema.accounts)))
DELETE_ACCOUNT = [
    Statement(delete(table).where(of(table, "client_id")))
    for table in (schema.accounts, schema.permissions, schema.certificates)
]

ENTERPRISE = Statement(select(schema.enterprises).where(of(schema.enterprises, "number")))
ENTERPRISES = Statement(select(schema.enterprises).where(of(schema.enterprises)).order_by(schema.enterprises.c.number))
ADMINISTRATORS = Statement(select(schema.administrators).where(of(schema.administrators, "enterprise")))
ALL_ADMINISTRATORS = Statement(select(schema.administrators).where(of(schema.administrators)))
DELETE_ENTERPRISE = Statement(delete(schema.enterprises).where(of(schema.enterprises, "number")))
DELETE_ADMINISTRATORS = Statement(delete(schema.administrators).where(of(schema.administrators, "enterprise")))

MANDATES_GIVEN = Statement(
    select(schema.mandates).where(of(schema.mandates, "mandator", "service")).order_by(schema.mandates.c.id)
)
MANDATE = Statement(select(schema.mandates).where(of(schema.mandates, "id")))
DELETE_MANDATE = Statement(delete(schema.mandates).where(of(schema.mandates, "id")))

EMPLOYMENT = Statement(select(schema.employments.c.ssin).where(of(schema.employments, "enterprise", "ssin")))
DELETE_EMPLOYMENT = Statement(delete(schema.employments).where(of(schema.employments, "enterprise", "ssin")))
DELETE_EMPLOYMENTS = Statement(delete(schema.employments).where(of(schema.employments, "enterprise")))


def into(own_insert: Any, table: Table) -> Any:  # noqa: ANN401 - a function of the database's dialect, here and below
    """Return the insertion of a row that takes place only as long as the world is there, and is the same one."""
    row = [_WORLD if column.name == "world" else bindparam(column.name, type_=column.type) for column in table.columns]
    there = select(*row).where(schema.worlds.c.world == _WORLD, schema.worlds.c.born == bindparam("born", type_=String))
    return own_insert(table).from_select([column.name for column in table.columns], there)


def _consume(own_insert: Any) -> Any:  # noqa: ANN401 - as above
    # One statement, so that of two requests with one jti only one can win; one whose assertion has expired is free.
    add = into(own_insert, schema.consumed_jtis)
    return add.on_conflict_do_update(
        index_elements=["world", "digest"],
        set_={"expires_at": add.excluded.expires_at, "used_at": add.excluded.used_at},
        where=schema.consumed_jtis.c.expires_at < add.excluded.used_at,
    )


CONSUME = Statement(_consume)
# Once more for what was written though nobody heard of it, when the connection broke: it is there already.
ADD_EXCHANGE = Statement(lambda own_insert: own_insert(schema.exchanges).on_conflict_do_nothing())
USED_AT = Statement(select(schema.consumed_jtis.c.used_at).where(of(schema.consumed_jtis, "digest")))
# A bounded number each time, more than can have come since: forgetting must not hold up whoever asks next.
PURGE = Statement(
    delete(schema.consumed_jtis).where(
        schema.consumed_jtis.c.world == _WORLD,
        schema.consumed_jtis.c.digest.in_(
            select(schema.consumed_jtis.c.digest)
            .where(
                schema.consumed_jtis.c.world == _WORLD,
                schema.consumed_jtis.c.expires_at < bindparam("now", type_=Float),
            )
            .limit(2 * PURGE_EVERY)
        ),
    )
)

COUNTER = {
    name: Statement(
        update(schema.counters)
        .where(of(schema.counters))
        .values({name: schema.counters.c[name] + bindparam("by")})
        .returning(schema.counters.c[name].label("n"))
    )
    for name in ("exchanges", "dropped", "mandates", "faults", "documents")
}
COUNTERS = Statement(select(schema.counters).where(of(schema.counters)))

FAULTS = Statement(select(schema.faults).where(of(schema.faults)).order_by(schema.faults.c.id))
DELETE_FAULT = Statement(delete(schema.faults).where(of(schema.faults, "id")))
FAULT_SEEN = Statement(
    update(schema.faults)
    .where(of(schema.faults, "id"))
    .values(seen=schema.faults.c.seen + 1)
    .returning(schema.faults.c.seen, schema.faults.c.fired)
)
FAULT_FIRED = Statement(
    update(schema.faults)
    .where(of(schema.faults, "id"))
    .values(fired=schema.faults.c.fired + 1)
    .returning(schema.faults.c.fired)
)
