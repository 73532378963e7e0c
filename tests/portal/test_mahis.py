"""MAHIS: mandates from proposal to end."""

from collections.abc import Callable

import pytest

from mock_server.clock import FixedClock
from mock_server.identifiers import EnterpriseNumber, Quarter
from mock_server.portal import access_management, mahis
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.services.catalogue import DIMONA, FLA, services
from mock_server.world.model import BOTH, Mandate, MandateDecision, MandateStatus, Party
from mock_server.world.world import World
from tests.portal.conftest import EMPLOYER, NOBODY, PROVIDER, SECRETARIAT, TRAINER
from tests.support import DAY

SERVICES = services()
THIS = Quarter(2026, 3)
NEXT = Quarter(2026, 4)
LATER = Quarter(2027, 1)
MANDATOR, MANDATARY = Party.MANDATOR, Party.MANDATARY


def propose(
    world: World,
    by: Party | None = MANDATARY,
    start: Quarter = THIS,
    end: Quarter | None = None,
    mandatary: EnterpriseNumber = SECRETARIAT,
    mandator: EnterpriseNumber = EMPLOYER,
    service: str = FLA,
) -> Mandate:
    """Propose a mandate, or by nobody: a procuration."""
    return mahis.propose(world, SERVICES, mahis.Proposal(mandator, mandatary, service, start, end, by))


def status(world: World, number: int) -> MandateStatus:
    """Return what a mandate is now."""
    return mahis.find_mandate(world, number).status_in(world.current_quarter())


def other(party: Party) -> Party:
    """Return the other side."""
    return MANDATOR if party is MANDATARY else MANDATARY


@pytest.mark.parametrize("by", [MANDATOR, MANDATARY])
def test_one_side_proposes_and_the_other_confirms(world: World, by: Party) -> None:
    """The proposal is that side's confirmation; with the other's, the mandate is active in its first quarter."""
    mandate = propose(world, by)
    assert (mandate.proposed_by, mandate.confirmed_by, mandate.decision) == (
        by,
        frozenset({by}),
        MandateDecision.PROPOSED,
    )
    assert status(world, mandate.id) is MandateStatus.PROPOSED

    confirmed = mahis.confirm(world, SERVICES, mandate.id, other(by))

    assert confirmed == mahis.find_mandate(world, mandate.id)
    assert confirmed.confirmed_by == BOTH
    assert status(world, mandate.id) is MandateStatus.ACTIVE


def test_a_procuration_is_confirmed_at_once(world: World) -> None:
    """Both signed it."""
    mandate = propose(world, None)

    assert (mandate.proposed_by, mandate.confirmed_by) == (None, BOTH)
    assert status(world, mandate.id) is MandateStatus.ACTIVE


def test_confirming_what_one_has_confirmed_changes_nothing(world: World) -> None:
    """Neither before the other side did, nor after."""
    mandate = propose(world, MANDATOR)
    assert mahis.confirm(world, SERVICES, mandate.id, MANDATOR) == mandate
    confirmed = mahis.confirm(world, SERVICES, mandate.id, MANDATARY)

    assert mahis.confirm(world, SERVICES, mandate.id, MANDATOR) == confirmed
    assert mahis.confirm(world, SERVICES, mandate.id, MANDATARY) == confirmed


def test_a_proposal_of_nobody_knows_whom_needs_both(world: World) -> None:
    """A world file may have a mandate that neither side has confirmed."""
    with world.changing():
        mandate = world.put_mandate(
            Mandate(EMPLOYER, SECRETARIAT, FLA, THIS, None, MandateDecision.PROPOSED, None, frozenset())
        )

    mahis.confirm(world, SERVICES, mandate.id, MANDATOR)
    assert status(world, mandate.id) is MandateStatus.PROPOSED
    mahis.confirm(world, SERVICES, mandate.id, MANDATARY)
    assert status(world, mandate.id) is MandateStatus.ACTIVE


