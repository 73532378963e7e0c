"""Validating input by a contract: every violation becomes an issue that a developer can act on."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from mock_server import strict_json
from mock_server.identifiers import InvalidIdentifierError, parse_enterprise_number, parse_ssin
from mock_server.problems import INVALID_STRUCTURE, SCHEMA_VIOLATION, UNKNOWN_INPUT, Issue
from mock_server.redaction import mask_ssins
from mock_server.services.documents import values
from mock_server.services.documents.details import showable
from mock_server.services.documents.held import ENTERPRISE_NUMBER, SSIN, YEAR
from mock_server.services.documents.schemas import Direction, Validator
from mock_server.services.documents.shape import BodyShape, ContentShape, ParameterShape, Schema
from mock_server.services.issues import MAX_ISSUES, issues_of, shown_name
from mock_server.strict_json import Json

_VALUE_MAX = 50
_YEAR = re.compile(r"[0-9]{4}")


def _parse_year(text: str) -> str:
    if not _YEAR.fullmatch(text):
        msg = "a calendar year is 4 digits"
        raise InvalidIdentifierError(msg)
    return text


# What a parameter can hold: the reader returns the value in its canonical form.
_READERS: Mapping[str, Callable[[str], str]] = {
    ENTERPRISE_NUMBER: parse_enterprise_number,
    SSIN: parse_ssin,
    YEAR: _parse_year,
}
_PRIVATE = frozenset({SSIN})
# Belgif knows four places of an input; a cookie is part of a header.
_PLACES = {"cookie": "header"}
_FORM = "application/x-www-form-urlencoded"
_ANY = frozenset({"*/*", "application/*"})
_STRUCTURES = frozenset({"object", "array", "null"})


class UnreadableError(ValueError):
    """A body is not written as its media type has it; says what was expected."""


class ParameterSchema(NamedTuple):
    """A parameter of an operation."""

    shape: ParameterShape
    holds: str | None = None
    """What the value is to the access rules: `enterpriseNumber`, `ssin`, `year`, or nothing."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.shape.name

    @property
    def location(self) -> str:
        """`path`, `query`, `header` or `cookie`."""
        return self.shape.location

    @property
    def required(self) -> bool:
        """Whether a call has to have it."""
        return self.shape.required

    @property
    def is_integer(self) -> bool:
        """Whether its value is a whole number."""
        return self.shape.schema is not None and self.shape.schema.types == frozenset({"integer"})

    @property
    def validator(self) -> Validator | None:
        """The validator of its value."""
        return None if self.shape.schema is None else self.shape.schema.validator()

    def read(self, text: str) -> tuple[str, list[Issue]]:
        """Return the value in its canonical form, as text, and what is wrong with it."""
        canonical, _, issues = self.read_value(text)
        return canonical, issues

    def read_value(self, text: str) -> tuple[str, Any, list[Issue]]:
        """Return the value as canonical text, as its schema's type, and what is wrong with it."""
        try:
            value = values.one_text(self.shape, text)
        except values.ValueTextError as error:
            return text, None, [self._issue(SCHEMA_VIOLATION, str(error), text)]
        issues = self.judge(value, text)
        return (text, value, issues) if issues else self._canonical(text, value)

    def judge(self, value: Json, text: str = "") -> list[Issue]:
        """Return what is wrong with a value; the text is repeated in the issues if it may be."""
        if self.validator is None:
            return []
        place = _PLACES.get(self.location, self.location)
        shown = self._shown(text) if not isinstance(value, list | dict) else None
        return [
            Issue(issue.type, place, issue.name, issue.detail, shown)
            for issue in issues_of(value, self.validator, place, self.name)
        ]

    def canonical(self, value: Json) -> tuple[Json, list[Issue]]:
        """Return a good value in the canonical form of what it holds, and what is wrong with it."""
        if isinstance(value, list | dict | bool):
            return value, []
        _, found, issues = self._canonical(str(value), value)
        return found, issues

    def missing(self) -> Issue:
        """Say that the parameter has to be there."""
        detail = "this parameter is required" if self.location != "cookie" else "this cookie is required"
        return Issue(SCHEMA_VIOLATION, _PLACES.get(self.location, self.location), self.name, detail)

    def _canonical(self, text: str, value: Json) -> tuple[str, Json, list[Issue]]:
        reader = _READERS.get(self.holds or "")
        if reader is None or isinstance(value, list | dict):
            # Of a list, the access rules judge every entry.
            return text, value, []
        # A style or a content writes more than the value; as it is written, a number has its leading zeros.
        is_bare = self.shape.style in {"simple", "form"} and self.shape.content is None
        try:
            read = reader(text if is_bare else str(value))
        except InvalidIdentifierError as error:
            # Wrong check digits, or a shape that the contract lets pass: the access rules need an identifier.
            return text, value, [self._issue(INVALID_STRUCTURE, str(error), text)]
        return read, read if isinstance(value, str) else value, []

    def _issue(self, kind: str, detail: str, text: str) -> Issue:
        return Issue(kind, _PLACES.get(self.location, self.location), self.name, detail, self._shown(text))

    def _shown(self, text: str) -> str | None:
        if self.holds in _PRIVATE or len(text) > _VALUE_MAX:
            return None
        # A number of an enterprise is no secret; anything else may be a person's, whatever the parameter is called.
        is_number = self.holds is not None and mask_ssins(text) == text
        return text if is_number or showable([self.name], text) is not None else None


