"""Judges answers by a contract, with nothing of the mock: status, media type, headers and body.

What is asked of an answer: its status is one that the operation documents (a wildcard and `default` count), its body
is of a documented media type and valid by the schema, and the headers that must be there are. Where the contract says
nothing of a refusal, or not what its body is, the refusal is the platform's: a Belgif problem. Where it says nothing of
any success, one without a body is good.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.contracts.documents import Document, Place

_PROBLEM = "application/problem+json"
_NO_BODY = frozenset({204, 304})


class Judge:
    """What a contract has against answers."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def faults(self, method: str, template: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what an answer has against the contract; nothing when it is valid."""
        operation = self._document.operation(method, template)
        described = self._described(operation, status)
        contents = {} if described is None else self._contents(operation, described)
        if status >= 400 and not contents:
            # A refusal of a HEAD is known by its status alone.
            return [] if method == "HEAD" else _problem_faults(status, headers, body)
        if described is None:
            is_open = status < 300 and not _has_success(operation) and not body
            return [] if is_open else [f"the status {status}, which is not documented"]
        found = self._header_faults(described, headers)
        if method == "HEAD":
            return found  # The server leaves out the body that the application may have for it.
        if status in _NO_BODY:
            return found + (["a body where none may be"] if body else [])
        return found + self._body_faults(contents, headers.get("content-type", ""), body)

    def _described(self, operation: Place, status: int) -> Place | None:
        responses = operation.at("responses")
        for written in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if written in responses.value:
                return self._document.resolved(responses.at(written))
        return None

    def _contents(self, operation: Place, described: Place) -> dict[str, Place | None]:
        """Return the schema of each documented media type; None where there is no schema."""
        if self._document.version != "2.0":
            contents = described.at("content") if described.value.get("content") else None
            return {
                name: contents.at(name, "schema") if contents and "schema" in contents.value[name] else None
                for name in (contents.value if contents else ())
            }
        if "schema" not in described.value:
            return {}
        produces = operation.value.get("produces", self._document.root.value.get("produces", ["application/json"]))
        return dict.fromkeys(produces, described.at("schema"))

    def _body_faults(self, contents: Mapping[str, Place | None], content_type: str, body: bytes) -> list[str]:
        if not contents:
            return [f"a body of {len(body)} bytes where the contract has none"] if body else []
        media_type = _plain(content_type)
        written = next((one for one in contents if _covers(_plain(one), media_type)), None)
        if written is None:
            return [f"the media type {content_type!r}, where the contract has {', '.join(contents)}"]
        schema = contents[written]
        if not _is_json(media_type):
            return []
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"no JSON: {error}"]
        if schema is None or schema.value.get("type") == "file":
            return []
        return self._document.faults(value, schema, is_request=False)

    def _header_faults(self, described: Place, headers: Mapping[str, str]) -> list[str]:
        found = []
        for name in described.value.get("headers") or ():
            header = self._document.resolved(described.at("headers", name))
            text = headers.get(name.lower())
            if name.lower() == "content-type":
                continue
            if text is None:
                if header.value.get("required") is True:
                    found.append(f"the header {name} is missing")
            elif not self._document.accepts_text(header, text):
                found.append(f"the header {name} is {text[:100]!r}")
        return found


def _has_success(operation: Place) -> bool:
    return any(written == "default" or written[0] in "23" for written in operation.value["responses"])


def _problem_faults(status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    if _plain(headers.get("content-type", "")) != _PROBLEM:
        return [f"the status {status}, of which the contract says nothing, without a problem"]
    try:
        value: Any = json.loads(body)
    except ValueError as error:
        return [f"a problem that is no JSON: {error}"]
    wanted = {"type": str, "title": str, "status": int}
    wrong = [name for name, kind in wanted.items() if not isinstance(value.get(name), kind)]
    return [f"a problem whose {name} is {value.get(name)!r}" for name in wrong] + (
        [] if value.get("status") == status else [f"a problem of another status than {status}"]
    )


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _covers(written: str, media_type: str) -> bool:
    return written in {media_type, "*/*"} or (written.endswith("/*") and media_type.startswith(written[:-1]))


def _is_json(media_type: str) -> bool:
    return media_type in {"application/json", "text/json"} or media_type.endswith("+json")