def test_a_mandate_follows_the_quarters(world: World, clock: FixedClock) -> None:
    """Confirmed before its first quarter, active until the end of its last, ended then."""
    mandate = propose(world, None, NEXT, NEXT)
    assert status(world, mandate.id) is MandateStatus.CONFIRMED

    clock.advance(30 * DAY)
    assert status(world, mandate.id) is MandateStatus.ACTIVE
    clock.advance(92 * DAY)
    assert status(world, mandate.id) is MandateStatus.ENDED


def test_the_side_that_has_not_confirmed_rejects(world: World) -> None:
    """A rejected mandate stays rejected."""
    mandate = propose(world, MANDATOR)

    mahis.reject(world, mandate.id, MANDATARY)

    assert status(world, mandate.id) is MandateStatus.REJECTED


def test_a_side_cannot_reject_its_own_proposal(world: World) -> None:
    """It can withdraw it."""
    mandate = propose(world, MANDATOR)

    with pytest.raises(ConflictError, match=r"the mandator has\. To withdraw it, revoke it"):
        mahis.reject(world, mandate.id, MANDATOR)

    assert status(world, mahis.revoke(world, mandate.id).id) is MandateStatus.REVOKED


@pytest.mark.parametrize("start", [THIS, NEXT])
def test_a_confirmed_mandate_is_revoked_at_once(world: World, start: Quarter) -> None:
    """Before its first quarter and in it."""
    mandate = propose(world, None, start)

    mahis.revoke(world, mandate.id)

    assert status(world, mandate.id) is MandateStatus.REVOKED


def test_a_mandate_ends_with_this_quarter_unless_told_otherwise(world: World, clock: FixedClock) -> None:
    """It is active until then."""
    mandate = propose(world, None)

    assert mahis.end(world, SERVICES, mandate.id).end == THIS

    assert status(world, mandate.id) is MandateStatus.ACTIVE
    clock.advance(30 * DAY)
    assert status(world, mandate.id) is MandateStatus.ENDED


def test_the_end_may_be_put_off_and_brought_forward(world: World) -> None:
    """As long as it is not over."""
    mandate = propose(world, None, end=NEXT)

    assert mahis.end(world, SERVICES, mandate.id, LATER).end == LATER
    assert mahis.end(world, SERVICES, mandate.id, THIS).end == THIS


def test_a_mandate_cannot_end_before_it_starts(world: World) -> None:
    """Neither when told so nor by default."""
    mandate = propose(world, None, NEXT)

    for quarter in (THIS, None):
        with pytest.raises(
            RefusedError, match="expected 2026Q4, its first quarter, or a later one; found 2026Q3"
        ) as refused:
            mahis.end(world, SERVICES, mandate.id, quarter)
        assert [issue.name for issue in refused.value.issues] == ["end"]


Act = Callable[[World, int], object]
ACTS: dict[str, Act] = {
    "confirmed": lambda world, number: mahis.confirm(world, SERVICES, number, MANDATOR),
    "rejected": lambda world, number: mahis.reject(world, number, MANDATOR),
    "revoked": mahis.revoke,
    "ended": lambda world, number: mahis.end(world, SERVICES, number),
}


def put(world: World, wanted: MandateStatus) -> int:
    """Make a mandate of a status."""
    if wanted in {MandateStatus.PROPOSED, MandateStatus.REJECTED}:
        number = propose(world, MANDATARY).id
        if wanted is MandateStatus.REJECTED:
            mahis.reject(world, number, MANDATOR)
        return number
    start, end = {
        MandateStatus.CONFIRMED: (NEXT, None),
        MandateStatus.ACTIVE: (THIS, None),
        MandateStatus.ENDED: (Quarter(2025, 1), Quarter(2025, 4)),
        MandateStatus.REVOKED: (THIS, None),
    }[wanted]
    number = propose(world, None, start, end).id
    if wanted is MandateStatus.REVOKED:
        mahis.revoke(world, number)
    assert status(world, number) is wanted
    return number


