"""Moments as people read them."""

import datetime as dt


def moment(seconds: float) -> str:
    """Return a time in Unix seconds as UTC; one beyond the calendar as a number."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.6g} seconds since 1970"


def period(start: float, end: float) -> str:
    """Return a period between two moments in Unix seconds."""
    return f"from {moment(start)} to {moment(end)}"


def distance(seconds: float) -> str:
    """Return a number of seconds (not negative) in the unit that people would say."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = round(seconds / size)
        if seconds >= size:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    count = round(seconds)
    return f"{count} second{'' if count == 1 else 's'}"


def duration(seconds: int) -> str:
    """Return a number of seconds, in minutes where these are whole."""
    minutes, rest = divmod(seconds, 60)
    return f"{seconds} seconds" if rest or not minutes else f"{minutes} minute{'' if minutes == 1 else 's'}"
