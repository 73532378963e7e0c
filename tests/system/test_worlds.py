"""Many worlds in one server process: used at once they do not mix, and none leaves anything behind."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mock_server.control.records import timestamp
from tests.support import DAY, FORM_HEADERS, NOW, certificate, key
from tests.system.processes import TIMEOUT, Server, assertion, call, started, token_form
from tests.system.test_guide import ADMINISTRATOR, CER, JSON, NEXT_QUARTER, SSIN, Account, World, number
from tests.system.test_hostile import kilobytes

AT_ONCE = 50
MANY, MORE = 1_000, 300
GROWTH = 32_000
"""Kilobytes that may stay in use after MANY worlds came and went: what the allocator and SQLite keep for the next."""
GROWTH_AGAIN = 4_000
"""Kilobytes for another MORE of them, for which there is room by then: 13 for each would be seen."""
CLIENT_ID = "the_same_everywhere"
EMPLOYER, ANOTHER, MANDATARY, SECOND = map(number, range(4))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server for this module alone."""
    with started(tmp_path_factory.mktemp("crowded"), "--world=empty") as running:
        yield running
        assert "Traceback" not in running.errors
        assert "a fault of the mock itself" not in running.errors


# At once


@dataclass(frozen=True)
class Tenant:
    """Somebody with a world, a key and an employer of their own; the client id and the employer are those of all."""

    index: int
    world: World
    account: Account
    token: str

    @property
    def value(self) -> str:
        """What only this one sends."""
        return f"training of tenant {self.index}"


def begins_at(index: int) -> float:
    """Return what time it is at first in a tenant's world: a month apart from each other."""
    return NOW + 30 * DAY * index


def move_in(server: Server, index: int) -> Tenant:
    """Make a world with a clock of its own, an account with a certificate of its own, and a fault; get a token."""
    name = f"tenant-{index}"
    world = World.made(server, name=name, clock={"now": begins_at(index)})
    world.enterprise(EMPLOYER, "employer")
    der = certificate("ec-p384", index, start=NOW - DAY, days=10_000)
    members = {
        "name": name,
        "client_id": CLIENT_ID,
        "permissions": ["fla"],
        "certificates": [{"name": name, "der": base64.b64encode(der).decode()}],
    }
    world.do("POST", f"/enterprises/{EMPLOYER}/capacities/employer/accounts", members)
    world.do("POST", "/faults", {"operation": "PUT *", "do": {"status": 503}, "every": 2, "times": 1})
    account = Account(world, CLIENT_ID, key("ec-p384", index))
    return Tenant(index, world, account, account.token())


def work(tenant: Tenant) -> None:
    """Send three times, of which the second meets the fault, read back, and look into the journal."""
    account, world = tenant.account, tenant.world
    replies = [account.send(EMPLOYER, [f"{tenant.value}, {n}"], token=tenant.token) for n in range(3)]

    assert [reply.status for reply in replies] == [200, 503, 200]
    assert ["mock-fault" in reply.headers for reply in replies] == [False, True, False]
    read = account.read(EMPLOYER, token=tenant.token).json
    assert [item["name"] for item in read["items"]] == [f"{tenant.value}, 2"]
    assert read["self"].startswith(f"{world.base}/")
    exchanges = world.exchanges("full=true")
    assert [one["number"] for one in exchanges] == [1, 2, 3, 4, 5]
    assert [one["operation"].split(" ")[0] for one in exchanges] == ["token", "PUT", "PUT", "PUT", "GET"]
    assert [one["status"] for one in exchanges] == [200, 200, 503, 200, 200]
    assert [one["fault"] is not None for one in exchanges] == [False, False, True, False, False]
    assert {one["account"] for one in exchanges[:2]} == {f"tenant-{tenant.index}"}
    first, last = timestamp(begins_at(tenant.index)), timestamp(begins_at(tenant.index) + DAY)
    assert all(first <= one["time"] < last for one in exchanges)
    assert all(tenant.value in (one["request"]["body"] or tenant.value) for one in exchanges[1:])


