"""The database under the worlds: what a transaction promises, who may use what, and how its faults are told."""

import contextlib
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import psycopg
import pytest
from sqlalchemy import bindparam, create_engine, delete, insert, inspect, select, text, update
from sqlalchemy.engine import make_url

from mock_server.clock import SystemClock
from mock_server.identifiers import Ssin
from mock_server.world import schema
from mock_server.world.database import MEMORY, Database, Statement, StoreError
from mock_server.world.model import Document, Employments, WorldSettings
from mock_server.world.store import Store
from tests.system import postgres

COUNTERS = schema.counters
ADD = Statement(insert(COUNTERS))
READ = Statement(select(COUNTERS.c.exchanges).where(COUNTERS.c.world == bindparam("world")))
ALL = Statement(select(COUNTERS.c.world, COUNTERS.c.exchanges).order_by(COUNTERS.c.world))
SET = Statement(update(COUNTERS).where(COUNTERS.c.world == bindparam("name")).values(exchanges=bindparam("n")))
REMOVE = Statement(delete(COUNTERS).where(COUNTERS.c.world == bindparam("name")))
PASSWORD = "open-sesame-1001"


def row(world: str = "a", exchanges: int = 0) -> dict[str, object]:
    """Return a row of counters."""
    return {"world": world, "exchanges": exchanges, "dropped": 0, "mandates": 0, "faults": 0, "documents": 0}


@pytest.fixture(params=get_args(postgres.Kind))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty store, one kind after the other."""
    with postgres.store(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty store that several may use at once."""
    with postgres.store(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def postgresql() -> Iterator[str]:
    """Return the URL of an empty database of PostgreSQL."""
    with postgres.database() as url:
        yield url


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database while the context lasts."""
    with contextlib.closing(Database(url)) as database:
        yield database


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Open an empty database."""
    with opened(url) as database:
        yield database


def refusal(url: str) -> str:
    """Return what is said of a store that cannot be used."""
    with pytest.raises(StoreError) as raised:
        Database(url)
    sentence = str(raised.value)
    assert "\n" not in sentence
    return sentence


# Reading and writing


def test_the_kind_follows_from_the_url(url: str) -> None:
    """What is not in the memory of this process may be used by others."""
    kind = make_url(url).get_backend_name() if url != MEMORY else MEMORY
    with opened(url) as database:
        assert (database.kind, database.is_shared) == (kind, kind != MEMORY)


@pytest.mark.parametrize("url", ["memory", "sqlite://", "sqlite:///:memory:"])
def test_there_are_several_names_for_memory(url: str) -> None:
    """They are all shown as the one of the documentation."""
    with opened(url) as database:
        assert (database.kind, database.shown_url) == (MEMORY, MEMORY)


def test_rows_are_read_by_name(database: Database) -> None:
    """One row, all rows, and none where there is none."""
    database.run_many(ADD, [row("a", 1), row("b", 2)])

    assert database.one(READ, world="b").exchanges == 2
    assert [(found.world, found.exchanges) for found in database.all(ALL)] == [("a", 1), ("b", 2)]
    assert database.one(READ, world="c") is None


def test_a_change_tells_how_many_rows_it_changed(database: Database) -> None:
    """Of two rows, a name fits one, and then none."""
    database.run_many(ADD, [row("a"), row("b")])

    assert [database.run(REMOVE, name="a"), database.run(REMOVE, name="a")] == [1, 0]


def test_nothing_to_write_is_no_fault(database: Database) -> None:
    """No rows are written in no time."""
    database.run_many(ADD, [])

    assert database.all(ALL) == []


def test_of_several_rows_all_are_written_or_none(database: Database) -> None:
    """The last of three is there already."""
    with pytest.raises(StoreError):
        database.run_many(ADD, [row("a"), row("b"), row("a")])

    assert database.all(ALL) == []


def test_who_asks_first_decides_on_a_text_of_the_store(url: str) -> None:
    """Another who asks is told what it is, and it stays."""
    with opened(url) as database:
        assert database.meta("colour") is None
        assert database.meta_or("colour", "red") == "red"
        assert database.meta_or("colour", "blue") == "red"
        assert database.meta("colour") == "red"


def test_what_was_written_is_there_when_it_is_opened_again(shared: str) -> None:
    """The tables are found, and left as they are."""
    with opened(shared) as database:
        database.run(ADD, **row("a", 7))
    with opened(shared) as database:
        assert database.one(READ, world="a").exchanges == 7


# Transactions


def test_a_transaction_is_not_seen_before_its_end(shared: str) -> None:
    """Another connection finds the row after the commit, and not while the transaction lasts."""
    with opened(shared) as first, opened(shared) as second:
        with first.transaction():
            first.run(ADD, **row())
            assert second.all(ALL) == []
        assert len(second.all(ALL)) == 1


class _ExpectedError(Exception):
    """Something that goes wrong in a test."""


def test_an_error_takes_back_the_whole_transaction(database: Database) -> None:
    """What was done before it, in a transaction inside too, is not there; and the next one works."""

    def change() -> None:
        with database.transaction():
            database.run(ADD, **row("a"))
            with database.transaction():
                database.run(ADD, **row("b"))
                raise _ExpectedError

    with pytest.raises(_ExpectedError):
        change()
    with database.transaction():
        database.run(ADD, **row("c"))

    assert [found.world for found in database.all(ALL)] == ["c"]


def test_a_transaction_inside_another_is_a_part_of_it(database: Database) -> None:
    """Its end is not the end: an error after it takes it back too."""

    def change() -> None:
        with database.transaction():
            with database.transaction():
                database.run(ADD, **row())
            raise _ExpectedError

    with pytest.raises(_ExpectedError):
        change()
    assert database.all(ALL) == []


def test_a_statement_that_fails_takes_back_the_whole_transaction(database: Database) -> None:
    """A row that is there already cannot be added, and the one before it is not either."""
    database.run(ADD, **row("a"))

    def change() -> None:
        with database.transaction():
            database.run(ADD, **row("b"))
            database.run(ADD, **row("a"))

    with pytest.raises(StoreError):
        change()
    assert [found.world for found in database.all(ALL)] == ["a"]


def test_a_snapshot_is_of_one_moment(shared: str) -> None:
    """What another commits meanwhile is seen after it."""
    with opened(shared) as first, opened(shared) as second:
        with first.transaction(snapshot=True):
            assert first.all(ALL) == []
            second.run(ADD, **row())
            assert first.all(ALL) == []
        assert len(first.all(ALL)) == 1


def test_changes_under_the_lock_come_one_after_another(shared: str) -> None:
    """Four who read a number and write the next one, fifty times each, count to 200."""
    with opened(shared) as database:
        database.run(ADD, **row())
    faults: list[BaseException] = []

    def count() -> None:
        try:
            with opened(shared) as own:
                for _ in range(50):
                    with own.transaction():
                        own.lock_for_changes()
                        own.run(SET, name="a", n=own.one(READ, world="a").exchanges + 1)
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)

    in_threads(count, 4)

    assert faults == []
    with opened(shared) as database:
        assert database.one(READ, world="a").exchanges == 200


