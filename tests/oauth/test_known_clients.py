"""The thirteen public clients, re-typed: what `documented` and `lenient` say of each, as the documentation tells."""

import datetime as dt
from calendar import timegm
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Starter
from tests.support import NOW, assertion, form

DOCUMENT = Path(__file__).parents[2] / "docs" / "known-clients.md"

PRODUCTION = "https://services.socialsecurity.be/REST/oauth/v5/token"
FLA = "scope:sigedis:gestion:careerpro-federal-learning-account:employer"
BOTH = f"{FLA} scope:dimona"
T = int(NOW)
TYPED = {"typ": "JWT"}
ACCOUNT: dict[str, Any] = {"iss": "employer_both", "sub": "employer_both"}


def naive(zone: str) -> dict[str, Any]:
    """Return the times of client 11: a local time whose zone was dropped, which the JWT library then takes as UTC."""
    local = dt.datetime.fromtimestamp(NOW, ZoneInfo(zone)).replace(tzinfo=None)
    moments = {"iat": local, "nbf": local, "exp": local + dt.timedelta(seconds=300)}
    return {name: timegm(moment.utctimetuple()) for name, moment in moments.items()}


def sends(
    *, scope: str | None = None, header: dict[str, Any] | None = None, aud: str = PRODUCTION, **times: Any
) -> bytes:
    """Return the request of a client."""
    return form(assertion(header=header, aud=aud, **ACCOUNT, **times), scope=scope)


CLIENTS: dict[str, bytes] = {
    "1": sends(header=TYPED, iat=T, nbf=T, exp=T + 5000, aud="https://oauth.socialsecurity.be", scope=FLA),
    "2": sends(header=TYPED, iat=T, nbf=T, exp=T + 50_000, scope=FLA),
    "3": sends(header=TYPED, iat=T, exp=T + 300, scope=BOTH),
    "4": sends(exp=T + 300),
    "5": sends(exp=T + 87_000, scope=""),
    "6": sends(exp=T + 300, scope=BOTH),
    "7": sends(iat=T - 100, nbf=T - 100, exp=T + 1000, aud="https://oauth-v5.acc.socialsecurity.be"),
    "8": sends(header=TYPED, iat=T, exp=T + 300),
    "9": sends(header=TYPED | {"kid": "4d3c2b1a"}, iat=T, exp=T + 300),
    "9, older": sends(header=TYPED, iat=T, exp=T + 300, aud="https://oauth.socialsecurity.be", scope="dimona"),
    "10": sends(header=TYPED, iat=T, exp=T + 3600),
    "11, in UTC": sends(header=TYPED, **naive("UTC")),
    "11, in Brussels": sends(header=TYPED, **naive("Europe/Brussels")),
    "12": sends(header=TYPED, iat=T, exp=T + 60, scope="scope:dimona"),
    "13": sends(header=TYPED, exp=T + 864_000, jti="client"),
    "one more": form(None, client_assertion=None, client_assertion_type=None, client_id="x", client_secret="x"),
}


def documented_verdicts() -> dict[str, dict[str, str]]:
    """Read the table of the documentation: what each preset says of each client."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| #")
    ]
    return {row[0]: {"documented": row[2], "lenient": row[3]} for row in rows}


@pytest.mark.parametrize("preset", ["documented", "lenient"])
@pytest.mark.parametrize("name", CLIENTS)
def test_a_known_client_is_judged_as_the_documentation_tells(started: Starter, name: str, preset: str) -> None:
    """What a client sends is accepted, or refused by the requirement that the table names."""
    caller = started(policy=preset, environment="production")

    status = caller.post(CLIENTS[name]).status

    verdict = "accepted" if status == 200 else f"refused: {caller.refused_by}"
    assert documented_verdicts()[name][preset] == verdict


def test_the_documentation_tells_of_these_clients_and_no_others() -> None:
    """The table has a row for each client sent here."""
    assert set(CLIENTS) == set(documented_verdicts())


def test_a_refusal_for_the_lifetime_says_so_on_the_wire(started: Starter) -> None:
    """The commonest fault of public clients is named in error_description."""
    reply = started(environment="production").post(CLIENTS["10"])

    assert "10 minutes" in reply.json["error_description"]
