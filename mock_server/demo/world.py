"""Loading the demo world: its file, with the certificates of the key folder registered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mock_server.demo.keys import Identity, KeyFolder
from mock_server.identifiers import ServiceName
from mock_server.world.file import read_world
from mock_server.world.model import Service, WorldState

_FILE = Path(__file__).with_name("demo.toml")


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo world with the keys of its accounts, by account name."""

    state: WorldState
    identities: Mapping[str, Identity]


def load_demo(services: Mapping[ServiceName, Service], keys: KeyFolder, now: float | None) -> Demo:
    """Return the demo world. Raises `KeyFolderError`.

    Keys that are missing or no longer valid are made, which takes a moment at the first start; without `now` the
    folder is left as it is.
    """
    text = _FILE.read_text(encoding="utf-8")
    state = read_world(text, services, folder=_FILE.parent, origin="the demo world")
    identities = keys.existing(state.accounts) if now is None else keys.identities(state.accounts, now)
    accounts = tuple(
        replace(account, certificates=(identities[account.name].certificate,)) for account in state.accounts
    )
    return Demo(replace(state, accounts=accounts), identities)
