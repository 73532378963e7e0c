"""A state that is sent: what is read of it comes with whom its documents mention."""

import asyncio
from dataclasses import replace

import pytest

from mock_server.control.state_api import StateReader
from mock_server.identifiers import Ssin
from mock_server.portal.errors import RefusedError
from mock_server.services.catalogue import services
from mock_server.world.model import Document, WorldState

SSIN = Ssin("85073099932")
SENT = {"documents": [{"api": "api", "path": "c/1", "body": {"ssin": SSIN}}, {"api": "api", "path": "c", "body": 1}]}


def indexed(state: WorldState) -> WorldState:
    """Return a state whose documents mention somebody who is named in their text."""
    named = (
        replace(entry, mentions=(SSIN,)) if entry.body is not None and SSIN in entry.body else entry
        for entry in state.documents
    )
    return replace(state, documents=tuple(named))


def no_fault(_: Document) -> str | None:
    """Find nothing wrong with a document."""
    return None


def test_a_state_that_is_sent_can_be_searched_for_whom_it_mentions() -> None:
    """Each document has what the APIs make of it, which is not among the members of a state."""
    state = asyncio.run(StateReader(services(), no_fault, indexed).read(SENT))

    assert [entry.mentions for entry in state.documents] == [(SSIN,), ()]


def test_documents_are_judged_before_they_are_searched() -> None:
    """What no API could have stored is not looked into: it may be anything."""
    searched: list[WorldState] = []

    def noted(state: WorldState) -> WorldState:
        searched.append(state)
        return state

    reader = StateReader(services(), lambda document: f"{document.path} is wrong", noted)
    with pytest.raises(RefusedError, match=r"documents\[0\]: c/1 is wrong"):
        asyncio.run(reader.read(SENT))

    assert searched == []
