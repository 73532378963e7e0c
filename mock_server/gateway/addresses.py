"""Under which URLs a world is reached, and which of them a request was sent to."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from mock_server.asgi import Scope, host_of


def is_loopback(name: str) -> bool:
    """Whether a name, or an address with or without brackets, is one that this machine alone reaches."""
    try:
        return name == "localhost" or ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of one world."""

    server_url: str
    """Scheme, name and port of the server, and the path of `--public-url`; no slash at the end."""
    hosts: Collection[str]
    """Names that clients may call the server by, in lower case and without port."""
    public_name: str | None = None
    """The name in `--public-url`: who calls by it came through a proxy, and called that URL."""
    prefix: str = ""
    """What the paths of the world begin with."""

    @classmethod
    def of_server(cls, server_url: str, hosts: Collection[str], public_url: str | None) -> "Addresses":
        """Return the addresses of a server."""
        name = urlsplit(public_url).hostname if public_url else None
        return cls(server_url, hosts, f"[{name}]" if name and ":" in name else name)

    def of_world(self, prefix: str) -> "Addresses":
        """Return the addresses of a world whose paths begin with a prefix."""
        return replace(self, prefix=prefix)

    @property
    def base_url(self) -> str:
        """The URL that those of the world begin with; no slash at the end."""
        return f"{self.server_url}{self.prefix}"

    def called(self, scope: Scope) -> str | None:
        """Return the base URL that a request was sent to; None when its host is not one of ours.

        Only with a name of ours, so that nobody makes an assertion meant for another server fit by sending that
        server's name in `Host`.
        """
        host = host_of(scope)
        if host is None or host[1] not in self.hosts:
            return None
        server_url = self.server_url if host[1] == self.public_name else f"{scope['scheme']}://{host[0]}"
        return f"{server_url}{scope.get('root_path', '')}"

    def called_or_own(self, scope: Scope) -> str:
        """Return the base URL that a request was sent to, or the world's own."""
        return self.called(scope) or self.base_url
