"""The control API, put together: everything under `/_mock`, described in OpenAPI, with a page to try it offline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from mock_server import __version__
from mock_server.control.errors import install_error_handlers
from mock_server.control.exchanges_api import exchanges_router
from mock_server.control.faults_api import faults_router
from mock_server.control.models import Server, ServiceEntry, ServiceList
from mock_server.control.portal_api import portal_router
from mock_server.control.state_api import DocumentFault, Indexed, StateReader, state_router
from mock_server.control.worlds import OpenWorld, Worlds
from mock_server.control.worlds_api import worlds_router
from mock_server.identifiers import ServiceName
from mock_server.oauth.audience import TOKEN_PATH
from mock_server.portal.errors import NotFoundError
from mock_server.redaction import shown
from mock_server.world.model import Service, WorldState
from mock_server.world.world import World

_DESCRIPTION = """
What an integrator does on the platform's own pages (access management, ChaMan, MAHIS), and what no real platform
offers: worlds of one's own, a journal that explains every refusal, a clock, and faults on request.
How these pages of the platform behave in detail is not public: what is assumed is said in the documentation.
"""


@dataclass(frozen=True, slots=True)
class Control:
    """What the control API administers."""

    worlds: Worlds
    services: Mapping[ServiceName, Service]
    named_state: Callable[[str], WorldState]
    """Returns what `demo` and `empty` stand for."""
    document_fault: DocumentFault
    indexed: Indexed
    environment: str
    policy: str

    def find(self, name: str) -> OpenWorld:
        """Return a world as it is now. Raises `NotFoundError`."""
        opened = self.worlds.find(name)
        if opened is None:
            raise NotFoundError(f"world {shown(unquote(name))} on this server")
        return opened

    def find_world(self, name: str) -> World:
        """Return a world as it is now. Raises `NotFoundError`."""
        return self.find(name).world


def create_control(control: Control) -> FastAPI:
    """Return the application that serves `/_mock`."""
    app = FastAPIOffline(
        docs_url="/_mock/docs",
        redoc_url=None,
        openapi_url="/_mock/openapi.json",
        static_url="/_mock/static",
        title="fla-mock control API",
        version=__version__,
        description=_DESCRIPTION,
        redirect_slashes=False,
        swagger_ui_oauth2_redirect_url="/_mock/docs/oauth2-redirect",
        # Nothing is to be asked of another server, not even to show a badge.
        swagger_ui_parameters={"validatorUrl": None},
    )
    install_error_handlers(app)

    @app.get("/_mock", tags=["Server"], operation_id="getServer")
    async def get_server() -> Server:
        """Show what this server is."""
        return Server(
            version=__version__,
            environment=control.environment,
            policy=control.policy,
            store=control.worlds.store.database.kind,
            services=list(control.services),
            worlds=control.worlds.store.world_count(),
            docs="/_mock/docs",
            openapi="/_mock/openapi.json",
        )

    @app.get("/_mock/services", tags=["Server"], operation_id="listServices")
    async def list_services() -> ServiceList:
        """List the services that permissions and mandates are for."""
        return ServiceList(
            items=[
                ServiceEntry(
                    name=service.name,
                    permission=service.permission,
                    scopes={capacity: list(scopes) for capacity, scopes in service.scopes.items()},
                    one_mandatary=service.one_mandatary,
                )
                for service in control.services.values()
            ]
        )

    reader = StateReader(control.services, control.document_fault, control.indexed)
    app.include_router(worlds_router(control.worlds, control.find, reader, control.named_state, TOKEN_PATH))
    app.include_router(state_router(control.find, reader, TOKEN_PATH))
    app.include_router(exchanges_router(control.find))
    app.include_router(faults_router(control.find))
    app.include_router(portal_router(control.find_world, control.services))
    return app
