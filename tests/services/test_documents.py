"""Reading contracts: every version and spelling becomes the same, and what is broken is told with its place."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.services.catalogue import contract_file
from mock_server.services.contract import Contract, ContractError, Operation, Reading, load
from mock_server.services.documents import files
from mock_server.services.documents.lines import lines_of
from mock_server.services.documents.report import MAX_FAULTS
from mock_server.services.documents.text import MAX_BYTES, TextError, parse
from tests.services.made_contracts import large_contract
from tests.services.rewritten_contracts import write
from tests.support import Caller

OK: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}


def document(paths: dict[str, Any] | None = None, version: str = "3.0.3", **members: Any) -> dict[str, Any]:
    """Return a small contract."""
    top = {"swagger": version} if version == "2.0" else {"openapi": version}
    return {**top, "info": {"title": "t", "version": "1"}, "paths": paths or {"/things": {"get": OK}}, **members}


def loaded(folder: Path, contract: object, reading: Reading | None = None, **files: Any) -> Contract:
    """Load a contract from its value or its text; other files lie beside it, their dots written as underscores."""
    for name, value in files.items():
        place = folder / name.replace("__", "/").replace("_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    path = folder / "contract.yaml"
    path.write_text(contract if isinstance(contract, str) else json.dumps(contract), encoding="utf-8")
    return load(path, reading=reading)


def refusal(folder: Path, contract: object, **files: Any) -> str:
    """Return why a contract is refused, without the file's name in front."""
    with pytest.raises(ContractError) as refused:
        loaded(folder, contract, **files)
    return str(refused.value).removeprefix(f"{folder / 'contract.yaml'}: ")


def only(contract: Contract) -> Operation:
    """Return the one operation of a contract."""
    (operation,) = contract.operations
    return operation


def with_schema(schema: Any, version: str = "3.0.3", **schemas: Any) -> dict[str, Any]:
    """Return a contract with a body of a schema, and others beside it."""
    put = {"requestBody": {"content": {"application/json": {"schema": schema}}}, **OK}
    return document({"/things": {"put": put}}, version, components={"schemas": schemas})


def test_yaml_means_what_json_means() -> None:
    """Dates and words stay text, keys are text, and numbers are decimal, as YAML 1.2's core schema has it."""
    text = (
        b"a: 2023-03-06\nb: on\nc: 012\nd: 0x1f\ne: 1.5e3\nf: ~\n200: 'x'\ntrue: yes\ng: !!str 12\nh: .inf\ni: 12:30\n"
    )

    assert parse(text) == {
        "a": "2023-03-06",
        "b": "on",
        "c": 12,
        "d": 31,
        "e": 1500.0,
        "f": None,
        "200": "x",
        "true": "yes",
        "g": "12",
        "h": ".inf",
        "i": "12:30",
    }


def test_anchors_and_merge_keys_are_followed() -> None:
    """An alias is what it names, and a merged object fills in what is not said."""
    text = b"a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n&k k: 5\ne: {*k : 6}\n"

    assert parse(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 3},
        "d": {"x": 1, "y": 2, "z": 4},
        "k": 5,
        "e": {"k": 6},
    }


def test_json_with_a_byte_order_mark_is_read() -> None:
    """Some editors of Windows write one."""
    assert parse('\ufeff{"a": [1, 2.5, "x"]}'.encode(), only_json=True) == {"a": [1, 2.5, "x"]}


BOMB = "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)
BROKEN_TEXTS = {
    "a list that is not closed": ("a: [1", "YAML syntax error"),
    "JSON that is not closed": ('{"a": [1,\n 2', "line 2, column 3: JSON syntax error"),
    "a member twice": ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the member 'a' stands twice"),
    "a member twice in JSON": ('{"a": 1, "a": 2}', "the member 'a' stands twice"),
    "a tab": ("a:\n\t- 1", "line 2, column 1: YAML syntax error"),
    "a control character": ("a: \x00", "YAML syntax error"),
    "an alias of nothing": ("a: *b", "line 1, column 4: the alias *b names nothing"),
    "an alias of itself": ("a: &a [*a]", "line 1, column 8: the alias *a names nothing that is complete"),
    "a bomb of aliases": (f"a: &a [{', '.join('x' * 10)}]\n{BOMB}", "expected at most 2000000 values"),
    "a bomb of brackets": ("[" * 5_000, "expected nesting of at most 100 levels"),
    "a bomb of brackets in JSON": ('{"a":' * 5_000, "expected nesting of at most 100 levels"),
    "two documents": ("a: 1\n---\nb: 2\n", "expected one document"),
    "an alias of another document": ("&a x\n--- *a\n", "line 2, column 1: expected one document"),
    "a list as a key": ("[a, b]: 1", "a key is text"),
    "an alias of a list as a key": ("a: &a [1]\nb: {*a : 1}", "a key is text"),
    "a number without end": (f"a: {'9' * 5_000}", "numbers of at most 1000 digits"),
    "a number without end in JSON": ('{"a": ' + "9" * 5_000 + "}", "numbers of at most 1000 digits"),
    "NaN": ('{"a": NaN}', "NaN is not a JSON number"),
    "a merge of a word": ("<<: x", "a merge key (<<) takes an object"),
}


@pytest.mark.parametrize("name", BROKEN_TEXTS)
def test_a_text_that_is_broken_is_told_with_its_place(name: str) -> None:
    """The line and the column are those where it goes wrong; nothing takes long, and nothing is expanded."""
    text, message = BROKEN_TEXTS[name]

    with pytest.raises(TextError) as refused:
        parse(text.encode())

    assert message in str(refused.value)


def test_json_faults_have_their_place_too() -> None:
    """A file that is JSON by its name is not tried as YAML."""
    with pytest.raises(TextError, match="line 2, column 6: JSON syntax error"):
        parse(b'{\n"a": }', only_json=True)


