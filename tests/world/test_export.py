"""A world as JSON: always the same bytes for the same world, and read back as what it was."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server import strict_json
from mock_server.clock import ClockState, FixedClock
from mock_server.gateway.faults import parse
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber, Quarter, ServiceName, Ssin
from mock_server.services.catalogue import services
from mock_server.world import consistency
from mock_server.world.export import export_state, import_state
from mock_server.world.file import MAX_FAULTS, WorldFileError, open_world
from mock_server.world.model import (
    ALWAYS,
    BOTH,
    CLOSED_ANSWER,
    CONSULTATION_ANSWER,
    Account,
    Administrator,
    CalendarYear,
    Document,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateDecision,
    OwnNumber,
    Party,
    Period,
    Phase,
    PhaseAnswer,
    RegisteredCertificate,
    StoredFault,
    WorldSettings,
    WorldState,
)
from mock_server.world.store import Store
from tests.support import NOW, certificate

# How long it takes is not judged.
unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

# Worlds of every shape ------------------------------------------------------------------------------------------------


def number(index: int) -> EnterpriseNumber:
    """Return an enterprise number that is not given out."""
    digits = f"1999{index:04d}"
    return EnterpriseNumber(f"{digits}{97 - int(digits) % 97:02d}")


def person(index: int) -> Ssin:
    """Return an SSIN with counter 999, which nobody has."""
    digits = f"{index:06d}999"
    return Ssin(f"{digits}{97 - int(digits) % 97:02d}")


KINDS = ("rsa-2048", "ec-p384", "ec-p521")
names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
moments = st.floats(-59_000_000_000, 250_000_000_000) | st.integers(0, 4_000_000_000).map(float)
periods = st.builds(Period, st.none() | moments, st.none() | moments)
capacities = st.frozensets(st.sampled_from(Capacity))
known_services = st.sampled_from([ServiceName("fla"), ServiceName("dimona")])
quarters = st.builds(Quarter, st.integers(0, 9999), st.integers(1, 4))
finite = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | finite | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@st.composite
def enterprises(draw: st.DrawFn) -> Enterprise:
    """Return an enterprise."""
    held = draw(capacities)
    who = st.builds(Administrator, names, names)
    administrators = st.dictionaries(st.sampled_from(sorted(held)), who) if held else st.just({})
    return Enterprise(
        number(draw(st.integers(0, 9999))),
        draw(names),
        held,
        draw(st.none() | st.sampled_from(Employments)),
        draw(administrators),
    )


@st.composite
def accounts(draw: st.DrawFn, enterprise: Enterprise) -> Account:
    """Return an account of an enterprise."""
    permissions = tuple(draw(st.lists(known_services, unique=True)))
    certificates = st.builds(RegisteredCertificate, names, st.sampled_from(KINDS).map(certificate), periods)
    timed = st.dictionaries(st.sampled_from(permissions), periods) if permissions else st.just({})
    return Account(
        ClientId(draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=6))),
        draw(names),
        enterprise.number,
        draw(st.sampled_from(sorted(enterprise.capacities))),
        permissions,
        tuple(draw(st.lists(certificates, max_size=3))),
        draw(periods),
        draw(timed),
    )


@st.composite
def mandates(draw: st.DrawFn, employers: list[Enterprise], mandataries: list[Enterprise]) -> Mandate:
    """Return a mandate between two enterprises, or one with itself."""
    start, end = draw(quarters), draw(st.none() | quarters)
    decision = draw(st.sampled_from(MandateDecision))
    parties = st.frozensets(st.sampled_from(Party))
    return Mandate(
        draw(st.sampled_from(employers)).number,
        draw(st.sampled_from(mandataries)).number,
        draw(known_services),
        start if end is None else min(start, end),
        end if end is None else max(start, end),
        decision,
        draw(st.none() | st.sampled_from(Party)),
        BOTH if decision is MandateDecision.CONFIRMED else draw(parties),
        draw(st.integers(0, 9)),
    )


def offered(made: Any, found: list[Any]) -> st.SearchStrategy[list[Any]]:
    """Return lists of what is made of the things that were found, if any were."""
    return st.lists(made, max_size=4) if found else st.just([])


@st.composite
def states(draw: st.DrawFn) -> WorldState:
    """Return a world whose parts fit together."""
    companies = draw(st.lists(enterprises(), max_size=4, unique_by=lambda entry: entry.number))
    active = [entry for entry in companies if entry.capacities]
    employers = [entry for entry in companies if Capacity.EMPLOYER in entry.capacities]
    mandataries = [entry for entry in companies if any(capacity.is_mandatary for capacity in entry.capacities)]
    agreed: list[Mandate] = []
    if employers and mandataries:
        for mandate in draw(st.lists(mandates(employers, mandataries), max_size=4)):
            if mandate.mandator != mandate.mandatary and not consistency.rivals(mandate, agreed):
                agreed.append(mandate)
    employed = st.builds(
        lambda entry, index: Employment(entry.number, person(index)),
        st.sampled_from(employers),
        st.integers(0, 999_999),
    )
    documents = st.builds(
        Document,
        names,
        st.text("abc/%0", max_size=6).map(lambda path: path.lstrip("/")),
        st.none() | json_values.map(encode),
        st.integers(0, 10**9),
    )
    answers = st.builds(
        PhaseAnswer,
        st.integers(400, 599),
        st.sampled_from(["about:blank", "urn:problem-type:belgif:gone"]),
        names,
        names,
    )
    scripted = st.builds(
        StoredFault,
        st.integers(1, 99),
        st.sampled_from([{"do": {"status": 503}}, {"operation": "token", "do": {"token": "expired"}, "times": 2}]),
        st.integers(0, 9),
        st.integers(0, 9),
    )
    accounts_ = st.sampled_from(active).flatmap(accounts) if active else st.nothing()
    return WorldState(
        tuple(companies),
        tuple({entry.client_id: entry for entry in draw(offered(accounts_, active))}.values()),
        tuple(agreed),
        tuple(draw(offered(employed, employers))),
        draw(
            st.builds(
                WorldSettings,
                st.sampled_from(Employments),
                st.sampled_from(OwnNumber),
                st.floats(0, 1e8),
                st.sampled_from(CalendarYear),
                st.sampled_from(Phase),
                st.just(CONSULTATION_ANSWER) | answers,
                st.just(CLOSED_ANSWER) | answers,
            )
        ),
        tuple(draw(st.lists(documents, max_size=3, unique_by=lambda entry: (entry.api, entry.path)))),
        draw(st.builds(ClockState, moments) | st.builds(ClockState, st.just(0.0), moments)),
        tuple(draw(st.lists(scripted, max_size=3, unique_by=lambda entry: entry.id))),
    )


def normal(state: WorldState) -> WorldState:
    """Return a world in one form of those that mean the same."""

    def account(entry: Account) -> Account:
        timed = {name: period for name, period in entry.permission_periods.items() if period != ALWAYS}
        certificates = sorted(entry.certificates, key=lambda one: (one.fingerprint, one.name, str(one.period)))
        permissions = tuple(sorted(entry.permissions))
        return replace(entry, permissions=permissions, certificates=tuple(certificates), permission_periods=timed)

    bodies = {entry: entry.body and json.dumps(json.loads(entry.body), sort_keys=True) for entry in state.documents}
    return replace(
        state,
        enterprises=tuple(sorted(state.enterprises, key=lambda entry: entry.number)),
        accounts=tuple(sorted(map(account, state.accounts), key=lambda entry: entry.client_id)),
        mandates=tuple(sorted((replace(entry, id=0) for entry in state.mandates), key=str)),
        employments=tuple(sorted(set(state.employments), key=str)),
        documents=tuple(sorted((replace(entry, body=body) for entry, body in bodies.items()), key=str)),
        faults=tuple(sorted(state.faults, key=lambda entry: entry.id)),
    )


def read_back(data: bytes | Mapping[str, Any], validate: Callable[[Mapping[str, Any]], object] = parse) -> WorldState:
    """Read a world from JSON, as it comes over HTTP."""
    return import_state(data, services(), validate_fault=validate)


# What is written is read back -----------------------------------------------------------------------------------------


@unhurried
@given(states())
def test_a_world_that_is_read_back_is_what_it_was(state: WorldState) -> None:
    """Nothing is lost but the order of things and the numbers of mandates, and it is written the same again."""
    written = export_state(state)
    again = read_back(written)

    assert consistency.faults(state, services()) == []
    assert normal(again) == normal(state)
    assert export_state(again) == written


def backwards(document: Document) -> Document:
    """Return a document whose members stand the other way round."""
    if document.body is None:
        return document
    value = json.loads(document.body)
    return replace(document, body=encode(dict(reversed(value.items())) if isinstance(value, dict) else value))


@unhurried
@given(states(), st.randoms())
def test_the_order_of_things_does_not_matter(state: WorldState, random: Any) -> None:
    """What was added first is written where it belongs, not where it stood."""

    def mixed(entries: Iterable[Any]) -> Any:
        found = list(entries)
        return tuple(random.sample(found, len(found)))

    other = replace(
        state,
        enterprises=mixed(state.enterprises),
        accounts=mixed(
            replace(entry, permissions=mixed(entry.permissions), certificates=mixed(entry.certificates))
            for entry in state.accounts
        ),
        mandates=mixed(replace(entry, id=random.randint(0, 99)) for entry in state.mandates),
        employments=mixed([*state.employments, *state.employments]),
        documents=mixed(map(backwards, state.documents)),
        faults=mixed(state.faults),
    )

    assert export_state(other) == export_state(state)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Return the members of a world, in one place of which stands something else."""
    whole: dict[str, Any] = json.loads(export_state(draw(states())))
    place: Any = whole
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return whole
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.booleans()):
            place[key] = draw(json_values)
            return whole
        place = place[key]


