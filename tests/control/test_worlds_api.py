"""Worlds over HTTP: making, listing and deleting them, their state as a whole, and that none touches another."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mock_server.control.records import timestamp
from mock_server.settings import Settings
from tests.support import FORM_HEADERS, HOST, NOW, TOKEN, Caller, Key, Reply, assertion, certificate, form, key, start
from tests.system.processes import training

JSON = {"content-type": "application/json"}
FLA = "/REST/careerpro-federal-learning-account/v1"
TRAINING_PROVIDER = "/REST/careerpro-federal-learning-account-training-provider/v1"
EMPLOYER, MANDATARY, ANOTHER = "1999010048", "1999010147", "1999010246"
SSIN = "65111899997"
CLIENT_ID = "mine"
TRAININGS = "employers/1999010048/employees/65111899997/calendarYears/2023/trainings"
COUNTED = ("enterprises", "accounts", "mandates", "employments", "documents", "exchanges")
ADMINISTRATOR = {"email": "hr@example.org", "local_administrator": "A. Person"}
ENTRY = {"name": "first", "der": base64.b64encode(certificate()).decode()}

# In the members of an export, in the order and the form that it has.
STATE: dict[str, Any] = {
    "accounts": [
        {
            "capacity": "employer",
            "certificates": [{"der": ENTRY["der"], "name": "first"}],
            "client_id": CLIENT_ID,
            "enterprise": EMPLOYER,
            "name": "Training data",
            "permissions": ["dimona", "fla"],
        }
    ],
    "clock": {"frozen_at": "2027-01-01T00:00:00Z"},
    "documents": [{"api": "fla-employer", "body": {"items": []}, "path": TRAININGS}],
    "employments": [{"enterprise": EMPLOYER, "ssin": SSIN}],
    "enterprises": [
        {
            "administrators": {"employer": ADMINISTRATOR},
            "capacities": ["employer"],
            "employments": "closed",
            "name": "My Company",
            "number": EMPLOYER,
        },
        {"capacities": ["service-provider"], "name": "My Mandatary", "number": MANDATARY},
    ],
    "faults": [
        {
            "client_id": None,
            "do": {"status": 503, "retry_after": 1},
            "every": 1,
            "id": 3,
            "operation": "token",
            "parameters": {},
            "times": 2,
        }
    ],
    "mandates": [{"mandatary": MANDATARY, "mandator": EMPLOYER, "service": "fla", "start": "2025Q1"}],
    "settings": {"activation_delay": 900, "employments": "closed"},
}


@dataclass(frozen=True)
class Api:
    """The control API of a mock in this process."""

    caller: Caller

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None, host: str = HOST
    ) -> Reply:
        """Send a request below `/_mock`: a body that is not bytes is sent as JSON."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = headers if headers is not None else {} if body is None else JSON
        reply = self.caller.call(method, f"/_mock{path}", data, headers, host=host)
        if reply.status >= 400:
            assert reply.headers["content-type"] == "application/problem+json"
            assert (reply.json["status"], bool(reply.json["detail"])) == (reply.status, True)
        return reply

    def get(self, path: str) -> Any:
        """Return what is at a path."""
        reply = self.call("GET", path)
        assert reply.status == 200, reply.body
        return reply.json

    def make(self, **members: Any) -> "Place":
        """Make a world, empty unless told otherwise."""
        start = {} if members.keys() & {"state", "from"} else {"from": "empty"}
        reply = self.call("POST", "/worlds", start | members)
        assert reply.status == 201, reply.body
        return Place(self, reply.json["name"])


