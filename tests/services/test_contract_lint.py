"""Our contracts as a linter of the field sees them: Redocly's, with all its rules but those that have a reason."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scripts.provenance import Node, at
from tests.services.own_contracts import CONTRACTS, FILES, TRAINING_PROVIDER
from tests.system.conftest import need

TOOLS: Final = Path(__file__).resolve().parents[1] / "tools"
PROGRAM: Final = TOOLS / "node_modules" / "@redocly" / "cli"
CONFIGURATION: Final = TOOLS / "redocly.yaml"
RULES: Final[dict[str, Any]] = yaml.safe_load(CONFIGURATION.read_text("utf-8"))["rules"]
EXAMPLE: Final = "/components/responses/TrainingCreated/content/application~1json/example"
PUT: Final = "/paths/~1trainingProviders~1{enterpriseNumber}~1trainings~1{trainingKey}/put"


def locked_version() -> str:
    """Return the version of the linter that the lock file names."""
    lock = json.loads((TOOLS / "package-lock.json").read_text("utf-8"))
    return str(lock["packages"]["node_modules/@redocly/cli"]["version"])


@pytest.fixture(scope="module")
def linter() -> list[str]:
    """Return the command of the linter; without it the test is skipped, and fails in CI."""
    need("node")
    package = PROGRAM / "package.json"
    found = json.loads(package.read_text("utf-8"))["version"] if package.exists() else "none"
    if found != locked_version():
        message = f"the linter of the contracts is {found}, not {locked_version()}: npm ci --prefix tests/tools"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return ["node", str(PROGRAM / "bin" / "cli.js"), "lint", "--format=json", "--max-problems=1000"]


def lint(linter: list[str], file: Path, configuration: Path = CONFIGURATION) -> list[tuple[str, str]]:
    """Return what the linter has against a file: rule and place of each problem."""
    done = subprocess.run(
        [*linter, "--lint-config=error", f"--config={configuration}", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        # It would ask its maker for a newer version, and tell that it ran.
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )
    assert done.stdout.startswith("{"), done.stderr
    found = json.loads(done.stdout)
    problems = [(entry["ruleId"], entry["location"][0].get("pointer", "")) for entry in found["problems"]]
    assert found["totals"] == {"errors": len(problems), "warnings": 0, "ignored": 0}
    assert done.returncode == (1 if problems else 0)
    return problems


@pytest.mark.system
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_passes(linter: list[str], name: str) -> None:
    """The linter has nothing against a contract of ours."""
    assert lint(linter, FILES[name]) == []


@pytest.mark.system
@pytest.mark.parametrize(
    ("pointer", "key", "value", "rule"),
    [
        (PUT, "operationId", "listTrainings", "operation-operationId-unique"),
        ("/components/schemas", "Unused", {"type": "string"}, "no-unused-components"),
        (EXAMPLE, "name", 2, "no-invalid-media-type-examples"),
        (EXAMPLE, "total", 1, "no-invalid-media-type-examples"),
        ("/components/schemas/DurationUnit", "enum", ["hours", 1], "no-enum-type-mismatch"),
        ("/components/responses/Gone/content", "text/html", {"schema": {"type": "string"}}, "response-mime-type"),
        (f"{PUT}/responses/200", "$ref", "#/components/responses/Nowhere", "no-unresolved-refs"),
    ],
)
def test_a_fault_is_found(linter: list[str], tmp_path: Path, pointer: str, key: str, value: Node, rule: str) -> None:
    """A contract with one fault is told so by the rule for it."""
    document = copy.deepcopy(CONTRACTS[TRAINING_PROVIDER])
    at(document, pointer)[key] = value
    file = tmp_path / "contract.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    found = {name for name, _ in lint(linter, file)}
    assert rule in found


@pytest.mark.system
def test_no_rule_is_off_without_need(linter: list[str], tmp_path: Path) -> None:
    """With all rules on, exactly those complain that are switched off here, or told more."""
    everything = tmp_path / "redocly.yaml"
    everything.write_text("extends: [all]\n", encoding="utf-8")
    found = {rule for file in FILES.values() for rule, _ in lint(linter, file, everything)}
    assert RULES.keys() == found


def test_every_rule_that_is_off_has_a_reason() -> None:
    """A comment stands above each rule that is switched off or told more."""
    text = CONFIGURATION.read_text("utf-8")
    assert RULES
    assert [rule for rule in RULES if not re.search(rf"^  # \S.*\.\n  {rule}:", text, re.MULTILINE)] == []


def test_the_linter_is_pinned() -> None:
    """One version is asked for, and the lock file has it with a checksum."""
    wanted = json.loads((TOOLS / "package.json").read_text("utf-8"))["devDependencies"]
    lock = json.loads((TOOLS / "package-lock.json").read_text("utf-8"))["packages"]
    assert wanted == {"@redocly/cli": locked_version()}
    assert [name for name, entry in lock.items() if name and not entry["integrity"].startswith("sha512-")] == []