@pytest.mark.parametrize(
    ("wanted", "act"),
    [
        (MandateStatus.PROPOSED, "ended"),
        (MandateStatus.CONFIRMED, "rejected"),
        (MandateStatus.ACTIVE, "rejected"),
        *(
            (wanted, act)
            for wanted in (MandateStatus.ENDED, MandateStatus.REJECTED, MandateStatus.REVOKED)
            for act in ACTS
        ),
    ],
)
def test_what_a_mandate_cannot_become_is_refused(world: World, wanted: MandateStatus, act: str) -> None:
    """The refusal says what it is and what can be done; the mandate stays as it is."""
    number = put(world, wanted)
    before = mahis.find_mandate(world, number)

    with pytest.raises(ConflictError, match=rf"Mandate {number} cannot be {act}: it is {wanted} \(from .*\)\. It "):
        ACTS[act](world, number)

    assert mahis.find_mandate(world, number) == before


@pytest.mark.parametrize("act", list(ACTS))
def test_an_unknown_mandate_is_not_found(world: World, act: str) -> None:
    """Whatever is to be done with it."""
    with pytest.raises(NotFoundError, match="There is no mandate 7"):
        ACTS[act](world, 7)


# One mandatary at most


def test_a_second_mandatary_cannot_be_confirmed(world: World) -> None:
    """It can be proposed; the refusal names the other mandatary, its period and its number."""
    first = propose(world, None, THIS, LATER)
    second = propose(world, MANDATARY, NEXT, mandatary=PROVIDER)

    with pytest.raises(ConflictError) as refused:
        mahis.confirm(world, SERVICES, second.id, MANDATOR)

    assert f"mandate {first.id} of {SECRETARIAT} (from 2026Q3 to 2027Q1)" in refused.value.sentence
    assert "G§2.2.1" in refused.value.sentence
    assert status(world, second.id) is MandateStatus.PROPOSED


def test_a_procuration_of_a_second_mandatary_is_refused(world: World) -> None:
    """Nothing is made."""
    propose(world, None)

    with pytest.raises(ConflictError, match="one mandatary at most for fla"):
        propose(world, None, mandatary=PROVIDER)

    assert mahis.list_mandates(world).total == 1


@pytest.mark.parametrize("way", ["end", "revoke"])
def test_a_second_mandatary_comes_when_the_first_has_gone(world: World, way: str) -> None:
    """After the last quarter of the first, or when it is revoked."""
    first = propose(world, None)
    second = propose(world, MANDATARY, NEXT, mandatary=PROVIDER)
    if way == "end":
        mahis.end(world, SERVICES, first.id)
    else:
        mahis.revoke(world, first.id)

    assert mahis.confirm(world, SERVICES, second.id, MANDATOR).decision is MandateDecision.CONFIRMED


def test_going_on_for_longer_may_meet_the_next_mandatary(world: World) -> None:
    """The end can be put off until the quarter before the other begins."""
    first = propose(world, None, THIS, THIS)
    second = propose(world, None, LATER, mandatary=PROVIDER)

    assert mahis.end(world, SERVICES, first.id, NEXT).end == NEXT
    with pytest.raises(ConflictError, match=rf"mandate {second.id} of {PROVIDER} \(from 2027Q1\)"):
        mahis.end(world, SERVICES, first.id, LATER)


def test_another_service_may_have_another_mandatary(world: World) -> None:
    """One for each service, and where a service says so, several."""
    propose(world, None)
    for mandatary in (SECRETARIAT, PROVIDER):
        propose(world, None, mandatary=mandatary, service=DIMONA)

    assert mahis.list_mandates(world, service=DIMONA).total == 2


def test_another_employer_may_have_the_same_mandatary(world: World) -> None:
    """A mandatary has many clients."""
    propose(world, None)
    propose(world, None, mandator=PROVIDER)

    assert mahis.list_mandates(world, mandatary=SECRETARIAT).total == 2


