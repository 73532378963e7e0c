"""From what was given at start to the APIs that are served: contracts of one's own, further services, and their paths.

Everything that does not fit is told at once, with where it was given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mock_server.identifiers import Capacity, ServiceName
from mock_server.redaction import shown
from mock_server.services.catalogue import DEFAULT_PATHS, Api, own_apis, services
from mock_server.services.contract import Contract, ContractError, load
from mock_server.services.documents.reader import Reading
from mock_server.services.names import FLA_TRAINING_PROVIDER_SCOPE
from mock_server.world.model import Service
from mock_server.world.served import PATH, PATH_IN_WORDS, SCOPE, SCOPE_IN_WORDS

_SHOWN = 5


class GivenParameter(NamedTuple):
    """What a parameter holds, as somebody says."""

    name: str
    holds: str | None
    """`enterpriseNumber`, `ssin`, `year`, or None for nothing."""
    api: str | None = None
    """The API that it is said of; None is every API whose contract was given."""


class GivenService(NamedTuple):
    """An API of a further service; what is None is not said."""

    name: str
    file: Path
    place: str
    """Where it was given, in words."""
    base_path: str | None = None
    permission: str | None = None
    scopes: Mapping[Capacity, tuple[str, ...]] | None = None
    one_mandatary: bool | None = None
    parameters: Mapping[str, str | None] = MappingProxyType({})
    reading: Mapping[str, Any] = MappingProxyType({})
    """What is said of this contract of the members of `Reading`."""


class Given(NamedTuple):
    """What was given at start."""

    contracts: Mapping[str, Path] = MappingProxyType({})
    """Files in place of the contracts of APIs, by the APIs' names."""
    services: Sequence[GivenService] = ()
    parameters: Sequence[GivenParameter] = ()
    reading: Reading = Reading()
    """How contracts that were given are read."""
    paths: Mapping[str, str] = MappingProxyType({})
    """Base paths by API: for our own contracts, and for given ones that name none."""
    training_provider_scope: str = FLA_TRAINING_PROVIDER_SCOPE
    reserved: Sequence[str] = ()
    """Paths that the server needs for itself."""


class Loaded(NamedTuple):
    """What is served."""

    services: Mapping[ServiceName, Service]
    apis: Sequence[tuple[Api, Contract]]
    added: tuple[ServiceName, ...] = ()
    """The services that were given."""


def load_given(given: Given) -> Loaded:
    """Load every contract, and return what is served. Raises `ContractError` with everything that is wrong."""
    known = services(given.training_provider_scope)
    _raise_if_any(_name_faults(given, known))
    loaded: list[tuple[Api, Contract]] = []
    faults: list[str] = []
    for api in _apis(given):
        try:
            loaded.append((api, load(api.contract, api.base_path, api.reading)))
        except ContractError as error:
            faults.append(f"{api.name}: {error}")
    _raise_if_any(faults)
    _raise_if_any([*_parameter_faults(given, loaded), *path_faults(loaded, given.reserved)])
    contracts = {api.name: contract for api, contract in loaded}
    added = {one.name: _service(one, known.get(ServiceName(one.name)), contracts[one.name]) for one in given.services}
    all_services = {**known, **{ServiceName(name): service for name, service in added.items()}}
    apis = [
        (replace(api, capacities=frozenset(added[api.name].scopes)) if api.name in added else api, contract)
        for api, contract in loaded
    ]
    return Loaded(all_services, apis, tuple(ServiceName(name) for name in added))


def default_path(name: str) -> str:
    """Return where a service is served whose contract names no path."""
    return f"/REST/{name}/v1"


def _raise_if_any(faults: Iterable[str]) -> None:
    told = "\n".join(dict.fromkeys(faults))
    if told:
        raise ContractError(told)


def _name_faults(given: Given, known: Mapping[ServiceName, Service]) -> Iterator[str]:
    own = [api.name for api in own_apis()]
    taken = {*own, *(api.service for api in own_apis())}
    places: dict[str, str] = {}
    for one in given.services:
        if one.name in taken:
            yield (
                f"{one.place}: {one.name} is one of the mock's own, and always served; "
                f"to replace a contract of it, give --contract {own[0]}=FILE (or {' or '.join(own[1:])})"
            )
        elif one.name in places:
            yield (
                f"{one.place}: {one.name} was given before, by {places[one.name]}; keep one of them, "
                f"or replace the contract alone with --contract {one.name}=FILE"
            )
        places.setdefault(one.name, one.place)
    names = [*own, *places]
    for name, file in given.contracts.items():
        if name not in names:
            others = [service for service in known if service not in taken]
            further = f" A further service ({', '.join(others)} or another) is added with --service NAME={file}."
            yield f"--contract {name}={file}: no API is called {name}; there are {', '.join(names)}.{further}"
    for parameter in given.parameters:
        if parameter.api is not None and parameter.api not in names:
            there = f"there are {', '.join(names)}"
            yield f"--parameter {_written(parameter)}: no API is called {shown(parameter.api)}; {there}"


def _apis(given: Given) -> Iterator[Api]:
    for api in own_apis():
        file = given.contracts.get(api.name)
        if file is None:
            yield replace(api, base_path=given.paths.get(api.name))
            continue
        default = given.paths.get(api.name) or DEFAULT_PATHS[api.name]
        yield replace(api, contract=file, reading=_reading(given, api.name, default), is_ours=False)
    for one in given.services:
        reading = _reading(given, one.name, default_path(one.name), one.reading, one.parameters)
        file = given.contracts.get(one.name, one.file)
        yield Api(one.name, ServiceName(one.name), file, one.base_path, reading=reading, is_ours=False)


