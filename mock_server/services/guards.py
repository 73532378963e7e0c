"""Which rule guards each operation of a contract, told before anybody calls it: pure, from what was loaded."""

from collections.abc import Iterator
from typing import NamedTuple

from mock_server.services.catalogue import Api
from mock_server.services.contract import Contract, Operation
from mock_server.services.conventions import conventions
from mock_server.services.documents.held import ENTERPRISE_NUMBER, SSIN, YEAR, Found
from mock_server.services.scopes import required_scopes
from mock_server.world.model import Service

ANY_TOKEN = "any token with the scope"  # noqa: S105 - a sentence
ANY_TOKEN_AT_ALL = "any token"  # noqa: S105 - as above


class Input(NamedTuple):
    """A parameter that holds what the access rules look at."""

    parameter: str
    location: str
    known_by: Found
    is_sent: bool
    """Whether every call has it, or it has a default; else it is looked at when it is sent."""

    def __str__(self) -> str:
        """Say which parameter it is."""
        place = "" if self.location == "path" else f" ({self.location}{'' if self.is_sent else ', when it is sent'})"
        return f"{self.parameter}{place}"


class Guard(NamedTuple):
    """What is asked of who calls an operation."""

    operation: str
    """Method and path template."""
    operation_id: str
    scopes: tuple[tuple[str, ...], ...]
    """Alternatives, each with all the scopes that it asks for; none where every token will do."""
    rule: str
    """Who may call it, in words."""
    enterprise: Input | None
    person: Input | None
    year: Input | None
    keeps: str
    """What the operation does to what is kept, in a word or two."""

    @property
    def known_by(self) -> tuple[Found, ...]:
        """How it is known what the parameters hold, each way once."""
        inputs = (one for one in (self.enterprise, self.person, self.year) if one is not None)
        return tuple(dict.fromkeys(one.known_by for one in inputs))

    @property
    def scopes_in_words(self) -> str:
        """The scopes that are asked for."""
        return scopes_in_words(self.scopes)


def scopes_in_words(scopes: tuple[tuple[str, ...], ...]) -> str:
    """Say which scopes are asked for."""
    return " or ".join(" and ".join(names) for names in scopes) or "none"


def guards(contract: Contract, api: Api, service: Service) -> tuple[Guard, ...]:
    """Return the guard of every operation, in the order of the contract."""
    return tuple(_guards(contract, api, service))


def _guards(contract: Contract, api: Api, service: Service) -> Iterator[Guard]:
    roles = conventions(contract)
    for operation in contract.operations:
        scopes = required_scopes(operation, api, service)
        enterprise = _input(operation, ENTERPRISE_NUMBER)
        yield Guard(
            operation.name,
            operation.operation_id,
            scopes,
            _rule(enterprise, api, ANY_TOKEN if scopes else ANY_TOKEN_AT_ALL),
            enterprise,
            _input(operation, SSIN),
            _input(operation, YEAR),
            roles[operation.name].role.value,
        )


def _input(operation: Operation, what: str) -> Input | None:
    held = operation.held.get(what)
    if held is None:
        return None
    parameter = next(one for one in operation.parameters if (one.location, one.name) == (held.location, held.parameter))
    is_sent = parameter.required or bool(parameter.shape.default)
    return Input(held.parameter, held.location, held.found, is_sent)


def _rule(enterprise: Input | None, api: Api, anybody: str) -> str:
    if enterprise is None:
        return anybody
    own = any(not capacity.is_mandatary for capacity in api.capacities)
    mandate = any(capacity.is_mandatary for capacity in api.capacities)
    whose = " or ".join(["own number"] * own + ["mandate"] * mandate)
    return f"{whose}: {enterprise}" + ("" if enterprise.is_sent else f"; else {anybody}")
