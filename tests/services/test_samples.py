"""Values built from schemas: always valid, always the same, and like what the contract itself shows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.services.catalogue import contract_file
from mock_server.services.documents.files import Files
from mock_server.services.documents.patterns import Pattern, PatternError
from mock_server.services.documents.reader import Reading, read
from mock_server.services.documents.report import Report
from mock_server.services.documents.samples import MAX_ENTRIES, NoSampleError, sample
from mock_server.services.documents.schemas import Direction, Schemas, Version
from mock_server.services.documents.shape import ContentShape, Schema

UUID = "123e4567-e89b-42d3-a456-426614174000"
OLD, MODERN, SWAGGER = Version.OPENAPI_3_0, Version.OPENAPI_3_1, Version.SWAGGER_2


def schema_of(folder: Path, version: Version, schema: Any, **others: Any) -> Schema:
    """Return a schema of a contract whose other schemas lie beside it."""
    path = folder / "schemas.json"
    path.write_text(json.dumps({"it": schema} | others), encoding="utf-8")
    report = Report(path)
    files = Files(path, None, report)
    schemas = Schemas(files, version, ignore_read_only=False)
    made = Schema(schemas, files.root().at("it"))
    schemas.check()
    report.raise_if_any(files.line)
    return made


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


NODE = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "parts": {}, "next": {}}}
NODE |= {"properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/node"}}}}
CAT = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}}
DOG = {
    "type": "object",
    "required": ["kind", "tail"],
    "properties": {"kind": {"type": "string"}, "tail": {"enum": [1]}},
}
PET = {
    "oneOf": [{"$ref": "#/Cat"}, {"$ref": "#/Dog"}],
    "discriminator": {"propertyName": "kind", "mapping": {"miaow": "#/Cat", "woof": "Dog"}},
}

CASES: dict[str, tuple[Version, Any, Any]] = {
    # What the contract gives.
    "an example": (OLD, {"type": "string", "example": "Ghent"}, "Ghent"),
    "an example that is not valid": (OLD, {"type": "integer", "example": "seven"}, 1),
    "examples, the first that is valid": (MODERN, {"type": "integer", "examples": ["x", 7, 8]}, 7),
    "a default": (OLD, {"type": "string", "default": "nl"}, "nl"),
    "a const": (MODERN, {"const": {"a": 1}}, {"a": 1}),
    "an enum": (OLD, {"type": "string", "enum": ["hours", "days"]}, "hours"),
    "an enum with null in front": (OLD, {"type": "string", "nullable": True, "enum": [None, "a"]}, "a"),
    "two enums": (OLD, {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, "b"),
    "examples of parts": (
        OLD,
        {"allOf": [{"required": ["a"], "example": {"a": 1}}, {"required": ["b"], "example": {"b": 2}}]},
        {"a": 1, "b": 2},
    ),
    "an example that looks like a reference": (
        MODERN,
        {"type": "object", "examples": [{"$ref": "#/$defs/99"}]},
        {"$ref": "#/$defs/99"},
    ),
    # Types.
    "text": (OLD, {"type": "string"}, "text"),
    "a whole number": (SWAGGER, {"type": "integer", "format": "int32"}, 1),
    "true or false": (OLD, {"type": "boolean"}, True),
    "null": (MODERN, {"type": "null"}, None),
    "anything": (OLD, {}, {}),
    "one of several types": (MODERN, {"type": ["null", "integer", "string"]}, 1),
    "an alternative beside null": (MODERN, {"anyOf": [{"type": "null"}, {"type": "string"}]}, "text"),
    "nullable without a type": (OLD, {"nullable": True, "allOf": [{"type": "string"}]}, "text"),
    # Texts.
    "a long text": (OLD, {"type": "string", "minLength": 9}, "text text"),
    "a short text": (OLD, {"type": "string", "maxLength": 2}, "te"),
    "no text": (OLD, {"type": "string", "maxLength": 0}, ""),
    "a pattern": (OLD, {"type": "string", "pattern": "^[0-9]{11}$"}, "12345678901"),
    "a pattern with a length": (OLD, {"type": "string", "pattern": "^[A-Z]+$", "minLength": 3}, "ABC"),
    "two patterns": (OLD, {"allOf": [{"type": "string", "pattern": "^[a-z]*$"}, {"pattern": "^x"}]}, "x"),
    "a date": (OLD, {"type": "string", "format": "date"}, "2025-01-15"),
    "a moment": (OLD, {"type": "string", "format": "date-time"}, "2025-01-15T09:00:00Z"),
    "a UUID": (OLD, {"type": "string", "format": "uuid"}, UUID),
    "a date with a pattern": (OLD, {"type": "string", "format": "date", "pattern": "^20"}, "2025-01-15"),
    "base64 of a length": (SWAGGER, {"type": "string", "format": "byte", "minLength": 10}, "dGV4dGV4dA=="),
    "base64 in 3.1": (MODERN, {"type": "string", "contentEncoding": "base64"}, "dGV4dA=="),
    # Numbers.
    "a least number": (OLD, {"type": "integer", "minimum": 2023}, 2023),
    "more than": (OLD, {"type": "number", "minimum": 3, "exclusiveMinimum": True}, 4),
    "more than, in 3.1": (MODERN, {"type": "integer", "exclusiveMinimum": 3}, 4),
    "between two whole ones": (OLD, {"type": "number", "minimum": 1.25, "maximum": 1.75}, 1.5),
    "a multiple": (OLD, {"type": "number", "multipleOf": 0.25, "minimum": 0.3}, 0.5),
    "a small multiple": (OLD, {"type": "number", "multipleOf": 0.01, "maximum": 0.02}, 0.02),
    "two multiples": (OLD, {"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6}]}, 12),
    "a negative number": (OLD, {"type": "integer", "maximum": -5}, -5),
    # Objects.
    "members that may be absent": (OLD, {"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1}),
    "a member that cannot be": (OLD, {"properties": {"a": {"type": "integer"}, "b": {"not": {}}}}, {"a": 1}),
    "a required member that is not named": (OLD, {"type": "object", "required": ["a"]}, {"a": {}}),
    "a map": (OLD, {"type": "object", "additionalProperties": {"type": "integer"}}, {"key1": 1}),
    "two members of a map": (
        OLD,
        {"additionalProperties": {"type": "boolean"}, "minProperties": 2},
        {"key1": True, "key2": True},
    ),
    "at most one member": (OLD, {"maxProperties": 1, "properties": {"a": {"enum": [1]}, "b": {"enum": [2]}}}, {"a": 1}),
    "names of a pattern": (
        MODERN,
        {"type": "object", "patternProperties": {"^x-[0-9]$": {"const": 3}}, "additionalProperties": False},
        {"x-1": 3},
    ),
    "names with a rule": (
        MODERN,
        {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[A-Z]{2}$"}},
        {"AB": {}},
    ),
    "members that ask for others": (
        MODERN,
        {"properties": {"a": {"const": 1}}, "required": ["a"], "dependentRequired": {"a": ["b"]}},
        {"a": 1, "b": {}},
    ),
    "a schema that depends": (
        MODERN,
        {"required": ["a"], "properties": {"a": {"const": 1}}, "dependentSchemas": {"a": {"required": ["c"]}}},
        {"a": 1, "c": {}},
    ),
    "nothing that was not looked at": (
        MODERN,
        {"allOf": [{"properties": {"a": {"const": 1}}}], "required": ["a"], "unevaluatedProperties": False},
        {"a": 1},
    ),
    "allOf": (
        OLD,
        {
            "allOf": [
                {"required": ["a"], "properties": {"a": {"minimum": 2}}},
                {"properties": {"a": {"type": "integer"}}},
            ]
        },
        {"a": 2},
    ),
    # Lists.
    "a list": (OLD, {"type": "array", "items": {"type": "string"}}, ["text"]),
    "a list of none": (OLD, {"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
    "a list of entries that cannot be": (OLD, {"type": "array", "items": {"not": {}}}, []),
    "different entries": (
        OLD,
        {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
        ["text", "text1", "text2"],
    ),
    "different entries of an enum": (
        OLD,
        {"type": "array", "items": {"enum": [1, 2]}, "minItems": 2, "uniqueItems": True},
        [1, 2],
    ),
    "different objects": (
        OLD,
        {
            "type": "array",
            "items": {"properties": {"a": {"type": "integer"}}, "type": "object"},
            "minItems": 2,
            "uniqueItems": True,
        },
        [{"a": 1}, {"a": 2}],
    ),
    "positions": (
        MODERN,
        {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": {"const": 3}, "minItems": 3},
        [1, 2, 3],
    ),
    "a list that contains": (MODERN, {"type": "array", "items": {"type": "string"}, "contains": {"const": "x"}}, ["x"]),
    # Alternatives.
    "one of two": (OLD, {"oneOf": [{"type": "string"}, {"type": "integer"}]}, "text"),
    "the alternative that can be": (OLD, {"type": "integer", "oneOf": [{"type": "string"}, {"minimum": 5}]}, 5),
    "only one of two that are alike": (
        OLD,
        {"oneOf": [{"properties": {"a": {"enum": [1]}}}, {"properties": {"b": {"type": "string"}}}], "type": "object"},
        {"a": 1, "b": []},
    ),
    "one of these members": (
        OLD,
        {
            "type": "object",
            "properties": {"a": {"enum": [1]}, "b": {"enum": [2]}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        {"a": 1},
    ),
    "a discriminator": (OLD, {"$ref": "#/Pet"}, {"kind": "miaow", "lives": 1}),
    "if and then": (
        MODERN,
        {
            "properties": {"a": {"const": 1}},
            "if": {"required": ["a"]},
            "then": {"required": ["b"], "properties": {"b": {"const": 2}}},
        },
        {"a": 1, "b": 2},
    ),
    "not": (OLD, {"type": "string", "not": {"enum": ["text"]}}, "text1"),
    # Circles.
    "a circle through a list": (OLD, {"$ref": "#/node"}, {"name": "text", "parts": []}),
    "a circle that ends in null": (
        MODERN,
        {
            "type": "object",
            "required": ["next"],
            "properties": {"next": {"anyOf": [{"$ref": "#/it"}, {"type": "null"}]}},
        },
        {"next": None},
    ),
    "the same schema twice": (
        OLD,
        {"allOf": [{"$ref": "#/Cat"}], "anyOf": [{"$ref": "#/Cat"}]},
        {"kind": "text", "lives": 1},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_sample_is_what_one_would_write(tmp_path: Path, name: str) -> None:
    """Each word of a schema is heeded, what the contract gives goes first, and nothing is left to chance."""
    version, written, expected = CASES[name]
    schema = schema_of(tmp_path, version, written, node=NODE, Cat=CAT, Dog=DOG, Pet=PET)

    made = sample(schema)

    schema.validator(Direction.RESPONSE).validate(made)
    assert same(made, sample(schema))
    assert same(made, expected)


FORMATS = [
    "date",
    "date-time",
    "time",
    "duration",
    "uuid",
    "email",
    "idn-email",
    "uri",
    "iri",
    "url",
    "uri-reference",
    "iri-reference",
    "uri-template",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "byte",
    "binary",
    "password",
    "regex",
    "json-pointer",
    "relative-json-pointer",
    "unheard-of",
]


@pytest.mark.parametrize("version", [SWAGGER, OLD, MODERN])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_as_many_values_as_a_list_may_want(tmp_path: Path, version: Version, name: str) -> None:
    """Three entries that differ, of each format."""
    items = {"type": "string", "format": name}
    schema = schema_of(tmp_path, version, {"type": "array", "items": items, "minItems": 3, "uniqueItems": True})

    made = sample(schema)

    schema.validator(Direction.RESPONSE).validate(made)
    assert len(set(made)) == 3


PATTERNS = [
    r"^[01]?[0-9]{9}$",
    r"^\d{4}-(0[1-9]|1[0-2])$",
    r"[a-z]+",
    r"^(?:a|bc){2,3}$",
    r"^([xy])-\1$",
    r"^(?<one>[xy])$",
    r"^\p{Lu}\p{L}*$",
    r"^[^\s/]{3,}$",
    r"^\S(.*\S)?$",
    r"^(?=.*\d)(?=.*[A-Z])[A-Za-z\d]{8,}$",
    r"^(?!0000)\d{4}$",
    r"^\u00e9\x41\.$",
    r"^[\w.-]+@[\w-]+\.be$",
    r"^BE[0-9]{2}( [0-9]{4}){3}$",
    r"^$",
    r"^a*?b+$",
    r"^[\]\-\\]$",
    r"^(a(b(c)?)?)?$",
    r"^.{5}$",
    r"^[^a-z]$",
    r"\bword\b",
    r"^(\+32|0)[1-9]\d{7,8}$",
    r"^x{0}y$",
    r"^a|b$",
    r"^[A-Z0-9_]{1,40}$",
    r"^(?i)abc$",
    r"^[$]{2}\$$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_has_a_text(tmp_path: Path, pattern: str) -> None:
    """The ways of writing patterns that contracts have are all understood."""
    schema = schema_of(tmp_path, MODERN, {"type": "string", "pattern": pattern})

    schema.validator(Direction.RESPONSE).validate(sample(schema))


@pytest.mark.parametrize(
    "pattern",
    [
        "(a",
        "a)",
        "[a",
        "a\\",
        "(?<n",
        "(?%a)",
        r"\p{Klingon}",
        "[^\\s\\S]",
        "(" * 60 + ")" * 60,
        "a" * 20_000,
        "(a{9999}){9999}",
    ],
)
def test_a_pattern_that_is_not_understood_is_told(pattern: str) -> None:
    """It ends at once, whatever it asks for."""
    with pytest.raises(PatternError):
        Pattern(pattern)


def test_what_goes_the_other_way_is_left_out(tmp_path: Path) -> None:
    """A sample for an answer has no write-only member and one for a request no read-only one, in examples too."""
    members = {"id": {"type": "integer", "readOnly": True}, "pin": {"type": "string", "writeOnly": True}}
    built = {"type": "object", "required": ["id", "pin"], "properties": members}
    given_ = built | {"example": {"id": 7, "pin": "1234"}}
    schema = schema_of(tmp_path, OLD, {"properties": {"built": built, "given": given_}})

    assert sample(schema, Direction.RESPONSE) == {"built": {"id": 1}, "given": {"id": 7}}
    assert sample(schema, Direction.REQUEST) == {"built": {"pin": "text"}, "given": {"pin": "1234"}}


def test_a_sample_may_be_changed(tmp_path: Path) -> None:
    """It is the caller's own: the next one is as the first was."""
    schema = schema_of(tmp_path, OLD, {"type": "object", "example": {"a": [1]}})

    sample(schema)["a"].append(2)

    assert sample(schema) == {"a": [1]}