def trespass(tenant: Tenant, neighbour: Tenant) -> None:
    """Try the token, an assertion and the key in the neighbour's world."""
    there = Account(neighbour.world, CLIENT_ID, tenant.account.key)
    assert there.read(EMPLOYER, token=tenant.token).status == 401

    # By the neighbour's clock and key, and meant for this one's token URL.
    exp = int(neighbour.world.now) + 300
    text = assertion(CLIENT_ID, neighbour.account.key, tenant.world.token_url, exp=exp)
    reply = call("POST", neighbour.world.token_url, token_form(text), FORM_HEADERS)

    assert (reply.status, reply.json["error"]) == (400, "invalid_client")
    assert there.refused() == "invalid_client"


def stay_or_leave(tenant: Tenant) -> None:
    """Every other one deletes its world."""
    if tenant.index % 2:
        assert tenant.account.read(EMPLOYER, token=tenant.token).json["total"] == 1
        return
    assert tenant.world.ask("DELETE", "").status == 204
    for path in ("", "/state", "/clock", "/exchanges", "/faults"):
        assert tenant.world.ask("GET", path).status == 404
    assert tenant.account.read(EMPLOYER, token=tenant.token).status == 404
    assert call("POST", tenant.world.token_url, b"", FORM_HEADERS).status == 404


def test_fifty_worlds_are_used_at_once_and_do_not_mix(crowded: Server) -> None:
    """All use one client id and one employer, and only their world tells them apart; nobody resets anything."""
    for index in range(AT_ONCE):
        # Made before the threads begin, which have enough to do.
        certificate("ec-p384", index, start=NOW - DAY, days=10_000)
    barrier = Barrier(AT_ONCE)

    def move_in_together(index: int) -> Tenant:
        barrier.wait(TIMEOUT)
        return move_in(crowded, index)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        tenants = list(pool.map(move_in_together, range(AT_ONCE)))
        neighbours = [*tenants[1:], tenants[0]]
        list(pool.map(work, tenants))
        list(pool.map(trespass, tenants, neighbours))
        refused = list(pool.map(lambda tenant: [one["refused_by"] for one in tenant.world.exchanges()], tenants))
        list(pool.map(stay_or_leave, tenants))

    assert all(sorted(found[5:]) == ["GW-TOKEN-3", "OAUTH-AUD-2", "OAUTH-SIG-1"] for found in refused)
    for tenant in tenants[1::2]:
        last = tenant.account.read(EMPLOYER, token=tenant.token).json["items"]
        assert [item["name"] for item in last] == [f"{tenant.value}, 2"]
        assert tenant.world.ask("DELETE", "").status == 204


def test_of_those_who_ask_for_a_name_at_once_one_gets_it(crowded: Server) -> None:
    """The others are told that it is taken."""
    barrier = Barrier(10)
    body = json.dumps({"name": "wanted", "from": "empty"}).encode()

    def ask(_: int) -> int:
        barrier.wait(TIMEOUT)
        return call("POST", f"{crowded.base}/_mock/worlds", body, JSON).status

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(ask, range(10)))

    assert statuses == [201, *[409] * 9]


def test_a_world_of_the_same_name_knows_nothing_of_the_one_before(crowded: Server) -> None:
    """Documents, journal, faults and used assertions went with it."""
    for _ in range(2):
        tenant = move_in(crowded, 0)
        assert tenant.account.ask(jti="always the same").status == 200
        assert tenant.account.read(EMPLOYER, token=tenant.token).json["total"] == 0
        assert [one["number"] for one in tenant.world.exchanges()] == [1, 2, 3]
        assert tenant.account.send(EMPLOYER, token=tenant.token).status == 200
        assert tenant.world.ask("DELETE", "").status == 204


# Many


