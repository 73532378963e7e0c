"""Composition: from settings to an ASGI application. Nothing is decided here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from mock_server import asgi
from mock_server.channel import Channel, ChannelEndpoints
from mock_server.clock import Clock, SystemClock
from mock_server.control.guard import Admission, Guard, LazyPart
from mock_server.control.worlds import JournalLimits, OpenWorld, Worlds
from mock_server.demo.keys import KeyFolder, KeyFolderError, new_signing_key
from mock_server.demo.manifest import Urls
from mock_server.demo.world import Demo, load_demo
from mock_server.edge import Application
from mock_server.exchange import Observer, ignore
from mock_server.gateway.access_token import AccessTokens
from mock_server.gateway.addresses import Addresses
from mock_server.gateway.faults import parse
from mock_server.identifiers import ServiceName
from mock_server.oauth.audience import LOOPBACK_NAMES, TOKEN_PATH, TOKEN_URLS, AudienceRule
from mock_server.oauth.authority import Authority
from mock_server.plan import NAMED_WORLDS, Plan, read_plan
from mock_server.services.contract import ContractError
from mock_server.services.endpoint import Limits
from mock_server.settings import Settings
from mock_server.world.database import StoreError
from mock_server.world.file import WorldFileError, open_world
from mock_server.world.model import Service, WorldState
from mock_server.world.own_account import OwnAccount, OwnAccountError, add_own_account, parse_own_account
from mock_server.world.store import DEFAULT_WORLD, Store
from mock_server.world.world import World

StartError = (WorldFileError, OwnAccountError, KeyFolderError, ContractError, StoreError)
"""What can be wrong with what a server is started with; the text says what to do."""


@dataclass(frozen=True)
class Mock:
    """A mock server ready to be served: the application, and what there is to say about it."""

    application: Application
    settings: Settings
    urls: Urls
    channel: Channel
    worlds: Worlds
    default: OpenWorld
    keys: KeyFolder
    start: "Start"
    was_made: bool
    """Whether the default world was made now, and not found in the store."""

    @property
    def demo(self) -> Demo | None:
        """The demo world with its keys, when that is what the server was started with."""
        return self.start.demo if self.settings.world == "demo" else None

    @property
    def services(self) -> Mapping[ServiceName, Service]:
        """The services behind the channel."""
        return self.channel.services

    @property
    def world(self) -> World:
        """The world at the root."""
        return self.default.world

    @cached_property
    def _endpoints(self) -> ChannelEndpoints:
        return self.channel.endpoints(self.world, self.default.addresses)

    @property
    def authority(self) -> Authority:
        """What the token requests of the default world are decided with."""
        return self._endpoints.authority

    @property
    def audience(self) -> AudienceRule:
        """The audiences of the default world."""
        return self._endpoints.audience

    @property
    def tokens(self) -> AccessTokens:
        """The access tokens of the default world."""
        return self._endpoints.tokens

    def close(self) -> None:
        """Write what is held back, and let everything go."""
        self.worlds.close()


class Start:
    """What worlds start as."""

    def __init__(  # noqa: PLR0913 - the parts that the composition joins
        self, settings: Settings, plan: Plan, channel: Channel, keys: KeyFolder, now: float, *, make_keys: bool
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._plan = plan
        self._known = plan.loaded.services
        self._keys = keys
        self._now = now
        self._make_keys = make_keys

    @cached_property
    def demo(self) -> Demo:
        """The demo world, with keys that are made once. Raises `KeyFolderError`."""
        made_now = self._now if self._make_keys else None
        return load_demo(self._known, self._keys, made_now, tick=self._plan.loaded.added)

    def named(self, name: str) -> WorldState:
        """Return what `demo` and `empty` stand for."""
        return self.demo.state if name == "demo" else WorldState()

    @cached_property
    def own_accounts(self) -> list[OwnAccount]:
        """The accounts of the settings. Raises `OwnAccountError`."""
        return [parse_own_account(text, self._known) for text in self._settings.account]

    def state(self) -> WorldState:
        """Return the world that the settings name, with the accounts that they add. Raises one of `StartError`."""
        world = self._settings.world
        if world in NAMED_WORLDS:
            state = self.named(world)
        else:
            file = self._plan.world or open_world(Path(world))
            state = file.state(self._known, validate_fault=parse)
        for index, document in enumerate(state.documents):
            fault = self._channel.document_fault(document)
            if fault is not None:
                raise WorldFileError([f"documents[{index}]: {fault}"], world)
        for own in self.own_accounts:
            state = add_own_account(state, own, self._known, self._now)
        return self._channel.indexed(state)

    def bring_up_to_date(self, world: World) -> None:
        """Give a world that an earlier start left what this one would have made.

        Own accounts, keys of the demo world that were made anew, and its permissions for services that are added.
        """
        missing = [own for own in self.own_accounts if world.account(own.account.client_id) is None]
        if missing:
            with world.changing():
                before = after = world.state()
                for own in missing:
                    after = add_own_account(after, own, self._known, self._now)
                for enterprise in after.enterprises:
                    if enterprise not in before.enterprises:
                        world.put_enterprise(enterprise)
                for account in after.accounts[len(before.accounts) :]:
                    world.put_account(account)
                for mandate in after.mandates[len(before.mandates) :]:
                    world.put_mandate(mandate)
        for made in self.demo.state.accounts if self._settings.world == "demo" else ():
            known = world.account(made.client_id)
            if known is None:
                continue
            certificates = tuple(dict.fromkeys((*known.certificates, *made.certificates)))
            added = [name for name in self._plan.loaded.added if name in made.permissions]
            permissions = tuple(dict.fromkeys((*known.permissions, *added)))
            if (certificates, permissions) != (known.certificates, known.permissions):
                with world.changing():
                    world.put_account(replace(known, certificates=certificates, permissions=permissions))


def create_mock(  # noqa: PLR0913 - each is a part that a test or a command may bring
    settings: Settings,
    *,
    base_url: str | None = None,
    clock: Clock | None = None,
    observer: Observer = ignore,
    signing_key: RSAPrivateKey | None = None,
    make_keys: bool = True,
    ca_file: Path | None = None,
    plan: Plan | None = None,
) -> Mock:
    """Make a mock server from settings.

    `base_url` is where the server is reached; by default it follows from host and port. `signing_key` signs the
    access tokens; by default it is the store's, or one that is kept in the key folder. Without `make_keys` the
    demo world's keys must be there already. `plan` is what the files say, where they were read before. Raises one of
    `StartError`, and pydantic's `ValidationError` for a bad change of the policy.
    """
    clock = clock or SystemClock()
    policy = settings.token_policy()
    plan = plan or read_plan(settings)
    apis = plan.loaded.apis
    keys = KeyFolder(settings.keys)
    scheme = "https" if settings.tls or settings.tls_untrusted else "http"
    server_url = settings.public_url or base_url or f"{scheme}://{_netloc(settings.host, settings.port)}"
    hosts = frozenset(_hosts(settings, server_url))
    store = Store(settings.store)
    try:
        channel = Channel(
            policy,
            plan.loaded.services,
            apis,
            Limits(settings.max_body_bytes, settings.body_timeout),
            signing_key or _signing_key(store, settings, keys, make_keys=make_keys),
            TOKEN_URLS[settings.environment],
            settings.rules,
        )
        start = Start(settings, plan, channel, keys, clock.now(), make_keys=make_keys)
        worlds = Worlds(
            store,
            clock,
            Addresses.of_server(server_url, hosts, settings.public_url),
            channel.endpoints,
            observer,
            JournalLimits(settings.journal_size, settings.journal_body_bytes),
        )
        world, was_made = store.ensure_world(start.state, clock, DEFAULT_WORLD)
        if not was_made:
            start.bring_up_to_date(world)
        # What was parsed takes many times as much memory as the file.
        plan.world = None
        default = worlds.add(world)
    except BaseException:
        store.close()
        raise
    urls = Urls(
        server_url,
        f"{server_url}{TOKEN_PATH}",
        {api.name: f"{server_url}{contract.base_path}" for api, contract in apis},
        ca_file,
    )
    admission = Admission(hosts, settings.admin_token, is_open=settings.is_loopback)
    control = Guard(admission, LazyPart(partial(_control, settings, channel, worlds, start)))
    application = Application(worlds, control)
    return Mock(application, settings, urls, channel, worlds, default, keys, start, was_made)


def _control(settings: Settings, channel: Channel, worlds: Worlds, start: Start) -> asgi.Application:
    from mock_server.control.api import Control, create_control  # noqa: PLC0415 - FastAPI costs half a start

    return create_control(
        Control(
            worlds,
            channel.services,
            start.named,
            channel.document_fault,
            channel.indexed,
            settings.environment,
            settings.policy,
        )
    )


def _signing_key(store: Store, settings: Settings, keys: KeyFolder, *, make_keys: bool) -> RSAPrivateKey:
    if store.is_shared:
        known = store.database.meta("signing_key") or store.database.meta_or("signing_key", _pem(new_signing_key()))
        # Written by this program, so the checks, which cost as much as half a start, are left out.
        key = load_pem_private_key(known.encode(), None, unsafe_skip_rsa_key_validation=True)
        if isinstance(key, RSAPrivateKey):
            return key
        msg = "the signing key in the store is not an RSA key: use another store"
        raise StoreError(msg)
    return keys.signing_key() if settings.world == "demo" and make_keys else new_signing_key()


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _hosts(settings: Settings, base_url: str) -> Iterator[str]:
    """Yield the names that clients may call the server by, in lower case and without port."""
    yield from LOOPBACK_NAMES
    yield _netloc(settings.host)
    yield _netloc(urlsplit(base_url).hostname or "")
    yield from (name.lower() for name in settings.allowed_host)


def _netloc(host: str, port: int | None = None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name.lower() if port is None else f"{name}:{port}"
