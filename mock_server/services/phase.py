"""The platform's end: what a service that ends still answers, phase by phase.

That registration stopped on 1 January 2026, that what was registered can be read until the end of that year, and that
it is destroyed on 1 January 2027 is known from secondary sources (announcements of social secretariats about the law of
14 January 2026). What the API answers from then on is in none of them: status and problem are settings of a world.
"""

from mock_server.problems import Problem
from mock_server.verdict import Provenance, Requirement, Trail
from mock_server.world.model import Phase, PhaseAnswer, WorldSettings

_SOURCE = "Law of 14 January 2026, as secondary sources tell of it; what a call is answered is assumed"

NOT_CLOSED = Requirement(
    "PHASE-CLOSED-1", "The service has not ended: after its end it answers no call.", _SOURCE, Provenance.ASSUMED
)
REGISTRATION = Requirement(
    "PHASE-REGISTRATION-1",
    "Registration has not ended, or the call only reads: from then on nothing is added, changed or deleted.",
    _SOURCE,
    Provenance.ASSUMED,
)
ALL = (NOT_CLOSED, REGISTRATION)

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ADVICE = "Set the world's phase to {} to go on, or its {} to what this call should be answered."


def judge_phase(trail: Trail, settings: WorldSettings, method: str, *, ends: bool) -> Problem | None:
    """Return what a call is refused with in the phase of its world; None where it goes on.

    `method` is that of HTTP, in capitals. A service that does not end (`ends`) has no phases, and nothing is noted.
    """
    if not ends:
        return None
    phase = settings.phase
    if phase is Phase.CLOSED:
        advice = _ADVICE.format("open", "closed_answer")
        trail.failed(NOT_CLOSED, "a call before the service ended", "the phase closed", advice)
        return _problem(settings.closed_answer)
    trail.passed(NOT_CLOSED)
    if phase is Phase.CONSULTATION and method not in _READS:
        advice = _ADVICE.format("open", "consultation_answer")
        trail.failed(REGISTRATION, "a call that reads", f"{method} in the phase consultation", advice)
        return _problem(settings.consultation_answer)
    trail.passed(REGISTRATION)
    return None


def _problem(answer: PhaseAnswer) -> Problem:
    return Problem(answer.type, answer.title, answer.status, answer.detail)
