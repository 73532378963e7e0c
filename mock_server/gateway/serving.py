"""Serving one request in a world: decided by an endpoint, spoiled by a fault if one was asked for, told to the journal.

An endpoint takes a request in two steps, so that a fault can come between them: `begin` finds out what is asked and by
whom, `decide` carries it out.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mock_server.asgi import (
    CONNECTION,
    Answer,
    ClientGoneError,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    answer_unread,
    send_whole,
)
from mock_server.exchange import AppliedFault, Exchange, Observer, Request
from mock_server.gateway.fault_effects import Close, Phase, halves
from mock_server.gateway.faults import FaultPlan, announcement, fires, matches, parse
from mock_server.identifiers import InvalidIdentifierError, parse_client_id
from mock_server.world.model import StoredFault
from mock_server.world.world import World

EXCHANGE_HEADER = b"mock-exchange"
FAULT_HEADER = b"mock-fault"
_WITHHELD = b"[redacted]"
_LONGEST_SCHEME = 16
"""Characters; what is longer may be a secret without a scheme."""
_SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie"})


class ConnectionClosed(Exception):  # noqa: N818 - what a client in the same process sees of a connection that is closed
    """The connection was closed on request, where there is no connection to close."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answers."""

    answer: Answer
    unread: bool = False
    """Whether the request's body was left unread."""
    shown_body: bytes | None = None
    """The body without its secrets; None when it has none."""


class Call(ABC):
    """A request that an endpoint has begun with."""

    @abstractmethod
    async def decide(self) -> Reply:
        """Carry the request out. Raises `ClientGoneError`."""

    def caller(self) -> str | None:
        """Return who claims to be calling, verified or not; None where nobody is asked for a name."""
        return None

    def with_expired_token(self, reply: Reply) -> Reply:
        """Return a token answer whose token has expired already; any other answer as it is."""
        return reply


class Endpoint(Protocol):
    """What serves some paths of a world."""

    async def begin(self, scope: Scope, receive: Receive, exchange: Exchange) -> Call:
        """Find out what is asked. Raises `ClientGoneError`."""


class Recorder(Protocol):
    """What keeps exchanges."""

    def number(self) -> int:
        """Return the number of the next exchange."""

    def append(self, exchange: Exchange) -> None:
        """Keep an exchange."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A fault that is applied."""

    plan: FaultPlan
    applied: AppliedFault


