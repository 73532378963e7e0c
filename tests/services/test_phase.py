"""The platform's end: which call is answered how, phase by phase."""

from typing import Any

import pytest

from mock_server.services.phase import ALL, NOT_CLOSED, REGISTRATION, judge_phase
from mock_server.verdict import Outcome, Provenance, Requirement, Trail
from mock_server.world.model import CLOSED_ANSWER, CONSULTATION_ANSWER, Phase, PhaseAnswer, WorldSettings

READS = ["GET", "HEAD", "OPTIONS"]
WRITES = ["PUT", "POST", "PATCH", "DELETE", "TRACE"]


def judged(phase: Phase, method: str, *, ends: bool = True) -> tuple[int | None, list[tuple[Requirement, Outcome]]]:
    """Return the status of the refusal, if there is one, and the checks."""
    trail = Trail()
    problem = judge_phase(trail, WorldSettings(phase=phase), method, ends=ends)
    return None if problem is None else problem.status, [(check.requirement, check.outcome) for check in trail.checks]


@pytest.mark.parametrize("method", READS + WRITES)
def test_in_the_open_phase_everything_goes_on(method: str) -> None:
    """Both requirements are met."""
    assert judged(Phase.OPEN, method) == (None, [(NOT_CLOSED, Outcome.PASSED), (REGISTRATION, Outcome.PASSED)])


@pytest.mark.parametrize("method", READS)
def test_what_is_there_can_be_read_in_the_consultation_phase(method: str) -> None:
    """A call that reads goes on as before."""
    assert judged(Phase.CONSULTATION, method) == (None, [(NOT_CLOSED, Outcome.PASSED), (REGISTRATION, Outcome.PASSED)])


@pytest.mark.parametrize("method", WRITES)
def test_nothing_is_registered_in_the_consultation_phase(method: str) -> None:
    """A call that changes something, or might, is refused for the end of registration."""
    assert judged(Phase.CONSULTATION, method) == (403, [(NOT_CLOSED, Outcome.PASSED), (REGISTRATION, Outcome.FAILED)])


@pytest.mark.parametrize("method", READS + WRITES)
def test_nothing_is_answered_in_the_closed_phase(method: str) -> None:
    """Neither what reads nor what writes."""
    assert judged(Phase.CLOSED, method) == (410, [(NOT_CLOSED, Outcome.FAILED)])


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_service_that_does_not_end_has_no_phases(phase: Phase, method: str) -> None:
    """Whatever the world's phase, its calls go on, and nothing is said of it."""
    assert judged(phase, method, ends=False) == (None, [])


@pytest.mark.parametrize(
    ("phase", "setting", "usual"),
    [
        (Phase.CONSULTATION, "consultation_answer", CONSULTATION_ANSWER),
        (Phase.CLOSED, "closed_answer", CLOSED_ANSWER),
    ],
)
def test_the_refusal_is_the_worlds_own_setting(phase: Phase, setting: str, usual: PhaseAnswer) -> None:
    """Status, type, title and detail are those of the setting, and the advice names it."""
    answer = PhaseAnswer(451, "urn:problem-type:example:over", "Over", "All over")
    for given in (usual, answer):
        trail = Trail()
        changes: dict[str, Any] = {"phase": phase, setting: given}
        settings = WorldSettings(**changes)

        problem = judge_phase(trail, settings, "PUT", ends=True)

        assert problem is not None
        assert (problem.status, problem.type, problem.title, problem.detail) == given
        assert trail.first_failure is not None
        assert setting in trail.first_failure.advice


def test_what_is_assumed_is_said_to_be() -> None:
    """No public text tells what the API answers after its end, so that each requirement is an assumption."""
    assert {requirement.provenance for requirement in ALL} == {Provenance.ASSUMED}
    assert len({requirement.id for requirement in ALL}) == len(ALL)
    assert all(requirement.id.startswith("PHASE-") for requirement in ALL)
