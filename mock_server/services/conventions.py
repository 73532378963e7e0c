"""What each operation of a contract does to what is kept, by convention (Belgif rest-guide: PUT, POST, DELETE, PATCH).

A contract says what is sent and answered, and not what happens between. So: PUT replaces what is at its path and GET
reads it back; POST on a collection adds a member; DELETE removes; PATCH merges; GET of a collection lists its members.
A collection is a path with another one parameter below it. Whatever fits none of these answers with an example.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote

from mock_server.services.contract import Contract, Operation
from mock_server.services.documents.held import ENTERPRISE_NUMBER
from mock_server.services.documents.reader import TEMPLATE_NAME
from mock_server.services.documents.shape import Schema
from mock_server.services.validation import ParameterSchema


class Role(StrEnum):
    """What an operation does."""

    READS = "reads"
    LISTS = "lists"
    REPLACES = "replaces"
    ADDS = "adds"
    REMOVES = "removes"
    MERGES = "merges"
    ANSWERS = "answers with an example"


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a collection: how their paths end, and where a list of them stands in a body."""

    key: ParameterSchema | None
    """The parameter that ends a member's path; None where no operation has such a path."""
    read: Operation | None
    """What reads one member."""
    in_answer: str | None = None
    """The member of an answer that holds the list; empty where the list is all of it, None where none is known."""
    in_body: str | None = None
    """The same of the body of a PUT on the collection."""
    beside: frozenset[str] = frozenset()
    """The ends of paths beside those of the members that are paths of their own, as `/pets/settings`."""
    before: str = ""
    after: str = ""
    """What stands around the key in the last segment of a member's path, as in `{id}.json`."""
    ends_with_slash: bool = False
    """Whether a member's path goes on with a slash and nothing after it."""
    are_put_by_body: bool = False
    """Whether a PUT on the collection is for the one member that its body names."""

    def segment(self, key: str) -> str:
        """Return the last segment of a member's path, percent-encoded."""
        return f"{self.before}{quote(key, safe='')}{self.after}"

    def key_in(self, segment: str) -> str:
        """Return the key in a last segment, percent-encoded."""
        return segment.removeprefix(self.before).removesuffix(self.after)


class Above(NamedTuple):
    """What a path is below of: the nearest thing that can be missing."""

    segments: int
    """How many segments its path has."""
    is_kept: bool
    """Whether it has to be put or added first."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What an operation does, and to what."""

    role: Role
    is_kept: bool = False
    """Whether what it is about has to be put or added first; else the contract's example is there until removed."""
    members: Members | None = None
    """Of an operation on a collection."""
    read: Operation | None = None
    """What reads the same path."""
    put: Operation | None = None
    """What puts at the same path."""
    has_below: bool = False
    """Whether something can be kept further down its path."""
    has_guarded_below: bool = False
    """Whether that is only for those who may act for an enterprise, and this is for everybody."""
    above: Above | None = None
    """What has to be there, for anything to be below it."""
    key: str | None = None
    """The parameter that the path ends with."""
    unanswered: frozenset[str] = frozenset()
    """Members that are sent here, or to what this is a member of, and never answered."""
    is_apart: bool = False
    """Whether what is kept is told apart by an enterprise number that stands outside the path."""


def conventions(contract: Contract) -> Mapping[str, Convention]:
    """Return the convention of every operation, by its name (method and template)."""
    paths = _Paths(contract.operations)
    apart = paths.apart()
    return {
        operation.name: replace(convention, is_apart=node.top in apart)
        for node in paths.nodes
        for operation, convention in node.conventions()
    }


def list_in(schema: Schema | None) -> str | None:
    """Return the member of a schema's object that holds a list: the one called `items`, or the only list there is.

    Empty where the value itself is the list; None where there is none, or several and none is called so.
    """
    if schema is None:
        return None
    if schema.types == frozenset({"array"}):
        return ""
    lists = [name for name, member in schema.properties.items() if member.types and "array" in member.types]
    if "items" in lists:
        return "items"
    return lists[0] if len(lists) == 1 else None


