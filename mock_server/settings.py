"""All settings in one object: from arguments first, then from `FLA_MOCK_*` in the environment, then the defaults."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mock_server.gateway.addresses import is_loopback
from mock_server.oauth.policy import Policy, Preset
from mock_server.services.names import EMPLOYER_API, FLA_TRAINING_PROVIDER_SCOPE, TRAINING_PROVIDER_API
from mock_server.world.served import HOLDS, NAME, NAME_IN_WORDS, PATH, PATH_IN_WORDS

LogLevel = Literal["debug", "info", "warning", "error"]

_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_DIGITS_MAX = 18

_List = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What `fla-mock serve` can be told."""

    model_config = SettingsConfigDict(env_prefix="FLA_MOCK_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8425, ge=0, le=65535, description="Port to listen on; 0 for a free one.")
    world: str = Field(
        "demo", description="demo, empty, or the path of a world file (TOML, or JSON as it is exported)."
    )
    account: _List = Field(
        (), description="An account of your own: client_id=…,capacity=…,enterprise=…,cert=FILE; as often as wanted."
    )
    public_url: str | None = Field(
        None, description="URL under which clients reach the server, behind a proxy or a container's port."
    )
    allowed_host: _List = Field((), description="A host name that clients may call the server by; as often as wanted.")
    environment: Literal["acceptance", "production", "simulation"] = Field(
        "acceptance", description="The real environment that the mock stands for: its token URL is an audience too."
    )
    policy: Preset = Field("documented", description="What the token endpoint is strict about.")
    set: _List = Field((), description="Change one field of the policy: NAME=VALUE; as often as wanted.")
    keys: Path = Field(Path(".fla-mock"), description="Folder for the demo world's keys and demo.json.")
    demo_json: Path | None = Field(
        None, description="Where demo.json is written, instead of into the folder of --keys."
    )
    store: str = Field(
        "memory", description="Where state is kept: memory, sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE."
    )
    workers: int = Field(
        1, ge=1, le=64, description="Processes that serve; more than one need a store that they share."
    )
    admin_token: str | None = Field(
        None,
        min_length=16,
        description=(
            "Token that /_mock asks for, 16 characters or more; on other addresses than loopback it needs one. "
            "Better given in the variable: others can see a command line."
        ),
    )
    tls: bool = Field(default=False, description="Serve https, with a certificate of a CA made in the --keys folder.")
    tls_untrusted: bool = Field(default=False, description="Serve https with a certificate that no CA signed.")
    journal_size: int = Field(1_000, ge=1, le=1_000_000, description="Exchanges that the journal of each world keeps.")
    journal_body_bytes: int = Field(
        16_384, ge=0, le=1_048_576, description="Bytes that the journal keeps of each body."
    )
    ready_file: Path | None = Field(None, description="File that receives the base URL as soon as the server answers.")
    log_level: LogLevel = Field("info", description="How much is said on the console.")
    contract: _List = Field(
        (),
        description=(
            f"Serve an API from a file of your own, OpenAPI or Swagger: NAME=FILE, where NAME is {EMPLOYER_API}, "
            f"{TRAINING_PROVIDER_API} or a service that is added; as often as wanted."
        ),
    )
    service: _List = Field(
        (),
        description=(
            "Put the API of a further service behind the channel, with its contract: NAME=FILE; as often as wanted."
        ),
    )
    parameter: _List = Field(
        (),
        description=(
            "What a parameter of a contract that you give holds, where its name does not tell: [API:]NAME="
            f"{'|'.join(HOLDS)}; as often as wanted."
        ),
    )
    unknown_query: Literal["refuse", "ignore"] = Field(
        "refuse", description="What a query parameter is that a contract of yours does not name: refused, or ignored."
    )
    unknown_members: Literal["contract", "refuse"] = Field(
        "contract",
        description=(
            "What a member of a body is that a contract of yours does not name: as the contract says, or refused "
            "also where it says nothing."
        ),
    )
    read_only: Literal["refuse", "ignore"] = Field(
        "refuse", description="What a read-only member in a request is, by a contract of yours: refused, or ignored."
    )
    rules: Literal["all", "documented"] = Field(
        "all", description="Which rules of a service beyond its contract hold: all, or those that are not assumed."
    )
    employer_path: str | None = Field(
        None,
        description=(
            "Base path of the employers' API, in place of our contract's own (assumed); the server path of a file "
            "given with --contract goes before it."
        ),
    )
    training_provider_path: str | None = Field(
        None, description="Base path of the training providers' API, in the same way (assumed)."
    )
    training_provider_scope: str = Field(
        FLA_TRAINING_PROVIDER_SCOPE,
        pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$",
        description="Scope of the training providers (assumed: blank in the guide).",
    )
    max_body_bytes: int = Field(1_048_576, ge=1_024, description="Largest body of an API call, in bytes.")
    body_timeout: float = Field(10.0, gt=0, description="Longest wait for the body of an API call, in seconds.")

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine can reach the server: no proxy passes on what others ask."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return all(is_loopback(name) for name in (self.host, public or self.host))

    @field_validator("keys")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        """Refuse an empty text, which would be the current folder."""
        if value == Path():
            msg = "expected the name of a folder"
            raise ValueError(msg)
        return value

    @property
    def contracts(self) -> Mapping[str, Path]:
        """The files of `contract` by the names of the APIs."""
        return dict(_named_file(text) for text in self.contract)

    @property
    def added(self) -> Mapping[str, Path]:
        """The files of `service` by the names of the services."""
        return dict(_named_file(text) for text in self.service)

    @field_validator("account", "allowed_host", "set", "contract", "service", "parameter", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:  # noqa: ANN401 - pydantic gives what came
        """In the environment a list is separated by white space, or JSON."""
        if not isinstance(value, str):
            return value
        return json.loads(value) if value.startswith("[") else value.split()

    @field_validator("public_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        msg = "expected a URL like https://mock.example.org, without query, fragment or user"
        try:
            url = urlsplit(value)
            is_good = url.port is None or url.port > 0
        except ValueError:
            raise ValueError(msg) from None
        if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
            raise ValueError(msg)
        if not (is_good and value.isascii() and value.isprintable()):
            raise ValueError(msg)
        return value.rstrip("/")

    @field_validator("allowed_host")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST_NAME.fullmatch(name):
                msg = "expected a host name or an IP address, without port; one of IPv6 in brackets"
                raise ValueError(msg)
        return value

    @field_validator("employer_path", "training_provider_path")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        if value is not None and not PATH.fullmatch(value):
            msg = f"expected {PATH_IN_WORDS}"
            raise ValueError(msg)
        return value

    @field_validator("contract", "service")
    @classmethod
    def _files(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = []
        for text in value:
            name, file = _named_file(text)
            if file == Path() or not NAME.fullmatch(name):
                msg = f"expected NAME=FILE, where NAME is {NAME_IN_WORDS}"
                raise ValueError(msg)
            if name in names:
                msg = f"expected one file for {name}, came two"
                raise ValueError(msg)
            names.append(name)
        return value

    @field_validator("parameter")
    @classmethod
    def _holds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            name, _, holds = text.rpartition("=")
            if not name or holds not in HOLDS:
                msg = f"expected NAME=WHAT or API:NAME=WHAT, where WHAT is one of {', '.join(HOLDS)}"
                raise ValueError(msg)
        return value

    @field_validator("set")
    @classmethod
    def _assignments(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for assignment in value:
            name, equals, _ = assignment.partition("=")
            if not equals or name not in Policy.model_fields:
                msg = f"expected NAME=VALUE, where NAME is one of {', '.join(Policy.model_fields)}"
                raise ValueError(msg)
        return value

    def token_policy(self) -> Policy:
        """Return the preset with the changes of `set`. Raises pydantic's `ValidationError`."""
        changes: dict[str, Any] = {}
        for assignment in self.set:
            name, _, text = assignment.partition("=")
            # Lists are written with commas; everything else pydantic reads from text.
            is_list = isinstance(Policy.model_fields[name].default, tuple)
            changes[name] = [part for part in text.split(",") if part] if is_list else _scalar(text)
        return Policy.preset(self.policy, **changes)


def _named_file(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    return name, Path(file)


def _scalar(text: str) -> int | str:
    # A literal field takes no text for a number.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else text
