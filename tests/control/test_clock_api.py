"""The clock of a world over HTTP: where it starts, how it is moved, and that all of the world lives by it."""

import datetime as dt
from typing import Any

import pytest

from mock_server.control.records import timestamp
from tests.control.test_worlds_api import (
    ADMINISTRATOR,
    CLIENT_ID,
    EMPLOYER,
    JSON,
    MANDATARY,
    Api,
    Place,
    alone,
    api,
    problem,
)
from tests.support import DAY, NOW, certificate
from tests.system.processes import training

__all__ = ["alone", "api"]  # the fixtures

# First moments of quarters, at midnight in Brussels: in winter an hour before that of UTC, in summer two.
Q4_2026 = dt.datetime(2026, 9, 30, 22, tzinfo=dt.UTC).timestamp()
Q1_2027 = dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC).timestamp()
LIFETIME = 600
"""Seconds that an access token is good for."""


def shown(now: float, mode: str, offset: float, quarter: str) -> dict[str, Any]:
    """Return a clock as it is answered."""
    return {"now": timestamp(now), "timestamp": now, "mode": mode, "offset": offset, "quarter": quarter}


REAL = shown(NOW, "real", 0, "2026Q3")

# Where a clock starts, and what it then shows.
STARTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing said": (None, REAL),
    "nothing in it": ({}, REAL),
    "not frozen": ({"frozen": False}, REAL),
    "nulls": ({"offset": None, "now": None}, REAL),
    "frozen": ({"frozen": True}, shown(NOW, "frozen", 0, "2026Q3")),
    "ahead": ({"offset": 100 * DAY}, shown(NOW + 100 * DAY, "offset", 100 * DAY, "2026Q4")),
    "ahead by a part of a second": ({"offset": 0.5}, shown(NOW + 0.5, "offset", 0.5, "2026Q3")),
    "behind": ({"offset": -365 * DAY}, shown(NOW - 365 * DAY, "offset", -365 * DAY, "2025Q3")),
    "no offset": ({"offset": 0}, REAL),
    "behind and frozen": ({"offset": -DAY, "frozen": True}, shown(NOW - DAY, "frozen", 0, "2026Q3")),
    "a quarter": ({"now": "2027Q1"}, shown(Q1_2027, "offset", Q1_2027 - NOW, "2027Q1")),
    "a quarter of summer": ({"now": "2026Q4", "frozen": True}, shown(Q4_2026, "frozen", 0, "2026Q4")),
    "a quarter of the past": (
        {"now": "2024Q2", "frozen": True},
        shown(dt.datetime(2024, 3, 31, 22, tzinfo=dt.UTC).timestamp(), "frozen", 0, "2024Q2"),
    ),
    "ISO 8601 in UTC": ({"now": "2026-12-31T23:00:00Z"}, shown(Q1_2027, "offset", Q1_2027 - NOW, "2027Q1")),
    "just before": ({"now": "2026-12-31T22:59:59.5Z"}, shown(Q1_2027 - 0.5, "offset", Q1_2027 - 0.5 - NOW, "2026Q4")),
    "with another zone": (
        {"now": "2027-01-01T00:00:00+01:00", "frozen": True},
        shown(Q1_2027, "frozen", 0, "2027Q1"),
    ),
    "the present": ({"now": timestamp(NOW)}, REAL),
    "Unix seconds": ({"now": NOW - DAY}, shown(NOW - DAY, "offset", -DAY, "2026Q3")),
    "Unix seconds, whole": ({"now": int(NOW) + 7, "frozen": True}, shown(NOW + 7, "frozen", 0, "2026Q3")),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_clock_starts_where_it_is_told(api: Api, name: str) -> None:
    """Before or after the present, running or not; it is told in the answer, of the world and by itself."""
    begin, expected = STARTS[name]
    members = {"from": "empty"} | ({} if begin is None else {"clock": begin})

    reply = api.call("POST", "/worlds", members)

    assert reply.status == 201, reply.body
    assert expected == reply.json["clock"] == api.get(f"/worlds/{reply.json['name']}/clock")


