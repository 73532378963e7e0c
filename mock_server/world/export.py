"""Writing a world as JSON: always the same bytes for the same world, whatever was added first."""

import base64
import datetime as dt
import json
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mock_server import strict_json
from mock_server.clock import ClockState
from mock_server.world.entries import usual_confirmations
from mock_server.world.file import import_state
from mock_server.world.forms import EARLIEST, LATEST, parse_moment
from mock_server.world.model import (
    ALWAYS,
    Account,
    Document,
    Enterprise,
    Mandate,
    MandateDecision,
    Period,
    RegisteredCertificate,
    StoredFault,
    WorldSettings,
    WorldState,
)

__all__ = ["export_state", "import_state"]

_WIDTH = 120
_EXACT = 2**53
"""Whole numbers below this are the same as a double."""
# Around a body stand the document, the list, the world, and the object that a request may put around that.
_DEEPEST_BODY = strict_json.MAX_DEPTH - 4

Members = dict[str, Any]
T = TypeVar("T")


def export_state(state: WorldState) -> bytes:
    """Return a world as canonical JSON: UTF-8, members and entries sorted, what is as usual left out.

    Everything that `import_state` reads back is in it but the numbers of mandates; private keys are not, since a world
    holds none. Raises `ValueError` when a certificate or a stored document is not what it should be.
    """
    usual = WorldSettings()
    lists: dict[str, Iterable[str]] = {
        "enterprises": _texts(_enterprise, sorted(state.enterprises, key=lambda entry: entry.number)),
        "accounts": _texts(_account, sorted(state.accounts, key=lambda entry: entry.client_id)),
        "mandates": _texts(_mandate, sorted(state.mandates, key=_order_of_mandate)),
        # A world may have a million, and all are digits: the lines sort as the values do, and nothing is escaped.
        "employments": sorted(
            {f'{{"enterprise": "{entry.enterprise}", "ssin": "{entry.ssin}"}}' for entry in state.employments}
        ),
        "documents": _texts(_document, sorted(state.documents, key=lambda entry: (entry.api, entry.path))),
        "faults": _texts(_fault, sorted(state.faults, key=lambda entry: entry.id)),
    }
    tables = {
        "settings": _unusual(_settings(state.settings), _settings(usual)),
        "clock": _clock(state.clock),
    }
    texts = {name: f"[\n{lines}\n  ]" for name, entries in lists.items() if (lines := _joined(entries, "    "))}
    texts |= {name: _text(members, "  ") for name, members in tables.items() if members}
    members = _joined((f'"{name}": {text}' for name, text in sorted(texts.items())), "  ")
    return (f"{{\n{members}\n}}\n" if members else "{}\n").encode()


def _texts(members_of: Callable[[T], Members], entries: Iterable[T]) -> Iterable[str]:
    return (_text(members_of(entry), "    ") for entry in entries)


def _enterprise(enterprise: Enterprise) -> Members:
    return {"number": enterprise.number, "name": enterprise.name, "capacities": sorted(enterprise.capacities)} | _said(
        employments=enterprise.employments,
        administrators={
            capacity: {"email": who.email, "local_administrator": who.local_administrator}
            for capacity, who in enterprise.administrators.items()
        },
    )


def _account(account: Account) -> Members:
    periods = {name: _period(period) for name, period in account.permission_periods.items() if period != ALWAYS}
    certificates = sorted(account.certificates, key=lambda entry: (entry.fingerprint, entry.name, _order(entry.period)))
    return {
        "name": account.name,
        "enterprise": account.enterprise,
        "capacity": account.capacity,
        "client_id": account.client_id,
        **_said(
            permissions=sorted(account.permissions),
            permission_periods=periods,
            certificates=[_certificate(account, entry) for entry in certificates],
        ),
        **_period(account.period),
    }


def _certificate(account: Account, entry: RegisteredCertificate) -> Members:
    try:
        # Whatever else stood there, a key for one, must not be written.
        _ = entry.x509
    except ValueError:
        msg = f"account {account.client_id} has a certificate that is none, so the world is not written"
        raise ValueError(msg) from None
    return {"name": entry.name, "der": base64.b64encode(entry.der).decode(), **_period(entry.period)}


