"""How a fault is written, which requests it is for, which of them it hits; and what the documentation tells of it."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.asgi import Answer
from mock_server.gateway.fault_effects import Close, Malform, TokenFault
from mock_server.gateway.faults import (
    HIGHEST_COUNT,
    LONGEST_DELAY,
    LONGEST_EFFECT,
    LONGEST_RETRY_AFTER,
    FaultError,
    FaultPlan,
    announcement,
    as_members,
    covers,
    effect_text,
    exhausted,
    fires,
    matches,
    parse,
    parse_effect,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
TRAININGS = "PUT /employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings"
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

EFFECTS: dict[str, dict[str, Any]] = {
    "status=400": {"status": 400},
    "status=599": {"status": 599},
    "status=503,retry_after=0": {"status": 503, "retry_after": 0},
    "status=500,retry_after=86400": {"status": 500, "retry_after": 86_400},
    f"status=429,retry_after={DATE}": {"status": 429, "retry_after": DATE},
    "status=503,retry_after=none": {"status": 503, "retry_after": "none"},
    "delay=60": {"delay": 60},
    "delay=0.001": {"delay": 0.001},
    "delay=1e-05": {"delay": 0.00001},
    "delay=1.5,in=body": {"delay": 1.5, "in": "body"},
    **{f"close={point}": {"close": point.value} for point in Close},
    **{f"malform={kind}": {"malform": kind.value} for kind in Malform},
    **{f"token={kind}": {"token": kind.value} for kind in TokenFault},
}
PLANS: dict[str, dict[str, Any]] = {
    "token": {"operation": "token", "do": {"token": "expired"}},
    "jwks": {"operation": "jwks", "do": {"status": 500}},
    "method and path": {"operation": TRAININGS, "do": {"delay": 1}},
    "any path": {"operation": "PUT *", "do": {"delay": 1}},
    "any call": {"operation": "* *", "do": {"delay": 1}},
    "an ending": {"operation": "GET /employers/…", "do": {"delay": 1}},
    "an ending in ASCII": {"operation": "GET /employers/...", "do": {"delay": 1}},
    "counted": {"do": {"delay": 1}, "times": HIGHEST_COUNT, "every": HIGHEST_COUNT},
    "until reset": {"do": {"delay": 1}, "times": "until reset"},
    "one caller": {"do": {"delay": 1}, "client_id": "x" * 200},
    "any caller": {"do": {"delay": 1}, "client_id": None},
    "identifiers": {"do": {"delay": 1}, "parameters": {"ssin": "90010199992", "year": "x" * 200}},
}


@pytest.mark.parametrize("text", EFFECTS)
def test_an_effect_has_two_forms(text: str) -> None:
    """The compact form and the members say the same, each read back from the other."""
    plan = parse({"do": parse_effect(text)})

    assert EFFECTS[text] == plan.effect.members
    assert text == effect_text(plan)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_keeps_its_members(name: str) -> None:
    """What was given is given back, with the rest of the members at their defaults."""
    defaults = {"operation": "any", "times": "until reset", "every": 1, "client_id": None, "parameters": {}}

    plan = parse(PLANS[name])

    assert defaults | PLANS[name] == as_members(plan)
    assert {plan} == {parse(json.loads(json.dumps(as_members(plan))))}


def test_the_parts_of_the_compact_form_may_be_spaced() -> None:
    """Spaces around commas and equals signs mean nothing."""
    assert parse_effect(" status = 503 , retry_after=2 ") == {"status": 503, "retry_after": 2}


DELAY = {"delay": 1}
REFUSED: dict[str, tuple[Any, str]] = {
    "a list": ([], "fault: expected an object"),
    "text": ("status=503", "fault: expected an object with operation, do"),
    "nothing to do": ({"operation": "any"}, "do: says what is done, and is missing"),
    "an unknown member": ({"do": DELAY, "time": 2}, "time: a fault has no such member; it has operation, do, times"),
    "do is text": ({"do": "status=503"}, "do: expected an object with one of status, delay"),
    "do is empty": ({"do": {}}, "do: says nothing that could be done"),
    "a companion alone": ({"do": {"retry_after": 1}}, "do: says nothing that could be done"),
    "two effects": ({"do": {"status": 500, "close": "body"}}, "do: status and close are 2 effects"),
    "an unknown effect": ({"do": {"explode": 1}}, "do.explode: an effect has no such member; it has status, delay"),
    "an unknown companion": ({"do": {"delay": 1, "until": 2}}, "do.until: an effect has no such member"),
    "retry_after without a status": ({"do": {"delay": 1, "retry_after": 1}}, "do.retry_after: goes with status only"),
    "in without a delay": ({"do": {"close": "body", "in": "body"}}, "do.in: goes with delay only"),
    "a success": ({"do": {"status": 399}}, "do.status: expected an error status, a whole number from 400 to 599"),
    "a status too high": ({"do": {"status": 600}}, "and got 600"),
    "a status in quotes": ({"do": {"status": "503"}}, "and got “503”"),
    "true as a status": ({"do": {"status": True}}, "and got true"),
    "half a status": ({"do": {"status": 503.0}}, "and got 503.0"),
    "a huge status": ({"do": {"status": 10**5000}}, "and got a huge number"),
    "a negative wait": ({"do": {"status": 503, "retry_after": -1}}, "do.retry_after: expected whole seconds from 0"),
    "a wait too long": ({"do": {"status": 503, "retry_after": LONGEST_RETRY_AFTER + 1}}, "do.retry_after"),
    "a broken wait": ({"do": {"status": 503, "retry_after": 1.5}}, "do.retry_after"),
    "false as a wait": ({"do": {"status": 503, "retry_after": False}}, "and got false"),
    "null as a wait": ({"do": {"status": 503, "retry_after": None}}, "and got null"),
    "a date in another format": ({"do": {"status": 503, "retry_after": "2026-10-21T07:28:00Z"}}, "do.retry_after"),
    "a date on the wrong weekday": ({"do": {"status": 503, "retry_after": DATE.replace("Wed", "Thu")}}, "or none"),
    "a date that does not exist": ({"do": {"status": 503, "retry_after": DATE.replace("21", "32")}}, "or none"),
    "a date without a month": ({"do": {"status": 503, "retry_after": DATE.replace("Oct", "Okt")}}, "or none"),
    "no delay": ({"do": {"delay": 0}}, "do.delay: expected seconds, a number above 0 and at most 60, and got 0"),
    "a delay too long": ({"do": {"delay": LONGEST_DELAY + 0.001}}, "do.delay"),
    "a negative delay": ({"do": {"delay": -1}}, "do.delay"),
    "a delay in quotes": ({"do": {"delay": "1"}}, "do.delay"),
    "true as a delay": ({"do": {"delay": True}}, "do.delay"),
    "an endless delay": ({"do": {"delay": float("inf")}}, "do.delay"),
    "not a number": ({"do": {"delay": float("nan")}}, "do.delay"),
    "a delay beyond a double": ({"do": {"delay": 10**400}}, "do.delay"),
    "a delay elsewhere": ({"do": {"delay": 1, "in": "headers"}}, "do.in: expected body"),
    "closing elsewhere": ({"do": {"close": "after"}}, "do.close: expected before, headers, body or after-change"),
    "an enum member's name": ({"do": {"close": "AFTER_CHANGE"}}, "do.close"),
    "closing a list": ({"do": {"close": ["body"]}}, "and got a list of 1"),
    "another malformation": ({"do": {"malform": "xml"}}, "do.malform: expected json, truncate or content-type"),
    "another token fault": ({"do": {"token": {}}}, "and got an object of 0 members"),
    "a token fault elsewhere": (
        {"operation": "PUT *", "do": {"token": "expired"}},
        "do.token: a fault of token answers",
    ),
    "a token fault of the keys": ({"operation": "jwks", "do": {"token": "expired"}}, "do.token"),
    "no times": ({"do": DELAY, "times": 0}, "times: expected a whole number from 1 to 1000000, or “until reset”"),
    "too many times": ({"do": DELAY, "times": HIGHEST_COUNT + 1}, "times"),
    "times in words": ({"do": DELAY, "times": "twice"}, "times"),
    "true as times": ({"do": DELAY, "times": True}, "times"),
    "null as times": ({"do": DELAY, "times": None}, "times"),
    "every none": ({"do": DELAY, "every": 0}, "every: expected a whole number from 1"),
    "every too many": ({"do": DELAY, "every": HIGHEST_COUNT + 1}, "every"),
    "true as every": ({"do": DELAY, "every": True}, "every"),
    "an empty client id": ({"do": DELAY, "client_id": ""}, "client_id: expected a client id: 1 to 200 printable"),
    "a client id too long": ({"do": DELAY, "client_id": "x" * 201}, "client_id"),
    "a number as client id": ({"do": DELAY, "client_id": 1}, "client_id"),
    "a caller of the keys": (
        {"operation": "jwks", "do": DELAY, "client_id": "a"},
        "client_id: who asks for the key set",
    ),
    "parameters as a list": ({"do": DELAY, "parameters": ["ssin"]}, "parameters: expected an object"),
    "too many parameters": ({"do": DELAY, "parameters": {str(n): "x" for n in range(21)}}, "parameters"),
    "a parameter that is a number": ({"do": DELAY, "parameters": {"year": 2025}}, "parameters.year: expected text"),
    "a parameter that is empty": ({"do": DELAY, "parameters": {"year": ""}}, "parameters.year"),
    "a parameter that is too long": ({"do": DELAY, "parameters": {"year": "x" * 201}}, "parameters.year"),
    "a parameter without a name": ({"do": DELAY, "parameters": {"": "x"}}, "parameters: expected a name"),
    "a token's parameters": ({"operation": "token", "do": DELAY, "parameters": {"a": "b"}}, "have no path parameters"),
    "a token fault's parameters": ({"do": {"token": "expired"}, "parameters": {"a": "b"}}, "have no path parameters"),
    "another word as operation": ({"operation": "tokens", "do": DELAY}, "operation: expected token, jwks, any, or a"),
    "a number as operation": ({"operation": 1, "do": DELAY}, "operation"),
    "a list as operation": ({"operation": ["token"], "do": DELAY}, "operation"),
    "a method alone": ({"operation": "PUT", "do": DELAY}, "operation"),
    "a method and a space": ({"operation": "PUT ", "do": DELAY}, "operation"),
    "a method in small letters": ({"operation": "put /a", "do": DELAY}, "operation"),
    "a path alone": ({"operation": "/a", "do": DELAY}, "operation"),
    "a path that does not begin with a slash": ({"operation": "PUT a", "do": DELAY}, "operation"),
    "a path with a space": ({"operation": "PUT /a b", "do": DELAY}, "operation"),
    "a path with a query": ({"operation": "PUT /a?b", "do": DELAY}, "operation"),
    "a path with an open brace": ({"operation": "PUT /{a", "do": DELAY}, "operation"),
    "a wildcard in the middle": ({"operation": "PUT /*/a", "do": DELAY}, "operation"),
    "a dotted wildcard in the middle": ({"operation": "PUT /…/a", "do": DELAY}, "operation"),
    "two wildcards": ({"operation": "PUT /a**", "do": DELAY}, "operation"),
    "a path with a control character": ({"operation": "PUT /a\x1b", "do": DELAY}, "operation"),
    "a path too long": ({"operation": "PUT /" + "a" * 496, "do": DELAY}, "operation"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_be_meant_is_refused(name: str) -> None:
    """One sentence tells what is wrong, what was expected, and what came."""
    members, sentence = REFUSED[name]

    with pytest.raises(FaultError) as refused:
        parse(members)

    (told,) = refused.value.faults
    assert sentence in told
    assert told.isprintable()
    assert len(told) < 400


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Each wrong member has its sentence, which begins with its name."""
    members = {
        "do": {"status": 200, "retry_after": -1, "x": 1, "in": "body"},
        "operation": "put",
        "times": 0,
        "y": 1,
        "parameters": {"a": 1, "b": 2},
    }

    with pytest.raises(FaultError) as refused:
        parse(members)

    names = {sentence.partition(":")[0] for sentence in refused.value.faults}
    assert {
        "do.status",
        "do.retry_after",
        "do.x",
        "do.in",
        "operation",
        "times",
        "y",
        "parameters.a",
        "parameters.b",
    } == names
    assert str(refused.value).splitlines() == list(refused.value.faults)