def in_threads(work: object, count: int) -> None:
    """Do something several times at once."""
    assert callable(work)
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(postgres.TIMEOUT)


def test_several_may_make_the_tables_at_once(shared: str) -> None:
    """Eight open an empty store at the same moment: all find the tables, and one value of what the first decides."""
    ready = threading.Barrier(8)
    found: list[str] = []

    def open_it() -> None:
        ready.wait(postgres.TIMEOUT)
        try:
            with opened(shared) as database:
                found.append(database.meta_or("name", f"{threading.get_ident()}"))
        except StoreError as error:
            found.append(str(error))

    in_threads(open_it, 8)

    assert (len(found), len(set(found))) == (8, 1)


# Connections that break


def test_a_connection_that_was_cut_is_made_anew(postgresql: str, caplog: pytest.LogCaptureFixture) -> None:
    """The next statement finds what was there, without a word; and so does a transaction."""
    with opened(postgresql) as database:
        database.run(ADD, **row())
        postgres.cut_connections(postgresql)
        assert len(database.all(ALL)) == 1
        postgres.cut_connections(postgresql)
        with database.transaction():
            database.run(SET, name="a", n=1)
        assert database.one(READ, world="a").exchanges == 1
    assert caplog.records == []


def test_a_transaction_whose_connection_is_cut_did_nothing(postgresql: str) -> None:
    """The statement after the cut fails, what was done before it is not there, and the store works again."""

    def change(database: Database) -> None:
        with database.transaction():
            database.run(ADD, **row("a"))
            postgres.cut_connections(postgresql)
            database.run(ADD, **row("b"))

    with opened(postgresql) as database:
        with pytest.raises(StoreError):
            change(database)
        assert database.all(ALL) == []
        with database.transaction():
            database.run(ADD, **row("c"))
        assert len(database.all(ALL)) == 1


