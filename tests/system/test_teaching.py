"""What generated requests are taught: what comes out keeps to the rules, and is not taught twice."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.identifiers import parse_enterprise_number, parse_ssin
from tests.system.teaching import Lesson, Reference, enterprise_number, ssin, taught_body, taught_path

LESSON = Lesson(("0880820673", "1999000744"), 2027, (Reference("1999000348", "key", "65111899997"),))
DAYS = st.dates().map(str)
NUMBERS = st.from_regex("[01]?[0-9]{9}", fullmatch=True)
SSINS = st.from_regex("[0-9]{11}", fullmatch=True)
CERTIFICATES = st.fixed_dictionaries({"obtained": st.booleans()}, optional={"validUntil": DAYS})
TRAININGS = st.fixed_dictionaries(
    {
        "startDate": DAYS,
        "endDate": DAYS,
        "duration": st.fixed_dictionaries(
            {"value": st.floats(0, 8784, exclude_min=True), "unit": st.sampled_from(["hours", "days"])}
        ),
    }
)
ITEMS = st.builds(
    lambda training, certificate, reference: training | certificate | reference,
    TRAININGS,
    st.fixed_dictionaries({"certificate": CERTIFICATES}),
    st.sampled_from([{}, {"trainingProvider": {"enterpriseNumber": "1999000249", "trainingKey": "unknown"}}]),
)
PARTICIPANTS = st.fixed_dictionaries({"ssin": SSINS}, optional={"employer": NUMBERS, "certificate": CERTIFICATES})
PATHS = st.fixed_dictionaries(
    {
        "enterpriseNumber": NUMBERS | st.text(),
        "ssin": SSINS | st.text(),
        "year": st.integers(2023, 2100) | st.integers(2023, 2100).map(str) | st.text(),
    }
)


def assert_possible(training: Any, certificate: Any, first_year: int, last_year: int) -> None:
    """Judge a training by the words of the contracts."""
    start, end = training["startDate"], training["endDate"]
    assert start <= end
    assert int(start[:4]) <= last_year
    assert first_year <= int(end[:4])
    assert 0 < training["duration"]["value"] <= (24 if training["duration"]["unit"] == "hours" else 1) * 3_652_059
    if "validUntil" in certificate:
        assert certificate["obtained"]
        assert certificate["validUntil"] >= end


@given(PATHS)
def test_a_path_is_a_callers_own(values: dict[str, Any]) -> None:
    """Whatever came in, the number is one of the caller's, the SSIN has its check digits, and the year is open."""
    taught = taught_path(values, LESSON)

    assert parse_enterprise_number(taught["enterpriseNumber"]) in LESSON.numbers
    assert parse_ssin(taught["ssin"]) == taught["ssin"]
    assert 2023 <= taught["year"] <= 2027
    assert taught_path(taught, LESSON) == taught


@given(st.lists(ITEMS, max_size=5), PATHS)
def test_an_employers_list_is_possible(items: list[Any], values: dict[str, Any]) -> None:
    """Each training has a day in the year of the path, lasts no longer than its period, and names what is there."""
    path = taught_path(values, LESSON)

    taught = taught_body({"items": items}, path, LESSON)

    for training in taught["items"]:
        assert_possible(training, training["certificate"], path["year"], path["year"])
    known = [LESSON.references[0].json] if path["ssin"] == LESSON.references[0].ssin else []
    assert [item["trainingProvider"] for item in taught["items"] if "trainingProvider" in item] in ([], known)
    assert taught_body(taught, path, LESSON) == taught


@given(TRAININGS, st.lists(PARTICIPANTS, min_size=1, max_size=5))
def test_a_providers_training_is_possible(training: dict[str, Any], participants: list[Any]) -> None:
    """It has a day in the open years, and nobody takes part twice for the same employer."""
    taught = taught_body(training | {"participants": participants}, {}, LESSON)

    people = [(person["ssin"], person.get("employer")) for person in taught["participants"]]
    assert len(set(people)) == len(people)
    assert_possible(taught, {}, 2023, 2027)
    for person in taught["participants"]:
        assert parse_ssin(person["ssin"]) == ssin(person["ssin"])
        if "employer" in person:
            assert parse_enterprise_number(person["employer"]).endswith(enterprise_number(person["employer"]))
        assert_possible(taught, person.get("certificate", {}), 2023, 2027)
    assert taught_body(taught, {}, LESSON) == taught


@given(st.none() | st.booleans() | st.text() | st.lists(st.integers()) | st.just({"items": None}))
def test_what_is_no_training_stays_as_it_is(body: Any) -> None:
    """A body of another shape is not touched."""
    assert taught_body(body, {}, LESSON) == body