def test_a_thousand_unknown_members_do_not_make_a_thousand_sentences() -> None:
    """The first ones are told."""
    with pytest.raises(FaultError) as refused:
        parse({"do": DELAY} | {f"x{number}": 1 for number in range(1000)})

    assert len(refused.value.faults) == 5


BAD_TEXTS = {
    "nothing": "",
    "a word": "body",
    "no value": "status=",
    "no name": "=503",
    "a part that is nothing": ",status=503",
    "a name twice": "status=503,status=500",
    "too long": f"close={'x' * LONGEST_EFFECT}",
    "a control character": "\x1b[31m",
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_what_is_not_the_compact_form_is_refused(name: str) -> None:
    """The sentence shows how it is written."""
    with pytest.raises(FaultError, match=r"NAME=VALUE|twice|at most 200 characters") as refused:
        parse_effect(BAD_TEXTS[name])

    assert str(refused.value).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["body", "token"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["status", "retry_after", "delay", "in", "close", "malform", "token"]
OBJECTS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), JSON, max_size=3)
ANY_PLAN = st.fixed_dictionaries(
    {"do": OBJECTS | JSON | st.sampled_from(list(EFFECTS.values()))},
    optional=dict.fromkeys(("operation", "times", "every", "client_id", "parameters"), JSON),
)


