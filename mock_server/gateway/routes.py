"""The 404 of a path that no API has."""

from mock_server import problems
from mock_server.gateway import requirements as req
from mock_server.problems import Problem
from mock_server.verdict import Trail


def no_such_route(trail: Trail) -> Problem:
    """Note and return the 404 of a path that nothing has."""
    trail.failed(
        req.ROUTE,
        "a path of an API",
        "another path",
        "The paths are in the contract, below the base URL that the server printed at start.",
    )
    return problems.resource_not_found("No resource found at this path")