NO_MOMENTS: dict[str, object] = {
    "without a zone": "2027-01-01T00:00:00",
    "a date": "2027-01-01",
    "words": "tomorrow",
    "nothing": "",
    "seconds as text": "1798761600",
    "no quarter": "2027Q5",
    "a quarter in another form": "Q1 2027",
    "a year that is none": "0000Q1",
    "a day that is none": "2027-02-29T00:00:00Z",
    "digits of another script": "\u0662\u0660\u0662\u0667Q1",
    "NaN as text": "NaN",
}
NO_CALENDAR: dict[str, object] = {
    "1970": 1,
    "before Christ": -1e12,
    "the first year": "0001-01-01T00:00:00+23:59",
    "the first quarter of all": "0001Q1",
    "the last year": "9999-12-31T23:59:59-23:59",
    "the last quarter of all": "9999Q4",
    "milliseconds": NOW * 1_000,
    "beyond all years": 1e308,
}
NO_NUMBERS: dict[str, object] = {
    "true": True,
    "a text": "3600",
    "infinity as text": "inf",
    "a list": [3_600],
    "an object": {"seconds": 3_600},
}


@pytest.mark.parametrize("value", NO_MOMENTS.values(), ids=list(NO_MOMENTS))
def test_what_is_no_moment_is_refused(api: Api, value: object) -> None:
    """What one is written like is told, of a new world and of one that is there."""
    place = api.make()
    replies = [api.call("POST", "/worlds", {"from": "empty", "clock": {"now": value}}), change(place, now=value)]

    for reply in replies:
        problem(reply, 400, "A moment is written like 2027-01-01T00:00:00Z (with its zone), 1798761600 or 2027Q1")
    assert place.get("/clock") == REAL


@pytest.mark.parametrize("value", NO_CALENDAR.values(), ids=list(NO_CALENDAR))
def test_a_time_that_no_calendar_has_is_refused(api: Api, value: object) -> None:
    """As such, not as one that has passed."""
    place = api.make()
    replies = [api.call("POST", "/worlds", {"from": "empty", "clock": {"now": value}}), change(place, now=value)]
    if isinstance(value, float):
        replies += [
            api.call("POST", "/worlds", {"from": "empty", "clock": {"offset": value}}),
            change(place, offset=value),
            change(place, advance=abs(value)),
        ]

    for reply in replies:
        problem(reply, 400, "between the years 1971 and 9000")
    assert place.get("/clock") == REAL


@pytest.mark.parametrize("value", NO_NUMBERS.values(), ids=list(NO_NUMBERS))
@pytest.mark.parametrize("member", ["offset", "advance"])
def test_seconds_are_a_number(api: Api, member: str, value: object) -> None:
    """And nothing that could be read as one."""
    place = api.make()
    issues = [problem(change(place, **{member: value}), 400)]
    if member == "offset":
        issues.append(problem(api.call("POST", "/worlds", {"from": "empty", "clock": {"offset": value}}), 400))

    for found in issues:
        assert [(location, name.rpartition(".")[2]) for location, name in found] == [("body", member)]
    assert place.get("/clock") == REAL


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
@pytest.mark.parametrize("member", ["now", "offset", "advance"])
def test_numbers_that_json_does_not_have_are_refused(api: Api, member: str, number: str) -> None:
    """Whatever Python's parser would make of them."""
    place = api.make()

    problem(place.call("PATCH", "/clock", f'{{"{member}": {number}}}'.encode(), JSON), 400)

    assert place.get("/clock") == REAL


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ({"offset": 1, "now": "2027Q1"}, "give one of offset and now"),
        ({"advance": 1}, "advance"),
        ({"frozen": "true"}, "frozen"),
        ({"frozen": 1}, "frozen"),
        ({"frozen": None}, "frozen"),
        ({"zone": "Europe/Brussels"}, "zone"),
        ({"now": True}, "now"),
        ({"now": ["2027Q1"]}, "now"),
    ],
    ids=str,
)
def test_a_start_that_is_not_understood_is_refused(api: Api, clock: dict[str, object], words: str) -> None:
    """And no world is made."""
    count = api.get("/worlds")["total"]

    problem(api.call("POST", "/worlds", {"from": "empty", "clock": clock}), 400, words)

    assert count == api.get("/worlds")["total"]


# Changing it


def change(place: Place, **members: object) -> Any:
    """Change the clock of a world."""
    return place.call("PATCH", "/clock", members)


FROZEN = {"frozen": True}
AHEAD = {"offset": DAY}
BEHIND = {"offset": -DAY}

