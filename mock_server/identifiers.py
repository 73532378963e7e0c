"""Numbers and names of the platform as types: parse at the edge, then trust."""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Self
from zoneinfo import ZoneInfo

from stdnum.be import vat

EnterpriseNumber = NewType("EnterpriseNumber", str)
"""Ten digits with the leading zero (CBE number)."""
Ssin = NewType("Ssin", str)
"""Eleven digits (INSZ, NISS)."""
ClientId = NewType("ClientId", str)
"""Opaque, printable ASCII without spaces."""
ServiceName = NewType("ServiceName", str)
"""What a permission and a mandate are for: `fla`, `dimona` …"""

BRUSSELS = ZoneInfo("Europe/Brussels")
CLIENT_ID_MAX = 200

_ENTERPRISE_NUMBER = re.compile(r"[01]?[0-9]{9}")
_SSIN = re.compile(r"[0-9]{11}")
_CLIENT_ID = re.compile(rf"[!-~]{{1,{CLIENT_ID_MAX}}}")
_QUARTER = re.compile(r"([0-9]{4})Q([1-4])")
_CHECK_DIGITS_MAX = 97


class InvalidIdentifierError(ValueError):
    """A text that is not the identifier it should be; says what was expected."""


class WrongChecksumError(InvalidIdentifierError):
    """An identifier of the right shape whose check digits do not fit."""


class Capacity(StrEnum):
    """In what role an enterprise acts; the four that can open a channel for the FLA (G§4.4.1)."""

    EMPLOYER = "employer"
    SOCIAL_SECRETARIAT = "social-secretariat"
    SERVICE_PROVIDER = "service-provider"
    TRAINING_PROVIDER = "training-provider"

    @property
    def is_mandatary(self) -> bool:
        """Whether this role sends for others, under a mandate (G§2.2)."""
        return self in {Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER}


def parse_enterprise_number(text: str) -> EnterpriseNumber:
    """Read ten digits, or nine of a number whose leading zero was dropped (G§7.3.1 prints one).

    Raises `InvalidIdentifierError` for another shape, `WrongChecksumError` for wrong check digits (mod 97).
    """
    if not _ENTERPRISE_NUMBER.fullmatch(text):
        msg = "an enterprise number is 10 digits and begins with 0 or 1 (9 digits when its zero was dropped)"
        raise InvalidIdentifierError(msg)
    number = text.zfill(10)
    if not _checksum_fits(number):
        msg = "the check digits (the last two) of this enterprise number are wrong"
        raise WrongChecksumError(msg)
    return EnterpriseNumber(number)


def parse_ssin(text: str) -> Ssin:
    """Read eleven digits and verify the check digits, of a birth before or after 2000; nothing else.

    Birth date and counter are not looked at: the guide's own example has counter 999 (G§7.3.1), which
    the strict validators of Belgif refuse. Raises `InvalidIdentifierError` or `WrongChecksumError`.
    """
    if not _SSIN.fullmatch(text):
        msg = "an SSIN is 11 digits, without dots, dashes or spaces"
        raise InvalidIdentifierError(msg)
    if not (_checksum_fits(text) or _checksum_fits("2" + text)):
        msg = "the check digits (the last two) of this SSIN are wrong"
        raise WrongChecksumError(msg)
    return Ssin(text)


def parse_client_id(text: str) -> ClientId:
    """Read a client id: opaque, but something that can stand in a token. Raises `InvalidIdentifierError`."""
    if not _CLIENT_ID.fullmatch(text):
        msg = f"a client id is 1 to {CLIENT_ID_MAX} printable ASCII characters without spaces"
        raise InvalidIdentifierError(msg)
    return ClientId(text)


def _checksum_fits(digits: str) -> bool:
    # Enterprise numbers and SSINs share one rule: the last two digits are 97 less the rest modulo 97.
    # python-stdnum's own SSIN check compares birth years with the wall clock, so its plain checksum is used.
    return 1 <= int(digits[-2:]) <= _CHECK_DIGITS_MAX and vat.checksum(digits) == 0


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A calendar quarter, written `2025Q1`; it begins at midnight in Brussels."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2025Q1`. Raises `InvalidIdentifierError`."""
        match = _QUARTER.fullmatch(text)
        if match is None:
            msg = "a quarter is written like 2025Q1"
            raise InvalidIdentifierError(msg)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def at(cls, moment: float) -> Self:
        """Return the quarter that a moment (Unix seconds) falls in, in Brussels."""
        date = dt.datetime.fromtimestamp(moment, BRUSSELS)
        return cls(date.year, (date.month + 2) // 3)

    def __str__(self) -> str:
        return f"{self.year:04d}Q{self.number}"
