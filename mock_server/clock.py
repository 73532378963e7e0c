"""The time of a world: one place to ask, so that tests and worlds can have a time of their own."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the present."""

    def now(self) -> float:
        """Return Unix seconds."""


class SystemClock:
    """Follows real time."""

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def now(self) -> float:
        """Return Unix seconds."""
        return self._moment

    def advance(self, seconds: float) -> None:
        """Move forward by a number of seconds (not negative: a running clock never goes back)."""
        if seconds < 0:
            msg = "a clock is only moved forward"
            raise ValueError(msg)
        self._moment += seconds
