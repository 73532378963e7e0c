"""Worlds in a store: everything that is put in comes out, in every kind of database, and others who share it see it."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import bindparam, delete

from mock_server.clock import ClockState, FixedClock
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber, Quarter, ServiceName, Ssin
from mock_server.world import rows, schema
from mock_server.world import statements as sql
from mock_server.world.database import Database, Statement, StoreError
from mock_server.world.model import (
    Account,
    Administrator,
    CalendarYear,
    Document,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateDecision,
    OwnNumber,
    Party,
    Period,
    Phase,
    PhaseAnswer,
    RegisteredCertificate,
    StoredFault,
    WorldSettings,
    WorldState,
)
from mock_server.world.store import DEFAULT_WORLD, Store, WorldExistsError
from mock_server.world.world import World, WorldGoneError
from tests.support import DAY, NOW, certificate
from tests.system import postgres

FLA, DIMONA = ServiceName("fla"), ServiceName("dimona")
EMPLOYER, SECRETARIAT, ANOTHER = map(EnterpriseNumber, ("1999000150", "1999000249", "1999000447"))
SSIN, SECOND_SSIN = Ssin("65111899997"), Ssin("85073099932")
ENTERPRISE = Enterprise(
    EMPLOYER,
    "Société “É” 東京",
    frozenset({Capacity.EMPLOYER, Capacity.TRAINING_PROVIDER}),
    Employments.CLOSED,
    {Capacity.EMPLOYER: Administrator("hr@example.org", "A. Person")},
)
ACCOUNT = Account(
    ClientId("self_service_chaman_1"),
    "An account",
    EMPLOYER,
    Capacity.EMPLOYER,
    (FLA, DIMONA),
    (
        RegisteredCertificate("first", certificate()),
        RegisteredCertificate("second", certificate(number=1), Period(NOW, NOW + 0.25)),
    ),
    Period(until=NOW + DAY),
    {DIMONA: Period(NOW - DAY, None)},
)
MANDATE = Mandate(EMPLOYER, SECRETARIAT, FLA, Quarter(2025, 1))
PROPOSED = Mandate(
    EMPLOYER,
    SECRETARIAT,
    DIMONA,
    Quarter(2025, 2),
    Quarter(2026, 4),
    MandateDecision.PROPOSED,
    Party.MANDATARY,
    frozenset({Party.MANDATARY}),
)
SETTINGS = WorldSettings(
    Employments.CLOSED,
    OwnNumber.ALLOW,
    0.125,
    CalendarYear.REQUIRE,
    Phase.CONSULTATION,
    PhaseAnswer(409, "urn:problem-type:example:over", "Over", "“Afgelopen”"),
    PhaseAnswer(503, "about:blank", "Service Unavailable", "Back tomorrow"),
)
FAULT: dict[str, Any] = {"operation": "token", "do": {"status": 503}, "times": 2}
STATE = WorldState(
    enterprises=(ENTERPRISE, Enterprise(SECRETARIAT, "S", frozenset({Capacity.SOCIAL_SECRETARIAT}))),
    accounts=(replace(ACCOUNT, client_id=ClientId("z")), ACCOUNT),
    mandates=(replace(MANDATE, id=1), replace(PROPOSED, id=2)),
    employments=(Employment(EMPLOYER, SSIN), Employment(EMPLOYER, SECOND_SSIN)),
    settings=SETTINGS,
    documents=(
        Document("fla-employer", "employers/1", '{"items":["é"]}'),
        Document("fla-employer", "employers/2", None, 6),
        Document("fla-employer", "employers/3", "null", 5),
    ),
    clock=ClockState(-3.5, NOW + 1 / 3),
    faults=(StoredFault(7, FAULT, 3, 1),),
)


@pytest.fixture(params=get_args(postgres.Kind))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store, of one kind after the other."""
    with postgres.store(request.param, tmp_path) as url, contextlib.closing(Store(url)) as store:
        yield store


@pytest.fixture
def clock() -> FixedClock:
    """Return what real time the worlds are told."""
    return FixedClock(NOW)


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    """Return an empty world."""
    return store.create_world(WorldState(), clock)


@dataclass
class Two:
    """Two stores over one database, as two processes have them, and one world in it as each of them sees it."""

    url: str
    first: Store
    second: Store
    here: World
    there: World


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Two]:
    """Return two stores that share a world of `STATE`."""
    with (
        postgres.store(request.param, tmp_path) as url,
        contextlib.closing(Store(url)) as first,
        contextlib.closing(Store(url)) as second,
    ):
        here = first.create_world(STATE, clock)
        there = second.world(DEFAULT_WORLD, clock)
        assert there is not None
        yield Two(url, first, second, here, there)


