"""Which rule guards each operation, as people and as scripts read it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mock_server.cli.printing import print_table
from mock_server.services.guards import Guard, Input

_COLUMNS: dict[str, Callable[[Guard], object]] = {
    "operation": lambda guard: guard.operation,
    "guarded by": lambda guard: guard.rule,
    "employee": lambda guard: _input(guard.person),
    "year": lambda guard: _input(guard.year),
    "known by": lambda guard: list(guard.known_by),
    "scope": lambda guard: guard.scopes_in_words,
    "kept": lambda guard: guard.keeps,
}
_ALWAYS = frozenset({"operation", "guarded by", "kept"})


@dataclass(frozen=True)
class GuardTable:
    """A table of guards that can be printed."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    @property
    def has_scopes(self) -> bool:
        """Whether the scopes are in it: they are when not all operations ask for the same."""
        return "scope" in self.columns

    def show(self) -> None:
        """Print it on standard output."""
        print_table(
            self.columns,
            self.rows,
            "no operations",
            folded=("operation", "guarded by", "scope"),
            spare=("known by", "year", "employee", "kept"),
        )


def guard_table(guards: Iterable[Guard], *, known_by: bool = False) -> GuardTable:
    """Return the table of guards; `known_by`: also how it is known what the parameters hold.

    Columns that would be empty, or say the same scopes in each row, are left out.
    """
    guards = list(guards)
    wanted = {
        "employee": any(guard.person is not None for guard in guards),
        "year": any(guard.year is not None for guard in guards),
        "known by": known_by and any(guard.known_by for guard in guards),
        "scope": len({guard.scopes for guard in guards}) > 1,
    }
    columns = [name for name in _COLUMNS if name in _ALWAYS or wanted[name]]
    return GuardTable(columns, [[_COLUMNS[name](guard) for name in columns] for guard in guards])


def as_json(guard: Guard) -> dict[str, Any]:
    """Return a guard as JSON members."""
    return {
        "operation": guard.operation,
        "operation_id": guard.operation_id or None,
        "scopes": [list(names) for names in guard.scopes],
        "guarded_by": guard.rule,
        "enterprise_number": _input_as_json(guard.enterprise),
        "ssin": _input_as_json(guard.person),
        "year": _input_as_json(guard.year),
        "keeps": guard.keeps,
    }


def _input(found: Input | None) -> str | None:
    return None if found is None else str(found)


def _input_as_json(found: Input | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "parameter": found.parameter,
        "in": found.location,
        "known_by": found.known_by.value,
        "always_sent": found.is_sent,
    }
