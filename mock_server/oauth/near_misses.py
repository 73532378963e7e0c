"""Near misses: what a refused assertion would have been good for, told in the journal and never on the wire."""

from collections.abc import Iterator

from mock_server.identifiers import CLIENT_ID_MAX, ClientId
from mock_server.oauth import requirements as req
from mock_server.oauth.assertion import Assertion
from mock_server.oauth.authority import Authority
from mock_server.oauth.keys import fitting_algorithms, verifying_certificate
from mock_server.oauth.times import distance, moment
from mock_server.redaction import shown
from mock_server.verdict import Outcome, Trail
from mock_server.world.model import Account, Period, RegisteredCertificate

TRIED = 50
"""How many certificates a signature is tried with: it takes half a millisecond each, and anybody can send one."""
_ABOUT_THE_SIGNER = {req.ACCOUNT, req.ALGORITHM, req.CERTIFICATE, req.SIGNATURE}
_ABOUT_PERMISSIONS = {req.PERMISSION, req.SCOPE_GRANTED}


def note_near_misses(trail: Trail, assertion: Assertion, authority: Authority, now: float) -> None:
    """Note who made a signature that was refused, and what of the account has no effect yet, or no more."""
    failed = {check.requirement for check in trail.checks if check.outcome is Outcome.FAILED}
    if not failed & (_ABOUT_THE_SIGNER | _ABOUT_PERMISSIONS):
        return
    subject = assertion.claims.get("sub")
    own = (
        authority.registered(ClientId(subject)) if isinstance(subject, str) and len(subject) <= CLIENT_ID_MAX else None
    )
    if own is not None and failed & _ABOUT_PERMISSIONS:
        trail.near_misses += [
            f"The permission {name} of this account has {_effect(period, now)}."
            for name, period in own.permission_periods.items()
            if not period.covers(now)
        ]
    if not failed & _ABOUT_THE_SIGNER:
        return
    if own is not None and own.at(now) is None:
        trail.near_misses.append(f"The account {shown(own.name)} is registered, and has {_effect(own.period, now)}.")
    if assertion.algorithm not in authority.policy.algorithms:
        return
    for account, certificate in _candidates(own, authority, assertion.algorithm):
        if verifying_certificate((certificate,), assertion.algorithm, assertion.signing_input, assertion.signature):
            said = _signed_by(account, certificate, own, now)
            trail.near_misses += [] if said is None else [said]
            return


def _candidates(
    own: Account | None, authority: Authority, algorithm: str
) -> Iterator[tuple[Account, RegisteredCertificate]]:
    left = TRIED
    others = (account for account in authority.some_accounts(TRIED) if own is None or account != own)
    for account in (*([] if own is None else [own]), *others):
        for certificate in account.certificates:
            if algorithm not in fitting_algorithms(certificate):
                continue
            if left == 0:
                return
            left -= 1
            yield account, certificate


def _signed_by(account: Account, certificate: RegisteredCertificate, own: Account | None, now: float) -> str | None:
    """Return what to say of who signed; None when nothing is wrong with this certificate: it is the account itself."""
    name = shown(certificate.name)
    if account is not own:
        wanted = f"not of {shown(own.name)}" if own is not None else "so sub and iss would be its client id"
        return (
            f"The signature is by certificate {name} of account {shown(account.name)} "
            f"(client id {shown(account.client_id)}), {wanted}."
        )
    start, end = certificate.validity
    if now > end:
        return f"The signature is by certificate {name} of this account, which expired {distance(now - end)} ago."
    if now < start:
        return f"The signature is by certificate {name} of this account, which is valid from {moment(start)} only."
    if certificate.period.covers(now):
        return None
    return f"The signature is by certificate {name} of this account, which has {_effect(certificate.period, now)}."


def _effect(period: Period, now: float) -> str:
    """Return in words that something has no effect at a moment: not yet, or no more."""
    if period.since is not None and now < period.since:
        return f"effect from {moment(period.since)} only, {distance(period.since - now)} from now"
    return "had no effect since " + moment(now if period.until is None else period.until)
