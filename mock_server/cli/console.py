"""The server's console: each refused request with its failed check."""

import logging
import sys

from mock_server.exchange import Exchange
from mock_server.world.store import DEFAULT_WORLD

_logger = logging.getLogger("fla_mock")


def configure(level: str) -> None:
    """Log to standard error: our own messages at `level`, uvicorn's only at level debug.

    What uvicorn calls an error is a request that broke off, with a stack trace; faults of ours are logged by `edge`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    _logger.addHandler(handler)
    _logger.setLevel(level.upper())
    _logger.propagate = False
    # asyncio writes a stack trace for every connection that the system has no room for.
    for name in ("uvicorn.error", "asyncio", "sqlalchemy"):
        library = logging.getLogger(name)
        library.addHandler(handler)
        library.setLevel(logging.DEBUG if level == "debug" else logging.CRITICAL)
        library.propagate = False


def report(exchange: Exchange) -> None:
    """Say what a refused request lacked, and at level debug that a request was accepted."""
    who = f" from {exchange.client_id}" if exchange.client_id else ""
    check = exchange.refused_by
    status = "no answer to" if exchange.status is None else exchange.status
    if exchange.fault is not None:
        _logger.info("%s %s%s: fault %s", status, exchange.operation, who, exchange.fault.announcement)
        return
    if check is None:
        _logger.debug("%s %s%s", status, exchange.operation, who)
        return
    requirement = check.requirement
    lines = [
        f"{status} {exchange.operation}{who}: {exchange.error or 'refused'}  [{_number(exchange)}]",
        f"         {requirement.id}: {requirement.statement} [{requirement.source}; {requirement.provenance}]",
        f"         expected  {check.expected}",
        f"         came      {check.found}",
    ]
    if check.advice:
        lines.append(f"         do        {check.advice}")
    lines += [f"         nearly    {sentence}" for sentence in exchange.trail.near_misses if sentence != check.advice]
    _logger.info("%s", "\n".join(lines))


def _number(exchange: Exchange) -> str:
    world = "" if exchange.world == DEFAULT_WORLD else f" of world {exchange.world}"
    return f"exchange {exchange.number}{world}"