def attempt(members: Any) -> tuple[FaultPlan | None, str]:
    """Return a plan and its announcement, or what is told of members that are none."""
    try:
        plan = parse(members)
    except FaultError as error:
        return None, "".join(error.faults)
    return plan, announcement(plan, "1")


@given(members=ANY_PLAN | JSON)
def test_any_json_is_a_plan_or_told_to_be_none(members: Any) -> None:
    """Nothing but FaultError comes out, and what is accepted survives being written and read."""
    plan, told = attempt(members)

    assert told.isprintable()
    if plan is not None:
        assert told.isascii()
        assert plan == parse(as_members(plan))
        assert plan.effect == parse({"do": parse_effect(effect_text(plan))}).effect


COVERS = [
    ("any", "token", True),
    ("any", "jwks", True),
    ("any", TRAININGS, True),
    ("token", "token", True),
    ("token", "jwks", False),
    ("token", "PUT token", False),
    (TRAININGS, TRAININGS, True),
    (TRAININGS, TRAININGS.replace("enterpriseNumber", "employer"), True),
    (TRAININGS, TRAININGS.replace("PUT", "GET"), False),
    (TRAININGS, f"{TRAININGS}/{{id}}", False),
    (TRAININGS, TRAININGS.removesuffix("s"), False),
    ("PUT /a", "PUT /{a}", False),
    ("PUT *", TRAININGS, True),
    ("PUT …", TRAININGS, True),
    ("PUT ...", TRAININGS, True),
    ("PUT *", "token", False),
    ("PUT *", "PUTS /a", False),
    ("* *", TRAININGS, True),
    ("* *", "GET /a", True),
    ("* *", "token", False),
    ("* /a", "GET /a", True),
    ("* /a", "GET /b", False),
    ("PUT /employers/…", TRAININGS, True),
    ("PUT /employers/*", TRAININGS, True),
    ("PUT /employers/...", TRAININGS, True),
    ("PUT /employers/{number}/*", TRAININGS, True),
    ("PUT /employer/*", TRAININGS, False),
    ("PUT /employers/*", "PUT /employers", False),
    ("PUT /employers*", "PUT /employers", True),
]


