"""What a name and an e-mail address look like, and how many of a long list are told."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from mock_server.identifiers import ServiceName
from mock_server.portal.errors import RefusedError
from mock_server.problems import INVALID_INPUT, OUT_OF_RANGE, Issue
from mock_server.redaction import shown

NAME_MAX = 200
EMAIL_MAX = 254  # characters: RFC 5321 §4.5.3.1.3, less the two angle brackets of a path
_TOLD = 5
# Simple on purpose: what is behind the address is never written to.
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
# Line ends of Unicode, which are of a category of their own.
_LINE_ENDS = {"\u2028", "\u2029"}


def name_issues(text: str, member: str) -> list[Issue]:
    """Return what is wrong with a name that people read: 1 to 200 characters, none of them invisible."""
    if not text.strip() or len(text) > NAME_MAX:
        detail = f"expected 1 to {NAME_MAX} characters, not all of them blank; found {_length(text)}"
        return [Issue(OUT_OF_RANGE, "body", member, detail)]
    if not _is_plain(text):
        detail = f"expected printable characters on one line; found {shown(text)}"
        return [Issue(INVALID_INPUT, "body", member, detail)]
    return []


def email_issues(text: str, member: str) -> list[Issue]:
    """Return what is wrong with an e-mail address: something@something is enough."""
    if len(text) > EMAIL_MAX:
        detail = f"expected an e-mail address of at most {EMAIL_MAX} characters; found {_length(text)}"
        return [Issue(OUT_OF_RANGE, "body", member, detail)]
    if not _EMAIL.fullmatch(text) or not _is_plain(text):
        detail = f"expected an e-mail address, such as info@example.org; found {shown(text)}"
        return [Issue(INVALID_INPUT, "body", member, detail)]
    return []


def service_issues(
    names: Sequence[str], services: Collection[ServiceName], member: str, location: str = "body"
) -> list[Issue]:
    """Return an issue for each name that is not a service's."""
    known = ", ".join(services)
    return [
        Issue(INVALID_INPUT, location, member.format(index), f"expected one of {known}; found {shown(name)}")
        for index, name in enumerate(names)
        if name not in services
    ]


def require(issues: Sequence[Issue], subject: str) -> None:
    """Raise `RefusedError` when there are issues; `subject` says what they are about."""
    if issues:
        told = "; ".join(f"{issue.name}: {issue.detail}" for issue in issues[:_TOLD])
        msg = f"{subject} cannot be accepted: {told}. Mend this and send it again; nothing was changed."
        raise RefusedError(msg, issues)


def some(items: Sequence[str]) -> str:
    """Return the first few of a list in words, and how many more there are."""
    more = len(items) - _TOLD
    told = ", ".join(items[:_TOLD])
    return f"{told} and {more} more" if more > 0 else told


def _length(text: str) -> str:
    return f"{len(text)} characters" if text.strip() or not text else "blanks only"


def _is_plain(text: str) -> bool:
    # Categories that begin with C are control, format, surrogate, private and unassigned characters.
    return not any(unicodedata.category(character)[0] == "C" or character in _LINE_ENDS for character in text)
