"""The tables. Every row but those of `meta` belongs to a world."""

from collections.abc import Iterator

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    case,
    func,
    text,
    update,
)
from sqlalchemy.sql import ClauseElement

VERSION = 2
"""Raised with every change of the tables: a new column has a server default or may be null, so that it can be added."""

metadata = MetaData()
_IN_BYTES = Text().with_variant(Text(collation="C"), "postgresql")
"""A path: in the order of its bytes in every database, so that all below another is one range of an index."""


def _world() -> Column[str]:
    return Column("world", String(64), primary_key=True)


def _period() -> tuple[Column[float], Column[float]]:
    return Column("active_from", Float), Column("active_until", Float)


meta = Table(
    "meta",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

worlds = Table(
    "worlds",
    metadata,
    _world(),
    Column("employments", String(16), nullable=False),
    Column("mandatary_own_number", String(16), nullable=False),
    Column("activation_delay", Float, nullable=False, server_default="0"),
    Column("calendar_year_in_mandate", String(16), nullable=False, server_default="ignore"),
    Column("clock_offset", Float, nullable=False, server_default="0"),
    Column("clock_frozen_at", Float),
    Column("phase", String(16), nullable=False, server_default="open"),
    # As JSON; none: the usual one.
    Column("consultation_answer", Text),
    Column("closed_answer", Text),
    # What tells a world from one of the same name that was deleted before.
    Column("born", String(32), nullable=False, server_default=""),
    # Raised with every change but those of documents, so that a process knows when what it remembers is old.
    Column("revision", Integer, nullable=False, server_default="0"),
)

counters = Table(
    "counters",
    metadata,
    _world(),
    Column("exchanges", Integer, nullable=False),
    Column("dropped", Integer, nullable=False),
    Column("mandates", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("documents", Integer, nullable=False, server_default="0"),
)

enterprises = Table(
    "enterprises",
    metadata,
    _world(),
    Column("number", String(10), primary_key=True),
    Column("name", Text, nullable=False),
    Column("capacities", Text, nullable=False),
    Column("employments", String(16)),
)

administrators = Table(
    "administrators",
    metadata,
    _world(),
    Column("enterprise", String(10), primary_key=True),
    Column("capacity", String(32), primary_key=True),
    Column("email", Text, nullable=False),
    Column("local_administrator", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    _world(),
    Column("client_id", String(200), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("enterprise", String(10), nullable=False),
    Column("capacity", String(32), nullable=False),
    *_period(),
    Index("accounts_of_enterprise", "world", "enterprise", "capacity"),
)

permissions = Table(
    "permissions",
    metadata,
    _world(),
    Column("client_id", String(200), primary_key=True),
    Column("service", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    *_period(),
)

certificates = Table(
    "certificates",
    metadata,
    _world(),
    Column("client_id", String(200), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("der", LargeBinary, nullable=False),
    *_period(),
)

mandates = Table(
    "mandates",
    metadata,
    _world(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("mandator", String(10), nullable=False),
    Column("mandatary", String(10), nullable=False),
    Column("service", String(64), nullable=False),
    Column("start", String(6), nullable=False),
    Column("end", String(6)),
    Column("decision", String(16), nullable=False),
    Column("proposed_by", String(16)),
    Column("confirmed_by", String(32), nullable=False),
    # With the id, or the order is taken from the primary key and every mandate of the world is read.
    Index("mandates_of_mandator", "world", "mandator", "service", "id"),
    Index("mandates_of_mandatary", "world", "mandatary", "id"),
)

employments = Table(
    "employments",
    metadata,
    _world(),
    Column("enterprise", String(10), primary_key=True),
    Column("ssin", String(11), primary_key=True),
)

consumed_jtis = Table(
    "consumed_jtis",
    metadata,
    _world(),
    # A digest of client id and jti: of fixed length, whatever characters the client chose.
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float, nullable=False),
    Index("consumed_jtis_by_expiry", "world", "expires_at"),
)

documents = Table(
    "documents",
    metadata,
    _world(),
    Column("api", String(64), primary_key=True),
    Column("path", _IN_BYTES, primary_key=True),
    # None of it: deleted, though the contract says that something is there by itself.
    Column("body", Text, nullable=False),
    # What was deleted is in none.
    Column("collection", _IN_BYTES),
    Column("number", Integer, nullable=False, server_default="0"),
    # Whether it has rows among the mentions: most have none, and are then replaced in one statement.
    Column("mentioned", Integer, nullable=False, server_default="0"),
    # All that counting and listing go by, so that neither looks at the bodies.
    Index("documents_of_collection", "world", "api", "collection", "number", "path"),
)

mentions = Table(
    "mentions",
    metadata,
    _world(),
    Column("api", String(64), primary_key=True),
    Column("ssin", String(11), primary_key=True),
    Column("path", _IN_BYTES, primary_key=True),
    Index("mentions_of_document", "world", "api", "path"),
)

faults = Table(
    "faults",
    metadata,
    _world(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("members", Text, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("fired", Integer, nullable=False),
)

exchanges = Table(
    "exchanges",
    metadata,
    _world(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("operation", Text, nullable=False),
    Column("client_id", Text),
    Column("status", Integer),
    Column("refused_by", String(64)),
    Column("fault", Integer),
    # All of it, as JSON: what the columns above say is there for looking up.
    Column("record", Text, nullable=False),
)


def changes_since(version: int, kind: str) -> Iterator[ClauseElement]:
    """Yield what brings the rows of an older store up to date, once no table or column is missing."""
    if version == 1:
        if kind == "postgresql":
            yield text('ALTER TABLE documents ALTER COLUMN path TYPE TEXT COLLATE "C"')
        yield _fill_collections()


def _fill_collections() -> ClauseElement:
    # Without the letters at its end that are no slash, so with the last slash there is; that goes as well.
    path = documents.c.path
    head = func.rtrim(path, func.replace(path, "/", ""))
    collection = case((head == "", ""), else_=func.substr(head, 1, func.length(head) - 1))
    return update(documents).values(collection=collection)
