"""Access management: enterprises, capacities, employees (guide, chapter 5)."""

from collections.abc import Callable

import pytest

from mock_server.clock import FixedClock
from mock_server.identifiers import Capacity, EnterpriseNumber, Quarter, Ssin
from mock_server.portal import access_management, chaman, mahis
from mock_server.portal.chaman import NewAccount
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.services.catalogue import FLA, services
from mock_server.world import consistency
from mock_server.world.model import Administrator, Employments, Party
from mock_server.world.world import World
from tests.portal.conftest import EMPLOYER, NOBODY, PROVIDER, SECRETARIAT, TRAINER

SERVICES = services()
SSIN = Ssin("85073099932")


def account_in(world: World, capacity: Capacity) -> str:
    """Make an account."""
    return chaman.create_account(world, SERVICES, EMPLOYER, capacity, NewAccount("account")).client_id


def mandate_to(world: World, mandatary: EnterpriseNumber, *, end: Quarter | None = None) -> int:
    """Make a mandate of the employer that both signed."""
    proposal = mahis.Proposal(EMPLOYER, mandatary, FLA, Quarter(2026, 1), end)
    return mahis.propose(world, SERVICES, proposal).id


def test_an_employer_activates_the_capacity_of_a_training_provider(world: World) -> None:
    """The guide's example: e-mail address and local administrator, and the capacity is active beside the other."""
    enterprise, is_new = access_management.activate(
        world, EMPLOYER, Capacity.TRAINING_PROVIDER, "learning@example.org", "An Peeters"
    )

    assert is_new
    assert enterprise == world.enterprise(EMPLOYER)
    assert enterprise.capacities == {Capacity.EMPLOYER, Capacity.TRAINING_PROVIDER}
    assert enterprise.administrators == {
        Capacity.TRAINING_PROVIDER: Administrator("learning@example.org", "An Peeters")
    }


def test_activating_again_changes_the_administrator(world: World) -> None:
    """An active capacity stays active, with another administrator."""
    access_management.activate(world, EMPLOYER, Capacity.EMPLOYER, "a@example.org", "A")

    enterprise, is_new = access_management.activate(world, EMPLOYER, Capacity.EMPLOYER, "b@example.org", "B")

    assert not is_new
    assert enterprise.administrators == {Capacity.EMPLOYER: Administrator("b@example.org", "B")}


def test_a_channel_can_be_opened_after_activation_only(world: World) -> None:
    """Without the capacity there is no account; with it there is."""
    with pytest.raises(ConflictError, match=r"training-provider is not active .* active is employer\. Activate"):
        account_in(world, Capacity.TRAINING_PROVIDER)

    access_management.activate(world, EMPLOYER, Capacity.TRAINING_PROVIDER, "a@example.org", "A")

    assert account_in(world, Capacity.TRAINING_PROVIDER)


@pytest.mark.parametrize(
    ("email", "name", "member"),
    [
        ("example.org", "A", "email"),
        ("@example.org", "A", "email"),
        ("a@", "A", "email"),
        ("a@b@example.org", "A", "email"),
        ("a b@example.org", "A", "email"),
        ("a\u202e@example.org", "A", "email"),
        ("a" * 243 + "@example.org", "A", "email"),
        ("a@example.org", "", "local_administrator"),
        ("a@example.org", "  ", "local_administrator"),
        ("a@example.org", "A\nB", "local_administrator"),
        ("a@example.org", "A\u2028B", "local_administrator"),
        ("a@example.org", "A" * 201, "local_administrator"),
    ],
)
def test_an_activation_that_is_not_filled_in_well_is_refused(world: World, email: str, name: str, member: str) -> None:
    """The issue names the member, and nothing is activated."""
    with pytest.raises(RefusedError) as refused:
        access_management.activate(world, EMPLOYER, Capacity.TRAINING_PROVIDER, email, name)

    assert [issue.name for issue in refused.value.issues] == [member]
    assert world.enterprise(EMPLOYER).capacities == {Capacity.EMPLOYER}  # type: ignore[union-attr] # it is there


def test_all_that_is_wrong_is_told_at_once(world: World) -> None:
    """Two wrong members are two issues."""
    with pytest.raises(RefusedError) as refused:
        access_management.activate(world, EMPLOYER, Capacity.TRAINING_PROVIDER, "", "")

    assert [issue.name for issue in refused.value.issues] == ["email", "local_administrator"]


@pytest.mark.parametrize("email", ["a@example.org", "a" * 242 + "@example.org", "é+x@münchen.example"])
def test_any_address_with_something_on_both_sides_will_do(world: World, email: str) -> None:
    """Addresses are not judged further: nothing is sent to them."""
    access_management.activate(world, EMPLOYER, Capacity.TRAINING_PROVIDER, email, "A")


