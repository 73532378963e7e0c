"""Fixtures that tests of every part use."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from mock_server.settings import Settings
from tests.support import Caller, start, write_world

# A busy machine is no failure, and what is slow to make is made all the same.
hypothesis.settings.register_profile(
    "fla", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
)
hypothesis.settings.load_profile("fla")

# SSINs with counter 999, which nobody has; enterprise numbers that are not given out.
WORLD = """
[[enterprises]]
number = "1999000150"
name = "Employer"
capacities = ["employer"]

[[enterprises]]
number = "1999000249"
name = "Secretariat"
capacities = ["social-secretariat", "service-provider", "employer"]

[[enterprises]]
number = "1999000348"
name = "Trainer"
capacities = ["training-provider"]

[[enterprises]]
number = "1999000447"
name = "Another employer"
capacities = ["employer"]
"""

ACCOUNTS: tuple[tuple[str, str, str, list[str], list[str]], ...] = (
    ("employer_rsa", "1999000150", "employer", ["fla"], ["rsa-2048"]),
    ("employer_both", "1999000150", "employer", ["fla", "dimona"], ["rsa-2048"]),
    ("employer_dimona", "1999000150", "employer", ["dimona"], ["rsa-2048"]),
    ("employer_nothing", "1999000150", "employer", [], ["rsa-2048"]),
    ("employer_p384", "1999000150", "employer", ["fla"], ["ec-p384"]),
    ("employer_p521", "1999000150", "employer", ["fla"], ["ec-p521"]),
    ("employer_two", "1999000150", "employer", ["fla"], ["rsa-second", "rsa-2048"]),
    ("employer_mixed", "1999000150", "employer", ["fla"], ["ec-p384", "rsa-2048"]),
    ("employer_expired", "1999000150", "employer", ["fla"], ["rsa-expired"]),
    ("employer_future", "1999000150", "employer", ["fla"], ["rsa-future"]),
    ("employer_renewed", "1999000150", "employer", ["fla"], ["rsa-expired", "rsa-second"]),
    ("employer_none", "1999000150", "employer", ["fla"], []),
    ("another", "1999000447", "employer", ["fla"], ["rsa-second"]),
    ("secretariat", "1999000249", "social-secretariat", ["fla", "dimona"], ["rsa-2048"]),
    ("provider", "1999000249", "service-provider", ["fla"], ["rsa-2048"]),
    ("trainer", "1999000348", "training-provider", ["fla"], ["rsa-2048"]),
)


def world_text(more: str = "") -> str:
    """Return the world of the tests as TOML."""
    accounts = [
        f'[[accounts]]\nname = "{client_id}"\nclient_id = "{client_id}"\nenterprise = "{enterprise}"\n'
        f'capacity = "{capacity}"\npermissions = {permissions}\n'
        + "".join(f'[[accounts.certificates]]\nfile = "{name}.cer"\n' for name in certificates)
        for client_id, enterprise, capacity, permissions, certificates in ACCOUNTS
    ]
    return "\n".join([WORLD, *accounts, more])


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("FLA_MOCK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def world_file(tmp_path: Path) -> Path:
    """Write the world of the tests to a file."""
    return write_world(tmp_path, world_text())


Starter = Callable[..., Caller]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Starter]:
    """Give a function that starts a mock of the tests' world, with more of a world and other settings."""

    def make(more: str = "", **settings: Any) -> Caller:
        path = write_world(tmp_path, world_text(more))
        defaults: dict[str, Any] = {"world": str(path), "keys": tmp_path / "keys"}
        made.append(start(Settings(**(defaults | settings))))
        return made[-1]

    made: list[Caller] = []
    yield make
    for caller in made:
        caller.mock.close()


@pytest.fixture
def caller(started: Starter) -> Caller:
    """Start a mock of the tests' world."""
    return started()
