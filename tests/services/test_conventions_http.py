"""What is kept by convention, for a contract that knows nothing of the mock: as its users would see it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.conftest import Starter
from tests.services.judged_answers import Judge
from tests.services.rewritten_contracts import write
from tests.services.varied_contracts import varied_contract, varied_schemas
from tests.support import FORM_HEADERS, HOST, TOKEN, Caller, Reply, assertion, form

CONTRACT = Path(__file__).with_name("library.yaml")
JUDGE = Judge(CONTRACT)
BASE = "/REST/library/v2"
JSON = "application/json"
MERGE = "application/merge-patch+json"
ACCOUNT = """
[[accounts]]
name = "librarian"
client_id = "librarian"
enterprise = "1999000150"
capacity = "employer"
permissions = {permissions}
certificates = [{{ file = "rsa-2048.cer" }}]
"""
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BOOK: dict[str, Any] = {
    "title": "De Kapellekensbaan",
    "pages": 400,
    "language": "nl",
    "publisher": {"name": "Arbeiderspers", "city": "Amsterdam"},
}
READER = {"name": "A. Reader", "secret": "open sesame"}


@dataclass
class Library:
    """A client of the library's API."""

    caller: Caller
    token: str
    base: str = BASE
    judge: Judge = JUDGE

    def call(
        self, method: str, path: str, body: Any = None, media_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Make a call; a body that is no text is sent as JSON. Every answer is judged by the contract."""
        sent = {"authorization": f"Bearer {self.token}"} | dict(headers or {})
        data = b""
        if body is not None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            sent["content-type"] = media_type
        reply = self.caller.call(method, f"{self.base}{path}", data, sent)
        self.judge.judge(method, path, reply)
        if reply.status >= 400 and method != "HEAD":
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json["status"] == reply.status
        return reply

    def get(self, path: str) -> Any:
        """Return what is read at a path."""
        reply = self.call("GET", path)
        assert reply.status == 200, reply.body
        return reply.json

    def add(self, path: str, body: Any) -> str:
        """Add to a collection, and return the path of what was added."""
        reply = self.call("POST", path, body)
        assert reply.status == 201, reply.body
        return self.path_in(reply.headers["location"])

    def path_in(self, url: str) -> str:
        """Return the path below the base of an absolute URL of this API."""
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) == ("http", HOST), url
        assert parts.path.startswith(f"{self.base}/")
        return parts.path.removeprefix(self.base) + (f"?{parts.query}" if parts.query else "")


Opened = Callable[..., Library]


@pytest.fixture
def opened(started: Starter) -> Opened:
    """Give a function that starts a mock with the library behind it."""

    def make(**settings: Any) -> Library:
        services = {"service": (f"library={CONTRACT}",)} | settings
        names = [one.partition("=")[0] for one in services["service"]]
        caller = started(ACCOUNT.format(permissions=json.dumps(names)), **services)
        return Library(caller, caller.token("librarian"))

    return make


@pytest.fixture
def library(opened: Opened) -> Library:
    """Start a mock with the library behind it."""
    return opened()


def problem(reply: Reply) -> tuple[int, str]:
    """Return the status and the type of a refusal."""
    return reply.status, reply.json["type"].removeprefix("urn:problem-type:")


NOT_FOUND = (404, "belgif:resourceNotFound")


# Adding.


def test_what_is_posted_is_there_under_its_location(library: Library) -> None:
    """201, an absolute Location, an identifier that the server chose; reading gives what was answered."""
    reply = library.call("POST", "/books", BOOK)

    path = library.path_in(reply.headers["location"])
    assert (reply.status, reply.headers["content-type"]) == (201, JSON)
    assert path == f"/books/{reply.json['bookId']}"
    assert reply.json == BOOK | {"bookId": reply.json["bookId"]}
    assert library.get(path) == reply.json


@pytest.mark.parametrize(
    ("collection", "body", "identifier"),
    [
        ("/books", BOOK, r"[1-9][0-9]*"),
        ("/readers", READER, UUID.pattern),
        ("/labels", {"text": "Poetry"}, r"LBL-[0-9]{6}"),
    ],
)
def test_identifiers_have_the_format_of_the_contract(
    library: Library, collection: str, body: Any, identifier: str
) -> None:
    """A whole number, a UUID, a pattern: each new, and each leads to what was added."""
    paths = [library.add(collection, body) for _ in range(12)]

    assert len(set(paths)) == 12
    for path in paths:
        assert re.fullmatch(f"{collection}/{identifier}", path)
        library.get(path)


def test_the_identifier_is_told_in_the_member_that_is_made_for_it(library: Library) -> None:
    """A member called like the parameter, or `id` for short, says what the path says."""
    reader, label = library.add("/readers", READER), library.add("/labels", {"text": "Poetry"})

    assert library.get(reader)["id"] == reader.rpartition("/")[2]
    assert library.get(label) == {"labelId": label.rpartition("/")[2], "text": "Poetry"}


def test_an_answer_without_a_body_has_its_location_all_the_same(library: Library) -> None:
    """Where the contract describes no body of the 201, none comes."""
    reply = library.call("POST", "/labels", {"text": "Poetry"})

    assert (reply.status, reply.body) == (201, b"")
    assert "content-type" not in reply.headers
    assert reply.headers["location"]


def test_an_identifier_that_the_client_gives_is_kept(library: Library) -> None:
    """The member that is called like the parameter is the key; a second one of this key is a conflict."""
    first = library.call("POST", "/languages", {"code": "nl", "name": "Nederlands"})
    second = library.call("POST", "/languages", {"code": "nl", "name": "Dutch"})

    assert library.path_in(first.headers["location"]) == "/languages/nl"
    assert (first.status, second.status) == (201, 409)
    assert library.get("/languages/nl") == {"code": "nl", "name": "Nederlands"}


def test_an_identifier_is_never_given_twice(library: Library) -> None:
    """Neither one that a client took by PUT, nor one whose owner was removed."""
    library.call("PUT", "/books/1", BOOK)
    library.call("PUT", "/books/2", BOOK)
    added = [library.add("/books", BOOK)]
    library.call("DELETE", added[0])
    added.append(library.add("/books", BOOK))

    assert len({"/books/1", "/books/2", *added}) == 4


def test_what_breaks_the_contract_is_not_added(library: Library) -> None:
    """Every issue is told, and the collection stays empty."""
    reply = library.call("POST", "/books", {"pages": 0, "colour": "red"})

    assert problem(reply) == (400, "belgif:badRequest")
    assert {issue["name"] for issue in reply.json["issues"]} == {"title", "pages", "colour"}
    assert library.get("/books")["items"] == []


# Putting and removing.


@pytest.mark.parametrize(
    ("path", "body", "again"), [("/books/7", BOOK, 200), ("/shelves/history", {"places": 40}, 204)]
)
def test_a_put_makes_and_then_replaces(library: Library, path: str, body: Any, again: int) -> None:
    """201 when it was not there; then what the contract has for a change: 200 with a body, or 204 without."""
    other = body | ({"title": "Zomer te Ter-Muren"} if "title" in body else {"places": 41})

    replies = [library.call("PUT", path, one) for one in (body, other)]

    assert [reply.status for reply in replies] == [201, again]
    assert (again == 204) == (replies[1].body == b"")
    assert library.get(path).items() >= other.items()


def test_a_put_leaves_nothing_of_what_was_there(library: Library) -> None:
    """It replaces the whole, optional members included."""
    library.call("PUT", "/books/7", BOOK)
    library.call("PUT", "/books/7", {"title": "Short"})

    assert library.get("/books/7") == {"bookId": 7, "title": "Short"}


@pytest.mark.parametrize("collection", ["/books", "/readers"])
def test_what_is_removed_is_gone(library: Library, collection: str) -> None:
    """204, then 404 for reading it and for removing it again; the others stay."""
    body = BOOK if collection == "/books" else READER
    path, other = library.add(collection, body), library.add(collection, body)

    removed = library.call("DELETE", path)

    assert (removed.status, removed.body) == (204, b"")
    assert problem(library.call("GET", path)) == NOT_FOUND
    assert problem(library.call("DELETE", path)) == NOT_FOUND
    library.get(other)


def test_a_collection_may_be_removed_as_a_whole(library: Library) -> None:
    """Where the contract has it, all members go; the collection is there still, and empty."""
    library.add("/languages", {"code": "nl", "name": "Nederlands"})
    library.add("/languages", {"code": "fr", "name": "Français"})

    removed = library.call("DELETE", "/languages")

    assert removed.status == 204
    assert library.get("/languages") == {"items": [], "total": 0}
    assert problem(library.call("GET", "/languages/nl")) == NOT_FOUND
    assert library.add("/languages", {"code": "nl", "name": "Nederlands"}) == "/languages/nl"


def test_what_was_never_put_is_not_found(library: Library) -> None:
    """The 404 has an issue on the parameter that leads nowhere, or none at all; never another status."""
    for path in ("/books/1", "/shelves/none", "/languages/nl", "/books/1/copies/1"):
        assert problem(library.call("GET", path)) == NOT_FOUND
    assert problem(library.call("DELETE", "/shelves/none")) == NOT_FOUND


def test_what_the_contract_has_an_example_of_is_there_until_it_is_removed(library: Library) -> None:
    """Where nothing puts or adds, the example is what there is, under every identifier; removing it works once."""
    assert library.get("/notices/1") == {"noticeId": 1, "text": "Closed on Mondays"}

    assert library.call("DELETE", "/notices/1").status == 204
    assert problem(library.call("GET", "/notices/1")) == NOT_FOUND
    assert problem(library.call("DELETE", "/notices/1")) == NOT_FOUND
    assert library.get("/notices/2")["text"] == "Closed on Mondays"


# Below.


def test_copies_belong_to_their_book(library: Library) -> None:
    """Each book has a collection of its own."""
    one, two = library.add("/books", BOOK), library.add("/books", BOOK)
    copy = library.add(f"{one}/copies", {"condition": "new"})

    assert library.get(copy)["condition"] == "new"
    assert [entry["condition"] for entry in library.get(f"{one}/copies")["copies"]] == ["new"]
    assert library.get(f"{two}/copies")["copies"] == []


def test_what_is_below_goes_with_what_is_removed(library: Library) -> None:
    """A book that comes back under the same number has no copies."""
    library.call("PUT", "/books/1", BOOK)
    library.call("PUT", "/books/11", BOOK)
    copy, other = (library.add(f"/books/{number}/copies", {"condition": "used"}) for number in (1, 11))

    library.call("DELETE", "/books/1")
    library.call("PUT", "/books/1", BOOK)

    assert problem(library.call("GET", copy)) == NOT_FOUND
    assert library.get("/books/1/copies")["copies"] == []
    library.get(other)


def test_nothing_is_below_what_is_not_there(library: Library) -> None:
    """A copy of no book cannot be added, and its copies cannot be listed."""
    assert problem(library.call("POST", "/books/5/copies", {"condition": "new"})) == NOT_FOUND
    assert problem(library.call("GET", "/books/5/copies")) == NOT_FOUND


# Merging.


@pytest.mark.parametrize("media_type", [MERGE, JSON])
def test_a_patch_is_merged(library: Library, media_type: str) -> None:
    """Members that are sent replace, null removes, objects are merged member by member (RFC 7396)."""
    path = library.add("/books", BOOK)
    number = library.get(path)["bookId"]

    reply = library.call("PATCH", path, {"pages": 401, "language": None, "publisher": {"city": None}}, media_type)

    expected = {"bookId": number, "title": BOOK["title"], "pages": 401, "publisher": {"name": "Arbeiderspers"}}
    assert (reply.status, reply.json) == (200, expected)
    assert library.get(path) == expected


@pytest.mark.parametrize(
    ("patch", "name"),
    [
        ({"title": None}, "title"),
        ({"pages": 0}, "pages"),
        ({"colour": "red"}, "colour"),
        ({"publisher": 1}, "publisher"),
    ],
)
def test_a_patch_whose_result_breaks_the_contract_changes_nothing(library: Library, patch: Any, name: str) -> None:
    """What would be stored is validated as what is put is."""
    path = library.add("/books", BOOK)
    before = library.get(path)

    reply = library.call("PATCH", path, patch, MERGE)

    assert problem(reply) == (400, "belgif:badRequest")
    assert [issue["name"] for issue in reply.json["issues"]] == [name]
    assert library.get(path) == before


def test_a_patch_needs_something_to_change_and_a_patch(library: Library) -> None:
    """404 where nothing is; 415 for another media type, 400 for a patch that is no object."""
    path = library.add("/books", BOOK)

    assert problem(library.call("PATCH", "/books/99", {"pages": 1}, MERGE)) == NOT_FOUND
    assert library.call("PATCH", path, '{"pages": 1}', "text/plain").status == 415
    assert library.call("PATCH", path, [1], MERGE).status == 400


# Listing.


def test_pages_are_those_of_belgif(library: Library) -> None:
    """Number, size, total, and absolute links: the way along `next` meets every book once, in order."""
    for number in range(23):
        library.add("/books", {"title": f"Volume {number}"})

    page = library.get("/books")
    first = page
    titles = [book["title"] for book in page["items"]]
    while "next" in page:
        page = library.get(library.path_in(page["next"]))
        titles += [book["title"] for book in page["items"]]

    assert (first["page"], first["pageSize"], first["total"], len(first["items"])) == (1, 10, 23, 10)
    assert "prev" not in first
    assert (page["page"], len(page["items"])) == (3, 3)
    assert titles == [f"Volume {number}" for number in range(23)]
    assert library.get(library.path_in(page["prev"]))["page"] == 2
    assert library.get(library.path_in(page["first"]))["items"] == first["items"]
    assert library.get(library.path_in(first["last"])) == page


def test_the_links_keep_the_size_that_was_asked_for(library: Library) -> None:
    """The next page is as long as this one."""
    for number in range(5):
        library.add("/books", {"title": f"Volume {number}"})

    page = library.get("/books?pageSize=2&page=2")

    assert [book["title"] for book in page["items"]] == ["Volume 2", "Volume 3"]
    following = library.get(library.path_in(page["next"]))
    assert (following["pageSize"], [book["title"] for book in following["items"]]) == (2, ["Volume 4"])
    assert library.path_in(page["self"]).startswith("/books")


def test_a_page_behind_the_last_is_empty(library: Library) -> None:
    """It is no mistake to look there."""
    library.add("/books", BOOK)

    page = library.get("/books?page=9")

    assert (page["items"], page["page"], page["total"]) == ([], 9, 1)
    assert "next" not in page


@pytest.mark.parametrize("query", ["page=0", "pageSize=51", "page=x", "offset=1"])
def test_a_page_that_the_contract_does_not_have_is_refused(library: Library, query: str) -> None:
    """Bounds, types and unknown parameters are the contract's."""
    reply = library.call("GET", f"/books?{query}")

    assert problem(reply) == (400, "belgif:badRequest")
    assert [issue["name"] for issue in reply.json["issues"]] == [query.partition("=")[0]]


def test_a_list_by_limit_and_offset_may_be_the_whole_answer(library: Library) -> None:
    """The order is that of adding, and a stretch begins where it is asked to."""
    for number in range(5):
        library.add("/readers", READER | {"name": f"Reader {number}"})

    def names(query: str) -> list[str]:
        return [reader["name"] for reader in library.get(f"/readers{query}")]

    assert names("") == [f"Reader {number}" for number in range(5)]
    assert names("?limit=2&offset=1") == ["Reader 1", "Reader 2"]
    assert names("?offset=4") == ["Reader 4"]
    assert names("?limit=3&offset=4") == ["Reader 4"]


def test_a_collection_has_all_its_members_with_their_identifiers(library: Library) -> None:
    """What is listed is what is read at each member's own path, whichever way it came."""
    library.call("PUT", "/books/5", BOOK)
    added = library.add("/books", {"title": "Second"})

    listed = {f"/books/{book['bookId']}": book for book in library.get("/books")["items"]}

    assert listed == {path: library.get(path) for path in ("/books/5", added)}


def test_a_total_is_told_where_the_contract_has_one(library: Library) -> None:
    """The answer is described by 2XX, and has no pages."""
    library.add("/languages", {"code": "nl", "name": "Nederlands"})
    library.add("/languages", {"code": "fr", "name": "Français"})

    found = library.get("/languages")

    assert (found["total"], {one["code"] for one in found["items"]}) == (2, {"nl", "fr"})


# One way only.


def test_a_read_only_member_is_refused_in_a_request(library: Library) -> None:
    """The identifier is the server's to choose."""
    reply = library.call("POST", "/books", BOOK | {"bookId": 3})

    assert problem(reply) == (400, "belgif:badRequest")
    assert [issue["name"] for issue in reply.json["issues"]] == ["bookId"]


def test_a_read_only_member_may_be_ignored(opened: Opened) -> None:
    """With the setting it is let pass, and means nothing."""
    library = opened(read_only="ignore")
    library.add("/books", BOOK)

    reply = library.call("POST", "/books", BOOK | {"bookId": 9})

    assert reply.status == 201
    assert library.path_in(reply.headers["location"]) == f"/books/{reply.json['bookId']}"


def test_a_write_only_member_is_never_answered(library: Library) -> None:
    """Neither when it was sent, nor when it is read or listed."""
    reply = library.call("POST", "/readers", READER)
    path = library.path_in(reply.headers["location"])

    for body in (reply.json, library.get(path), *library.get("/readers")):
        assert body == {"id": path.rpartition("/")[2], "name": READER["name"]}


# Answers that nothing is kept for.


def test_the_contracts_example_is_the_answer(library: Library) -> None:
    """In the status that is meant by `default`, and in the media type of the example."""
    motto = library.call("GET", "/motto")

    assert library.get("/hours") == {"opens": "09:00", "closes": "18:00"}
    assert (motto.status, motto.body) == (200, b"Silence is golden.")
    assert motto.headers["content-type"].partition(";")[0] == "text/plain"


def test_without_an_example_an_answer_is_built(library: Library) -> None:
    """It follows the schema, and is the same each time."""
    first, second = (library.get("/statistics") for _ in range(2))

    assert first == second
    assert first["loans"] >= 3
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", first["since"])
    assert 0.5 <= first["share"] <= 0.75
    assert all(len(title) >= 3 for title in first.get("titles", ["yes", "yes"]))


def test_a_text_is_taken_as_it_is(library: Library) -> None:
    """A body of another media type than JSON is accepted where the contract has it, and JSON is not."""
    taken = library.call("POST", "/reminders", "Bring back the books.", "text/plain")

    assert (taken.status, taken.body) == (202, b"")
    assert library.call("POST", "/reminders", {"text": "x"}).status == 415
    assert library.call("POST", "/reminders").status in {400, 415}


def test_an_answer_that_cannot_be_valid_is_our_500(library: Library) -> None:
    """The client gets a problem and nothing else; the journal says why."""
    reply = library.call("GET", "/impossible")

    assert problem(reply) == (500, "belgif:internalServerError")
    number = reply.headers["mock-exchange"]
    exchange = library.caller.call("GET", f"/_mock/worlds/default/exchanges/{number}").json
    reasons = [check for check in exchange["checks"] if check["outcome"] == "failed"]
    assert [check["id"] for check in reasons] == [exchange["refused_by"]]
    assert reasons[0]["found"]
    assert reasons[0]["found"] not in reply.body.decode()


def test_what_cannot_be_answered_is_not_done(library: Library) -> None:
    """A call that ends in our 500 changes nothing: whoever tries again finds the same world."""
    before = state_of(library).body

    reply = library.call("POST", "/wishes", {"title": "Silence"})

    assert reply.status == 500
    assert library.get("/wishes") == []
    assert state_of(library).body == before


def test_a_text_that_is_put_is_read(library: Library) -> None:
    """What is kept need not be JSON."""
    assert library.call("GET", "/notes/a").status == 404

    put = library.call("PUT", "/notes/a", "Liber \u00e0 rendre", "text/plain")
    got = library.call("GET", "/notes/a")

    assert (put.status, got.status) == (204, 200)
    assert got.body.decode() == "Liber \u00e0 rendre"
    assert got.headers["content-type"].partition(";")[0] == "text/plain"


# Negotiation and methods.


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml, text/*;q=0.5", "application/json;q=0", "text/html, */*;q=0"]
)
def test_an_answer_that_the_client_does_not_accept_is_406(library: Library, accept: str) -> None:
    """Nothing is done then, and the problem comes in its own media type."""
    refused = library.call("POST", "/books", BOOK, headers={"accept": accept})

    assert refused.status == 406
    assert library.get("/books")["total"] == 0


