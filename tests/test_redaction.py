"""What may be shown and kept of a client's values."""

import base64
import hashlib
import json
import re
import textwrap
import uuid
from collections.abc import Callable
from urllib.parse import quote, unquote, urlencode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import redaction
from mock_server.identifiers import InvalidIdentifierError, parse_ssin
from mock_server.redaction import REDACTED, SHOWN_MAX, mask_ssins, scrub, scrub_json, shown
from tests.support import assertion, b64, certificate, key

ALGORITHMS = {"rsa-2048": "RS256", "ec-p384": "ES384", "ec-p521": "ES512"}
BEGIN, END = ("-----BEGIN " + "PRIVATE KEY-----", "-----END PRIVATE KEY-----")


def der(kind: str) -> bytes:
    """Return a private key."""
    return key(kind).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def base64_of(data: bytes) -> str:
    """Encode as base64 on one line."""
    return base64.b64encode(data).decode()


def lines(text: str, width: int, end: str) -> str:
    """Wrap base64."""
    return end.join(textwrap.wrap(text, width))


SECRETS: dict[str, Callable[[str], str]] = {
    "a key in base64": lambda kind: base64_of(der(kind)),
    "a key in base64url": lambda kind: b64(der(kind)),
    "the body of a PEM file": lambda kind: lines(base64_of(der(kind)), 64, "\n"),
    "the body of a MIME part": lambda kind: lines(base64_of(der(kind)), 76, "\r\n"),
    "an indented body": lambda kind: lines(base64_of(der(kind)), 64, "\n    "),
    "a PEM file": lambda kind: f"{BEGIN}\n{lines(base64_of(der(kind)), 64, chr(10))}\n{END}\n",
    "a PEM file without its end": lambda kind: f"{BEGIN}\n{lines(base64_of(der(kind)), 64, chr(10))}",
    "a certificate": lambda kind: base64_of(certificate(kind)),
    "an assertion": lambda kind: assertion(signing_key=key(kind), algorithm=ALGORITHMS[kind]),
    "two parts of an assertion": lambda kind: SECRETS["an assertion"](kind).rpartition(".")[0],
    "an assertion with blanks": lambda kind: SECRETS["an assertion"](kind).replace(".", " . "),
    "an assertion on three lines": lambda kind: SECRETS["an assertion"](kind).replace(".", ".\n"),
    "an assertion with encoded dots": lambda kind: SECRETS["an assertion"](kind).replace(".", "%2E"),
    "a wrapped assertion": lambda kind: lines(SECRETS["an assertion"](kind), 76, "\n"),
}
PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "in a header": lambda text: f"Bearer {text}",
    "in JSON": lambda text: json.dumps({"name": "x", "value": text, "more": [1]}),
    "in JSON with escaped slashes": lambda text: json.dumps({"value": text}).replace("/", "\\/"),
    "in JSON with escaped signs": lambda text: json.dumps(text).replace("+", "\\u002B").replace("/", "\\u002f"),
    "in a form": lambda text: urlencode({"grant_type": "x", "client_assertion": text, "scope": "a b"}),
    "in a query": lambda text: f"/token?code={quote(text, safe='')}&state=1",
    "in a path": lambda text: f"/REST/oauth/v5/token/{text}/more",
    "in a list": lambda text: repr([1, text]),
    "behind a word": lambda text: f"client_assertion_{text}",
    "behind a line end": lambda text: f"a\n{text}",
}


def without_encoding(text: str) -> str:
    """Return what stays when every way to write a character is undone, and white space is left out."""
    for _ in range(3):
        text = unquote(text).replace("\\\\", "\\")
    text = re.sub(r"\\u00(2[BbFf])", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"\s|\\[nr]", "", text.replace("\\/", "/"))


def leaks(secret: str, text: str) -> list[str]:
    """Return what a text gives away: each 24 characters of the secret that can be found in it."""
    bare, seen = without_encoding(secret).replace(BEGIN.replace(" ", ""), ""), without_encoding(text)
    return [bare[at : at + 24] for at in range(len(bare) - 23) if bare[at : at + 24] in seen]


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(list(SECRETS)),
    st.sampled_from(list(ALGORITHMS)),
    st.lists(st.sampled_from(list(PLACES)), min_size=1, max_size=3),
)
def test_no_part_of_a_secret_is_kept_or_shown(name: str, kind: str, places: list[str]) -> None:
    """Keys and assertions are found in headers, forms, JSON and paths, and in these inside one another."""
    secret = SECRETS[name](kind)
    text = secret
    for place in places:
        text = PLACES[place](text)

    assert leaks(secret, scrub(text)) == []
    assert leaks(secret, shown(text)) == []
    assert leaks(secret, json.dumps(scrub_json({text: [text]}, depth=3, items=9, text=99_999))) == []
    assert scrub(text) == scrub(scrub(text))


