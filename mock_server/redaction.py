"""Making a client's values fit to be shown or kept: no secrets, no control characters, no endless text.

A secret is told by its shape, since it may stand anywhere: in a header, a form, JSON inside JSON. Three shapes are
known: PEM, an encoded JSON object (each part of a JWT but its signature), and base64 as long and as mixed as a key.
"""

import math
import re
import unicodedata
from collections import deque
from itertools import islice
from typing import Any

REDACTED = "[redacted]"
SHOWN_MAX = 120
MASKED_SSIN = "*" * 11
_LOOKED_AT = 2_000
_INTEGER_BITS = 1_024  # what a double can say, if not exactly
_WORD_MIN = 11  # characters; no JWT that is told is shorter
_KEY_MIN = 40  # characters; the signature of HS256 has 43, the key of P-256 has 184
_JOINTS_MIN = 6

# All quantifiers that are open-ended are possessive or lead to a match, and all others are small: each expression
# takes time in proportion to the text, whatever a client sends. What may stand for one character of base64 is the
# character itself, percent-encoded or escaped in JSON, up to three times.
_BASE64 = r"A-Za-z0-9+/_\-"
_PERCENT = r"%(?:25){0,2}"
_ESCAPE = rf"(?:\\|{_PERCENT}5[Cc]){{1,7}}+"
_UNIT = rf"(?:[{_BASE64}]++|{_PERCENT}(?:2[BDFbdf]|5[Ff])|{_ESCAPE}(?:/|{_PERCENT}2[Ff]|u00(?:2[BDFbdf]|5[Ff])))++"
_DOT = rf"(?:\.|{_PERCENT}2[Ee]|{_ESCAPE}u002[Ee])"
_BLANK = rf"(?:\s|{_PERCENT}(?:0[9ADad]|20)|{_ESCAPE}(?:[nrt]|u00(?:0[9ADad]|20)))"
_INDENT = rf"(?:[ \t]|{_PERCENT}(?:09|20)){{0,9}}"
_NEWLINE = rf"(?:[\r\n]|{_PERCENT}0[ADad]|{_ESCAPE}(?:[nr]|u000[ADad]))"
# What joins two pieces: dots; and after a piece that is no common word a line end, or a blank before another such.
_JOIN = (
    rf"(?:{_DOT}{{1,3}}"
    rf"|(?<=[{_BASE64}=%\\]{{16}})(?:{_BLANK}{{0,9}}{_DOT}{{1,3}}{_BLANK}{{0,9}}"
    rf"|{_INDENT}(?:{_NEWLINE}{_INDENT}){{1,4}}|{_BLANK}{{1,9}}(?=[{_BASE64}]{{16}})))"
)
_PADDING = rf"(?:=|{_PERCENT}3[Dd]|{_ESCAPE}u003[Dd]){{0,2}}"
# Not from the middle of a word, or each of its letters would be tried; but from behind an escaped character.
_START = (
    rf"(?:(?<![{_BASE64}%\\])|(?<=\\.)(?!(?<=u)[0-9A-Fa-f]{{4}})|(?<=\\u[0-9A-Fa-f]{{4}})"
    r"|(?<=%..)(?<!%5[Cc])|(?<=%5[Cc].)|(?<=%25..)|(?<=%2525..))"
)
_RUN = re.compile(
    rf"(?=[{_BASE64}.%\\]{{{_WORD_MIN}}}){_START}{_UNIT}{_PADDING}(?:{_JOIN}{_UNIT}{_PADDING})*+", re.DOTALL
)
# Finding bytes is many times quicker than trying an expression at each character, and most texts have no long word.
_WORD_BYTES = bytes(ord("x" if re.match(rf"[{_BASE64}.%\\]", chr(code)) else " ") for code in range(256))
_LONG_WORD = b"x" * _WORD_MIN
_NEEDS_DECODING = re.compile(r"[\s%\\]")
_BLANKS = re.compile(_BLANK)
_ENCODED = re.compile(rf"{_ESCAPE}(?:/|{_PERCENT}2[Ff])|(?:{_PERCENT}|{_ESCAPE}u00)([235][0-9A-Fa-f])")

# The first letters of an encoded “{” with a quote, white space or a quote after white space behind it; then as much
# as the shortest header has, or a second part.
_OBJECT = re.compile(
    rf"(?<![A-Za-z0-9])e(?:y[IJ]|(?:yA|w[0ko])[giJKN])(?:[{_BASE64}]{{13}}|[{_BASE64}]{{5,12}}=*+\.[{_BASE64}]{{2}})"
)
_HEX_WORD = re.compile(r"(?<![A-Za-z0-9])(?:[0-9a-f]{4,}+|[0-9A-F]{4,}+)(?![A-Za-z0-9])")
# Where one kind of character follows another, but for the beginning of a next word in camel case.
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z0-9])(?![A-Z][a-z]{3})|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")

_DASH = rf"(?:-|{_PERCENT}2[Dd])"
_PEM = re.compile(
    rf"{_DASH}{{4,5}}[ +]?BEGIN.*?(?:{_DASH}{{4,5}}[ +]?END(?:[ +_A-Z0-9]|%20){{0,60}}+{_DASH}{{0,5}}|\Z)", re.DOTALL
)

