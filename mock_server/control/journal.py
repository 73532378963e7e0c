"""The journal of a world: every exchange, bounded, oldest out first.

Exchanges are handed over while a client waits for its answer, so they are written later: in a store of this process
alone when somebody asks for them, in a shared one after a fraction of a second. Until then a shared journal may lag,
and what a killed process had not written is lost; nothing else depends on it.
"""

import asyncio
import json
import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from mock_server.control.records import MARGIN, as_record, sent_body
from mock_server.exchange import Exchange
from mock_server.world import schema
from mock_server.world import statements as sql
from mock_server.world.database import Statement, StoreError
from mock_server.world.world import World, WorldGoneError

_logger = logging.getLogger("fla_mock")
_BLOCK = 1_000
_WRITE_AFTER = 0.05
"""Seconds."""
_TRY_AGAIN = 1.0
"""Seconds until a store that failed is tried again."""
_LOOK_AGAIN = 0.25
"""Seconds between two looks for what other processes have written."""
_TABLE = schema.exchanges
_OLDEST_KEPT = Statement(
    select(_TABLE.c.number)
    .where(_TABLE.c.world == bindparam("world"))
    .order_by(_TABLE.c.number.desc())
    .offset(bindparam("kept"))
    .limit(1)
)
_DROP = Statement(delete(_TABLE).where(_TABLE.c.world == bindparam("world"), _TABLE.c.number <= bindparam("number")))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exchanges are asked for; None: any."""

    client_id: str | None = None
    operation: str | None = None
    status: int | None = None
    refused_by: str | None = None
    fault: bool | None = None


class Journal:
    """The exchanges of one world."""

    def __init__(self, world: World, size: int, body_bytes: int) -> None:
        """Keep `size` exchanges, and `body_bytes` of each body."""
        self._world = world
        self._database = world.database
        self._size = size
        self._body_bytes = body_bytes
        self._waiting: deque[Exchange] = deque(maxlen=size)
        self._dropped = 0
        self._next, self._last = 1, 0
        # One for each who waits: an event belongs to the loop that it was waited for in, and a test may have many.
        self._arrivals: set[asyncio.Event] = set()
        self._timer: asyncio.TimerHandle | None = None

    def number(self) -> int:
        """Return the number of the next exchange: unique in the world, and rising."""
        if self._database.is_shared:
            return self._world.next_number("exchanges")
        if self._next > self._last:
            # In blocks: nobody else counts.
            self._last = self._world.next_number("exchanges", _BLOCK)
            self._next = self._last - _BLOCK + 1
        self._next += 1
        return self._next - 1

    def append(self, exchange: Exchange) -> None:
        """Keep an exchange; what would be the longest of its texts are cut here, so that little is kept waiting."""
        request, limit = exchange.request, self._body_bytes + MARGIN
        if request.body_size > limit:
            body = sent_body(request)
            request.body, request.form = None if body is None else body[:limit], None
        answer = exchange.answer
        if answer is not None and len(answer.body) > limit:
            exchange.answer = replace(answer, body=answer.body[:limit])
        if len(self._waiting) == self._size:
            self._dropped += 1
        self._waiting.append(exchange)
        self._wake()
        if self._database.is_shared and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_WRITE_AFTER, self._write_later)

    def _wake(self) -> None:
        for arrived in self._arrivals:
            arrived.set()

    def _write_later(self) -> None:
        self._timer = None
        try:
            self.write()
        except WorldGoneError:
            # And its journal with it.
            self._waiting.clear()
        except StoreError as error:
            _logger.warning("the journal of the world %s is held back: %s", self._world.name, error)
            self._timer = asyncio.get_running_loop().call_later(_TRY_AGAIN, self._write_later)

    def write(self) -> None:
        """Write what is waiting, and let go of the oldest."""
        if not self._waiting:
            return
        waiting = list(self._waiting)
        records = [as_record(exchange, self._body_bytes) for exchange in waiting]
        entries = [
            {
                "world": self._world.name,
                "number": record["number"],
                "operation": record["operation"],
                "client_id": record["client_id"],
                "status": record["status"],
                "refused_by": record["refused_by"],
                "fault": None if record["fault"] is None else record["fault"]["id"],
                "record": json.dumps(record, ensure_ascii=False, separators=(",", ":")),
            }
            for record in records
        ]
        with self._database.transaction():
            self._require_world()
            self._database.run_many(sql.ADD_EXCHANGE, entries)
            oldest = self._database.one(_OLDEST_KEPT, world=self._world.name, kept=self._size)
            dropped = self._dropped
            if oldest is not None:
                dropped += self._database.run(_DROP, world=self._world.name, number=oldest.number)
            if dropped:
                self._world.next_number("dropped", dropped)
        # Not before: what could not be written stays.
        self._waiting.clear()
        self._dropped = 0

    def _require_world(self) -> None:
        row = self._database.one(sql.WORLD, world=self._world.name)
        if row is None or row.born != self._world.born:
            msg = f"the world {self._world.name} was deleted"
            raise WorldGoneError(msg)

    # Reading --------------------------------------------------------------------------------------------------------

    @property
    def dropped(self) -> int:
        """How many exchanges are there no more because there were too many."""
        self.write()
        return self._world.dropped

    def _query(self, query: Any, wanted: Wanted) -> Any:  # noqa: ANN401 - SQLAlchemy's statements
        query = query.where(_TABLE.c.world == self._world.name)
        for name in ("client_id", "operation", "status", "refused_by"):
            value = getattr(wanted, name)
            if value is not None:
                # PostgreSQL knows no NUL, and nothing that is stored has one.
                query = query.where(
                    _TABLE.c[name] == (value.replace("\0", "\ufffd") if isinstance(value, str) else value)
                )
        if wanted.fault is not None:
            query = query.where(_TABLE.c.fault.is_not(None) if wanted.fault else _TABLE.c.fault.is_(None))
        return query

    def held(self) -> int:
        """Return how many exchanges there are."""
        return self.count(Wanted())

    def count(self, wanted: Wanted) -> int:
        """Return how many exchanges there are of those wanted."""
        self.write()
        query = self._query(select(func.count().label("n")).select_from(_TABLE), wanted)
        return int(self._database.one(Statement(query)).n)

    def list(
        self, wanted: Wanted, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[dict[str, Any]]:
        """Return records in the order of their numbers.

        With `after`, those that follow a number, 0 for the first ones; otherwise the newest ones, or those right before
        a number.
        """
        self.write()
        query = self._query(select(_TABLE.c.record), wanted).where(_TABLE.c.number > (after or 0))
        if before is not None:
            query = query.where(_TABLE.c.number < before)
        newest_first = after is None
        query = query.order_by(_TABLE.c.number.desc() if newest_first else _TABLE.c.number).limit(limit)
        found = [json.loads(row.record) for row in self._database.all(Statement(query))]
        return found[::-1] if newest_first else found

    def get(self, number: int) -> dict[str, Any] | None:
        """Return the record with this number."""
        self.write()
        query = select(_TABLE.c.record).where(_TABLE.c.world == self._world.name, _TABLE.c.number == number)
        row = self._database.one(Statement(query))
        return None if row is None else json.loads(row.record)

    async def next(self, wanted: Wanted, after: int, seconds: float) -> dict[str, Any] | None:
        """Return the first record after a number; waits for one so many seconds at most. Raises `WorldGoneError`."""
        try:
            async with asyncio.timeout(seconds):
                while (found := self._first_after(wanted, after)) is None:
                    await self._something()
                    self._require_world()
                return found
        except TimeoutError:
            return None

    def _first_after(self, wanted: Wanted, after: int) -> dict[str, Any] | None:
        self.write()
        query = self._query(select(_TABLE.c.record), wanted).where(_TABLE.c.number > after)
        row = self._database.one(Statement(query.order_by(_TABLE.c.number).limit(1)))
        return None if row is None else json.loads(row.record)

    async def _something(self) -> None:
        """Return when something arrived here, or may have arrived in another process."""
        arrived = asyncio.Event()
        self._arrivals.add(arrived)
        try:
            async with asyncio.timeout(_LOOK_AGAIN if self._database.is_shared else None):
                await arrived.wait()
        except TimeoutError:
            return
        finally:
            self._arrivals.discard(arrived)

    def clear(self) -> None:
        """Delete all exchanges; numbers go on."""
        self._waiting.clear()
        self._dropped = 0
        self._database.run(sql.DELETE_ALL["exchanges"], world=self._world.name)

    def drop(self) -> None:
        """Let everything go: the world was deleted."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        self._wake()

    def close(self) -> None:
        """Write what is waiting in a store that outlives this process."""
        if self._timer is not None:
            self._timer.cancel()
        if self._database.is_shared:
            try:
                self.write()
            except (WorldGoneError, StoreError) as error:
                _logger.warning("the last exchanges of the world %s are lost: %s", self._world.name, error)