@contextmanager
def connected(server: Server) -> Iterator[Callable[[str, str, object], tuple[int, Any]]]:
    """Give a function that sends requests to the control API over one connection."""
    connection = HTTPConnection(*server.address, timeout=TIMEOUT)

    def ask(method: str, path: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/_mock{path}", data, {} if body is None else JSON)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None

    yield ask
    connection.close()


def used_memory(server: Server) -> int | None:
    """Return how much memory a server uses now, in kilobytes; None where /proc is missing."""
    memory = Path(f"/proc/{server.process.pid}")
    return kilobytes(memory, "VmRSS") if (memory / "status").exists() else None


def come_and_go(server: Server, count: int) -> None:
    """Make so many worlds, use some, and delete all."""
    der = base64.b64encode(certificate("ec-p384")).decode()
    state = {
        "enterprises": [{"number": EMPLOYER, "name": "My Company", "capacities": ["employer"]}],
        "accounts": [
            {
                "name": "Training data",
                "enterprise": EMPLOYER,
                "capacity": "employer",
                "client_id": CLIENT_ID,
                "permissions": ["fla"],
                "certificates": [{"der": der}],
            }
        ],
    }
    names = [f"world-{index:04}" for index in range(count)]
    with connected(server) as ask:
        for name in names:
            status, made = ask("POST", "/worlds", {"name": name, "state": state, "clock": {"now": NOW}})
            assert (status, made["counts"]["accounts"]) == (201, 1)
        _, page = ask("GET", f"/worlds?limit=10&after={names[-11]}", None)
        assert (page["total"], [world["name"] for world in page["items"]]) == (count + 1, names[-10:])
        for name in (names[0], names[-1], *random.Random(count).sample(names[1:-1], 10)):
            account = Account(World(server, name), CLIENT_ID, key("ec-p384"))
            assert account.send(EMPLOYER, [name]).status == 200
            assert [item["name"] for item in account.read(EMPLOYER).json["items"]] == [name]
        for name in names:
            assert ask("DELETE", f"/worlds/{name}", None) == (204, None)
        assert ask("GET", "/worlds", None)[1]["total"] == 1


def test_a_thousand_worlds_are_served_and_leave_no_memory_behind(tmp_path: Path) -> None:
    """What stays in use is room for the next ones: they need no more."""
    with started(tmp_path, "--world=empty") as server:
        come_and_go(server, 20)  # what is made at the first use of each part stays
        before = used_memory(server)
        come_and_go(server, MANY)
        after = used_memory(server)
        come_and_go(server, MORE)
        at_last = used_memory(server)
        assert server.is_up()

    if before is not None and after is not None and at_last is not None:
        assert after - before < GROWTH
        assert at_last - after < GROWTH_AGAIN


# The state as a whole


Order = Callable[[list[Any]], list[Any]]


def furnished(server: Server, order: Order) -> World:
    """Make a world of every kind of thing, what does not depend on one another in some order."""
    world = World.made(server)
    capacities = [
        (EMPLOYER, "employer"),
        (ANOTHER, "employer"),
        (MANDATARY, "service-provider"),
        (MANDATARY, "training-provider"),
        (SECOND, "social-secretariat"),
        (SECOND, "employer"),
    ]
    for enterprise in order([EMPLOYER, ANOTHER, MANDATARY, SECOND]):
        world.enterprise(enterprise)
    for enterprise, capacity in order(capacities):
        world.do("PUT", f"/enterprises/{enterprise}/capacities/{capacity}", ADMINISTRATOR)
    accounts = [(f"{enterprise}_{capacity}", enterprise, capacity) for enterprise, capacity in capacities]
    for client_id, enterprise, capacity in order(accounts):
        members = {"name": f"{capacity} é", "client_id": client_id}
        world.do("POST", f"/enterprises/{enterprise}/capacities/{capacity}/accounts", members)
        for service in order(["fla", "dimona"]):
            world.do("PUT", f"/accounts/{client_id}/permissions/{service}")
        for index in order([0, 1]):
            world.do("POST", f"/accounts/{client_id}/certificates?name={index}", certificate("ec-p384", index), CER)
    for mandator, mandatary, service in order(
        [(EMPLOYER, MANDATARY, "fla"), (EMPLOYER, SECOND, "dimona"), (ANOTHER, SECOND, "fla")]
    ):
        world.mandate(mandator, mandatary, service)
    proposed = [(ANOTHER, MANDATARY, "mandator"), (SECOND, MANDATARY, "mandatary")]
    for mandator, mandatary, by in order(proposed):
        world.mandate(mandator, mandatary, start=NEXT_QUARTER, end="2027Q4", proposed_by=by)
    revoked = world.mandate(SECOND, MANDATARY, "dimona")
    world.do("POST", f"/mandates/{revoked}/revoke")
    for employer in order([EMPLOYER, ANOTHER]):
        world.do("PUT", f"/enterprises/{employer}/employments/{SSIN}")
    own = Account(world, accounts[0][0], key("ec-p384"))
    for year in order([2023, 2024]):
        assert own.send(EMPLOYER, [f"Année {year}"], year=year).status == 200
    world.do("PATCH", "/settings", {"employments": "closed", "calendar_year_in_mandate": "require"})
    world.do("POST", "/faults", {"operation": "token", "do": {"status": 503}, "times": 1})
    assert own.ask().status == 503
    return world


def exported(world: World) -> bytes:
    """Return the state of a world."""
    reply = world.ask("GET", "/state")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    return reply.body


def test_what_is_exported_and_imported_is_exported_again_to_the_byte(crowded: Server) -> None:
    """Into an empty world, into one that is full of something else, and as the start of a new one."""
    world = furnished(crowded, list)
    state = exported(world)
    full = move_in(crowded, 77).world
    copies = [World.made(crowded), full]

    for copy in copies:
        assert copy.do("PUT", "/state", state, JSON)["counts"]["accounts"] == 6
    body = json.dumps({"state": json.loads(state)}).encode()
    made = call("POST", f"{crowded.base}/_mock/worlds", body, JSON)

    copies.append(World(crowded, made.json["name"]))
    assert [state] * 3 == [exported(copy) for copy in copies]
    assert len(json.loads(state)) == 8
    for copy in copies:
        own = Account(copy, f"{EMPLOYER}_employer", key("ec-p384"))
        assert [item["name"] for item in own.read(EMPLOYER).json["items"]] == ["Année 2023"]
        assert own.send(EMPLOYER).status == 200
        assert exported(copy) != state
    assert exported(world) == state


ORDERS: dict[str, Order] = {
    "backwards": lambda items: items[::-1],
    "the first one last": lambda items: items[1:] + items[:1],
    "shuffled": lambda items: random.Random(7).sample(items, len(items)),
}


@pytest.mark.parametrize("name", ORDERS)
def test_equal_worlds_are_exported_to_the_same_bytes(crowded: Server, name: str) -> None:
    """Whatever was added first."""
    assert exported(furnished(crowded, list)) == exported(furnished(crowded, ORDERS[name]))


def test_an_export_has_certificates_and_no_private_keys(crowded: Server) -> None:
    """Not even the demo world's, whose keys the server has made itself and keeps in a folder."""
    world = World.made(crowded, **{"from": "demo"})
    folder = crowded.folder / "keys"
    secrets = [key("ec-p384").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    secrets += [file.read_bytes() for file in folder.rglob("*.key")]
    assert len(secrets) > 10
    world.enterprise(EMPLOYER, "employer")
    world.account(EMPLOYER, "employer", "fla", cer=certificate("ec-p384"))

    state = exported(world)

    assert b"PRIVATE" not in state
    for secret in secrets:
        # The middle of a key: its beginning is the same for all keys of a kind.
        lines = secret.split(b"\n")
        assert lines[len(lines) // 2] not in state
    ders = [entry["der"] for account in json.loads(state)["accounts"] for entry in account["certificates"]]
    assert len(ders) >= len(secrets) - 1
    assert all(x509.load_der_x509_certificate(base64.b64decode(der)).subject for der in ders)