def _mandate(mandate: Mandate) -> Members:
    members: Members = {
        "mandator": mandate.mandator,
        "mandatary": mandate.mandatary,
        "service": mandate.service,
        "start": str(mandate.start),
    } | _said(end=mandate.end and str(mandate.end), proposed_by=mandate.proposed_by)
    if mandate.decision is not MandateDecision.CONFIRMED:
        members["status"] = mandate.decision
    if mandate.confirmed_by != usual_confirmations(mandate.decision, mandate.proposed_by):
        members["confirmed_by"] = sorted(mandate.confirmed_by)
    return members


def _order_of_mandate(mandate: Mandate) -> tuple[Any, ...]:
    return (
        mandate.mandator,
        mandate.mandatary,
        mandate.service,
        mandate.start,
        str(mandate.end or ""),
        mandate.decision,
        mandate.proposed_by or "",
        sorted(mandate.confirmed_by),
    )


def _document(document: Document) -> Members:
    where = {"api": document.api, "path": document.path} | _said(number=document.number)
    if document.body is None:
        return where | {"deleted": True}
    try:
        body = strict_json.loads(document.body.encode())
    except ValueError as error:
        msg = f"the document {document.api} {document.path} is not JSON ({error}), so the world is not written"
        raise ValueError(msg) from None
    # What could not be read back inside so much else stands there as text.
    return where | ({"text": _compact(body)} if _is_deep(body) else {"body": body})


def _is_deep(value: object, depth: int = _DEEPEST_BODY) -> bool:
    """Whether a JSON value is nested deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    return depth == 0 or any(
        _is_deep(part, depth - 1) for part in (value.values() if isinstance(value, dict) else value)
    )


def _fault(fault: StoredFault) -> Members:
    return {
        **fault.members,
        "id": fault.id,
        **_unusual({"seen": fault.seen, "fired": fault.fired}, {"seen": 0, "fired": 0}),
    }


def _settings(settings: WorldSettings) -> Members:
    return {
        "employments": settings.employments,
        "mandatary_own_number": settings.mandatary_own_number,
        "activation_delay": _number(settings.activation_delay),
        "calendar_year_in_mandate": settings.calendar_year_in_mandate,
        "phase": settings.phase,
        "consultation_answer": settings.consultation_answer._asdict(),
        "closed_answer": settings.closed_answer._asdict(),
    }


def _clock(clock: ClockState) -> Members:
    if clock.frozen_at is not None:
        return {"frozen_at": _moment(clock.frozen_at)}
    return {"offset": _number(clock.offset)} if clock.offset else {}


def _period(period: Period) -> Members:
    members = {"active_from": period.since, "active_until": period.until}
    return {name: _moment(moment) for name, moment in members.items() if moment is not None}


def _order(period: Period) -> tuple[float, float]:
    since, until = (-math.inf if moment is None else moment for moment in period)
    return since, until


def _said(**members: Any) -> Members:  # noqa: ANN401 - JSON values
    return {name: value for name, value in members.items() if value}


def _unusual(members: Members, usual: Members) -> Members:
    return {name: value for name, value in members.items() if value != usual[name]}


def _moment(moment: float) -> str | float:
    """Return ISO 8601 in UTC when that says the moment to the last digit, else Unix seconds."""
    if EARLIEST <= moment <= LATEST:
        text = dt.datetime.fromtimestamp(moment, dt.UTC).isoformat().replace("+00:00", "Z")
        if parse_moment(text) == moment:
            return text
    return _number(moment)


def _number(number: float) -> float:
    """Return a whole number without a decimal point: 3600 and 3600.0 are one value."""
    return int(number) if abs(number) < _EXACT and number == int(number) else number


def _text(value: object, margin: str) -> str:
    """Return JSON on one line if it fits, else on a line for each member."""
    if not isinstance(value, dict | list):
        return _one_line(value)
    # Each member takes more than three characters: what has too many is not tried.
    if len(value) < _WIDTH // 3:
        line = _one_line(value)
        if len(margin) + len(line) <= _WIDTH:
            return line
    inner = f"{margin}  "
    if isinstance(value, dict):
        parts = [f"{_one_line(name)}: {_text(value[name], inner)}" for name in sorted(value)]
        opening, closing = "{}"
    else:
        parts = [_text(part, inner) for part in value]
        opening, closing = "[]"
    return f"{opening}\n{_joined(parts, inner)}\n{margin}{closing}"


def _joined(parts: Iterable[str], margin: str) -> str:
    return ",\n".join(f"{margin}{part}" for part in parts)


_one_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True).encode
_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
