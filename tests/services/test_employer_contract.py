"""The employers' contract: valid, honest about its sources, and strict where a client sends."""

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import jsonschema_rs
import openapi_spec_validator
import pytest
import yaml

FOLDER: Final = Path(__file__).resolve().parents[2] / "openapi"
FILE: Final = FOLDER / "fla-employer-v1.yaml"
CONTRACT: Final[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
ROUTE: Final = "/employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings"
EMPLOYER_SCOPE: Final = "scope:sigedis:gestion:careerpro-federal-learning-account:employer"
MANDATARY_SCOPE: Final = "scope:sigedis:gestion:careerpro-federal-learning-account:provider"

LABEL: Final = "x-provenance"
LEVELS: Final = frozenset({"documented", "platform", "assumed"})

# What may stand in each kind of object: a member that leads to other objects names how (one, a list, a map) and which
# kind; PLAIN members are not looked into. A member in neither table is reported, so that nothing is passed over.
PARTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "document": {
        "info": ("one", "info"),
        "servers": ("list", "server"),
        "tags": ("list", "tag"),
        "paths": ("map", "path item"),
        "components": ("one", "components"),
    },
    "components": {
        "schemas": ("map", "named schema"),
        "parameters": ("map", "parameter"),
        "headers": ("map", "header"),
        "requestBodies": ("map", "request body"),
        "responses": ("map", "response"),
        "securitySchemes": ("map", "security scheme"),
    },
    "path item": {"parameters": ("list", "parameter")}
    | dict.fromkeys(("get", "put", "post", "delete", "options", "head", "patch", "trace"), ("one", "operation")),
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "request body"),
        "responses": ("map", "response"),
    },
    "parameter": {"schema": ("one", "schema")},
    "header": {"schema": ("one", "schema")},
    "request body": {"content": ("map", "media type")},
    "response": {"headers": ("map", "header"), "content": ("map", "media type")},
    "media type": {"schema": ("one", "schema")},
    "schema": {
        "properties": ("map", "property"),
        "items": ("one", "schema"),
        "not": ("one", "schema"),
        "additionalProperties": ("one", "schema"),
        "allOf": ("list", "schema part"),
        "anyOf": ("list", "schema"),
        "oneOf": ("list", "schema"),
    },
    "security scheme": {"flows": ("one", "flows")},
    "flows": {"clientCredentials": ("one", "flow")},
}
PLAIN: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "document": "openapi security",
        "info": "title version description license",
        "server": "url description",
        "tag": "name description",
        "path item": "summary description",
        "operation": "operationId summary description tags security deprecated",
        "parameter": "name in required description example examples",
        "header": "required description example examples",
        "request body": "required description",
        "response": "description",
        "media type": "example examples",
        "schema": "type format title description enum required default example pattern minLength maxLength minimum "
        "maximum exclusiveMinimum exclusiveMaximum minItems maxItems readOnly writeOnly deprecated",
        "security scheme": "type description",
        "flow": "tokenUrl scopes",
    }.items()
}
# A property and a named schema are schemas in another place, and so are the parts of an allOf.
SAME_AS: Final = {"named schema": "schema", "property": "schema", "schema part": "schema"}
# A part of an allOf is covered by the whole; what is below it is not.
UNLABELLED: Final = frozenset({"document", "components", "media type", "flows", "schema part"})
# What a bare reference stands for is labelled where it is defined; that a member exists is not said there.
NEVER_BARE: Final = frozenset({"property", "named schema"})

Node: TypeAlias = Any


class Element(NamedTuple):
    """One object of the document: where it is (a JSON pointer), which kind it is, and itself."""

    pointer: str
    kind: str
    node: Node

    @property
    def is_reference(self) -> bool:
        """Whether it only points to another object."""
        return set(self.node) == {"$ref"} and self.kind not in NEVER_BARE

    @property
    def needs_label(self) -> bool:
        """Whether it must say where it comes from."""
        return self.kind not in UNLABELLED and not self.is_reference


def walk(node: Node, kind: str = "document", pointer: str = "") -> Iterator[Element]:
    """Yield the object and all below it."""
    yield Element(pointer, kind, node)
    for name, (shape, child_kind) in PARTS.get(SAME_AS.get(kind, kind), {}).items():
        child = node.get(name)
        if child is None or isinstance(child, bool):
            continue
        below = f"{pointer}/{name}"
        if shape == "one":
            yield from walk(child, child_kind, below)
        else:
            for key, value in child.items() if shape == "map" else enumerate(child):
                yield from walk(value, child_kind, f"{below}/{str(key).replace('~', '~0').replace('/', '~1')}")


