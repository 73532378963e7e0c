"""Judges answers by a contract of OpenAPI 3.0, with a library that the server does not use."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

from tests.support import Reply

_LOWEST_ERROR = 400


class Judge:
    """Knows the answers of one contract; its references lead into the file, and in no circle."""

    def __init__(self, path: Path) -> None:
        self._document = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._paths = {
            re.compile("".join(_pattern(part) for part in re.split(r"(\{[^}]*\})", template))): item
            for template, item in self._document["paths"].items()
        }

    def judge(self, method: str, path: str, reply: Reply) -> None:
        """Fail when a success is none that the contract has: by its status, its media type or its body."""
        if reply.status >= _LOWEST_ERROR:
            return
        answers = self._operation(method, path)["responses"]
        written = [one for one in (str(reply.status), f"{reply.status // 100}XX", "default") if one in answers]
        assert written, f"{method} {path}: {reply.status} is none of {list(answers)}"
        answer = self._resolved(answers[written[0]])
        for name, header in answer.get("headers", {}).items():
            assert not header.get("required") or name.lower() in reply.headers, f"{method} {path}: no header {name}"
        contents = answer.get("content", {})
        if method == "HEAD" or not contents:
            assert reply.body == b"", f"{method} {path}: a body that the contract does not have"
            return
        media_type = reply.headers["content-type"].partition(";")[0]
        assert media_type in contents, f"{method} {path}: {media_type} is none of {list(contents)}"
        if media_type.endswith("json"):
            validator = OAS30ReadValidator(contents[media_type]["schema"], format_checker=oas30_format_checker)
            validator.validate(reply.json)

    def _operation(self, method: str, path: str) -> Mapping[str, Any]:
        found = [item for pattern, item in self._paths.items() if pattern.fullmatch(path.partition("?")[0])]
        operation: Mapping[str, Any] = found[0][method.lower()]
        return operation

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolved(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if "$ref" not in value:
            return {name: self._resolved(member) for name, member in value.items()}
        found = self._document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self._resolved(found)


def _pattern(part: str) -> str:
    return "[^/]+" if part.startswith("{") else re.escape(part)
