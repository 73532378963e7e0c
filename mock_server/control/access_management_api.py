"""Access management over HTTP: enterprises, their capacities, their employees (G§5)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mock_server.control.json_bodies import JsonRoute
from mock_server.control.models import refusals
from mock_server.control.portal_models import (
    ActivationBody,
    CapacityInPath,
    EmploymentList,
    EmploymentsQuery,
    EnterpriseAnswer,
    EnterpriseBody,
    EnterpriseList,
    EnterprisesQuery,
    NumberInPath,
    SsinInPath,
    WorldInPath,
)
from mock_server.portal import access_management
from mock_server.world.world import World


def access_management_router(find_world: Callable[[str], World]) -> APIRouter:
    """Return the routes; `find_world` raises when there is no such world."""
    router = APIRouter(tags=["Access management"], route_class=JsonRoute)
    _add_enterprises(router, find_world)
    _add_employments(router, find_world)
    return router


def _add_enterprises(router: APIRouter, find_world: Callable[[str], World]) -> None:
    @router.get("/enterprises", operation_id="listEnterprises", responses=refusals(400, 404))
    async def list_enterprises(world: WorldInPath, query: Annotated[EnterprisesQuery, Query()]) -> EnterpriseList:
        """List the enterprises by number."""
        found = access_management.list_enterprises(find_world(world), after=query.after, limit=query.limit)
        return EnterpriseList(items=[EnterpriseAnswer.of(enterprise) for enterprise in found.items], total=found.total)

    @router.get("/enterprises/{number}", operation_id="getEnterprise", responses=refusals(400, 404))
    async def get_enterprise(world: WorldInPath, number: NumberInPath) -> EnterpriseAnswer:
        """Show an enterprise."""
        return EnterpriseAnswer.of(access_management.find_enterprise(find_world(world), number))

    @router.put(
        "/enterprises/{number}",
        operation_id="putEnterprise",
        responses={201: {"description": "Added", "model": EnterpriseAnswer}, **refusals(400, 404, 415)},
    )
    async def put_enterprise(
        world: WorldInPath, number: NumberInPath, body: EnterpriseBody, response: Response
    ) -> EnterpriseAnswer:
        """Add an enterprise, without capacities, or give a known one another name; its capacities stay."""
        enterprise, is_new = access_management.put_enterprise(find_world(world), number, body.name, body.employments)
        if is_new:
            response.status_code = 201
            response.headers["location"] = f"/_mock/worlds/{world}/enterprises/{number}"
        return EnterpriseAnswer.of(enterprise)

    @router.delete(
        "/enterprises/{number}",
        operation_id="deleteEnterprise",
        status_code=204,
        responses=refusals(400, 404, 409),
    )
    async def delete_enterprise(world: WorldInPath, number: NumberInPath) -> None:
        """Delete an enterprise with its employments; refused while accounts or mandates need it."""
        access_management.delete_enterprise(find_world(world), number)

    @router.put(
        "/enterprises/{number}/capacities/{capacity}",
        operation_id="activateCapacity",
        responses={201: {"description": "Activated", "model": EnterpriseAnswer}, **refusals(400, 404, 415)},
    )
    async def activate(
        world: WorldInPath, number: NumberInPath, capacity: CapacityInPath, body: ActivationBody, response: Response
    ) -> EnterpriseAnswer:
        """Activate a capacity (guide, chapter 5), or change who administers an active one."""
        enterprise, is_new = access_management.activate(
            find_world(world), number, capacity, body.email, body.local_administrator
        )
        response.status_code = 201 if is_new else 200
        return EnterpriseAnswer.of(enterprise)

    @router.delete(
        "/enterprises/{number}/capacities/{capacity}",
        operation_id="deactivateCapacity",
        status_code=204,
        responses=refusals(400, 404, 409),
    )
    async def deactivate(world: WorldInPath, number: NumberInPath, capacity: CapacityInPath) -> None:
        """Take a capacity away; refused while accounts or mandates need it. An employer's employments go with it."""
        access_management.deactivate(find_world(world), number, capacity)


def _add_employments(router: APIRouter, find_world: Callable[[str], World]) -> None:
    @router.get(
        "/enterprises/{number}/employments",
        operation_id="listEmployments",
        responses=refusals(400, 404),
    )
    async def list_employments(
        world: WorldInPath, number: NumberInPath, query: Annotated[EmploymentsQuery, Query()]
    ) -> EmploymentList:
        """List the SSINs of the employees that are in service of an employer (G§2.3)."""
        found = access_management.list_employments(find_world(world), number, after=query.after, limit=query.limit)
        return EmploymentList(items=[employment.ssin for employment in found.items], total=found.total)

    @router.put(
        "/enterprises/{number}/employments/{ssin}",
        operation_id="addEmployment",
        status_code=204,
        responses=refusals(400, 404, 409),
    )
    async def add_employment(world: WorldInPath, number: NumberInPath, ssin: SsinInPath) -> None:
        """List an employee as in service of an employer."""
        access_management.add_employment(find_world(world), number, ssin)

    @router.delete(
        "/enterprises/{number}/employments/{ssin}",
        operation_id="removeEmployment",
        status_code=204,
        responses=refusals(400, 404),
    )
    async def remove_employment(world: WorldInPath, number: NumberInPath, ssin: SsinInPath) -> None:
        """Take an employee from the list of an employer."""
        access_management.remove_employment(find_world(world), number, ssin)
