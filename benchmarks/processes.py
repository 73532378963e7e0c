"""Starting the servers that are measured, each as a process of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Sample
from benchmarks.load import request

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
CONTRACT = ROOT / "openapi" / "fla-employer-v1.yaml"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.001
_STOP_SECONDS = 10.0


class StartError(Exception):
    """A server that cannot be started; says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    name: str
    pid: int
    port: int
    start: Sample
    """Seconds to the first 200."""

    def memory(self) -> float | None:
        """Return the resident memory in MiB; none where the system does not tell it in /proc."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used; none where the system does not tell it in /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(name: str, command: Sequence[str], port: int, first: bytes) -> Iterator[Server]:
    """Start a server, wait until it answers its first request with 200, and stop it in the end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FLA_MOCK_")}
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            while not _answers(port, first):
                if process.poll() is not None or time.perf_counter() - began > _START_SECONDS:
                    errors.seek(0)
                    msg = f"{name} did not start: {' '.join(command)}\n{errors.read().decode(errors='replace')}"
                    raise StartError(msg)
                time.sleep(_POLL_SECONDS)
            start = Sample(time.perf_counter() - began, cpu_seconds(process.pid))
            yield Server(name, process.pid, port, start)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int, first: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_START_SECONDS) as connection:
            connection.sendall(first)
            return connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def mock(keys: Path, *options: str) -> contextlib.AbstractContextManager[Server]:
    """Start the mock server with the demo world."""
    port = free_port()
    command = [sys.executable, "-m", "mock_server", "serve", "--port", str(port), "--keys", str(keys), *options]
    return started("mock", command, port, request("GET", port, "/health"))


def hello() -> contextlib.AbstractContextManager[Server]:
    """Start the bare hello, with the options that the mock server gives uvicorn."""
    port = free_port()
    options = "--http h11 --loop asyncio --ws none --lifespan off --no-access-log --no-proxy-headers --no-server-header"
    command = [sys.executable, "-m", "uvicorn", *options.split(), "--log-level", "error", "--backlog", "2048"]
    command += ["--port", str(port), "benchmarks.hello:app"]
    return started("hello", command, port, request("GET", port, "/"))


def install_peers() -> None:
    """Install the peers as their lock file says, once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        msg = "the peers need node and npm"
        raise StartError(msg)
    if not (PEERS / "node_modules").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=PEERS, check=True, stdout=sys.stderr)


def oidc_provider(key_set: Path) -> contextlib.AbstractContextManager[Server]:
    """Start node-oidc-provider with one client."""
    port = free_port()
    command = ["node", str(PEERS / "oidc.mjs"), str(port), str(key_set)]
    return started("node-oidc-provider", command, port, request("GET", port, "/.well-known/openid-configuration"))


def prism(read: str) -> contextlib.AbstractContextManager[Server]:
    """Start prism as it comes; `read` is a path that it answers."""
    port = free_port()
    program = str(PEERS / "node_modules" / ".bin" / "prism")
    command = ["node", program, "mock", str(CONTRACT), "--port", str(port)]
    return started("prism", command, port, request("GET", port, read, headers={"Authorization": "Bearer any"}))
