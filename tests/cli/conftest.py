"""A command line that runs in this process, and a server for it to talk to."""

import asyncio
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import CliRunner, Result

from mock_server import server
from mock_server.app import create_mock
from mock_server.cli import app
from mock_server.cli.console import report
from mock_server.demo.manifest import write_manifest
from mock_server.settings import Settings
from tests.cli.fakes import Fake, serving


@pytest.fixture(autouse=True)
def _no_mock_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the mock that whoever runs the tests may work with out of them."""
    for name in [name for name in os.environ if name.startswith("FLA_")]:
        monkeypatch.delenv(name)


class Run(Protocol):
    """Runs `fla-mock` in this process."""

    def __call__(self, *arguments: object, env: dict[str, str] | None = None, input: str | None = None) -> Result:  # noqa: A002 - click's own name
        """Return what came of it."""


@pytest.fixture
def run() -> Run:
    """Give a function that runs `fla-mock` with arguments."""

    def invoke(*arguments: object, env: dict[str, str] | None = None, input: str | None = None) -> Result:  # noqa: A002 - as above
        logger = logging.getLogger("fla_mock")
        before = logger.handlers[:]
        try:
            return CliRunner().invoke(app, [str(part) for part in arguments], env=env, input=input)
        finally:
            # What `serve` logs to is closed with the output that it was given.
            logger.handlers[:] = before

    return invoke


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve a demo world, and give its key folder, which is being served on a socket."""
    folder = tmp_path_factory.mktemp("served") / "keys"
    listener = server.bind("127.0.0.1", 0)
    mock = create_mock(Settings(keys=folder), base_url=server.base_url(listener), observer=report)
    assert mock.demo is not None
    write_manifest(mock.keys.path / "demo.json", mock.demo, mock.urls, mock.services)
    started = threading.Event()
    served = server.Server(mock.application, started.set)
    # Signals belong to the main thread: this one runs what capture_signals would wrap.
    thread = threading.Thread(target=lambda: asyncio.run(served._serve([listener])))
    thread.start()
    assert started.wait(30)
    yield folder
    served.should_exit = True
    thread.join(30)
    listener.close()
    mock.close()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """Run a server that the commands find in their environment."""
    with serving() as server:
        monkeypatch.setenv("FLA_MOCK_URL", server.url)
        yield server
