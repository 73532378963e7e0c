"""What a client hands over by mistake, or as it must, is found nowhere afterwards: a run with everything, a search.

Private keys, assertions and access tokens are put in every place that a request has. Then all that the server keeps,
says and exports is searched: journals, archives, states, console, the store's files, demo.json, and its answers.
Certificates are public, and decoded claims are what the journal is for.
"""

import base64
import json
import re
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from mock_server.certificates.loading import SigningKey, load_private_key
from mock_server.certificates.making import make_key
from tests.support import FORM_HEADERS, Reply
from tests.system.processes import Server, assertion, call, started, token_form, training, trainings_url

GRAM = 20
"""So many characters of a secret in a row are a leak; so many bytes, where it is not text."""
SIGNING_KEY = "the key that signs access tokens"
FORM, JSON = dict(FORM_HEADERS), {"Content-Type": "application/json"}


# Searching


@dataclass
class Secrets:
    """What must not be found, by the name of the place it was put in."""

    grams: dict[bytes, str] = field(default_factory=dict)
    raw: dict[bytes, str] = field(default_factory=dict)

    def add_text(self, name: str, text: str) -> None:
        """Add a text of base64 or base64url, as it is and in base64 once more."""
        plain = normal(text.encode())
        again = (base64.b64encode(b"x" * shift + text.encode())[4:-4] for shift in range(3))
        for spelled in (plain, *map(normal, again)):
            for start in range(len(spelled) - GRAM + 1):
                self.grams[spelled[start : start + GRAM]] = name

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add bytes, and all that they may be in base64."""
        for start in range(0, len(data) - GRAM + 1, GRAM):
            self.raw[data[start : start + GRAM]] = name
        for shift in range(3):
            # Without the ends, which depend on what stands beside them.
            self.add_text(name, base64.b64encode(b"x" * shift + data).decode()[4:-4])

    def add_jwt(self, name: str, text: str) -> None:
        """Add the signature of an assertion or a token, without which the rest is worth nothing."""
        self.add_text(name, text.rpartition(".")[2])

    def add_key(self, name: str, key: SigningKey) -> None:
        """Add the private numbers of a key, in PKCS #8 and as a JSON Web Key has them."""
        if isinstance(key, RSAPrivateKey):
            numbers = key.private_numbers()
            values = [numbers.d, numbers.p, numbers.q]
        else:
            values = [key.private_numbers().private_value]
        for value in values:
            self.add_bytes(name, value.to_bytes((value.bit_length() + 7) // 8, "big"))

    def found_in(self, data: bytes) -> set[str]:
        """Return the names of the secrets that are in some bytes, however they are written."""
        found = {name for part, name in self.raw.items() if part in data}
        for spelled in (normal(data), normal(unquote_to_bytes(unquote_to_bytes(data)))):
            for run in re.findall(rb"[A-Za-z0-9_-]{%d,}" % GRAM, spelled):
                grams = (run[start : start + GRAM] for start in range(len(run) - GRAM + 1))
                found |= {self.grams[gram] for gram in grams if gram in self.grams}
        return found


def normal(data: bytes) -> bytes:
    """Return text without escapes and white space, in the alphabet of base64url."""
    data = re.sub(rb"\\+u00([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), data)
    return re.sub(rb"\\+[nrt]|[\s\\]", b"", data).translate(bytes.maketrans(b"+/", b"-_"))


# The run


@dataclass
class Run:
    """A server that is given secrets, and what was put where."""

    server: Server
    secrets: Secrets = field(default_factory=Secrets)
    answers: list[bytes] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    place: str = ""

    def __post_init__(self) -> None:
        self.account = self.server.demo_account()
        self.key = load_private_key(Path(self.account["key"]).read_bytes())
        self.accounts = (
            f"/_mock/worlds/default/enterprises/{self.account['enterprise_number']}/capacities/employer/accounts"
        )
        self.certificates = f"/_mock/worlds/default/accounts/{self.account['client_id']}/certificates"
        self.trainings = trainings_url(self.server, self.account["enterprise_number"])

    def assertion(self, **changes: Any) -> str:
        """Return a new assertion, which is a secret from now on."""
        text = assertion(self.account["client_id"], self.key, self.server.token_url, **changes)
        self.secrets.add_jwt(self.place, text)
        return text

    def token(self) -> str:
        """Return a new access token, which is a secret from now on."""
        reply = call("POST", self.server.token_url, token_form(self.assertion()), FORM)
        text = str(reply.json["access_token"])
        self.secrets.add_jwt(self.place, text)
        return text

    def new_key(self, kind: str = "rsa-2048") -> "PostedKey":
        """Return a new private key, which is a secret from now on."""
        key = make_key(kind)
        self.secrets.add_key(self.place, key)
        return PostedKey(key)

    def send(
        self,
        method: str,
        url: str,
        body: bytes | str | object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request; a body that is no text is JSON. What is answered is searched too, unless it is a token."""
        if body is not None and not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        target = url if "://" in url else f"{self.server.base}{url}"
        reply = call(method, target, body, headers)
        self.statuses[self.place] = reply.status
        if not (reply.status == 200 and b"access_token" in reply.body):
            self.answers += [str(dict(reply.headers)).encode(), reply.body]
        return reply

    def post_form(self, *, good: bool = False, headers: Mapping[str, str] | None = None, **fields: str) -> Reply:
        """Post a token request with some fields beside a good assertion, or alone."""
        form = token_form(self.assertion(), **fields) if good else encoded(fields)
        return self.send("POST", self.server.token_url, form, FORM | dict(headers or {}))

    def put(self, body: bytes | object, headers: Mapping[str, str] | None = None, url: str = "") -> Reply:
        """Send trainings with a good token."""
        bearer = {"Authorization": f"Bearer {self.token()}"}
        return self.send("PUT", url or self.trainings, body, {**JSON, **bearer, **(headers or {})})


def encoded(fields: Mapping[str, str]) -> str:
    """Return a form."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields.items())


@dataclass(frozen=True)
class PostedKey:
    """A private key in the forms that people have it in."""

    key: SigningKey

    @property
    def pem(self) -> str:
        """PKCS #8 in PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def old_pem(self) -> str:
        """PKCS #1 or SEC 1 in PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    @property
    def der(self) -> bytes:
        """PKCS #8."""
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def base64(self) -> str:
        """PKCS #8 in base64, without lines."""
        return base64.b64encode(self.der).decode()

    @property
    def jwk(self) -> Any:
        """A JSON Web Key."""
        if isinstance(self.key, RSAPrivateKey):
            return RSAAlgorithm.to_jwk(self.key, as_dict=True)
        return ECAlgorithm.to_jwk(self.key, as_dict=True)


def multipart(name: str, data: bytes, /, **fields: str) -> tuple[bytes, Mapping[str, str]]:
    """Return a form with a file and its headers."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{field_name}"\r\n\r\n{value}\r\n'.encode()
        for field_name, value in fields.items()
    ]
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="file.cer"\r\n\r\n'.encode()
    return b"".join([*parts, head, data, b"\r\n--b--\r\n"]), {"Content-Type": "multipart/form-data; boundary=b"}


def basic(password: str) -> str:
    """Return Basic credentials."""
    return "Basic " + base64.b64encode(f"user:{password}".encode()).decode()


Act = Callable[[Run], Reply]
ELSEWHERE = "https://elsewhere.example/token"

TEXTS: dict[str, Callable[[Run, str], Reply]] = {
    "the query of the token endpoint": lambda run, text: run.send(
        "POST", f"{run.server.token_url}?client_assertion={text}", encoded({"grant_type": "client_credentials"}), FORM
    ),
    "the query of the token endpoint, with GET": lambda run, text: run.send("GET", f"{run.server.token_url}?{text}"),
    "the query of a call": lambda run, text: run.send("GET", f"{run.trainings}?access_token={text}"),
    "the query of a call, encoded twice": lambda run, text: run.send(
        "GET", f"{run.trainings}?a={quote(quote(text, safe=''), safe='').replace('.', '%252E')}"
    ),
    "the Authorization header of the token endpoint": lambda run, text: run.post_form(
        headers={"Authorization": f"Bearer {text}"}, grant_type="client_credentials"
    ),
    "the Authorization header without a scheme": lambda run, text: run.send(
        "GET", run.trainings, headers={"Authorization": text}
    ),
    "the Authorization header of a call": lambda run, text: run.send(
        "GET", run.trainings, headers={"Authorization": f"Bearer {text}"}
    ),
    "a password": lambda run, text: run.send("GET", run.trainings, headers={"Authorization": basic(text)}),
    "a cookie": lambda run, text: run.send("GET", run.trainings, headers={"Cookie": f"token={text}"}),
    "a header": lambda run, text: run.send("GET", run.trainings, headers={"X-Client-Assertion": text}),
    "a header, in base64": lambda run, text: run.send(
        "GET", run.trainings, headers={"X-Token": base64.b64encode(text.encode()).decode()}
    ),
    "the name of a header": lambda run, text: run.send("GET", run.trainings, headers={text: "x"}),
    "the user agent": lambda run, text: run.send("GET", run.trainings, headers={"User-Agent": f"client/1 ({text})"}),
    "the host": lambda run, text: run.send("GET", run.trainings, headers={"Host": text}),
    "the media type": lambda run, text: run.send("POST", run.server.token_url, "x", {"Content-Type": text}),
    "the content encoding": lambda run, text: run.put({"items": []}, {"Content-Encoding": text}),
    "the method": lambda run, text: run.send(text, run.server.token_url),
    "a JSON body of the token endpoint": lambda run, text: run.send(
        "POST", run.server.token_url, {"client_assertion": text}, JSON
    ),
    "a JSON body that says that it is a form": lambda run, text: run.send(
        "POST", run.server.token_url, {"client_assertion": text}, FORM
    ),
    "a multipart body of the token endpoint": lambda run, text: run.send(
        "POST", run.server.token_url, *multipart("client_assertion", text.encode())
    ),
    "the scope": lambda run, text: run.post_form(good=True, scope=text),
    "the scope, among others": lambda run, text: run.post_form(good=True, scope=f"scope:dimona {text}"),
    "the client_id": lambda run, text: run.post_form(good=True, client_id=text),
    "the grant_type": lambda run, text: run.post_form(grant_type=text),
    "the client_assertion_type": lambda run, text: run.post_form(
        grant_type="client_credentials", client_assertion_type=text, client_assertion="x"
    ),
    "the client_secret": lambda run, text: run.post_form(grant_type="client_credentials", client_secret=text),
    "the field assertion": lambda run, text: run.post_form(grant_type="client_credentials", assertion=text),
    "the name of a field": lambda run, text: run.send(
        "POST", run.server.token_url, encoded({"grant_type": "client_credentials", text: "x"}), FORM
    ),
    "a field that comes twice": lambda run, text: run.send(
        "POST", run.server.token_url, f"client_assertion={text}&client_assertion={text}", FORM
    ),
    "a field without its name": lambda run, text: run.send("POST", run.server.token_url, text, FORM),
    "a segment of a path": lambda run, text: run.send("GET", f"{run.server.token_url}/{text}"),
    "the SSIN": lambda run, text: run.put({"items": []}, url=run.trainings.replace("65111899997", text)),
    "the year": lambda run, text: run.put({"items": []}, url=run.trainings.replace("2023", text)),
    "the name of a world": lambda run, text: run.send("GET", f"/worlds/{text}/REST/oauth/v5/jwks"),
    "a PUT body": lambda run, text: run.put({"items": [training(name=text)]}),
    "a PUT body, of another type": lambda run, text: run.put({"items": [training(duration=text)]}),
    "a PUT body, as a date": lambda run, text: run.put({"items": [training(startDate=text)]}),
    "a PUT body, as an unknown member": lambda run, text: run.put({"items": [], "assertion": text}),
    "a PUT body, as the name of a member": lambda run, text: run.put({"items": [], text: 1}),
    "a PUT body, as a name that comes twice": lambda run, text: run.put(f'{{"{text}":1,"{text}":2}}'.encode()),
    "a PUT body, as all of it": lambda run, text: run.put(text.encode()),
    "a PUT body, as a text of JSON": lambda run, text: run.put(text),
    "a PUT body, JSON inside JSON": lambda run, text: run.put({"items": json.dumps({"a": json.dumps({"b": text})})}),
    "a PUT body, in lines": lambda run, text: run.put({"items": "\n".join(re.findall(".{1,64}", text))}),
    "a PUT body, in base64": lambda run, text: run.put({"items": base64.b64encode(text.encode()).decode()}),
    "a PUT body, behind much else": lambda run, text: run.put({"items": "x " * 8_000 + text}),
    "a PUT body of another media type": lambda run, text: run.put(text.encode(), {"Content-Type": "text/plain"}),
    # The control API
    "a new world's name": lambda run, text: run.send("POST", "/_mock/worlds", {"name": text}, JSON),
    "an enterprise's name": lambda run, text: run.send(
        "PUT", "/_mock/worlds/default/enterprises/1999030042", {"name": text}, JSON
    ),
    "an account's name": lambda run, text: run.send("POST", run.accounts, {"name": text, "permissions": []}, JSON),
    "an account's client id": lambda run, text: run.send("POST", run.accounts, {"name": "a", "client_id": text}, JSON),
    "an account's permission": lambda run, text: run.send(
        "POST", run.accounts, {"name": "a", "permissions": [text]}, JSON
    ),
    "an administrator's address": lambda run, text: run.send(
        "PUT",
        "/_mock/worlds/default/enterprises/0880820673/capacities/service-provider",
        {"email": f"{text}@example.org", "local_administrator": "A"},
        JSON,
    ),
    "a certificate": lambda run, text: run.send(
        "POST", run.certificates, text, {"Content-Type": "application/octet-stream"}
    ),
    "a certificate's name": lambda run, text: run.send(
        "POST", f"{run.certificates}?name={quote(text)}", "x", {"Content-Type": "application/octet-stream"}
    ),
    "a fault's operation": lambda run, text: run.send(
        "POST", "/_mock/worlds/default/faults", {"operation": text, "do": {"status": 500}}, JSON
    ),
    "a fault's client": lambda run, text: run.send(
        "POST", "/_mock/worlds/default/faults", {"do": {"status": 500}, "client_id": text}, JSON
    ),
    "a fault's parameter": lambda run, text: run.send(
        "POST", "/_mock/worlds/default/faults", {"do": {"status": 500}, "parameters": {"ssin": text}}, JSON
    ),
    "a fault's effect": lambda run, text: run.send(
        "POST", "/_mock/worlds/default/faults", {"do": {"status": text, "retry_after": text}}, JSON
    ),
    "a state": lambda run, text: run.send("PUT", "/_mock/worlds/default/state", {"accounts": [{"name": text}]}, JSON),
    "a state, as a member": lambda run, text: run.send("PUT", "/_mock/worlds/default/state", {text: []}, JSON),
    "a clock": lambda run, text: run.send("PATCH", "/_mock/worlds/default/clock", {"now": text}, JSON),
    "a mandate": lambda run, text: run.send(
        "POST", "/_mock/worlds/default/mandates", {"mandator": text, "mandatary": text, "service": text}, JSON
    ),
    "a filter of the journal": lambda run, text: run.send(
        "GET", f"/_mock/worlds/default/exchanges?client_id={text}&status={text}"
    ),
    "an account that is asked for": lambda run, text: run.send("GET", f"/_mock/worlds/default/accounts/{text}"),
    "a path of the control API": lambda run, text: run.send("GET", f"/_mock/{text}"),
}


def only(text: str) -> str:
    """Return a text fit for a header or a path: without lines."""
    return text.strip().replace("\n", " ")


KEYS: dict[str, Callable[[Run], Reply]] = {
    "a PEM posted as a certificate": lambda run: run.send(
        "POST", run.certificates, run.new_key().pem, {"Content-Type": "application/pkix-cert"}
    ),
    "an old PEM posted as a certificate": lambda run: run.send(
        "POST", run.certificates, run.new_key("ec-p384").old_pem, {"Content-Type": "application/octet-stream"}
    ),
    "a DER posted as a certificate": lambda run: run.send(
        "POST", run.certificates, run.new_key().der, {"Content-Type": "application/octet-stream"}
    ),
    "base64 posted as a certificate": lambda run: run.send(
        "POST", run.certificates, run.new_key().base64, {"Content-Type": "application/octet-stream"}
    ),
    "a file of a form": lambda run: run.send(
        "POST", run.certificates, *multipart("certificate", run.new_key("ec-p521").pem.encode())
    ),
    "another file of a form": lambda run: run.send(
        "POST", run.certificates, *multipart("key", run.new_key("ec-p521").pem.encode())
    ),
    "a field of a form": lambda run: run.send(
        "POST", run.certificates, *multipart("certificate", b"x", private_key=run.new_key("ec-p384").pem)
    ),
    "the name of a certificate in a form": lambda run: run.send(
        "POST", run.certificates, *multipart("certificate", b"x", name=run.new_key("ec-p384").base64)
    ),
    "a certificate in base64": lambda run: run.send(
        "POST", run.accounts, {"name": "a", "certificates": [{"name": "b", "der": run.new_key().base64}]}, JSON
    ),
    "a certificate that is a PEM": lambda run: run.send(
        "POST", run.accounts, {"name": "a", "certificates": [{"name": "b", "der": run.new_key().pem}]}, JSON
    ),
    "a certificate that is a half": lambda run: run.send(
        "POST", run.accounts, {"name": "a", "certificates": [{"name": "b", "der": run.new_key().base64[:-9]}]}, JSON
    ),
    "an account's name, as PEM": lambda run: run.send("POST", run.accounts, {"name": run.new_key().pem}, JSON),
    "an account's name, in base64": lambda run: run.send(
        "POST", run.accounts, {"name": run.new_key("ec-p384").base64}, JSON
    ),
    "an account's name, in a form": lambda run: run.send(
        "POST", run.accounts, *multipart("certificate", b"x", name=run.new_key("ec-p384").pem)
    ),
    "an unknown member": lambda run: run.send(
        "POST", run.accounts, {"name": "a", "private_key": run.new_key("ec-p384").pem}, JSON
    ),
    "a JSON Web Key": lambda run: run.put({"items": [], "key": run.new_key().jwk}),
    "a JSON Web Key of a curve": lambda run: run.send("POST", run.accounts, run.new_key("ec-p384").jwk, JSON),
    "a state's certificate": lambda run: run.send(
        "PUT",
        "/_mock/worlds/default/state",
        {"accounts": [{"name": "a", "certificates": [{"name": "b", "der": run.new_key().base64}]}]},
        JSON,
    ),
    "a new world's certificate": lambda run: run.send(
        "POST",
        "/_mock/worlds",
        {"state": {"accounts": [{"name": "a", "certificates": [{"name": "b", "der": run.new_key().pem}]}]}},
        JSON,
    ),
    "the client_secret": lambda run: run.post_form(grant_type="client_credentials", client_secret=run.new_key().pem),
    "the client_assertion": lambda run: run.post_form(
        grant_type="client_credentials", client_assertion=run.new_key().pem
    ),
    "the client_assertion, in base64": lambda run: run.post_form(
        grant_type="client_credentials", client_assertion=run.new_key().base64
    ),
    "another field of a token request": lambda run: run.post_form(good=True, private_key=run.new_key().pem),
    "the scope": lambda run: run.post_form(good=True, scope=only(run.new_key().pem)),
    "a header": lambda run: run.send("GET", run.trainings, headers={"X-Key": only(run.new_key("ec-p384").pem)}),
    "a header, in base64": lambda run: run.send("GET", run.trainings, headers={"X-Key": run.new_key("ec-p384").base64}),
    "a header, encoded": lambda run: run.send("GET", run.trainings, headers={"X-Key": quote(run.new_key().pem)}),
    "a query": lambda run: run.send("GET", f"{run.trainings}?key={quote(run.new_key().pem, safe='')}"),
    "a path": lambda run: run.send("GET", f"{run.trainings}/{quote(run.new_key('ec-p384').pem, safe='')}"),
    "a PUT body": lambda run: run.put({"items": [training(name=run.new_key().pem)]}),
    "a PUT body that is no JSON": lambda run: run.put(run.new_key().pem.encode()),
    "a PUT body without the END": lambda run: run.put({"items": run.new_key().pem.rpartition("-----END")[0]}),
    "a PUT body without lines": lambda run: run.put({"items": run.new_key("ec-p521").base64}),
    "a password": lambda run: run.send(
        "GET", run.trainings, headers={"Authorization": basic(run.new_key("ec-p384").pem)}
    ),
}
PFX: dict[str, Callable[[Run, bytes], Reply]] = {
    "a PFX posted as a certificate": lambda run, pfx: run.send(
        "POST", run.certificates, pfx, {"Content-Type": "application/octet-stream"}
    ),
    "a PFX in a form": lambda run, pfx: run.send(
        "POST", run.certificates, *multipart("certificate", pfx, password="changeit")
    ),
    "a PFX in base64": lambda run, pfx: run.send(
        "POST",
        run.accounts,
        {"name": "a", "certificates": [{"name": "b", "der": base64.b64encode(pfx).decode()}]},
        JSON,
    ),
    "a PFX in a PUT body": lambda run, pfx: run.put({"items": base64.b64encode(pfx).decode()}),
}
USUAL: dict[str, Act] = {
    "a good request": lambda run: run.post_form(good=True),
    "a request that is refused": lambda run: run.send(
        "POST", run.server.token_url, token_form(run.assertion(aud=ELSEWHERE)), FORM
    ),
    "a request of an unknown client": lambda run: run.send(
        "POST", run.server.token_url, token_form(run.assertion(sub="nobody", iss="nobody")), FORM
    ),
    "an assertion whose claims are secrets": lambda run: run.send(
        "POST",
        run.server.token_url,
        token_form(run.assertion(jti=run.assertion(), sub=run.assertion(), aud=run.assertion())),
        FORM,
    ),
    "an assertion with a key in its claims": lambda run: run.send(
        "POST",
        run.server.token_url,
        token_form(run.assertion(private=run.new_key("ec-p384").pem, jwk=run.new_key().jwk)),
        FORM,
    ),
    "a replay": lambda run: [
        run.send("POST", run.server.token_url, form, FORM) for form in [token_form(run.assertion())] * 2
    ][-1],
    "a good call": lambda run: run.put({"items": [training()]}),
    "two tokens": lambda run: run.put({"items": []}, url=f"{run.trainings}?access_token={run.token()}"),
}
FAULTS: list[Mapping[str, Any]] = [
    {"malform": "json"},
    {"malform": "truncate"},
    {"malform": "content-type"},
    {"token": "expired"},
    {"token": "extra-member"},
    {"token": "string-expires-in"},
    {"token": "invalid-client"},
    {"close": "body"},
    {"close": "after-change"},
    {"delay": 0.01, "in": "body"},
]


def acts() -> Iterator[tuple[str, Act]]:
    """Yield everything that is done, by the name of the place that a secret is put in."""

    def with_assertion(act: Callable[[Run, str], Reply]) -> Act:
        return lambda run: act(run, run.assertion())

    def with_token(act: Callable[[Run, str], Reply]) -> Act:
        return lambda run: act(run, run.token())

    def with_pfx(number: int, act: Callable[[Run, bytes], Reply]) -> Act:
        def post(run: Run) -> Reply:
            pfx = Path(run.server.demo["accounts"][number]["pfx"]).read_bytes()
            run.secrets.add_bytes(run.place, pfx[200:])
            return act(run, pfx)

        return post

    yield from USUAL.items()
    yield from ((f"an assertion in {name}", with_assertion(act)) for name, act in TEXTS.items())
    yield from ((f"a token in {name}", with_token(act)) for name, act in TEXTS.items())
    yield from ((f"a key in {name}", act) for name, act in KEYS.items())
    yield from ((name, with_pfx(number, act)) for number, (name, act) in enumerate(PFX.items()))
    yield from ((f"the fault {json.dumps(do)}", spoiled(do)) for do in FAULTS)
    yield "the fault of a client with the name of a secret", claiming


def spoiled(do: Mapping[str, Any]) -> Act:
    """Return a token request that a fault hits."""

    def ask(run: Run) -> Reply:
        body = {"operation": "token", "do": do, "times": 1}
        reply = run.send("POST", "/_mock/worlds/default/faults", body, JSON)
        assert reply.status == 201, reply.body
        form = token_form(run.assertion())
        try:
            answer = call("POST", run.server.token_url, form, FORM)
        except OSError:
            return reply
        except Exception as error:  # noqa: BLE001 - whatever the library says of half an answer
            answer = Reply(0, {}, getattr(error, "partial", b""))
        text = re.search(rb'"access_token":"([^"]+)', answer.body)
        if text is not None:
            run.secrets.add_jwt(run.place, text[1].decode())
        return answer

    return ask


def claiming(run: Run) -> Reply:
    """Send a token request that is not carried out, and whose claims nobody verifies."""
    reply = run.send("POST", "/_mock/worlds/default/faults", {"do": {"status": 503}, "times": 1}, JSON)
    assert reply.status == 201
    secret = run.assertion()
    return run.send("POST", run.server.token_url, token_form(run.assertion(sub=secret, iss=secret)), FORM)


PLACES = [name for name, _ in acts()]


@dataclass(frozen=True)
class Found:
    """Where what was found."""

    artifacts: Mapping[str, bytes]
    leaks: Mapping[str, list[str]]
    """The artifacts that each secret is in, by its name."""
    secrets: Secrets
    statuses: Mapping[str, int]
    modes: Mapping[str, int]
    rows_of_meta: list[tuple[str, str]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Run a server through everything, then search all that there is of it."""
    folder = tmp_path_factory.mktemp("server")
    store = folder / "store.db"
    options = ("--log-level=debug", f"--store=sqlite:///{store}", "--journal-body-bytes=1048576")
    with started(folder, *options) as server:
        run = Run(server)
        for name in ("first", "second"):
            assert run.send("POST", "/_mock/worlds", {"name": name}, JSON).status == 201
        for run.place, act in acts():
            act(run)
        artifacts = dict(exports(server))
        artifacts |= files_of(store, "while it runs")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("store.db*")}
        assert server.stop() == 0
        artifacts |= files_of(store, "afterwards")
        artifacts["standard output"] = server.output.encode()
        artifacts["standard error"] = server.errors.encode()
        artifacts["demo.json"] = (folder / "keys" / "demo.json").read_bytes()
        artifacts["the answers"] = b"\n".join(run.answers)
        for path in (folder / "keys").glob("*.key"):
            run.secrets.add_key(f"the key file {path.name}", load_private_key(path.read_bytes()))
    tables, rows_of_meta = dump(store)
    artifacts["the tables of the store"] = tables
    (signing_key,) = (value for name, value in rows_of_meta if name == "signing_key")
    run.secrets.add_key(SIGNING_KEY, load_private_key(signing_key.encode()))
    leaks: dict[str, list[str]] = {}
    for artifact, data in artifacts.items():
        for name in run.secrets.found_in(data):
            leaks.setdefault(name, []).append(artifact)
    return Found(artifacts, leaks, run.secrets, run.statuses, modes, rows_of_meta)


def exports(server: Server) -> Iterator[tuple[str, bytes]]:
    """Yield all that can be asked for of each world."""
    base = f"{server.base}/_mock/worlds"
    for world in call("GET", base).json["items"]:
        name = world["name"]
        pages = []
        after = 0
        while items := call("GET", f"{base}/{name}/exchanges?full=true&limit=100&after={after}").json["items"]:
            pages.append(json.dumps(items, ensure_ascii=False).encode())
            after = items[-1]["number"]
        yield f"the journal of {name}", b"\n".join(pages)
        for kind in ("masked", "shown"):
            yield f"the archive of {name}, {kind}", call("GET", f"{base}/{name}/exchanges.har?ssins={kind}").body
        for part in ("state", "accounts", "enterprises", "faults", "settings", "clock", "mandates"):
            yield f"the {part} of {name}", call("GET", f"{base}/{name}/{part}").body


def files_of(store: Path, when: str) -> dict[str, bytes]:
    """Return the files of a store as they are, its write-ahead log among them."""
    return {f"{path.name} {when}": path.read_bytes() for path in store.parent.glob(f"{store.name}*")}


def dump(store: Path) -> tuple[bytes, list[tuple[str, str]]]:
    """Return all rows of all tables but `meta`, and those of `meta` apart."""
    connection = sqlite3.connect(store)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows: Iterable[Any] = [
            row for name in names if name != "meta" for row in connection.execute(f"SELECT * FROM {name}")
        ]
        values = [value for row in rows for value in row if value is not None]
        parts = [value if isinstance(value, bytes) else str(value).encode() for value in values]
        return b"\n".join(parts), list(connection.execute("SELECT name, value FROM meta"))
    finally:
        connection.close()


# What was found


@pytest.mark.parametrize("kind", [*USUAL, "an assertion in", "a token in", "a key in", "a PFX", "the fault"])
def test_a_secret_is_found_nowhere(kind: str, found: Found) -> None:
    """Neither whole nor in part, in whatever spelling; a failure tells which one is where."""
    places = {place for place in PLACES if place.startswith(kind)}
    looked_for = {*found.secrets.grams.values(), *found.secrets.raw.values()}

    assert places
    assert places <= looked_for
    assert {place: artifacts for place, artifacts in found.leaks.items() if place in places} == {}


def test_no_key_of_the_key_folder_is_found(found: Found) -> None:
    """Not in the store, not in demo.json, nowhere but in its file."""
    names = {name for name in found.secrets.raw.values() if name.startswith("the key file ")}

    assert len(names) > 10
    assert {name: artifacts for name, artifacts in found.leaks.items() if name in names} == {}


def test_the_key_that_signs_tokens_is_in_one_row_of_the_store_alone(found: Found) -> None:
    """Processes that share a store sign with one key, so it is in the table `meta` by design, in a private file."""
    artifacts = found.leaks[SIGNING_KEY]

    assert all(artifact.startswith("store.db") for artifact in artifacts)
    assert "the tables of the store" not in artifacts
    assert [name for name, value in found.rows_of_meta if "PRIVATE" in value] == ["signing_key"]
    assert found.modes
    assert set(found.modes.values()) == {0o600}


def test_no_pem_of_a_private_key_is_found(found: Found) -> None:
    """Not even its first line."""
    with_pem = [name for name, data in found.artifacts.items() if re.search(rb"BEGIN [A-Z ]*PRIVATE KEY", data)]

    assert all(name.startswith("store.db") for name in with_pem)


def test_no_jwt_is_found(found: Found) -> None:
    """Nothing looks like the three parts of one."""
    whole = rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{40,}"

    assert [name for name, data in found.artifacts.items() if re.search(whole, data)] == []


def test_the_journal_tells_what_it_may(found: Found) -> None:
    """Decoded claims, and that something was withheld: what was searched is not empty."""
    journal = found.artifacts["the journal of default"]

    assert journal.count(b'"number"') > 150
    assert journal.count(b"[redacted]") > 150
    assert ELSEWHERE.encode() in journal
    assert b"BEGIN CERTIFICATE" not in journal
    assert len(found.artifacts["standard error"]) > 10_000
    assert b"nobody" in found.artifacts["standard error"]
    assert "store.db-wal while it runs" in found.artifacts
    assert found.statuses["a good request"] == 200
    assert found.statuses["a replay"] == 400


def test_nothing_was_taken_for_a_certificate(found: Found) -> None:
    """What is no certificate is refused, whatever it is."""
    tried = [name for name in PLACES if "certificate" in name or "PFX" in name]

    assert {name: found.statuses[name] for name in tried if found.statuses[name] < 400} == {}


# That the search finds what there is

SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "in the middle": lambda text: f"abc{text}abc".encode(),
    "a part": lambda text: text[100 : 100 + GRAM + 1].encode(),
    "base64 once more": lambda text: base64.b64encode(b"key:" + text.encode()),
    "in lines": lambda text: "\r\n  ".join(re.findall(".{1,30}", text)).encode(),
    "in lines of JSON": lambda text: json.dumps("\n".join(re.findall(".{1,30}", text))).encode(),
    "in JSON inside JSON": lambda text: json.dumps(json.dumps("\n".join(re.findall(".{1,30}", text)))).encode(),
    "percent-encoded": lambda text: quote("\n".join(re.findall(".{1,30}", text)), safe="").encode(),
    "encoded twice": lambda text: quote(quote(text, safe=""), safe="").encode(),
    "in the other alphabet": lambda text: text.replace("+", "-").replace("/", "_").encode(),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_search_finds_a_key_however_it_is_written(name: str) -> None:
    """Otherwise finding nothing would mean nothing."""
    posted = PostedKey(make_key("rsa-2048"))
    secrets = Secrets()
    secrets.add_key("a key", posted.key)
    # From its private numbers on: what comes before is in the certificate as well.
    text = posted.base64[500:]

    assert secrets.found_in(SPELLINGS[name](text)) == {"a key"}
    assert secrets.found_in(posted.der) == {"a key"}
    assert secrets.found_in(SPELLINGS[name](PostedKey(make_key("rsa-2048")).base64)) == set()
