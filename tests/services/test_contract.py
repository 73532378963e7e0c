"""Loading a contract, finding its routes, and what it asks of parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema_rs
import pytest

from mock_server.gateway.addresses import Addresses
from mock_server.gateway.serving import Endpoint
from mock_server.services import catalogue
from mock_server.services.catalogue import FLA, contract_file
from mock_server.services.contract import Contract, ContractError, load
from mock_server.services.endpoint import ApiEndpoint, Limits, Served
from mock_server.services.issues import issues_of
from tests.support import Caller

CONTRACT = """
openapi: 3.0.3
info: {title: Test, version: "1"}
servers: [{url: "https://host.example/REST/test/v1"}]
components:
  parameters:
    Page: {name: page, in: query, required: true, schema: {type: integer, minimum: 1}}
    Id: {name: id, in: path, required: true, schema: {type: string}}
    Part: {name: part, in: path, required: true, schema: {type: string}}
    Kind: {name: X-Kind, in: header, required: true, schema: {type: string, enum: [a, b]}}
paths:
  /things/{id}:
    parameters: [{$ref: "#/components/parameters/Id"}]
    get: {responses: {"200": {description: ok}}}
    put:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {"200": {description: ok}}
  /things/{id}/parts/{part}:
    parameters: [{$ref: "#/components/parameters/Id"}, {$ref: "#/components/parameters/Part"}]
    get: {responses: {"200": {description: ok}}}
  /things/all:
    get: {responses: {"200": {description: ok}}}
  /things/all/parts/first:
    get: {responses: {"200": {description: ok}}}
  /pages:
    parameters: [{$ref: "#/components/parameters/Page"}]
    get:
      parameters: [{$ref: "#/components/parameters/Kind"}]
      responses:
        "200":
          description: ok
          content: {application/json: {schema: {type: object, properties: {items: {type: array}, total: {}}}}}
