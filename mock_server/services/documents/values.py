"""From the text of a parameter or a form to the value that its schema is about (OpenAPI 3.0.3, style values)."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from mock_server import strict_json
from mock_server.services.documents.shape import ContentShape, ParameterShape, Schema

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?(?:[eE][-+]?[0-9]{1,3})?")
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
_STRUCTURED = frozenset({"array", "object"})

Pairs = Sequence[tuple[str, str]]


class ValueTextError(ValueError):
    """A text that is not written as its parameter's style has it; says what was expected."""


def is_json(media_type: str) -> bool:
    """Whether a media type (without parameters, in lower case) is JSON."""
    return media_type in {"application/json", "text/json"} or media_type.endswith("+json")


def scalar(text: str, schema: Schema | None) -> Any:  # noqa: ANN401 - JSON is any value
    """Return a text as the type that its schema wants, or as it is where it is not written like one.

    Where a schema leaves several types open, the first value that is valid is taken: number, true or false, text.
    """
    types = schema.types if schema is not None else None
    if schema is None or not types or types == {"string"}:
        return text
    possible: list[Any] = []
    if types & {"integer", "number"}:
        if _INTEGER.fullmatch(text):
            possible.append(int(text))
        elif "number" in types and _NUMBER.fullmatch(text) and not math.isinf(float(text)):
            possible.append(float(text))
    if "boolean" in types and text in {"true", "false"}:
        possible.append(text == "true")
    if "string" not in types:
        return possible[0] if possible else text
    if not possible:
        return text
    return next((one for one in (*possible, text) if schema.validator().is_valid(one)), text)


def is_list(schema: Schema | None) -> bool:
    """Whether a value is a list, as far as its schema tells."""
    return schema is not None and schema.types is not None and "array" in schema.types


def is_object(schema: Schema | None) -> bool:
    """Whether a value is an object, as far as its schema tells."""
    return schema is not None and schema.types is not None and "object" in schema.types


def one_text(shape: ParameterShape, text: str) -> Any:  # noqa: ANN401 - JSON is any value
    """Return the value of a parameter that is written in one text. Raises `ValueTextError`."""
    schema = shape.schema
    if shape.content is not None:
        return _content(shape.content, text)
    text, separator = _unframed(shape, text)
    if is_list(schema):
        items = schema.items if schema is not None else None
        return [scalar(part, items) for part in text.split(separator)] if text else []
    if is_object(schema):
        return _object(shape, text.split(separator) if text else [])
    return scalar(text, schema)


def _content(content: ContentShape, text: str) -> Any:  # noqa: ANN401 - JSON is any value
    if not is_json(content.media_type):
        return text
    try:
        return strict_json.loads(text.encode())
    except (strict_json.StrictJsonError, UnicodeEncodeError) as error:
        msg = f"expected JSON: {error}"
        raise ValueTextError(msg) from None


def _unframed(shape: ParameterShape, text: str) -> tuple[str, str]:
    """Return a text without what its style puts in front, and the separator of its parts."""
    if shape.style == "label":
        if not text.startswith("."):
            msg = "expected a dot in front (style label)"
            raise ValueTextError(msg)
        return text[1:], "." if shape.explode else ","
    if shape.style == "matrix":
        explodes = shape.explode and (is_list(shape.schema) or is_object(shape.schema))
        if not text.startswith(";"):
            msg = "expected a semicolon in front (style matrix)"
            raise ValueTextError(msg)
        parts = text[1:].split(";")
        if explodes and is_object(shape.schema):
            return text[1:], ";"
        prefix = f"{shape.name}="
        if not all(part.startswith(prefix) for part in parts) or (len(parts) > 1 and not explodes):
            msg = f"expected ;{prefix} and the value (style matrix)"
            raise ValueTextError(msg)
        return ";".join(part.removeprefix(prefix) for part in parts), ";" if explodes else ","
    return text, _SEPARATORS.get(shape.style, ",")


