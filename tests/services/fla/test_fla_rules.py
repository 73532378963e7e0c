"""The rules of the FLA beyond its contracts: each broken alone, all found, and none thought to see where it is not."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server import problems
from mock_server.identifiers import EnterpriseNumber, parse_enterprise_number
from mock_server.problems import Issue
from mock_server.services.behaviour import Finding
from mock_server.services.fla import requirements, rules
from mock_server.services.fla.rules import Reference
from mock_server.verdict import Provenance
from tests.support import NOW

TODAY = rules.today(NOW)
SSIN, OTHER_SSIN = "65111899997", "85073099932"
PROVIDER, EMPLOYER = "1999000348", "1999000150"
REFERENCE = {"enterpriseNumber": PROVIDER, "trainingKey": "first-aid"}
SENT = Reference(parse_enterprise_number(PROVIDER), "first-aid")
Told = tuple[str, str, str, str]

URN = {
    "invalidInput": problems.INVALID_INPUT,
    "invalidPeriod": problems.INVALID_PERIOD,
    "invalidStructure": problems.INVALID_STRUCTURE,
    "outOfRange": problems.OUT_OF_RANGE,
    "rejectedInput": problems.REJECTED_INPUT,
    "referencedResourceNotFound": problems.REFERENCED_RESOURCE_NOT_FOUND,
}


def training(**changes: Any) -> dict[str, Any]:
    """Return a training that no rule has anything against, changed; a member changed to None is left out."""
    good = {
        "name": "First aid at work",
        "startDate": "2025-03-06",
        "endDate": "2025-03-07",
        "duration": {"value": 2, "unit": "days"},
        "type": "formal",
        "status": "followed",
        "certificate": {"obtained": True, "validUntil": "2028-03-07"},
        "countsForIndividualRight": True,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def participant(**changes: Any) -> dict[str, Any]:
    """Return a participant that no rule has anything against, changed."""
    good = {
        "ssin": SSIN,
        "employer": EMPLOYER,
        "certificate": {"obtained": True, "validUntil": "2028-03-07"},
        "countsForIndividualRight": True,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def provided(**changes: Any) -> dict[str, Any]:
    """Return what a provider sends and no rule has anything against, changed."""
    good = {"status": "completed", "participants": [participant()], "certificate": None}
    return training(**({"countsForIndividualRight": None} | good | changes))


def told(found: tuple[Finding, ...]) -> list[Told]:
    """Return what findings come to: requirement, last part of the issue's type, where, and which member."""
    return [
        (one.requirement.id, str(one.issue.type).rpartition(":")[2], one.issue.location, one.issue.name)
        for one in found
    ]


def of_list(*items: Any, year: int = 2025) -> tuple[Finding, ...]:
    """Return the errors of an employer's list."""
    return rules.findings(rules.list_errors({"items": list(items)}, year)).errors


def doubts(*items: Any, day: dt.date = TODAY) -> tuple[Finding, ...]:
    """Return the warnings of an employer's list."""
    return rules.findings((), rules.list_warnings({"items": list(items)}, day)).warnings


def of_provider(document: Any, day: dt.date = TODAY) -> tuple[Finding, ...]:
    """Return the errors of what a provider sends."""
    return rules.findings(rules.provided_errors(document, day)).errors


def doubts_of_provider(document: Any, day: dt.date = TODAY) -> tuple[Finding, ...]:
    """Return the warnings of what a provider sends."""
    return rules.findings((), rules.provided_warnings(document, day)).warnings