def faults_or_state(members: dict[str, Any]) -> tuple[str, ...] | WorldState:
    """Read a world; return what is wrong with it, if anything is."""
    try:
        return read_back(json.dumps(members).encode())
    except WorldFileError as refused:
        return refused.faults


@unhurried
@given(damaged())
def test_whatever_comes_is_refused_in_words_or_can_be_written_again(members: dict[str, Any]) -> None:
    """One value that is anything else leads to a sentence about it, or to a world like any other."""
    found = faults_or_state(members)

    if isinstance(found, WorldState):
        assert normal(read_back(export_state(found))) == normal(found)
    else:
        assert found
        assert all(line.isprintable() and len(line) < 1_000 for line in found)


DOCUMENT = Document(
    "fla-employer", "employers/1999000150/x", '{"items":[{"name":"Veiligheid op de werf","hours":7.50}]}'
)
FULL = WorldState(
    enterprises=(
        Enterprise(
            number(1),
            "Employer",
            frozenset({Capacity.EMPLOYER, Capacity.TRAINING_PROVIDER}),
            Employments.CLOSED,
            {Capacity.EMPLOYER: Administrator("hr@employer.example", "An Baker")},
        ),
        Enterprise(number(0), "Vóórbeeld", frozenset({Capacity.SOCIAL_SECRETARIAT})),
    ),
    accounts=(
        Account(
            ClientId("b"),
            "Account",
            number(1),
            Capacity.EMPLOYER,
            (ServiceName("fla"), ServiceName("dimona")),
            (RegisteredCertificate("one.cer", certificate(), Period(until=NOW)),),
            Period(NOW + 0.25, NOW + 2**-22),
            {ServiceName("dimona"): Period(NOW)},
        ),
    ),
    mandates=(
        Mandate(number(1), number(0), ServiceName("fla"), Quarter(2025, 1), Quarter(2025, 4), id=7),
        Mandate(
            number(1),
            number(0),
            ServiceName("dimona"),
            Quarter(2025, 1),
            None,
            MandateDecision.PROPOSED,
            Party.MANDATARY,
            frozenset({Party.MANDATARY}),
        ),
        Mandate(
            number(1),
            number(0),
            ServiceName("fla"),
            Quarter(2024, 1),
            None,
            MandateDecision.REJECTED,
            Party.MANDATARY,
            frozenset(),
            3,
        ),
    ),
    employments=(Employment(number(1), person(2)), Employment(number(1), person(1))),
    settings=WorldSettings(activation_delay=900.0),
    documents=(DOCUMENT,),
    clock=ClockState(-3_600.5),
    faults=(StoredFault(4, {"operation": "token", "do": {"status": 503}}, 3, 1),),
)
WRITTEN = """{
  "accounts": [
    {
      "active_from": "2026-09-21T14:13:20.250000Z",
      "active_until": 1790000000.0000002,
      "capacity": "employer",
      "certificates": [
        {
          "active_until": "2026-09-21T14:13:20Z",
          "der": "DER",
          "name": "one.cer"
        }
      ],
      "client_id": "b",
      "enterprise": "1999000150",
      "name": "Account",
      "permission_periods": {"dimona": {"active_from": "2026-09-21T14:13:20Z"}},
      "permissions": ["dimona", "fla"]
    }
  ],
  "clock": {"offset": -3600.5},
  "documents": [
    {
      "api": "fla-employer",
      "body": {"items": [{"hours": 7.5, "name": "Veiligheid op de werf"}]},
      "path": "employers/1999000150/x"
    }
  ],
  "employments": [
    {"enterprise": "1999000150", "ssin": "00000199938"},
    {"enterprise": "1999000150", "ssin": "00000299908"}
  ],
  "enterprises": [
    {"capacities": ["social-secretariat"], "name": "Vóórbeeld", "number": "1999000051"},
    {
      "administrators": {"employer": {"email": "hr@employer.example", "local_administrator": "An Baker"}},
      "capacities": ["employer", "training-provider"],
      "employments": "closed",
      "name": "Employer",
      "number": "1999000150"
    }
  ],
  "faults": [
    {"do": {"status": 503}, "fired": 1, "id": 4, "operation": "token", "seen": 3}
  ],
  "mandates": [
    {
      "mandatary": "1999000051",
      "mandator": "1999000150",
      "proposed_by": "mandatary",
      "service": "dimona",
      "start": "2025Q1",
      "status": "proposed"
    },
    {
      "confirmed_by": [],
      "mandatary": "1999000051",
      "mandator": "1999000150",
      "proposed_by": "mandatary",
      "service": "fla",
      "start": "2024Q1",
      "status": "rejected"
    },
    {"end": "2025Q4", "mandatary": "1999000051", "mandator": "1999000150", "service": "fla", "start": "2025Q1"}
  ],
  "settings": {"activation_delay": 900}
}
"""