def test_a_commit_on_a_connection_that_was_cut_is_not_taken_for_done(postgresql: str) -> None:
    """It fails, since a new connection knows nothing of the changes, and they are not there."""

    def change(database: Database) -> None:
        with database.transaction():
            database.run(ADD, **row())
            postgres.cut_connections(postgresql)

    with opened(postgresql) as database:
        with pytest.raises(StoreError):
            change(database)
        assert database.all(ALL) == []


def test_a_change_is_not_made_twice(postgresql: str) -> None:
    """Where it is not known whether it was done before the cut, it fails; what is read next is there."""
    with opened(postgresql) as database:
        database.run(ADD, **row())
        postgres.cut_connections(postgresql)
        with pytest.raises(StoreError):
            database.run(SET, name="a", n=1)
        assert database.one(READ, world="a").exchanges == 0


def test_a_server_that_is_gone_is_told_at_each_statement(postgresql: str) -> None:
    """Nobody can connect to the database any more: each attempt ends with a sentence, and none is the last."""
    name = psycopg.sql.Identifier(postgresql.rpartition("/")[2])
    allow = psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with opened(postgresql) as database:
        postgres.ask(postgres.server_url(), allow.format(name, psycopg.sql.SQL("false")))
        postgres.cut_connections(postgresql)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"cannot be used: .*not currently accepting connections"):
                database.all(ALL)
        postgres.ask(postgres.server_url(), allow.format(name, psycopg.sql.SQL("true")))
        assert database.all(ALL) == []


# Versions of the tables


def sql(url: str, *statements: str) -> None:
    """Run statements in a store that nobody has open."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_tables_of_a_newer_version_are_refused(shared: str) -> None:
    """The sentence names both versions, and the tables stay as they are."""
    Database(shared).close()
    newer = schema.VERSION + 1
    sql(shared, f"UPDATE meta SET value = '{newer}' WHERE name = 'version'")

    assert refusal(shared).endswith(
        f" was made by a newer fla-mock (schema {newer}, this one knows {schema.VERSION}): "
        "use that version, or another store"
    )


def test_tables_of_an_older_version_are_brought_up_to_date(shared: str) -> None:
    """A table, a column with a default, one that may be null and an index come back, and what was there stays."""
    with opened(shared) as database:
        database.run(ADD, **row("a", 7))
    sql(
        shared,
        "INSERT INTO worlds (world, employments, mandatary_own_number) VALUES ('a', 'open', 'refuse')",
        "DROP TABLE faults",
        "ALTER TABLE worlds DROP COLUMN activation_delay",
        "ALTER TABLE worlds DROP COLUMN clock_frozen_at",
        "DROP INDEX consumed_jtis_by_expiry",
        "UPDATE meta SET value = '0' WHERE name = 'version'",
    )

    for _ in range(2):
        with opened(shared) as database:
            world = database.one(Statement(select(schema.worlds)))
            assert (world.world, world.activation_delay, world.clock_frozen_at) == ("a", 0.0, None)
            assert database.one(READ, world="a").exchanges == 7
            assert database.all(Statement(select(schema.faults))) == []
            assert database.meta("version") == str(schema.VERSION)
    assert indexes(shared, "consumed_jtis") == {"consumed_jtis_by_expiry"}


VERSION_1 = [
    "CREATE TABLE meta (name VARCHAR(32) NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name))",
    "INSERT INTO meta (name, value) VALUES ('version', '1')",
    """CREATE TABLE worlds (
        world VARCHAR(64) NOT NULL, employments VARCHAR(16) NOT NULL, mandatary_own_number VARCHAR(16) NOT NULL,
        activation_delay FLOAT DEFAULT '0' NOT NULL, calendar_year_in_mandate VARCHAR(16) DEFAULT 'ignore' NOT NULL,
        clock_offset FLOAT DEFAULT '0' NOT NULL, clock_frozen_at FLOAT, born VARCHAR(32) DEFAULT '' NOT NULL,
        revision INTEGER DEFAULT '0' NOT NULL, PRIMARY KEY (world)
    )""",
    "INSERT INTO worlds (world, employments, mandatary_own_number, born) VALUES ('w', 'closed', 'refuse', 'b')",
    """CREATE TABLE counters (
        world VARCHAR(64) NOT NULL, exchanges INTEGER NOT NULL, dropped INTEGER NOT NULL, mandates INTEGER NOT NULL,
        faults INTEGER NOT NULL, PRIMARY KEY (world)
    )""",
    "INSERT INTO counters (world, exchanges, dropped, mandates, faults) VALUES ('w', 1, 2, 3, 4)",
    """CREATE TABLE documents (
        world VARCHAR(64) NOT NULL, api VARCHAR(64) NOT NULL, path TEXT{collation} NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (world, api, path)
    )""",
]
"""The tables that version 1 had otherwise, as it made them, with a world in them."""
VERSION_1_PATHS = {
    "employers/1/employees/2": "employers/1/employees",
    "employers/1/employees/B": "employers/1/employees",
    "employers/1/employees/a": "employers/1/employees",
    "employers/1/employees/a%2Fb_c": "employers/1/employees",
    "employers/1/employees/": "employers/1/employees",
    "employers//x": "employers/",
    "top": "",
    "/": "",
    "": "",
}
"""Paths that version 1 could hold, and the collection of each."""


def make_version_1(url: str) -> None:
    """Make a store as version 1 did, where PostgreSQL's own order of letters is another than that of their codes."""
    collation = ' COLLATE "und-x-icu"' if url.startswith("postgresql") else ""
    rows = [f"INSERT INTO documents VALUES ('w', 'api', '{path}', '{{}}')" for path in VERSION_1_PATHS]
    sql(url, *(statement.format(collation=collation) for statement in VERSION_1), *rows)