PERIODS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "the end a day before the start": (
        {"startDate": "2025-03-07", "endDate": "2025-03-06"},
        "FLA-PERIOD-1",
        "invalidPeriod",
        "endDate",
    ),
    "no duration": ({"duration": {"value": 0, "unit": "days"}}, "FLA-DURATION-1", "outOfRange", "duration.value"),
    "a negative duration of no unit that we know": (
        {"duration": {"value": -0.5, "unit": "weeks"}},
        "FLA-DURATION-1",
        "outOfRange",
        "duration.value",
    ),
    "more days than the period has": (
        {"duration": {"value": 2.5, "unit": "days"}},
        "FLA-DURATION-2",
        "outOfRange",
        "duration.value",
    ),
    "more hours than the period has": (
        {"duration": {"value": 48.25, "unit": "hours"}},
        "FLA-DURATION-2",
        "outOfRange",
        "duration.value",
    ),
}
CERTIFICATES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "valid until the day before the last": (
        {"certificate": {"obtained": True, "validUntil": "2025-03-06"}},
        "FLA-CERTIFICATE-1",
        "invalidPeriod",
        "certificate.validUntil",
    ),
    "valid without having been obtained": (
        {"certificate": {"obtained": False, "validUntil": "2028-03-07"}},
        "FLA-CERTIFICATE-2",
        "rejectedInput",
        "certificate.validUntil",
    ),
}
IN_LIST: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "over before the year": (
        {"startDate": "2024-12-30", "endDate": "2024-12-31"},
        "FLA-PERIOD-2",
        "outOfRange",
        "endDate",
    ),
    "begun after the year": (
        {"startDate": "2026-01-01", "endDate": "2026-01-02"},
        "FLA-PERIOD-2",
        "outOfRange",
        "startDate",
    ),
    "a provider's number with wrong check digits": (
        {"trainingProvider": {"enterpriseNumber": "1999000349", "trainingKey": "k"}},
        "FLA-ENTERPRISE-1",
        "invalidStructure",
        "trainingProvider.enterpriseNumber",
    ),
}


@pytest.mark.parametrize("case", [*PERIODS, *CERTIFICATES, *IN_LIST])
def test_a_rule_that_an_item_breaks_is_told_with_its_place(case: str) -> None:
    """One change to a good list is one error, of the member that is to be mended."""
    changes, rule, kind, name = (PERIODS | CERTIFICATES | IN_LIST)[case]
    found = of_list(training(), training(name="Another"), training(**changes))

    assert told(found) == [(rule, kind, "body", f"items[2].{name}")]


PROVIDED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "over before the FLA": (
        {"startDate": "2022-12-30", "endDate": "2022-12-31"},
        "FLA-PERIOD-3",
        "outOfRange",
        "endDate",
    ),
    "begun after next year": (
        {"startDate": "2028-01-01", "endDate": "2028-01-02", "participants": []},
        "FLA-PERIOD-3",
        "outOfRange",
        "startDate",
    ),
}
PARTICIPANTS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "an SSIN with wrong check digits": (
        {"ssin": "65111899998"},
        "FLA-SSIN-1",
        "invalidStructure",
        "participants[1].ssin",
    ),
    "an employer with wrong check digits": (
        {"employer": "1999000151"},
        "FLA-ENTERPRISE-1",
        "invalidStructure",
        "participants[1].employer",
    ),
    "the same person with the same employer": (
        {"ssin": SSIN},
        "FLA-PARTICIPANT-1",
        "invalidInput",
        "participants[1]",
    ),
}


@pytest.mark.parametrize("case", [*PERIODS, *PROVIDED])
def test_a_rule_that_a_providers_training_breaks_is_told_with_its_place(case: str) -> None:
    """What a provider sends is judged like an item of a list, and by the years of the FLA."""
    changes, rule, kind, name = (PERIODS | PROVIDED)[case]

    assert told(of_provider(provided(**changes))) == [(rule, kind, "body", name)]


@pytest.mark.parametrize("case", [*CERTIFICATES, *PARTICIPANTS])
def test_a_rule_that_a_participant_breaks_is_told_with_its_place(case: str) -> None:
    """Each participant has numbers and a certificate of its own."""
    changes, rule, kind, name = (CERTIFICATES | PARTICIPANTS)[case]
    second = participant(**({"ssin": OTHER_SSIN} | changes))

    [found] = told(of_provider(provided(participants=[participant(), second])))

    assert found in {(rule, kind, "body", name), (rule, kind, "body", f"participants[1].{name}")}


