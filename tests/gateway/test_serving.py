"""One request through endpoint, fault and journal: what is written down, whatever happens, and which fault hits."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mock_server.asgi import CONNECTION, Answer, ClientGoneError, Message, Receive, Scope
from mock_server.clock import FixedClock
from mock_server.control.journal import Journal, Wanted
from mock_server.exchange import Exchange
from mock_server.gateway.faults import as_members, parse
from mock_server.gateway.serving import Call, ConnectionClosed, Reply, Serving
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber
from mock_server.world.database import MEMORY
from mock_server.world.model import Account, WorldState
from mock_server.world.store import DEFAULT_WORLD, Store
from mock_server.world.world import World
from tests.support import NOW

BODY = b'{"items":[],"total":0}'
ACCOUNT = Account(ClientId("known"), "Known", EnterpriseNumber("1999000150"), Capacity.EMPLOYER, (), ())
USUAL = Answer(200, ((b"content-type", b"application/json"),), BODY)


@dataclass
class Endpoint(Call):
    """An endpoint that answers what it is told to, and counts how often it carried a request out."""

    answer: Answer = USUAL
    error: BaseException | None = None
    client: str | None = "claimed"
    unread: bool = False
    shown: bytes | None = None
    done: int = 0

    async def begin(self, _scope: Scope, _receive: Receive, exchange: Exchange) -> "Endpoint":
        """Name the operation."""
        exchange.operation = "PUT /things/{id}"
        return self

    async def decide(self) -> Reply:
        """Answer, or fail."""
        if self.error is not None:
            raise self.error
        self.done += 1
        return Reply(self.answer, unread=self.unread, shown_body=self.shown)

    def caller(self) -> str | None:
        """Return who claims to call."""
        return self.client

    def with_expired_token(self, reply: Reply) -> Reply:
        """Return the answer as it is."""
        return reply


class Connection:
    """A client's connection, that notes that it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    async def close(self) -> None:
        """Close it."""
        self.is_closed = True


@dataclass
class Bench:
    """A world that is served, with its journal."""

    world: World
    observed: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = Journal(self.world, 100, 1_000)
        self.serving = Serving(self.world, self.journal, self.observed.append)

    def script(self, do: Mapping[str, Any], **more: Any) -> None:
        """Add a fault."""
        with self.world.changing():
            self.world.add_fault(as_members(parse({"do": do, **more})))

    def serve(
        self,
        endpoint: Endpoint,
        *headers: tuple[bytes, bytes],
        connection: Connection | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> list[Message]:
        """Serve one request and return what was sent; `before` is called when the first part of it is."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if not sent:
                before()
            sent.append(message)

        scope: Scope = {
            "type": "http",
            "method": "PUT",
            "path": "/things/1",
            "raw_path": b"/things/1",
            "query_string": b"a=b",
            "headers": list(headers),
            "extensions": {} if connection is None else {CONNECTION: connection},
        }
        asyncio.run(self.serving.serve(endpoint, scope, receive, send))
        return sent

    def records(self) -> list[dict[str, Any]]:
        """Return what the journal holds."""
        return self.journal.list(Wanted())


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Serve an empty world."""
    store = Store(MEMORY)
    yield Bench(store.create_world(WorldState(), FixedClock(NOW)))
    store.close()


def header(sent: Sequence[Message], name: bytes) -> list[bytes]:
    """Return the values of a header of an answer."""
    return [value for key, value in sent[0]["headers"] if key == name]


def test_an_answer_carries_the_number_of_its_exchange(bench: Bench) -> None:
    """Numbers rise, and the journal has each of them."""
    numbers = [header(bench.serve(Endpoint()), b"mock-exchange") for _ in range(3)]

    assert numbers == [[b"1"], [b"2"], [b"3"]]
    assert [record["number"] for record in bench.records()] == [1, 2, 3]
    assert [exchange.number for exchange in bench.observed] == [1, 2, 3]


def test_an_exchange_is_in_the_journal_before_its_answer_leaves(bench: Bench) -> None:
    """Who has the answer finds what led to it."""
    found: list[int] = []

    bench.serve(Endpoint(), before=lambda: found.append(bench.journal.held()))

    assert found == [1]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"Bearer a-token", "Bearer [redacted]"),
        (b"Basic dXNlcjpwYXNzd29yZA==", "Basic [redacted]"),
        (b"a-token-alone", "[redacted]"),
        (b"a-token-that-is-long-and-has-a-blank after it", "[redacted]"),
        (b"", "[redacted]"),
    ],
)
@pytest.mark.parametrize("name", [b"authorization", b"proxy-authorization"])
def test_of_credentials_in_a_header_only_their_scheme_is_kept(
    name: bytes, given: bytes, kept: str, bench: Bench
) -> None:
    """Whatever they look like."""
    bench.serve(Endpoint(), (name, given), (b"x", b"y"))

    assert bench.records()[0]["request"]["headers"] == [[name.decode(), kept], ["x", "y"]]


