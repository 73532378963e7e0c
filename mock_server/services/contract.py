"""A contract that is served: routes, and what each operation asks and answers. Loaded once, at start.

Reading the files is in `documents`; validators are compiled when they are first used.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from mock_server.services.documents.held import Held, held_by
from mock_server.services.documents.reader import METHODS, TEMPLATE_NAME, Reading, read
from mock_server.services.documents.report import ContractError
from mock_server.services.documents.shape import AnswerShape, OperationShape, ParameterShape
from mock_server.services.validation import AnswerSchema, BodySchema, Content, Inputs, ParameterSchema, read_parameters

__all__ = ["METHODS", "Contract", "ContractError", "Held", "Inputs", "Operation", "Reading", "Route", "load"]

_OK = 200


@dataclass(frozen=True, eq=False, repr=False)
class Operation:
    """One method of one path."""

    method: str
    template: str
    scopes: tuple[tuple[str, ...], ...]
    """Alternatives, each with all the scopes that it asks for; none where the contract does not say."""
    parameters: tuple[ParameterSchema, ...]
    body: BodySchema | None
    answers: tuple[AnswerSchema, ...]
    held: Mapping[str, Held]
    """Which parameter holds the `enterpriseNumber`, the `ssin` and the `year`, and how that is known."""
    operation_id: str = ""
    summary: str = ""
    ignore_unknown_query: bool = False

    @property
    def name(self) -> str:
        """Method and path template."""
        return f"{self.method} {self.template}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The path parameters, in the order of the path."""
        return tuple(TEMPLATE_NAME.findall(self.template))

    def answer(self, status: int) -> AnswerSchema | None:
        """Return what the contract says of a status: the exact one, else its wildcard, else the default."""
        by_status = {answer.status: answer for answer in self.answers}
        for written in (str(status), f"{status // 100}XX", "default"):
            if written in by_status:
                return by_status[written]
        return None

    @cached_property
    def success(self) -> AnswerSchema | None:
        """The answer when all went well: the lowest 2xx, else 2XX, else the default."""
        good = sorted(answer.status for answer in self.answers if answer.status.startswith("2"))
        return next((one for one in self.answers if one.status == (good[0] if good else "default")), None)

    @cached_property
    def answers_with(self) -> frozenset[str]:
        """The members that the schema of the 200 answer names."""
        answer = self.answer(_OK)
        content = None if answer is None or answer.status == "default" else answer.json
        return frozenset() if content is None or content.schema is None else frozenset(content.schema.properties)

    def read_parameters(self, path: Mapping[str, str], query: str, header: Callable[[str], Sequence[str]]) -> Inputs:
        """Read the parameters of a call; see `validation.read_parameters`."""
        return read_parameters(self.parameters, path, query, header, ignore_unknown_query=self.ignore_unknown_query)


class _Mixed(NamedTuple):
    """A path segment with text around its parameters: `{name}.json`, `{from}...{to}`."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    node: "_Node"

    def match(self, segment: str) -> list[str] | None:
        """Return the values, or None: each text between is looked for once, from left to right."""
        first, *between, last = self.literals
        if not segment.startswith(first) or not segment.endswith(last):
            return None
        found, start = [], len(first)
        for literal in between:
            end = segment.find(literal, start + 1)
            if end < 0:
                return None
            found.append(segment[start:end])
            start = end + len(literal)
        end = len(segment) - len(last)
        return [*found, segment[start:end]] if end > start else None


class _Node:
    __slots__ = ("fixed", "mixed", "operations", "parameter")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.mixed: list[_Mixed] = []
        self.parameter: _Node | None = None
        self.operations: dict[str, Operation] = {}


class Route(NamedTuple):
    """A path that the contract has: its operations by method, and the texts in place of its parameters, decoded."""

    operations: Mapping[str, Operation]
    texts: Sequence[str]

    @property
    def template(self) -> str:
        """The path as the contract writes it."""
        return next(iter(self.operations.values())).template

    @property
    def values(self) -> Mapping[str, str]:
        """The values of the parameters, under the names that the first operation has for them."""
        return self.of(next(iter(self.operations.values())))

    def of(self, operation: Operation) -> Mapping[str, str]:
        """Return the values under an operation's own names: another method may call the same segment otherwise."""
        return dict(zip(operation.names, self.texts, strict=True))


