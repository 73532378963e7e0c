"""MAHIS: mandates, from proposal to end (guide §2.2; MAHIS information pages).

A mandate is created by one party and confirmed by the other, or by a procuration that both signed. It is valid by
quarter. What its states are called, and who may leave which, is assumed where the pages say nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mock_server.identifiers import EnterpriseNumber, Quarter, ServiceName
from mock_server.portal.access_management import find_enterprise, require_capacity
from mock_server.portal.activation import Page
from mock_server.portal.errors import ConflictError, NotFoundError, RefusedError
from mock_server.portal.texts import require, service_issues
from mock_server.problems import INVALID_INPUT, Issue
from mock_server.world.consistency import rivals
from mock_server.world.model import BOTH, Mandate, MandateDecision, MandateStatus, Party, Service
from mock_server.world.world import World

Services = Mapping[ServiceName, Service]

_RUNNING = (MandateStatus.CONFIRMED, MandateStatus.ACTIVE)
_WHAT_NOW = {
    MandateStatus.PROPOSED: "It is confirmed or rejected by the other side, or revoked by either.",
    MandateStatus.CONFIRMED: "It can be ended or revoked.",
    MandateStatus.ACTIVE: "It can be ended or revoked.",
    MandateStatus.ENDED: "It is over: propose another one.",
    MandateStatus.REJECTED: "It is over: propose another one.",
    MandateStatus.REVOKED: "It is over: propose another one.",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mandate that is to be; the end is optional."""

    mandator: EnterpriseNumber
    mandatary: EnterpriseNumber
    service: str
    start: Quarter
    end: Quarter | None = None
    proposed_by: Party | None = None
    """None: a procuration, which both signed."""


def find_mandate(world: World, number: int) -> Mandate:
    """Return the mandate with this number. Raises `NotFoundError`."""
    mandate = world.mandate(number)
    if mandate is None:
        raise NotFoundError(f"mandate {number}")
    return mandate


