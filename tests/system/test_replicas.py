"""Several processes on one store: a change made through one has effect in all with the very next request.

Two servers share a database of PostgreSQL; each test has a world of its own there. `--workers` is tried with both
kinds of store.
"""

import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.support import DAY, FORM_HEADERS, NOW, Reply, certificate, key
from tests.system import postgres
from tests.system.conftest import Client
from tests.system.processes import (
    TIMEOUT,
    Server,
    assertion,
    call,
    get_token,
    run,
    started,
    token_form,
    trainings_url,
)
from tests.system.test_durability import AUDIENCE
from tests.system.test_guide import (
    CER,
    E1,
    E2,
    FLA_SCOPE,
    JSON,
    NO_PERMISSION,
    Account,
    P,
    World,
    problem,
    training_of,
)

AT_ONCE = 200
ACCOUNTS = f"/enterprises/{E1}/capacities/employer/accounts"


@dataclass(frozen=True)
class Replicas:
    """Two servers on one store."""

    first: Server
    second: Server
    folder: Path
    url: str

    def world(self, **members: Any) -> "Pair":
        """Make a world through the first server."""
        here = World.made(self.first, **members)
        return Pair(here, World(self.second, here.name))


@dataclass(frozen=True)
class Pair:
    """A world as it is reached through one server, and through the other."""

    here: World
    there: World

    def turned(self) -> "Pair":
        """Return it with the servers exchanged."""
        return Pair(self.there, self.here)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Run two servers that are started at the same moment on an empty database."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    with postgres.database() as url, ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        ready = threading.Barrier(2)

        def start(folder: Path) -> Server:
            ready.wait(TIMEOUT)
            return stack.enter_context(started(folder, "--world=empty", f"--store={url}"))

        first, second = pool.map(start, folders)
        yield Replicas(first, second, folders[0], url)
        for server in (first, second):
            assert "Traceback" not in server.errors
            assert "a fault of the mock itself" not in server.errors
            # What the journal holds back when a connection is cut is written later.
            told = [line for line in server.errors.splitlines() if "is held back" not in line]
            assert [line for line in told if "cannot be used" in line] == []


@pytest.fixture(params=["from the first", "from the second"])
def pair(request: pytest.FixtureRequest, replicas: Replicas) -> Pair:
    """Make a world that is changed through one of the servers and used through the other."""
    pair = replicas.world()
    return pair if request.param == "from the first" else pair.turned()


def there(account: Account, pair: Pair) -> Account:
    """Return the client of an account, calling the other server."""
    return replace(account, world=pair.there)


def at_once(*work: Callable[[], Reply]) -> list[Reply]:
    """Send requests at the same moment."""
    ready = threading.Barrier(len(work))

    def send(one: Callable[[], Reply]) -> Reply:
        ready.wait(TIMEOUT)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(send, work))


# One use of an assertion


def test_200_assertions_posted_to_both_at_once_give_200_tokens(replicas: Replicas) -> None:
    """Of the two requests with one assertion, one gets a token, and the other is refused."""
    pair = replicas.world()
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla")
    urls = [pair.here.token_url, pair.there.token_url]
    forms = [
        token_form(assertion(account.client_id, account.key, AUDIENCE, exp=int(NOW) + 300)) for _ in range(AT_ONCE)
    ]

    def post(url: str) -> list[Reply]:
        ready.wait(TIMEOUT)
        return [call("POST", url, form, FORM_HEADERS) for form in forms]

    # Four clients, two at each server, go through them side by side.
    ready = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(post, urls * 2))

    by_form = [Counter(reply.status for reply in same) for same in zip(*replies, strict=True)]
    assert by_form == [Counter({200: 1, 400: 3})] * AT_ONCE
    refused = [reply for same in replies for reply in same if reply.status == 400]
    assert {reply.json["error"] for reply in refused} == {"invalid_client"}
    assert len({reply.json["access_token"] for same in replies for reply in same if reply.status == 200}) == AT_ONCE


# Changes have effect in both


def test_an_account_made_through_one_gets_a_token_from_the_other(pair: Pair) -> None:
    """With the very next request; and when it is deleted there is none."""
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla")
    assert there(account, pair).ask().status == 200

    pair.here.do("DELETE", account.path)

    assert there(account, pair).refused() == "invalid_client"


def test_a_certificate_added_through_one_is_good_for_the_other(pair: Pair) -> None:
    """And one that is removed is good no more."""
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla")
    renewed = replace(account, key=key(number=1))
    assert there(renewed, pair).refused() == "invalid_client"

    added = pair.here.do("POST", f"{account.path}/certificates?name=new", certificate(number=1), CER)
    assert there(renewed, pair).ask().status == 200

    pair.here.do("DELETE", f"{account.path}/certificates/{added['fingerprint']}")
    assert there(renewed, pair).refused() == "invalid_client"
    assert there(account, pair).ask().status == 200