def test_a_store_of_version_1_is_brought_up_to_date(shared: str) -> None:
    """Its documents are listed in their collections, in the order of the letters' codes; its world is as it was."""
    make_version_1(shared)

    for _ in range(2):
        with contextlib.closing(Store(shared)) as store:
            world = store.world("w", SystemClock())
            assert world is not None
            for path, collection in VERSION_1_PATHS.items():
                assert world.document("api", path) == Document("api", path, "{}")
                members = world.documents_in("api", collection, limit=9, offset=0)
                assert [entry.path for entry in members] == sorted(
                    other for other, its in VERSION_1_PATHS.items() if its == collection
                )
            assert world.settings == WorldSettings(Employments.CLOSED)
            assert store.database.meta("version") == str(schema.VERSION)
    assert indexes(shared, "documents") == {"documents_of_collection"}


def test_a_store_that_was_brought_up_to_date_works_as_a_new_one(shared: str) -> None:
    """What was there is replaced, mentioned, added beside, and removed with what is below it."""
    make_version_1(shared)

    with contextlib.closing(Store(shared)) as store:
        world = store.world("w", SystemClock())
        assert world is not None
        world.put_document(Document("api", "employers/1/employees/B", "1", mentions=(Ssin("85073099932"),)))
        assert not world.add_document(Document("api", "employers/1/employees/2", "2"))
        assert world.next_number("documents") == 1
        assert len(world.documents_mentioning("api", Ssin("85073099932"))) == 1

        assert world.remove_document("api", "employers/1", below=True)

        assert sorted(entry.path for entry in world.documents()) == ["", "/", "employers//x", "top"]
        assert world.count("mentions") == 0


def indexes(url: str, table: str) -> set[str | None]:
    """Return the names of the indexes of a table."""
    engine = create_engine(url)
    names = {index["name"] for index in inspect(engine).get_indexes(table)}
    engine.dispose()
    return names


FOREIGN = {
    "a table of the same name": ["CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)"],
    "a table meta with other columns": ["CREATE TABLE meta (id INTEGER PRIMARY KEY)"],
    "a table meta without a version": [
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)",
        "CREATE TABLE worlds (id INTEGER PRIMARY KEY)",
    ],
    "a version of something else": [
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)",
        "INSERT INTO meta VALUES ('version', '0')",
    ],
}


@pytest.mark.parametrize("case", FOREIGN)
def test_tables_of_something_else_are_refused(case: str, shared: str) -> None:
    """A database with tables of the same names that are not ours stays as it is."""
    sql(shared, *FOREIGN[case])
    before = tables(shared)

    assert refusal(shared).endswith(" has tables of something else: name another database")
    assert tables(shared) == before


def tables(url: str) -> dict[str, list[str]]:
    """Return the columns of each table."""
    engine = create_engine(url)
    found = inspect(engine)
    columns = {name: [column["name"] for column in found.get_columns(name)] for name in found.get_table_names()}
    engine.dispose()
    return columns


def test_other_tables_may_stand_beside_ours(shared: str) -> None:
    """A database that something else uses too is no matter, as long as no name is the same."""
    sql(shared, "CREATE TABLE something_else (id INTEGER PRIMARY KEY)")

    with opened(shared) as database:
        assert database.all(ALL) == []