def test_another_encoding_and_a_file_without_end_are_refused(tmp_path: Path) -> None:
    """Both are told before anything is parsed."""
    with pytest.raises(TextError, match="expected UTF-8"):
        parse(b"a: \xff")
    with pytest.raises(TextError, match=f"at most {MAX_BYTES} bytes"):
        parse(b" " * (MAX_BYTES + 1))
    with pytest.raises(ContractError, match="cannot be read: not a file"):
        load(tmp_path)


SPELLINGS = ("2.0", "3.0.3", "3.1.0")


def note(version: str) -> dict[str, Any]:
    """Return one schema in the spelling of a version."""
    nullable: dict[str, dict[str, Any]] = {
        "2.0": {"type": "string", "x-nullable": True, "maxLength": 5},
        "3.0.3": {"type": "string", "nullable": True, "maxLength": 5},
        "3.1.0": {"type": ["string", "null"], "maxLength": 5},
    }
    more = {"exclusiveMinimum": 0} if version == "3.1.0" else {"minimum": 0, "exclusiveMinimum": True}
    return {
        "type": "object",
        "required": ["id", "text", "size"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "text": {"type": "string", "minLength": 1},
            "size": {"type": "number", **more},
            "count": {"type": "integer", "format": "int32"},
            "remark": nullable[version],
            "day": {"type": "string", "format": "date"},
            "key": {"type": "string", "format": "uuid"},
            "data": {"type": "string", "format": "byte"},
            "code": {"type": "string", "pattern": r"^[\w-.]{1,3}$"},
            "replies": {"type": "array", "items": {"$ref": f"#/{holder(version)}/Note"}, "maxItems": 2},
            "kind": {"enum": ["a", "b"]} if version != "3.1.0" else {"anyOf": [{"const": "a"}, {"const": "b"}]},
        },
    }


def holder(version: str) -> str:
    """Return where a version keeps its schemas."""
    return "definitions" if version == "2.0" else "components/schemas"


def notes(version: str) -> dict[str, Any]:
    """Return one contract in the spelling of a version."""
    reference = {"$ref": f"#/{holder(version)}/Note"}
    security = [{"sign": ["scope:read"]}, {"sign": ["scope:write"]}]
    number: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{10}$"}
    if version == "2.0":
        return document(
            {
                "/employers/{id}/notes/{year}": {
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, **number},
                        {"name": "year", "in": "path", "required": True, "type": "integer", "minimum": 2023},
                        {
                            "name": "tags",
                            "in": "query",
                            "type": "array",
                            "items": {"type": "integer"},
                            "collectionFormat": "multi",
                        },
                        {"name": "page", "in": "query", "type": "integer", "default": 1},
                    ],
                    "put": {
                        "security": security,
                        "parameters": [{"name": "body", "in": "body", "required": True, "schema": reference}],
                        "responses": {
                            "200": {
                                "description": "ok",
                                "schema": reference,
                                "examples": {"application/json": {"x": 1}},
                            },
                            "default": {"description": "all else"},
                        },
                    },
                }
            },
            version,
            basePath="/REST/notes/v1",
            host="host.example",
            schemes=["https"],
            consumes=["application/json"],
            produces=["application/json"],
            definitions={"Note": note(version)},
        )
    return document(
        {
            "/employers/{id}/notes/{year}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": number},
                    {"name": "year", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 2023}},
                    {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}},
                    {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}},
                ],
                "put": {
                    "security": security,
                    "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
                    "responses": {
                        "200": {
                            "description": "ok",
                            "content": {"application/json": {"schema": reference, "example": {"x": 1}}},
                        },
                        "default": {"description": "all else"},
                    },
                },
            }
        },
        version,
        servers=[
            {"url": "https://{host}/REST/notes/{v}", "variables": {"host": {"default": "h"}, "v": {"default": "v1"}}}
        ],
        components={"schemas": {"Note": note(version)}},
    )


GOOD = {"text": "x", "size": 0.5}
BODIES: dict[str, tuple[object, list[tuple[str, str]]]] = {
    "a good one": (GOOD, []),
    "nothing where it may be": (GOOD | {"remark": None}, []),
    "nothing where it may not be": (GOOD | {"text": None}, [("schemaViolation", "text")]),
    "an open lower bound": (GOOD | {"size": 0}, [("schemaViolation", "size")]),
    "a number beyond int32": (GOOD | {"count": 2**31}, [("schemaViolation", "count")]),
    "a day that is none": (GOOD | {"day": "2025-02-30"}, [("schemaViolation", "day")]),
    "a UUID that is none": (GOOD | {"key": "x"}, [("schemaViolation", "key")]),
    "base64 that is none": (GOOD | {"data": "a"}, [("schemaViolation", "data")]),
    "a class and a hyphen": (GOOD | {"code": "a-."}, []),
    "what the pattern refuses": (GOOD | {"code": "a b"}, [("schemaViolation", "code")]),
    "an unknown member": (GOOD | {"more": 1}, [("unknownInput", "more")]),
    "a read-only member": (GOOD | {"id": "1"}, [("rejectedInput", "id")]),
    "a reply within a reply": (
        GOOD | {"replies": [GOOD | {"replies": [{}]}]},
        [
            ("schemaViolation", "replies[0].replies[0].size"),
            ("schemaViolation", "replies[0].replies[0].text"),
        ],
    ),
    "a kind that is none": (GOOD | {"kind": "c"}, [("schemaViolation", "kind")]),
    "a list": ([], [("schemaViolation", "")]),
}


