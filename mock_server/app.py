"""Composition: from settings to an ASGI application. Nothing is decided here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from starlette.routing import BaseRoute, Mount, Route, Router

from mock_server.clock import Clock, SystemClock
from mock_server.demo.keys import KeyFolder, KeyFolderError, new_signing_key
from mock_server.demo.manifest import Urls
from mock_server.demo.world import Demo, load_demo
from mock_server.edge import HEALTH_PATH, Application, Health, NotFound
from mock_server.exchange import Observer, ignore
from mock_server.gateway.access_token import AccessTokens
from mock_server.identifiers import ServiceName
from mock_server.oauth.audience import JWKS_PATH, LOOPBACK_NAMES, TOKEN_PATH, TOKEN_URLS, AudienceRule
from mock_server.oauth.decision import Authority
from mock_server.oauth.endpoint import KeySetEndpoint, TokenEndpoint
from mock_server.services.catalogue import FLA, Api, contract_file, services
from mock_server.services.contract import Contract, ContractError, load
from mock_server.services.endpoint import ApiEndpoint, Limits
from mock_server.settings import Settings
from mock_server.world.file import WorldFileError, load_world
from mock_server.world.model import Service, WorldState
from mock_server.world.own_account import OwnAccountError, add_own_account, parse_own_account
from mock_server.world.store import Store, World

StartError = (WorldFileError, OwnAccountError, KeyFolderError, ContractError)
"""What can be wrong with what a server is started with; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Mock:
    """A mock server ready to be served: the application, and what there is to say about it."""

    application: Application
    settings: Settings
    urls: Urls
    store: Store
    world: World
    authority: Authority
    audience: AudienceRule
    tokens: AccessTokens
    contract: Contract
    keys: KeyFolder
    demo: Demo | None

    @property
    def services(self) -> Mapping[ServiceName, Service]:
        """The services behind the channel."""
        return self.authority.services

    def close(self) -> None:
        """Let everything go that the mock keeps."""
        self.world.close()
        self.store.close()


def create_mock(  # noqa: PLR0913 - each is a part that a test or a command may bring
    settings: Settings,
    *,
    base_url: str | None = None,
    clock: Clock | None = None,
    observer: Observer = ignore,
    signing_key: RSAPrivateKey | None = None,
    make_keys: bool = True,
) -> Mock:
    """Make a mock server from settings.

    `base_url` is where the server is reached; by default it follows from host and port. `signing_key` signs the
    access tokens; by default one is made, or for the demo world taken from its key folder. Without `make_keys` the
    demo world's keys must be there already. Raises one of `StartError`, and pydantic's `ValidationError` for a bad
    change of the policy.
    """
    clock = clock or SystemClock()
    now = clock.now()
    policy = settings.token_policy()
    known = services(settings.training_provider_scope)
    keys = KeyFolder(settings.keys)
    state, demo = load_state(settings, known, keys, now, make_keys=make_keys)
    base_url = settings.public_url or base_url or f"http://{_netloc(settings.host, settings.port)}"
    api = Api("fla-employer", FLA, contract_file("fla-employer-v1.yaml"), settings.employer_path)
    contract = load(api.contract, api.base_path)
    hosts = frozenset(_hosts(settings, base_url))
    store = Store()
    world = store.create_world(state)
    signing_key = signing_key or (keys.signing_key() if demo is not None and make_keys else new_signing_key())
    tokens = AccessTokens(signing_key, world.name)
    authority = Authority(world.account, known, policy)
    token_url = f"{base_url}{TOKEN_PATH}"
    audience = AudienceRule((token_url, TOKEN_URLS[settings.environment], *policy.extra_audiences), hosts)
    endpoint = ApiEndpoint(
        api.name,
        api.service,
        contract,
        world,
        tokens,
        clock,
        observer,
        limits=Limits(settings.max_body_bytes, settings.body_timeout),
        base_url=base_url,
        hosts=hosts,
    )
    routes: list[BaseRoute] = [
        Route(TOKEN_PATH, TokenEndpoint(world, authority, tokens, audience, clock, observer)),
        Mount(contract.base_path, endpoint),
        Route(JWKS_PATH, KeySetEndpoint(tokens)),
        Route(HEALTH_PATH, Health()),
    ]
    router = Router(routes, redirect_slashes=False, default=NotFound(observer))
    urls = Urls(base_url, token_url, f"{base_url}{contract.base_path}", f"{base_url}{settings.training_provider_path}")
    return Mock(Application(router), settings, urls, store, world, authority, audience, tokens, contract, keys, demo)


def load_state(
    settings: Settings, known: Mapping[ServiceName, Service], keys: KeyFolder, now: float, *, make_keys: bool = True
) -> tuple[WorldState, Demo | None]:
    """Return the world that the settings name, with the accounts that they add."""
    demo = load_demo(known, keys, now if make_keys else None) if settings.world == "demo" else None
    if demo is not None:
        state = demo.state
    elif settings.world == "empty":
        state = WorldState()
    else:
        state = load_world(Path(settings.world), known)
    for text in settings.account:
        state = add_own_account(state, parse_own_account(text, known), known, now)
    return state, demo


def _hosts(settings: Settings, base_url: str) -> Iterator[str]:
    """Yield the names that clients may call the server by, in lower case and without port."""
    yield from LOOPBACK_NAMES
    yield _netloc(settings.host)
    yield _netloc(urlsplit(base_url).hostname or "")
    yield from (name.lower() for name in settings.allowed_host)


def _netloc(host: str, port: int | None = None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name.lower() if port is None else f"{name}:{port}"
