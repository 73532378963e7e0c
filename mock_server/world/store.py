"""The worlds of a store: making, finding and deleting them."""

from collections.abc import Callable

from mock_server.clock import Clock
from mock_server.world import rows
from mock_server.world import statements as sql
from mock_server.world.database import MEMORY, Database
from mock_server.world.model import WorldState
from mock_server.world.world import World, WorldGoneError

DEFAULT_WORLD = "default"


class WorldExistsError(ValueError):
    """There is a world of this name already."""


class Store:
    """The database that worlds live in."""

    def __init__(self, url: str = MEMORY) -> None:
        """Open the store. Raises `StoreError`."""
        self.database = Database(url)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the store at the same time."""
        return self.database.is_shared

    def create_world(self, state: WorldState, clock: Clock, name: str = DEFAULT_WORLD) -> World:
        """Write a world, whose state has been found consistent, and return it. Raises `WorldExistsError`."""
        with self.database.transaction():
            # Two who make the same world at once: the second waits for the first, and then finds it there.
            self.database.lock_for_changes()
            if self.database.one(sql.WORLD, world=name) is not None:
                msg = f"there is a world named {name} already"
                raise WorldExistsError(msg)
            # What a request had still under way when a world of this name was deleted must not come up again.
            self._delete_all(name)
            for table, entries in rows.of_state(name, state):
                self.database.run_many(sql.INSERT[table.name], entries)
        return World(self.database, name, clock)

    def world(self, name: str, clock: Clock) -> World | None:
        """Return the world of this name, or None."""
        try:
            return World(self.database, name, clock)
        except WorldGoneError:
            return None

    def ensure_world(
        self, make: Callable[[], WorldState], clock: Clock, name: str = DEFAULT_WORLD
    ) -> tuple[World, bool]:
        """Return the world of this name, made if it is not there, and whether it was made now."""
        world = self.world(name, clock)
        if world is not None:
            return world, False
        try:
            return self.create_world(make(), clock, name), True
        except WorldExistsError:
            return World(self.database, name, clock), False

    def world_names(self, after: str = "", limit: int = 100) -> list[str]:
        """Return names of worlds in their order, from the one after a name."""
        # No name has a NUL, and PostgreSQL cannot be asked for one.
        after = after.partition("\0")[0]
        return [str(row.world) for row in self.database.all(sql.WORLD_NAMES, after=after, limit=limit)]

    def world_count(self) -> int:
        """Return how many worlds there are."""
        return int(self.database.one(sql.WORLD_COUNT).n)

    def delete_world(self, name: str) -> bool:
        """Delete a world and everything in it; False when there is none of this name."""
        with self.database.transaction():
            if self.database.run(sql.CHANGED, world=name) == 0:
                return False
            self._delete_all(name)
        return True

    def _delete_all(self, name: str) -> None:
        # Exchanges go before counters, as when a journal is written: two who wait for each other would wait for ever.
        for statement in reversed(sql.DELETE_ALL.values()):
            self.database.run(statement, world=name)

    def close(self) -> None:
        """Let the database go; one in memory goes with everything in it."""
        self.database.close()