@pytest.mark.parametrize(
    "headers",
    [{}, *({"accept": value} for value in ("*/*", "application/*", "Application/JSON", "text/html, */*;q=0.1"))],
)
def test_an_answer_that_the_client_accepts_is_given(library: Library, headers: dict[str, str]) -> None:
    """Ranges and weights are understood; without the header everything is accepted."""
    assert library.call("GET", "/books", headers=headers).status == 200


def test_methods_are_those_of_the_contract(library: Library) -> None:
    """What it does not have is 405 with those that it has; HEAD and OPTIONS are answered where it has them."""
    library.call("PUT", "/shelves/a", {"places": 1})

    refused = [library.call(method, "/books") for method in ("PUT", "DELETE", "OPTIONS", "HEAD")]
    there, gone = library.call("HEAD", "/shelves/a"), library.call("HEAD", "/shelves/b")

    assert [(reply.status, reply.headers["allow"]) for reply in refused] == [(405, "GET, POST")] * 4
    assert (there.status, there.body, gone.status) == (200, b"", 404)
    assert library.call("OPTIONS", "/shelves/a").status == 204
    assert library.call("GET", "/newspapers").status == 404


# Places.

SHELVES = ("a b", "a/b", "100%", "a+b", "été", "..", ".", "?", "#", "a_", "ax", "%61", "a%2Fb", "'", "\\", "名")


