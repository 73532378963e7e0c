"""Who is calling: every 401, and the 403 of a missing scope."""

from collections.abc import Callable

import jwt
import pytest

from tests.conftest import Starter
from tests.support import Caller, Reply, assertion, form, key

BASE = "/REST/careerpro-federal-learning-account/v1"
PATH = f"{BASE}/employers/1999000150/employees/65111899997/calendarYears/2025/trainings"
BELGIF = "urn:problem-type:belgif"
REALM = 'Bearer realm="fla-mock"'


def get(caller: Caller, authorization: str | None, path: str = PATH) -> Reply:
    """Read a year's trainings with an Authorization header."""
    return caller.call("GET", path, headers={} if authorization is None else {"authorization": authorization})


def assert_problem(reply: Reply, status: int, kind: str, title: str) -> None:
    """Every problem has the members, the media type and the trace id that Belgif asks for."""
    body = reply.json
    assert (status, status) == (reply.status, body["status"])
    assert f"{BELGIF}:{kind}" == body["type"]
    assert title == body["title"]
    assert f"https://www.belgif.be/specification/rest/api-guide/problems/{kind}.html" == body["href"]
    assert reply.headers["content-type"] == "application/problem+json"
    assert len(reply.headers["belgov-trace-id"]) <= 36
    assert f"urn:uuid:{reply.headers['belgov-trace-id']}" == body["instance"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Token x"])
def test_without_a_bearer_token_there_is_no_access(caller: Caller, authorization: str | None) -> None:
    """No token is 401 noAccessToken, with a challenge that carries no error code."""
    reply = get(caller, authorization)

    assert_problem(reply, 401, "noAccessToken", "No Access Token")
    assert reply.headers["www-authenticate"] == REALM
    assert caller.refused_by == "GW-TOKEN-1"


def forged(caller: Caller, **changes: object) -> str:
    """Return a token that is like a good one, signed with a key that is not the server's."""
    good = jwt.decode(caller.token(), options={"verify_signature": False})
    return jwt.encode(good | changes, key(number=5), "RS256", headers={"kid": "oauth"})


BAD_TOKENS: dict[str, Callable[[Caller], str]] = {
    "not a token": lambda _: "x",
    "another server's signature": forged,
    "a changed payload": lambda caller: ".".join(
        [
            *caller.token().split(".")[:1],
            forged(caller, client_id="another").split(".")[1],
            caller.token().split(".")[2],
        ]
    ),
    "no signature": lambda caller: caller.token().rpartition(".")[0] + ".",
    "alg none": lambda caller: jwt.encode(
        jwt.decode(caller.token(), options={"verify_signature": False}), "", algorithm="none"
    ),
    "the client assertion": lambda _: assertion(),
    "a letter outside ASCII": lambda caller: caller.token() + "é",
    "a token of 9,000 characters": lambda _: "x" * 9_000,
    "two tokens": lambda caller: f"{caller.token()} {caller.token()}",
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_token_that_is_not_ours_is_invalid(caller: Caller, name: str) -> None:
    """Anything but a token of this server is 401 invalidAccessToken, the one problem the platform prints."""
    reply = get(caller, f"Bearer {BAD_TOKENS[name](caller)}")

    assert_problem(reply, 401, "invalidAccessToken", "Invalid Access Token")
    challenge = f'{REALM}, error="invalid_token", error_description="The access token is invalid"'
    assert challenge == reply.headers["www-authenticate"]
    assert caller.refused_by == "GW-TOKEN-3"


def test_a_token_of_another_instance_is_invalid(started: Starter) -> None:
    """An account that this world does not have cannot call, even with a token that was signed with its key."""
    token = started().token("trainer")
    other = started(world="empty")

    assert_problem(get(other, f"Bearer {token}"), 401, "invalidAccessToken", "Invalid Access Token")


def test_a_token_expires(caller: Caller) -> None:
    """After `expires_in` seconds, and not before, a token is 401 expiredAccessToken."""
    token = caller.token()
    caller.clock.advance(599)
    fresh = get(caller, f"Bearer {token}")
    caller.clock.advance(1)
    reply = get(caller, f"Bearer {token}")

    assert fresh.status == 200
    assert_problem(reply, 401, "expiredAccessToken", "Expired Access Token")
    challenge = f'{REALM}, error="invalid_token", error_description="The access token expired"'
    assert challenge == reply.headers["www-authenticate"]
    assert caller.refused_by == "GW-TOKEN-4"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_compared_without_case(caller: Caller, scheme: str) -> None:
    """RFC 9110 §11.1 says so of every scheme."""
    assert get(caller, f"{scheme} {caller.token()}").status == 200


def test_a_token_in_the_query_is_not_read(caller: Caller) -> None:
    """The only place for a token is the header."""
    reply = get(caller, None, f"{PATH}?access_token={caller.token()}")

    assert_problem(reply, 401, "noAccessToken", "No Access Token")


def test_a_token_in_two_places_is_refused(caller: Caller) -> None:
    """RFC 6750 §2 forbids more than one way; the challenge says invalid_request."""
    token = caller.token()
    reply = get(caller, f"Bearer {token}", f"{PATH}?access_token={token}")

    assert_problem(reply, 400, "badRequest", "Bad Request")
    assert 'error="invalid_request"' in reply.headers["www-authenticate"]
    assert caller.refused_by == "GW-TOKEN-2"


@pytest.mark.parametrize(
    ("account", "scope"), [("trainer", None), ("employer_dimona", None), ("employer_both", "scope:dimona")]
)
def test_a_token_without_the_scope_is_forbidden(caller: Caller, account: str, scope: str | None) -> None:
    """A token of another capacity, of another service, or narrowed to another scope is 403 missingScope."""
    token = caller.post(form(assertion(iss=account, sub=account), scope=scope)).json["access_token"]

    reply = get(caller, f"Bearer {token}")

    fla = "scope:sigedis:gestion:careerpro-federal-learning-account"
    assert_problem(reply, 403, "missingScope", "Missing Scope")
    assert [f"{fla}:employer", f"{fla}:provider"] == reply.json["requiredScopes"]
    assert reply.headers["www-authenticate"] == (
        f'{REALM}, error="insufficient_scope", error_description="Missing scope to perform request", '
        f'scope="{fla}:employer {fla}:provider"'
    )
    assert caller.refused_by == "GW-SCOPE-1"


def test_the_request_may_carry_a_trace_id_and_never_gets_it_back(caller: Caller) -> None:
    """The answer's id is the provider's own, and new every time."""
    token = caller.token()
    headers = {"authorization": f"Bearer {token}", "belgov-trace-id": "mine"}

    ids = {caller.call("GET", PATH, headers=headers).headers["belgov-trace-id"] for _ in range(3)}

    assert len(ids - {"mine"}) == 3


def test_more_tokens_than_are_remembered_still_work(caller: Caller) -> None:
    """The memory of verified tokens is bounded, and the first one is simply verified again."""
    tokens = caller.mock.tokens
    account = caller.mock.authority.find_account("employer_rsa")  # type: ignore[arg-type]  # known to be one
    assert account is not None
    first = caller.token()
    assert get(caller, f"Bearer {first}").status == 200
    tokens._read = {number.to_bytes(4, "big"): tokens.read(first) for number in range(4_096)}

    assert get(caller, f"Bearer {first}").status == 200
    assert len(tokens._read) == 4_096
