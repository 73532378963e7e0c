"""The time of a world: one place to ask, so that tests and worlds can have a time of their own."""

import time
from dataclasses import dataclass
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


class ClockWouldGoBackError(ValueError):
    """A change that would set a running clock back: `wanted` is before `now`, in Unix seconds."""

    def __init__(self, now: float, wanted: float) -> None:
        super().__init__(f"it is {now:.3f} now, and a running clock never goes back to {wanted:.3f}")
        self.now = now
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class ClockState:
    """How a world's time differs from real time. Seconds."""

    offset: float = 0.0
    frozen_at: float | None = None

    def at(self, real: float) -> float:
        """Return the world's time at a moment of real time."""
        return real + self.offset if self.frozen_at is None else self.frozen_at

    def moved(self, real: float, moment: float | None = None, *, frozen: bool | None = None) -> "ClockState":
        """Return the state in which it is `moment` now, frozen or not; what is not said stays as it is.

        Raises `ClockWouldGoBackError`: times that were seen by clients must not come again.
        """
        now = self.at(real)
        moment = now if moment is None else moment
        if moment < now:
            raise ClockWouldGoBackError(now, moment)
        stands_still = self.frozen_at is not None if frozen is None else frozen
        if stands_still:
            return ClockState(0.0, moment)
        # What is not moved keeps its offset to the last digit, so that equal states stay equal.
        return self if self.frozen_at is None and moment == now else ClockState(moment - real)

    def advanced(self, real: float, seconds: float) -> "ClockState":
        """Return the state after a jump forward by a number of seconds. Raises `ClockWouldGoBackError`."""
        if seconds < 0:
            raise ClockWouldGoBackError(self.at(real), self.at(real) + seconds)
        if self.frozen_at is not None:
            return ClockState(0.0, self.frozen_at + seconds)
        return ClockState(self.offset + seconds)

    def following(self, real: float, offset: float) -> "ClockState":
        """Return the state that runs with an offset from real time. Raises `ClockWouldGoBackError`."""
        if real + offset < self.at(real):
            raise ClockWouldGoBackError(self.at(real), real + offset)
        return ClockState(offset)


class WorldClock:
    """The clock of one world, whose state may be replaced."""

    def __init__(self, real: Clock, state: ClockState) -> None:
        self.real = real
        self.state = state

    def now(self) -> float:
        """Return the world's time in Unix seconds."""
        return self.state.at(self.real.now())
