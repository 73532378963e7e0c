"""Our contracts: valid, honest about their sources, and strict where a client sends."""

import copy
import re
from collections.abc import Mapping
from typing import Any, Final

import openapi_spec_validator
import pytest

from mock_server.identifiers import parse_enterprise_number, parse_ssin
from mock_server.services import contract as engine
from scripts.provenance import LABEL, Node, at, faults, labelled, resolved, walk
from tests.services.own_contracts import (
    CONTRACTS,
    EMPLOYER,
    FILES,
    TRAINING_PROVIDER,
    examples,
    operations,
    schemas_below,
    validator,
)

ROUTE: Final = "/employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings"
ROUTE_POINTER: Final = f"/paths/{ROUTE.replace('/', '~1')}"
TRAINING_LIST: Final = {"$ref": "#/components/schemas/TrainingList"}
# What is called platform: errors, tracing and the kind of security.
PLATFORM: Final = {
    "parameters/TraceId",
    "headers/TraceId",
    "headers/Challenge",
    "headers/ScopeChallenge",
    "headers/RetryAfter",
    "responses/BadRequest",
    "responses/Unauthorized",
    "responses/Forbidden",
    "responses/NotFound",
    "responses/NotAcceptable",
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
}
# That the APIs exist, and for whom; one route, its one call, its three path parameters and two scopes.
DOCUMENTED: Final[Mapping[str, set[str]]] = {
    EMPLOYER: {
        "/info",
        ROUTE_POINTER,
        f"{ROUTE_POINTER}/put",
        "/components/parameters/EnterpriseNumber",
        "/components/parameters/Ssin",
        "/components/parameters/Year",
        "/components/securitySchemes/socialSecurity/flows/clientCredentials",
    },
    TRAINING_PROVIDER: {"/info"},
}
OPERATIONS: Final = {
    f"{name}: {called}": (document, operation)
    for name, document in CONTRACTS.items()
    for called, operation in operations(document)
}
READING: Final = {called: entry for called, entry in OPERATIONS.items() if "requestBody" in entry[1]}

each_contract = pytest.mark.parametrize("name", CONTRACTS)
each_operation = pytest.mark.parametrize(("document", "operation"), OPERATIONS.values(), ids=OPERATIONS)
each_that_reads = pytest.mark.parametrize(("document", "operation"), READING.values(), ids=READING)


def pointers(name: str, level: str) -> set[str]:
    """Return where a contract claims a level."""
    return {element.pointer for element in labelled(CONTRACTS[name]) if element.level == level}


def sources(name: str, level: str) -> list[str]:
    """Return the sources of what has a level."""
    return [element.source for element in labelled(CONTRACTS[name]) if element.level == level]


def test_there_are_two() -> None:
    """The employers' API and the training providers' API have a contract each."""
    assert {EMPLOYER, TRAINING_PROVIDER} == CONTRACTS.keys()


@each_contract
def test_it_is_openapi_3_0(name: str) -> None:
    """The file is a valid OpenAPI 3.0 document."""
    assert CONTRACTS[name]["openapi"].startswith("3.0.")
    openapi_spec_validator.validate(CONTRACTS[name])


@each_contract
def test_the_mock_serves_it_whole(name: str) -> None:
    """The engine reads the file without a fault, and knows each of its operations and their scopes."""
    loaded = engine.load(FILES[name])
    assert {operation.name for operation in loaded.operations} == {called for called, _ in operations(CONTRACTS[name])}
    assert [operation.name for operation in loaded.operations if not operation.scopes] == []


# Provenance ----------------------------------------------------------------------------------------------------------


@each_contract
def test_every_element_says_where_it_comes_from(name: str) -> None:
    """Every element has a level and a source."""
    assert faults(CONTRACTS[name]) == {}


@each_contract
def test_no_label_is_out_of_sight(name: str) -> None:
    """The labels that a search for the word finds are the ones that the walker visits."""
    found = re.findall(rf"^\s*{LABEL}:", FILES[name].read_text("utf-8"), re.MULTILINE)
    assert len(labelled(CONTRACTS[name])) == len(found)


