"""The journal of a world over HTTP."""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from mock_server.control.har import as_har
from mock_server.control.journal import Wanted
from mock_server.control.models import (
    HIGHEST_NUMBER,
    ExchangeCount,
    ExchangeEntry,
    ExchangeList,
    Limit,
    Number,
    refusals,
)
from mock_server.control.records import summary
from mock_server.control.worlds import OpenWorld
from mock_server.portal.errors import NotFoundError

_LONGEST_WAIT = 60
_HAR_LIMIT = 10_000


def _wanted(
    client_id: Annotated[str | None, Query(description="Only those of this client.")] = None,
    operation: Annotated[str | None, Query(description="`token`, `jwks`, or method and path template.")] = None,
    status: Annotated[int | None, Query(ge=100, le=599)] = None,
    refused_by: Annotated[str | None, Query(description="The id of a requirement.", examples=["OAUTH-AUD-2"])] = None,
    fault: Annotated[bool | None, Query(description="Only those with a fault, or without.")] = None,
) -> Wanted:
    return Wanted(client_id, operation, status, refused_by, fault)


Filters = Annotated[Wanted, Depends(_wanted)]


def exchanges_router(find: Callable[[str], OpenWorld]) -> APIRouter:
    """Return the routes; `find` raises `NotFoundError`."""
    router = APIRouter(prefix="/_mock/worlds/{world}", tags=["Journal"])

    @router.get("/exchanges", operation_id="listExchanges", responses=refusals(400, 404))
    async def list_exchanges(  # noqa: PLR0913 - each is a parameter of the query
        world: str,
        wanted: Filters,
        *,
        after: Annotated[
            int | None, Query(ge=0, le=HIGHEST_NUMBER, description="Those that follow this number; 0: the first ones.")
        ] = None,
        before: Annotated[
            int | None, Query(ge=1, le=HIGHEST_NUMBER, description="Those right before this number.")
        ] = None,
        limit: Limit = 50,
        full: Annotated[bool, Query(description="Whole exchanges, not summaries.")] = False,
    ) -> ExchangeList:
        """List exchanges in the order of their numbers: the newest, those after a number, or those before one."""
        journal = find(world).journal
        records = journal.list(wanted, after=after, before=before, limit=limit)
        items = records if full else [summary(record) for record in records]
        return ExchangeList(items=items, total=journal.count(wanted), dropped=journal.dropped)

    @router.delete("/exchanges", operation_id="deleteExchanges", status_code=204, responses=refusals(404))
    async def delete_exchanges(world: str) -> None:
        """Empty the journal; numbers go on."""
        find(world).journal.clear()

    @router.get("/exchanges/count", operation_id="countExchanges", responses=refusals(400, 404))
    async def count_exchanges(world: str, wanted: Filters) -> ExchangeCount:
        """Count exchanges."""
        journal = find(world).journal
        return ExchangeCount(count=journal.count(wanted), dropped=journal.dropped)

    @router.get(
        "/exchanges/next",
        operation_id="nextExchange",
        response_model=ExchangeEntry,
        response_model_exclude_unset=True,
        responses={**refusals(400, 404), 204: {"description": "None came in time.", "model": None}},
    )
    async def next_exchange(
        world: str,
        wanted: Filters,
        after: Annotated[int, Query(ge=0, le=HIGHEST_NUMBER, description="The number that was seen last.")] = 0,
        timeout: Annotated[float, Query(ge=0, le=_LONGEST_WAIT, description="Seconds to wait at most.")] = 30,  # noqa: ASYNC109 - of the query
    ) -> Any:  # noqa: ANN401 - a record, or nothing
        """Wait for the first exchange after a number."""
        record = await find(world).journal.next(wanted, after, timeout)
        return Response(status_code=204) if record is None else record

    @router.get(
        "/exchanges/{number}",
        operation_id="getExchange",
        response_model=ExchangeEntry,
        response_model_exclude_unset=True,
        responses=refusals(400, 404),
    )
    async def get_exchange(world: str, number: Number) -> Any:  # noqa: ANN401 - a record
        """Show one exchange: request, answer, every check, and near misses."""
        record = find(world).journal.get(number)
        if record is None:
            raise NotFoundError(f"exchange {number} in the journal")
        return record

    @router.get("/exchanges.har", operation_id="exportHar", responses=refusals(400, 404))
    async def export_har(
        world: str,
        wanted: Filters,
        ssins: Annotated[str, Query(pattern="^(masked|shown)$", description="Whether SSINs are masked.")] = "masked",
    ) -> Response:
        """Export the journal as an HTTP Archive (HAR 1.2)."""
        opened = find(world)
        records = opened.journal.list(wanted, limit=_HAR_LIMIT)
        archive = as_har(records, opened.addresses.base_url, show_ssins=ssins == "shown")
        return Response(json.dumps(archive, ensure_ascii=False), media_type="application/json")

    return router