_ELEVEN_DIGITS = re.compile(
    r"(?:(?<![0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))[0-9]{11}(?![0-9])"  # also behind “%20”
)


def scrub(text: str) -> str:
    """Return a text with `[redacted]` in place of what looks like a secret, in time proportional to its length.

    Replaced are PEM blocks, up to the end of the text where their END line is missing; JWTs, whole or in parts, also
    with blanks or encoded dots between the parts; and 40 or more characters of base64 or base64url whose upper case,
    lower case and digits are as mixed as a key's, also wrapped, percent-encoded or escaped. Words, paths, UUIDs and
    hexadecimal digests stay. Scrub before cutting a text: the beginning of a secret may be too short to be told.
    """
    if "BEGIN" in text:
        text = _PEM.sub(REDACTED, text)
    words = text.encode("latin-1", "replace").translate(_WORD_BYTES)
    kept: list[str] = []
    done = 0
    at = words.find(_LONG_WORD)
    while at >= 0 and (run := _RUN.search(text, at)):
        if _is_secret(run[0]):
            kept += (text[done : run.start()], REDACTED)
            done = run.end()
        at = words.find(_LONG_WORD, run.end())
    return "".join((*kept, text[done:])) if kept else text


def shown(value: object) -> str:
    """Return a value from outside in quotes, on one line, scrubbed, cut after 120 characters.

    Control, format and surrogate characters are escaped, so that a value can neither forge a line of the log nor
    steer a terminal.
    """
    whole = value if isinstance(value, str) else _told(value)
    text = scrub(whole[:_LOOKED_AT])
    if len(text) > SHOWN_MAX or len(whole) > _LOOKED_AT:
        text = f"{text[:SHOWN_MAX]}…"
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if _is_plain(c) else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return f"“{text}”" if isinstance(value, str) else text


def scrub_json(value: object, *, depth: int, items: int, text: int) -> Any:  # noqa: ANN401 - JSON is any value
    """Return a bounded copy of decoded JSON that can be written as strict JSON again.

    Strings and names of members are scrubbed, then cut at `text` characters; lists and objects are cut at `items`, with
    the number of those left out; containers nested deeper than `depth` become “…”. What JSON cannot say (NaN,
    infinities, half surrogate pairs, other types) and integers that a reader may refuse become text.
    """
    if not isinstance(value, dict | list):
        return _scalar(value, text)
    if depth <= 0:
        return "…"
    more = len(value) - items
    if isinstance(value, list):
        copied = [scrub_json(item, depth=depth - 1, items=items, text=text) for item in value[:items]]
        return [*copied, f"… {more} more"] if more > 0 else copied
    members = {
        _cut(str(name), text): scrub_json(item, depth=depth - 1, items=items, text=text)
        for name, item in islice(value.items(), items)
    }
    return members | {"…": f"{more} more"} if more > 0 else members


def mask_ssins(text: str) -> str:
    """Return a text with eleven asterisks in place of each run of exactly 11 digits that could be an SSIN.

    It could be one when its check digits fit, as in `identifiers.parse_ssin`; about one in fifty other runs of this
    length is masked with them.
    """
    return _ELEVEN_DIGITS.sub(lambda match: MASKED_SSIN if _is_ssin(match[0]) else match[0], text)


def _is_secret(run: str) -> bool:
    if len(run) < _KEY_MIN and "ey" not in run and "ew" not in run:
        return False
    if _OBJECT.search(run):
        return True
    if _NEEDS_DECODING.search(run):
        run = _ENCODED.sub(_decode, _BLANKS.sub(".", run))
    return bool(_OBJECT.search(run)) or _is_key_like(run)


def _decode(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else "/"


def _is_key_like(text: str) -> bool:
    """Tell whether 40 characters in a row change between cases and digits as often as random ones do.

    Measured on random base64: of 40 characters one run in 4,000 goes unseen, of 64 none in 50,000. Paths and names of
    classes change between words only.
    """
    if len(text) < _KEY_MIN or text in {text.lower(), text.upper()}:
        return False
    # UUIDs and digests change as often, but are words of their own.
    text = _HEX_WORD.sub(lambda match: "-" * len(match[0]), text)
    last: deque[int] = deque(maxlen=_JOINTS_MIN)
    for match in _JOINT.finditer(text):
        last.append(match.start())
        if len(last) == _JOINTS_MIN and last[-1] - last[0] < _KEY_MIN:
            return True
    return False


def _scalar(value: object, length: int) -> str | float | None:
    if isinstance(value, str):
        return _cut(value, length)
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, int | float) else shown(value)


def _told(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer, here or inside, with more digits than Python writes
        return f"a value of type {type(value).__name__} that is too large to be shown"


def _cut(value: str, length: int) -> str:
    scrubbed = scrub(value).encode("utf-8", "replace").decode()
    return scrubbed if len(scrubbed) <= length else f"{scrubbed[:length]}…"


def _is_ssin(digits: str) -> bool:
    # The same arithmetic as in `identifiers`, which this module, being below it, does not import.
    number, check = int(digits[:9]), int(digits[9:])
    return 1 <= check <= 97 and any((born + number + check) % 97 == 0 for born in (0, 2_000_000_000))  # noqa: PLR2004 - mod 97


def _is_plain(character: str) -> bool:
    return character == " " or (character.isprintable() and unicodedata.category(character) not in {"Cf", "Cs"})
