"""Measure how long answers take in worlds of growing size: token, PUT and GET by a mandatary, in process."""

import argparse
import asyncio
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from sqlalchemy import Table

from benchmarks import clients
from benchmarks.clients import FORM
from benchmarks.figures import Sample, Steps, at_most, show
from mock_server.app import Mock, create_mock
from mock_server.demo.manifest import manifest
from mock_server.settings import Settings
from mock_server.world import schema
from mock_server.world.model import Document
from mock_server.world.rows import of_document
from mock_server.world.statements import INSERT
from mock_server.world.store import DEFAULT_WORLD

_MANDATES = (10, 1_000, 10_000, 100_000)
_EMPLOYEES = 10
_API = "fla-employer"
_MANDATARY = "service-provider"
_YEAR = 2025
_BATCH = 50_000
_HOST = "127.0.0.1:8425"
_FLAT = at_most(1.25)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and how long it took."""

    body: bytes
    seconds: float


class GrownWorld:
    """A server in process, whose demo world was added to."""

    def __init__(self, folder: Path, mandates: int) -> None:
        self._mandates = mandates
        self._mock: Mock = create_mock(Settings.model_validate({"keys": folder}))
        assert self._mock.demo is not None
        demo = manifest(self._mock.demo, self._mock.urls, self._mock.services)
        self._client = clients.demo_client(demo, _MANDATARY)
        self._body = clients.training_body(_YEAR)
        self._base = urlsplit(self._mock.urls.employer).path
        self._authorization = {"authorization": f"Bearer {asyncio.run(self._token())}"}
        self._add(next(one["enterprise_number"] for one in demo["accounts"] if one["name"] == _MANDATARY))

    @property
    def name(self) -> str:
        """The size: mandates; employments, documents and used jtis are ten times as many."""
        return f"{self._mandates:,} mandates"

    def token(self, calls: int) -> Sample:
        """Return the median time of a token, in milliseconds."""
        bodies = [self._client.token_form() for _ in range(calls)]
        return self._timed((("POST", self._client.path, FORM, body) for body in bodies), calls)

    def put(self, calls: int) -> Sample:
        """Return the median time of a PUT for employees that are taken at random."""
        headers = self._authorization | {"content-type": "application/json"}
        return self._timed((("PUT", path, headers, self._body) for path in self._paths()), calls)

    def get(self, calls: int) -> Sample:
        """Return the median time of a GET."""
        return self._timed((("GET", path, self._authorization, b"") for path in self._paths()), calls)

    def _paths(self) -> Iterator[str]:
        while True:
            employer, employee = random.randrange(self._mandates), random.randrange(_EMPLOYEES)
            yield f"{self._base}/{_path(employer, employee)}"

    def _timed(self, requests: Iterable[tuple[str, str, Mapping[str, str], bytes]], calls: int) -> Sample:
        async def run() -> list[float]:
            return [(await self._call(*request)).seconds for request in islice(requests, calls)]

        gc.collect()
        return Sample(1_000 * statistics.median(asyncio.run(run())))

    async def _token(self) -> str:
        answer = await self._call("POST", self._client.path, FORM, self._client.token_form())
        return clients.access_token(answer.body)

    async def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Call the application as a server does."""
        fields = {"host": _HOST, "content-length": str(len(body)), **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:  # noqa: ANN401 - any message of ASGI
            sent.append(message)

        began = time.perf_counter()
        await self._mock.application(scope, receive, send)
        seconds = time.perf_counter() - began
        if sent[0]["status"] != 200:
            msg = f"{method} {path}: {sent}"
            raise RuntimeError(msg)
        return Answer(sent[1]["body"], seconds)

    def _add(self, mandatary: str) -> None:
        text = self._body.decode()
        world = {"world": DEFAULT_WORLD}
        employers = range(self._mandates)
        everybody = [(employer, employee) for employer in employers for employee in range(_EMPLOYEES)]
        never = time.time() + 86_400
        self._insert(
            schema.enterprises,
            (
                world
                | {"number": _number(one), "name": f"Employer {one}", "capacities": "employer"}
                | {"employments": None}
                for one in employers
            ),
        )
        self._insert(
            schema.mandates,
            (
                world
                | {"id": 1_000 + one, "mandator": _number(one), "mandatary": mandatary, "service": "fla"}
                | {"start": "2024Q2", "end": None, "decision": "confirmed"}
                | {"proposed_by": None, "confirmed_by": "mandatary mandator"}
                for one in employers
            ),
        )
        self._insert(
            schema.employments,
            (world | {"enterprise": _number(one), "ssin": _ssin(one, who)} for one, who in everybody),
        )
        self._insert(
            schema.documents,
            (of_document(DEFAULT_WORLD, Document(_API, _path(one, who), text)) for one, who in everybody),
        )
        self._insert(
            schema.consumed_jtis,
            (world | {"digest": random.randbytes(32).hex(), "expires_at": never, "used_at": 0.0} for _ in everybody),
        )

    def _insert(self, into: Table, rows: Iterator[dict[str, Any]]) -> None:
        database = self._mock.worlds.store.database
        while batch := list(islice(rows, _BATCH)):
            with database.transaction():
                database.run_many(INSERT[into.name], batch)


def _number(employer: int) -> str:
    digits = 10_000_000 + employer
    return f"{digits}{97 - digits % 97:02}"


def _ssin(employer: int, employee: int) -> str:
    digits = 500_000_000 + employer * _EMPLOYEES + employee
    return f"{digits}{97 - digits % 97:02}"


def _path(employer: int, employee: int) -> str:
    return f"employers/{_number(employer)}/employees/{_ssin(employer, employee)}/calendarYears/{_YEAR}/trainings"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000, help="calls of one measurement [1000]")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured, in turns [5]")
    parser.add_argument("--largest", type=int, default=_MANDATES[-1], help=f"mandates, at most [{_MANDATES[-1]}]")
    options = parser.parse_args()
    progress = Console(stderr=True)
    steps = Steps()
    with tempfile.TemporaryDirectory() as folder, progress.status("making worlds") as status:
        worlds = [GrownWorld(Path(folder), count) for count in _MANDATES if count <= options.largest]
        for name, measure in (("token", GrownWorld.token), ("PUT", GrownWorld.put), ("GET", GrownWorld.get)):
            figures = [
                steps.add(f"{name}, {world.name}", "ms", partial(measure, world, options.calls)) for world in worlds
            ]
            for figure in figures[1:]:
                figure.compare(worlds[0].name, figures[0], _FLAT)
        steps.run(options.rounds, status.update)
    show("Employments, documents and used jtis are ten times as many", steps.figures)


if __name__ == "__main__":
    main()
