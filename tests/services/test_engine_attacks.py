"""Contracts and clients that are unusual and allowed: what the engine must keep right whatever comes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Starter
from tests.support import Caller, Reply, key

OWN, SECRETARIAT, OTHER = "1999000150", "1999000249", "1999000447"
SSIN = "65111899997"
BASE = "/REST/attacked/v1"
JSON = "application/json"
ACCOUNT = """
[[accounts]]
name = "{name}"
client_id = "{name}"
enterprise = "{enterprise}"
capacity = "{capacity}"
permissions = ["attacked"]
certificates = [{{ file = "rsa-2048.cer" }}]
"""
MANDATE = f'[[mandates]]\nmandator = "{OWN}"\nmandatary = "{SECRETARIAT}"\nservice = "attacked"\nstart = "2025Q1"\n'
WORLD = "".join(
    ACCOUNT.format(name=name, enterprise=enterprise, capacity=capacity)
    for name, enterprise, capacity in (
        ("own", OWN, "employer"),
        ("stranger", OTHER, "employer"),
        ("mandatary", SECRETARIAT, "social-secretariat"),
    )
)
Json = dict[str, Any]


def described(schema: Any = None, media_type: str = JSON, **more: Any) -> Json:
    """Return an answer, with a body of a schema or without one."""
    content = {} if schema is None else {"content": {media_type: {"schema": schema}}}
    return {"description": "An answer.", **content, **more}


def operation(answers: Mapping[str, Json] | Json, body: Any = None, media_type: str = JSON, **more: Any) -> Json:
    """Return an operation: its answers by status, and the schema of its body if it takes one."""
    sent = {} if body is None else {"requestBody": {"required": True, "content": {media_type: {"schema": body}}}}
    return {"responses": answers, **sent, **more}


def parameter(name: str, location: str = "path", schema: Any = None, **more: Any) -> Json:
    """Return a parameter; it is a text unless told otherwise."""
    return {
        "name": name,
        "in": location,
        "required": location == "path",
        "schema": schema or {"type": "string"},
        **more,
    }


def listed(schema: Json) -> Json:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


THING: Json = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
NUMBERED: Json = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
DONE = {"204": described()}


@dataclass
class Client:
    """Calls the API as an account."""

    caller: Caller
    base: str = BASE

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        account: str = "own",
    ) -> Reply:
        """Make a call; a body that is neither text nor bytes is sent as JSON."""
        sent = {"authorization": f"Bearer {self.caller.token(account, key())}"}
        data = b""
        if body is not None:
            sent["content-type"] = JSON
            data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        return self.caller.call(method, f"{self.base}{path}", data, sent | dict(headers or {}))

    def status(self, method: str, path: str, body: Any = None, **more: Any) -> int:
        """Make a call, and return its status."""
        return self.call(method, path, body, **more).status

    def follow(self, reply: Reply) -> Reply:
        """Get what a Location leads to."""
        return self.call("GET", reply.headers["location"].partition(self.base)[2])

    def state(self) -> Any:
        """Return what the world has stored."""
        return self.caller.call("GET", "/_mock/worlds/default/state").json


Serving = Callable[..., Client]


@pytest.fixture
def serving(started: Starter, tmp_path: Path) -> Serving:
    """Give a function that serves paths as the contract of an API."""

    def make(paths: Json, more: str = "", **members: Any) -> Client:
        file = tmp_path / "attacked.json"
        document = {"openapi": "3.0.3", "info": {"title": "Attacked", "version": "1"}, "servers": [{"url": BASE}]}
        file.write_text(json.dumps(document | members | {"paths": paths}), encoding="utf-8")
        return Client(started(WORLD + MANDATE + more, service=(f"attacked={file}",)))

    return make


def item_paths(schema: Json, parameters: Json | None = None) -> Json:
    """Return a collection of things, with everything that can be done to them."""
    last = parameters or parameter("id")
    return {
        "/things": {
            "get": operation({"200": described(listed(schema))}),
            "post": operation({"201": described(schema)}, schema),
        },
        "/things/{id}": {
            "parameters": [last],
            "get": operation({"200": described(schema)}),
            "put": operation({"200": described(schema)}, schema),
            "patch": operation({"200": described(schema)}, {"type": "object"}),
            "delete": operation(DONE),
        },
    }


# Access.

EMPLOYER: Json = {
    "type": "object",
    "properties": {"enterpriseNumber": {"type": "string"}, "name": {"type": "string"}},
}
EMPLOYERS: Json = {
    "/employers": {
        "get": operation({"200": described(listed(EMPLOYER))}),
        "post": operation({"201": described(EMPLOYER)}, EMPLOYER),
        "delete": operation(DONE),
    },
    "/employers/{enterpriseNumber}": {
        "parameters": [parameter("enterpriseNumber")],
        "get": operation({"200": described(EMPLOYER)}),
        "put": operation({"200": described(EMPLOYER)}, EMPLOYER),
    },
}


def test_a_collection_of_employers_shows_a_stranger_nothing_of_another(serving: Serving) -> None:
    """What is refused at the member's own path is not to be had in the list either."""
    client = serving(EMPLOYERS)
    client.call("PUT", f"/employers/{OWN}", {"name": "secret"})

    reply = client.call("GET", "/employers", account="stranger")

    assert client.status("GET", f"/employers/{OWN}", account="stranger") == 403
    assert b"secret" not in reply.body


