"""A refusal as the contract has it for its status, else as the platform's APIs do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mock_server.asgi import Answer
from mock_server.problems import Problem
from mock_server.services.answering import promised_headers
from mock_server.services.contract import Operation
from mock_server.services.documents.fitting import fitted
from mock_server.services.documents.held import plain
from mock_server.services.documents.samples import NoSampleError, sample
from mock_server.services.outcomes import CannotAnswerError, encode
from mock_server.services.validation import AnswerSchema, Content
from mock_server.strict_json import Json

PROBLEM = "application/problem+json"
_ISSUES_TOLD = 5
_DETAILS = frozenset(
    ["detail", "details", "message", "description", "error", "errormessage", "errordescription", "reason", "msg"]
)
_TITLES = frozenset({"title", "error", "errortype", "name"})
_STATUSES = frozenset({"status", "code", "statuscode", "httpstatus", "errorcode"})


def refusal(problem: Problem, operation: Operation | None, trace_id: str) -> Answer:
    """Return a refusal as the contract has it for its status, else as the platform's APIs do.

    Where the contract has a body of its own, the texts of the problem go into the members that look made for them.
    What no schema can be made of is answered as the platform does.
    """
    plain_answer = problem.answer(trace_id)
    described = operation.answer(problem.status) if operation is not None else None
    content = described.json if described is not None else None
    if described is None or content is None:
        return plain_answer
    members = json.loads(plain_answer.body)
    if described.issues(members) and isinstance(members.get("issues"), list):
        # What came may be of a type that the contract's issues have no room for.
        issues = [{name: told for name, told in issue.items() if name != "value"} for issue in members["issues"]]
        members = members | {"issues": issues}
    if described.issues(members):
        made = _reworded(problem, members, content)
        if made is None or described.issues(made):
            return plain_answer
        members = made
    media_type = _media_type(described, content)
    headers = tuple(
        (name, media_type.encode() if name == b"content-type" else value) for name, value in plain_answer.headers
    )
    known = {name for name, _ in headers}
    try:
        promised = [entry for entry in promised_headers(described, "") if entry[0] not in known and entry[1]]
    except CannotAnswerError:
        promised = []
    return replace(plain_answer, headers=(*headers, *promised), body=encode(members).encode())


def _media_type(described: AnswerSchema, content: Content) -> str:
    if any(one.covers(PROBLEM) for one in described.contents):
        return PROBLEM
    return content.media_type if "*" not in content.media_type else "application/json"


def _in_words(problem: Problem) -> str:
    """Return what is wrong on one line, with the places of the first issues: there may be no other room for them."""
    issues = problem.members.get("issues", [])
    told = [f"{issue['name']}: {issue['detail']}" if issue["name"] else issue["detail"] for issue in issues]
    return f"{problem.detail}: {'; '.join(told[:_ISSUES_TOLD])}" if told else problem.detail


def _reworded(problem: Problem, members: Mapping[str, Json], content: Content) -> Json:
    schema = content.schema
    if schema is None:
        return members
    if schema.types is not None and "object" not in schema.types:
        try:
            return sample(schema)
        except NoSampleError:
            return None
    made: dict[str, Any] = {}
    for name, member in schema.properties.items():
        wanted = plain(name)
        texts: list[Any] = [members[name]] if name in members else []
        texts += [problem.status, str(problem.status)] if wanted in _STATUSES else []
        texts += [_in_words(problem), problem.detail] if wanted in _DETAILS else []
        texts += [problem.title, problem.name] if wanted in _TITLES else []
        fitting = [text for text in texts if member.validator().is_valid(text)]
        if fitting:
            made[name] = fitting[0]
    return fitted(made, schema)
