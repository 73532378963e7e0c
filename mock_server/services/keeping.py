"""Whether a document that comes from a file could have been kept by an API."""

import re
from collections.abc import Mapping

from mock_server import strict_json
from mock_server.problems import Issue
from mock_server.redaction import shown
from mock_server.services.contract import Contract, Operation, Route
from mock_server.services.conventions import Convention, Role
from mock_server.services.documents.fitting import fitted
from mock_server.services.examples import schema_of
from mock_server.services.identity import with_identity
from mock_server.strict_json import Json
from mock_server.world.model import Document

_KEEPS = frozenset({Role.READS, Role.REPLACES, Role.MERGES, Role.REMOVES})
_APART = re.compile(r"(?:-|[0-9]{10}(?:\+[0-9]{10})*)//")


def kept_fault(contract: Contract, conventions: Mapping[str, Convention], document: Document) -> str | None:
    """Return why an API could not have kept a document, or None. Raises `StrictJsonError`.

    What was put has to be valid by the body of the PUT, anything else by what reads it.
    """
    path = _APART.sub("", document.path, count=1) if _APART.match(document.path) else document.path
    place = f"{shown(document.path)} of {document.api}"
    route = _route(contract, path)
    kept = {} if route is None else _keeping(route, conventions)
    if route is None or not kept:
        # A member of a collection whose members have no paths of their own.
        return None if _is_added_to(contract, conventions, path) else f"nothing can be put at {place}"
    if document.body is None:
        is_kept = any(conventions[operation.name].is_kept for operation in kept.values())
        return f"{place} is said to be deleted, and nothing is there before it is put or added" if is_kept else None
    issues = _issues(kept, conventions, route, document, strict_json.loads(document.body.encode()))
    if not issues:
        return None
    first = issues[0]
    return (
        f"what is at {shown(document.path)} does not fit the contract of {document.api}: {first.name}: {first.detail}"
    )


def _issues(
    kept: Mapping[str, Operation],
    conventions: Mapping[str, Convention],
    route: Route,
    document: Document,
    value: Json,
) -> list[Issue]:
    put, get = kept.get("PUT"), kept.get("GET")
    if put is not None and document.number == 0:
        members = conventions[put.name].members
        # Of a collection that is put whole, the members lie below; what is left of it is no body of its own.
        is_whole = members is None or members.in_body is None
        if put.body is None or not is_whole or (value is None and not put.body.required):
            return []
        each = [content.issues(value) for content in put.body.contents if content.is_value]
        return min(each, key=len, default=[])
    if get is None or get.success is None:
        return []
    schema, key = schema_of(get), conventions[get.name].key
    return get.success.issues(fitted(with_identity(value, schema, route.of(get), key), schema))


def _keeping(route: Route, conventions: Mapping[str, Convention]) -> Mapping[str, Operation]:
    return {
        method: operation
        for method, operation in route.operations.items()
        if conventions[operation.name].role in _KEEPS
    }


def _route(contract: Contract, path: str) -> Route | None:
    """Find a path; what is kept has no slash at its end, whether or not its template has one."""
    return contract.route(path) or contract.route(f"{path}/")


def _is_added_to(contract: Contract, conventions: Mapping[str, Convention], path: str) -> bool:
    route = _route(contract, path.rpartition("/")[0])
    post = None if route is None else route.operations.get("POST")
    return post is not None and conventions[post.name].role is Role.ADDS