def test_nothing_is_added_under_the_number_of_another_employer(serving: Serving) -> None:
    """A POST whose body names the enterprise is judged as a PUT at the path of that enterprise."""
    client = serving(EMPLOYERS)

    reply = client.call("POST", "/employers", {"enterpriseNumber": OTHER, "name": "by a stranger"})

    assert reply.status == 403
    assert client.status("GET", f"/employers/{OTHER}", account="stranger") == 404


def test_a_collection_of_employers_is_not_removed_by_a_stranger(serving: Serving) -> None:
    """Removing the collection removes at most what the account may act for."""
    client = serving(EMPLOYERS)
    client.call("PUT", f"/employers/{OWN}", {"name": "still here"})

    client.call("DELETE", "/employers", account="stranger")

    assert client.call("GET", f"/employers/{OWN}").json["name"] == "still here"


def guarded(*parameters: Json) -> Json:
    """Return a path whose enterprise number is not in the path."""
    return {
        "/declarations/{id}": {
            "parameters": [parameter("id"), *parameters],
            "get": operation({"200": described(THING)}),
            "put": operation({"200": described(THING)}, THING),
        }
    }


def test_a_list_of_enterprise_numbers_is_recognised_by_its_name(serving: Serving) -> None:
    """Each of the numbers is judged, however many there are."""
    numbers = parameter("enterpriseNumber", "query", listed({"type": "string"}))
    client = serving(guarded(numbers))

    alone, both = f"?enterpriseNumber={OTHER}", f"?enterpriseNumber={OWN}&enterpriseNumber={OTHER}"

    assert [client.status("PUT", f"/declarations/1{query}", {}) for query in (alone, both)] == [403, 403]
    assert client.status("PUT", f"/declarations/1?enterpriseNumber={OWN}", {}) == 200


def test_a_format_that_a_team_made_up_leaves_no_route_open(serving: Serving) -> None:
    """A number is known by its name, whatever its format is called."""
    number = parameter("ondernemingsnummer", schema={"type": "string", "format": "cbe"})
    get = operation({"200": described(THING)})
    client = serving({"/dossiers/{ondernemingsnummer}": {"parameters": [number], "get": get}})

    assert [client.status("GET", f"/dossiers/{who}") for who in (OWN, OTHER)] == [200, 403]


def test_issues_are_told_where_the_contract_has_no_room_for_what_came(serving: Serving) -> None:
    """The value is left out, and nothing else."""
    issue = {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "object"}}}
    wrong = {"type": "object", "properties": {"issues": listed(issue), "type": {"type": "string"}}}
    body = {"type": "object", "properties": {"n": {"type": "integer"}}}
    client = serving({"/things": {"put": operation(DONE | {"400": described(wrong)}, body)}})

    reply = client.call("PUT", "/things", {"n": "x"})

    assert [issue["name"] for issue in reply.json["issues"]] == ["n"]
    assert reply.json["type"] == "urn:problem-type:belgif:badRequest"


def test_what_is_only_sent_is_never_answered_whatever_the_answer_allows(serving: Serving) -> None:
    """The answer has a schema of its own, which is open and does not name it."""
    sent = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "pin": {"type": "string", "writeOnly": True}},
    }
    answered = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    client = serving(
        {
            "/things": {
                "get": operation({"200": described(listed(answered))}),
                "post": operation({"201": described(answered)}, sent),
            },
            "/things/{id}": {
                "parameters": [parameter("id", schema={"type": "integer"})],
                "get": operation({"200": described(answered)}),
            },
        }
    )

    made = client.call("POST", "/things", {"name": "x", "pin": "1234"})

    assert made.json == {"id": 1, "name": "x"}
    assert client.follow(made).json == {"id": 1, "name": "x"}
    assert client.call("GET", "/things").json == [{"id": 1, "name": "x"}]


def test_a_list_of_enterprise_numbers_in_the_path_is_judged_too(serving: Serving) -> None:
    """As each of them would be alone."""
    numbers = parameter("employerIds", schema=listed({"type": "string"}))
    get = operation({"200": described(THING)})
    client = serving({"/employers/{employerIds}/summary": {"parameters": [numbers], "get": get}})

    statuses = [client.status("GET", f"/employers/{who}/summary") for who in (OWN, OTHER, f"{OWN},{OTHER}")]

    assert statuses == [200, 403, 403]


@pytest.mark.parametrize(
    "more",
    [
        {"schema": listed({"type": "string"}), "explode": False, "x-fla-mock": {"holds": "enterpriseNumber"}},
        {"allowEmptyValue": True},
    ],
)
def test_an_empty_enterprise_number_does_not_open_what_asks_for_one(serving: Serving, more: Json) -> None:
    """A required number that is sent without a value is a 400, not a call about nobody."""
    number = parameter("enterpriseNumber", "query") | {"required": True} | more
    client = serving(guarded(number))

    assert client.status("PUT", "/declarations/1?enterpriseNumber=", {}) == 400


def test_a_number_in_the_query_keeps_employers_apart(serving: Serving) -> None:
    """What one employer stored is not read by another that names itself."""
    client = serving(guarded(parameter("enterpriseNumber", "query") | {"required": True}))
    client.call("PUT", f"/declarations/1?enterpriseNumber={OWN}", {"name": "secret"})

    reply = client.call("GET", f"/declarations/1?enterpriseNumber={OTHER}", account="stranger")

    assert b"secret" not in reply.body


