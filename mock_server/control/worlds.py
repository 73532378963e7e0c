"""The worlds of a server while it runs: each with its endpoints, its clock, its faults and its journal."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mock_server.asgi import Receive, Scope, Send
from mock_server.clock import Clock
from mock_server.control.journal import Journal
from mock_server.exchange import Observer
from mock_server.gateway.addresses import Addresses
from mock_server.gateway.serving import Endpoint, Serving
from mock_server.world.model import WorldState
from mock_server.world.store import DEFAULT_WORLD, Store
from mock_server.world.world import World, WorldGoneError

WORLDS_PREFIX = "/worlds"
WORLD_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_OPEN_AT_ONCE = 256
"""Of a shared store, so many worlds are kept open; others are opened again when they are asked for."""


class WorldEndpoints(Protocol):
    """What serves the paths of one world."""

    @property
    def apis(self) -> Mapping[str, str]:
        """The base path of each API by its name."""

    @property
    def operations(self) -> Sequence[str]:
        """What can be asked: `token`, `jwks`, and method and path template of each operation of the APIs."""

    def find(self, path: str) -> Endpoint:
        """Return what serves a path."""


@dataclass(slots=True)
class OpenWorld:
    """A world that is served."""

    world: World
    addresses: Addresses
    endpoints: WorldEndpoints
    journal: Journal
    serving: Serving

    @property
    def name(self) -> str:
        """The world's name."""
        return self.world.name

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whose path is the one below the world's prefix. Raises `WorldGoneError`."""
        await self.serving.serve(self.endpoints.find(scope["path"]), scope, receive, send)


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """How much a journal keeps."""

    size: int
    """Exchanges of each world."""
    body_bytes: int
    """Bytes of each body."""


class Worlds:
    """All worlds of a server."""

    def __init__(  # noqa: PLR0913 - the parts that the composition joins
        self,
        store: Store,
        clock: Clock,
        addresses: Addresses,
        make_endpoints: Callable[[World, Addresses], WorldEndpoints],
        observer: Observer,
        limits: JournalLimits,
    ) -> None:
        self.store = store
        self.clock = clock
        self._addresses = addresses
        self._make_endpoints = make_endpoints
        self._observer = observer
        self._limits = limits
        self._open: OrderedDict[str, OpenWorld] = OrderedDict()

    def open(self, name: str) -> OpenWorld | None:
        """Return a world to be served; None when there is none of this name."""
        known = self._open.get(name)
        if known is None and not WORLD_NAME.fullmatch(name):
            return None
        if known is not None:
            if self.store.is_shared:
                self._open.move_to_end(name)
            return known
        world = self.store.world(name, self.clock)
        return None if world is None else self.add(world)

    def find(self, name: str) -> OpenWorld | None:
        """Return a world as it is now, whoever changed it; None when there is none of this name."""
        found = self.open(name)
        try:
            if found is not None:
                found.world.refresh()
        except WorldGoneError:
            self.forget(name)
            # One of the same name may have been made since.
            return self.open(name)
        return found

    def add(self, world: World) -> OpenWorld:
        """Serve a world from now on."""
        prefix = "" if world.name == DEFAULT_WORLD else f"{WORLDS_PREFIX}/{world.name}"
        addresses = self._addresses.of_world(prefix)
        journal = Journal(world, self._limits.size, self._limits.body_bytes)
        opened = OpenWorld(
            world,
            addresses,
            self._make_endpoints(world, addresses),
            journal,
            Serving(world, journal, self._observer),
        )
        self._open[world.name] = opened
        # A store of this process alone is nowhere else: what is waiting in its journals must stay.
        if self.store.is_shared and len(self._open) > _OPEN_AT_ONCE:
            _, oldest = self._open.popitem(last=False)
            oldest.journal.close()
        return opened

    def create(self, state: WorldState, name: str) -> OpenWorld:
        """Make a world and serve it. Raises `WorldExistsError`."""
        return self.add(self.store.create_world(state, self.clock, name))

    def delete(self, name: str) -> bool:
        """Delete a world; False when there is none of this name."""
        self.forget(name)
        return self.store.delete_world(name)

    def forget(self, name: str) -> None:
        """Serve a world no longer, until it is asked for again."""
        opened = self._open.pop(name, None)
        if opened is not None:
            opened.journal.drop()

    def names(self, after: str, limit: int) -> Sequence[str]:
        """Return names of worlds in their order, from the one after a name."""
        return self.store.world_names(after, limit)

    def close(self) -> None:
        """Write what the journals hold back, and close the store."""
        for opened in self._open.values():
            opened.journal.close()
        self.store.close()