# What is put in comes out


def test_a_whole_world_comes_back(store: Store, clock: FixedClock) -> None:
    """Each member of a state is as it was, in a world that was made of it and opened again, and in a second one."""
    store.create_world(STATE, clock)
    opened = store.world(DEFAULT_WORLD, clock)

    assert opened is not None
    assert_same(opened.state(), STATE)
    assert_same(store.create_world(opened.state(), clock, "second").state(), STATE)


def assert_same(found: WorldState, expected: WorldState) -> None:
    """Compare states; the order matters where one is kept, and that is for accounts, mandates and faults."""
    for field in fields(WorldState):
        mine, other = getattr(found, field.name), getattr(expected, field.name)
        if field.name in {"enterprises", "employments", "documents"}:
            assert (len(mine), sorted(map(repr, mine))) == (len(other), sorted(map(repr, other)))
        else:
            assert mine == other


def test_a_state_takes_the_place_of_another(store: Store, clock: FixedClock) -> None:
    """Nothing of the world as it was is left but what a state does not have: used jtis, and how far exchanges count."""
    world = store.create_world(STATE, clock)
    world.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW)
    assert world.next_number("exchanges") == 1
    other = WorldState(accounts=(replace(ACCOUNT, name="Another"),), enterprises=STATE.enterprises)

    world.replace_state(other)

    assert_same(world.state(), other)
    assert world.account(ACCOUNT.client_id) == other.accounts[0]
    assert (world.settings, world.clock.now()) == (WorldSettings(), NOW)
    assert world.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW) == NOW
    assert world.next_number("exchanges") == 2


def test_numbers_go_on_after_those_of_a_state(store: Store, clock: FixedClock) -> None:
    """Whether a world is made of it or is given it later, the next mandate and fault get numbers that are free."""
    made = store.create_world(STATE, clock, "made")
    given = store.create_world(WorldState(), clock, "given")
    given.replace_state(STATE)

    for world in (made, given):
        with world.changing():
            assert world.put_mandate(MANDATE).id == 3
            assert world.add_fault(FAULT).id == 8


def test_settings_and_clock_come_back(world: World, store: Store, clock: FixedClock) -> None:
    """They act at once, and are there when the world is opened again, to the last digit."""
    with world.changing():
        world.put_settings(SETTINGS)
        world.put_clock(ClockState(0.1, NOW + 0.7))
    again = store.world(DEFAULT_WORLD, clock)

    assert again is not None
    for one in (world, again):
        assert (one.settings, one.clock.state, one.clock.now()) == (SETTINGS, ClockState(0.1, NOW + 0.7), NOW + 0.7)


def test_an_account_comes_back(world: World) -> None:
    """Its permissions and certificates keep their order and their periods."""
    with world.changing():
        world.put_account(ACCOUNT)

    assert world.account(ACCOUNT.client_id) == ACCOUNT
    assert world.account(ClientId("nobody")) is None


def test_an_account_is_replaced_whole_and_keeps_its_place(world: World) -> None:
    """What it has no more is gone, and it does not become the newest."""
    changed = replace(ACCOUNT, name="Another name", permissions=(FLA,), certificates=(), permission_periods={})
    with world.changing():
        world.put_account(ACCOUNT)
        world.put_account(replace(ACCOUNT, client_id=ClientId("a")))
        world.put_account(changed)

    assert world.account(ACCOUNT.client_id) == changed
    assert [account.client_id for account in world.some_accounts(5)] == [ACCOUNT.client_id, "a"]
    assert [account.client_id for account in world.some_accounts(1)] == [ACCOUNT.client_id]


def test_a_deleted_account_is_gone(world: World) -> None:
    """With its permissions and certificates: one of the same client id begins anew. Another one stays."""
    other = replace(ACCOUNT, client_id=ClientId("other"))
    bare = replace(ACCOUNT, permissions=(), certificates=(), permission_periods={})
    with world.changing():
        world.put_account(ACCOUNT)
        world.put_account(other)
        assert world.delete_account(ACCOUNT.client_id)
        assert not world.delete_account(ACCOUNT.client_id)
        assert world.account(ACCOUNT.client_id) is None
        world.put_account(bare)

    assert world.account(ACCOUNT.client_id) == bare
    assert world.account(other.client_id) == other