def test_a_number_in_the_query_of_the_collection_alone_does_not_hide_its_members(serving: Serving) -> None:
    """A Location leads to what was added, also where the member's path asks for no number."""
    number = parameter("enterpriseNumber", "query") | {"required": True}
    paths = item_paths(THING)
    for one in paths["/things"].values():
        one["parameters"] = [number]
    client = serving(paths)

    made = client.call("POST", f"/things?enterpriseNumber={OWN}", {"name": "x"})

    assert client.follow(made).status == 200
    assert len(client.call("GET", f"/things?enterpriseNumber={OWN}").json) == 1


def test_no_path_leads_to_what_is_kept_for_another(serving: Serving) -> None:
    """How documents are kept apart by a number in the query is out of reach of any path."""
    paths = {
        "/{first}/{second}": {
            "parameters": [parameter("first"), parameter("second")],
            "get": operation({"200": described(THING)}),
            "put": operation({"200": described(THING)}, THING),
        },
        "/notes": {
            "parameters": [parameter("enterpriseNumber", "query") | {"required": True}],
            "get": operation({"200": described(THING)}),
            "put": operation({"200": described(THING)}, THING),
        },
    }
    client = serving(paths)
    client.call("PUT", f"/notes?enterpriseNumber={OWN}", {"name": "secret"})
    kept = [document["path"] for document in client.state()["documents"]]

    replies = [client.call("GET", f"/{path}", account="stranger") for path in kept]

    assert kept
    assert not [reply for reply in replies if b"secret" in reply.body]


def test_two_numbers_are_not_kept_with_those_of_others(serving: Serving) -> None:
    """A call that names its number twice is about that number, and nobody else reads what it stored."""
    numbers = parameter("enterpriseNumber", "query", listed({"type": "string"}))
    client = serving(guarded(numbers))
    twice, others = (f"?enterpriseNumber={one}&enterpriseNumber={one}" for one in (OWN, OTHER))
    client.call("PUT", f"/declarations/1{twice}", {"name": "secret"})

    assert b"secret" not in client.call("GET", f"/declarations/1{others}", account="stranger").body
    assert b"secret" not in client.call("GET", "/declarations/1", account="stranger").body


@pytest.mark.parametrize("style", ["label", "matrix"])
def test_a_number_in_any_style_of_path_is_read(serving: Serving, style: str) -> None:
    """A dot or a name before the number belongs to the style."""
    client = serving(
        {
            "/employers/{employerId}/note": {
                "parameters": [parameter("employerId", style=style)],
                "get": operation({"200": described(THING)}),
                "put": operation({"200": described(THING)}, THING),
            }
        }
    )
    before = {"label": ".", "matrix": ";employerId="}[style]

    assert client.status("PUT", f"/employers/{before}{OWN}/note", {"name": "x"}) == 200
    assert client.status("GET", f"/employers/{before}{OWN}/note", account="stranger") == 403


def test_swapped_names_of_parameters_do_not_swap_their_values(serving: Serving) -> None:
    """Two templates of one form have their own names for the same segments."""
    both = [parameter("employerId"), parameter("other")]
    client = serving(
        {
            "/of/{employerId}/with/{other}": {"parameters": both, "get": operation({"200": described(THING)})},
            "/of/{other}/with/{employerId}": {"parameters": both, "put": operation({"200": described(THING)}, THING)},
        }
    )

    assert client.status("GET", f"/of/{OTHER}/with/{OWN}") == 403
    assert client.status("PUT", f"/of/{OWN}/with/{OTHER}", {}) == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_no_method_reaches_the_number_of_another(serving: Serving, method: str) -> None:
    """The same rule guards whatever can be done at a path."""
    answers = {"200": described(THING)}
    methods = {name: operation(answers) for name in ("get", "head", "options", "trace", "delete")}
    methods |= {name: operation(answers, {"type": "object"}) for name in ("put", "patch")}
    client = serving({"/employers/{employerId}/note": {"parameters": [parameter("employerId")], **methods}})
    body: Json | None = {} if method in {"PUT", "PATCH"} else None

    assert client.status(method, f"/employers/{OTHER}/note", body) == 403
    assert client.status(method, f"/employers/{OWN}/note", body, account="mandatary") != 403


@pytest.mark.parametrize(
    "written", ["BE1999000150", "1999.000.150", "1999000150%20", "01999000150", "%EF%BC%91999000150", "1999000150;a=b"]
)
def test_another_spelling_of_a_number_is_never_somebody_elses(serving: Serving, written: str) -> None:
    """It is refused, or it is the same enterprise; a stranger does not get in by it."""
    client = serving(
        {
            "/employers/{employerId}/note": {
                "parameters": [parameter("employerId")],
                "put": operation({"200": described(THING)}, THING),
            }
        }
    )

    assert client.status("PUT", f"/employers/{written}/note", {}, account="stranger") in {400, 403}


# Answers that follow HTTP and the contract.