def test_cookies_are_not_kept(bench: Bench) -> None:
    """A session of somebody's browser is nobody's business."""
    bench.serve(Endpoint(), (b"cookie", b"session=abc"))

    assert bench.records()[0]["request"]["headers"] == [["cookie", "[redacted]"]]


def test_the_journal_gets_the_body_that_may_be_shown(bench: Bench) -> None:
    """The client gets the whole one, and its size is told."""
    sent = bench.serve(Endpoint(shown=b'{"items":"withheld"}'))

    assert sent[1]["body"] == BODY
    answer = bench.records()[0]["answer"]
    assert (answer["body"], answer["body_size"]) == ('{"items":"withheld"}', len(BODY))


@pytest.mark.parametrize("how", ["json", "truncate"])
def test_a_spoiled_answer_is_shown_spoiled_and_without_its_secrets(how: str, bench: Bench) -> None:
    """What may be shown is spoiled in the same way."""
    bench.script({"malform": how})

    sent = bench.serve(Endpoint(shown=b'{"items":"withheld"}'))

    expected = {"json": ('{"items":"withheld"]', BODY[:-1] + b"]"), "truncate": ('{"items":"', BODY[:11])}[how]
    assert (bench.records()[0]["answer"]["body"], sent[1]["body"]) == expected


# What goes wrong


def test_a_client_that_is_gone_is_written_down(bench: Bench) -> None:
    """Its exchange has no answer, and nobody is told on the console."""
    sent = bench.serve(Endpoint(error=ClientGoneError()))

    (record,) = bench.records()
    assert (sent, record["status"], record["answer"]) == ([], None, None)
    assert bench.observed == []


def test_a_fault_of_the_mock_is_written_down_and_goes_on(bench: Bench) -> None:
    """The exchange has no answer; what went wrong is for the edge to answer and to log."""
    with pytest.raises(ZeroDivisionError):
        bench.serve(Endpoint(error=ZeroDivisionError()))

    (record,) = bench.records()
    assert (record["status"], record["operation"]) == (None, "PUT /things/{id}")


CLOSED: dict[str, tuple[int, int, int | None]] = {
    "before": (0, 0, None),
    "headers": (1, 1, 200),
    "body": (2, 1, 200),
    "after-change": (0, 1, None),
}
"""How many parts are sent, how often the request is carried out, and the status in the journal."""


@pytest.mark.parametrize("point", CLOSED)
def test_a_closed_connection_is_closed_by_the_server_that_has_it(point: str, bench: Bench) -> None:
    """Before it, what was to be sent is sent."""
    bench.script({"close": point})
    connection, endpoint = Connection(), Endpoint()

    sent = bench.serve(endpoint, connection=connection)

    assert connection.is_closed
    assert (len(sent), endpoint.done, bench.records()[0]["status"]) == CLOSED[point]
    if point == "body":
        assert sent[1] == {"type": "http.response.body", "body": BODY[:11], "more_body": True}


@pytest.mark.parametrize("point", CLOSED)
def test_without_a_connection_the_caller_sees_an_error(point: str, bench: Bench) -> None:
    """A client in the same process has no connection to lose, and the journal says the same."""
    bench.script({"close": point})
    endpoint = Endpoint()

    with pytest.raises(ConnectionClosed):
        bench.serve(endpoint)

    assert endpoint.done == CLOSED[point][1]
    record = bench.records()[0]
    assert (record["status"], record["fault"]["applied"]) == (CLOSED[point][2], f"1; close={point}")


# Which fault hits


def applied(bench: Bench) -> list[int | None]:
    """Return the fault of each exchange."""
    return [record["fault"] and record["fault"]["id"] for record in bench.records()]


BEFORE, AFTER, NEEDS_ANSWER = {"status": 503}, {"delay": 1e-6, "in": "body"}, {"malform": "json"}


@pytest.mark.parametrize("first", [BEFORE, AFTER, NEEDS_ANSWER], ids=["before", "after", "with the answer"])
@pytest.mark.parametrize("second", [BEFORE, AFTER, NEEDS_ANSWER], ids=["before", "after", "with the answer"])
def test_the_fault_that_was_added_first_hits_first(
    first: Mapping[str, Any], second: Mapping[str, Any], bench: Bench
) -> None:
    """When both are due, and whatever they do."""
    bench.script(first, times=1)
    bench.script(second, times=1)

    for _ in range(3):
        bench.serve(Endpoint())

    assert applied(bench) == [1, 2, None]