@pytest.mark.parametrize("name", ["in a header", "in JSON", "in a form", "in a query"])
def test_what_stands_around_a_secret_stays(name: str) -> None:
    """Only the secret is replaced."""
    assert scrub(PLACES[name](assertion())) == PLACES[name]("X").replace("X", REDACTED)


@pytest.mark.parametrize(
    "header", ['{"alg":"none"}', '{ "alg":"none"}', '{\n"alg":"none"}', '{\r\n  "alg":"none"}', '{\t"alg":"none"}']
)
def test_a_short_token_is_known_by_its_header(header: str) -> None:
    """However the JSON of a header begins."""
    assert scrub(f"x {b64(header.encode())}.e30.") == f"x {REDACTED}."


def test_a_part_of_a_token_is_replaced_too() -> None:
    """Claims that were copied without the rest say as much."""
    claims = assertion().split(".")[1]

    assert scrub(f"these: {claims}!") == f"these: {REDACTED}!"


INNOCENT = [
    "",
    "*/*",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
    "careerpro-federal-learning-account-training-provider",
    "scope:sigedis:gestion:careerpro-federal-learning-account:provider",
    "/REST/careerpro-federal-learning-account/v1/employers/880820673/employees/65111899997/calendarYears/2023/trainings",
    "https://services-acpt.socialsecurity.be/REST/oauth/v5/token",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "self_service_chaman_123456_78912",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "OAuth2ClientCredentialsGrantAuthenticationProvider",
    "ewoks-and-their-villages.example.org",
    "keyInformation.monkeyIndex.EyJar",
    str(uuid.UUID(int=2**127 + 12_345)),
    str(uuid.UUID(int=2**127 + 98_765)).upper() + "/calendarYears",
    f"{uuid.UUID(int=2**126 + 7)}\nRetry-After: 30",
    hashlib.sha256(b"x").hexdigest(),
    "/Certificates/" + hashlib.sha256(b"x").hexdigest(),
    hashlib.sha256(b"x").hexdigest().upper(),
    json.dumps({"startDate": "2023-03-01", "countsForIndividualRight": True, "duration": {"value": 7.5}}),
]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_stays(text: str) -> None:
    """Paths, names, identifiers and digests can be read, percent-encoded too."""
    assert text is scrub(text)
    assert scrub(quote(text, safe="")) == quote(text, safe="")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    """Nothing that a client sends is too odd to be looked at, and the second look finds no more."""
    assert scrub(text) == scrub(scrub(text))
    assert shown(text).isprintable()
    assert mask_ssins(text) == mask_ssins(mask_ssins(text))


PIECES = (
    *(
        "ey",
        "eyJ",
        "-eyJ",
        "eyJ ",
        "eyJhbGci.",
        "-eyJaaaaaaaaaaaa",
        "ew0K",
        ".",
        "{",
        "-",
        "%",
        "%25",
        "%2",
        "%2B",
        "%5C",
    ),
    *("\\", "\\n", "\\u002", "=", "A" * 15 + "=", "a" * 16 + "\n", "a" * 16 + " ", "a" * 16 + ".", "A1b2", "0af3-"),
    *(BEGIN, "-----BEGIN", "-----END", "BEGIN", "ENDA", "-----BEGIN-----END-----", " ", "\n", "1", "65111899997 "),
)


