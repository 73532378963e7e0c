"""Scripted faults over HTTP; their grammar is the gateway's."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Response

from mock_server.control.json_bodies import JsonRoute
from mock_server.control.models import FaultEntry, FaultList, NewFault, Number, refusals
from mock_server.control.worlds import OpenWorld
from mock_server.gateway.faults import FaultError, FaultPlan, as_members, covers, exhausted, parse
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.problems import INVALID_INPUT, Issue
from mock_server.redaction import shown
from mock_server.world.model import StoredFault

MAX_FAULTS = 1_000


def validate_fault(members: Mapping[str, Any]) -> None:
    """Refuse the members of a fault that cannot be. Raises `ValueError`."""
    parse(members)


def _entry(fault: StoredFault) -> FaultEntry:
    plan = parse(fault.members)
    counts = {"id": fault.id, "seen": fault.seen, "fired": fault.fired, "exhausted": exhausted(plan, fault.fired)}
    return FaultEntry(**as_members(plan), **counts)


def faults_router(find: Callable[[str], OpenWorld]) -> APIRouter:  # noqa: C901 - routes that stand side by side
    """Return the routes; `find` raises `NotFoundError`."""
    router = APIRouter(prefix="/_mock/worlds/{world}/faults", tags=["Faults"], route_class=JsonRoute)

    @router.get("", operation_id="listFaults", responses=refusals(404))
    async def list_faults(world: str) -> FaultList:
        """List the scripted faults with their counts."""
        return FaultList(items=[_entry(fault) for fault in find(world).world.read_faults()])

    @router.post(
        "",
        operation_id="addFault",
        status_code=201,
        responses=refusals(400, 404, 409, 415),
    )
    async def add_fault(world: str, new: NewFault, response: Response) -> FaultEntry:
        """Script a fault; the first one that hits a request is applied."""
        opened = find(world)
        try:
            plan = parse(new.model_dump(exclude_unset=True))
        except FaultError as error:
            issues = [Issue(INVALID_INPUT, "body", *_place(sentence)) for sentence in error.faults]
            raise RefusedError("The fault cannot be: see the issues, and docs/faults.md.", issues) from None
        with opened.world.changing():
            if opened.world.count("faults") >= MAX_FAULTS:
                raise ConflictError(f"A world has at most {MAX_FAULTS} faults: remove some.")
            fault = opened.world.add_fault(as_members(plan))
        response.headers["location"] = f"{opened.addresses.server_url}/_mock/worlds/{world}/faults/{fault.id}"
        return _entry(fault).model_copy(update={"warnings": _warnings(opened, plan)})

    @router.delete("", operation_id="resetFaults", status_code=204, responses=refusals(404))
    async def reset_faults(world: str) -> None:
        """Remove all faults."""
        opened = find(world)
        with opened.world.changing():
            opened.world.remove_faults()

    @router.get("/{number}", operation_id="getFault", responses=refusals(400, 404))
    async def get_fault(world: str, number: Number) -> FaultEntry:
        """Show a fault."""
        for fault in find(world).world.read_faults():
            if fault.id == number:
                return _entry(fault)
        raise NotFoundError(f"fault {number}")

    @router.delete("/{number}", operation_id="removeFault", status_code=204, responses=refusals(400, 404))
    async def remove_fault(world: str, number: Number) -> None:
        """Remove a fault."""
        opened = find(world)
        with opened.world.changing():
            if not opened.world.remove_fault(number):
                raise NotFoundError(f"fault {number}")

    return router


def _place(sentence: str) -> tuple[str, str]:
    name, _, detail = sentence.partition(": ")
    return name, detail


def _warnings(opened: OpenWorld, plan: FaultPlan) -> list[str]:
    """Return why a fault hits nothing as the world is now."""
    found = []
    operations = opened.endpoints.operations
    if not any(covers(plan.operation, operation) for operation in operations):
        found.append(f"No operation of this world is {shown(plan.operation)}: there are {', '.join(operations)}.")
    if plan.client_id is not None and opened.world.account(plan.client_id) is None:
        found.append(f"No account of this world has the client id {shown(plan.client_id)}, yet.")
    return found
