"""The shapes of the control API's JSON, as its OpenAPI document shows them."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from mock_server.control.worlds import WORLD_NAME
from mock_server.identifiers import Capacity

WorldName = Annotated[
    str,
    Field(
        pattern=f"^{WORLD_NAME.pattern}$",
        description="Lower case letters, digits and hyphens, 63 at most.",
        examples=["ci-42"],
    ),
]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number, and no text or truth value that could be read as one."""
Limit = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]


HIGHEST_NUMBER = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=HIGHEST_NUMBER)]


class Shape(BaseModel):
    """A JSON object with known members only."""

    model_config = ConfigDict(extra="forbid")


class Issue(BaseModel):
    """One thing that is wrong with a request."""

    type: str | None = None
    detail: str
    where: str | None = Field(None, alias="in", description="body, path, query or header")
    name: str | None = None


class Problem(BaseModel):
    """A refusal (RFC 9457): `detail` says what was expected, what came, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    issues: list[Issue] | None = None


PROBLEM_CONTENT: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REASONS = {
    400: "The request is wrong; every issue is told.",
    404: "There is no such thing.",
    409: "It does not fit with the state of the world.",
    413: "The body is too large.",
    415: "The body is of another media type.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI documents of the refusals of an operation."""
    return {status: {"description": _REASONS[status], "content": PROBLEM_CONTENT} for status in statuses}


class ServiceEntry(Shape):
    """A service behind the channel."""

    name: str = Field(examples=["payroll"])
    permission: str = Field(description="The label beside the tick box in ChaMan.")
    scopes: dict[Capacity, list[str]]
    one_mandatary: bool = Field(description="Whether an employer has one mandatary for it at most.")


class ServiceList(Shape):
    """All services."""

    items: list[ServiceEntry]


class Server(Shape):
    """What this server is."""

    version: str
    environment: str = Field(description="The real environment whose token URL is an audience too.")
    policy: str
    store: Literal["memory", "sqlite", "postgresql"]
    services: list[str]
    worlds: int
    docs: str
    openapi: str


class ClockStart(Shape):
    """How the clock of a new world begins."""

    offset: Seconds | None = Field(None, description="Seconds that it is ahead of real time; negative: behind.")
    now: str | Seconds | None = Field(
        None,
        description="The moment it begins at: ISO 8601 with a zone, Unix seconds, or a quarter (its first moment).",
        examples=["2027Q1"],
    )
    frozen: StrictBool = Field(default=False, description="Whether it stands still.")


class ClockChange(Shape):
    """A change of a running clock, which never goes back. One of the first four, and `frozen`, or either alone."""

    advance: Seconds | None = Field(None, description="Seconds to jump forward.", examples=[86_400])
    offset: Seconds | None = Field(None, description="Seconds to be ahead of real time.")
    now: str | Seconds | None = Field(
        None, description="The moment to jump to: ISO 8601 with a zone, Unix seconds, or a quarter (its first moment)."
    )
    follow_real_time: Literal[True] | None = Field(None, description="Whether to follow real time, without an offset.")
    frozen: StrictBool | None = Field(None, description="Whether it stands still from now on.")


class ClockEntry(Shape):
    """What time it is in a world."""

    now: str = Field(examples=["2026-11-23T12:00:00.000Z"])
    timestamp: float = Field(description="The same in Unix seconds.")
    mode: Literal["real", "offset", "frozen"]
    offset: float = Field(description="Seconds ahead of real time; 0 when frozen.")
    quarter: str = Field(description="The quarter that it is in Brussels.", examples=["2026Q4"])


class Counts(Shape):
    """How much there is of each kind."""

    enterprises: int
    accounts: int
    mandates: int
    employments: int
    documents: int
    exchanges: int


class WorldEntry(Shape):
    """A world."""

    name: WorldName
    base_url: str
    token_url: str
    audience: str = Field(description="What `aud` may be, besides the token URL of the environment.")
    apis: dict[str, str] = Field(description="The base URL of each API.")
    clock: ClockEntry
    counts: Counts