@pytest.mark.parametrize("piece", PIECES)
def test_a_hostile_text_is_looked_at_once(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often something begins like a secret, no character is judged twice; half a megabyte is no burden."""
    judged: list[int] = []
    judge = redaction._is_secret

    def counting(run: str) -> bool:
        judged.append(len(run))
        return judge(run)

    monkeypatch.setattr(redaction, "_is_secret", counting)
    text = piece * (524_288 // len(piece))

    assert len(scrub(text)) <= len(text)
    assert sum(judged) <= len(text)
    assert len(shown(text)) <= 6 * SHOWN_MAX
    assert len(mask_ssins(text)) == len(text)


@pytest.mark.parametrize("text", ["a", "https://services-acpt.socialsecurity.be/REST/oauth/v5/token", "é ☃", ""])
def test_a_plain_value_is_shown_in_quotes(text: str) -> None:
    """URLs and names of any language stay readable."""
    assert f"“{text}”" == shown(text)


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31m", "a\u202eb", "a\x00", "\ud800", "a\u2028b"])
def test_a_value_stays_on_its_line_and_steers_no_terminal(value: str) -> None:
    """Control, format and surrogate characters are escaped."""
    assert shown(value).isprintable()
    assert shown(value).encode()


def test_a_token_is_not_shown() -> None:
    """Wherever a JWT turns up, even behind other text or cut, it is replaced."""
    text = assertion()

    for value in (text, f"Bearer {text}", text.rpartition(".")[0], f"{'x' * 100} {text}", {"a": [text]}):
        assert not any(part in shown(value) for part in text.split("."))


def test_a_private_key_is_not_shown() -> None:
    """PEM is replaced from its first line on."""
    assert "MIIE" not in shown(f"{BEGIN}\nMIIE\n")


def test_a_long_value_is_cut() -> None:
    """Nothing endless is shown, and the cut can be seen, even where what was long has been replaced."""
    assert f"“{'x' * SHOWN_MAX}…”" == shown("x" * 10_000_000)
    assert shown("-eyJ" * 1_000_000) == f"“{REDACTED}…”"


def test_a_value_that_could_begin_a_token_everywhere_is_cut_like_any_other() -> None:
    """Looking for tokens is bounded, whatever a client sends."""
    assert shown("ey-" * 1_000_000) == f"“{'ey-' * (SHOWN_MAX // 3)}…”"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (None, "None"),
        (["a"], "['a']"),
        (True, "True"),
        ([10**5_000], "a value of type list that is too large to be shown"),
    ],
)
def test_other_values_are_shown_without_quotes(value: object, text: str) -> None:
    """A number is told apart from its text, and one of thousands of digits is no trouble."""
    assert text == shown(value)


COPIES: dict[str, tuple[object, object]] = {
    "numbers and constants": ([2**64, 1.5, True, None], [2**64, 1.5, True, None]),
    "not a number": ([float("nan"), float("inf"), -float("inf")], ["nan", "inf", "-inf"]),
    "a huge integer": (10**5_000, "an integer of 16610 bits"),
    "a long string": ("x" * 99, "x" * 20 + "…"),
    "half a pair": ("a\ud800", "a?"),
    "many items": (list(range(9)), [0, 1, 2, 3, "… 5 more"]),
    "many members": ({str(n): n for n in range(9)}, {"0": 0, "1": 1, "2": 2, "3": 3, "…": "5 more"}),
    "a deep list": ([[["a"]]], [["…"]]),
    "a deep object": ({"a": {"b": {}}}, {"a": {"b": "…"}}),
    "a long name": ({"x" * 99: 1}, {"x" * 20 + "…": 1}),
    "another type": ((1, 2), "(1, 2)"),
}


@pytest.mark.parametrize("name", COPIES)
def test_claims_are_copied_within_bounds(name: str) -> None:
    """What is copied can be written as JSON by anybody, and is cut where it is too long, too many or too deep."""
    value, copy = COPIES[name]

    copied = scrub_json(value, depth=2, items=4, text=20)

    assert copied == copy
    assert json.dumps(copied, allow_nan=False).encode()


def test_a_secret_in_claims_is_not_copied() -> None:
    """It is replaced before it is cut, in values and in names."""
    secret = base64_of(der("ec-p384"))

    assert scrub_json({"k": [secret], secret: 1}, depth=2, items=4, text=20) == {"k": [REDACTED], REDACTED: 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(json_values)
def test_a_copy_of_claims_is_bounded(value: object) -> None:
    """However claims are built, their copy has no more than was allowed."""

    def check(copied: object, depth: int) -> None:
        inner = list(copied.values()) if isinstance(copied, dict) else copied if isinstance(copied, list) else []
        names = list(copied) if isinstance(copied, dict) else []
        assert len(inner) <= 4
        assert all(len(text) <= 11 for text in (copied, *names) if isinstance(text, str))
        assert depth >= 0 or not inner
        for one in inner:
            check(one, depth - 1)

    copied = scrub_json(value, depth=2, items=3, text=10)
    check(copied, 1)
    assert json.dumps(copied, allow_nan=False).encode()


SSIN = "65111899997"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{{"ssin":"{}"}}',
        "/employees/{}/calendarYears/2023",
        "ssin=%20{}",
        "a{}b",
        "{},",
        '"\\u0020{}"',
        "x\n{}\ny",
    ],
)
def test_an_ssin_is_masked_wherever_it_stands(text: str) -> None:
    """In paths, queries and bodies, and behind an encoded blank."""
    assert mask_ssins(text.format(SSIN)) == text.format("***********")


@pytest.mark.parametrize(
    "text", ["65111899998", f"1{SSIN}", f"{SSIN}0", "1790000000", "880820673", "1790000000000", ""]
)
def test_other_numbers_are_not_masked(text: str) -> None:
    """Neither wrong check digits, nor digits inside a longer number, make an SSIN."""
    assert text == mask_ssins(text)


@given(st.from_regex(r"[0-9]{9}", fullmatch=True), st.integers(0, 99))
def test_masked_is_what_reads_as_an_ssin(number: str, check: int) -> None:
    """The mask and the reader agree on every number, of births before and after 2000."""
    fitting = (f"{number}{97 - int(born + number) % 97:02}" for born in ("", "2"))
    for text in (*fitting, f"{number}{check:02}"):
        try:
            is_ssin = parse_ssin(text) == text
        except InvalidIdentifierError:
            is_ssin = False
        assert (mask_ssins(text) == "***********") is is_ssin
