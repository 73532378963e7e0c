"""Sends trainings to the Federal Learning Account. PyJWT signs the assertion, the standard library does the rest.

Exit code: 0 all accepted, 1 refused, 2 not known (settings, network, an answer that makes no sense).
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ASSERTION_LIFETIME = 300  # seconds; the token endpoint accepts at most 600
MARGIN = 30  # seconds; a token must not expire on its way
EC_ALGORITHMS = {"secp384r1": "ES384", "secp521r1": "ES512"}


class RefusedError(Exception):
    """The server answered, and said no."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the assertion or the token to another address: it counts as a refusal."""

    def redirect_request(self, *_: object) -> None:
        return None


class Client:
    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = settings
        self.timeout = float(settings.get("FLA_TIMEOUT_SECONDS", "30"))
        # Loading checks the key, which takes a while for RSA: once, not for every assertion.
        key = load_pem_private_key(Path(settings["FLA_KEY_FILE"]).read_bytes(), password=None)
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise TypeError("the key is neither RSA nor EC")
        self.key = key
        self.algorithm = "RS256" if isinstance(key, RSAPrivateKey) else EC_ALGORITHMS[key.curve.name]
        self.http = urllib.request.build_opener(NoRedirects)
        self.access_token = ""
        self.use_until = 0.0

    def assertion(self) -> str:
        claims = {
            "iss": self.settings["FLA_CLIENT_ID"],
            "sub": self.settings["FLA_CLIENT_ID"],
            "aud": self.settings["FLA_AUDIENCE"],
            "exp": int(time.time()) + ASSERTION_LIFETIME,
            "jti": str(uuid.uuid4()),  # an assertion is good for one use
        }
        return jwt.encode(claims, self.key, self.algorithm)

    def token(self) -> str:
        """The access token, a new one shortly before the old one expires."""
        # The monotonic clock: nobody sets it back.
        if time.monotonic() >= self.use_until:
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self.assertion(),
            }
            if self.settings.get("FLA_SCOPE"):
                form["scope"] = self.settings["FLA_SCOPE"]
            asked = time.monotonic()
            answer = json.loads(
                self.send(
                    "POST",
                    self.settings["FLA_TOKEN_URL"],
                    urllib.parse.urlencode(form).encode(),
                    {"Content-Type": "application/x-www-form-urlencoded"},
                )
            )
            self.access_token = answer["access_token"]
            self.use_until = asked + answer.get("expires_in", 0) - MARGIN
        return self.access_token

    def put(self, submission: dict[str, Any]) -> None:
        """Replace an employee's trainings of a year. Sending the same again changes nothing, so it may be repeated."""
        url = (
            f"{self.settings['FLA_EMPLOYER_URL']}/employers/{submission['enterpriseNumber']}"
            f"/employees/{submission['ssin']}/calendarYears/{submission['year']}/trainings"
        )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token()}"}
        self.send("PUT", url, json.dumps(submission["body"], ensure_ascii=False).encode(), headers)

    def send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(url, body, {"Accept": "application/json", **headers}, method=method)
        try:
            with self.http.open(request, timeout=self.timeout) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")[:2000]
            raise RefusedError(f"{method} refused with {error.code}: {text}") from None


def main() -> None:
    submissions = json.loads(Path(os.environ["FLA_JOB"]).read_bytes())["submissions"]
    client = Client(os.environ)
    for number, submission in enumerate(submissions, 1):
        client.put(submission)
        print(f"accepted {number} of {len(submissions)}")


if __name__ == "__main__":
    try:
        main()
    except RefusedError as refused:
        sys.exit(str(refused))  # prints it on standard error; the exit code is 1
    except Exception as error:  # noqa: BLE001 - an exception would end with 1 as well, and 1 says refused
        print(f"cannot go on: {error!r}", file=sys.stderr)
        sys.exit(2)
