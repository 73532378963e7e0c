"""Step 9: which scopes a request gets. The account's capacity and ticked permissions decide (G§4.4.1, G§6.1)."""

import re
from collections.abc import Mapping

from mock_server.identifiers import ServiceName
from mock_server.oauth import requirements as req
from mock_server.redaction import shown
from mock_server.verdict import Trail
from mock_server.world.model import Account, Service

# RFC 6749 §3.3: scope = scope-token *( SP scope-token ).
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")


def granted_scopes(account: Account, services: Mapping[ServiceName, Service]) -> tuple[str, ...]:
    """Return all scopes of an account: those of its capacity, for each service whose permission is ticked."""
    names = (
        scope
        for permission in account.permissions
        if permission in services
        for scope in services[permission].scopes.get(account.capacity, ())
    )
    return tuple(dict.fromkeys(names))


def judge_scope(
    trail: Trail, requested: str | None, account: Account | None, services: Mapping[ServiceName, Service]
) -> tuple[str, ...]:
    """Return the scopes of the access token: those asked for, or all.

    The developer guide says that “default scopes” are selected when none is asked for; that these are all is assumed.
    """
    granted = granted_scopes(account, services) if account is not None else ()
    if account is None:
        trail.not_judged(req.PERMISSION, "no account")
    elif granted:
        trail.passed(req.PERMISSION, ", ".join(account.permissions))
    else:
        trail.failed(
            req.PERMISSION,
            "a ticked permission that gives a scope to this capacity",
            f"{', '.join(account.permissions) or 'no permission'} on an account of capacity {account.capacity}",
        )
    if requested is None:
        trail.passed(req.SCOPE_FORM, "no scope: all that the account has")
        return granted
    if not _SCOPE.fullmatch(requested):
        trail.failed(req.SCOPE_FORM, "names without quotes or backslashes, one space between two", shown(requested))
        return ()
    trail.passed(req.SCOPE_FORM)
    wanted = tuple(dict.fromkeys(requested.split(" ")))
    if account is None:
        trail.not_judged(req.SCOPE_GRANTED, "no account")
        return ()
    refused = [name for name in wanted if name not in granted]
    if refused:
        _refuse(trail, refused, granted, account, services)
    else:
        trail.passed(req.SCOPE_GRANTED)
    return wanted


def _refuse(
    trail: Trail,
    refused: list[str],
    granted: tuple[str, ...],
    account: Account,
    services: Mapping[ServiceName, Service],
) -> None:
    owners = [
        f"{shown(name)} belongs to the permission {service.name} and the capacity {capacity}"
        for name in refused
        for service in services.values()
        for capacity, scopes in service.scopes.items()
        if name in scopes
    ]
    held = f"this account is {account.capacity} with {', '.join(account.permissions) or 'no permission'}"
    trail.failed(
        req.SCOPE_GRANTED,
        f"one or more of {' '.join(granted)}, or no scope" if granted else "no scope",
        ", ".join(shown(name) for name in refused[:5]),
        "; ".join([*owners[:3], held]) + ".",
    )
    if owners:
        trail.near_misses.append("; ".join([*owners[:3], held]) + ".")
