"""Measure what a contract of 500 operations costs: starting with it, loading it, and finding a route in it."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console

from benchmarks import processes
from benchmarks.figures import Sample, Steps, at_most, show, under
from benchmarks.processes import ROOT, StartError
from mock_server.services.contract import Contract, load
from tests.services.made_contracts import OPERATIONS_OF_A_PART, large_contract
from tests.services.rewritten_contracts import write

_PARTS = 50
_ROUTES = 20_000
_IMPORT = "import mock_server.services.contract"
_FLAT = at_most(1.25)


def _clocked(act: Callable[[], object], scale: float = 1.0) -> Sample:
    """Do something once, and return how long it took: seconds by the clock and by this process, times a scale."""
    began, used = time.perf_counter(), time.process_time()
    act()
    by_cpu = time.process_time() - used
    return Sample((time.perf_counter() - began) * scale, by_cpu * scale or None)


def _process(code: str) -> Sample:
    """Run Python code in a process of its own, and return how many seconds that took."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return Sample(time.perf_counter() - began)


def _loading(path: Path) -> Sample:
    return _process(f"from pathlib import Path; {_IMPORT} as contract; contract.load(Path({str(path)!r}))")


def _serving(keys: Path, options: Sequence[str]) -> Sample:
    with processes.mock(keys, *options) as server:
        return server.start


def _routing(contract: Contract) -> Sample:
    """Find routes of every shape, the first and the last of the contract among them; microseconds each."""
    last = len(contract.operations) // OPERATIONS_OF_A_PART - 1
    paths = [
        f"/departments{number:03d}/files{rest}"
        for number in (0, last)
        for rest in ("", "/a-1", "/a-1/pages", "/a-1/pages/7", "/a-1/nothing")
    ]

    def find() -> None:
        for _ in range(_ROUTES // len(paths)):
            for path in paths:
                contract.route(path)

    return _clocked(find, 1e6 / _ROUTES)


def _steps(folder: Path) -> Steps:
    files = {
        (parts, form): write(_made(folder / f"{parts}"), large_contract(parts), form)
        for parts in (1, _PARTS)
        for form in ("json", "yaml")
    }
    count = _PARTS * OPERATIONS_OF_A_PART
    keys = folder / "keys"
    _serving(keys, ())
    steps = Steps()
    bare = steps.add("process that imports the loader", "s", partial(_process, _IMPORT))
    plain = steps.add("start to first 200", "s", partial(_serving, keys, ()))
    for form in ("json", "yaml"):
        large, small = files[_PARTS, form], files[1, form]
        whole = steps.add(f"process that loads {count} as well, {form}", "s", partial(_loading, large))
        whole.compare("import", bare)
        started = steps.add(
            f"start with {count} more operations, {form}",
            "s",
            partial(_serving, keys, ("--service", f"large={large}")),
            under(1.0, "s"),
        )
        started.compare("start", plain)
        few = steps.add(f"load {OPERATIONS_OF_A_PART}, {form}", "ms", partial(_clocked, partial(load, small), 1e3))
        many = steps.add(f"load {count}, {form}", "ms", partial(_clocked, partial(load, large), 1e3))
        many.compare(f"load {OPERATIONS_OF_A_PART}", few, at_most(_PARTS))
    few = steps.add(f"route among {OPERATIONS_OF_A_PART}", "µs", partial(_routing, load(files[1, "json"])))
    many = steps.add(f"route among {count}", "µs", partial(_routing, load(files[_PARTS, "json"])))
    many.compare(f"route of {OPERATIONS_OF_A_PART}", few, _FLAT)
    return steps


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def main() -> int:
    """Run the benchmark; 1 when a server did not start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured, in turns [5]")
    options = parser.parse_args()
    progress = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory() as folder, progress.status("writing contracts") as status:
            steps = _steps(Path(folder))
            steps.run(options.rounds, status.update)
    except StartError as error:
        progress.print(f"nothing was measured: {error}", markup=False)
        return 1
    show(f"A contract of {_PARTS * OPERATIONS_OF_A_PART} operations, {options.rounds} rounds", steps.figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
