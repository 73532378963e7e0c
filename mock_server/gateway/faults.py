"""Faults on request: how one is written, which requests it is for, and which of them it hits.

A plan is a value. Who keeps plans also keeps two counts for each: `seen`, the requests that matched and could show the
fault, and `fired`, those that it hit. What a fault then does is in `fault_effects`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from mock_server.gateway.fault_effects import (
    JWKS,
    NO_RETRY_AFTER,
    TOKEN,
    Close,
    CloseEffect,
    DelayEffect,
    Effect,
    Malform,
    MalformEffect,
    StatusEffect,
    TokenEffect,
    TokenFault,
)
from mock_server.identifiers import CLIENT_ID_MAX, ClientId, InvalidIdentifierError, parse_client_id
from mock_server.redaction import shown

ANY = "any"
UNTIL_RESET = "until reset"

LOWEST_STATUS, HIGHEST_STATUS = 400, 599
LONGEST_DELAY = 60
"""Seconds."""
LONGEST_RETRY_AFTER = 86_400
"""Seconds."""
HIGHEST_COUNT = 1_000_000
"""Of `times` and `every`."""
LONGEST_OPERATION = 500
"""Characters."""
LONGEST_EFFECT = 200
"""Characters of the compact form."""
MOST_PARAMETERS = 20
LONGEST_PARAMETER = 200
"""Characters of a name, and of a value."""

_UNKNOWN_TOLD = 5
_HUGE = 10**15
_WILDCARDS = ("…", "...", "*")
_OPERATION = re.compile(r"(?:[A-Z]{1,16}|\*) (?=.)(?:/(?:[^\s{}?#*…]|\{[^\s{}/*…]+\})*)?(?:\*|…|\.\.\.)?")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?")
# A comma within an HTTP date is not followed by a name and an equals sign.
_BETWEEN_PARTS = re.compile(r",(?=\s*[A-Za-z_-]+\s*=)")

Word = TypeVar("Word", bound=StrEnum)


class FaultError(ValueError):
    """A fault that cannot be; one sentence for each thing that is wrong, which begins with the member's name."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What is done, to which requests, how often."""

    effect: Effect
    operation: str = ANY
    """`token`, `jwks`, `any`, or method and path template, either of which may be a wildcard."""
    times: int | None = None
    """How often at most; None is until reset."""
    every: int = 1
    """Hits the requests whose number among those that match is a multiple of this."""
    client_id: ClientId | None = None
    """Only this caller; None is everybody, known or not."""
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Only calls with these path parameters, in their canonical form."""


def parse(members: object) -> FaultPlan:
    """Read a plan from the members of a JSON object. Raises `FaultError` with everything that is wrong."""
    if not isinstance(members, Mapping):
        raise _wrong("fault", f"an object with {_either(_MEMBERS)}", members)
    known = [name for name in _MEMBERS if name in members]
    missing = [] if "do" in members else [f"do: says what is done, and is missing; give {_ONE_KIND}"]
    values = _all(
        *(partial(_MEMBERS[name], members[name]) for name in known),
        also=[*_unknown("", "a fault", members, _MEMBERS), *missing],
    )
    read = dict(zip(known, values, strict=True))
    plan = FaultPlan(read.pop("do"), **read)
    contradictions = _contradictions(plan)
    if contradictions:
        raise FaultError(contradictions)
    return plan


def as_members(plan: FaultPlan) -> dict[str, Any]:
    """Return all members of a plan, in one order; `parse` reads them back."""
    return {
        "operation": plan.operation,
        "do": plan.effect.members,
        "times": UNTIL_RESET if plan.times is None else plan.times,
        "every": plan.every,
        "client_id": plan.client_id,
        "parameters": dict(plan.parameters),
    }


def parse_effect(text: str) -> dict[str, Any]:
    """Read the compact form of `do`, such as `status=503,retry_after=2`, into its members.

    Only the form is judged here, the members by `parse`. Raises `FaultError`.
    """
    if len(text) > LONGEST_EFFECT:
        raise FaultError([f"do: an effect is at most {LONGEST_EFFECT} characters, and this is {len(text)}"])
    members: dict[str, Any] = {}
    for part in _BETWEEN_PARTS.split(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            example = "such as status=503,retry_after=2 or close=before"
            raise FaultError([f"do: an effect is written NAME=VALUE, {example}, and not {shown(text)}"])
        if name in members:
            raise FaultError([f"do: {shown(name)} is there twice; keep one"])
        members[name] = _scalar(value)
    return members


def effect_text(plan: FaultPlan) -> str:
    """Return the effect of a plan in the compact form, in ASCII; `parse_effect` reads it back."""
    return ",".join(f"{name}={value}" for name, value in plan.effect.members.items())


def announcement(plan: FaultPlan, fault_id: str) -> str:
    """Return the value of the `Mock-Fault` header: the fault's id and its effect, such as `3; status=503`."""
    return f"{fault_id}; {effect_text(plan)}"