def test_accounts_are_listed_by_client_id(world: World) -> None:
    """All, those of an enterprise, of a capacity, and from the one after a client id, so many."""
    accounts = [
        replace(ACCOUNT, client_id=ClientId("b")),
        replace(ACCOUNT, client_id=ClientId("c"), capacity=Capacity.TRAINING_PROVIDER),
        replace(ACCOUNT, client_id=ClientId("a"), enterprise=SECRETARIAT),
    ]
    with world.changing():
        for account in accounts:
            world.put_account(account)

    def listed(*args: Any, **more: Any) -> str:
        return "".join(account.client_id for account in world.accounts(*args, **more))

    assert listed() == "abc"
    assert listed(EMPLOYER) == "bc"
    assert listed(EMPLOYER, Capacity.EMPLOYER) == "b"
    assert listed(after="a", limit=1) == "b"
    assert listed(after="c") == ""


def test_what_has_no_effect_yet_or_no_more_is_left_out_of_an_active_account(world: World, clock: FixedClock) -> None:
    """The account is as it is kept; what has effect follows from its periods and the world's time."""
    with world.changing():
        world.put_account(ACCOUNT)
        world.put_account(replace(ACCOUNT, client_id=ClientId("settled"), period=Period(), permissions=()))

    active = world.active_account(ACCOUNT.client_id)
    assert active is not None
    assert [entry.name for entry in active.certificates] == ["first", "second"]
    clock.advance(1)
    active = world.active_account(ACCOUNT.client_id)
    assert active is not None
    assert [entry.name for entry in active.certificates] == ["first"]
    clock.advance(DAY)
    assert world.active_account(ACCOUNT.client_id) is None
    assert world.account(ACCOUNT.client_id) == ACCOUNT
    assert world.active_account(ClientId("nobody")) is None


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "é" * 300, "x" * 10_000, "", "%s", "' OR 1=1 --"])
def test_any_text_may_be_asked_for(name: str, world: World) -> None:
    """A client id that nobody can have is one that nobody has, whatever the database makes of such a text."""
    assert world.account(ClientId(name)) is None
    assert world.active_account(ClientId(name)) is None


def test_an_enterprise_comes_back(world: World) -> None:
    """With who administers it; and what takes its place has its own."""
    with world.changing():
        world.put_enterprise(ENTERPRISE)
    assert world.enterprise(EMPLOYER) == ENTERPRISE
    bare = Enterprise(EMPLOYER, "Bare", frozenset())
    with world.changing():
        world.put_enterprise(bare)
    assert world.enterprise(EMPLOYER) == bare
    assert world.enterprise(ANOTHER) is None


def test_enterprises_are_listed_by_number(world: World) -> None:
    """All, and from the one after a number, so many."""
    with world.changing():
        for number in (ANOTHER, EMPLOYER, SECRETARIAT):
            world.put_enterprise(Enterprise(number, "x", frozenset()))

    assert [found.number for found in world.enterprises()] == [EMPLOYER, SECRETARIAT, ANOTHER]
    assert [found.number for found in world.enterprises(after=EMPLOYER, limit=1)] == [SECRETARIAT]


def test_a_deleted_enterprise_is_gone(world: World) -> None:
    """With its employments; those of another stay. One that is replaced keeps its own."""
    with world.changing():
        for number in (EMPLOYER, ANOTHER):
            world.put_enterprise(replace(ENTERPRISE, number=number))
            world.add_employment(Employment(number, SSIN))
        world.put_enterprise(replace(ENTERPRISE, name="Renamed"))
        assert world.has_employment(Employment(EMPLOYER, SSIN))
        assert world.delete_enterprise(EMPLOYER)
        assert not world.delete_enterprise(EMPLOYER)

    assert world.enterprise(EMPLOYER) is None
    assert not world.has_employment(Employment(EMPLOYER, SSIN))
    assert world.has_employment(Employment(ANOTHER, SSIN))


def test_employments_come_back(world: World) -> None:
    """Twice listed is once listed; they are listed by SSIN, from the one after an SSIN, so many."""
    first, second = Employment(EMPLOYER, SSIN), Employment(EMPLOYER, SECOND_SSIN)
    with world.changing():
        for employment in (second, first, first, Employment(ANOTHER, SSIN)):
            world.add_employment(employment)

    assert world.employments(EMPLOYER) == [first, second]
    assert world.employments(EMPLOYER, limit=1) == [first]
    assert world.employments(EMPLOYER, after=SSIN) == [second]
    with world.changing():
        assert [world.remove_employment(first), world.remove_employment(first)] == [True, False]
    assert world.employments(EMPLOYER) == [second]