def test_what_is_written_is_sorted_and_says_nothing_that_goes_without_saying() -> None:
    """Defaults are left out, moments are ISO 8601 where that is exact, and what fits on a line stands on one."""
    der = base64.b64encode(certificate()).decode()

    assert export_state(FULL).decode() == WRITTEN.replace("DER", der)


def test_an_empty_world_is_an_empty_object() -> None:
    """Nothing is written of a world that has nothing, and that reads back as one."""
    assert export_state(WorldState()) == b"{}\n"
    assert read_back(b"{}") == WorldState()


def test_a_world_of_a_store_is_written_as_what_it_was_made_from() -> None:
    """A world that has been stored says the same as the state that it was made from."""
    store = Store()
    try:
        world = store.create_world(FULL, FixedClock(NOW))

        assert export_state(world.state()) == export_state(FULL)
    finally:
        store.close()


def test_a_file_of_json_is_a_world_file(tmp_path: Path) -> None:
    """What was written can be started from, whether its name says that it is JSON or its first character."""
    (tmp_path / "world.json").write_bytes(export_state(FULL))
    (tmp_path / "world").write_bytes(b"\xef\xbb\xbf\n" + export_state(FULL))

    for name in ("world.json", "world"):
        assert normal(open_world(tmp_path / name).state(services(), validate_fault=parse)) == normal(FULL)