def matches(plan: FaultPlan, operation: str, client_id: str | None, parameters: Mapping[str, str]) -> bool:
    """Whether a request is one that a plan is for.

    `operation` is `token`, `jwks`, or method and path template; `parameters` are the values of the path's parameters.
    """
    if isinstance(plan.effect, TokenEffect) and operation != TOKEN:
        return False
    return (
        covers(plan.operation, operation)
        and plan.client_id in {None, client_id}
        and all(parameters.get(name) == value for name, value in plan.parameters.items())
    )


def covers(pattern: str, operation: str) -> bool:
    """Whether the operation of a plan stands for the operation of a request.

    The names of path parameters do not matter: two paths that differ in nothing else are the same path.
    """
    if pattern in {ANY, operation}:
        return True
    method, _, path = pattern.partition(" ")
    called, _, template = operation.partition(" ")
    if not path or not template or method not in {"*", called}:
        return False
    template = _PLACEHOLDER.sub("{}", template)
    for wildcard in _WILDCARDS:
        if path.endswith(wildcard):
            return template.startswith(_PLACEHOLDER.sub("{}", path.removesuffix(wildcard)))
    return template == _PLACEHOLDER.sub("{}", path)


def fires(plan: FaultPlan, seen: int, fired: int) -> bool:
    """Whether a plan hits a request: `seen` counts it already, `fired` does not yet."""
    return not exhausted(plan, fired) and seen % plan.every == 0


def exhausted(plan: FaultPlan, fired: int) -> bool:
    """Whether a plan has hit as often as it may."""
    return plan.times is not None and fired >= plan.times


def _contradictions(plan: FaultPlan) -> list[str]:
    """Return why a plan whose members are good could never do anything."""
    found = []
    is_token = isinstance(plan.effect, TokenEffect)
    if is_token and plan.operation not in {TOKEN, ANY}:
        found.append(
            f"do.token: a fault of token answers goes with the operation token or any, not {shown(plan.operation)}"
        )
    if plan.parameters and (is_token or plan.operation in {TOKEN, JWKS}):
        found.append("parameters: a token request and the key set have no path parameters; leave this out")
    if plan.client_id is not None and plan.operation == JWKS:
        found.append("client_id: who asks for the key set is not known; leave this out")
    return found


def _operation(value: object) -> str:
    if isinstance(value, str) and len(value) <= LONGEST_OPERATION and _is_operation(value):
        return value
    expected = (
        f"{TOKEN}, {JWKS}, {ANY}, or a method and a path of the contract such as PUT /things/{{id}} "
        f"(it may end with * or …), in at most {LONGEST_OPERATION} characters"
    )
    raise _wrong("operation", expected, value)


def _is_operation(text: str) -> bool:
    return text in {TOKEN, JWKS, ANY} or (text.isprintable() and _OPERATION.fullmatch(text) is not None)


def _times(value: object) -> int | None:
    expected = f"a whole number from 1 to {HIGHEST_COUNT}, or “{UNTIL_RESET}”"
    return None if value == UNTIL_RESET else _integer("times", value, 1, HIGHEST_COUNT, expected)


def _every(value: object) -> int:
    expected = f"a whole number from 1 to {HIGHEST_COUNT}: 3 hits every third request"
    return _integer("every", value, 1, HIGHEST_COUNT, expected)


def _client_id(value: object) -> ClientId | None:
    if value is None:
        return None
    try:
        return parse_client_id(value if isinstance(value, str) else "")
    except InvalidIdentifierError:
        expected = f"a client id: 1 to {CLIENT_ID_MAX} printable ASCII characters without spaces"
        raise _wrong("client_id", expected, value) from None


