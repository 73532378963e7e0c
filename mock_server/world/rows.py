"""Between the values of a world and the rows of its tables."""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Table

from mock_server.clock import ClockState
from mock_server.identifiers import Capacity, ClientId, EnterpriseNumber, Quarter, ServiceName, Ssin
from mock_server.world import schema
from mock_server.world.model import (
    ALWAYS,
    CLOSED_ANSWER,
    CONSULTATION_ANSWER,
    Account,
    Administrator,
    CalendarYear,
    Document,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateDecision,
    OwnNumber,
    Party,
    Period,
    Phase,
    PhaseAnswer,
    RegisteredCertificate,
    StoredFault,
    WorldSettings,
    WorldState,
)

Row = dict[str, Any]


def of_state(world: str, state: WorldState) -> list[tuple[Table, list[Row]]]:
    """Return the rows of a whole world, table by table."""
    accounts = list(enumerate(state.accounts))
    mandates = [replace(mandate, id=number) for number, mandate in enumerate(state.mandates, 1)]
    # The revision begins anywhere: a world that was deleted and made anew must not look like the one before.
    own = {"world": world, "revision": secrets.randbits(30), "born": secrets.token_hex(8)}
    return [
        (schema.worlds, [{**own, **of_settings(state.settings), **of_clock(state.clock)}]),
        (
            schema.counters,
            [
                {
                    "world": world,
                    "exchanges": 0,
                    "dropped": 0,
                    "mandates": len(mandates),
                    "faults": max((fault.id for fault in state.faults), default=0),
                    "documents": max((document.number for document in state.documents), default=0),
                }
            ],
        ),
        (schema.enterprises, [of_enterprise(world, enterprise) for enterprise in state.enterprises]),
        (schema.administrators, [row for entry in state.enterprises for row in of_administrators(world, entry)]),
        (schema.accounts, [of_account(world, index, account) for index, account in accounts]),
        (schema.permissions, [row for _, account in accounts for row in of_permissions(world, account)]),
        (schema.certificates, [row for _, account in accounts for row in of_certificates(world, account)]),
        (schema.mandates, [of_mandate(world, mandate) for mandate in mandates]),
        (schema.employments, [of_employment(world, entry) for entry in dict.fromkeys(state.employments)]),
        (schema.documents, [of_document(world, document) for document in state.documents]),
        (schema.mentions, [row for document in state.documents for row in of_mentions(world, document)]),
        (schema.faults, [of_fault(world, fault) for fault in state.faults]),
    ]


# Enumerations are written as plain text: not every driver knows them.


def of_settings(settings: WorldSettings) -> Row:
    """Return the columns of a world's settings."""
    return {
        "employments": settings.employments.value,
        "mandatary_own_number": settings.mandatary_own_number.value,
        "activation_delay": settings.activation_delay,
        "calendar_year_in_mandate": settings.calendar_year_in_mandate.value,
        "phase": settings.phase.value,
        "consultation_answer": _of_answer(settings.consultation_answer, CONSULTATION_ANSWER),
        "closed_answer": _of_answer(settings.closed_answer, CLOSED_ANSWER),
    }


def _of_answer(answer: PhaseAnswer, usual: PhaseAnswer) -> str | None:
    return None if answer == usual else json.dumps(answer._asdict(), sort_keys=True)


def of_clock(clock: ClockState) -> Row:
    """Return the columns of a world's clock."""
    return {"clock_offset": clock.offset, "clock_frozen_at": clock.frozen_at}


def of_enterprise(world: str, enterprise: Enterprise) -> Row:
    """Return the row of an enterprise."""
    return {
        "world": world,
        "number": enterprise.number,
        "name": enterprise.name,
        "capacities": " ".join(sorted(enterprise.capacities)),
        "employments": enterprise.employments and enterprise.employments.value,
    }


def of_administrators(world: str, enterprise: Enterprise) -> list[Row]:
    """Return the rows of an enterprise's local administrators."""
    return [
        {
            "world": world,
            "enterprise": enterprise.number,
            "capacity": capacity.value,
            "email": who.email,
            "local_administrator": who.local_administrator,
        }
        for capacity, who in enterprise.administrators.items()
    ]


def of_account(world: str, position: int, account: Account) -> Row:
    """Return the row of an account."""
    return {
        "world": world,
        "client_id": account.client_id,
        "position": position,
        "name": account.name,
        "enterprise": account.enterprise,
        "capacity": account.capacity.value,
        **_of_period(account.period),
    }


def of_permissions(world: str, account: Account) -> list[Row]:
    """Return the rows of an account's permissions."""
    return [
        {
            "world": world,
            "client_id": account.client_id,
            "service": name,
            "position": position,
            **_of_period(account.permission_periods.get(name, ALWAYS)),
        }
        for position, name in enumerate(account.permissions)
    ]


def of_certificates(world: str, account: Account) -> list[Row]:
    """Return the rows of an account's certificates."""
    return [
        {
            "world": world,
            "client_id": account.client_id,
            "position": position,
            "name": entry.name,
            "der": entry.der,
            **_of_period(entry.period),
        }
        for position, entry in enumerate(account.certificates)
    ]


def _of_period(period: Period) -> Row:
    return {"active_from": period.since, "active_until": period.until}


