"""Which scopes a token has: the account's capacity and ticked permissions decide."""

import pytest

from tests.conftest import Starter
from tests.support import Caller, assertion, form

FLA = "scope:sigedis:gestion:careerpro-federal-learning-account"

GRANTED = {
    "employer_rsa": f"{FLA}:employer",
    "employer_both": f"{FLA}:employer scope:dimona",
    "employer_dimona": "scope:dimona",
    "secretariat": f"{FLA}:provider scope:dimona",
    "provider": f"{FLA}:provider",
    "trainer": f"{FLA}:training-provider",
}


@pytest.mark.parametrize("account", GRANTED)
@pytest.mark.parametrize("requested", [None, ""], ids=["no scope", "an empty scope"])
def test_without_a_scope_the_token_has_all_that_the_account_has(
    caller: Caller, account: str, requested: str | None
) -> None:
    """Leaving scope out selects the default scopes: those of each ticked permission, for this capacity."""
    reply = caller.post(form(assertion(iss=account, sub=account), scope=requested))

    assert GRANTED[account] == reply.json["scope"]


@pytest.mark.parametrize(
    ("requested", "answered"),
    [
        ("scope:dimona", "scope:dimona"),
        (f"scope:dimona {FLA}:employer", f"scope:dimona {FLA}:employer"),
        ("scope:dimona scope:dimona", "scope:dimona"),
    ],
)
def test_a_narrower_scope_is_given_as_asked_for(caller: Caller, requested: str, answered: str) -> None:
    """The token has the scopes that were asked for, each once, in that order."""
    reply = caller.post(form(assertion(iss="employer_both", sub="employer_both"), scope=requested))

    assert (200, answered) == (reply.status, reply.json["scope"])


def test_one_scope_that_is_not_granted_refuses_the_whole_request(caller: Caller) -> None:
    """A client does not get less than it asked for without being told."""
    reply = caller.post(form(scope=f"{FLA}:employer scope:dimona"))

    assert (reply.status, reply.json["error"]) == (400, "invalid_scope")


def test_the_trail_says_whom_a_refused_scope_belongs_to(caller: Caller) -> None:
    """The commonest confusion, `provider` being the mandatary's, is explained."""
    caller.post(form(scope=f"{FLA}:provider"))

    check = caller.exchanges[-1].refused_by
    assert check is not None
    assert "capacity social-secretariat" in check.advice
    assert "this account is employer" in check.advice


def test_the_training_providers_scope_is_a_setting(started: Starter) -> None:
    """It is blank in the guide, so an integrator who knows it can set it."""
    caller = started(training_provider_scope="scope:real")

    assert caller.post(form(assertion(iss="trainer", sub="trainer"))).json["scope"] == "scope:real"
