"""How the values of an entry are written, in a file or an API: each form with its limits, and what it is read as."""

import datetime as dt
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator
from pydantic_core import PydanticKnownError

from mock_server import strict_json
from mock_server.identifiers import (
    ClientId,
    EnterpriseNumber,
    Quarter,
    ServiceName,
    Ssin,
    parse_client_id,
    parse_enterprise_number,
    parse_ssin,
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
LARGEST_NUMBER = 1_000_000_000
"""Of what a file numbers itself: far below what a database can count to, since more are added after those."""
LONGEST_DETAIL = 2_000
"""Characters of the text that a problem explains itself with."""

PROBLEM_TYPE = "[!-~]{1,255}"
"""What the type of a problem is made of."""
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


def parse_quarter(value: object) -> Quarter:
    """Read a quarter, like 2026Q1. Raises `ValueError`."""
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return Quarter.parse(value)


def _optional(value: object) -> float | None:
    return None if value is None else parse_moment(value)


def yes_or_no(value: object) -> bool:
    """Read true or false. Raises `ValueError`."""
    if not isinstance(value, bool):
        msg = "should be true or false"
        raise ValueError(msg)  # noqa: TRY004 - pydantic makes a sentence of this one alone
    return value


def _problem_type(text: str) -> str:
    if not re.fullmatch(PROBLEM_TYPE, text):
        msg = "the type of a problem is a URI, like about:blank, of 255 characters at most and without spaces"
        raise ValueError(msg)
    return text


def _one_line(what: str) -> Callable[[str], str]:
    def judge(text: str) -> str:
        if _CONTROL.search(text):
            msg = f"{what} has no line breaks and no other control characters"
            raise ValueError(msg)
        return text

    return judge


def below_the_base(path: str) -> str:
    """Return a path that follows the base URL of an API. Raises `ValueError` for one that is none."""
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
QuarterText = Annotated[Quarter, PlainValidator(parse_quarter)]
Moment = Annotated[float | None, PlainValidator(_optional)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_one_line("a name"))]
Detail = Annotated[str, Field(min_length=1, max_length=LONGEST_DETAIL), AfterValidator(_one_line("a text"))]
ProblemType = Annotated[str, AfterValidator(_problem_type)]
ServiceText = Annotated[ServiceName, Field(min_length=1, max_length=64)]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST_COUNT)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Few = BeforeValidator(_few_parts)
