"""Which audiences an assertion may name, and the platform's own token URLs."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from mock_server.asgi import Scope, host_of
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
    """The token URL of the environment, that of `--public-url`, and what the policy adds."""
    hosts: Collection[str]
    """Names under which the endpoint may be called: only with one of these is the URL called an audience, so that
    nobody makes an assertion meant for another server fit by sending that server's name in `Host`."""

    def audiences(self, scope: Scope) -> Audiences:
        """Return the audiences of one request."""
        host = host_of(scope)
        if host is None or host[1] not in self.hosts:
            name = "no usable Host header" if host is None else f"the name {shown(host[1])}"
            advice = (
                f"This server was called by {name}: start it with --allowed-host or --public-url to accept that URL."
            )
            return Audiences(self.always, advice)
        called = f"{scope['scheme']}://{host[0]}{scope['path']}"
        return Audiences((called, *(url for url in self.always if url != called)))