@pytest.mark.parametrize("version", SPELLINGS)
def test_three_spellings_ask_the_same(tmp_path: Path, version: str) -> None:
    """One table of bodies is judged alike by a contract in Swagger 2.0, OpenAPI 3.0 and 3.1."""
    body = only(loaded(tmp_path, notes(version))).body

    assert body is not None
    for name, (value, expected) in BODIES.items():
        found = sorted((str(issue.type).rpartition(":")[2], issue.name) for issue in body.issues(value))
        assert (name, found) == (name, expected)


@pytest.mark.parametrize("version", SPELLINGS)
def test_three_spellings_are_one_operation(tmp_path: Path, version: str) -> None:
    """Routes, scopes, parameters, answers, examples and what the parameters hold are the same."""
    contract = loaded(tmp_path, notes(version))
    operation = only(contract)
    inputs = operation.read_parameters({"id": "1999000150", "year": "2025"}, "tags=1&tags=2", lambda _name: [])
    answer, other = operation.answer(200), operation.answer(503)

    assert (contract.base_path, operation.name) == ("/REST/notes/v1", "PUT /employers/{id}/notes/{year}")
    assert operation.scopes == (("scope:read",), ("scope:write",))
    assert {what: held.parameter for what, held in operation.held.items()} == {"enterpriseNumber": "id", "year": "year"}
    assert (inputs.issues, inputs.values["query", "tags"], inputs.values["query", "page"]) == ([], [1, 2], 1)
    assert answer is not None
    assert answer.json is not None
    assert answer.json.examples == ({"x": 1},)
    assert answer.issues(GOOD | {"id": "1"}) == []
    assert [issue.name for issue in answer.issues(GOOD)] == ["id"]
    assert other is not None
    assert (other.status, other.contents) == ("default", ())
    assert "text" in operation.answers_with


def test_references_lead_to_other_files_and_back(tmp_path: Path) -> None:
    """Paths, parameters, bodies, answers, headers and schemas may each lie in a file of their own, YAML or JSON."""
    contract = loaded(
        tmp_path,
        document({"/a~b/{id}": {"$ref": "paths/all.json#/a~1x"}}),
        paths__all_json={
            "a/x": {
                "parameters": [{"$ref": "../parts.yaml#/parameters/Id"}],
                "put": {
                    "requestBody": {"$ref": "../parts.yaml#/bodies/Thing"},
                    "responses": {"200": {"$ref": "../parts.yaml#/answers/Thing"}},
                },
            }
        },
        parts_yaml=(
            "parameters:\n"
            "  Id: {$ref: '#/parameters/Real%20Id'}\n"
            "  Real Id: {name: id, in: path, required: true, schema: {$ref: 'types/id.yaml'}}\n"
            "bodies:\n"
            "  Thing: {content: {application/json: {schema: {$ref: '#/schemas/Thing'}}}}\n"
            "answers:\n"
            "  Thing:\n"
            "    description: x\n"
            "    headers: {Location: {$ref: '#/headers/Location'}}\n"
            "    content: {application/json: {schema: {$ref: '#/schemas/Thing'}}}\n"
            "headers:\n"
            "  Location: {required: true, schema: {type: string, format: uri}}\n"
            "schemas:\n"
            "  Thing:\n"
            "    {required: [id], properties: {id: {$ref: types/id.yaml}, in: {$ref: '#/schemas/Thing'}}}\n"
        ),
        types__id_yaml="{type: string, maxLength: 3}",
    )
    operation = only(contract)
    answer = operation.answer(200)

    assert operation.body is not None
    assert [issue.name for issue in operation.body.issues({"id": "a", "in": {"id": "long"}})] == ["in.id"]
    assert operation.parameters[0].read("long")[1][0].name == "id"
    assert answer is not None
    assert (answer.headers[0].name, answer.headers[0].required, len(answer.headers[0].read("x")[1])) == (
        "Location",
        True,
        1,
    )


def test_references_may_go_through_references_and_anchors(tmp_path: Path) -> None:
    """A pointer may cross another reference, and 3.1 knows a place by its anchor, and words beside a reference."""
    contract = loaded(
        tmp_path,
        with_schema(
            {
                "type": "object",
                "properties": {
                    "a": {"$ref": "#/components/schemas/Other/properties/x"},
                    "b": {"$ref": "#short", "minLength": 2},
                },
            },
            "3.1.0",
            Other={"$ref": "#/components/schemas/Real"},
            Real={"properties": {"x": {"type": "integer"}, "list": [{"$anchor": "short", "maxLength": 3}]}},
        ),
    )
    body = only(contract).body

    assert body is not None
    assert [issue.name for issue in body.issues({"a": "x", "b": "x"})] == ["a", "b"]
    assert body.issues({"a": 1, "b": "xyz"}) == []


LEADS_NOWHERE = {
    "to nothing": ("#/components/schemas/None", "#/components/schemas/None leads nowhere"),
    "to a list's end": ("#/servers/7", "leads nowhere"),
    "to an anchor that is not there": ("#none", "leads nowhere"),
    "to the network": ("https://host.example/x.yaml#/A", "nothing is fetched"),
    "to the network without a scheme": ("//host.example/x.yaml", "nothing is fetched"),
    "to a file by its URL": ("file:///etc/hostname", "nothing is fetched"),
    "to an absolute path": ("/etc/hostname", "lies outside the contract's folder"),
    "above the folder": ("../x.yaml#/A", "lies outside the contract's folder"),
    "above the folder, encoded": ("%2e%2e/x.yaml#/A", "lies outside the contract's folder"),
    "to a file that is not there": ("none.yaml#/A", "none.yaml#/A cannot be read: No such file or directory"),
    "to a folder": (".#/A", "cannot be read: not a file"),
    "to itself": ("#/components/schemas/Thing", "part of itself"),
}