def test_a_permission_unticked_through_one_is_missing_in_the_other(pair: Pair) -> None:
    """The next token that is asked for does not have its scope; ticked again, it has."""
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla", "dimona")
    scope = f"{FLA_SCOPE}:employer"
    assert scope in there(account, pair).ask().json["scope"].split()

    pair.here.do("DELETE", f"{account.path}/permissions/fla")
    assert there(account, pair).refused(scope) == "invalid_scope"
    assert scope not in there(account, pair).ask().json["scope"].split()

    pair.here.do("PUT", f"{account.path}/permissions/fla")
    assert there(account, pair).ask(scope).status == 200


def test_a_mandate_entered_through_one_opens_the_other(pair: Pair) -> None:
    """A mandatary sends for an employer from then on, until it is revoked."""
    pair.here.enterprise(E1, "employer")
    pair.here.enterprise(P, "social-secretariat")
    account = there(pair.here.account(P, "social-secretariat", "fla"), pair)
    token = account.token()
    assert problem(account.send(E1, token=token)) == NO_PERMISSION

    mandate = pair.here.mandate(E1, P)
    assert account.send(E1, token=token).status == 200

    pair.here.do("POST", f"/mandates/{mandate}/revoke", {})
    assert problem(account.send(E1, token=token)) == NO_PERMISSION


def test_a_clock_moved_through_one_is_moved_in_the_other(pair: Pair) -> None:
    """It shows the same time, and a token that has expired by it is refused."""
    pair.here.enterprise(E1, "employer")
    account = there(pair.here.account(E1, "employer", "fla"), pair)
    token = account.token()
    assert account.send(E1, token=token).status == 200

    pair.here.move(advance=DAY)

    assert account.send(E1, token=token).status == 401
    assert pair.there.now == NOW + DAY
    assert account.send(E1).status == 200


def test_a_fault_scripted_through_one_hits_a_client_of_the_other(pair: Pair) -> None:
    """And when it is removed it does not."""
    pair.here.enterprise(E1, "employer")
    account = there(pair.here.account(E1, "employer", "fla"), pair)
    assert account.ask().status == 200

    pair.here.do("POST", "/faults", {"operation": "token", "do": {"status": 503}})
    assert account.ask().status == 503

    pair.here.do("DELETE", "/faults")
    assert account.ask().status == 200


def test_a_setting_changed_through_one_holds_in_the_other(pair: Pair) -> None:
    """Employments that are closed are closed for clients of both."""
    pair.here.enterprise(E1, "employer")
    account = there(pair.here.account(E1, "employer", "fla"), pair)
    assert account.send(E1).status == 200

    pair.here.do("PATCH", "/settings", {"employments": "closed"})

    assert account.send(E1).status == 404


def test_a_state_put_through_one_is_the_others(pair: Pair) -> None:
    """All of it, to the byte."""
    state = {"enterprises": [{"number": E2, "name": "Another", "capacities": ["employer"]}]}
    assert pair.there.do("GET", "/enterprises")["total"] == 0

    pair.here.do("PUT", "/state", state)

    assert pair.there.ask("GET", "/state").body == pair.here.ask("GET", "/state").body
    assert [item["number"] for item in pair.there.do("GET", "/enterprises")["items"]] == [E2]


def test_what_is_sent_to_one_is_read_from_the_other(pair: Pair) -> None:
    """With the same access token, since both sign and verify with the key of the store."""
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla")
    token = account.token()

    for name in ("First aid", "Welding"):
        assert account.send(E1, [name], token=token).status == 200
        assert [item["name"] for item in there(account, pair).read(E1, token=token).json["items"]] == [name]
    keys = [call("GET", world.token_url.replace("/token", "/jwks")).json for world in (pair.here, pair.there)]
    assert keys[0] == keys[1]


def test_a_world_made_through_one_is_served_by_the_other(pair: Pair) -> None:
    """Deleted, it is served by none; and one that is made anew under its name has nothing of the one before."""
    pair.here.enterprise(E1, "employer")
    account = there(pair.here.account(E1, "employer", "fla"), pair)
    token = account.token()
    assert account.send(E1, token=token).status == 200

    pair.here.do("DELETE", "")
    assert account.read(E1, token=token).status == pair.there.ask("GET", "").status == 404

    World.made(pair.here.server, name=pair.here.name)
    assert account.read(E1, token=token).status == 401
    assert pair.there.do("GET", "")["counts"]["accounts"] == 0
    assert pair.there.do("GET", "/exchanges")["total"] == 1


# At the same time