"""


def contract(folder: Path, text: str = CONTRACT) -> Contract:
    """Load a contract from its text."""
    path = folder / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/things/1", "/things/{id}", {"id": "1"}),
        ("/things/all", "/things/all", {}),
        ("/things/a%2Fb", "/things/{id}", {"id": "a/b"}),
        ("/things/all/parts/first", "/things/all/parts/first", {}),
        ("/things/all/parts/2", "/things/{id}/parts/{part}", {"id": "all", "part": "2"}),
    ],
)
def test_a_path_is_found_with_its_values(tmp_path: Path, path: str, template: str, values: dict[str, str]) -> None:
    """A fixed segment goes before a parameter, and what looked like one may still turn out to be the other."""
    route = contract(tmp_path).route(path)

    assert route is not None
    assert ({template}, values) == ({entry.template for entry in route.operations.values()}, route.values)


@pytest.mark.parametrize(
    "path", ["", "/", "/things", "/things/", "/things/1/", "/things/1/parts", "/Things/1", "things"]
)
def test_a_path_that_the_contract_does_not_have_is_not_found(tmp_path: Path, path: str) -> None:
    """No redirect, no empty parameter, no other case."""
    assert contract(tmp_path).route(path) is None


def test_the_base_path_is_that_of_the_first_server(tmp_path: Path) -> None:
    """Its host is the real one, and does not matter here; without a server the base path is empty."""
    servers = 'servers: [{url: "https://host.example/REST/test/v1"}]\n'

    assert contract(tmp_path).base_path == "/REST/test/v1"
    assert contract(tmp_path, CONTRACT.replace(servers, "")).base_path == ""


FAULTS = {
    "YAML that is broken": ("a: [", "line 2, column 1: YAML syntax error"),
    "a list": ("[]", "expected an OpenAPI document"),
    "another version": (CONTRACT.replace("3.0.3", "3.9.0"), "openapi (line 2): expected an OpenAPI document"),
    "a reference to nothing": (
        CONTRACT.replace("parameters/Kind", "parameters/None"),
        "paths./pages.get.parameters[0] (line 28): #/components/parameters/None leads nowhere",
    ),
    "a path parameter that is not declared": (
        CONTRACT.replace('parameters: [{$ref: "#/components/parameters/Id"}]', "summary: x"),
        "paths./things/{id}.get (line 14): the path parameter id is not declared",
    ),
    "a body of no media type": (
        CONTRACT.replace("{application/json: {schema: {type: object}}}}", "{}}"),
        "paths./things/{id}.put.requestBody (line 16): expected content",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_contract_that_cannot_be_served_is_told(tmp_path: Path, name: str) -> None:
    """The message names the file, and the place in it."""
    text, message = FAULTS[name]

    with pytest.raises(ContractError) as refused:
        contract(tmp_path, text)

    assert message in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "contract.yaml"))


def test_a_contract_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ContractError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")


def test_our_contract_is_found_in_a_checkout() -> None:
    """In an installed package it lies inside, in a checkout beside it."""
    assert contract_file("fla-employer-v1.yaml").exists()


@dataclass
class Api:
    """The API of these tests, and the headers that every call sends."""

    caller: Caller
    headers: dict[str, str]

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]]]:
        """Send a request, and return the status and the place of each issue."""
        reply = self.caller.call(method, f"/REST/test/v1{path}", body, self.headers | (headers or {}))
        issues = reply.json.get("issues", []) if reply.body else []
        return reply.status, [(issue["in"], issue["name"]) for issue in issues]


@dataclass(frozen=True)
class Only:
    """The endpoints of a world that has one."""

    endpoint: Endpoint
    apis: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[str, ...] = ()

    def find(self, _path: str) -> Endpoint:
        """Return it, whatever the path."""
        return self.endpoint


@pytest.fixture
def api(caller: Caller, tmp_path: Path) -> Api:
    """Serve the contract of these tests in place of the whole mock, with the same world and tokens."""
    mock = caller.mock
    addresses = Addresses("http://127.0.0.1", ())
    file = tmp_path / "contract.yaml"
    served = Served(catalogue.Api("test", FLA, file), mock.services[FLA], contract(tmp_path), frozenset())
    endpoint = ApiEndpoint(served, mock.world, mock.tokens, limits=Limits(1000, 1), addresses=addresses)
    headers = {"authorization": f"Bearer {caller.token()}", "content-type": "application/json"}
    mock.default.endpoints = Only(endpoint)
    return Api(caller, headers)


def test_query_and_header_parameters_are_validated(api: Api) -> None:
    """What is required must be there, and what is there must be valid; all at once."""
    both = [("query", "page"), ("header", "X-Kind")]

    assert api.call("GET", "/pages?page=1", headers={"x-kind": "a"}) == (200, [])
    assert api.call("GET", "/pages") == (400, both)
    assert api.call("GET", "/pages?page=0", headers={"x-kind": "c"}) == (400, both)


def test_a_resource_that_was_never_put_is_not_found(api: Api) -> None:
    """Only a collection is there, and empty, before anything was put."""
    before = api.call("GET", "/things/1")
    put = api.call("PUT", "/things/1", b'{"a":1}')

    assert [before, put, api.call("GET", "/things/1")] == [(404, []), (200, []), (200, [])]


LISTS = {
    "type": "object",
    "dependencies": {"set": ["rows"]},
    "properties": {
        "rows": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}, "maxItems": 60},
        "set": {"type": "array", "minItems": 55, "uniqueItems": True},
    },
}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"rows": [[0]] * 60, "set": list(range(55))}, []),
        ({"rows": [[0] * 99 + ["x"]]}, ["rows[0][99]"]),
        ({"rows": [[0]] * 55 + [["x"]]}, ["rows[55][0]"]),
        ({"rows": [[0]] * 61}, ["rows"]),
        ({"set": [1] * 60, "rows": []}, ["set"]),
        ({"set": list(range(54)), "rows": []}, ["set"]),
        ({"rows": [[0]] * 60, "set": [*range(55), "x", "x"]}, ["set"]),
        ([0] * 60, [""]),
        ({f"x{number}": 0 for number in range(300)} | {"set": 1, "rows": []}, ["set"]),
        ({"rows": [[0]]} | {f"x{number}": 0 for number in range(300)} | {"set": list(range(54))}, ["set"]),
        ({"rows": [["x"]]} | {f"x{number}": 0 for number in range(300)}, ["rows[0][0]"]),
    ],
)
def test_a_list_is_judged_whole_however_long_it_is(body: object, places: list[str]) -> None:
    """Looking at long lists in stretches neither misses a fault nor finds one that is not there."""
    issues = issues_of(body, jsonschema_rs.Draft4Validator(LISTS, mask="the value"))

    assert [issue.name for issue in issues] == places
