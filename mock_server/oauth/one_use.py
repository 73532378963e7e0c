"""Step 10: the form of `jti`. That it is new is decided by the store, in one statement, last of all."""

from typing import Any

from mock_server.oauth import requirements as req
from mock_server.oauth.policy import Policy
from mock_server.oauth.times import moment
from mock_server.redaction import shown
from mock_server.verdict import Trail


def judge_jti(trail: Trail, claims: dict[str, Any], policy: Policy) -> str | None:
    """Return the `jti`, if it is one. No syntax is asked for: the guide's own sample is not a UUID (G§6.1)."""
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        found = "no jti" if jti is None else "an empty string" if jti == "" else f"{shown(jti)} ({type(jti).__name__})"
        trail.failed(req.JTI_FORM, "a string of one or more characters", found)
        return None
    trail.passed(req.JTI_FORM)
    if len(jti) > policy.max_jti_length:
        trail.failed(req.JTI_LENGTH, f"at most {policy.max_jti_length} characters", str(len(jti)))
        return None
    trail.passed(req.JTI_LENGTH)
    return jti


def note_use(trail: Trail, used_at: float | None) -> None:
    """Note whether the store had this `jti` as unused, or when it was used (Unix seconds)."""
    if used_at is None:
        trail.passed(req.JTI_UNUSED)
        return
    trail.failed(
        req.JTI_UNUSED,
        "a jti that this client did not use before",
        f"one that it used at {moment(used_at)}",
        "Make a new random jti, a GUID for instance, for every assertion.",
    )
    trail.near_misses.append(f"This jti was used at {moment(used_at)}, by a request that got a token.")
