"""Resources by convention: what an operation does to the documents of an API in one world, and what there is to answer.

Nothing here knows HTTP: an outcome says what happened, and `answering` makes an answer of it.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from mock_server.services.behaviour import Findings, Mentioned, Place
from mock_server.services.collections import Collections
from mock_server.services.contract import Operation
from mock_server.services.conventions import Role
from mock_server.services.examples import example, schema_of
from mock_server.services.merging import patched, unfit
from mock_server.services.outcomes import (
    NOTHING,
    Asked,
    BrokenRulesError,
    CannotAnswerError,
    NoKeyError,
    NoneHereError,
    Outcome,
    UnfitError,
    encode,
)
from mock_server.strict_json import Json
from mock_server.world.model import Document
from mock_server.world.world import World


class Resources:
    """The documents of one API in one world."""

    def __init__(
        self,
        world: World,
        api: str,
        judge: Callable[[Json, Place], Findings],
        shown: Callable[[Json, Place], Json],
        mentioned: Mentioned | None,
    ) -> None:
        """`judge`, `shown` and `mentioned` are what the service adds; see `behaviour`."""
        self._world = world
        self._api = api
        self._judge = judge
        self._shown = shown
        self._mentioned = mentioned
        self._collections = Collections(world, api, self._document)

    def one_change(self, asked: Asked) -> AbstractContextManager[None]:
        """Return what makes all that an operation does one change: nothing is left of it when it ends in an error."""
        role = asked.convention.role
        if role in {Role.READS, Role.LISTS, Role.ANSWERS} or (role is Role.REPLACES and not _is_list_put(asked)):
            return nullcontext()
        return self._world.changing_documents()

    def carry_out(self, asked: Asked) -> Outcome:
        """Do what an operation does. Raises one of the errors of `outcomes`, and `WorldGoneError`."""
        above = asked.convention.above
        if above is not None:
            path = "/".join(asked.place.path.split("/")[: above.segments])
            found = self._world.document(self._api, f"{asked.place.apart}{path}")
            if above.is_kept if found is None else found.body is None:
                raise NoneHereError
        return _ACTIONS[asked.convention.role](self, asked)

    def _read(self, asked: Asked) -> Outcome:
        value = self._kept(asked)
        return Outcome(self._shown(value, asked.place), value)

    def _kept(self, asked: Asked) -> Json:
        """Return what is at a path. Raises `NoneHereError`."""
        convention = asked.convention
        found = self._world.document(self._api, asked.place.kept_at)
        if found is not None and found.body is not None:
            return json.loads(found.body)
        read = convention.read
        if found is None and not convention.is_kept:
            return example(read or asked.operation, asked.place.parameters, convention.key)
        # A list at a fixed path is there, and empty, until something is put (Belgif, collections).
        if found is None and read is not None and convention.key is None:
            empty = {"items": []} if "items" in read.answers_with else []
            if empty or _is_list(read):
                return empty
        raise NoneHereError

    def _list(self, asked: Asked) -> Outcome:
        return self._collections.listed(asked)

    def _put(self, asked: Asked) -> Outcome:
        members = asked.convention.members
        if members is not None and members.in_body is not None and asked.body is not NOTHING:
            return self._collections.put(asked, members.in_body)
        of_member = self._collections.put_by_body(asked) if members is not None else None
        if of_member is not None:
            return of_member
        was_made = False
        if _says_made(asked.operation):
            before = self._world.document(self._api, asked.place.kept_at)
            was_made = before is None or before.body is None
        body = {} if asked.body is NOTHING else asked.body
        put = partial(self._world.put_document, self._document(asked.place.kept_at, body))
        shown = self._shown(body, asked.place)
        return Outcome(shown, body, was_made=was_made, location=asked.url, change=put)

    def _add(self, asked: Asked) -> Outcome:
        try:
            return self._collections.added(asked)
        except NoKeyError:
            # Nothing is kept where nobody could ever ask for it.
            return self._answer(asked)

    def _remove(self, asked: Asked) -> Outcome:
        path, convention = asked.place.kept_at, asked.convention
        if convention.members is not None:
            return self._collections.removed(asked)
        try:
            value = self._kept(asked)
        except CannotAnswerError:
            # What is there by itself need not be shown to be removed.
            value = NOTHING
        # What is an employer's below stays: it is out of reach until there is something above it again.
        below = convention.has_below and not convention.has_guarded_below
        self._world.remove_document(self._api, path, below=below)
        if not convention.is_kept:
            self._world.put_document(Document(self._api, path, None))
        return Outcome(value)

    def _merge(self, asked: Asked) -> Outcome:
        before = self._kept(asked)
        before = {} if before is NOTHING else before
        merged = before if asked.body is NOTHING else patched(before, asked.body)
        issues = unfit(asked, merged, before)
        if issues:
            raise UnfitError(issues)
        findings = self._judge(merged, asked.place)
        if findings.errors:
            raise BrokenRulesError(findings.errors)
        # One that was added keeps its number.
        self._world.put_document(self._document(asked.place.kept_at, merged))
        return Outcome(self._shown(merged, asked.place), merged, warnings=findings.warnings)

    def _answer(self, asked: Asked) -> Outcome:
        return Outcome(example(asked.operation, asked.place.parameters, asked.convention.key))

    def _document(self, path: str, value: Json, number: int = 0) -> Document:
        mentions = self._mentioned(value) if self._mentioned is not None else None
        return Document(self._api, path, encode(value), number, mentions)


_ACTIONS = {
    Role.READS: Resources._read,  # noqa: SLF001 - its own
    Role.LISTS: Resources._list,  # noqa: SLF001 - as above
    Role.REPLACES: Resources._put,  # noqa: SLF001 - as above
    Role.ADDS: Resources._add,  # noqa: SLF001 - as above
    Role.REMOVES: Resources._remove,  # noqa: SLF001 - as above
    Role.MERGES: Resources._merge,  # noqa: SLF001 - as above
    Role.ANSWERS: Resources._answer,  # noqa: SLF001 - as above
}


def _is_list_put(asked: Asked) -> bool:
    members = asked.convention.members
    return members is not None and members.in_body is not None


def _is_list(operation: Operation) -> bool:
    schema = schema_of(operation)
    return schema is not None and schema.types == frozenset({"array"})


def _says_made(operation: Operation) -> bool:
    """Whether the contract tells apart what was made from what was replaced."""
    return any(answer.status == "201" for answer in operation.answers)
