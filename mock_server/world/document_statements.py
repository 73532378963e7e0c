"""The statements that the stored documents of a world are read and changed with. All have `world`; see `statements`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, String, Text, and_, bindparam, delete, exists, func, select

from mock_server.world import schema
from mock_server.world.database import Statement
from mock_server.world.statements import into, of

_DOCUMENTS = schema.documents
_MENTIONS = schema.mentions
_KEY = ("world", "api", "path")
_REPLACED = ("body", "collection", "mentioned")
_SHOWN = (_DOCUMENTS.c.api, _DOCUMENTS.c.path, _DOCUMENTS.c.body, _DOCUMENTS.c.number)

DOCUMENT = Statement(select(*_SHOWN).where(of(_DOCUMENTS, "api", "path")))
DOCUMENTS = Statement(select(*_SHOWN).where(of(_DOCUMENTS)))


def _put(own_insert: Any, columns: Sequence[str], where: Any = None) -> Any:  # noqa: ANN401 - of the dialect, as below
    # The number stays: one that is replaced keeps its place.
    put = into(own_insert, _DOCUMENTS)
    changes = {name: put.excluded[name] for name in columns}
    return put.on_conflict_do_update(index_elements=_KEY, set_=changes, where=where)


PUT = Statement(lambda own_insert: _put(own_insert, _REPLACED))
# No column of an index is named: SQLite writes the entry of the index anew if one is, though it is as it was.
_IS_PLAIN = and_(_DOCUMENTS.c.mentioned == 0, _DOCUMENTS.c.body != "")
PUT_PLAIN = Statement(lambda own_insert: _put(own_insert, ("body",), _IS_PLAIN))
"""Puts what has a body and no mentions; but nothing where there is a document that has none, or some."""


def _add(own_insert: Any) -> Any:  # noqa: ANN401 - as above
    add = into(own_insert, _DOCUMENTS)
    changes = {name: add.excluded[name] for name in (*_REPLACED, "number")}
    return add.on_conflict_do_update(index_elements=_KEY, set_=changes, where=_DOCUMENTS.c.body == "")


ADD = Statement(_add)
"""One that was deleted gives way; it has no mentions."""

# Held until the end of the transaction (SQLite has one writer anyway): nobody deletes the world in between.
HOLD_WORLD = Statement(
    select(schema.worlds.c.world)
    .where(of(schema.worlds), schema.worlds.c.born == bindparam("born", type_=String))
    .with_for_update(read=True)
)


def _below(path: Any) -> Any:  # noqa: ANN401 - a condition on a column
    # A range, not a pattern: `%` and `_` are letters of a path.
    return and_(path >= bindparam("first", type_=Text), path < bindparam("last", type_=Text))


REMOVE = Statement(delete(_DOCUMENTS).where(of(_DOCUMENTS, "api", "path")))
REMOVE_BELOW = Statement(delete(_DOCUMENTS).where(of(_DOCUMENTS, "api"), _below(_DOCUMENTS.c.path)))
_SAME_DOCUMENT = and_(*(_DOCUMENTS.c[name] == _MENTIONS.c[name] for name in _KEY))
# Where another process has put a document meanwhile, the mentions are not those of the one that went.
_LEFT_BEHIND = ~exists().where(_SAME_DOCUMENT)
REMOVE_MENTIONS = Statement(delete(_MENTIONS).where(of(_MENTIONS, "api", "path")))
REMOVE_LEFT_MENTIONS = Statement(delete(_MENTIONS).where(of(_MENTIONS, "api", "path"), _LEFT_BEHIND))
REMOVE_LEFT_MENTIONS_BELOW = Statement(
    delete(_MENTIONS).where(of(_MENTIONS, "api"), _below(_MENTIONS.c.path), _LEFT_BEHIND)
)

IN_COLLECTION = Statement(
    select(*_SHOWN)
    .where(of(_DOCUMENTS, "api", "collection"))
    .order_by(_DOCUMENTS.c.number, _DOCUMENTS.c.path)
    .limit(bindparam("limit", type_=Integer))
    .offset(bindparam("offset", type_=Integer))
)
COUNT_IN = Statement(select(func.count().label("n")).select_from(_DOCUMENTS).where(of(_DOCUMENTS, "api", "collection")))
MENTIONING = Statement(
    select(*_SHOWN).join(_MENTIONS, _SAME_DOCUMENT).where(of(_MENTIONS, "api", "ssin")).order_by(_MENTIONS.c.path)
)