@pytest.fixture
def settled(replicas: Replicas) -> Pair:
    """Make a world with two employers and two mandataries."""
    pair = replicas.world()
    for enterprise in (E1, E2):
        pair.here.enterprise(enterprise, "employer")
    pair.here.enterprise(P, "social-secretariat", "service-provider")
    return pair


def test_a_client_id_is_given_once(settled: Pair) -> None:
    """Of two who ask for the same one at once, through both servers, one is told that it is taken."""
    for number in range(10):
        members = {"name": "x", "client_id": f"wanted_{number}"}
        made = at_once(
            lambda: settled.here.ask("POST", ACCOUNTS, members),  # noqa: B023 - called before the next round
            lambda: settled.there.ask("POST", ACCOUNTS, members),  # noqa: B023 - called before the loop goes on
        )
        assert sorted(reply.status for reply in made) == [201, 409]


def test_an_employer_gets_one_mandatary(settled: Pair) -> None:
    """Of two mandates that exclude each other, confirmed at once through both servers, one is refused."""
    for year in range(2030, 2040):
        ids = [
            settled.here.mandate(E1, P, start=f"{year}Q1", end=f"{year}Q4", proposed_by="mandator") for _ in range(2)
        ]
        confirmed = at_once(
            lambda: settled.here.ask("POST", f"/mandates/{ids[0]}/confirm", {"by": "mandatary"}),  # noqa: B023 - called before the loop goes on
            lambda: settled.there.ask("POST", f"/mandates/{ids[1]}/confirm", {"by": "mandatary"}),  # noqa: B023 - called before the loop goes on
        )
        assert sorted(reply.status for reply in confirmed) == [200, 409]


def test_no_change_is_lost(settled: Pair) -> None:
    """Certificates, permissions and names of one account that are changed at once are all changed."""
    account = settled.here.account(E1, "employer", "fla")
    for number in range(1, 6):
        changed = at_once(
            lambda: settled.here.ask(
                "POST",
                f"{account.path}/certificates?name=c{number}",  # noqa: B023 - called before the loop goes on
                certificate("ec-p384", number),  # noqa: B023 - called before the loop goes on
                CER,
            ),
            lambda: settled.there.ask("PATCH", account.path, {"name": f"name {number}"}),  # noqa: B023 - called before the loop goes on
            lambda: settled.there.ask("PUT", f"{account.path}/permissions/dimona"),
        )
        assert {reply.status for reply in changed} <= {200, 201}
        found = settled.there.do("GET", account.path)
        assert (found["name"], len(found["certificates"])) == (f"name {number}", number + 1)
        assert set(found["permissions"]) == {"fla", "dimona"}


def test_a_fault_for_some_times_is_applied_so_often_in_all(settled: Pair) -> None:
    """Three of twenty requests, ten at each server, get it."""
    account = settled.here.account(E1, "employer", "fla")
    settled.here.do("POST", "/faults", {"operation": "token", "do": {"status": 503}, "times": 3})

    replies = at_once(*[account.ask, there(account, settled).ask] * 10)

    assert Counter(reply.status for reply in replies) == Counter({200: 17, 503: 3})


def test_exchange_numbers_are_unique_and_both_journals_have_all(replicas: Replicas) -> None:
    """Forty requests, twenty at each server, are forty exchanges, whoever is asked."""
    pair = replicas.world()
    urls = [world.token_url.replace("/token", "/jwks") for world in (pair.here, pair.there)]

    replies = at_once(*[lambda url=url: call("GET", url) for url in urls * 20])

    numbers = sorted(int(reply.headers["mock-exchange"]) for reply in replies)
    assert numbers == list(range(1, 41))
    for world in (pair.here, pair.there):
        # The other one writes its part a moment later.
        await_exchanges(world, numbers)
        assert world.do("GET", "/exchanges/count") == {"count": 40, "dropped": 0}


def await_exchanges(world: World, numbers: list[int]) -> None:
    """Return as soon as a journal has all these exchanges and no other."""
    for number in numbers:
        while (found := world.do("GET", f"/exchanges/next?after={number - 1}&timeout=30"))["number"] != number:
            # Those of the server that is asked may come before those of the other.
            assert found["number"] in numbers
    assert [item["number"] for item in world.exchanges()] == numbers


def test_a_connection_that_was_cut_is_made_anew(replicas: Replicas) -> None:
    """After the database server was started again, the next request of each kind is answered."""
    pair = replicas.world()
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla")
    token = account.token()
    for _ in range(3):
        postgres.cut_connections(replicas.url)
        assert account.send(E1, token=token).status == 200
        assert there(account, pair).ask().status == 200
        postgres.cut_connections(replicas.url)
        assert pair.here.ask("PATCH", account.path, {"name": "x"}).status == 200
        assert pair.there.ask("GET", "/exchanges").status == 200


