"""The bodies, parameters and answers of the portal's part of the control API."""

from dataclasses import replace
from typing import Annotated, Any, Self
from urllib.parse import unquote

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from mock_server.identifiers import (
    Capacity,
    ClientId,
    EnterpriseNumber,
    Quarter,
    ServiceName,
    Ssin,
    parse_client_id,
    parse_enterprise_number,
    parse_ssin,
)
from mock_server.portal.access_management import parse_capacity
from mock_server.portal.texts import EMAIL_MAX, NAME_MAX
from mock_server.world.forms import (
    LARGEST_COUNT,
    LONGEST_ACTIVATION_DELAY,
    PROBLEM_TYPE,
    Detail,
    ProblemType,
    QuarterText,
)
from mock_server.world.forms import Name as TitleText
from mock_server.world.model import (
    CalendarYear,
    Employments,
    Enterprise,
    Mandate,
    MandateStatus,
    OwnNumber,
    Party,
    Phase,
    PhaseAnswer,
    WorldSettings,
)

# A path comes here as it was sent, so that an encoded slash is no slash (RFC 3986 §2.2).
_Decoded = BeforeValidator(unquote)
NUMBER_EXAMPLES = ["1999000150"]

_NUMBER = "Enterprise number: 10 digits, or 9 without the leading zero."
# For the description alone: what is judged is told in better words.
_NUMBER_PATTERN = {"pattern": "^[01]?[0-9]{9}$"}

WorldInPath = Annotated[str, Path(description="The world; that at the root is `default`.", examples=["default"])]
Number = Annotated[
    EnterpriseNumber,
    AfterValidator(parse_enterprise_number),
    Field(description=_NUMBER, examples=NUMBER_EXAMPLES, json_schema_extra=_NUMBER_PATTERN),
]
NumberInPath = Annotated[
    EnterpriseNumber,
    AfterValidator(parse_enterprise_number),
    Path(description=_NUMBER, examples=NUMBER_EXAMPLES, json_schema_extra=_NUMBER_PATTERN),
]
SsinInPath = Annotated[
    Ssin,
    AfterValidator(parse_ssin),
    Path(
        description="SSIN (INSZ, NISS): 11 digits.",
        examples=["85073099932"],
        json_schema_extra={"pattern": "^[0-9]{11}$"},
    ),
]
CapacityInPath = Annotated[
    Capacity,
    BeforeValidator(parse_capacity),
    Path(description="The capacity; only these four can open a channel (G§4.4.1)."),
]
ClientIdInPath = Annotated[
    ClientId,
    _Decoded,
    AfterValidator(parse_client_id),
    Path(description="The account's client id.", examples=["self_service_chaman_123456_k3v9x0ab1c"]),
]
ServiceInPath = Annotated[str, _Decoded, Path(description="The service.", examples=["a-service"])]
FingerprintInPath = Annotated[
    str, _Decoded, Path(description="SHA-256 of the certificate (DER), in hexadecimal, with colons or without.")
]
MandateInPath = Annotated[int, Path(description="The mandate's number.", ge=1, le=LARGEST_COUNT)]
_QUARTER = {"type": "string", "pattern": "^[0-9]{4}Q[1-4]$", "examples": ["2025Q1"]}
QuarterInBody = Annotated[QuarterText, WithJsonSchema(_QUARTER)]
QuarterInAnswer = Annotated[str, WithJsonSchema(_QUARTER)]
CapacityInQuery = Annotated[Capacity, BeforeValidator(parse_capacity)]
Name = Annotated[str, Field(description="Printable characters on one line.", min_length=1, max_length=NAME_MAX)]
Limit = Annotated[int, Field(description="How many at most.", ge=1, le=1_000)]


