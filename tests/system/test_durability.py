"""`kill -9` under load: what the server acknowledged is there when it is started again on the same store.

Clients of every kind write at the same time; the process is killed when a number of their requests that was drawn
before has been acknowledged. So it dies at any point of any request, and no clock decides when.
"""

import base64
import itertools
import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import pytest

from tests.support import FORM_HEADERS, TOKEN, Reply
from tests.system import postgres
from tests.system.conftest import Client
from tests.system.processes import TIMEOUT, Server, assertion, started, token_form
from tests.system.test_guide import ADMINISTRATOR, FLA_PATH, JSON, number, training_of

KILLS = 5
"""In one test; with four drawings of four, a store of each kind is killed under 20 times."""
LATEST = 100
"""The most requests that are acknowledged before the process is killed."""
REPLAYED = 40
"""The most assertions of earlier rounds that are tried again in each."""
WORLD = "/_mock/worlds/default"
AUDIENCE = "https://services-acpt.socialsecurity.be/REST/oauth/v5/token"
"""Of the environment: it stays when the server comes back on another port."""
EMPLOYER, MANDATARY = number(60), number(61)
SSINS = ("65111899997", "85073099932")

Asker = Callable[..., Reply]


@dataclass
class Told:
    """What was acknowledged so far, and what nobody knows of because its answer never came."""

    assertions: list[str] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    under_way: dict[str, str] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    mandates: dict[int, str] = field(default_factory=dict)
    exchanges: list[int] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    """What tells one request from another."""


@dataclass
class Executioner:
    """Kills a server when so many requests have been acknowledged."""

    server: Server
    left: int
    is_over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge(self) -> None:
        """Count an answer."""
        with self.lock:
            self.left -= 1
            if self.left == 0:
                # First, so that nobody takes the end for a fault.
                self.is_over = True
                self.server.process.kill()


def asker(connection: HTTPConnection) -> Asker:
    """Return a function that sends a request on a kept connection and returns the answer."""

    def ask(method: str, path: str, body: object = None, headers: Mapping[str, str] = JSON) -> Reply:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, data, dict(headers))
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): text for name, text in response.getheaders()}, response.read())

    return ask


@contextmanager
def connected(server: Server) -> Iterator[Asker]:
    """Keep a connection while the context lasts."""
    connection = HTTPConnection(*server.address, timeout=TIMEOUT)
    try:
        yield asker(connection)
    finally:
        connection.close()


# The clients: each sends one request, and notes what was acknowledged


def ask_for_token(ask: Asker, client: Client, told: Told, _number: int) -> None:
    """Use an assertion."""
    text = assertion(client.client_id, client.key, AUDIENCE)
    reply = ask("POST", TOKEN, token_form(text), FORM_HEADERS)
    assert reply.status == 200, reply.body
    told.assertions.append(text)
    told.exchanges.append(int(reply.headers["mock-exchange"]))
    told.access_tokens.append(reply.json["access_token"])


def send_trainings(ask: Asker, client: Client, told: Told, number: int, ssin: str) -> None:
    """Replace an employee's trainings of one of a few years."""
    year = 2023 + number % 3
    path = f"{FLA_PATH}/employers/{client.enterprise}/employees/{ssin}/calendarYears/{year}/trainings"
    name = f"training {number} of {ssin}"
    told.under_way[path] = name
    headers = JSON | {"Authorization": f"Bearer {told.access_tokens[0]}"}
    reply = ask("PUT", path, {"items": [training_of(year, name)]}, headers)
    assert reply.status == 200, reply.body
    told.documents[path] = name
    told.exchanges.append(int(reply.headers["mock-exchange"]))


def make_account(ask: Asker, client: Client, told: Told, number: int) -> None:
    """Register an account with a certificate."""
    der = base64.b64encode(client.files.certificate.read_bytes()).decode()
    client_id = f"made_{number}"
    members = {"name": "x", "client_id": client_id, "permissions": ["fla"], "certificates": [{"name": "x", "der": der}]}
    reply = ask("POST", f"{WORLD}/enterprises/{EMPLOYER}/capacities/employer/accounts", members)
    assert reply.status == 201, reply.body
    told.accounts.add(client_id)


def propose_mandate(ask: Asker, _client: Client, told: Told, number: int) -> None:
    """Propose a mandate, which any number may be."""
    start = f"{2000 + number % 100}Q1"
    terms = {"mandator": EMPLOYER, "mandatary": MANDATARY, "service": "fla", "start": start}
    reply = ask("POST", f"{WORLD}/mandates", terms | {"proposed_by": "mandator"})
    assert reply.status == 201, reply.body
    assert reply.json["id"] not in told.mandates
    told.mandates[reply.json["id"]] = start


