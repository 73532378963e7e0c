"""What serves the paths of one world: the token endpoint, its keys, and the APIs behind the channel."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mock_server import strict_json
from mock_server.gateway.access_token import AccessTokens
from mock_server.gateway.addresses import Addresses
from mock_server.gateway.routes import NotFoundEndpoint
from mock_server.gateway.serving import Endpoint
from mock_server.identifiers import ServiceName
from mock_server.oauth.audience import JWKS_PATH, TOKEN_PATH, AudienceRule
from mock_server.oauth.authority import Authority
from mock_server.oauth.endpoint import KeySetEndpoint, TokenEndpoint
from mock_server.oauth.policy import Policy
from mock_server.redaction import shown
from mock_server.services.behaviour import Mentioned
from mock_server.services.catalogue import Api
from mock_server.services.contract import Contract
from mock_server.services.endpoint import ApiEndpoint, Limits, Served
from mock_server.services.keeping import kept_fault
from mock_server.verdict import Provenance
from mock_server.world.model import Document, Service, WorldState
from mock_server.world.store import DEFAULT_WORLD
from mock_server.world.world import World

Rules = Literal["all", "documented"]
_KNOWN: Mapping[Rules, frozenset[Provenance]] = {
    "all": frozenset(Provenance),
    "documented": frozenset(Provenance) - {Provenance.ASSUMED},
}


@dataclass(frozen=True)
class Channel:
    """What all worlds of a server share."""

    policy: Policy
    services: Mapping[ServiceName, Service]
    apis: Sequence[tuple[Api, Contract]]
    limits: Limits
    signing_key: RSAPrivateKey
    environment_url: str
    """The token URL of the real environment that the server stands for."""
    rules: Rules = "all"
    """Which rules of the services apply; `documented` leaves those out that are assumed."""

    @cached_property
    def served(self) -> Sequence[Served]:
        """The APIs, with what all worlds share of them."""
        return tuple(serve(self.apis, self.services, self.rules))

    def document_fault(self, document: Document) -> str | None:
        """Return why no API could have stored a document, or None."""
        return document_fault(self.served, document)

    def indexed(self, state: WorldState) -> WorldState:
        """Return a state whose documents can be found by the persons that they mention."""
        return indexed(self.served, state)

    def endpoints(self, world: World, addresses: Addresses) -> "ChannelEndpoints":
        """Return the endpoints of a world."""
        return ChannelEndpoints(self, world, addresses)


def serve(
    apis: Iterable[tuple[Api, Contract]], services: Mapping[ServiceName, Service], rules: Rules
) -> Iterator[Served]:
    """Yield the APIs as they are served."""
    for api, contract in apis:
        yield Served(api, services[api.service], contract, _KNOWN[rules])


def document_fault(served: Sequence[Served], document: Document) -> str | None:
    """Return why no API could have stored a document, or None."""
    found = next((one for one in served if one.api.name == document.api), None)
    if found is None:
        return f"no API is named {shown(document.api)}; there are {', '.join(one.api.name for one in served)}"
    try:
        return kept_fault(found.contract, found.conventions, document)
    except strict_json.StrictJsonError as error:
        return f"what is at {shown(document.path)} is no JSON: {error}"


def indexed(served: Sequence[Served], state: WorldState) -> WorldState:
    """Return a state whose documents can be found by the persons that they mention."""
    finders = {one.api.name: one.api.mentioned for one in served}
    return replace(state, documents=tuple(_indexed(document, finders[document.api]) for document in state.documents))


def _indexed(document: Document, mentioned: Mentioned | None) -> Document:
    if mentioned is None or document.body is None:
        return document
    return replace(document, mentions=mentioned(json.loads(document.body)))


class ChannelEndpoints:
    """The endpoints of one world."""

    def __init__(self, channel: Channel, world: World, addresses: Addresses) -> None:
        self.authority = Authority(
            world.active_account, channel.services, channel.policy, world.account, world.some_accounts
        )
        # The world at the root is there as long as the server: its tokens may outlive a start, as its key does.
        born = "" if world.name == DEFAULT_WORLD else f":{world.born}"
        self.tokens = AccessTokens(channel.signing_key, f"{world.name}{born}")
        token_url = f"{addresses.base_url}{TOKEN_PATH}"
        self.audience = AudienceRule((token_url, channel.environment_url, *channel.policy.extra_audiences), addresses)
        self._base_paths = {api.name: contract.base_path for api, contract in channel.apis}
        self._operations = ["token", "jwks", *(one.name for _, contract in channel.apis for one in contract.operations)]
        self._fixed: dict[str, Endpoint] = {
            TOKEN_PATH: TokenEndpoint(world, self.authority, self.tokens, self.audience),
            JWKS_PATH: KeySetEndpoint(self.tokens),
        }
        self._apis: list[tuple[str, Endpoint]] = [
            (
                f"{served.contract.base_path}/",
                ApiEndpoint(served, world, self.tokens, limits=channel.limits, addresses=addresses),
            )
            for served in channel.served
        ]
        self._not_found = NotFoundEndpoint()

    @property
    def apis(self) -> Mapping[str, str]:
        """The base path of each API by its name."""
        return self._base_paths

    @property
    def operations(self) -> Sequence[str]:
        """What can be asked: `token`, `jwks`, and method and path template of each operation of the APIs."""
        return self._operations

    def find(self, path: str) -> Endpoint:
        """Return what serves a path."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        return next((endpoint for base, endpoint in self._apis if path.startswith(base)), self._not_found)
