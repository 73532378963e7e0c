"""The tables. Every row belongs to a world."""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()


def _world() -> Column[str]:
    return Column("world", String(64), primary_key=True)


worlds = Table(
    "worlds",
    metadata,
    _world(),
    Column("employments", String(16), nullable=False),
    Column("mandatary_own_number", String(16), nullable=False),
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

accounts = Table(
    "accounts",
    metadata,
    _world(),
    Column("client_id", String(200), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("enterprise", String(10), nullable=False),
    Column("capacity", String(32), nullable=False),
    Column("permissions", Text, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    _world(),
    Column("client_id", String(200), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("der", LargeBinary, nullable=False),
)

mandates = Table(
    "mandates",
    metadata,
    _world(),
    Column("position", Integer, primary_key=True),
    Column("mandator", String(10), nullable=False),
    Column("mandatary", String(10), nullable=False),
    Column("service", String(64), nullable=False),
    Column("start", String(6), nullable=False),
    Column("end", String(6)),
    Column("decision", String(16), nullable=False),
    # With the position, or the order is taken from the primary key and every mandate of the world is read.
    Index("mandates_of_mandator", "world", "mandator", "service", "position"),
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
    Index("consumed_jtis_by_expiry", "world", "expires_at"),
)

documents = Table(
    "documents",
    metadata,
    _world(),
    Column("api", String(64), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
