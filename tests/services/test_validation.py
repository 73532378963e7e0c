"""What a call has to be by its contract: parameters in every style, bodies of every media type, answers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mock_server.services.contract import Operation, Reading, load
from mock_server.services.issues import MAX_ISSUES
from mock_server.services.validation import BodySchema, Inputs, UnreadableError

NUMBERS = {"type": "array", "items": {"type": "integer"}}
WORDS = {"type": "array", "items": {"type": "string"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "number"}, "tags": WORDS}}


def operation(folder: Path, raw: dict[str, Any], reading: Reading | None = None, **top: Any) -> Operation:
    """Load a contract of one operation."""
    template = "/x" + "".join(f"/{{{one['name']}}}" for one in raw.get("parameters", ()) if one["in"] == "path")
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {template: {"put": {"responses": {"200": {"description": "ok"}}} | raw}},
    } | top
    if "swagger" in top:
        del document["openapi"]
    path = folder / "contract.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path, reading=reading).operations[0]


def parameter(location: str, schema: dict[str, Any] | None, **members: Any) -> dict[str, Any]:
    """Return a parameter `p`."""
    described = {} if schema is None else {"schema": schema}
    return {"name": "p", "in": location, "required": location == "path"} | described | members


def swagger(location: str, form: str, **members: Any) -> dict[str, Any]:
    """Return a list parameter of Swagger 2.0."""
    numbers = {"type": "array", "items": {"type": "integer"}, "collectionFormat": form}
    return {"name": "p", "in": location, "required": location == "path"} | numbers | members


def read(one: Operation, text: str | Sequence[str] = "") -> Inputs:
    """Read a call: the path's `p`, the query string, or the values of every header, as the contract has it."""
    location = one.parameters[0].location
    texts = [text] if isinstance(text, str) else text
    return one.read_parameters(
        {"p": texts[0]} if location == "path" else {},
        texts[0] if location == "query" else "",
        lambda _name: texts if location in {"header", "cookie"} else [],
    )


def issues(made: Inputs) -> list[tuple[str, str, str]]:
    """Return the kind, the location and the name of each issue."""
    return [(str(issue.type).rpartition(":")[2], issue.location, issue.name) for issue in made.issues]


