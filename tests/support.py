"""What the tests share: keys, assertions of any shape, and a caller that needs no socket."""

import asyncio
import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from mock_server.app import Mock, create_mock
from mock_server.certificates.making import make_certificate, make_key
from mock_server.clock import FixedClock
from mock_server.exchange import Exchange
from mock_server.settings import Settings

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z, in the third quarter
DAY = 86_400
TOKEN = "/REST/oauth/v5/token"
HOST = "127.0.0.1:8425"
TOKEN_URL = f"http://{HOST}{TOKEN}"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded"}

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def _key(kind: str, _number: int) -> Key:
    return make_key(kind)


def key(kind: str = "rsa-2048", number: int = 0) -> Key:
    """Return a generated key, the same one for the same arguments; the number tells keys of one kind apart."""
    return _key(kind, number)


@cache
def _certificate(kind: str, number: int, start: float, days: int) -> bytes:
    made = make_certificate(key(kind, number), common_name="test", organization="test", not_before=start, days=days)
    return made.public_bytes(Encoding.DER)


def certificate(kind: str = "rsa-2048", number: int = 0, *, start: float = NOW - DAY, days: int = 365) -> bytes:
    """Return a certificate of a key, in DER, the same one for the same arguments."""
    return _certificate(kind, number, start, days)


def b64(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signature(signing_key: Key, algorithm: str, data: bytes) -> bytes:
    """Sign as RFC 7518 says, with whatever key, so that wrong combinations can be made too."""
    digests: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
        "256": hashes.SHA256(),
        "384": hashes.SHA384(),
        "512": hashes.SHA512(),
    }
    digest = digests[algorithm[2:]]
    if isinstance(signing_key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(signing_key.sign(data, ec.ECDSA(digest)))
        size = (signing_key.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if algorithm.startswith("PS"):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return signing_key.sign(data, pss, digest)
    return signing_key.sign(data, padding.PKCS1v15(), digest)


def jws(header: bytes | Mapping[str, Any], payload: bytes | Mapping[str, Any], signing_key: Key, algorithm: str) -> str:
    """Sign any header and payload, JSON or not."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signing_input = ".".join(b64(part) for part in parts)
    return f"{signing_input}.{b64(signature(signing_key, algorithm, signing_input.encode()))}"


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good assertion, changed; a claim changed to None is left out."""
    good: dict[str, Any] = {
        "iss": "employer_rsa",
        "sub": "employer_rsa",
        "aud": TOKEN_URL,
        "exp": int(NOW) + 300,
        "jti": str(uuid.uuid4()),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def assertion(
    *,
    header: Mapping[str, Any] | None = None,
    signing_key: Key | None = None,
    algorithm: str = "RS256",
    **changes: Any,
) -> str:
    """Return a good assertion of the account `employer_rsa`, changed."""
    return jws({"alg": algorithm} | dict(header or {}), claims(**changes), signing_key or key(), algorithm)


def form(text: str | None = None, **changes: str | None) -> bytes:
    """Return the body of a good token request, changed; a parameter changed to None is left out."""
    good: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion() if text is None else text,
    }
    return urlencode({name: value for name, value in (good | changes).items() if value is not None}).encode()


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Caller:
    """A mock server in this process, its clock, and what it told of each exchange."""

    mock: Mock
    clock: FixedClock
    exchanges: list[Exchange] = field(default_factory=list)

    def call(  # one argument for each part of a request
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        host: str = HOST,
        chunks: int = 1,
    ) -> Reply:
        """Send a request, in one go or in several chunks, and return the answer."""
        return asyncio.run(self._call(method, path, body, headers or {}, host, chunks))

    async def _call(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], host: str, chunks: int
    ) -> Reply:
        size = max(1, -(-len(body) // chunks))
        pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
        incoming = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
            for number, piece in enumerate(pieces)
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        bare_path, _, query = path.partition("?")
        raw = [(b"host", host.encode())] if host else []
        raw += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        if chunks == 1 and body and "content-length" not in headers:
            raw.append((b"content-length", str(len(body)).encode()))
        if chunks > 1:
            raw.append((b"transfer-encoding", b"chunked"))
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": bare_path,
            "raw_path": bare_path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": raw,
        }
        await self.mock.application(scope, receive, send)
        status, pairs = sent[0]["status"], sent[0]["headers"]
        names = [name.decode() for name, _ in pairs]
        assert len(set(names)) == len(names), "a header was sent twice"
        answer = {name.decode(): value.decode() for name, value in pairs}
        return Reply(status, answer, b"".join(message.get("body", b"") for message in sent[1:]))

    def post(self, body: bytes | None = None, headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
        """Post a token request: a good one, unless told otherwise."""
        return self.call("POST", TOKEN, form() if body is None else body, FORM_HEADERS | dict(headers or {}), **more)

    def token(self, client_id: str = "employer_rsa", signing_key: Key | None = None, **changes: str | None) -> str:
        """Get an access token for an account whose key is the first RSA key, or another."""
        text = assertion(iss=client_id, sub=client_id, exp=int(self.clock.now()) + 300, signing_key=signing_key)
        reply = self.post(form(text, **changes))
        assert reply.status == 200, reply.body
        return str(reply.json["access_token"])

    @property
    def refused_by(self) -> str | None:
        """The requirement that the last exchange was refused by."""
        check = self.exchanges[-1].refused_by
        return None if check is None else check.requirement.id

    @property
    def failed(self) -> list[str]:
        """The requirements that the last exchange failed, all of them."""
        return [check.requirement.id for check in self.exchanges[-1].trail.checks if check.outcome == "failed"]


def start(settings: Settings, moment: float = NOW) -> Caller:
    """Make a mock server in this process whose clock stands still."""
    clock = FixedClock(moment)
    exchanges: list[Exchange] = []
    signing_key = key(number=9)
    assert isinstance(signing_key, rsa.RSAPrivateKey)
    mock = create_mock(settings, clock=clock, observer=exchanges.append, signing_key=signing_key)
    return Caller(mock, clock, exchanges)


def write_world(folder: Path, text: str) -> Path:
    """Write a world file, and beside it the certificates that the tests register."""
    for kind in ("rsa-2048", "ec-p384", "ec-p521"):
        (folder / f"{kind}.cer").write_bytes(certificate(kind))
    (folder / "rsa-second.cer").write_bytes(certificate(number=1))
    (folder / "rsa-expired.cer").write_bytes(certificate(start=NOW - 30 * DAY, days=29))
    (folder / "rsa-future.cer").write_bytes(certificate(start=NOW + DAY, days=29))
    path = folder / "world.toml"
    path.write_text(text, encoding="utf-8")
    return path
