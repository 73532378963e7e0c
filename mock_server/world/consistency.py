"""Whether the parts of a world fit together: pure, so that a file, a command line and an API call share it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from mock_server.identifiers import Capacity, EnterpriseNumber, Quarter, ServiceName
from mock_server.redaction import shown
from mock_server.world.model import (
    BOTH,
    Account,
    Enterprise,
    Mandate,
    MandateDecision,
    Service,
    WorldState,
)

T = TypeVar("T")

_FOR_EVER = Quarter(10_000, 1)
"""After every quarter that can be written."""


def faults(state: WorldState, services: Mapping[ServiceName, Service]) -> list[str]:
    """Return one sentence for each thing that does not fit; an empty list when all does."""
    return list(each_fault(state, services))


def each_fault(state: WorldState, services: Mapping[ServiceName, Service]) -> Iterator[str]:
    """Yield one sentence for each thing that does not fit, for whoever needs the first ones only."""
    enterprises = {enterprise.number: enterprise for enterprise in state.enterprises}
    employers = _with_capacity(state.enterprises, Capacity.EMPLOYER)
    mandataries = _with_capacity(state.enterprises, Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER)
    yield from _twice(
        state.enterprises,
        lambda entry: entry.number,
        lambda entry: f"enterprises: {entry.number} is there twice; keep one and list all its capacities",
    )
    yield from _twice(
        state.accounts,
        lambda entry: entry.client_id,
        lambda entry: f"accounts: client_id {entry.client_id} is used twice; every account has its own",
    )
    for index, enterprise in enumerate(state.enterprises):
        for capacity in sorted(enterprise.administrators.keys() - enterprise.capacities):
            yield (
                f"enterprises[{index}] ({shown(enterprise.name)}): administrators names {capacity}, "
                "which is not among its capacities"
            )
    for index, account in enumerate(state.accounts):
        for fault in _account_faults(account, enterprises, services):
            yield f"accounts[{index}] ({shown(account.name)}): {fault}"
    for index, mandate in enumerate(state.mandates):
        for fault in _mandate_faults(mandate, employers, mandataries, services):
            yield f"mandates[{index}] ({mandate.mandator} → {mandate.mandatary}): {fault}"
    yield from _rival_mandates(state.mandates, services)
    for index, employment in enumerate(state.employments):
        if employment.enterprise not in employers:
            yield f"employments[{index}]: enterprise {employment.enterprise} is not an employer among the enterprises"
    yield from _twice(
        state.documents,
        lambda entry: (entry.api, entry.path),
        lambda entry: f"documents: {shown(entry.path)} of {shown(entry.api)} is there twice; keep one",
    )
    yield from _twice(
        state.faults,
        lambda entry: entry.id,
        lambda entry: f"faults: id {entry.id} is used twice; every fault has its own",
    )


def _twice(items: Iterable[T], key: Callable[[T], Hashable], sentence: Callable[[T], str]) -> Iterator[str]:
    seen: set[Hashable] = set()
    for item in items:
        if key(item) in seen:
            yield sentence(item)
        seen.add(key(item))


def _with_capacity(enterprises: Iterable[Enterprise], *capacities: Capacity) -> frozenset[EnterpriseNumber]:
    return frozenset(entry.number for entry in enterprises if not entry.capacities.isdisjoint(capacities))


def _account_faults(
    account: Account, enterprises: Mapping[EnterpriseNumber, Enterprise], services: Mapping[ServiceName, Service]
) -> Iterator[str]:
    enterprise = enterprises.get(account.enterprise)
    if enterprise is None:
        yield f"enterprise {account.enterprise} is not among the enterprises"
    elif account.capacity not in enterprise.capacities:
        yield (
            f"enterprise {account.enterprise} does not have the capacity {account.capacity}; "
            "an account belongs to one active capacity (G§4.4)"
        )
    for permission in account.permissions:
        if permission not in services:
            yield f"permission {shown(permission)} names no service; known are {', '.join(services)}"
    for permission in account.permission_periods:
        if permission not in account.permissions:
            yield f"permission_periods names {shown(permission)}, which is not among its permissions"


def _mandate_faults(
    mandate: Mandate,
    employers: Collection[EnterpriseNumber],
    mandataries: Collection[EnterpriseNumber],
    services: Mapping[ServiceName, Service],
) -> Iterator[str]:
    if mandate.service not in services:
        yield f"service {shown(mandate.service)} is not known; known are {', '.join(services)}"
    if mandate.mandator not in employers:
        yield f"the mandator {mandate.mandator} is not an employer among the enterprises"
    if mandate.mandatary not in mandataries:
        yield f"the mandatary {mandate.mandatary} is not a social secretariat or service provider among the enterprises"
    if mandate.mandator == mandate.mandatary:
        yield "an enterprise cannot be its own mandatary"
    if mandate.end is not None and mandate.end < mandate.start:
        yield f"ends ({mandate.end}) before it starts ({mandate.start})"
    if mandate.decision is MandateDecision.CONFIRMED and mandate.confirmed_by != BOTH:
        yield "is confirmed, and not by both parties; name both in confirmed_by, or neither, or make it proposed"


def rivals(mandate: Mandate, others: Iterable[Mandate]) -> list[Mandate]:
    """Return the confirmed mandates that share mandator, service and a quarter with this one."""
    return [
        other
        for other in others
        if (other.mandator, other.service) == (mandate.mandator, mandate.service) and mandate.overlaps(other)
    ]


def _rival_mandates(mandates: Iterable[Mandate], services: Mapping[ServiceName, Service]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Mandate]] = defaultdict(list)
    for mandate in mandates:
        service = services.get(mandate.service)
        if service is not None and service.one_mandatary and mandate.decision is MandateDecision.CONFIRMED:
            groups[mandate.mandator, mandate.service].append(mandate)
    for group in groups.values():
        # By their starts, each has to be compared with one only: the one before it that lasts longest.
        longest, *others = sorted(group, key=lambda mandate: mandate.start)
        for mandate in others:
            if longest.overlaps(mandate):
                yield (
                    f"mandates: {mandate.mandator} has two mandataries for {mandate.service} in the same quarter, "
                    f"{longest.mandatary} ({_period(longest)}) and {mandate.mandatary} ({_period(mandate)}); "
                    "an employer has one at most (G§2.2.1)"
                )
            if (mandate.end or _FOR_EVER) > (longest.end or _FOR_EVER):
                longest = mandate


def _period(mandate: Mandate) -> str:
    return f"from {mandate.start}" + (f" to {mandate.end}" if mandate.end else "")
