"""Draws valid calls of a contract with schemathesis, always the same ones."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote

import hypothesis
import requests
import schemathesis
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.transport import SerializationContext

from tests.contracts.calls import Sent, is_json
from tests.contracts.documents import Document
from tests.contracts.packages import path_of
from tests.contracts.registry import ThirdParty

_FORM = "application/x-www-form-urlencoded"
_HOST = "http://127.0.0.1:8425"
_NO_CONSTANTS = Constants()
# What the mock takes has limits: numbers beyond those that programs have, and paths that are stored nowhere.
_HUGE = re.compile(r"(?<![0-9])[0-9]{20}")
_LONGEST_PATH = 500


@schemathesis.serializer("application/cbor", "application/yaml", "application/vnd.kubernetes.protobuf")
def _as_it_is(_context: SerializationContext, value: Any) -> bytes:
    """Send what is no JSON to the mock as it was drawn: to the mock it is bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


class Drawing:
    """Draws calls of the operations of a contract."""

    def __init__(self, contract: ThirdParty, document: Document, folder: Path) -> None:
        self._document = document
        self._examples = contract.examples
        schema = schemathesis.openapi.from_path(str(_taught(contract, folder)))
        # The channel's token stands for whatever the contract has its callers known by.
        schema.config.generation.update(with_security_parameters=False)
        self._operations = {
            (result.ok().method.upper(), result.ok().path): result.ok()
            for result in schema.get_all_operations()
            if isinstance(result, Ok)
        }

    def drawn(self, method: str, template: str) -> list[Sent]:
        """Return valid calls of an operation, each once; none when the generator finds none."""
        found: dict[tuple[str, bytes], Sent] = {}
        for examples in (self._examples, 5 * self._examples, 25 * self._examples):
            cases = self._cases(method, template, examples)
            sent = [_sent(case, template) for case in cases if _is_flat(case.query)]
            good = [one for one in sent if self.is_valid(one)]
            found |= {(one.target, one.body): one for one in good}
            if len(found) >= self._examples or len(good) == len(cases):
                break
        return list(found.values())[: self._examples]

    def _cases(self, method: str, template: str, examples: int) -> list[Case[Any]]:
        cases: list[Case[Any]] = []

        @hypothesis.settings(
            max_examples=examples,
            phases=[hypothesis.Phase.generate],
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(self._operations[method, template].as_strategy(generation_mode=GenerationMode.POSITIVE))
        def draw(case: Case[Any]) -> None:
            cases.append(case)

        # Otherwise constants of this project's modules are drawn, and other calls are made after every change of them.
        with mock.patch.object(providers, "_get_local_constants", return_value=_NO_CONSTANTS):
            draw()
        return cases

    def _has_unknown_lists(self, sent: Sent) -> bool:
        """Whether a name that the contract does not have is repeated in the query or a form: nothing says what of."""
        is_form = sent.headers.get("Content-Type", "").startswith(_FORM)
        pairs = [*sent.query, *(parse_qsl(sent.body.decode(), keep_blank_values=True) if is_form else [])]
        counts = Counter(name for name, _ in pairs)
        known = {one.value["name"] for one in self._document.parameters(sent.method, sent.template)}
        schemas = self._document.bodies(sent.method, sent.template)[0].values()
        known |= {name for one in schemas if one for name in self._document.resolved(one).value.get("properties", {})}
        return any(count > 1 and name not in known for name, count in counts.items())

    def is_valid(self, sent: Sent) -> bool:
        """Whether the document, as the judge reads it, lets a call pass: the generator knows keywords of others."""
        if len(sent.path) > _LONGEST_PATH or _HUGE.search(sent.target):
            return False
        segments = dict(zip(sent.template.split("/"), sent.path.split("/"), strict=True))
        for parameter in self._document.parameters(sent.method, sent.template):
            text = segments.get(f"{{{parameter.value['name']}}}")
            if parameter.value["in"] == "path" and text and not self._document.accepts_text(parameter, unquote(text)):
                return False
        if self._has_unknown_lists(sent):
            return False
        contents, required = self._document.bodies(sent.method, sent.template)
        content_type = sent.headers.get("Content-Type", "")
        if not sent.body or not is_json(content_type):
            return bool(sent.body) or not required
        value, schema = json.loads(sent.body), contents.get(content_type)
        # Null takes a member away (RFC 7396 §1), and a list holds steps (RFC 6902) that apply to what is there or not:
        # what comes of them is no matter of the patch's schema.
        if sent.method == "PATCH" and (_has_null(value) or (isinstance(value, list) and value)):
            return False
        return schema is None or not self._document.faults(value, schema, is_request=True)


def _taught(contract: ThirdParty, folder: Path) -> Path:
    """Copy a contract for the generator, with what it is taught, and return where its first file is."""
    first = path_of(contract)
    if contract.folder:
        top = next(parent for parent in first.parents if str(parent).endswith(contract.folder))
        shutil.copytree(top, folder, dirs_exist_ok=True)
        files, first = [path for path in folder.rglob("*") if path.is_file()], folder / first.relative_to(top)
    else:
        first = Path(shutil.copy(first, folder))
        files = [first]
    for file in files:
        text = original = file.read_text(encoding="utf-8-sig")
        for old, new in contract.taught.items():
            text = text.replace(old, new)
        if text != original or file == first:
            file.write_text(text, encoding="utf-8")
    return first


def _sent(case: Case[Any], template: str) -> Sent:
    wire = case.as_transport_kwargs(base_url=_HOST)
    prepared = requests.Request(**wire).prepare()
    body = prepared.body or b""
    assert isinstance(body, str | bytes)
    return Sent(
        method=case.method.upper(),
        template=template,
        target=prepared.path_url,
        headers={
            str(name): _text(value)
            for name, value in prepared.headers.items()
            # What may be asked for is not what is answered: a contract with a parameter Accept has values for both.
            if name.lower() not in {"content-length", "accept"} and (body or name.lower() != "content-type")
        },
        body=body.encode() if isinstance(body, str) else body,
    )


def _is_flat(query: Mapping[str, Any]) -> bool:
    """Whether no list or object is inside another: nothing says how such a parameter is written."""
    inner = [
        one
        for value in query.values()
        if isinstance(value, list | dict)
        for one in (value.values() if isinstance(value, dict) else value)
    ]
    return not any(isinstance(one, list | dict) for one in inner)


def _has_null(value: Any) -> bool:
    return isinstance(value, dict) and any(one is None or _has_null(one) for one in value.values())


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