class _Node:
    """One path, whatever its parameters are called."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.operations: dict[str, Operation] = {}
        self.parent: _Node | None = None
        self.above: _Node | None = None
        """The nearest path above that the contract has."""
        self.beside: set[str] = set()
        """The fixed ends of paths below."""
        self.item: _Node | None = None
        self.has_below = False
        self.has_guarded_below = False

    @property
    def is_guarded(self) -> bool:
        """Whether one has to act for an enterprise here."""
        return any(ENTERPRISE_NUMBER in operation.held for operation in self.operations.values())

    @property
    def top(self) -> "_Node":
        """The highest path above."""
        node = self
        while node.above is not None:
            node = node.above
        return node

    @property
    def last(self) -> str:
        """The last segment that is not empty."""
        return self.template.rstrip("/").rpartition("/")[2]

    @property
    def key(self) -> ParameterSchema | None:
        """The parameter that the path ends with."""
        names = TEMPLATE_NAME.findall(self.last)
        operation = next(iter(self.operations.values()))
        return next((one for one in operation.parameters if one.location == "path" and one.name in names), None)

    @property
    def listed_in(self) -> str | None:
        """Where what a GET answers has the list of the members."""
        return self._if_of_members(_listed_in(self.operations.get("GET")))

    def _if_of_members(self, place: str | None) -> str | None:
        # One thing of many, a user for instance, may have some list, and paths below: that makes it no collection.
        return place if self.key is None or place in {"", "items"} else None

    @property
    def put_list(self) -> str | None:
        """Where a PUT on this collection holds the members, if its members have paths of their own."""
        put = self.operations.get("PUT")
        body = put.body.json if put is not None and put.body is not None else None
        if body is None or not self.takes_members or self.listed_in is None:
            return None
        return self._if_of_members(list_in(body.schema))

    @property
    def takes_members(self) -> bool:
        """Whether it is a collection: another path is below it, and both are about the same."""
        return self.item is not None and bool(self.item.operations.keys() & {"GET", "PUT", "PATCH", "DELETE"})

    @property
    def adds(self) -> bool:
        """Whether a POST adds a member."""
        post = self.operations.get("POST")
        if post is None or (self.key is not None and self.listed_in is None):
            return False
        if not (self.takes_members or (_is_created(post) and self.listed_in is not None)):
            return False
        return _takes_members(post)

    @property
    def is_kept(self) -> bool:
        """Whether what is at this path can be put or added."""
        if "PUT" in self.operations and self._role("PUT") is Role.REPLACES:
            return True
        collection = self.parent
        return (
            collection is not None
            and collection.item is self
            and collection.takes_members
            and (collection.adds or collection.put_list is not None)
        )

    @property
    def members(self) -> Members | None:
        has_puts = self.item is not None and "PUT" in self.item.operations and self.listed_in is not None
        if not (self.adds or self.put_list is not None or has_puts):
            return None
        item = self.item if self.takes_members else None
        if item is None:
            return Members(None, None, self.listed_in, self.put_list)
        before, _, after = TEMPLATE_NAME.sub("{}", item.last).partition("{}")
        return Members(
            item.key,
            item.operations.get("GET"),
            self.listed_in,
            self.put_list,
            frozenset(self.beside),
            before,
            after,
            item.template.endswith("/"),
            # `PUT /pets` with a pet as its body, beside `POST /pets`: nothing else could be meant.
            self.adds and ("GET" not in self.operations or self.listed_in is not None),
        )

    def conventions(self) -> Iterable[tuple[Operation, Convention]]:
        for method, operation in self.operations.items():
            role = self._role(method)
            has_members = role in {Role.LISTS, Role.ADDS, Role.REPLACES}
            if role is Role.REMOVES:
                has_members = "GET" not in self.operations or self._role_of_get() is Role.LISTS
            yield (
                operation,
                Convention(
                    role,
                    self.is_kept,
                    self.members if has_members else None,
                    self.operations.get("GET"),
                    self.operations.get("PUT"),
                    self.has_below,
                    self.has_guarded_below,
                    self._above(),
                    None if self.key is None else self.key.name,
                    self._unanswered(),
                ),
            )

    def _unanswered(self) -> frozenset[str]:
        near = [self, *(node for node in (self.parent, self.item) if node is not None)]
        bodies = (one.body.json for node in near for one in node.operations.values() if one.body is not None)
        schemas = (body.schema for body in bodies if body is not None and body.schema is not None)
        return frozenset().union(*(schema.write_only for schema in schemas))

    def _above(self) -> Above | None:
        above = self.above
        while above is not None and not above.can_be_missing:
            above = above.above
        return None if above is None else Above(len(above.template.strip("/").split("/")), above.is_kept)

    @property
    def can_be_missing(self) -> bool:
        """Whether a call below it can be about nothing: enterprises, persons and years are not the API's to keep."""
        key = self.key
        is_item = key is not None and key.holds is None
        return is_item and (self.is_kept or "DELETE" in self.operations)

    def _role(self, method: str) -> Role:
        if method == "HEAD":
            method = "GET"
        if method == "GET":
            return self._role_of_get()
        if method == "PUT":
            return Role.REPLACES if _takes_value(self.operations["PUT"]) else Role.ANSWERS
        if method == "POST":
            return Role.ADDS if self.adds else Role.ANSWERS
        if method == "PATCH":
            return Role.MERGES if _takes_patch(self.operations["PATCH"]) else Role.ANSWERS
        return Role.REMOVES if method == "DELETE" else Role.ANSWERS

    def _role_of_get(self) -> Role:
        has_list = self.listed_in is not None and self.members is not None
        if has_list and ("PUT" not in self.operations or self.put_list is not None):
            return Role.LISTS
        is_changed = self.operations.keys() & {"PUT", "PATCH", "DELETE"}
        return Role.READS if self.is_kept or is_changed else Role.ANSWERS


