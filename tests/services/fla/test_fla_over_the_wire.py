"""Both APIs of the FLA over the wire: rules refuse or warn, and what a provider sends reaches employers."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from mock_server.services.catalogue import contract_file
from mock_server.services.fla import rules
from tests.conftest import Starter
from tests.support import NOW, Caller, Reply

EMPLOYER, MANDATARY, PROVIDER, SSIN = "1999000150", "1999000249", "1999000348", "65111899997"
LIST = f"/REST/careerpro-federal-learning-account/v1/employers/{EMPLOYER}/employees/{SSIN}/calendarYears/2025/trainings"
RECORD = (
    f"/REST/careerpro-federal-learning-account-training-provider/v1/trainingProviders/{PROVIDER}/trainings/first-aid"
)
MANDATE = f'[[mandates]]\nmandator = "{EMPLOYER}"\nmandatary = "{MANDATARY}"\nservice = "fla"\nstart = "2026Q1"\n'
TRAINING: dict[str, Any] = {
    "name": "First aid at work",
    "startDate": "2025-03-06",
    "endDate": "2025-03-07",
    "duration": {"value": 2, "unit": "days"},
    "type": "formal",
}
OWN = TRAINING | {"status": "followed", "certificate": {"obtained": False}, "countsForIndividualRight": True}
SENT = TRAINING | {"status": "completed", "participants": [{"ssin": SSIN, "employer": EMPLOYER}]}
REFERENCE = {"enterpriseNumber": PROVIDER, "trainingKey": "first-aid"}


def call(caller: Caller, method: str, path: str, account: str, document: Any = None) -> Reply:
    """Call an API as an account, with a document or none."""
    headers = {"authorization": f"Bearer {caller.token(account)}"}
    if document is None:
        return caller.call(method, path, headers=headers)
    return caller.call(method, path, json.dumps(document).encode(), headers | {"content-type": "application/json"})


def put(caller: Caller, *items: Any) -> Reply:
    """Send the employer's list."""
    return call(caller, "PUT", LIST, "employer_rsa", {"items": list(items)})


def test_employer_and_mandatary_see_and_correct_what_a_provider_sent(started: Starter) -> None:
    """The record is read in the employer's list, sent back corrected by the mandatary, and survives its deletion."""
    caller = started(MANDATE)
    assert call(caller, "PUT", RECORD, "trainer", SENT).status == 201

    seen = call(caller, "GET", LIST, "employer_rsa").json
    [item] = call(caller, "GET", LIST, "secretariat").json["items"]
    corrected = call(caller, "PUT", LIST, "secretariat", {"items": [item | {"name": "First aid, day 1"}]})

    assert seen["items"] == [item]
    assert seen["total"] == 1
    assert item["trainingProvider"] == REFERENCE
    assert corrected.status == 200
    assert call(caller, "DELETE", RECORD, "trainer").status == 204
    assert [one["name"] for one in call(caller, "GET", LIST, "employer_rsa").json["items"]] == ["First aid, day 1"]


def test_what_a_provider_deletes_is_gone_where_it_was_not_corrected(caller: Caller) -> None:
    """The employer's own trainings stay."""
    call(caller, "PUT", RECORD, "trainer", SENT)
    both = put(caller, OWN)
    call(caller, "DELETE", RECORD, "trainer")

    assert [one.get("trainingProvider") for one in both.json["items"]] == [None, REFERENCE]
    assert call(caller, "GET", LIST, "employer_rsa").json["items"] == [OWN]


def test_a_list_that_breaks_rules_is_refused_whole_with_every_issue(caller: Caller) -> None:
    """What was there stays, and the journal names the rules."""
    put(caller, OWN)
    refused = put(
        caller,
        OWN,
        OWN | {"endDate": "2025-03-05"},
        OWN | {"duration": {"value": 49, "unit": "hours"}},
        OWN | {"trainingProvider": REFERENCE},
    )

    assert refused.status == 400
    assert refused.json["type"] == "urn:problem-type:belgif:badRequest"
    assert [(issue["in"], issue["name"]) for issue in refused.json["issues"]] == [
        ("body", "items[1].endDate"),
        ("body", "items[2].duration.value"),
        ("body", "items[3].trainingProvider"),
    ]
    assert {"FLA-PERIOD-1", "FLA-DURATION-2", "FLA-REFERENCE-1"} <= set(caller.failed)
    assert call(caller, "GET", LIST, "employer_rsa").json["items"] == [OWN]


def test_a_year_out_of_range_is_an_issue_of_the_path(caller: Caller) -> None:
    """The year is refused whatever the list holds."""
    refused = call(caller, "PUT", LIST.replace("2025", "2028"), "employer_rsa", {"items": []})

    assert refused.status == 400
    assert [(issue["in"], issue["name"]) for issue in refused.json["issues"]] == [("path", "year")]


def test_warnings_are_answered_beside_the_list_that_is_stored(caller: Caller) -> None:
    """What is doubtful is stored, and said."""
    answer = put(caller, OWN, OWN)

    assert answer.status == 200
    assert [warning["name"] for warning in answer.json["warnings"]] == ["items[1]"]
    assert call(caller, "GET", LIST, "employer_rsa").json["total"] == 2


def test_a_providers_training_that_breaks_a_rule_is_refused(caller: Caller) -> None:
    """It is not stored, and no employer sees it."""
    wrong = SENT | {"participants": [{"ssin": SSIN, "employer": EMPLOYER}, {"ssin": "65111899998"}]}
    refused = call(caller, "PUT", RECORD, "trainer", wrong)

    assert refused.status == 400
    assert [issue["name"] for issue in refused.json["issues"]] == ["participants[1].ssin"]
    assert SSIN[:10] not in refused.body.decode()
    assert call(caller, "GET", LIST, "employer_rsa").json["items"] == []


def test_documented_rules_alone_leave_the_assumed_ones_out(started: Starter) -> None:
    """The order of dates still refuses; what is assumed neither refuses nor warns."""
    caller = started(rules="documented")
    unlikely = OWN | {"duration": {"value": 49, "unit": "hours"}, "trainingProvider": REFERENCE, "status": "planned"}

    stored = put(caller, unlikely)
    refused = put(caller, unlikely, OWN | {"endDate": "2025-03-05"})

    assert stored.status == 200
    assert "warnings" not in stored.json
    assert [issue["name"] for issue in refused.json["issues"]] == ["items[1].endDate"]


def examples(name: str, body: str) -> Iterator[Any]:
    """Yield the example requests of a contract of ours."""
    contract = yaml.safe_load(contract_file(name).read_text(encoding="utf-8"))
    content = contract["components"]["requestBodies"][body]["content"]["application/json"]
    yield from (example["value"] for example in content["examples"].values())


def test_no_example_of_our_contracts_breaks_a_rule() -> None:
    """What a contract shows may be sent; a reference to a record that nobody sent is another matter."""
    lists = list(examples("fla-employer-v1.yaml", "TrainingList"))
    sent = list(examples("fla-training-provider-v1.yaml", "Training"))

    assert lists
    assert sent
    assert [list(rules.list_errors(document, 2023)) for document in lists] == [[]] * len(lists)
    assert [list(rules.provided_errors(document, rules.today(NOW))) for document in sent] == [[]] * len(sent)
