"""Collections by convention: members are added, listed page by page, put all at once and removed all at once."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from mock_server.problems import SCHEMA_VIOLATION, Issue
from mock_server.services.contract import Operation
from mock_server.services.conventions import Members
from mock_server.services.documents.fitting import fitted
from mock_server.services.documents.samples import NoSampleError, sample
from mock_server.services.documents.schemas import Direction
from mock_server.services.documents.shape import Schema
from mock_server.services.examples import represented, schema_of, without_secrets
from mock_server.services.identity import Replace, made_for, names_of, told_by, with_identity
from mock_server.services.outcomes import (
    NOTHING,
    Asked,
    CannotAnswerError,
    NoKeyError,
    Outcome,
    ThereAlreadyError,
    UnfitError,
)
from mock_server.services.paging import Page, envelope, page_of, without_envelope
from mock_server.services.validation import ParameterSchema
from mock_server.strict_json import Json
from mock_server.world.model import Document
from mock_server.world.world import World

_MOST_LISTED = 10_000
_MOST_TRIES = 1_000
_LONGEST_KEY = 500
_NO_KEYS = frozenset({".", ".."})
"""Ends of a path that clients leave out when they normalise it (RFC 3986 §5.2.4)."""

MakeDocument = Callable[[str, Json, int], Document]


class Collections:
    """The collections of one API in one world."""

    def __init__(self, world: World, api: str, document: MakeDocument) -> None:
        """`document` makes a document of this API from its path, its value and its number."""
        self._world = world
        self._api = api
        self._document = document

    # Listing --------------------------------------------------------------------------------------------------------

    def listed(self, asked: Asked) -> Outcome:
        """Return a page of the members, in the form that the contract has. Raises `CannotAnswerError`."""
        members = asked.convention.members
        schema = schema_of(asked.operation)
        if members is None or members.in_answer is None or schema is None:
            msg = "the contract's answer has no list that the members could be in"
            raise CannotAnswerError(msg)
        page = page_of(asked.operation, asked.values)
        documents, total = self._page(asked, members, page)
        name = members.in_answer
        of_member = schema.properties[name].items if name else schema.items
        listed = [_shown(asked, members, one, of_member) for one in documents]
        if not name:
            return Outcome(listed, schema=schema)
        around = self._world.document(self._api, asked.place.kept_at)
        kept = json.loads(around.body) if around is not None and around.body else {}
        own = without_envelope(kept, name) if isinstance(kept, dict) else {}
        made = own | envelope(page, total, schema, asked.url, asked.query) | {name: listed}
        return Outcome(fitted(made, schema), schema=schema)

    def _page(self, asked: Asked, members: Members, page: Page) -> tuple[Sequence[Document], int]:
        """Return the documents of a page, and how many there are on all pages."""
        path = asked.place.kept_at
        size = _MOST_LISTED if page.size is None else min(page.size, _MOST_LISTED)
        if asked.sees_key is None and not members.beside:
            documents = self._world.documents_in(self._api, path, limit=size, offset=page.offset)
            is_all = page.offset == 0 and len(documents) < size
            return documents, len(documents) if is_all else self._world.count_in(self._api, path)
        # Not all that lies there is a member that the caller may see: what is left is counted by looking at each.
        every = self._world.documents_in(self._api, path, limit=_MOST_LISTED, offset=0)
        mine = [one for one in every if self._is_seen(asked, members, one)]
        return mine[page.offset : page.offset + size], len(mine)

    def _is_seen(self, asked: Asked, members: Members, document: Document) -> bool:
        segment = document.path.rpartition("/")[2]
        if segment in members.beside:
            return False
        return asked.sees_key is None or asked.sees_key(unquote(members.key_in(segment)))

    # Adding ---------------------------------------------------------------------------------------------------------

    def added(self, asked: Asked) -> Outcome:
        """Add a member. Raises `ThereAlreadyError`, `UnfitError` and `NoKeyError`."""
        members = asked.convention.members or Members(None, None)
        body = {} if asked.body is NOTHING else asked.body
        sent = asked.operation.body.json if asked.operation.body is not None else None
        key, value = self._add(asked, members, body, None if sent is None else sent.schema)
        parameters = dict(asked.place.parameters)
        if members.key is not None:
            parameters[members.key.name] = key
        return Outcome(value, was_made=True, location=_url(asked, members, key), parameters=parameters)

    def _add(self, asked: Asked, members: Members, body: Json, sent: Schema | None) -> tuple[str, Json]:
        """Add a member under an identifier that it brings along, or one that is made for it."""
        told = told_by(body, sent, members.key) if members.key is not None else None
        if told is not None and members.key is not None:
            _refuse_key(members.key, told)
            if asked.judge_key is not None:
                asked.judge_key(told)
            if not self._is_added(asked, members, told, body):
                raise ThereAlreadyError
            return told, body
        if members.key is not None and members.key.holds is not None:
            detail = "expected the identifier of the new member: nothing can make up whose it is"
            raise UnfitError([Issue(SCHEMA_VIOLATION, "body", members.key.name, detail)])
        # Identifiers that clients chose themselves may be in the way; one that was given is never given again.
        key = None
        for _ in range(_MOST_TRIES):
            number = self._world.next_number("documents")
            key = made_for(members.key, asked.place.kept_at, number)
            if key is None:
                break
            value = _with_key(body, members, asked.place.parameters, key)
            if self._is_added(asked, members, key, value, number):
                return key, value
        if key is not None:
            raise ThereAlreadyError
        raise NoKeyError

    def _is_added(self, asked: Asked, members: Members, key: str, value: Json, number: int = 0) -> bool:
        segment = members.segment(key)
        if segment in members.beside:
            return False
        number = number or self._world.next_number("documents")
        return self._world.add_document(self._document(f"{asked.place.kept_at}/{segment}", value, number))

    def put_by_body(self, asked: Asked) -> Outcome | None:
        """Put the member that a body names in the place of what was there; None where it names none."""
        members = asked.convention.members
        if members is None or members.key is None or not members.are_put_by_body:
            return None
        sent = asked.operation.body.json if asked.operation.body is not None else None
        told = told_by(asked.body, None if sent is None else sent.schema, members.key)
        if told is None:
            return None
        _refuse_key(members.key, told)
        if asked.judge_key is not None:
            asked.judge_key(told)
        path = f"{asked.place.kept_at}/{members.segment(told)}"
        before = self._world.document(self._api, path)
        put = partial(self._world.put_document, self._document(path, asked.body, 0))
        parameters = {**asked.place.parameters, members.key.name: told}
        was_made = before is None or before.body is None
        return Outcome(
            asked.body, was_made=was_made, location=_url(asked, members, told), parameters=parameters, change=put
        )

    # All at once ----------------------------------------------------------------------------------------------------

    def put(self, asked: Asked, name: str) -> Outcome:
        """Put a list in the place of all members that a collection has."""
        members = asked.convention.members or Members(None, None)
        is_object = isinstance(asked.body, dict)
        listed = (asked.body.get(name) if is_object else None) if name else asked.body
        around = without_envelope(asked.body, name) if name and is_object else {}
        self.removed(asked)
        if around:
            self._world.put_document(self._document(asked.place.kept_at, around, 0))
        for entry in listed if isinstance(listed, list) else []:
            with contextlib.suppress(NoKeyError):
                self._add(asked, members, entry, _items(asked.operation, name))
        if schema_of(asked.operation) is None or asked.convention.read is None:
            return Outcome(asked.body)
        return self.listed(replace(asked, operation=asked.convention.read))

    def removed(self, asked: Asked) -> Outcome:
        """Remove all members that the caller may see; the collection itself is always there."""
        path, members = asked.place.kept_at, asked.convention.members
        is_guarded = asked.convention.has_guarded_below and asked.sees_key is None
        if members is None or (asked.sees_key is None and not members.beside and not is_guarded):
            self._world.remove_document(self._api, path, below=True)
            return Outcome()
        for one in self._world.documents_in(self._api, path, limit=_MOST_LISTED, offset=0):
            if self._is_seen(asked, members, one):
                self._world.remove_document(self._api, one.path, below=not is_guarded)
        return Outcome()


def _url(asked: Asked, members: Members, key: str) -> str:
    """Return the URL of a member."""
    return f"{asked.url.rstrip('/')}/{members.segment(key)}{'/' if members.ends_with_slash else ''}"


def _shown(asked: Asked, members: Members, document: Document, schema: Schema | None) -> Json:
    segment = document.path.rpartition("/")[2]
    parameters, key = dict(asked.place.parameters), None
    if members.key is not None:
        key = members.key.name
        parameters[key] = unquote(members.key_in(segment))
    stored = json.loads(document.body or "null")
    if schema is None:
        return stored
    value = with_identity(without_secrets(stored, asked, schema), schema, parameters, key, replace=Replace.KEY)
    url = f"{asked.url.rstrip('/')}/{segment}"
    made = fitted(represented(value, url, schema), schema)
    if schema.validator(Direction.RESPONSE).is_valid(made):
        return made
    # One that was stored in a form which the list has no room for must not keep all others from being listed.
    try:
        return with_identity(sample(schema), schema, parameters, key, replace=Replace.ALL)
    except NoSampleError:
        return made


def _with_key(body: Json, members: Members, parameters: Mapping[str, str], key: str) -> Json:
    """Return a body with its identifier, where what reads it has a member for that."""
    if members.key is None or members.read is None:
        return body
    schema = schema_of(members.read)
    if schema is None or not names_of(members.key.name, schema.properties):
        return body
    name = members.key.name
    return with_identity(body, schema, {**parameters, name: key}, name, replace=Replace.KEY)


def _refuse_key(key: ParameterSchema, text: str) -> None:
    if text in _NO_KEYS or len(text) > _LONGEST_KEY:
        detail = f"expected an identifier that can end a path: at most {_LONGEST_KEY} characters, and not only dots"
        raise UnfitError([Issue(SCHEMA_VIOLATION, "body", key.name, detail)])


def _items(operation: Operation, name: str) -> Schema | None:
    content: Any = operation.body.json if operation.body is not None else None
    if content is None or content.schema is None:
        return None
    of_list = content.schema.properties.get(name) if name else content.schema
    return None if of_list is None else of_list.items
