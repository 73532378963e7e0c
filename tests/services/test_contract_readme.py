"""The page about our contracts: one row for each element, made from the labels, and up to date."""

import copy
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from scripts import contracts_readme
from scripts.provenance import LABEL, at
from tests.services.own_contracts import CONTRACTS, EMPLOYER, FILES, FOLDER, TRAINING_PROVIDER

ROOT: Final = FOLDER.parent
TEXT: Final = (FOLDER / "README.md").read_text("utf-8")
ROW: Final = re.compile(r"^\| (.*?) \| (.*) \| (documented|platform|assumed) \| (.*) \|$", re.MULTILINE)
LABELS: Final = re.compile(rf'^\s*{LABEL}: \{{level: (\w+), source: "(.*)"\}}$', re.MULTILINE)


def part(name: str, text: str = TEXT) -> str:
    """Return what the page says of one contract."""
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def rows(name: str, text: str = TEXT) -> list[tuple[str, ...]]:
    """Return the rows about a contract: name, what it is, level, source."""
    return [found.groups() for found in ROW.finditer(part(name, text))]


def test_it_is_what_the_script_makes() -> None:
    """The page was written after the last change of a contract or of the text around the tables."""
    assert contracts_readme.page() == TEXT


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_label_has_its_row(name: str) -> None:
    """Whatever label a search finds in the file, its level and source stand in one row of the page."""
    labels = [(level, source.replace("<", "&lt;")) for level, source in LABELS.findall(FILES[name].read_text("utf-8"))]
    assert labels
    assert Counter(labels) == Counter((level, source) for _, _, level, source in rows(name))


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_row_has_a_name_of_its_own(name: str) -> None:
    """No two elements of a contract are called the same in one table."""
    tables = part(name).split("\n### ")[1:]
    named = [(title, found[1]) for title, table in enumerate(tables) for found in ROW.finditer(table)]
    assert [entry for entry, times in Counter(named).items() if times > 1] == []


@pytest.mark.parametrize("name", CONTRACTS)
def test_it_counts_the_levels(name: str) -> None:
    """The page says how many elements of a contract have which level."""
    counted = Counter(level for _, _, level, _ in rows(name))
    numbers = [counted[level] for level in ("documented", "platform", "assumed")]
    expected = " | ".join(str(number) for number in [*numbers, sum(numbers)])
    assert f"| [`{name}`](#{name}) | {expected} |" in TEXT


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (
            EMPLOYER,
            ("`PUT /employers/{enterpriseNumber}/employees/{ssin}/calendarYears/{year}/trainings`", "documented"),
        ),
        (EMPLOYER, ("`ssin`", "documented")),
        (EMPLOYER, ("`ssin`, its value", "assumed")),
        (EMPLOYER, ("`Training.trainingProvider`", "assumed")),
        (EMPLOYER, ("`ForbiddenProblem.requiredScopes[]`", "platform")),
        (EMPLOYER, ("`DurationUnit`", "assumed")),
        (EMPLOYER, ("`200 Trainings`", "assumed")),
        (EMPLOYER, ("`WWW-Authenticate` of 401", "platform")),
        (EMPLOYER, ("`socialSecurity, clientCredentials`", "documented")),
        (TRAINING_PROVIDER, ("`info`", "documented")),
        (TRAINING_PROVIDER, ("`servers`", "assumed")),
        (TRAINING_PROVIDER, ("`pageSize`, its value", "assumed")),
        (TRAINING_PROVIDER, ("`201 TrainingCreated`", "assumed")),
        (TRAINING_PROVIDER, ("`Location` of 201", "assumed")),
        (TRAINING_PROVIDER, ("`StoredTraining.warnings`", "assumed")),
        (TRAINING_PROVIDER, ("`socialSecurity, clientCredentials`", "assumed")),
    ],
)
def test_every_kind_of_element_can_be_found(name: str, row: tuple[str, str]) -> None:
    """A reader finds a call, a parameter, a member, a code list, an answer, a header or a scope by its name."""
    assert row in [(called, level) for called, _, level, _ in rows(name)]


