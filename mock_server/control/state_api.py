"""The state and the clock of a world over HTTP."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response

from mock_server.clock import ClockWouldGoBackError
from mock_server.control import clocks
from mock_server.control.faults_api import validate_fault
from mock_server.control.json_bodies import JsonRoute, parse_json
from mock_server.control.models import ClockChange, ClockEntry, Counts, WorldEntry, refusals
from mock_server.control.records import timestamp
from mock_server.control.worlds import OpenWorld
from mock_server.identifiers import ServiceName
from mock_server.portal.errors import ConflictError, RefusedError
from mock_server.world.export import export_state, import_state
from mock_server.world.file import WorldFileError
from mock_server.world.model import Service, WorldState

_STATE_BODY = {
    "requestBody": {
        "required": True,
        "description": "An exported state, or one in the members of a world file (docs/world-file.md).",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def world_entry(opened: OpenWorld, token_path: str) -> WorldEntry:
    """Return what is told of a world."""
    base = opened.addresses.base_url
    return WorldEntry(
        name=opened.name,
        base_url=base,
        token_url=f"{base}{token_path}",
        audience=f"{base}{token_path}",
        apis={name: f"{base}{path}" for name, path in opened.endpoints.apis.items()},
        clock=clocks.entry(opened.world.clock),
        counts=Counts(**opened.world.counts(), exchanges=opened.journal.held()),
    )


def read_state(data: bytes | Mapping[str, object], services: Mapping[ServiceName, Service]) -> WorldState:
    """Read a state that was sent. Raises `RefusedError` with every fault."""
    try:
        return import_state(data, services, validate_fault=validate_fault)
    except WorldFileError as error:
        raise RefusedError(f"The state cannot be used. {error}") from None


def state_router(
    find: Callable[[str], OpenWorld], services: Mapping[ServiceName, Service], token_path: str
) -> APIRouter:
    """Return the routes; `find` raises `NotFoundError`."""
    router = APIRouter(prefix="/_mock/worlds", route_class=JsonRoute)

    @router.get("/{world}/state", tags=["State"], operation_id="exportState", responses=refusals(404))
    async def get_state(world: str) -> Response:
        """Export the state, the same bytes for equal states: all but the journal and the jtis that were used."""
        return Response(export_state(find(world).world.state()), media_type="application/json")

    @router.put(
        "/{world}/state",
        tags=["State"],
        operation_id="importState",
        responses=refusals(400, 404, 413, 415),
        openapi_extra=_STATE_BODY,
    )
    async def put_state(world: str, request: Request) -> WorldEntry:
        """Replace the state, clock included: a state that was exported may well be of an earlier time."""
        opened = find(world)
        opened.world.replace_state(read_state(parse_json(request, await request.body()), services))
        return world_entry(opened, token_path)

    @router.get("/{world}/clock", tags=["Clock"], operation_id="getClock", responses=refusals(404))
    async def get_clock(world: str) -> ClockEntry:
        """Show what time it is."""
        return clocks.entry(find(world).world.clock)

    @router.patch(
        "/{world}/clock",
        tags=["Clock"],
        operation_id="changeClock",
        responses=refusals(400, 404, 409, 415),
    )
    async def change_clock(world: str, change: ClockChange) -> ClockEntry:
        """Move the clock forward, freeze it, or let it run."""
        opened = find(world)
        with opened.world.changing():
            try:
                state = clocks.changed(opened.world.clock, change)
            except ClockWouldGoBackError as error:
                raise ConflictError(
                    f"A running clock never goes back: it is {timestamp(error.now)} in this world, and "
                    f"{timestamp(error.wanted)} was before that. Make a new world to begin at an earlier time."
                ) from None
            opened.world.put_clock(state)
        return clocks.entry(opened.world.clock)

    return router