def of_mandate(world: str, mandate: Mandate) -> Row:
    """Return the row of a mandate."""
    return {
        "world": world,
        "id": mandate.id,
        "mandator": mandate.mandator,
        "mandatary": mandate.mandatary,
        "service": mandate.service,
        "start": str(mandate.start),
        "end": str(mandate.end) if mandate.end else None,
        "decision": mandate.decision.value,
        "proposed_by": mandate.proposed_by and mandate.proposed_by.value,
        "confirmed_by": " ".join(sorted(mandate.confirmed_by)),
    }


def of_employment(world: str, employment: Employment) -> Row:
    """Return the row of an employment."""
    return {"world": world, "enterprise": employment.enterprise, "ssin": employment.ssin}


def of_document(world: str, document: Document) -> Row:
    """Return the row of a stored resource."""
    is_there = document.body is not None
    return {
        "world": world,
        "api": document.api,
        "path": document.path,
        "body": document.body or "",
        "collection": document.collection if is_there else None,
        "number": document.number,
        "mentioned": int(is_there and bool(document.mentions)),
    }


def of_mentions(world: str, document: Document) -> list[Row]:
    """Return the rows of whom a stored resource mentions; one that was deleted mentions nobody."""
    people = () if document.body is None else dict.fromkeys(document.mentions or ())
    return [{"world": world, "api": document.api, "ssin": ssin, "path": document.path} for ssin in people]


def of_fault(world: str, fault: StoredFault) -> Row:
    """Return the row of a fault."""
    members = json.dumps(fault.members, sort_keys=True)
    return {"world": world, "id": fault.id, "members": members, "seen": fault.seen, "fired": fault.fired}


def settings(row: Any) -> WorldSettings:  # noqa: ANN401 - a row, by name, here and below
    """Read the settings of a world's row."""
    return WorldSettings(
        Employments(row.employments),
        OwnNumber(row.mandatary_own_number),
        row.activation_delay,
        CalendarYear(row.calendar_year_in_mandate),
        Phase(row.phase),
        _answer(row.consultation_answer, CONSULTATION_ANSWER),
        _answer(row.closed_answer, CLOSED_ANSWER),
    )


def _answer(text: str | None, usual: PhaseAnswer) -> PhaseAnswer:
    return usual if text is None else PhaseAnswer(**json.loads(text))


def clock(row: Any) -> ClockState:  # noqa: ANN401 - as above
    """Read the clock of a world's row."""
    return ClockState(row.clock_offset, row.clock_frozen_at)


def enterprise(row: Any, administrators: Iterable[Any]) -> Enterprise:  # noqa: ANN401 - as above
    """Read an enterprise and those who administer its capacities."""
    return Enterprise(
        number=EnterpriseNumber(row.number),
        name=row.name,
        capacities=frozenset(Capacity(name) for name in row.capacities.split()),
        employments=Employments(row.employments) if row.employments else None,
        administrators={
            Capacity(entry.capacity): Administrator(entry.email, entry.local_administrator) for entry in administrators
        },
    )


def account(row: Any, permissions: Iterable[Any], certificates: Iterable[Any]) -> Account:  # noqa: ANN401 - as above
    """Read an account with its permissions and certificates."""
    ticked = {ServiceName(entry.service): _period(entry) for entry in permissions}
    return Account(
        client_id=ClientId(row.client_id),
        name=row.name,
        enterprise=EnterpriseNumber(row.enterprise),
        capacity=Capacity(row.capacity),
        permissions=tuple(ticked),
        certificates=tuple(
            RegisteredCertificate(entry.name, bytes(entry.der), _period(entry)) for entry in certificates
        ),
        period=_period(row),
        permission_periods={name: period for name, period in ticked.items() if period != ALWAYS},
    )


def _period(row: Any) -> Period:  # noqa: ANN401 - as above
    return Period(row.active_from, row.active_until)


def by_client(found: Iterable[Any]) -> Mapping[str, list[Any]]:
    """Group rows by the account that they belong to."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in found:
        groups[row.client_id].append(row)
    return groups


def mandate(row: Any) -> Mandate:  # noqa: ANN401 - as above
    """Read a mandate."""
    return Mandate(
        mandator=EnterpriseNumber(row.mandator),
        mandatary=EnterpriseNumber(row.mandatary),
        service=ServiceName(row.service),
        start=Quarter.parse(row.start),
        end=Quarter.parse(row.end) if row.end else None,
        decision=MandateDecision(row.decision),
        proposed_by=Party(row.proposed_by) if row.proposed_by else None,
        confirmed_by=frozenset(Party(name) for name in row.confirmed_by.split()),
        id=row.id,
    )


def employment(row: Any) -> Employment:  # noqa: ANN401 - as above
    """Read an employment."""
    return Employment(EnterpriseNumber(row.enterprise), Ssin(row.ssin))


def document(row: Any) -> Document:  # noqa: ANN401 - as above
    """Read a stored resource, without its mentions."""
    return Document(row.api, row.path, row.body or None, row.number)


def fault(row: Any) -> StoredFault:  # noqa: ANN401 - as above
    """Read a fault."""
    return StoredFault(row.id, json.loads(row.members), row.seen, row.fired)
