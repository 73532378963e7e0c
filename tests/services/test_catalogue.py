"""Which APIs are served: those of the catalogue, from our contracts or from given files, and what is added."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.identifiers import Capacity, ServiceName
from mock_server.services.catalogue import DEFAULT_PATHS, DIMONA, FLA, own_apis, services
from mock_server.services.contract import Contract, ContractError, load
from mock_server.services.documents.reader import Reading
from mock_server.services.given import Given, GivenParameter, GivenService, Loaded, load_given

EMPLOYER, TRAINER = "fla-employer", "fla-training-provider"
RESERVED = ("/REST/oauth/v5/token", "/health", "/_mock", "/worlds")


def document(base: str | None = "/REST/care/v1", *scopes: str, **members: Any) -> dict[str, Any]:
    """Return a contract with an operation on an employer, and one on something else."""
    answer = {"200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    named = [{"name": "werkgever", "in": "path", "required": True, "schema": {"type": "string"}}]
    kept = [{"name": "session", "in": "cookie", "schema": {"type": "string"}}]
    security = [{"oauth": list(scopes)}] if scopes else []
    made = {
        "openapi": "3.0.3",
        "info": {"title": "Care", "version": "1"},
        "paths": {
            "/things/{werkgever}": {"get": {"parameters": named, "responses": answer, "security": security}},
            "/status": {"get": {"parameters": kept, "responses": answer}},
        },
    }
    return made | ({} if base is None else {"servers": [{"url": base}]}) | members


def write(folder: Path, made: Mapping[str, Any], name: str = "care.json") -> Path:
    """Write a contract."""
    path = folder / name
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the contract."""
    return write(tmp_path, document())


def added(file: Path, name: str = "care", **more: Any) -> GivenService:
    """Return a service as it is given."""
    return GivenService(name, file, f"--service {name}={file}", **more)


def contract_of(loaded: Loaded, name: str) -> Contract:
    """Return the contract of an API."""
    return next(contract for api, contract in loaded.apis if api.name == name)


def faults(given: Given) -> str:
    """Return what is wrong with what was given."""
    with pytest.raises(ContractError) as told:
        load_given(given)
    return str(told.value)


def test_two_apis_are_served_without_being_told() -> None:
    """Each with our contract, for the capacities that it is for, and at the path that its contract names."""
    loaded = load_given(Given(reserved=RESERVED))

    found = {api.name: (api.service, api.capacities, contract.base_path) for api, contract in loaded.apis}
    employers = frozenset({Capacity.EMPLOYER, Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER})
    assert found == {
        EMPLOYER: (FLA, employers, DEFAULT_PATHS[EMPLOYER]),
        TRAINER: (FLA, frozenset({Capacity.TRAINING_PROVIDER}), DEFAULT_PATHS[TRAINER]),
    }
    assert {one.name: one.ends for one in loaded.services.values()} == {"fla": True, "dimona": False}
    assert loaded.added == ()


@pytest.mark.parametrize("api", own_apis(), ids=lambda api: api.name)
def test_the_default_path_is_that_of_our_contract(api: Any) -> None:
    """A file that names no path is served where ours is."""
    assert load(api.contract).base_path == DEFAULT_PATHS[api.name]


def test_a_setting_moves_our_contract() -> None:
    """The base path of our own contract is assumed, so it gives way."""
    loaded = load_given(Given(paths={EMPLOYER: "/REST/real/v2"}))

    assert contract_of(loaded, EMPLOYER).base_path == "/REST/real/v2"
    assert contract_of(loaded, TRAINER).base_path == DEFAULT_PATHS[TRAINER]


@pytest.mark.parametrize(
    ("base", "setting", "served_at"),
    [
        ("https://example.org/REST/official/v3/", "/REST/set/v1", "/REST/official/v3"),
        ("https://example.org/", "/REST/set/v1", "/REST/set/v1"),
        (None, "/REST/set/v1", "/REST/set/v1"),
        (None, None, DEFAULT_PATHS[EMPLOYER]),
    ],
)
def test_the_path_of_a_given_file_goes_before_the_setting(
    tmp_path: Path, base: str | None, setting: str | None, served_at: str
) -> None:
    """The setting, and then our own path, stand in where the file names none."""
    given = Given({EMPLOYER: write(tmp_path, document(base))}, paths={} if setting is None else {EMPLOYER: setting})

    assert contract_of(load_given(given), EMPLOYER).base_path == served_at


def test_a_replaced_contract_keeps_its_place(file: Path) -> None:
    """Capacities, rules and service stay: only the contract is another."""
    before = {api.name: api for api in own_apis()}[EMPLOYER]
    api, contract = load_given(Given({EMPLOYER: file})).apis[0]

    kept = (api.name, api.service, api.capacities, api.behaviour)
    assert kept == (before.name, before.service, before.capacities, before.behaviour)
    assert (api.is_ours, contract.title) == (False, "Care")


