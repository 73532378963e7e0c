"""Contracts of others are loaded and served whole; `python -m tests.contracts` prints what was judged."""

import os
from pathlib import Path

import pytest

from tests.contracts.__main__ import main
from tests.contracts.documents import Document
from tests.contracts.examination import examined
from tests.contracts.packages import UnavailableError, fetch, path_of
from tests.contracts.registry import CONTRACTS, ThirdParty
from tests.contracts.serving import Served

pytestmark = pytest.mark.system
_SHOWN = 10

each = pytest.mark.parametrize("contract", CONTRACTS, ids=[contract.name for contract in CONTRACTS])


@pytest.fixture(scope="session", autouse=True)
def _packages() -> None:
    """Download the packages; where that cannot be done the tests are skipped, and in CI they fail."""
    try:
        fetch()
    except UnavailableError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_the_contracts_are_of_every_kind() -> None:
    """There are eight contracts and more: of each version, in YAML and JSON, of many files, and of many operations."""
    assert len(CONTRACTS) >= 8
    assert {contract.version for contract in CONTRACTS} == {"2.0", "3.0", "3.1"}
    written = {(contract.version, path_of(contract).suffix in {".yaml", ".yml"}) for contract in CONTRACTS}
    assert len(written) == 6
    assert any(contract.folder for contract in CONTRACTS)
    assert max(contract.least.operations for contract in CONTRACTS) > 200


@each
def test_a_contract_is_served_whole(contract: ThirdParty, tmp_path: Path) -> None:
    """Behind the channel are all operations that the document has by another reading of it, and no others."""
    document = Document(path_of(contract))
    served = Served(contract, tmp_path)
    try:
        operations = served.operations()
    finally:
        served.close()

    assert (document.title, document.version) == (contract.title, contract.version)
    assert operations == set(document.operations())
    assert len(operations) == contract.least.operations


@each
def test_every_operation_answers_validly_and_refuses_what_is_invalid(contract: ThirdParty, tmp_path: Path) -> None:
    """Valid input is answered with a success that is valid by the contract; what breaks it in one place is refused."""
    report = examined(contract, tmp_path)
    judged, least = report.judged, contract.least
    told = "\n".join(report.faults[:_SHOWN])

    assert not report.faults, f"{len(report.faults)} faults, of which the first:\n{told}"
    assert judged.operations == least.operations
    assert judged.valid >= least.valid
    assert judged.invalid >= least.invalid
    assert judged.unconstrained <= least.unconstrained, report.unconstrained


def test_the_table_of_what_was_judged_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """One command prints what was judged of the contracts that it names, and says by its exit code if all was well."""
    assert main(["galaxy"]) == 0

    printed = capsys.readouterr().out
    assert "Scalar Galaxy" in printed
    assert "Kubernetes" not in printed
