"""A PostgreSQL server for tests: databases of their own, and what happens to a server that is not one's own."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
from psycopg import sql

VARIABLE = "FLA_TEST_POSTGRES"
TIMEOUT = 60
"""Seconds that anything may take on a busy machine before the test gives up."""

Kind = Literal["memory", "sqlite", "postgresql"]


def missing(message: str) -> None:
    """Skip the test; in CI, where everything that tests need was installed, fail it."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def server_url() -> str:
    """Return the URL of a server on which the user may do everything, or end the test."""
    url = os.environ.get(VARIABLE, "")
    if not url:
        missing(f"{VARIABLE} names no PostgreSQL server: scripts/with-postgres starts one")
    return url


def ask(url: str, query: sql.SQL | sql.Composed, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement on a connection of its own; return its rows."""
    with psycopg.connect(_conninfo(url), autocommit=True) as connection:
        cursor = connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def database() -> Iterator[str]:
    """Make a database, and drop it afterwards, whoever uses it then; yields its URL."""
    server = server_url()
    name = f"fla_{secrets.token_hex(8)}"
    ask(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield in_database(server, name)
    finally:
        ask(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def store(kind: Kind, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty store of a kind: in memory, in a file of a folder, or in a database."""
    if kind == "postgresql":
        with database() as url:
            yield url
    else:
        yield "memory" if kind == "memory" else f"sqlite:///{folder / 'store.db'}"


@contextmanager
def role_with_password(password: str) -> Iterator[str]:
    """Make a role that has to say its password, and drop it afterwards; yields its name."""
    server = server_url()
    group, name = sql.Identifier("with_password"), f"fla_{secrets.token_hex(8)}"
    with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        ask(server, sql.SQL("CREATE ROLE {}").format(group))
    made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
    ask(server, made.format(sql.Identifier(name), sql.Literal(password), group))
    try:
        yield name
    finally:
        ask(server, sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def in_database(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return f"{url.rpartition('/')[0]}/{name}"


def cut_connections(url: str) -> None:
    """End every connection to a database, as a restart of the server does; returns when they are gone."""
    name, server = url.rpartition("/")[2], server_url()
    found = ask(server, sql.SQL("SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"), name)
    cut = [pid for pid, _ in found]
    assert cut
    # Who is cut may connect anew at once.
    _until(lambda: not ask(server, sql.SQL("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)"), cut))


def await_a_wait(url: str) -> None:
    """Return as soon as somebody who is connected to a database waits for somebody else there."""
    waiting = sql.SQL("SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'")
    _until(lambda: bool(ask(server_url(), waiting, url.rpartition("/")[2])))


def _until(is_so: Any) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not is_so():
        assert time.monotonic() < deadline, f"still not so after {TIMEOUT} seconds"


def _conninfo(url: str) -> str:
    return url.replace("+psycopg", "", 1)
