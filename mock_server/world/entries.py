"""The entries of a world, as a file or an API writes them: one schema for TOML and JSON, and what each comes to.

Of the members that two entries must agree on, nothing is judged here: that is `consistency`.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)

from mock_server.clock import ClockState
from mock_server.identifiers import (
    Capacity,
    Quarter,
)
from mock_server.world.forms import (
    EARLIEST,
    LARGEST_NUMBER,
    LATEST,
    LONGEST_ACTIVATION_DELAY,
    LONGEST_NAME,
    MOST_MEMBERS,
    Client,
    Count,
    Detail,
    Few,
    Moment,
    Name,
    Number,
    Person,
    ProblemType,
    QuarterText,
    Seconds,
    ServiceText,
    below_the_base,
    body_of,
    body_of_text,
    parse_quarter,
    yes_or_no,
)
from mock_server.world.model import (
    ALWAYS,
    BOTH,
    CLOSED_ANSWER,
    CONSULTATION_ANSWER,
    Account,
    Administrator,
    CalendarYear,
    Document,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateDecision,
    MandateStatus,
    OwnNumber,
    Party,
    Period,
    Phase,
    PhaseAnswer,
    RegisteredCertificate,
    StoredFault,
    WorldSettings,
)

__all__ = [
    "LISTS",
    "LONGEST_NAME",
    "MOST_MEMBERS",
    "TABLES",
    "AccountEntry",
    "AdministratorEntry",
    "CertificateEntry",
    "ClockEntry",
    "DocumentEntry",
    "EmploymentEntry",
    "EnterpriseEntry",
    "Entry",
    "FaultEntry",
    "MandateEntry",
    "Name",
    "PeriodEntry",
    "PhaseAnswerEntry",
    "SettingsEntry",
    "usual_confirmations",
]


def usual_confirmations(decision: MandateDecision, proposed_by: Party | None) -> frozenset[Party]:
    """Return who has confirmed a mandate of which nothing is said: both, or the one who proposed it, if anybody."""
    if decision in {MandateDecision.CONFIRMED, MandateDecision.REVOKED}:
        return BOTH
    return frozenset() if proposed_by is None else frozenset({proposed_by})


class Entry(BaseModel):
    """A table of TOML, an object of JSON: members that are not known are refused."""

    # Built when first used: most worlds have no entries of some kinds, and a start is to be short.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    nested: ClassVar[Mapping[str, type["Entry"]]] = {}
    """The entries that stand inside this one, by the member that holds them."""


class PeriodEntry(Entry):
    """From when and until when something has effect; not said: always did, for ever."""

    active_from: Moment = None
    active_until: Moment = None

    def period(self) -> Period:
        """Return the period."""
        return Period(self.active_from, self.active_until)


class AdministratorEntry(Entry):
    """Who was named when a capacity was activated."""

    email: Name
    local_administrator: Name


class EnterpriseEntry(Entry):
    """A company."""

    number: Number
    name: Name
    capacities: Annotated[tuple[Capacity, ...], Few]
    employments: Employments | None = None
    administrators: Annotated[Mapping[Capacity, Annotated[AdministratorEntry, Few]], Few] = {}

    nested = {"administrators": AdministratorEntry}

    def enterprise(self) -> Enterprise:
        """Return the enterprise."""
        administrators = {
            capacity: Administrator(who.email, who.local_administrator) for capacity, who in self.administrators.items()
        }
        return Enterprise(self.number, self.name, frozenset(self.capacities), self.employments, administrators)


class CertificateEntry(Entry):
    """A certificate of an account: its file, or itself in base64."""

    name: Name | None = None
    file: str | None = None
    der: str | None = None
    active_from: Moment = None
    active_until: Moment = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.der is None):
            msg = "a certificate has either file (a path) or der (base64)"
            raise ValueError(msg)
        return self

    def period(self) -> Period:
        """Return when the certificate is registered."""
        return Period(self.active_from, self.active_until)


class AccountEntry(Entry):
    """A webservice account."""

    name: Name
    enterprise: Number
    capacity: Capacity
    client_id: Client
    permissions: Annotated[tuple[ServiceText, ...], Few] = ()
    permission_periods: Annotated[Mapping[ServiceText, Annotated[PeriodEntry, Few]], Few] = {}
    certificates: Annotated[tuple[Annotated[CertificateEntry, Few], ...], Few] = ()
    active_from: Moment = None
    active_until: Moment = None

    nested = {"permission_periods": PeriodEntry, "certificates": CertificateEntry}

    def account(self, certificates: Iterable[RegisteredCertificate]) -> Account:
        """Return the account with certificates that were read."""
        periods = {name: entry.period() for name, entry in self.permission_periods.items()}
        return Account(
            client_id=self.client_id,
            name=self.name,
            enterprise=self.enterprise,
            capacity=self.capacity,
            permissions=tuple(dict.fromkeys(self.permissions)),
            certificates=tuple(certificates),
            period=Period(self.active_from, self.active_until),
            permission_periods={name: period for name, period in periods.items() if period != ALWAYS},
        )


class MandateEntry(Entry):
    """A mandate."""

    mandator: Number
    mandatary: Number
    service: ServiceText
    start: QuarterText
    end: Annotated[Quarter | None, PlainValidator(lambda value: None if value is None else parse_quarter(value))] = None
    status: MandateStatus = MandateStatus.CONFIRMED
    proposed_by: Party | None = None
    confirmed_by: Annotated[tuple[Party, ...], Few] | None = None

    @model_validator(mode="after")
    def _ended_has_end(self) -> Self:
        if self.status is MandateStatus.ENDED and self.end is None:
            msg = "a mandate that is ended has an end quarter"
            raise ValueError(msg)
        return self

    def mandate(self) -> Mandate:
        """Return the mandate; whether it is active or ended follows from its quarters and the clock."""
        is_confirmed = self.status in {MandateStatus.CONFIRMED, MandateStatus.ACTIVE, MandateStatus.ENDED}
        decision = MandateDecision.CONFIRMED if is_confirmed else MandateDecision(self.status.value)
        confirmed_by = (
            usual_confirmations(decision, self.proposed_by)
            if self.confirmed_by is None
            else frozenset(self.confirmed_by)
        )
        return Mandate(
            self.mandator,
            self.mandatary,
            self.service,
            self.start,
            self.end,
            decision,
            self.proposed_by,
            confirmed_by,
        )


class EmploymentEntry(Entry):
    """An employee in service of an enterprise."""

    enterprise: Number
    ssin: Person

    def employment(self) -> Employment:
        """Return the employment."""
        return Employment(self.enterprise, self.ssin)


class PhaseAnswerEntry(Entry):
    """What a call is answered with that the phase refuses."""

    status: Annotated[int, Field(strict=True, ge=400, le=599)]
    type: ProblemType = "about:blank"
    title: Name
    detail: Detail

    def answer(self) -> PhaseAnswer:
        """Return the answer."""
        return PhaseAnswer(self.status, self.type, self.title, self.detail)


class SettingsEntry(Entry):
    """What a world leaves to choose."""

    employments: Employments = Employments.OPEN
    mandatary_own_number: OwnNumber = OwnNumber.REFUSE
    activation_delay: Annotated[Seconds, Field(ge=0, le=LONGEST_ACTIVATION_DELAY)] = 0.0
    calendar_year_in_mandate: CalendarYear = CalendarYear.IGNORE
    phase: Phase = Phase.OPEN
    consultation_answer: Annotated[PhaseAnswerEntry | None, Few] = None
    closed_answer: Annotated[PhaseAnswerEntry | None, Few] = None

    nested = {"consultation_answer": PhaseAnswerEntry, "closed_answer": PhaseAnswerEntry}

    def settings(self) -> WorldSettings:
        """Return the settings."""
        return WorldSettings(
            self.employments,
            self.mandatary_own_number,
            self.activation_delay,
            self.calendar_year_in_mandate,
            self.phase,
            CONSULTATION_ANSWER if self.consultation_answer is None else self.consultation_answer.answer(),
            CLOSED_ANSWER if self.closed_answer is None else self.closed_answer.answer(),
        )


class ClockEntry(Entry):
    """What time it is: so many seconds from real time, or a moment at which it stands still."""

    offset: Annotated[Seconds, Field(ge=EARLIEST, le=LATEST)] | None = None
    frozen_at: Moment = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.offset is not None and self.frozen_at is not None:
            msg = "a clock has either offset (it runs) or frozen_at (it stands still)"
            raise ValueError(msg)
        return self

    def clock(self) -> ClockState:
        """Return the state of the clock."""
        return ClockState(self.offset or 0.0, self.frozen_at)


class DocumentEntry(Entry):
    """A stored resource: its body as a JSON value, or as the text of one where TOML cannot say it.

    Or what is left of one that was deleted, though the contract says that something is there by itself.
    """

    api: Annotated[Name, Field(max_length=64)]
    path: Annotated[str, AfterValidator(below_the_base)]
    body: Annotated[str | None, PlainValidator(body_of)] = None
    text: Annotated[str | None, PlainValidator(body_of_text)] = None
    deleted: Annotated[bool, PlainValidator(yes_or_no)] = False
    number: Annotated[Count, Field(le=LARGEST_NUMBER)] = 0

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if (self.body is not None) + (self.text is not None) + self.deleted != 1:
            msg = "a document has one of body (a JSON value), text (JSON as text), and deleted (true: it was deleted)"
            raise ValueError(msg)
        return self

    def document(self) -> Document:
        """Return the document."""
        return Document(self.api, self.path, self.body if self.body is not None else self.text, self.number)


class FaultEntry(Entry):
    """A scripted fault: its own members beside its number and its counts; those are judged by who knows them."""

    model_config = ConfigDict(extra="allow")

    id: Annotated[Count, Field(ge=1, le=LARGEST_NUMBER)] | None = None
    seen: Count = 0
    fired: Count = 0

    @property
    def members(self) -> dict[str, Any]:
        """The members that say what the fault is."""
        return dict(self.model_extra or {})

    def fault(self, number: int) -> StoredFault:
        """Return the fault, with a number if it has none of its own."""
        return StoredFault(self.id or number, self.members, self.seen, self.fired)


LISTS: Mapping[str, type[Entry]] = {
    "enterprises": EnterpriseEntry,
    "accounts": AccountEntry,
    "mandates": MandateEntry,
    "employments": EmploymentEntry,
    "documents": DocumentEntry,
    "faults": FaultEntry,
}
"""What a world has any number of, by the member of the world."""
TABLES: Mapping[str, type[Entry]] = {"settings": SettingsEntry, "clock": ClockEntry}
"""What a world has one of."""
