"""Hooks of schemathesis: loaded by its command line, in its own process, for `test_schemathesis`.

The environment variable `LESSON` names a file with the lesson of the caller in JSON.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from tests.system.teaching import Lesson, taught_body, taught_path

_LESSON = Lesson.from_json(json.loads(Path(os.environ["LESSON"]).read_text(encoding="utf-8")))


@schemathesis.hook
def before_load_schema(_context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Say two things that our contracts do not say, and that tests are made from."""
    _name_the_token(raw_schema)
    for path, item in raw_schema["paths"].items():
        _link(item, re.findall(r"[{](\w+)[}]", path), raw_schema["components"]["responses"])


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _arguments: dict[str, Any]) -> None:
    """Teach the parts of a request that are to be accepted; what is wrong on purpose stays as it is."""
    meta = case.meta
    if meta is None or meta.is_negative_at(ParameterLocation.PATH):
        return
    case.path_parameters = taught_path(case.path_parameters, _LESSON)
    if not meta.is_negative_at(ParameterLocation.BODY):
        case.body = taught_body(case.body, case.path_parameters, _LESSON)


def _name_the_token(contract: dict[str, Any]) -> None:
    """Say where the access token is: the check `ignored_auth` passes over schemes of type oauth2.

    An access token of OAuth 2.0 is sent as a bearer token (RFC 6750 §2.1), which is what type http says in full.
    """
    schemes = contract["components"]["securitySchemes"]
    for name in schemes:
        schemes[name] = {"type": "http", "scheme": "bearer"}
    for operation in _operations(contract["paths"].values()):
        # The alternatives differ in their scopes only, and http has none.
        operation["security"] = [{name: [] for name in schemes}]


def _link(item: dict[str, Any], names: Sequence[str], shared: Mapping[str, Any]) -> None:
    """Say that after any operation on a resource come all others on the same one, for the phase `stateful`.

    A refusal is followed as well: who is refused to write is refused to read.
    """
    for operation in _operations([item]):
        answers = operation["responses"]
        for status in [status for status in answers if status.startswith("2") or status == "403"]:
            answer = answers[status]
            answer = shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            links = {
                f"{status}: {follower['operationId']} after {operation['operationId']}": {
                    "operationId": follower["operationId"],
                    "parameters": {name: f"$request.path.{name}" for name in names},
                }
                for follower in _operations([item])
            }
            answers[status] = answer | {"links": links}


def _operations(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for item in items for part in item.values() if isinstance(part, dict) and "operationId" in part]
