"""Measure the mock server: starts, memory, tokens and PUTs a second, each as a ratio to what this machine can do."""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console

from benchmarks import clients, processes
from benchmarks.clients import Client, Trainings
from benchmarks.figures import Figure, Sample, Steps, at_least, show, under
from benchmarks.load import LoadError, drive, request
from benchmarks.processes import Server, StartError

GROUPS = ("start", "memory", "hello", "tokens", "puts")
_CONNECTIONS = (16, 1)
_WARM_UP_SECONDS = 1.0
_GUESSED_LIMIT = 2_500.0
_LIMIT = "limit of"
_BUSY = 0.1
_MEMORY_GOAL = under(90, "MiB")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    seconds: float
    rounds: int
    peers: bool
    only: frozenset[str]


def measure_starts(options: Options, folder: Path, say: Say) -> list[Figure]:
    """Measure process start to first 200."""

    def first() -> Sample:
        with tempfile.TemporaryDirectory(dir=folder) as keys, processes.mock(Path(keys)) as server:
            return server.start

    def later() -> Sample:
        with processes.mock(folder / "keys") as server:
            return server.start

    def hello() -> Sample:
        with processes.hello() as server:
            return server.start

    later()
    steps = Steps()
    bare = steps.add("hello: start to first 200", "s", hello)
    steps.add("start to first 200", "s", later, under(0.6, "s")).compare("hello", bare)
    steps.add("first start, which makes the keys", "s", first).compare("hello", bare)
    steps.run(options.rounds, say)
    return steps.figures


class Load:
    """The servers that are up, and the steps that load them."""

    def __init__(self, options: Options, stack: contextlib.ExitStack, folder: Path) -> None:
        self._options = options
        self._stack = stack
        self._folder = folder
        self._elliptic_key, account = clients.write_elliptic_account(folder)
        self.mock = stack.enter_context(processes.mock(folder / "keys", "--account", account))
        self._demo = clients.read_demo(folder / "keys")
        self._employer = clients.demo_client(self._demo, "employer")
        self._signing_key = rsa.generate_private_key(65537, 2048)
        self._hello: dict[int, Figure] = {}
        self.steps = Steps()

    def add_hello(self) -> None:
        """Add the bare hello."""
        server = self._stack.enter_context(processes.hello())
        call = request("GET", server.port, "/")
        drive(server.port, 1, repeat(call), _WARM_UP_SECONDS)
        for connections in _CONNECTIONS:
            measure = self._rate(server, connections, lambda: repeat(call))
            self._hello[connections] = self.steps.add(_named("hello", connections), "/s", measure)

    def add_tokens(self) -> None:
        """Add the token endpoint: beside the limit, and node-oidc-provider if the peers are asked for."""
        elliptic = clients.elliptic_client(self._demo, self._elliptic_key)
        peer = self._oidc_provider() if self._options.peers else None
        for client, goal in ((self._employer, at_least(0.5)), (elliptic, at_least(0.7))):
            algorithm = client.algorithm
            limit = self.steps.add(f"{_LIMIT} {algorithm}", "/s", self._limit(client))
            drive(self.mock.port, 1, client.token_requests(200), _WARM_UP_SECONDS)
            for connections in _CONNECTIONS:
                measure = self._token_rate(self.mock, client, connections, limit)
                mine = self.steps.add(_named(f"tokens {algorithm}", connections), "/s", measure)
                mine.compare("limit", limit, goal if connections > 1 else None)
                if peer is None or algorithm != "RS256":
                    continue
                measure = self._token_rate(*peer, connections, limit)
                its = self.steps.add(_named("node-oidc-provider", connections), "/s", measure)
                its.compare("limit", limit)
                mine.compare("node-oidc-provider", its, None if connections > 1 else at_least(1.0))

    def add_puts(self) -> None:
        """Add PUTs that are authenticated, judged, validated and stored: beside the bare hello, and prism."""
        resources = clients.all_trainings(self._demo)
        peer = self._prism(resources) if self._options.peers else None
        for connections in _CONNECTIONS:
            measure = self._rate(self.mock, connections, lambda: self._puts(resources))
            mine = self.steps.add(_named("PUTs", connections), "/s", measure)
            if self._hello:
                mine.compare("hello", self._hello[connections])
            if peer is None:
                continue
            measure = self._rate(peer[0], connections, peer[1])
            its = self.steps.add(_named("prism PUTs", connections), "/s", measure)
            mine.compare("prism", its, at_least(1.2) if connections > 1 else None)

    def _rate(self, server: Server, connections: int, requests: Callable[[], Iterable[bytes]]) -> Callable[[], Sample]:
        def measure() -> Sample:
            prepared = requests()
            before = processes.cpu_seconds(server.pid)
            measured = drive(server.port, connections, prepared, self._options.seconds)
            after = processes.cpu_seconds(server.pid)
            used = after - before if after is not None and before is not None else 0
            return Sample(measured.rate, measured.answers / used if used else None)

        return measure

    def _limit(self, client: Client) -> Callable[[], Sample]:
        return lambda: clients.limit(client, self._signing_key, self._options.seconds / 2)

    def _token_rate(self, server: Server, client: Client, connections: int, limit: Figure) -> Callable[[], Sample]:
        def requests() -> list[bytes]:
            # Signed before the time runs. A run that answers all of them ends early, which changes no rate.
            fastest = max((sample.value for sample in limit.samples), default=_GUESSED_LIMIT)
            return client.token_requests(int(fastest * self._options.seconds) + 100)

        return self._rate(server, connections, requests)

    def _puts(self, resources: list[Trainings]) -> Iterator[bytes]:
        return clients.put_requests(self.mock.port, resources, self._employer.token())

    def _oidc_provider(self) -> tuple[Server, Client]:
        file = self._folder / "key-set.json"
        file.write_text(clients.key_set(self._employer.key), encoding="utf-8")
        server = self._stack.enter_context(processes.oidc_provider(file))
        issuer = f"http://127.0.0.1:{server.port}"
        client = replace(
            self._employer,
            client_id="benchmark",
            audience=issuer,
            port=server.port,
            path="/token",
            scope="benchmark",
        )
        drive(server.port, 16, client.token_requests(2_000), 2 * _WARM_UP_SECONDS)
        return server, client

    def _prism(self, resources: list[Trainings]) -> tuple[Server, Callable[[], Iterator[bytes]]]:
        # It serves a contract's paths from the root, and any token is fine.
        below = [clients.below_base(self._demo, one) for one in resources]
        server = self._stack.enter_context(processes.prism(below[0].path))

        def requests() -> Iterator[bytes]:
            return clients.put_requests(server.port, below, "any")

        drive(server.port, 16, requests(), 2 * _WARM_UP_SECONDS)
        return server, requests


