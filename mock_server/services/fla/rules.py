"""The rules of the FLA beyond its contracts, as pure functions of (document, year, today).

They look at members by name: a value of another shape, or of a contract with other names, gives no finding. What the
schema judges (formats, mandatory members) is left to it.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from mock_server.identifiers import (
    BRUSSELS,
    EnterpriseNumber,
    InvalidIdentifierError,
    Ssin,
    WrongChecksumError,
    parse_enterprise_number,
    parse_ssin,
)
from mock_server.problems import (
    INVALID_INPUT,
    INVALID_PERIOD,
    INVALID_STRUCTURE,
    OUT_OF_RANGE,
    REFERENCED_RESOURCE_NOT_FOUND,
    REJECTED_INPUT,
    Issue,
)
from mock_server.services.behaviour import Finding, Findings
from mock_server.services.fla import requirements as req
from mock_server.strict_json import Json
from mock_server.verdict import Provenance, Requirement

MAX_FINDINGS = 100
"""As many errors, and as many warnings, as are told of one document."""
FIRST_YEAR = 2023
"""The first year of the individual right (law of 3 October 2022)."""
HOURS_A_DAY = 24

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAMED = ("name", "startDate", "endDate")
_SHOWN_UP_TO = 1_000_000


class Reference(NamedTuple):
    """What tells a training provider's record from all others."""

    provider: EnterpriseNumber
    key: str


class Period(NamedTuple):
    """First and last day; the last may come before the first."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days it has, its first and last included; less than 1 when it runs backwards."""
        return (self.end - self.start).days + 1

    def touches(self, first_year: int, last_year: int) -> bool:
        """Whether one of its days lies in one of these years."""
        return self.start.year <= last_year and first_year <= self.end.year


# What is judged --------------------------------------------------------------------------------------------------


def today(now: float) -> dt.date:
    """Return the day that it is in Brussels at a moment (Unix seconds)."""
    return dt.datetime.fromtimestamp(now, BRUSSELS).date()


def findings(errors: Iterable[Finding], warnings: Iterable[Finding] = ()) -> Findings:
    """Return what was found, as far as it is told (`MAX_FINDINGS` of each)."""
    return Findings(_bounded(errors), _bounded(warnings))


def _bounded(found: Iterable[Finding]) -> tuple[Finding, ...]:
    # Where only documented rules are wanted, the assumed ones are left out later: they must not crowd out the others.
    firm: list[tuple[int, Finding]] = []
    assumed: list[tuple[int, Finding]] = []
    for position, finding in enumerate(found):
        kept = assumed if finding.requirement.provenance is Provenance.ASSUMED else firm
        if len(kept) < MAX_FINDINGS:
            kept.append((position, finding))
        if len(firm) == MAX_FINDINGS:
            break
    told = sorted(firm + assumed[: MAX_FINDINGS - len(firm)], key=lambda entry: entry[0])
    return tuple(finding for _, finding in told)


def year_errors(year: int | None, name: str, day: dt.date) -> Iterator[Finding]:
    """Yield what is wrong with the calendar year of a path; `name` is of the parameter that holds it."""
    if year is not None and not FIRST_YEAR <= year <= day.year + 1:
        yield Finding(req.YEAR, Issue(OUT_OF_RANGE, "path", name, _expected_years(day)))


def list_errors(document: Json, year: int | None) -> Iterator[Finding]:
    """Yield what is wrong with an employer's list, of one calendar year."""
    for position, training in _entries(document, "items"):
        at = f"items[{position}]."
        period = period_of(training)
        yield from _order_errors(training, period, at)
        if year is not None:
            expected = f"expected a training with a day in {year}, the calendar year of the path"
            yield from _year_errors(training, period, at, _Years(req.PERIOD_IN_YEAR, year, year, expected))
        yield from _duration_errors(training.get("duration"), period, at)
        yield from _certificate_errors(training.get("certificate"), _day(training.get("endDate")), at)
        provider = _member(training.get("trainingProvider"), "enterpriseNumber")
        yield from _number_errors(provider, f"{at}trainingProvider.enterpriseNumber")


def list_warnings(document: Json, day: dt.date) -> Iterator[Finding]:
    """Yield what is doubtful in an employer's list, on a day."""
    entries = list(_entries(document, "items"))
    twins = _Twins()
    for position, training in entries:
        at = f"items[{position}]."
        yield from _planned_warnings(training, at, day)
        yield from _right_warnings(training, training, at)
        first = twins.first_of(training, position)
        if first is not None:
            detail = f"the same in all members as items[{first}]; leave one out if it was sent twice by mistake"
            yield _body(req.NO_TWINS, INVALID_INPUT, at[:-1], detail)