STYLES: dict[str, tuple[dict[str, Any], str, object]] = {
    "text": (parameter("query", {"type": "string"}), "p=5", "5"),
    "text with signs": (parameter("query", {"type": "string"}), "p=a%26b+c", "a&b c"),
    "a whole number": (parameter("query", {"type": "integer"}), "p=-5", -5),
    "a number": (parameter("query", {"type": "number"}), "p=1.5e2", 150.0),
    "a truth": (parameter("query", {"type": "boolean"}), "p=true", True),
    "a number or text": (parameter("query", {"oneOf": [{"type": "integer"}, {"type": "string"}]}), "p=a", "a"),
    "a number or a code": (parameter("query", {"anyOf": [{"type": "integer"}, {"enum": ["all"]}]}), "p=7", 7),
    "a number by its values": (parameter("query", {"enum": [1, 2]}), "p=2", 2),
    "a number by all its parts": (parameter("query", {"allOf": [{"type": "number"}, {"minimum": 1}]}), "p=2", 2),
    "a number that may be null": (parameter("query", {"type": "integer", "nullable": True}), "p=2", 2),
    "a list, repeated": (parameter("query", NUMBERS), "p=1&p=2", [1, 2]),
    "a list of one": (parameter("query", NUMBERS), "p=1", [1]),
    "a list with commas": (parameter("query", NUMBERS, explode=False), "p=1,2", [1, 2]),
    "a list with encoded commas": (parameter("query", NUMBERS, explode=False), "p=1%2C2", [1, 2]),
    "an empty list": (parameter("query", NUMBERS, explode=False), "p=", []),
    "a list with spaces": (parameter("query", NUMBERS, style="spaceDelimited"), "p=1%202", [1, 2]),
    "a list with pipes": (parameter("query", NUMBERS, style="pipeDelimited"), "p=1|2", [1, 2]),
    "an object, member by member": (
        parameter("query", POINT),
        "x=1&y=2.5&tags=a&tags=b",
        {"x": 1, "y": 2.5, "tags": ["a", "b"]},
    ),
    "an object with commas": (parameter("query", POINT, explode=False), "p=x,1,y,2", {"x": 1, "y": 2}),
    "a deep object": (parameter("query", POINT, style="deepObject"), "p[x]=1&p%5Btags%5D=a", {"x": 1, "tags": ["a"]}),
    "JSON": (
        parameter("query", None, content={"application/json": {"schema": POINT}}),
        "p={%22x%22:1}",
        {"x": 1},
    ),
    "text of a media type": (parameter("query", None, content={"text/plain": {}}), "p=1", "1"),
    "in the path": (parameter("path", {"type": "integer"}), "5", 5),
    "a list in the path": (parameter("path", NUMBERS), "1,2", [1, 2]),
    "an object in the path": (parameter("path", POINT, explode=True), "x=1,y=2", {"x": 1, "y": 2}),
    "a label": (parameter("path", {"type": "integer"}, style="label"), ".5", 5),
    "a list as labels": (parameter("path", NUMBERS, style="label", explode=True), ".1.2", [1, 2]),
    "a matrix": (parameter("path", {"type": "integer"}, style="matrix"), ";p=5", 5),
    "a list as a matrix": (parameter("path", NUMBERS, style="matrix"), ";p=1,2", [1, 2]),
    "a list as matrices": (parameter("path", NUMBERS, style="matrix", explode=True), ";p=1;p=2", [1, 2]),
    "an object as matrices": (parameter("path", POINT, style="matrix", explode=True), ";x=1;y=2", {"x": 1, "y": 2}),
    "in a header": (parameter("header", {"type": "integer"}), " 5 ", 5),
    "a list in a header": (parameter("header", NUMBERS), "1,2", [1, 2]),
    "in a cookie": (parameter("cookie", {"type": "integer"}), 'a=b; p="5"', 5),
    "csv": (swagger("query", "csv"), "p=1,2", [1, 2]),
    "ssv": (swagger("query", "ssv"), "p=1+2", [1, 2]),
    "tsv": (swagger("query", "tsv"), "p=1%092", [1, 2]),
    "pipes": (swagger("header", "pipes"), "1|2", [1, 2]),
    "multi": (swagger("query", "multi"), "p=1&p=2", [1, 2]),
    "csv in the path": (swagger("path", "csv"), "1,2", [1, 2]),
}


@pytest.mark.parametrize("name", STYLES)
def test_a_parameter_is_read_as_its_schema_and_its_style_say(tmp_path: Path, name: str) -> None:
    """Every style of OpenAPI 3 and every collection format of Swagger 2.0."""
    raw, text, expected = STYLES[name]
    top: dict[str, Any] = {"swagger": "2.0"} if "collectionFormat" in raw else {}

    made = read(operation(tmp_path, {"parameters": [raw]}, **top), text)

    assert (issues(made), made.values) == ([], {(raw["in"], "p"): expected})
    assert type(made.values[raw["in"], "p"]) is type(expected)


