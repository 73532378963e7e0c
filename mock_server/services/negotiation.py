"""Which media type an answer has: what the contract offers, in the order that the client prefers (RFC 9110 §12.5.1)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from mock_server.services.documents.values import is_json
from mock_server.services.validation import Content

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_RANGE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)/([!#$%&'*+.^_`|~0-9A-Za-z-]+)")
_MAX_RANGES = 100


class _Range(NamedTuple):
    media_type: str
    quality: float

    def precision(self, media_type: str) -> int:
        """Return how exactly it names a media type; 0 when it does not."""
        if self.media_type == media_type:
            return 3
        mine, _, rest = self.media_type.partition("/")
        if rest == "*" and mine == media_type.partition("/")[0]:
            return 2
        return 1 if self.media_type == "*/*" else 0


def offered(contents: Sequence[Content]) -> tuple[Content, ...]:
    """Return the contents that can be written, JSON first; where there is none, whatever the contract has."""
    written = [content for content in contents if content.can_be_written]
    return tuple(sorted(written, key=lambda one: (not one.is_json, "*" in one.media_type))) or tuple(contents)


def concrete(content: Content, ranges: Sequence[str] = ()) -> str:
    """Return the media type that a content is written as; of a range, the first that the client names and it covers."""
    if "*" not in content.media_type:
        return content.media_type
    named = [one for one in ranges if "*" not in one and content.covers(one)]
    if content.media_type == "text/*":
        return named[0] if named else "text/plain"
    # What is written within a wider range is JSON.
    return next((one for one in named if is_json(one)), "application/json")


def negotiate(accept: str | None, contents: Sequence[Content]) -> tuple[Content, str] | None:
    """Return the content to answer with and its media type, or None when the client accepts nothing that there is.

    `accept` is the Accept header, several joined by commas; None and nothing at all accept everything. A part that is
    not a media range is left out, and when nothing is left, everything is accepted: a client is refused for what it
    asks, not for how it writes.
    """
    ranges = _ranges(accept) if accept and accept != "*/*" else []
    if not ranges:
        first = next((content for content in contents if content.is_json and "*" not in content.media_type), None)
        first = first or next(iter(offered(contents)), None)
        return None if first is None else (first, concrete(first))
    choices = offered(contents)
    named = [one.media_type for one in sorted(ranges, key=lambda one: -one.quality) if one.quality > 0]
    best: tuple[float, Content, str] | None = None
    for content in choices:
        media_type = concrete(content, named)
        quality = _quality(ranges, media_type)
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, content, media_type)
    return None if best is None else best[1:]


def _quality(ranges: Sequence[_Range], media_type: str) -> float:
    precise = max(ranges, key=lambda one: one.precision(media_type))
    return precise.quality if precise.precision(media_type) else 0.0


def _ranges(accept: str) -> list[_Range]:
    found = []
    for part in accept.split(",")[:_MAX_RANGES]:
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if not _RANGE.fullmatch(media_type):
            continue
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                quality = float(value) if _QUALITY.fullmatch(value.strip()) else 1.0
        found.append(_Range(media_type.lower(), quality))
    return found
