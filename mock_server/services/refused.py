"""How a decision about a call ends early."""

from collections.abc import Sequence

from mock_server import problems
from mock_server.problems import Issue, Problem
from mock_server.redaction import shown
from mock_server.services.issues import MAX_ISSUES
from mock_server.verdict import Requirement, Trail

_ISSUES_SHOWN = 5


class Refused(Exception):  # noqa: N818 - control flow of the decision on a call, not an error of the program
    """Ends the decision with a problem."""

    def __init__(self, problem: Problem, *, unread: bool = False, issues: Sequence[Issue] = ()) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.issues = issues
        """Of a 400, what is wrong."""
        self.unread = unread
        """Whether the body of the request has not been read."""


def refused(trail: Trail, requirement: Requirement, issues: Sequence[Issue]) -> Refused:
    """Note that a requirement is not met, and return the 400 with all issues."""
    trail.failed(requirement, "no issues", in_words(issues))
    return Refused(problems.bad_request(issues), issues=issues)


def with_others(ended: Refused, others: Sequence[Issue]) -> Refused:
    """Return a 400 with issues that were found before; any other refusal as it is."""
    if not ended.issues or not others:
        return ended
    issues = [*others, *ended.issues][:MAX_ISSUES]
    return Refused(problems.bad_request(issues), unread=ended.unread, issues=issues)


def refuse_if(trail: Trail, requirement: Requirement, issues: Sequence[Issue]) -> None:
    """Note that a requirement is met, or raise `Refused` when there are issues."""
    if issues:
        raise refused(trail, requirement, issues)
    trail.passed(requirement)


def in_words(issues: Sequence[Issue]) -> str:
    """Return the first issues as a trail tells them."""
    found = "; ".join(f"{issue.location} {shown(issue.name)}: {issue.detail}" for issue in issues[:_ISSUES_SHOWN])
    return found + (f"; and {len(issues) - _ISSUES_SHOWN} more" if len(issues) > _ISSUES_SHOWN else "")