def test_any_text_can_be_a_key(library: Library) -> None:
    """What needs to be percent-encoded is one segment, different from every other."""
    for number, shelf in enumerate(SHELVES):
        assert library.call("PUT", f"/shelves/{quote(shelf, safe='')}", {"places": number}).status == 201, shelf

    found = [library.get(f"/shelves/{quote(shelf, safe='')}")["places"] for shelf in SHELVES]

    assert found == list(range(len(SHELVES)))


def test_two_spellings_of_one_key_are_one(library: Library) -> None:
    """A letter that is percent-encoded for no need is the same letter."""
    library.call("PUT", "/shelves/%61", {"places": 3})

    assert library.get("/shelves/a") == {"places": 3}


def test_removing_one_key_leaves_those_that_look_alike(library: Library) -> None:
    """Wildcards of a database mean nothing in a path."""
    for number, shelf in enumerate(SHELVES):
        library.call("PUT", f"/shelves/{quote(shelf, safe='')}", {"places": number})
    for shelf in ("a_", "100%", "%61"):
        assert library.call("DELETE", f"/shelves/{quote(shelf, safe='')}").status == 204

    statuses = {shelf: library.call("GET", f"/shelves/{quote(shelf, safe='')}").status for shelf in SHELVES}

    assert [shelf for shelf, status in statuses.items() if status == 404] == ["100%", "a_", "%61"]