def _parameters(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MOST_PARAMETERS:
        expected = f"an object of path parameters and their values, at most {MOST_PARAMETERS} of them"
        raise _wrong("parameters", expected, value)
    expected = f"text of 1 to {LONGEST_PARAMETER} characters"
    wrong_names = [_wrong("parameters", f"a name, {expected}", name) for name in value if not _is_short_text(name)]
    wrong_values = [
        _wrong(f"parameters.{_name(name)}", expected, text) for name, text in value.items() if not _is_short_text(text)
    ]
    if wrong_names or wrong_values:
        raise FaultError(fault for error in wrong_names + wrong_values for fault in error.faults)
    return dict(value)


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_PARAMETER


def _effect(value: object) -> Effect:
    if not isinstance(value, Mapping):
        raise _wrong("do", f"an object with {_ONE_KIND}", value)
    faults = _unknown("do.", "an effect", value, [*_KINDS, *_COMPANIONS])
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) > 1:
        faults.append(f"do: {' and '.join(kinds)} are {len(kinds)} effects, and a fault has one; add a fault for each")
    elif not kinds and not faults:
        faults.append(f"do: says nothing that could be done; give {_ONE_KIND}")
    faults += [
        f"do.{companion}: goes with {kind} only; leave it out"
        for companion, kind in _COMPANIONS.items()
        if companion in value and kinds and kind not in kinds
    ]
    effects: list[Effect] = _all(*(partial(_KINDS[kind], value) for kind in kinds), also=faults)
    return effects[0]


def _status(do: Mapping[str, Any]) -> Effect:
    expected = f"an error status, a whole number from {LOWEST_STATUS} to {HIGHEST_STATUS}"
    status, wait = _all(
        lambda: _integer("do.status", do["status"], LOWEST_STATUS, HIGHEST_STATUS, expected),
        lambda: _retry_after(do["retry_after"]) if "retry_after" in do else None,
    )
    return StatusEffect(status, wait)


def _retry_after(value: object) -> int | str:
    if isinstance(value, str) and (value == NO_RETRY_AFTER or _is_http_date(value)):
        return value
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    expected = f"whole seconds from 0 to {LONGEST_RETRY_AFTER}, a date such as {date}, or {NO_RETRY_AFTER}"
    return _integer("do.retry_after", value, 0, LONGEST_RETRY_AFTER, expected)


def _is_http_date(text: str) -> bool:
    """Whether this is an IMF-fixdate (RFC 9110 §5.6.7) whose weekday is right too."""
    if not _HTTP_DATE.fullmatch(text):
        return False
    try:
        return format_datetime(parsedate_to_datetime(text), usegmt=True) == text
    except ValueError:
        return False


def _delay(do: Mapping[str, Any]) -> Effect:
    seconds, in_body = _all(lambda: _seconds(do["delay"]), lambda: _in(do["in"]) if "in" in do else False)
    return DelayEffect(seconds, in_body)


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_DELAY:
        return value
    raise _wrong("do.delay", f"seconds, a number above 0 and at most {LONGEST_DELAY}", value)


def _in(value: object) -> bool:
    if value == "body":
        return True
    raise _wrong("do.in", "body; leave it out, and the wait comes before everything", value)


def _word(name: str, value: object, words: type[Word]) -> Word:
    for word in words:
        if word == value:
            return word
    raise _wrong(f"do.{name}", _either(words), value)


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Effect]] = {
    "status": _status,
    "delay": _delay,
    "close": lambda do: CloseEffect(_word("close", do["close"], Close)),
    "malform": lambda do: MalformEffect(_word("malform", do["malform"], Malform)),
    "token": lambda do: TokenEffect(_word("token", do["token"], TokenFault)),
}
_COMPANIONS = {"retry_after": "status", "in": "delay"}
_MEMBERS: Mapping[str, Callable[[object], Any]] = {
    "operation": _operation,
    "do": _effect,
    "times": _times,
    "every": _every,
    "client_id": _client_id,
    "parameters": _parameters,
}


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}"


_ONE_KIND = f"one of {_either(_KINDS)}"


def _all(*reads: Callable[[], Any], also: Iterable[str] = ()) -> list[Any]:
    """Return what each reader reads. Raises `FaultError` with the faults of all of them, and those found before."""
    values, faults = [], list(also)
    for read in reads:
        try:
            values.append(read())
        except FaultError as error:
            faults += error.faults
    if faults:
        raise FaultError(faults)
    return values


def _unknown(prefix: str, what: str, members: Iterable[object], known: Iterable[str]) -> list[str]:
    """Return a sentence for each of the first members that mean nothing."""
    names = [name for name in members if name not in set(known)]
    told = f"{what} has no such member; it has {', '.join(known)}"
    return [f"{prefix}{_name(name)}: {told}" for name in names[:_UNKNOWN_TOLD]]


def _wrong(name: str, expected: str, value: object) -> FaultError:
    return FaultError([f"{name}: expected {expected}, and got {_found(value)}"])


def _integer(name: str, value: object, low: int, high: int, expected: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise _wrong(name, expected, value)


def _found(value: object) -> str:
    """Return a value in the words of JSON, short and safe to show."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Mapping):
        return f"an object of {len(value)} members"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, int) and abs(value) >= _HUGE:
        return "a huge number"
    return shown(value)


def _name(name: object) -> str:
    return shown(name).strip("“”")


def _scalar(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