REFUSED: dict[str, tuple[dict[str, Any], str, list[tuple[str, str, str]]]] = {
    "a whole number with decimals": (
        parameter("query", {"type": "integer"}),
        "p=1.5",
        [("schemaViolation", "query", "p")],
    ),
    "a whole number with a zero": (
        parameter("query", {"type": "integer"}),
        "p=01",
        [("schemaViolation", "query", "p")],
    ),
    "a number that is infinite": (
        parameter("query", {"type": "number"}),
        "p=1e999",
        [("schemaViolation", "query", "p")],
    ),
    "a truth in capitals": (parameter("query", {"type": "boolean"}), "p=TRUE", [("schemaViolation", "query", "p")]),
    "a scalar twice": (parameter("query", {"type": "string"}), "p=1&p=1", [("schemaViolation", "query", "p")]),
    "a list of commas twice": (
        parameter("query", NUMBERS, explode=False),
        "p=1&p=2",
        [("schemaViolation", "query", "p")],
    ),
    "an entry of a list": (parameter("query", NUMBERS), "p=1&p=x", [("schemaViolation", "query", "p[1]")]),
    "a list that is too long": (
        parameter("query", NUMBERS | {"maxItems": 1}),
        "p=1&p=2",
        [("schemaViolation", "query", "p")],
    ),
    "a member of a deep object": (
        parameter("query", POINT, style="deepObject"),
        "p[x]=a",
        [("schemaViolation", "query", "p.x")],
    ),
    "an unknown member of a deep object": (
        parameter("query", POINT | {"additionalProperties": False}, style="deepObject"),
        "p[z]=a",
        [("unknownInput", "query", "p.z")],
    ),
    "an object that is too deep": (
        parameter("query", POINT, style="deepObject"),
        "p[x][y]=a",
        [("schemaViolation", "query", "p")],
    ),
    "a member twice": (
        parameter("query", POINT, style="deepObject"),
        "p[x]=1&p[x]=2",
        [("schemaViolation", "query", "p")],
    ),
    "a name without its value": (parameter("query", POINT, explode=False), "p=x", [("schemaViolation", "query", "p")]),
    "a member without its name": (parameter("path", POINT, explode=True), "1", [("schemaViolation", "path", "p")]),
    "JSON that is none": (
        parameter("query", None, content={"application/json": {"schema": POINT}}),
        "p={",
        [("schemaViolation", "query", "p")],
    ),
    "JSON of another shape": (
        parameter("query", None, content={"application/json": {"schema": POINT}}),
        "p={%22x%22:%221%22}",
        [("schemaViolation", "query", "p.x")],
    ),
    "a label without its dot": (parameter("path", NUMBERS, style="label"), "1", [("schemaViolation", "path", "p")]),
    "a matrix without its sign": (
        parameter("path", NUMBERS, style="matrix"),
        "p=1",
        [("schemaViolation", "path", "p")],
    ),
    "a matrix of another name": (
        parameter("path", NUMBERS, style="matrix"),
        ";q=1",
        [("schemaViolation", "path", "p")],
    ),
    "an unknown query parameter": (
        parameter("query", NUMBERS),
        "q=1&q=2&r",
        [
            ("unknownInput", "query", "q"),
            ("unknownInput", "query", "r"),
        ],
    ),
    "one that is required": (parameter("query", NUMBERS, required=True), "", [("schemaViolation", "query", "p")]),
    "a cookie that is required": (parameter("cookie", {}, required=True), "q=1", [("schemaViolation", "header", "p")]),
    "a cookie of another kind": (parameter("cookie", {"type": "integer"}), "p=x", [("schemaViolation", "header", "p")]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_parameter_that_breaks_the_contract_is_an_issue_with_its_place(tmp_path: Path, name: str) -> None:
    """The name tells which entry or member of the parameter is wrong, in Belgif's notation."""
    raw, text, expected = REFUSED[name]

    assert issues(read(operation(tmp_path, {"parameters": [raw]}), text)) == expected


def test_a_header_that_is_sent_twice_is_a_list_or_an_issue(tmp_path: Path) -> None:
    """HTTP lets a list be sent in several fields; a single value cannot be."""
    several = read(operation(tmp_path, {"parameters": [parameter("header", NUMBERS)]}), ["1", "2"])
    single = read(operation(tmp_path, {"parameters": [parameter("header", {"type": "integer"})]}), ["1", "2"])

    assert (several.values, issues(several)) == ({("header", "p"): [1, 2]}, [])
    assert issues(single) == [("schemaViolation", "header", "p")]
    assert single.issues[0].detail == "expected once, came 2 times; this parameter has one value"


def test_headers_that_are_described_elsewhere_are_not_parameters(tmp_path: Path) -> None:
    """OpenAPI ignores parameters named Accept, Content-Type and Authorization."""
    raw = [
        parameter("header", {"type": "integer"}) | {"name": name}
        for name in ("Accept", "content-type", "AUTHORIZATION")
    ]

    assert operation(tmp_path, {"parameters": raw}).parameters == ()


def test_defaults_stand_for_what_is_not_sent(tmp_path: Path) -> None:
    """In OpenAPI 3 they are the schema's, in Swagger 2.0 the parameter's; an empty value may count as none."""
    raw = parameter("query", {"type": "integer", "default": 7}, allowEmptyValue=True)
    old = {"name": "p", "in": "query", "type": "integer", "default": 7}

    assert read(operation(tmp_path, {"parameters": [raw]})).values == {("query", "p"): 7}
    assert read(operation(tmp_path, {"parameters": [old]}, swagger="2.0")).values == {("query", "p"): 7}
    assert read(operation(tmp_path, {"parameters": [raw]}), "p=").issues == []


def test_an_open_object_takes_the_rest_of_the_query(tmp_path: Path) -> None:
    """Members that are not named go to the object that asks for them, those of other parameters do not."""
    raw = [
        parameter("query", {"type": "object", "additionalProperties": {"type": "integer"}}),
        parameter("query", {"type": "string"}) | {"name": "q"},
    ]
    made = read(operation(tmp_path, {"parameters": raw}), "a=1&q=x&b=2")

    assert (made.values, made.issues) == ({("query", "p"): {"a": 1, "b": 2}, ("query", "q"): "x"}, [])


def test_unknown_query_parameters_may_be_let_be(tmp_path: Path) -> None:
    """Ours are refused, as Belgif asks; a contract of others may be served more gently."""
    raw = {"parameters": [parameter("query", NUMBERS)]}

    assert read(operation(tmp_path, raw, Reading(unknown_query="ignore")), "q=1").issues == []


def test_the_issues_of_parameters_are_bounded(tmp_path: Path) -> None:
    """Nobody mends a thousand at once."""
    one = operation(tmp_path, {"parameters": [parameter("query", NUMBERS)]})

    assert len(read(one, "&".join(f"q{number}=1" for number in range(1000))).issues) == MAX_ISSUES
    assert len(read(one, "&".join(["p=x"] * 1000)).issues) == MAX_ISSUES


HELD = {
    "an enterprise number": ("kbo", "0880820673", "0880820673", []),
    "one without its zero": ("kbo", "880820673", "0880820673", []),
    "wrong check digits": ("kbo", "0880820674", None, ["invalidStructure"]),
    "no enterprise number at all": ("kbo", "x", None, ["invalidStructure"]),
    "an SSIN": ("niss", "65111899997", "65111899997", []),
    "an SSIN with wrong check digits": ("niss", "65111899998", None, ["invalidStructure"]),
    "a year": ("jaar", "2025", "2025", []),
    "a year in words": ("jaar", "now", None, ["invalidStructure"]),
}


@pytest.mark.parametrize("location", ["path", "query", "header"])
@pytest.mark.parametrize("name", HELD)
def test_an_identifier_is_checked_and_made_canonical(tmp_path: Path, name: str, location: str) -> None:
    """Beyond the contract's own schema, which may let any text pass; an SSIN is not repeated."""
    called, text, canonical, kinds = HELD[name]
    raw = parameter(location, {"type": "string"}) | {"name": called}
    made = operation(tmp_path, {"parameters": [raw]}).read_parameters(
        {called: text}, f"{called}={text}" if location == "query" else "", lambda _name: [text]
    )

    assert [str(issue.type).rpartition(":")[2] for issue in made.issues] == kinds
    if canonical is not None:
        assert made.values[location, called] == canonical
        assert made.path == ({called: canonical} if location == "path" else {})
    elif called == "niss":
        assert made.issues[0].value is None


def body_of(folder: Path, content: dict[str, Any], **members: Any) -> BodySchema:
    """Return a body of some media types."""
    body = operation(folder, {"requestBody": {"content": content} | members}).body
    assert body is not None
    return body


def test_a_body_may_have_several_media_types(tmp_path: Path) -> None:
    """The exact one goes before a range; parameters and case do not count; what is not named is a 415."""
    schema = {"schema": {"type": "object"}}
    body = body_of(
        tmp_path,
        {"Application/JSON; charset=utf-8": schema, "text/*": {}, "application/vnd.x+json": schema, "text/csv": {}},
    )

    def found(media_type: str) -> str | None:
        content = body.content_for(media_type)
        return None if content is None else content.media_type

    assert found('application/json;charset="UTF-8"') == "application/json"
    assert found("APPLICATION/VND.X+JSON") == "application/vnd.x+json"
    assert found("text/csv") == "text/csv"
    assert found("text/plain") == "text/*"
    assert found("application/xml") is None
    assert body.json is not None
    assert body.json.media_type == "application/json"


READ: dict[str, tuple[str, bytes, object, list[str]]] = {
    "JSON": ("application/json", b'{"n": 1}', {"n": 1}, []),
    "JSON of a kind": ("application/merge-patch+json", b'{"n": 1}', {"n": 1}, []),
    "JSON of another shape": ("application/json", b'{"n": "1"}', {"n": "1"}, ["n"]),
    "JSON that is none": ("application/json", b"{", UnreadableError, []),
    "a form": ("application/x-www-form-urlencoded", b"n=1&list=a&list=b", {"n": 1, "list": ["a", "b"]}, []),
    "a form with a fault": ("application/x-www-form-urlencoded", b"n=x", {"n": "x"}, ["n"]),
    "a form with a field twice": ("application/x-www-form-urlencoded", b"n=1&n=2", UnreadableError, []),
    "a form that is not ASCII": ("application/x-www-form-urlencoded", b"n=\xff", UnreadableError, []),
    "anything else": ("application/pdf", b"%PDF", b"%PDF", []),
    "nothing": ("application/json", b"", UnreadableError, []),
}


@pytest.mark.parametrize("name", READ)
def test_a_body_is_read_by_its_media_type(tmp_path: Path, name: str) -> None:
    """JSON and simple forms become values that are validated, anything else stays as it came."""
    media_type, data, expected, places = READ[name]
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "list": WORDS}}
    body = body_of(tmp_path, {media_type: {"schema": schema}}, required=True)
    content = body.content_for(media_type)
    assert content is not None

    if expected is UnreadableError:
        with pytest.raises(UnreadableError):
            body.parse(content, data, media_type)
    else:
        value = body.parse(content, data, media_type)
        assert (value, [issue.name for issue in content.issues(value)]) == (expected, places)


