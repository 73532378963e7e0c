"""How the two APIs of the FLA meet: what a provider sends stands in the employer's list, and can be corrected there."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.clock import FixedClock
from mock_server.identifiers import EnterpriseNumber, Ssin
from mock_server.services.behaviour import Behaviour, Finding, Place
from mock_server.services.fla import EMPLOYER_API, TRAINING_PROVIDER_API
from mock_server.services.fla.employer import EmployerBehaviour
from mock_server.services.fla.training_provider import TrainingProviderBehaviour, mentioned
from mock_server.world.model import Document, Employment, Employments, WorldSettings, WorldState
from mock_server.world.store import Store
from mock_server.world.world import World
from tests.support import NOW

SSIN, OTHER_SSIN = Ssin("65111899997"), Ssin("85073099932")
EMPLOYER, OTHER_EMPLOYER = EnterpriseNumber("1999000150"), EnterpriseNumber("1999000447")
PROVIDER, SECOND_PROVIDER = "1999000348", "1999000546"
PLACE = Place(
    f"employers/{EMPLOYER}/employees/{SSIN}/calendarYears/2025/trainings",
    {"enterpriseNumber": EMPLOYER, "ssin": SSIN, "year": "2025"},
    NOW,
    EMPLOYER,
    SSIN,
    2025,
    "year",
)
PROVIDED_AT = Place(
    f"trainingProviders/{PROVIDER}/trainings/first-aid",
    {"enterpriseNumber": PROVIDER, "trainingKey": "first-aid"},
    NOW,
    EnterpriseNumber(PROVIDER),
)
TRAINING: dict[str, Any] = {
    "name": "First aid at work",
    "startDate": "2025-03-06",
    "endDate": "2025-03-07",
    "duration": {"value": 2, "unit": "days"},
    "type": "formal",
}
PROVIDED: dict[str, Any] = TRAINING | {
    "status": "completed",
    "participants": [{"ssin": SSIN, "employer": EMPLOYER}],
}
SHOWN: dict[str, Any] = TRAINING | {
    "status": "followed",
    "certificate": {"obtained": False},
    "countsForIndividualRight": True,
    "trainingProvider": {"enterpriseNumber": PROVIDER, "trainingKey": "first-aid"},
}
OWN: dict[str, Any] = TRAINING | {
    "name": "What the employer organised itself",
    "status": "followed",
    "certificate": {"obtained": False},
    "countsForIndividualRight": False,
}


class Fla:
    """Both APIs over one world, as far as behaviours are asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.employer: Behaviour = EmployerBehaviour(world)
        self.provider: Behaviour = TrainingProviderBehaviour(world)

    def send(self, document: Any = PROVIDED, provider: str = PROVIDER, key: str = "first-aid", **changes: Any) -> None:
        """Store what a provider sends."""
        path = f"trainingProviders/{provider}/trainings/{quote(key, safe='')}"
        self.send_to(path, document | changes if changes else document)

    def send_to(self, path: str, document: Any) -> None:
        """Store a document of the providers' API at any path."""
        body = json.dumps(document)
        self.world.put_document(Document(TRAINING_PROVIDER_API, path, body, mentions=mentioned(document)))

    def take_back(self, provider: str = PROVIDER, key: str = "first-aid") -> None:
        """Delete what a provider sent."""
        path = f"trainingProviders/{provider}/trainings/{key}"
        assert self.world.remove_document(TRAINING_PROVIDER_API, path, below=True)

    def register(self, *items: Any, place: Place = PLACE) -> list[Finding]:
        """Send an employer's list: store it unless it has errors, and return these."""
        document = {"items": list(items)}
        errors = self.employer.judge(document, place).errors
        if not errors:
            self.world.put_document(Document(EMPLOYER_API, place.path, json.dumps(document)))
        return list(errors)

    def read(self, place: Place = PLACE) -> list[dict[str, Any]]:
        """Read an employer's list."""
        stored = self.world.document(EMPLOYER_API, place.path)
        document = {"items": []} if stored is None or stored.body is None else json.loads(stored.body)
        items: list[dict[str, Any]] = self.employer.shown(document, place)["items"]
        return items


