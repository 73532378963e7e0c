"""The employers' API over the wire: the gateway's decisions in their order, validation, and what is kept."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Starter
from tests.support import Caller, Reply

BASE = "/REST/careerpro-federal-learning-account/v1"
EMPLOYER, SSIN = "1999000150", "65111899997"
JSON = {"content-type": "application/json"}


def path(employer: str = EMPLOYER, ssin: str = SSIN, year: str = "2025") -> str:
    """Return the path of a year's trainings."""
    return f"{BASE}/employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"


TRAINING: dict[str, Any] = {
    "name": "Brandbestrijding à la carte: théorie, größe, €",
    "startDate": "2025-03-01",
    "endDate": "2025-03-02",
    "duration": {"value": 7.5, "unit": "hours"},
    "type": "formal",
    "status": "followed",
    "certificate": {"obtained": True, "validUntil": "2030-03-02"},
    "countsForIndividualRight": True,
}


def send(
    caller: Caller,
    body: object = None,
    *,
    method: str = "PUT",
    where: str | None = None,
    headers: dict[str, str] | None = None,
    raw: bytes | None = None,
) -> Reply:
    """Send trainings as their employer: one good training, unless told otherwise."""
    token = caller.token()
    document = {"items": [TRAINING]} if body is None else body
    data = json.dumps(document, ensure_ascii=False).encode() if raw is None else raw
    sent = {"authorization": f"Bearer {token}"} | JSON | (headers or {})
    return caller.call(method, where or path(), data if method == "PUT" else b"", sent)


def test_what_was_put_is_answered_and_read_back(caller: Caller) -> None:
    """Both methods answer with the items as they came, their own URL and the total."""
    put = send(caller)
    got = send(caller, method="GET")

    expected = {"items": [TRAINING], "self": f"http://127.0.0.1:8425{path()}", "total": 1}
    assert (200, expected) == (put.status, put.json)
    assert put.body == got.body
    assert put.headers["content-type"] == "application/json"
    assert "à la carte: théorie, größe, €".encode() in put.body


def test_a_put_replaces_the_whole_year(caller: Caller) -> None:
    """Nothing of the former list is left; an empty list empties the year."""
    send(caller, {"items": [TRAINING, TRAINING | {"name": "Second"}]})
    send(caller, {"items": [TRAINING | {"name": "Third"}]})
    after = send(caller, method="GET").json
    send(caller, {"items": []})

    assert (after["total"], after["items"][0]["name"]) == (1, "Third")
    assert send(caller, method="GET").json["items"] == []


def test_a_put_is_idempotent(caller: Caller) -> None:
    """The same list sent twice is answered and kept alike."""
    assert send(caller).body == send(caller).body


def test_a_year_without_trainings_is_an_empty_list(caller: Caller) -> None:
    """Belgif answers an existing empty collection with 200."""
    reply = send(caller, method="GET")

    assert (reply.status, reply.json["items"], reply.json["total"]) == (200, [], 0)


@pytest.mark.parametrize(
    "other", [path(year="2024"), path(ssin="62010199986")], ids=["another year", "another employee"]
)
def test_years_and_employees_are_kept_apart(caller: Caller, other: str) -> None:
    """What is put for one is not read for another."""
    send(caller)

    assert send(caller, method="GET", where=other).json["items"] == []


def test_a_refused_list_changes_nothing(caller: Caller) -> None:
    """One bad training refuses the whole list, and what was there stays."""
    send(caller)
    refused = send(caller, {"items": [TRAINING | {"name": "New"}, {}]})

    assert (refused.status, send(caller, method="GET").json["items"]) == (400, [TRAINING])


