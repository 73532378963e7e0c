"""Worlds over HTTP: making, listing and deleting them."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mock_server.control import clocks
from mock_server.control.json_bodies import JsonRoute
from mock_server.control.models import Limit, NewWorld, WorldEntry, WorldList, refusals
from mock_server.control.state_api import StateReader, world_entry
from mock_server.control.worlds import OpenWorld, Worlds
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.redaction import shown
from mock_server.world.model import WorldState
from mock_server.world.store import DEFAULT_WORLD, WorldExistsError


def worlds_router(  # noqa: C901 - routes that stand side by side
    worlds: Worlds,
    find: Callable[[str], OpenWorld],
    reader: StateReader,
    named_state: Callable[[str], WorldState],
    token_path: str,
) -> APIRouter:
    """Return the routes; `find` raises `NotFoundError`, and `named_state` returns what `demo` and `empty` stand for."""
    router = APIRouter(prefix="/_mock/worlds", route_class=JsonRoute)

    @router.get("", tags=["Worlds"], operation_id="listWorlds", responses=refusals(400))
    async def list_worlds(
        limit: Limit = 100, after: Annotated[str, Query(description="From the one after this name.")] = ""
    ) -> WorldList:
        """List the worlds by name."""
        opened = [found for name in worlds.names(after, limit) if (found := worlds.find(name)) is not None]
        return WorldList(items=[world_entry(one, token_path) for one in opened], total=worlds.store.world_count())

    @router.post(
        "",
        tags=["Worlds"],
        operation_id="createWorld",
        status_code=201,
        responses=refusals(400, 409, 413, 415),
    )
    async def create_world(new: NewWorld, response: Response) -> WorldEntry:
        """Make a world: the demo world (with the keys of the server's own), an empty one, or one from a state."""
        if new.state is not None and new.start is not None:
            raise RefusedError("A world starts from a name or from a state: give one of from and state.")
        if new.state is not None:
            state = await reader.read(new.state)
        else:
            # The keys of the demo world may have to be made, which takes seconds.
            state = await asyncio.to_thread(named_state, new.start or "demo")
        if new.clock is not None:
            state = replace(state, clock=clocks.started(new.clock, worlds.clock.now()))
        name = new.name or f"w-{secrets.token_hex(5)}"
        try:
            opened = worlds.create(state, name)
        except WorldExistsError:
            raise ConflictError(
                f"There is a world named {name} already: choose another name, or delete it first."
            ) from None
        response.headers["location"] = f"{opened.addresses.server_url}/_mock/worlds/{name}"
        return world_entry(opened, token_path)

    @router.get("/{world}", tags=["Worlds"], operation_id="getWorld", responses=refusals(404))
    async def get_world(world: str) -> WorldEntry:
        """Show a world: its URLs, its clock, and how much is in it."""
        return world_entry(find(world), token_path)

    @router.delete(
        "/{world}", tags=["Worlds"], operation_id="deleteWorld", status_code=204, responses=refusals(404, 409)
    )
    async def delete_world(world: str) -> None:
        """Delete a world and everything in it."""
        if world == DEFAULT_WORLD:
            raise ConflictError(
                "The world at the root stays as long as the server: replace its state with PUT …/state."
            )
        if not worlds.delete(world):
            raise NotFoundError(f"world {shown(world)} on this server")

    return router