@pytest.mark.parametrize(
    ("method", "answers"),
    [
        ("DELETE", {"default": described(THING)}),
        ("GET", {"404": described()}),
        ("PUT", {"204": described(THING)}),
        ("DELETE", {"205": described(THING)}),
    ],
)
def test_an_answer_without_content_has_no_body(serving: Serving, method: str, answers: Json) -> None:
    """204 and 205 have none, whatever the contract describes (RFC 9110 §15.3.5, §15.3.6)."""
    client = serving(
        {
            "/things/{id}": {
                "parameters": [parameter("id")],
                "get": operation(answers if method == "GET" else {"200": described(THING)}),
                "put": operation(answers if method == "PUT" else DONE, THING),
                "delete": operation(answers if method == "DELETE" else DONE),
            }
        }
    )
    client.call("PUT", "/things/1", {"name": "x"})

    reply = client.call(method, "/things/1", {} if method == "PUT" else None)

    assert reply.status < 300
    assert reply.status not in {204, 205} or (reply.body == b"" and "content-type" not in reply.headers)


def test_an_answer_of_any_media_type_is_json(serving: Serving) -> None:
    """Generators of contracts write a range where they mean JSON; what was put is read all the same."""
    anything = {"200": described(THING, "*/*")}
    client = serving(
        {
            "/things": {"get": operation({"200": described(listed(THING), "*/*")})},
            "/things/{id}": {
                "parameters": [parameter("id")],
                "get": operation(anything),
                "put": operation(anything, THING),
            },
        }
    )
    put = client.call("PUT", "/things/1", {"name": "x"})

    got, members = client.call("GET", "/things/1"), client.call("GET", "/things")

    assert put.json["name"] == got.json["name"] == "x"
    assert [one["name"] for one in members.json] == ["x"]


def closed(name: str) -> Json:
    """Return a schema that asks for one member, and allows no other."""
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"type": "string"}},
        "additionalProperties": False,
    }


def test_each_version_of_an_answer_follows_its_own_schema(serving: Serving) -> None:
    """Of two JSON media types the client chooses, and the answer is judged by what it chose."""
    content = {f"application/vnd.x.v{number}+json": {"schema": closed(f"m{number}")} for number in (1, 2)}
    client = serving({"/things": {"get": {"responses": {"200": {"description": "Both.", "content": content}}}}})

    replies = [client.call("GET", "/things", headers={"accept": media_type}) for media_type in content]

    assert [(reply.status, list(reply.json)) for reply in replies] == [(200, ["m1"]), (200, ["m2"])]


@pytest.mark.parametrize("accept", ["text/plain", "text/*", "application/json;q=0, text/plain;q=0.1"])
def test_a_media_type_beside_json_can_be_asked_for(serving: Serving, accept: str) -> None:
    """What the contract offers is not refused with 406."""
    content = {
        JSON: {"schema": {"type": "string"}, "example": "json"},
        "text/plain": {"schema": {"type": "string"}, "example": "plain"},
    }
    client = serving({"/motto": {"get": {"responses": {"200": {"description": "Both.", "content": content}}}}})

    reply = client.call("GET", "/motto", headers={"accept": accept})

    assert (reply.status, reply.body) == (200, b"plain")


def test_a_text_of_a_number_is_a_number(serving: Serving) -> None:
    """A text/plain answer whose schema is a whole number has one."""
    client = serving(
        {"/count": {"get": operation({"200": described({"type": "integer", "minimum": 3}, "text/plain")})}}
    )

    assert int(client.call("GET", "/count").body) >= 3


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_redirection_is_the_answer_where_the_contract_has_no_other(serving: Serving, method: str) -> None:
    """The status is one of the contract's, whatever the operation does."""
    answers = {"303": described(headers={"Location": {"schema": {"type": "string"}}})}
    client = serving(
        {
            "/things": {"post": operation(answers, THING)},
            "/things/{id}": {
                "parameters": [parameter("id")],
                "get": operation(answers),
                "put": operation(answers, THING),
            },
        }
    )
    client.call("PUT", "/things/1", {})

    reply = client.call(method, "/things" if method == "POST" else "/things/1", None if method == "GET" else {})

    assert reply.status == 303


@pytest.mark.parametrize(
    "header",
    [
        {"Content-Length": {"required": True, "schema": {"type": "integer"}}},
        {"Transfer-Encoding": {"required": True, "schema": {"type": "string"}, "example": "chunked"}},
        {"Mock-Exchange": {"required": True, "schema": {"type": "string"}}},
        {"X-Note": {"required": True, "schema": {"type": "string"}, "example": "a\nset-cookie: b"}},
    ],
    ids=lambda header: next(iter(header)),
)
def test_a_header_of_the_contract_does_not_break_the_answer(serving: Serving, header: Json) -> None:
    """Framing is the server's, and a line break cannot be in a header."""
    client = serving({"/things": {"get": operation({"200": described(THING, headers=header)})}})

    reply = client.call("GET", "/things")

    assert reply.status in {200, 500}
    assert "transfer-encoding" not in reply.headers
    assert not any("\n" in value for value in reply.headers.values())


def test_the_added_member_is_named_by_the_schema_of_its_own_status(serving: Serving) -> None:
    """Where 200 and 201 have different bodies, the 201 has the identifier."""
    paths = item_paths(NUMBERED)
    paths["/things"]["post"] = operation({"200": described(closed("other")), "201": described(NUMBERED)}, NUMBERED)
    client = serving(paths)

    reply = client.call("POST", "/things", {"name": "x"})

    assert reply.status == 201
    assert reply.headers["location"].endswith(f"/things/{reply.json['id']}")