GOOD: dict[str, dict[str, Any]] = {
    "as it is": {},
    "one day": {"startDate": "2025-03-07", "duration": {"value": 24, "unit": "hours"}},
    "as long as the period, in days": {"duration": {"value": 2.0, "unit": "days"}},
    "as long as the period, in hours": {"duration": {"value": 48, "unit": "hours"}},
    "hardly anything": {"duration": {"value": 0.01, "unit": "hours"}},
    "begun on the last day of the year before": {"startDate": "2024-12-31", "endDate": "2025-01-01"},
    "over on the first day of the year after": {
        "startDate": "2025-12-31",
        "endDate": "2026-01-01",
        "certificate": {"obtained": False},
    },
    "longer than the year": {"startDate": "2024-06-01", "endDate": "2026-06-01", "certificate": {"obtained": False}},
    "a certificate until the last day": {"certificate": {"obtained": True, "validUntil": "2025-03-07"}},
    "a certificate without end": {"certificate": {"obtained": True}},
    "a leap day": {"startDate": "2024-02-29", "endDate": "2025-01-01"},
    "a provider's number without its zero": {
        "trainingProvider": {"enterpriseNumber": "880820673", "trainingKey": "k"},
    },
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_just_right_breaks_no_rule(case: str) -> None:
    """The bounds themselves are allowed."""
    assert of_list(training(**GOOD[case])) == ()
    assert doubts(training(**GOOD[case])) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"startDate": "2022-06-01", "endDate": "2023-01-01"},
        {"startDate": "2027-12-31", "endDate": "2028-01-31", "participants": [participant(certificate=None)]},
        {"participants": [participant(ssin="17073003384", employer=None)]},
        {"participants": [participant(), participant(employer=None), participant(employer="1999000447")]},
        {"participants": [participant(), participant(ssin=OTHER_SSIN)]},
    ],
)
def test_what_a_provider_may_send_breaks_no_rule(changes: dict[str, Any]) -> None:
    """A period that touches the FLA's years is enough, and one person may take part for several employers."""
    assert of_provider(provided(**changes)) == ()
    assert doubts_of_provider(provided(**changes)) == ()


@pytest.mark.parametrize("ssin", [SSIN, "00000000097", "98472899765"])
def test_an_ssin_of_a_participant_is_judged_by_its_check_digits_alone(ssin: str) -> None:
    """The documented example has a counter that stricter rules refuse."""
    assert of_provider(provided(participants=[participant(ssin=ssin)])) == ()


def test_an_employer_with_and_without_its_leading_zero_is_one_employer() -> None:
    """Nine digits name the same company as ten."""
    twice = [participant(employer="0880820673"), participant(employer="880820673")]

    assert told(of_provider(provided(participants=twice))) == [
        ("FLA-PARTICIPANT-1", "invalidInput", "body", "participants[1]")
    ]


def test_participants_with_an_employer_that_cannot_be_read_are_not_compared() -> None:
    """Whether it is the same employer, or none, is not known; that it is no number is the schema's business."""
    unreadable = participant(employer="1999.000.150")

    assert of_provider(provided(participants=[unreadable, unreadable, participant(employer=None)])) == ()


@pytest.mark.parametrize(("year", "is_right"), [(2022, False), (2023, True), (2027, True), (2028, False)])
def test_the_calendar_year_is_one_from_2023_to_next_year(year: int, is_right: bool) -> None:  # noqa: FBT001 - a case
    """The world's clock tells which year is the next."""
    found = rules.findings(rules.year_errors(year, "calendarYear", TODAY)).errors

    assert told(found) == ([] if is_right else [("FLA-YEAR-1", "outOfRange", "path", "calendarYear")])


def test_a_place_without_a_year_has_none_to_judge() -> None:
    """A contract need not have a calendar year in its path."""
    early = training(startDate="2019-01-01", endDate="2019-01-02")

    assert list(rules.year_errors(None, "", TODAY)) == []
    assert list(rules.list_errors({"items": [early]}, None)) == []