@pytest.mark.parametrize("name", LEADS_NOWHERE)
def test_a_reference_that_leads_nowhere_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    """Nothing is fetched, and nothing outside the contract's folder is read."""
    reference, message = LEADS_NOWHERE[name]
    told = refusal(tmp_path, with_schema({"$ref": "#/components/schemas/Thing"}, Thing={"$ref": reference}))

    assert told.startswith("components.schemas.Thing (line 1): ")
    assert message in told


def split(folder: Path, count: int) -> Path:
    """Write a contract of as many files: one for each path, one for each schema, and the first."""
    pairs = range((count - 1) // 2)
    for number in pairs:
        following = f"S{(number + 1) % len(pairs)}.yaml"
        schema = {"type": "object", "properties": {"next": {"$ref": following}, "size": {"maximum": number}}}
        (folder / f"S{number}.yaml").write_text(json.dumps(schema), encoding="utf-8")
        put = {"requestBody": {"content": {"application/json": {"schema": {"$ref": f"S{number}.yaml"}}}}, **OK}
        (folder / f"p{number}.yaml").write_text(json.dumps({"put": put}), encoding="utf-8")
    first = folder / "contract.yaml"
    first.write_text(
        json.dumps(document({f"/p{number}": {"$ref": f"p{number}.yaml"} for number in pairs})), encoding="utf-8"
    )
    return first


def test_a_contract_may_have_hundreds_of_files(tmp_path: Path) -> None:
    """Those who keep each schema in a file of its own have that many, and each is the one that is meant."""
    contract = load(split(tmp_path, 301))

    body = contract.operations[99].body
    assert len(contract.operations) == 150
    assert body is not None
    assert [issue.detail for issue in body.issues({"size": 100, "next": {"size": 101}})] == [
        "expected at most 99",
        "expected at most 100",
    ]


@pytest.mark.parametrize("bound", ["MAX_FILES", "MAX_TOTAL_BYTES"])
def test_files_are_bounded_together(tmp_path: Path, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without end is not read; that is told once, and what is missing for it is not told besides."""
    path = split(tmp_path, 21)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    most = {"MAX_FILES": 21, "MAX_TOTAL_BYTES": size}[bound]
    monkeypatch.setattr(files, bound, most)
    load(path)
    monkeypatch.setattr(files, bound, most - 1)

    with pytest.raises(ContractError) as refused:
        load(path)

    assert (
        f"expected at most {files.MAX_FILES} files of together at most {files.MAX_TOTAL_BYTES} bytes, came more; "
        "join some of them, or leave out what is not served"
    ) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """What counts is where a file really lies; a setting makes the folder wider."""
    outside, inside = tmp_path / "outside.yaml", tmp_path / "in"
    outside.write_text("type: integer")
    inside.mkdir()
    (inside / "link.yaml").symlink_to(outside)
    contract = with_schema({"$ref": "link.yaml"})

    assert "lies outside the contract's folder" in refusal(inside, contract)
    body = only(loaded(inside, contract, Reading(folder=tmp_path))).body
    assert body is not None
    assert len(body.issues("x")) == 1


def test_a_fault_in_another_file_names_that_file(tmp_path: Path) -> None:
    """The reader of the message has to know which file to open, and where."""
    told = refusal(tmp_path, with_schema({"$ref": "other.yaml#/A"}), other_yaml="\nA: {type: strin}\n")

    assert told.startswith(f"{tmp_path / 'other.yaml'}: A.type (line 2): expected a type that this version knows")


def path_parameter(name: str, **members: Any) -> dict[str, Any]:
    """Return a parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, **members}


def item(*parameters: dict[str, Any], **operations: Any) -> dict[str, Any]:
    """Return a path with parameters."""
    return {"parameters": list(parameters), **(operations or {"get": OK})}


FAULTS: dict[str, tuple[Any, str, str]] = {
    "nothing": ("", "expected an OpenAPI document", "came nothing"),
    "no version": ({"paths": {}}, "expected an OpenAPI document", "came neither"),
    "an older Swagger": (document(version="2.0") | {"swagger": "1.2"}, "swagger (line 1)", "came swagger: 1.2"),
    "a newer OpenAPI": (document(version="4.0.0"), "openapi (line 1)", "came openapi: 4.0.0"),
    "no paths": ({"openapi": "3.0.3"}, "expected paths", "came none"),
    "paths that are a list": ({"openapi": "3.0.3", "paths": []}, "paths (line 1): expected an object", "came a list"),
    "no operations": (document({"/a": {}}), "paths (line 1): expected at least one operation", "came none"),
    "a path that is a word": (
        document({"/a": "x", "/b": {"get": OK}}),
        "paths./a (line 1): expected an object",
        "text",
    ),
    "a path without a slash": (
        document({"a": {"get": OK}, "/b": {"get": OK}}),
        "paths.a (line 1)",
        "begins with a slash",
    ),
    "an open brace": (document({"/{a": {"get": OK}}), "paths./{a (line 1)", "every brace closed"),
    "a query in a path": (document({"/a?b=1": {"get": OK}}), "paths./a?b=1 (line 1)", "without query"),
    "two parameters side by side": (
        document({"/{a}{b}": item(path_parameter("a"), path_parameter("b"))}),
        "paths./{a}{b} (line 1)",
        "a separator between",
    ),
    "a parameter twice in a path": (
        document({"/{a}/{a}": item(path_parameter("a"))}),
        "paths./{a}/{a}",
        "once in a path",
    ),
    "a path parameter that is not declared": (document({"/{a}": {"get": OK}}), "paths./{a}.get", "not declared"),
    "a path parameter that is not used": (
        document({"/a": item(path_parameter("b"))}),
        "paths./a.get",
        "does not have it",
    ),
    "a parameter twice": (
        document({"/{a}": item(path_parameter("a"), path_parameter("a"))}),
        "paths./{a}.parameters[1] (line 1)",
        "stands twice",
    ),
    "the same operation by another name": (
        document({"/{a}": item(path_parameter("a")), "/{b}": item(path_parameter("b"))}),
        "paths./{b}.get (line 1): /{a} has the same method",
        "differs in the names",
    ),
    "a parameter without a name": (
        document({"/a": item({"in": "query", "schema": {}})}),
        "parameters[0]",
        "expected name",
    ),
    "a parameter without a place": (
        document({"/a": item({"name": "q", "schema": {}})}),
        "parameters[0]",
        "expected in",
    ),
    "a parameter in a strange place": (
        document({"/a": item({"name": "q", "in": "body", "schema": {}})}),
        "paths./a.parameters[0].in (line 1)",
        "expected path, query, header or cookie, came 'body'",
    ),
    "a parameter without a schema": (document({"/a": item({"name": "q", "in": "query"})}), "parameters[0]", "schema"),
    "a style of another place": (
        document({"/{a}": item(path_parameter("a", style="form"))}),
        "paths./{a}.parameters[0].style (line 1)",
        "expected simple or label or matrix",
    ),
    "a required that is a word": (
        document({"/a": item({"name": "q", "in": "query", "required": "yes", "schema": {}})}),
        "paths./a.parameters[0].required (line 1)",
        "expected true or false, came text",
    ),
    "what nothing can hold": (
        document({"/{a}": item(path_parameter("a", **{"x-fla-mock": {"holds": "name"}}))}),
        "x-fla-mock.holds (line 1)",
        "expected one of enterpriseNumber, ssin, year, nothing, came 'name'",
    ),
    "a status that is none": (
        document({"/a": {"get": {"responses": {"600": {"description": "x"}}}}}),
        "paths./a.get.responses.600 (line 1)",
        "came '600'",
    ),
    "a range of statuses in lower case": (
        document({"/a": {"get": {"responses": {"4xx": {"description": "x"}}}}}),
        "paths./a.get.responses.4xx (line 1)",
        "expected a status like 200, 2XX or default, came '4xx'",
    ),
    "scopes that are a word": (
        document({"/a": {"get": OK | {"security": [{"a": "b"}]}}}),
        "security[0].a",
        "list of scopes",
    ),
    "a body without content": (document({"/a": {"put": OK | {"requestBody": {}}}}), "requestBody (line 1)", "content"),
    "a schema that is a list": (with_schema([]), "application/json.schema (line 1): expected a schema", "a list"),
    "an unknown type": (
        with_schema({}, A={"type": "strin"})
        | document(
            {
                "/a": {
                    "put": {
                        **OK,
                        "requestBody": {
                            "content": {"application/json": {"schema": {"properties": {"a": {"type": "strin"}}}}}
                        },
                    }
                }
            }
        ),
        "schema.properties.a.type (line 1)",
        "came 'strin'",
    ),
    "a bad regular expression": (with_schema({"items": {"pattern": "("}}), "schema.items.pattern (line 1)", "came '('"),
    "a bad regular expression in 3.1": (
        with_schema({"items": {"pattern": "("}}, "3.1.0"),
        "schema.items.pattern",
        "came '('",
    ),
    "a word as a limit": (with_schema({"maxLength": "3"}), "schema.maxLength (line 1)", "came '3'"),
    "an open bound of 3.1 in 3.0": (
        with_schema({"exclusiveMinimum": 3}),
        "schema.exclusiveMinimum",
        "true or false beside",
    ),
    "an open bound of 3.0 in 3.1": (
        with_schema({"exclusiveMinimum": True}, "3.1.0"),
        "schema.exclusiveMinimum",
        "came True",
    ),
    "properties that are a list": (with_schema({"properties": []}), "schema.properties (line 1)", "came a list"),
    "a composition that is an object": (with_schema({"allOf": {}}), "schema.allOf (line 1)", "a list of schemas"),
    "a reference that is a number": (with_schema({"$ref": 3}), "schema (line 1): expected $ref to be text", "a number"),
    "a dynamic reference": (
        with_schema({"$dynamicRef": "#a"}, "3.1.0"),
        "schema (line 1): $dynamicRef",
        "write a $ref",
    ),
    "another dialect": (
        document(version="3.1.0", jsonSchemaDialect="http://json-schema.org/draft-07/schema#"),
        "jsonSchemaDialect (line 1)",
        "expected JSON Schema 2020-12",
    ),
    "two bodies": (
        document(
            {"/a": {"put": OK | {"parameters": [{"name": name, "in": "body", "schema": {}} for name in "ab"]}}}, "2.0"
        ),
        "paths./a.put.parameters[1] (line 1)",
        "one parameter in body",
    ),
    "a body and a form": (
        document(
            {
                "/a": {
                    "put": OK
                    | {
                        "parameters": [
                            {"name": "a", "in": "body", "schema": {}},
                            {"name": "b", "in": "formData", "type": "string"},
                        ]
                    }
                }
            },
            "2.0",
        ),
        "parameters[0] (line 1)",
        "came both",
    ),
    "a list in a strange format": (
        document(
            {
                "/a": item(
                    {
                        "name": "q",
                        "in": "header",
                        "type": "array",
                        "items": {"type": "string"},
                        "collectionFormat": "multi",
                    }
                )
            },
            "2.0",
        ),
        "paths./a.parameters[0].collectionFormat (line 1)",
        "came 'multi'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_contract_is_refused_with_the_place(tmp_path: Path, name: str) -> None:
    """The message says where in the file, what was expected, and what came."""
    contract, place, message = FAULTS[name]

    told = refusal(tmp_path, contract)

    assert place in told
    assert message in told
    assert "faults" not in told


def test_all_faults_are_told_at_once_and_bounded(tmp_path: Path) -> None:
    """An author mends them in one go; a hopeless file does not fill the screen."""
    some = refusal(tmp_path, document({"/{a}": {"get": OK}, "/b": {"get": {"responses": {"9": {}}}}}))
    many = refusal(tmp_path, document({f"/{{a{number}}}/{number}": {"get": OK} for number in range(200)}))

    assert some.startswith("2 faults:\n  - paths./{a}.get (line 1): ")
    assert many.count("\n") == MAX_FAULTS + 1
    assert many.endswith("and more, that are told when these are mended")


WITH_FAULTS = {
    "a block": """\
openapi: 3.0.3
# as a person writes it
paths:
  /a:
    get:
      parameters:
      - name: q
        in: query
        schema: {}

      -
        name: r
        in: body
        schema: {}
      responses:
        600: {description: x}
  /{b:
    get: {responses: {}}
""",
    "braces of YAML": """\
{ openapi: 3.0.3,

  paths: { /a: { get:
    { parameters: [ { name: q, in: query, schema: {} },
                    # a comment is none of JSON
                    { name: r,


                      in: body, schema: {} } ],
      responses: {

        600: { description: x }

      } } },
    "/{b": { get: { responses: {} } } } }
""",
    "JSON": """\
{
  "openapi": "3.0.3",
  "x-lines": "\\n\\n {}[]",

  "paths": {
    "/a": {
      "get": {"parameters": [
        {"name": "q", "in": "query", "schema": {}},
        {"name": "r",
         "in": "body", "schema": {}}],
        "responses": {

          "600": {"description": "x"}}}
    },
    "/{b"
      : {"get": {"responses": {}}}
  }
}
""",
    "JSON but for a number": """\
{
  "openapi": "3.0.3", "paths": {
    "/a": {"get": {
      "parameters": [
        {"name": "q", "in": "query", "schema": {}},
        {"name": "r", "in": "body", "schema": {}}],
      "responses": {
        600: {"description": "x"}}}},
    "/{b": {"get": {"responses": {}}}}}
""",
    "an alias": """\
openapi: 3.0.3
x-shared: &shared
  - {name: q, in: query, schema: {}}
  - {name: r, in: body, schema: {}}
paths:
  /a:
    get:
      parameters:
        *shared
      responses: {600: {description: x}}
  /{b: {get: {responses: {}}}
""",
}
FAULTY_LINES = {
    "a block": (13, 16, 17),
    "braces of YAML": (9, 12, 15),
    "JSON": (10, 13, 15),
    "JSON but for a number": (6, 8, 9),
    "an alias": (8, 10, 11),
}


@pytest.mark.parametrize("form", WITH_FAULTS)
def test_every_fault_has_its_line(tmp_path: Path, form: str) -> None:
    """Whatever a person or a program wrote it with; what is behind an alias has the line where the alias is used."""
    told = refusal(tmp_path, WITH_FAULTS[form])

    location, status, path = FAULTY_LINES[form]
    assert f"paths./a.get.parameters[1].in (line {location}): " in told
    assert f"paths./a.get.responses.600 (line {status}): " in told
    assert f"paths./{{b (line {path}): " in told


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_file_is_read_once_more_for_all_of_its_faults(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look for the lines one by one would cost a large contract with many faults half a minute."""
    asked: list[list[tuple[str | int, ...]]] = []

    def counted(data: bytes, places: Iterable[tuple[str | int, ...]]) -> Mapping[tuple[str | int, ...], int]:
        asked.append(list(places))
        return lines_of(data, asked[-1])

    monkeypatch.setattr("mock_server.services.documents.lines.lines_of", counted)
    contract = large_contract(MAX_FAULTS // 4 + 1)
    templates = list(contract["paths"])[:MAX_FAULTS]
    for template in templates:
        contract["paths"][f"{template}?beta=true"] = contract["paths"].pop(template)
    path = write(tmp_path, contract, form)

    with pytest.raises(ContractError) as refused:
        load(path)

    assert asked == [[("paths", f"{template}?beta=true") for template in templates]]
    assert str(refused.value).count(" (line ") == MAX_FAULTS


def test_schemas_that_have_no_end_are_refused(tmp_path: Path) -> None:
    """A schema composed of itself, or doubled forty times over, would take the validator's stack or its time."""
    doubled: dict[str, Any] = {
        f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * 2} for n in range(40)
    } | {"S40": {}}
    circle: dict[str, Any] = {
        "A": {"anyOf": [{"$ref": "#/components/schemas/B"}]},
        "B": {"not": {"$ref": "#/components/schemas/A"}},
    }

    assert "composed of at most 10000" in refusal(tmp_path, with_schema({"$ref": "#/components/schemas/S0"}, **doubled))
    assert "part of itself" in refusal(tmp_path, with_schema({"$ref": "#/components/schemas/A"}, **circle))


def test_schemas_may_hold_themselves(tmp_path: Path) -> None:
    """A tree is a schema with itself below a property or in a list, also in a circle of several."""
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Other"}}}
    other = {
        "type": "object",
        "properties": {"trees": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }
    body = only(loaded(tmp_path, with_schema({"$ref": "#/components/schemas/Tree"}, Tree=tree, Other=other))).body

    assert body is not None
    assert [issue.name for issue in body.issues({"left": {"trees": [{"left": {"trees": [1]}}]}})] == [
        "left.trees[0].left.trees[0]"
    ]


def test_templates_may_differ_in_names_where_methods_differ(tmp_path: Path) -> None:
    """It is not ambiguous, and happens; each operation finds its own name."""
    contract = loaded(
        tmp_path, document({"/{a}": item(path_parameter("a"), get=OK), "/{b}": item(path_parameter("b"), put=OK)})
    )
    route = contract.route("/x")

    assert route is not None
    assert {method: route.of(operation) for method, operation in route.operations.items()} == {
        "GET": {"a": "x"},
        "PUT": {"b": "x"},
    }


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/files/a.b.json", "/files/{name}.json", {"name": "a.b"}),
        ("/files/.json", "/files/{name}", {"name": ".json"}),
        ("/files/1...2", "/files/{from}...{to}", {"from": "1", "to": "2"}),
        ("/files/..2", "/files/{name}", {"name": "..2"}),
        ("/files/x:stop", "/files/{name}:stop", {"name": "x"}),
        ("/files/x%3Astop", "/files/{name}:stop", {"name": "x"}),
        ("/files/", "/files/", {}),
    ],
)
def test_a_segment_may_have_text_around_its_parameters(
    tmp_path: Path, path: str, template: str, values: dict[str, str]
) -> None:
    """The more text a segment of a template has, the sooner it is tried."""
    templates = {
        "/files/{name}": ["name"],
        "/files/{name}.json": ["name"],
        "/files/{from}...{to}": ["from", "to"],
        "/files/{name}:stop": ["name"],
        "/files/": [],
    }
    contract = loaded(
        tmp_path,
        document({one: item(*(path_parameter(name) for name in names)) for one, names in templates.items()}),
    )
    route = contract.route(path)

    assert route is not None
    assert (route.template, route.values) == (template, values)


NAMES = {
    "enterpriseNumber": "enterpriseNumber",
    "employerId": "enterpriseNumber",
    "employer_number": "enterpriseNumber",
    "CBENumber": "enterpriseNumber",
    "cbe": "enterpriseNumber",
    "kboNumber": "enterpriseNumber",
    "KBO": "enterpriseNumber",
    "ondernemingsnummer": "enterpriseNumber",
    "numeroEntreprise": "enterpriseNumber",
    "numéro-d'entreprise": "enterpriseNumber",
    "bce-number": "enterpriseNumber",
    "SSIN": "ssin",
    "insz": "ssin",
    "niss": "ssin",
    "rijksregisternummer": "ssin",
    "nationalNumber": "ssin",
    "employeeId": "ssin",
    "year": "year",
    "calendar_year": "year",
    "jaar": "year",
    "année": "year",
    "employerName": None,
    "yearly": None,
    "id": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_parameter_holds_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    """The words of three languages, whatever their case and separators."""
    operation = only(loaded(tmp_path, document({f"/x/{{{name}}}": item(path_parameter(name))})))

    assert {what: (held.parameter, str(held.found)) for what, held in operation.held.items()} == (
        {} if NAMES[name] is None else {NAMES[name]: (name, "the parameter's name")}
    )
    assert operation.parameters[0].holds == NAMES[name]


def test_what_a_parameter_holds_is_known_by_the_segment_before_it(tmp_path: Path) -> None:
    """A parameter of any name after `employers`, `employees` or `calendarYears`, in three languages."""
    contract = loaded(
        tmp_path,
        document(
            {
                f"/{first}/{{a}}/{second}/{{b}}/{third}/{{c}}": item(*(path_parameter(name) for name in "abc"))
                for first, second, third in [
                    ("employers", "employees", "calendarYears"),
                    ("werkgevers", "werknemers", "kalenderjaren"),
                    ("employeurs", "travailleurs", "annees"),
                ]
            }
        ),
    )

    for operation in contract.operations:
        assert {what: held.parameter for what, held in operation.held.items()} == {
            "enterpriseNumber": "a",
            "ssin": "b",
            "year": "c",
        }
        assert {str(held.found) for held in operation.held.values()} == {"the path segment before it"}


def test_a_setting_goes_before_the_contract_and_the_contract_before_the_words(tmp_path: Path) -> None:
    """A setting says what a parameter holds, or that it holds nothing."""
    contract = document(
        {
            "/employers/{id}/{of}/{cbe}": item(
                path_parameter("id"),
                path_parameter("of", **{"x-fla-mock": {"holds": "enterpriseNumber"}}),
                path_parameter("cbe"),
            )
        }
    )

    def holder_of(holds: dict[str, str | None]) -> tuple[str, str]:
        held = only(loaded(tmp_path, contract, Reading(holds=holds))).held["enterpriseNumber"]
        return held.parameter, str(held.found)

    assert holder_of({}) == ("of", "x-fla-mock in the contract")
    assert holder_of({"id": "enterpriseNumber"}) == ("id", "a setting")
    assert holder_of({"of": None}) == ("cbe", "the parameter's name")
    assert holder_of({"of": None, "cbe": None}) == ("id", "the path segment before it")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "uuid"},
        {"type": "string", "maxLength": 8},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"type": "string", "enum": ["me"]},
        {"type": "boolean"},
    ],
)
def test_a_value_that_cannot_be_an_ssin_is_not_taken_for_one(tmp_path: Path, schema: dict[str, Any]) -> None:
    """An employee known by a UUID is not known by an SSIN."""
    contract = document({"/employees/{employeeId}": item(path_parameter("employeeId", schema=schema))})

    assert only(loaded(tmp_path, contract)).held == {}