def label_faults(document: Node) -> dict[str, str]:
    """Return what is wrong with the labels of a document, by the pointer of the element."""
    return {element.pointer: fault for element in walk(document) if (fault := label_fault(element))}


def label_fault(element: Element) -> str | None:
    """Return what is wrong with the label of one element, or nothing."""
    if element.is_reference:
        return None
    if "$ref" in element.node:
        return "a reference, which cannot carry a label"
    kind = SAME_AS.get(element.kind, element.kind)
    known = PARTS.get(kind, {}).keys() | PLAIN.get(kind, frozenset())
    if unknown := {key for key in element.node if not key.startswith("x-")} - known:
        return f"members that nothing here knows: {sorted(unknown)}"
    if element.needs_label and not is_label(element.node.get(LABEL)):
        return "no label with a level and a source"
    return None


def is_label(value: Node) -> bool:
    """Tell whether a value is one of the levels with a source, and nothing more."""
    if not isinstance(value, dict) or value.keys() != {"level", "source"}:
        return False
    return value["level"] in LEVELS and isinstance(value["source"], str) and bool(value["source"].strip())


def at(document: Node, pointer: str) -> Node:
    """Return what a JSON pointer, or a reference within the document, points to."""
    node = document
    for step in pointer.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


def resolved(node: Node) -> Node:
    """Return the object, or the one that it refers to."""
    return at(CONTRACT, node["$ref"]) if "$ref" in node else node


def pointers(level: str) -> set[str]:
    """Return where the contract claims a level."""
    return {e.pointer for e in walk(CONTRACT) if e.needs_label and e.node[LABEL]["level"] == level}


def validator(schema: Node) -> jsonschema_rs.Draft4Validator:
    """Make a validator of a schema of the contract; OpenAPI 3.0's keywords mean what they mean in draft 4."""
    root = {"allOf": [schema], "components": CONTRACT["components"]}
    return jsonschema_rs.Draft4Validator(root, validate_formats=True)


def schemas_below(schema: Node) -> Iterator[Node]:
    """Yield a schema and all that it is made of, references followed; the contract has no circles."""
    for element in walk(schema, "schema"):
        if "$ref" in element.node:
            yield from schemas_below(resolved(element.node))
        else:
            yield element.node


OPERATIONS: Final[Mapping[str, Node]] = {m: CONTRACT["paths"][ROUTE][m] for m in ("put", "get")}
REQUEST: Final[Node] = resolved(OPERATIONS["put"]["requestBody"])["content"]["application/json"]["schema"]
ANSWER: Final[Node] = resolved(OPERATIONS["put"]["responses"]["200"])["content"]["application/json"]["schema"]
LABELLED: Final = [element.pointer for element in walk(CONTRACT) if element.needs_label]


def test_it_is_openapi_3_0() -> None:
    """The file is a valid OpenAPI 3.0 document."""
    assert CONTRACT["openapi"].startswith("3.0.")
    openapi_spec_validator.validate(CONTRACT)


def test_every_element_says_where_it_comes_from() -> None:
    """Every element has a level and a source."""
    assert label_faults(CONTRACT) == {}


def test_no_label_is_out_of_sight() -> None:
    """The labels that a search for the word finds are the ones that the walker visits."""
    assert len(LABELLED) == sum(1 for _ in re.finditer(rf"^\s*{LABEL}:", FILE.read_text("utf-8"), re.MULTILINE))


def test_a_removed_label_is_found_everywhere() -> None:
    """Whatever element loses its label, exactly that one is reported."""
    document = copy.deepcopy(CONTRACT)
    for pointer in LABELLED:
        label = at(document, pointer).pop(LABEL)
        assert {pointer} == label_faults(document).keys()
        at(document, pointer)[LABEL] = label


