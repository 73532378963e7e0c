"""A server that stands in for a mock: it gives the answers that a test tells it to, and remembers what it was asked."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLOCK = {"now": "2026-11-23T18:40:00.000Z", "timestamp": 1e9, "mode": "real", "offset": 0.0, "quarter": "2026Q4"}
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path as it was written."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query, decoded."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Fake:
    """A server that gives the answers it is told to, one after the other, and remembers what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=list)

    def will(self, body: object = None, status: int = 200, media_type: str = "application/json", **more: str) -> None:
        """Add an answer; None is one without a body."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        status = 204 if body is None and status == 200 else status
        headers = {} if body is None else {"Content-Type": media_type}
        self.answers.append((status, headers | {name.replace("_", "-"): text for name, text in more.items()}, data))

    def will_refuse(self, status: int, detail: str, **more: object) -> None:
        """Add a refusal."""
        members = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
        self.will(members | more, status, PROBLEM)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Fake]:
    """Run a server while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            served.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
            status, headers, data = served.answers.pop(0)
            self.send_response(status)
            for name, text in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        served = Fake(f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join(30)
