"""Exchanges as JSON members, without their secrets: what the journal stores and gives back."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from mock_server.asgi import Answer, Header
from mock_server.exchange import Exchange, Request
from mock_server.redaction import REDACTED, scrub, scrub_json

MARGIN = 512
"""Bytes of a body that are looked at beyond those that are kept: half a secret is harder to tell than a whole one."""
_SECRET_NAME = re.compile(rb"(?i)api-?_?key|secret|passw|pwd|credential|token|session|assertion")
_MAX_PATH = 4_096
_MAX_HEADERS = 100
_MAX_HEADER = 4_096
_MAX_TEXT = 4_096
_SUMMARY = (
    "number",
    "time",
    "operation",
    "status",
    "duration_ms",
    "client_id",
    "account",
    "error",
    "refused_by",
    "fault",
)


def as_record(exchange: Exchange, body_bytes: int) -> dict[str, Any]:
    """Return the members of an exchange; of each body `body_bytes` at most."""
    refused_by = exchange.refused_by
    evidence = exchange.trail.evidence
    return {
        "number": exchange.number,
        "time": timestamp(exchange.time),
        "operation": exchange.operation,
        "status": exchange.status,
        "duration_ms": round(exchange.duration * 1_000, 3),
        "client_id": exchange.client_id and scrub(exchange.client_id[:_MAX_TEXT]).replace("\0", "\ufffd"),
        "account": exchange.account,
        "error": exchange.error,
        "refused_by": None if refused_by is None else refused_by.requirement.id,
        "fault": None if exchange.fault is None else {"id": exchange.fault.id, "applied": exchange.fault.announcement},
        "request": _request(exchange.request, body_bytes),
        "answer": None if exchange.answer is None else _answer(exchange.answer, exchange.answer_size, body_bytes),
        "assertion": None if evidence is None else scrub_json(dict(evidence), depth=6, items=50, text=1_000),
        "checks": [check.as_dict() for check in exchange.trail.checks],
        "near_misses": exchange.trail.near_misses,
    }


def summary(record: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a record that a list shows."""
    return {name: record[name] for name in _SUMMARY}


def timestamp(moment: float) -> str:
    """Return a moment in Unix seconds as RFC 3339 says it, in UTC, with milliseconds."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request(request: Request, body_bytes: int) -> dict[str, Any]:
    return {
        "method": scrub(request.method[:_MAX_TEXT]),
        "path": scrub(request.path)[:_MAX_PATH],
        "query": _query(request.query)[:_MAX_PATH],
        "http_version": request.http_version,
        "headers": _headers(request.headers),
        **_body(sent_body(request), request.body_size, body_bytes),
    }


def sent_body(request: Request) -> bytes | None:
    """Return what is to be told of a request's body: a form as it is written, without its secrets."""
    return request.body if request.form is None else urlencode(request.form, safe="[]:").encode()


def _answer(answer: Answer, size: int, body_bytes: int) -> dict[str, Any]:
    return {
        "status": answer.status,
        "headers": _headers(answer.headers),
        **_body(answer.body, size, body_bytes),
    }


def _headers(headers: Sequence[Header]) -> list[list[str]]:
    return [
        [
            name.decode("latin-1")[:_MAX_HEADER],
            REDACTED if _SECRET_NAME.search(name) else scrub(value.decode("latin-1"))[:_MAX_HEADER],
        ]
        for name, value in headers[:_MAX_HEADERS]
    ]


def _query(query: str) -> str:
    """Return a query without the values of parameters that are called secrets, and without what looks like one."""
    parts = []
    for part in query.split("&"):
        name, equals, _ = part.partition("=")
        parts.append(f"{name}={REDACTED}" if equals and _SECRET_NAME.search(name.encode()) else part)
    return scrub("&".join(parts))


def _body(body: bytes | None, size: int, limit: int) -> dict[str, Any]:
    if body is None:
        return {"body": None, "body_size": size, "body_truncated": False}
    text = scrub(body[: limit + MARGIN].decode("utf-8", "replace").replace("\0", "\ufffd"))
    # In bytes, not in letters; what is no UTF-8 takes more of them as text.
    kept = text.encode()
    cut = kept[:limit].decode("utf-8", "ignore")
    return {"body": cut, "body_size": size, "body_truncated": max(size, len(kept)) > limit}