class Content(NamedTuple):
    """A media type that a body or an answer may have."""

    shape: ContentShape

    @property
    def media_type(self) -> str:
        """Without parameters, in lower case; `*/*` and `text/*` are ranges."""
        return self.shape.media_type

    @property
    def schema(self) -> Schema | None:
        """The schema of the value."""
        return self.shape.schema

    @property
    def is_json(self) -> bool:
        """Whether the value is written as JSON, or may be."""
        return values.is_json(self.media_type) or self.media_type in _ANY

    @property
    def can_be_written(self) -> bool:
        """Whether an answer can be made in it: JSON, a text, or anything that the contract has an example of."""
        if self.is_json or any(isinstance(one, str) for one in self.examples):
            return True
        types = self.schema.types if self.schema is not None else None
        return self.media_type.startswith("text/") and not (types is not None and types <= _STRUCTURES)

    @property
    def is_text(self) -> bool:
        """Whether the value is a text that is sent as it is."""
        schema = self.shape.schema
        types = schema.types if schema is not None else None
        return self.media_type.startswith("text/") and not self.is_json and (types is None or "string" in types)

    @property
    def is_value(self) -> bool:
        """Whether what is sent in it can become a JSON value: JSON, a simple form, a text, or a range of such."""
        return self.is_json or self.is_text or self.media_type == _FORM

    @property
    def examples(self) -> tuple[Any, ...]:
        """What the contract gives as examples, the best first."""
        return self.shape.examples or (self.shape.schema.examples if self.shape.schema is not None else ())

    def issues(self, value: object) -> list[Issue]:
        """Return the violations of a value that was sent in it; bytes have none."""
        return [] if self.schema is None or isinstance(value, bytes) else issues_of(value, self.schema.validator())

    def answer_issues(self, value: object) -> list[Issue]:
        """Return what a value that is answered in it has against the contract."""
        return [] if self.schema is None else issues_of(value, self.schema.validator(Direction.RESPONSE))

    def visible(self, value: Json) -> Json:
        """Return a value without its write-only members."""
        return value if self.schema is None else self.schema.without(value, Direction.RESPONSE)

    def covers(self, media_type: str) -> bool:
        """Whether a media type (without parameters, in lower case) is this one, or in its range."""
        mine, _, rest = self.media_type.partition("/")
        return media_type == self.media_type or mine == "*" or (rest == "*" and media_type.startswith(f"{mine}/"))


class BodySchema(NamedTuple):
    """The body of an operation."""

    shape: BodyShape
    contents: tuple[Content, ...]

    @classmethod
    def of(cls, shape: BodyShape) -> "BodySchema":
        """Make the body of a contract's."""
        return cls(shape, tuple(Content(content) for content in shape.contents))

    @property
    def required(self) -> bool:
        """Whether a call has to have it."""
        return self.shape.required

    @property
    def json(self) -> Content | None:
        """The content that is JSON, if there is one."""
        return next((content for content in self.contents if content.is_json), None)

    @property
    def validator(self) -> Validator | None:
        """The validator of the JSON body."""
        return None if self.json is None or self.json.schema is None else self.json.schema.validator()

    def issues(self, value: object) -> list[Issue]:
        """Return the violations of a JSON body."""
        return [] if self.validator is None else issues_of(value, self.validator)

    def content_for(self, media_type: str) -> Content | None:
        """Return the content that a media type belongs to, the exact one before a range; None is a 415."""
        plain = media_type.partition(";")[0].strip().lower()
        exact = next((content for content in self.contents if content.media_type == plain), None)
        return exact or next((content for content in self.contents if content.covers(plain)), None)

    def parse(self, content: Content, data: bytes, media_type: str) -> Json:
        """Return the value of a body.

        JSON, simple forms and texts become values; anything else stays bytes. `media_type` is the one that was sent:
        within a range it decides how the body is read. Raises `UnreadableError`.
        """
        if not data and self.required:
            msg = "a body is required"
            raise UnreadableError(msg)
        plain = media_type.partition(";")[0].strip().lower()
        try:
            if values.is_json(plain):
                return strict_json.loads(data)
            if plain == _FORM:
                return values.form(data, content.shape)
            return data.decode() if content.is_text else data
        except (strict_json.StrictJsonError, values.ValueTextError) as error:
            raise UnreadableError(str(error)) from None
        except UnicodeDecodeError as error:
            msg = f"not UTF-8 (byte {error.start})"
            raise UnreadableError(msg) from None