# Documents ------------------------------------------------------------------------------------------------------------

BODIES = [
    '{"a":1,"b":1.0,"c":-0.0,"d":0.1,"e":1e+100}',
    f'{{"a":{10**300}}}',
    '{"a":"\\u0000\\n\\"é😀"}',
    "[]",
    "null",
    '"text"',
    str(list(range(1_000))).replace(" ", ""),
]


@pytest.mark.parametrize("body", BODIES)
def test_a_document_reads_back_to_the_digit(body: str) -> None:
    """A whole number stays one, a double keeps all its digits, and any JSON value may be a document."""
    (document,) = read_back(export_state(WorldState(documents=(Document("api", "path", body),)))).documents

    assert document == Document("api", "path", body)


@pytest.mark.parametrize(("levels", "member"), [(28, "body"), (29, "text"), (32, "text")])
def test_what_is_nested_too_deep_to_stand_in_a_world_is_written_as_text(levels: int, member: str) -> None:
    """A document may have as many levels as JSON may have here, and a world is more levels around it."""
    body = "[" * levels + "]" * levels
    state = WorldState(documents=(Document("api", "path", body),))
    request = strict_json.loads(b'{"state": ' + export_state(state) + b"}")

    assert member in request["state"]["documents"][0]
    assert read_back(request["state"]) == state