def test_the_year_ends_in_brussels() -> None:
    """New year is an hour earlier there than in UTC."""
    new_year = dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC).timestamp()

    assert [rules.today(new_year - 1), rules.today(new_year)] == [dt.date(2026, 12, 31), dt.date(2027, 1, 1)]


def test_a_period_that_runs_backwards_is_told_once() -> None:
    """Neither its year nor its length can be judged: which of the dates is wrong is not known."""
    backwards = training(startDate="2026-03-06", endDate="2024-03-06", duration={"value": 9, "unit": "days"})

    assert [rule for rule, *_ in told(of_list(backwards))] == ["FLA-PERIOD-1"]


def test_every_rule_that_every_item_breaks_is_told_in_the_order_of_the_items() -> None:
    """Nobody mends a list one fault at a time."""
    bad = training(
        endDate="2025-03-05",
        duration={"value": 0, "unit": "days"},
        certificate={"obtained": True, "validUntil": "2025-03-01"},
    )
    rules_broken = ["FLA-PERIOD-1", "FLA-DURATION-1", "FLA-CERTIFICATE-1"]
    found = told(of_list(bad, training(), bad))

    assert [rule for rule, *_ in found] == rules_broken * 2
    assert [name.partition(".")[0] for *_, name in found] == ["items[0]"] * 3 + ["items[2]"] * 3


@pytest.mark.parametrize(
    ("changes", "rule", "name"),
    [
        ({"status": "planned", "countsForIndividualRight": False}, "FLA-PLANNED-1", "items[1].endDate"),
        (
            {"status": "planned", "startDate": "2026-09-21", "endDate": "2026-09-21"},
            "FLA-RIGHT-1",
            "items[1].countsForIndividualRight",
        ),
        ({"name": "One"}, "FLA-TWINS-1", "items[1]"),
    ],
)
def test_what_is_doubtful_in_a_list_is_a_warning(changes: dict[str, Any], rule: str, name: str) -> None:
    """A warning says what is probably not meant, and refuses nothing."""
    found = doubts(training(name="One"), training(**changes))

    assert told(found) == [(rule, "invalidInput", "body", name)]


@pytest.mark.parametrize(
    ("changes", "rule", "name"),
    [
        (
            {"status": "planned", "participants": [participant(countsForIndividualRight=False)]},
            "FLA-PLANNED-1",
            "endDate",
        ),
        (
            {"status": "planned", "startDate": "2026-09-21", "endDate": "2026-09-21"},
            "FLA-RIGHT-1",
            "participants[0].countsForIndividualRight",
        ),
    ],
)
def test_what_is_doubtful_in_a_providers_training_is_a_warning(changes: dict[str, Any], rule: str, name: str) -> None:
    """The same doubts as in a list, for each participant."""
    assert told(doubts_of_provider(provided(**changes))) == [(rule, "invalidInput", "body", name)]


def test_a_planned_training_is_late_when_its_last_day_is_over() -> None:
    """On its last day it may still take place."""
    planned = training(status="planned", countsForIndividualRight=False, endDate="2026-09-21")

    assert doubts(planned, day=dt.date(2026, 9, 21)) == ()
    assert [rule for rule, *_ in told(doubts(planned, day=dt.date(2026, 9, 22)))] == ["FLA-PLANNED-1"]


def test_identical_trainings_are_told_of_the_later_ones_and_name_the_first() -> None:
    """Each further one is told; one that differs in a single member is none."""
    found = doubts(training(), training(externalReference="a"), training(), training())

    assert [one.issue.name for one in found] == ["items[2]", "items[3]"]
    assert all("items[0]" in one.issue.detail for one in found)


def test_the_order_of_members_does_not_make_trainings_different() -> None:
    """JSON objects have no order."""
    turned = dict(reversed(training().items()))

    assert [one.issue.name for one in doubts(training(), turned)] == ["items[1]"]


