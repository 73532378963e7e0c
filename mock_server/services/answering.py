"""From what was done to an answer that is valid by the contract: status, media type, headers and body."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mock_server.asgi import Answer, Header
from mock_server.problems import Issue
from mock_server.services.contract import Operation
from mock_server.services.conventions import Role
from mock_server.services.documents.fitting import fitted
from mock_server.services.documents.samples import NoSampleError, sample
from mock_server.services.documents.shape import Schema
from mock_server.services.examples import named_example, represented, without_secrets
from mock_server.services.identity import Replace, with_identity
from mock_server.services.negotiation import negotiate
from mock_server.services.outcomes import NOTHING, Asked, CannotAnswerError, Outcome, encode
from mock_server.services.validation import AnswerSchema, Content, ParameterSchema
from mock_server.strict_json import Json

_MADE = (201, 200, 202, 204)
_DONE = (200, 204, 202, 201)
_REMOVED = (204, 200, 202)
_BODILESS = frozenset({204, 205, 304})
_READING = frozenset({"GET", "HEAD"})
_LOWEST_ERROR = 400
_REDIRECTION = 300
_FOUND = 302
_OK = 200
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
# What the server says itself: a contract that describes one of these means the same.
_OWN_HEADERS = frozenset(
    {
        *("content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "date", "server"),
        *("mock-exchange", "mock-fault", "belgov-trace-id", "www-authenticate"),
    }
)


def status_of(operation: Operation, role: Role, *, was_made: bool) -> int:
    """Return the status of a success: of those that the contract has, the one that says best what was done.

    201 when something was made, 200 or 204 else. A contract that says nothing of success leaves the choice.
    """
    wanted: Sequence[int] = _DONE
    if role is Role.ADDS or (role is Role.REPLACES and was_made):
        wanted = _MADE
    elif role is Role.REMOVES:
        wanted = _REMOVED
    written = {answer.status for answer in operation.answers}
    exact = sorted(int(status) for status in written if status.isdigit())
    good = [status for status in exact if _is_success(status)]
    found = next((status for status in wanted if status in good), None)
    if found is not None or good:
        return found if found is not None else good[0]
    if written & {"2XX", "default"}:
        return wanted[0]
    redirections = [status for status in exact if _REDIRECTION <= status < _LOWEST_ERROR]
    if redirections or "3XX" in written:
        return redirections[0] if redirections else _FOUND
    # Nothing says that a body would come, so none does; a GET is there for its body.
    return wanted[0] if role is Role.ADDS or operation.method in _READING else 204


def answered(asked: Asked, outcome: Outcome, accept: str | None, more: Mapping[str, Any]) -> Answer:
    """Return the answer to a call that went well; `more` is added to the body where the contract names it.

    `accept` is the Accept header. Raises `CannotAnswerError` when the answer would not be valid by the contract.
    """
    operation = asked.operation
    status = status_of(operation, asked.convention.role, was_made=outcome.was_made)
    described = operation.answer(status)
    headers = promised_headers(described, outcome.location or asked.url)
    if outcome.was_made and outcome.location is not None and all(name != b"location" for name, _ in headers):
        headers.append((b"location", outcome.location.encode()))
    contents = described.contents if described is not None else ()
    chosen = negotiate(accept, contents) or negotiate(None, contents)
    if status in _BODILESS:
        return Answer(status, tuple(headers), b"")
    if described is None or chosen is None:
        is_read = status == _OK and asked.convention.role in {Role.READS, Role.LISTS}
        if not is_read or outcome.value is NOTHING:
            return Answer(status, tuple(headers), b"")
        # A contract that is silent about what a GET answers can only mean what is there.
        return Answer(status, ((b"content-type", b"application/json"), *headers), encode(outcome.value).encode())
    content, media_type = chosen
    headers.insert(0, (b"content-type", media_type.encode()))
    if content.is_json:
        return Answer(status, tuple(headers), _json(asked, outcome, content, described.status, more))
    kept = NOTHING if asked.convention.role is Role.ANSWERS else outcome.value
    return Answer(status, tuple(headers), _text(content, kept))


def _json(asked: Asked, outcome: Outcome, content: Content, status: str, more: Mapping[str, Any]) -> bytes:
    value = _added(_value(asked, outcome, content), content, more)
    issues = content.answer_issues(value)
    if issues:
        value = fitted(value, content.schema)
        issues = content.answer_issues(value)
    if issues and outcome.stored is not NOTHING and outcome.stored is not outcome.value:
        stored = _value(asked, replace(outcome, value=outcome.stored), content)
        value = _added(fitted(stored, content.schema), content, more)
        issues = content.answer_issues(value)
    if issues:
        value = _mended(asked, outcome, content, value, issues)
        issues = content.answer_issues(value)
    if issues:
        first = issues[0]
        told = f"{first.name}: {first.detail}" if first.name else first.detail
        others = f", and {len(issues) - 1} more" if len(issues) > 1 else ""
        msg = f"the answer would not follow the contract's {status}: {told}{others}"
        raise CannotAnswerError(msg)
    return encode(value).encode()


def _value(asked: Asked, outcome: Outcome, content: Content) -> Json:
    schema, value = content.schema, outcome.value
    key = asked.convention.key
    parameters = asked.place.parameters
    if outcome.parameters is not None:
        parameters = outcome.parameters
        members = asked.convention.members
        key = members.key.name if members is not None and members.key is not None else None
    if value is NOTHING or (schema is not None and schema is not outcome.schema and not _fits(value, schema)):
        value = named_example(content, parameters, key)
    if schema is None or schema is outcome.schema:
        return value
    named = with_identity(without_secrets(value, asked, schema), schema, parameters, key, replace=Replace.KEY)
    return represented(named, outcome.location or asked.url, schema)


def _mended(asked: Asked, outcome: Outcome, content: Content, value: Json, issues: Sequence[Issue]) -> Json:
    """Return a value with built members for those that the answer wants otherwise than the request had them."""
    schema = content.schema
    built = replace(outcome, value=NOTHING, schema=None)
    if not isinstance(value, dict) or schema is None:
        return _value(asked, built, content)
    wrong = {issue.name.partition(".")[0].partition("[")[0] for issue in issues}
    kept = {name: member for name, member in value.items() if name not in wrong}
    mended = fitted(_value(asked, replace(outcome, value=kept, schema=None), content), schema)
    return _value(asked, built, content) if content.answer_issues(mended) else mended


def _added(value: Json, content: Content, more: Mapping[str, Any]) -> Json:
    if not more or content.schema is None or not isinstance(value, dict):
        return value
    return value | {name: added for name, added in more.items() if name in content.schema.properties}


def _fits(value: Json, schema: Schema) -> bool:
    """Whether a value is of a type that the answer may have: what was removed is none where a message is promised."""
    types = schema.types
    if types is None:
        return True
    kinds: dict[type, str] = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    kind = "null" if value is None else kinds.get(type(value), "number")
    return kind in types or (kind == "integer" and "number" in types)


def _text(content: Content, value: Json) -> bytes:
    """Return a body that is not JSON: what is kept, if it is a text, else the contract's example, else a short text."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    texts = [one for one in content.examples if isinstance(one, str)]
    if texts:
        return texts[0].encode("utf-8", "replace")
    if not content.can_be_written:
        return b""
    try:
        built = sample(content.schema)
    except NoSampleError as error:
        msg = f"no answer could be built from the contract's schema: {error}"
        raise CannotAnswerError(msg) from None
    return (built if isinstance(built, str) else encode(built)).encode("utf-8", "replace")


def promised_headers(described: AnswerSchema | None, location: str) -> list[Header]:
    """Return the headers that the contract promises; `Location` even where it does so without requiring it."""
    made: list[Header] = []
    for header in described.headers if described is not None else ():
        name = header.name.lower()
        if name == "location":
            made.append((b"location", location.encode()))
        elif header.required and name not in _OWN_HEADERS and _TOKEN.fullmatch(name):
            value = _CONTROL.sub(" ", _header_value(header)).strip()
            made.append((name.encode(), value.encode("latin-1", "replace")))
    return made


def _header_value(header: ParameterSchema) -> str:
    found = next((one for one in header.shape.examples if isinstance(one, str | int) and not header.judge(one)), None)
    if found is None:
        try:
            found = sample(header.shape.schema)
        except NoSampleError as error:
            msg = f"the header {header.name} could not be built: {error}"
            raise CannotAnswerError(msg) from None
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, list):
        return ",".join(str(entry) for entry in found)
    return json.dumps(found) if isinstance(found, dict) else str(found)


def _is_success(status: int) -> bool:
    return 200 <= status < _REDIRECTION  # noqa: PLR2004 - the class of success