class AnswerSchema(NamedTuple):
    """One answer of an operation."""

    status: str
    """Three digits, `2XX`, or `default`."""
    description: str
    contents: tuple[Content, ...]
    headers: tuple[ParameterSchema, ...]

    @property
    def json(self) -> Content | None:
        """The content that is JSON, if there is one."""
        return next((content for content in self.contents if content.is_json), None)

    def issues(self, value: object) -> list[Issue]:
        """Return what an answer's JSON body has against the contract."""
        return [] if self.json is None else self.json.answer_issues(value)


class Inputs(NamedTuple):
    """The parameters of a call."""

    values: dict[tuple[str, str], Any]
    """By location and name, as the types of their schemas; defaults stand for what was not sent."""
    path: dict[str, str]
    """The path parameters in their canonical form."""
    issues: list[Issue]


def read_parameters(
    parameters: Sequence[ParameterSchema],
    path: Mapping[str, str],
    query: str,
    header: Callable[[str], Sequence[str]],
    *,
    ignore_unknown_query: bool = False,
) -> Inputs:
    """Read the parameters of a call.

    `path` has the decoded path parameters, `query` is the query string as it was sent, and `header` returns the
    values of a header by its name in lower case, one for each time that it was sent. Every issue is found.
    """
    made = Inputs({}, {}, [])
    pairs = values.query_pairs(query)
    names = frozenset(parameter.name for parameter in parameters if parameter.location == "query")
    used: set[str] = set()
    cookies = _cookies(header) if any(parameter.location == "cookie" for parameter in parameters) else {}
    for parameter in parameters:
        if parameter.location == "query":
            _read_query(made, parameter, pairs, names - {parameter.name}, used)
            continue
        if parameter.location == "path":
            texts: Sequence[str] = [path[parameter.name]]
        elif parameter.location == "cookie":
            texts = [cookies[parameter.name]] if parameter.name in cookies else []
        else:
            texts = header(parameter.name.lower())
        if len(texts) > 1 and values.is_list(parameter.shape.schema):
            texts = [",".join(texts)]
        if len(texts) > 1:
            detail = f"expected once, came {len(texts)} times; this parameter has one value"
            made.issues.append(Issue(SCHEMA_VIOLATION, parameter.location, parameter.name, detail))
        elif not texts:
            _absent(made, parameter)
        else:
            text = texts[0] if parameter.location != "header" else texts[0].strip()
            canonical, value, issues = parameter.read_value(text)
            made.issues.extend(issues)
            made.values[parameter.location, parameter.name] = value
            if parameter.location == "path":
                made.path[parameter.name] = canonical
    if not ignore_unknown_query:
        unknown = dict.fromkeys(name for name, _ in pairs if name not in used and name not in names)
        made.issues.extend(
            Issue(UNKNOWN_INPUT, "query", shown_name(name)[:_VALUE_MAX], "this query parameter is not known here")
            for name in list(unknown)[:MAX_ISSUES]
        )
    del made.issues[MAX_ISSUES:]
    return made


def _read_query(
    made: Inputs, parameter: ParameterSchema, pairs: values.Pairs, others: frozenset[str], used: set[str]
) -> None:
    texts = [value for name, value in pairs if name == parameter.name]
    text = texts[0] if len(texts) == 1 else ""
    try:
        is_there, value, names = values.from_query(parameter.shape, pairs, others)
    except values.ValueTextError as error:
        used.update(name for name, _ in pairs if name == parameter.name or name.startswith(f"{parameter.name}["))
        made.issues.append(Issue(SCHEMA_VIOLATION, "query", parameter.name, str(error)))
        return
    used |= names
    if not is_there:
        if not names:
            _absent(made, parameter)
        return
    issues = parameter.judge(value, text)
    if not issues:
        value, issues = parameter.canonical(value)
    made.issues.extend(issues)
    made.values["query", parameter.name] = value


def _absent(made: Inputs, parameter: ParameterSchema) -> None:
    if parameter.required:
        made.issues.append(parameter.missing())
    elif parameter.shape.default:
        made.values[parameter.location, parameter.name] = parameter.shape.default[0]


def _cookies(header: Callable[[str], Sequence[str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in header("cookie"):
        for part in text.split(";"):
            name, equals, value = part.strip().partition("=")
            if equals:
                found.setdefault(name, unquote(value.strip('"')))
    return found
