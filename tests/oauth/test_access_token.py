"""The access token and the key that verifies it."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from tests.support import NOW, Caller


def test_the_header_of_the_token_is_exactly_the_known_one(caller: Caller) -> None:
    """The guide's screenshot shows the first characters of a real token; ours begins with the same ones."""
    token = caller.token()

    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": "oauth"}
    assert token.startswith("eyJhbGciOiJSUzI1NiIsImtpZCI6Im9hdXRoIn0.")


def test_the_token_verifies_with_the_published_key(caller: Caller) -> None:
    """The key set has one public key, of the token's kid and algorithm."""
    reply = caller.call("GET", "/REST/oauth/v5/jwks")

    (published,) = reply.json["keys"]
    assert {"kty", "use", "alg", "kid", "n", "e"} == set(published)
    key = RSAAlgorithm.from_jwk(json.dumps(published))
    assert isinstance(key, RSAPublicKey)
    claims = jwt.decode(
        caller.token(),
        key,
        algorithms=["RS256"],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
    )
    assert (claims["client_id"], claims["exp"]) == ("employer_rsa", NOW + 600)


def test_two_tokens_of_one_second_differ(caller: Caller) -> None:
    """Every token has an id of its own."""
    assert caller.token() != caller.token()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_key_set_is_read_only(caller: Caller, method: str) -> None:
    """Another method than GET and HEAD is 405 with those that would do."""
    reply = caller.call(method, "/REST/oauth/v5/jwks")

    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