@each_contract
def test_a_removed_label_is_found_everywhere(name: str) -> None:
    """Whatever element loses its label, exactly that one is reported."""
    document = copy.deepcopy(CONTRACTS[name])
    for element in labelled(document):
        label = element.node.pop(LABEL)
        assert {element.pointer} == faults(document).keys()
        element.node[LABEL] = label


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
        ("/components/parameters", "Page", {"name": "page", "in": "query", "schema": TRAINING_LIST}),
        (f"{ROUTE_POINTER}/put/responses", "409", {"description": "A conflict."}),
        (ROUTE_POINTER, "delete", {"responses": {}}),
        (ROUTE_POINTER, "servers", [{"url": "/REST"}]),
        ("/paths", "/employers", {}),
        ("", "tags", [{"name": "trainings"}]),
        ("", "webhooks", {}),
    ],
)
def test_a_new_element_without_label_is_found(pointer: str, key: str, value: Node) -> None:
    """An addition that does not say where it comes from is reported, whatever it is."""
    document = copy.deepcopy(CONTRACTS[EMPLOYER])
    at(document, pointer)[key] = value
    assert len(faults(document)) == 1


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
        {"level": "documented", "source": "the guide"},
        {"level": "documented", "source": "ours, see G§7.3.1"},
        {"level": "documented", "source": "Belgif rest-guide, PUT"},
        {"level": "platform", "source": "G§7.3.1"},
        {"level": "platform", "source": "ours"},
    ],
)
def test_a_label_of_another_form_is_found(label: Node) -> None:
    """A label is one of three levels and a source that such a level has, no less and no more."""
    document = copy.deepcopy(CONTRACTS[EMPLOYER])
    document["info"][LABEL] = label
    assert {"/info"} == faults(document).keys()


@each_contract
def test_documented_is_what_the_guide_shows(name: str) -> None:
    """What the guide says of an API is documented, and nothing else is."""
    assert DOCUMENTED[name] == pointers(name, "documented")


@each_contract
def test_documented_names_a_section_of_the_guide(name: str) -> None:
    """What is called documented can be looked up in the guide."""
    assert [source for source in sources(name, "documented") if not re.match(r"G§\d", source)] == []


@each_contract
def test_platform_is_errors_tracing_and_tokens(name: str) -> None:
    """Only errors, tracing and the kind of security are called platform; nothing about trainings is."""
    found = {"/".join(pointer.removeprefix("/components/").split("/")[:2]) for pointer in pointers(name, "platform")}
    assert found == PLATFORM


@each_contract
def test_platform_names_a_text_of_the_platform(name: str) -> None:
    """What is called platform can be looked up at Belgif, in the developer guide or in an RFC."""
    assert [one for one in sources(name, "platform") if not re.match(r"Belgif |developer guide|RFC \d", one)] == []


def test_what_both_have_they_have_alike() -> None:
    """Problems, warnings and values are the same in both, but for what they say of who calls."""
    ours, others = (CONTRACTS[name]["components"]["schemas"] for name in (EMPLOYER, TRAINING_PROVIDER))
    # The codes of a status differ: an employee followed a training, a provider completed it.
    theirs = {"Training", "RecordedTraining", "TrainingCollection", "TrainingStatus", "TrainingKey"}
    common = ours.keys() & others.keys() - theirs
    assert {"Problem", "Warning", "Duration", "Certificate", "RecordedCertificate", "TrainingName"} <= common
    assert {name: ours[name] for name in common} == {name: others[name] for name in common}
    assert ours["TrainingKey"]["pattern"] == others["TrainingKey"]["pattern"]


# Examples ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "schema", "example"),
    [
        pytest.param(document, schema, example, id=f"{name}{pointer}")
        for name, document in CONTRACTS.items()
        for pointer, schema, example in examples(document)
    ],
)
def test_examples_follow_their_schema(document: Node, schema: Node, example: Node) -> None:
    """An example is what its own schema accepts."""
    validator(document, schema).validate(example)


