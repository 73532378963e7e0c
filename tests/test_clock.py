"""The time of a world: how it differs from real time, and that it never goes back."""

import contextlib
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.clock import ClockState, ClockWouldGoBackError, FixedClock, SystemClock, WorldClock
from tests.support import DAY, NOW

RUNS = ClockState()
AHEAD = ClockState(offset=DAY)
BEHIND = ClockState(offset=-DAY)
STANDS = ClockState(frozen_at=NOW + 5)
LATER = NOW + 60
"""A moment of real time after NOW."""

Change = Callable[[ClockState, float], ClockState]


@pytest.mark.parametrize(
    ("state", "now", "later"),
    [
        pytest.param(RUNS, NOW, LATER, id="real"),
        pytest.param(AHEAD, NOW + DAY, LATER + DAY, id="ahead"),
        pytest.param(BEHIND, NOW - DAY, LATER - DAY, id="behind"),
        pytest.param(STANDS, NOW + 5, NOW + 5, id="frozen"),
    ],
)
def test_a_clock_runs_with_its_offset_or_stands_still(state: ClockState, now: float, later: float) -> None:
    """Seconds pass as in reality, unless it is frozen."""
    assert (now, later) == (state.at(NOW), state.at(LATER))


# Each change, made at NOW: the state before, and the one after it.
CHANGES: dict[str, tuple[Change, ClockState, ClockState]] = {
    "a clock that runs is moved, and runs on": (lambda s, r: s.moved(r, NOW + 90), RUNS, ClockState(90)),
    "… from its offset": (lambda s, r: s.moved(r, NOW + 2 * DAY), AHEAD, ClockState(2 * DAY)),
    "one that is behind is moved into the past": (lambda s, r: s.moved(r, NOW - 90), BEHIND, ClockState(-90)),
    "one that stands still is moved, and stands still": (
        lambda s, r: s.moved(r, NOW + 90),
        STANDS,
        ClockState(0, NOW + 90),
    ),
    "moved and frozen": (lambda s, r: s.moved(r, NOW + 90, frozen=True), RUNS, ClockState(0, NOW + 90)),
    "moved and let run": (lambda s, r: s.moved(r, NOW + 90, frozen=False), STANDS, ClockState(90)),
    "frozen where it is": (lambda s, r: s.moved(r, frozen=True), AHEAD, ClockState(0, NOW + DAY)),
    "let run from where it stands": (lambda s, r: s.moved(r, frozen=False), STANDS, ClockState(5)),
    "frozen twice": (lambda s, r: s.moved(r, frozen=True), STANDS, STANDS),
    "let run twice": (lambda s, r: s.moved(r, frozen=False), AHEAD, AHEAD),
    "moved to where it is": (lambda s, r: s.moved(r, NOW + DAY), AHEAD, AHEAD),
    "advanced": (lambda s, r: s.advanced(r, 90), AHEAD, ClockState(DAY + 90)),
    "advanced by nothing": (lambda s, r: s.advanced(r, 0), AHEAD, AHEAD),
    "advanced where it stands": (lambda s, r: s.advanced(r, 90), STANDS, ClockState(0, NOW + 95)),
    "set to another offset": (lambda s, r: s.following(r, 90), RUNS, ClockState(90)),
    "set to the offset that it has": (lambda s, r: s.following(r, DAY), AHEAD, AHEAD),
    "set to real time from behind": (lambda s, r: s.following(r, 0), BEHIND, RUNS),
    "let run with an offset": (lambda s, r: s.following(r, 5), STANDS, ClockState(5)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_clock(name: str) -> None:
    """The new state is another value; the one before stays as it was."""
    change, before, after = CHANGES[name]

    assert after == change(before, NOW)


BACKWARDS: dict[str, tuple[Change, ClockState, float, float]] = {
    "moved": (lambda s, r: s.moved(r, NOW - 1), RUNS, NOW, NOW - 1),
    "moved to real time": (lambda s, r: s.moved(r, NOW), AHEAD, NOW + DAY, NOW),
    "moved where it stands": (lambda s, r: s.moved(r, NOW), STANDS, NOW + 5, NOW),
    "moved and frozen": (lambda s, r: s.moved(r, NOW - 1, frozen=True), RUNS, NOW, NOW - 1),
    "advanced by less than nothing": (lambda s, r: s.advanced(r, -1), AHEAD, NOW + DAY, NOW + DAY - 1),
    "… where it stands": (lambda s, r: s.advanced(r, -1), STANDS, NOW + 5, NOW + 4),
    "a smaller offset": (lambda s, r: s.following(r, DAY - 1), AHEAD, NOW + DAY, NOW + DAY - 1),
    "an offset that is before where it stands": (lambda s, r: s.following(r, 4), STANDS, NOW + 5, NOW + 4),
    "real time": (lambda s, r: s.following(r, 0), AHEAD, NOW + DAY, NOW),
}


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_clock_never_goes_back(name: str) -> None:
    """The error has both times, for whoever tells it."""
    change, before, now, wanted = BACKWARDS[name]

    with pytest.raises(ClockWouldGoBackError) as raised:
        change(before, NOW)

    assert (now, wanted) == (raised.value.now, raised.value.wanted)
    assert f"it is {now:.3f} now, and a running clock never goes back to {wanted:.3f}" == str(raised.value)


def test_a_clock_that_was_frozen_goes_on_from_where_it_stood() -> None:
    """What passed meanwhile in reality has not passed."""
    frozen = AHEAD.moved(NOW, frozen=True)
    runs = frozen.moved(LATER, frozen=False)

    assert NOW + DAY == frozen.at(LATER) == runs.at(LATER)
    assert runs.at(LATER + 7) == NOW + DAY + 7


# Whole seconds, so that nothing is rounded: from 1971 to 9000.
MOMENTS = st.integers(31_536_000, 221_845_392_000).map(float)
SECONDS = st.integers(-(10**6), 10**6).map(float)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.one_of(
            st.builds(
                lambda moment, frozen: lambda s, r: s.moved(r, moment, frozen=frozen),
                st.none() | MOMENTS,
                st.none() | st.booleans(),
            ),
            st.builds(lambda seconds: lambda s, r: s.advanced(r, seconds), SECONDS),
            st.builds(lambda offset: lambda s, r: s.following(r, offset), SECONDS),
        ),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(STEPS, st.builds(ClockState, SECONDS) | st.builds(ClockState, st.just(0.0), MOMENTS))
def test_whatever_is_done_to_a_clock_it_shows_no_time_twice(steps: list[tuple[int, Change]], state: ClockState) -> None:
    """However changes follow one another while real time passes, what is refused included."""
    real, shown = NOW, state.at(NOW)
    for passed, change in steps:
        real += passed
        assert state.at(real) >= shown
        shown = state.at(real)
        with contextlib.suppress(ClockWouldGoBackError):
            state = change(state, real)
        assert state.at(real) >= shown
        shown = state.at(real)


def test_the_clock_of_a_world_follows_the_one_it_was_made_from() -> None:
    """Its state may be replaced."""
    real = FixedClock(NOW)
    clock = WorldClock(real, AHEAD)
    assert clock.now() == NOW + DAY
    real.advance(60)
    assert clock.now() == NOW + DAY + 60

    clock.state = STANDS

    assert clock.now() == NOW + 5


def test_a_fixed_clock_is_moved_forward_only() -> None:
    """It stands still otherwise."""
    clock = FixedClock(NOW)
    clock.advance(0)
    assert clock.now() == NOW

    with pytest.raises(ValueError, match="only moved forward"):
        clock.advance(-1)

    assert clock.now() == NOW


def test_the_system_clock_tells_unix_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one of this computer."""
    monkeypatch.setattr(time, "time", lambda: NOW)

    assert SystemClock().now() == NOW