def load(server: Server, client: Client, told: Told, acknowledged: int) -> None:
    """Let all clients write until the process is killed."""
    executioner = Executioner(server, acknowledged)
    faults: list[BaseException] = []
    told.under_way.clear()

    def work(step: Callable[..., None], *more: Any) -> None:
        try:
            with connected(server) as ask:
                while not executioner.is_over:
                    step(ask, client, told, next(told.numbers), *more)
                    executioner.acknowledge()
        except (OSError, HTTPException) as error:
            if not executioner.is_over:
                faults.append(error)
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)

    clients: list[tuple[Any, ...]] = [(ask_for_token,), (ask_for_token,), (make_account,), (propose_mandate,)]
    clients += [(send_trainings, ssin) for ssin in SSINS]
    threads = [threading.Thread(target=work, args=arguments) for arguments in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert faults == []
    server.process.wait(TIMEOUT)


def settle(server: Server, client: Client, told: Told) -> None:
    """Make the enterprises of the test, and get a first token."""
    with connected(server) as ask:
        for enterprise, capacity in ((EMPLOYER, "employer"), (MANDATARY, "social-secretariat")):
            assert ask("PUT", f"{WORLD}/enterprises/{enterprise}", {"name": "x"}).status == 201
            reply = ask("PUT", f"{WORLD}/enterprises/{enterprise}/capacities/{capacity}", ADMINISTRATOR)
            assert reply.status == 201, reply.body
        ask_for_token(ask, client, told, 0)


def look(server: Server, told: Told, chosen: random.Random) -> None:
    """Find everything that was acknowledged, and nothing by half."""
    with connected(server) as ask:
        look_at_documents(ask, told)
        look_at_accounts(ask, told)
        look_at_mandates(ask, told)
        look_at_assertions(ask, told, chosen)


def look_at_documents(ask: Asker, told: Told) -> None:
    """Read each back, with a token that was given before the first kill."""
    headers = {"Authorization": f"Bearer {told.access_tokens[0]}"}
    for path, name in told.documents.items():
        reply = ask("GET", path, headers=headers)
        assert reply.status == 200, reply.body
        (item,) = reply.json["items"]
        # One that was under way may have been stored: its client does not know.
        assert item["name"] in {name, told.under_way.get(path)}
        told.documents[path] = item["name"]


def look_at_accounts(ask: Asker, told: Told) -> None:
    """Find each with its permission and its certificate, also those whose answer never came."""
    found = {item["client_id"]: item for item in every(ask, "accounts", "client_id")}
    assert told.accounts <= set(found)
    made = [item for client_id, item in found.items() if client_id.startswith("made_")]
    assert all((item["permissions"], len(item["certificates"])) == (["fla"], 1) for item in made)


def look_at_mandates(ask: Asker, told: Told) -> None:
    """Find each under its number."""
    found = {item["id"]: item["start"] for item in every(ask, "mandates", "id")}
    assert {number: found.get(number) for number in told.mandates} == told.mandates
    # What came of a request without an answer must not be taken for a number that was given twice.
    told.mandates.update(found)


def every(ask: Asker, name: str, key: str) -> Iterator[Any]:
    """Yield all entries of a list."""
    after = ""
    while True:
        query = urlencode({"limit": 100} | ({"after": after} if after else {}))
        items = ask("GET", f"{WORLD}/{name}?{query}").json["items"]
        yield from items
        if not items:
            return
        after = items[-1][key]


def look_at_assertions(ask: Asker, told: Told, chosen: random.Random) -> None:
    """Try assertions again that got a token: each is refused for that, and numbers go on after all that were given."""
    newest = told.assertions[-REPLAYED:]
    older = told.assertions[:-REPLAYED]
    replayed = newest + chosen.sample(older, min(len(older), REPLAYED))
    refused: dict[str, int] = defaultdict(int)
    last = max(told.exchanges)
    for text in replayed:
        reply = ask("POST", TOKEN, token_form(text), FORM_HEADERS)
        assert (reply.status, reply.json["error"]) == (400, "invalid_client")
        refused[reply.json["error_description"]] += 1
        told.exchanges.append(int(reply.headers["mock-exchange"]))
    (reason,) = refused
    assert "jti must be new every time" in reason
    assert min(told.exchanges[-len(replayed) :]) > last
    assert len(set(told.exchanges)) == len(told.exchanges)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_acknowledged_survives_kill_9(
    kind: Literal["sqlite", "postgresql"], seed: int, clients: Mapping[str, Client], tmp_path: Path
) -> None:
    """Trainings, accounts and mandates are there and whole; no assertion that got a token gets another."""
    chosen = random.Random(f"{kind} {seed}")
    client = clients["ec-p384"]
    told = Told()
    with postgres.store(kind, tmp_path) as url:
        arguments = ("--world=empty", f"--store={url}", f"--account={client.account}", "--log-level=warning")
        for kill in range(KILLS + 1):
            with started(tmp_path, *arguments) as server:
                if kill == 0:
                    settle(server, client, told)
                else:
                    look(server, told, chosen)
                assert server.errors == ""
                if kill < KILLS:
                    load(server, client, told, chosen.randrange(1, LATEST))
