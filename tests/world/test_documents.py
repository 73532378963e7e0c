"""The stored documents of a world: put, added, removed, listed, and found by whom they mention, in every database."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy.dialects import sqlite

from mock_server.clock import FixedClock
from mock_server.identifiers import Ssin
from mock_server.world import document_statements as sql
from mock_server.world.database import Database, Statement
from mock_server.world.model import Document, WorldState
from mock_server.world.store import DEFAULT_WORLD, Store
from mock_server.world.world import World
from tests.support import NOW
from tests.system import postgres

API, OTHER_API = "one", "two"
ANN, BOB = Ssin("65111899997"), Ssin("85073099932")
CLOCK = FixedClock(NOW)


@pytest.fixture(params=get_args(postgres.Kind))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store, of one kind after the other."""
    with postgres.store(request.param, tmp_path) as url, contextlib.closing(Store(url)) as store:
        yield store


@pytest.fixture
def world(store: Store) -> World:
    """Return an empty world, beside one of which nothing may be seen."""
    another = store.create_world(WorldState(), CLOCK, "another")
    for path in ("c/1", "c/2", "c/2/d"):
        another.put_document(document(path, "another's", mentions=(ANN,)))
    return store.create_world(WorldState(), CLOCK)


@dataclass
class Two:
    """Two stores over one database, as two processes have them, and the world in it as each of them sees it."""

    url: str
    first: Store
    second: Store
    here: World
    there: World


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    """Return two stores that share an empty world."""
    with (
        postgres.store(request.param, tmp_path) as url,
        contextlib.closing(Store(url)) as first,
        contextlib.closing(Store(url)) as second,
    ):
        here = first.create_world(WorldState(), CLOCK)
        there = second.world(DEFAULT_WORLD, CLOCK)
        assert there is not None
        yield Two(url, first, second, here, there)


def document(path: str, body: str | None = "{}", number: int = 0, mentions: tuple[Ssin, ...] | None = ()) -> Document:
    """Return a document of the API."""
    return Document(API, path, body, number, mentions)


def paths(found: list[Document]) -> list[str]:
    """Return the paths of documents."""
    return [entry.path for entry in found]


def listed(world: World, collection: str = "c", *, limit: int = 100, offset: int = 0) -> list[str]:
    """Return the paths of the members of a collection."""
    return paths(world.documents_in(API, collection, limit=limit, offset=offset))


def mentioning(world: World, ssin: Ssin) -> list[str]:
    """Return the paths of the documents that mention a person."""
    return paths(world.documents_mentioning(API, ssin))


# Putting


def test_the_last_one_that_was_put_at_a_path_is_there(world: World) -> None:
    """Whatever its length; a path of another API is another path, and the path of a member is not its collection's."""
    long = '{"items":["' + "é" * 1_000_000 + '"]}'
    world.put_document(document("c/1"))
    world.put_document(document("c/1", long))
    world.put_document(Document(OTHER_API, "c/1", "[]"))

    assert world.document(API, "c/1") == document("c/1", long)
    assert world.document(OTHER_API, "c/1") == Document(OTHER_API, "c/1", "[]")
    assert world.document(API, "c") is None


def test_one_that_is_replaced_keeps_its_place(world: World) -> None:
    """The number that it was added with stays, whoever puts another body there."""
    assert world.add_document(document("c/b", "1", 1))
    assert world.add_document(document("c/a", "2", 2))

    world.put_document(document("c/b", "3"))
    world.put_document(document("c/a", "4", mentions=(ANN,)))

    assert world.document(API, "c/b") == document("c/b", "3", 1)
    assert world.document(API, "c/a") == document("c/a", "4", 2)
    assert listed(world) == ["c/b", "c/a"]


def test_what_was_deleted_can_be_told_from_what_never_was(world: World) -> None:
    """A document without a body is read back as that, is in no list, and mentions nobody."""
    world.put_document(document("c/1", mentions=(ANN,)))
    world.put_document(document("c/1", None, mentions=(ANN,)))

    assert world.document(API, "c/1") == document("c/1", None)
    assert world.document(API, "c/2") is None
    assert (listed(world), world.count_in(API, "c"), mentioning(world, ANN)) == ([], 0, [])

    world.put_document(document("c/1", "null"))
    assert (listed(world), world.count_in(API, "c")) == (["c/1"], 1)


# Adding


