"""One assertion, one token: what uses up a `jti`, and for how long."""

from typing import Any

import pytest

from mock_server.clock import FixedClock
from mock_server.identifiers import ClientId
from mock_server.world.model import WorldState
from mock_server.world.store import Store
from tests.conftest import Starter
from tests.support import NOW, Caller, assertion, form


def test_an_assertion_is_accepted_once(caller: Caller) -> None:
    """The second use of an assertion is invalid_client, and the trail says that its jti was used."""
    body = form()

    assert [caller.post(body).status, caller.post(body).status] == [200, 400]
    assert caller.refused_by == "OAUTH-JTI-3"


def test_a_jti_is_used_up_for_any_assertion_that_carries_it(caller: Caller) -> None:
    """Another assertion with the same jti is a replay too."""
    caller.post(form(assertion(jti="a", exp=int(NOW) + 100)))

    assert caller.post(form(assertion(jti="a", exp=int(NOW) + 200))).status == 400


def test_two_clients_may_use_the_same_jti(caller: Caller) -> None:
    """A jti belongs to its client: RFC 7519 asks for no more."""
    first = caller.post(form(assertion(jti="a")))
    second = caller.post(form(assertion(jti="a", iss="employer_both", sub="employer_both")))

    assert [first.status, second.status] == [200, 200]


FAULTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a wrong audience": ({"aud": "x"}, {}),
    "an expired assertion": ({"exp": 0}, {}),
    "a scope that is not granted": ({}, {"scope": "x"}),
    "another client_id": ({}, {"client_id": "x"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_request_refused_for_something_else_does_not_use_up_its_jti(caller: Caller, name: str) -> None:
    """The same jti is accepted once the fault is mended."""
    claims, parameters = FAULTS[name]
    caller.post(form(assertion(jti="a", **claims), **parameters))

    assert caller.post(form(assertion(jti="a"))).status == 200


def test_a_jti_is_free_again_when_its_assertion_has_expired(caller: Caller) -> None:
    """What can no longer be replayed need not be remembered."""
    caller.post(form(assertion(jti="a", exp=int(NOW) + 100)))
    caller.clock.advance(130)
    still = caller.post(form(assertion(jti="a", exp=int(NOW) + 400)))
    caller.clock.advance(1)

    assert [still.status, caller.post(form(assertion(jti="a", exp=int(NOW) + 400))).status] == [400, 200]


def test_replay_is_allowed_on_request(started: Starter) -> None:
    """Whether the real server refuses a replay is not known, so it is a setting."""
    caller = started(set=("refuse_replay=false",))
    body = form()

    assert [caller.post(body).status, caller.post(body).status] == [200, 200]


def test_used_jtis_that_have_expired_are_forgotten() -> None:
    """The store does not grow with every token that was ever issued."""
    store = Store()
    world = store.create_world(WorldState(), FixedClock(NOW))
    client = ClientId("client")

    for number in range(2_500):
        used_at = world.consume_jti(client, str(number), expires_at=NOW + number, now=NOW + number)
        assert used_at is None

    assert world.count("consumed_jtis") <= 1_001
    store.close()
