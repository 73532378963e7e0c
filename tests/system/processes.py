"""What the system tests share: a real mock server in its own process, and clients that need no library."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mock_server.certificates.loading import SigningKey, load_private_key
from tests.support import ASSERTION_TYPE, FORM_HEADERS, TOKEN, Reply

TIMEOUT = 60
"""Seconds that anything may take on a busy machine before the test gives up; nothing waits that long."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment without settings of ours and without proxies, and with more variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FLA_") and not name.lower().endswith("_proxy")
    }
    return kept | more


@dataclass
class Server:
    """A running `fla-mock serve`."""

    process: subprocess.Popen[bytes]
    base: str
    """The base URL, as the ready file says it."""
    folder: Path

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.base)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return f"{self.base}{TOKEN}"

    @property
    def employer_url(self) -> str:
        """The base URL of the employers' API."""
        return f"{self.base}/REST/careerpro-federal-learning-account/v1"

    @property
    def output(self) -> str:
        """What was printed on standard output so far."""
        return (self.folder / "output").read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        """What was printed on standard error so far."""
        return (self.folder / "errors").read_text(encoding="utf-8")

    @property
    def demo(self) -> Any:
        """The demo.json of this server."""
        return json.loads((self.folder / "keys" / "demo.json").read_text(encoding="utf-8"))

    def demo_account(self, name: str = "employer") -> Any:
        """Return an account of demo.json."""
        return next(account for account in self.demo["accounts"] if account["name"] == name)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to stop; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT)

    def is_up(self) -> bool:
        """Tell whether a new connection is answered."""
        reply = call("GET", f"{self.base}/health")
        return (reply.status, reply.body) == (200, b'{"status":"UP"}')

    def connect(self) -> socket.socket:
        """Return a connection whose every wait ends."""
        return socket.create_connection(self.address, TIMEOUT)


def command(*arguments: str | Path) -> list[str]:
    """Return the command line of `fla-mock`."""
    return [sys.executable, "-m", "mock_server", *map(str, arguments)]


def run(*arguments: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `fla-mock` to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


@contextmanager
def started(
    folder: Path,
    *arguments: str | Path,
    variables: Mapping[str, str] | None = None,
    ready: Path | None = None,
    umask: int = 0o022,
) -> Iterator[Server]:
    """Run `fla-mock serve` in a folder while the context lasts.

    `ready` names the ready file when the arguments or variables do; otherwise port 0, the folder `keys` and a ready
    file are added to the arguments.
    """
    if ready is None:
        ready = folder / "ready"
        arguments = ("--port", "0", "--keys", folder / "keys", "--ready-file", ready, *arguments)
    ready.unlink(missing_ok=True)
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command("serve", *arguments),
            cwd=folder,
            env=environment(**(variables or {})),
            stdout=output,
            stderr=errors,
            umask=umask,
        )
    try:
        await_file(ready, process)
        yield Server(process, ready.read_text(encoding="utf-8"), folder)
    finally:
        process.kill()
        process.wait(TIMEOUT)


def await_file(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as a file is there; fails if the process that is to write it ends before."""
    deadline = time.monotonic() + TIMEOUT
    while not path.exists():
        try:
            # Waits for the end of the process, so that its failure is seen at once.
            status = process.wait(0.002)
        except subprocess.TimeoutExpired:
            assert time.monotonic() < deadline, f"{path.name} is not there after {TIMEOUT} seconds"
        else:
            errors = path.with_name("errors")
            said = errors.read_text(encoding="utf-8") if errors.exists() else ""
            raise AssertionError(f"the server ended with {status}: {said}")


def call(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *, via: str = ""
) -> Reply:
    """Send one request and return the answer; `via` is another base URL to connect to."""
    parts = urlsplit(url)
    target = urlsplit(via or url)
    connection = HTTPConnection(target.hostname or "", target.port, timeout=TIMEOUT)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, {"Host": parts.netloc} | dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): text for name, text in response.getheaders()}, response.read())
    finally:
        connection.close()


def assertion(client_id: str, key: SigningKey, audience: str, **changes: Any) -> str:
    """Return a good assertion, changed."""
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": int(time.time()) + 300}
    algorithm = "RS256" if isinstance(key, RSAPrivateKey) else {384: "ES384", 521: "ES512"}[key.key_size]
    return jwt.encode(claims | {"jti": str(uuid.uuid4())} | changes, key, algorithm)


def token_form(text: str, **more: str) -> bytes:
    """Return the body of a token request."""
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return urlencode(form | more).encode()


def get_token(server: Server, client_id: str, key: SigningKey) -> str:
    """Return an access token."""
    reply = call("POST", server.token_url, token_form(assertion(client_id, key, server.token_url)), FORM_HEADERS)
    assert reply.status == 200, reply.body
    return str(reply.json["access_token"])


def demo_token(server: Server, name: str = "employer") -> str:
    """Return an access token for an account of the demo world."""
    account = server.demo_account(name)
    return get_token(server, account["client_id"], load_private_key(Path(account["key"]).read_bytes()))


def trainings_url(server: Server, employer: str, ssin: str = "65111899997", year: int = 2023) -> str:
    """Return the URL of an employee's trainings."""
    return f"{server.employer_url}/employers/{employer}/employees/{ssin}/calendarYears/{year}/trainings"


def training(name: str = "First aid at work", **more: str) -> dict[str, Any]:
    """Return a training that the contract accepts."""
    return {
        "name": name,
        "startDate": "2023-03-06",
        "endDate": "2023-03-07",
        "duration": {"value": 7.5, "unit": "hours"},
        "type": "formal",
        "status": "followed",
        "certificate": {"obtained": True},
        "countsForIndividualRight": True,
    } | more


def request_bytes(method: str, path: str, headers: Sequence[str], body: bytes = b"", host: str = "127.0.0.1") -> bytes:
    """Return a request as it stands on the wire."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode() + body


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side has nothing more to say, and closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def read_reply(connection: socket.socket) -> Reply:
    """Return one answer that says its length, from a connection that may stay open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _some(connection)
    return Reply(int(status.split()[1]), headers, body)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    assert data, "the connection was closed before the whole answer"
    return data
