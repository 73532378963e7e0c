"""The entries of a world, as a file or an API writes them: one schema for TOML and JSON, and what each comes to.

Of the members that two entries must agree on, nothing is judged here: that is `consistency`.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from mock_server import strict_json
from mock_server.clock import ClockState
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
from mock_server.world.model import (
    ALWAYS,
    BOTH,
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
    RegisteredCertificate,
    StoredFault,
    WorldSettings,
)

EARLIEST = dt.datetime(100, 1, 1, tzinfo=dt.UTC).timestamp()
LATEST = dt.datetime(9900, 1, 1, tzinfo=dt.UTC).timestamp()
"""Moments, and offsets of a clock, lie between these, in Unix seconds: what is near them is still a date."""
LONGEST_ACTIVATION_DELAY = 315_576_000
"""Ten years, in seconds."""
LONGEST_NAME = 255
"""Characters: a certificate is named after its file, and a file's name is at most as long."""
MOST_MEMBERS = 50
"""More than any entry has: what is larger is refused without a look at each."""
MOST_IN_A_LIST = 1_000
"""Of the lists inside an entry; those of the world itself are as long as they need to be."""
LARGEST_COUNT = 2**31 - 1
"""What an integer of every database holds."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
encode_body = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""Writes a document as it is stored."""


def parse_moment(value: object) -> float:
    """Read a moment: ISO 8601 with its zone, a date-time of TOML, or Unix seconds. Raises `ValueError`."""
    try:
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            value = value.timestamp()
    except ValueError:
        value = None
    if isinstance(value, int | float) and not isinstance(value, bool) and EARLIEST <= value <= LATEST:
        return float(value)
    msg = "a moment is written with its zone, like 2027-01-01T00:00:00+01:00, or in Unix seconds"
    raise ValueError(msg)


def body_of(value: object) -> str:
    """Return a JSON value as the text that is stored. Raises `ValueError` for what is not JSON that means one thing."""
    try:
        text = encode_body(value)
        strict_json.loads(text.encode())
    except TypeError:
        msg = "JSON has no dates and times: write them as text, in quotes"
        raise ValueError(msg) from None
    except strict_json.StrictJsonError:
        raise
    except (ValueError, RecursionError):
        msg = "JSON has no NaN, no infinities, no halves of characters, and no numbers of thousands of digits"
        raise ValueError(msg) from None
    return text


def body_of_text(value: object) -> str | None:
    """Return a document's text in the form that is stored. Raises `ValueError` when it is not JSON."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return encode_body(strict_json.loads(value.encode("utf-8", "surrogatepass")))


def usual_confirmations(decision: MandateDecision, proposed_by: Party | None) -> frozenset[Party]:
    """Return who has confirmed a mandate of which nothing is said: both, or the one who proposed it, if anybody."""
    if decision in {MandateDecision.CONFIRMED, MandateDecision.REVOKED}:
        return BOTH
    return frozenset() if proposed_by is None else frozenset({proposed_by})


def _quarter(value: object) -> Quarter:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return Quarter.parse(value)


def _optional(value: object) -> float | None:
    return None if value is None else parse_moment(value)


def _without_control_characters(text: str) -> str:
    if _CONTROL.search(text):
        msg = "a name has no line breaks and no other control characters"
        raise ValueError(msg)
    return text


def _below_the_base(path: str) -> str:
    if path.startswith("/") or _CONTROL.search(path):
        msg = "a path is what follows the base URL of the API, without the slash between them"
        raise ValueError(msg)
    return path


def _few_parts(value: object) -> object:
    # Before anything looks at each: a million that are wrong would be a million faults, which pydantic keeps all.
    if isinstance(value, dict) and len(value) > MOST_MEMBERS:
        msg = f"has {len(value)} members, and at most {MOST_MEMBERS} are read"
        raise ValueError(msg)
    if isinstance(value, list) and len(value) > MOST_IN_A_LIST:
        msg = f"has {len(value)} entries, and at most {MOST_IN_A_LIST} are read"
        raise ValueError(msg)
    return value


# A world names the same few enterprises again and again.
Number = Annotated[EnterpriseNumber, AfterValidator(lru_cache(4_096)(parse_enterprise_number))]
Person = Annotated[Ssin, AfterValidator(parse_ssin)]
Client = Annotated[ClientId, AfterValidator(parse_client_id)]
QuarterText = Annotated[Quarter, PlainValidator(_quarter)]
Moment = Annotated[float | None, PlainValidator(_optional)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_without_control_characters)]
ServiceText = Annotated[ServiceName, Field(min_length=1, max_length=64)]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST_COUNT)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Few = BeforeValidator(_few_parts)


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
    capacities: Annotated[tuple[Capacity, ...], _Few]
    employments: Employments | None = None
    administrators: Annotated[Mapping[Capacity, Annotated[AdministratorEntry, _Few]], _Few] = {}

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
    permissions: Annotated[tuple[ServiceText, ...], _Few] = ()
    permission_periods: Annotated[Mapping[ServiceText, Annotated[PeriodEntry, _Few]], _Few] = {}
    certificates: Annotated[tuple[Annotated[CertificateEntry, _Few], ...], _Few] = ()
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
    end: Annotated[Quarter | None, PlainValidator(lambda value: None if value is None else _quarter(value))] = None
    status: MandateStatus = MandateStatus.CONFIRMED
    proposed_by: Party | None = None
    confirmed_by: Annotated[tuple[Party, ...], _Few] | None = None

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


class SettingsEntry(Entry):
    """What a world leaves to choose."""

    employments: Employments = Employments.OPEN
    mandatary_own_number: OwnNumber = OwnNumber.REFUSE
    activation_delay: Annotated[Seconds, Field(ge=0, le=LONGEST_ACTIVATION_DELAY)] = 0.0
    calendar_year_in_mandate: CalendarYear = CalendarYear.IGNORE

    def settings(self) -> WorldSettings:
        """Return the settings."""
        return WorldSettings(
            self.employments, self.mandatary_own_number, self.activation_delay, self.calendar_year_in_mandate
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
    """A stored resource: its body as a JSON value, or as the text of one where TOML cannot say it."""

    api: Annotated[Name, Field(max_length=64)]
    path: Annotated[str, AfterValidator(_below_the_base)]
    body: Annotated[str | None, PlainValidator(body_of)] = None
    text: Annotated[str | None, PlainValidator(body_of_text)] = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if (self.body is None) == (self.text is None):
            msg = "a document has either body (a JSON value) or text (JSON as text)"
            raise ValueError(msg)
        return self

    def document(self) -> Document:
        """Return the document."""
        return Document(self.api, self.path, self.body if self.body is not None else self.text or "")


class FaultEntry(Entry):
    """A scripted fault: its own members beside its number and its counts; those are judged by who knows them."""

    model_config = ConfigDict(extra="allow")

    # Far below what a database can count to: more are added after those of a file.
    id: Annotated[Count, Field(ge=1, le=1_000_000_000)] | None = None
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