@dataclass(frozen=True)
class Place:
    """A world of such a mock."""

    api: Api
    name: str

    def call(self, method: str, path: str = "", body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a request about this world."""
        return self.api.call(method, f"/worlds/{self.name}{path}", body, headers)

    def get(self, path: str = "") -> Any:
        """Return what is at a path of this world."""
        return self.api.get(f"/worlds/{self.name}{path}")

    def do(self, method: str, path: str, body: object = None) -> Any:
        """Send a request that is carried out, and return what comes of it."""
        reply = self.call(method, path, body)
        assert reply.status < 300, reply.body
        return reply.json if reply.body else None

    @property
    def now(self) -> float:
        """What time it is here, in Unix seconds."""
        return float(self.get("/clock")["timestamp"])

    @property
    def prefix(self) -> str:
        """What the paths of its services begin with."""
        return "" if self.name == "default" else f"/worlds/{self.name}"

    def furnish(self, client_id: str = CLIENT_ID, **members: Any) -> None:
        """Add an employer with an account."""
        self.do("PUT", f"/enterprises/{EMPLOYER}", {"name": "My Company"})
        self.do("PUT", f"/enterprises/{EMPLOYER}/capacities/employer", ADMINISTRATOR)
        account = {"name": "Training data", "client_id": client_id, "permissions": ["fla"], "certificates": [ENTRY]}
        self.do("POST", f"/enterprises/{EMPLOYER}/capacities/employer/accounts", account | members)

    def ask(self, client_id: str = CLIENT_ID, signing_key: Key | None = None, **changes: Any) -> Reply:
        """Ask for a token with a good assertion, changed."""
        audience = f"http://{HOST}{self.prefix}{TOKEN}"
        good: dict[str, Any] = {"iss": client_id, "sub": client_id, "aud": audience, "exp": int(self.now) + 300}
        text = assertion(signing_key=signing_key, **(good | changes))
        return self.api.caller.call("POST", f"{self.prefix}{TOKEN}", form(text), FORM_HEADERS)

    def token(self, client_id: str = CLIENT_ID) -> str:
        """Return an access token."""
        reply = self.ask(client_id)
        assert reply.status == 200, reply.body
        return str(reply.json["access_token"])

    def trainings(self, token: str, body: object = None, employer: str = EMPLOYER, year: int = 2023) -> Reply:
        """Read an employee's trainings, or put others in their place."""
        path = f"{self.prefix}{FLA}/employers/{employer}/employees/{SSIN}/calendarYears/{year}/trainings"
        headers = {"authorization": f"Bearer {token}"} | ({} if body is None else JSON)
        data = b"" if body is None else json.dumps(body).encode()
        return self.api.caller.call("GET" if body is None else "PUT", path, data, headers)


def problem(reply: Reply, status: int, words: str = "") -> Any:
    """Judge a refusal, and return its issues."""
    assert (status, reply.status) == (status, status), (reply.status, reply.body)
    assert words in reply.json["detail"], reply.json["detail"]
    return [(issue["in"], issue["name"]) for issue in reply.json.get("issues", [])]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Start a mock that the tests share: each has worlds of its own, and nobody moves real time."""
    caller = start(Settings(world="empty", keys=tmp_path_factory.mktemp("keys")))
    yield Api(caller)
    caller.mock.close()


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Start a mock for one test."""
    caller = start(Settings(world="empty", keys=tmp_path_factory.mktemp("keys")))
    yield Api(caller)
    caller.mock.close()


# Making a world


def test_an_empty_world_is_made(api: Api) -> None:
    """The answer is all that a client starts from, and the same as what is told of the world later."""
    reply = api.call("POST", "/worlds", {"name": "ci-42", "from": "empty"})

    base = f"http://{HOST}/worlds/ci-42"
    assert reply.status == 201
    assert reply.headers["location"] == f"http://{HOST}/_mock/worlds/ci-42"
    assert reply.json == api.get("/worlds/ci-42")
    assert reply.json == {
        "name": "ci-42",
        "base_url": base,
        "token_url": f"{base}{TOKEN}",
        "audience": f"{base}{TOKEN}",
        "apis": {"fla-employer": f"{base}{FLA}", "fla-training-provider": f"{base}{TRAINING_PROVIDER}"},
        "clock": {
            "now": timestamp(NOW),
            "timestamp": NOW,
            "mode": "real",
            "offset": 0.0,
            "quarter": "2026Q3",
        },
        "counts": dict.fromkeys(COUNTED, 0),
    }
    assert api.get("/worlds/ci-42/state") == {}


def test_a_world_is_the_demo_world_and_has_a_name_when_nothing_is_said(alone: Api) -> None:
    """It has the keys of the server's own demo world, so that its accounts work with those files."""
    first, second = (alone.call("POST", "/worlds", {}).json for _ in range(2))

    names = {first["name"], second["name"]}
    assert len(names) == 2
    assert all(re.fullmatch(r"w-[0-9a-f]{10}", name) for name in names)
    assert first["counts"] == second["counts"]
    assert first["counts"]["accounts"] > 10
    states = {alone.call("GET", f"/worlds/{name}/state").body for name in names}
    named = alone.make(**{"from": "demo"})
    assert states == {named.call("GET", "/state").body}
    assert alone.get("/worlds/default/state") == {}


@pytest.mark.parametrize("name", ["a", "0", "a-", "a--b", "2026-q4", "a" * 63])
def test_a_name_is_lower_case_letters_digits_and_hyphens(api: Api, name: str) -> None:
    """It is what the paths of the world begin with."""
    made = api.make(name=name)

    assert api.get(f"/worlds/{name}")["base_url"] == f"http://{HOST}/worlds/{name}"
    assert made.ask().json["error"] == "invalid_client"


@pytest.mark.parametrize(
    "name",
    ["", "-a", "A", "Ci-42", "a_b", "a.b", "a b", " a", "a\n", "é", "٣", "a/b", "..", "%61", "a" * 64, 5, True, ["a"]],
    ids=repr,
)
def test_another_name_is_refused(alone: Api, name: object) -> None:
    """What it may be made of is told, and no world is made."""
    reply = alone.call("POST", "/worlds", {"name": name, "from": "empty"})

    assert problem(reply, 400) == [("body", "name")]
    assert alone.get("/worlds")["total"] == 1


def test_nulls_are_as_if_they_were_left_out(api: Api) -> None:
    """A client that writes every member may do so."""
    reply = api.call("POST", "/worlds", {"name": None, "from": "empty", "state": None, "clock": None})

    assert reply.status == 201
    assert reply.json["name"].startswith("w-")


@pytest.mark.parametrize("name", ["taken", "default"])
def test_a_name_is_given_once(api: Api, name: str) -> None:
    """The second who asks is told so, and the world that is there stays as it is."""
    if name == "taken":
        api.make(name=name).furnish()
    before = api.call("GET", f"/worlds/{name}/state").body

    problem(api.call("POST", "/worlds", {"name": name, "from": "empty"}), 409, f"a world named {name} already")

    assert before == api.call("GET", f"/worlds/{name}/state").body


REFUSED: dict[str, tuple[object, list[tuple[str, str]]]] = {
    "a list": ([], [("body", "")]),
    "a text": ("empty", [("body", "")]),
    "null": (b"null", [("body", "")]),
    "an unknown member": ({"from": "empty", "colour": "red"}, [("body", "colour")]),
    "the name of a member in the code": ({"start": "empty"}, [("body", "start")]),
    "another start": ({"from": "full"}, [("body", "from")]),
    "a start that is no text": ({"from": 1}, [("body", "from")]),
    "a state that is a list": ({"state": []}, [("body", "state")]),
    "a state that is a text": ({"state": "{}"}, [("body", "state")]),
    "a clock that is a number": ({"from": "empty", "clock": 3600}, [("body", "clock")]),
    "several": ({"from": "full", "x": 1, "name": "A"}, [("body", "from"), ("body", "name"), ("body", "x")]),
    "not JSON": (b'{"from": "empty"', [("body", "")]),
    "a member twice": (b'{"from": "empty", "from": "demo"}', [("body", "")]),
    "NaN": (b'{"from": "empty", "clock": {"offset": NaN}}', [("body", "")]),
    "not UTF-8": (b'{"name": "\xff"}', [("body", "")]),
    "nothing": (b"", [("body", "")]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused(api: Api, name: str) -> None:
    """Every thing that is wrong has an issue of its own, and no world is made."""
    body, issues = REFUSED[name]
    count = api.get("/worlds")["total"]

    found = problem(api.call("POST", "/worlds", body, JSON), 400)

    assert issues == sorted(found)
    assert count == api.get("/worlds")["total"]


def test_a_world_starts_from_one_thing(api: Api) -> None:
    """A name and a state contradict one another."""
    reply = api.call("POST", "/worlds", {"from": "empty", "state": {}})

    assert problem(reply, 400, "give one of from and state") == []


ROUTES = [("POST", "/worlds"), ("PUT", "/worlds/default/state"), ("PATCH", "/worlds/default/clock")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/problem+json"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=lambda headers: ", ".join(headers.values()) or "none",
)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_json_is_read(api: Api, method: str, path: str, headers: dict[str, str]) -> None:
    """Not even a form, which a page of another site could send."""
    problem(api.call(method, path, b"{}", headers), 415, "Expected")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_body_has_a_limit(api: Api, method: str, path: str) -> None:
    """A whole state may be larger than anything else."""
    limit = 1024 * 1024 if path.endswith("clock") else 64 * 1024 * 1024

    reply = api.call(method, path, b"{}", JSON | {"content-length": str(limit + 1)})

    problem(reply, 413)
    assert limit == reply.json["limit"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/worlds", "GET, POST"),
        ("POST", "/worlds/default", "GET, DELETE"),
        ("PATCH", "/worlds/default/state", "GET, PUT"),
        ("PUT", "/worlds/default/clock", "GET, PATCH"),
    ],
)
def test_a_path_tells_its_methods(api: Api, method: str, path: str, allowed: str) -> None:
    """All of them, whatever route is found first."""
    reply = api.call(method, path)

    problem(reply, 405)
    assert set(allowed.split(", ")) == set(reply.headers["allow"].split(", "))


def test_nobody_administers_by_a_name_that_is_not_ours(api: Api) -> None:
    """A page in a browser must not reach it by a name of its own."""
    problem(api.call("POST", "/worlds", {"from": "empty"}, host="attacker.example"), 403)
    problem(api.call("POST", "/worlds", {"from": "empty"}, JSON | {"origin": "http://attacker.example"}), 403)


# Listing and deleting


def test_worlds_are_listed_by_name_page_by_page(alone: Api) -> None:
    """Each entry is what is told of the world itself; the next page begins after the last name."""
    names = ["a", "a-1", "b", "default", "z"]
    for name in ("z", "a-1", "b", "a"):
        alone.make(name=name)

    everything = alone.get("/worlds")
    page = alone.get("/worlds?limit=2")
    next_page = alone.get("/worlds?limit=2&after=a-1")

    assert (names, 5) == ([world["name"] for world in everything["items"]], everything["total"])
    assert everything["items"] == [alone.get(f"/worlds/{name}") for name in names]
    assert page == {"items": everything["items"][:2], "total": 5}
    assert next_page == {"items": everything["items"][2:4], "total": 5}
    assert alone.get("/worlds?after=z") == {"items": [], "total": 5}


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", ""])
def test_a_page_is_not_empty_and_not_endless(api: Api, limit: str) -> None:
    """From one to a thousand."""
    assert problem(api.call("GET", f"/worlds?limit={limit}"), 400) == [("query", "limit")]


def test_a_world_is_deleted_with_all_that_is_in_it(api: Api) -> None:
    """Nothing of it is found any more, and one of the same name begins anew."""
    place = api.make(name="short-lived")
    place.furnish()
    token = place.token()
    assert place.trainings(token, {"items": [training()]}).status == 200
    place.do("POST", "/faults", {"do": {"status": 503}})

    assert place.call("DELETE").status == 204

    for path in ("", "/state", "/clock", "/settings", "/faults", "/exchanges", "/accounts", "/mandates"):
        problem(place.call("GET", path), 404, "short-lived")
    problem(place.call("DELETE"), 404)
    assert place.trainings(token).status == 404
    assert api.caller.call("POST", f"{place.prefix}{TOKEN}", form(), FORM_HEADERS).status == 404
    api.make(name="short-lived")
    assert place.get("/state") == {}
    assert set(place.get()["counts"].values()) == {0}
    place.furnish()
    assert place.trainings(place.token()).json["items"] == []


def test_the_world_at_the_root_stays(api: Api) -> None:
    """What to do instead is told."""
    problem(api.call("DELETE", "/worlds/default"), 409, "PUT …/state")

    assert api.get("/worlds/default")["base_url"] == f"http://{HOST}"


@pytest.mark.parametrize("name", ["unknown", "UNKNOWN", "%2e%2e", "%00", "a%2Fb", "%F0%9F%98%80"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/state", None),
        ("PUT", "/state", {}),
        ("GET", "/clock", None),
        ("PATCH", "/clock", {"advance": 1}),
    ],
)
def test_a_world_that_is_not_there_is_not_found(api: Api, name: str, method: str, path: str, body: object) -> None:
    """Whatever is asked of it, and however it is called."""
    problem(api.call(method, f"/worlds/{name}{path}", body), 404, "world")


# The state as a whole


def test_a_world_is_made_from_a_state(api: Api) -> None:
    """What it starts with is what it was given, its clock, its settings and its faults included."""
    place = api.make(state=STATE)

    entry = place.get()
    assert entry["clock"] | {"timestamp": 0} == {
        "now": "2027-01-01T00:00:00.000Z",
        "timestamp": 0,
        "mode": "frozen",
        "offset": 0.0,
        "quarter": "2027Q1",
    }
    assert entry["counts"] == dict(zip(COUNTED, (2, 1, 1, 1, 1, 0), strict=True))
    assert place.get("/settings")["activation_delay"] == 900
    assert [fault["id"] for fault in place.get("/faults")["items"]] == [3]
    assert place.get("/state") == STATE


def test_a_clock_that_is_said_goes_before_that_of_the_state(api: Api) -> None:
    """An exported world may be taken up at another time."""
    place = api.make(state=STATE, clock={"offset": -60})

    assert (place.now, place.get("/state")["clock"]) == (NOW - 60, {"offset": -60})


def test_an_export_is_canonical_json(api: Api) -> None:
    """The same bytes whenever it is asked for, with members in their order, and what is as usual left out."""
    place = api.make(state=dict(reversed(STATE.items())))

    reply = place.call("GET", "/state")

    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json) == sorted(STATE)
    assert reply.body == place.call("GET", "/state").body
    assert reply.body.endswith(b"}\n")


def test_what_was_exported_can_be_put_into_another_world(api: Api) -> None:
    """The other one then exports the same bytes, and its clients work; its address is its own."""
    place, other = api.make(), api.make()
    place.furnish()
    token = place.token()
    assert place.trainings(token, {"items": [training()]}).status == 200
    exported = place.call("GET", "/state").body

    entry = other.call("PUT", "/state", exported, JSON)

    assert (entry.status, entry.json) == (200, other.get())
    assert exported == other.call("GET", "/state").body
    read = other.trainings(other.token()).json
    assert [item["name"] for item in read["items"]] == [training()["name"]]
    assert read["self"].startswith(f"http://{HOST}{other.prefix}/")
    assert other.trainings(token).status == 401


def test_a_state_that_is_put_replaces_all_but_the_journal(api: Api) -> None:
    """Accounts, documents, faults, settings and the clock are those of the state; what was seen stays seen."""
    place = api.make(clock={"now": "2026-12-01T00:00:00Z", "frozen": True})
    place.furnish("gone")
    token = place.token("gone")
    place.do("POST", "/faults", {"do": {"delay": 1}, "operation": "jwks"})
    place.do("PATCH", "/settings", {"employments": "closed"})

    place.do("PUT", "/state", {"enterprises": [{"number": EMPLOYER, "name": "New", "capacities": ["employer"]}]})

    assert place.get("/state") == {"enterprises": [{"capacities": ["employer"], "name": "New", "number": EMPLOYER}]}
    assert (place.get("/clock")["mode"], place.now) == ("real", NOW)
    assert place.get("/faults")["items"] == []
    assert place.get("/settings")["employments"] == "open"
    assert place.trainings(token).status == 401
    assert [one["operation"] for one in place.get("/exchanges")["items"]][:1] == ["token"]


def test_mandates_and_faults_go_on_counting_after_a_state_was_put(api: Api) -> None:
    """A new one never takes the number of one that is there."""
    place = api.make()
    place.do("PUT", "/state", STATE)

    fault = place.do("POST", "/faults", {"do": {"status": 500}})
    place.do("PUT", f"/enterprises/{ANOTHER}", {"name": "Another"})
    place.do("PUT", f"/enterprises/{ANOTHER}/capacities/employer", ADMINISTRATOR)
    terms = {"mandator": ANOTHER, "mandatary": MANDATARY, "service": "fla", "start": "2027Q1", "procuration": True}
    mandate = place.do("POST", "/mandates", terms)

    assert (fault["id"], mandate["id"]) == (4, 2)
    assert [one["id"] for one in place.get("/mandates")["items"]] == [1, 2]


def without(*names: str) -> Callable[[], dict[str, Any]]:
    """Return a function that gives the state without some members."""
    return lambda: {name: value for name, value in STATE.items() if name not in names}


def entry_with(member: str, **changes: Any) -> Callable[[], dict[str, Any]]:
    """Return a function that gives the state with the first entry of a list changed."""
    return lambda: STATE | {member: [STATE[member][0] | changes, *STATE[member][1:]]}


def private_key(encoding: Encoding) -> bytes:
    """Return a private key as it must never be uploaded."""
    return key().private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())


