"""The training providers' contract: which calls it has, who may make them, and what a body may be."""

from typing import Any, Final

import pytest

from scripts.provenance import Node, resolved
from tests.services.own_contracts import (
    CONTRACTS,
    TRAINING_PROVIDER,
    answer,
    body,
    operations,
    parameters,
    validator,
)

CONTRACT: Final = CONTRACTS[TRAINING_PROVIDER]
COLLECTION: Final = "/trainingProviders/{enterpriseNumber}/trainings"
ITEM: Final = f"{COLLECTION}/{{trainingKey}}"
SCOPE: Final = "scope:sigedis:gestion:careerpro-federal-learning-account:training-provider"
OPERATIONS: Final = dict(operations(CONTRACT))
REQUEST: Final[Node] = body(CONTRACT, OPERATIONS[f"PUT {ITEM}"])
STORED: Final[Node] = answer(CONTRACT, OPERATIONS[f"PUT {ITEM}"], "200")
LISTED: Final[Node] = answer(CONTRACT, OPERATIONS[f"GET {COLLECTION}"], "200")
URL: Final = "https://mock.example/REST/trainings"

PARTICIPANT: Final[dict[str, Any]] = {
    "ssin": "65111899997",
    "employer": "0880820673",
    "certificate": {"obtained": True, "validUntil": "2026-05-15"},
    "countsForIndividualRight": True,
}
TRAINING: Final[dict[str, Any]] = {
    "name": "First aid at work",
    "startDate": "2023-05-15",
    "endDate": "2023-05-15",
    "duration": {"value": 7.5, "unit": "hours"},
    "type": "formal",
    "status": "completed",
    "participants": [PARTICIPANT],
}
PAGE: Final[dict[str, Any]] = {
    "items": [TRAINING | {"href": f"{URL}/first-aid", "trainingKey": "first-aid"}],
    "self": URL,
    "total": 1,
    "page": 1,
    "pageSize": 20,
    "first": f"{URL}?page=1&pageSize=20",
    "last": f"{URL}?page=1&pageSize=20",
}


def changed(**members: Node) -> dict[str, Any]:
    """Return a good training in which these members are set."""
    return TRAINING | members


def with_participant(**members: Node) -> dict[str, Any]:
    """Return a good training in whose participant these members are set."""
    return changed(participants=[PARTICIPANT | members])


def without(value: dict[str, Any], member: str) -> dict[str, Any]:
    """Return an object that lacks a member."""
    return {name: kept for name, kept in value.items() if name != member}


def cases(**bodies: Node) -> list[object]:
    """Return each body as a case with its name."""
    return [pytest.param(sent, id=name.replace("_", " ")) for name, sent in bodies.items()]


def test_it_has_a_collection_and_its_members() -> None:
    """A provider lists its trainings; each is put, read and deleted under a key of the provider's choosing."""
    assert {f"GET {COLLECTION}", f"GET {ITEM}", f"PUT {ITEM}", f"DELETE {ITEM}"} == OPERATIONS.keys()


@pytest.mark.parametrize("called", OPERATIONS)
def test_one_scope_opens_all(called: str) -> None:
    """Every operation asks for the scope of training providers, and nothing else would do."""
    flow = CONTRACT["components"]["securitySchemes"]["socialSecurity"]["flows"]["clientCredentials"]
    assert {SCOPE} == flow["scopes"].keys()
    assert OPERATIONS[called]["security"] == [{"socialSecurity": [SCOPE]}]


@pytest.mark.parametrize("path", [COLLECTION, ITEM])
def test_the_server_is_told_what_the_path_holds(path: str) -> None:
    """The provider's number is the one thing in a path that access rules look at; the key identifies nobody."""
    in_path = [parameter for parameter in parameters(CONTRACT, path) if parameter["in"] == "path"]
    holds = {parameter["name"]: parameter["x-fla-mock"] for parameter in in_path if "x-fla-mock" in parameter}
    assert holds == {"enterpriseNumber": {"holds": "enterpriseNumber"}}


def test_a_new_training_is_told_apart_from_a_replaced_one() -> None:
    """A PUT answers 201 with its place, or 200; both have the stored training, and a DELETE has nothing."""
    created = resolved(CONTRACT, OPERATIONS[f"PUT {ITEM}"]["responses"]["201"])
    replaced = resolved(CONTRACT, OPERATIONS[f"PUT {ITEM}"]["responses"]["200"])
    deleted = resolved(CONTRACT, OPERATIONS[f"DELETE {ITEM}"]["responses"]["204"])
    assert resolved(CONTRACT, created["headers"]["Location"])["required"]
    assert created["content"]["application/json"]["schema"] == replaced["content"]["application/json"]["schema"]
    assert "content" not in deleted


@pytest.mark.parametrize(
    ("parameter", "value", "accepted"),
    [
        ("EnterpriseNumber", "1999000348", True),
        ("EnterpriseNumber", "880820673", True),
        ("EnterpriseNumber", "2999000348", False),
        ("EnterpriseNumber", "1999.000.348", False),
        ("TrainingKey", "7", True),
        ("TrainingKey", "A.b_c~d-9", True),
        ("TrainingKey", "x" * 64, True),
        ("TrainingKey", "x" * 65, False),
        ("TrainingKey", "", False),
        ("TrainingKey", "..", False),
        ("TrainingKey", "-7", False),
        ("TrainingKey", "a/b", False),
        ("TrainingKey", "a b", False),
        ("TrainingKey", "é", False),
        ("Page", 1, True),
        ("Page", 1_000_000, True),
        ("Page", 0, False),
        ("Page", 1_000_001, False),
        ("PageSize", 1, True),
        ("PageSize", 100, True),
        ("PageSize", 0, False),
        ("PageSize", 101, False),
    ],
)
def test_parameters(parameter: str, value: Node, accepted: bool) -> None:  # noqa: FBT001 - a column of the table
    """A parameter has the form that the contract gives it."""
    schema = CONTRACT["components"]["parameters"][parameter]["schema"]
    assert accepted == validator(CONTRACT, schema).is_valid(value)