@pytest.fixture
def fla() -> Iterator[Fla]:
    """Return both APIs over an empty world in which everybody is in service of everyone."""
    with contextlib.closing(Store()) as store:
        yield Fla(store.create_world(WorldState(), FixedClock(NOW)))


@pytest.fixture
def closed() -> Iterator[Fla]:
    """Return both APIs over a world in which one person is in service of one employer."""
    settings = WorldSettings(employments=Employments.CLOSED)
    state = WorldState(employments=(Employment(EMPLOYER, SSIN),), settings=settings)
    with contextlib.closing(Store()) as store:
        yield Fla(store.create_world(state, FixedClock(NOW)))


def elsewhere(*, employer: str = EMPLOYER, ssin: str = SSIN, year: int = 2025) -> Place:
    """Return the place of another list."""
    path = f"employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"
    return replace(PLACE, path=path, enterprise=EnterpriseNumber(employer), ssin=Ssin(ssin), year=year)


# What is shown ---------------------------------------------------------------------------------------------------


def test_what_a_provider_sent_stands_in_the_list_of_the_employer_that_it_names(fla: Fla) -> None:
    """It is an item like the employer's own, which says whose record it is."""
    fla.send()

    assert fla.read() == [SHOWN]


def test_what_the_employer_sent_stands_before_what_providers_sent(fla: Fla) -> None:
    """The providers' records follow by provider and key, whenever they were sent."""
    fla.send(provider=SECOND_PROVIDER, key="a")
    fla.send(key="é")
    fla.send(key="b")
    fla.send(key="a")

    assert fla.register(OWN) == []
    own, *others = fla.read()

    assert own == OWN
    assert [tuple(item["trainingProvider"].values()) for item in others] == [
        (PROVIDER, "a"),
        (PROVIDER, "b"),
        (PROVIDER, "é"),
        (SECOND_PROVIDER, "a"),
    ]


def test_what_a_provider_says_of_a_participant_is_shown(fla: Fla) -> None:
    """Certificate and right are the participant's; a planned training is planned."""
    certificate = {"obtained": True, "validUntil": "2030-01-01"}
    mine = {"ssin": SSIN, "employer": EMPLOYER, "certificate": certificate, "countsForIndividualRight": False}
    fla.send(status="planned", participants=[{"ssin": OTHER_SSIN, "employer": EMPLOYER}, mine])

    [item] = fla.read()

    assert item == SHOWN | {"status": "planned", "certificate": certificate, "countsForIndividualRight": False}


@pytest.mark.parametrize(
    "place",
    [elsewhere(employer=OTHER_EMPLOYER), elsewhere(ssin=OTHER_SSIN), elsewhere(year=2024), elsewhere(year=2026)],
    ids=["another employer", "another employee", "the year before", "the year after"],
)
def test_what_a_provider_sent_stands_in_no_other_list(fla: Fla, place: Place) -> None:
    """Neither another employer nor another employee has it, and no year in which it has no day."""
    fla.send()

    assert fla.read(place) == []


def test_a_training_over_new_year_stands_in_both_lists(fla: Fla) -> None:
    """As what employers send has to touch the year only, so has what providers send."""
    fla.send(startDate="2024-12-31", endDate="2025-01-01")

    assert [len(fla.read(elsewhere(year=year))) for year in (2023, 2024, 2025, 2026)] == [0, 1, 1, 0]


def test_where_no_employer_is_named_the_worlds_employments_tell_whose_employee_it_is(closed: Fla) -> None:
    """An employer sees a provider's record of its own employees."""
    closed.send(participants=[{"ssin": SSIN}, {"ssin": OTHER_SSIN}])

    assert closed.read() == [SHOWN]
    assert closed.read(elsewhere(employer=OTHER_EMPLOYER)) == []
    assert closed.read(elsewhere(ssin=OTHER_SSIN)) == []


