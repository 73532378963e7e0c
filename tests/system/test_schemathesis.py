"""Our contracts against the mock, by schemathesis: all phases, all checks, each contract as three callers.

What a caller may do is accepted, and nothing else is: the statuses that a right request may get are fewer than
schemathesis would let pass, and never 400. `teaching` makes generated requests right where the schema cannot.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from schemathesis.checks import CHECKS, load_all_checks

from mock_server.identifiers import Quarter
from tests.support import NOW
from tests.system.processes import Server, call, environment
from tests.system.teaching import Lesson, Reference, ssin
from tests.system.test_guide import JSON, Account, World, number

ROOT = Path(__file__).parents[2]
HANGS = 600
"""Seconds after which a run is given up."""
EMPLOYERS_API, PROVIDERS_API = "fla-employer", "fla-training-provider"
EMPLOYER, STRANGER, MANDATARY = "0880820673", "1999001041", "1999000249"
PROVIDER, ANOTHER_PROVIDER = "1999000348", number(0)
LAST_YEAR = Quarter.at(NOW).year + 1
"""The last year that is open, by the clock of a world of `World.made`."""
PEOPLE = (ssin("65111899997"), ssin("82031399963"))
ENOUGH = 20
"""Right requests, and wrong ones, that an operation gets at least."""

Json = Any


class Part(NamedTuple):
    """A part of a run."""

    phases: tuple[str, ...]
    fuzzing: str = "all"
    """Whether the phase `fuzzing` makes right requests, wrong ones, or both and then hardly any wrong one."""
    mode: str = "all"
    """The same of all other phases."""
    spoils_tokens: bool = True

    @property
    def options(self) -> list[str]:
        """What the command line is told."""
        spoils = json.dumps(self.spoils_tokens)
        phases = ",".join(self.phases)
        return [f"--phases={phases}", f"--mode={self.mode}", f"--generation-with-security-parameters={spoils}"]


PARTS = (
    Part(("examples", "coverage", "fuzzing"), fuzzing="positive"),
    # A token that is spoiled would hide what else is wrong.
    Part(("fuzzing", "stateful"), fuzzing="negative", spoils_tokens=False),
)


@dataclass(frozen=True)
class Run:
    """One run: who calls which API, and what is to come of it."""

    api: str
    caller: str
    accepted: bool
    """Whether a right request is answered; otherwise it is refused with 403."""
    wrong: tuple[str, ...]
    """The statuses that a wrong request may get."""

    @property
    def callers(self) -> list[str]:
        """All who call this API, in one run or another."""
        return [run.caller for run in RUNS if run.api == self.api]

    def __str__(self) -> str:
        return f"{self.api} as {self.caller}"


RUNS = (
    Run(EMPLOYERS_API, "employer", accepted=True, wrong=("400", "401", "415")),
    Run(EMPLOYERS_API, "mandatary", accepted=True, wrong=("400", "401", "415")),
    Run(EMPLOYERS_API, "stranger", accepted=False, wrong=("400", "401", "403")),
    Run(PROVIDERS_API, "provider", accepted=True, wrong=("400", "401", "415")),
    Run(PROVIDERS_API, "another provider", accepted=False, wrong=("400", "401", "403")),
    # The scope is looked at before the parameters.
    Run(PROVIDERS_API, "employer", accepted=False, wrong=("401", "403")),
)


@dataclass(frozen=True)
class Stage:
    """A world with the callers of all runs."""

    world: World
    accounts: Mapping[str, Account]
    numbers: Mapping[str, tuple[str, ...]]
    """The enterprise numbers in a caller's paths, by caller."""

    @classmethod
    def made(cls, server: Server) -> "Stage":
        """Make the demo world anew, where every SSIN is known, with accounts whose keys are at hand."""
        world = World.made(server, **{"from": "demo"})
        world.do("PATCH", "/settings", {"employments": "open"})
        world.enterprise(ANOTHER_PROVIDER, "training-provider")
        mandates = world.do("GET", f"/mandates?mandatary={MANDATARY}&service=fla&status=active")["items"]
        mandators = tuple(mandate["mandator"] for mandate in mandates)
        accounts = {
            "employer": world.account(EMPLOYER, "employer", "fla"),
            "mandatary": world.account(MANDATARY, "service-provider", "fla"),
            "stranger": world.account(STRANGER, "employer", "fla"),
            "provider": world.account(PROVIDER, "training-provider", "fla"),
            "another provider": world.account(ANOTHER_PROVIDER, "training-provider", "fla"),
        }
        numbers = {"employer": (EMPLOYER,), "mandatary": mandators, "stranger": (EMPLOYER, *mandators, number(1))}
        return cls(world, accounts, numbers)

    def base_url(self, api: str) -> str:
        """Return the base URL of an API in this world."""
        return str(self.world.do("GET", "")["apis"][api])

    def lesson(self, run: Run) -> Lesson:
        """Return what the generators of a run have to know."""
        if run.api == PROVIDERS_API:
            return Lesson((PROVIDER,), LAST_YEAR)
        return Lesson(self.numbers[run.caller], LAST_YEAR, tuple(self.references()))

    def references(self) -> Iterator[Reference]:
        """Have the training provider send trainings, and yield what refers to them."""
        token = self.accounts["provider"].token()
        body = {
            "name": "Working at height",
            "startDate": "2023-12-30",
            "endDate": f"{LAST_YEAR}-01-02",
            "duration": {"value": 3, "unit": "days"},
            "type": "formal",
            "status": "completed",
            "participants": [{"ssin": person} for person in PEOPLE],
        }
        for name in ("height-1", "height-2"):
            url = f"{self.base_url(PROVIDERS_API)}/trainingProviders/{PROVIDER}/trainings/{name}"
            reply = call("PUT", url, json.dumps(body).encode(), JSON | {"Authorization": f"Bearer {token}"})
            assert reply.status in {200, 201}, reply.body
            yield from (Reference(PROVIDER, name, person) for person in PEOPLE)