def test_forms_of_swagger_are_bodies(tmp_path: Path) -> None:
    """Parameters in formData become the members of one form; with a file it is multipart."""
    fields: list[dict[str, Any]] = [
        {"name": "n", "in": "formData", "type": "integer", "required": True},
        {"name": "list", "in": "formData", "type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"},
    ]
    file = {"name": "file", "in": "formData", "type": "file"}
    form = operation(tmp_path, {"parameters": fields}, swagger="2.0").body
    multipart = operation(tmp_path, {"parameters": [*fields, file]}, swagger="2.0").body

    assert form is not None
    assert form.required
    (content,) = form.contents
    assert form.parse(content, b"n=1&list=a|b", content.media_type) == {"n": 1, "list": ["a", "b"]}
    assert [issue.name for issue in content.issues(form.parse(content, b"list=a", content.media_type))] == ["n"]
    assert multipart is not None
    assert [content.media_type for content in multipart.contents] == ["multipart/form-data"]


HIDING = {
    "type": "object",
    "required": ["id", "name", "secret", "inner"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string"},
        "secret": {"allOf": [{"$ref": "#/components/schemas/Secret"}]},
        "inner": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
    },
}
PARTS = {
    "Secret": {"type": "string", "writeOnly": True},
    "Base": {"type": "object", "properties": {"href": {"type": "string", "readOnly": True}}},
    "Inner": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["href", "n"]}], "required": ["href"]},
}


