"""What a service adds to the conventions: rules beyond the schema, and what is shown beside a stored document.

The engine knows no service. An API whose service has rules brings a `Behaviour`; any other has `PLAIN`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from mock_server.identifiers import EnterpriseNumber, Ssin
from mock_server.problems import Issue
from mock_server.strict_json import Json
from mock_server.verdict import Provenance, Requirement
from mock_server.world.world import World


class Finding(NamedTuple):
    """A rule that is broken, and the issue that says where and how."""

    requirement: Requirement
    issue: Issue


class Findings(NamedTuple):
    """What rules have against a document: errors refuse it whole, warnings are answered beside what is stored."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    def known(self, provenances: frozenset[Provenance]) -> "Findings":
        """Return those of rules that have one of these provenances."""
        return Findings(
            tuple(one for one in self.errors if one.requirement.provenance in provenances),
            tuple(one for one in self.warnings if one.requirement.provenance in provenances),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """What a call is about, as far as its parameters tell."""

    path: str
    """Below the base path, in its canonical form: parameters percent-encoded, no slash at the beginning."""
    parameters: Mapping[str, str]
    """The path parameters in their canonical form, by name."""
    now: float
    """Unix seconds, by the world's clock."""
    enterprise: EnterpriseNumber | None = None
    ssin: Ssin | None = None
    year: int | None = None
    year_name: str = ""
    """The name of the parameter that holds the year."""
    apart: str = ""
    """Goes before the path of what is stored, where whose it is does not stand in the path: `1999000150//`."""

    @property
    def kept_at(self) -> str:
        """The path of the stored document."""
        return f"{self.apart}{self.path}"


class Behaviour(Protocol):
    """What a service adds, for one API in one world."""

    def judge(self, document: Json, place: Place) -> Findings:
        """Return what the service's rules have against a document that is to be stored."""

    def shown(self, document: Json, place: Place) -> Json:
        """Return a stored document as it is read, with what others have stored about the same."""


class Plain:
    """Adds nothing."""

    def judge(self, document: Json, place: Place) -> Findings:  # noqa: ARG002 - see Behaviour
        """Have nothing against it."""
        return Findings()

    def shown(self, document: Json, place: Place) -> Json:  # noqa: ARG002 - see Behaviour
        """Return it as it is."""
        return document


MakeBehaviour = Callable[[World], Behaviour]
Mentioned = Callable[[Any], tuple[Ssin, ...]]
"""Returns the persons that a document is to be found by."""


def plain(world: World) -> Behaviour:  # noqa: ARG001 - it needs nothing of the world
    """Return the behaviour of a service without rules."""
    return Plain()
