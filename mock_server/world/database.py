"""The database that worlds live in: SQLite in memory or in a file, or PostgreSQL.

Statements are written and compiled with SQLAlchemy Core, once, and run by the driver itself: taking a connection from a
pool and building a result costs more than most statements do. One connection, in autocommit; whatever takes more than
one statement says so with `transaction`. Calls are synchronous and made from one thread: in memory they take tens of
microseconds, less than handing them to a thread would.
"""

import contextlib
import os
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Engine, Inspector, bindparam, create_engine, event, insert, inspect, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql import ClauseElement, Select
from sqlalchemy.sql.dml import UpdateBase

from mock_server.redaction import shown
from mock_server.world import schema

MEMORY = "memory"
Kind = Literal["memory", "sqlite", "postgresql"]
_BUSY_SECONDS = 5
_BUSY_STEP = 0.01
_LOCK = 0x666C61  # any number: it names PostgreSQL's advisory lock
_EXPECTED = "memory, sqlite:///FILE, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


_BEGIN = {
    (False, False): "BEGIN IMMEDIATE",
    (False, True): "BEGIN",
    (True, False): "BEGIN",
    (True, True): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}


class StoreError(RuntimeError):
    """The store cannot be used; says what to do."""


class Statement:
    """A statement whose values are named when it is run.

    One that has no general form (`ON CONFLICT`) is a function of the database's own `insert`.
    """

    def __init__(self, clause: ClauseElement | Callable[[Any], ClauseElement]) -> None:
        self._clause = clause
        self._compiled: dict[str, _Compiled] = {}

    def compiled(self, dialect: Any) -> "_Compiled":  # noqa: ANN401 - SQLAlchemy's dialects share no useful type
        """Return the text for a database, compiled at the first use."""
        known = self._compiled.get(dialect.name)
        if known is None:
            clause = self._clause
            if not isinstance(clause, ClauseElement):
                clause = clause(import_module(f"sqlalchemy.dialects.{dialect.name}").insert)
            known = self._compiled[dialect.name] = _Compiled.of(clause, dialect)
        return known