def test_who_employs_whom_follows_from_the_enterprise_first(world: World) -> None:
    """What the enterprise says goes before what the world says; an open one employs everybody."""
    closed = WorldSettings(Employments.CLOSED)
    cases = [
        (WorldSettings(), None, [True, True]),
        (WorldSettings(), Employments.CLOSED, [True, False]),
        (closed, None, [True, False]),
        (closed, Employments.OPEN, [True, True]),
    ]
    for settings, own, expected in cases:
        with world.changing():
            world.put_settings(settings)
            world.put_enterprise(replace(ENTERPRISE, employments=own))
            world.add_employment(Employment(EMPLOYER, SSIN))
        assert [world.employs(EMPLOYER, SSIN), world.employs(EMPLOYER, SECOND_SSIN)] == expected
    assert not world.employs(ANOTHER, SSIN)


def test_mandates_come_back(world: World) -> None:
    """They get numbers in their order; one that has a number takes the place of the one with it."""
    with world.changing():
        first, second = world.put_mandate(MANDATE), world.put_mandate(PROPOSED)
        changed = world.put_mandate(replace(second, decision=MandateDecision.REVOKED, end=None))

    assert [first, changed] == [
        replace(MANDATE, id=1),
        replace(PROPOSED, id=2, decision=MandateDecision.REVOKED, end=None),
    ]
    assert [world.mandate(1), world.mandate(2), world.mandate(3)] == [first, changed, None]


def test_mandates_are_listed_by_number(world: World) -> None:
    """All, those of a mandator, a mandatary or a service, and from the one after a number, so many."""
    with world.changing():
        world.put_mandate(MANDATE)
        world.put_mandate(replace(MANDATE, mandator=ANOTHER))
        world.put_mandate(replace(MANDATE, mandatary=ANOTHER, service=DIMONA))

    def listed(**wanted: Any) -> list[int]:
        return [mandate.id for mandate in world.mandates(**wanted)]

    assert listed() == [1, 2, 3]
    assert listed(mandator=EMPLOYER) == [1, 3]
    assert listed(mandatary=SECRETARIAT) == [1, 2]
    assert listed(mandator=EMPLOYER, mandatary=SECRETARIAT, service=FLA) == [1]
    assert listed(after=1, limit=1) == [2]
    assert [mandate.id for mandate in world.mandates_given(EMPLOYER, DIMONA)] == [3]


def test_the_quarter_is_that_of_the_worlds_time(world: World) -> None:
    """Moved a year, the same real time is in another year."""
    assert world.current_quarter() == Quarter(2026, 3)
    with world.changing():
        world.put_clock(ClockState(365 * DAY))
    assert world.current_quarter() == Quarter(2027, 3)


def test_faults_come_back(world: World) -> None:
    """In the order they were added, and their counts as they were counted."""
    with world.changing():
        first, second = world.add_fault(FAULT), world.add_fault({"operation": "*"})
    assert [first, second] == [StoredFault(1, FAULT), StoredFault(2, {"operation": "*"})]
    assert world.faults() == (first, second)

    assert [world.fault_seen(1), world.fault_seen(1), world.fault_fired(1)] == [(1, 0), (2, 0), 1]

    assert world.read_faults() == [StoredFault(1, FAULT, 2, 1), second]
    with world.changing():
        assert [world.remove_fault(1), world.remove_fault(1)] == [True, False]
    assert world.faults() == (second,)
    assert (world.fault_seen(1), world.fault_fired(1)) == (None, 0)
    with world.changing():
        world.remove_faults()
    assert world.faults() == ()
    with world.changing():
        assert world.add_fault(FAULT).id == 3


def test_counts_are_of_one_world(store: Store, clock: FixedClock) -> None:
    """Each kind is counted, all of it or what has some values; another world does not count."""
    store.create_world(STATE, clock, "another")
    world = store.create_world(STATE, clock)

    assert world.counts() == {"enterprises": 2, "accounts": 2, "mandates": 2, "employments": 2, "documents": 3}
    assert world.count("mandates", service="dimona", mandator=EMPLOYER) == 1
    assert world.count("mandates", service="none") == 0