class WorldList(Shape):
    """Worlds by name."""

    items: list[WorldEntry]
    total: int


class NewWorld(Shape):
    """A world to be made."""

    name: WorldName | None = Field(None, description="Made up when not given.")
    start: Literal["demo", "empty"] | None = Field(
        None, alias="from", description="What it starts as; demo when nothing is said."
    )
    state: dict[str, Any] | None = Field(None, description="What it starts as, in place of `from`: an exported state.")
    clock: ClockStart | None = None


class AppliedFault(Shape):
    """A fault that was applied."""

    id: int
    applied: str


class ExchangeSummary(Shape):
    """One request with its answer, in short."""

    number: int
    time: str = Field(description="When it came, by the world's clock.")
    operation: str = Field(description="`token`, `jwks`, or method and path template.")
    status: int | None = Field(description="None when nothing was answered.")
    duration_ms: float
    client_id: str | None
    account: str | None
    error: str | None
    refused_by: str | None = Field(description="The requirement that the refusal was derived from.")
    fault: AppliedFault | None


class RequestEntry(Shape):
    """What was asked, without its secrets."""

    method: str
    path: str
    query: str
    http_version: str
    headers: list[tuple[str, str]]
    body: str | None
    body_size: int
    body_truncated: bool


class AnswerEntry(Shape):
    """What was answered, without its secrets."""

    status: int
    headers: list[tuple[str, str]]
    body: str | None
    body_size: int
    body_truncated: bool


class CheckEntry(Shape):
    """One check."""

    id: str
    outcome: str
    statement: str
    source: str
    provenance: str
    expected: str | None = None
    found: str | None = None
    advice: str | None = None


class ExchangeEntry(ExchangeSummary):
    """One request with its answer, whole."""

    request: RequestEntry
    answer: AnswerEntry | None
    assertion: dict[str, Any] | None = Field(description="Header and claims, decoded; never the signature.")
    checks: list[CheckEntry]
    near_misses: list[str]


class ExchangeList(Shape):
    """Exchanges in the order of their numbers."""

    items: list[dict[str, Any]] = Field(description="Summaries, or whole exchanges with `full`.")
    total: int = Field(description="How many there are of those asked for.")
    dropped: int = Field(description="How many the journal has let go because there were too many.")


class ExchangeCount(Shape):
    """How many exchanges there are."""

    count: int
    dropped: int


class NewFault(Shape):
    """A fault to be scripted."""

    operation: str = Field(
        "any",
        description="`token`, `jwks`, `any`, or method and path template; either may be `*`, the path may end with it.",
        examples=["token"],
    )
    do: dict[str, Any] = Field(
        description=(
            'What is done, exactly one of: {"status": 400 to 599, "retry_after"?: seconds, HTTP date or "none"}, '
            '{"delay": seconds up to 60, "in"?: "body"}, {"close": "before", "headers", "body" or "after-change"}, '
            '{"malform": "json", "truncate" or "content-type"}, '
            '{"token": "expired", "extra-member", "string-expires-in" or "invalid-client"}. See docs/faults.md.'
        ),
        examples=[{"status": 503, "retry_after": 2}],
    )
    times: StrictInt | Literal["until reset"] = Field("until reset", description="How often at most.")
    every: StrictInt = Field(1, description="3 hits every third request that matches.")
    client_id: str | None = Field(None, description="Only requests of this client.")
    parameters: dict[str, str] = Field(
        default_factory=dict, description="Only requests with these path parameters, in their canonical form."
    )


class FaultEntry(NewFault):
    """A scripted fault."""

    id: int
    seen: int = Field(description="How many requests matched it.")
    fired: int = Field(description="How many of them it was applied to.")
    exhausted: bool
    warnings: list[str] = Field(default_factory=list, description="Why it may never hit; told when it is added.")


class FaultList(Shape):
    """The faults of a world, in the order they were added."""

    items: list[FaultEntry]