def _named(name: str, connections: int) -> str:
    return f"{name}, {connections} connection{'s' if connections > 1 else ''}"


def measure_load(options: Options, folder: Path, say: Say) -> list[Figure]:
    """Measure rates, and memory before and after them."""
    figures = []
    with contextlib.ExitStack() as stack:
        load = Load(options, stack, folder)
        idle = load.mock.memory()
        if options.only & {"hello", "puts"}:
            load.add_hello()
        if "tokens" in options.only:
            load.add_tokens()
        if "puts" in options.only:
            load.add_puts()
        load.steps.run(options.rounds, say)
        after = load.mock.memory()
        if "memory" in options.only and idle is not None and after is not None:
            figures = [Figure("memory, idle", "MiB", _MEMORY_GOAL, [Sample(idle)])]
            if load.steps.figures:
                figures.append(Figure("memory, after the load", "MiB", None, [Sample(after)]))
        return [*figures, *load.steps.figures]


def _options() -> tuple[Options, Path | None]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement [2]")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured, in turns [5]")
    parser.add_argument("--peers", action="store_true", help="also node-oidc-provider and prism (needs Node and npm)")
    parser.add_argument("--only", choices=GROUPS, action="append", help="measure this alone; as often as wanted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to a file")
    given = parser.parse_args()
    if given.seconds <= 0 or given.rounds < 1:
        parser.error("--seconds and --rounds are more than 0")
    return Options(given.seconds, given.rounds, given.peers, frozenset(given.only or GROUPS)), given.json


def _busy(figures: list[Figure]) -> float:
    """Return how much of a core the limit, which waits for nothing, did not get."""
    samples = [sample for figure in figures if figure.name.startswith(_LIMIT) for sample in figure.samples]
    shares = [sample.value / sample.by_cpu for sample in samples if sample.by_cpu]
    return 1 - statistics.mean(shares) if shares else 0.0


def main() -> int:
    """Run the benchmarks; 1 when one of them could not be measured."""
    options, file = _options()
    progress = Console(stderr=True)
    figures: list[Figure] = []
    try:
        if options.peers:
            processes.install_peers()
        with tempfile.TemporaryDirectory() as name, progress.status("starting") as status:
            folder = Path(name)
            if "start" in options.only:
                figures += measure_starts(options, folder, status.update)
            if options.only - {"start"}:
                figures += measure_load(options, folder, status.update)
    except (LoadError, StartError, subprocess.CalledProcessError) as error:
        progress.print(f"nothing was measured: {error}", markup=False)
        return 1
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    show(f"{options.rounds} rounds of {options.seconds:g} s; {machine}", figures)
    busy = _busy(figures)
    if busy > _BUSY:
        progress.print(
            f"Other jobs took {busy:.0%} of a core from the limit, so the ratios by the clock, and what they say of "
            "the goals, mean little: look at those by CPU, or measure again on a quiet machine."
        )
    if file is not None:
        members = {
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "seconds": options.seconds,
            "busy": busy,
        }
        text = json.dumps(members | {"figures": [figure.as_dict() for figure in figures]}, indent=2)
        file.write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
