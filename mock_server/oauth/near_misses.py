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
from mock_server.world.model import Account, RegisteredCertificate

TRIED = 50
"""How many certificates a signature is tried with: it takes half a millisecond each, and anybody can send one."""
_ABOUT_THE_SIGNER = {req.ACCOUNT, req.CERTIFICATE, req.SIGNATURE}


def note_near_misses(trail: Trail, assertion: Assertion, authority: Authority, now: float) -> None:
    """Note who made a signature that was refused, and what of the account has no effect yet, or no more."""
    failed = {check.requirement for check in trail.checks if check.outcome is Outcome.FAILED}
    if not failed & _ABOUT_THE_SIGNER:
        return
    subject = assertion.claims.get("sub")
    own = (
        authority.registered(ClientId(subject)) if isinstance(subject, str) and len(subject) <= CLIENT_ID_MAX else None
    )
    if own is not None and own.at(now) is None:
        trail.near_misses.append(f"The account {shown(own.name)} is registered, and has {_effect(own.period, now)}.")
    if assertion.algorithm not in authority.policy.algorithms:
        return
    for account, certificate in _candidates(own, authority, assertion.algorithm):
        if verifying_certificate((certificate,), assertion.algorithm, assertion.signing_input, assertion.signature):
            trail.near_misses.append(_signed_by(account, certificate, own, now))
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


def _signed_by(account: Account, certificate: RegisteredCertificate, own: Account | None, now: float) -> str:
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
    return f"The signature is by certificate {name} of this account, which has {_effect(certificate.period, now)}."


def _effect(period: tuple[float | None, float | None], now: float) -> str:
    since, until = period
    if since is not None and now < since:
        return f"effect from {moment(since)} only, {distance(since - now)} from now"
    if until is not None and until <= now:
        return f"had no effect since {moment(until)}"
    return "no effect now"
