"""What a fault does to a request: the answer sent instead, the answer spoiled, and what is left to the caller."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.asgi import Answer
from mock_server.gateway.fault_effects import Close, Effect, Malform, MalformEffect, Phase, StatusEffect, halves
from mock_server.gateway.faults import parse

BELGIF = "urn:problem-type:belgif"
CALL = "GET /things/{id}"
API_ANSWER = Answer(
    200, ((b"content-type", b"application/json"), (b"belgov-trace-id", b"x")), b'{"items":[{"a":"\xc3\xa9"}],"total":1}'
)
PROBLEM = Answer(404, ((b"content-type", b"application/problem+json"),), b'{"type":"about:blank","status":404}')
EMPTY = Answer(204, (), b"")
TEXT = Answer(200, ((b"content-type", b"text/plain"),), b"hello")
TOKEN_HEADERS = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
TOKEN_ANSWER = Answer(
    200, TOKEN_HEADERS, b'{"access_token":"a.b.c","scope":"s t","token_type":"Bearer","expires_in":300}'
)
REFUSAL = Answer(400, TOKEN_HEADERS, b'{"error":"invalid_scope","error_description":"x"}')


def effect(**do: Any) -> Effect:
    """Return an effect from its members."""
    return parse({"do": do}).effect


def sent(do: dict[str, Any], operation: str) -> tuple[Answer, dict[str, str], Any]:
    """Return what is sent instead: the answer, its headers, its JSON."""
    answer = parse({"do": do}).effect.replacement(operation)
    assert answer is not None
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    assert len(headers) == len(answer.headers)
    return answer, headers, json.loads(answer.body)


TYPES = {
    400: "badRequest",
    401: "invalidAccessToken",
    403: "missingPermission",
    404: "resourceNotFound",
    413: "payloadTooLarge",
    429: "tooManyRequests",
    500: "internalServerError",
    502: "badGateway",
    503: "serviceUnavailable",
}
STATUSES = [*TYPES, 402, 405, 418, 499, 501, 504, 599]


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_of_an_api_is_a_problem(status: int) -> None:
    """Type of Belgif where there is one, about:blank elsewhere; trace id and instance as ever."""
    answer, headers, body = sent({"status": status}, CALL)

    assert (status, status) == (answer.status, body["status"])
    assert f"{BELGIF}:{TYPES[status]}" == body["type"] if status in TYPES else body["type"] == "about:blank"
    assert ("href" in body) is (status in TYPES)
    assert headers["content-type"] == "application/problem+json"
    assert f"urn:uuid:{headers['belgov-trace-id']}" == body["instance"]
    assert body["title"]
    assert body["detail"]
    assert "issues" not in body
    assert ("www-authenticate" in headers) is (status == 401)
    assert ("allow" in headers) is (status == 405)


def test_a_status_without_a_type_has_its_own_phrase_as_title() -> None:
    """As RFC 9457 §4.2.1 says; a status that nobody has assigned has none."""
    assert sent({"status": 504}, CALL)[2]["title"] == "Gateway Timeout"
    assert sent({"status": 599}, CALL)[2]["title"] == "Unassigned Status"


def test_each_error_has_a_trace_id_of_its_own() -> None:
    """The same fault twice is two answers."""
    assert sent({"status": 500}, CALL)[1]["belgov-trace-id"] != sent({"status": 500}, CALL)[1]["belgov-trace-id"]


@pytest.mark.parametrize("operation", ["token", "jwks"])
@pytest.mark.parametrize("status", STATUSES)
def test_an_error_of_the_token_endpoint_has_an_error_member(status: int, operation: str) -> None:
    """JSON that is not to be stored, in the shape and characters of RFC 6749 §5.2."""
    answer, headers, body = sent({"status": status}, operation)

    expected = {401: "invalid_client", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}
    assert status == answer.status
    assert expected.get(status, "server_error" if status >= 500 else "invalid_request") == body["error"]
    assert {"error", "error_description"} == set(body)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
    assert dict(headers, **{"retry-after": ""}) == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "pragma": "no-cache",
        "retry-after": "",
    }


WAITS: dict[str, tuple[dict[str, Any], str | None, dict[str, Any]]] = {
    "503 by itself": ({"status": 503}, "1", {"retryAfterSec": 1}),
    "429 by itself": ({"status": 429}, "1", {"retryAfterSec": 1}),
    "500 by itself": ({"status": 500}, None, {}),
    "500 with a wait": ({"status": 500, "retry_after": 5}, "5", {"retryAfterSec": 5}),
    "503 with a wait": ({"status": 503, "retry_after": 0}, "0", {"retryAfterSec": 0}),
    "503 without a word": ({"status": 503, "retry_after": "none"}, None, {}),
    "429 with a date": (
        {"status": 429, "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"},
        "Wed, 21 Oct 2026 07:28:00 GMT",
        {"retryAfter": "2026-10-21T07:28:00Z"},
    ),
}


@pytest.mark.parametrize("name", WAITS)
def test_an_error_says_when_to_try_again(name: str) -> None:
    """The header and the problem's members say the same; at the token endpoint there is the header alone."""
    do, header, members = WAITS[name]

    _, headers, body = sent(do, CALL)

    assert header == headers.get("retry-after")
    assert members == {key: value for key, value in body.items() if key.startswith("retryAfter")}
    assert header == sent(do, "token")[1].get("retry-after")


