"""Who may do what: the access table, over the wire."""

from pathlib import Path

import pytest

from tests.conftest import Starter
from tests.support import Caller, Reply, start

BASE = "/REST/careerpro-federal-learning-account/v1"
SSIN = "65111899997"
OWN, SECRETARIAT, TRAINER, OTHER = "1999000150", "1999000249", "1999000348", "1999000447"


def path(employer: str, ssin: str = SSIN, year: int = 2025) -> str:
    """Return the path of a year's trainings."""
    return f"{BASE}/employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"


def mandate(  # one argument for each member of a mandate
    *, mandator: str = OWN, mandatary: str = SECRETARIAT, service: str = "fla", start: str = "2026Q3", more: str = ""
) -> str:
    """Return a mandate as TOML; the tests' clock stands in 2026Q3."""
    return (
        f'[[mandates]]\nmandator = "{mandator}"\nmandatary = "{mandatary}"\nservice = "{service}"\n'
        f'start = "{start}"\n{more}\n'
    )


def read(caller: Caller, account: str, employer: str) -> Reply:
    """Read the trainings of an employer's employee, as an account."""
    return caller.call("GET", path(employer), headers={"authorization": f"Bearer {caller.token(account)}"})


@pytest.mark.parametrize(
    ("employer", "status"), [(OWN, 200), (OTHER, 403), (SECRETARIAT, 403), (TRAINER, 403), ("0880820673", 403)]
)
def test_an_employer_acts_for_its_own_number_only(caller: Caller, employer: str, status: int) -> None:
    """Any other number, known to the world or not, is 403 missingPermission."""
    reply = read(caller, "employer_rsa", employer)

    assert status == reply.status
    if status == 403:
        assert reply.json["type"] == "urn:problem-type:belgif:missingPermission"
        assert "www-authenticate" not in reply.headers
        assert caller.refused_by == "ACCESS-OWN-1"


MANDATES = {
    "none": ("", 403),
    "active since this quarter": (mandate(), 200),
    "active for long": (mandate(start="2020Q1"), 200),
    "in its last quarter": (mandate(start="2020Q1", more='end = "2026Q3"'), 200),
    "ended last quarter": (mandate(start="2020Q1", more='end = "2026Q2"'), 403),
    "starts next quarter": (mandate(start="2026Q4"), 403),
    "for another service": (mandate(service="dimona"), 403),
    "of another employer": (mandate(mandator=OTHER), 403),
    "only proposed": (mandate(more='status = "proposed"'), 403),
    "rejected": (mandate(more='status = "rejected"'), 403),
    "revoked": (mandate(more='status = "revoked"'), 403),
    "said to be active": (mandate(more='status = "active"'), 200),
    "ended, and given again": (
        mandate(start="2020Q1", more='end = "2025Q4"\nstatus = "ended"') + mandate(start="2026Q1"),
        200,
    ),
}


@pytest.mark.parametrize("account", ["secretariat", "provider"])
@pytest.mark.parametrize("name", MANDATES)
def test_a_mandatary_needs_a_mandate_that_is_active_today(started: Starter, name: str, account: str) -> None:
    """Both kinds of mandatary act for an employer that gave a mandate for the service, in today's quarter."""
    more, status = MANDATES[name]
    caller = started(more)

    reply = read(caller, account, OWN)

    assert status == reply.status
    if status == 403:
        assert reply.json["type"] == "urn:problem-type:belgif:missingPermission"
        assert caller.refused_by == "ACCESS-MANDATE-1"


def test_a_mandate_begins_at_midnight_in_brussels(started: Starter) -> None:
    """A quarter begins when it begins there, two hours before it does in UTC in summer."""
    caller = started(mandate(start="2026Q4"))
    to_midnight = 1_790_805_600 - caller.clock.now()  # 2026-10-01T00:00 in Brussels is 22:00 UTC the day before
    caller.clock.advance(to_midnight - 1)
    before = read(caller, "secretariat", OWN)
    caller.clock.advance(1)

    assert [before.status, read(caller, "secretariat", OWN).status] == [403, 200]


def test_giving_a_mandate_does_not_take_away_the_employers_own_right(started: Starter) -> None:
    """The employer may go on sending by itself."""
    assert read(started(mandate()), "employer_rsa", OWN).status == 200