@each_contract
def test_whatever_travels_has_an_example(name: str) -> None:
    """Each body, parameter and header shows one."""
    kinds = {"media type", "parameter", "header"}
    shown = [element for element in walk(CONTRACTS[name]) if element.kind in kinds and not element.is_reference]
    assert shown
    assert [element.pointer for element in shown if not element.node.keys() & {"example", "examples"}] == []


def test_examples_name_nobody_else() -> None:
    """The companies and citizens in the files are the guide's own, or cannot exist (1999…, counter 999)."""
    found = {number for file in FILES.values() for number in re.findall(r"\b[0-9]{9,11}\b", file.read_text("utf-8"))}
    assert {"0880820673", "65111899997"} <= found
    assert [n for n in found - {"0880820673"} if not (n.startswith("1999") or (len(n) == 11 and n[6:9] == "999"))] == []
    for number in found:
        (parse_ssin if len(number) == 11 else parse_enterprise_number)(number)


# What travels --------------------------------------------------------------------------------------------------------


@each_that_reads
def test_requests_are_closed(document: Node, operation: Node) -> None:
    """No object that a client sends accepts a member that the contract does not name."""
    content = resolved(document, operation["requestBody"])["content"]["application/json"]
    objects = [part for part in schemas_below(document, content["schema"]) if part.get("type") == "object"]
    assert objects
    assert [schema for schema in objects if schema.get("additionalProperties") is not False] == []


@each_operation
def test_answers_are_open(document: Node, operation: Node) -> None:
    """No object that a client receives forbids members that a later version may add."""
    answers = [resolved(document, answer) for answer in operation["responses"].values()]
    contents = [content["schema"] for answer in answers for content in answer.get("content", {}).values()]
    objects = [part for schema in contents for part in schemas_below(document, schema) if part.get("type") == "object"]
    assert objects
    assert [schema for schema in objects if "additionalProperties" in schema] == []


@each_operation
def test_errors_are_problems(document: Node, operation: Node) -> None:
    """Every status from 400 on is a problem with a trace id, and a 401 says how to authenticate."""
    errors = {status: resolved(document, one) for status, one in operation["responses"].items() if status >= "400"}
    assert {"400", "401", "403", "410", "500", "503"} <= errors.keys()
    assert {"application/problem+json"} == {media_type for error in errors.values() for media_type in error["content"]}
    assert [status for status, error in errors.items() if "BelGov-Trace-Id" not in error["headers"]] == []
    assert resolved(document, errors["401"]["headers"]["WWW-Authenticate"])["required"]


@each_operation
def test_what_an_operation_does_decides_on_its_errors(document: Node, operation: Node) -> None:
    """A 406 stands where there is a body to answer with, and 413 and 415 where there is one to read."""
    statuses = operation["responses"].keys()
    answers = [resolved(document, answer) for status, answer in operation["responses"].items() if status < "300"]
    assert ("406" in statuses) == any("content" in answer for answer in answers)
    assert ({"413", "415"} & statuses == {"413", "415"}) == ("requestBody" in operation)


@each_contract
def test_what_was_read_can_be_sent_back(name: str) -> None:
    """The recorded form of an object has the members of the sent form, with the same values, required or not."""
    document = CONTRACTS[name]
    schemas = document["components"]["schemas"]

    def plain(schema: str) -> Node:
        found: dict[str, Any] = copy.deepcopy(schemas[schema])
        for member in found["properties"].values():
            del member[LABEL]
            for part in [*member.get("allOf", []), member.get("items", {})]:
                if "$ref" in part:
                    part["$ref"] = part["$ref"].replace("/Recorded", "/")
        return found["properties"], found["required"]

    recorded = [schema for schema in schemas if schema.startswith("Recorded")]
    assert {"RecordedTraining", "RecordedDuration", "RecordedCertificate"} <= set(recorded)
    for schema in recorded:
        assert plain(schema.removeprefix("Recorded")) == plain(schema)
