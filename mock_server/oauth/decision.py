"""The whole of a token request's decision: steps 2 to 10, from the form to the scopes, without any input or output."""

from dataclasses import dataclass

from mock_server.oauth.assertion import take_apart
from mock_server.oauth.authority import Authority
from mock_server.oauth.claims import Audiences, judge_claims
from mock_server.oauth.grant import judge_scope
from mock_server.oauth.near_misses import note_near_misses
from mock_server.oauth.one_use import judge_jti
from mock_server.verdict import Trail
from mock_server.world.model import Account


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client gets, once its `jti` turns out to be new."""

    account: Account
    scopes: tuple[str, ...]
    jti: str
    expires_at: float
    """The `exp` of the assertion."""


def judge_assertion(  # noqa: PLR0913 - the facts that a verdict is made of
    trail: Trail,
    assertion: str,
    authority: Authority,
    *,
    audiences: Audiences,
    now: float,
    scope: str | None = None,
    client_id: str | None = None,
) -> tuple[Account | None, Grant | None]:
    """Judge an assertion and the scope asked for with it (steps 3 to 10).

    Returns the account that the assertion names, verified or not, and the grant if every check passed.
    """
    parts = take_apart(trail, assertion, authority.policy)
    if parts is None:
        return None, None
    account = judge_claims(
        trail,
        parts,
        client_id=client_id,
        find_account=authority.find_account,
        audiences=audiences,
        policy=authority.policy,
        now=now,
    )
    scopes = judge_scope(trail, scope, account, authority.services)
    jti = judge_jti(trail, parts.claims, authority.policy)
    if account is None or jti is None or not trail.accepted:
        note_near_misses(trail, parts, authority, now)
        return account, None
    return account, Grant(account, scopes, jti, parts.claims["exp"])
