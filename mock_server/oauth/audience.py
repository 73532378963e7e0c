"""Which audiences an assertion may name, and the platform's own token URLs."""

from dataclasses import dataclass
from typing import Literal

from mock_server.asgi import Scope, host_of
from mock_server.gateway.addresses import Addresses
from mock_server.oauth.claims import Audiences
from mock_server.redaction import shown

TOKEN_PATH = "/REST/oauth/v5/token"  # noqa: S105 - a path, not a password
JWKS_PATH = "/REST/oauth/v5/jwks"

Environment = Literal["acceptance", "production", "simulation"]

# G§6.1 and the e-Box documentation; four public clients of the simulation environment use production's.
TOKEN_URLS: dict[Environment, str] = {
    "acceptance": f"https://services-acpt.socialsecurity.be{TOKEN_PATH}",
    "production": f"https://services.socialsecurity.be{TOKEN_PATH}",
    "simulation": f"https://services.socialsecurity.be{TOKEN_PATH}",
}

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class AudienceRule:
    """What a token endpoint accepts as its audience."""

    always: tuple[str, ...]
    """The world's own token URL, that of the environment, and what the policy adds."""
    addresses: Addresses

    def audiences(self, scope: Scope) -> Audiences:
        """Return the audiences of one request: the URL called, and those that always are."""
        base = self.addresses.called(scope)
        if base is None:
            host = host_of(scope)
            name = "no usable Host header" if host is None else f"the name {shown(host[1])}"
            advice = (
                f"This server was called by {name}: start it with --allowed-host or --public-url to accept that URL."
            )
            return Audiences(self.always, advice)
        called = f"{base}{scope['path']}"
        return Audiences((called, *(url for url in self.always if url != called)))