def test_adding_does_not_replace(world: World) -> None:
    """The second at a path is told that there is one, which stays with whom it mentions."""
    assert world.add_document(document("c/1", "1", 1, (ANN,)))

    assert not world.add_document(document("c/1", "2", 2))
    assert not world.add_document(document("c/1", "2", 2, (BOB,)))

    assert world.document(API, "c/1") == document("c/1", "1", 1)
    assert (mentioning(world, ANN), mentioning(world, BOB)) == (["c/1"], [])


@pytest.mark.parametrize("mentions", [(), (BOB,)])
def test_what_was_deleted_gives_way_to_what_is_added(world: World, mentions: tuple[Ssin, ...]) -> None:
    """It is a new member, in its own place."""
    world.put_document(document("c/1", None, 1))
    world.put_document(document("c/2", "2"))

    assert world.add_document(document("c/1", "3", 3, mentions))

    assert world.document(API, "c/1") == document("c/1", "3", 3)
    assert listed(world) == ["c/2", "c/1"]
    assert mentioning(world, BOB) == ["c/1"] * len(mentions)


@pytest.mark.parametrize("mentions", [(), (ANN,)])
def test_of_several_who_add_at_one_path_one_does(two: Two, mentions: tuple[Ssin, ...]) -> None:
    """Two processes add fifty documents each, at the same paths: each path has one, and who added it knows."""
    ready = threading.Barrier(2)
    added: dict[str, list[str]] = {"here": [], "there": []}

    def add(name: str, world: World) -> Callable[[], None]:
        def work() -> None:
            ready.wait(postgres.TIMEOUT)
            for index in range(50):
                if world.add_document(document(f"c/{index}", f'"{name}"', index, mentions)):
                    added[name].append(f"c/{index}")

        return work

    in_threads(add("here", two.here), add("there", two.there))

    assert sorted(added["here"] + added["there"]) == sorted(f"c/{index}" for index in range(50))
    for name, mine in added.items():
        assert {two.here.document(API, path) for path in mine} == {
            document(path, f'"{name}"', int(path[2:])) for path in mine
        }
    assert len(mentioning(two.here, ANN)) == 50 * len(mentions)


def in_threads(*work: Callable[[], None]) -> None:
    """Do several things at once."""
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(postgres.TIMEOUT)


def test_numbers_are_given_once(two: Two) -> None:
    """Whichever process asks gets the next one, from 1."""
    assert [world.next_number("documents") for world in (two.here, two.there, two.there)] == [1, 2, 3]


# Removing

BESIDE = ["c", "c%2F1", "c.", "c-1/x", "c0", "c0/1", "cc/1", "C/1", "_/1", "%/1", "b/c/1"]


def test_what_is_removed_is_not_there(world: World) -> None:
    """With nothing below it, unless that is asked for; what is removed already cannot be removed."""
    for path in ("c", "c/1", "c/1/d"):
        world.put_document(document(path, mentions=(ANN,)))

    assert world.remove_document(API, "c/1", below=False)
    assert not world.remove_document(API, "c/1", below=False)
    assert sorted(paths(world.documents())) == ["c", "c/1/d"]
    assert mentioning(world, ANN) == ["c", "c/1/d"]

    assert world.remove_document(API, "c/1", below=True)
    assert not world.remove_document(API, "c/1", below=True)
    assert sorted(paths(world.documents())) == ["c"]
    assert mentioning(world, ANN) == ["c"]


def test_below_a_path_is_what_goes_on_with_a_slash(world: World) -> None:
    """No character of a path means others, whatever it means in a pattern; another API's are not below."""
    below = ["c/", "c/1", "c/1/2", "c/%20", "c/~", "c//", "c/zz"]
    for path in BESIDE[1:] + below:
        world.put_document(document(path, mentions=(ANN,)))
    world.put_document(Document(OTHER_API, "c/1", "1"))

    assert world.remove_document(API, "c", below=True)

    assert mentioning(world, ANN) == sorted(BESIDE[1:])
    assert {(entry.api, entry.path) for entry in world.documents()} == {
        (OTHER_API, "c/1"),
        *((API, path) for path in BESIDE[1:]),
    }


@pytest.mark.parametrize("path", ["_", "%", "c%2F1"])
def test_a_path_is_no_pattern(path: str, world: World) -> None:
    """What stands for any character elsewhere stands for itself."""
    world.put_document(document(f"{path}/1"))
    for beside in ("c/1", "cc/1", "c%2f1/1"):
        world.put_document(document(beside))

    assert world.remove_document(API, path, below=True)

    assert sorted(paths(world.documents())) == ["c%2f1/1", "c/1", "cc/1"]