class _Compiled(NamedTuple):
    text: str
    order: tuple[str, ...] | None
    """The names of the values in their order, where the driver wants a sequence."""
    defaults: Mapping[str, Any]
    row: Any
    """The named tuple of a row, where the columns have names."""
    reads: bool
    """Whether it changes nothing."""

    @classmethod
    def of(cls, clause: Any, dialect: Any) -> "_Compiled":  # noqa: ANN401 - as above
        compiled = clause.compile(dialect=dialect)
        columns: Iterable[Any] = ()
        if isinstance(clause, Select):
            columns = clause.selected_columns
        elif isinstance(clause, UpdateBase):
            columns = clause._returning  # noqa: SLF001 - SQLAlchemy has no public name for it
        names = [str(column.key) for column in columns]
        # A name of an anonymous column is no identifier; such rows have one value, which is taken by its place.
        row = _row_type(tuple(names)) if all(map(str.isidentifier, names)) else None
        order = tuple(compiled.positiontup) if compiled.positional else None
        return cls(
            str(compiled),
            order,
            {k: v for k, v in compiled.params.items() if v is not None},
            row,
            isinstance(clause, Select),
        )

    def values(self, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the driver takes
        """Return the values in the form that the driver takes."""
        all_values = {**self.defaults, **given} if self.defaults else given
        return all_values if self.order is None else [all_values[name] for name in self.order]


_META = Statement(select(schema.meta.c.value).where(schema.meta.c.name == bindparam("name")))
_ADD_META = Statement(insert(schema.meta))
_SET_META = Statement(
    update(schema.meta).where(schema.meta.c.name == bindparam("the_name")).values(value=bindparam("the_value"))
)


@cache
def _row_type(names: tuple[str, ...]) -> Any:  # noqa: ANN401 - a class of named tuples
    # Kept: queries that are put together when they are asked share their few shapes, and making a class is slow.
    return namedtuple("Row", names)  # noqa: PYI024 - the names are those of columns, known when it runs


class Database:
    """One connection to one database, with the tables in it."""

    def __init__(self, url: str = MEMORY) -> None:
        """Connect, and make the tables or bring them up to date. Raises `StoreError`."""
        self._url = _parse(url)
        self.kind: Kind = "postgresql" if self._url.get_backend_name() == "postgresql" else "sqlite"
        if self._url.database in {None, "", ":memory:"} and self.kind == "sqlite":
            self.kind = "memory"
        self._depth = 0
        self._engine = self._make_engine()
        self._dialect = self._engine.dialect
        try:
            self._connect()
            with self.transaction():
                self._prepare()
        except self._errors as error:
            self.close()
            raise StoreError(self._cannot(error)) from None
        except StoreError:
            self.close()
            raise

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use it at the same time."""
        return self.kind != "memory"

    @cached_property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (DBAPIError, self._dialect.loaded_dbapi.Error, OSError)

    def _make_engine(self) -> Engine:
        arguments: dict[str, Any] = {"check_same_thread": False, "timeout": _BUSY_SECONDS}
        if self.kind == "postgresql":
            arguments = {"connect_timeout": _BUSY_SECONDS, "autocommit": True}
        try:
            engine = create_engine(self._url, poolclass=NullPool, connect_args=arguments)
        except ImportError as error:
            # Also when the driver is there, and the library that it needs is not.
            msg = f"the store needs the package {error.name or 'psycopg'}: pip install 'fla-mock[postgresql]'"
            raise StoreError(msg) from None
        except (NoSuchModuleError, ArgumentError):
            msg = f"the store {shown(self.shown_url)} is not known here; expected {_EXPECTED}"
            raise StoreError(msg) from None
        if self.kind != "postgresql":
            event.listen(engine, "connect", _configure_sqlite)
        return engine

    @property
    def shown_url(self) -> str:
        """The URL without its password, which its query may have too."""
        return MEMORY if self.kind == "memory" else self._url.set(query={}).render_as_string(hide_password=True)

    def _cannot(self, error: Exception) -> str:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        return f"the store {self.shown_url} cannot be used: {reason[0] if reason else type(error).__name__}"

    def _connect(self) -> None:
        if self.kind == "sqlite" and self._url.database:
            _make_private(Path(self._url.database))
        self._connection: Connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        driver: Any = self._connection.connection.dbapi_connection
        self._driver = driver
        self._cursor: Any = driver.cursor()

    def close(self) -> None:
        """Let the connection go; a database in memory goes with it."""
        if hasattr(self, "_connection"):
            # A connection that broke cannot be closed in good order.
            with contextlib.suppress(*self._errors):
                self._connection.close()
        self._engine.dispose()

    def _execute(self, text: str, values: Any, *, may_repeat: bool = False) -> Any:  # noqa: ANN401 - the driver's own types
        try:
            return self._cursor.execute(text, values)
        except self._errors as error:
            if self._depth or not (may_repeat and self._is_broken()):
                raise StoreError(self._cannot(error)) from error
        # The server was started again, for instance. What changes something is not repeated: it may have been done.
        try:
            self._reconnect()
            return self._cursor.execute(text, values)
        except self._errors as error:
            raise StoreError(self._cannot(error)) from error

    def _reconnect(self) -> None:
        # After an attempt in vain it is closed already.
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()
        self._connect()

    def _is_broken(self) -> bool:
        return self.kind == "postgresql" and bool(self._driver.closed or self._driver.broken)

    def run(self, statement: Statement, **values: Any) -> int:  # noqa: ANN401 - values of any column
        """Run a statement and return how many rows it changed."""
        compiled = statement.compiled(self._dialect)
        return int(self._execute(compiled.text, compiled.values(values)).rowcount)

    def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each row: for all of them, or for none."""
        if not rows:
            return
        compiled = statement.compiled(self._dialect)
        with self.transaction():
            try:
                self._cursor.executemany(compiled.text, [compiled.values(row) for row in rows])
            except self._errors as error:
                raise StoreError(self._cannot(error)) from error

    def one(self, statement: Statement, **values: Any) -> Any:  # noqa: ANN401 - a row, by name
        """Return the first row, or None."""
        compiled = statement.compiled(self._dialect)
        row = self._execute(compiled.text, compiled.values(values), may_repeat=compiled.reads).fetchone()
        return row if row is None or compiled.row is None else compiled.row._make(row)

    def all(self, statement: Statement, **values: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Return all rows."""
        compiled = statement.compiled(self._dialect)
        rows = self._execute(compiled.text, compiled.values(values), may_repeat=compiled.reads).fetchall()
        return rows if compiled.row is None else [compiled.row._make(row) for row in rows]

    @contextlib.contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[None]:
        """Make what is run inside one change: all of it, or nothing. One inside another is part of it.

        With `snapshot` nothing is changed, and all that is read was there at one moment.
        """
        if self._depth == 0:
            # Not a plain BEGIN for changes in SQLite: a reader that turns writer cannot wait for another writer.
            self._execute(_BEGIN[self.kind == "postgresql", snapshot], (), may_repeat=True)
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                with contextlib.suppress(*self._errors):
                    self._cursor.execute("ROLLBACK")
            raise
        try:
            if self._depth == 1:
                # On this connection or not at all: another one knows nothing of what is to be committed.
                self._execute("COMMIT", ())
        except StoreError:
            with contextlib.suppress(*self._errors):
                self._cursor.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def lock_for_changes(self) -> None:
        """Inside a transaction: let nobody else do the same until it ends. SQLite has one writer anyway."""
        if self.kind == "postgresql":
            self._execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))

    def _prepare(self) -> None:
        """Make the tables, or bring those of an older version up to date."""
        # Two servers may start at once.
        self.lock_for_changes()
        found = inspect(self._connection)
        tables = set(found.get_table_names())
        version = self._version() if self._is_ours(found, tables) else None
        if version == schema.VERSION:
            return
        if version is None and tables & set(schema.metadata.tables):
            msg = f"the store {self.shown_url} has tables of something else: name another database"
            raise StoreError(msg)
        if version is not None and version > schema.VERSION:
            msg = (
                f"the store {self.shown_url} was made by a newer fla-mock (schema {version}, this one knows "
                f"{schema.VERSION}): use that version, or another store"
            )
            raise StoreError(msg)
        self._add_what_is_missing(tables)
        if version is not None:
            for change in schema.changes_since(version, self.kind):
                self.run(Statement(change))
        self._set("version", str(schema.VERSION))

    def _is_ours(self, found: Inspector, tables: set[str]) -> bool:
        if not {schema.meta.name, schema.worlds.name} <= tables:
            return False
        columns = {column["name"] for column in found.get_columns(schema.meta.name)}
        return set(schema.meta.columns.keys()) <= columns

    def _version(self) -> int | None:
        text = self.meta("version")
        return int(text) if text is not None and text.isdigit() else None

    def _add_what_is_missing(self, tables: set[str]) -> None:
        found = inspect(self._connection)
        for table in schema.metadata.sorted_tables:
            if table.name not in tables:
                table.create(self._connection)
                continue
            columns = {column["name"] for column in found.get_columns(table.name)}
            for column in table.columns:
                if column.name not in columns:
                    added = CreateColumn(column).compile(dialect=self._dialect)
                    self._execute(f"ALTER TABLE {table.name} ADD COLUMN {added}", ())
            indexes = {index["name"] for index in found.get_indexes(table.name)}
            for index in table.indexes:
                if index.name not in indexes:
                    index.create(self._connection)

    def meta(self, name: str) -> str | None:
        """Return a text that belongs to the store as a whole."""
        row = self.one(_META, name=name)
        return None if row is None else str(row.value)

    def meta_or(self, name: str, value: str) -> str:
        """Return a text that belongs to the store as a whole; the first who asks decides what it is."""
        with self.transaction():
            self.lock_for_changes()
            known = self.meta(name)
            if known is None:
                self._set(name, value)
            return value if known is None else known

    def _set(self, name: str, value: str) -> None:
        if self.run(_SET_META, the_name=name, the_value=value) == 0:
            self.run(_ADD_META, name=name, value=value)


def _parse(url: str) -> URL:
    if url == MEMORY:
        return make_url("sqlite://")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Nothing of it is shown: where it has its password is not known.
        msg = f"the store is no URL that can be read; expected {_EXPECTED}"
        raise StoreError(msg) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        msg = f"a store of the kind {shown(parsed.drivername)} is not known; expected {_EXPECTED}"
        raise StoreError(msg)
    return parsed


def _make_private(path: Path) -> None:
    """Make the file, readable by its owner alone: the key that signs access tokens is in it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    cursor = connection.cursor()
    # With a write-ahead log, what was committed survives the end of the process without waiting for the disk.
    _keep_write_ahead_log(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _keep_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # Here SQLite itself does not wait for another process that does the same with a new file.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_STEP)
        else:
            return