# How the clock starts, the change, and what it then shows.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "advanced": ({}, {"advance": 3_600}, shown(NOW + 3_600, "offset", 3_600, "2026Q3")),
    "advanced by nothing": ({}, {"advance": 0}, REAL),
    "advanced from its offset": (BEHIND, {"advance": DAY}, REAL),
    "advanced where it stands": (FROZEN, {"advance": 0.25}, shown(NOW + 0.25, "frozen", 0, "2026Q3")),
    "advanced and frozen": ({}, {"advance": 5, "frozen": True}, shown(NOW + 5, "frozen", 0, "2026Q3")),
    "advanced and let run": (FROZEN, {"advance": 5, "frozen": False}, shown(NOW + 5, "offset", 5, "2026Q3")),
    "an offset": ({}, {"offset": 60}, shown(NOW + 60, "offset", 60, "2026Q3")),
    "a larger offset": (AHEAD, {"offset": DAY + 1}, shown(NOW + DAY + 1, "offset", DAY + 1, "2026Q3")),
    "the same offset": (AHEAD, {"offset": DAY}, shown(NOW + DAY, "offset", DAY, "2026Q3")),
    "a negative offset": (BEHIND, {"offset": -60}, shown(NOW - 60, "offset", -60, "2026Q3")),
    "an offset of what stood still": (FROZEN, {"offset": 60}, shown(NOW + 60, "offset", 60, "2026Q3")),
    "an offset, frozen": ({}, {"offset": 60, "frozen": True}, shown(NOW + 60, "frozen", 0, "2026Q3")),
    "a quarter": ({}, {"now": "2026Q4"}, shown(Q4_2026, "offset", Q4_2026 - NOW, "2026Q4")),
    "a quarter, where it stands": (FROZEN, {"now": "2027Q1"}, shown(Q1_2027, "frozen", 0, "2027Q1")),
    "a quarter, frozen": (AHEAD, {"now": "2027Q1", "frozen": True}, shown(Q1_2027, "frozen", 0, "2027Q1")),
    "a moment, let run": (
        FROZEN,
        {"now": "2027-01-01T00:00:00+01:00", "frozen": False},
        shown(Q1_2027, "offset", Q1_2027 - NOW, "2027Q1"),
    ),
    "Unix seconds": ({}, {"now": NOW + 1}, shown(NOW + 1, "offset", 1, "2026Q3")),
    "where it is": ({}, {"now": NOW}, REAL),
    "real time": (BEHIND, {"follow_real_time": True}, REAL),
    "real time, as it was": ({}, {"follow_real_time": True}, REAL),
    "real time of what stood still": (FROZEN, {"follow_real_time": True}, REAL),
    "real time, frozen": (BEHIND, {"follow_real_time": True, "frozen": True}, shown(NOW, "frozen", 0, "2026Q3")),
    "frozen": (AHEAD, {"frozen": True}, shown(NOW + DAY, "frozen", 0, "2026Q3")),
    "frozen twice": (FROZEN, {"frozen": True}, shown(NOW, "frozen", 0, "2026Q3")),
    "let run": ({"offset": DAY, "frozen": True}, {"frozen": False}, shown(NOW + DAY, "offset", DAY, "2026Q3")),
    "let run twice": (AHEAD, {"frozen": False}, shown(NOW + DAY, "offset", DAY, "2026Q3")),
    "nulls beside it": ({}, {"advance": 1, "now": None, "frozen": None}, shown(NOW + 1, "offset", 1, "2026Q3")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_clock_is_changed(api: Api, name: str) -> None:
    """What is not said stays as it is; the answer is what the clock shows from then on."""
    begin, members, expected = CHANGES[name]
    place = api.make(clock=begin)

    reply = change(place, **members)

    assert (200, expected) == (reply.status, reply.json)
    assert expected == place.get("/clock") == place.get()["clock"]


# What would set a clock back, and the time that was asked for.
BACKWARDS: dict[str, tuple[dict[str, Any], dict[str, Any], float]] = {
    "advanced by less than nothing": ({}, {"advance": -1}, NOW - 1),
    "an offset behind": ({}, {"offset": -60}, NOW - 60),
    "a smaller offset": (AHEAD, {"offset": 60}, NOW + 60),
    "a moment that has passed": ({}, {"now": "2026-09-01T00:00:00Z"}, 1_788_220_800),
    "a quarter that has begun": ({}, {"now": "2026Q3"}, dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC).timestamp()),
    "real time": (AHEAD, {"follow_real_time": True}, NOW),
    "where it stands": (FROZEN, {"now": NOW - 0.5}, NOW - 0.5),
    "and frozen": ({}, {"now": NOW - DAY, "frozen": True}, NOW - DAY),
}


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_running_clock_never_goes_back(api: Api, name: str) -> None:
    """The refusal tells both times and the way out, and the clock stays as it was."""
    begin, members, wanted = BACKWARDS[name]
    place = api.make(clock=begin)
    before = place.get("/clock")

    reply = change(place, **members)

    problem(reply, 409, "A running clock never goes back")
    assert timestamp(wanted) in reply.json["detail"]
    assert before["now"] in reply.json["detail"]
    assert "Make a new world" in reply.json["detail"]
    assert before == place.get("/clock")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "got nothing"),
        ({"frozen": None}, "got nothing"),
        ({"advance": 1, "offset": 60}, "got advance, offset"),
        ({"now": "2027Q1", "follow_real_time": True}, "got now, follow_real_time"),
        ({"advance": 1, "now": "2027Q1", "frozen": True}, "got advance, now"),
        ({"follow_real_time": False}, "follow_real_time"),
        ({"follow_real_time": "true"}, "follow_real_time"),
        ({"frozen": "yes"}, "frozen"),
        ({"frozen": 0}, "frozen"),
        ({"frozen_at": NOW}, "frozen_at"),
        ({"mode": "frozen"}, "mode"),
        ({"now": False}, "now"),
        ({"now": {}}, "now"),
    ],
    ids=str,
)
def test_a_change_that_is_not_understood_is_refused(api: Api, members: dict[str, object], words: str) -> None:
    """And nothing is changed."""
    place = api.make()

    problem(change(place, **members), 400, words)

    assert place.get("/clock") == REAL