def test_numbers_rise(world: World) -> None:
    """One by one or in blocks, each counter by itself."""
    assert [world.next_number("exchanges"), world.next_number("exchanges", 10), world.next_number("faults")] == [
        1,
        11,
        1,
    ]
    assert (world.dropped, world.next_number("dropped", 4), world.dropped) == (0, 4, 4)


# Used jtis


def test_a_jti_is_used_once(world: World) -> None:
    """The second time it is told when it was used; for another client, and as another jti, it is new."""

    def consume(client_id: str, jti: str, now: float) -> float | None:
        return world.consume_jti(ClientId(client_id), jti, expires_at=NOW + 60, now=now)

    assert consume("a", "é", NOW + 0.1) is None
    assert consume("a", "é", NOW + 1) == NOW + 0.1
    assert [consume("b", "é", NOW), consume("a", "e", NOW), consume("a", "a\0 b", NOW)] == [None, None, None]


def test_a_jti_is_free_again_when_its_assertion_has_expired(world: World) -> None:
    """At the moment of expiry it is used still, and after it no more; then it is used for as long as the new one."""

    def consume(expires_at: float, now: float) -> float | None:
        return world.consume_jti(ACCOUNT.client_id, "a", expires_at=expires_at, now=now)

    assert consume(NOW + 60, NOW) is None
    assert consume(NOW + 120, NOW + 60) == NOW
    assert consume(NOW + 120, NOW + 60.5) is None
    assert consume(NOW + 180, NOW + 120) == NOW + 60.5


def test_expired_jtis_are_forgotten(world: World) -> None:
    """After many requests what has expired is not kept any more, and what has not is."""
    world.consume_jti(ACCOUNT.client_id, "kept", expires_at=NOW + 10_000, now=NOW)
    for number in range(3 * sql.PURGE_EVERY):
        world.consume_jti(ACCOUNT.client_id, str(number), expires_at=NOW + number, now=NOW + number)

    assert world.count("consumed_jtis") <= sql.PURGE_EVERY + 2
    assert world.consume_jti(ACCOUNT.client_id, "kept", expires_at=NOW + 10_000, now=NOW + 9_000) == NOW


# Changes


class _ExpectedError(Exception):
    """Something that goes wrong in a test."""


def test_a_change_that_fails_is_taken_back_whole(store: Store, clock: FixedClock) -> None:
    """The store has nothing of it, and nothing of it is remembered."""
    world = store.create_world(STATE, clock)
    before = world.state()

    def change() -> None:
        with world.changing():
            world.put_account(replace(ACCOUNT, name="Changed"))
            assert world.account(ACCOUNT.client_id) != ACCOUNT
            world.put_enterprise(replace(ENTERPRISE, name="Changed"))
            assert world.enterprise(EMPLOYER) != ENTERPRISE
            with world.changing():
                world.put_mandate(MANDATE)
                world.put_settings(WorldSettings())
                world.put_clock(ClockState())
                world.add_fault(FAULT)
                assert len(world.faults()) == 2
                world.remove_employment(Employment(EMPLOYER, SSIN))
            raise _ExpectedError

    with pytest.raises(_ExpectedError):
        change()

    assert_same(world.state(), before)
    assert [world.account(ACCOUNT.client_id), world.enterprise(EMPLOYER)] == [ACCOUNT, ENTERPRISE]
    assert (world.settings, world.clock.state, world.faults()) == (SETTINGS, STATE.clock, STATE.faults)
    with world.changing():
        assert world.put_mandate(MANDATE).id == 3


