"""The state and the clock of a world over HTTP."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
from mock_server.problems import INVALID_INPUT, Issue
from mock_server.redaction import shown
from mock_server.world.export import export_state, import_state
from mock_server.world.file import WorldFileError
from mock_server.world.model import Document, Service, WorldState

_FAULTS_TOLD = 100

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


DocumentFault = Callable[[Document], str | None]
"""Returns why no API could have stored a document, or None."""
Indexed = Callable[[WorldState], WorldState]
"""Adds to each document of a state whom it mentions, as its API finds them."""


@dataclass(frozen=True, slots=True)
class StateReader:
    """Reads states that are sent."""

    services: Mapping[ServiceName, Service]
    document_fault: DocumentFault
    indexed: Indexed

    async def read(self, data: object) -> WorldState:
        """Return the state in decoded JSON. Raises `RefusedError` with every fault.

        Beside the loop: a state may be large, and other worlds go on meanwhile.
        """
        return await asyncio.to_thread(self._read, data)

    def _read(self, data: object) -> WorldState:
        if not isinstance(data, Mapping):
            msg = f"A state is an object, as an export writes it; got {shown(data)}. Nothing was changed."
            raise RefusedError(msg)
        try:
            state = import_state(data, self.services, validate_fault=validate_fault)
        except WorldFileError as error:
            raise _refused(error.faults) from None
        faults = [
            f"documents[{index}]: {fault}"
            for index, document in enumerate(state.documents)
            if (fault := self.document_fault(document)) is not None
        ]
        if faults:
            raise _refused(faults[:_FAULTS_TOLD])
        return self.indexed(state)


def _refused(faults: Sequence[str]) -> RefusedError:
    issues = [Issue(INVALID_INPUT, "body", "", fault) for fault in faults]
    more = f" There are {len(issues) - 1} more issues." if len(issues) > 1 else ""
    return RefusedError(f"The state cannot be used, and nothing was changed: {faults[0].rstrip('.')}.{more}", issues)


def state_router(find: Callable[[str], OpenWorld], reader: StateReader, token_path: str) -> APIRouter:
    """Return the routes; `find` raises `NotFoundError`."""
    router = APIRouter(prefix="/_mock/worlds", route_class=JsonRoute)

    @router.get("/{world}/state", tags=["State"], operation_id="exportState", responses=refusals(404))
    async def get_state(world: str) -> Response:
        """Export the state, the same bytes for equal states: all but the journal and the jtis that were used."""
        state = find(world).world.state()
        return Response(await asyncio.to_thread(export_state, state), media_type="application/json")

    @router.put(
        "/{world}/state",
        tags=["State"],
        operation_id="importState",
        responses=refusals(400, 404, 413, 415),
        openapi_extra=_STATE_BODY,
    )
    async def put_state(world: str, request: Request) -> WorldEntry:
        """Replace the state, clock included: a state that was exported may well be of an earlier time."""
        find(world)
        state = await reader.read(parse_json(request, await request.body()))
        opened = find(world)
        opened.world.replace_state(state)
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
