"""Resources by convention: PUT replaces what is at a path, GET reads it back."""

import json
from typing import Any

from mock_server.services.contract import Operation
from mock_server.world.world import World

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Writes JSON compactly."""


class Resources:
    """The documents of one API in one world."""

    def __init__(self, world: World, api: str) -> None:
        self._world = world
        self._api = api

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Replace the document at a path."""
        self._world.put_document(self._api, path, encode(body))

    def get(self, path: str, operation: Operation) -> dict[str, Any] | None:
        """Return the document at a path; a list that nothing was put in is empty, anything else is not there."""
        text = self._world.document(self._api, path)
        if text is not None:
            document: dict[str, Any] = json.loads(text)
            return document
        return {"items": []} if "items" in operation.answers_with else None


def represent(document: dict[str, Any], url: str, operation: Operation) -> dict[str, Any]:
    """Return a document with the members that the server adds: `self` and `total` (Belgif, collections)."""
    added: dict[str, Any] = {"self": url}
    if isinstance(document.get("items"), list):
        added["total"] = len(document["items"])
    return document | {name: value for name, value in added.items() if name in operation.answers_with}