# Adding, putting, reading back.


def test_paths_that_end_with_a_slash_are_collections_too(serving: Serving) -> None:
    """The Location of what was added leads to it, and what was never added is not there."""
    paths = item_paths(THING)
    client = serving({f"{path}/": operations for path, operations in paths.items()})

    made = client.call("POST", "/things/", {"name": "x"})

    assert client.follow(made).status == 200
    assert client.status("GET", "/things/99/") == 404


def test_a_member_whose_path_has_an_ending_is_found(serving: Serving) -> None:
    """The Location has the form of the member's path."""
    paths = item_paths(THING)
    paths["/things/{id}.json"] = paths.pop("/things/{id}")
    client = serving(paths)

    made = client.call("POST", "/things", {"name": "x"})

    assert client.follow(made).json["name"] == "x"


def test_what_lies_beside_the_members_is_none_of_them(serving: Serving) -> None:
    """A fixed path below a collection has a document of its own."""
    paths = item_paths(THING)
    settings = {"type": "object"}
    paths["/things/settings"] = {
        "put": operation(DONE, settings),
        "get": operation({"200": described(settings)}),
    }
    client = serving(paths)
    client.call("PUT", "/things/1", {"name": "x"})
    client.call("PUT", "/things/settings", {"colour": "red"})

    assert [one.get("name") for one in client.call("GET", "/things").json] == ["x"]


@pytest.mark.parametrize("sent", [None, "not a number"])
def test_an_identifier_that_cannot_be_one_gives_way(serving: Serving, sent: str | None) -> None:
    """Body, Location and list say the same."""
    schema = {"type": "object", "properties": {"id": {"type": "string", "nullable": True}}}
    client = serving(item_paths(schema, parameter("id", schema={"type": "integer"})))

    reply = client.call("POST", "/things", {"id": sent})

    assert reply.headers["location"].endswith(f"/things/{reply.json['id']}")
    assert client.call("GET", "/things").json == [reply.json]