def list_mandates(  # noqa: PLR0913 - each narrows the list down
    world: World,
    *,
    mandator: EnterpriseNumber | None = None,
    mandatary: EnterpriseNumber | None = None,
    service: ServiceName | None = None,
    status: MandateStatus | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Page[Mandate]:
    """Return mandates by number, from the one after a number; `status` is that of the world's time."""
    if status is None:
        found = world.mandates(mandator=mandator, mandatary=mandatary, service=service, after=after, limit=limit)
        wanted = {"mandator": mandator, "mandatary": mandatary, "service": service}
        total = world.count("mandates", **{name: value for name, value in wanted.items() if value is not None})
        return Page(found, total)
    # The status follows from the quarters and the clock, which no table knows.
    quarter = world.current_quarter()
    every = world.mandates(mandator=mandator, mandatary=mandatary, service=service)
    fitting = [mandate for mandate in every if mandate.status_in(quarter) is status]
    return Page([mandate for mandate in fitting if mandate.id > after][:limit], len(fitting))


def propose(world: World, services: Services, proposal: Proposal) -> Mandate:
    """Make a mandate: proposed, which counts as that side's confirmation, or by procuration and confirmed at once.

    Raises `RefusedError` for wrong input, and `ConflictError` when a side lacks the capacity or there is a rival.
    """
    require([*_faults(world, services, proposal)], "The mandate")
    with world.changing():
        _require_capacities(world, proposal)
        mandate = Mandate(
            mandator=proposal.mandator,
            mandatary=proposal.mandatary,
            service=ServiceName(proposal.service),
            start=proposal.start,
            end=proposal.end,
            decision=MandateDecision.PROPOSED,
            proposed_by=proposal.proposed_by,
            confirmed_by=frozenset() if proposal.proposed_by is None else frozenset({proposal.proposed_by}),
        )
        if proposal.proposed_by is None:
            mandate = _confirmed(world, services, mandate)
        return world.put_mandate(mandate)


def confirm(world: World, services: Services, number: int, by: Party) -> Mandate:
    """Confirm a mandate for one side; a side that has confirmed it already changes nothing.

    Raises `NotFoundError`, and `ConflictError` when it is over, or when the employer would have two mandataries.
    """

    def change(mandate: Mandate, status: MandateStatus) -> Mandate:
        if status not in {MandateStatus.PROPOSED, *_RUNNING}:
            raise _impossible(mandate, status, "confirmed")
        sides = mandate.confirmed_by | {by}
        if mandate.decision is MandateDecision.CONFIRMED or sides != BOTH:
            return replace(mandate, confirmed_by=sides)
        return _confirmed(world, services, mandate)

    return _changed(world, number, change)


def reject(world: World, number: int, by: Party) -> Mandate:
    """Reject a proposed mandate for the side that has not confirmed it. Raises `NotFoundError` and `ConflictError`."""

    def change(mandate: Mandate, status: MandateStatus) -> Mandate:
        if status is not MandateStatus.PROPOSED:
            raise _impossible(mandate, status, "rejected")
        if by in mandate.confirmed_by:
            msg = (
                f"Mandate {mandate.id} is rejected by the side that has not confirmed it, and the {by} has. "
                "To withdraw it, revoke it."
            )
            raise ConflictError(msg)
        return replace(mandate, decision=MandateDecision.REJECTED)

    return _changed(world, number, change)


def revoke(world: World, number: int) -> Mandate:
    """Take a mandate back at once, be it proposed, confirmed or active. Raises `NotFoundError` and `ConflictError`.

    Either side may, and which one did is not kept.
    """

    def change(mandate: Mandate, status: MandateStatus) -> Mandate:
        if status not in {MandateStatus.PROPOSED, *_RUNNING}:
            raise _impossible(mandate, status, "revoked")
        return replace(mandate, decision=MandateDecision.REVOKED)

    return _changed(world, number, change)


def end(world: World, services: Services, number: int, quarter: Quarter | None = None) -> Mandate:
    """Set the last quarter of a confirmed or active mandate, by default the current one; it may be a later one too.

    Raises `NotFoundError`, `RefusedError` for an end before the start, and `ConflictError` when it is not confirmed or
    over, or when going on for longer would give the employer two mandataries.
    """

    def change(mandate: Mandate, status: MandateStatus) -> Mandate:
        if status not in _RUNNING:
            raise _impossible(mandate, status, "ended")
        last = quarter or world.current_quarter()
        if last < mandate.start:
            detail = f"expected {mandate.start}, its first quarter, or a later one; found {last}"
            msg = (
                f"Mandate {mandate.id} cannot end before it starts: {detail}. To take it back before it starts, "
                "revoke it."
            )
            raise RefusedError(msg, [Issue(INVALID_INPUT, "body", "end", detail)])
        ended = replace(mandate, end=last)
        if mandate.end is not None and mandate.end < last:
            _refuse_rival(world, services, ended)
        return ended

    return _changed(world, number, change)


def _changed(world: World, number: int, change: Callable[[Mandate, MandateStatus], Mandate]) -> Mandate:
    with world.changing():
        mandate = find_mandate(world, number)
        return world.put_mandate(change(mandate, mandate.status_in(world.current_quarter())))


def _impossible(mandate: Mandate, status: MandateStatus, wanted: str) -> ConflictError:
    return ConflictError(
        f"Mandate {mandate.id} cannot be {wanted}: it is {status} ({_period(mandate)}). {_WHAT_NOW[status]}"
    )


def _confirmed(world: World, services: Services, mandate: Mandate) -> Mandate:
    """Return a mandate that both sides confirmed. Raises `ConflictError` when there is a rival."""
    mandate = replace(mandate, decision=MandateDecision.CONFIRMED, confirmed_by=BOTH)
    _refuse_rival(world, services, mandate)
    return mandate


def _refuse_rival(world: World, services: Services, mandate: Mandate) -> None:
    service = services.get(mandate.service)
    if service is None or not service.one_mandatary:
        return
    others = (other for other in world.mandates_given(mandate.mandator, mandate.service) if other.id != mandate.id)
    found = rivals(mandate, others)
    if found:
        raise ConflictError(_rivalry(mandate, found))


def _rivalry(mandate: Mandate, found: Iterable[Mandate]) -> str:
    others = "; ".join(f"mandate {other.id} of {other.mandatary} ({_period(other)})" for other in found)
    return (
        f"An employer has one mandatary at most for {mandate.service} (G§2.2.1), and {mandate.mandator} has one in the "
        f"same quarters ({_period(mandate)}): {others}. End or revoke that one first, or choose other quarters."
    )


def _period(mandate: Mandate) -> str:
    return f"from {mandate.start}" + (f" to {mandate.end}" if mandate.end else "")


def _faults(world: World, services: Services, proposal: Proposal) -> Iterator[Issue]:
    yield from service_issues([proposal.service], services, "service")
    if proposal.mandator == proposal.mandatary:
        detail = f"expected another enterprise than the mandator; found {proposal.mandatary} twice"
        yield Issue(INVALID_INPUT, "body", "mandatary", detail)
    if proposal.end is not None and proposal.end < proposal.start:
        detail = f"expected {proposal.start}, the first quarter, or a later one; found {proposal.end}"
        yield Issue(INVALID_INPUT, "body", "end", detail)
    for party, number in ((Party.MANDATOR, proposal.mandator), (Party.MANDATARY, proposal.mandatary)):
        if world.enterprise(number) is None:
            detail = f"expected an enterprise of this world; found {number}"
            yield Issue(INVALID_INPUT, "body", party.value, detail)


def _require_capacities(world: World, proposal: Proposal) -> None:
    for party, number in ((Party.MANDATOR, proposal.mandator), (Party.MANDATARY, proposal.mandatary)):
        require_capacity(find_enterprise(world, number), party, f"be the {party} of a mandate")
