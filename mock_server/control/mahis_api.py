"""MAHIS over HTTP: mandates from proposal to end (G§2.2)."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mock_server.control.json_bodies import JsonRoute
from mock_server.control.models import refusals
from mock_server.control.portal_models import (
    EndBody,
    MandateAnswer,
    MandateBody,
    MandateInPath,
    MandateList,
    MandatesQuery,
    PartyBody,
    RevocationBody,
    WorldInPath,
)
from mock_server.identifiers import ServiceName
from mock_server.portal import mahis
from mock_server.portal.errors import RefusedError
from mock_server.portal.texts import require, service_issues
from mock_server.problems import INVALID_INPUT, Issue
from mock_server.world.model import Mandate, Service
from mock_server.world.world import World


def mahis_router(find_world: Callable[[str], World], services: Mapping[ServiceName, Service]) -> APIRouter:
    """Return the routes; `find_world` raises when there is no such world."""
    router = APIRouter(tags=["MAHIS"], route_class=JsonRoute)

    def answer(world: World, mandate: Mandate) -> MandateAnswer:
        return MandateAnswer.of(mandate, world.current_quarter())

    @router.get("/mandates", operation_id="listMandates", responses=refusals(400, 404))
    async def list_mandates(world: WorldInPath, query: Annotated[MandatesQuery, Query()]) -> MandateList:
        """List the mandates by number."""
        service = None
        if query.service is not None:
            require(service_issues([query.service], services, "service", "query"), "The list")
            service = ServiceName(query.service)
        found = find_world(world)
        page = mahis.list_mandates(
            found,
            mandator=query.mandator,
            mandatary=query.mandatary,
            service=service,
            status=query.status,
            after=query.after,
            limit=query.limit,
        )
        return MandateList(items=[answer(found, mandate) for mandate in page.items], total=page.total)

    @router.post("/mandates", operation_id="createMandate", status_code=201, responses=refusals(400, 404, 409, 415))
    async def create_mandate(world: WorldInPath, body: MandateBody, response: Response) -> MandateAnswer:
        """Propose a mandate, or enter one that both sides signed on paper (`procuration`)."""
        found = find_world(world)
        mandate = mahis.propose(found, services, _proposal(body))
        response.headers["location"] = f"/_mock/worlds/{world}/mandates/{mandate.id}"
        return answer(found, mandate)

    @router.get("/mandates/{id}", operation_id="getMandate", responses=refusals(400, 404))
    async def get_mandate(world: WorldInPath, id: MandateInPath) -> MandateAnswer:  # noqa: A002 - the API's word
        """Show a mandate."""
        found = find_world(world)
        return answer(found, mahis.find_mandate(found, id))

    @router.post("/mandates/{id}/confirm", operation_id="confirmMandate", responses=refusals(400, 404, 409, 415))
    async def confirm(world: WorldInPath, id: MandateInPath, body: PartyBody) -> MandateAnswer:  # noqa: A002 - as above
        """Confirm a mandate for one side; one that this side has confirmed already stays as it is."""
        found = find_world(world)
        return answer(found, mahis.confirm(found, services, id, body.by))

    @router.post("/mandates/{id}/reject", operation_id="rejectMandate", responses=refusals(400, 404, 409, 415))
    async def reject(world: WorldInPath, id: MandateInPath, body: PartyBody) -> MandateAnswer:  # noqa: A002 - as above
        """Reject a proposed mandate, for the side that has not confirmed it."""
        found = find_world(world)
        return answer(found, mahis.reject(found, id, body.by))

    @router.post("/mandates/{id}/revoke", operation_id="revokeMandate", responses=refusals(400, 404, 409, 415))
    async def revoke(
        world: WorldInPath,
        id: MandateInPath,  # noqa: A002 - as above
        body: RevocationBody | None = None,  # noqa: ARG001 - which side does it makes no difference
    ) -> MandateAnswer:
        """Take a mandate back at once, be it proposed, confirmed or active."""
        found = find_world(world)
        return answer(found, mahis.revoke(found, id))

    @router.post("/mandates/{id}/end", operation_id="endMandate", responses=refusals(400, 404, 409, 415))
    async def end(
        world: WorldInPath,
        id: MandateInPath,  # noqa: A002 - as above
        body: EndBody | None = None,
    ) -> MandateAnswer:
        """Set the last quarter of a confirmed or active mandate; a later one than before lets it go on for longer."""
        found = find_world(world)
        return answer(found, mahis.end(found, services, id, None if body is None else body.end))

    return router


def _proposal(body: MandateBody) -> mahis.Proposal:
    if body.procuration == (body.proposed_by is not None):
        found = "both" if body.procuration else "neither"
        sentence = (
            f"Say who proposes the mandate (proposed_by), or that both signed it (procuration: true); found {found}."
        )
        detail = f"expected mandator or mandatary, or procuration instead; found {found}"
        raise RefusedError(sentence, [Issue(INVALID_INPUT, "body", "proposed_by", detail)])
    return mahis.Proposal(
        mandator=body.mandator,
        mandatary=body.mandatary,
        service=body.service,
        start=body.start,
        end=body.end,
        proposed_by=body.proposed_by,
    )