def test_a_fault_that_cannot_be_shown_leaves_the_turn_to_the_next_that_can(bench: Bench) -> None:
    """An answer without a body can neither be truncated nor counted, and may have another media type all the less."""
    bench.script({"malform": "truncate"}, times=1)
    bench.script({"malform": "content-type"}, times=1)
    plain = Endpoint(answer=Answer(200, ((b"content-type", b"text/plain"),), b"words"))

    for endpoint in (plain, Endpoint(answer=Answer(204, (), b"")), Endpoint()):
        bench.serve(endpoint)

    assert applied(bench) == [2, None, 1]


def test_only_a_request_that_can_show_a_fault_counts(bench: Bench) -> None:
    """One that is not carried out shows no spoiled answer; one that an earlier fault hits shows no later one."""
    bench.script({"malform": "json"}, every=2)
    bench.script({"status": 500}, times=1)
    bench.script({"delay": 1e-6}, every=5)

    for _ in range(3):
        bench.serve(Endpoint())

    assert applied(bench) == [2, None, 1]
    assert [(fault.seen, fault.fired) for fault in bench.world.read_faults()] == [(2, 1), (2, 1), (1, 0)]


def test_who_claims_to_call_is_asked_for_a_fault_of_one_client(bench: Bench) -> None:
    """A request that is not carried out is not verified either."""
    bench.script({"status": 503}, client_id="claimed")

    for client in ("another", None, "claimed"):
        bench.serve(Endpoint(client=client))

    assert applied(bench) == [None, None, 1]


@pytest.mark.parametrize("claimed", ["nobody", "known\n12:00:00 200 token from known", "x" * 5_000, "", None])
def test_a_claimed_name_is_told_when_it_is_that_of_an_account(claimed: str | None, bench: Bench) -> None:
    """Nothing that was not verified gets on the console or into the journal otherwise."""
    with bench.world.changing():
        bench.world.put_account(ACCOUNT)
    bench.script({"status": 503})

    for client in ("known", claimed):
        bench.serve(Endpoint(client=client))

    assert [exchange.client_id for exchange in bench.observed] == ["known", None]
    assert [(record["client_id"], record["account"]) for record in bench.records()] == [
        ("known", "Known"),
        (None, None),
    ]


def test_processes_that_share_a_store_share_the_counts(tmp_path: Path) -> None:
    """A fault that hits twice hits twice in all, and every third is every third of all."""
    stores = [Store(f"sqlite:///{tmp_path / 'store.db'}") for _ in range(2)]
    world = stores[0].create_world(WorldState(), FixedClock(NOW))
    other = stores[1].world(DEFAULT_WORLD, FixedClock(NOW))
    assert other is not None
    benches = [Bench(world), Bench(other)]
    benches[0].script({"status": 503}, times=2, every=3)
    other.refresh()

    statuses = [benches[number % 2].serve(Endpoint())[0]["status"] for number in range(12)]

    assert statuses == [200, 200, 503, 200, 200, 503, *[200] * 6]
    for store in stores:
        store.close()


def test_a_fault_that_another_process_removed_hits_nobody(tmp_path: Path) -> None:
    """What this process still remembers of it does not count."""
    stores = [Store(f"sqlite:///{tmp_path / 'store.db'}") for _ in range(2)]
    bench = Bench(stores[0].create_world(WorldState(), FixedClock(NOW)))
    bench.script({"status": 503})
    bench.script({"malform": "json"})
    assert len(bench.world.faults()) == 2
    other = stores[1].world(DEFAULT_WORLD, FixedClock(NOW))
    assert other is not None
    with other.changing():
        other.remove_faults()

    sent = bench.serve(Endpoint())

    assert (sent[0]["status"], sent[1]["body"], header(sent, b"mock-fault")) == (200, BODY, [])
    for store in stores:
        store.close()


def test_a_fault_is_announced_in_the_answer_and_in_the_exchange(bench: Bench) -> None:
    """With its number and its effect."""
    bench.script({"status": 503, "retry_after": 2})

    sent = bench.serve(Endpoint())

    assert header(sent, b"mock-fault") == [b"1; status=503,retry_after=2"]
    assert bench.records()[0]["fault"] == {"id": 1, "applied": "1; status=503,retry_after=2"}
    assert bench.records()[0]["error"] == "mock fault"