# Wrong input


@pytest.mark.parametrize(
    ("proposal", "member"),
    [
        (mahis.Proposal(EMPLOYER, SECRETARIAT, "payroll", THIS), "service"),
        (mahis.Proposal(PROVIDER, PROVIDER, FLA, THIS), "mandatary"),
        (mahis.Proposal(EMPLOYER, SECRETARIAT, FLA, NEXT, THIS), "end"),
        (mahis.Proposal(NOBODY, SECRETARIAT, FLA, THIS), "mandator"),
        (mahis.Proposal(EMPLOYER, NOBODY, FLA, THIS), "mandatary"),
    ],
)
def test_a_proposal_that_cannot_be_is_refused(world: World, proposal: mahis.Proposal, member: str) -> None:
    """The issue names the member, and no mandate is made."""
    with pytest.raises(RefusedError) as refused:
        mahis.propose(world, SERVICES, proposal)

    assert [issue.name for issue in refused.value.issues] == [member]
    assert mahis.list_mandates(world).total == 0


@pytest.mark.parametrize(
    ("mandator", "mandatary", "needed"),
    [
        (TRAINER, SECRETARIAT, "employer; active is training-provider"),
        (EMPLOYER, TRAINER, "social-secretariat or service-provider; active is training-provider"),
    ],
)
def test_both_sides_need_their_capacity(
    world: World, mandator: EnterpriseNumber, mandatary: EnterpriseNumber, needed: str
) -> None:
    """The refusal says which capacity is missing, and where it is activated."""
    with pytest.raises(
        ConflictError, match=f"of a mandate, enterprise {TRAINER} needs the active capacity {needed}"
    ) as refused:
        propose(world, mandator=mandator, mandatary=mandatary)

    assert "Activate it in access management first" in refused.value.sentence


def test_an_enterprise_without_any_capacity_is_told_so(world: World) -> None:
    """It has none yet."""
    access_management.put_enterprise(world, NOBODY, "Newcomer")

    with pytest.raises(ConflictError, match="active is none"):
        propose(world, mandator=NOBODY)


# Lists


def test_mandates_are_listed_by_side_service_and_status(world: World, clock: FixedClock) -> None:
    """The status is that of the world's time."""
    one = propose(world, None, THIS, THIS).id
    two = propose(world, MANDATARY, NEXT, mandatary=PROVIDER).id
    three = propose(world, None, mandator=PROVIDER, service=DIMONA).id

    def numbers(**wanted: object) -> list[int]:
        page = mahis.list_mandates(world, **wanted)  # type: ignore[arg-type] # each test gives what fits
        assert page.total == len(page.items)
        return [mandate.id for mandate in page.items]

    assert numbers() == [one, two, three]
    assert numbers(mandator=EMPLOYER) == [one, two]
    assert numbers(mandatary=SECRETARIAT) == [one, three]
    assert numbers(mandator=EMPLOYER, mandatary=PROVIDER) == [two]
    assert numbers(service=DIMONA) == [three]
    assert numbers(status=MandateStatus.ACTIVE) == [one, three]
    assert numbers(status=MandateStatus.PROPOSED, mandator=EMPLOYER) == [two]
    clock.advance(30 * DAY)
    assert numbers(status=MandateStatus.ACTIVE) == [three]
    assert numbers(status=MandateStatus.ENDED) == [one]


@pytest.mark.parametrize("wanted", [None, MandateStatus.ACTIVE])
def test_mandates_are_listed_in_pages(world: World, wanted: MandateStatus | None) -> None:
    """A page begins after a number; the total is of the whole list."""
    for _ in range(3):
        propose(world, None, service=DIMONA)

    first = mahis.list_mandates(world, status=wanted, limit=2)
    second = mahis.list_mandates(world, status=wanted, after=2, limit=2)

    assert [[mandate.id for mandate in page.items] for page in (first, second)] == [[1, 2], [3]]
    assert (first.total, second.total) == (3, 3)
