"""Making a client's values fit to be shown: no control characters, no secrets, no endless text."""

import re
import unicodedata

SHOWN_MAX = 120
_LOOKED_AT = 2_000
# A JWT begins with an encoded “{” (ey…, ew…), and is told from a host name by that.
_TOKEN = re.compile(r"\be[yw][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|-----BEGIN.*", re.DOTALL)
_MAY_BE_SECRET = re.compile(r"e[yw]|-----")


def shown(value: object) -> str:
    """Return a value from outside in quotes, on one line, cut after 120 characters.

    What looks like a JWT or a PEM key is replaced; control, format and surrogate characters are escaped, so that
    a value can neither forge a line of the log nor steer a terminal.
    """
    text = value if isinstance(value, str) else repr(value)
    if len(text) <= SHOWN_MAX and text.isascii() and text.isprintable() and not _MAY_BE_SECRET.search(text):
        return f"“{text}”" if isinstance(value, str) else text
    # Redact before cutting, since half a token is still a secret; but look at so much only, since looking for tokens
    # takes the square of it when every third letter could begin one.
    text = _TOKEN.sub("[redacted]", text[:_LOOKED_AT])
    cut = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
    quoted = "".join(c if _is_plain(c) else c.encode("unicode_escape", "surrogatepass").decode() for c in cut)
    return f"“{quoted}”" if isinstance(value, str) else quoted


def _is_plain(character: str) -> bool:
    return character == " " or (character.isprintable() and unicodedata.category(character) not in {"Cf", "Cs"})
