"""One request with its answer, as the journal and the console are told of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mock_server.asgi import Answer, Header
from mock_server.verdict import Check, Trail

NO_ROUTE = "(no such route)"


@dataclass(slots=True)
class Request:
    """What was asked. Secrets that have a place of their own are gone; others are looked for before this is stored."""

    method: str
    path: str
    query: str
    http_version: str
    headers: Sequence[Header]
    body: bytes | None = None
    """None when it was not read, or is withheld."""
    body_size: int = 0
    form: Mapping[str, str] | None = None
    """The parameters of a form, in place of the body."""


@dataclass(frozen=True, slots=True)
class AppliedFault:
    """A scripted fault that was applied."""

    id: int
    announcement: str


@dataclass(slots=True)
class Exchange:
    """One request with its answer, filled in while it is decided."""

    request: Request
    trail: Trail = field(default_factory=Trail)
    world: str = ""
    number: int = 0
    operation: str = NO_ROUTE
    """`token`, `jwks`, or method and path template."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The path's parameters, in their canonical form where they have one."""
    client_id: str | None = None
    account: str | None = None
    """The name of the account that was recognised."""
    error: str | None = None
    """The `error` of the token endpoint, or the type of the problem."""
    time: float = 0.0
    """When it came, by the world's clock (Unix seconds)."""
    duration: float = 0.0
    """Seconds until the answer was ready."""
    answer: Answer | None = None
    """What was answered, without its secrets; None when there was nobody to answer, or nothing was."""
    answer_size: int = 0
    """Bytes of the body that was answered, secrets and all."""
    fault: AppliedFault | None = None

    @property
    def status(self) -> int | None:
        """The status of the answer."""
        return None if self.answer is None else self.answer.status

    @property
    def refused_by(self) -> Check | None:
        """The check that the refusal was derived from."""
        return self.trail.first_failure


Observer = Callable[[Exchange], None]


def ignore(_: Exchange) -> None:
    """Observe nothing."""