def test_an_employer_that_is_named_need_not_be_known_to_have_the_employee(closed: Fla) -> None:
    """The provider's word is taken for it."""
    closed.send(participants=[{"ssin": SSIN, "employer": OTHER_EMPLOYER}])

    assert closed.read(elsewhere(employer=OTHER_EMPLOYER)) == [SHOWN]
    assert closed.read() == []


def test_a_person_who_takes_part_with_and_without_an_employer_stands_in_the_list_once(fla: Fla) -> None:
    """What is said of the person with this employer goes before what is said without one."""
    for_anyone = {"ssin": SSIN, "countsForIndividualRight": False}
    fla.send(participants=[for_anyone, {"ssin": SSIN, "employer": EMPLOYER}])

    assert fla.read() == [SHOWN]
    assert fla.read(elsewhere(employer=OTHER_EMPLOYER)) == [SHOWN | {"countsForIndividualRight": False}]


def test_numbers_without_their_leading_zero_are_the_same_numbers(fla: Fla) -> None:
    """The guide prints nine digits; a provider may write an employer so, and an employer a provider."""
    place = elsewhere(employer="0880820673")
    fla.send(provider="0880820673", participants=[{"ssin": SSIN, "employer": "880820673"}])
    [item] = fla.read(place)

    assert item["trainingProvider"]["enterpriseNumber"] == "0880820673"
    item["trainingProvider"]["enterpriseNumber"] = "880820673"
    assert fla.register(item, place=place) == []
    assert fla.read(place) == [item]


def test_keys_are_those_that_the_provider_chose(fla: Fla) -> None:
    """A path is percent-encoded; the key is not."""
    fla.send(key="2025/é %2F")
    [item] = fla.read()

    assert item["trainingProvider"]["trainingKey"] == "2025/é %2F"
    assert fla.register(item) == []


# What is corrected -----------------------------------------------------------------------------------------------


def test_a_correction_takes_the_place_of_the_record(fla: Fla) -> None:
    """The employer's word stands, in the employer's order."""
    fla.send()
    correction = SHOWN | {"duration": {"value": 1, "unit": "days"}, "certificate": {"obtained": True}}

    assert fla.register(correction, OWN) == []
    assert fla.read() == [correction, OWN]


def test_what_was_read_can_be_sent_back(fla: Fla) -> None:
    """Then it reads the same, as often as it is done."""
    fla.send()
    fla.register(OWN)
    before = fla.read()

    assert fla.register(*before) == []
    assert fla.register(*fla.read()) == []
    assert fla.read() == before


def test_a_record_that_is_not_corrected_follows_its_provider(fla: Fla) -> None:
    """It changes with the provider's PUT and disappears with its DELETE."""
    fla.send()
    fla.register(OWN)
    fla.send(name="First aid, repeated")
    changed = fla.read()
    fla.take_back()

    assert changed == [OWN, SHOWN | {"name": "First aid, repeated"}]
    assert fla.read() == [OWN]


def test_a_person_who_is_no_longer_a_participant_loses_the_record(fla: Fla) -> None:
    """The last version that the provider sent counts."""
    fla.send()
    fla.send(participants=[{"ssin": OTHER_SSIN, "employer": EMPLOYER}])

    assert fla.read() == []
    assert fla.read(elsewhere(ssin=OTHER_SSIN)) == [SHOWN]


def test_a_correction_stays_whatever_the_provider_does(fla: Fla) -> None:
    """A later change or deletion leaves it, and it can still be sent back."""
    fla.send()
    fla.register(SHOWN)
    fla.send(name="First aid, repeated")
    after_change = fla.read()
    fla.take_back()

    assert after_change == [SHOWN]
    assert fla.read() == [SHOWN]
    assert fla.register(*fla.read()) == []


def test_an_employer_cannot_remove_what_a_provider_sent(fla: Fla) -> None:
    """Left out of a list, it is there again."""
    fla.send()
    fla.register(SHOWN)

    assert fla.register() == []
    assert fla.read() == [SHOWN]


def test_a_correction_in_one_years_list_leaves_the_other_years(fla: Fla) -> None:
    """Each list is corrected by itself."""
    fla.send(startDate="2024-12-31", endDate="2025-01-01")
    correction = fla.read()[0] | {"type": "informal"}
    fla.register(correction)

    assert [item["type"] for year in (2024, 2025) for item in fla.read(elsewhere(year=year))] == ["formal", "informal"]