def hiding(folder: Path, reading: Reading | None = None) -> Operation:
    """Return an operation whose body and answer have members that go one way only."""
    content = {"content": {"application/json": {"schema": HIDING}}}
    raw = {"requestBody": content, "responses": {"200": {"description": "ok"} | content}}
    return operation(folder, raw, reading, components={"schemas": PARTS})


def test_read_only_members_are_not_sent_and_write_only_ones_not_answered(tmp_path: Path) -> None:
    """What one way does not have is not required there, also where it is composed of references."""
    one = hiding(tmp_path)
    answer = one.answer(200)
    sent = {"name": "x", "secret": "s", "inner": [{"n": 1}]}
    answered = {"id": "1", "name": "x", "inner": [{"href": "h", "n": 1}]}
    assert one.body is not None
    assert answer is not None

    assert one.body.issues(sent) == []
    found = one.body.issues(sent | {"id": "1", "inner": [{"n": 1, "href": "h"}]})
    assert {(issue.name, issue.detail) for issue in found} == {
        ("id", "this member is set by the server (readOnly); leave it out of the request"),
        ("inner[0].href", "this member is set by the server (readOnly); leave it out of the request"),
    }
    assert answer.issues(answered) == []
    assert [issue.name for issue in answer.issues(answered | {"secret": "s"})] == ["secret"]
    assert answer.json is not None
    assert answer.json.visible(answered | {"secret": "s"}) == answered