def test_two_apis_keep_apart_what_they_keep(opened: Opened, tmp_path: Path) -> None:
    """The same path below another base path is another thing."""
    archive = tmp_path / "archive.yaml"
    text = CONTRACT.read_text(encoding="utf-8").replace("/REST/library/v2", "/REST/archive/v2")
    archive.write_text(text, encoding="utf-8")
    library = opened(service=(f"library={CONTRACT}", f"archive={archive}"))
    other = Library(library.caller, library.token, "/REST/archive/v2")

    library.call("PUT", "/shelves/a", {"places": 1})

    assert problem(other.call("GET", "/shelves/a")) == NOT_FOUND
    other.call("PUT", "/shelves/a", {"places": 2})
    assert (library.get("/shelves/a"), other.get("/shelves/a")) == ({"places": 1}, {"places": 2})


def state_of(library: Library, world: str = "default") -> Reply:
    """Export a world."""
    return library.caller.call("GET", f"/_mock/worlds/{world}/state")


def in_world(library: Library, name: str, state: Any) -> Library:
    """Make a world of a state, and return the library there."""
    body = json.dumps({"name": name, "state": state}).encode()
    made = library.caller.call("POST", "/_mock/worlds", body, {"content-type": JSON})
    assert made.status == 201, made.body
    token_url = f"/worlds/{name}{TOKEN}"
    text = assertion(iss="librarian", sub="librarian", aud=f"http://{HOST}{token_url}")
    token = library.caller.call("POST", token_url, form(text), FORM_HEADERS).json["access_token"]
    return Library(library.caller, token, f"/worlds/{name}{BASE}")