def test_without_a_schema_there_is_an_empty_object() -> None:
    """Any value will do."""
    assert sample(None) == {}


DOOMED: dict[str, tuple[Any, str]] = {
    "a member without end": (
        {"type": "object", "required": ["it"], "properties": {"it": {"$ref": "#/it"}}},
        "it: the schema needs itself",
    ),
    "types that exclude each other": ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "cannot be had together"),
    "a list that is too long": ({"type": "array", "minItems": MAX_ENTRIES + 1}, f"at least {MAX_ENTRIES + 1} entries"),
    "more entries than there are": (
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True},
        "expected 3 different entries, and only 2 can be built",
    ),
    "more members than there are": (
        {"type": "object", "properties": {"a": {}}, "additionalProperties": False, "minProperties": 2},
        "expected at least 2 members, and only 1",
    ),
    "a place deep down": (
        {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["a"], "properties": {"a": {"not": {}}}},
        },
        "[0].a: ",
    ),
}


@pytest.mark.parametrize("name", DOOMED)
def test_what_cannot_be_built_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    """The reason is in words, and names the member or the entry."""
    written, told = DOOMED[name]

    with pytest.raises(NoSampleError) as refused:
        sample(schema_of(tmp_path, OLD, written))

    assert told in str(refused.value)


def test_a_schema_that_grows_without_bounds_ends(tmp_path: Path) -> None:
    """Twenty required members, each of twenty, six levels deep: it is given up after so many steps."""
    levels: dict[str, Any] = {
        f"l{level}": {
            "required": [f"m{number}" for number in range(20)],
            "additionalProperties": {"$ref": f"#/l{level + 1}"} if level < 5 else {"type": "string"},
        }
        for level in range(6)
    }

    with pytest.raises(NoSampleError, match="steps"):
        sample(schema_of(tmp_path, OLD, {"$ref": "#/l0"}, **levels))