def test_a_server_that_comes_later_finds_all_and_changes_nothing(replicas: Replicas, tmp_path: Path) -> None:
    """A third one, whose folder of keys is its own, serves what is there; the demo world of another is left alone."""
    pair = replicas.world()
    pair.here.enterprise(E1, "employer")
    account = pair.here.account(E1, "employer", "fla")
    before = pair.here.ask("GET", "/state").body

    with started(tmp_path, "--world=empty", f"--store={replicas.url}", "--log-level=warning") as third:
        world = World(third, pair.here.name)
        assert replace(account, world=world).ask().status == 200
        assert world.ask("GET", "/state").body == before
        assert third.stop() == 0
        assert third.errors == ""


# Workers


def children(server: Server) -> set[int]:
    """Return the processes that a server has started."""
    pid = server.process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()}


def until(is_so: Callable[[], bool]) -> None:
    """Return as soon as something is so."""
    deadline = time.monotonic() + TIMEOUT
    while not is_so():
        assert time.monotonic() < deadline, f"still not so after {TIMEOUT} seconds"


@dataclass
class Writers:
    """Clients that write without a pause, and what was acknowledged to them."""

    server: Server
    client: Client
    headers: Mapping[str, str]
    documents: dict[str, str] = field(default_factory=dict)
    assertions: list[str] = field(default_factory=list)
    faults: list[object] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let them write while the context lasts."""
        threads = [threading.Thread(target=self._write, args=(ssin,)) for ssin in ("65111899997", "85073099932")]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join(TIMEOUT)

    def await_more(self) -> None:
        """Return when another ten tokens were given."""
        enough = len(self.assertions) + 10
        until(lambda: len(self.assertions) >= enough or bool(self.faults))

    def _write(self, ssin: str) -> None:
        for number in itertools.takewhile(lambda _: not self.is_over.is_set(), itertools.count()):
            year = 2023 + number % 3
            target = trainings_url(self.server, self.client.enterprise, ssin, year)
            name = f"training {number} of {ssin}"
            body = json.dumps({"items": [training_of(year, name)]}).encode()
            text = assertion(self.client.client_id, self.client.key, AUDIENCE)
            try:
                stored = call("PUT", target, body, self.headers)
                given = call("POST", self.server.token_url, token_form(text), FORM_HEADERS)
            except (OSError, HTTPException):
                # The worker that had it was killed, and nobody knows what came of it. The next request is another's.
                self.documents.pop(target, None)
                continue
            if (stored.status, given.status) != (200, 200):
                self.faults.append((stored, given))
                return
            self.documents[target] = name
            self.assertions.append(text)

    def look(self) -> None:
        """Find what was acknowledged."""
        assert self.faults == []
        assert self.documents
        for target, name in self.documents.items():
            assert call("GET", target, headers=self.headers).json["items"][0]["name"] == name
        for text in self.assertions[:50]:
            assert call("POST", self.server.token_url, token_form(text), FORM_HEADERS).status == 400


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(
    kind: Literal["sqlite", "postgresql"], clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """Clients write while each of two workers is killed; what was acknowledged is there. A signal ends all with 0."""
    client = clients["ec-p384"]
    with postgres.store(kind, tmp_path) as url:
        arguments = ("--world=empty", f"--store={url}", "--workers=2", f"--account={client.account}")
        with started(tmp_path, *arguments) as server:
            headers = JSON | {"Authorization": f"Bearer {get_token(server, client.client_id, client.key)}"}
            writers = Writers(server, client, headers)
            with writers.writing():
                for victim in sorted(children(server)):
                    writers.await_more()
                    os.kill(victim, signal.SIGKILL)
                    until(lambda: len(children(server) - {victim}) == 2)  # noqa: B023 - called before the next round
                writers.await_more()
            writers.look()
            assert "Traceback" not in server.errors
            assert server.errors.count("is started again") == 2
            watched = [os.pidfd_open(child) for child in children(server)]
            assert server.stop() == 0
            for one in watched:
                with pytest.raises(ProcessLookupError):
                    signal.pidfd_send_signal(one, 0)
                os.close(one)


def test_workers_without_a_store_that_they_share_are_refused(tmp_path: Path) -> None:
    """The exit code is 2, and the sentence says what to give."""
    finished = run("serve", "--world=empty", "--port=0", "--workers=2", folder=tmp_path)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("fla-mock: --workers 2: ")
    assert "--store sqlite:///FILE or --store postgresql+psycopg://" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_store_that_cannot_be_used_is_told_without_a_trace(tmp_path: Path) -> None:
    """The exit code is 2, and one line says which store it was, and why."""
    finished = run("serve", "--world=empty", "--port=0", f"--store=sqlite:///{tmp_path}", folder=tmp_path)

    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith(f"fla-mock: the store sqlite:///{tmp_path} cannot be used: ")