# What is left to the caller: phase, delay before, delay in the body, close, expired token.
LEFT: list[tuple[dict[str, Any], tuple[str, float, float, str | None, bool]]] = [
    ({"status": 503}, ("before", 0, 0, None, False)),
    ({"delay": 1.5}, ("after", 1.5, 0, None, False)),
    ({"delay": 1.5, "in": "body"}, ("after", 0, 1.5, None, False)),
    ({"close": "before"}, ("before", 0, 0, "before", False)),
    ({"close": "headers"}, ("after", 0, 0, "headers", False)),
    ({"close": "body"}, ("after", 0, 0, "body", False)),
    ({"close": "after-change"}, ("after", 0, 0, "after-change", False)),
    ({"malform": "json"}, ("after", 0, 0, None, False)),
    ({"malform": "truncate"}, ("after", 0, 0, None, False)),
    ({"malform": "content-type"}, ("after", 0, 0, None, False)),
    ({"token": "expired"}, ("after", 0, 0, None, True)),
    ({"token": "extra-member"}, ("after", 0, 0, None, False)),
    ({"token": "string-expires-in"}, ("after", 0, 0, None, False)),
    ({"token": "invalid-client"}, ("after", 0, 0, None, False)),
]


@pytest.mark.parametrize(("do", "left"), LEFT)
def test_an_effect_says_what_is_left_to_do(
    do: dict[str, Any], left: tuple[str, float, float, str | None, bool]
) -> None:
    """Whether the request is carried out, how long to wait and where, where to close, and which token to issue."""
    one = effect(**do)

    assert left == (one.phase, one.delay_before, one.delay_in_body, one.close, one.token_expired)


@pytest.mark.parametrize(("do", "left"), LEFT)
def test_only_an_error_is_sent_instead(do: dict[str, Any], left: tuple[str, float, float, str | None, bool]) -> None:
    """In the phase before, no answer to send means that none is sent."""
    has_answer = effect(**do).replacement(CALL) is not None

    assert has_answer is ("status" in do)
    assert left[0] == "before" or not has_answer


@pytest.mark.parametrize("answer", [API_ANSWER, PROBLEM, EMPTY, TEXT, TOKEN_ANSWER, REFUSAL])
@pytest.mark.parametrize("do", [do for do, _ in LEFT if not {"malform", "token"} & set(do)])
def test_a_wait_or_an_early_end_leaves_the_answer_as_it_is(do: dict[str, Any], answer: Answer) -> None:
    """And every answer can show it."""
    assert answer is effect(**do).transform(answer)
    assert effect(**do).applies_to(answer)


@pytest.mark.parametrize("answer", [API_ANSWER, PROBLEM, TOKEN_ANSWER, REFUSAL])
def test_malformed_json_is_wrong_in_one_place(answer: Answer) -> None:
    """One byte differs, and that is enough for every parser."""
    spoiled = effect(malform="json").transform(answer)

    assert len([1 for a, b in zip(answer.body, spoiled.body, strict=True) if a != b]) == 1
    assert (answer.status, answer.headers) == (spoiled.status, spoiled.headers)
    with pytest.raises(json.JSONDecodeError):
        json.loads(spoiled.body)


def test_a_json_array_is_malformed_too() -> None:
    """Whatever bracket is the last becomes one of the other kind, also before white space."""
    answer = Answer(200, (), b"[1]\n")

    assert effect(malform="json").transform(answer).body == b"[1}"


