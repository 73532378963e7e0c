"""Loading the demo world: its file, with the certificates of the key folder registered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mock_server.demo.keys import Identity, KeyFolder
from mock_server.identifiers import ServiceName
from mock_server.world.file import read_world
from mock_server.world.model import Account, Service, WorldState

_FILE = Path(__file__).with_name("demo.toml")
_EXAMPLE = "example-"
"""What the accounts of the guide's examples are called after (G§2.3)."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo world with the keys of its accounts, by account name."""

    state: WorldState
    identities: Mapping[str, Identity]


def load_demo(
    services: Mapping[ServiceName, Service],
    keys: KeyFolder,
    now: float | None,
    *,
    tick: Collection[ServiceName] = (),
) -> Demo:
    """Return the demo world. Raises `KeyFolderError`.

    The permissions of the services in `tick` are ticked too, see `with_ticked`. Keys that are missing or no longer
    valid are made, which takes a moment at the first start; without `now` the folder is left as it is.
    """
    text = _FILE.read_text(encoding="utf-8")
    state = read_world(text, services, folder=_FILE.parent, origin="the demo world")
    said = frozenset(name for account in state.accounts for name in account.permissions)
    identities = keys.existing(state.accounts) if now is None else keys.identities(state.accounts, now)
    accounts = tuple(
        replace(
            account,
            certificates=(identities[account.name].certificate,),
            permissions=with_ticked(account, services, tick, said),
        )
        for account in state.accounts
    )
    return Demo(replace(state, accounts=accounts), identities)


def with_ticked(
    account: Account,
    services: Mapping[ServiceName, Service],
    tick: Collection[ServiceName],
    said: Collection[ServiceName],
) -> tuple[ServiceName, ...]:
    """Return the permissions of an account, with those in `tick` that give its capacity a scope.

    An example of the guide stays true: of the services that the demo world speaks of itself, its accounts get no more.
    """
    left = said if account.name.startswith(_EXAMPLE) else ()
    more = (name for name in tick if account.capacity in services[name].scopes and name not in left)
    return tuple(dict.fromkeys((*account.permissions, *more)))
