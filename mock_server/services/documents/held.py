"""Which parameters hold what the access rules look at: the enterprise number, the SSIN and the calendar year.

A contract of ours says so itself (`x-fla-mock`), a setting may say so of any other; else they are known by the words
that the platform's APIs, and their Dutch and French speakers, use. That a word means this is assumed.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from mock_server.services.documents.shape import ParameterShape, Schema
from mock_server.services.documents.values import is_list

ENTERPRISE_NUMBER = "enterpriseNumber"
SSIN = "ssin"
YEAR = "year"
HOLDABLE = (ENTERPRISE_NUMBER, SSIN, YEAR)
HOLDS_NOTHING = "nothing"
"""What a contract says of a parameter that only looks as if it held something."""


class Found(StrEnum):
    """How it is known what a parameter holds; the first goes before the others."""

    SETTING = "a setting"
    EXTENSION = "x-fla-mock in the contract"
    NAME = "the parameter's name"
    SEGMENT = "the path segment before it"


class Held(NamedTuple):
    """A parameter that holds something, and how that is known."""

    parameter: str
    location: str
    found: Found


_NAMES: Mapping[str, str] = (
    dict.fromkeys(
        [
            "enterprisenumber",
            "employerid",
            "employernumber",
            "employerenterprisenumber",
            "employercbenumber",
            "employercbe",
            "enterprisenr",
            "cbenr",
            "employeurid",
            "werkgeverid",
            "companynumber",
            "companycbenumber",
            "enterpriseid",
            "cbenumber",
            "cbe",
            "kbonumber",
            "kbo",
            "kbonr",
            "kbonummer",
            "ondernemingsnummer",
            "ondernemingsnr",
            "werkgeversnummer",
            "numeroentreprise",
            "numerodentreprise",
            "numeroemployeur",
            "bcenumber",
            "bce",
            "numerobce",
            "unternehmensnummer",
            "zdunummer",
        ],
        ENTERPRISE_NUMBER,
    )
    | dict.fromkeys(
        [
            "ssin",
            "insz",
            "inss",
            "niss",
            "insznummer",
            "numeroniss",
            "rijksregisternummer",
            "nationalnumber",
            "nationalregisternumber",
            "numeronational",
            "numeroregistrenational",
            "employeeid",
            "employeessin",
            "employeeinsz",
            "employeeniss",
            "workerid",
            "workerssin",
        ],
        SSIN,
    )
    | dict.fromkeys(["year", "calendaryear", "jaar", "kalenderjaar", "annee", "anneecivile"], YEAR)
)
_SEGMENTS: Mapping[str, str] = (
    dict.fromkeys(["employers", "employer", "werkgevers", "werkgever", "employeurs", "employeur"], ENTERPRISE_NUMBER)
    | dict.fromkeys(["employees", "employee", "werknemers", "werknemer", "travailleurs", "travailleur"], SSIN)
    | dict.fromkeys(["calendaryears", "calendaryear", "years", "year", "kalenderjaren", "jaren", "annees"], YEAR)
)
_SAMPLES: Mapping[str, tuple[str, ...]] = {
    ENTERPRISE_NUMBER: ("0880820673", "880820673"),
    SSIN: ("65111899997",),
    YEAR: ("2025",),
}
_OTHER_FORMATS = frozenset(
    {
        *("uuid", "guid", "date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname"),
        *("uri", "uri-reference", "url", "iri", "ipv4", "ipv6", "byte", "binary", "password", "boolean", "regex"),
    }
)
"""Formats of what is no number of an enterprise, a person or a year; one that a team made up (`cbe`) may be."""
_ACCENTS = str.maketrans("éèêëàâîïôûüç", "eeeeaaiiouuc")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_ORDER = tuple(Found)


def plain(name: str) -> str:
    """Return a name without case, accents and separators."""
    return _SEPARATORS.sub("", name.lower().translate(_ACCENTS))


def held_by(
    template: str, parameters: Iterable[ParameterShape], settings: Mapping[str, str | None]
) -> Mapping[str, Held]:
    """Return, for each of the things that is held, which parameter holds it.

    `settings` gives parameter names what they hold, or None for nothing whatever the name looks like.
    """
    found: dict[str, Held] = {}
    before = _segments_before(template)
    # Of two that hold the same, the first in the path counts: what comes after it is part of that one's.
    for parameter in sorted(parameters, key=lambda one: max(template.find(f"{{{one.name}}}"), 0)):
        if parameter.location not in {"path", "query", "header"}:
            continue
        what, how = _what(parameter, before.get(parameter.name, ""), settings)
        if what is None:
            continue
        other = found.get(what)
        if other is None or _rank(how, parameter.location) < _rank(other.found, other.location):
            found[what] = Held(parameter.name, parameter.location, how)
    return found


def _rank(how: Found, location: str) -> tuple[bool, int]:
    # What is in the path says whose resource it is; a query only narrows it.
    return location != "path", _ORDER.index(how)


def _what(parameter: ParameterShape, before: str, settings: Mapping[str, str | None]) -> tuple[str | None, Found]:
    if parameter.name in settings:
        return settings[parameter.name], Found.SETTING
    if parameter.holds is not None:
        return None if parameter.holds == HOLDS_NOTHING else parameter.holds, Found.EXTENSION
    name, schema = plain(parameter.name), parameter.schema
    if parameter.location == "header":
        name = name.removeprefix("x")
    what, how = _NAMES.get(name), Found.NAME
    # Of a list every entry is judged.
    if schema is not None and is_list(schema):
        what, schema = what or _NAMES.get(name.removesuffix("s")), schema.items
    if what is None and parameter.location == "path":
        what, how = _SEGMENTS.get(plain(before)), Found.SEGMENT
    return (what if what and _may_be(schema, _SAMPLES[what]) else None), how


def _segments_before(template: str) -> dict[str, str]:
    segments = template.strip("/").split("/")
    return {
        segment[1:-1]: before
        for before, segment in zip(["", *segments], segments, strict=False)
        if segment.startswith("{") and segment.endswith("}")
    }


def _may_be(schema: Schema | None, samples: tuple[str, ...]) -> bool:
    """Whether a schema lets one of the samples pass, as far as a look at it tells; a UUID is no SSIN."""
    if schema is None:
        return True
    raw = schema.resolved
    types = schema.types
    if types is not None and not types & {"string", "integer", "number"}:
        return False
    if raw.get("format") in _OTHER_FORMATS or "enum" in raw:
        return False
    return any(_fits(raw, sample) for sample in samples)


def _fits(raw: Mapping[str, object], sample: str) -> bool:
    shortest, longest, pattern = raw.get("minLength"), raw.get("maxLength"), raw.get("pattern")
    if isinstance(shortest, int) and len(sample) < shortest:
        return False
    if isinstance(longest, int) and len(sample) > longest:
        return False
    if isinstance(pattern, str) and len(pattern) <= 100:  # noqa: PLR2004 - a longer one is not looked at
        try:
            return re.search(pattern, sample) is not None
        except re.error:
            return True  # the dialects differ; the contract's own engine decides later
    return True
