"""Prints what is judged of each contract: `python -m tests.contracts [NAME …]`. It exits with 1 when one has faults."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.contracts.examination import examined
from tests.contracts.packages import fetch
from tests.contracts.registry import CONTRACTS

_WIDTH = 170


def main(names: list[str]) -> int:
    """Judge the contracts of these names, or all."""
    fetch()
    table = Table(
        "contract", "version", "package", "licence", "operations", "valid", "invalid", "not possible", "faults"
    )
    faults = []
    for contract in CONTRACTS:
        if names and contract.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            report = examined(contract, Path(folder))
        package = f"{contract.package.index} {contract.package.name} {contract.package.version}"
        counts = [str(count) for count in report.judged]
        table.add_row(
            contract.title, contract.version, package, contract.package.licence, *counts, str(len(report.faults))
        )
        faults += [f"{contract.name}: {fault}" for fault in report.faults]
    Console(width=_WIDTH).print(table)
    sys.stdout.write("".join(f"\n{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
