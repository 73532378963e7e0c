"""What generated requests are taught: the rules of the FLA that a schema cannot say.

Pure functions from a value that fits the contract to one that fits the rules too. A value that fits both already comes
back as it is, so teaching twice is teaching once. Nothing of the mock is imported: the rules are written here a second
time, in the words of the contract's descriptions, so that a mistake in one of the two shows.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

FIRST_YEAR = 2023
"""The first year that trainings can be registered for."""
_LONGEST = 92
"""Days that a period whose dates were moved may last, more or less a quarter."""
_SAMPLE = "880820673"
"""The guide's sample number, without its leading zero: nine digits are allowed too."""


@dataclass(frozen=True)
class Reference:
    """A training that a training provider sent for a person."""

    provider: str
    key: str
    ssin: str

    @property
    def json(self) -> dict[str, str]:
        """What an employer's list refers to it with."""
        return {"enterpriseNumber": self.provider, "trainingKey": self.key}


@dataclass(frozen=True)
class Lesson:
    """What the generator of one caller's requests has to know."""

    numbers: tuple[str, ...]
    """The enterprise numbers that paths are about, ten digits each."""
    last_year: int
    """The last year that trainings can be registered for: next year."""
    references: tuple[Reference, ...] = ()
    """Trainings of training providers that an employer's list may refer to."""

    @property
    def years(self) -> range:
        """The calendar years that trainings can be registered for."""
        return range(FIRST_YEAR, self.last_year + 1)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` made."""
        references = tuple(Reference(**reference) for reference in value["references"])
        return cls(tuple(value["numbers"]), value["last_year"], references)


def taught_path(values: Mapping[str, Any], lesson: Lesson) -> dict[str, Any]:
    """Return path parameters with the caller's numbers, an SSIN with its check digits, and a year that is open."""
    teach = {"enterpriseNumber": _path_number, "ssin": _path_ssin, "year": _path_year}
    return {name: teach[name](value, lesson) if name in teach else value for name, value in values.items()}


def taught_body(body: Any, path: Mapping[str, Any], lesson: Lesson) -> Any:
    """Return a body whose trainings can have taken place; `path` has the path parameters, taught."""
    match body:
        case {"items": [*items]}:
            return body | {"items": _listed(items, path, lesson)}
        case {"participants": [*participants]}:
            start, end = _touching(body["startDate"], body["endDate"], lesson.years)
            dated = _believable(body | {"startDate": start.isoformat(), "endDate": end.isoformat()}, start, end)
            return dated | {"participants": _taking_part(participants, end)}
        case _:
            return body


def ssin(text: str) -> str:
    """Return an SSIN that nobody has: the day of birth of eleven digits, counter 999, and the check digits."""
    stem = f"{text[:6]}999"
    centuries = [f"{97 - int(century + stem) % 97:02}" for century in ("", "2")]
    return stem + (text[9:] if text[9:] in centuries else centuries[int(text[-1]) % 2])


def enterprise_number(text: str) -> str:
    """Return a number that was not given out, with its check digits; of nine digits, the guide's sample."""
    if len(text) < len(_SAMPLE) + 1:
        return _SAMPLE
    stem = f"1999{text[4:8]}"
    return f"{stem}{97 - int(stem) % 97:02}"


def _path_number(value: str, lesson: Lesson) -> str:
    text = _digits(value, 9, 10)
    if text.zfill(10) in lesson.numbers:
        return text
    number = lesson.numbers[int(text) % len(lesson.numbers)]
    return number.removeprefix("0") if len(text) < len(number) else number


def _path_ssin(value: str, lesson: Lesson) -> str:
    text = _digits(value, 11, 11)
    people = sorted({reference.ssin for reference in lesson.references})
    if text != ssin(text) and people and int(text) % 3 == 0:
        return people[int(text) % len(people)]
    return ssin(text)


def _path_year(value: int | str, lesson: Lesson) -> int:
    return _one_of(lesson.years, int(_digits(str(value), 4, 4)))


def _digits(text: str, fewest: int, most: int) -> str:
    # A link may bring what was wrong on purpose into a request that is to be right.
    return "".join(re.findall("[0-9]", text)).zfill(fewest)[:most]


def _listed(items: Sequence[Mapping[str, Any]], path: Mapping[str, Any], lesson: Lesson) -> list[dict[str, Any]]:
    known = [reference.json for reference in lesson.references if reference.ssin == path["ssin"]]
    taught = []
    for item in items:
        start, end = _touching(item["startDate"], item["endDate"], range(int(path["year"]), int(path["year"]) + 1))
        dated = {**item, "startDate": start.isoformat(), "endDate": end.isoformat()}
        if "trainingProvider" in dated:
            del dated["trainingProvider"]
            if known:
                dated["trainingProvider"] = known.pop(0)
        taught.append(_believable(dated, start, end))
    return taught


def _taking_part(participants: Sequence[Mapping[str, Any]], end: dt.date) -> list[dict[str, Any]]:
    taught: dict[tuple[str, str], dict[str, Any]] = {}
    for participant in participants:
        person = {**participant, "ssin": ssin(participant["ssin"])}
        if "employer" in person:
            person["employer"] = enterprise_number(person["employer"])
        if "certificate" in person:
            person["certificate"] = _certificate(person["certificate"], end)
        taught.setdefault((person["ssin"], person.get("employer", "")), person)
    return list(taught.values())


def _believable(training: Mapping[str, Any], start: dt.date, end: dt.date) -> dict[str, Any]:
    """Return a training that does not last longer than its period, with a certificate that ends after it."""
    days = (end - start).days + 1
    duration = training["duration"]
    longest = 24 * days if duration["unit"] == "hours" else days
    taught = {**training, "duration": duration | {"value": min(duration["value"], longest)}}
    if "certificate" in training:
        taught["certificate"] = _certificate(training["certificate"], end)
    return taught


def _certificate(certificate: Mapping[str, Any], end: dt.date) -> dict[str, Any]:
    if "validUntil" not in certificate:
        return dict(certificate)
    if not certificate["obtained"]:
        return {name: value for name, value in certificate.items() if name != "validUntil"}
    return {**certificate, "validUntil": max(certificate["validUntil"], end.isoformat())}


def _touching(start_text: str, end_text: str, years: range) -> tuple[dt.date, dt.date]:
    """Return a period with a day in these years; it may begin before them or end after them."""
    start, end = dt.date.fromisoformat(start_text), dt.date.fromisoformat(end_text)
    if start <= end and start.year <= years[-1] and years[0] <= end.year:
        return start, end
    length = dt.timedelta(abs((end - start).days) % _LONGEST)
    if start <= end:
        start = _moved(start, years)
        return start, start + length
    end = _moved(end, years)
    return end - length, end


def _moved(day: dt.date, years: range) -> dt.date:
    # No year lacks a 28th of February.
    return day.replace(year=_one_of(years, day.year), day=min(day.day, 28) if day.month == 2 else day.day)


def _one_of(years: range, year: int) -> int:
    return year if year in years else years[year % len(years)]
