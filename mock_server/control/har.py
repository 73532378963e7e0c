"""A journal as an HTTP Archive (HAR 1.2), for the tools that read one."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from mock_server import __version__
from mock_server.redaction import mask_ssins

_UNKNOWN = -1
"""What HAR says for a size or time that is not known."""


def as_har(records: Iterable[Mapping[str, Any]], base_url: str, *, show_ssins: bool = False) -> dict[str, Any]:
    """Return the archive of some exchanges. SSINs are masked, since such files are passed on, unless `show_ssins`.

    An exchange that ended without an answer has status 0, as browsers write it.
    """
    entries = [_entry(record, base_url) for record in records]
    log = {"version": "1.2", "creator": {"name": "fla-mock", "version": __version__}, "entries": entries}
    return {"log": log if show_ssins else _masked(log)}


def _masked(value: Any) -> Any:  # noqa: ANN401 - JSON is any value
    if isinstance(value, str):
        return mask_ssins(value)
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    return value


def _entry(record: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    request, answer = record["request"], record["answer"]
    query = f"?{request['query']}" if request["query"] else ""
    return {
        "startedDateTime": record["time"],
        "time": record["duration_ms"],
        "request": {
            "method": request["method"],
            "url": f"{base_url}{request['path']}{query}",
            "httpVersion": f"HTTP/{request['http_version']}",
            "cookies": [],
            "headers": _pairs(request["headers"]),
            "queryString": _pairs(parse_qsl(request["query"], keep_blank_values=True)),
            **_post_data(request),
            "headersSize": _UNKNOWN,
            "bodySize": request["body_size"],
        },
        "response": _response(answer, request["http_version"]),
        "cache": {},
        "timings": {"send": 0, "wait": record["duration_ms"], "receive": 0},
        "comment": _comment(record),
        "_number": record["number"],
        "_operation": record["operation"],
        "_clientId": record["client_id"],
        "_refusedBy": record["refused_by"],
        "_fault": record["fault"],
        "_nearMisses": record["near_misses"],
    }


def _post_data(request: Mapping[str, Any]) -> dict[str, Any]:
    if request["body"] is None:
        return {}
    return {"postData": {"mimeType": _header(request["headers"], "content-type"), "text": request["body"]}}


def _response(answer: Mapping[str, Any] | None, http_version: str) -> dict[str, Any]:
    answer = answer or {"status": 0, "headers": [], "body": None, "body_size": 0}
    status = answer["status"]
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        "httpVersion": f"HTTP/{http_version}",
        "cookies": [],
        "headers": _pairs(answer["headers"]),
        "content": {
            "size": answer["body_size"],
            "mimeType": _header(answer["headers"], "content-type"),
            "text": answer["body"] or "",
        },
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": answer["body_size"],
    }


def _pairs(pairs: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(headers: Iterable[Iterable[str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")


def _comment(record: Mapping[str, Any]) -> str:
    if record["fault"] is not None:
        return f"fault {record['fault']['applied']}"
    return f"refused by {record['refused_by']}" if record["refused_by"] else ""