def test_a_mandatarys_account_does_not_send_for_its_own_number(started: Starter) -> None:
    """For its own employees an enterprise uses an account in the capacity of employer (G§4.4); assumed."""
    caller = started()

    assert read(caller, "secretariat", SECRETARIAT).status == 403
    assert caller.refused_by == "ACCESS-MANDATARY-1"


def test_a_mandatarys_account_sends_for_its_own_number_on_request(started: Starter) -> None:
    """Example 6 of the guide can be read that way, so it is a setting of the world."""
    caller = started('[settings]\nmandatary_own_number = "allow"\n')

    assert read(caller, "secretariat", SECRETARIAT).status == 200


def test_the_trail_says_what_became_of_a_mandate_and_who_has_one(started: Starter) -> None:
    """A refusal for want of a mandate names the mandate that was found, and the mandatary that holds one."""
    more = mandate(start="2020Q1", more='end = "2025Q4"') + mandate(mandatary="1999000546", start="2026Q1")
    enterprise = '[[enterprises]]\nnumber = "1999000546"\nname = "Rival"\ncapacities = ["service-provider"]\n'
    caller = started(more + enterprise)

    read(caller, "secretariat", OWN)

    check = caller.exchanges[-1].refused_by
    assert check is not None
    assert "ended (from 2020Q1 to 2025Q4)" in check.found
    assert "1999000546" in check.advice


CLOSED = f'[settings]\nemployments = "closed"\n[[employments]]\nenterprise = "{OWN}"\nssin = "{SSIN}"\n'


def read_employee(caller: Caller, ssin: str) -> Reply:
    """Read the trainings of an employee, as its employer."""
    return caller.call("GET", path(OWN, ssin), headers={"authorization": f"Bearer {caller.token()}"})


def test_in_a_closed_world_only_employees_in_service_are_known(started: Starter) -> None:
    """An unknown employee is 404 with an issue on the SSIN, whose value is not repeated."""
    caller = started(CLOSED)

    known, unknown = read_employee(caller, SSIN), read_employee(caller, "62010199986")

    assert [known.status, unknown.status] == [200, 404]
    assert unknown.json["type"] == "urn:problem-type:belgif:resourceNotFound"
    (issue,) = unknown.json["issues"]
    assert (issue["in"], issue["name"]) == ("path", "ssin")
    assert b"62010199986" not in unknown.body
    assert caller.refused_by == "ACCESS-EMPLOYMENT-1"


def test_an_employee_who_is_not_in_service_is_hidden_from_who_may_not_know(started: Starter) -> None:
    """Access is decided before employment, so that a stranger cannot ask who works where."""
    caller = started(CLOSED)

    reply = caller.call(
        "GET", path(OWN, "62010199986"), headers={"authorization": f"Bearer {caller.token('provider')}"}
    )

    assert reply.status == 403


def test_an_enterprise_may_be_open_in_a_closed_world(started: Starter) -> None:
    """What an enterprise says of itself goes before what the world says."""
    closed = started('[settings]\nemployments = "closed"\n')
    file = Path(closed.mock.settings.world)
    name = 'name = "Employer"\n'
    file.write_text(file.read_text(encoding="utf-8").replace(name, f'{name}employments = "open"\n'), encoding="utf-8")

    opened = start(closed.mock.settings)

    assert [read_employee(world, SSIN).status for world in (closed, opened)] == [404, 200]
    opened.mock.close()


YEARS = {
    "the whole year lies inside": ("2025Q1", "", 200),
    "the mandate begins in its second quarter": ("2025Q2", "", 403),
    "the mandate ends with the year": ("2020Q1", 'end = "2026Q4"', 200),
}


@pytest.mark.parametrize("name", YEARS)
def test_the_calendar_year_may_have_to_lie_inside_the_mandate(started: Starter, name: str) -> None:
    """Off by default, since nothing public says so; with the setting, all four quarters of the path's year count."""
    begin, more, status = YEARS[name]
    settings = '[settings]\ncalendar_year_in_mandate = "require"\n'
    strict = started(settings + mandate(start=begin, more=more))

    reply = read(strict, "secretariat", OWN)

    assert reply.status == status
    assert strict.refused_by == (None if status == 200 else "ACCESS-MANDATE-2")


def test_by_default_the_calendar_year_does_not_matter(started: Starter) -> None:
    """A mandate of this quarter is enough for data of last year."""
    assert read(started(mandate(start="2026Q3")), "secretariat", OWN).status == 200