@pytest.mark.parametrize(
    ("pointer", "key", "value"),
    [
        ("/components/schemas/Training/properties", "cost", {"type": "number"}),
        ("/components/schemas/Training/properties", "cost", {"$ref": "#/components/schemas/DurationValue"}),
        ("/components/schemas/InputValidationProblem/allOf/1/properties", "hint", {"type": "string"}),
        ("/components/schemas/Training/properties/name", "anyOf", [{"type": "string"}]),
        ("/components/schemas/Problem", "additionalProperties", {"type": "string"}),
        ("/components/schemas", "Sector", {"type": "string", "enum": ["304", "305"]}),
        ("/components/schemas/ForbiddenProblem/allOf/1/properties/requiredScopes", "items", {"type": "string"}),
        ("/components/schemas/Training", "patternProperties", {}),
        ("/components/responses/Trainings/headers", "ETag", {"schema": {"$ref": "#/components/schemas/TrainingName"}}),
        ("/components/responses/NotFound/content", "text/plain", {"schema": {"type": "string"}}),
        ("/components/parameters", "Page", {"name": "page", "in": "query", "schema": REQUEST}),
        (f"/paths/{ROUTE.replace('/', '~1')}/put/responses", "409", {"description": "A conflict."}),
        (f"/paths/{ROUTE.replace('/', '~1')}", "delete", {"responses": {}}),
        (f"/paths/{ROUTE.replace('/', '~1')}", "servers", [{"url": "/REST"}]),
        ("/paths", "/employers", {}),
        ("", "tags", [{"name": "trainings"}]),
        ("", "webhooks", {}),
    ],
)
def test_a_new_element_without_label_is_found(pointer: str, key: str, value: Node) -> None:
    """An addition that does not say where it comes from is reported, whatever it is."""
    document = copy.deepcopy(CONTRACT)
    at(document, pointer)[key] = value
    assert len(label_faults(document)) == 1


@pytest.mark.parametrize(
    "label",
    [
        None,
        "assumed",
        {"level": "assumed"},
        {"source": "G§7.3.1"},
        {"level": "certain", "source": "G§7.3.1"},
        {"level": "assumed", "source": " "},
        {"level": "assumed", "source": None},
        {"level": "assumed", "source": "ours", "note": "none"},
    ],
)
def test_a_label_of_another_form_is_found(label: Node) -> None:
    """A label is one of three levels and a source, no less and no more."""
    document = copy.deepcopy(CONTRACT)
    document["info"][LABEL] = label
    assert {"/info"} == label_faults(document).keys()


def test_documented_is_what_the_guide_shows() -> None:
    """One route, its one call, its three path parameters and the scopes are documented, and nothing else is."""
    path = f"/paths/{ROUTE.replace('/', '~1')}"
    assert {
        path,
        f"{path}/put",
        "/components/parameters/EnterpriseNumber",
        "/components/parameters/Ssin",
        "/components/parameters/Year",
        "/components/securitySchemes/socialSecurity/flows/clientCredentials",
    } == pointers("documented")


def test_documented_names_a_section_of_the_guide() -> None:
    """What is called documented can be looked up in the guide."""
    sources = [at(CONTRACT, pointer)[LABEL]["source"] for pointer in pointers("documented")]
    assert [source for source in sources if not re.match(r"G§\d", source)] == []


def test_platform_is_errors_tracing_and_tokens() -> None:
    """Only errors, tracing and the kind of security are called platform; nothing about trainings is."""
    assert {
        "parameters/TraceId",
        "headers/TraceId",
        "headers/Challenge",
        "headers/ScopeChallenge",
        "headers/RetryAfter",
        "responses/BadRequest",
        "responses/Unauthorized",
        "responses/Forbidden",
        "responses/NotFound",
        "responses/PayloadTooLarge",
        "responses/UnsupportedMediaType",
        "responses/InternalServerError",
        "responses/ServiceUnavailable",
        "schemas/Problem",
        "schemas/InputValidationProblem",
        "schemas/InputValidationIssue",
        "schemas/Input",
        "schemas/ForbiddenProblem",
        "schemas/PayloadTooLargeProblem",
        "schemas/ServiceUnavailableProblem",
        "securitySchemes/socialSecurity",
    } == {"/".join(pointer.removeprefix("/components/").split("/")[:2]) for pointer in pointers("platform")}


def test_platform_names_a_text_of_the_platform() -> None:
    """What is called platform can be looked up at Belgif, in the developer guide or in an RFC."""
    sources = [at(CONTRACT, pointer)[LABEL]["source"] for pointer in pointers("platform")]
    assert [source for source in sources if not re.match(r"Belgif |developer guide|RFC \d", source)] == []