@dataclass(frozen=True)
class Sent:
    """A request of a run, with its answer."""

    phase: str
    operation: str
    right: bool
    """Whether it was to be accepted."""
    caller: str | None
    """Whose token it had; None where the test was to leave it out, or to spoil it."""
    status: int


@dataclass(frozen=True)
class Report:
    """What a part of a run did."""

    exit_code: int
    output: str
    events: Sequence[Json]

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases that ran to their ends, and made requests."""
        finished = [event["PhaseFinished"] for event in self.events if "PhaseFinished" in event]
        names = [phase["phase"]["name"] for phase in finished if phase["status"] == "success"]
        made = {phase for phase, recorder in self._scenarios if recorder.get("cases")}
        return tuple(name for name in names if name in made)

    @property
    def checks(self) -> set[str]:
        """The checks that judged an answer."""
        return {name for name, _ in self._judged}

    @property
    def failed(self) -> set[str]:
        """The checks that an answer failed."""
        return {name for name, outcome in self._judged if outcome == "failure"}

    @property
    def sent(self) -> list[Sent]:
        """Every request that was answered."""
        return [
            _sent(phase, case["value"], recorder["interactions"][name]["response"])
            for phase, recorder in self._scenarios
            for name, case in recorder.get("cases", {}).items()
            if recorder["interactions"].get(name, {}).get("response")
        ]

    @property
    def _judged(self) -> set[tuple[str, str]]:
        found = [checks for _, recorder in self._scenarios for checks in recorder.get("checks", {}).values()]
        return {(check["name"], check["status"]) for checks in found for check in checks}

    @property
    def _scenarios(self) -> list[tuple[str, Json]]:
        found = [event["ScenarioFinished"] for event in self.events if "ScenarioFinished" in event]
        return [(scenario["phase"], scenario["recorder"]) for scenario in found]


def _sent(phase: str, case: Json, answer: Json) -> Sent:
    right = case["meta"]["generation"]["mode"] == "positive"
    return Sent(phase, f"{case['method']} {case['path']}", right, case.get("auth_identity"), answer["status_code"])


def contract(api: str) -> Path:
    """Return the file of a contract."""
    return ROOT / "openapi" / f"{api}-v1.yaml"


def operations(api: str) -> list[str]:
    """Return method and path of each operation of a contract."""
    paths = yaml.safe_load(contract(api).read_text(encoding="utf-8"))["paths"]
    methods = ("get", "put", "post", "delete", "patch")
    return [f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in methods]


def execute(stage: Stage, run: Run, lesson: Lesson, folder: Path, part: Part) -> Report:
    """Run schemathesis in a folder: one part of a run."""
    (folder / "callers.json").write_text(json.dumps(_tokens(stage, run.callers)), encoding="utf-8")
    (folder / "lesson.json").write_text(json.dumps(asdict(lesson)), encoding="utf-8")
    (folder / "settings.toml").write_text(_settings(run, part), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "settings.toml"]
    arguments = ["run", contract(run.api), "--url", stage.base_url(run.api), "--checks=all", *part.options]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        env=environment(LESSON="lesson.json", PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=HANGS,
    )
    lines = (folder / "events.ndjson").read_text(encoding="utf-8").splitlines()
    return Report(done.returncode, done.stdout, [json.loads(line) for line in lines])


def _tokens(stage: Stage, names: Sequence[str]) -> Json:
    """Return the document that says how each caller authenticates (Web Fuzzing Commons)."""
    headers = {name: f"Bearer {stage.accounts[name].token()}" for name in names}
    return {
        "auth": [
            {"name": name, "fixedHeaders": [{"name": "Authorization", "value": value}]}
            for name, value in headers.items()
        ]
    }


def _settings(run: Run, part: Part) -> str:
    right = ["2xx"] if run.accepted else ["403"]
    # Who is refused everything is told so by a warning; every other warning is a failure.
    warnings = (
        "true" if run.accepted else json.dumps(["missing_test_data", "validation_mismatch", "method_not_allowed"])
    )
    lines = [
        "seed = 20230306",
        "continue-on-failure = true",
        'hooks = "tests.system.schemathesis_hooks"',
        # A busy machine is no failure.
        'suppress-health-check = ["too_slow", "data_too_large"]',
        "request-timeout = 60",
        "cache.enabled = false",
        'generation.database = "none"',
        f"phases.fuzzing.generation.mode = {json.dumps(part.fuzzing)}",
        "generation.max-examples = 30",
        "phases.stateful.generation.max-examples = 20",
        'reports.ndjson.path = "events.ndjson"',
        f"warnings.fail-on = {warnings}",
        'auth.wfc.path = "callers.json"',
        f"auth.wfc.user = {json.dumps(run.caller)}",
        f"auth.wfc.peers = {json.dumps(run.callers)}",
        f"checks.positive_data_acceptance.expected-statuses = {json.dumps(right)}",
        f"checks.negative_data_rejection.expected-statuses = {json.dumps(run.wrong)}",
    ]
    if run.api == PROVIDERS_API and run.accepted:
        # Nothing need be there under a key that was made up.
        lines += [
            "[[operations]]",
            'include-path-regex = "[{]trainingKey[}]$"',
            'include-method = ["GET", "DELETE"]',
            'checks.positive_data_acceptance.expected-statuses = ["2xx", "404"]',
        ]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_contract_holds(server: Server, run: Run, tmp_path: Path) -> None:
    """Every phase runs and every check judges; who may is answered, who may not is refused, wrong input is refused."""
    stage = Stage.made(server)
    lesson = stage.lesson(run)

    reports = [execute(stage, run, lesson, tmp_path, part) for part in PARTS]

    for report in reports:
        assert report.exit_code == 0, report.output
    assert [report.phases for report in reports] == [part.phases for part in PARTS]
    load_all_checks()
    assert set.union(*(report.checks for report in reports)) >= set(CHECKS.get_all_names())
    sent = [sent for report in reports for sent in report.sent]
    for operation in operations(run.api):
        assert_enough(run, [request for request in sent if request.operation == operation], operation)
    # Who else asks for what the provider has sent is refused (`object_level_authorization`).
    others = {(request.caller, request.status) for request in sent if request.caller not in {run.caller, None}}
    asked = set(run.callers) - {run.caller} if run.api == PROVIDERS_API and run.accepted else set()
    assert others == {(caller, 403) for caller in asked}


def assert_enough(run: Run, sent: Sequence[Sent], operation: str) -> None:
    """Judge that an operation was tried: so a run that makes nothing fails."""
    right = Counter(request.status for request in sent if request.right and request.caller == run.caller)
    wrong = Counter(request.status for request in sent if not request.right)
    assert sum(right.values()) >= ENOUGH, operation
    assert sum(wrong.values()) >= ENOUGH, operation
    if run.accepted:
        assert right.keys() & {200, 201, 204}, operation
        # Without a token, and with a wrong one (`ignored_auth`).
        assert len([request for request in sent if request.right and request.caller is None]) >= 2, operation


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ({"status": 500}, "not_a_server_error"),
        ({"status": 400}, "positive_data_acceptance"),
        ({"malform": "json"}, "response_schema_conformance"),
    ],
    ids=["server error", "right input refused", "spoiled answer"],
)
def test_a_fault_is_found(server: Server, fault: Json, check: str, tmp_path: Path) -> None:
    """A mock that misbehaves fails the run, by the check that is for it."""
    stage = Stage.made(server)
    stage.world.do("POST", "/faults", {"operation": "* *", "do": fault})

    report = execute(stage, RUNS[0], Lesson((EMPLOYER,), LAST_YEAR), tmp_path, Part(("examples",)))

    assert report.exit_code == 1, report.output
    assert check in report.failed, report.output


@pytest.mark.parametrize(
    "lesson", [Lesson((STRANGER,), LAST_YEAR), Lesson((EMPLOYER,), 2100)], ids=["another's number", "years to come"]
)
def test_what_a_caller_was_not_taught_fails(server: Server, lesson: Lesson, tmp_path: Path) -> None:
    """Neither 403 nor 400 passes for the answer to a right request of who may send it."""
    report = execute(Stage.made(server), RUNS[0], lesson, tmp_path, Part(("coverage",), mode="positive"))

    assert report.exit_code == 1, report.output
    assert report.failed == {"positive_data_acceptance"}, report.output
