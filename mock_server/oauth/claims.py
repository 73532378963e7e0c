"""Steps 4 to 8: who signed the assertion, for whom it is meant, and when it is valid.

Each function judges what it can even after an earlier check failed, so that one look at the trail shows every fault.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

from mock_server.identifiers import ClientId, InvalidIdentifierError, parse_client_id
from mock_server.oauth import requirements as req
from mock_server.oauth.assertion import Assertion
from mock_server.oauth.keys import fitting_algorithms, verifying_certificate
from mock_server.oauth.policy import Policy
from mock_server.oauth.requirements import OAuthRequirement
from mock_server.oauth.times import moment, period
from mock_server.redaction import shown
from mock_server.verdict import Trail
from mock_server.world.model import Account, RegisteredCertificate


@dataclass(frozen=True, slots=True)
class Audiences:
    """What `aud` may be for one request."""

    accepted: tuple[str, ...]
    advice: str = ""
    """Said when `aud` is refused: why the URL that was called is not among the accepted ones."""


def judge_claims(  # noqa: PLR0913 - the facts that a verdict is made of
    trail: Trail,
    assertion: Assertion,
    *,
    client_id: str | None,
    find_account: Callable[[ClientId], Account | None],
    audiences: Audiences,
    policy: Policy,
    now: float,
) -> Account | None:
    """Judge steps 4 to 8 and return the account that the assertion names, verified only if the trail is accepted."""
    subject = _judge_subject(trail, assertion, client_id)
    # Before the account: what follows from the request alone must not tell whether an account exists.
    _judge_header(trail, assertion, policy)
    account = _judge_account(trail, subject, find_account)
    candidates = _judge_algorithm(trail, assertion, account, policy, now)
    _judge_signature(trail, assertion, candidates)
    _judge_audience(trail, assertion, audiences, policy)
    _judge_times(trail, assertion, policy, now)
    return account


def _judge_subject(trail: Trail, assertion: Assertion, client_id: str | None) -> str | None:
    subject, issuer = assertion.claims.get("sub"), assertion.claims.get("iss")
    if not isinstance(subject, str) or not subject:
        trail.failed(req.SUBJECT, "the client id, as a string", "no sub" if subject is None else shown(subject))
        return None
    trail.passed(req.SUBJECT, shown(subject))
    if issuer == subject:
        trail.passed(req.ISSUER)
    else:
        found = "no iss" if issuer is None else shown(issuer)
        trail.failed(req.ISSUER, f"{shown(subject)}, as in sub", found)
    if client_id is None or client_id == subject:
        trail.passed(req.CLIENT_ID)
    else:
        trail.failed(req.CLIENT_ID, f"{shown(subject)}, as in sub, or no client_id", shown(client_id))
    return subject


def _judge_account(
    trail: Trail, subject: str | None, find_account: Callable[[ClientId], Account | None]
) -> Account | None:
    if subject is None:
        trail.not_judged(req.ACCOUNT, "sub names no client")
        return None
    try:
        account = find_account(parse_client_id(subject))
    except InvalidIdentifierError:
        account = None
    if account is None:
        trail.failed(
            req.ACCOUNT,
            "the client id of an account of this world",
            f"{shown(subject)}, which no account has",
            "Compare it with the client_id in demo.json, or register your own (fla-mock account create, or --account).",
        )
        return None
    trail.passed(req.ACCOUNT, f"account {shown(account.name)}")
    return account


def _judge_header(trail: Trail, assertion: Assertion, policy: Policy) -> None:
    kind = assertion.header.get("typ")
    accepted = {name.lower() for name in policy.types}
    if "typ" not in assertion.header or (isinstance(kind, str) and kind.lower() in accepted):
        trail.passed(req.TYPE)
    else:
        trail.failed(req.TYPE, f"{' or '.join(policy.types)}, or no typ", shown(kind))
    if isinstance(assertion.header.get("kid", ""), str):
        trail.passed(req.KEY_HINT)
    else:
        trail.failed(req.KEY_HINT, "a string, or no kid", shown(assertion.header["kid"]))


def _judge_algorithm(
    trail: Trail, assertion: Assertion, account: Account | None, policy: Policy, now: float
) -> tuple[RegisteredCertificate, ...]:
    algorithm = assertion.algorithm
    if account is None:
        trail.not_judged(req.ALGORITHM, "no account")
        trail.not_judged(req.CERTIFICATE, "no account")
        return ()
    fitting = [entry for entry in account.certificates if algorithm in fitting_algorithms(entry)]
    if algorithm not in policy.algorithms or not fitting:
        possible = {name for entry in account.certificates for name in fitting_algorithms(entry)}
        accepted = [name for name in policy.algorithms if name in possible]
        trail.failed(
            req.ALGORITHM,
            f"{' or '.join(accepted)}: what the registered keys can sign" if accepted else "a registered key",
            shown(algorithm),
        )
        trail.not_judged(req.CERTIFICATE, "no key for this algorithm")
        return ()
    trail.passed(req.ALGORITHM, algorithm)
    valid = tuple(entry for entry in fitting if entry.validity[0] <= now <= entry.validity[1])
    if valid:
        trail.passed(req.CERTIFICATE)
    else:
        found = "; ".join(f"{shown(entry.name)} valid {period(*entry.validity)}" for entry in fitting)
        advice = "Register a certificate that is valid now."
        trail.failed(req.CERTIFICATE, f"a certificate that is valid at {moment(now)}", found, advice)
    return valid


def _judge_signature(trail: Trail, assertion: Assertion, candidates: tuple[RegisteredCertificate, ...]) -> None:
    if not candidates:
        trail.not_judged(req.SIGNATURE, "no certificate to verify it with")
        return
    certificate = verifying_certificate(candidates, assertion.algorithm, assertion.signing_input, assertion.signature)
    if certificate is None:
        tried = ", ".join(shown(entry.name) for entry in candidates)
        trail.failed(
            req.SIGNATURE,
            f"a signature by the key of {tried}",
            f"one that does not verify ({len(assertion.signature)} bytes)",
            "Sign header.payload exactly as sent, with the private key of the registered certificate; "
            "an ECDSA signature is R and S side by side, not DER (RFC 7518 §3.4).",
        )
    else:
        trail.passed(req.SIGNATURE, f"certificate {shown(certificate.name)}")


def _judge_audience(trail: Trail, assertion: Assertion, audiences: Audiences, policy: Policy) -> None:
    audience = assertion.claims.get("aud")
    single = audience
    if policy.audience_array and isinstance(audience, list) and len(audience) == 1:
        single = audience[0]
    if not isinstance(single, str):
        expected = "one string" + (", or an array of one" if policy.audience_array else "")
        trail.failed(req.AUDIENCE_FORM, expected, "no aud" if audience is None else shown(audience))
        trail.not_judged(req.AUDIENCE, "aud is not one audience")
        return
    trail.passed(req.AUDIENCE_FORM)
    if single in audiences.accepted:
        trail.passed(req.AUDIENCE, shown(single))
        return
    near = next(
        (one for one in audiences.accepted if one.rstrip("/").lower() == single.strip().rstrip("/").lower()), ""
    )
    advice = f"It differs from {near} in letter case, a space or the last slash only." if near else audiences.advice
    trail.failed(req.AUDIENCE, " or ".join(audiences.accepted), shown(single), advice)
    if near:
        trail.near_misses.append(f"aud differs from {near} in letter case, a space or the last slash only.")


def _judge_times(trail: Trail, assertion: Assertion, policy: Policy, now: float) -> None:
    claims = assertion.claims
    expiry = claims.get("exp")
    if not _is_numeric_date(expiry):
        trail.failed(
            req.EXPIRY_FORM,
            "a number of seconds since 1970",
            "no exp" if "exp" not in claims else f"{shown(expiry)} ({type(expiry).__name__})",
        )
        trail.not_judged(req.EXPIRED, "exp is not a time")
        trail.not_judged(req.LIFETIME, "exp is not a time")
    else:
        trail.passed(req.EXPIRY_FORM)
        _judge_expiry(trail, expiry, policy, now)
    for name, requirement in (("nbf", req.NOT_BEFORE), ("iat", req.ISSUED_AT)):
        _judge_past(trail, requirement, name, claims, policy, now)


def _judge_expiry(trail: Trail, expiry: float, policy: Policy, now: float) -> None:
    if expiry > now - policy.clock_skew:
        trail.passed(req.EXPIRED)
    else:
        trail.failed(
            req.EXPIRED,
            f"a time after {moment(now - policy.clock_skew)}",
            moment(expiry),
            "Make a new assertion for every request, and compare the clocks (exp is in UTC).",
        )
    latest = now + policy.max_lifetime + policy.clock_skew
    if expiry <= latest:
        trail.passed(req.LIFETIME)
    else:
        trail.failed(
            req.LIFETIME,
            f"at most {policy.max_lifetime} seconds from now, so not after {moment(latest)}",
            f"{moment(expiry)}, {expiry - now:.6g} seconds from now",
            _milliseconds(expiry, now) or "Set exp to a few minutes from now.",
        )


def _judge_past(  # noqa: PLR0913 - two claims share it
    trail: Trail, requirement: OAuthRequirement, name: str, claims: dict[str, object], policy: Policy, now: float
) -> None:
    value = claims.get(name)
    if name not in claims:
        trail.passed(requirement, f"no {name}")
    elif not _is_numeric_date(value):
        trail.failed(requirement, "a number of seconds since 1970", f"{shown(value)} ({type(value).__name__})")
    elif value <= now + policy.clock_skew:
        trail.passed(requirement)
    else:
        trail.failed(
            requirement,
            f"not after {moment(now + policy.clock_skew)}",
            f"{moment(value)}, {value - now:.6g} seconds from now",
            _milliseconds(value, now) or "Take it from a clock in UTC: a local time without its zone is hours off.",
        )


def _is_numeric_date(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _milliseconds(value: float, now: float) -> str:
    is_close = abs(value / 1000 - now) < 10 * 365 * 86_400
    return "It looks like milliseconds: send seconds." if is_close else ""