# Listing


def test_members_are_listed_by_number_and_path(world: World) -> None:
    """Those under keys of their own come first, in the order of the characters' codes, whatever the language."""
    for path, number in (("c/a", 2), ("c/B", 0), ("c/a-b", 0), ("c/b", 0), ("c/ab", 0), ("c/%C3%A9", 0), ("c/0", 1)):
        world.put_document(document(path, number=number))

    assert listed(world) == ["c/%C3%A9", "c/B", "c/a-b", "c/ab", "c/b", "c/0", "c/a"]


def test_a_collection_has_what_is_one_segment_below(world: World) -> None:
    """Not itself, not what is deeper, not another API's; what has no slash is in the collection at the base."""
    for path in [*BESIDE, "c/1", "c/2", "c/1/d", "c//"]:
        world.put_document(document(path))
    world.put_document(Document(OTHER_API, "c/3", "1"))

    assert listed(world) == ["c/1", "c/2"]
    assert listed(world, "c/1") == ["c/1/d"]
    assert listed(world, "") == sorted(path for path in BESIDE if "/" not in path)
    assert [world.count_in(API, name) for name in ("c", "c/1", "", "none")] == [2, 1, 4, 0]


def test_a_list_is_read_page_by_page(world: World) -> None:
    """So many at most, from an offset; beyond the end there is nothing."""
    for index in range(5):
        assert world.add_document(document(f"c/{9 - index}", number=index))

    pages = [listed(world, limit=2, offset=offset) for offset in (0, 2, 4, 5)]

    assert pages == [["c/9", "c/8"], ["c/7", "c/6"], ["c/5"], []]
    assert world.count_in(API, "c") == 5


PLANS = {
    "a page of a list": (sql.IN_COLLECTION, "documents USING INDEX documents_of_collection"),
    "counting a list": (sql.COUNT_IN, "documents USING COVERING INDEX documents_of_collection"),
    "one document": (sql.DOCUMENT, "documents USING INDEX sqlite_autoindex_documents_1"),
    "what is below": (sql.REMOVE_BELOW, "documents USING INDEX sqlite_autoindex_documents_1"),
    "the mentions of one": (sql.REMOVE_MENTIONS, "mentions USING INDEX mentions_of_document"),
    "the mentions below": (sql.REMOVE_LEFT_MENTIONS_BELOW, "mentions USING COVERING INDEX mentions_of_document"),
    "who is mentioned": (sql.MENTIONING, "mentions USING COVERING INDEX sqlite_autoindex_mentions_1"),
}


@pytest.mark.parametrize("name", PLANS)
def test_no_question_reads_all_documents(name: str, tmp_path: Path) -> None:
    """Each is answered from an index, in its order, so that a million documents elsewhere are no matter."""
    statement, expected = PLANS[name]
    Store(f"sqlite:///{tmp_path / 'store.db'}").close()
    text = statement.compiled(sqlite.dialect()).text
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        found = connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * text.count("?")).fetchall()
    told = [str(row[-1]) for row in found]

    assert told[0].startswith(f"SEARCH {expected} (world=? AND api=? AND ")
    assert not [line for line in told if "SCAN" in line or "TEMP B-TREE" in line]


# Mentions


def test_documents_are_found_by_whom_they_mention(world: World) -> None:
    """By path, each once however often it names somebody; in another API or without the person there are none."""
    world.put_document(document("c/2", "2", mentions=(ANN, BOB, ANN)))
    world.put_document(document("c/10", "10", mentions=(ANN,)))
    world.put_document(document("c/3", "3"))
    world.put_document(document("c/4", "4", mentions=None))
    world.put_document(Document(OTHER_API, "c/1", "1", mentions=(BOB,)))

    assert world.documents_mentioning(API, ANN) == [document("c/10", "10"), document("c/2", "2")]
    assert mentioning(world, BOB) == ["c/2"]
    assert world.documents_mentioning("three", ANN) == []


@pytest.mark.parametrize("after", [(), None, (BOB,), (BOB, ANN)])
def test_mentions_are_replaced_with_the_document(world: World, after: tuple[Ssin, ...] | None) -> None:
    """Those of the body before are not found any more."""
    world.put_document(document("c/1", "1", mentions=(ANN,)))
    world.put_document(document("c/1", "2", mentions=after))

    found = {ssin for ssin in (ANN, BOB) if mentioning(world, ssin)}
    assert found == set(after or ())
    assert world.document(API, "c/1") == document("c/1", "2")


