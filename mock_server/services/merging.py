"""Patches of what is kept: JSON merge patches (RFC 7396), JSON Patch (RFC 6902), and what may come of one."""

import re
from copy import deepcopy

from mock_server.problems import INVALID_INPUT, SCHEMA_VIOLATION, Issue
from mock_server.services.outcomes import Asked, UnfitError, encode
from mock_server.strict_json import Json

_MOST_STEPS = 1_000
_MOST_CHARACTERS = 1_048_576
"""Of what a patch makes: copying a part into itself doubles it each time."""


def patched(target: Json, patch: Json) -> Json:
    """Return a value with a patch applied: a list is a JSON Patch, anything else a merge patch. Raises `UnfitError`."""
    return json_patch(target, patch) if isinstance(patch, list) else merge_patch(target, patch)


def merge_patch(target: Json, patch: Json) -> Json:
    """Return a value with a JSON merge patch applied (RFC 7396 §2)."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge_patch(made.get(name), value)
    return made


def json_patch(target: Json, patch: list[Json]) -> Json:
    """Return a value with a JSON Patch applied (RFC 6902 §3), whole or not at all. Raises `UnfitError`."""
    from jsonpatch import JsonPatch, JsonPatchException  # noqa: PLC0415 - few contracts have any use for it
    from jsonpointer import JsonPointerException  # noqa: PLC0415 - as above

    if len(patch) > _MOST_STEPS:
        raise _unfit("", f"expected at most {_MOST_STEPS} operations, came {len(patch)}")
    made = deepcopy(target)
    for number, step in enumerate(patch):
        try:
            made = JsonPatch([step]).apply(made, in_place=True)
        except (JsonPatchException, JsonPointerException, TypeError, ValueError, KeyError) as error:
            kind = type(error).__name__
            detail = f"this operation of the JSON Patch cannot be applied to what is there ({kind})"
            raise _unfit(f"[{number}]", detail) from None
        if isinstance(step, dict) and step.get("op") == "copy" and len(encode(made)) > _MOST_CHARACTERS:
            raise _unfit(f"[{number}]", f"expected a result of at most {_MOST_CHARACTERS} characters")
    return made


def _unfit(name: str, detail: str) -> UnfitError:
    return UnfitError([Issue(INVALID_INPUT, "body", name, detail)])


def unfit(asked: Asked, merged: Json, before: Json) -> list[Issue]:
    """Return what a patched document has against the contract: what could not have been put must not come about."""
    convention = asked.convention
    if not isinstance(merged, dict) and isinstance(before, dict):
        return [Issue(SCHEMA_VIOLATION, "body", "", "expected an object: a merge patch names the members to change")]
    put = convention.put.body if convention.put is not None else None
    if put is not None and put.json is not None and not put.issues(before):
        return put.issues(merged)
    read = convention.read
    if read is None or read.success is None:
        return []
    known = {issue.name for issue in read.success.issues(before)}
    sent = asked.operation.body.json if asked.operation.body is not None else None
    named = sent.schema.properties if sent is not None and sent.schema is not None else {}
    # What the patch's own schema says of a member has been judged: that the answer has another form is no fault of it.
    judged = {name for name in named if isinstance(asked.body, dict) and asked.body.get(name) is not None}
    return [
        Issue(INVALID_INPUT, "body", issue.name, f"after the patch: {issue.detail}")
        for issue in read.success.issues(merged)
        if issue.name not in known and re.split(r"[.\[]", issue.name, maxsplit=1)[0] not in judged
    ]
