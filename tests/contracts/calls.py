"""A call as it goes over the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire; the target is below the API's base path."""

    method: str
    template: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    what: str = ""
    """What is wrong with it."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def with_path(self, path: str) -> "Sent":
        """Return it with another path."""
        return replace(self, target=path + self.target[len(self.path) :])

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query, name by name."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def with_query(self, query: list[tuple[str, str]]) -> "Sent":
        """Return it with another query."""
        return replace(self, target=f"{self.path}?{urlencode(query)}" if query else self.path)


def is_json(media_type: str) -> bool:
    """Whether a media type, with parameters or without, is JSON, or may be."""
    plain = media_type.partition(";")[0].strip().lower()
    return plain in {"application/json", "text/json", "*/*"} or plain.endswith("+json")