UNKNOWN: dict[str, tuple[dict[str, str], Place]] = {
    "another key": ({"trainingKey": "second-aid"}, PLACE),
    "another provider": ({"enterpriseNumber": SECOND_PROVIDER}, PLACE),
    "another employee": ({}, elsewhere(ssin=OTHER_SSIN)),
    "another employer": ({}, elsewhere(employer=OTHER_EMPLOYER)),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_only_a_record_of_this_employee_with_this_employer_can_be_referred_to(fla: Fla, case: str) -> None:
    """Any other is an unknown resource, and nothing is stored."""
    reference, place = UNKNOWN[case]
    fla.send()
    before = fla.read(place)
    item = SHOWN | {"trainingProvider": SHOWN["trainingProvider"] | reference}

    [error] = fla.register(OWN, item, place=place)

    assert error.requirement.id == "FLA-REFERENCE-1"
    assert error.issue.name == "items[1].trainingProvider"
    assert str(error.issue.type).endswith(":referencedResourceNotFound")
    assert fla.read(place) == before


def test_a_record_is_referred_to_once_in_a_list(fla: Fla) -> None:
    """Two corrections of one record cannot both be right."""
    fla.send()

    [error] = fla.register(SHOWN, SHOWN | {"name": "Once more"})

    assert (error.requirement.id, error.issue.name) == ("FLA-REFERENCE-2", "items[1].trainingProvider")


def test_a_reference_that_was_never_accepted_does_not_become_known_by_being_refused(fla: Fla) -> None:
    """Only what stands in the stored list may be repeated."""
    first = fla.register(SHOWN)
    second = fla.register(SHOWN)

    assert [error.requirement.id for error in first + second] == ["FLA-REFERENCE-1"] * 2


@pytest.mark.parametrize("changes", [{"enterprise": None}, {"ssin": None}], ids=["no employer", "no employee"])
def test_where_the_call_names_nobody_a_reference_is_not_looked_up(fla: Fla, changes: dict[str, None]) -> None:
    """Whose record it has to be is not known then; that it stands there twice is."""
    place = replace(PLACE, **changes)  # type: ignore[arg-type] # either member may be None

    assert [one.requirement.id for one in fla.employer.judge({"items": [SHOWN] * 2}, place).errors] == [
        "FLA-REFERENCE-2"
    ]


# What is judged --------------------------------------------------------------------------------------------------


def test_an_employers_list_is_judged_by_its_place_and_the_worlds_time(fla: Fla) -> None:
    """The year of the path, the items by it, and warnings by today."""
    planned = OWN | {"status": "planned"}
    place = elsewhere(year=2022)

    found = fla.employer.judge({"items": [planned]}, place)

    assert [(one.requirement.id, one.issue.location, one.issue.name) for one in found.errors] == [
        ("FLA-YEAR-1", "path", "year"),
        ("FLA-PERIOD-2", "body", "items[0].startDate"),
    ]
    assert [one.requirement.id for one in found.warnings] == ["FLA-PLANNED-1"]


def test_a_providers_training_is_judged_by_the_worlds_time(fla: Fla) -> None:
    """Its years end with next year, and what is planned lies ahead."""
    late = PROVIDED | {"startDate": "2027-12-31", "endDate": "2028-01-01", "status": "planned"}

    now, then = (fla.provider.judge(late, replace(PROVIDED_AT, now=moment)) for moment in (NOW, NOW + 2 * 365 * 86_400))
    earlier = fla.provider.judge(late, replace(PROVIDED_AT, now=NOW - 365 * 86_400))

    assert now == ((), ())
    assert [one.requirement.id for one in then.warnings] == ["FLA-PLANNED-1"]
    assert [one.requirement.id for one in earlier.errors] == ["FLA-PERIOD-3"]


def test_a_provider_is_shown_what_it_sent(fla: Fla) -> None:
    """What employers made of it is theirs."""
    fla.send()
    fla.register(SHOWN | {"name": "Corrected"})

    assert fla.provider.shown(PROVIDED, PROVIDED_AT) == PROVIDED


def test_a_training_is_found_by_each_participant_once() -> None:
    """SSINs that cannot be one, and what is no participant at all, are passed over."""
    participants = [{"ssin": OTHER_SSIN}, {"ssin": SSIN}, {"ssin": SSIN, "employer": EMPLOYER}, {"ssin": "65111899998"}]

    assert mentioned({"participants": [*participants, {"ssin": 5}, {}, None]}) == (OTHER_SSIN, SSIN)


# What is not ours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], PLACE),
        ("text", PLACE),
        ({}, PLACE),
        ({"items": {}}, PLACE),
        ({"items": ["first aid"]}, PLACE),
        ({"items": [{"titel": "Eerste hulp"}]}, PLACE),
        ({"trainings": []}, PLACE),
        ({"items": []}, replace(PLACE, path=PLACE.path.replace("/trainings", "/rights"))),
        ({"items": []}, replace(PLACE, enterprise=None)),
        ({"items": []}, replace(PLACE, ssin=None)),
        ({"items": []}, replace(PLACE, year=None)),
    ],
)
def test_a_document_that_is_no_list_of_ours_is_shown_as_it_is(fla: Fla, document: Any, place: Place) -> None:
    """A contract of an integrator may keep anything at a place like ours."""
    fla.send()

    assert fla.employer.shown(document, place) == document


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("trainingProviders/1999000348/trainings", PROVIDED),
        ("trainingProviders/1999000348/courses/first-aid", PROVIDED),
        ("trainingProviders/1999000349/trainings/first-aid", PROVIDED),
        ("first-aid", PROVIDED),
        ("trainingProviders/1999000348/trainings/first-aid", PROVIDED | {"status": "cancelled"}),
        ("trainingProviders/1999000348/trainings/first-aid", PROVIDED | {"status": ["completed"]}),
        ("trainingProviders/1999000348/trainings/first-aid", PROVIDED | {"startDate": "6 March"}),
        (
            "trainingProviders/1999000348/trainings/first-aid",
            {name: value for name, value in PROVIDED.items() if name != "type"},
        ),
    ],
)
def test_a_providers_document_of_another_shape_is_not_shown(fla: Fla, path: str, document: Any) -> None:
    """What cannot be an item of the employer's list stays out of it."""
    fla.send_to(path, document)

    assert fla.read() == []