class _Twins:
    """Finds trainings that are the same in all members."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, ...], list[tuple[dict[str, Json], int]]] = {}
        self._whole: dict[tuple[str, ...], dict[str, int]] = {}

    def first_of(self, training: dict[str, Json], position: int) -> int | None:
        """Return where the first one like this stands, if there was one before; trainings without names have none."""
        key = tuple(str(training[name]) for name in _NAMED if name in training)
        if len(key) < len(_NAMED):
            return None
        alike = self._alike.setdefault(key, [])
        if not alike:
            alike.append((training, position))
            return None
        # Text, since its hash cannot be foreseen: numbers can be chosen whose hashes are all the same.
        whole = self._whole.setdefault(key, {})
        if not whole:
            whole[_canonical(alike[0][0])] = alike[0][1]
        first = whole.setdefault(_canonical(training), position)
        return first if first != position else None


_canonical = json.JSONEncoder(sort_keys=True).encode


def reference_errors(document: Json, known: AbstractSet[Reference] | None) -> Iterator[Finding]:
    """Yield what is wrong with a list's references to providers' records.

    `known` are those that may be made; None where nobody can tell.
    """
    first_at: dict[Reference, int] = {}
    for position, training in _entries(document, "items"):
        reference = reference_of(training)
        if reference is None:
            continue
        name = f"items[{position}].trainingProvider"
        first = first_at.setdefault(reference, position)
        if first != position:
            detail = f"items[{first}] refers to this record already; correct it in one item"
            yield _body(req.REFERENCE_ONCE, INVALID_INPUT, name, detail)
        elif known is not None and reference not in known:
            detail = (
                "expected a record that this training provider sent for this employee with this employer; "
                "there is none with this key"
            )
            yield _body(req.REFERENCE_KNOWN, REFERENCED_RESOURCE_NOT_FOUND, name, detail)


def provided_errors(document: Json, day: dt.date) -> Iterator[Finding]:
    """Yield what is wrong with a training that a provider sends, on a day."""
    if not isinstance(document, dict):
        return
    period, next_year = period_of(document), day.year + 1
    expected = f"expected a training with a day in the years {FIRST_YEAR} to {next_year}"
    yield from _order_errors(document, period, "")
    yield from _year_errors(document, period, "", _Years(req.PERIOD_OF_REGISTRATION, FIRST_YEAR, next_year, expected))
    yield from _duration_errors(document.get("duration"), period, "")
    end = _day(document.get("endDate"))
    first_at: dict[tuple[Ssin, str], int] = {}
    for position, participant in _entries(document, "participants"):
        at = f"participants[{position}]."
        yield from _ssin_errors(participant.get("ssin"), f"{at}ssin")
        yield from _number_errors(participant.get("employer"), f"{at}employer")
        yield from _certificate_errors(participant.get("certificate"), end, at)
        ssin, employer = ssin_of(participant), employer_of(participant)
        if ssin is None or (employer is None and "employer" in participant):
            continue
        first = first_at.setdefault((ssin, employer or ""), position)
        if first != position:
            detail = f"the same person with the same employer as participants[{first}]; name each once"
            yield _body(req.PARTICIPANT_ONCE, INVALID_INPUT, at[:-1], detail)


def provided_warnings(document: Json, day: dt.date) -> Iterator[Finding]:
    """Yield what is doubtful in a training that a provider sends, on a day."""
    if isinstance(document, dict):
        yield from _planned_warnings(document, "", day)
        for position, participant in _entries(document, "participants"):
            yield from _right_warnings(document, participant, f"participants[{position}].")


# What a value says -----------------------------------------------------------------------------------------------


def period_of(training: Json) -> Period | None:
    """Return the period of a training; None when it has none that can be read."""
    start, end = _day(_member(training, "startDate")), _day(_member(training, "endDate"))
    return None if start is None or end is None else Period(start, end)


def reference_of(training: Json) -> Reference | None:
    """Return which provider's record an item of an employer's list refers to, if it does."""
    value = _member(training, "trainingProvider")
    provider, key = _number(_member(value, "enterpriseNumber")), _member(value, "trainingKey")
    return Reference(provider, key) if provider is not None and isinstance(key, str) else None


def references_in(document: Json) -> AbstractSet[Reference]:
    """Return which providers' records an employer's list refers to."""
    found = (reference_of(training) for _, training in _entries(document, "items"))
    return frozenset(reference for reference in found if reference is not None)


def ssin_of(participant: Json) -> Ssin | None:
    """Return the SSIN of a participant; None when it has none that can be one."""
    value = _member(participant, "ssin")
    try:
        return parse_ssin(value) if isinstance(value, str) else None
    except InvalidIdentifierError:
        return None


def participants_of(document: Json) -> tuple[Ssin, ...]:
    """Return the SSINs of a training's participants that can be one, each once, in their order."""
    found = (ssin_of(participant) for _, participant in _entries(document, "participants"))
    return tuple(dict.fromkeys(ssin for ssin in found if ssin is not None))


def employer_of(participant: Json) -> EnterpriseNumber | None:
    """Return the number of a participant's employer, ten digits; None when none can be read."""
    return _number(_member(participant, "employer"))