class Contract:
    """A loaded contract."""

    def __init__(self, base_path: str, operations: Iterable[Operation], *, version: str = "", title: str = "") -> None:
        self.base_path = base_path
        self.operations = tuple(operations)
        self.version = version
        self.title = title
        self._root = _Node()
        for operation in self.operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.template.removeprefix("/").split("/"):
            found = TEMPLATE_NAME.findall(segment)
            if not found:
                node = node.fixed.setdefault(unquote(segment), _Node())
            elif segment == f"{{{found[0]}}}":
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = _mixed(node, segment, tuple(found))
        node.operations[operation.method] = operation

    def route(self, path: str) -> Route | None:
        """Find a path, given percent-encoded and below the base path. A fixed segment goes before a parameter."""
        values: list[str] = []
        node = _find(self._root, [unquote(segment) for segment in path.removeprefix("/").split("/")], 0, values)
        if node is None:
            return None
        return Route(node.operations, values)


def _mixed(node: _Node, segment: str, names: tuple[str, ...]) -> _Node:
    literals = tuple(TEMPLATE_NAME.sub("{}", segment).split("{}"))
    for mixed in node.mixed:
        if mixed.literals == literals:
            return mixed.node
    made = _Mixed(literals, names, _Node())
    node.mixed.append(made)
    # The more text a segment has, the less else it can mean.
    node.mixed.sort(key=lambda one: -len("".join(one.literals)))
    return made.node


def _find(node: _Node, segments: list[str], index: int, values: list[str]) -> _Node | None:
    if index == len(segments):
        return node if node.operations else None
    head = segments[index]
    if head in node.fixed:
        found = _find(node.fixed[head], segments, index + 1, values)
        if found is not None:
            return found
    for mixed in node.mixed:
        matched = mixed.match(head)
        if matched is not None:
            values.extend(matched)
            found = _find(mixed.node, segments, index + 1, values)
            if found is not None:
                return found
            del values[-len(matched) :]
    if node.parameter is not None and head:
        values.append(head)
        found = _find(node.parameter, segments, index + 1, values)
        if found is not None:
            return found
        values.pop()
    return None


def load(path: Path, base_path: str | None = None, reading: Reading | None = None) -> Contract:
    """Load a Swagger 2.0, OpenAPI 3.0 or 3.1 document, YAML or JSON, and the files that it refers to.

    `base_path` goes before the one that the document names. Raises `ContractError`, with everything that is wrong.
    """
    reading = reading or Reading()
    shape = read(path, base_path, reading)
    parameters: dict[tuple[int, str | None], ParameterSchema] = {}
    answers: dict[int, AnswerSchema] = {}
    operations = [_operation(operation, reading, parameters, answers) for operation in shape.operations]
    return Contract(shape.base_path, operations, version=shape.version, title=shape.title)


def _operation(
    shape: OperationShape,
    reading: Reading,
    parameters: dict[tuple[int, str | None], ParameterSchema],
    answers: dict[int, AnswerSchema],
) -> Operation:
    held = held_by(shape.template, shape.parameters, reading.holds)
    holds = {(one.location, one.parameter): what for what, one in held.items()}
    return Operation(
        method=shape.method,
        template=shape.template,
        scopes=shape.scopes,
        parameters=tuple(
            _parameter(parameter, holds.get((parameter.location, parameter.name)), parameters)
            for parameter in shape.parameters
        ),
        body=None if shape.body is None else BodySchema.of(shape.body),
        answers=tuple(_answer(answer, answers) for answer in shape.answers),
        held=held,
        operation_id=shape.operation_id,
        summary=shape.summary,
        ignore_unknown_query=reading.unknown_query == "ignore",
    )


def _parameter(
    shape: ParameterShape, holds: str | None, made: dict[tuple[int, str | None], ParameterSchema]
) -> ParameterSchema:
    # Operations share the parameters of the components, and so the validators: the shape lives as long as they do.
    key = (id(shape), holds)
    if key not in made:
        made[key] = ParameterSchema(shape, holds)
    return made[key]


def _answer(shape: AnswerShape, made: dict[int, AnswerSchema]) -> AnswerSchema:
    if id(shape) not in made:
        made[id(shape)] = AnswerSchema(
            shape.status,
            shape.description,
            tuple(Content(content) for content in shape.contents),
            tuple(ParameterSchema(header) for header in shape.headers),
        )
    return made[id(shape)]
