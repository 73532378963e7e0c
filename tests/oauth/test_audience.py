"""Which URLs an assertion may be meant for."""

import pytest

from tests.conftest import Starter
from tests.support import TOKEN, Caller, assertion, form

ACCEPTANCE = f"https://services-acpt.socialsecurity.be{TOKEN}"
PRODUCTION = f"https://services.socialsecurity.be{TOKEN}"


@pytest.mark.parametrize("host", ["127.0.0.1:8425", "localhost:8425", "localhost", "[::1]:9000", "LOCALHOST:1"])
def test_the_url_that_was_called_is_an_audience(caller: Caller, host: str) -> None:
    """Whatever loopback name and port a client uses, that URL is what it may put in aud."""
    assert caller.post(form(assertion(aud=f"http://{host}{TOKEN}")), host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8425", "127.0.0.1.evil.example", "", "a b", "host/x"])
def test_a_host_that_is_not_ours_makes_no_audience(caller: Caller, host: str) -> None:
    """An assertion meant for another server does not become fit by sending that server's name in Host."""
    reply = caller.post(form(assertion(aud=f"http://{host}{TOKEN}")), host=host)

    assert (reply.status, caller.refused_by) == (400, "OAUTH-AUD-2")


def test_the_trail_says_what_to_do_about_a_host_that_is_not_ours(caller: Caller) -> None:
    """In a container the name is the container's: the console tells which option makes it known."""
    caller.post(form(assertion(aud=f"http://mock:8425{TOKEN}")), host="mock:8425")

    check = caller.exchanges[-1].refused_by
    assert check is not None
    assert "--allowed-host" in check.advice


def test_an_allowed_host_makes_an_audience(started: Starter) -> None:
    """`--allowed-host` adds a name that clients may call the server by."""
    caller = started(allowed_host=("Mock.Example",))

    assert caller.post(form(assertion(aud=f"http://mock.example:1{TOKEN}")), host="mock.example:1").status == 200


def test_the_public_url_makes_an_audience_whatever_the_host(started: Starter) -> None:
    """Behind a proxy the client's URL is the one that `--public-url` says."""
    caller = started(public_url="https://mock.example/fla")
    body = form(assertion(aud=f"https://mock.example/fla{TOKEN}"))

    assert caller.post(body, host="10.0.0.1:8425").status == 200
    assert f"https://mock.example/fla{TOKEN}" == caller.mock.urls.token


@pytest.mark.parametrize(
    ("environment", "accepted", "refused"),
    [
        ("acceptance", ACCEPTANCE, PRODUCTION),
        ("production", PRODUCTION, ACCEPTANCE),
        ("simulation", PRODUCTION, ACCEPTANCE),
    ],
)
def test_the_environments_own_token_url_is_an_audience(
    started: Starter, environment: str, accepted: str, refused: str
) -> None:
    """A client with a built-in URL works unchanged behind a hosts entry; simulation uses production's."""
    caller = started(environment=environment)

    statuses = [caller.post(form(assertion(aud=aud))).status for aud in (accepted, refused)]

    assert statuses == [200, 400]


def test_a_near_miss_is_named(caller: Caller) -> None:
    """An audience that differs in its last slash only is told apart from a foreign one."""
    caller.post(form(assertion(aud=f"http://127.0.0.1:8425{TOKEN}/")))

    check = caller.exchanges[-1].refused_by
    assert check is not None
    assert "last slash" in check.advice
