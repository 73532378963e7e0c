"""The journal of a world: what it holds of each exchange, how it is searched, waited for, bounded and exported."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from mock_server.gateway.serving import ConnectionClosed
from mock_server.redaction import MASKED_SSIN
from tests.conftest import Starter
from tests.support import FORM_HEADERS, HOST, TOKEN, TOKEN_URL, Caller, Reply, assertion, form, key
from tests.system.processes import training

EMPLOYER, SSIN = "1999000150", "65111899997"
API = "/REST/careerpro-federal-learning-account/v1"
TRAININGS = f"{API}/employers/{EMPLOYER}/employees/{SSIN}/calendarYears/2025/trainings"
ROUTE = "/employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings"
SUMMARY = {
    "number",
    "time",
    "operation",
    "status",
    "duration_ms",
    "client_id",
    "account",
    "error",
    "refused_by",
    "fault",
}
WHOLE = SUMMARY | {"request", "answer", "assertion", "checks", "near_misses"}


@pytest.fixture(params=["memory", "sqlite"])
def caller(request: pytest.FixtureRequest, started: Starter, tmp_path: Path) -> Caller:
    """Start a mock whose journal is in memory, or in a file that other processes may use."""
    return started(store="memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}")


def journal(caller: Caller, path: str = "", *, method: str = "GET", world: str = "default") -> Reply:
    """Ask the journal of a world."""
    return caller.call(method, f"/_mock/worlds/{world}/exchanges{path}")


def numbers(caller: Caller, query: str = "") -> list[int]:
    """Return the numbers of the exchanges that a query finds."""
    reply = journal(caller, f"?{query}")
    assert reply.status == 200, reply.body
    return [item["number"] for item in reply.json["items"]]


def ask_keys(caller: Caller, times: int) -> None:
    """Make so many exchanges."""
    for _ in range(times):
        assert caller.call("GET", "/REST/oauth/v5/jwks").status == 200


def put(caller: Caller, body: bytes, path: str = TRAININGS, prefix: str = "") -> Reply:
    """Send trainings with a token."""
    token = caller.token()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return caller.call("PUT", f"{prefix}{path}", body, headers)


# What is in it


def test_every_exchange_has_a_number_that_its_answer_names(caller: Caller) -> None:
    """Numbers rise by one, whether a request was accepted, refused or of no path at all."""
    replies = [caller.post(), caller.post(b"x"), caller.call("GET", "/nothing")]

    assert [reply.headers["mock-exchange"] for reply in replies] == ["1", "2", "3"]
    for number, reply in enumerate(replies, 1):
        exchange = journal(caller, f"/{number}").json
        assert (exchange["number"], exchange["status"]) == (number, reply.status)


def test_an_accepted_token_request_is_told_whole(caller: Caller) -> None:
    """Who asked, the decoded assertion, every check, and the answer, without what is secret in both."""
    text = assertion(jti="a-jti")
    token = caller.post(form(text)).json["access_token"]

    reply = journal(caller, "/1")
    exchange = reply.json

    assert set(exchange) == WHOLE
    assert (exchange["operation"], exchange["client_id"], exchange["account"]) == (
        "token",
        "employer_rsa",
        "employer_rsa",
    )
    assert exchange["time"] == "2026-09-21T14:13:20.000Z"
    assert (exchange["error"], exchange["refused_by"], exchange["fault"]) == (None, None, None)
    assert exchange["assertion"]["header"] == {"alg": "RS256"}
    assert exchange["assertion"]["claims"]["jti"] == "a-jti"
    assert {check["outcome"] for check in exchange["checks"]} == {"passed"}
    request, answer = exchange["request"], exchange["answer"]
    assert (request["method"], request["path"], request["query"], request["http_version"]) == ("POST", TOKEN, "", "1.1")
    assert "client_assertion=[redacted]" in request["body"]
    assert (request["body_size"], request["body_truncated"]) == (len(form(text)), False)
    assert json.loads(answer["body"])["access_token"] == "[redacted]"
    assert ["host", HOST] in request["headers"]
    assert ["mock-exchange", "1"] in answer["headers"]
    assert token.encode() not in reply.body
    assert text.rpartition(".")[2].encode() not in reply.body


def test_a_refused_token_request_says_which_check_failed(caller: Caller) -> None:
    """With what was expected, what came, and what to do."""
    caller.post(form(assertion(aud="https://elsewhere.example/token")))

    exchange = journal(caller, "/1").json

    assert (exchange["status"], exchange["error"], exchange["refused_by"]) == (400, "invalid_client", "OAUTH-AUD-2")
    (failed,) = [check for check in exchange["checks"] if check["outcome"] == "failed"]
    assert failed["id"] == "OAUTH-AUD-2"
    assert TOKEN_URL in failed["expected"]
    assert "elsewhere.example" in failed["found"]
    assert {"statement", "source", "provenance"} <= set(failed)


def test_a_call_of_an_api_is_told_with_its_template(caller: Caller) -> None:
    """The operation is method and path template, the bodies are those that were sent."""
    body = json.dumps({"items": [training(startDate="2025-03-06", endDate="2025-03-07")]}).encode()
    reply = put(caller, body)
    assert reply.status == 200

    exchange = journal(caller, "/2").json

    assert (exchange["operation"], exchange["client_id"]) == (f"PUT {ROUTE}", "employer_rsa")
    assert exchange["request"]["path"] == TRAININGS
    assert exchange["request"]["body"] == body.decode()
    assert exchange["answer"]["body"] == reply.body.decode()
    assert ["authorization", "Bearer [redacted]"] in exchange["request"]["headers"]


def test_a_path_that_nothing_is_at_is_an_exchange_too(caller: Caller) -> None:
    """A wrong base URL is the first mistake of many clients."""
    for number, target in enumerate(("/", "/nothing?a=b", f"{API}/nothing", "/REST/oauth/v5/token/"), 1):
        reply = caller.call("GET", target)

        exchange = journal(caller, f"/{number}").json
        path, _, query = target.partition("?")
        assert (reply.status, exchange["status"], exchange["operation"]) == (404, 404, "GET (no such route)")
        assert (exchange["request"]["path"], exchange["request"]["query"]) == (path, query)
        assert exchange["refused_by"] == "GW-ROUTE-1"


def test_a_client_that_is_lost_has_no_answer(caller: Caller) -> None:
    """The exchange of a request whose body never came has the status null."""
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": TOKEN,
        "raw_path": TOKEN.encode(),
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), *((name.encode(), text.encode()) for name, text in FORM_HEADERS.items())],
    }
    incoming = [{"type": "http.request", "body": b"grant_type=", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(_: Any) -> None:
        pytest.fail("nobody is there to be answered")

    asyncio.run(caller.mock.application(scope, receive, send))

    exchange = journal(caller, "/1").json
    assert (exchange["operation"], exchange["status"], exchange["answer"]) == ("token", None, None)
    assert exchange["request"]["body"] is None


def test_the_control_api_is_not_in_the_journal(caller: Caller) -> None:
    """Neither are health checks: only what clients of the platform ask is."""
    caller.call("GET", "/_mock/worlds")
    caller.call("GET", "/health")

    assert numbers(caller) == []


def test_an_exchange_that_is_not_there_is_not_found(caller: Caller) -> None:
    """A number that was not given yet, and text."""
    assert [journal(caller, f"/{number}").status for number in ("1", "0", "x")] == [404, 400, 400]


def test_a_world_that_is_not_there_has_no_journal(caller: Caller) -> None:
    """Every question about it is 404."""
    statuses = {path: journal(caller, path, world="nowhere").status for path in ("", "/1", "/count", "/next", ".har")}

    assert set(statuses.values()) == {404}


# Searching

FILTERS: dict[str, tuple[str, list[int]]] = {
    "nothing": ("", [1, 2, 3, 4, 5, 6]),
    "a client": ("client_id=employer_rsa", [1, 2, 6]),
    "another client": ("client_id=another", [3]),
    "an unknown client": ("client_id=nobody", []),
    "an operation": ("operation=token", [1, 2, 3]),
    "an operation of an API": ("operation=" + quote(f"GET {ROUTE}", safe=""), [6]),
    "a status": ("status=400", [2]),
    "a requirement": ("refused_by=OAUTH-AUD-2", [2]),
    "a fault": ("fault=true", [4]),
    "no fault": ("fault=false", [1, 2, 3, 5, 6]),
    "two things": ("operation=token&status=200", [1, 3]),
    "two things that exclude each other": ("operation=jwks&status=400", []),
    "a text with NUL": ("client_id=%00", []),
}


def several(caller: Caller) -> None:
    """Make six exchanges that differ."""
    token = caller.token()
    caller.post(form(assertion(aud="x")))
    caller.token("another", key(number=1))
    add_fault(caller, "jwks")
    caller.call("GET", "/REST/oauth/v5/jwks")
    caller.call("GET", "/nothing")
    caller.call("GET", TRAININGS, headers={"authorization": f"Bearer {token}"})


def add_fault(caller: Caller, operation: str) -> None:
    """Script an error."""
    body = json.dumps({"operation": operation, "do": {"status": 503}}).encode()
    reply = caller.call("POST", "/_mock/worlds/default/faults", body, {"content-type": "application/json"})
    assert reply.status == 201


def test_a_filter_finds_what_it_says(caller: Caller) -> None:
    """The list, the total and the count agree."""
    several(caller)

    found = {name: numbers(caller, query) for name, (query, _) in FILTERS.items()}
    totals = {name: journal(caller, f"?{query}&limit=1").json["total"] for name, (query, _) in FILTERS.items()}
    counts = {name: journal(caller, f"/count?{query}").json["count"] for name, (query, _) in FILTERS.items()}

    assert found == {name: expected for name, (_, expected) in FILTERS.items()}
    assert totals == counts == {name: len(expected) for name, expected in found.items()}


PAGES: dict[str, tuple[str, list[int]]] = {
    "the newest": ("limit=3", [8, 9, 10]),
    "all": ("limit=1000", list(range(1, 11))),
    "those after": ("after=3&limit=3", [4, 5, 6]),
    "the first": ("after=0&limit=3", [1, 2, 3]),
    "those before": ("before=4&limit=2", [2, 3]),
    "those before the first": ("before=1", []),
    "those after the last": ("after=10", []),
    "those between": ("after=3&before=7&limit=2", [4, 5]),
}


def test_a_long_list_is_read_in_pages(caller: Caller) -> None:
    """In the order of the numbers, whichever way it is turned; the total counts all."""
    ask_keys(caller, 10)

    found = {name: numbers(caller, query) for name, (query, _) in PAGES.items()}

    assert found == {name: expected for name, (_, expected) in PAGES.items()}
    assert {journal(caller, f"?{query}").json["total"] for query, _ in PAGES.values()} == {10}


def test_pages_put_together_are_the_whole(caller: Caller) -> None:
    """From either end."""
    ask_keys(caller, 7)
    forward: list[int] = []
    while page := numbers(caller, f"limit=3&after={forward[-1] if forward else 0}"):
        forward += page
    backward: list[int] = []
    while page := numbers(caller, f"limit=3&before={backward[0] if backward else 100}"):
        backward = page + backward

    assert forward == backward == list(range(1, 8))


def test_a_list_shows_summaries_unless_asked_for_more(caller: Caller) -> None:
    """A whole exchange in a list is what it is alone."""
    caller.post()

    (item,) = journal(caller).json["items"]
    (whole,) = journal(caller, "?full=true").json["items"]

    assert (set(item), set(whole)) == (SUMMARY, WHOLE)
    assert whole == journal(caller, "/1").json


BAD_QUERIES = [
    "limit=0",
    "limit=1001",
    "limit=x",
    "after=-1",
    "before=0",
    "status=99",
    "status=600",
    "fault=perhaps",
    "full=perhaps",
    "after=99999999999999999999",
]


def test_a_query_that_cannot_be_is_refused(caller: Caller) -> None:
    """The problem names the parameter."""
    for query in BAD_QUERIES:
        reply = journal(caller, f"?{query}")

        name = query.partition("=")[0]
        assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json"), query
        assert [(issue["in"], issue["name"]) for issue in reply.json["issues"]] == [("query", name)], query


# Waiting


def while_waiting(caller: Caller, query: str, *acts: Callable[[], Any], world: str = "default") -> Reply:
    """Ask for the next exchange; once that waits, do other things; return its answer."""
    path = f"/_mock/worlds/{world}/exchanges/next{query}"
    opened = caller.mock.worlds.open(world)
    assert opened is not None
    arrivals = opened.journal._arrivals

    async def both() -> Reply:
        waiting = asyncio.create_task(caller._call("GET", path, b"", {}, HOST, 1))
        for act in acts:
            while not (arrivals or waiting.done()):  # noqa: ASYNC110 - the journal tells nobody that somebody waits
                await asyncio.sleep(0)
            assert not waiting.done()
            await act()
        return await waiting

    return asyncio.run(both())


def asking(caller: Caller, path: str) -> Callable[[], Any]:
    """Return a function that sends a request."""
    return lambda: caller._call("GET", path, b"", {}, HOST, 1)


def test_who_waits_gets_the_next_exchange_as_it_comes(caller: Caller) -> None:
    """The answer is the whole exchange."""
    reply = while_waiting(caller, "?timeout=60", asking(caller, "/REST/oauth/v5/jwks"))

    assert reply.status == 200
    assert reply.json == journal(caller, "/1").json


def test_who_waits_gets_what_came_after_the_number_that_was_seen(caller: Caller) -> None:
    """Older exchanges are passed over."""
    ask_keys(caller, 3)

    reply = while_waiting(caller, "?after=3&timeout=60", asking(caller, "/nothing"))

    assert (reply.json["number"], reply.json["operation"]) == (4, "GET (no such route)")


def test_who_waits_for_something_is_not_woken_by_something_else(caller: Caller) -> None:
    """A filter goes for what comes, too."""
    others = [asking(caller, "/nothing"), asking(caller, f"{API}/nothing")]

    reply = while_waiting(caller, "?operation=jwks&timeout=60", *others, asking(caller, "/REST/oauth/v5/jwks"))

    assert (reply.json["number"], reply.json["operation"]) == (3, "jwks")


def test_who_waits_hears_of_what_came_to_another_process(started: Starter, tmp_path: Path) -> None:
    """Of processes that share a store, each tells of all exchanges, and no number is given twice."""
    store = f"sqlite:///{tmp_path / 'store.db'}"
    caller, other = started(store=store), started(store=store)
    ask_keys(caller, 1)

    async def elsewhere() -> None:
        await other._call("GET", "/REST/oauth/v5/jwks", b"", {}, HOST, 1)
        other.mock.default.journal.write()

    assert while_waiting(caller, "?after=1&timeout=60", elsewhere).json["number"] == 2
    ask_keys(caller, 1)
    caller.mock.default.journal.write()
    assert numbers(other) == [1, 2, 3]


def test_who_waits_in_a_world_that_is_deleted_is_told(caller: Caller) -> None:
    """There is nothing to wait for any more."""
    make_world(caller, "other")

    def delete() -> Any:
        return caller._call("DELETE", "/_mock/worlds/other", b"", {}, HOST, 1)

    reply = while_waiting(caller, "?timeout=60", delete, world="other")

    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")


def test_what_came_already_is_not_waited_for(caller: Caller) -> None:
    """The first one after the number is answered at once."""
    ask_keys(caller, 3)

    assert journal(caller, "/next?timeout=60").json["number"] == 1
    assert journal(caller, "/next?timeout=60&after=1").json["number"] == 2


def test_when_nothing_comes_the_answer_is_empty(caller: Caller) -> None:
    """204, without a body; no wait at all may be asked for."""
    ask_keys(caller, 1)

    replies = [journal(caller, f"/next?timeout=0&{query}") for query in ("after=1", "operation=token")]
    replies.append(journal(caller, "/next?timeout=0.01&after=1"))
    journal(caller, method="DELETE")
    replies.append(journal(caller, "/next?timeout=0"))

    assert [(reply.status, reply.body) for reply in replies] == [(204, b"")] * 4


def test_no_wait_still_finds_what_is_there(caller: Caller) -> None:
    """A client that polls need not wait."""
    ask_keys(caller, 1)

    assert journal(caller, "/next?timeout=0").json["number"] == 1


def test_a_wait_of_no_sense_is_refused(caller: Caller) -> None:
    """A minute at most."""
    for timeout in ("-1", "61", "nan", "inf", "x", ""):
        reply = journal(caller, f"/next?timeout={timeout}")

        assert (reply.status, reply.json["issues"][0]["name"]) == (400, "timeout"), timeout


# Emptying, and growing no further


def test_an_emptied_journal_goes_on_counting(caller: Caller) -> None:
    """No number is given twice, and what was emptied was not dropped."""
    ask_keys(caller, 3)
    assert journal(caller, method="DELETE").status == 204
    assert journal(caller, "/count").json == {"count": 0, "dropped": 0}
    ask_keys(caller, 1)

    assert numbers(caller) == [4]


def test_the_oldest_go_when_there_are_too_many(started: Starter, tmp_path: Path) -> None:
    """As many as were asked for are kept, and the others are counted, however often the journal is read between."""
    for store in ("memory", f"sqlite:///{tmp_path / 'store.db'}"):
        caller = started(journal_size=3, store=store)
        ask_keys(caller, 5)
        assert (numbers(caller), journal(caller).json["dropped"]) == ([3, 4, 5], 2)
        ask_keys(caller, 1)
        assert (numbers(caller), journal(caller).json["dropped"]) == ([4, 5, 6], 3)
        ask_keys(caller, 10)

        assert journal(caller, "/count").json == {"count": 3, "dropped": 13}
        assert [journal(caller, f"/{number}").status for number in (13, 14)] == [404, 200]
        world = caller.call("GET", "/_mock/worlds/default").json
        assert world["counts"]["exchanges"] == 3


def test_the_journals_of_two_worlds_have_nothing_to_do_with_each_other(caller: Caller) -> None:
    """Each counts, holds and forgets its own."""
    make_world(caller, "other")
    ask_keys(caller, 2)
    caller.call("GET", "/worlds/other/REST/oauth/v5/jwks")
    journal(caller, method="DELETE")

    assert numbers(caller) == []
    assert [item["number"] for item in journal(caller, world="other").json["items"]] == [1]


def make_world(caller: Caller, name: str) -> None:
    """Make an empty world."""
    body = json.dumps({"name": name, "from": "empty"}).encode()
    assert caller.call("POST", "/_mock/worlds", body, {"content-type": "application/json"}).status == 201


BODIES: dict[str, bytes] = {
    "ASCII": b'{"items":"' + b"x " * 500 + b'"}',
    "two bytes a letter": ('{"items":"' + "é " * 500 + '"}').encode(),
    "four bytes a sign": ('{"items":"' + "\U0001f600 " * 500 + '"}').encode(),
    "no UTF-8": b'{"items":"' + b"\xff" * 1000 + b'"}',
}


@pytest.mark.parametrize("size", [0, 10, 101])
def test_bodies_are_cut(size: int, started: Starter) -> None:
    """So many bytes of each are kept at most, and their real size is told."""
    caller = started(journal_body_bytes=size)
    for name, body in BODIES.items():
        reply = put(caller, body)

        exchange = journal(caller, f"/{reply.headers['mock-exchange']}").json

        for part, whole in ((exchange["request"], body), (exchange["answer"], reply.body)):
            kept = part["body"].encode()
            assert len(kept) <= size, name
            assert (part["body_size"], part["body_truncated"]) == (len(whole), True), name
            assert whole.startswith(kept) or name == "no UTF-8"


def test_a_body_of_just_the_size_is_whole(started: Starter) -> None:
    """Nothing is cut that fits, in whatever letters."""
    body = '{"items":"ééé"}'.encode()
    caller = started(journal_body_bytes=len(body))
    put(caller, body)

    request = journal(caller, "/2").json["request"]

    assert (request["body"], request["body_size"], request["body_truncated"]) == (body.decode(), len(body), False)


def test_what_waits_to_be_written_is_bounded(started: Starter) -> None:
    """Of large bodies and forms a part is held in memory, until somebody asks for the journal."""
    caller = started(journal_body_bytes=100)
    put(caller, BODIES["ASCII"])
    caller.post(form(note="x " * 20_000))

    waiting = [exchange.request for exchange in caller.mock.default.journal._waiting][1:]

    assert [request.form for request in waiting] == [None, None]
    assert all(len(request.body or b"") < 1_000 for request in waiting)
    told = journal(caller, "/3").json["request"]
    assert told["body"].startswith("grant_type=client_credentials&")
    assert (len(told["body"]), told["body_truncated"]) == (100, True)


def test_what_is_kept_of_a_request_is_bounded(started: Starter) -> None:
    """Long paths, queries and headers are cut, and of very many headers a part is kept."""
    caller = started()
    headers = {f"x-{number}": "a b " * 2_000 for number in range(200)}
    caller.call("GET", f"/{'a-' * 5_000}?{'b-' * 5_000}", headers=headers)

    record = journal(caller, "/1")

    assert len(record.body) < 500_000
    assert len(record.json["request"]["path"]) <= 4_096
    assert len(record.json["request"]["query"]) <= 4_096


# Exporting

# HAR 1.2 (Software is hard): what each object must have.
HAR: dict[str, Mapping[str, type | tuple[type, ...]]] = {
    "log": {"version": str, "creator": dict, "entries": list},
    "creator": {"name": str, "version": str},
    "entry": {
        "startedDateTime": str,
        "time": (int, float),
        "request": dict,
        "response": dict,
        "cache": dict,
        "timings": dict,
    },
    "request": {
        "method": str,
        "url": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "queryString": list,
        "headersSize": int,
        "bodySize": int,
    },
    "response": {
        "status": int,
        "statusText": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "content": dict,
        "redirectURL": str,
        "headersSize": int,
        "bodySize": int,
    },
    "content": {"size": int, "mimeType": str},
    "postData": {"mimeType": str, "text": str},
    "timings": {"send": (int, float), "wait": (int, float), "receive": (int, float)},
    "pair": {"name": str, "value": str},
}


def assert_har(kind: str, value: Any) -> None:
    """Judge one object: all members that it must have, of their types; others begin with an underscore."""
    for name, expected in HAR[kind].items():
        assert isinstance(value[name], expected), (kind, name)
    optional = {"comment", "postData", "text", "pages", "browser", "serverIPAddress", "connection"}
    assert {name for name in value if not name.startswith("_")} <= set(HAR[kind]) | optional, kind


def archive(caller: Caller, query: str = "", world: str = "default") -> Any:
    """Return the archive of a world, whose form has been judged."""
    reply = journal(caller, f".har?{query}", world=world)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    log = reply.json["log"]
    assert set(reply.json) == {"log"}
    assert_har("log", log)
    assert_har("creator", log["creator"])
    for entry in log["entries"]:
        assert_har("entry", entry)
        assert_har("timings", entry["timings"])
        request, response = entry["request"], entry["response"]
        assert_har("request", request)
        assert_har("response", response)
        assert_har("content", response["content"])
        if "postData" in request:
            assert_har("postData", request["postData"])
        for pair in (*request["headers"], *request["queryString"], *response["headers"]):
            assert_har("pair", pair)
        assert entry["time"] == sum(entry["timings"].values())
    return log


def test_the_archive_has_the_form_of_har(caller: Caller) -> None:
    """Every kind of exchange is an entry with all that HAR 1.2 asks for."""
    several(caller)
    body = json.dumps({"items": [training(startDate="2025-03-06", endDate="2025-03-07")]}).encode()
    put(caller, body)
    caller.call("GET", "/nothing?a=1&b=&c=%20x")

    log = archive(caller)

    assert log["version"] == "1.2"
    entries = log["entries"]
    assert [entry["_number"] for entry in entries] == list(range(1, 10))
    assert [entry["response"]["status"] for entry in entries] == [200, 400, 200, 503, 404, 200, 200, 200, 404]
    assert entries[0]["startedDateTime"] == "2026-09-21T14:13:20.000Z"
    assert entries[0]["request"]["url"] == TOKEN_URL
    assert entries[0]["request"]["postData"]["mimeType"] == FORM_HEADERS["content-type"]
    assert entries[1]["_refusedBy"] == "OAUTH-AUD-2"
    assert entries[3]["_fault"]["applied"] == "1; status=503"
    assert entries[3]["response"]["statusText"] == "Service Unavailable"
    assert entries[3]["comment"] == "fault 1; status=503"
    assert entries[7]["request"]["bodySize"] == len(body)
    assert entries[8]["request"]["queryString"] == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": ""},
        {"name": "c", "value": " x"},
    ]


def test_the_archive_takes_filters(caller: Caller) -> None:
    """As a list does."""
    several(caller)

    assert [entry["_number"] for entry in archive(caller, "operation=token&status=400")["entries"]] == [2]


def test_an_empty_archive_is_an_archive(caller: Caller) -> None:
    """With no entries."""
    assert archive(caller)["entries"] == []


def test_an_exchange_without_an_answer_has_status_0(caller: Caller) -> None:
    """As browsers write it; the fault is told."""
    body = json.dumps({"operation": "jwks", "do": {"close": "before"}}).encode()
    caller.call("POST", "/_mock/worlds/default/faults", body, {"content-type": "application/json"})
    with pytest.raises(ConnectionClosed):
        caller.call("GET", "/REST/oauth/v5/jwks")

    (entry,) = archive(caller)["entries"]

    assert (entry["response"]["status"], entry["response"]["statusText"]) == (0, "")
    assert entry["comment"] == "fault 1; close=before"


def test_ssins_are_masked_unless_they_are_asked_for(caller: Caller) -> None:
    """In path, body, answer and comments: such files are passed on."""
    body = json.dumps({"items": [training(startDate="2025-03-06", endDate="2025-03-07", name=f"of {SSIN}")]}).encode()
    assert put(caller, body).status == 200

    masked, shown = json.dumps(archive(caller)), json.dumps(archive(caller, "ssins=shown"))

    assert SSIN not in masked
    assert shown.count(SSIN) == masked.count(MASKED_SSIN) >= 4
    assert masked == json.dumps(archive(caller, "ssins=masked"))
    assert shown.replace(SSIN, MASKED_SSIN) == masked
    # Enterprise numbers are not masked: they are public.
    assert EMPLOYER in masked


def test_another_word_for_masked_is_refused(caller: Caller) -> None:
    """It would show what it should not."""
    assert journal(caller, ".har?ssins=no").json["issues"][0]["name"] == "ssins"


def test_urls_in_the_archive_of_a_world_have_its_prefix(caller: Caller) -> None:
    """They are the URLs that the client called."""
    make_world(caller, "other")
    caller.call("GET", "/worlds/other/REST/oauth/v5/jwks?a=b")

    (entry,) = archive(caller, world="other")["entries"]

    assert entry["request"]["url"] == f"http://{HOST}/worlds/other/REST/oauth/v5/jwks?a=b"
    assert urlsplit(entry["request"]["url"]).netloc == HOST


def test_the_archive_holds_no_secret(caller: Caller) -> None:
    """Neither assertion nor token."""
    text = assertion()
    token = caller.post(form(text)).json["access_token"]
    caller.call("GET", f"{TRAININGS}?access_token={token}", headers={"authorization": f"Bearer {token}"})

    written = json.dumps(archive(caller, "ssins=shown"))

    for secret in (text, token):
        assert not any(part in written for part in secret.split("."))