@pytest.mark.parametrize(("pattern", "operation", "covered"), COVERS)
def test_an_operation_stands_for_requests(pattern: str, operation: str, covered: bool) -> None:  # noqa: FBT001 - a table
    """A word, a method and path, or a wildcard for either; names of path parameters do not matter."""
    assert covered is covers(pattern, operation)


def test_a_fault_for_one_caller_leaves_the_others_alone() -> None:
    """Neither another client nor an unknown one is meant."""
    plan = parse({"do": DELAY, "client_id": "a"})

    assert matches(plan, "token", "a", {})
    assert not matches(plan, "token", "b", {})
    assert not matches(plan, "token", None, {})
    assert matches(parse({"do": DELAY}), "token", None, {})


def test_a_fault_for_an_identifier_leaves_the_others_alone() -> None:
    """All parameters of the plan must be those of the call; the call may have more."""
    plan = parse({"do": DELAY, "parameters": {"ssin": "90010199992", "year": "2025"}})

    assert matches(plan, TRAININGS, None, {"ssin": "90010199992", "year": "2025", "enterpriseNumber": "1999000150"})
    assert not matches(plan, TRAININGS, None, {"ssin": "90010199992", "year": "2024"})
    assert not matches(plan, TRAININGS, None, {"ssin": "90010199992"})
    assert not matches(plan, "token", None, {})


