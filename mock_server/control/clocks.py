"""The clock of a world as the control API shows and changes it."""

import datetime as dt
import math

from mock_server.clock import ClockState, WorldClock
from mock_server.control.models import ClockChange, ClockEntry, ClockStart
from mock_server.control.records import timestamp
from mock_server.identifiers import BRUSSELS, InvalidIdentifierError, Quarter
from mock_server.portal.errors import RefusedError
from mock_server.redaction import shown

EARLIEST = dt.datetime(1971, 1, 1, tzinfo=dt.UTC).timestamp()
LATEST = dt.datetime(9000, 1, 1, tzinfo=dt.UTC).timestamp()
_MEMBERS = ("advance", "offset", "now", "follow_real_time")


def entry(clock: WorldClock) -> ClockEntry:
    """Return what time it is."""
    now, state = clock.now(), clock.state
    mode = "frozen" if state.frozen_at is not None else "offset" if state.offset else "real"
    return ClockEntry(now=timestamp(now), timestamp=now, mode=mode, offset=state.offset, quarter=str(Quarter.at(now)))


def started(start: ClockStart | None, real: float) -> ClockState:
    """Return the clock of a new world, which may begin before or after the present. Raises `RefusedError`."""
    if start is None:
        return ClockState()
    if start.offset is not None and start.now is not None:
        raise RefusedError("A clock starts with an offset or at a moment: give one of offset and now.")
    begins_at = real + (start.offset or 0.0) if start.now is None else moment(start.now)
    within(begins_at)
    if start.frozen:
        return ClockState(0.0, begins_at)
    return ClockState(start.offset or 0.0) if start.now is None else ClockState(begins_at - real)


def changed(clock: WorldClock, change: ClockChange) -> ClockState:
    """Return a clock changed. Raises `RefusedError`, and `ClockWouldGoBackError`."""
    given = [name for name in _MEMBERS if getattr(change, name) is not None]
    if len(given) > 1 or (not given and change.frozen is None):
        names = ", ".join(_MEMBERS)
        raise RefusedError(f"A change has one of {names}, or frozen, or both; got {', '.join(given) or 'nothing'}.")
    real, state = clock.real.now(), clock.state
    wanted = _wanted(change, real, state.at(real))
    if wanted is not None:
        # First, so that a time that no calendar has is not told as one that has passed.
        within(wanted)
        state = _moved(change, state, real, wanted)
    return state if change.frozen is None else state.moved(real, frozen=change.frozen)


def _wanted(change: ClockChange, real: float, now: float) -> float | None:
    """Return the time that a change asks for; None when it asks for none."""
    if change.advance is not None:
        return now + change.advance
    if change.offset is not None:
        return real + change.offset
    if change.now is not None:
        return moment(change.now)
    return real if change.follow_real_time else None


def _moved(change: ClockChange, state: ClockState, real: float, wanted: float) -> ClockState:
    if change.advance is not None:
        return state.advanced(real, change.advance)
    if change.now is not None:
        # A clock that runs goes on running from there, and one that stands still stands still there.
        return state.moved(real, wanted)
    return state.following(real, change.offset or 0.0)


def moment(value: str | float) -> float:
    """Read a moment: Unix seconds, ISO 8601 with a zone, or a quarter. Raises `RefusedError`."""
    if isinstance(value, int | float):
        return float(value)
    try:
        quarter = Quarter.parse(value)
        return dt.datetime(quarter.year, 3 * quarter.number - 2, 1, tzinfo=BRUSSELS).timestamp()
    except (InvalidIdentifierError, ValueError):
        pass
    try:
        read = dt.datetime.fromisoformat(value)
        if read.tzinfo is not None:
            return read.timestamp()
    except (ValueError, OverflowError):
        pass
    raise RefusedError(
        f"A moment is written like 2027-01-01T00:00:00Z (with its zone), 1798761600 or 2027Q1; got {shown(value)}."
    )


def within(value: float) -> None:
    """Refuse a time that no calendar has. Raises `RefusedError`."""
    if not (math.isfinite(value) and EARLIEST <= value <= LATEST):
        raise RefusedError("A clock shows a time between the years 1971 and 9000.")