def test_the_scopes_are_the_two_documented_ones() -> None:
    """No third scope hides below the documented label."""
    flow = CONTRACT["components"]["securitySchemes"]["socialSecurity"]["flows"]["clientCredentials"]
    assert {EMPLOYER_SCOPE, MANDATARY_SCOPE} == flow["scopes"].keys()


@pytest.mark.parametrize("method", OPERATIONS)
def test_either_scope_is_enough(method: str) -> None:
    """An employer's token and a mandatary's are alternatives, never both needed."""
    expected = [{"socialSecurity": [EMPLOYER_SCOPE]}, {"socialSecurity": [MANDATARY_SCOPE]}]
    assert expected == OPERATIONS[method]["security"]


def test_the_server_is_told_what_the_path_holds() -> None:
    """Each path parameter says what it identifies, so that access rules find it whatever its name."""
    parameters = map(resolved, CONTRACT["paths"][ROUTE]["parameters"])
    holds = {
        parameter["name"]: parameter["x-fla-mock"]["holds"] for parameter in parameters if parameter["in"] == "path"
    }
    assert holds == {"enterpriseNumber": "enterpriseNumber", "ssin": "ssin", "year": "year"}


def with_example() -> Iterator[tuple[str, Node, Node]]:
    """Yield each example with its schema and the pointer of the object that holds it."""
    for pointer, kind, node in walk(CONTRACT):
        if "example" in node:
            yield pointer, node.get("schema", node), node["example"]
        if kind == "media type":
            for name, example in node.get("examples", {}).items():
                yield f"{pointer}/{name}", node["schema"], example["value"]


@pytest.mark.parametrize(("schema", "example"), [pytest.param(s, e, id=pointer) for pointer, s, e in with_example()])
def test_examples_follow_their_schema(schema: Node, example: Node) -> None:
    """An example is what its own schema accepts."""
    validator(schema).validate(example)


def test_whatever_travels_has_an_example() -> None:
    """Each body, parameter and header shows one."""
    shown = [e for e in walk(CONTRACT) if e.kind in {"media type", "parameter", "header"} and not e.is_reference]
    assert shown
    assert [e.pointer for e in shown if not e.node.keys() & {"example", "examples"}] == []


def test_examples_name_nobody_else() -> None:
    """The only company and citizen in the file are those of the guide's own example."""
    assert {"0880820673", "65111899997"} == set(re.findall(r"\b[0-9]{9,11}\b", FILE.read_text("utf-8")))


@pytest.mark.parametrize(
    ("parameter", "value", "accepted"),
    [
        ("EnterpriseNumber", "0880820673", True),
        ("EnterpriseNumber", "880820673", True),  # as the guide prints it (G§7.3.1)
        ("EnterpriseNumber", "1880820673", True),
        ("EnterpriseNumber", "2880820673", False),
        ("EnterpriseNumber", "80820673", False),
        ("EnterpriseNumber", "00880820673", False),
        ("EnterpriseNumber", "0880.820.673", False),
        ("EnterpriseNumber", "٠٨٨٠٨٢٠٦٧٣", False),
        ("Ssin", "65111899997", True),
        ("Ssin", "6511189999", False),
        ("Ssin", "651118999970", False),
        ("Ssin", "65.11.18-999.97", False),
        ("Year", 2023, True),
        ("Year", 2100, True),
        ("Year", 2022, False),
        ("Year", 2101, False),
        ("Year", 2023.5, False),
        ("TraceId", "3f0c1a52-8a7e-4d5b-9c61-7be2d40a9f11", True),
        ("TraceId", "any-other-form", True),
        ("TraceId", "3f0c1a52-8a7e-4d5b-9c61-7be2d40a9f110", False),
        ("TraceId", "", False),
    ],
)
def test_parameters(parameter: str, value: Node, accepted: bool) -> None:  # noqa: FBT001 - a column of the table
    """A parameter has the form that the contract gives it."""
    assert accepted == validator(CONTRACT["components"]["parameters"][parameter]["schema"]).is_valid(value)


TRAINING: Final[dict[str, Any]] = {
    "name": "First aid at work",
    "startDate": "2023-03-06",
    "endDate": "2023-03-07",
    "duration": {"value": 2, "unit": "days"},
    "type": "formal",
    "status": "followed",
    "certificate": {"obtained": True, "validUntil": "2026-03-07"},
    "countsForIndividualRight": True,
    "financing": "sector fund",
    "externalReference": "course-0042",
}