def test_what_is_optional_stays_small(tmp_path: Path) -> None:
    """Ten members, each of ten of the next kind: the sample is lifelike at the top, and ends."""
    levels: dict[str, Any] = {
        f"l{level}": {
            "type": "object",
            "properties": {f"m{number}": {"$ref": f"#/l{(level + 1) % 8}"} for number in range(10)},
        }
        for level in range(8)
    }

    made = sample(schema_of(tmp_path, OLD, {"$ref": "#/l0"}, **levels))

    assert len(made) == 10
    assert len(json.dumps(made)) < 1_000_000


@pytest.mark.parametrize("api", ["fla-employer", "fla-training-provider"])
def test_every_body_and_answer_of_our_contracts_has_a_sample(api: str) -> None:
    """What our contracts describe can be built, each body and each answer."""
    document = read(contract_file(f"{api}-v1.yaml"), None, Reading())
    contents: list[tuple[ContentShape, Direction]] = []
    for operation in document.operations:
        contents += [(one, Direction.REQUEST) for one in (operation.body.contents if operation.body else ())]
        contents += [(one, Direction.RESPONSE) for answer in operation.answers for one in answer.contents]

    assert contents
    for content, direction in contents:
        assert content.schema is not None
        content.schema.validator(direction).validate(sample(content.schema, direction))


