"""`fla-mock contract`: what a file is to the mock, or all that is wrong with it."""

import json
from pathlib import Path

import pytest

from mock_server.services.catalogue import own_apis
from tests.cli.conftest import Run

DOCUMENT = """\
openapi: 3.1.0
info: {title: "Care \\u202e leave", version: "1"}
servers: [{url: https://example.org/REST/care/v2}]
paths:
  /employers/{employerId}/leaves/{boss}:
    parameters:
      - {name: employerId, in: path, required: true, schema: {type: string}}
      - {name: boss, in: path, required: true, schema: {type: string}}
    get:
      operationId: readLeave
      security: [{oauth: [care:read]}]
      responses: {"200": {description: A leave.}}
    put:
      security: [{oauth: [care:write, care:read]}]
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {"204": {description: Done.}}
  /countries:
    get: {responses: {"200": {description: All countries.}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a contract."""
    path = tmp_path / "care.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def test_a_contract_is_told_for_scripts(run: Run, file: Path) -> None:
    """Title, version, base path, counts, and for each operation what guards it and how that is known."""
    result = run("contract", file, "--json")

    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["title"], told["version"], told["base_path"]) == ("Care \u202e leave", "3.1", "/REST/care/v2")
    assert told["counts"] == {"operations": 3, "guarded": 2, "open": 1}
    assert told["scopes"] == ["care:read", "care:write"]
    assert told["operations"][0] == {
        "operation": "GET /employers/{employerId}/leaves/{boss}",
        "operation_id": "readLeave",
        "scopes": [["care:read"]],
        "guarded_by": "own number or mandate: employerId",
        "enterprise_number": {
            "parameter": "employerId",
            "in": "path",
            "known_by": "the parameter's name",
            "always_sent": True,
        },
        "ssin": None,
        "year": None,
        "keeps": "reads",
    }


def test_a_contract_is_told_to_people(run: Run, file: Path) -> None:
    """As a table, with the scopes where they differ; what could steer a terminal is escaped."""
    lines = run("contract", file).stdout.splitlines()
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[5:]]

    assert lines[:5] == [
        "title      Care \\u202e leave",
        "version    OpenAPI 3.1",
        "base path  /REST/care/v2",
        "operations 3, 1 of them open to any token with the scope",
        "",
    ]
    assert rows[0] == ["operation", "guarded by", "known by", "scope", "kept"]
    assert rows[2] == [
        "PUT /employers/{employerId}/leaves/{boss}",
        "own number or mandate: employerId",
        "the parameter's name",
        "care:write and care:read",
        "replaces",
    ]


def test_a_parameter_can_be_said_to_hold_something(run: Run, file: Path) -> None:
    """As it could for a server; what is said goes before the name."""
    options = ["--parameter", "boss=enterpriseNumber", "--parameter", "employerId=nothing"]

    told = json.loads(run("contract", file, *options, "--json").stdout)

    assert told["operations"][0]["enterprise_number"]["parameter"] == "boss"
    assert told["operations"][0]["enterprise_number"]["known_by"] == "a setting"


def test_where_a_contract_without_a_path_is_served_is_told(run: Run, file: Path) -> None:
    """Under the name that it is given."""
    file.write_text(DOCUMENT.replace("servers: [{url: https://example.org/REST/care/v2}]\n", ""), encoding="utf-8")

    assert "none: /REST/NAME/v1 when it is served with --service NAME=FILE" in run("contract", file).stdout
    assert json.loads(run("contract", file, "--json").stdout)["base_path"] is None


@pytest.mark.parametrize("api", own_apis(), ids=lambda api: str(api.name))
def test_our_contracts_are_told(run: Run, api: object) -> None:
    """The scopes that all operations share stand above the table."""
    result = run("contract", getattr(api, "contract"))  # noqa: B009 - the type is of no interest here

    assert result.exit_code == 0
    assert "0 of them open to any token with the scope\nscope      scope:sigedis:" in result.stdout


def test_everything_that_is_wrong_is_told_with_its_place(run: Run, file: Path) -> None:
    """For people with lines on standard error, for scripts as a list; the exit code is 1."""
    broken = DOCUMENT.replace("in: path", "in: nowhere").replace('"204"', '"two"')
    file.write_text(broken, encoding="utf-8")

    people, script = run("contract", file), run("contract", file, "--json")

    assert [people.exit_code, script.exit_code, people.stdout] == [1, 1, ""]
    told = json.loads(script.stdout)
    assert told["file"] == str(file)
    assert len(told["faults"]) > 1
    assert [fault for fault in told["faults"] if fault not in people.stderr] == []
    assert any("(line 7)" in fault and "nowhere" in fault for fault in told["faults"])


def test_one_fault_is_a_list_of_one(run: Run, file: Path) -> None:
    """Without the name of the file, which stands beside it."""
    file.write_text("swagger: '1.2'\n", encoding="utf-8")

    told = json.loads(run("contract", file, "--json").stdout)

    assert len(told["faults"]) == 1
    assert told["faults"][0].startswith("swagger (line 1): expected an OpenAPI document")


UNUSABLE = {
    "no such file": (["nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory"),
    "a word that is none": (["care.yaml", "--parameter", "boss=number"], "expected NAME=WHAT"),
    "a parameter that is not there": (
        ["care.yaml", "--parameter", "bos=ssin"],
        "--parameter bos: no operation has a parameter of this name; there are “employerId”, “boss”.",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_looked_at_is_told(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With exit code 2."""
    monkeypatch.chdir(file.parent)
    arguments, words = UNUSABLE[name]

    result = run("contract", *arguments)

    assert result.exit_code == 2
    assert words in result.stderr
