"""What a world is made of (guide §2 to §4; MAHIS). Values only; nothing here knows how they are stored."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from mock_server.clock import ClockState
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber, Quarter, ServiceName, Ssin


@dataclass(frozen=True, slots=True)
class Service:
    """Something that a permission is ticked for in ChaMan and that a mandate is given for in MAHIS."""

    name: ServiceName
    permission: str
    """The label beside the tick box."""
    scopes: Mapping[Capacity, tuple[str, ...]]
    """What an account of each capacity may ask for; a capacity that is missing gets nothing."""
    one_mandatary: bool
    """Whether an employer can have one mandatary at most (said of the FLA: G§2.2.1)."""
    ends: bool = False
    """Whether the platform stops it: a world's phase is about the APIs of such services alone."""


class Administrator(NamedTuple):
    """Who was named when a capacity was activated (G§5): the e-mail address of the capacity, and a person."""

    email: str
    local_administrator: str


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A company and the capacities that are active for it."""

    number: EnterpriseNumber
    name: str
    capacities: frozenset[Capacity]
    employments: "Employments | None" = None
    """Says for this employer alone what the world's setting of the same name says for all."""
    administrators: Mapping[Capacity, Administrator] = field(default_factory=dict)
    """Of the capacities that were activated one by one; those of a world file may have none."""


class Period(NamedTuple):
    """From when, and until when, something has effect, in Unix seconds; None: always did, for ever."""

    since: float | None = None
    until: float | None = None

    def covers(self, now: float) -> bool:
        """Whether it has effect at a moment."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


ALWAYS = Period()


@dataclass(frozen=True)
class RegisteredCertificate:
    """A certificate added to an account in ChaMan, DER-encoded; parsed once, when first needed."""

    name: str
    der: bytes
    period: Period = ALWAYS

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, in hexadecimal: what tells certificates of an account apart."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def x509(self) -> x509.Certificate:
        """The parsed certificate."""
        return x509.load_der_x509_certificate(self.der)

    @cached_property
    def public_key(self) -> CertificatePublicKeyTypes:
        """The key that is certified. Kept, since checking a point of a curve costs half as much as verifying."""
        return self.x509.public_key()

    @cached_property
    def validity(self) -> tuple[float, float]:
        """First and last moment of validity, in Unix seconds."""
        return self.x509.not_valid_before_utc.timestamp(), self.x509.not_valid_after_utc.timestamp()


@dataclass(frozen=True, slots=True)
class Account:
    """A webservice account of type REST, as ChaMan makes it for one enterprise in one capacity (G§4.4)."""

    client_id: ClientId
    name: str
    enterprise: EnterpriseNumber
    capacity: Capacity
    permissions: tuple[ServiceName, ...]
    certificates: tuple[RegisteredCertificate, ...]
    period: Period = ALWAYS
    permission_periods: Mapping[ServiceName, Period] = field(default_factory=dict)
    """Of the permissions that do not have effect always."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing about this account begins or ends to have effect with time."""
        return (
            self.period == ALWAYS
            and not self.permission_periods
            and all(entry.period == ALWAYS for entry in self.certificates)
        )

    def at(self, now: float) -> "Account | None":
        """Return the account with what has effect at a moment; None when it has none itself."""
        if self.is_settled:
            return self
        if not self.period.covers(now):
            return None
        return replace(
            self,
            permissions=tuple(
                name for name in self.permissions if self.permission_periods.get(name, ALWAYS).covers(now)
            ),
            certificates=tuple(entry for entry in self.certificates if entry.period.covers(now)),
        )


class Party(StrEnum):
    """A side of a mandate."""

    MANDATOR = "mandator"
    MANDATARY = "mandatary"


BOTH = frozenset(Party)


class MandateDecision(StrEnum):
    """What the parties of a mandate decided."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    REVOKED = "revoked"


class MandateStatus(StrEnum):
    """What a mandate is at a moment: the decision, refined by the quarters."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    ACTIVE = "active"
    ENDED = "ended"
    REJECTED = "rejected"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Mandate:
    """The right of a mandatary to send one service's data for a mandator, by quarters, the end being optional."""

    mandator: EnterpriseNumber
    mandatary: EnterpriseNumber
    service: ServiceName
    start: Quarter
    end: Quarter | None = None
    decision: MandateDecision = MandateDecision.CONFIRMED
    proposed_by: Party | None = None
    """None: a procuration that both signed, or not known."""
    confirmed_by: frozenset[Party] = BOTH
    id: int = 0
    """Its number in its world; 0 before it is stored."""

    def status_in(self, quarter: Quarter) -> MandateStatus:
        """Return what this mandate is during a quarter."""
        if self.decision is not MandateDecision.CONFIRMED:
            return MandateStatus(self.decision.value)
        if quarter < self.start:
            return MandateStatus.CONFIRMED
        if self.end is not None and quarter > self.end:
            return MandateStatus.ENDED
        return MandateStatus.ACTIVE

    def overlaps(self, other: "Mandate") -> bool:
        """Whether both are confirmed and share a quarter."""
        return (
            self.decision is other.decision is MandateDecision.CONFIRMED
            and (self.end is None or other.start <= self.end)
            and (other.end is None or self.start <= other.end)
        )


