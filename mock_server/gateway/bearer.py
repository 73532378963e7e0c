"""From the Authorization header to the account that is calling, and from its scopes to a yes or no."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from mock_server import problems
from mock_server.asgi import Scope, header_values
from mock_server.gateway import requirements as req
from mock_server.gateway.access_token import AccessTokens, InvalidAccessTokenError
from mock_server.identifiers import ClientId
from mock_server.problems import Problem
from mock_server.redaction import shown
from mock_server.verdict import Trail
from mock_server.world.model import Account


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: the account, as it is now, and the scopes that its token was issued with."""

    account: Account
    scopes: tuple[str, ...]


def authenticate(
    trail: Trail,
    scope: Scope,
    tokens: AccessTokens,
    find_account: Callable[[ClientId], Account | None],
    now: float,
) -> Principal | Problem:
    """Return who is calling, or the 401 (or 400, of two tokens) that says why nobody is."""
    values = header_values(scope, b"authorization")
    query = scope["query_string"]
    in_query = b"access_token" in query and "access_token" in parse_qs(query.decode("latin-1"), keep_blank_values=True)
    if len(values) > 1 or (values and in_query):
        ways = "several Authorization headers" if len(values) > 1 else "the header and the query"
        trail.failed(req.TOKEN_ONE_WAY, "one Authorization header", ways)
        return problems.two_token_methods()
    scheme, _, token = values[0].partition(" ") if values else ("", "", "")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        found = "another scheme, or no token" if values else "no Authorization header"
        advice = "A token in the query is not read." if in_query else ""
        trail.failed(req.TOKEN_PRESENT, "Authorization: Bearer and an access token", found, advice)
        return problems.no_access_token()
    trail.passed(req.TOKEN_PRESENT)
    return _read(trail, token, tokens, find_account, now)


def _read(
    trail: Trail,
    token: str,
    tokens: AccessTokens,
    find_account: Callable[[ClientId], Account | None],
    now: float,
) -> Principal | Problem:
    expected = "an access token of this server and world"
    try:
        read = tokens.read(token)
    except InvalidAccessTokenError as error:
        trail.failed(req.TOKEN_VALID, expected, str(error), "Get a token from this server's token endpoint.")
        return problems.invalid_access_token()
    account = find_account(read.client_id)
    if account is None:
        trail.failed(req.TOKEN_VALID, expected, "one of an account that is not there any more")
        return problems.invalid_access_token()
    trail.passed(req.TOKEN_VALID, f"account {shown(account.name)}")
    if now >= read.expires_at:
        trail.failed(
            req.TOKEN_FRESH,
            "a token that has not expired",
            f"one that expired {now - read.expires_at:.0f} seconds ago",
            "Ask for a new token shortly before expires_in has passed.",
        )
        return problems.expired_access_token()
    trail.passed(req.TOKEN_FRESH)
    return Principal(account, read.scopes)


def judge_scope(trail: Trail, principal: Principal, required: Sequence[Sequence[str]]) -> Problem | None:
    """Return the 403 if the token has all the scopes of none of the alternatives; without any, every token will do."""
    if not required or any(all(name in principal.scopes for name in names) for names in required):
        trail.passed(req.SCOPE)
        return None
    trail.failed(
        req.SCOPE,
        " or ".join(" and ".join(names) for names in required),
        " ".join(principal.scopes) or "no scope",
        f"The account is {principal.account.capacity}: this API is for other capacities, or the token was asked "
        "for with a narrower scope.",
    )
    listed = tuple(dict.fromkeys(name for names in required for name in names))
    return problems.missing_scope(listed, "The access token lacks a scope that this operation asks for")


def claimed_client(scope: Scope, tokens: AccessTokens) -> str | None:
    """Return the client that the access token of a request was issued to, whether it has expired or not."""
    values = header_values(scope, b"authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    try:
        return tokens.read(token.strip()).client_id if scheme.lower() == "bearer" else None
    except InvalidAccessTokenError:
        return None