def test_paging_has_defaults_within_its_bounds() -> None:
    """The first page comes without being asked for, with a size that could have been asked for."""
    schemas = {one["name"]: one["schema"] for one in parameters(CONTRACT, COLLECTION) if one["in"] == "query"}
    assert {name: schema["default"] for name, schema in schemas.items()} == {"page": 1, "pageSize": 20}
    for schema in schemas.values():
        validator(CONTRACT, schema).validate(schema["default"])


@pytest.mark.parametrize(
    "sent",
    cases(
        the_good_one=changed(),
        planned=changed(status="planned"),
        informal=changed(type="informal"),
        days=changed(duration={"value": 0.5, "unit": "days"}),
        the_longest_name=changed(name="ß" * 250),
        a_participant_alone=changed(participants=[{"ssin": "65111899997"}]),
        an_employer_without_its_leading_zero=with_participant(employer="880820673"),
        no_certificate=with_participant(certificate={"obtained": False}),
        a_certificate_without_end=with_participant(certificate={"obtained": True}),
        not_counted=with_participant(countsForIndividualRight=False),
        many_participants=changed(participants=[PARTICIPANT] * 1000),
    ),
)
def test_a_good_body_is_accepted(sent: Node) -> None:
    """A body within the contract's limits is right, as a request, as an answer and in a list."""
    validator(CONTRACT, REQUEST).validate(sent)
    validator(CONTRACT, STORED).validate(sent | {"self": f"{URL}/first-aid", "trainingKey": "first-aid"})
    validator(CONTRACT, LISTED).validate(
        PAGE | {"items": [sent | {"href": f"{URL}/first-aid", "trainingKey": "first-aid"}]}
    )


@pytest.mark.parametrize(
    "sent",
    cases(
        a_list=[TRAINING],
        another_member=changed(cost=100),
        its_own_key=changed(trainingKey="first-aid"),
        a_blank_name=changed(name=" "),
        a_name_too_long=changed(name="ß" * 251),
        a_start_that_does_not_exist=changed(startDate="2023-02-29"),
        an_end_with_a_time=changed(endDate="2023-05-15T00:00:00Z"),
        a_bare_duration=changed(duration=2),
        a_duration_of_nothing=changed(duration={"value": 0, "unit": "hours"}),
        another_unit=changed(duration={"value": 2, "unit": "weeks"}),
        another_type=changed(type="online"),
        the_status_of_the_other_API=changed(status="followed"),
        nobody=changed(participants=[]),
        too_many_participants=changed(participants=[PARTICIPANT] * 1001),
        participants_by_number_alone=changed(participants=["65111899997"]),
        a_participant_without_number=changed(participants=[without(PARTICIPANT, "ssin")]),
        another_member_of_a_participant=with_participant(name="An"),
        a_number_with_dots=with_participant(ssin="65.11.18-999.97"),
        a_number_in_digits=with_participant(ssin=65111899997),
        an_employer_of_eight_digits=with_participant(employer="80820673"),
        an_employer_that_is_null=with_participant(employer=None),
        a_bare_certificate=with_participant(certificate=True),
        a_certificate_without_answer=with_participant(certificate={"validUntil": "2026-05-15"}),
        counted_in_text=with_participant(countsForIndividualRight="yes"),
    ),
)
def test_a_bad_body_is_refused(sent: Node) -> None:
    """A body that differs from the good one in one thing is wrong when that thing is outside the contract."""
    assert not validator(CONTRACT, REQUEST).is_valid(sent)


@pytest.mark.parametrize("member", TRAINING)
def test_a_missing_member_is_refused(member: str) -> None:
    """All members of a training are required."""
    assert not validator(CONTRACT, REQUEST).is_valid(without(TRAINING, member))


@pytest.mark.parametrize("member", ["self", "trainingKey"])
def test_an_answer_says_where_it_is(member: str) -> None:
    """A stored training has its link and its key."""
    stored = TRAINING | {"self": f"{URL}/first-aid", "trainingKey": "first-aid"}
    assert not validator(CONTRACT, STORED).is_valid(without(stored, member))


@pytest.mark.parametrize("member", ["href", "trainingKey", *TRAINING])
def test_a_listed_training_is_whole(member: str) -> None:
    """In a list, each training has its link, its key and all that was sent."""
    item = PAGE["items"][0]
    assert not validator(CONTRACT, LISTED).is_valid(PAGE | {"items": [without(item, member)]})


@pytest.mark.parametrize("member", PAGE)
def test_a_page_says_which_it_is(member: str) -> None:
    """A page has its items, its own link, its number and size, the total, and links to the first and last."""
    assert not validator(CONTRACT, LISTED).is_valid(without(PAGE, member))


def test_links_to_neighbours_are_optional() -> None:
    """The first page has none before it, the last one none after it."""
    validator(CONTRACT, LISTED).validate(PAGE)
    validator(CONTRACT, LISTED).validate(PAGE | {"prev": URL, "next": URL})
    assert not validator(CONTRACT, LISTED).is_valid(PAGE | {"next": 2})
