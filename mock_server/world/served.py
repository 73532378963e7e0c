"""How what is served may be called: the names, paths and scopes that a file and a command line give alike."""

import re

NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
NAME_IN_WORDS = "a small letter, then small letters, digits and hyphens, 64 characters at most"

PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()+,;=:@-]+)+")
PATH_IN_WORDS = "a path like /REST/name/v1: a slash at its beginning, none at its end, and plain ASCII"

SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""One scope (RFC 6749 §3.3)."""
SCOPE_IN_WORDS = "printable ASCII without blanks, quotation marks and backslashes"

HOLDS = ("enterpriseNumber", "ssin", "year", "nothing")
"""What a parameter of a contract can be said to hold."""
