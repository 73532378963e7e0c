"""The stored documents of a world: what its APIs keep, by API and path."""

import contextlib
from collections.abc import Iterator
from typing import Any

from mock_server.identifiers import Ssin
from mock_server.world import document_statements as sql
from mock_server.world import rows
from mock_server.world.database import Database, Statement
from mock_server.world.model import Document
from mock_server.world.statements import INSERT, WORLD


class WorldGoneError(LookupError):
    """The world was deleted meanwhile."""


class WorldRows:
    """The rows of one world."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name
        self.born = ""
        """What tells this world from one of the same name that was deleted before."""

    def _gone(self) -> WorldGoneError:
        return WorldGoneError(f"the world {self.name} was deleted")

    def _one(self, statement: Statement, **values: Any) -> Any:  # noqa: ANN401 - a row, by name
        return self.database.one(statement, world=self.name, **values)

    def _all(self, statement: Statement, **values: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self.database.all(statement, world=self.name, **values)

    def _run(self, statement: Statement, **values: Any) -> int:  # noqa: ANN401 - values of any column
        return self.database.run(statement, world=self.name, **values)

    def _insert(self, table: str, *entries: rows.Row) -> None:
        self.database.run_many(INSERT[table], entries)


class Documents(WorldRows):
    """The documents among them. What is read comes without its mentions."""

    def document(self, api: str, path: str) -> Document | None:
        """Return what is stored at a path: a document, one without a body where it was deleted, or None."""
        row = self._one(sql.DOCUMENT, api=api, path=path)
        return None if row is None else rows.document(row)

    def documents(self) -> list[Document]:
        """Return all that is stored, also what stands for something deleted, in no order."""
        return [rows.document(row) for row in self._all(sql.DOCUMENTS)]

    def put_document(self, document: Document) -> None:
        """Store a document in place of what was there, whose number stays. Raises `WorldGoneError`."""
        row = self._written(document)
        is_plain = document.body is not None and not row["mentioned"]
        # One statement for what mentions nobody and did not: all documents of most APIs.
        if is_plain and self.database.run(sql.PUT_PLAIN, **row) == 1:
            return
        with self.database.transaction():
            self._hold()
            self.database.run(sql.PUT, **row)
            self._run(sql.REMOVE_MENTIONS, api=document.api, path=document.path)
            self._insert("mentions", *rows.of_mentions(self.name, document))

    def add_document(self, document: Document) -> bool:
        """Store a document where there is none, or where one was deleted; False when there is one.

        Raises `WorldGoneError`.
        """
        row = self._written(document)
        if not row["mentioned"]:
            added = self.database.run(sql.ADD, **row) == 1
            if not added:
                self._look()
            return added
        with self.database.transaction():
            self._hold()
            if self.database.run(sql.ADD, **row) == 0:
                return False
            self._insert("mentions", *rows.of_mentions(self.name, document))
        return True

    def remove_document(self, api: str, path: str, *, below: bool) -> bool:
        """Remove what is stored at a path, and with `below` all whose path goes on from there with a slash.

        False when there was nothing. Raises `WorldGoneError`.
        """
        where = {"api": api, "path": path}
        # All that begins with a slash more lies before what begins with the character after the slash.
        span = {"api": api, "first": f"{path}/", "last": f"{path}0"}
        with self.database.transaction():
            self._hold()
            removed = self._run(sql.REMOVE, **where)
            self._run(sql.REMOVE_LEFT_MENTIONS, **where)
            if below:
                removed += self._run(sql.REMOVE_BELOW, **span)
                self._run(sql.REMOVE_LEFT_MENTIONS_BELOW, **span)
        return removed > 0

    def documents_in(self, api: str, collection: str, *, limit: int, offset: int) -> list[Document]:
        """Return members of a collection by number and path, so many at most, from the one at an offset."""
        found = self._all(sql.IN_COLLECTION, api=api, collection=collection, limit=limit, offset=offset)
        return [rows.document(row) for row in found]

    def count_in(self, api: str, collection: str) -> int:
        """Return how many members a collection has."""
        return int(self._one(sql.COUNT_IN, api=api, collection=collection).n)

    def documents_mentioning(self, api: str, ssin: Ssin) -> list[Document]:
        """Return the documents that a person can be found by, by path."""
        return [rows.document(row) for row in self._all(sql.MENTIONING, api=api, ssin=ssin)]

    @contextlib.contextmanager
    def changing_documents(self) -> Iterator[None]:
        """Make all that is done to documents inside one change; no other process does so meanwhile.

        Unlike `World.changing`, nothing else that is remembered of the world is forgotten. Raises `WorldGoneError`.
        """
        with self.database.transaction():
            self.database.lock_for_changes()
            self._hold()
            yield

    def _written(self, document: Document) -> rows.Row:
        return {**rows.of_document(self.name, document), "born": self.born}

    def _look(self) -> None:
        """Look whether the world is there. Raises `WorldGoneError`."""
        row = self._one(WORLD)
        if row is None or row.born != self.born:
            raise self._gone()

    def _hold(self) -> None:
        """Inside a transaction: keep the world from being deleted until it ends. Raises `WorldGoneError`."""
        if self._one(sql.HOLD_WORLD, born=self.born) is None:
            raise self._gone()
