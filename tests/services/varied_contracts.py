"""Contracts whose schemas are drawn by chance, the same ones each time, with values that fit what is sent."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_DEEPEST = 3
_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
# Formats and patterns, each with a text that fits.
_TEXTS: tuple[tuple[Json, str], ...] = (
    ({}, "any text at all"),
    ({"maxLength": 4}, "abc"),
    ({"minLength": 3, "maxLength": 12}, "abcdef"),
    ({"format": "date"}, "2026-02-03"),
    ({"format": "date-time"}, "2026-02-03T04:05:06Z"),
    ({"format": "uuid"}, "3f2b8a52-5c1f-4a7e-9b0d-0123456789ab"),
    ({"format": "email"}, "someone@example.org"),
    ({"format": "uri"}, "https://example.org/a?b=c"),
    ({"format": "byte"}, "aGVsbG8="),
    ({"pattern": "^[A-Z]{2}-[0-9]{4}$"}, "AB-1234"),
    ({"pattern": "^(yes|no)$"}, "no"),
    ({"enum": ["red", "green"]}, "green"),
)
_NUMBERS: tuple[tuple[Json, float], ...] = (
    ({"type": "integer"}, -5),
    ({"type": "integer", "minimum": 10, "maximum": 12}, 11),
    ({"type": "integer", "minimum": 0, "multipleOf": 7}, 21),
    ({"type": "integer", "format": "int64"}, 2**53),
    ({"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1}, 0.25),
    ({"type": "number"}, 1.5),
)


@dataclass(frozen=True)
class Varied:
    """A schema, and a value that fits it in a request."""

    schema: Json
    value: Any


def varied_schemas(count: int, seed: int = 2026) -> list[Varied]:
    """Return schemas of objects, the same ones for the same seed."""
    chance = random.Random(seed)  # nothing is kept secret by it
    return [_object(chance, 0) for _ in range(count)]


def varied_contract(schemas: list[Varied]) -> Json:
    """Return a contract of one collection and one example for each schema."""
    paths: dict[str, Json] = {}
    for number, varied in enumerate(schemas):
        body = {"required": True, "content": _content(varied.schema)}
        key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}}
        listed = {"type": "object", "required": ["items"], "properties": {"items": _list(varied.schema)}}
        answer = _stamped(varied.schema, number)
        paths[f"/kept{number}"] = {
            "get": _answers({"200": listed}),
            "post": {"requestBody": body} | _answers({"201": answer}),
        }
        paths[f"/kept{number}/{{key}}"] = {
            "parameters": [key],
            "get": _answers({"200": answer}),
            "put": {"requestBody": body} | _answers({"200": answer, "201": answer}),
        }
        paths[f"/example{number}"] = {"get": _answers({"200": answer})}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Drawn by chance", "version": "1"},
        "servers": [{"url": "/REST/varied/v1"}],
        "paths": paths,
    }


def _stamped(schema: Json, number: int) -> Json:
    """Return the schema of an answer, with a member that every other one has and that no request brings."""
    stamp, _ = _TEXTS[number % len(_TEXTS)]
    more = {"stamp": {"type": "string"} | stamp}
    required = [*schema.get("required", ()), "stamp"] if number % 2 else schema.get("required", [])
    made = schema | {"properties": schema["properties"] | more}
    return made | {"required": required} if required else made


def _answers(schemas: dict[str, Json]) -> Json:
    return {"responses": {status: {"description": "x", "content": _content(one)} for status, one in schemas.items()}}


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def _draw(chance: random.Random, depth: int) -> Varied:
    kinds: list[Callable[[random.Random, int], Varied]] = [_text, _number, _boolean, _text, _number]
    if depth < _DEEPEST:
        kinds += [_object, _array, _map, _composed, _either]
    made = chance.choice(kinds)(chance, depth)
    if chance.random() < 0.15:
        # Null has to be among the values, where they are named.
        values = {"enum": [*made.schema["enum"], None]} if "enum" in made.schema else {}
        if "type" in made.schema:
            return Varied(made.schema | {"nullable": True} | values, chance.choice((None, made.value)))
    return made


def _text(chance: random.Random, _depth: int) -> Varied:
    schema, value = chance.choice(_TEXTS)
    return Varied({"type": "string"} | schema, value)


def _number(chance: random.Random, _depth: int) -> Varied:
    return Varied(*chance.choice(_NUMBERS))


def _boolean(chance: random.Random, _depth: int) -> Varied:
    return Varied({"type": "boolean"}, chance.random() < 0.5)


def _array(chance: random.Random, depth: int) -> Varied:
    entry = _draw(chance, depth + 1)
    bounds, length = chance.choice((({}, 0), ({}, 2), ({"minItems": 1}, 1), ({"maxItems": 3}, 3), ({"minItems": 2}, 2)))
    return Varied({"type": "array", "items": entry.schema} | bounds, [entry.value] * length)


def _map(chance: random.Random, depth: int) -> Varied:
    entry = _draw(chance, depth + 1)
    return Varied({"type": "object", "additionalProperties": entry.schema}, {"any": entry.value, "other": entry.value})


def _composed(chance: random.Random, depth: int) -> Varied:
    one, other = (
        _object(chance, depth + 1, closed=False, words=_WORDS[:3]),
        _object(chance, depth + 1, closed=False, words=_WORDS[3:]),
    )
    return Varied({"allOf": [one.schema, other.schema]}, one.value | other.value)


def _either(chance: random.Random, depth: int) -> Varied:
    alternatives = [
        Varied(
            {
                "type": "object",
                "required": ["kind", "value"],
                "properties": {"kind": {"type": "string", "enum": [word]}, "value": drawn.schema},
                "additionalProperties": False,
            },
            {"kind": word, "value": drawn.value},
        )
        for word, drawn in ((word, _draw(chance, depth + 1)) for word in _WORDS[:2])
    ]
    return Varied({"oneOf": [one.schema for one in alternatives]}, chance.choice(alternatives).value)


def _object(
    chance: random.Random, depth: int, *, closed: bool | None = None, words: tuple[str, ...] = _WORDS
) -> Varied:
    properties: Json = {}
    required, value = [], {}
    for word in chance.sample(words, chance.randint(1, len(words))):
        drawn = _draw(chance, depth + 1)
        way = chance.choice(("both", "both", "both", "readOnly", "writeOnly"))
        is_plain = "type" in drawn.schema
        properties[word] = drawn.schema | ({way: True} if way != "both" and is_plain else {})
        if chance.random() < 0.5:
            required.append(word)
        if (way != "readOnly" or not is_plain) and (word in required or chance.random() < 0.5):
            value[word] = drawn.value
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if closed or (closed is None and chance.random() < 0.5):
        schema["additionalProperties"] = False
    return Varied(schema, value)