def _number(value: Json) -> EnterpriseNumber | None:
    try:
        return parse_enterprise_number(value) if isinstance(value, str) else None
    except InvalidIdentifierError:
        return None


def _day(value: Json) -> dt.date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def _member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _entries(document: Json, name: str) -> Iterator[tuple[int, dict[str, Json]]]:
    entries = _member(document, name)
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield position, entry


# One rule each ---------------------------------------------------------------------------------------------------


class _Years(NamedTuple):
    """The years of which a training has to touch one, by which rule, and how that is said."""

    requirement: Requirement
    first: int
    last: int
    expected: str


def _order_errors(training: dict[str, Json], period: Period | None, at: str) -> Iterator[Finding]:
    if period is not None and period.days < 1:
        detail = "endDate should not precede startDate"
        yield _body(req.PERIOD_ORDER, INVALID_PERIOD, f"{at}endDate", detail, training["endDate"])


def _year_errors(training: dict[str, Json], period: Period | None, at: str, years: _Years) -> Iterator[Finding]:
    # One that runs backwards is told as such: which of its days is wrong is not known.
    if period is None or period.days < 1 or period.touches(years.first, years.last):
        return
    name, found = ("startDate", "starts after") if period.start.year > years.last else ("endDate", "ends before")
    yield _body(
        years.requirement, OUT_OF_RANGE, f"{at}{name}", f"{years.expected}; this one {found} that", training[name]
    )


def _duration_errors(duration: Json, period: Period | None, at: str) -> Iterator[Finding]:
    value, unit = _member(duration, "value"), _member(duration, "unit")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    name, shown = f"{at}duration.value", value if -_SHOWN_UP_TO <= value <= _SHOWN_UP_TO else None
    if value <= 0:
        yield _body(req.DURATION_ABOVE_ZERO, OUT_OF_RANGE, name, "expected a duration of more than 0", shown)
    if period is None or period.days < 1:
        return
    days = "1 day" if period.days == 1 else f"{period.days} days"
    if unit == "days" and value > period.days:
        detail = f"expected at most {days}, since that is how long the period is"
        yield _body(req.DURATION_BELIEVABLE, OUT_OF_RANGE, name, detail, shown)
    if unit == "hours" and value > HOURS_A_DAY * period.days:
        detail = f"expected at most {HOURS_A_DAY * period.days} hours, since the period is {days} long"
        yield _body(req.DURATION_BELIEVABLE, OUT_OF_RANGE, name, detail, shown)


def _certificate_errors(certificate: Json, end: dt.date | None, at: str) -> Iterator[Finding]:
    until = _day(_member(certificate, "validUntil"))
    if until is None:
        return
    name = f"{at}certificate.validUntil"
    if certificate.get("obtained") is False:
        detail = "no certificate was obtained (obtained is false), so leave validUntil out"
        yield _body(req.CERTIFICATE_OBTAINED, REJECTED_INPUT, name, detail)
    elif end is not None and until < end:
        detail = "validUntil should not precede the endDate of the training"
        yield _body(req.CERTIFICATE_PERIOD, INVALID_PERIOD, name, detail, certificate["validUntil"])


def _ssin_errors(value: Json, name: str) -> Iterator[Finding]:
    try:
        if isinstance(value, str):
            parse_ssin(value)
    except WrongChecksumError as error:
        yield _body(req.SSIN, INVALID_STRUCTURE, name, str(error))
    except InvalidIdentifierError:
        return


def _number_errors(value: Json, name: str) -> Iterator[Finding]:
    try:
        if isinstance(value, str):
            parse_enterprise_number(value)
    except WrongChecksumError as error:
        yield _body(req.ENTERPRISE_NUMBER, INVALID_STRUCTURE, name, str(error))
    except InvalidIdentifierError:
        return


def _planned_warnings(training: dict[str, Json], at: str, day: dt.date) -> Iterator[Finding]:
    end = _day(training.get("endDate"))
    if training.get("status") == "planned" and end is not None and end < day:
        detail = "this training is planned, and its last day is over: send it again when it was followed, or moved"
        yield _body(req.PLANNED_AHEAD, INVALID_INPUT, f"{at}endDate", detail, training["endDate"])


def _right_warnings(training: dict[str, Json], holder: dict[str, Json], at: str) -> Iterator[Finding]:
    # Both of our contracts say `planned` of what was not followed yet; `holder` is who it counts for.
    if training.get("status") == "planned" and holder.get("countsForIndividualRight") is True:
        detail = "this training is planned, and counts for the individual right only when it was followed"
        yield _body(req.COUNTS_WHEN_FOLLOWED, INVALID_INPUT, f"{at}countsForIndividualRight", detail, value=True)


def _expected_years(day: dt.date) -> str:
    return f"expected a calendar year from {FIRST_YEAR} to {day.year + 1}, next year by the clock of this world"


def _body(requirement: Requirement, kind: str, name: str, detail: str, value: Json = None) -> Finding:
    return Finding(requirement, Issue(kind, "body", name, detail, value))