@pytest.mark.parametrize("answer", [API_ANSWER, PROBLEM, TOKEN_ANSWER, REFUSAL])
def test_truncated_json_is_half_of_it(answer: Answer) -> None:
    """The first half is sent as if it were all: the length is counted from the body when it is sent."""
    spoiled = effect(malform="truncate").transform(answer)

    assert answer.body[: len(answer.body) // 2] == spoiled.body
    assert (answer.status, answer.headers) == (spoiled.status, spoiled.headers)
    with pytest.raises(ValueError, match=r"."):
        json.loads(spoiled.body)


@pytest.mark.parametrize("answer", [API_ANSWER, PROBLEM, TEXT, TOKEN_ANSWER, REFUSAL])
def test_a_wrong_content_type_stands_alone(answer: Answer) -> None:
    """There is one Content-Type, it says HTML, and nothing else has changed."""
    spoiled = effect(malform="content-type").transform(answer)

    others = [header for header in answer.headers if header[0] != b"content-type"]
    assert [(b"content-type", b"text/html"), *others] == list(spoiled.headers)
    assert (answer.status, answer.body) == (spoiled.status, spoiled.body)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (Malform.JSON, EMPTY),
        (Malform.JSON, TEXT),
        (Malform.JSON, Answer(200, (), b"{")),
        (Malform.JSON, Answer(200, (), b"12")),
        (Malform.TRUNCATE, EMPTY),
        (Malform.TRUNCATE, TEXT),
        (Malform.CONTENT_TYPE, EMPTY),
    ],
)
def test_what_has_nothing_to_spoil_is_left_alone(kind: Malform, answer: Answer) -> None:
    """Such an answer does not count."""
    one = MalformEffect(kind)

    assert not one.applies_to(answer)
    assert answer is one.transform(answer)


@given(body=st.recursive(st.none() | st.integers() | st.text(), st.lists).filter(lambda v: isinstance(v, list)))
def test_spoiled_json_is_never_json(body: list[Any]) -> None:
    """Whatever is in it."""
    answer = Answer(200, (), json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))

    for kind in (Malform.JSON, Malform.TRUNCATE):
        with pytest.raises(ValueError, match=r"."):
            json.loads(MalformEffect(kind).transform(answer).body)


def test_a_fifth_member_comes_last() -> None:
    """The four stay as they were, in their order and without spaces: some clients search the text."""
    spoiled = effect(token="extra-member").transform(TOKEN_ANSWER)

    assert spoiled.body.startswith(TOKEN_ANSWER.body.removesuffix(b"}") + b',"mock_fault":')
    assert len(json.loads(spoiled.body)) == 5
    assert (spoiled.status, spoiled.headers) == (200, TOKEN_HEADERS)


def test_a_number_is_quoted() -> None:
    """Only expires_in changes, and only by two quotes."""
    spoiled = effect(token="string-expires-in").transform(TOKEN_ANSWER)

    assert TOKEN_ANSWER.body.replace(b"300", b'"300"') == spoiled.body
    assert (spoiled.status, spoiled.headers) == (200, TOKEN_HEADERS)


def test_a_good_assertion_is_refused() -> None:
    """The token does not go out; what does is a refusal like any other."""
    spoiled = effect(token="invalid-client").transform(TOKEN_ANSWER)

    assert (spoiled.status, spoiled.headers) == (400, TOKEN_HEADERS)
    assert json.loads(spoiled.body)["error"] == "invalid_client"
    assert b"a.b.c" not in spoiled.body


def test_an_expired_token_is_for_the_issuer_to_make() -> None:
    """The answer stays as it is, and counts."""
    one = effect(token="expired")

    assert one.token_expired
    assert one.applies_to(TOKEN_ANSWER)
    assert TOKEN_ANSWER is one.transform(TOKEN_ANSWER)


@pytest.mark.parametrize("kind", ["expired", "extra-member", "string-expires-in", "invalid-client"])
@pytest.mark.parametrize(
    "answer", [REFUSAL, API_ANSWER, PROBLEM, EMPTY, TEXT, Answer(200, (), b"[]"), Answer(200, (), b"\xff")]
)
def test_a_token_fault_leaves_everything_but_tokens_alone(kind: str, answer: Answer) -> None:
    """A refusal stays the refusal it was, and does not count."""
    one = effect(token=kind)

    assert not one.applies_to(answer)
    assert answer is one.transform(answer)


@pytest.mark.parametrize("length", range(5))
def test_two_halves_are_the_whole(length: int) -> None:
    """The first half is never the longer one."""
    first, second = halves(b"abcd"[:length])

    assert first + second == b"abcd"[:length]
    assert len(second) - len(first) in {0, 1}


def test_effects_are_values() -> None:
    """Equal when they do the same, and usable as keys."""
    assert {effect(status=503), effect(delay=1)} == {StatusEffect(503), effect(delay=1.0)}
    assert effect(close="body").close is Close.BODY
    assert effect(close="body").phase is Phase.AFTER