def test_seconds_pass_in_a_clock_that_runs_and_in_no_other(alone: Api) -> None:
    """Real time passes for all worlds at once."""
    runs, ahead, stands = alone.make(), alone.make(clock=AHEAD), alone.make(clock=FROZEN)

    alone.caller.clock.advance(60)

    assert (runs.now, ahead.now, stands.now) == (NOW + 60, NOW + DAY + 60, NOW)
    assert alone.get("/worlds/default/clock")["timestamp"] == NOW + 60


def test_a_clock_that_is_let_run_continues_from_where_it_stood(alone: Api) -> None:
    """What passed meanwhile has not passed there."""
    place = alone.make()
    change(place, frozen=True)
    alone.caller.clock.advance(3_600)

    assert change(place, frozen=False).json == shown(NOW, "offset", -3_600, "2026Q3")

    alone.caller.clock.advance(60)
    assert place.now == NOW + 60
    assert change(place, follow_real_time=True).json["mode"] == "real"


def test_a_change_has_effect_in_one_world_only(api: Api) -> None:
    """All others keep their time."""
    place, other = api.make(), api.make(clock=AHEAD)

    change(place, now="2030Q1")

    assert place.get("/clock")["quarter"] == "2030Q1"
    assert (other.now, api.get("/worlds/default/clock")["timestamp"]) == (NOW + DAY, NOW)


# What lives by it


@pytest.mark.parametrize("offset", [-100 * DAY, 0, 100 * DAY])
def test_an_assertion_expires_by_the_worlds_clock(api: Api, offset: float) -> None:
    """Ten minutes from the world's present; the real present counts for nothing."""
    place = api.make(clock={"offset": offset})
    place.furnish(certificates=[])
    entry = certificate(start=NOW + offset - DAY)
    path = f"/accounts/{CLIENT_ID}/certificates"
    assert place.call("POST", path, entry, {"content-type": "application/pkix-cert"}).status == 201
    here = int(NOW + offset)

    assert [place.ask(exp=here + seconds).status for seconds in (1, 300, 600)] == [200, 200, 200]
    for exp, requirement in ((here - 3_600, "OAUTH-EXP-2"), (here + 3_600, "OAUTH-EXP-3")):
        assert place.ask(exp=exp).status == 400
        assert place.get("/exchanges")["items"][-1]["refused_by"] == requirement
    if offset:
        assert place.ask(exp=int(NOW) + 300).json["error"] == "invalid_client"
    assert place.get("/exchanges")["items"][0]["time"] == timestamp(NOW + offset)