class Serving:
    """Serves the requests of one world."""

    def __init__(self, world: World, recorder: Recorder, observer: Observer) -> None:
        self._world = world
        self._plans: tuple[tuple[StoredFault, ...], list[tuple[StoredFault, FaultPlan]]] = ((), [])
        self._recorder = recorder
        self._observer = observer

    async def serve(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "HEAD":
            send = _without_body(send)
        started = time.perf_counter()
        exchange = Exchange(_request(scope), world=self._world.name, time=self._world.clock.now())
        try:
            call = await endpoint.begin(scope, receive, exchange)
            hit = self._early(call, exchange) if self._world.faults() else None
            if hit is None:
                reply = await call.decide()
                if self._world.faults():
                    hit, reply = self._late(call, exchange, reply)
            else:
                reply = await self._apply_early(hit, call, exchange)
        except ClientGoneError:
            self._record(exchange, None, started)
            return
        except Exception:
            self._record(exchange, None, started)
            raise
        await self._finish(_Answering(exchange, hit, started), reply, scope, receive, send)

    # Faults ---------------------------------------------------------------------------------------------------------

    def _candidates(self, call: Call, exchange: Exchange) -> Iterator[tuple[StoredFault, FaultPlan]]:
        caller = exchange.client_id
        for fault, plan in self._read_plans():
            if plan.client_id is not None and caller is None:
                caller = call.caller()
            if matches(plan, exchange.operation, caller, exchange.parameters):
                yield fault, plan

    def _read_plans(self) -> list[tuple[StoredFault, FaultPlan]]:
        faults = self._world.faults()
        if self._plans[0] is not faults:
            self._plans = (faults, [(fault, parse(fault.members)) for fault in faults])
        return self._plans[1]

    def _early(self, call: Call, exchange: Exchange) -> _Hit | None:
        for fault, plan in self._candidates(call, exchange):
            if _is_early(plan):
                hit = self._count(fault, plan)
                if hit is not None:
                    return hit
            elif self._would_hit(fault, plan):
                # It was added before those that are left, and whether it can be shown is known with the answer.
                return None
        return None

    def _late(self, call: Call, exchange: Exchange, reply: Reply) -> tuple[_Hit | None, Reply]:
        for fault, plan in self._candidates(call, exchange):
            if _is_early(plan) or not plan.effect.applies_to(reply.answer):
                continue
            hit = self._count(fault, plan)
            if hit is not None:
                exchange.fault = hit.applied
                return hit, _spoiled(plan, call, reply)
        return None, reply

    def _would_hit(self, fault: StoredFault, plan: FaultPlan) -> bool:
        """Whether a fault hits the next request that can show it, as far as is known before that is counted."""
        now = next((stored for stored in self._world.read_faults() if stored.id == fault.id), None)
        return now is not None and fires(plan, now.seen + 1, now.fired)

    def _count(self, fault: StoredFault, plan: FaultPlan) -> _Hit | None:
        counted = self._world.fault_seen(fault.id)
        if counted is None or not fires(plan, *counted):
            return None
        # Another process may have taken the last of `times` meanwhile: the number after counting decides.
        fired = self._world.fault_fired(fault.id)
        if fired == 0 or (plan.times is not None and fired > plan.times):
            return None
        return _Hit(plan, AppliedFault(fault.id, announcement(plan, str(fault.id))))

    async def _apply_early(self, hit: _Hit, call: Call, exchange: Exchange) -> Reply:
        effect = hit.plan.effect
        exchange.fault = hit.applied
        if effect.delay_before:
            await asyncio.sleep(effect.delay_before)
            self._world.look_again()
        if effect.phase is Phase.AFTER:
            return await call.decide()
        self._name_caller(call, exchange)
        exchange.error = "mock fault"
        replacement = effect.replacement(exchange.operation)
        return Reply(_NOTHING if replacement is None else replacement, unread=True)

    def _name_caller(self, call: Call, exchange: Exchange) -> None:
        """Name the account that is claimed, if there is one: any other text could be a secret, or forge a line."""
        try:
            account = self._world.account(parse_client_id(call.caller() or ""))
        except InvalidIdentifierError:
            return
        if account is not None:
            exchange.client_id, exchange.account = account.client_id, account.name

    # Answering ------------------------------------------------------------------------------------------------------

    def _record(self, exchange: Exchange, seen: Answer | None, started: float) -> None:
        exchange.answer = seen
        exchange.duration = time.perf_counter() - started
        if exchange.number == 0:
            exchange.number = self._recorder.number()
        self._recorder.append(exchange)

    async def _finish(self, answering: "_Answering", reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        exchange, hit = answering.exchange, answering.hit
        effect = hit.plan.effect if hit else None
        close = effect.close if effect else None
        exchange.number = self._recorder.number()
        headers: tuple[Header, ...] = (*reply.answer.headers, (EXCHANGE_HEADER, str(exchange.number).encode()))
        if hit is not None:
            headers = (*headers, (FAULT_HEADER, hit.applied.announcement.encode()))
        whole = replace(reply.answer, headers=headers)
        nothing_is_sent = close in {Close.BEFORE, Close.AFTER_CHANGE}
        shown = whole if reply.shown_body is None else replace(whole, body=reply.shown_body)
        exchange.answer_size = len(whole.body)
        # Before it is sent, so that who has the answer finds the exchange.
        self._record(exchange, None if nothing_is_sent else shown, answering.started)
        self._observer(exchange)
        if close is not None:
            await _send_and_close(close, whole, scope, send)
        elif effect is not None and effect.delay_in_body:
            await send_whole(send, whole, halves(whole.body), effect.delay_in_body)
        elif reply.unread:
            await answer_unread(scope, receive, send, whole)
        else:
            await answer(send, whole)


@dataclass(frozen=True, slots=True)
class _Answering:
    exchange: Exchange
    hit: _Hit | None
    started: float


_NOTHING = Answer(0, (), b"")


def _without_body(send: Send) -> Send:
    """Return what sends an answer to a HEAD: as long as that to a GET would be, and without its body."""

    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


def _request(scope: Scope) -> Request:
    headers = [
        (name, _without_secret(value)) if name in _SECRET_HEADERS else (name, value) for name, value in scope["headers"]
    ]
    return Request(
        scope["method"],
        (scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        scope.get("http_version", "1.1"),
        headers,
    )


def _without_secret(value: bytes) -> bytes:
    scheme, space, _ = value.partition(b" ")
    return scheme + b" " + _WITHHELD if space and len(scheme) <= _LONGEST_SCHEME else _WITHHELD


def _is_early(plan: FaultPlan) -> bool:
    """Whether nothing has to be known of the answer to say that a request can show this fault."""
    effect = plan.effect
    is_slow = max(effect.delay_before, effect.delay_in_body) > 0
    return effect.phase is Phase.BEFORE or effect.close is not None or is_slow


def _spoiled(plan: FaultPlan, call: Call, reply: Reply) -> Reply:
    if plan.effect.token_expired:
        return call.with_expired_token(reply)
    spoiled = plan.effect.transform(reply.answer)
    shown = None
    if reply.shown_body is not None:
        shown = plan.effect.transform(replace(reply.answer, body=reply.shown_body)).body
    return replace(reply, answer=spoiled, shown_body=shown)


async def _send_and_close(close: Close, whole: Answer, scope: Scope, send: Send) -> None:
    connection: Any = scope.get("extensions", {}).get(CONNECTION)
    if close in {Close.HEADERS, Close.BODY}:
        headers = (*whole.headers, (b"content-length", str(len(whole.body)).encode()))
        await send({"type": "http.response.start", "status": whole.status, "headers": headers})
    if close is Close.BODY:
        await send({"type": "http.response.body", "body": halves(whole.body)[0], "more_body": True})
    if connection is None:
        raise ConnectionClosed
    await connection.close()
