"""Breaks a good call in one place, wherever the contract asks for something."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from tests.contracts.calls import Sent, is_json
from tests.contracts.documents import Document, Place

_JSON = "application/json"
# Texts that are wrong somewhere: no number, no date, no word of a list, too short, too long, of odd characters.
_WRONG_TEXTS = ("nought", "-1.5", "2020-13-45", "§", "0", "x" * 3000, " ", "true")
_WRONG_VALUES: tuple[Any, ...] = (None, True, -7.5, "§", [], {}, [None], {"§": None}, "x" * 3000)
_UNKNOWN = "thirdPartyTestsUnknown"


class Breaking:
    """Breaks calls of a contract; that they are broken is what the judge's reading of the contract says."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def broken(self, good: Sent) -> Iterator[Sent]:
        """Yield calls that differ from a good one in one place, and break the contract there."""
        for parameter in self._document.parameters(good.method, good.template):
            location = parameter.value["in"]
            if location == "path":
                yield from self._wrong_path(good, parameter)
            elif location == "query":
                yield from self._wrong_query(good, parameter)
            elif location == "header":
                yield from self._wrong_header(good, parameter)
        yield from self._wrong_body(good)

    def unknown_query(self, good: Sent) -> Sent | None:
        """Return a call with a query parameter that the contract does not name; None where it lets any name pass."""
        parameters = self._document.parameters(good.method, good.template)
        if any(one.value["in"] == "query" and _is_object(self._document, one) for one in parameters):
            return None
        return replace(good.with_query([*good.query, (_UNKNOWN, "1")]), what="an unknown query parameter")

    def _wrong_text(self, parameter: Place) -> str | None:
        accepts = self._document.accepts_text
        return next((text for text in _WRONG_TEXTS if not accepts(parameter, text)), None)

    def _wrong_path(self, good: Sent, parameter: Place) -> Iterator[Sent]:
        name, text = parameter.value["name"], self._wrong_text(parameter)
        segments = good.template.split("/")
        if text is None or f"{{{name}}}" not in segments:
            return
        path = good.path.split("/")
        path[segments.index(f"{{{name}}}")] = quote(text, safe="")
        yield replace(good.with_path("/".join(path)), what=f"the path parameter {name} is {text[:20]!r}")

    def _wrong_query(self, good: Sent, parameter: Place) -> Iterator[Sent]:
        name = parameter.value["name"]
        others = [(one, value) for one, value in good.query if one != name and not one.startswith(f"{name}[")]
        if parameter.value.get("required") and not _is_object(self._document, parameter):
            yield replace(good.with_query(others), what=f"the query parameter {name} is missing")
        text = self._wrong_text(parameter)
        if text is not None and not _is_object(self._document, parameter):
            what = f"the query parameter {name} is {text[:20]!r}"
            yield replace(good.with_query([*others, (name, text)]), what=what)

    def _wrong_header(self, good: Sent, parameter: Place) -> Iterator[Sent]:
        name = parameter.value["name"]
        if name.lower() in {"accept", "content-type", "authorization"}:
            return
        others = {one: value for one, value in good.headers.items() if one.lower() != name.lower()}
        if parameter.value.get("required"):
            yield replace(good, headers=others, what=f"the header {name} is missing")
        text = self._wrong_text(parameter)
        if text is not None and text.strip():
            yield replace(good, headers=others | {name: text}, what=f"the header {name} is {text[:20]!r}")

    def _wrong_body(self, good: Sent) -> Iterator[Sent]:
        contents, required = self._document.bodies(good.method, good.template)
        if not contents:
            return
        without = {name: value for name, value in good.headers.items() if name.lower() != "content-type"}
        if required:
            yield replace(good, headers=without, body=b"", what="the body is missing")
        if not any(name.startswith("*") for name in contents):
            odd = without | {"Content-Type": "application/x-nobody"}
            yield replace(good, headers=odd, body=good.body or b"{}", what="the body's media type is unknown")
        name, schema = next(((name, one) for name, one in contents.items() if is_json(name)), ("", None))
        if not name:
            return
        json_headers = without | {"Content-Type": _JSON if name == "*/*" else name}
        yield replace(good, headers=json_headers, body=b'{"a": 1,,}', what="the body is no JSON")
        if schema is None:
            return
        value = json.loads(good.body) if is_json(good.headers.get("Content-Type", "")) and good.body else {}
        for what, wrong in self._wrong_values(value, schema):
            yield replace(good, headers=json_headers, body=json.dumps(wrong).encode(), what=what)

    def _wrong_values(self, value: Any, schema: Place) -> Iterator[tuple[str, Any]]:
        """Yield a value of the wrong kind, one that lacks a member, and one with a wrong member, if there are any."""
        document = self._document

        def is_wrong(candidate: Any) -> bool:
            return bool(document.faults(candidate, schema, is_request=True))

        kind = next((one for one in _WRONG_VALUES if is_wrong(one)), value)
        if kind is not value:
            yield f"the body is {str(kind)[:20]!r}", kind
        if not isinstance(value, dict):
            return
        for name in value:
            rest = {one: member for one, member in value.items() if one != name}
            if is_wrong(rest):
                yield f"the member {name} is missing", rest
                break
        for name in value:
            wrong = next((one for one in _WRONG_VALUES if is_wrong(value | {name: one})), value)
            if wrong is not value:
                yield f"the member {name} is {str(wrong)[:20]!r}", value | {name: wrong}
                break


def _is_object(document: Document, parameter: Place) -> bool:
    """Whether a parameter is spread over several names, or may be: no single text is its value."""
    if "schema" not in parameter.value:
        return False
    schema = document.resolved(parameter.at("schema")).value
    return not isinstance(schema, dict) or schema.get("type") not in {"string", "integer", "number", "boolean", "array"}