def test_an_access_token_expires_by_the_worlds_clock(alone: Api) -> None:
    """After ten minutes there, at the moment; where time stands still, never."""
    place, stands = alone.make(), alone.make(clock=FROZEN)
    for one in (place, stands):
        one.furnish()
    token, other = place.token(), stands.token()
    change(place, advance=LIFETIME - 1)
    assert place.trainings(token).status == 200

    alone.caller.clock.advance(1)

    assert place.trainings(token).json["type"] == "urn:problem-type:belgif:expiredAccessToken"
    alone.caller.clock.advance(100 * LIFETIME)
    assert stands.trainings(other).status == 200
    change(stands, advance=LIFETIME)
    assert stands.trainings(other).status == 401


def test_a_certificate_is_valid_by_the_worlds_clock(api: Api) -> None:
    """What is uploaded is judged there, and so is every assertion that is signed with it."""
    place = api.make(clock=FROZEN)
    place.furnish(certificates=[])
    path = f"/accounts/{CLIENT_ID}/certificates"
    file = {"content-type": "application/pkix-cert"}
    later = certificate(start=NOW + DAY, days=2)
    problem(place.call("POST", path, later, file), 400, "The certificate is refused")

    change(place, advance=DAY + 1)

    assert place.call("POST", path, later, file).status == 201
    assert place.ask().status == 200
    change(place, advance=2 * DAY)
    assert place.ask().json["error"] == "invalid_client"
    assert place.get("/exchanges")["items"][-1]["refused_by"] == "OAUTH-CERT-1"


def test_a_mandate_begins_and_ends_by_the_worlds_clock(api: Api) -> None:
    """At midnight in Brussels, to the moment."""
    place = api.make(clock=FROZEN)
    place.furnish("employers_own")
    place.do("PUT", f"/enterprises/{MANDATARY}", {"name": "My Mandatary"})
    place.do("PUT", f"/enterprises/{MANDATARY}/capacities/service-provider", ADMINISTRATOR)
    account = {"name": "All clients", "client_id": CLIENT_ID, "permissions": ["fla"]}
    place.do("POST", f"/enterprises/{MANDATARY}/capacities/service-provider/accounts", account)
    file = {"content-type": "application/pkix-cert"}
    assert place.call("POST", f"/accounts/{CLIENT_ID}/certificates", certificate(), file).status == 201
    terms = {"mandator": EMPLOYER, "mandatary": MANDATARY, "service": "fla", "start": "2026Q4", "end": "2026Q4"}
    number = place.do("POST", "/mandates", terms | {"procuration": True})["id"]

    seen = []
    for moment in (Q4_2026 - 0.001, Q4_2026, Q1_2027 - 0.001, Q1_2027):
        change(place, now=moment)
        seen.append((place.get(f"/mandates/{number}")["status"], place.trainings(place.token()).status))

    assert seen == [("confirmed", 403), ("active", 200), ("active", 200), ("ended", 403)]


def test_a_jti_is_free_again_once_its_assertion_has_expired_there(api: Api) -> None:
    """Nobody could send that assertion again anyway."""
    place = api.make(clock=FROZEN)
    place.furnish()
    assert place.ask(jti="the same").status == 200
    change(place, advance=299)
    assert place.ask(jti="the same").status == 400
    assert place.get("/exchanges")["items"][-1]["refused_by"] == "OAUTH-JTI-3"

    change(place, advance=3_600)

    assert place.ask(jti="the same").status == 200


def test_a_change_in_chaman_has_effect_by_the_worlds_clock(api: Api) -> None:
    """With a delay, which is a setting of the world."""
    place = api.make(clock=FROZEN)
    place.do("PATCH", "/settings", {"activation_delay": 900})
    place.furnish()
    assert place.get(f"/accounts/{CLIENT_ID}")["active_from"] == timestamp(NOW + 900)
    change(place, advance=899)
    assert place.ask().json["error"] == "invalid_client"

    change(place, advance=1)

    token = place.token()
    assert place.trainings(token, {"items": [training()]}).status == 200
