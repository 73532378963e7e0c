"""Verdicts: a list of checks, each the outcome of one requirement, with what was expected and what was found.

The same verdict becomes the refusal on the wire, the trail in the journal, and what the `explain`
commands print, so nothing is decided twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple


class Provenance(StrEnum):
    """How well a rule is known."""

    DOCUMENTED = "documented"
    """The guide, or another official page of the platform, says so."""
    PLATFORM = "platform"
    """The convention of the platform's REST APIs (Belgif, developer guide)."""
    RFC = "rfc"
    """An RFC that the platform names says so."""
    ASSUMED = "assumed"
    """Our choice: nothing public says so."""


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """A rule with a stable id. There is one object for each, compared by identity."""

    id: str
    statement: str
    source: str
    provenance: Provenance


class Outcome(StrEnum):
    """What a check found."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"
    """An earlier check failed, and this one needs what that one would have given."""


class Check(NamedTuple):
    """One evaluation of a requirement on one exchange."""

    requirement: Requirement
    outcome: Outcome
    expected: str = ""
    found: str = ""
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the check as JSON members; empty texts are left out."""
        members = {
            "id": self.requirement.id,
            "outcome": self.outcome.value,
            "statement": self.requirement.statement,
            "source": self.requirement.source,
            "provenance": self.requirement.provenance.value,
        }
        texts = {"expected": self.expected, "found": self.found, "advice": self.advice}
        return members | {name: text for name, text in texts.items() if text}


class Trail:
    """The checks of one decision, in the order they were made."""

    __slots__ = ("checks", "evidence", "first_failure", "near_misses")

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.first_failure: Check | None = None
        """The check that the refusal on the wire is derived from; None when all is well."""
        self.near_misses: list[str] = []
        """What would have been accepted, and how little it differs: one sentence each."""
        self.evidence: Mapping[str, Any] | None = None
        """What was judged, decoded: the header and the claims of an assertion, never its signature."""

    def passed(self, requirement: Requirement, found: str = "") -> None:
        """Note that a requirement is met."""
        # Forty times a token request: a check that says nothing of its own is made once.
        self.checks.append(Check(requirement, _PASSED, "", found) if found else _met(requirement))

    def failed(self, requirement: Requirement, expected: str, found: str, advice: str = "") -> None:
        """Note that a requirement is not met: what was expected, what came, what to do."""
        check = Check(requirement, Outcome.FAILED, expected, found, advice)
        self.first_failure = self.first_failure or check
        self.checks.append(check)

    def not_judged(self, requirement: Requirement, reason: str) -> None:
        """Note that a requirement could not be judged, and why."""
        self.checks.append(Check(requirement, Outcome.NOT_JUDGED, "", reason))

    @property
    def accepted(self) -> bool:
        """Whether no check failed."""
        return self.first_failure is None


_PASSED = Outcome.PASSED


@cache
def _met(requirement: Requirement) -> Check:
    return Check(requirement, _PASSED)
