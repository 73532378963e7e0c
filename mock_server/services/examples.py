"""What is answered by itself: the contract's examples, values built from its schemas, and links."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mock_server.services.contract import Operation
from mock_server.services.documents.samples import NoSampleError, sample
from mock_server.services.documents.shape import Schema
from mock_server.services.identity import Replace, with_identity
from mock_server.services.outcomes import NOTHING, Asked, CannotAnswerError
from mock_server.services.validation import Content
from mock_server.strict_json import Json


def schema_of(operation: Operation) -> Schema | None:
    """Return the schema of what an operation answers when all went well."""
    content = operation.success.json if operation.success is not None else None
    return None if content is None else content.schema


def example(operation: Operation, parameters: Mapping[str, str], key: str | None) -> Json:
    """Return what an operation answers by itself: the contract's example, else a value built from its schema.

    What the path says stands in its place there, where the result is still valid; `key` is the parameter that ends the
    path. `NOTHING` where no JSON is answered. Raises `CannotAnswerError`.
    """
    content = operation.success.json if operation.success is not None else None
    return NOTHING if content is None else named_example(content, parameters, key)


def named_example(content: Content, parameters: Mapping[str, str], key: str | None) -> Json:
    """Return the same of one content of an answer."""
    found = _own_example(content)
    named = with_identity(found, content.schema, parameters, key, replace=Replace.ALL)
    return found if named is not found and content.answer_issues(named) else named


def _own_example(content: Content) -> Json:
    # A content is told apart by its shape, which lives as long as the contract.
    return _built(_Same(content))


class _Same:
    """A content, the same as long as it is the same object."""

    __slots__ = ("content",)

    def __init__(self, content: Content) -> None:
        self.content = content

    def __hash__(self) -> int:
        return id(self.content.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.content.shape is self.content.shape


@lru_cache(maxsize=8_192)
def _built(same: _Same) -> Json:
    content = same.content
    found = next((one for one in content.examples if _is_good(content, one)), NOTHING)
    if found is not NOTHING:
        return content.visible(found)
    if content.schema is None:
        return content.examples[0] if content.examples else {}
    try:
        return sample(content.schema)
    except NoSampleError as error:
        msg = f"no example could be built from the contract's schema: {error}"
        raise CannotAnswerError(msg) from None


def _is_good(content: Content, value: Json) -> bool:
    try:
        return not content.answer_issues(value)
    except UnicodeEncodeError:
        # Half a character, which no answer can be written with.
        return False


def without_secrets(value: Json, asked: Asked, schema: Schema) -> Json:
    """Return a document without the write-only members of what was sent, unless the answer names them itself."""
    hidden = asked.convention.unanswered
    if not hidden or not isinstance(value, dict):
        return value
    return {name: member for name, member in value.items() if name not in hidden or name in schema.properties}


def represented(value: Json, url: str, schema: Schema | None) -> Json:
    """Return a document with the members that the server adds, where the schema of the answer names them.

    These are `self` or `href`, the URL, and `total` of one that holds a list (Belgif rest-guide, collections). What was
    sent under these names stays.
    """
    if not isinstance(value, dict) or schema is None:
        return value
    names = schema.properties
    added: dict[str, Any] = {
        name: url for name in ("self", "href") if name in names and name not in value and _is_text(names[name])
    }
    if "total" in names and "total" not in value and isinstance(value.get("items"), list):
        added["total"] = len(value["items"])
    return {**value, **added} if added else value


def _is_text(schema: Schema) -> bool:
    return schema.types is None or "string" in schema.types