# A state, and words of the refusal; one fault in each.
FAULTY: dict[str, tuple[Callable[[], object], str]] = {
    "an unknown member": (lambda: STATE | {"colours": []}, "colours: is not known here"),
    "a list that is none": (lambda: STATE | {"accounts": {}}, "accounts: should be a list"),
    "an entry that is none": (lambda: STATE | {"mandates": [5]}, "mandates[0]: should be an object; found 5"),
    "an unknown member of an entry": (entry_with("accounts", x=1), "accounts[0].x"),
    "a wrong number": (entry_with("enterprises", number="1999010049"), "check digits"),
    "a wrong SSIN": (entry_with("employments", ssin="65111899998"), "check digits"),
    "a capacity that is none": (entry_with("enterprises", capacities=["bank"]), "enterprises[0].capacities[0]"),
    "an account of nobody": (without("enterprises", "mandates", "employments"), "is not among the enterprises"),
    "a permission for nothing": (entry_with("accounts", permissions=["cinema"]), "names no service"),
    "a mandate that ends before it starts": (entry_with("mandates", end="2024Q4"), "ends (2024Q4) before it starts"),
    "two mandataries": (
        lambda: (
            STATE
            | {
                "enterprises": [
                    *STATE["enterprises"],
                    {"number": ANOTHER, "name": "x", "capacities": ["service-provider"]},
                ],
                "mandates": [*STATE["mandates"], STATE["mandates"][0] | {"mandatary": ANOTHER}],
            }
        ),
        "two mandataries for fla",
    ),
    "the same account twice": (lambda: STATE | {"accounts": STATE["accounts"] * 2}, "is used twice"),
    "a certificate by its file": (
        entry_with("accounts", certificates=[{"file": "/etc/passwd"}]),
        "give the certificate itself as der",
    ),
    "a certificate that is none": (entry_with("accounts", certificates=[{"der": "AAAA"}]), "certificates[0]"),
    "a private key": (
        entry_with("accounts", certificates=[{"der": base64.b64encode(private_key(Encoding.DER)).decode()}]),
        "private key",
    ),
    "a setting that is none": (lambda: STATE | {"settings": {"employments": "ajar"}}, "settings.employments"),
    "a clock that shows two times": (lambda: STATE | {"clock": {"offset": 1, "frozen_at": NOW}}, "either offset"),
    "a fault that cannot be": (entry_with("faults", do={"status": 200}), "faults[0]: do.status"),
    "a fault that does nothing": (lambda: STATE | {"faults": [{"operation": "token"}]}, "faults[0]: do: "),
    "a document of no API": (entry_with("documents", api="no-such-api"), "no API is named “no-such-api”; there are"),
    "a document of no operation": (entry_with("documents", path="employers/1999010048"), "nothing can be put at"),
    "a document that the contract refuses": (entry_with("documents", body={"items": "x"}), "does not fit the contract"),
    "a document that is no object": (entry_with("documents", body=[1]), "does not fit the contract"),
    "a document that is no path": (entry_with("documents", path="/employers"), "documents[0].path"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_state_that_cannot_be_is_refused_in_words(api: Api, name: str) -> None:
    """Where it is and what was expected is told; no world is made, and one that is there stays as it was."""
    make, words = FAULTY[name]
    place = api.make(state=STATE)
    before, count = place.call("GET", "/state").body, api.get("/worlds")["total"]

    replies = [place.call("PUT", "/state", make()), api.call("POST", "/worlds", {"state": make()})]

    for reply in replies:
        problem(reply, 400, "The state cannot be used, and nothing was changed: ")
        assert words in reply.json["issues"][0]["detail"], reply.json["issues"]
    assert (before, count) == (place.call("GET", "/state").body, api.get("/worlds")["total"])


def test_all_faults_of_a_state_are_told_at_once(api: Api) -> None:
    """So that it can be mended in one go."""
    state = {"enterprises": [{"number": "1", "name": "", "capacities": ["bank"]}], "x": 1}

    refused = api.call("POST", "/worlds", {"state": state}).json

    assert len(refused["issues"]) == 4
    assert refused["detail"].endswith(" There are 3 more issues.")


@pytest.mark.parametrize("state", [[], "abc", b"null", 1])
def test_a_state_that_is_no_object_changes_nothing(api: Api, state: object) -> None:
    """A list is not taken for a world without anything."""
    place = api.make(state=STATE)

    problem(place.call("PUT", "/state", state, JSON), 400, "A state is an object, as an export writes it; got ")
    assert place.get("/state") == STATE


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_private_key_is_not_quoted_and_not_kept(api: Api, encoding: Encoding) -> None:
    """Wherever it was put by mistake."""
    secret = base64.b64encode(private_key(encoding)).decode()
    place = api.make(state=STATE)

    refused = place.call("PUT", "/state", entry_with("accounts", certificates=[{"der": secret}])())

    problem(refused, 400, "private key")
    assert secret[200:240].encode() not in refused.body
    assert place.get("/state") == STATE


# One world and another


def test_worlds_do_not_touch_one_another(api: Api) -> None:
    """Accounts, documents, faults, clocks, settings, mandates' numbers and journals are each world's own."""
    one, other = api.make(name="one"), api.make(name="other", clock={"offset": 86_400})
    for place in (one, other):
        place.furnish()
    one.do("POST", "/faults", {"operation": "PUT *", "do": {"status": 503}, "times": 1})
    one.do("PATCH", "/settings", {"employments": "closed"})
    one.do("PATCH", "/clock", {"frozen": True})
    refused, token = one.token(), other.token()

    assert [one.trainings(refused, {"items": []}).status for _ in range(2)] == [503, 404]
    assert other.trainings(token, {"items": [training()]}).status == 200
    assert api.make().get("/faults")["items"] == []
    assert (one.get("/clock")["mode"], other.get("/clock")["mode"]) == ("frozen", "offset")
    assert one.get()["counts"]["documents"] == 0
    assert [exchange["number"] for exchange in other.get("/exchanges")["items"]] == [1, 2]
    assert [exchange["status"] for exchange in one.get("/exchanges")["items"]] == [200, 503, 404]


def test_a_token_is_good_in_its_own_world_only(api: Api) -> None:
    """Even where the same client has an account, with the same certificate."""
    one, other = api.make(), api.make()
    for place in (one, other):
        place.furnish()
    token = one.token()

    assert (one.trainings(token).status, other.trainings(token).status) == (200, 401)
    assert other.trainings(token).json["type"] == "urn:problem-type:belgif:invalidAccessToken"
    assert [e["refused_by"] for e in other.get("/exchanges")["items"]] == ["GW-TOKEN-3", "GW-TOKEN-3"]


def test_an_assertion_is_for_the_token_url_of_one_world(api: Api) -> None:
    """One that is meant for another world, or for the one at the root, is refused for its audience."""
    one, other = api.make(), api.make()
    for place in (one, other):
        place.furnish()

    for meant_for in (other.get()["audience"], api.get("/worlds/default")["audience"]):
        reply = one.ask(aud=meant_for)
        assert (reply.status, reply.json["error"]) == (400, "invalid_client")
        assert one.get("/exchanges")["items"][-1]["refused_by"] == "OAUTH-AUD-2"
    assert one.ask(aud=one.get()["audience"]).status == 200


def test_a_jti_is_used_once_in_each_world(api: Api) -> None:
    """What one world has seen, another has not."""
    one, other = api.make(), api.make()
    for place in (one, other):
        place.furnish()

    assert [one.ask(jti="the same").status, one.ask(jti="the same").status] == [200, 400]
    assert one.get("/exchanges")["items"][-1]["refused_by"] == "OAUTH-JTI-3"
    assert other.ask(jti="the same").status == 200
