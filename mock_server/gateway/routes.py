"""The 404 of a path that no API has."""

from dataclasses import dataclass

from mock_server import problems
from mock_server.asgi import Receive, Scope
from mock_server.exchange import NO_ROUTE, Exchange
from mock_server.gateway import requirements as req
from mock_server.gateway.serving import Call, Reply
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


class NotFoundEndpoint:
    """Answers what nothing else of a world does."""

    async def begin(self, scope: Scope, receive: Receive, exchange: Exchange) -> "_NotFoundCall":  # noqa: ARG002 - unread
        """Name the operation."""
        exchange.operation = f"{scope['method'][:16]} {NO_ROUTE}"
        return _NotFoundCall(exchange)


@dataclass(frozen=True)
class _NotFoundCall(Call):
    exchange: Exchange

    async def decide(self) -> Reply:
        """Answer one request."""
        problem = no_such_route(self.exchange.trail)
        self.exchange.error = problem.name
        return Reply(problem.answer(problems.new_trace_id()), unread=True)
