"""Who may do what: the access table, as one pure decision on (account, enterprise, world facts, now)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from mock_server import problems
from mock_server.identifiers import Capacity, EnterpriseNumber, Quarter, ServiceName, Ssin
from mock_server.problems import REFERENCED_RESOURCE_NOT_FOUND, Issue, Problem
from mock_server.services.documents.held import Held
from mock_server.verdict import Provenance, Requirement, Trail
from mock_server.world.model import Account, CalendarYear, Mandate, MandateStatus, OwnNumber, WorldSettings

OWN_NUMBER = Requirement(
    "ACCESS-OWN-1",
    "An account of an employer or a training provider sends for the number of its own enterprise.",
    "G§2.1, §2.5",
    Provenance.DOCUMENTED,
)
MANDATE = Requirement(
    "ACCESS-MANDATE-1",
    "A mandatary sends for an employer that gave it a mandate for the service, active in today's quarter.",
    "G§2.2; MAHIS",
    Provenance.DOCUMENTED,
)
MANDATARY_OWN_NUMBER = Requirement(
    "ACCESS-MANDATARY-1",
    "A mandatary's account does not send for the mandatary's own number.",
    "G§4.4, against example 6 of G§2.3; a setting",
    Provenance.ASSUMED,
)
MANDATE_YEAR = Requirement(
    "ACCESS-MANDATE-2",
    "All four quarters of the calendar year lie inside the mandate.",
    "not known (MAHIS says nothing of it); a setting, off",
    Provenance.ASSUMED,
)
EMPLOYMENT = Requirement(
    "ACCESS-EMPLOYMENT-1",
    "Data of an employee goes under the number that does the Dimona for that employee.",
    "G§2.3 (that it is checked, and how, is assumed)",
    Provenance.ASSUMED,
)
ALL = (OWN_NUMBER, MANDATE, MANDATE_YEAR, MANDATARY_OWN_NUMBER, EMPLOYMENT)


class WorldFacts(Protocol):
    """What the decision asks of a world."""

    settings: WorldSettings

    def mandates_given(self, mandator: EnterpriseNumber, service: ServiceName) -> list[Mandate]:
        """Return the mandates that an employer has or had for a service."""

    def employs(self, number: EnterpriseNumber, ssin: Ssin) -> bool:
        """Whether a person is in service of an enterprise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call is about."""

    employer: EnterpriseNumber
    service: ServiceName
    now: float
    """Unix seconds, by the world's clock: a right is decided on the day of the call."""
    year: int | None = None
    """The calendar year of the data, where the path has one."""


def judge_enterprise(trail: Trail, account: Account, asked: Asked, facts: WorldFacts) -> Problem | None:
    """Return the 403 if an account may not act for an enterprise."""
    if not account.capacity.is_mandatary:
        return _judge_own_number(trail, account, asked.employer)
    if asked.employer == account.enterprise:
        return _judge_mandatary_own_number(trail, facts.settings)
    return _judge_mandate(trail, account, asked, facts)


def _judge_own_number(trail: Trail, account: Account, employer: EnterpriseNumber) -> Problem | None:
    if employer == account.enterprise:
        trail.passed(OWN_NUMBER)
        return None
    advice = "To send for another employer, an enterprise needs a mandate, and an account as a mandatary."
    if account.capacity is Capacity.TRAINING_PROVIDER:
        advice = "A training provider sends under its own number, and names the participant's employer in the data."
    trail.failed(OWN_NUMBER, f"{account.enterprise}, the number of the account's enterprise", employer, advice)
    return problems.missing_permission("The account may act for its own enterprise number only")


def _judge_mandatary_own_number(trail: Trail, settings: WorldSettings) -> Problem | None:
    if settings.mandatary_own_number is OwnNumber.ALLOW:
        trail.passed(MANDATARY_OWN_NUMBER, "allowed by a setting")
        return None
    trail.failed(
        MANDATARY_OWN_NUMBER,
        "the number of an employer that gave a mandate",
        "the mandatary's own number",
        "Use an account of capacity employer for the enterprise's own employees, or set mandatary_own_number to allow.",
    )
    return problems.missing_permission("The account acts for employers that gave a mandate, not for its own enterprise")


def _judge_mandate(trail: Trail, account: Account, asked: Asked, facts: WorldFacts) -> Problem | None:
    quarter = Quarter.at(asked.now)
    given = facts.mandates_given(asked.employer, asked.service)
    mine = [mandate for mandate in given if mandate.mandatary == account.enterprise]
    active = [mandate for mandate in mine if mandate.status_in(quarter) is MandateStatus.ACTIVE]
    if not active:
        found = "; ".join(_describe(mandate, quarter) for mandate in mine)
        trail.failed(
            MANDATE,
            f"a mandate of {asked.employer} to {account.enterprise} for {asked.service}, active in {quarter}",
            found or f"no mandate of {asked.employer} for {asked.service}",
            _holder(given, quarter),
        )
        if found:
            trail.near_misses.append(f"{account.enterprise} has a mandate of {asked.employer}, {found}.")
        return problems.missing_permission("No active mandate of this employer for this service")
    trail.passed(MANDATE)
    if facts.settings.calendar_year_in_mandate is CalendarYear.IGNORE or asked.year is None:
        return None
    if any(_holds_year(mandate, asked.year) for mandate in active):
        trail.passed(MANDATE_YEAR)
        return None
    periods = "; ".join(_describe(mandate, quarter) for mandate in active)
    advice = "Send data of years inside the mandate, or set calendar_year_in_mandate to ignore."
    trail.failed(MANDATE_YEAR, f"a mandate that covers {asked.year}", periods, advice)
    return problems.missing_permission("The mandate of this employer does not cover this calendar year")


def _holds_year(mandate: Mandate, year: int) -> bool:
    return mandate.start <= Quarter(year, 1) and (mandate.end is None or Quarter(year, 4) <= mandate.end)


def _describe(mandate: Mandate, quarter: Quarter) -> str:
    period = f"from {mandate.start}" + (f" to {mandate.end}" if mandate.end else "")
    return f"one that is {mandate.status_in(quarter)} ({period})"


def _holder(given: Iterable[Mandate], quarter: Quarter) -> str:
    active = [mandate.mandatary for mandate in given if mandate.status_in(quarter) is MandateStatus.ACTIVE]
    return f"The employer's mandatary for this service is {', '.join(active)}." if active else ""


def judge_employment(
    trail: Trail, employer: EnterpriseNumber, ssin: Ssin, facts: WorldFacts, held: Held
) -> Problem | None:
    """Return the refusal if a person is not in service of an enterprise; in an open world everybody is.

    `held` is the parameter with the SSIN: what is unknown in a path is a 404, anywhere else a 400 (Belgif rest-guide,
    referencedResourceNotFound).
    """
    if facts.employs(employer, ssin):
        trail.passed(EMPLOYMENT)
        return None
    trail.failed(
        EMPLOYMENT,
        f"an employee in service of {employer}",
        "a person who is not",
        "Add the employment to the world, or set employments to open.",
    )
    detail = "this person is not in service of this employer"
    if held.location != "path":
        return problems.bad_request([Issue(REFERENCED_RESOURCE_NOT_FOUND, held.location, held.parameter, detail)])
    issue = Issue(None, "path", held.parameter, detail)
    return problems.resource_not_found("No such employee of this employer", [issue])
