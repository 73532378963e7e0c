"""The facts that a token request is decided with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mock_server.identifiers import ClientId, ServiceName
from mock_server.oauth.policy import Policy
from mock_server.world.model import Account, Service


def _none(_: ClientId) -> Account | None:
    return None


def _nobody(_: int) -> Sequence[Account]:
    return ()


@dataclass(frozen=True, slots=True)
class Authority:
    """Who is registered, for which services, and how strict the endpoint is."""

    find_account: Callable[[ClientId], Account | None]
    """Returns an account with what has effect now."""
    services: Mapping[ServiceName, Service]
    policy: Policy
    registered: Callable[[ClientId], Account | None] = _none
    """Returns an account with all that is registered; asked for near misses alone, like the next."""
    some_accounts: Callable[[int], Sequence[Account]] = _nobody
    """Returns so many accounts at most."""
