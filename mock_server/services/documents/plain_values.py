"""Texts and numbers within the bounds that schemas set, the likeliest first, the same ones every time."""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

from mock_server.services.documents.patterns import MAX_LENGTH, Pattern, PatternError

_TEXT = "text"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_DAY = dt.date(2025, 1, 15)
_LARGEST = 2**53
_TEXTS_OF_A_PATTERN = 36


def _day(turn: int) -> str:
    return (_DAY + dt.timedelta(days=turn % 100_000)).isoformat()


def _clock(turn: int) -> str:
    return f"{9 + turn // 3600 % 12:02}:{turn // 60 % 60:02}:{turn % 60:02}"


def _base64(turn: int) -> str:
    import base64  # noqa: PLC0415 - few contracts have such a member

    return base64.b64encode(f"text{turn or ''}".encode()).decode()


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "date": _day,
    "date-time": lambda turn: f"{_day(turn // 43_200)}T{_clock(turn)}Z",
    "time": lambda turn: f"{_clock(turn)}Z",
    "duration": lambda turn: f"P{turn + 1}D",
    "uuid": lambda turn: f"123e4567-e89b-42d3-a456-{0x426614174000 + turn:012x}",
    "email": lambda turn: f"someone{turn or ''}@example.org",
    "idn-email": lambda turn: f"someone{turn or ''}@example.org",
    "uri": lambda turn: f"https://example.org/{turn or ''}",
    "iri": lambda turn: f"https://example.org/{turn or ''}",
    "url": lambda turn: f"https://example.org/{turn or ''}",
    "uri-reference": lambda turn: f"/path{turn or ''}",
    "iri-reference": lambda turn: f"/path{turn or ''}",
    "uri-template": lambda turn: f"/path{turn or ''}/{{id}}",
    "hostname": lambda turn: f"host{turn or ''}.example.org",
    "idn-hostname": lambda turn: f"host{turn or ''}.example.org",
    "ipv4": lambda turn: f"192.0.{turn // 254 % 256}.{turn % 254 + 1}",
    "ipv6": lambda turn: f"2001:db8::{turn % 65_535 + 1:x}",
    "byte": _base64,
    "binary": lambda turn: f"bytes{turn or ''}",
    "password": lambda turn: f"secret{turn or ''}",
    "regex": lambda turn: f"^a{'a' * (turn % 1000)}$",
    "json-pointer": lambda turn: f"/member{turn or ''}",
    "relative-json-pointer": lambda turn: f"{turn}/member",
}


def _all(parts: Sequence[Mapping[str, Any]], word: str) -> list[Any]:
    return [part[word] for part in parts if word in part]


def _whole(parts: Sequence[Mapping[str, Any]], word: str) -> list[int]:
    return [math.ceil(one) for one in _all(parts, word) if isinstance(one, int | float) and not isinstance(one, bool)]


def texts(parts: Sequence[Mapping[str, Any]], turn: int) -> Iterator[str]:
    """Yield texts for parts of a schema; each has to be judged. Other turns yield others."""
    low = max(_whole(parts, "minLength"), default=0)
    high = min(_whole(parts, "maxLength"), default=MAX_LENGTH)
    formats = [_FORMATS[name] for name in _all(parts, "format") if isinstance(name, str) and name in _FORMATS]
    if "base64" in _all(parts, "contentEncoding"):
        formats.append(_base64)
    for make in formats:
        yield make(turn)
    if low <= MAX_LENGTH:
        yield _words(low, high, turn)
    for pattern in _all(parts, "pattern"):
        try:
            yield from islice(Pattern(pattern).texts(low, high, turn), _TEXTS_OF_A_PATTERN)
        except PatternError:
            continue
    for make in formats:
        yield from _longer_or_shorter(make(turn), low, high)


def _words(low: int, high: int, turn: int) -> str:
    """Return words of a length within bounds, with the turn at their end where there is room."""
    end = str(turn) if turn else ""
    words = " ".join([_TEXT] * (1 + max(0, low - len(_TEXT)) // (len(_TEXT) + 1)))
    words = words.ljust(low - len(end), _TEXT[-1])
    if len(words) + len(end) > high:
        # Of one character there is no room for both, and other turns are to be other texts.
        words = words[: max(0, high - len(end))]
        end = _LETTERS[turn % len(_LETTERS)] if high == 1 and turn else end[: max(0, high)]
    return words + end


def _longer_or_shorter(text: str, low: int, high: int) -> Iterator[str]:
    """Yield texts of the formats that have no fixed length: addresses, URIs, base64."""
    missing = low - len(text)
    if 0 < missing <= min(high, MAX_LENGTH):
        yield "a" * missing + text
        yield text + "a" * missing
        groups = -(-missing // 4)
        yield "dGV4" * groups + text
    if len(text) > high:
        yield from ("a@example.org"[: max(0, high)], "a@b.be", "a:b", "a", "/a", "")


def numbers(parts: Sequence[Mapping[str, Any]], turn: int, *, whole: bool) -> Iterator[int | float]:
    """Yield numbers for parts of a schema, whole ones where they do; each has to be judged."""
    low, low_open = _bound(parts, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(parts, "maximum", "exclusiveMaximum", min)
    step = _step(parts, whole=whole)
    unit = step or Fraction(1)
    starts: list[Fraction] = []
    if (low is None or low <= 1) and (high is None or high >= 1):
        starts.append(unit if step else Fraction(1))
    if low is not None:
        first = -(-low // unit) * unit
        starts.append(first + unit if low_open and first == low else first)
    if high is not None:
        last = high // unit * unit
        starts.append(last - unit if high_open and last == high else last)
    starts.append(Fraction(0))
    for start in starts:
        for moved in (start + turn * unit, start - turn * unit):
            yield _written(moved)
    if low is not None and high is not None and not step:
        yield _written(low + (high - low) * Fraction(turn + 1, turn + 2))
    if low is not None:
        yield _written(low)


def _bound(
    parts: Sequence[Mapping[str, Any]], word: str, exclusive: str, choose: Callable[..., tuple[Fraction, bool]]
) -> tuple[Fraction | None, bool]:
    """Return the narrowest bound, and whether it is outside itself; draft 4 says that by a word that is true."""
    found: list[tuple[Fraction, bool]] = []
    for part in parts:
        for name in (word, exclusive):
            value = part.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found.append((Fraction(str(value)), name == exclusive or part.get(exclusive) is True))
    return choose(found) if found else (None, False)


def _step(parts: Sequence[Mapping[str, Any]], *, whole: bool) -> Fraction | None:
    steps = [Fraction(str(one)) for one in _all(parts, "multipleOf") if isinstance(one, int | float) and one > 0]
    if whole:
        steps.append(Fraction(1))
    common: Fraction | None = None
    for step in steps:
        if common is None:
            common = step
        else:
            # The least common multiple of two fractions in lowest terms.
            common = Fraction(
                math.lcm(common.numerator, step.numerator), math.gcd(common.denominator, step.denominator)
            )
    return common


def _written(value: Fraction) -> int | float:
    if value.denominator == 1:
        return value.numerator
    written = float(value)
    return written if abs(written) < _LARGEST else round(written)