@pytest.mark.parametrize(
    ("called", "said"),
    [
        ("`DurationUnit`", "string, codes `hours`, `days`"),
        ("`DurationValue`", "number, minimum `0`, maximum `8784`, the minimum excluded"),
        ("`Participant`", "object, closed"),
        ("`Training.participants`", "list of `Participant`, minItems `1`, maxItems `1000`, required"),
        ("`Participant.employer`", "`EnterpriseNumber`, optional"),
        ("`pageSize`, its value", "integer int32, minimum `1`, maximum `100`, default `20`"),
        ("`204 TrainingDeleted`", "no body, of DELETE"),
        ("`StoredTraining`", "`RecordedTraining` and more"),
    ],
)
def test_a_row_tells_limits_and_codes(called: str, said: str) -> None:
    """What a label of a type answers for stands beside it: its form, limits and codes."""
    assert [said] == [found for name, found, _, _ in rows(TRAINING_PROVIDER) if name == called]


def test_links_lead_somewhere() -> None:
    """Each link within the page has a title that GitHub makes that anchor of, and each other file is there."""
    titles = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
    assert len(anchors) == len(set(anchors))
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if not target.startswith("https://")]
    assert {"#with-the-official-file", "fla-employer-v1.yaml", "fla-training-provider-v1.yaml"} <= set(targets)
    for target in targets:
        assert target.removeprefix("#") in anchors if target.startswith("#") else (FOLDER / target).is_file()


def test_nothing_in_a_cell_ends_it() -> None:
    """A bar in a pattern or a source does not make another cell, and a bracket makes no tag."""
    document = copy.deepcopy(CONTRACTS[EMPLOYER])
    document["components"]["schemas"]["TrainingName"]["pattern"] = "a|b"
    document["components"]["schemas"]["TrainingName"][LABEL]["source"] = "ours: <one>|other"
    found = [row for row in rows(EMPLOYER, contracts_readme.render({EMPLOYER: document})) if row[0] == "`TrainingName`"]
    said = r"string, minLength `1`, maxLength `250`, pattern `a\|b`"
    assert found == [("`TrainingName`", said, "assumed", r"ours: &lt;one>\|other")]


@pytest.mark.parametrize(
    ("pointer", "label"),
    [
        ("/components/schemas/Training/properties/name", None),
        ("/components/responses/Gone", {"level": "assumed"}),
        ("/info", {"level": "documented", "source": "the guide"}),
    ],
)
def test_a_wrong_label_makes_no_page(pointer: str, label: object) -> None:
    """An element without label, without source, or documented without a section of the guide is named instead."""
    document = copy.deepcopy(CONTRACTS[EMPLOYER])
    at(document, pointer)[LABEL] = label
    with pytest.raises(contracts_readme.ProvenanceError, match=f"fla-employer-v1{pointer}: "):
        contracts_readme.render({EMPLOYER: document})


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the check of the documentation of a checkout."""
    return subprocess.run(
        [sys.executable, str(root / "scripts" / "documentation.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("maxLength: 250", "maxLength: 251", "openapi/README.md"),
        ('"no length is public; 250 is ours"', '""', "fla-employer-v1/components/schemas/TrainingName: "),
    ],
)
def test_the_check_fails_when_a_contract_changes(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    """A limit that changed, or a source that went, is told by the check that CI runs."""
    for folder in ("mock_server", "docs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for folder in ("openapi", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    changed = tmp_path / "openapi" / "fla-employer-v1.yaml"
    text = changed.read_text("utf-8")
    assert text.count(was) == 1
    assert told not in check(tmp_path).stderr
    changed.write_text(text.replace(was, becomes), encoding="utf-8")
    done = check(tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