def test_only_four_capacities_can_open_a_channel() -> None:
    """Any other capacity is refused with the four that can, and where that is said."""
    with pytest.raises(RefusedError) as refused:
        access_management.parse_capacity("pension-fund")

    for part in ("employer, social-secretariat, service-provider, training-provider", "G§4.4.1", "“pension-fund”"):
        assert part in refused.value.sentence


def test_deactivating_names_the_accounts_that_need_the_capacity(world: World) -> None:
    """While an account of the capacity is there, it stays; those of another capacity do not matter."""
    access_management.activate(world, EMPLOYER, Capacity.TRAINING_PROVIDER, "a@example.org", "A")
    client_id = account_in(world, Capacity.TRAINING_PROVIDER)

    with pytest.raises(ConflictError, match=f"still needed by account {client_id}. Delete or end these first"):
        access_management.deactivate(world, EMPLOYER, Capacity.TRAINING_PROVIDER)

    access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)
    chaman.delete_account(world, client_id)
    access_management.deactivate(world, EMPLOYER, Capacity.TRAINING_PROVIDER)
    enterprise = access_management.find_enterprise(world, EMPLOYER)
    assert (enterprise.capacities, enterprise.administrators) == (frozenset(), {})


def test_many_accounts_are_counted(world: World) -> None:
    """A long list is told in part."""
    for _ in range(7):
        account_in(world, Capacity.EMPLOYER)

    with pytest.raises(ConflictError, match=r"account (\w+, ){4}\w+ and 2 more\."):
        access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)


def test_an_account_that_goes_needs_its_capacity_until_it_is_gone(
    world: World, clock: FixedClock, delay: Callable[[float], None]
) -> None:
    """With an activation delay, a deleted account still has effect for a while."""
    client_id = account_in(world, Capacity.EMPLOYER)
    delay(600)
    chaman.delete_account(world, client_id)
    with pytest.raises(ConflictError, match=client_id):
        access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)

    clock.advance(600)
    access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)

    assert world.state().accounts == ()


def test_an_employer_with_a_mandate_stays_one(world: World) -> None:
    """A mandate needs the capacity of its mandator until it has ended."""
    number = mandate_to(world, SECRETARIAT)
    with pytest.raises(ConflictError, match=f"employer of enterprise {EMPLOYER} is still needed by mandate {number}"):
        access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)

    mahis.revoke(world, number)
    access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)


def test_a_mandatary_may_lose_one_of_two_such_capacities(world: World) -> None:
    """A mandate needs either of the two capacities of a mandatary; the last one stays."""
    number = mandate_to(world, SECRETARIAT)

    access_management.deactivate(world, SECRETARIAT, Capacity.SOCIAL_SECRETARIAT)

    with pytest.raises(ConflictError, match=f"mandate {number}"):
        access_management.deactivate(world, SECRETARIAT, Capacity.SERVICE_PROVIDER)


def test_a_mandate_that_has_ended_needs_nothing(world: World) -> None:
    """After its last quarter a mandate keeps no capacity active; it goes with the capacity that it needed."""
    mandate_to(world, SECRETARIAT, end=Quarter(2026, 2))
    access_management.deactivate(world, SECRETARIAT, Capacity.SOCIAL_SECRETARIAT)
    assert mahis.list_mandates(world).total == 1

    access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)

    assert mahis.list_mandates(world).total == 0


@pytest.mark.parametrize("number", [EMPLOYER, SECRETARIAT])
@pytest.mark.parametrize("way", ["deactivate", "delete"])
def test_a_world_fits_together_after_a_side_of_an_old_mandate_has_gone(
    world: World, number: EnterpriseNumber, way: str
) -> None:
    """So its state can be exported and imported."""
    access_management.add_employment(world, EMPLOYER, SSIN)
    mahis.revoke(world, mandate_to(world, SECRETARIAT))
    if way == "delete":
        access_management.delete_enterprise(world, number)
    else:
        for capacity in access_management.find_enterprise(world, number).capacities:
            access_management.deactivate(world, number, capacity)

    assert consistency.faults(world.state(), SERVICES) == []


@pytest.mark.parametrize("capacity", [Capacity.EMPLOYER, Capacity.TRAINING_PROVIDER])
def test_mandates_as_a_mandatary_need_no_other_capacity(world: World, capacity: Capacity) -> None:
    """A mandatary may stop being an employer or a training provider."""
    access_management.activate(world, PROVIDER, Capacity.TRAINING_PROVIDER, "a@example.org", "A")
    mandate_to(world, PROVIDER)

    access_management.deactivate(world, PROVIDER, capacity)


def test_a_proposal_needs_the_capacity_too(world: World) -> None:
    """A mandate that is proposed may still be confirmed."""
    mahis.propose(
        world, SERVICES, mahis.Proposal(EMPLOYER, SECRETARIAT, FLA, Quarter(2027, 1), proposed_by=Party.MANDATARY)
    )

    with pytest.raises(ConflictError, match="mandate 1"):
        access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)


