"""A server that others can reach by a name, through a proxy for instance: its control API is not for them."""

from tests.conftest import Starter

TOKEN = "a token of sixteen characters"


def test_behind_a_proxy_the_control_api_is_switched_off(started: Starter) -> None:
    """By any name: a proxy may use a loopback name for everybody. The services are there all the same."""
    caller = started(public_url="https://mock.example.org")

    replies = [caller.call("GET", "/_mock", host=host) for host in ("mock.example.org", "127.0.0.1:8425")]

    assert [reply.status for reply in replies] == [403, 403]
    assert "--admin-token" in replies[0].json["detail"]
    assert caller.call("GET", "/health", host="mock.example.org").status == 200


def test_behind_a_proxy_the_admin_token_opens_it(started: Starter) -> None:
    """Whoever has it may administer from anywhere."""
    caller = started(public_url="https://mock.example.org", admin_token=TOKEN)
    headers = {"authorization": f"Bearer {TOKEN}"}

    assert caller.call("GET", "/_mock", headers=headers, host="mock.example.org").status == 200
    assert caller.call("GET", "/_mock", host="mock.example.org").status == 401


def test_by_another_name_of_this_machine_it_is_not_open(started: Starter) -> None:
    """A name that was allowed for clients may be one that others can reach."""
    caller = started(allowed_host=("mock.example.org",))

    assert caller.call("GET", "/_mock", host="mock.example.org").status == 403
    assert caller.call("GET", "/_mock").status == 200


def test_links_and_audiences_are_those_of_the_public_url(started: Starter) -> None:
    """Who calls by its name called that URL, scheme, port, path and all."""
    caller = started(public_url="https://mock.example.org/below", admin_token=TOKEN)
    world = caller.call("GET", "/_mock/worlds/default", headers={"authorization": f"Bearer {TOKEN}"}).json

    assert world["token_url"] == "https://mock.example.org/below/REST/oauth/v5/token"
    headers = {"authorization": f"Bearer {caller.token()}"}
    path = "employers/1999000150/employees/65111899997/calendarYears/2023/trainings"
    base = "/REST/careerpro-federal-learning-account/v1"
    reply = caller.call("GET", f"{base}/{path}", headers=headers, host="mock.example.org")
    assert reply.json["self"] == f"https://mock.example.org/below{base}/{path}"