def test_a_document_may_be_given_as_text() -> None:
    """What TOML cannot say is said so; null is the same as nothing."""
    where = {"api": "api", "path": "path"}
    as_text = {"documents": [where | {"text": ' { "b": null,\n"a": 1.50 } '}]}
    as_value = {"documents": [where | {"text": None, "body": {"b": None, "a": 1.5}}]}

    assert read_back(as_text) == read_back(as_value)
    assert read_back(as_text).documents == (Document("api", "path", '{"b":null,"a":1.5}'),)


def test_a_moment_beyond_all_dates_is_written_as_a_number() -> None:
    """No calendar has it, and a world that somehow came there can still be looked at."""
    assert b'"frozen_at": 1000000000000000' in export_state(WorldState(clock=ClockState(0.0, 1e15)))


def test_what_was_deleted_and_what_was_added_is_written_as_such() -> None:
    """A deleted one has no body, and one that was put under a key has no number; whom they mention is not written."""
    documents = (
        Document("api", "a", None, 7),
        Document("api", "b", "{}", mentions=(person(1),)),
        Document("api", "c", "null", 2),
    )

    written = json.loads(export_state(WorldState(documents=documents)))["documents"]

    assert written == [
        {"api": "api", "path": "a", "deleted": True, "number": 7},
        {"api": "api", "path": "b", "body": {}},
        {"api": "api", "path": "c", "body": None, "number": 2},
    ]
    assert read_back({"documents": written}).documents == documents
    assert read_back({"documents": written}).documents[1].mentions == ()


# Phases ---------------------------------------------------------------------------------------------------------------


def test_a_phase_and_its_answers_are_written_when_they_are_not_as_usual() -> None:
    """An answer that is another is written with all its members; the one that is as usual is not."""
    answer = PhaseAnswer(503, "about:blank", "Service Unavailable", "Back tomorrow")
    state = WorldState(settings=WorldSettings(phase=Phase.CLOSED, closed_answer=answer))

    members = json.loads(export_state(state))

    assert members == {"settings": {"phase": "closed", "closed_answer": answer._asdict()}}
    assert read_back(members) == state


def test_an_answer_without_a_type_has_the_usual_one() -> None:
    """RFC 9457 says about:blank for a problem that has no type."""
    members = {"settings": {"consultation_answer": {"status": 409, "title": "Conflict", "detail": "Too late"}}}

    expected = PhaseAnswer(409, "about:blank", "Conflict", "Too late")
    assert read_back(members).settings.consultation_answer == expected


# What is not written --------------------------------------------------------------------------------------------------


def test_a_document_that_is_not_json_is_not_written() -> None:
    """It could not be read back, and the message says which it is."""
    with pytest.raises(ValueError, match="the document api path is not JSON"):
        export_state(WorldState(documents=(Document("api", "path", "{"),)))


def test_only_certificates_are_written() -> None:
    """Whatever else stands in the place of one is not, and the message does not show it."""
    (account,) = FULL.accounts
    entry = RegisteredCertificate("key", b"something that must stay here")

    with pytest.raises(ValueError, match="account b has a certificate that is none") as refused:
        export_state(replace(FULL, accounts=(replace(account, certificates=(entry,)),)))

    assert "something" not in str(refused.value)


# What is refused ------------------------------------------------------------------------------------------------------

ENTERPRISE = {"number": number(1), "name": "Employer", "capacities": ["employer"]}
ACCOUNT = {"name": "Mine", "enterprise": number(1), "capacity": "employer", "client_id": "c"}
ANSWER = {"status": 410, "title": "Gone", "detail": "Over"}


def with_certificate(**members: Any) -> dict[str, Any]:
    """Return a world with a certificate."""
    return {"enterprises": [ENTERPRISE], "accounts": [ACCOUNT | {"certificates": [members]}]}