def test_a_token_fault_for_any_operation_is_for_token_requests() -> None:
    """Other requests do not match, and so are not counted."""
    plan = parse({"do": {"token": "expired"}})

    assert matches(plan, "token", "a", {})
    assert not matches(plan, "jwks", None, {})
    assert not matches(plan, TRAININGS, "a", {})


@pytest.mark.parametrize(
    ("counting", "hit"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"times": 2}, [1, 2]),
        ({"every": 3}, [3, 6]),
        ({"every": 3, "times": 1}, [3]),
        ({"every": 1, "times": "until reset"}, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_fault_hits_so_often(counting: dict[str, Any], hit: list[int]) -> None:
    """Every so many requests, so many times, and then no more."""
    plan = parse({"do": DELAY} | counting)
    hits: list[int] = []
    for seen in range(1, 8):
        if fires(plan, seen, len(hits)):
            hits.append(seen)

    assert hit == hits
    assert exhausted(plan, len(hits)) is (counting.get("times") in {1, 2})


def test_a_fault_is_announced_with_its_id() -> None:
    """The header holds the id and the effect, in the form that the command reads."""
    plan = parse({"do": {"status": 503, "retry_after": 2}})

    assert announcement(plan, "3") == "3; status=503,retry_after=2"
    assert announcement(parse({"do": {"close": "after-change"}}), "a-b") == "a-b; close=after-change"


# The documentation.

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADD = "fla-mock fault add "
API_ANSWER = Answer(
    200,
    (
        (b"content-type", b"application/json"),
        (b"belgov-trace-id", b"6f1d3e0c-7a52-4d0e-9c61-2b8f4a9d5e17"),
    ),
    b'{"items":[],"total":0}',
)
TOKEN_ANSWER = Answer(
    200,
    ((b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"pragma", b"no-cache")),
    b'{"access_token":"eyJhbGciOiJSUzI1NiIsImtpZCI6Im9hdXRoIn0.e30.AAAA","scope":"scope:dimona",'
    b'"token_type":"Bearer","expires_in":600}',
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Example:
    """A command with the JSON below it, and what is seen on the wire, if that is shown."""

    title: str
    command: str
    members: dict[str, Any]
    shown: list[str] = field(default_factory=list)


def sections() -> Iterator[tuple[str, str]]:
    """Yield every section's title and text; a section ends where the next one of any depth begins."""
    for section in re.split(r"^##+ ", DOCUMENT, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        yield title, text


def read_examples() -> list[Example]:
    """Read the examples of the documentation in their order."""
    examples: list[Example] = []
    for title, text in sections():
        command = ""
        for language, block in BLOCK.findall(text):
            if language == "bash":
                command = block.strip()
            elif language == "json":
                examples.append(Example(title, command, json.loads(block)))
            else:
                examples[-1].shown.append(block)
    return examples


EXAMPLES = read_examples()
IDS = [f"{example.title}: {example.command.removeprefix(ADD)}" for example in EXAMPLES]


def members_of(command: str) -> dict[str, Any]:
    """Return the JSON that a command stands for."""
    operation, effect, *options = shlex.split(command.removeprefix(ADD))
    members: dict[str, Any] = {"operation": operation, "do": parse_effect(effect)}
    for name, value in zip(options[::2], options[1::2], strict=True):
        if name == "--parameter":
            parameter, _, wanted = value.partition("=")
            members.setdefault("parameters", {})[parameter] = wanted
        else:
            members[name.removeprefix("--").replace("-", "_")] = value if name == "--client-id" else int(value)
    return members


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_a_documented_command_says_what_its_json_says(example: Example) -> None:
    """Both are the same plan."""
    assert example.command.startswith(ADD)
    assert parse(example.members) == parse(members_of(example.command))


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.shown], ids=lambda e: f"{e.title}: {e.command}")
def test_a_documented_answer_is_what_is_sent(example: Example) -> None:
    """Status, headers and body are those of the code, but for the random id."""
    plan = parse(example.members)
    good = TOKEN_ANSWER if plan.operation == "token" else API_ANSWER
    answer = plan.effect.replacement(plan.operation) or plan.effect.transform(good)
    (block,) = example.shown
    head, _, body = block.partition("\n\n")
    first, *lines = head.splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.pop("content-length", str(len(answer.body)))

    expected = {name.decode(): UUID.sub("", value.decode()) for name, value in answer.headers}
    assert f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}" == first
    assert expected | {"mock-fault": announcement(plan, "1")} == {
        name: UUID.sub("", value) for name, value in headers.items()
    }
    assert UUID.sub("", answer.body.decode()) == UUID.sub("", body.rstrip("\n"))
    assert str(len(answer.body)) == length