def test_two_worlds_keep_apart_what_they_keep(library: Library) -> None:
    """What is added in one is not in the other, and its Location leads into its own world."""
    other = in_world(library, "other", state_of(library).json)

    path = library.add("/books", BOOK)

    assert problem(other.call("GET", path)) == NOT_FOUND
    assert other.get("/books")["total"] == 0
    assert other.get(other.add("/books", {"title": "Elsewhere"}))["title"] == "Elsewhere"
    assert library.get(path)["title"] == BOOK["title"]


def test_an_exported_state_has_all_that_is_kept(library: Library) -> None:
    """Documents in their order, what was removed, the numbers that were given: a world of it goes on from there."""
    paths = [library.add("/books", {"title": f"Volume {number}"}) for number in range(3)]
    library.call("PUT", "/shelves/a%2Fb", {"places": 1})
    library.call("DELETE", paths[0])
    library.call("DELETE", "/notices/1")
    exported = state_of(library)

    again = in_world(library, "again", exported.json)

    assert state_of(library, "again").body == exported.body
    assert [book["title"] for book in again.get("/books")["items"]] == ["Volume 1", "Volume 2"]
    assert again.get("/shelves/a%2Fb") == {"places": 1}
    assert problem(again.call("GET", paths[0])) == NOT_FOUND
    assert problem(again.call("GET", "/notices/1")) == NOT_FOUND
    assert again.add("/books", BOOK) not in paths