REFUSED: dict[str, tuple[Any, str]] = {
    "text": ("state", "a world is an object with enterprises, accounts, mandates"),
    "a list": ([1], "a world is an object with enterprises, accounts, mandates"),
    "nothing": (None, "found null"),
    "an unknown member": ({"x\ny": 1}, "“x\\ny”: is not known here; known are enterprises"),
    "an object in place of a list": (
        {"mandates": {"a": 1}},
        "mandates: should be a list; found an object with 1 members",
    ),
    "null in place of a list": ({"mandates": None}, "mandates: should be a list; found null"),
    "an unknown member of a strange name": (
        {"settings": {"[key]": 1}},
        "settings.“[key]”: is not known here; known are employments",
    ),
    "a number in place of an object": ({"settings": 1}, "settings: should be an object; found 1"),
    "a file": (
        with_certificate(file="/etc/hostname"),
        "accounts[0] (“Mine”).certificates[0]: file is for a world file on a disk",
    ),
    "a certificate in letters beyond ASCII": (with_certificate(der="é"), "der is not base64"),
    "a certificate that is none": (with_certificate(der="AAAA"), "expected a certificate"),
    "a certificate of neither kind": (with_certificate(), "certificates[0] (“Mine”): a certificate has either file"),
    "a name with a line break": (
        {"enterprises": [ENTERPRISE | {"name": "a\nb"}]},
        "enterprises[0].name (“a\\nb”): a name has no line breaks",
    ),
    "a name that is empty": (
        {"enterprises": [ENTERPRISE | {"name": ""}]},
        "enterprises[0].name: should be text of at least 1 character; found “”",
    ),
    "a name without end": (
        {"enterprises": [ENTERPRISE | {"name": "x" * 256}]},
        "should be text of at most 255 characters",
    ),
    "a list without end": (
        {"enterprises": [ENTERPRISE | {"capacities": ["boss"] * 10_000}]},
        "enterprises[0].capacities (“Employer”): has 10000 entries, and at most 1000 are read",
    ),
    "an entry without end": (
        {"enterprises": [{str(index): 1 for index in range(10_000)}]},
        "enterprises[0]: has 10000 members, and at most 50 are read",
    ),
    "a table without end inside an entry": (
        {"enterprises": [ENTERPRISE | {"administrators": {str(index): 1 for index in range(10_000)}}]},
        "enterprises[0].administrators (“Employer”): has 10000 members, and at most 50 are read",
    ),
    "an administrator of something else": (
        {"enterprises": [ENTERPRISE | {"administrators": {"boss": {"email": "a", "local_administrator": "b"}}}]},
        "enterprises[0].administrators.boss (“Employer”): should be employer, social-secretariat",
    ),
    "an unknown member of an administrator": (
        {"enterprises": [ENTERPRISE | {"administrators": {"employer": {"mail": "a"}}}]},
        "administrators.employer.mail (“Employer”): is not known here; known are email, local_administrator",
    ),
    "a period of a permission that is not ticked": (
        {"enterprises": [ENTERPRISE], "accounts": [ACCOUNT | {"permission_periods": {"fla": {"active_from": 1}}}]},
        "accounts[0] (“Mine”): permission_periods names “fla”, which is not among its permissions",
    ),
    "a delay that is text": (
        {"settings": {"activation_delay": "5"}},
        "settings.activation_delay: should be a number; found “5”",
    ),
    "a delay that is true": ({"settings": {"activation_delay": True}}, "should be a number; found true"),
    "a delay below zero": ({"settings": {"activation_delay": -1}}, "should be at least 0; found -1"),
    "a delay of hundreds of digits": (
        {"settings": {"activation_delay": 10**300}},
        "settings.activation_delay: should be at most 315576000; found a huge number",
    ),
    "a delay without end": ({"settings": {"activation_delay": 10**30}}, "should be at most 315576000"),
    "a clock that runs and stands still": ({"clock": {"offset": 1, "frozen_at": 0}}, "clock: a clock has either"),
    "an offset beyond all dates": ({"clock": {"offset": 1e15}}, "clock.offset: should be at most 250246627200"),
    "a moment without a zone": (
        {"clock": {"frozen_at": "2027-01-01T00:00:00"}},
        "clock.frozen_at: a moment is written with its zone, like 2027-01-01T00:00:00+01:00",
    ),
    "a moment in words": ({"clock": {"frozen_at": "tomorrow"}}, "or in Unix seconds; found “tomorrow”"),
    "a moment that is true": ({"clock": {"frozen_at": True}}, "clock.frozen_at: a moment is written"),
    "a moment beyond all dates": ({"clock": {"frozen_at": 10**300}}, "or in Unix seconds; found a huge number"),
    "a quarter that is a number": (
        {"mandates": [{"start": 2025}]},
        "mandates[0].start: should be text, in quotes; found 2025",
    ),
    "a document without a body": (
        {"documents": [{"api": "a", "path": "b"}]},
        "documents[0]: a document has one of body (a JSON value), text (JSON as text), and deleted",
    ),
    "a document with two": (
        {"documents": [{"api": "a", "path": "b", "body": None, "text": "1"}]},
        "documents[0]: a document has one of body",
    ),
    "a document that is there and deleted": (
        {"documents": [{"api": "a", "path": "b", "body": 1, "deleted": True}]},
        "documents[0]: a document has one of body",
    ),
    "a document that is deleted by a number": (
        {"documents": [{"api": "a", "path": "b", "deleted": 1}]},
        "documents[0].deleted: should be true or false; found 1",
    ),
    "a document with a number below zero": (
        {"documents": [{"api": "a", "path": "b", "body": 1, "number": -1}]},
        "documents[0].number: should be at least 0; found -1",
    ),
    "a document with a huge number": (
        {"documents": [{"api": "a", "path": "b", "body": 1, "number": 10**9 + 1}]},
        "documents[0].number: should be at most 1000000000",
    ),
    "whom a document mentions": (
        {"documents": [{"api": "a", "path": "b", "body": 1, "mentions": []}]},
        "documents[0].mentions: is not known here; known are api, path, body, text, deleted, number",
    ),
    "a phase that there is not": (
        {"settings": {"phase": "over"}},
        "settings.phase: should be open, consultation or closed; found “over”",
    ),
    "an answer that is none": (
        {"settings": {"closed_answer": 410}},
        "settings.closed_answer: should be an object; found 410",
    ),
    "an answer that is a success": (
        {"settings": {"closed_answer": ANSWER | {"status": 204}}},
        "settings.closed_answer.status: should be at least 400; found 204",
    ),
    "an answer with a status that is none": (
        {"settings": {"closed_answer": ANSWER | {"status": 600}}},
        "settings.closed_answer.status: should be at most 599; found 600",
    ),
    "an answer without a title": (
        {"settings": {"closed_answer": {"status": 410, "detail": "x"}}},
        "settings.closed_answer.title: is missing",
    ),
    "an answer with a type that is no URI": (
        {"settings": {"consultation_answer": ANSWER | {"type": "not a URI"}}},
        "settings.consultation_answer.type: the type of a problem is a URI, like about:blank",
    ),
    "an answer of two lines": (
        {"settings": {"consultation_answer": ANSWER | {"detail": "a\nb"}}},
        "settings.consultation_answer.detail: a text has no line breaks",
    ),
    "an unknown member of an answer": (
        {"settings": {"consultation_answer": ANSWER | {"code": 1}}},
        "settings.consultation_answer.code: is not known here; known are status, type, title, detail",
    ),
    "text that is not JSON": (
        {"documents": [{"api": "a", "path": "b", "text": "{'a': 1}"}]},
        "documents[0].text: JSON syntax error at line 1, column 2",
    ),
    "text that is a number": (
        {"documents": [{"api": "a", "path": "b", "text": 1}]},
        "documents[0].text: should be text, in quotes; found 1",
    ),
    "a path that begins with a slash": (
        {"documents": [{"api": "a", "path": "/b", "body": 1}]},
        "documents[0].path: a path is what follows the base URL",
    ),
    "a fault that its judge refuses": (
        {"faults": [{"do": {"status": 200}, "often": 1}]},
        "faults[0]: often: a fault has no such member",
    ),
    "a fault with a number that is text": ({"faults": [{"id": "1"}]}, "faults[0].id: should be a whole number"),
    "a fault with a number that is true": ({"faults": [{"id": True}]}, "should be a whole number; found true"),
    "a fault with a number below one": ({"faults": [{"id": 0}]}, "faults[0].id: should be at least 1; found 0"),
    "a fault with a huge number": ({"faults": [{"id": 10**300}]}, "should be at most 1000000000; found a huge number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_json_that_is_no_world_is_refused_in_words(name: str) -> None:
    """Each line says where it is, what was expected and what came."""
    value, message = REFUSED[name]

    with pytest.raises(WorldFileError) as refused:
        read_back(json.dumps(value).encode())

    assert message in str(refused.value)
    assert all(len(line) < 1_000 for line in refused.value.faults)


NOT_JSON = {
    "nothing": (b"", "not valid JSON: JSON syntax error at line 1, column 1"),
    "TOML": (b"[settings]", "not valid JSON: JSON syntax error"),
    "a member twice": (b'{"settings": {}, "settings": {}}', "not valid JSON: an object has the same member twice"),
    "not a number": (b'{"clock": {"offset": NaN}}', "not valid JSON: NaN is not JSON"),
    "a number of 5,000 digits": (b'{"clock": {"offset": ' + b"1" * 5_000 + b"}}", "beyond double precision"),
    "half a character": (b'{"\\ud800": 1}', "half a surrogate pair"),
    "other bytes": (b"\xff", "not UTF-8"),
    "too many levels": (b'{"documents": ' + b"[" * 40, "nested deeper than 32 levels"),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_json_is_read_strictly(name: str) -> None:
    """What means two things, or nothing, is refused."""
    data, message = NOT_JSON[name]

    with pytest.raises(WorldFileError) as refused:
        read_back(data)

    assert message in str(refused.value)


def test_no_more_is_read_than_the_caller_allows() -> None:
    """One byte more than the limit is too much."""
    data = export_state(FULL)

    import_state(data, services(), validate_fault=parse, max_bytes=len(data))
    with pytest.raises(WorldFileError, match=f"larger than {len(data) - 1} bytes"):
        import_state(data, services(), validate_fault=parse, max_bytes=len(data) - 1)


LONG: dict[str, dict[str, Any]] = {
    "entries": {"employments": [1] * 1_000},
    "members": {str(index): 1 for index in range(1_000)},
    "contradictions": {"enterprises": [ENTERPRISE] * 1_000},
    "lines of one fault": {"faults": [{"x": 1}]},
}


@pytest.mark.parametrize("name", LONG)
def test_a_bounded_number_of_faults_is_told(name: str) -> None:
    """Whoever gave a thousand is told a hundred, and that there are more."""

    def judge(_members: Mapping[str, Any]) -> None:
        raise ValueError("\n".join(["wrong"] * 1_000))

    with pytest.raises(WorldFileError) as refused:
        read_back(LONG[name], judge)

    assert len(refused.value.faults) == MAX_FAULTS + 1
    assert refused.value.faults[-1] == "and more: these are the first 100"


def test_faults_are_read_only_where_somebody_can_judge_them() -> None:
    """Without a judge, a world with scripted faults is refused."""
    with pytest.raises(WorldFileError, match="faults\\[0\\]: scripted faults are not taken here"):
        import_state({"faults": [{"do": {"status": 503}}]}, services(), validate_fault=None)


def test_a_judge_may_refuse_without_a_word() -> None:
    """What is refused is not there, whatever was said about it."""

    def judge(_members: Mapping[str, Any]) -> None:
        raise ValueError

    with pytest.raises(WorldFileError, match="faults\\[0\\]: is refused"):
        read_back({"faults": [{"do": {"status": 503}}]}, judge)


def test_a_fault_without_a_number_gets_one_that_is_free() -> None:
    """Whoever writes a world by hand need not number the faults."""
    do = {"do": {"status": 503}}
    state = read_back({"faults": [do, do | {"id": 1, "seen": 2}, do, do | {"id": 3}]})

    assert [fault.id for fault in state.faults] == [2, 1, 4, 3]
    assert state.faults[1] == StoredFault(1, do, 2, 0)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, BOTH),
        ({"status": "active"}, BOTH),
        ({"status": "revoked", "proposed_by": "mandator"}, BOTH),
        ({"status": "proposed"}, frozenset()),
        ({"status": "proposed", "proposed_by": "mandator"}, {Party.MANDATOR}),
        ({"status": "rejected", "proposed_by": "mandatary"}, {Party.MANDATARY}),
        ({"status": "rejected", "confirmed_by": []}, frozenset()),
        ({"status": "revoked", "confirmed_by": ["mandatary"]}, {Party.MANDATARY}),
    ],
)
def test_who_confirmed_a_mandate_follows_unless_it_is_said(members: dict[str, Any], expected: frozenset[Party]) -> None:
    """Both confirmed what was in effect; what was only proposed is confirmed by whoever proposed it."""
    companies = [ENTERPRISE, {"number": number(0), "name": "S", "capacities": ["service-provider"]}]
    mandate = {"mandator": number(1), "mandatary": number(0), "service": "fla", "start": "2025Q1"}
    (read,) = read_back({"enterprises": companies, "mandates": [mandate | members]}).mandates

    assert read.confirmed_by == expected


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21T16:13:20.5+02:00", NOW + 0.5),
        (1_790_000_000, NOW),
        (1_790_000_000.1, NOW + 0.1),
        (None, None),
    ],
)
def test_a_moment_is_iso_8601_or_unix_seconds(written: Any, moment: float | None) -> None:
    """Both mean the same, and null means that the clock runs."""
    assert read_back({"clock": {"frozen_at": written}}).clock == ClockState(0.0, moment)