CHANGES: dict[str, tuple[Callable[[World], object], Callable[[World], object]]] = {
    "an account": (
        lambda world: world.put_account(replace(ACCOUNT, client_id=ClientId("new"))),
        lambda world: world.active_account(ClientId("new")),
    ),
    "a deleted account": (
        lambda world: world.delete_account(ACCOUNT.client_id),
        lambda world: world.active_account(ACCOUNT.client_id),
    ),
    "a certificate": (
        lambda world: world.put_account(replace(ACCOUNT, certificates=ACCOUNT.certificates[:1])),
        lambda world: world.account(ACCOUNT.client_id),
    ),
    "a permission": (
        lambda world: world.put_account(replace(ACCOUNT, permissions=(FLA,), permission_periods={})),
        lambda world: world.account(ACCOUNT.client_id),
    ),
    "an enterprise": (
        lambda world: world.put_enterprise(replace(ENTERPRISE, capacities=frozenset())),
        lambda world: world.enterprise(EMPLOYER),
    ),
    "a mandate": (
        lambda world: world.put_mandate(replace(MANDATE, mandator=ANOTHER)),
        lambda world: world.mandates_given(ANOTHER, FLA),
    ),
    "settings": (lambda world: world.put_settings(WorldSettings()), lambda world: world.settings),
    "a clock": (lambda world: world.put_clock(ClockState(0.0, NOW + DAY)), lambda world: world.clock.now()),
    "a fault": (lambda world: world.add_fault(FAULT), lambda world: world.faults()),
    "a whole state": (lambda world: world.replace_state(WorldState()), lambda world: world.account(ACCOUNT.client_id)),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_seen_by_others_as_soon_as_it_is_done(case: str, two: Two) -> None:
    """While it lasts nobody else knows of it; after it the other store has it, once it asks what is new."""
    change, read = CHANGES[case]
    before = read(two.there)

    with two.here.changing():
        change(two.here)
        two.there.refresh()
        assert read(two.there) == before

    two.there.refresh()
    assert read(two.there) == read(two.here) != before


def test_a_change_that_was_taken_back_is_seen_by_nobody(two: Two) -> None:
    """And the next change of another is."""

    def change() -> None:
        with two.here.changing():
            two.here.put_account(replace(ACCOUNT, name="Changed"))
            raise _ExpectedError

    with pytest.raises(_ExpectedError):
        change()
    two.there.refresh()
    assert two.there.account(ACCOUNT.client_id) == ACCOUNT
    with two.there.changing():
        two.there.put_account(replace(ACCOUNT, name="Theirs"))
    two.here.refresh()
    assert two.here.account(ACCOUNT.client_id) == replace(ACCOUNT, name="Theirs")


def test_a_change_begins_with_what_others_have_done(two: Two) -> None:
    """Inside it, what was remembered is as new as the store, so nothing of another is written over."""
    assert two.there.account(ACCOUNT.client_id) == ACCOUNT
    with two.here.changing():
        two.here.put_account(replace(ACCOUNT, name="Changed"))

    with two.there.changing():
        account = two.there.account(ACCOUNT.client_id)
        assert account is not None
        two.there.put_account(replace(account, permissions=(FLA,), permission_periods={}))

    two.here.refresh()
    expected = replace(ACCOUNT, name="Changed", permissions=(FLA,), permission_periods={})
    assert two.here.account(ACCOUNT.client_id) == expected


def test_documents_are_seen_by_others_at_once(two: Two) -> None:
    """They are not remembered, so there is nothing to be asked for."""
    two.here.put_document(Document("fla-employer", "employers/1", "{}"))

    assert two.there.document("fla-employer", "employers/1") == Document("fla-employer", "employers/1", "{}")


def test_a_jti_that_one_used_is_refused_by_the_other(two: Two) -> None:
    """It is told when it was used; when it has expired the other may have it."""
    assert two.here.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW) is None
    assert two.there.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW + 1) == NOW
    assert two.there.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 120, now=NOW + 61) is None
    assert two.here.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 120, now=NOW + 62) == NOW + 61


def test_counts_are_those_of_all(two: Two) -> None:
    """Numbers are given once, and a fault that both saw was seen twice."""
    assert [world.next_number("exchanges") for world in (two.here, two.there, two.here)] == [1, 2, 3]
    assert [two.here.fault_seen(7), two.there.fault_seen(7)] == [(4, 1), (5, 1)]
    assert [two.here.fault_fired(7), two.there.fault_fired(7)] == [2, 3]


