"""The demo world, whose keys are made once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server.settings import Settings
from tests.support import Caller, start


@pytest.fixture(scope="session")
def demo_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the demo world's keys."""
    folder = tmp_path_factory.mktemp("demo") / "keys"
    start(Settings(keys=folder)).mock.close()
    return folder


@pytest.fixture
def demo(demo_keys: Path) -> Iterator[Caller]:
    """Start a mock of the demo world."""
    caller = start(Settings(keys=demo_keys))
    yield caller
    caller.mock.close()
