"""Whether the parts of a world fit together, and which mandates stand in each other's way."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.identifiers import Capacity, EnterpriseNumber, Quarter, ServiceName
from mock_server.services.catalogue import services
from mock_server.world import consistency
from mock_server.world.model import (
    Administrator,
    Document,
    Enterprise,
    Mandate,
    MandateDecision,
    Party,
    StoredFault,
    WorldState,
)

EMPLOYER, SECRETARIAT, PROVIDER = map(EnterpriseNumber, ("1999000150", "1999000249", "1999000348"))
FLA = ServiceName("fla")
ENTERPRISES = (
    Enterprise(EMPLOYER, "Employer", frozenset({Capacity.EMPLOYER})),
    Enterprise(SECRETARIAT, "Secretariat", frozenset({Capacity.SOCIAL_SECRETARIAT})),
    Enterprise(PROVIDER, "Provider", frozenset({Capacity.SERVICE_PROVIDER})),
)


def mandate(start: str, end: str | None = None, mandatary: EnterpriseNumber = SECRETARIAT) -> Mandate:
    """Return a confirmed mandate of the employer for the FLA."""
    return Mandate(EMPLOYER, mandatary, FLA, Quarter.parse(start), Quarter.parse(end) if end else None)


def faults(*mandates: Mandate) -> list[str]:
    """Return what does not fit in a world with these mandates."""
    return consistency.faults(WorldState(ENTERPRISES, mandates=mandates), services())


TOGETHER = {
    "the same quarter": ("2025Q2", "2025Q2", "2025Q2", "2025Q2", True),
    "the last quarter of one is the first of the other": ("2025Q1", "2025Q2", "2025Q2", "2025Q3", True),
    "one inside the other": ("2025Q1", "2025Q4", "2025Q2", "2025Q3", True),
    "both without end": ("2025Q1", None, "2030Q1", None, True),
    "the end of one is the start of one without end": ("2025Q1", "2025Q2", "2025Q2", None, True),
    "neighbouring quarters": ("2025Q1", "2025Q2", "2025Q3", "2025Q4", False),
    "neighbouring quarters of two years": ("2025Q1", "2025Q4", "2026Q1", None, False),
    "a quarter between them": ("2025Q1", "2025Q1", "2025Q3", "2025Q3", False),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_mandates_overlap_when_they_share_a_quarter(name: str) -> None:
    """An end quarter belongs to the mandate; which of the two is asked makes no difference."""
    start, end, other_start, other_end, expected = TOGETHER[name]
    one, other = mandate(start, end), mandate(other_start, other_end, PROVIDER)

    assert [expected, expected] == [one.overlaps(other), other.overlaps(one)]
    assert expected is bool(faults(one, other))


@pytest.mark.parametrize("decision", [decision for decision in MandateDecision if decision != "confirmed"])
def test_a_mandate_that_is_not_confirmed_is_in_nobodys_way(decision: MandateDecision) -> None:
    """Proposed, rejected and revoked mandates overlap with nothing."""
    other = replace(mandate("2025Q1", mandatary=PROVIDER), decision=decision)

    assert not mandate("2025Q1").overlaps(other)
    assert not other.overlaps(mandate("2025Q1"))
    assert faults(mandate("2025Q1"), other) == []


quarters = st.builds(Quarter, st.integers(2024, 2027), st.integers(1, 4))


@st.composite
def some_mandates(draw: st.DrawFn) -> list[Mandate]:
    """Return confirmed mandates of one employer, none of which ends before it starts."""
    pairs = draw(st.lists(st.tuples(quarters, st.none() | quarters), max_size=7))
    return [mandate(str(start), str(end) if end else None) for start, end in pairs if end is None or end >= start]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_mandates())
def test_rivals_are_found_whenever_there_are_any(mandates: list[Mandate]) -> None:
    """Each mandate that meets one before it is told once, so many mandates cost no more than their number."""
    meeting = [pair for pair in combinations(mandates, 2) if pair[0].overlaps(pair[1])]
    told = faults(*mandates)

    assert bool(meeting) is bool(told)
    assert len(told) < max(1, len(mandates))
    assert all("two mandataries" in fault for fault in told)


def test_rivals_of_a_mandate_are_of_the_same_employer_and_service() -> None:
    """Others may have a mandate in the same quarter, and so may another service."""
    one, other = mandate("2025Q1"), mandate("2025Q1", mandatary=PROVIDER)
    elsewhere = [replace(other, mandator=PROVIDER), replace(other, service=ServiceName("dimona"))]

    assert [other] == consistency.rivals(one, [*elsewhere, other])


def test_thousands_of_rivals_are_told_once_each() -> None:
    """Of a thousand mandates in one quarter, each but the first is told, not each pair."""
    assert len(faults(*[mandate("2025Q1")] * 1_000)) == 999


def test_only_active_capacities_have_an_administrator() -> None:
    """Who administers a capacity that the enterprise does not have is a mistake."""
    who = Administrator("a@b.example", "An Baker")
    good = replace(ENTERPRISES[0], administrators={Capacity.EMPLOYER: who})
    bad = replace(good, administrators={Capacity.EMPLOYER: who, Capacity.TRAINING_PROVIDER: who})

    assert consistency.faults(WorldState((good,)), services()) == []
    assert consistency.faults(WorldState((bad,)), services()) == [
        "enterprises[0] (“Employer”): administrators names training-provider, which is not among its capacities"
    ]


@pytest.mark.parametrize("parties", [(), (Party.MANDATOR,), (Party.MANDATARY,)])
def test_a_confirmed_mandate_is_confirmed_by_both(parties: tuple[Party, ...]) -> None:
    """One party alone makes no mandate; a revoked one may tell who had confirmed it."""
    one_sided = replace(mandate("2025Q1"), confirmed_by=frozenset(parties))

    assert len(faults(one_sided)) == 1
    assert "is confirmed, and not by both parties" in faults(one_sided)[0]
    assert faults(replace(one_sided, decision=MandateDecision.REVOKED)) == []


def test_what_is_kept_under_a_name_is_there_once() -> None:
    """There is one document at a path of an API, and one fault of a number."""
    documents = (Document("a", "x", "{}"), Document("a", "y", "{}"), Document("b", "x", "{}"))
    numbers = (StoredFault(1, {}), StoredFault(2, {}))
    twice = WorldState(documents=(*documents, documents[0]), faults=(*numbers, numbers[1]))

    assert consistency.faults(WorldState(documents=documents, faults=numbers), services()) == []
    assert consistency.faults(twice, services()) == [
        "documents: “x” of “a” is there twice; keep one",
        "faults: id 2 is used twice; every fault has its own",
    ]
