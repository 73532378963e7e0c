"""Near misses: what a refused request was close to is told in the journal, and makes no difference on the wire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mock_server.oauth.near_misses import TRIED
from tests.conftest import Starter
from tests.support import DAY, NOW, TOKEN_URL, Caller, Reply, assertion, form, key

FLA = "scope:sigedis:gestion:careerpro-federal-learning-account"
ACCEPTANCE = "https://services-acpt.socialsecurity.be/REST/oauth/v5/token"
LATER, EARLIER = "2026-09-21T16:13:20Z", "2026-09-21T13:13:20Z"


def account(name: str, more: str = "", certificate: str = 'file = "rsa-second.cer"') -> str:
    """Return an account with one certificate, in TOML."""
    return f"""
[[accounts]]
name = "The account {name}"
client_id = "{name}"
enterprise = "1999000150"
capacity = "employer"
permissions = ["fla"]
certificates = [{{ {certificate} }}]
{more}
"""


MORE = "\n".join(
    [
        account("coming", f"active_from = {LATER}"),
        account("gone", f"active_until = {EARLIER}"),
        account("certificate_coming", certificate=f'file = "rsa-second.cer", active_from = {LATER}'),
        account("certificate_gone", certificate=f'file = "rsa-second.cer", active_until = {EARLIER}'),
        account("permission_coming", f"permission_periods = {{ fla = {{ active_from = {LATER} }} }}"),
        account("permission_gone", f"permission_periods = {{ fla = {{ active_until = {EARLIER} }} }}"),
    ]
)


@pytest.fixture
def caller(started: Starter) -> Caller:
    """Start a mock of the tests' world, with accounts that have effect at another time."""
    return started(MORE)


def near(caller: Caller) -> list[str]:
    """Return the near misses of the last exchange."""
    return caller.exchanges[-1].trail.near_misses