def changed(**members: Node) -> dict[str, Any]:
    """Return a body with one good training in which these members are set."""
    return {"items": [TRAINING | members]}


def without(member: str) -> dict[str, Any]:
    """Return a body with one good training that lacks a member."""
    return {"items": [{name: value for name, value in TRAINING.items() if name != member}]}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=name)
        for name, body in {
            "the good one": changed(),
            "no training": {"items": []},
            "the same training twice": {"items": [TRAINING, TRAINING]},
            "many trainings": {"items": [TRAINING] * 2000},
            "no financing": without("financing"),
            "no external reference": without("externalReference"),
            "a name of one letter": changed(name="é"),
            "a name in three languages": changed(name="Sécurité, coördinatie, geïntegreerd, Straße"),
            "a name with blanks around": changed(name=" First aid "),
            "the longest name": changed(name="ß" * 250),
            "the longest name, outside the basic plane": changed(name="\U0001d538" * 250),
            "the longest financing": changed(financing="x" * 100),
            "the longest reference": changed(externalReference="x" * 100),
            "a leap day": changed(startDate="2024-02-29"),
            "one day": changed(startDate="2023-03-07"),
            "hours": changed(duration={"value": 2, "unit": "hours"}),
            "a part of a day": changed(duration={"value": 0.25, "unit": "days"}),
            "the longest duration": changed(duration={"value": 8784, "unit": "hours"}),
            "informal": changed(type="informal"),
            "planned": changed(status="planned"),
            "no certificate": changed(certificate={"obtained": False}),
            "a certificate without end": changed(certificate={"obtained": True}),
            "not counted": changed(countsForIndividualRight=False),
        }.items()
    ],
)
def test_a_good_body_is_accepted(body: Node) -> None:
    """A body within the contract's limits is right, as a request and as an answer."""
    validator(REQUEST).validate(body)
    validator(ANSWER).validate(body | {"self": "https://mock.example/REST/trainings", "total": len(body["items"])})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=name)
        for name, body in {
            "a list": [TRAINING],
            "nothing": {},
            "items null": {"items": None},
            "items an object": {"items": TRAINING},
            "a training null": {"items": [None]},
            "an empty training": {"items": [{}]},
            "one training of two wrong": {"items": [TRAINING, {}]},
            "another member beside items": changed() | {"total": 1},
            "another member": changed(cost=100),
            "another member in the duration": changed(duration={"value": 2, "unit": "days", "total": 2}),
            "another member in the certificate": changed(certificate={"obtained": True, "name": "EHBO"}),
            "a member in another case": changed(Financing="sector fund"),
            "an empty name": changed(name=""),
            "a blank name": changed(name="   "),
            "a name of other blanks": changed(name="\t\u00a0\u3000\n"),
            "a name too long": changed(name="ß" * 251),
            "a name of a number": changed(name=5),
            "a start with a time": changed(startDate="2023-03-06T00:00:00Z"),
            "a start in Belgian order": changed(startDate="06/03/2023"),
            "a start that does not exist": changed(startDate="2023-02-29"),
            "an end that does not exist": changed(endDate="2023-04-31"),
            "an empty end": changed(endDate=""),
            "a bare duration": changed(duration=2),
            "a duration without value": changed(duration={"unit": "days"}),
            "a duration without unit": changed(duration={"value": 2}),
            "a duration of nothing": changed(duration={"value": 0, "unit": "days"}),
            "a negative duration": changed(duration={"value": -1, "unit": "days"}),
            "a duration too long": changed(duration={"value": 8784.5, "unit": "hours"}),
            "a duration in text": changed(duration={"value": "2", "unit": "days"}),
            "another unit": changed(duration={"value": 2, "unit": "weeks"}),
            "a unit in another case": changed(duration={"value": 2, "unit": "Days"}),
            "another type": changed(type="online"),
            "another status": changed(status="cancelled"),
            "a bare certificate": changed(certificate=True),
            "a certificate without answer": changed(certificate={"validUntil": "2026-03-07"}),
            "an answer in text": changed(certificate={"obtained": "true"}),
            "a validity that does not exist": changed(certificate={"obtained": True, "validUntil": "2023-02-29"}),
            "counted in text": changed(countsForIndividualRight="yes"),
            "an empty financing": changed(financing=""),
            "a blank financing": changed(financing=" "),
            "a financing too long": changed(financing="x" * 101),
            "an empty reference": changed(externalReference=""),
            "a blank reference": changed(externalReference=" "),
            "a reference too long": changed(externalReference="x" * 101),
        }.items()
    ],
)
def test_a_bad_body_is_refused(body: Node) -> None:
    """A body that differs from the good one in one thing is wrong when that thing is outside the contract."""
    assert not validator(REQUEST).is_valid(body)