def test_what_belongs_to_a_user_is_not_called_like_the_user(serving: Serving) -> None:
    """Two orders of one user have no identifier, or two."""
    orders = {
        "parameters": [parameter("userId")],
        "get": operation({"200": described(listed(THING))}),
        "post": operation({"201": described(THING)}, THING),
    }
    client = serving({"/users/{userId}/orders": orders})

    made = [client.call("POST", "/users/77/orders", {"name": "x"}).json for _ in range(2)]

    assert "77" not in [one.get("id") for one in made]


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/customers/{customerNumber}/address", {"number": "12B"}), ("/users/{userId}/profile", {"id": "own"})],
)
def test_what_is_put_below_an_item_keeps_its_own_members(serving: Serving, path: str, sent: Json) -> None:
    """A house number is not the customer's number, though their names end alike."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in sent}}
    name = path.partition("{")[2].partition("}")[0]
    client = serving(
        {
            path: {
                "parameters": [parameter(name)],
                "get": operation({"200": described(schema)}),
                "put": operation({"200": described(schema)}, schema),
            }
        }
    )
    called = path.replace(f"{{{name}}}", "77")

    assert client.call("PUT", called, sent).json == sent
    assert client.call("GET", called).json == sent


def test_links_and_totals_of_the_client_are_kept(serving: Serving) -> None:
    """A PUT replaces and a GET reads back, also a member called href."""
    schema = {"type": "object", "properties": {"href": {"type": "string"}, "total": {"type": "integer"}}}
    sent = {"href": "https://example.org/", "total": 50}
    client = serving(item_paths(schema))

    client.call("PUT", "/things/1", sent)

    assert client.call("GET", "/things/1").json == sent


@pytest.mark.parametrize("identifier", ["x" * 1_200, "..", "."])
def test_an_identifier_that_no_path_can_have_is_not_given(serving: Serving, identifier: str) -> None:
    """It is refused, or another one is made; a Location always leads to what was added."""
    client = serving(item_paths(THING))

    reply = client.call("POST", "/things", {"id": identifier})

    assert reply.status == 400 or not reply.headers["location"].endswith(f"/{identifier}")


def test_nothing_put_in_the_place_of_a_collection_empties_it(serving: Serving) -> None:
    """A body that may be null is no fault of the mock."""
    schema = {"type": "object", "nullable": True, "properties": {"items": listed(THING)}}
    client = serving(
        {
            "/things": {
                "get": operation({"200": described(schema)}),
                "put": operation(DONE, schema),
            },
            "/things/{id}": {"parameters": [parameter("id")], "get": operation({"200": described(THING)})},
        }
    )

    assert client.status("PUT", "/things", "null") == 204
    assert client.call("GET", "/things").json["items"] == []


def test_a_refused_list_leaves_the_one_before(serving: Serving) -> None:
    """Two members of one identifier are a conflict, and nothing of the list is stored."""
    schema = {"type": "object", "properties": {"items": listed(THING)}}
    client = serving(
        {
            "/things": {
                "get": operation({"200": described(schema)}),
                "put": operation({"200": described(schema)}, schema),
            },
            "/things/{id}": {"parameters": [parameter("id")], "get": operation({"200": described(THING)})},
        }
    )
    client.call("PUT", "/things", {"items": [{"id": "a"}, {"id": "b"}]})

    refused = client.status("PUT", "/things", {"items": [{"id": "c"}, {"id": "c"}]})

    assert refused == 409
    assert [one["id"] for one in client.call("GET", "/things").json["items"]] == ["a", "b"]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_a_change_that_cannot_be_answered_is_not_made(serving: Serving, method: str) -> None:
    """After our 500 the world is what it was before."""
    paths = item_paths(THING)
    client = serving(paths)
    client.call("PUT", "/things/1", {"name": "before"})
    impossible = {"200": described({"type": "object", "required": ["x"], "properties": {"x": {"not": {}}}})}
    where = "/things" if method == "POST" else "/things/{id}"
    paths[where][method.lower()] = paths[where][method.lower()] | {"responses": impossible}
    state = client.state()
    attacked = serving(paths)
    attacked.caller.call("PUT", "/_mock/worlds/default/state", json.dumps(state).encode(), {"content-type": JSON})
    before = attacked.state()

    reply = attacked.call(method, where.replace("{id}", "1"), None if method == "DELETE" else {"name": "after"})

    assert reply.status == 500
    assert attacked.state() == before


def test_a_user_with_a_list_is_no_collection(serving: Serving) -> None:
    """A list among other members is what the client put, though there are paths below."""
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "roles": listed({"type": "string"})}}
    client = serving(
        {
            "/users/{userId}": {
                "parameters": [parameter("userId")],
                "get": operation({"200": described(schema)}),
                "put": operation({"200": described(schema)}, schema),
                "delete": operation(DONE),
            },
            "/users/{userId}/{section}": {
                "parameters": [parameter("userId"), parameter("section")],
                "get": operation({"200": described(THING)}),
                "put": operation({"200": described(THING)}, THING),
            },
        }
    )
    before = client.status("GET", "/users/1")
    client.call("PUT", "/users/1", {"roles": ["a"]})
    below = client.status("PUT", "/users/1/preferences", {"name": "p"})
    client.call("PUT", "/users/1", {"name": "x"})

    assert (before, below) == (404, 200)
    assert client.call("GET", "/users/1").json == {"name": "x"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/octet-stream"])
def test_whatever_was_added_can_be_listed(serving: Serving, media_type: str) -> None:
    """A body that is no object does not spoil the collection that it was added to."""
    paths = item_paths(closed("name"))
    paths["/things"]["post"] = operation({"201": described(closed("name"))}, {"type": "string"}, media_type)
    client = serving(paths)

    client.call("POST", "/things", "something", {"content-type": media_type})

    assert client.status("GET", "/things") == 200


@pytest.mark.parametrize("media_type", ["multipart/form-data", "application/xml", "application/octet-stream"])
def test_what_was_put_is_there_in_whatever_media_type(serving: Serving, media_type: str) -> None:
    """A PUT that succeeded is not followed by a 404."""
    client = serving(
        {
            "/things/{id}": {
                "parameters": [parameter("id")],
                "get": operation({"200": described({"type": "string"}, media_type)}),
                "put": operation(DONE, {"type": "string"}, media_type),
            }
        }
    )

    put = client.status("PUT", "/things/1", "<a/>", headers={"content-type": f"{media_type}; boundary=a"})

    assert (put, client.status("GET", "/things/1")) == (204, 200)


@pytest.mark.parametrize("body", [{"name": "nobody"}, {"ssin": "123"}, {"ssin": "65111899998"}])
def test_a_person_that_the_body_does_not_name_is_the_clients_fault(serving: Serving, body: Json) -> None:
    """400 with an issue on the member that should hold the SSIN."""
    person = {"type": "object", "properties": {"ssin": {"type": "string"}, "name": {"type": "string"}}}
    people = f"/employers/{OWN}/employees"
    client = serving(
        {
            "/employers/{employerId}/employees": {
                "parameters": [parameter("employerId")],
                "get": operation({"200": described(listed(person))}),
                "post": operation({"201": described(person)}, person),
            },
            "/employers/{employerId}/employees/{ssin}": {
                "parameters": [parameter("employerId"), parameter("ssin")],
                "get": operation({"200": described(person)}),
            },
        }
    )

    reply = client.call("POST", people, body)

    assert reply.status == 400
    assert [issue["name"] for issue in reply.json["issues"]] == ["ssin"]
    assert client.status("POST", people, {"ssin": SSIN}) == 201


def test_a_member_has_an_identifier_however_many_documents_there_are_elsewhere(serving: Serving) -> None:
    """Identifiers of few digits are counted by their collection."""
    paths = item_paths(NUMBERED, parameter("id", schema={"type": "integer", "maximum": 3}))
    paths |= {path.replace("things", "others"): operations for path, operations in item_paths(THING).items()}
    client = serving(paths)
    for _ in range(4):
        client.call("POST", "/others", {})

    assert client.status("POST", "/things", {}) == 201


def test_a_patch_without_its_optional_body_is_no_fault_of_the_mock(serving: Serving) -> None:
    """It changes nothing, or is refused; nothing that is readable has to be there."""
    patch = {"requestBody": {"content": {JSON: {"schema": {"type": "object"}}}}, "responses": DONE}
    client = serving({"/things/{id}": {"parameters": [parameter("id")], "patch": patch}})

    assert client.status("PATCH", "/things/1") in {204, 400}


def test_a_head_has_a_status_of_its_own(serving: Serving) -> None:
    """What the contract says of HEAD counts, also where it has a GET that answers otherwise."""
    paths = item_paths(THING)
    paths["/things/{id}"]["head"] = operation({"204": described(), "404": described()})
    client = serving(paths)
    client.call("PUT", "/things/1", {"name": "x"})

    assert [client.status("HEAD", f"/things/{one}") for one in (1, 2)] == [204, 404]


def test_a_list_can_be_put_where_no_list_is_read(serving: Serving) -> None:
    """What a GET tells about a collection need not be its members."""
    summary = {"type": "object", "properties": {"count": {"type": "integer"}}}
    client = serving(
        {
            "/things": {
                "get": operation({"200": described(summary)}),
                "put": operation({"200": described({"type": "number"})}, listed(THING)),
            },
            "/things/{id}": {"parameters": [parameter("id")], "get": operation({"200": described(THING)})},
        }
    )

    assert client.status("PUT", "/things", [{"name": "x"}]) == 200


@pytest.mark.parametrize(
    ("pet", "names"),
    [
        ({"kind": "cat", "lives": 9}, None),
        ({"kind": "Cat", "lives": 9}, None),
        ({"kind": "dog"}, None),
        ({"kind": "cat"}, ["lives"]),
        ({"kind": "cat", "lives": "nine"}, ["lives"]),
        ({"kind": "bird"}, ["kind"]),
    ],
)
def test_a_discriminator_decides_which_alternative_counts(serving: Serving, pet: Json, names: list[str] | None) -> None:
    """What its mapping names has to hold, or the schema of that name, though an open alternative would let all pass."""
    base = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    cat = {"type": "object", "required": ["lives"], "properties": {"lives": {"type": "integer"}}}
    dog = {"type": "object", "properties": {"bark": {"type": "string"}}}
    schemas = {"Cat": {"allOf": [base, cat]}, "Dog": {"allOf": [base, dog]}}
    mapping = {name.lower(): f"#/components/schemas/{name}" for name in schemas}
    either = {
        "oneOf": [{"$ref": target} for target in mapping.values()],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    client = serving({"/pets": {"post": operation(DONE, either)}}, components={"schemas": schemas})

    reply = client.call("POST", "/pets", pet)

    assert reply.status == (204 if names is None else 400)
    assert names is None or [issue["name"] for issue in reply.json["issues"]] == names


@pytest.mark.parametrize("written", [SSIN, "65.11.18-999.97"])
def test_the_number_of_a_person_is_never_repeated(serving: Serving, written: str) -> None:
    """Neither from a body nor from a parameter that nobody recognises."""
    choice = {"type": "string", "enum": ["a"]}
    client = serving(
        {
            "/things": {
                "get": operation(DONE, parameters=[parameter("someone", "query", choice)]),
                "post": operation(DONE, {"type": "object", "properties": {"someone": choice}}),
            }
        }
    )

    replies = [
        client.call("GET", f"/things?someone={written}"),
        client.call("POST", "/things", {"someone": written}),
    ]

    assert [reply.status for reply in replies] == [400, 400]
    assert not [reply for reply in replies if written.encode() in reply.body]


def test_a_400_tells_everything_that_was_sent_wrongly(serving: Serving) -> None:
    """Query, header and body are judged together; only what is needed for access comes before."""
    header = parameter("X-Kind", "header", {"type": "string", "enum": ["a"]})
    put = operation(DONE, {"type": "object", "required": ["name"]}, parameters=[header])
    client = serving({"/things": {"put": put}})

    reply = client.call("PUT", "/things?colour=red", {}, headers={"x-kind": "b"})

    assert reply.status == 400
    assert [(issue["in"], issue["name"]) for issue in reply.json["issues"]] == [
        ("header", "X-Kind"),
        ("query", "colour"),
        ("body", "name"),
    ]


def test_a_put_on_a_collection_is_for_the_member_that_it_names(serving: Serving) -> None:
    """As in a well-known shop of pets, where the path of the PUT has no identifier."""
    pet = {
        "type": "object",
        "required": ["name"],
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
    }
    client = serving(
        {
            "/pet": {
                "post": operation({"200": described(pet)}, pet),
                "put": operation({"200": described(pet)}, pet),
            },
            "/pet/{petId}": {
                "parameters": [parameter("petId", schema={"type": "integer"})],
                "get": operation({"200": described(pet)}),
                "delete": operation(DONE),
            },
        }
    )
    client.call("POST", "/pet", {"id": 10, "name": "Rex"})

    put = client.call("PUT", "/pet", {"id": 10, "name": "Max"})

    assert (put.status, put.json) == (200, {"id": 10, "name": "Max"})
    assert client.call("GET", "/pet/10").json == {"id": 10, "name": "Max"}
    assert [client.status("DELETE", "/pet/10"), client.status("GET", "/pet/10")] == [204, 404]


def test_a_refusal_of_another_form_tells_what_is_wrong(serving: Serving) -> None:
    """Where the contract has no room for issues, the text says where and what."""
    wrong = {
        "type": "object",
        "additionalProperties": False,
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    }
    answers = DONE | {"400": described(wrong)}
    client = serving({"/things": {"put": operation(answers, {"type": "object", "required": ["name"]})}})

    reply = client.call("PUT", "/things", {})

    assert reply.json["code"] == 400
    assert "name: this member is required" in reply.json["message"]


def test_a_list_without_a_schema_of_its_members_says_whose_they_are(serving: Serving) -> None:
    """The path decides, whatever was put there."""
    free = {"type": "object"}
    client = serving(
        {
            "/employers": {"get": operation({"200": described(listed(free))})},
            "/employers/{enterpriseNumber}": {
                "parameters": [parameter("enterpriseNumber")],
                "get": operation({"200": described(free)}),
                "put": operation({"200": described(free)}, free),
            },
        }
    )
    client.call("PUT", f"/employers/{OWN}", {"enterpriseNumber": OTHER, "name": "q"})

    assert client.call("GET", "/employers").json == [{"enterpriseNumber": OWN, "name": "q"}]


# What was stored can be exported and loaded again.


@pytest.mark.parametrize(
    ("paths", "method", "path", "body"),
    [
        (
            {
                "/things": {
                    "get": operation({"200": described(listed(THING))}),
                    "post": operation({"201": described(THING)}, THING),
                }
            },
            "POST",
            "/things",
            {"name": "x"},
        ),
        (
            {
                "/things/{id}": {
                    "parameters": [parameter("id")],
                    "get": operation({"200": described(THING)}),
                    "put": {"requestBody": {"content": {JSON: {"schema": THING}}}, "responses": DONE},
                }
            },
            "PUT",
            "/things/1",
            None,
        ),
        (item_paths(THING), "PUT", "/things/1", {"name": "x"}),
        (item_paths(THING), "POST", "/things", {"name": "x"}),
        ({f"{path}/": operations for path, operations in item_paths(THING).items()}, "POST", "/things/", {}),
    ],
    ids=["no member's path", "no body", "put", "added", "slashes"],
)
def test_what_was_stored_can_be_loaded(serving: Serving, paths: Json, method: str, path: str, body: Any) -> None:
    """A world that is made of an exported one is refused for nothing that the mock took itself."""
    client = serving(paths)
    assert client.status(method, path, body) < 300

    made = json.dumps({"name": "copy", "state": client.state()}).encode()

    assert client.caller.call("POST", "/_mock/worlds", made, {"content-type": JSON}).status == 201


@pytest.mark.parametrize("query", ["", f"?enterpriseNumber={OWN}", f"?enterpriseNumber={OWN}&enterpriseNumber={OWN}"])
def test_what_is_kept_apart_can_be_loaded(serving: Serving, query: str) -> None:
    """A number in the query, none and several: the exported world is one that can be made again."""
    client = serving(guarded(parameter("enterpriseNumber", "query", listed({"type": "string"}))))
    assert client.status("PUT", f"/declarations/1{query}", {"name": "x"}) == 200

    made = json.dumps({"name": "copy", "state": client.state()}).encode()

    assert client.caller.call("POST", "/_mock/worlds", made, {"content-type": JSON}).status == 201


def test_removing_what_is_above_leaves_what_others_keep_below(serving: Serving) -> None:
    """A path without a number is open to any token, and reaches no document of an employer for all that."""
    note = {"type": "object", "properties": {"name": {"type": "string"}}}
    region = {"parameters": [parameter("region")], "put": operation(DONE, note), "delete": operation(DONE)}
    employer = {
        "parameters": [parameter("region"), parameter("enterpriseNumber")],
        "get": operation({"200": described(note)}),
        "put": operation(DONE, note),
    }
    client = serving({"/regions/{region}": region, "/regions/{region}/employers/{enterpriseNumber}": employer})
    client.call("PUT", "/regions/r", {})
    client.call("PUT", f"/regions/r/employers/{OWN}", {"name": "mine"})

    client.call("DELETE", "/regions/r", account="stranger")
    client.call("PUT", "/regions/r", {})

    assert client.call("GET", f"/regions/r/employers/{OWN}").json.get("name") == "mine"


# Paging.


@pytest.mark.parametrize(
    ("query", "names"), [("page=99999999999999&size=2", []), ("size=0", []), ("size=2", ["0", "1"])]
)
def test_a_stretch_is_what_was_asked_for(serving: Serving, query: str, names: list[str]) -> None:
    """Pages far away are empty, and a size of none has none."""
    paths = item_paths(THING)
    sizes = [parameter(name, "query", {"type": "integer", "minimum": 0}) for name in ("page", "size")]
    paths["/things"]["get"]["parameters"] = sizes
    client = serving(paths)
    for number in range(3):
        client.call("POST", "/things", {"name": str(number)})

    assert [one["name"] for one in client.call("GET", f"/things?{query}").json] == names


# Scopes.


def test_scopes_that_are_optional_are_not_asked_for(serving: Serving) -> None:
    """An alternative without scopes is open to every token of the service."""
    flows = {"clientCredentials": {"tokenUrl": "https://host.example/token", "scopes": {"a": "A.", "b": "B."}}}
    get = operation({"200": described(THING)})
    client = serving(
        {
            "/optional": {"get": get | {"security": [{}, {"o": ["a"]}]}},
            "/both": {"get": get | {"security": [{"o": ["a", "b"]}]}},
        },
        components={"securitySchemes": {"o": {"type": "oauth2", "flows": flows}}},
    )
    token = client.caller.token("own", scope="b")
    headers = {"authorization": f"Bearer {token}"}

    assert client.status("GET", "/optional", headers=headers) == 200
    assert client.status("GET", "/both", headers=headers) == 403