def on_the_wire(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """Return an answer without the number of its exchange."""
    return reply.status, {name: text for name, text in reply.headers.items() if name != "mock-exchange"}, reply.body


Post = Callable[[Caller], Reply]


def posting(*, scope: str | None = None, **changes: Any) -> Post:
    """Return a function that posts a good request, changed; `sub` names the account."""
    if "sub" in changes:
        changes = {"iss": changes["sub"]} | changes
    return lambda caller: caller.post(form(assertion(**changes), scope=scope))


SECOND, STRANGER = key(number=1), key(number=7)


@dataclass(frozen=True)
class Case:
    """A request that nearly was good, what is said of it, and one with the same fault that was not near anything."""

    request: Post
    said: str
    requirement: str
    far: Post


CASES = {
    "the certificate of another account": Case(
        posting(signing_key=SECOND),
        "The signature is by certificate “rsa-second.cer” of account “employer_two” (client id “employer_two”), "
        "not of “employer_rsa”.",
        "OAUTH-SIG-1",
        posting(signing_key=STRANGER),
    ),
    "the certificate of another account, of another kind": Case(
        posting(signing_key=key("ec-p384"), algorithm="ES384"),
        "The signature is by certificate “ec-p384.cer” of account “employer_p384” (client id “employer_p384”), "
        "not of “employer_rsa”.",
        "OAUTH-ALG-1",
        posting(signing_key=key("ec-p384", 7), algorithm="ES384"),
    ),
    "an unknown client id": Case(
        posting(sub="nobody"),
        "The signature is by certificate “rsa-2048.cer” of account “employer_rsa” (client id “employer_rsa”), "
        "so sub and iss would be its client id.",
        "OAUTH-CLIENT-2",
        posting(sub="nobody", signing_key=STRANGER),
    ),
    "a certificate that has expired": Case(
        posting(sub="employer_expired"),
        "The signature is by certificate “rsa-expired.cer” of this account, which expired 1 day ago.",
        "OAUTH-CERT-1",
        posting(sub="employer_expired", signing_key=STRANGER),
    ),
    "a certificate that was renewed": Case(
        posting(sub="employer_renewed"),
        "The signature is by certificate “rsa-expired.cer” of this account, which expired 1 day ago.",
        "OAUTH-SIG-1",
        posting(sub="employer_renewed", signing_key=STRANGER),
    ),
    "a certificate that is not valid yet": Case(
        posting(sub="employer_future"),
        "The signature is by certificate “rsa-future.cer” of this account, which is valid from 2026-09-22T14:13:20Z "
        "only.",
        "OAUTH-CERT-1",
        posting(sub="employer_future", signing_key=STRANGER),
    ),
    "an account that has no effect yet": Case(
        posting(sub="coming", signing_key=SECOND),
        "The account “The account coming” is registered, and has effect from 2026-09-21T16:13:20Z only, 2 hours "
        "from now.",
        "OAUTH-CLIENT-2",
        posting(sub="nobody", signing_key=STRANGER),
    ),
    "an account that has no effect any more": Case(
        posting(sub="gone", signing_key=SECOND),
        "The account “The account gone” is registered, and has had no effect since 2026-09-21T13:13:20Z.",
        "OAUTH-CLIENT-2",
        posting(sub="nobody", signing_key=STRANGER),
    ),
    "a certificate that has no effect yet": Case(
        posting(sub="certificate_coming", signing_key=SECOND),
        "The signature is by certificate “rsa-second.cer” of this account, which has effect from "
        "2026-09-21T16:13:20Z only, 2 hours from now.",
        "OAUTH-ALG-1",
        posting(sub="certificate_coming", signing_key=STRANGER),
    ),
    "a certificate that has no effect any more": Case(
        posting(sub="certificate_gone", signing_key=SECOND),
        "The signature is by certificate “rsa-second.cer” of this account, which has had no effect since "
        "2026-09-21T13:13:20Z.",
        "OAUTH-ALG-1",
        posting(sub="certificate_gone", signing_key=STRANGER),
    ),
    "a permission that has no effect yet": Case(
        posting(sub="permission_coming", signing_key=SECOND),
        "The permission fla of this account has effect from 2026-09-21T16:13:20Z only, 2 hours from now.",
        "OAUTH-PERM-1",
        posting(sub="employer_nothing"),
    ),
    "a permission that has no effect any more": Case(
        posting(sub="permission_gone", signing_key=SECOND),
        "The permission fla of this account has had no effect since 2026-09-21T13:13:20Z.",
        "OAUTH-PERM-1",
        posting(sub="employer_nothing"),
    ),
    "an audience with a slash": Case(
        posting(aud=f"{TOKEN_URL}/"),
        f"aud differs from {TOKEN_URL} in letter case, a space or the last slash only.",
        "OAUTH-AUD-2",
        posting(aud="https://elsewhere.example/token"),
    ),
    "an audience in capitals": Case(
        posting(aud=TOKEN_URL.upper()),
        f"aud differs from {TOKEN_URL} in letter case, a space or the last slash only.",
        "OAUTH-AUD-2",
        posting(aud="https://elsewhere.example/token"),
    ),
    "the audience of the environment with a blank": Case(
        posting(aud=f" {ACCEPTANCE}"),
        f"aud differs from {ACCEPTANCE} in letter case, a space or the last slash only.",
        "OAUTH-AUD-2",
        posting(aud="https://elsewhere.example/token"),
    ),
    "the scope of another capacity": Case(
        posting(sub="provider", scope=f"{FLA}:employer"),
        f"“{FLA}:employer” belongs to the permission fla and the capacity employer; this account is service-provider "
        "with fla.",
        "OAUTH-SCOPE-2",
        posting(sub="provider", scope="scope:unknown"),
    ),
    "the scope of another permission": Case(
        posting(sub="employer_dimona", scope=f"{FLA}:employer"),
        f"“{FLA}:employer” belongs to the permission fla and the capacity employer; this account is employer with "
        "dimona.",
        "OAUTH-SCOPE-2",
        posting(sub="employer_dimona", scope="scope:unknown"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_near_miss_is_told_in_the_journal(name: str, caller: Caller) -> None:
    """The requirement that failed stays the same, and one sentence says what would have been right."""
    case = CASES[name]

    case.request(caller)

    assert caller.refused_by == case.requirement
    assert near(caller)[0] == case.said


@pytest.mark.parametrize("name", CASES)
def test_a_near_miss_is_not_told_on_the_wire(name: str, caller: Caller, started: Starter) -> None:
    """The answer is that to a request with the same fault that is near to nothing."""
    case = CASES[name]

    nearly = case.request(caller)
    other = started(MORE)
    far = case.far(other)

    assert on_the_wire(nearly) == on_the_wire(far)
    assert near(other) == []


def test_when_a_jti_was_used_is_told_in_the_journal_only(caller: Caller) -> None:
    """The answer to a replay is the same whenever that was."""
    first, second = form(), form()
    assert caller.post(first).status == 200
    caller.clock.advance(60)
    assert caller.post(second).status == 200

    answers = [on_the_wire(caller.post(body)) for body in (first, second)]

    used = "This jti was used at 2026-09-21T14:{}:20Z, by a request that got a token."
    said = [exchange.trail.near_misses for exchange in caller.exchanges]
    assert said == [[], [], [used.format(13)], [used.format(14)]]
    assert caller.refused_by == "OAUTH-JTI-3"
    assert answers[0] == answers[1]


@pytest.mark.parametrize("days", [1, 10, 100])
def test_how_long_ago_a_certificate_expired_is_told(days: int, caller: Caller) -> None:
    """In days, by the world's clock."""
    caller.clock.advance((days - 1) * DAY)
    posting(sub="employer_expired", exp=int(caller.clock.now()) + 300)(caller)

    ago = f"{days} day{'s' if days > 1 else ''} ago"
    assert near(caller) == [f"The signature is by certificate “rsa-expired.cer” of this account, which expired {ago}."]


def test_several_near_misses_are_all_told(caller: Caller) -> None:
    """A wrong audience hides no wrong key."""
    posting(aud=f"{TOKEN_URL}/", signing_key=SECOND)(caller)

    assert len(near(caller)) == 2


def test_an_account_to_come_and_its_certificate_are_told_apart(caller: Caller) -> None:
    """Of an account that has no effect yet, nothing is said of a certificate that waits for nothing of its own."""
    posting(sub="coming", signing_key=SECOND)(caller)

    assert near(caller) == [CASES["an account that has no effect yet"].said]


GOOD: dict[str, Post] = {
    "a good request": posting(),
    "the second of two certificates": posting(sub="employer_renewed", signing_key=SECOND),
    "a scope of its own": posting(scope=f"{FLA}:employer"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_request_is_near_to_nothing(name: str, caller: Caller) -> None:
    """There is nothing to be told."""
    assert GOOD[name](caller).status == 200
    assert near(caller) == []


FAR: dict[str, Post] = {
    "no audience": posting(aud=None),
    "a scope that nobody has": posting(scope="scope:unknown"),
    "an algorithm that is not accepted": posting(algorithm="PS256", signing_key=SECOND),
    "no subject": posting(sub=None),
    "a number as subject": posting(sub=5),
    "an endless subject": posting(sub="x" * 5_000, signing_key=STRANGER),
    "an empty subject": posting(sub=""),
    "a subject with a blank": posting(sub="a b", signing_key=STRANGER),
    "an expired assertion": posting(exp=int(NOW) - 1_000),
    "no assertion at all": lambda caller: caller.post(form("x")),
}


@pytest.mark.parametrize("name", FAR)
def test_a_request_that_is_near_to_nothing_gets_no_guess(name: str, caller: Caller) -> None:
    """Nothing is said that is not known."""
    assert FAR[name](caller).status == 400
    assert near(caller) == []


def test_a_signature_is_tried_with_so_many_certificates_only(started: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying takes time, and anybody can ask for it."""
    ec = [account(f"first_{number:02}", certificate='file = "ec-p384.cer"') for number in range(TRIED)]
    rsa = [account(f"then_{number:02}") for number in range(TRIED)]
    caller = started("\n".join([*ec, *rsa]))
    tried: list[bytes] = []

    def never(_certificates: object, _algorithm: str, _signing_input: bytes, tried_signature: bytes) -> None:
        tried.append(tried_signature)

    monkeypatch.setattr("mock_server.oauth.near_misses.verifying_certificate", never)
    posting(sub="nobody", signing_key=STRANGER)(caller)

    assert 0 < len(tried) <= TRIED


def test_its_own_certificates_are_tried_before_all_others(caller: Caller) -> None:
    """When two accounts have the same certificate, it is said to be the account's own."""
    # Registered for employer_two as well, which was made earlier.
    posting(sub="certificate_coming", signing_key=SECOND)(caller)

    assert "of this account" in near(caller)[0]


# Mandates

API = "/REST/careerpro-federal-learning-account/v1/employers"
TAIL = "employees/65111899997/calendarYears/2025/trainings"
MANDATE = """
[[mandates]]
mandator = "1999000150"
mandatary = "1999000249"
service = "fla"
"""
MANDATES = {
    "one that starts next quarter": ('start = "2026Q4"', "one that is confirmed (from 2026Q4)"),
    "one that has ended": (
        'start = "2025Q1"\nend = "2026Q2"',
        "one that is ended (from 2025Q1 to 2026Q2)",
    ),
    "one that was proposed": (
        'start = "2026Q1"\nstatus = "proposed"\nproposed_by = "mandatary"',
        "one that is proposed (from 2026Q1)",
    ),
    "one that was revoked": ('start = "2026Q1"\nstatus = "revoked"', "one that is revoked (from 2026Q1)"),
}


@pytest.mark.parametrize("name", MANDATES)
def test_a_mandate_that_is_not_active_is_a_near_miss(name: str, started: Starter) -> None:
    """What there is of it is told in the journal; the answer is that to a mandatary without any."""
    members, said = MANDATES[name]
    caller = started(MANDATE + members)
    token = caller.token("secretariat")

    def read(employer: str) -> Reply:
        return caller.call("GET", f"{API}/{employer}/{TAIL}", headers={"authorization": f"Bearer {token}"})

    nearly = read("1999000150")
    assert near(caller) == [f"1999000249 has a mandate of 1999000150, {said}."]
    assert (nearly.status, caller.refused_by) == (403, "ACCESS-MANDATE-1")
    far = read("1999000447")
    assert near(caller) == []

    def told(reply: Reply) -> dict[str, Any]:
        return {name: value for name, value in reply.json.items() if name != "instance"}

    assert told(nearly) == told(far)
    assert nearly.headers.keys() == far.headers.keys()


def test_near_misses_are_in_the_exchange_over_http(caller: Caller) -> None:
    """As the journal gives it, and in the archive."""
    CASES["the certificate of another account"].request(caller)

    exchange = caller.call("GET", "/_mock/worlds/default/exchanges/1").json
    (entry,) = caller.call("GET", "/_mock/worlds/default/exchanges.har").json["log"]["entries"]

    assert exchange["near_misses"] == entry["_nearMisses"] == [CASES["the certificate of another account"].said]