# What cannot be used


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("", "no URL"),
        ("store.db", "no URL"),
        ("/tmp/store.db", "no URL"),
        ("mysql://user@host/database", "“mysql”"),
        ("postgresql+psycopg2://user@host/database", "“postgresql+psycopg2”"),
        ("sqlite+aiosqlite:///store.db", "“sqlite+aiosqlite”"),
    ],
)
def test_an_unknown_url_is_told(url: str, named: str) -> None:
    """The sentence says what is expected."""
    sentence = refusal(url)
    assert named in sentence
    assert "sqlite:///FILE" in sentence


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:{}@127.0.0.1:port/database",
        "postgresql+psycopg://user:{}@[::1/database",
        "mysql://user:{}@host/database",
        "postgresql+psycopg://user:{}@127.0.0.1:{}/database",
        "postgresql+psycopg://127.0.0.1:{}/database?user=user&password={}",
    ],
)
def test_a_password_is_not_shown(url: str) -> None:
    """Whatever is wrong with the URL, or with the server that it names, the sentence is without it."""
    with socket.socket() as nobody:
        # Bound, so that it is nobody else's either, and not listening.
        nobody.bind(("127.0.0.1", 0))
        port = str(nobody.getsockname()[1])
        values = [PASSWORD, port] if url.startswith("postgresql+psycopg://user:{}") else [port, PASSWORD]
        if url.startswith("mysql"):
            values = [PASSWORD]

        assert PASSWORD not in refusal(url.format(*values))


def test_a_server_that_nobody_is_listening_at_is_told() -> None:
    """The sentence names the URL and says why."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]

        sentence = refusal(f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:{port}/database")

    assert sentence.startswith(f"the store postgresql+psycopg://user:***@127.0.0.1:{port}/database cannot be used: ")
    assert "refused" in sentence


def test_a_wrong_password_is_told(postgresql: str) -> None:
    """With the right one it is another story."""
    with postgres.role_with_password(PASSWORD) as role:
        url = make_url(postgresql).set(username=role)
        wrong = url.set(password=f"wrong-{PASSWORD}")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=wrong.host, port=wrong.port, dbname=wrong.database, user=role, password="w").close()
            postgres.missing("this PostgreSQL server trusts everybody; the one of scripts/with-postgres does not")

        sentence = refusal(wrong.render_as_string(hide_password=False))
        # This one may connect, and not make tables.
        right = refusal(url.set(password=PASSWORD).render_as_string(hide_password=False))

    assert "password authentication failed" in sentence
    assert "permission denied" in right
    assert PASSWORD not in sentence + right


def test_a_database_that_is_not_there_is_told(postgresql: str) -> None:
    """The sentence names it."""
    sentence = refusal(postgres.in_database(postgresql, "no_such_database"))
    assert 'database "no_such_database" does not exist' in sentence


def test_a_driver_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    expected = "the store needs the package psycopg: pip install 'fla-mock[postgresql]'"
    assert refusal("postgresql://127.0.0.1/database") == expected


def test_a_file_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask, nobody else may read the key that signs access tokens, nor the files beside it."""
    before = os.umask(0)
    try:
        with opened(f"sqlite:///{tmp_path / 'store.db'}") as database:
            database.run(ADD, **row())
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(["store.db", "store.db-wal", "store.db-shm"], 0o600)


def test_a_text_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    """It is no database."""
    path = tmp_path / "notes.txt"
    path.write_text("Something else than a database. " * 100, encoding="utf-8")

    sentence = refusal(f"sqlite:///{path}")

    assert sentence == f"the store sqlite:///{path} cannot be used: file is not a database"
    assert path.read_text(encoding="utf-8") == "Something else than a database. " * 100


@pytest.mark.parametrize("name", [".", "missing/store.db", "notes.txt/store.db"])
def test_a_file_that_cannot_be_made_is_told(name: str, tmp_path: Path) -> None:
    """A folder, something in a folder that is not there, and something below a file."""
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")

    assert refusal(f"sqlite:///{tmp_path}/{name}").startswith(f"the store sqlite:///{tmp_path}/{name} cannot be used: ")


def test_a_file_in_a_folder_of_somebody_else_is_told(tmp_path: Path) -> None:
    """Who may not write there is told so."""
    if os.geteuid() == 0:
        pytest.skip("who runs the tests may write everywhere")
    tmp_path.chmod(0o500)
    try:
        assert "ermission denied" in refusal(f"sqlite:///{tmp_path / 'store.db'}")
    finally:
        tmp_path.chmod(0o700)