def test_nine_digits_are_the_number_without_its_zero(started: Starter) -> None:
    """The guide's own example drops the leading zero: both spellings are one employer, answered with ten digits."""
    more = (
        '[[enterprises]]\nnumber = "0880820673"\nname = "Guide"\ncapacities = ["employer"]\n'
        '[[accounts]]\nname = "g"\nclient_id = "g"\nenterprise = "0880820673"\ncapacity = "employer"\n'
        'permissions = ["fla"]\n[[accounts.certificates]]\nfile = "rsa-2048.cer"\n'
    )
    caller = started(more)
    headers = {"authorization": f"Bearer {caller.token('g')}"} | JSON
    body = json.dumps({"items": [TRAINING | {"startDate": "2023-03-01", "endDate": "2023-03-02"}]}).encode()

    put = caller.call("PUT", path("880820673", year="2023"), body, headers)
    got = caller.call("GET", path("0880820673", year="2023"), headers=headers)

    assert [put.status, got.status] == [200, 200]
    assert put.body == got.body
    assert put.json["self"].endswith(path("0880820673", year="2023"))


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return a good list with one thing changed in its training."""
    training = copy.deepcopy(TRAINING)
    change(training)
    return {"items": [training]}


SCHEMA, UNKNOWN = "belgif:input-validation:schemaViolation", "belgif:input-validation:unknownInput"

BODY_CASES: dict[str, tuple[object, str, str]] = {
    "an array at the top": ([], "", SCHEMA),
    "no items": ({}, "items", SCHEMA),
    "items that are no list": ({"items": {}}, "items", SCHEMA),
    "null": ({"items": None}, "items", SCHEMA),
    "an unknown member at the top": ({"items": [], "total": 0}, "total", UNKNOWN),
    "an unknown member of a training": (changed(lambda t: t.update(extra=1)), "items[0].extra", UNKNOWN),
    "an unknown member deep inside": (
        changed(lambda t: t["duration"].update(extra=1)),
        "items[0].duration.extra",
        UNKNOWN,
    ),
    "no name": (changed(lambda t: t.pop("name")), "items[0].name", SCHEMA),
    "an empty name": (changed(lambda t: t.update(name="")), "items[0].name", SCHEMA),
    "a date that is none": (changed(lambda t: t.update(startDate="2025-02-30")), "items[0].startDate", SCHEMA),
    "a date with time": (changed(lambda t: t.update(startDate="2025-02-01T00:00:00Z")), "items[0].startDate", SCHEMA),
    "a duration of nothing": (changed(lambda t: t["duration"].update(value=0)), "items[0].duration.value", SCHEMA),
    "a duration as text": (changed(lambda t: t["duration"].update(value="7")), "items[0].duration.value", SCHEMA),
    "an unknown unit": (changed(lambda t: t["duration"].update(unit="weeks")), "items[0].duration.unit", SCHEMA),
    "an unknown type": (changed(lambda t: t.update(type="other")), "items[0].type", SCHEMA),
    "no answer about the certificate": (
        changed(lambda t: t["certificate"].pop("obtained")),
        "items[0].certificate.obtained",
        SCHEMA,
    ),
}


@pytest.mark.parametrize("name", BODY_CASES)
def test_a_body_that_breaks_the_contract_is_refused_with_its_place(caller: Caller, name: str) -> None:
    """The one issue says where, in Belgif's notation, and of which type; never 422, never FastAPI's own body."""
    body, place, kind = BODY_CASES[name]

    reply = send(caller, body)

    assert (reply.status, reply.json["type"]) == (400, "urn:problem-type:belgif:badRequest")
    issues = [issue for issue in reply.json["issues"] if issue["name"] == place]
    assert f"urn:problem-type:{kind}" == issues[0]["type"]
    assert issues[0]["in"] == "body"
    assert issues[0]["detail"]
    assert caller.refused_by == "API-BODY-2"


def test_every_issue_is_listed(caller: Caller) -> None:
    """A client that makes five mistakes is told of five."""
    reply = send(caller, {"items": [{"name": 1, "x": 1}, TRAINING, {"y": 1}], "z": 1})

    names = {issue["name"] for issue in reply.json["issues"]}
    assert {"items[0].name", "items[0].x", "items[2].y", "z", "items[0].startDate"} <= names
    assert not any(name.startswith("items[1]") for name in names)


def test_issues_are_told_wherever_they_lie_in_a_long_list(caller: Caller) -> None:
    """One bad training among a thousand is found, and named by its place."""
    trainings = [dict(TRAINING) for _ in range(1_000)]
    trainings[7]["type"] = "other"
    trainings[733]["type"] = "other"

    reply = send(caller, {"items": trainings})

    assert [issue["name"] for issue in reply.json["issues"]] == ["items[7].type", "items[733].type"]


def test_the_issues_of_a_hopeless_body_are_bounded(caller: Caller) -> None:
    """Nobody mends a hundred thousand faults at once."""
    replies = [send(caller, {"items": [{}] * 20_000}), send(caller, {f"x{number}": 1 for number in range(20_000)})]

    assert [(reply.status, len(reply.json["issues"])) for reply in replies] == [(400, 100), (400, 100)]


RAW_CASES = {
    "no body": b"",
    "not JSON": b"items=[]",
    "cut JSON": b'{"items":[',
    "a member twice": b'{"items":[],"items":[]}',
    "NaN": b'{"items":[NaN]}',
    "a number beyond a double": b'{"items":[1e999]}',
    "not UTF-8": b'{"items":["\xff"]}',
    "a byte order mark": b'\xef\xbb\xbf{"items":[]}',
    "half a surrogate": b'{"items":["\\ud800"]}',
    "a nesting bomb": b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many quotes in an unclosed string": b"[" * 40 + b'\\"' * 200_000,
}


@pytest.mark.parametrize("name", RAW_CASES)
def test_a_body_that_is_not_json_is_refused(caller: Caller, name: str) -> None:
    """What could mean two things, or fell over later, is 400 with one issue on the whole body."""
    reply = send(caller, raw=RAW_CASES[name])

    assert (reply.status, caller.refused_by) == (400, "API-BODY-1")
    (issue,) = reply.json["issues"]
    assert ("body", f"urn:problem-type:{SCHEMA}") == (issue["in"], issue["type"])


MEDIA_TYPES = {
    "none": {"content-type": ""},
    "another": {"content-type": "text/plain"},
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "another charset": {"content-type": "application/json; charset=iso-8859-1"},
    "compressed": {"content-encoding": "gzip"},
}


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_another_media_type_is_not_supported(caller: Caller, name: str) -> None:
    """Anything but JSON in UTF-8, as it is, is 415."""
    reply = send(caller, headers=MEDIA_TYPES[name])

    assert (reply.status, reply.json["title"]) == (415, "Unsupported Media Type")
    assert reply.headers["content-type"] == "application/problem+json"
    assert caller.refused_by == "GW-MEDIA-1"


@pytest.mark.parametrize("content_type", ["application/json;charset=utf-8", 'Application/JSON; Charset="UTF-8"'])
def test_json_in_utf8_may_say_so(caller: Caller, content_type: str) -> None:
    """The media type is compared without case, and its charset may be named."""
    assert send(caller, headers={"content-type": content_type}).status == 200


PATH_CASES = {
    "a wrong check digit of the enterprise": (path(employer="1999000151"), "enterpriseNumber", "invalidStructure"),
    "an enterprise number with dots": (path(employer="1999.000.150"), "enterpriseNumber", "schemaViolation"),
    "an enterprise number of eleven digits": (path(employer="11999000150"), "enterpriseNumber", "schemaViolation"),
    "an encoded slash": (path(employer="1999%2F00150"), "enterpriseNumber", "schemaViolation"),
    "digits of another script": (path(employer="%D9%A1999000150"), "enterpriseNumber", "schemaViolation"),
    "a wrong check digit of the SSIN": (path(ssin="65111899998"), "ssin", "invalidStructure"),
    "an SSIN with dashes": (path(ssin="651118-999-97"), "ssin", "schemaViolation"),
    "a year in words": (path(year="now"), "year", "schemaViolation"),
    "a year with a sign": (path(year="+2025"), "year", "schemaViolation"),
    "a year with a leading zero": (path(year="02025"), "year", "schemaViolation"),
    "a year of 5000 digits": (path(year="2" * 5000), "year", "schemaViolation"),
    "a year before the account existed": (path(year="2022"), "year", "schemaViolation"),
}


@pytest.mark.parametrize("name", PATH_CASES)
def test_a_path_parameter_that_breaks_the_contract_is_refused(caller: Caller, name: str) -> None:
    """A malformed identifier in the path is 400 with an issue; an SSIN is never repeated in it."""
    where, parameter, kind = PATH_CASES[name]

    reply = send(caller, method="GET", where=where)

    assert (reply.status, caller.refused_by) == (400, "API-PARAM-1")
    (issue,) = reply.json["issues"]
    assert ("path", parameter, kind) == (issue["in"], issue["name"], issue["type"].rpartition(":")[2])
    if parameter == "ssin":
        assert "value" not in issue


def test_unknown_query_parameters_are_refused(caller: Caller) -> None:
    """The contract names none, and Belgif asks to refuse what it does not name."""
    reply = send(caller, method="GET", where=f"{path()}?page=2&sort=x")

    assert (reply.status, [issue["name"] for issue in reply.json["issues"]]) == (400, ["page", "sort"])
    assert {f"urn:problem-type:{UNKNOWN}"} == {issue["type"] for issue in reply.json["issues"]}


def test_a_trace_id_that_is_too_long_is_an_issue_of_the_header(caller: Caller) -> None:
    """A header that the contract names is validated by it; any other header is let be."""
    reply = send(caller, headers={"belgov-trace-id": "x" * 37, "x-other": "x"})

    assert (reply.status, reply.json["issues"][0]["in"]) == (400, "header")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "put"])
def test_a_method_that_the_path_does_not_have_is_405(caller: Caller, method: str) -> None:
    """The answer names the methods that it has, and needs no token."""
    reply = caller.call(method, path())

    assert (reply.status, reply.headers["allow"], caller.refused_by) == (405, "GET, PUT", "GW-METHOD-1")
    assert reply.headers["content-type"] == "application/problem+json"


UNKNOWN_PATHS = [
    "/",
    "/nothing",
    BASE,
    f"{BASE}/",
    f"{BASE}/employers",
    f"{path()}/",
    f"{path()}/1",
    path().replace("/employers/", "/Employers/"),
    path(employer=""),
    "//REST",
    "/REST/oauth/v5/token/",
    "/REST/oauth/v4/token",
    "/docs",
    "/openapi.json",
]


@pytest.mark.parametrize("where", UNKNOWN_PATHS)
def test_a_path_that_nothing_has_is_404(caller: Caller, where: str) -> None:
    """An unknown path is a problem like any other, and nothing is redirected."""
    reply = caller.call("GET", where)

    assert (reply.status, reply.json["type"]) == (404, "urn:problem-type:belgif:resourceNotFound")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["belgov-trace-id"]
    assert caller.refused_by == "GW-ROUTE-1"


def test_decisions_are_made_in_their_order(caller: Caller) -> None:
    """With everything wrong at once, mending one fault after another shows the gateway's order."""
    good = {"authorization": f"Bearer {caller.token()}"}
    narrow = {"authorization": f"Bearer {caller.token('employer_dimona')}"}
    bad_body = b'{"items":1}'

    def status(method: str, where: str, headers: dict[str, str], body: bytes = bad_body) -> int:
        return caller.call(method, where, body, headers).status

    assert [
        status("POST", f"{BASE}/x", {}),
        status("POST", path("x"), {}),
        status("PUT", path("x"), {}),
        status("PUT", path("x"), narrow),
        status("PUT", path("x"), good),
        status("PUT", path("1999000447"), good),
        status("PUT", path(), good),
        status("PUT", path(), good | JSON),
        status("PUT", path(), good | JSON, b'{"items":[]}'),
    ] == [404, 405, 401, 403, 400, 403, 415, 400, 200]