def test_at_the_same_time_each_number_and_each_jti_is_given_once(two: Two, clock: FixedClock) -> None:
    """Four that count and use the same fifty jtis: 200 numbers are given, and each jti is new for one of them."""
    numbers: list[int] = []
    new: list[int] = []
    mandates: list[int] = []
    ready = threading.Barrier(4)

    def work() -> None:
        with contextlib.closing(Store(two.url)) as store:
            world = store.world(DEFAULT_WORLD, clock)
            assert world is not None
            ready.wait(postgres.TIMEOUT)
            for number in range(50):
                numbers.append(world.next_number("exchanges"))
                if world.consume_jti(ACCOUNT.client_id, str(number), expires_at=NOW + 60, now=NOW) is None:
                    new.append(number)
                if number % 10 == 0:
                    with world.changing():
                        mandates.append(world.put_mandate(MANDATE).id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(postgres.TIMEOUT)

    assert sorted(numbers) == list(range(1, 201))
    assert sorted(new) == list(range(50))
    assert sorted(mandates) == list(range(3, 23))


# Worlds of a store


def test_worlds_are_found_by_name(store: Store, clock: FixedClock) -> None:
    """They are listed by name, from the one after a name, so many, and counted."""
    for name in ("b", "a", "c"):
        store.create_world(WorldState(), clock, name)

    assert store.world_names() == ["a", "b", "c"]
    assert store.world_names("a", 1) == store.world_names("a\0z", 1) == ["b"]
    assert store.world_count() == 3
    assert store.world("d", clock) is None


def test_a_name_is_given_once(store: Store, clock: FixedClock) -> None:
    """The second world of a name is refused, and the first one stays as it is; ensuring it finds it."""
    store.create_world(STATE, clock)

    with pytest.raises(WorldExistsError, match="named default"):
        store.create_world(WorldState(), clock)
    world, was_made = store.ensure_world(WorldState, clock)

    assert not was_made
    assert_same(world.state(), STATE)


def test_a_world_that_is_not_there_is_made(store: Store, clock: FixedClock) -> None:
    """And it is told that it was."""
    world, was_made = store.ensure_world(lambda: STATE, clock, "new")

    assert was_made
    assert_same(world.state(), STATE)


def test_of_several_who_make_the_same_world_one_does(two: Two, clock: FixedClock) -> None:
    """All get the same world, and one of them is told that it was made now."""
    ready = threading.Barrier(4)
    made: list[bool] = []
    names: list[str] = []

    def work() -> None:
        state = replace(STATE, enterprises=(replace(ENTERPRISE, name=str(threading.get_ident())),))
        with contextlib.closing(Store(two.url)) as store:
            ready.wait(postgres.TIMEOUT)
            world, was_made = store.ensure_world(lambda: state, clock, "new")
            made.append(was_made)
            found = world.enterprise(EMPLOYER)
            names.append(found.name if found else "none")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(postgres.TIMEOUT)

    assert sorted(made) == [False, False, False, True]
    assert len(set(names)) == 1


def test_ensuring_a_world_that_another_makes_meanwhile_finds_it(two: Two, clock: FixedClock) -> None:
    """Between looking and making, the other store was faster."""

    def make() -> WorldState:
        two.second.create_world(STATE, clock, "new")
        return WorldState()

    world, was_made = two.first.ensure_world(make, clock, "new")

    assert not was_made
    assert_same(world.state(), STATE)


def test_a_world_is_deleted_with_everything_in_it(store: Store, clock: FixedClock) -> None:
    """No table has a row of it; another world keeps its own. A second time there is nothing to delete."""
    kept = store.create_world(STATE, clock, "kept")
    gone = store.create_world(STATE, clock, "gone")
    gone.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW)

    assert [store.delete_world("gone"), store.delete_world("gone")] == [True, False]

    assert store.world("gone", clock) is None
    assert store.world_names() == ["kept"]
    assert {name: rows_of(store, name, "gone") for name in sql.INSERT} == dict.fromkeys(sql.INSERT, 0)
    assert_same(kept.state(), STATE)


def rows_of(store: Store, table: str, world: str) -> int:
    """Return how many rows of a world there are in a table."""
    return int(store.database.one(sql.count(table, ()), world=world).n)


DOCUMENT = Document("api", "path", "{}")
MENTIONING = replace(DOCUMENT, mentions=(SSIN,))
USES: dict[str, Callable[[World], object]] = {
    "refreshing": lambda world: world.refresh(),
    "changing": lambda world: world.replace_state(WorldState()),
    "exporting": lambda world: world.state(),
    "storing a document": lambda world: world.put_document(DOCUMENT),
    "storing a document that mentions somebody": lambda world: world.put_document(MENTIONING),
    "adding a document": lambda world: world.add_document(DOCUMENT),
    "adding a document that mentions somebody": lambda world: world.add_document(MENTIONING),
    "removing a document": lambda world: world.remove_document("api", "path", below=False),
    "using a jti": lambda world: world.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW),
    "counting": lambda world: world.next_number("exchanges"),
}
LOOKING = ["refreshing", "changing", "exporting"]


