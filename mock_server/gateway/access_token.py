"""The access token: a JWS that clients treat as opaque, and the gateway reads.

Only its header is known (the screenshot of G§7.3.1); the claims of the real v5 token are not, so these are ours.
"""

import hashlib
import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from mock_server.identifiers import ClientId, InvalidIdentifierError, parse_client_id
from mock_server.world.model import Account

KEY_ID = "oauth"
ALGORITHM = "RS256"
_ISSUER = "urn:fla-mock"
_CACHE_SIZE = 4_096
_MAX_LENGTH = 8_192


class InvalidAccessTokenError(ValueError):
    """A text that is not an access token of this server and world; says why."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token says. Times in Unix seconds."""

    client_id: ClientId
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float


class AccessTokens:
    """Issues and reads the access tokens of one world."""

    def __init__(self, key: rsa.RSAPrivateKey, world: str) -> None:
        self._key = key
        self._public_key = key.public_key()
        self._audience = f"{_ISSUER}:world:{world}"
        self._read: dict[bytes, AccessToken] = {}

    def issue(self, account: Account, scopes: Iterable[str], *, now: float, lifetime: int) -> str:
        """Return a new token, valid from now for a number of seconds."""
        claims = {
            "iss": _ISSUER,
            "sub": account.client_id,
            "aud": self._audience,
            "client_id": account.client_id,
            "scope": " ".join(scopes),
            # NumericDates are whole seconds; rounded up, so that expires_in stays true.
            "iat": int(now),
            "exp": math.ceil(now) + lifetime,
            "jti": secrets.token_urlsafe(16),
        }
        # Header exactly {"alg":"RS256","kid":"oauth"}: an empty typ is left out by PyJWT.
        return jwt.encode(claims, self._key, ALGORITHM, headers={"typ": "", "kid": KEY_ID})

    def read(self, token: str) -> AccessToken:
        """Verify a token's signature and return what it says, whether or not it has expired.

        Tokens that verified are remembered by their digest, since verifying is most of a call's cost.
        Raises `InvalidAccessTokenError`.
        """
        if len(token) > _MAX_LENGTH:
            msg = f"longer than {_MAX_LENGTH} characters"
            raise InvalidAccessTokenError(msg)
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        known = self._read.get(digest)
        if known is not None:
            return known
        read = self._verify(token)
        if len(self._read) >= _CACHE_SIZE:
            del self._read[next(iter(self._read))]
        self._read[digest] = read
        return read

    def _verify(self, token: str) -> AccessToken:
        try:
            claims = jwt.decode(
                token,
                self._public_key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=_ISSUER,
                # Times are the gateway's business: it has the world's clock.
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            return AccessToken(
                parse_client_id(claims["client_id"]), tuple(claims["scope"].split()), claims["iat"], claims["exp"]
            )
        except (jwt.PyJWTError, InvalidIdentifierError, KeyError, TypeError, ValueError) as error:
            msg = f"not an access token of this server and world ({type(error).__name__})"
            raise InvalidAccessTokenError(msg) from None

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517 §5)."""
        key = RSAAlgorithm.to_jwk(self._public_key, as_dict=True)
        key.pop("key_ops", None)
        return {
            "keys": [{"kty": key["kty"], "use": "sig", "alg": ALGORITHM, "kid": KEY_ID, "n": key["n"], "e": key["e"]}]
        }
