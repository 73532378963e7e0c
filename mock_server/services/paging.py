"""Pages of a collection, in the form that its contract has: page and size (Belgif rest-guide, collections), or offset
and limit."""  # noqa: D205, D209 - one sentence

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from mock_server.services.contract import Operation
from mock_server.services.documents.held import plain
from mock_server.services.documents.shape import Schema
from mock_server.services.validation import ParameterSchema

_PAGES = frozenset({"page", "pagenumber", "pageno", "pageindex"})
_SIZES = frozenset({"pagesize", "perpage", "size", "limit", "count", "maxresults", "top", "take", "itemsperpage"})
_OFFSETS = frozenset({"offset", "skip", "start", "startindex"})
_DEFAULT_SIZE = 100
_MOST = 2**31 - 1
_TOTALS = frozenset({"total", "totalcount", "totalitems", "totalelements", "totalresults", "totalrecords"})
_AROUND = _TOTALS | {
    *("self", "href", "first", "last", "prev", "previous", "next"),
    *("page", "pagenumber", "pagesize", "size", "limit", "perpage", "offset"),
    *("totalpages", "pagecount", "hasmore", "hasnext"),
}
"""What may stand around a list, and is different on every page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a collection."""

    size: int | None
    """None: the whole collection, in an operation without paging."""
    offset: int = 0
    first: int = 1
    """The number of the first page, where pages are numbered."""
    page_name: str | None = None
    offset_name: str | None = None
    size_name: str | None = None

    @property
    def number(self) -> int:
        """The number of this page."""
        return self.first + (self.offset // self.size if self.size else 0)

    @property
    def is_paged(self) -> bool:
        """Whether the client can ask for another stretch."""
        return self.size is not None and (self.page_name is not None or self.offset_name is not None)


def page_of(operation: Operation, values: Mapping[tuple[str, str], Any]) -> Page:
    """Return the page that a call asks for; `values` are its parameters by location and name.

    A size that is not sent is the contract's default, else 100, or the contract's maximum where that is less.
    """
    query = [parameter for parameter in operation.parameters if parameter.location == "query"]
    page, size, offset = (_first(query, names) for names in (_PAGES, _SIZES, _OFFSETS))
    if page is None and offset is None and size is None:
        return Page(None)
    wanted = _whole(values, size)
    usual = min(_DEFAULT_SIZE, _bound(size, "maximum") or _DEFAULT_SIZE)
    length = usual if wanted is None else wanted
    first = 0 if _bound(page, "minimum") == 0 else 1
    skipped = _whole(values, offset) or 0
    if page is not None and offset is None:
        asked = _whole(values, page)
        skipped = max(0, (first if asked is None else asked) - first) * length
    return Page(
        length,
        min(skipped, _MOST),
        first,
        *(
            parameter.name if parameter is not None else None
            for parameter in (page if offset is None else None, offset, size)
        ),
    )


def envelope(page: Page, total: int, schema: Schema, url: str, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the members around a list of members that the schema of the answer names.

    `url` is the collection's; `query` is what the client sent, repeated in the links.
    """
    last = ((total - 1) // page.size if total else 0) + page.first if page.size else page.first
    known: dict[str, Any] = {
        "self": _link(url, query, {}),
        "href": _link(url, query, {}),
        **dict.fromkeys(_TOTALS, total),
        "page": page.number,
        "pagenumber": page.number,
        "pagesize": page.size,
        "size": page.size,
        "limit": page.size,
        "perpage": page.size,
        "offset": page.offset,
        "totalpages": last - page.first + 1,
        "pagecount": last - page.first + 1,
        "hasmore": page.size is not None and page.offset + page.size < total,
        "hasnext": page.size is not None and page.offset + page.size < total,
    }
    if page.is_paged and page.size:
        known |= dict(_links(page, total, last, url, query))
    made = {}
    for name, member in schema.properties.items():
        value = known.get(plain(name))
        if value is not None and member.validator().is_valid(value):
            made[name] = value
    return made


def without_envelope(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the members of a collection's own document that are no part of a page; `name` holds the list."""
    return {other: value for other, value in document.items() if other != name and plain(other) not in _AROUND}


def _links(page: Page, total: int, last: int, url: str, query: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    size = page.size or _DEFAULT_SIZE
    targets = {"first": 0, "last": (last - page.first) * size}
    if page.offset > 0:
        targets["prev"] = targets["previous"] = max(0, page.offset - size)
    if page.offset + size < total:
        targets["next"] = page.offset + size
    for name, offset in targets.items():
        changed = {page.size_name: size} if page.size_name else {}
        if page.offset_name is not None:
            changed[page.offset_name] = offset
        elif page.page_name is not None:
            changed[page.page_name] = offset // size + page.first
        yield name, _link(url, query, changed)


def _link(url: str, query: Sequence[tuple[str, str]], changed: Mapping[str, int]) -> str:
    kept = [(name, value) for name, value in query if name not in changed]
    pairs = [*kept, *((name, str(value)) for name, value in changed.items())]
    text = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
    return f"{url}?{text}" if text else url


def _first(parameters: Sequence[ParameterSchema], names: frozenset[str]) -> ParameterSchema | None:
    return next((one for one in parameters if plain(one.name) in names and one.is_integer), None)


def _whole(values: Mapping[tuple[str, str], Any], parameter: ParameterSchema | None) -> int | None:
    value = values.get(("query", parameter.name)) if parameter is not None else None
    return min(value, _MOST) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _bound(parameter: ParameterSchema | None, name: str) -> int | None:
    schema = parameter.shape.schema if parameter is not None else None
    value = schema.resolved.get(name) if schema is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
