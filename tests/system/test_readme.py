"""The README, followed to the letter in a copy of the checkout, with a new virtual environment."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# Running the tests from within a test would never end; what the script does is what runs this test.
NOT_RUN = ["scripts/test\n"]
START_SECONDS = 300  # pip downloads and builds

pytestmark = pytest.mark.system


def checkout(folder: Path) -> Path:
    """Copy what git tracks, or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    copy = folder / "checkout"
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


class Reader:
    """Somebody who copies one block after another into a terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = checkout(folder)
        venv.create(folder / "venv", with_pip=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        kept = {
            name: os.environ[name]
            for name in ("HOME", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE")
            if name in os.environ
        }
        self.ready = folder / "ready"
        self.environment = kept | {
            "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
            "FLA_MOCK_PORT": str(self.port),
            "FLA_MOCK_READY_FILE": str(self.ready),
            "FLA_MOCK_URL": f"http://127.0.0.1:{self.port}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self.server: subprocess.Popen[bytes] | None = None

    def follow(self, text: str) -> str:
        """Run a block; one that starts a server is left running, and the one before is stopped."""
        text = text.replace("8425", str(self.port))
        if "fla-mock serve" not in text:
            done = self._bash(text)
            output, _ = done.communicate(timeout=START_SECONDS)
            assert done.returncode == 0, output.decode()
            return output.decode()
        self.stop()
        self.ready.unlink(missing_ok=True)
        self.server = self._bash(text)
        while not self.ready.exists():
            with pytest.raises(subprocess.TimeoutExpired):
                self.server.wait(0.05)
        return ""

    def _bash(self, text: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Press Ctrl-C."""
        if self.server is not None:
            os.killpg(self.server.pid, signal.SIGINT)
            self.server.communicate(timeout=30)
            self.server = None


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Give a reader, and stop what it left running."""
    one = Reader(tmp_path)
    yield one
    one.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="the README is written for a POSIX shell")
def test_every_command_of_the_readme_works(reader: Reader) -> None:
    """Blocks are followed in their order, in one folder; a TOML block is saved under the name that it begins with."""
    answers = []
    for language, text in BLOCKS:
        if language == "toml":
            name = text.splitlines()[0].removeprefix("# ")
            (reader.folder / name).write_text(text, encoding="utf-8")
        elif language == "bash" and text not in NOT_RUN:
            answers.append(reader.follow(text))

    assert '"total":1' in answers[1]  # the documented call
    assert '"total":0' in answers[4]  # reading, with openssl and curl alone
    assert len(answers) == 13


def test_nothing_in_the_readme_is_left_out() -> None:
    """Blocks are of kinds that this test follows, or text that is only shown."""
    assert {language for language, _ in BLOCKS} == {"bash", "toml", "text"}
    assert all(block in [text for _, text in BLOCKS] for block in NOT_RUN)