def _object(shape: ParameterShape, parts: Sequence[str]) -> dict[str, Any]:
    schema = shape.schema
    if shape.explode:
        pairs = [part.partition("=") for part in parts]
        if not all(equals for _, equals, _ in pairs):
            msg = "expected name=value for each member"
            raise ValueTextError(msg)
        named = [(name, value) for name, _, value in pairs]
    else:
        if len(parts) % 2:
            msg = "expected a name and a value for each member, one after the other"
            raise ValueTextError(msg)
        named = list(zip(parts[::2], parts[1::2], strict=True))
    return members(named, schema)


def members(pairs: Pairs, schema: Schema | None) -> dict[str, Any]:
    """Return an object of named texts, each as its member's schema wants. Raises `ValueTextError`."""
    known = schema.properties if schema is not None else {}
    additional = schema.additional if schema is not None else None
    made: dict[str, Any] = {}
    for name, text in pairs:
        of_member = known.get(name, additional)
        if is_list(of_member):
            items = of_member.items if of_member is not None else None
            made.setdefault(name, []).append(scalar(text, items))
        elif name in made:
            msg = f"expected the member {name[:100]} once, came more often"
            raise ValueTextError(msg)
        else:
            made[name] = scalar(text, of_member)
    return made


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Return the names and values of a query string, decoded, in their order; a name may stand without a value."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def from_query(shape: ParameterShape, pairs: Pairs, others: frozenset[str]) -> tuple[bool, Any, set[str]]:
    """Read one parameter of the query.

    `others` are the names of the other parameters. Returns whether it is there, its value, and the names that it
    used. Raises `ValueTextError`.
    """
    if shape.style == "deepObject" and shape.content is None:
        prefix = f"{shape.name}["
        mine = [(name, value) for name, value in pairs if name.startswith(prefix) and name.endswith("]")]
        inner = [(name[len(prefix) : -1], value) for name, value in mine]
        if any("[" in name or "]" in name for name, _ in inner):
            msg = f"expected {prefix}member]=value, one level deep"
            raise ValueTextError(msg)
        return bool(mine), members(inner, shape.schema), {name for name, _ in mine}
    if shape.explode and is_object(shape.schema) and shape.content is None and shape.schema is not None:
        known = shape.schema.properties
        mine = [
            (name, value) for name, value in pairs if name in known or (shape.schema.is_open and name not in others)
        ]
        return bool(mine), members(mine, shape.schema), {name for name, _ in mine}
    texts = [value for name, value in pairs if name == shape.name]
    if not texts:
        return False, None, set()
    used = {shape.name}
    if shape.allow_empty and texts == [""]:
        return False, None, used
    if shape.explode and is_list(shape.schema) and shape.content is None:
        items = shape.schema.items if shape.schema is not None else None
        return True, [scalar(text, items) for text in texts], used
    if len(texts) > 1:
        msg = f"expected once, came {len(texts)} times; " + (
            "write the list in one value" if is_list(shape.schema) else "this parameter has one value"
        )
        raise ValueTextError(msg)
    return True, one_text(shape, texts[0]), used


def form(data: bytes, content: ContentShape) -> Any:  # noqa: ANN401 - JSON is any value
    """Return the fields of a URL-encoded form as an object. Raises `ValueTextError`."""
    try:
        pairs = query_pairs(data.decode("ascii"))
    except UnicodeDecodeError:
        msg = "expected a URL-encoded form, which is ASCII only"
        raise ValueTextError(msg) from None
    known: Mapping[str, Schema] = content.schema.properties if content.schema is not None else {}
    split: list[tuple[str, str]] = []
    for name, text in pairs:
        style, explode = content.styles.get(name, ("form", True))
        separator = _SEPARATORS.get(style, ",")
        if explode or not is_list(known.get(name)):
            split.append((name, text))
        else:
            split += [(name, part) for part in text.split(separator)]
    return members(split, content.schema)
