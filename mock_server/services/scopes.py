"""Which scopes an operation asks for."""

from mock_server.services.catalogue import Api
from mock_server.services.contract import Operation
from mock_server.world.model import Service


def required_scopes(operation: Operation, api: Api, service: Service) -> tuple[tuple[str, ...], ...]:
    """Return the alternatives, each with all the scopes that it asks for.

    What the contract says counts as far as the token endpoint grants it. A contract that names no scopes, or only such
    as no account can get, or that one may do without, is open to the scopes of the capacities that its API is for.
    """
    granted = frozenset(scope for scopes in service.scopes.values() for scope in scopes)
    named = tuple(names for names in operation.scopes if names and granted.issuperset(names))
    if named and () not in operation.scopes:
        return named
    return tuple((scope,) for scope in api_scopes(api, service))


def api_scopes(api: Api, service: Service) -> tuple[str, ...]:
    """Return the scopes of the capacities that an API is for."""
    return tuple(
        dict.fromkeys(
            scope for capacity, scopes in service.scopes.items() if capacity in api.capacities for scope in scopes
        )
    )