@pytest.mark.parametrize("member", sorted(TRAINING.keys() - {"financing", "externalReference"}))
def test_a_missing_member_is_refused(member: str) -> None:
    """All members but financing and reference are required."""
    assert not validator(REQUEST).is_valid(without(member))


@pytest.mark.parametrize("member", sorted(TRAINING))
def test_null_is_refused(member: str) -> None:
    """A member without value is left out, never null."""
    assert not validator(REQUEST).is_valid(changed(**{member: None}))


def test_requests_are_closed() -> None:
    """No object that a client sends accepts a member that the contract does not name."""
    objects = [schema for schema in schemas_below(REQUEST) if schema.get("type") == "object"]
    assert objects
    assert [schema for schema in objects if schema.get("additionalProperties") is not False] == []


@pytest.mark.parametrize("method", OPERATIONS)
def test_answers_are_open(method: str) -> None:
    """No object that a client receives forbids members that a later version may add."""
    answers = map(resolved, OPERATIONS[method]["responses"].values())
    contents = [content["schema"] for answer in answers for content in answer["content"].values()]
    objects = [part for schema in contents for part in schemas_below(schema) if part.get("type") == "object"]
    assert objects
    assert [schema for schema in objects if "additionalProperties" in schema] == []


@pytest.mark.parametrize("sent", ["Training", "Duration", "Certificate"])
def test_what_was_read_can_be_sent_back(sent: str) -> None:
    """The recorded form of an object has the members of the sent form, with the same values, required or not."""

    def plain(name: str) -> Node:
        schema = copy.deepcopy(CONTRACT["components"]["schemas"][name])
        for member in schema["properties"].values():
            del member[LABEL]
            for part in member.get("allOf", []):
                part["$ref"] = part["$ref"].replace("/Recorded", "/")
        return schema["properties"], schema["required"]

    assert plain(sent) == plain(f"Recorded{sent}")


@pytest.mark.parametrize("method", OPERATIONS)
def test_errors_are_problems(method: str) -> None:
    """Every status from 400 on is a problem with a trace id, and a 401 says how to authenticate."""
    errors = {status: resolved(answer) for status, answer in OPERATIONS[method]["responses"].items() if status >= "400"}
    assert {"400", "401", "403", "404", "500", "503"} <= errors.keys()
    assert {"application/problem+json"} == {media_type for error in errors.values() for media_type in error["content"]}
    assert [status for status, error in errors.items() if "BelGov-Trace-Id" not in error["headers"]] == []
    assert resolved(errors["401"]["headers"]["WWW-Authenticate"])["required"]


def members(schema: Node, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the dotted name and the level of each member of a request, as a reader would write it."""
    for name, member in resolved(schema)["properties"].items():
        yield f"{prefix}{name}", member[LABEL]["level"]
        below = member.get("items") or member.get("allOf", [{}])[0]
        if below and "properties" in resolved(below):
            yield from members(below, f"{prefix}{name}{'[]' if 'items' in member else ''}.")


def test_the_readme_tells_the_same() -> None:
    """The tables of the README list each operation, parameter, status and member, with the level it has here."""
    path = CONTRACT["paths"][ROUTE]
    parameters = [resolved(parameter) for parameter in path["parameters"]]
    told = [(method.upper(), operation[LABEL]["level"]) for method, operation in OPERATIONS.items()]
    told += [(parameter["name"], parameter[LABEL]["level"]) for parameter in parameters]
    told += [(s, resolved(answer)[LABEL]["level"]) for s, answer in OPERATIONS["put"]["responses"].items()]
    told += members(REQUEST, "")
    told += [(name, level) for name, level in members(ANSWER, "") if name in {"self", "total"}]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(rows)