@pytest.mark.parametrize("chunks", [1, 9])
def test_a_body_over_the_limit_is_413(started: Starter, chunks: int) -> None:
    """A body of more than the limit is refused, whether its length is said or found out, with the limit in bytes."""
    caller = started(max_body_bytes=2_000)
    headers = {"authorization": f"Bearer {caller.token()}"} | JSON

    reply = caller.call("PUT", path(), b" " * 2_001, headers, chunks=chunks)

    assert (
        reply.status,
        reply.json["type"],
        reply.json["limit"],
    ) == (413, "urn:problem-type:belgif:payloadTooLarge", 2_000)
    assert caller.refused_by == "GW-SIZE-1"


def test_the_base_path_is_a_setting(started: Starter) -> None:
    """An integrator who knows the real name of the API can set it."""
    caller = started(employer_path="/REST/real/v2")
    headers = {"authorization": f"Bearer {caller.token()}"}

    moved = caller.call("GET", path().replace(BASE, "/REST/real/v2"), headers=headers)

    assert [moved.status, caller.call("GET", path(), headers=headers).status] == [200, 404]
    assert caller.mock.urls.employer == "http://127.0.0.1:8425/REST/real/v2"


def test_links_use_the_name_that_was_called_only_if_it_is_ours(caller: Caller) -> None:
    """A foreign Host header does not end up in an answer."""
    headers = {"authorization": f"Bearer {caller.token()}"}

    links = [
        caller.call("GET", path(), headers=headers, host=host).json["self"].removesuffix(path())
        for host in ("localhost:1", "evil.example")
    ]

    assert links == ["http://localhost:1", "http://127.0.0.1:8425"]


def test_health_is_open_to_everyone(caller: Caller) -> None:
    """Belgif's health check needs no token."""
    reply = caller.call("GET", "/health")

    assert (reply.status, reply.json) == (200, {"status": "UP"})
    assert [caller.call(method, "/health").status for method in ("HEAD", "POST")] == [200, 405]