@dataclass(frozen=True, slots=True)
class Employment:
    """An employee (SSIN) in service of the enterprise that does the Dimona for this person (G§2.3)."""

    enterprise: EnterpriseNumber
    ssin: Ssin


class Employments(StrEnum):
    """Which employees a world knows."""

    OPEN = "open"
    """Every SSIN is taken as in service."""
    CLOSED = "closed"
    """Only the employments that the world lists."""


class OwnNumber(StrEnum):
    """Whether a mandatary's account may send for the mandatary's own number."""

    REFUSE = "refuse"
    ALLOW = "allow"


class CalendarYear(StrEnum):
    """Whether the calendar year of a call has to lie inside the mandate, whole."""

    IGNORE = "ignore"
    REQUIRE = "require"


class Phase(StrEnum):
    """How far a service that ends has come to its end."""

    OPEN = "open"
    """All works."""
    CONSULTATION = "consultation"
    """What is there can be read; nothing is registered or changed any more."""
    CLOSED = "closed"
    """Nothing is answered any more."""


class PhaseAnswer(NamedTuple):
    """The problem that a call is answered with in a phase that refuses it (RFC 9457)."""

    status: int
    """400 to 599."""
    type: str
    title: str
    detail: str


CONSULTATION_ANSWER = PhaseAnswer(
    403, "about:blank", "Forbidden", "Registration has ended; what was registered can still be read"
)
"""Assumed: what the real API answers is not known."""
CLOSED_ANSWER = PhaseAnswer(410, "about:blank", "Gone", "This service has ended, and its data were destroyed")
"""Assumed, as well."""


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """What a world leaves to choose."""

    employments: Employments = Employments.OPEN
    """Assumed: what the real API answers for an unknown employee is not known."""
    mandatary_own_number: OwnNumber = OwnNumber.REFUSE
    """Assumed: the guide contradicts itself (example 6 against G§4.4)."""
    activation_delay: float = 0.0
    """Seconds until a change in ChaMan has effect. Assumed: the real delay is not known."""
    calendar_year_in_mandate: CalendarYear = CalendarYear.IGNORE
    """Assumed: what an end quarter does to a call for another year is not known."""
    phase: Phase = Phase.OPEN
    """Assumed to be open, whatever the clock says: no phase begins by itself."""
    consultation_answer: PhaseAnswer = CONSULTATION_ANSWER
    """What changes something is answered so in the phase `consultation`."""
    closed_answer: PhaseAnswer = CLOSED_ANSWER
    """Every call is answered so in the phase `closed`."""


@dataclass(frozen=True, slots=True)
class Document:
    """A stored resource of an API."""

    api: str
    path: str
    """Below the API's base path, percent-encoded, without a slash at the beginning."""
    body: str | None
    """JSON text; None: what the contract says is there by itself was deleted."""
    number: int = 0
    """Its place among the members of its collection, where it was added; 0: under a key of the client's choosing."""
    mentions: tuple[Ssin, ...] | None = field(default=(), compare=False)
    """Whom it can be found by; None: nobody. Follows from the body: written with it, neither read back nor exported."""

    @property
    def collection(self) -> str:
        """The path without its last segment, so the collection that this is a member of."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class StoredFault:
    """A scripted fault as a world keeps it; what its members mean is the gateway's business."""

    id: int
    members: Mapping[str, Any]
    seen: int = 0
    """How many requests matched it."""
    fired: int = 0
    """How many of them it was applied to."""


@dataclass(frozen=True, slots=True)
class WorldState:
    """All of a world but its journal and its consumed jtis."""

    enterprises: tuple[Enterprise, ...] = ()
    accounts: tuple[Account, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    employments: tuple[Employment, ...] = ()
    settings: WorldSettings = field(default_factory=WorldSettings)
    documents: tuple[Document, ...] = ()
    clock: ClockState = field(default_factory=ClockState)
    faults: tuple[StoredFault, ...] = ()