def test_what_is_not_active_cannot_be_deactivated(world: World) -> None:
    """There is no such capacity to deactivate."""
    with pytest.raises(NotFoundError, match=f"no active capacity employer of enterprise {TRAINER}"):
        access_management.deactivate(world, TRAINER, Capacity.EMPLOYER)


def test_an_enterprise_is_added_without_capacities(world: World) -> None:
    """Its capacities are activated one by one."""
    enterprise, is_new = access_management.put_enterprise(world, NOBODY, "Newcomer", Employments.CLOSED)

    assert is_new
    assert enterprise == world.enterprise(NOBODY)
    assert (enterprise.capacities, enterprise.employments) == (frozenset(), Employments.CLOSED)


def test_an_enterprise_is_renamed_and_keeps_its_capacities(world: World) -> None:
    """What is put is its name and its employments."""
    access_management.activate(world, EMPLOYER, Capacity.EMPLOYER, "a@example.org", "A")

    enterprise, is_new = access_management.put_enterprise(world, EMPLOYER, "Another name")

    assert not is_new
    assert enterprise.name == "Another name"
    assert enterprise.capacities == {Capacity.EMPLOYER}
    assert enterprise.administrators == {Capacity.EMPLOYER: Administrator("a@example.org", "A")}


def test_a_name_has_no_line_ends(world: World) -> None:
    """Names are shown on one line."""
    with pytest.raises(RefusedError, match="The enterprise cannot be accepted: name: expected printable characters"):
        access_management.put_enterprise(world, NOBODY, "Two\r\nlines")


def test_an_enterprise_is_deleted_when_nothing_needs_it(world: World) -> None:
    """Its employments go with it."""
    access_management.add_employment(world, EMPLOYER, SSIN)

    access_management.delete_enterprise(world, EMPLOYER)

    assert world.enterprise(EMPLOYER) is None
    assert world.count("employments") == 0


@pytest.mark.parametrize("number", [EMPLOYER, SECRETARIAT])
def test_an_enterprise_with_accounts_and_mandates_stays(world: World, number: EnterpriseNumber) -> None:
    """Either side of a mandate is needed, and so is the enterprise of an account."""
    client_id = account_in(world, Capacity.EMPLOYER)
    mandate = mandate_to(world, SECRETARIAT)
    needed = f"account {client_id} and mandate {mandate}" if number == EMPLOYER else f"mandate {mandate}"

    with pytest.raises(ConflictError, match=f"Enterprise {number} is still needed by {needed}. Delete"):
        access_management.delete_enterprise(world, number)


def test_employees_are_listed_by_employer(world: World) -> None:
    """An employment is listed once, and taken away again."""
    access_management.add_employment(world, EMPLOYER, SSIN)
    access_management.add_employment(world, EMPLOYER, SSIN)
    found = access_management.list_employments(world, EMPLOYER)
    assert ([employment.ssin for employment in found.items], found.total) == ([SSIN], 1)

    access_management.remove_employment(world, EMPLOYER, SSIN)

    assert access_management.list_employments(world, EMPLOYER).total == 0
    with pytest.raises(NotFoundError, match=f"no employment of this SSIN at enterprise {EMPLOYER}"):
        access_management.remove_employment(world, EMPLOYER, SSIN)


def test_only_an_employer_has_employees(world: World) -> None:
    """Somebody else's employees are not in service there."""
    with pytest.raises(
        ConflictError, match=r"To have employees in service, enterprise .* needs .* employer; active is"
    ):
        access_management.add_employment(world, TRAINER, SSIN)


def test_employments_go_with_the_capacity_of_an_employer(world: World) -> None:
    """The world fits together afterwards."""
    access_management.add_employment(world, EMPLOYER, SSIN)

    access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER)

    assert world.count("employments") == 0


def test_an_unknown_enterprise_is_not_found(world: World) -> None:
    """Each function says which number is not there."""
    for act in (
        lambda: access_management.find_enterprise(world, NOBODY),
        lambda: access_management.delete_enterprise(world, NOBODY),
        lambda: access_management.activate(world, NOBODY, Capacity.EMPLOYER, "a@example.org", "A"),
        lambda: access_management.deactivate(world, NOBODY, Capacity.EMPLOYER),
        lambda: access_management.add_employment(world, NOBODY, SSIN),
        lambda: access_management.remove_employment(world, NOBODY, SSIN),
        lambda: access_management.list_employments(world, NOBODY),
    ):
        with pytest.raises(NotFoundError, match=f"There is no enterprise {NOBODY}"):
            act()


def test_enterprises_are_listed_in_pages(world: World) -> None:
    """A page begins after a number; the total is of the whole list."""
    first = access_management.list_enterprises(world, limit=3)
    second = access_management.list_enterprises(world, after=first.items[-1].number, limit=3)

    assert [entry.number for entry in (*first.items, *second.items)] == [EMPLOYER, SECRETARIAT, TRAINER, PROVIDER]
    assert (first.total, second.total) == (4, 4)
