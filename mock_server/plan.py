"""What the files say that a server is started with: the contracts, and the world file, which may name services."""

from dataclasses import dataclass
from pathlib import Path

from mock_server.control.worlds import WORLDS_PREFIX
from mock_server.edge import CONTROL_PATH, HEALTH_PATH
from mock_server.oauth.audience import JWKS_PATH, TOKEN_PATH
from mock_server.services.documents.reader import Reading
from mock_server.services.given import Given, GivenParameter, GivenService, Loaded, load_given
from mock_server.services.names import EMPLOYER_API, TRAINING_PROVIDER_API
from mock_server.settings import Settings
from mock_server.world.file import WorldFile, open_world
from mock_server.world.served import NAME
from mock_server.world.service_entries import ServiceEntry

NAMED_WORLDS = frozenset({"demo", "empty"})
"""Worlds that are no files."""
_RESERVED = (TOKEN_PATH, JWKS_PATH, HEALTH_PATH, CONTROL_PATH, WORLDS_PREFIX)


@dataclass(slots=True)
class Plan:
    """What the files say that a server is started with; each is read once, and a world file may be large."""

    loaded: Loaded
    world: WorldFile | None = None
    """The world file, until the world of it is made."""


def read_plan(settings: Settings) -> Plan:
    """Read the contracts, and the world file if there is one. Raises `ContractError` or `WorldFileError`."""
    world = None if settings.world in NAMED_WORLDS else open_world(Path(settings.world))
    added = [GivenService(name, file, f"--service {name}={file}") for name, file in settings.added.items()]
    if world is not None:
        added += [_service(name, entry, world.folder) for name, entry in world.services().items()]
    paths = {EMPLOYER_API: settings.employer_path, TRAINING_PROVIDER_API: settings.training_provider_path}
    given = Given(
        settings.contracts,
        added,
        [_parameter(text) for text in settings.parameter],
        Reading(
            read_only=settings.read_only,
            unknown_query=settings.unknown_query,
            unknown_members=settings.unknown_members,
        ),
        {name: path for name, path in paths.items() if path is not None},
        settings.training_provider_scope,
        _RESERVED,
    )
    return Plan(load_given(given), world)


def _service(name: str, entry: ServiceEntry, folder: Path) -> GivenService:
    reading = {
        "unknown_query": entry.unknown_query,
        "unknown_members": entry.unknown_members,
        "read_only": entry.read_only,
    }
    return GivenService(
        name,
        folder / entry.contract,
        f"services.{name} of the world file",
        entry.base_path,
        entry.permission,
        entry.scopes,
        entry.one_mandatary,
        {parameter: _holds(word) for parameter, word in entry.parameters.items()},
        {member: word for member, word in reading.items() if word is not None},
    )


def _holds(word: str) -> str | None:
    return None if word == "nothing" else word


def _parameter(text: str) -> GivenParameter:
    left, _, word = text.rpartition("=")
    api, colon, name = left.partition(":")
    if colon and name and NAME.fullmatch(api):
        return GivenParameter(name, _holds(word), api)
    return GivenParameter(left, _holds(word))
