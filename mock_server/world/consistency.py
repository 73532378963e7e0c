"""Whether the parts of a world fit together: pure, so that a file, a command line and an API call share it."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import TypeVar

from mock_server.identifiers import Capacity, EnterpriseNumber, ServiceName
from mock_server.redaction import shown
from mock_server.world.model import Account, Enterprise, Mandate, Service, WorldState

T = TypeVar("T")


def faults(state: WorldState, services: Mapping[ServiceName, Service]) -> list[str]:
    """Return one sentence for each thing that does not fit; an empty list when all does."""
    enterprises = {enterprise.number: enterprise for enterprise in state.enterprises}
    return [
        *_twice(
            state.enterprises,
            lambda e: e.number,
            "enterprises: {} is there twice; keep one and list all its capacities",
        ),
        *_twice(
            state.accounts, lambda a: a.client_id, "accounts: client_id {} is used twice; every account has its own"
        ),
        *(
            f"accounts[{index}] ({shown(account.name)}): {fault}"
            for index, account in enumerate(state.accounts)
            for fault in _account_faults(account, enterprises, services)
        ),
        *(
            f"mandates[{index}] ({mandate.mandator} → {mandate.mandatary}): {fault}"
            for index, mandate in enumerate(state.mandates)
            for fault in _mandate_faults(mandate, enterprises, services)
        ),
        *_rival_mandates(state.mandates, services),
        *(
            f"employments[{index}]: enterprise {employment.enterprise} is not an employer among the enterprises"
            for index, employment in enumerate(state.employments)
            if not _has(enterprises.get(employment.enterprise), Capacity.EMPLOYER)
        ),
    ]


def _twice(items: Iterable[T], key: Callable[[T], Hashable], sentence: str) -> Iterator[str]:
    seen: set[Hashable] = set()
    for item in items:
        if key(item) in seen:
            yield sentence.format(key(item))
        seen.add(key(item))


def _has(enterprise: Enterprise | None, *capacities: Capacity) -> bool:
    return enterprise is not None and not enterprise.capacities.isdisjoint(capacities)


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


def _mandate_faults(
    mandate: Mandate, enterprises: Mapping[EnterpriseNumber, Enterprise], services: Mapping[ServiceName, Service]
) -> Iterator[str]:
    if mandate.service not in services:
        yield f"service {shown(mandate.service)} is not known; known are {', '.join(services)}"
    if not _has(enterprises.get(mandate.mandator), Capacity.EMPLOYER):
        yield f"the mandator {mandate.mandator} is not an employer among the enterprises"
    if not _has(enterprises.get(mandate.mandatary), Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER):
        yield f"the mandatary {mandate.mandatary} is not a social secretariat or service provider among the enterprises"
    if mandate.mandator == mandate.mandatary:
        yield "an enterprise cannot be its own mandatary"
    if mandate.end is not None and mandate.end < mandate.start:
        yield f"ends ({mandate.end}) before it starts ({mandate.start})"


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
        if service is not None and service.one_mandatary:
            groups[mandate.mandator, mandate.service].append(mandate)
    for group in groups.values():
        for one, other in combinations(group, 2):
            if rivals(one, [other]):
                yield (
                    f"mandates: {one.mandator} has two mandataries for {one.service} in the same quarter, "
                    f"{one.mandatary} ({_period(one)}) and {other.mandatary} ({_period(other)}); "
                    "an employer has one at most (G§2.2.1)"
                )


def _period(mandate: Mandate) -> str:
    return f"from {mandate.start}" + (f" to {mandate.end}" if mandate.end else "")