def test_a_service_is_added_with_its_name(file: Path) -> None:
    """Its permission and its scope are called so, and every capacity gets the scope."""
    loaded = load_given(Given(services=[added(file)]))

    service = loaded.services[ServiceName("care")]
    assert (service.permission, service.one_mandatary, service.ends) == ("care", False, False)
    assert service.scopes == dict.fromkeys(Capacity, ("scope:care",))
    assert [api.name for api, _ in loaded.apis] == [EMPLOYER, TRAINER, "care"]
    assert loaded.added == ("care",)


def test_a_service_without_a_path_is_served_under_its_name(tmp_path: Path) -> None:
    """Where its file says nothing."""
    loaded = load_given(Given(services=[added(write(tmp_path, document(None)))]))

    assert contract_of(loaded, "care").base_path == "/REST/care/v1"


def test_the_scopes_of_an_added_service_are_those_of_its_contract(tmp_path: Path) -> None:
    """Each capacity gets all that the operations name."""
    file = write(tmp_path, document("/REST/care/v1", "care:read", "care:write"))

    service = load_given(Given(services=[added(file)])).services[ServiceName("care")]

    assert service.scopes == dict.fromkeys(Capacity, ("care:read", "care:write"))


def test_a_known_service_keeps_its_scopes_and_its_permission(tmp_path: Path) -> None:
    """What the contract names is added to them."""
    file = write(tmp_path, document("/REST/dimona/v2", "dimona:read"))

    found = load_given(Given(services=[added(file, "dimona")])).services[DIMONA]

    known = services()[DIMONA]
    assert found.permission == known.permission
    assert found.scopes[Capacity.EMPLOYER] == (*known.scopes[Capacity.EMPLOYER], "dimona:read")
    assert found.scopes[Capacity.TRAINING_PROVIDER] == ("dimona:read",)


def test_what_is_said_of_a_service_goes_before_what_follows_from_its_contract(tmp_path: Path) -> None:
    """Base path, permission, scopes by capacity and mandataries; an API is for the capacities that have a scope."""
    file = write(tmp_path, document("/REST/care/v1", "care:read"))
    said = added(
        file,
        base_path="/REST/other/v1",
        permission="Care for all",
        scopes={Capacity.EMPLOYER: ("care:own",)},
        one_mandatary=True,
    )

    loaded = load_given(Given(services=[said]))

    service = loaded.services[ServiceName("care")]
    assert (service.permission, service.scopes, service.one_mandatary) == (
        "Care for all",
        {Capacity.EMPLOYER: ("care:own",)},
        True,
    )
    assert contract_of(loaded, "care").base_path == "/REST/other/v1"
    assert loaded.apis[-1][0].capacities == {Capacity.EMPLOYER}


def test_the_contract_of_an_added_service_can_be_replaced(file: Path, tmp_path: Path) -> None:
    """A world file may name one contract, and a command line another."""
    other = write(tmp_path, document(info={"title": "Newer"}), "newer.json")

    loaded = load_given(Given({"care": other}, [added(file)]))

    assert contract_of(loaded, "care").title == "Newer"


def held(loaded: Loaded, name: str = "care") -> set[str]:
    """Return what the parameters of a contract's first operation hold."""
    return set(contract_of(loaded, name).operations[0].held)


def test_what_a_parameter_holds_can_be_said_of_all_of_one_and_of_a_service(file: Path) -> None:
    """The narrower word goes first: of one API on the command line, of the service in its file, of all."""
    everything = GivenParameter("werkgever", "enterpriseNumber")
    assert held(load_given(Given(services=[added(file)]))) == set()
    assert held(load_given(Given(services=[added(file)], parameters=[everything]))) == {"enterpriseNumber"}

    in_its_file = added(file, parameters={"werkgever": "ssin"})
    assert held(load_given(Given(services=[in_its_file], parameters=[everything]))) == {"ssin"}

    of_it_alone = GivenParameter("werkgever", None, "care")
    assert held(load_given(Given(services=[in_its_file], parameters=[everything, of_it_alone]))) == set()


def test_how_strict_a_given_contract_is_can_be_said_of_all_and_of_one(file: Path) -> None:
    """What a service says in its file goes before the settings; our own contracts stay as they are."""
    reading = Reading(unknown_query="ignore", unknown_members="refuse", read_only="ignore")
    said = added(file, reading={"unknown_query": "refuse"})

    found = {api.name: api.reading for api, _ in load_given(Given(services=[said], reading=reading)).apis}

    care = found["care"]
    assert (care.unknown_query, care.unknown_members, care.read_only) == ("refuse", "refuse", "ignore")
    assert found[EMPLOYER] == Reading()


