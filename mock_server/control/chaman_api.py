"""ChaMan over HTTP: webservice accounts, their permissions and certificates (G§4.4)."""

import logging
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from mock_server.control.chaman_models import (
    AccountAnswer,
    AccountList,
    AccountsQuery,
    AllAccountsQuery,
    CertificateAnswer,
    CertificateList,
    CertificateQuery,
    NameBody,
)
from mock_server.control.json_bodies import JsonRoute
from mock_server.control.models import refusals
from mock_server.control.portal_models import (
    CapacityInPath,
    ClientIdInPath,
    FingerprintInPath,
    NumberInPath,
    ServiceInPath,
    WorldInPath,
)
from mock_server.control.uploads import ACCOUNT_BODY, CERTIFICATE_BODY, read_account, read_certificate
from mock_server.identifiers import ServiceName
from mock_server.portal import chaman
from mock_server.portal.access_management import find_enterprise
from mock_server.portal.activation import Page
from mock_server.world.model import Account, Service
from mock_server.world.world import World

Services = Mapping[ServiceName, Service]


def chaman_router(find_world: Callable[[str], World], services: Services) -> APIRouter:
    """Return the routes; `find_world` raises when there is no such world."""
    router = APIRouter(tags=["ChaMan"], route_class=JsonRoute)
    # The parser of forms warns the console of each that is broken, which the answer says already.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    _add_lists(router, find_world, services)
    _add_accounts(router, find_world, services)
    _add_certificates(router, find_world)
    return router


def _add_lists(router: APIRouter, find_world: Callable[[str], World], services: Services) -> None:
    def listed(found: Page[Account]) -> AccountList:
        return AccountList(items=[AccountAnswer.of(account, services) for account in found.items], total=found.total)

    @router.get("/accounts", operation_id="listAccounts", responses=refusals(400, 404))
    async def list_accounts(world: WorldInPath, query: Annotated[AllAccountsQuery, Query()]) -> AccountList:
        """List the accounts by client id, of all enterprises or of one."""
        found = chaman.list_accounts(
            find_world(world), query.enterprise, query.capacity, after=query.after, limit=query.limit
        )
        return listed(found)

    @router.get(
        "/enterprises/{number}/capacities/{capacity}/accounts",
        operation_id="listAccountsOfCapacity",
        responses=refusals(400, 404),
    )
    async def list_accounts_of_capacity(
        world: WorldInPath, number: NumberInPath, capacity: CapacityInPath, query: Annotated[AccountsQuery, Query()]
    ) -> AccountList:
        """List the accounts of an enterprise in one of its capacities."""
        found = find_world(world)
        find_enterprise(found, number)
        return listed(chaman.list_accounts(found, number, capacity, after=query.after, limit=query.limit))


def _add_accounts(router: APIRouter, find_world: Callable[[str], World], services: Services) -> None:
    def answer(account: Account) -> AccountAnswer:
        return AccountAnswer.of(account, services)

    @router.post(
        "/enterprises/{number}/capacities/{capacity}/accounts",
        operation_id="createAccount",
        status_code=201,
        responses=refusals(400, 404, 409, 413, 415),
        openapi_extra=ACCOUNT_BODY,
    )
    async def create_account(
        world: WorldInPath, number: NumberInPath, capacity: CapacityInPath, request: Request, response: Response
    ) -> AccountAnswer:
        """Make an account of type REST (guide, step 4a): its client id is in the answer."""
        found = find_world(world)
        account = chaman.create_account(found, services, number, capacity, await read_account(request))
        response.headers["location"] = f"/_mock/worlds/{world}/accounts/{quote(account.client_id, safe='')}"
        return answer(account)

    @router.get("/accounts/{client_id}", operation_id="getAccount", responses=refusals(400, 404))
    async def get_account(world: WorldInPath, client_id: ClientIdInPath) -> AccountAnswer:
        """Show an account with its permissions and certificates."""
        return answer(chaman.find_account(find_world(world), client_id))

    @router.patch("/accounts/{client_id}", operation_id="renameAccount", responses=refusals(400, 404, 415))
    async def rename_account(world: WorldInPath, client_id: ClientIdInPath, body: NameBody) -> AccountAnswer:
        """Give an account another name, at once; its client id stays."""
        return answer(chaman.rename_account(find_world(world), client_id, body.name))

    @router.delete("/accounts/{client_id}", operation_id="deleteAccount", status_code=204, responses=refusals(400, 404))
    async def delete_account(world: WorldInPath, client_id: ClientIdInPath) -> None:
        """Delete an account; with an activation delay it has effect until that is over."""
        chaman.delete_account(find_world(world), client_id)

    @router.put(
        "/accounts/{client_id}/permissions/{service}", operation_id="tickPermission", responses=refusals(400, 404)
    )
    async def tick(world: WorldInPath, client_id: ClientIdInPath, service: ServiceInPath) -> AccountAnswer:
        """Tick a permission (guide, step 4b): no new certificate is needed."""
        return answer(chaman.tick(find_world(world), services, client_id, service))

    @router.delete(
        "/accounts/{client_id}/permissions/{service}",
        operation_id="untickPermission",
        status_code=204,
        responses=refusals(400, 404),
    )
    async def untick(world: WorldInPath, client_id: ClientIdInPath, service: ServiceInPath) -> None:
        """Take a permission away; with an activation delay it has effect until that is over."""
        chaman.untick(find_world(world), client_id, service)


def _add_certificates(router: APIRouter, find_world: Callable[[str], World]) -> None:
    @router.get("/accounts/{client_id}/certificates", operation_id="listCertificates", responses=refusals(400, 404))
    async def list_certificates(world: WorldInPath, client_id: ClientIdInPath) -> CertificateList:
        """List the certificates of an account."""
        account = chaman.find_account(find_world(world), client_id)
        return CertificateList(items=[CertificateAnswer.of(entry) for entry in account.certificates])

    @router.post(
        "/accounts/{client_id}/certificates",
        operation_id="addCertificate",
        status_code=201,
        responses=refusals(400, 404, 409, 413, 415),
        openapi_extra=CERTIFICATE_BODY,
    )
    async def add_certificate(
        world: WorldInPath, client_id: ClientIdInPath, query: Annotated[CertificateQuery, Query()], request: Request
    ) -> CertificateAnswer:
        """Add a certificate, as the body itself or in a form; those that the account has stay."""
        upload = await read_certificate(request, query.name)
        return CertificateAnswer.of(chaman.add_certificate(find_world(world), client_id, upload))

    @router.patch(
        "/accounts/{client_id}/certificates/{fingerprint}",
        operation_id="renameCertificate",
        responses=refusals(400, 404, 415),
    )
    async def rename_certificate(
        world: WorldInPath, client_id: ClientIdInPath, fingerprint: FingerprintInPath, body: NameBody
    ) -> CertificateAnswer:
        """Give a certificate another name, at once."""
        return CertificateAnswer.of(chaman.rename_certificate(find_world(world), client_id, fingerprint, body.name))

    @router.delete(
        "/accounts/{client_id}/certificates/{fingerprint}",
        operation_id="removeCertificate",
        status_code=204,
        responses=refusals(400, 404),
    )
    async def remove_certificate(world: WorldInPath, client_id: ClientIdInPath, fingerprint: FingerprintInPath) -> None:
        """Remove a certificate, be it the last; with an activation delay it has effect until that is over."""
        chaman.remove_certificate(find_world(world), client_id, fingerprint)