NAMES = st.sampled_from("abcd")
COUNTS = st.integers(0, 3)


def drawn(version: Version, depth: int = 2) -> st.SearchStrategy[Any]:
    """Draw schemas, sensible ones and others."""
    texts = {
        "minLength": COUNTS,
        "maxLength": st.integers(2, 20),
        "pattern": st.sampled_from(PATTERNS[:8]),
        "format": st.sampled_from(FORMATS),
    }
    numbers = {"minimum": st.integers(-3, 3), "maximum": st.integers(2, 9), "multipleOf": st.sampled_from([1, 0.5, 3])}
    leaf = st.one_of(
        st.fixed_dictionaries({"type": st.just("string")}, optional=texts),
        st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional=numbers),
        st.sampled_from([{"type": "boolean"}, {}, {"enum": ["x", None, {"a": 1}]}, {"$ref": "#/A"}, {"$ref": "#/B"}]),
    )
    if not depth:
        return leaf
    inner = st.deferred(lambda: drawn(version, depth - 1))
    some = st.lists(inner, min_size=1, max_size=2)
    members: dict[str, Any] = {
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "required": st.lists(NAMES, min_size=1, max_size=2, unique=True),
        "additionalProperties": st.booleans() | inner,
        "minProperties": COUNTS,
        "maxProperties": COUNTS,
    }
    entries: dict[str, Any] = {"minItems": COUNTS, "maxItems": COUNTS, "uniqueItems": st.booleans()}
    composed: dict[str, Any] = {"allOf": some, "oneOf": some, "anyOf": some, "not": inner}
    if version is MODERN:
        members |= {
            "patternProperties": st.dictionaries(st.just("^a"), inner, max_size=1),
            "unevaluatedProperties": st.just(value=False),
        }
        entries |= {"contains": inner, "prefixItems": some}
        composed |= {"if": inner, "then": inner, "else": inner}
    whole = st.one_of(
        st.fixed_dictionaries({"type": st.just("object")}, optional=members),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional=entries),
        leaf,
    )
    return st.one_of(whole, st.builds(dict.__or__, whole, st.fixed_dictionaries({}, optional=composed)))


@pytest.mark.parametrize("version", [OLD, MODERN])
@settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_schema_a_sample_is_valid_or_refused(
    tmp_path: Path, version: Version, data: st.DataObject
) -> None:
    """No schema makes it fail in another way, or answer with what is not valid."""
    written, first, second = (data.draw(drawn(version, depth)) for depth in (2, 1, 1))
    try:
        schema = schema_of(tmp_path, version, written, A=first, B=second)
    except ValueError:
        return  # it is part of itself, which is refused at start
    try:
        made = sample(schema)
    except NoSampleError:
        return
    schema.validator(Direction.RESPONSE).validate(made)