def test_what_is_shown_is_not_what_is_stored(fla: Fla) -> None:
    """The document that was read stays as it is: what is added is added to what is answered."""
    fla.send()
    document = {"items": [OWN], "note": "kept"}

    shown = fla.employer.shown(document, PLACE)

    assert document == {"items": [OWN], "note": "kept"}
    assert shown == {"items": [OWN, SHOWN], "note": "kept"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SHOWN, "items"]), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(PROVIDED, JSON)),
    st.sampled_from([{}, PROVIDED]),
    JSON | st.fixed_dictionaries({"items": st.lists(JSON | st.just(SHOWN), max_size=3)}),
)
def test_any_value_is_judged_and_shown(changes: dict[str, Any], base: dict[str, Any], document: Any) -> None:
    """Whatever JSON providers sent and employers send, it is judged, and what is shown can be sent back or refused."""
    sent = base | changes
    with contextlib.closing(Store()) as store:
        fla = Fla(store.create_world(WorldState(), FixedClock(NOW)))
        path = PROVIDED_AT.path
        fla.world.put_document(Document(TRAINING_PROVIDER_API, path, json.dumps(sent), mentions=(SSIN,)))
        fla.world.put_document(Document(EMPLOYER_API, PLACE.path, json.dumps(document)))
        assert mentioned(sent) in {(), (SSIN,)}
        shown = fla.employer.shown(document, PLACE)
        findings = fla.employer.judge(shown, PLACE)

    assert shown == document or shown["items"][: len(document["items"])] == document["items"]
    assert all(one.issue.name for one in [*findings.errors, *findings.warnings])