class Body(BaseModel):
    """What is sent: members that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class Query(Body):
    """Which part of a list."""

    limit: Limit = 100


class Listed(BaseModel):
    """A part of a list."""

    total: int = Field(description="How many fit in all, on this page or not.")


# Access management --------------------------------------------------------------------------------------------------


class EnterprisesQuery(Query):
    """Which enterprises."""

    after: str = Field("", description="Those after this number.", pattern="^[0-9]*$", max_length=10)


class EmploymentsQuery(Query):
    """Which employments."""

    after: str = Field("", description="Those after this SSIN.", pattern="^[0-9]*$", max_length=11)


class EnterpriseBody(Body):
    """An enterprise; its capacities are activated one by one."""

    name: Annotated[Name, Field(examples=["Bakery Peeters"])]
    employments: Employments | None = Field(
        None, description="Says for this employer alone what the world's setting says for all; null: as the world."
    )


class ActivationBody(Body):
    """What activating a capacity asks for (G§5)."""

    email: str = Field(
        description="The e-mail address of the capacity.", max_length=EMAIL_MAX, examples=["hr@example.org"]
    )
    local_administrator: Annotated[
        Name, Field(description="Who administers it, and has access to ChaMan from then on.", examples=["An Peeters"])
    ]


class AdministratorAnswer(BaseModel):
    """Who was named when a capacity was activated."""

    email: str
    local_administrator: str


class EnterpriseAnswer(BaseModel):
    """An enterprise."""

    number: EnterpriseNumber = Field(examples=NUMBER_EXAMPLES)
    name: str
    capacities: list[Capacity] = Field(description="Those that are active.")
    administrators: dict[Capacity, AdministratorAnswer] = Field(
        description="Of the capacities that were activated here; those of a world file may have none."
    )
    employments: Employments | None = Field(description="null: as the world's setting says.")

    @classmethod
    def of(cls, enterprise: Enterprise) -> Self:
        """Return an enterprise as it is answered."""
        return cls(
            number=enterprise.number,
            name=enterprise.name,
            capacities=[capacity for capacity in Capacity if capacity in enterprise.capacities],
            administrators={
                capacity: AdministratorAnswer(**enterprise.administrators[capacity]._asdict())
                for capacity in Capacity
                if capacity in enterprise.administrators
            },
            employments=enterprise.employments,
        )


class EnterpriseList(Listed):
    """Enterprises by number."""

    items: list[EnterpriseAnswer]


class EmploymentList(Listed):
    """Employees by SSIN."""

    items: list[Ssin] = Field(examples=[["85073099932"]])


# MAHIS --------------------------------------------------------------------------------------------------------------


class MandatesQuery(Query):
    """Which mandates."""

    mandator: Number | None = Field(None, description="Those that this employer gives.")
    mandatary: Number | None = Field(None, description="Those that this enterprise holds.")
    service: str | None = Field(None, description="Those for this service.", max_length=64)
    status: MandateStatus | None = Field(None, description="Those that are so at the world's time.")
    after: int = Field(0, description="Those after this number.", ge=0, le=LARGEST_COUNT)


class MandateBody(Body):
    """A mandate that is to be: who proposes it, or that both signed a procuration."""

    mandator: Annotated[Number, Field(description="The employer that gives it.")]
    mandatary: Annotated[Number, Field(description="Who is to act for that employer.", examples=["1999000249"])]
    service: str = Field(description="What it is for.", max_length=64)
    start: QuarterInBody = Field(description="The first quarter.")
    end: QuarterInBody | None = Field(None, description="The last quarter; null: no end.")
    proposed_by: Party | None = Field(None, description="Who proposes it; the other side has to confirm it.")
    procuration: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Both signed: it is confirmed at once, and `proposed_by` is left out."
    )


class PartyBody(Body):
    """Which side acts."""

    by: Party


class RevocationBody(Body):
    """Which side revokes; either may, and which one did is not kept."""

    by: Party | None = None


class EndBody(Body):
    """The last quarter of a mandate."""

    end: QuarterInBody | None = Field(None, description="Default: the current quarter of the world.")


class MandateAnswer(BaseModel):
    """A mandate."""

    id: int
    mandator: EnterpriseNumber = Field(examples=NUMBER_EXAMPLES)
    mandatary: EnterpriseNumber = Field(examples=["1999000249"])
    service: ServiceName
    start: QuarterInAnswer
    end: QuarterInAnswer | None = Field(description="null: no end.")
    status: MandateStatus = Field(description="At the world's time.")
    proposed_by: Party | None = Field(description="null: a procuration, or not known.")
    confirmed_by: list[Party]

    @classmethod
    def of(cls, mandate: Mandate, now: Quarter) -> Self:
        """Return a mandate as it is answered in a quarter."""
        return cls(
            id=mandate.id,
            mandator=mandate.mandator,
            mandatary=mandate.mandatary,
            service=mandate.service,
            start=str(mandate.start),
            end=None if mandate.end is None else str(mandate.end),
            status=mandate.status_in(now),
            proposed_by=mandate.proposed_by,
            confirmed_by=[party for party in Party if party in mandate.confirmed_by],
        )


class MandateList(Listed):
    """Mandates by number."""

    items: list[MandateAnswer]


# Settings -----------------------------------------------------------------------------------------------------------

Delay = Annotated[
    float,
    Field(
        description="Seconds until a change in ChaMan has effect.",
        strict=True,
        ge=0,
        le=LONGEST_ACTIVATION_DELAY,
        allow_inf_nan=False,
    ),
]


def _an_object(value: object) -> object:
    if value is None or isinstance(value, dict):
        return value
    raise PydanticCustomError("object_type", "expected an object with status, type, title and detail, or null")


class PhaseAnswerBody(Body):
    """The problem that a call is answered with in a phase that refuses it."""

    status: Annotated[int, Field(description="The HTTP status.", strict=True, ge=400, le=599, examples=[403])]
    type: Annotated[ProblemType, Field(description="A URI.", json_schema_extra={"pattern": f"^{PROBLEM_TYPE}$"})] = (
        "about:blank"
    )
    title: TitleText
    detail: Detail

    def answer(self) -> PhaseAnswer:
        """Return what the world keeps."""
        return PhaseAnswer(self.status, self.type, self.title, self.detail)


PhaseAnswerOrUsual = Annotated[
    PhaseAnswerBody | None, BeforeValidator(_an_object), Field(description="Null: the usual one.")
]


class SettingsAnswer(BaseModel):
    """What a world leaves to choose, where nothing public says how it is."""

    employments: Employments = Field(description="Which employees it knows: every SSIN, or those that are listed.")
    mandatary_own_number: OwnNumber = Field(
        description="Whether a mandatary's account may send for the mandatary's own number."
    )
    activation_delay: Delay
    calendar_year_in_mandate: CalendarYear = Field(
        description="Whether the calendar year of a call has to lie inside the mandate, whole."
    )
    phase: Phase = Field(
        description="How far the services that end have come: all works, what is there can be read, or nothing works."
    )
    consultation_answer: PhaseAnswerBody = Field(
        description="What is answered to whatever would change something in the phase `consultation`."
    )
    closed_answer: PhaseAnswerBody = Field(description="What is answered to every call in the phase `closed`.")

    @classmethod
    def of(cls, settings: WorldSettings) -> Self:
        """Return settings as they are answered."""
        return cls(
            employments=settings.employments,
            mandatary_own_number=settings.mandatary_own_number,
            activation_delay=settings.activation_delay,
            calendar_year_in_mandate=settings.calendar_year_in_mandate,
            phase=settings.phase,
            consultation_answer=PhaseAnswerBody(**settings.consultation_answer._asdict()),
            closed_answer=PhaseAnswerBody(**settings.closed_answer._asdict()),
        )


_DEFAULTS = WorldSettings()


class SettingsBody(Body):
    """The settings to change; those that are left out stay."""

    # A default that is made by a function is not in the description, which would say that it is set.
    employments: Employments = Field(default_factory=lambda: _DEFAULTS.employments)
    mandatary_own_number: OwnNumber = Field(default_factory=lambda: _DEFAULTS.mandatary_own_number)
    activation_delay: Delay = Field(default_factory=lambda: _DEFAULTS.activation_delay)
    calendar_year_in_mandate: CalendarYear = Field(default_factory=lambda: _DEFAULTS.calendar_year_in_mandate)
    phase: Phase = Field(default_factory=lambda: _DEFAULTS.phase)
    consultation_answer: PhaseAnswerOrUsual = Field(default_factory=lambda: None)
    closed_answer: PhaseAnswerOrUsual = Field(default_factory=lambda: None)

    def changed(self, settings: WorldSettings) -> WorldSettings:
        """Return settings with what was given."""
        changes = {name: self._value(name) for name in self.model_fields_set}
        return replace(settings, **changes)

    def _value(self, name: str) -> Any:  # noqa: ANN401 - a value of any setting
        value = getattr(self, name)
        if isinstance(value, PhaseAnswerBody):
            return value.answer()
        return getattr(_DEFAULTS, name) if value is None else value