def test_references_have_to_be_known_and_made_once() -> None:
    """An employer corrects a record that there is, in one item; a number without its zero is the same number."""
    unknown = training(trainingProvider=REFERENCE | {"trainingKey": "other"})
    known = training(trainingProvider=REFERENCE)

    found = rules.findings(rules.reference_errors({"items": [known, unknown, known]}, {SENT})).errors

    assert told(found) == [
        ("FLA-REFERENCE-1", "referencedResourceNotFound", "body", "items[1].trainingProvider"),
        ("FLA-REFERENCE-2", "invalidInput", "body", "items[2].trainingProvider"),
    ]


def test_where_nobody_can_tell_which_records_there_are_none_is_unknown() -> None:
    """A call that names no employee cannot be asked for the employee's records."""
    document = {"items": [training(trainingProvider=REFERENCE), training(trainingProvider=REFERENCE)]}
    found = rules.findings(rules.reference_errors(document, None)).errors

    assert [rule for rule, *_ in told(found)] == ["FLA-REFERENCE-2"]


def test_no_finding_tells_who_somebody_is() -> None:
    """Details and values name neither an SSIN nor a company nor a training."""
    bad = provided(
        name="A telling name",
        endDate="2025-03-01",
        participants=[participant(ssin="65111899998"), participant(employer="1999000151"), participant()] * 2,
    )
    found = json.dumps([one.issue.as_dict() for one in of_provider(bad) + doubts_of_provider(bad)])

    assert found.count("participants[") > 3
    assert not any(secret in found for secret in ("65111899", "1999000", "telling"))


def test_no_more_than_a_hundred_errors_and_warnings_are_told() -> None:
    """A long list with a fault in each item is told of as far as anyone would read."""
    bad = training(status="planned", duration={"value": 0, "unit": "days"})

    assert len(of_list(*[bad] * 300)) == 100
    assert len(doubts(*[bad] * 300)) == 100


def test_assumed_rules_do_not_crowd_out_those_that_stay_without_them() -> None:
    """Whoever wants the documented rules alone is refused for one, though a hundred assumed ones come before it."""
    assumed = training(duration={"value": 0, "unit": "days"})
    firm = training(endDate="2025-03-05")
    errors = of_list(*[assumed] * 300, firm)
    documented = frozenset(Provenance) - {Provenance.ASSUMED}

    assert len(errors) == 100
    assert told(rules.findings(errors).known(documented).errors) == [
        ("FLA-PERIOD-1", "invalidPeriod", "body", "items[300].endDate")
    ]


def test_errors_of_documented_rules_are_bounded_too() -> None:
    """No more than a hundred of any kind."""
    assert len(of_list(*[training(endDate="2025-03-05")] * 300)) == 100


class Counted(dict[str, Any]):
    """A training that counts how often it is compared with another."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = None


def test_identical_trainings_are_found_without_comparing_each_with_each() -> None:
    """Ten thousand trainings are looked at once each."""
    items = [Counted(training(externalReference=str(number // 2))) for number in range(10_000)]

    assert len(doubts(*items)) == 100
    assert Counted.compared == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
DATES = st.dates().map(dt.date.isoformat) | st.sampled_from(["2025-02-30", "20250330", "2025-W01-1", "٢٠٢٥-01-01", ""])
VALUES = JSON | DATES | st.sampled_from([SSIN, PROVIDER, "planned", "hours", "days", "65.11.18-999.97"])
NAMED = (*training(), *participant(), *REFERENCE, "value", "unit", "obtained", "validUntil")
NAMES = st.sampled_from(sorted(set(NAMED)))
PARTS = st.dictionaries(NAMES, VALUES)
GROUPS = st.sampled_from(["duration", "certificate", "trainingProvider", "participants", "items"])


def nested(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return objects with members of ours that hold something of the strategy, or a list of it, or neither."""
    whole = st.dictionaries(GROUPS, parts | st.lists(parts | JSON, max_size=3) | JSON)
    return st.tuples(st.dictionaries(NAMES, VALUES), whole).map(lambda both: both[0] | both[1])