def test_read_only_members_may_be_let_be(tmp_path: Path) -> None:
    """A client that sends back what it read is then not refused, whatever they hold."""
    body = hiding(tmp_path, Reading(read_only="ignore")).body
    assert body is not None

    assert body.issues({"id": 5, "name": "x", "secret": "s", "inner": [{"n": 1, "href": 5}]}) == []


def test_answers_are_found_by_status_then_wildcard_then_default(tmp_path: Path) -> None:
    """As OpenAPI has it; what is not described has no answer."""
    responses = {status: {"description": status} for status in ("201", "2XX", "default")}
    one = operation(tmp_path, {"responses": responses})

    def status(asked: int) -> str | None:
        answer = one.answer(asked)
        return None if answer is None else answer.status

    assert [status(asked) for asked in (201, 204, 500)] == ["201", "2XX", "default"]
    assert one.success is not None
    assert one.success.status == "201"
    assert operation(tmp_path, {"responses": {"4XX": {"description": "x"}}}).answer(200) is None


ALTERNATIVES = {
    "anyOf": [
        {"type": "null"},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
        {"type": "array", "items": {"enum": ["x"]}},
    ]
}


@pytest.mark.parametrize(
    ("value", "places"), [({}, ["a"]), ({"a": "x"}, ["a"]), (["x", "y"], ["[1]"]), (5, [""]), (None, [])]
)
def test_of_alternatives_the_one_that_was_meant_is_told(tmp_path: Path, value: object, places: list[str]) -> None:
    """A value whose type fits one of them gets the issues of that one."""
    document = operation(
        tmp_path, {"requestBody": {"content": {"application/json": {"schema": ALTERNATIVES}}}}, openapi="3.1.0"
    )
    assert document.body is not None

    assert [issue.name for issue in document.body.issues(value)] == places


