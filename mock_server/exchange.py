"""What is told about a request after it was answered: to the console now, to whoever else listens."""

from collections.abc import Callable
from dataclasses import dataclass

from mock_server.verdict import Check, Trail


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer: no body, no token, and no path, whose SSIN is personal data."""

    operation: str
    """`token`, `jwks`, or method and path template."""
    status: int
    trail: Trail
    client_id: str | None = None
    error: str | None = None
    """The `error` of the token endpoint or the type of the problem."""

    @property
    def refused_by(self) -> Check | None:
        """The check that the refusal was derived from."""
        return self.trail.first_failure


Observer = Callable[[Exchange], None]


def ignore(_: Exchange) -> None:
    """Observe nothing."""