DOCUMENTS = JSON | nested(nested(PARTS))


@given(DOCUMENTS)
@example({"items": [training(startDate="2025-02-30")]})
@example({"items": [training(duration={"value": 10**400, "unit": "hours"})]})
@example({"items": [training(duration={"value": float("nan"), "unit": "hours"})]})
@example({"items": [training(duration={"value": True, "unit": "hours"})]})
@example({"items": {"0": training()}, "participants": "all"})
@example(provided(participants=[participant(ssin=5, employer=["1999000150"], certificate="yes"), None, []]))
def test_any_value_is_judged(document: Any) -> None:
    """Whatever JSON comes, the rules find something or nothing, and every finding can be answered."""
    errors = [*rules.list_errors(document, 2025), *rules.provided_errors(document, TODAY)]
    errors += rules.reference_errors(document, frozenset())
    warnings = [*rules.list_warnings(document, TODAY), *rules.provided_warnings(document, TODAY)]

    for finding in errors + warnings:
        assert finding.requirement in requirements.ALL
        assert finding.issue.name
        assert json.loads(json.dumps(finding.issue.as_dict()))["detail"]


@given(
    st.recursive(
        JSON | DATES,
        lambda inner: st.dictionaries(st.sampled_from(["begin", "einde", "titel", "items", "participants"]), inner),
        max_leaves=6,
    )
)
def test_a_document_with_other_names_breaks_no_rule(document: Any) -> None:
    """An integrator's own contract may name everything differently: nothing is held against it."""
    assert list(rules.list_errors(document, 2025)) == []
    assert list(rules.list_warnings(document, TODAY)) == []
    assert list(rules.provided_errors(document, TODAY)) == []
    assert list(rules.provided_warnings(document, TODAY)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"startDate": "2025-02-30"},
        {"endDate": "05/03/2025"},
        {"endDate": 20250305},
        {"duration": {"value": "0", "unit": "days"}},
        {"duration": {"value": False, "unit": "days"}},
        {"duration": {"value": 9, "unit": "weeks"}},
        {"duration": 0},
        {"certificate": {"validUntil": "soon", "obtained": False}},
        {"certificate": {"validUntil": "2028-03-07"}},
        {"trainingProvider": {"enterpriseNumber": "12", "trainingKey": "k"}},
    ],
)
def test_what_the_schema_judges_is_left_to_it(changes: dict[str, Any]) -> None:
    """A wrong format or type is no business of these rules."""
    assert of_list(training(**changes)) == ()


def test_every_requirement_is_listed_once_and_says_where_it_is_from() -> None:
    """The order of dates and the check digits stay without the assumed rules; nothing is called documented."""
    firm = {one.id for one in requirements.ALL if one.provenance is not Provenance.ASSUMED}

    assert firm == {"FLA-PERIOD-1", "FLA-SSIN-1", "FLA-ENTERPRISE-1"}
    assert {one.provenance for one in requirements.ALL} == {Provenance.PLATFORM, Provenance.ASSUMED}
    assert len({one.id for one in requirements.ALL}) == len(requirements.ALL)
    assert all(one.statement.endswith(".") and one.source for one in requirements.ALL)


@pytest.mark.parametrize("kind", URN)
def test_every_type_of_issue_has_its_title_and_its_page(kind: str) -> None:
    """Belgif has a page for each, those of the extension in a folder of their own."""
    members = Issue(URN[kind], "body", "items[0]", "detail").as_dict()

    assert members["title"]
    assert members["href"].endswith(f"/{kind}.html")
    assert ("/ext/" in members["href"]) == ("belgif-ext" in members["type"])


def test_a_reference_is_read_with_its_number_in_ten_digits() -> None:
    """A number without its leading zero refers to the same provider."""
    item = training(trainingProvider={"enterpriseNumber": "880820673", "trainingKey": "k"})

    assert rules.reference_of(item) == Reference(EnterpriseNumber("0880820673"), "k")
