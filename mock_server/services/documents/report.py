"""What is wrong with a contract, told at once: each fault with its place, what was expected, what to do."""

from collections.abc import Callable, Sequence
from pathlib import Path

MAX_FAULTS = 50
"""As many faults as are told of one contract; one that has more has them told when these are mended."""

Part = str | int
Place = tuple[Part, ...]
"""The way from the top of a document: names and indexes."""


class ContractError(ValueError):
    """A contract that cannot be served; says where in the file, and why."""


def written(path: Sequence[Part]) -> str:
    """Write a place in a document: `paths./things/{id}.get.parameters[0]`."""
    text = ""
    for part in path:
        text = f"{text}[{part}]" if isinstance(part, int) else f"{text}.{part}" if text else str(part)
    return text


class Report:
    """Gathers faults, and raises them together."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._faults: dict[tuple[Path, Place, str], None] = {}
        self._more = 0

    def add(self, file: Path, path: Sequence[Part], what: str) -> None:
        """Note a fault at a place; the same one is told once."""
        if len(self._faults) < MAX_FAULTS:
            self._faults[file, tuple(path), what] = None
        else:
            self._more += 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self._faults

    def places(self, file: Path) -> list[Place]:
        """Return where in a file the faults are."""
        return [place for where, place, _ in self._faults if where == file]

    def raise_if_any(self, line_of: Callable[[Path, Place], int | None]) -> None:
        """Raise `ContractError` with every fault. `line_of` finds the line of a place, which costs a second reading."""
        if not self._faults:
            return
        told = []
        for file, path, what in self._faults:
            line = line_of(file, path)
            where = written(path) + (f" (line {line})" if line else "")
            inside = "" if file == self._root else f"{file}: "
            told.append(f"{inside}{where}: {what}" if where else f"{inside}{what}")
        if self._more:
            told.append("and more, that are told when these are mended")
        if len(told) == 1:
            msg = f"{self._root}: {told[0]}"
        else:
            lines = "".join(f"\n  - {one}" for one in told)
            msg = f"{self._root}: {len(self._faults)} faults:{lines}"
        raise ContractError(msg)