DETAILS: list[tuple[dict[str, Any], object, str, object]] = [
    ({"type": "integer"}, "7", "expected a whole number, came text", "7"),
    ({"type": ["string", "null"]}, 1.5, "expected text or null, came a number with decimals", 1.5),
    ({"type": "object"}, None, "expected an object, came null", None),
    ({"minimum": 3}, 2, "expected at least 3", 2),
    ({"exclusiveMaximum": 3}, 3, "expected less than 3", 3),
    ({"multipleOf": 0.5}, 0.3, "expected a multiple of 0.5", 0.3),
    ({"maxLength": 2}, "abc", "expected at most 2 characters", "abc"),
    ({"minItems": 2}, [1], "expected at least 2 entries", None),
    ({"uniqueItems": True}, [1, 1], "expected every entry once; an entry stands twice", None),
    ({"pattern": "^a$"}, "b", "expected text that matches ^a$", "b"),
    ({"enum": ["a", 1]}, "b", 'expected one of "a", 1', "b"),
    ({"enum": list(range(30))}, "b", f"expected one of {', '.join(map(str, range(20)))}, or 10 others", "b"),
    ({"const": "a"}, "b", 'expected "a"', "b"),
    ({"format": "date"}, "2025-02-30", "expected a date of the calendar, written like 2025-03-31", "2025-02-30"),
    ({"format": "ipv4"}, "x", "expected ipv4", "x"),
    ({"not": {"type": "string"}}, "x", "this value is excluded by the contract", "x"),
    (
        {"oneOf": [{}, {"type": "string"}]},
        "x",
        "expected one of the alternatives that the contract has here; the value fits more than one",
        None,
    ),
    ({"pattern": "^a$"}, "x" * 40, "expected text that matches ^a$", None),
    ({"pattern": "^a$"}, "65111899997", "expected text that matches ^a$", None),
    ({"pattern": "^a$"}, "65.11.18-999.97", "expected text that matches ^a$", None),
    ({"maximum": 5}, 65111899997, "expected at most 5", None),
    ({"pattern": "^a$"}, "jan@example.org", "expected text that matches ^a$", None),
    ({"pattern": "^a$"}, "Jan Peeters", "expected text that matches ^a$", None),
]


@pytest.mark.parametrize(("schema", "value", "detail", "shown"), DETAILS)
def test_an_issue_says_what_was_expected_and_repeats_nothing_personal(
    tmp_path: Path, schema: dict[str, Any], value: object, detail: str, shown: object
) -> None:
    """A short value that looks like a code is repeated; a number, a name or an address of a person is not."""
    content = {"application/json": {"schema": {"properties": {"m": schema}}}}
    body = operation(tmp_path, {"requestBody": {"content": content}}, openapi="3.1.0").body
    assert body is not None

    (issue,) = body.issues({"m": value})

    assert (issue.name, issue.detail, issue.value) == ("m", detail, shown)


def test_a_member_that_is_named_after_a_person_is_not_repeated(tmp_path: Path) -> None:
    """Whatever its value looks like."""
    schema = {"properties": {"firstName": {"maxLength": 1}, "kind": {"maxLength": 1}}}
    body = body_of(tmp_path, {"application/json": {"schema": schema}})

    found = body.issues({"firstName": "Jan", "kind": "abc"})

    assert {issue.name: issue.value for issue in found} == {"firstName": None, "kind": "abc"}


def test_alternatives_in_a_long_list_are_told_with_their_places(tmp_path: Path) -> None:
    """A list that may be null is looked at in stretches like any other, and its length is judged whole."""
    rows = {
        "type": "array",
        "minItems": 120,
        "items": {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]},
    }
    schema = {"type": "object", "properties": {"rows": {"nullable": True, "allOf": [rows]}}}
    body = body_of(tmp_path, {"application/json": {"schema": schema}})
    whole: list[object] = [1] * 130

    assert body.issues({"rows": whole}) == []
    assert [issue.name for issue in body.issues({"rows": [*whole[:99], "xx", *whole, None]})] == [
        "rows[99]",
        "rows[230]",
    ]
    assert [issue.name for issue in body.issues({"rows": whole[:100]})] == ["rows"]
