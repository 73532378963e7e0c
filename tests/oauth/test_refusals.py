"""Every refusal of the token endpoint: each case differs from a good request in one thing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mock_server.oauth import requirements as req
from tests.support import (
    ASSERTION_TYPE,
    FORM_HEADERS,
    NOW,
    TOKEN,
    TOKEN_URL,
    Caller,
    assertion,
    b64,
    claims,
    form,
    jws,
    key,
    signature,
)

REQUEST, CLIENT, SCOPE = "invalid_request", "invalid_client", "invalid_scope"
ID = "employer_rsa"


def as_account(name: str, **more: Any) -> bytes:
    """Return a request of another account, signed with the first RSA key unless told otherwise."""
    return form(assertion(iss=name, sub=name, **more))


def test_a_good_request_is_answered_with_exactly_four_members_in_their_order(caller: Caller) -> None:
    """The answer is compact JSON of four members, `scope` right after `access_token`, and may not be stored."""
    reply = caller.post()

    token = reply.json["access_token"]
    scope = "scope:sigedis:gestion:careerpro-federal-learning-account:employer"
    expected = f'{{"access_token":"{token}","scope":"{scope}","token_type":"Bearer","expires_in":600}}'
    assert (200, expected) == (reply.status, reply.body.decode())
    assert {
        "content-type": "application/json",
        "cache-control": "no-store",
        "pragma": "no-cache",
        "content-length": str(len(reply.body)),
        "mock-exchange": "1",
    } == reply.headers
    assert caller.failed == []


# The body of the request, at what status and error it is refused, and by which requirement.
FORM_CASES: dict[str, tuple[Callable[[], bytes], int, str, str]] = {
    "bytes that are not UTF-8": (lambda: form() + b"&note=\xff", 400, REQUEST, "OAUTH-FORM-1"),
    "an escape that is not UTF-8": (lambda: form() + b"&note=%E9", 400, REQUEST, "OAUTH-FORM-1"),
    "a broken escape": (lambda: form() + b"&note=%zz", 400, REQUEST, "OAUTH-FORM-1"),
    "a cut escape": (lambda: form() + b"&note=%4", 400, REQUEST, "OAUTH-FORM-1"),
    "too many parameters": (lambda: form() + b"&x=1" * 60, 400, REQUEST, "OAUTH-FORM-2"),
    "a parameter twice": (lambda: form() + b"&grant_type=password", 400, REQUEST, "OAUTH-FORM-3"),
    "a parameter twice with one value": (
        lambda: form() + b"&grant_type=client_credentials",
        400,
        REQUEST,
        "OAUTH-FORM-3",
    ),
    "a parameter twice, once empty": (lambda: form(scope="a") + b"&scope=", 400, REQUEST, "OAUTH-FORM-3"),
    "no body": (lambda: b"", 400, REQUEST, "OAUTH-GRANT-1"),
    "JSON in a form": (lambda: b'{"grant_type":"client_credentials"}', 400, REQUEST, "OAUTH-GRANT-1"),
    "no grant_type": (lambda: form(grant_type=None), 400, REQUEST, "OAUTH-GRANT-1"),
    "an empty grant_type": (lambda: form(grant_type=""), 400, REQUEST, "OAUTH-GRANT-1"),
    "another grant_type": (
        lambda: form(grant_type="refresh_token"),
        400,
        "unsupported_grant_type",
        "OAUTH-GRANT-2",
    ),
    "grant_type in capitals": (
        lambda: form(grant_type="CLIENT_CREDENTIALS"),
        400,
        "unsupported_grant_type",
        "OAUTH-GRANT-2",
    ),
    "an assertion and a secret": (lambda: form(client_secret="x"), 400, REQUEST, "OAUTH-AUTH-1"),
    "a secret alone": (
        lambda: form(client_assertion=None, client_assertion_type=None, client_secret="x"),
        400,
        CLIENT,
        "OAUTH-AUTH-2",
    ),
    "no client authentication": (
        lambda: form(client_assertion=None, client_assertion_type=None),
        400,
        CLIENT,
        "OAUTH-AUTH-2",
    ),
    "no client_assertion_type": (lambda: form(client_assertion_type=None), 400, CLIENT, "OAUTH-AUTH-3"),
    "another client_assertion_type": (
        lambda: form(client_assertion_type=ASSERTION_TYPE.replace("jwt", "saml2")),
        400,
        CLIENT,
        "OAUTH-AUTH-3",
    ),
    "no client_assertion": (lambda: form(client_assertion=None), 400, CLIENT, "OAUTH-AUTH-4"),
    "an empty client_assertion": (lambda: form(""), 400, CLIENT, "OAUTH-AUTH-4"),
    "another client_id": (lambda: form(client_id="another"), 400, CLIENT, "OAUTH-CLIENT-1"),
    "an unknown scope": (lambda: form(scope="scope:unknown"), 400, SCOPE, "OAUTH-SCOPE-2"),
    "the scope of another capacity": (
        lambda: form(scope="scope:sigedis:gestion:careerpro-federal-learning-account:provider"),
        400,
        SCOPE,
        "OAUTH-SCOPE-2",
    ),
    "the scope of a permission that is not ticked": (lambda: form(scope="scope:dimona"), 400, SCOPE, "OAUTH-SCOPE-2"),
    "two spaces between scopes": (lambda: form(scope="a  b"), 400, SCOPE, "OAUTH-SCOPE-1"),
    "a quote in a scope": (lambda: form(scope='a"b'), 400, SCOPE, "OAUTH-SCOPE-1"),
    "a letter outside ASCII in a scope": (lambda: form(scope="é"), 400, SCOPE, "OAUTH-SCOPE-1"),
    "an account without permission": (
        lambda: as_account("employer_nothing"),
        400,
        "unauthorized_client",
        "OAUTH-PERM-1",
    ),
}


@pytest.mark.parametrize("name", FORM_CASES)
def test_a_faulty_form_is_refused(caller: Caller, name: str) -> None:
    """A form with one fault gets the status and error of RFC 6749 §5.2, and the trail names the requirement."""
    body, status, error, requirement = FORM_CASES[name]

    reply = caller.post(body())

    assert (status, error, requirement) == (reply.status, reply.json["error"], caller.refused_by)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["pragma"] == "no-cache"
    assert "www-authenticate" not in reply.headers
    assert list(reply.json) == ["error", "error_description"]


def unsigned(header: dict[str, Any]) -> str:
    """Return an assertion with an empty signature."""
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims()).encode())}."


def segment(number: int, change: Callable[[str], str]) -> str:
    """Return a good assertion with one of its three parts changed."""
    parts = assertion().split(".")
    parts[number] = change(parts[number])
    return ".".join(parts)


def raw(header: bytes = b'{"alg":"RS256"}', payload: bytes | None = None) -> str:
    """Return an assertion that is signed over bytes that need not be JSON."""
    return jws(header, json.dumps(claims()).encode() if payload is None else payload, key(), "RS256")


def payload_with(member: str) -> bytes:
    """Return good claims as JSON text with one more member."""
    return json.dumps(claims())[:-1].encode() + b"," + member.encode() + b"}"


def other_last_character(text: str) -> str:
    """Return base64url text that decodes to the same bytes and is spelled otherwise."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text) % 4 in {2, 3}
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def der_signature() -> str:
    """Return an ES384 assertion whose signature is DER, as most libraries make it."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - for this case only
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    signing_key = key("ec-p384")
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
    payload = json.dumps(claims(iss="employer_p384", sub="employer_p384")).encode()
    header = json.dumps({"alg": "ES384"}).encode()
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(signing_key.sign(text.encode(), ec.ECDSA(hashes.SHA384())))}"


def with_signature_of(algorithm: str, said: str) -> str:
    """Return an assertion that says one algorithm and is signed with another."""
    return jws({"alg": said}, claims(), key(), algorithm)


HMAC_HEADER = b'{"alg":"HS256"}'

ASSERTION_CASES: dict[str, tuple[Callable[[], str], str]] = {
    # 3. Structure.
    "16 KiB and more": (lambda: assertion(note="x" * 16_000), "OAUTH-JWT-1"),
    "not a JWT": (lambda: "secret", "OAUTH-JWT-2"),
    "two parts": (lambda: assertion().rpartition(".")[0], "OAUTH-JWT-2"),
    "four parts": (lambda: assertion() + ".x", "OAUTH-JWT-2"),
    "five parts, as an encrypted one has": (lambda: assertion() + ".x.y", "OAUTH-JWT-2"),
    "an empty header": (lambda: segment(0, lambda _: ""), "OAUTH-JWT-2"),
    "an empty payload": (lambda: segment(1, lambda _: ""), "OAUTH-JWT-2"),
    "an empty signature": (lambda: segment(2, lambda _: ""), "OAUTH-JWT-2"),
    "padding": (lambda: segment(2, lambda text: text + "=="), "OAUTH-JWT-2"),
    "a space before": (lambda: " " + assertion(), "OAUTH-JWT-2"),
    "a line break inside": (lambda: segment(1, lambda text: text[:9] + "\n" + text[9:]), "OAUTH-JWT-2"),
    "the standard base64 alphabet": (lambda: segment(2, lambda text: "+/" + text[2:]), "OAUTH-JWT-2"),
    "a signature spelled otherwise": (lambda: segment(2, other_last_character), "OAUTH-JWT-2"),
    "a length that base64 cannot have": (
        lambda: segment(2, lambda text: text[: len(text) // 4 * 4 - 3]),
        "OAUTH-JWT-2",
    ),
    "a letter outside ASCII": (lambda: assertion() + "é", "OAUTH-JWT-2"),
    "a header that is not JSON": (lambda: raw(b"alg=RS256"), "OAUTH-JWT-3"),
    "a header that is an array": (lambda: raw(b'["RS256"]'), "OAUTH-JWT-3"),
    "a header that says alg twice": (lambda: raw(b'{"alg":"none","alg":"RS256"}'), "OAUTH-JWT-3"),
    "a header that is not UTF-8": (lambda: raw(b'{"alg":"RS256","x":"\xff"}'), "OAUTH-JWT-3"),
    "a payload that is not JSON": (lambda: raw(payload=b"sub=x"), "OAUTH-JWT-4"),
    "a payload that is a string": (lambda: raw(payload=b'"x"'), "OAUTH-JWT-4"),
    "a payload that says sub twice": (lambda: raw(payload=payload_with(f'"sub":"{ID}"')), "OAUTH-JWT-4"),
    "a payload after a byte order mark": (
        lambda: raw(payload=b"\xef\xbb\xbf" + json.dumps(claims()).encode()),
        "OAUTH-JWT-4",
    ),
    "a payload with NaN": (lambda: raw(payload=payload_with('"x":NaN')), "OAUTH-JWT-4"),
    "a payload with a number beyond a double": (lambda: raw(payload=payload_with('"x":1e999')), "OAUTH-JWT-4"),
    "a payload with a number of 5000 digits": (
        lambda: raw(payload=payload_with('"x":' + "9" * 5000)),
        "OAUTH-JWT-4",
    ),
    "a payload that is nested deeply": (
        lambda: raw(payload=payload_with('"x":' + "[" * 5000 + "]" * 5000)),
        "OAUTH-JWT-4",
    ),
    "a payload with half a surrogate": (lambda: raw(payload=payload_with(r'"x":"\ud800"')), "OAUTH-JWT-4"),
    "something behind the payload": (lambda: raw(payload=json.dumps(claims()).encode() + b"{}"), "OAUTH-JWT-4"),
    # 3. Header.
    "alg none, unsigned": (lambda: unsigned({"alg": "none"}) + "AA", "OAUTH-HEADER-1"),
    "alg none, signed": (lambda: assertion(header={"alg": "none"}), "OAUTH-HEADER-1"),
    "alg NONE": (lambda: assertion(header={"alg": "NoNe"}), "OAUTH-HEADER-1"),
    "alg HS256": (lambda: raw(HMAC_HEADER), "OAUTH-HEADER-1"),
    "no alg": (lambda: raw(b"{}"), "OAUTH-HEADER-1"),
    "alg that is a number": (lambda: assertion(header={"alg": 256}), "OAUTH-HEADER-1"),
    "alg that is a list": (lambda: assertion(header={"alg": ["RS256"]}), "OAUTH-HEADER-1"),
    "crit": (lambda: assertion(header={"crit": ["exp"], "exp": 1}), "OAUTH-HEADER-2"),
    "crit that names b64, which is true": (lambda: assertion(header={"crit": ["b64"], "b64": True}), "OAUTH-HEADER-2"),
    "b64": (lambda: assertion(header={"b64": False}), "OAUTH-HEADER-2"),
    "enc": (lambda: assertion(header={"enc": "A128GCM"}), "OAUTH-HEADER-2"),
    "zip": (lambda: assertion(header={"zip": "DEF"}), "OAUTH-HEADER-2"),
    # 4. Client.
    "no sub": (lambda: assertion(sub=None), "OAUTH-SUB-1"),
    "sub that is a number": (lambda: assertion(sub=12), "OAUTH-SUB-1"),
    "an empty sub": (lambda: assertion(sub=""), "OAUTH-SUB-1"),
    "no iss": (lambda: assertion(iss=None), "OAUTH-ISS-1"),
    "another iss": (lambda: assertion(iss="another"), "OAUTH-ISS-1"),
    "iss that is a list": (lambda: assertion(iss=[ID]), "OAUTH-ISS-1"),
    "an unknown client": (lambda: assertion(iss="nobody", sub="nobody"), "OAUTH-CLIENT-2"),
    "a client id with a space": (lambda: assertion(iss="a b", sub="a b"), "OAUTH-CLIENT-2"),
    "a client id of 10,000 characters": (lambda: assertion(iss="a" * 9_000, sub="a" * 9_000), "OAUTH-JWT-1"),
    "a client id of 300 characters": (lambda: assertion(iss="a" * 300, sub="a" * 300), "OAUTH-CLIENT-2"),
    "a client id with a NUL": (lambda: assertion(iss="a\0", sub="a\0"), "OAUTH-CLIENT-2"),
    # 5. Algorithm, type.
    "alg in lower case": (lambda: assertion(header={"alg": "rs256"}), "OAUTH-ALG-1"),
    "alg of another kind of key": (lambda: assertion(header={"alg": "ES384"}), "OAUTH-ALG-1"),
    "PS256": (lambda: assertion(algorithm="PS256"), "OAUTH-ALG-1"),
    "alg that nobody knows": (lambda: assertion(header={"alg": "XX1"}), "OAUTH-ALG-1"),
    "EdDSA": (lambda: assertion(header={"alg": "EdDSA"}), "OAUTH-ALG-1"),
    "ES512 with a P-384 key": (
        lambda: assertion(iss="employer_p384", sub="employer_p384", algorithm="ES512", signing_key=key("ec-p384")),
        "OAUTH-ALG-1",
    ),
    "an RSA algorithm for a client with an EC key": (
        lambda: assertion(iss="employer_p384", sub="employer_p384"),
        "OAUTH-ALG-1",
    ),
    "a client without certificate": (lambda: assertion(iss="employer_none", sub="employer_none"), "OAUTH-ALG-1"),
    "typ of an access token": (lambda: assertion(header={"typ": "at+jwt"}), "OAUTH-HEADER-3"),
    "typ that is a number": (lambda: assertion(header={"typ": 1}), "OAUTH-HEADER-3"),
    "typ that is null": (lambda: assertion(header={"typ": None}), "OAUTH-HEADER-3"),
    "kid that is a number": (lambda: assertion(header={"kid": 1}), "OAUTH-HEADER-4"),
    # 6. Signature.
    "an expired certificate": (lambda: assertion(iss="employer_expired", sub="employer_expired"), "OAUTH-CERT-1"),
    "a certificate of tomorrow": (lambda: assertion(iss="employer_future", sub="employer_future"), "OAUTH-CERT-1"),
    "the key of an expired certificate, another being valid": (
        lambda: assertion(iss="employer_renewed", sub="employer_renewed"),
        "OAUTH-SIG-1",
    ),
    "another account's key": (lambda: assertion(signing_key=key(number=1)), "OAUTH-SIG-1"),
    "a changed payload": (
        lambda: segment(1, lambda _: b64(json.dumps(claims(exp=int(NOW) + 200)).encode())),
        "OAUTH-SIG-1",
    ),
    "a signature of another algorithm": (lambda: with_signature_of("RS512", "RS256"), "OAUTH-SIG-1"),
    "a signature cut short": (lambda: segment(2, lambda text: text[: len(text) // 4 * 4 - 8]), "OAUTH-SIG-1"),
    "a DER signature": (der_signature, "OAUTH-SIG-1"),
    # 7. Audience.
    "no aud": (lambda: assertion(aud=None), "OAUTH-AUD-1"),
    "aud that is a number": (lambda: assertion(aud=1), "OAUTH-AUD-1"),
    "two audiences": (lambda: assertion(aud=[TOKEN_URL, "https://other.example"]), "OAUTH-AUD-1"),
    "the right audience twice": (lambda: assertion(aud=[TOKEN_URL, TOKEN_URL]), "OAUTH-AUD-1"),
    "an empty list of audiences": (lambda: assertion(aud=[]), "OAUTH-AUD-1"),
    "a list of a number": (lambda: assertion(aud=[1]), "OAUTH-AUD-1"),
    "another audience": (lambda: assertion(aud="https://other.example/token"), "OAUTH-AUD-2"),
    "a slash at the end": (lambda: assertion(aud=TOKEN_URL + "/"), "OAUTH-AUD-2"),
    "capitals in the audience": (lambda: assertion(aud=TOKEN_URL.upper()), "OAUTH-AUD-2"),
    "the beginning of the audience": (lambda: assertion(aud=TOKEN_URL[:-1]), "OAUTH-AUD-2"),
    "the host alone": (lambda: assertion(aud=TOKEN_URL.removesuffix(TOKEN)), "OAUTH-AUD-2"),
    "the audience of another environment": (
        lambda: assertion(aud="https://services.socialsecurity.be/REST/oauth/v5/token"),
        "OAUTH-AUD-2",
    ),
    # 8. Times.
    "no exp": (lambda: assertion(exp=None), "OAUTH-EXP-1"),
    "exp that is text": (lambda: assertion(exp=str(int(NOW) + 300)), "OAUTH-EXP-1"),
    "exp that is true": (lambda: assertion(exp=True), "OAUTH-EXP-1"),
    "exp that is a list": (lambda: assertion(exp=[1]), "OAUTH-EXP-1"),
    "exp that is null": (lambda: raw(payload=json.dumps(claims() | {"exp": None}).encode()), "OAUTH-EXP-1"),
    "exp 30 seconds ago": (lambda: assertion(exp=int(NOW) - 30), "OAUTH-EXP-2"),
    "exp that is negative": (lambda: assertion(exp=-1), "OAUTH-EXP-2"),
    "exp that is zero": (lambda: assertion(exp=0), "OAUTH-EXP-2"),
    "exp 631 seconds ahead": (lambda: assertion(exp=int(NOW) + 631), "OAUTH-EXP-3"),
    "exp in milliseconds": (lambda: assertion(exp=int(NOW + 300) * 1000), "OAUTH-EXP-3"),
    "exp 1e300": (lambda: assertion(exp=1e300), "OAUTH-EXP-3"),
    "exp of 300 digits": (lambda: assertion(exp=10**300), "OAUTH-EXP-3"),
    "nbf 31 seconds ahead": (lambda: assertion(nbf=int(NOW) + 31), "OAUTH-NBF-1"),
    "nbf that is text": (lambda: assertion(nbf="0"), "OAUTH-NBF-1"),
    "nbf that is null": (lambda: raw(payload=payload_with('"nbf":null')), "OAUTH-NBF-1"),
    "iat 31 seconds ahead": (lambda: assertion(iat=int(NOW) + 31), "OAUTH-IAT-1"),
    "iat that is text": (lambda: assertion(iat=str(int(NOW))), "OAUTH-IAT-1"),
    "iat in milliseconds": (lambda: assertion(iat=int(NOW) * 1000), "OAUTH-IAT-1"),
    # 10. jti.
    "no jti": (lambda: assertion(jti=None), "OAUTH-JTI-1"),
    "an empty jti": (lambda: assertion(jti=""), "OAUTH-JTI-1"),
    "jti that is a number": (lambda: assertion(jti=7), "OAUTH-JTI-1"),
    "jti of 257 characters": (lambda: assertion(jti="x" * 257), "OAUTH-JTI-2"),
}


@pytest.mark.parametrize("name", ASSERTION_CASES)
def test_a_faulty_assertion_is_refused(caller: Caller, name: str) -> None:
    """An assertion with one fault is invalid_client with status 400, and the trail names the requirement, first."""
    make, requirement = ASSERTION_CASES[name]

    reply = caller.post(form(make()))

    assert (400, CLIENT, requirement) == (reply.status, reply.json["error"], caller.refused_by)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["pragma"] == "no-cache"
    assert "www-authenticate" not in reply.headers


ACCEPTED_ASSERTIONS: dict[str, Callable[[], str]] = {
    "alg alone in the header": assertion,
    "typ JWT": lambda: assertion(header={"typ": "JWT"}),
    "typ jwt": lambda: assertion(header={"typ": "jwt"}),
    "typ client-authentication+jwt": lambda: assertion(header={"typ": "client-authentication+jwt"}),
    "a kid that nobody knows": lambda: assertion(header={"kid": "../../etc/passwd"}),
    "x5t, x5c, jku, x5u and jwk": lambda: assertion(
        header={"x5t": "x", "x5c": ["x"], "jku": "http://127.0.0.1:1", "x5u": "http://127.0.0.1:1", "jwk": {}}
    ),
    "an audience in an array": lambda: assertion(aud=[TOKEN_URL]),
    "the environment's token URL": lambda: assertion(aud="https://services-acpt.socialsecurity.be/REST/oauth/v5/token"),
    "exp 29 seconds ago": lambda: assertion(exp=int(NOW) - 29),
    "exp 630 seconds ahead": lambda: assertion(exp=int(NOW) + 630),
    "exp that is not a whole number": lambda: assertion(exp=NOW + 300.5),
    "nbf of now": lambda: assertion(nbf=int(NOW)),
    "nbf and iat 30 seconds ahead": lambda: assertion(nbf=int(NOW) + 30, iat=int(NOW) + 30),
    "iat of a year ago": lambda: assertion(iat=int(NOW) - 31_536_000),
    "claims that nobody asked for": lambda: assertion(note={"a": [1, 2]}, scope="x"),
    "a jti of one character": lambda: assertion(jti="x"),
    "a jti of 256 characters": lambda: assertion(jti="x" * 256),
    "a jti with any character": lambda: assertion(jti="é \0 ☃"),
    "RS384": lambda: assertion(algorithm="RS384"),
    "RS512": lambda: assertion(algorithm="RS512"),
    "ES384": lambda: assertion(iss="employer_p384", sub="employer_p384", algorithm="ES384", signing_key=key("ec-p384")),
    "ES512": lambda: assertion(iss="employer_p521", sub="employer_p521", algorithm="ES512", signing_key=key("ec-p521")),
    "the first of two certificates": lambda: assertion(
        iss="employer_two", sub="employer_two", signing_key=key(number=1)
    ),
    "the second of two certificates": lambda: assertion(iss="employer_two", sub="employer_two"),
    "the RSA certificate of an account that has an EC one too": lambda: assertion(
        iss="employer_mixed", sub="employer_mixed"
    ),
    "the valid certificate beside an expired one": lambda: assertion(
        iss="employer_renewed", sub="employer_renewed", signing_key=key(number=1)
    ),
}


@pytest.mark.parametrize("name", ACCEPTED_ASSERTIONS)
def test_a_variant_of_a_good_assertion_is_accepted(caller: Caller, name: str) -> None:
    """What a client may do otherwise gets a token."""
    reply = caller.post(form(ACCEPTED_ASSERTIONS[name]()))

    assert reply.status == 200, caller.failed


ACCEPTED_FORMS: dict[str, tuple[Callable[[], bytes], dict[str, str]]] = {
    "an empty scope": (lambda: form(scope=""), {}),
    "the client_id": (lambda: form(client_id=ID), {}),
    "parameters that nobody knows, even twice": (lambda: form() + b"&resource=a&resource=b", {}),
    "empty parts": (lambda: b"&&" + form() + b"&", {}),
    "a charset": (form, {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}),
    "a media type in capitals": (form, {"content-type": "Application/X-WWW-Form-Urlencoded"}),
    "an identity encoding": (form, {"content-encoding": "identity"}),
    "an Accept that asks for something else": (form, {"accept": "text/html"}),
}


@pytest.mark.parametrize("name", ACCEPTED_FORMS)
def test_a_variant_of_a_good_form_is_accepted(caller: Caller, name: str) -> None:
    """A form that says the same otherwise gets a token."""
    body, headers = ACCEPTED_FORMS[name]

    assert caller.post(body(), headers).status == 200, caller.failed


def test_parameters_in_the_query_are_not_read(caller: Caller) -> None:
    """A whole request in the query is as good as none, and the trail says where the parameters belong."""
    reply = caller.call("POST", f"{TOKEN}?{form().decode()}", b"", FORM_HEADERS)

    assert (reply.status, caller.refused_by) == (400, "OAUTH-GRANT-1")
    check = caller.exchanges[-1].refused_by
    assert check is not None
    assert "body" in check.advice


def test_a_query_beside_a_good_body_changes_nothing(caller: Caller) -> None:
    """Known parameters in the query neither count as repeated nor replace those of the body."""
    reply = caller.call("POST", f"{TOKEN}?grant_type=password&scope=x", form(), FORM_HEADERS)

    assert reply.status == 200


HEADER_CASES: dict[str, tuple[dict[str, str], int, str, str, str | None]] = {
    "JSON": ({"content-type": "application/json"}, 400, REQUEST, "OAUTH-MEDIA-1", None),
    "multipart": ({"content-type": "multipart/form-data; boundary=x"}, 400, REQUEST, "OAUTH-MEDIA-1", None),
    "no media type": ({"content-type": ""}, 400, REQUEST, "OAUTH-MEDIA-1", None),
    "a compressed body": ({"content-encoding": "gzip"}, 400, REQUEST, "OAUTH-MEDIA-1", None),
    "a length beyond the limit": ({"content-length": "65537"}, 413, REQUEST, "OAUTH-SIZE-1", None),
    "a length of many digits": ({"content-length": "9" * 40}, 413, REQUEST, "OAUTH-SIZE-1", None),
    "Basic beside the assertion": ({"authorization": "Basic eDp5"}, 400, REQUEST, "OAUTH-AUTH-1", None),
    "a bearer token beside the assertion": ({"authorization": "Bearer x"}, 400, REQUEST, "OAUTH-AUTH-1", None),
}


@pytest.mark.parametrize("name", HEADER_CASES)
def test_a_faulty_header_is_refused(caller: Caller, name: str) -> None:
    """A good form with one faulty header is refused."""
    headers, status, error, requirement, _ = HEADER_CASES[name]

    reply = caller.post(headers=headers)

    assert (status, error, requirement) == (reply.status, reply.json["error"], caller.refused_by)


@pytest.mark.parametrize(("scheme", "challenge"), [("Basic eDp5", "Basic"), ("Bearer x", "Bearer"), ("x", "Basic")])
def test_an_authorization_header_alone_is_answered_with_a_challenge(
    caller: Caller, scheme: str, challenge: str
) -> None:
    """Only a client that used the Authorization header gets 401 and WWW-Authenticate (RFC 6749 §5.2)."""
    body = form(client_assertion=None, client_assertion_type=None)

    reply = caller.post(body, {"authorization": scheme})

    assert (reply.status, reply.json["error"], caller.refused_by) == (401, CLIENT, "OAUTH-AUTH-2")
    assert reply.headers["www-authenticate"].startswith(challenge)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post"])
def test_another_method_is_not_allowed(caller: Caller, method: str) -> None:
    """Anything but POST is 405 with the method that would do."""
    reply = caller.call(method, TOKEN, b"")

    assert (reply.status, reply.headers["allow"], caller.refused_by) == (405, "POST", "OAUTH-METHOD-1")


@pytest.mark.parametrize("chunks", [1, 7])
def test_a_body_over_the_limit_is_refused(caller: Caller, chunks: int) -> None:
    """A body of more than 64 KiB is 413, whether its length is said or found out."""
    reply = caller.post(form() + b"&x=" + b"x" * 65_536, chunks=chunks)

    assert (reply.status, reply.json["error"], caller.refused_by) == (413, REQUEST, "OAUTH-SIZE-1")


def test_a_good_body_in_many_chunks_is_read_whole(caller: Caller) -> None:
    """How the body is cut on its way makes no difference."""
    assert caller.post(chunks=50).status == 200


def test_an_unknown_client_and_a_wrong_signature_look_the_same(caller: Caller) -> None:
    """Nothing on the wire tells whether an account exists; the trail does."""
    replies = {
        caller.post(form(text)).body
        for text in (
            assertion(iss="nobody", sub="nobody"),
            assertion(signing_key=key(number=1)),
            assertion(iss="employer_expired", sub="employer_expired"),
            assertion(iss="employer_p384", sub="employer_p384"),
        )
    }

    assert len(replies) == 1
    assert [exchange.refused_by.requirement.id for exchange in caller.exchanges if exchange.refused_by] == [
        "OAUTH-CLIENT-2",
        "OAUTH-SIG-1",
        "OAUTH-CERT-1",
        "OAUTH-ALG-1",
    ]


def test_what_follows_from_the_request_alone_does_not_tell_whether_an_account_exists(caller: Caller) -> None:
    """A wrong typ is refused alike for a client that exists and for one that does not."""
    header = {"typ": "at+jwt"}

    known = caller.post(form(assertion(header=header)))
    unknown = caller.post(form(assertion(header=header, iss="nobody", sub="nobody")))

    assert known.body == unknown.body


def test_the_trail_shows_every_fault_at_once(caller: Caller) -> None:
    """Checks that do not need each other are all made, so that a developer mends everything in one go."""
    caller.post(form(assertion(aud="x", exp=0, iat=int(NOW) + 999, jti=None), scope="x"))

    assert caller.failed == ["OAUTH-AUD-2", "OAUTH-EXP-2", "OAUTH-IAT-1", "OAUTH-SCOPE-2", "OAUTH-JTI-1"]


def test_every_requirement_has_a_case() -> None:
    """No check is without a test in this module that fails it alone, except those that time and replay have."""
    judged_elsewhere = {"OAUTH-BODY-1", "OAUTH-JTI-3", "OAUTH-METHOD-1"}
    tested = {case[3] for case in FORM_CASES.values()}
    tested |= {case[1] for case in ASSERTION_CASES.values()}
    tested |= {case[3] for case in HEADER_CASES.values()}

    assert {requirement.id for requirement in req.ALL} == tested | judged_elsewhere


@pytest.mark.parametrize("name", ASSERTION_CASES)
def test_error_descriptions_stay_within_their_alphabet_and_quote_nothing(caller: Caller, name: str) -> None:
    """RFC 6749 §5.2 allows ASCII without quotes and backslashes; nothing of the request comes back."""
    text = ASSERTION_CASES[name][0]()

    description = caller.post(form(text)).json["error_description"]

    assert all(" " <= character <= "~" for character in description)
    assert not set(description) & {'"', "\\"}
    assert "nobody" not in description


def test_the_signature_helper_of_these_tests_signs_as_the_library_does() -> None:
    """A signature of ES384 is 96 bytes, R and S side by side."""
    assert len(signature(key("ec-p384"), "ES384", b"x")) == 96
