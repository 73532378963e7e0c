"""What the token endpoint leaves to choose, and the presets."""

import pytest
from pydantic import ValidationError

from mock_server.oauth.policy import OLDER_AUDIENCES, Policy
from mock_server.settings import Settings
from mock_server.verdict import Provenance
from tests.conftest import Starter
from tests.support import NOW, TOKEN_URL, assertion, form, key


@pytest.mark.parametrize("name", Policy.model_fields)
def test_every_choice_says_how_well_it_is_known(name: str) -> None:
    """A field without meaning, provenance and source would be an assumption told as a fact."""
    field = Policy.model_fields[name]

    assert field.description
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["provenance"] in {level.value for level in Provenance}
    assert field.json_schema_extra["source"]


@pytest.mark.parametrize("audience", OLDER_AUDIENCES)
def test_lenient_takes_the_older_audiences_and_documented_does_not(started: Starter, audience: str) -> None:
    """Audiences of earlier versions, and issuer-like ones, are a matter of the preset."""
    body = form(assertion(aud=audience))

    assert (started(policy="lenient").post(body).status, started().post(body).status) == (200, 400)


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_lenient_takes_pss(started: Starter, algorithm: str) -> None:
    """RSA-PSS is accepted by `lenient` alone."""
    body = form(assertion(algorithm=algorithm))

    assert (started(policy="lenient").post(body).status, started().post(body).status) == (200, 400)


STRICT = {
    "RS384": (assertion(algorithm="RS384"), "OAUTH-ALG-1"),
    "RS512": (assertion(algorithm="RS512"), "OAUTH-ALG-1"),
    "an audience in an array": (assertion(aud=[TOKEN_URL]), "OAUTH-AUD-1"),
    "typ client-authentication+jwt": (assertion(header={"typ": "client-authentication+jwt"}), "OAUTH-HEADER-3"),
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_refuses_what_documented_tolerates(started: Starter, name: str) -> None:
    """The best practices are a matter of the preset."""
    text, requirement = STRICT[name]
    strict = started(policy="strict")

    assert (strict.post(form(text)).status, started().post(form(text)).status) == (400, 200)
    assert requirement == strict.refused_by


@pytest.mark.parametrize(
    "text",
    [
        assertion(),
        assertion(iss="employer_p384", sub="employer_p384", algorithm="ES384", signing_key=key("ec-p384")),
        assertion(iss="employer_p521", sub="employer_p521", algorithm="ES512", signing_key=key("ec-p521")),
    ],
    ids=["RS256", "ES384", "ES512"],
)
def test_strict_accepts_the_best_practice(started: Starter, text: str) -> None:
    """A client that does everything as advised passes the strictest preset."""
    assert started(policy="strict").post(form(text)).status == 200


def test_invalid_client_is_answered_with_401_on_request(started: Starter) -> None:
    """The status of invalid_client is a setting; the header WWW-Authenticate stays away."""
    reply = started(set=("invalid_client_status=401",)).post(form(assertion(exp=0)))

    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert "www-authenticate" not in reply.headers


def test_the_error_of_an_account_without_permission_is_a_setting(started: Starter) -> None:
    """Whether it is unauthorized_client or invalid_scope is not known."""
    body = form(assertion(iss="employer_nothing", sub="employer_nothing"))

    assert started(set=("no_permission_error=invalid_scope",)).post(body).json["error"] == "invalid_scope"


@pytest.mark.parametrize("parameter", ["client_assertion", "client_assertion_type"])
def test_the_error_for_a_missing_assertion_is_a_setting(started: Starter, parameter: str) -> None:
    """Servers differ between invalid_client and invalid_request."""
    reply = started(set=("missing_assertion_error=invalid_request",)).post(form(**{parameter: None}))

    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_the_status_for_another_media_type_is_a_setting(started: Starter) -> None:
    """415 is defensible too; the error stays invalid_request."""
    reply = started(set=("media_type_status=415",)).post(headers={"content-type": "application/json"})

    assert (reply.status, reply.json["error"]) == (415, "invalid_request")


def test_the_longest_lifetime_is_a_setting(started: Starter) -> None:
    """A longer lifetime is accepted up to the limit that was set, and its skew."""
    caller = started(set=("max_lifetime=1000",))

    assert caller.post(form(assertion(exp=int(NOW) + 1030))).status == 200
    assert caller.post(form(assertion(exp=int(NOW) + 1031))).status == 400


def test_algorithms_are_a_setting(started: Starter) -> None:
    """A list is written with commas."""
    caller = started(set=("algorithms=RS512,PS256",))

    statuses = [caller.post(form(assertion(algorithm=name))).status for name in ("RS256", "RS512", "PS256")]

    assert statuses == [400, 200, 200]


def test_more_audiences_are_a_setting(started: Starter) -> None:
    """An integrator who knows the real audience URL can add it."""
    caller = started(set=("extra_audiences=https://audience.example",))

    assert caller.post(form(assertion(aud="https://audience.example"))).status == 200


def test_the_lifetime_of_access_tokens_is_a_setting(started: Starter) -> None:
    """`expires_in` says the lifetime that was set."""
    assert started(set=("access_token_lifetime=5",)).post().json["expires_in"] == 5


@pytest.mark.parametrize("change", ["max_lifetime=0", "algorithms=HS256", "invalid_client_status=403", "clock_skew=x"])
def test_a_value_that_makes_no_sense_is_refused(change: str) -> None:
    """A policy is validated when it is made."""
    settings = Settings(set=(change,))

    with pytest.raises(ValidationError):
        settings.token_policy()