def _reading(
    given: Given,
    name: str,
    default_path: str,
    changes: Mapping[str, Any] = MappingProxyType({}),
    parameters: Mapping[str, str | None] = MappingProxyType({}),
) -> Reading:
    """Return how the contract of an API is read: what is said of it goes before what is said of all."""
    holds = {one.name: one.holds for one in given.parameters if one.api is None}
    holds |= parameters
    holds |= {one.name: one.holds for one in given.parameters if one.api == name}
    return given.reading._replace(holds=holds, default_path=default_path, **changes)


def _parameter_faults(given: Given, apis: Sequence[tuple[Api, Contract]]) -> Iterator[str]:
    names = {api.name: parameter_names(contract) for api, contract in apis if not api.is_ours}
    for one in given.parameters:
        place = f"--parameter {_written(one)}"
        if one.api is not None and one.api not in names:
            yield f"{place}: {one.api} has the mock's own contract, which says itself what its parameters hold"
        elif not any(one.name in found for name, found in names.items() if one.api in {None, name}):
            where = "contract that was given" if one.api is None else f"operation of {one.api}"
            found = names.values() if one.api is None else [names[one.api]]
            yield f"{place}: no {where} has a parameter of this name; {there_are(found)}"
    for service in given.services:
        for parameter in service.parameters:
            if parameter not in names[service.name]:
                there = there_are([names[service.name]])
                yield f"{service.place}: parameters: no operation has a parameter {shown(parameter)}; {there}"


def parameter_names(contract: Contract) -> tuple[str, ...]:
    """Return the names of the parameters that can hold something, in the order of the contract."""
    return tuple(
        dict.fromkeys(
            parameter.name
            for operation in contract.operations
            for parameter in operation.parameters
            if parameter.location != "cookie"
        )
    )


def there_are(found: Iterable[tuple[str, ...]]) -> str:
    """Say which parameters there are, for who looked for another."""
    names = list(dict.fromkeys(name for one in found for name in one))
    told = ", ".join(shown(name) for name in names[:20])
    return f"there are {told}" + (" and more" if len(names) > 20 else "") if names else "there are none"  # noqa: PLR2004


def _written(parameter: GivenParameter) -> str:
    api = "" if parameter.api is None else f"{parameter.api}:"
    return shown(f"{api}{parameter.name}={parameter.holds or 'nothing'}")


def path_faults(apis: Sequence[tuple[Api, Contract]], reserved: Sequence[str]) -> Iterator[str]:
    """Yield why the base paths cannot all be served, if they cannot: each is apart from all others."""
    advice = (
        "give it another: as the server's URL (basePath) in its file, as base_path in [services.*] of the world file, "
        "or, of an API of the mock's own, with --employer-path or --training-provider-path where its file names none"
    )
    for index, (api, contract) in enumerate(apis):
        path = contract.base_path
        if not PATH.fullmatch(path):
            yield f"{api.name}: expected {PATH_IN_WORDS} as its base path, came {shown(path)}; {advice}"
            continue
        for other in reserved:
            if _touch(path, other):
                yield f"{api.name}: its base path {path} would hide {other}, which the server needs; {advice}"
        for other_api, other_contract in apis[:index]:
            other = other_contract.base_path
            if PATH.fullmatch(other) and _touch(path, other):
                how = "is also that of" if path == other else f"and {other} lie in one another, the latter of"
                yield f"{api.name}: its base path {path} {how} {other_api.name}; {advice}"


def _touch(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def scopes_named(contract: Contract) -> tuple[str, ...]:
    """Return the scopes that the operations of a contract ask for, each once."""
    return tuple(
        dict.fromkeys(name for operation in contract.operations for names in operation.scopes for name in names)
    )


def _service(one: GivenService, known: Service | None, contract: Contract) -> Service:
    """Return the service that an API was given of. Raises `ContractError` for scopes that nobody could ask for."""
    scopes = one.scopes
    if scopes is None:
        named = scopes_named(contract)
        bad = [shown(scope) for scope in named if not SCOPE.fullmatch(scope)]
        if bad:
            msg = (
                f"{one.name}: expected scopes of {SCOPE_IN_WORDS}, came {', '.join(bad[:_SHOWN])}; "
                f"say what scopes there are with scopes in [services.{one.name}] of the world file"
            )
            raise ContractError(msg)
        scopes = _scopes(ServiceName(one.name), known, named)
    return Service(
        name=ServiceName(one.name),
        permission=one.permission or (known.permission if known is not None else one.name),
        scopes=scopes,
        one_mandatary=one.one_mandatary if one.one_mandatary is not None else known is not None and known.one_mandatary,
    )


def _scopes(name: ServiceName, known: Service | None, named: tuple[str, ...]) -> Mapping[Capacity, tuple[str, ...]]:
    before: Mapping[Capacity, tuple[str, ...]] = known.scopes if known is not None else {}
    if not named and not before:
        named = (f"scope:{name}",)
    together = {capacity: tuple(dict.fromkeys((*before.get(capacity, ()), *named))) for capacity in Capacity}
    return {capacity: scopes for capacity, scopes in together.items() if scopes}
