"""The `[services.*]` of a world file: an API behind the channel, with its contract, and how that is read."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator
from pydantic_core import PydanticKnownError

from mock_server.identifiers import Capacity
from mock_server.world.entries import MOST_MEMBERS, Entry, Name
from mock_server.world.served import HOLDS, NAME, NAME_IN_WORDS, PATH, PATH_IN_WORDS, SCOPE, SCOPE_IN_WORDS

MEMBER = "services"

Scopes = Mapping[Capacity, tuple[str, ...]]


def name_fault(name: str) -> str | None:
    """Return why a service cannot be called so, or None."""
    return None if NAME.fullmatch(name) else f"a service is called by {NAME_IN_WORDS}"


def _path(text: str) -> str:
    if not PATH.fullmatch(text):
        msg = f"should be {PATH_IN_WORDS}"
        raise ValueError(msg)
    return text


def _scopes(value: object) -> Scopes:
    if isinstance(value, list):
        listed = _scope_list(value)
        return dict.fromkeys(Capacity, listed)
    if not isinstance(value, dict):
        msg = "should be a list of scopes for all capacities, or a list for each capacity by its name"
        raise ValueError(msg)  # noqa: TRY004 - pydantic tells a ValueError as a fault of the value
    unknown = [name for name in value if name not in list(Capacity)]
    if unknown:
        msg = f"gives scopes by capacity, which is one of {', '.join(Capacity)}"
        raise ValueError(msg)
    return {Capacity(name): _scope_list(scopes) for name, scopes in value.items()}


def _scope_list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_MEMBERS:
        msg = f"should be a list of 1 to {MOST_MEMBERS} scopes"
        raise ValueError(msg)
    if not all(isinstance(scope, str) and SCOPE.fullmatch(scope) for scope in value):
        msg = f"should have scopes in it, each text of {SCOPE_IN_WORDS}"
        raise ValueError(msg)
    return tuple(dict.fromkeys(value))


def _parameters(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise PydanticKnownError("dict_type")
    if len(value) > MOST_MEMBERS:
        msg = f"has {len(value)} members, and at most {MOST_MEMBERS} are read"
        raise ValueError(msg)
    if not all(holds in HOLDS for holds in value.values()):
        msg = f"says of each parameter, by its name, what it holds: one of {', '.join(HOLDS)}"
        raise ValueError(msg)
    return dict(value)


class ServiceEntry(Entry):
    """A service that is added, or more about one that is known; what is not said is as the settings say."""

    contract: Annotated[str, Field(min_length=1, max_length=4096)]
    """The path of an OpenAPI or Swagger file, relative to the world file."""
    base_path: Annotated[str, AfterValidator(_path)] | None = None
    permission: Name | None = None
    scopes: Annotated[Scopes | None, PlainValidator(_scopes)] = None
    one_mandatary: Annotated[bool | None, Field(strict=True)] = None
    parameters: Annotated[Mapping[str, str], PlainValidator(_parameters)] = {}
    """What parameters hold, by their names, in the words of `HOLDS`."""
    unknown_query: Literal["refuse", "ignore"] | None = None
    unknown_members: Literal["contract", "refuse"] | None = None
    read_only: Literal["refuse", "ignore"] | None = None