@pytest.mark.parametrize("is_made_anew", [False, True], ids=["deleted", "made anew"])
@pytest.mark.parametrize("use", LOOKING)
def test_a_world_that_another_deleted_is_gone(use: str, is_made_anew: bool, two: Two, clock: FixedClock) -> None:  # noqa: FBT001 - a parameter
    """Whoever has it open is told so, also when there is another of the same name by now, which stays as it is."""
    two.first.delete_world(DEFAULT_WORLD)
    if is_made_anew:
        two.first.create_world(replace(STATE, faults=()), clock)

    with pytest.raises(WorldGoneError, match="default"):
        USES[use](two.there)

    anew = two.second.world(DEFAULT_WORLD, clock)
    if not is_made_anew:
        assert anew is None
    else:
        assert anew is not None
        assert_same(anew.state(), replace(STATE, faults=()))


@pytest.mark.parametrize("use", sorted(USES.keys() - LOOKING))
def test_nothing_is_written_into_a_world_that_another_deleted(use: str, two: Two) -> None:
    """A request that is under way then leaves nothing behind."""
    two.first.delete_world(DEFAULT_WORLD)

    with pytest.raises(WorldGoneError, match="default"):
        USES[use](two.there)

    assert {name: rows_of(two.first, name, DEFAULT_WORLD) for name in sql.INSERT} == dict.fromkeys(sql.INSERT, 0)


def test_a_world_made_anew_begins_anew(two: Two, clock: FixedClock) -> None:
    """Neither jtis nor documents nor numbers of the one before are in it, nor what came too late for that one."""
    two.here.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW)
    two.here.next_number("exchanges")
    two.first.delete_world(DEFAULT_WORLD)
    late = Document("fla-employer", "late", "{}", mentions=(SSIN,))
    two.first.database.run(sql.INSERT["documents"], **rows.of_document(DEFAULT_WORLD, late))
    two.first.database.run_many(sql.INSERT["mentions"], rows.of_mentions(DEFAULT_WORLD, late))

    anew = two.second.create_world(WorldState(), clock)

    assert_same(anew.state(), WorldState())
    assert anew.consume_jti(ACCOUNT.client_id, "a", expires_at=NOW + 60, now=NOW) is None
    assert anew.next_number("exchanges") == 1
    assert anew.documents_mentioning("fla-employer", SSIN) == []
    assert rows_of(two.first, "mentions", DEFAULT_WORLD) == 0


def test_deleting_a_world_and_writing_its_journal_do_not_wait_for_each_other(clock: FixedClock) -> None:
    """The journal takes away old exchanges and then counts them; who deletes the world meanwhile comes after it."""
    exchange = {"operation": "token", "client_id": None, "status": 200, "refused_by": None, "fault": None}
    drop = Statement(delete(schema.exchanges).where(schema.exchanges.c.world == bindparam("world")))
    with (
        postgres.database() as url,
        contextlib.closing(Store(url)) as writer,
        contextlib.closing(Store(url)) as deleter,
    ):
        world = writer.create_world(WorldState(), clock)
        writer.database.run(sql.INSERT["exchanges"], world=world.name, number=1, record="{}", **exchange)
        outcomes: list[object] = []

        def work() -> None:
            try:
                outcomes.append(deleter.delete_world(world.name))
            except StoreError as error:
                outcomes.append(str(error))

        thread = threading.Thread(target=work)
        with writer.database.transaction():
            writer.database.run(drop, world=world.name)
            thread.start()
            postgres.await_a_wait(url)
            world.next_number("dropped")
        thread.join(postgres.TIMEOUT)

        assert outcomes == [True]


def test_a_world_whose_connection_is_cut_goes_on(clock: FixedClock) -> None:
    """A change that was cut fails and leaves the world as it was; the next request and the next change work."""
    with postgres.database() as url, contextlib.closing(Store(url)) as store:
        world = store.create_world(STATE, clock)

        def change() -> None:
            with world.changing():
                world.put_account(replace(ACCOUNT, name="Changed"))
                postgres.cut_connections(url)

        with pytest.raises(StoreError):
            change()

        assert world.account(ACCOUNT.client_id) == ACCOUNT
        postgres.cut_connections(url)
        world.refresh()
        postgres.cut_connections(url)
        with world.changing():
            world.put_account(replace(ACCOUNT, name="Changed"))
        assert_same(world.state(), replace(STATE, accounts=(STATE.accounts[0], replace(ACCOUNT, name="Changed"))))


def test_a_closed_store_in_memory_is_gone(clock: FixedClock) -> None:
    """The next one begins empty."""
    store = Store()
    store.create_world(STATE, clock)
    store.close()

    with contextlib.closing(Store()) as another:
        assert isinstance(another.database, Database)
        assert another.world_count() == 0