def test_what_is_held_in_the_query_counts_when_the_path_has_none(tmp_path: Path) -> None:
    """The path says whose resource it is; a query only narrows it."""
    query = {"name": "kbo", "in": "query", "schema": {"type": "string"}}
    contract = loaded(tmp_path, document({"/x": item(query), "/employers/{id}": item(query, path_parameter("id"))}))

    assert [operation.held["enterpriseNumber"].location for operation in contract.operations] == ["query", "path"]


TEXTS = {"type": "array", "items": {"type": "string"}}
LISTS: dict[str, tuple[str, str, dict[str, Any], str | None]] = {
    "of a name": ("kbo", "query", TEXTS, "enterpriseNumber"),
    "of several": ("enterpriseNumbers", "query", TEXTS, "enterpriseNumber"),
    "of persons": ("ssins", "query", TEXTS, "ssin"),
    "of anything": ("niss", "query", {"type": "array"}, "ssin"),
    "by reference": (
        "cbe",
        "query",
        {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
        "enterpriseNumber",
    ),
    "of UUIDs": ("employeeIds", "query", {"type": "array", "items": {"type": "string", "format": "uuid"}}, None),
    "of objects": ("kbo", "query", {"type": "array", "items": {"type": "object"}}, None),
    "of another name": ("ids", "query", TEXTS, None),
    "in the path": ("kbo", "path", TEXTS, "enterpriseNumber"),
    "in a header": ("kbo", "header", TEXTS, "enterpriseNumber"),
    "no list": ("kbos", "query", {"type": "string"}, None),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_what_its_entries_are(tmp_path: Path, name: str) -> None:
    """Who asks for several enterprises at once has to be allowed to see each of them."""
    written, location, schema, what = LISTS[name]
    parameter = {"name": written, "in": location, "required": True, "schema": schema}
    template = f"/x/{{{written}}}" if location == "path" else "/x"
    schemas = {"A": {"type": "string", "minLength": 9}}

    operation = only(loaded(tmp_path, document({template: item(parameter)}, components={"schemas": schemas})))

    assert list(operation.held) == ([] if what is None else [what])
    assert operation.parameters[0].holds == what


def test_the_entries_of_a_list_of_swagger_2_are_looked_at_too(tmp_path: Path) -> None:
    """They stand in the parameter itself there; what is read of the query stays a list."""
    parameter = {"name": "kbo", "in": "query", "collectionFormat": "multi", **TEXTS}
    operation = only(loaded(tmp_path, document({"/x": item(parameter)}, "2.0")))

    inputs = operation.read_parameters({}, "kbo=0880820673&kbo=1999000021", lambda _: [])

    assert list(operation.held) == ["enterpriseNumber"]
    assert (inputs.issues, inputs.values["query", "kbo"]) == ([], ["0880820673", "1999000021"])


def test_our_own_contract_says_itself_what_is_held() -> None:
    """The access rules of the documented route rest on the contract, not on words."""
    contract = load(contract_file("fla-employer-v1.yaml"))

    for operation in contract.operations:
        assert {what: str(held.found) for what, held in operation.held.items()} == dict.fromkeys(
            ("enterpriseNumber", "ssin", "year"), "x-fla-mock in the contract"
        )
        assert operation.success is not None
        for answer in operation.answers:
            for content in answer.contents:
                for example in content.examples:
                    assert answer.issues(example) == []


def test_a_contract_that_a_framework_wrote_is_served_whole(caller: Caller, tmp_path: Path) -> None:
    """The description of the mock's own control API, made by FastAPI in OpenAPI 3.1, loads with all its operations."""
    written = caller.call("GET", "/_mock/openapi.json").json
    contract = loaded(tmp_path, written)

    assert (contract.version, contract.title) == ("3.1", written["info"]["title"])
    assert len(contract.operations) == sum(len(one.keys() - {"parameters"}) for one in written["paths"].values())
    for operation in contract.operations:
        assert contract.route(operation.template) is not None
        if operation.body is not None:
            assert operation.body.issues({}) is not None


def test_a_contract_of_many_operations_is_routed_like_a_small_one(tmp_path: Path) -> None:
    """Every one of 500 operations is found, and nothing is compiled before it is used."""
    paths = {
        f"/group{number % 10}/{{id}}/things{number}": item(path_parameter("id"), get=OK, put=OK)
        for number in range(250)
    }
    contract = loaded(tmp_path, document(paths))

    assert len(contract.operations) == 500
    for template in paths:
        route = contract.route(template.replace("{id}", "x"))
        assert route is not None
        assert (route.template, route.values) == (template, {"id": "x"})


JUNK: list[Any] = [None, 1, "x", [], {}, True, {"$ref": "#"}, {"$ref": "#/paths"}, [None], {"": None}]


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the way to every value within a value."""
    names: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return [way for name in names for way in [(*path, name), *places(value[name], (*path, name))]]


def with_junk(contract: Any, way: tuple[str | int, ...], junk: Any) -> Any:
    """Return a contract with junk in one place."""
    changed = json.loads(json.dumps(contract))
    inner = changed
    for part in way[:-1]:
        inner = inner[part]
    inner[way[-1]] = junk
    return changed


@pytest.mark.parametrize("turn", range(len(JUNK)))
@pytest.mark.parametrize("version", SPELLINGS)
def test_junk_anywhere_is_refused_or_served(tmp_path: Path, version: str, turn: int) -> None:
    """Whatever stands wherever in a contract: it is refused as a contract, or its operation works whole."""
    good = notes(version)
    for number, way in enumerate(places(good)):
        path = tmp_path / "contract.json"
        path.write_text(json.dumps(with_junk(good, way, JUNK[(number + turn) % len(JUNK)])), encoding="utf-8")
        operations: tuple[Operation, ...] = ()
        with contextlib.suppress(ContractError):
            operations = load(path).operations
        for operation in operations:
            names = {one.name: "1" for one in operation.parameters if one.location == "path"}
            operation.read_parameters(names, "tags=1&page=x", lambda _name: ["1"])
            if operation.body is not None:
                operation.body.issues({"id": 1})
            for answer in operation.answers:
                value = {"id": 1, "replies": [{}]}
                answer.issues(value if answer.json is None else answer.json.visible(value))


def test_a_member_that_goes_one_way_has_to_be_a_schema_too(tmp_path: Path) -> None:
    """It is found at start, not in the first answer that has it."""
    told = refusal(tmp_path, with_schema({"properties": {"id": {"readOnly": True, "type": "strin"}}}))

    assert "schema.properties.id.type (line 1): expected a type" in told
