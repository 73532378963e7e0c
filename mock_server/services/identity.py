"""What a member of a collection is known by: the end of its path, and the members of its body that say the same."""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from functools import lru_cache

from mock_server.services.documents.held import plain
from mock_server.services.documents.samples import NoSampleError, sample
from mock_server.services.documents.schemas import Direction
from mock_server.services.documents.shape import Schema
from mock_server.services.validation import ParameterSchema
from mock_server.strict_json import Json

_ENDINGS = ("id", "key", "uuid", "code", "number", "slug")
_NAMESPACE = uuid.UUID("6d9f2c1e-6a1b-4f7e-9d53-0f6c5a7b8e21")


class Replace(Enum):
    """What of an object gives way to what its path says."""

    NOTHING = auto()
    KEY = auto()
    """Its own identifier: the path says which one it is, whatever a body says of itself."""
    ALL = auto()
    """Everything: it is an example."""


def names_of(parameter: str, known: Iterable[str]) -> list[str]:
    """Return the members of an object that say what a path parameter says, the likeliest first.

    A parameter `petId` is also told by a member `id`; one called `petId` goes before.
    """
    wanted = plain(parameter)
    endings = [ending for ending in _ENDINGS if wanted.endswith(ending)]
    names = list(known)
    found = [name for name in names if plain(name) == wanted]
    return found + [name for name in names if plain(name) in endings and name not in found]


def with_identity(
    value: Json,
    schema: Schema | None,
    parameters: Mapping[str, str],
    key: str | None,
    *,
    replace: Replace = Replace.NOTHING,
) -> Json:
    """Return an object with the members that its path tells; null there is nothing told.

    `parameters` are the path parameters. The one that ends the path, `key`, may be told by a short name (`id`), the
    others by their own names only. `replace` says what gives way.
    """
    if schema is None or not isinstance(value, dict):
        return value
    made = value
    if not schema.properties and key is not None and replace is not Replace.NOTHING:
        return _renamed(value, key, parameters[key])
    for parameter, name, member in _told_in(schema, tuple(parameters), key):
        gives_way = replace is Replace.ALL or (replace is Replace.KEY and parameter == key)
        if value.get(name) is not None and not gives_way:
            continue
        typed = _typed(parameters[parameter], member)
        if value.get(name) != typed and member.validator(Direction.RESPONSE).is_valid(typed):
            made = {**made, name: typed}
    return made


def _renamed(value: dict[str, Json], key: str, text: str) -> dict[str, Json]:
    """Return an object of a schema that names no members with the identifier of its path, where it has one."""
    for name in names_of(key, value)[:1]:
        typed: Json = int(text) if isinstance(value[name], int) and _WHOLE.fullmatch(text) else text
        if isinstance(value[name], str | int) and not isinstance(value[name], bool) and value[name] != typed:
            return {**value, name: typed}
    return value


@lru_cache(maxsize=8_192)
def _told_in(schema: Schema, parameters: tuple[str, ...], key: str | None) -> tuple[tuple[str, str, Schema], ...]:
    """Return which members of an object say what path parameters say: parameter, name, schema of the member."""
    found = []
    for parameter in parameters:
        names = names_of(parameter, schema.properties)
        if parameter != key:
            names = [name for name in names if plain(name) == plain(parameter)]
        found += [(parameter, name, schema.properties[name]) for name in names[:1]]
    return tuple(found)


def told_by(document: Json, schema: Schema | None, key: ParameterSchema) -> str | None:
    """Return the identifier that a body brings along, if it does and it can end a path."""
    if not isinstance(document, dict):
        return None
    known = schema.properties if schema is not None and schema.properties else document
    for name in names_of(key.name, known):
        value = document.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = str(value)
            canonical, issues = key.read(text)
            if text and not issues:
                return canonical
    return None


def made_for(key: ParameterSchema | None, place: str, number: int) -> str | None:
    """Return an identifier in the format of a path parameter, for the nth member of the collection at a place.

    The same number gives the same one. None where the format has none for this number.
    """
    if key is None:
        return str(number)
    unique = str(uuid.uuid5(_NAMESPACE, f"{place}#{number}"))
    for text in _candidates(key, unique, number):
        canonical, issues = key.read(text)
        if text and not issues:
            return canonical
    return None


def _candidates(key: ParameterSchema, unique: str, number: int) -> Iterator[str]:
    schema = key.shape.schema
    raw = schema.resolved if schema is not None else {}
    listed = raw.get("enum")
    if isinstance(listed, list) and listed:
        yield str(listed[number % len(listed)])
    if key.is_integer:
        yield _whole(raw, number)
    if raw.get("format") == "uuid":
        yield unique
    yield str(number)
    shortest = raw.get("minLength")
    if isinstance(shortest, int):
        yield str(number).rjust(min(shortest, 200), "0")
    if schema is not None:
        for base in _bases(schema):
            yield _counted(base, number)
    yield unique
    yield unique.replace("-", "")
    yield unique.replace("-", "")[:8]


def _whole(raw: Mapping[str, Json], number: int) -> str:
    """Return the nth whole number that a schema allows, beginning again after the last."""
    least, most, step = (raw.get(name) for name in ("minimum", "maximum", "multipleOf"))
    width = step if isinstance(step, int) and step > 1 else 1
    first = -(-least // width) if isinstance(least, int) and least > 1 else 1
    if isinstance(most, int) and most // width >= first:
        number = (number - 1) % (most // width - first + 1) + 1
    return str((first - 1 + number) * width)


def _bases(schema: Schema) -> Iterator[str]:
    try:
        base = sample(schema)
    except NoSampleError:
        return
    if isinstance(base, str | int) and not isinstance(base, bool):
        yield str(base)


def _counted(base: str, number: int) -> str:
    """Write a number into a text from its end, each character as one of its kind: AA-0001 and 27 give AA-0028."""
    made = list(base)
    for index in range(len(made) - 1, -1, -1):
        kind = next((one for one in _KINDS if made[index] in one), None)
        if kind is None:
            continue
        number, digit = divmod(number + kind.index(made[index]), len(kind))
        made[index] = kind[digit]
        if not number:
            break
    return "".join(made)


_KINDS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


def _typed(text: str, schema: Schema) -> Json:
    types = schema.types or frozenset({"string"})
    return int(text) if types & {"integer", "number"} and "string" not in types and _WHOLE.fullmatch(text) else text
