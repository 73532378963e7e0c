"""Figures, what they are compared with, and the table of them."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure or a ratio is to be."""

    text: str
    is_met: Callable[[float], bool]


def at_least(value: float) -> Goal:
    """Ask for a ratio that is not smaller."""
    return Goal(f"≥ {value:g}", lambda found: found >= value)


def at_most(value: float) -> Goal:
    """Ask for a ratio that is not larger."""
    return Goal(f"≤ {value:g}", lambda found: found <= value)


def under(value: float, unit: str) -> Goal:
    """Ask for a figure that is smaller."""
    return Goal(f"< {value:g} {unit}", lambda found: found < value)


class Sample(NamedTuple):
    """What one measurement found."""

    value: float
    by_cpu: float | None = None
    """The same by the processor time of the measured process: other jobs of the machine change this one little."""


@dataclass(slots=True)
class Figure:
    """One thing that is measured once in every round."""

    name: str
    unit: str
    goal: Goal | None = None
    samples: list[Sample] = field(default_factory=list)
    comparisons: "list[Comparison]" = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of all rounds."""
        return statistics.median(sample.value for sample in self.samples)

    @property
    def median_by_cpu(self) -> float | None:
        """The same by processor time."""
        found = [sample.by_cpu for sample in self.samples if sample.by_cpu is not None]
        return statistics.median(found) if found else None

    def compare(self, label: str, other: "Figure", goal: Goal | None = None) -> None:
        """Compare with something that is measured in the same rounds."""
        self.comparisons.append(Comparison(label, self, other, goal))

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as JSON members."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "median_by_cpu": self.median_by_cpu,
            "rounds": [sample.value for sample in self.samples],
            **_judged(self.goal, self.median),
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure as a ratio to another one."""

    label: str
    figure: Figure
    other: Figure
    goal: Goal | None

    @property
    def ratio(self) -> float:
        """The median of the ratios, each taken within one round: the machine's speed drifts between rounds."""
        return statistics.median(mine.value / its.value for mine, its in self._pairs())

    @property
    def ratio_by_cpu(self) -> float | None:
        """The same by processor time."""
        found = [mine.by_cpu / its.by_cpu for mine, its in self._pairs() if mine.by_cpu and its.by_cpu]
        return statistics.median(found) if found else None

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON members."""
        members = {"with": self.other.name, "ratio": self.ratio, "ratio_by_cpu": self.ratio_by_cpu}
        return members | _judged(self.goal, self.ratio)

    def _pairs(self) -> Iterator[tuple[Sample, Sample]]:
        return zip(self.figure.samples, self.other.samples, strict=True)


def _judged(goal: Goal | None, found: float) -> dict[str, Any]:
    return {} if goal is None else {"goal": goal.text, "met": goal.is_met(found)}


@dataclass(frozen=True, slots=True)
class _Step:
    figure: Figure
    measure: Callable[[], Sample]


class Steps:
    """What is measured in every round, one step after the other."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    @property
    def figures(self) -> list[Figure]:
        """What the steps fill."""
        return [step.figure for step in self._steps]

    def add(self, name: str, unit: str, measure: Callable[[], Sample], goal: Goal | None = None) -> Figure:
        """Add a step, and return the figure that it fills."""
        figure = Figure(name, unit, goal)
        self._steps.append(_Step(figure, measure))
        return figure

    def run(self, rounds: int, say: Callable[[str], None]) -> None:
        """Run all rounds; every other one goes backwards, so that a drift of the machine favours nobody."""
        for index in range(rounds):
            for step in self._steps if index % 2 == 0 else reversed(self._steps):
                say(f"round {index + 1} of {rounds}: {step.figure.name}")
                step.figure.samples.append(step.measure())


def table(title: str, figures: list[Figure]) -> Table:
    """Return the table of some figures: a line for each, and one for each further comparison."""
    rows = [row for figure in figures for row in _rows(figure)]
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    numbers = ("median", "by CPU", "ratio", "ratio by CPU")
    for index, name in enumerate(("", *numbers, "to", "goal", "met")):
        if name not in numbers or any(row[index] for row in rows):
            justify: Literal["left", "right"] = "right" if name in numbers else "left"
            shown.add_column(name, justify=justify, no_wrap=True)
        else:
            rows = [(*row[:index], None, *row[index + 1 :]) for row in rows]
    for row in rows:
        shown.add_row(*(cell for cell in row if cell is not None))
    return shown


def _rows(figure: Figure) -> Iterator[tuple[str | None, ...]]:
    head = (figure.name, f"{_number(figure.median)} {figure.unit}", _number(figure.median_by_cpu))
    if figure.goal is not None or not figure.comparisons:
        yield (*head, "", "", "", *_cells(figure.goal, figure.median))
        head = ("", "", "")
    for one in figure.comparisons:
        yield (*head, _number(one.ratio), _number(one.ratio_by_cpu), one.label, *_cells(one.goal, one.ratio))
        head = ("", "", "")


def show(title: str, figures: list[Figure]) -> None:
    """Print the table; in a file it is as wide as it needs to be."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table(title, figures))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cells(goal: Goal | None, found: float) -> tuple[str, str]:
    if goal is None:
        return "", ""
    return goal.text, "[green]yes[/]" if goal.is_met(found) else "[red]no[/]"
