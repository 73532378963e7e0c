"""What an operation is asked to do, what came of it, and why nothing did."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_server.problems import Issue
from mock_server.services.behaviour import Finding, Place
from mock_server.services.contract import Operation
from mock_server.services.conventions import Convention
from mock_server.services.documents.shape import Schema

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Writes JSON compactly."""
NOTHING = object()
"""In place of a value: there is none."""


class NoneHereError(Exception):
    """Nothing is kept at the path that was called."""


class ThereAlreadyError(Exception):
    """Something is kept at the path that a new member would have."""


class NoKeyError(Exception):
    """No identifier of a new member can be made in the format of the contract's path parameter."""


class UnfitError(Exception):
    """What would be kept does not follow the contract; has the issues."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__()
        self.issues = tuple(issues)


class BrokenRulesError(Exception):
    """What would be kept breaks rules of the service; has the findings."""

    def __init__(self, errors: Sequence[Finding]) -> None:
        super().__init__()
        self.errors = tuple(errors)


class CannotAnswerError(Exception):
    """There is no way to answer as the contract asks; says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operation is to do."""

    operation: Operation
    convention: Convention
    place: Place
    url: str
    """Of the path that was called, absolute, without query."""
    query: Sequence[tuple[str, str]]
    values: Mapping[tuple[str, str], Any]
    """The parameters, by location and name."""
    body: Any = NOTHING
    judge_key: Callable[[str], None] | None = None
    """Refuses the identifier of a member that the caller may do nothing for; None where any will do."""
    sees_key: Callable[[str], bool] | None = None
    """Whether the caller may see the member with an identifier; None where all may be seen."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done."""

    value: Any = NOTHING
    """What there is to answer with, in the form that it is kept in."""
    stored: Any = NOTHING
    """What is stored, where more is shown: to be answered when the contract leaves no room for that."""
    schema: Schema | None = None
    """Which the value has been made to fit already; else it is still to be fitted to the answer's."""
    was_made: bool = False
    """Whether something is there now that was not before."""
    location: str | None = None
    """The URL of what was made."""
    parameters: Mapping[str, str] | None = None
    """The path parameters of what was made, where they are not those of the call."""
    warnings: Sequence[Finding] = ()
    """What the rules of the service have against what was made of it, without refusing it."""
    change: Callable[[], None] | None = None
    """What is still to be done, once there is an answer to give."""