def test_what_is_put_after_mentions_went_is_put(world: World) -> None:
    """Not mentioning, mentioning, and not again: the last body is always there, and nobody is left."""
    for body, mentions in (("0", ()), ("1", (ANN,)), ("2", ()), ("3", ()), ("4", (ANN,)), ("5", ())):
        world.put_document(document("c/1", body, mentions=mentions))

        assert world.document(API, "c/1") == document("c/1", body)
        assert mentioning(world, ANN) == ["c/1"] * len(mentions)


def test_what_mentions_nobody_is_put_in_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction and no second statement, for a document that is new and for one that is replaced."""
    seen: list[str] = []
    run = Database.run

    def noted(self: Database, statement: Statement, **values: object) -> int:
        seen.append("statement")
        return run(self, statement, **values)

    with contextlib.closing(Store()) as store:
        world = store.create_world(WorldState(), CLOCK)
        monkeypatch.setattr(Database, "run", noted)
        monkeypatch.setattr(Database, "transaction", lambda _: seen.append("transaction"))

        for body in ("1", "2"):
            world.put_document(document("c/1", body))

    assert seen == ["statement", "statement"]


def test_a_state_brings_its_mentions(store: Store) -> None:
    """In a world that is made from it, and in one whose state it replaces; those that were there before are gone."""
    state = WorldState(documents=(document("c/1", mentions=(ANN,)), document("c/2", None, mentions=(ANN,))))
    made = store.create_world(state, CLOCK, "made")
    filled = store.create_world(WorldState(documents=(document("c/9", mentions=(ANN,)),)), CLOCK, "filled")
    filled.replace_state(state)

    assert [mentioning(world, ANN) for world in (made, filled)] == [["c/1"], ["c/1"]]


def test_numbers_go_on_after_those_of_a_state(store: Store) -> None:
    """The highest that a document has, in a new world and after an import; a smaller one does not lower them."""
    state = WorldState(documents=(document("c/1", number=7), document("c/2", None, 12), document("c/3")))
    made = store.create_world(state, CLOCK, "made")
    filled = store.create_world(WorldState(), CLOCK, "filled")
    with filled.changing():
        filled.replace_state(state)

    assert [world.next_number("documents") for world in (made, filled)] == [13, 13]
    made.replace_state(WorldState(documents=(document("c/1", number=3),)))
    assert made.next_number("documents") == 14


def test_a_world_is_not_deleted_while_a_document_is_put_in_it() -> None:
    """Who deletes it waits for the end of what takes more than one statement, and then leaves nothing behind."""
    with (
        postgres.database() as url,
        contextlib.closing(Store(url)) as writer,
        contextlib.closing(Store(url)) as deleter,
    ):
        world = writer.create_world(WorldState(), CLOCK)
        thread = threading.Thread(target=lambda: deleter.delete_world(world.name))
        with writer.database.transaction():
            world.put_document(document("c/1", mentions=(ANN,)))
            thread.start()
            postgres.await_a_wait(url)
        thread.join(postgres.TIMEOUT)

        assert writer.world(world.name, CLOCK) is None
        assert (world.documents(), world.count("mentions")) == ([], 0)


def test_what_is_put_while_it_is_removed_keeps_its_mentions(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process finds nothing to remove; before it removes what was left, another puts a document there."""
    with (
        postgres.database() as url,
        contextlib.closing(Store(url)) as first,
        contextlib.closing(Store(url)) as second,
    ):
        here = first.create_world(WorldState(), CLOCK)
        there = second.world(DEFAULT_WORLD, CLOCK)
        assert there is not None
        run = second.database.run
        late = {sql.REMOVE_LEFT_MENTIONS: "c/1", sql.REMOVE_LEFT_MENTIONS_BELOW: "c/1/d"}

        def run_late(statement: Statement, **values: object) -> int:
            if statement in late:
                here.put_document(document(late[statement], mentions=(ANN,)))
            return run(statement, **values)

        monkeypatch.setattr(second.database, "run", run_late)

        assert not there.remove_document(API, "c/1", below=True)

        assert sorted(paths(here.documents())) == mentioning(here, ANN) == ["c/1", "c/1/d"]