def test_what_is_kept_survives_a_restart(opened: Opened, tmp_path: Path) -> None:
    """With a store, documents, removals and the numbers that were given are those of before."""
    store = f"sqlite:///{tmp_path / 'mock.db'}"
    before = opened(store=store)
    paths = [before.add("/books", {"title": f"Volume {number}"}) for number in range(2)]
    before.call("DELETE", paths[1])
    before.call("DELETE", "/notices/1")
    before.caller.mock.close()

    after = opened(store=store)

    assert [book["title"] for book in after.get("/books")["items"]] == ["Volume 0"]
    assert problem(after.call("GET", "/notices/1")) == NOT_FOUND
    assert after.add("/books", BOOK) not in paths


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_valid_by_the_contract(started: Starter, tmp_path: Path, seed: int) -> None:
    """Whatever the schemas are, what is added, listed, read, replaced and given as an example follows them."""
    schemas = varied_schemas(30, seed)
    file = write(tmp_path, varied_contract(schemas), "json")
    caller = started(ACCOUNT.format(permissions='["varied"]'), service=(f"varied={file}",))
    client = Library(caller, caller.token("librarian"), "/REST/varied/v1", Judge(file))

    for number, varied in enumerate(schemas):
        collection = f"/kept{number}"
        added = client.add(collection, varied.value)
        put = client.call("PUT", f"{collection}/chosen", varied.value)
        assert put.status == 201, put.body
        assert client.get(added) is not None
        assert len(client.get(collection)["items"]) == 2
        assert client.get(f"/example{number}") is not None