def test_every_effect_has_a_section_of_its_own() -> None:
    """The title of a section is an effect, and so is its first example."""
    wanted = {"status", "delay", "delay in body"}
    wanted |= {f"{kind} {word}" for kind, words in WORDS.items() for word in words}
    told = set()
    for title, text in sections():
        written = re.match(r"`([^`]+)`: ", title)
        if written is None:
            continue
        members = parse_effect(written[1])
        first = next(example for example in EXAMPLES if example.title == title)
        assert members.items() <= first.members["do"].items(), title
        assert "*Why clients get it wrong.*" in text
        assert "*A good client*" in text
        assert "On the wire:" in text or "```http" in text
        kind, value = next(iter(members.items()))
        told.add(f"{kind} {value}" if kind in WORDS else "delay in body" if "in" in members else kind)

    assert wanted == told


WORDS: dict[str, list[str]] = {
    "close": [point.value for point in Close],
    "malform": [kind.value for kind in Malform],
    "token": [kind.value for kind in TokenFault],
}


def test_the_documentation_has_nothing_that_is_not_checked() -> None:
    """Blocks are commands, JSON and answers; every command is known, and every answer belongs to a JSON block."""
    blocks = BLOCK.findall(DOCUMENT)
    commands = [line for language, block in blocks if language == "bash" for line in block.splitlines()]

    assert {language for language, _ in blocks} == {"bash", "json", "http"}
    assert commands[1:3] == ["fla-mock fault remove 1", "fla-mock fault reset"]
    assert all(parse(members_of(command)) for command in [commands[0], *commands[3:]])
    assert len(commands) - 3 == len(EXAMPLES) == len([language for language, _ in blocks if language == "json"])


def test_the_documentation_tells_the_limits_of_the_code() -> None:
    """Numbers in the prose are those that `parse` holds to."""
    prose = " ".join(DOCUMENT.split())

    assert f"up to {LONGEST_DELAY} seconds" in prose
    assert f"(at most {LONGEST_RETRY_AFTER})" in prose