# What is wrong, and words that tell what came and what to do.
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a contract of nothing": (
        {"contracts": {"care": Path("x.json")}},
        ["--contract care=x.json: no API is called care", EMPLOYER, "--service NAME=x.json"],
    ),
    "a service that is there": (
        {"services": [("fla", "care.json")]},
        ["--service fla=care.json: fla is one of the mock's own", "--contract fla-employer=FILE"],
    ),
    "a service with the name of an API": (
        {"services": [(EMPLOYER, "care.json")]},
        ["fla-employer is one of the mock's own"],
    ),
    "a service twice": (
        {"services": [("care", "care.json"), ("care", "care.json")]},
        ["care was given before, by --service care=care.json", "--contract care=FILE"],
    ),
    "a parameter of no API": (
        {"services": [("care", "care.json")], "parameters": [GivenParameter("werkgever", "ssin", "cure")]},
        ["--parameter “cure:werkgever=ssin”: no API is called “cure”", "care"],
    ),
    "a parameter of our own contract": (
        {"parameters": [GivenParameter("ssin", None, EMPLOYER)]},
        ["fla-employer has the mock's own contract"],
    ),
    "a parameter that no contract has": (
        {"services": [("care", "care.json")], "parameters": [GivenParameter("werkgeefster", "ssin")]},
        ["no contract that was given has a parameter of this name", "“werkgever”"],
    ),
    "a parameter that another contract has": (
        {
            "contracts": {EMPLOYER: "other.json"},
            "services": [("care", "care.json")],
            "parameters": [GivenParameter("werkgever", "ssin", EMPLOYER)],
        },
        ["no operation of fla-employer has a parameter of this name", "there are none"],
    ),
    "a cookie": (
        {"services": [("care", "care.json")], "parameters": [GivenParameter("session", "ssin")]},
        ["no contract that was given has a parameter of this name"],
    ),
    "a file that is not there": (
        {"services": [("care", "nowhere.json")]},
        ["care: ", "nowhere.json: cannot be read"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_served_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In words: where it was given, what came and what to do."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, document())
    bare = document("/REST/other/v1")
    del bare["paths"]["/things/{werkgever}"]
    write(tmp_path, bare, "other.json")
    members, words = WRONG[name]
    contracts = {api: Path(file) for api, file in members.get("contracts", {}).items()}
    given = [added(Path(file), service) for service, file in members.get("services", [])]

    told = faults(Given(contracts, given, members.get("parameters", ())))

    assert [word for word in words if word not in told] == []


def test_a_parameter_that_is_said_in_a_file_has_to_be_there(file: Path) -> None:
    """As one that is said on the command line."""
    told = faults(Given(services=[added(file, parameters={"wergever": "ssin"})]))

    assert f"--service care={file}: parameters: no operation has a parameter “wergever”; there are “werkgever”" in told


PATHS = {
    "the same": ("/REST/careerpro-federal-learning-account/v1", "is also that of fla-employer"),
    "inside another": ("/REST/careerpro-federal-learning-account/v1/more", "lie in one another"),
    "around another": ("/REST/careerpro-federal-learning-account", "lie in one another"),
    "around the token endpoint": ("/REST/oauth", "would hide /REST/oauth/v5/token"),
    "the health check": ("/health", "would hide /health"),
    "below the control API": ("/_mock/api", "would hide /_mock"),
    "below the worlds": ("/worlds/x", "would hide /worlds"),
    "no path": ("/REST/{tenant}/v1", "expected a path like /REST/name/v1"),
    "with dots": ("/REST/../v1", "expected a path like /REST/name/v1"),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_base_path_that_hides_another_is_refused(tmp_path: Path, name: str) -> None:
    """Which two, and how to give one of them another path."""
    base, words = PATHS[name]

    told = faults(Given(services=[added(write(tmp_path, document(base)))], reserved=RESERVED))

    assert told.startswith("care: ")
    assert words in told
    assert "base_path in [services.*]" in told


def test_a_path_that_begins_like_another_is_another(tmp_path: Path) -> None:
    """Only whole segments count."""
    base = f"{DEFAULT_PATHS[EMPLOYER]}2"
    loaded = load_given(Given(services=[added(write(tmp_path, document(base)))], reserved=RESERVED))

    assert contract_of(loaded, "care").base_path == base


def test_scopes_that_nobody_could_ask_for_are_refused(tmp_path: Path) -> None:
    """Unless the world file says which scopes there are."""
    file = write(tmp_path, document("/REST/care/v1", "read and write"))

    assert "scopes in [services.care] of the world file" in faults(Given(services=[added(file)]))
    said = added(file, scopes=dict.fromkeys(Capacity, ("care",)))
    assert load_given(Given(services=[said])).added == ("care",)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """The faults of two contracts come together."""
    broken = write(tmp_path, {"openapi": "3.0.3", "paths": {}}, "broken.json")
    told = faults(Given({EMPLOYER: broken}, [added(tmp_path / "nowhere.json")]))

    assert f"{EMPLOYER}: {broken}" in told
    assert "nowhere.json: cannot be read" in told
