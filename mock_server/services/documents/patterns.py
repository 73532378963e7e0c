r"""Texts that match a regular expression of a contract (ECMA 262), the same ones every time.

The libraries for this (rstr, exrex, greenery) read Python's dialect, which has neither `(?<name>…)` nor `\p{L}`, draw
at random, and cannot aim at a length. What lies beyond the parser here (assertions about what follows or went before)
is read over: a validator judges every text anyway.
"""

import string
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MAX_LENGTH = 100_000
"""As long a text as is made, in characters."""
_MAX_DEPTH = 50
_MAX_NODES = 10_000
_ENDLESS = 1 << 30
_DIGITS = "1234567890"
_POOL = string.ascii_lowercase + string.ascii_uppercase + _DIGITS + "-_.,:;/+*=()[]{}<>!?@#$%&'\"|\\^`~ éÀ\t\n"
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_SIMPLE: dict[str, Callable[[str], bool]] = {
    "d": lambda one: one in string.digits,
    "w": lambda one: one.isascii() and (one.isalnum() or one == "_"),
    "s": str.isspace,
}


class PatternError(ValueError):
    """A regular expression that is not understood here, or has no text short enough."""


@dataclass
class _Node:
    """A piece of an expression: characters, pieces one after another, alternatives, a repetition or a reference."""

    kind: str
    chars: str = ""
    parts: list["_Node"] = field(default_factory=list)
    low: int = 1
    high: int = 1
    group: int = 0
    shortest: int = 0
    longest: int = 0

    def measured(self) -> "_Node":
        """Work out how long its texts are."""
        each = [(part.shortest, part.longest) for part in self.parts]
        if self.kind == "chars":
            self.shortest = self.longest = 1
        elif self.kind == "any":
            self.shortest = min((low for low, _ in each), default=0)
            self.longest = max((high for _, high in each), default=0)
        elif self.kind == "all":
            self.shortest, self.longest = sum(low for low, _ in each), sum(high for _, high in each)
        elif self.kind == "repeat":
            self.shortest, self.longest = self.low * each[0][0], self.high * each[0][1]
        self.shortest, self.longest = min(self.shortest, _ENDLESS), min(self.longest, _ENDLESS)
        return self


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._nodes = 0
        self._groups = 0
        self._names: dict[str, int] = {}

    def parse(self) -> _Node:
        node = self._alternatives(0)
        if self._at < len(self._text):
            raise PatternError("a parenthesis is closed that was not opened")
        return node

    def _node(self, kind: str, **members: object) -> _Node:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise PatternError("it is too long")
        return _Node(kind, **members).measured()  # type: ignore[arg-type] # the members of a node, by name

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise PatternError("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _skip(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _until(self, end: str) -> str:
        stop = self._text.find(end, self._at)
        if stop < 0:
            raise PatternError("it ends too early")
        found = self._text[self._at : stop]
        self._at = stop + len(end)
        return found

    def _alternatives(self, depth: int) -> _Node:
        if depth > _MAX_DEPTH:
            raise PatternError("it is nested too deeply")
        found = [self._sequence(depth)]
        while self._skip("|"):
            found.append(self._sequence(depth))
        return found[0] if len(found) == 1 else self._node("any", parts=found)

    def _sequence(self, depth: int) -> _Node:
        found: list[_Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            node = self._repeated(self._atom(depth))
            if node is not None:
                found.append(node)
        return self._node("all", parts=found)

    def _atom(self, depth: int) -> _Node | None:
        one = self._next()
        if one in "^$":
            return None
        if one == "(":
            return self._group(depth)
        if one == "[":
            return self._class()
        if one == ".":
            return self._of(lambda char: char not in "\n\r")
        if one == "\\":
            return self._escape()
        return self._node("chars", chars=one)

    def _group(self, depth: int) -> _Node | None:
        number = 0
        if self._skip("?"):
            if self._skip("=") or self._skip("!") or self._skip("<=") or self._skip("<!"):
                self._alternatives(depth + 1)
                self._close()
                return None
            if self._skip("<") or self._skip("P<"):
                self._groups += 1
                number = self._names[self._until(">")] = self._groups
            else:
                flags = ""
                while self._text[self._at : self._at + 1] not in {":", ")", ""}:
                    flags += self._next()
                if not flags.strip("imsx-") and flags and self._skip(")"):
                    return None
                if flags.strip("imsx-") or not self._skip(":"):
                    raise PatternError(f"a group (?{flags} is not known here")
        else:
            self._groups += 1
            number = self._groups
        inner = self._alternatives(depth + 1)
        self._close()
        node = self._node("all", parts=[inner])
        node.group = number
        return node

    def _close(self) -> None:
        if not self._skip(")"):
            raise PatternError("a parenthesis is not closed")

    def _repeated(self, node: _Node | None) -> _Node | None:
        while self._at < len(self._text):
            start = self._at
            bounds = self._bounds()
            if bounds is None:
                self._at = start
                break
            if not self._skip("?"):
                self._skip("+")
            if node is not None:
                node = self._node("repeat", parts=[node], low=bounds[0], high=bounds[1])
        return node

    def _bounds(self) -> tuple[int, int] | None:
        one = self._next()
        simple = {"*": (0, _ENDLESS), "+": (1, _ENDLESS), "?": (0, 1)}
        if one in simple:
            return simple[one]
        stop = self._text.find("}", self._at)
        if one != "{" or stop < 0:
            return None
        low, comma, high = self._text[self._at : stop].partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()):
            return None
        self._at = stop + 1
        least = min(int(low[:9]), _ENDLESS)
        return least, min(int(high[:9]), _ENDLESS) if high else _ENDLESS if comma else least

    def _escape(self) -> _Node | None:
        one = self._next()
        if one in "bB":
            return None
        if one.isdecimal() and one != "0":
            return self._node("same", group=int(one))
        if one == "k" and self._skip("<"):
            return self._node("same", group=self._names.get(self._until(">"), 0))
        test = self._kind(one)
        return self._of(test) if test is not None else self._node("chars", chars=self._character(one))

    def _kind(self, one: str) -> Callable[[str], bool] | None:
        """Return the test of a class of many characters, like the digits, whose letter was read."""
        if one.lower() in _SIMPLE:
            test = _SIMPLE[one.lower()]
        elif one in "pP" and self._skip("{"):
            name = self._until("}").rpartition("=")[2]
            test = _property(name)
        else:
            return None
        return test if one.islower() else lambda char: not test(char)

    def _character(self, one: str) -> str:
        if one in _ESCAPED:
            return _ESCAPED[one]
        if one == "c":
            return chr(ord(self._next()) % 32)
        if one in "xu":
            digits = (
                self._until("}") if self._skip("{") else "".join(self._next() for _ in range(2 if one == "x" else 4))
            )
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise PatternError(f"\\{one}{digits} is no character") from None
        return one

    def _class(self) -> _Node:
        negated = self._skip("^")
        ranges: list[tuple[str, str]] = []
        tests: list[Callable[[str], bool]] = []
        while not self._skip("]"):
            one = self._next()
            test = None
            if one == "\\":
                one = self._next()
                test = self._kind(one)
                if test is not None:
                    tests.append(test)
                    continue
                one = "\b" if one == "b" else self._character(one)
            ahead = self._text[self._at : self._at + 2]
            if ahead[:1] == "-" and ahead[1:] not in {"]", ""}:
                self._at += 1
                last = self._next()
                if last == "\\":
                    last = self._character(self._next())
                ranges.append((one, last))
            else:
                ranges.append((one, one))

        def fits(char: str) -> bool:
            inside = any(low <= char <= high for low, high in ranges) or any(test(char) for test in tests)
            return inside != negated

        ends = "" if negated else "".join(dict.fromkeys(end for pair in ranges for end in pair))
        return self._of(fits, ends)

    def _of(self, fits: Callable[[str], bool], more: str = "") -> _Node:
        found = "".join(dict.fromkeys([*filter(fits, _POOL), *more]))
        if not found:
            raise PatternError("a class has no character that is known here")
        return self._node("chars", chars=found)


def _property(name: str) -> Callable[[str], bool]:
    if name in {"Alphabetic", "Alpha", "Letter", "Latin", "Latn"}:
        return str.isalpha
    if len(name) <= 2:  # noqa: PLR2004 - a general category, like L or Lu
        return lambda char: unicodedata.category(char).startswith(name)
    if name == "Any":
        return lambda _char: True
    raise PatternError(f"the property {name[:50]} is not known here")


class Pattern:
    """A regular expression that texts are made for. Raises `PatternError` when it is not understood."""

    def __init__(self, pattern: str) -> None:
        self._node = _Parser(pattern).parse()
        self._grows_after = not pattern.endswith("$") or pattern.endswith("\\$")
        if self._node.shortest > MAX_LENGTH:
            raise PatternError(f"its shortest text has more than {MAX_LENGTH} characters")

    def texts(self, low: int = 0, high: int | None = None, turn: int = 0) -> Iterator[str]:
        """Yield texts that should match, of a length between two bounds where there are such; turns differ."""
        most = min(MAX_LENGTH, high if high is not None else MAX_LENGTH)
        least = max(low, self._node.shortest)
        first = max(least, 1) if self._node.longest else least
        wanted = list(dict.fromkeys(min(most, length) for length in (first, *range(least, least + 8), least + 20, 0)))
        for mixed in (1, 7, 11, 29):
            for length in wanted:
                text = _Writer(turn, mixed).write(self._node, min(length, self._node.longest))
                if len(text) < length and self._grows_after:
                    text += "x" * (length - len(text))
                yield text


class _Writer:
    def __init__(self, turn: int, stride: int) -> None:
        self._turn = turn
        self._stride = stride
        self._at = 0
        self._groups: dict[int, str] = {}

    def write(self, node: _Node, length: int) -> str:
        """Return a text of a piece, as near to a length as it gets."""
        if node.kind == "chars":
            text = self._char(node.chars)
        elif node.kind == "same":
            text = self._groups.get(node.group, "")
        elif node.kind == "any":
            text = self.write(self._alternative(node, length), length)
        elif node.kind == "repeat":
            text = self._repeated(node, length)
        else:
            text = self._sequence(node.parts, length - node.shortest)
        if node.group and node.kind == "all":
            self._groups[node.group] = text
        return text

    def _char(self, chars: str) -> str:
        if len(chars) == 1:
            return chars
        shift = self._turn % len(chars)
        self._turn //= len(chars)
        self._at += 1
        return chars[((self._at - 1) * self._stride + shift) % len(chars)]

    def _alternative(self, node: _Node, length: int) -> _Node:
        start = self._turn % len(node.parts)
        self._turn //= len(node.parts)
        ordered = node.parts[start:] + node.parts[:start]
        fitting = [part for part in ordered if part.shortest <= length <= part.longest]
        shorter = [part for part in ordered if part.shortest <= length]
        return (fitting or shorter or ordered)[0]

    def _sequence(self, parts: list[_Node], spare: int) -> str:
        made: list[str] = []
        for part in parts:
            given = max(0, min(spare, part.longest - part.shortest))
            made.append(self.write(part, part.shortest + given))
            spare -= max(0, len(made[-1]) - part.shortest)
        return "".join(made)

    def _repeated(self, node: _Node, length: int) -> str:
        inner = node.parts[0]
        text = self._sequence([inner] * node.low, length - node.shortest) if inner.longest else ""
        count = node.low
        while count < node.high and len(text) < length and inner.longest and inner.shortest <= length - len(text):
            count += 1
            more = self.write(inner, min(inner.longest, length - len(text)))
            if not more:
                break
            text += more
        return text