class _Paths:
    """All paths of a contract, and which is below which."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        by_shape: dict[str, _Node] = {}
        for operation in operations:
            shape = TEMPLATE_NAME.sub("{}", operation.template)
            by_shape.setdefault(shape, _Node(operation.template)).operations[operation.method] = operation
        self.nodes = tuple(by_shape.values())
        # A path may end with a slash or without, and be about the same.
        stripped: dict[str, _Node] = {}
        for shape, node in by_shape.items():
            stripped.setdefault(shape.rstrip("/"), node)
        for shape, node in by_shape.items():
            collection, _, last = shape.rstrip("/").rpartition("/")
            node.parent = stripped.get(collection)
            if node.parent is not None:
                _join(node.parent, node, last)
            above = collection
            while above:
                if above in stripped:
                    stripped[above].has_below = True
                    stripped[above].has_guarded_below |= node.is_guarded and not stripped[above].is_guarded
                    node.above = node.above or stripped[above]
                above = above.rpartition("/")[0]

    def apart(self) -> set[_Node]:
        """Return the highest paths of which all that is kept below knows an enterprise number outside the path.

        Where one operation does not, what another kept could not be reached by it: then all is kept in common.
        """
        found: dict[_Node, bool] = {}
        for node in self.nodes:
            for operation, convention in node.conventions():
                if convention.role is not Role.ANSWERS:
                    found[node.top] = found.get(node.top, True) and _asks_outside(operation)
        return {top for top, is_apart in found.items() if is_apart}


def _asks_outside(operation: Operation) -> bool:
    guard = operation.held.get(ENTERPRISE_NUMBER)
    return guard is not None and guard.location != "path"


def _join(collection: _Node, node: _Node, last: str) -> None:
    """Make a path the one of a collection's members, if it is one."""
    if last == "{}" or (last.count("{}") == 1 and collection.item is None):
        collection.item = node
    elif "{}" not in last:
        collection.beside.add(last)


def _listed_in(get: Operation | None) -> str | None:
    content = get.success.json if get is not None and get.success is not None else None
    return None if content is None else list_in(content.schema)


def _is_created(post: Operation) -> bool:
    return any(answer.status == "201" for answer in post.answers)


def _takes_value(put: Operation) -> bool:
    return put.body is None or any(content.is_value for content in put.body.contents)


def _takes_patch(patch: Operation) -> bool:
    return patch.body is not None and any(content.is_json for content in patch.body.contents)


def _takes_members(post: Operation) -> bool:
    if post.body is None:
        return True
    # A list is several at once, or something else altogether.
    return any(content.is_value and _may_be_object(content.schema) for content in post.body.contents)


def _may_be_object(schema: Schema | None) -> bool:
    return schema is None or schema.types is None or "object" in schema.types
