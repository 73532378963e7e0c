"""The portal as an API: access management, ChaMan, MAHIS and a world's settings, under `/_mock/worlds/{world}`."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter

from mock_server.control.access_management_api import access_management_router
from mock_server.control.chaman_api import chaman_router
from mock_server.control.json_bodies import JsonRoute
from mock_server.control.mahis_api import mahis_router
from mock_server.control.models import refusals
from mock_server.control.portal_models import SettingsAnswer, SettingsBody, WorldInPath
from mock_server.identifiers import ServiceName
from mock_server.world.model import Service
from mock_server.world.world import World


def portal_router(find_world: Callable[[str], World], services: Mapping[ServiceName, Service]) -> APIRouter:
    """Return the routes of the portal.

    `find_world` returns a world as it is now, and raises `WorldGoneError` or `NotFoundError`. Errors are answered by
    what `errors.install_error_handlers` installs. Path parameters may be percent-encoded still.
    """
    router = APIRouter(prefix="/_mock/worlds/{world}")
    router.include_router(_settings_router(find_world))
    router.include_router(access_management_router(find_world))
    router.include_router(chaman_router(find_world, services))
    router.include_router(mahis_router(find_world, services))
    return router


def _settings_router(find_world: Callable[[str], World]) -> APIRouter:
    router = APIRouter(tags=["Settings"], route_class=JsonRoute)

    @router.get("/settings", operation_id="getSettings", responses=refusals(400, 404))
    async def get_settings(world: WorldInPath) -> SettingsAnswer:
        """Show what the world leaves to choose."""
        return SettingsAnswer.of(find_world(world).settings)

    @router.patch("/settings", operation_id="changeSettings", responses=refusals(400, 404, 415))
    async def change_settings(world: WorldInPath, body: SettingsBody) -> SettingsAnswer:
        """Change some of the settings, at once; those that are left out stay."""
        found = find_world(world)
        with found.changing():
            settings = body.changed(found.settings)
            found.put_settings(settings)
        return SettingsAnswer.of(settings)

    return router
