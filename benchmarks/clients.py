"""The clients: their keys, their requests, and the limit that the machine's cryptography sets."""

import contextlib
import http.client
import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from benchmarks.figures import Sample
from benchmarks.load import LoadError, request
from benchmarks.processes import CONTRACT
from mock_server.certificates.loading import SigningKey, load_private_key
from mock_server.certificates.making import make_certificate, make_key, write_identity

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME = 500
_YEARS = (2023, 2024, 2025, 2026)
_ELLIPTIC_CLIENT = "benchmark_es384"
_EMPLOYER = "0880820673"
_DATE = re.compile(r'"([0-9]{4})(-[0-9]{2}-[0-9]{2})"')


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who asks for tokens at one token endpoint."""

    client_id: str
    key: SigningKey
    algorithm: str
    audience: str
    port: int
    path: str
    scope: str

    def token_requests(self, count: int) -> list[bytes]:
        """Return requests for tokens, each with an assertion of its own, signed now."""
        # Signing is arithmetic outside the interpreter's lock.
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self._token_request, range(count)))

    def assertion(self) -> str:
        """Sign an assertion."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + _LIFETIME,
        }
        return jwt.encode(claims, self.key, self.algorithm)

    def token(self) -> str:
        """Ask for one token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", self.path, self.token_form(), FORM)
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 200:
            msg = f"no token: {answer.status} {body.decode()}"
            raise LoadError(msg)
        return access_token(body)

    def _token_request(self, _: int) -> bytes:
        return request("POST", self.port, self.path, self.token_form(), FORM)

    def token_form(self) -> bytes:
        """Return the body of a request for a token, with an assertion that was signed now."""
        form = {
            "grant_type": "client_credentials",
            "scope": self.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        return urlencode(form).encode()


def access_token(body: bytes) -> str:
    """Return the access token of an answer."""
    return str(json.loads(body)["access_token"])


def write_elliptic_account(folder: Path) -> tuple[SigningKey, str]:
    """Make a key and a certificate on P-384; return the key, and the `--account` that registers them."""
    key = make_key("ec-p384")
    certificate = make_certificate(
        key, common_name="benchmark", organization="benchmark", not_before=time.time() - 60, days=2
    )
    files = write_identity(folder, "elliptic", key, certificate, "benchmark")
    account = f"client_id={_ELLIPTIC_CLIENT},capacity=employer,enterprise={_EMPLOYER},permission=fla"
    return key, f"{account},cert={files.certificate}"


def read_demo(keys: Path) -> dict[str, Any]:
    """Return what demo.json says of the server that runs."""
    demo: dict[str, Any] = json.loads((keys / "demo.json").read_text(encoding="utf-8"))
    return demo


def demo_client(demo: dict[str, Any], name: str) -> Client:
    """Return the client of an account of the demo world."""
    account = next(entry for entry in demo["accounts"] if entry["name"] == name)
    key = load_private_key(Path(account["key"]).read_bytes())
    url = urlsplit(demo["token_url"])
    assert url.port is not None
    return Client(account["client_id"], key, "RS256", demo["audience"], url.port, url.path, " ".join(account["scopes"]))


def elliptic_client(demo: dict[str, Any], key: SigningKey) -> Client:
    """Return the client whose key is on P-384."""
    url = urlsplit(demo["token_url"])
    assert url.port is not None
    scope = next(entry for entry in demo["accounts"] if entry["name"] == "employer")["scopes"][0]
    return Client(_ELLIPTIC_CLIENT, key, "ES384", demo["audience"], url.port, url.path, scope)


class Trainings(NamedTuple):
    """Where the trainings of one employee are, and of which calendar year they are."""

    path: str
    year: int


def all_trainings(demo: dict[str, Any]) -> list[Trainings]:
    """Return the sample employer's resources, with their paths below the host."""
    base = urlsplit(demo["employer_url"]).path
    employees = [entry["ssin"] for entry in demo["employments"] if entry["enterprise_number"] == _EMPLOYER]
    return [
        Trainings(f"{base}/employers/{_EMPLOYER}/employees/{ssin}/calendarYears/{year}/trainings", year)
        for ssin in employees
        for year in _YEARS
    ]


def below_base(demo: dict[str, Any], trainings: Trainings) -> Trainings:
    """Return a resource without the base of the API in its path: prism serves a contract's paths from the root."""
    return trainings._replace(path=trainings.path.removeprefix(urlsplit(demo["employer_url"]).path))


@cache
def training_body(year: int) -> bytes:
    """Return the contract's own example of a body, its dates moved into a calendar year."""
    example = _example()
    later = year - int(example["items"][0]["startDate"][:4])
    text = json.dumps(example, separators=(",", ":"))
    return _DATE.sub(lambda date: f'"{int(date[1]) + later}{date[2]}"', text).encode()


@cache
def _example() -> dict[str, Any]:
    document = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    content = document["components"]["requestBodies"]["TrainingList"]["content"]["application/json"]
    value: dict[str, Any] = content["examples"]["oneTraining"]["value"]
    return value


def put_requests(port: int, resources: Iterable[Trainings], token: str) -> Iterator[bytes]:
    """Return requests that store trainings, without end."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return cycle([request("PUT", port, one.path, training_body(one.year), headers) for one in resources])


def key_set(key: SigningKey) -> str:
    """Return the public half of an RSA key as a key set."""
    public_key = key.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    members = RSAAlgorithm.to_jwk(public_key, as_dict=True)
    members.pop("key_ops", None)
    return json.dumps({"keys": [members | {"alg": "RS256", "use": "sig"}]})


def limit(client: Client, signing_key: SigningKey, seconds: float) -> Sample:
    """Return how often a second PyJWT can decode an assertion and encode a token: one thread, nothing else."""
    assertion = client.assertion()
    public_key = client.key.public_key()
    required = {"require": ["iss", "sub", "aud", "exp", "jti"]}
    count = 0
    began, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        claims = jwt.decode(
            assertion,
            public_key,
            algorithms=[client.algorithm],
            audience=client.audience,
            issuer=client.client_id,
            options=required,  # type: ignore[arg-type] # a dictionary of options
        )
        now = time.time()
        token = {
            "iss": "urn:benchmark",
            "sub": claims["sub"],
            "aud": "urn:benchmark",
            "client_id": claims["sub"],
            "scope": client.scope,
            "iat": now,
            "exp": now + 600,
            "jti": claims["jti"],
        }
        jwt.encode(token, signing_key, "RS256", headers={"kid": "oauth"})
        count += 1
    return Sample(count / (time.perf_counter() - began), count / (time.process_time() - used))
