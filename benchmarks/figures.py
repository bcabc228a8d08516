"""What was measured, as a table for people and as JSON for programs."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One thing measured several times, or why it could not be."""

    group: str
    name: str
    unit: str
    values: tuple[float, ...] = ()
    skipped: str = ""

    def row(self) -> tuple[str, ...]:
        """Give name, median, least, most and count as a table shows them."""
        if not self.values:
            return (self.name, f"skipped: {self.skipped}", "", "", "")
        spread = (statistics.median(self.values), min(self.values), max(self.values))
        shown = [f"{value:.1f}" if value < 100 else f"{value:.0f}" for value in spread]
        return (self.name, f"{shown[0]} {self.unit}", shown[1], shown[2], str(len(self.values)))


@dataclass
class Book:
    """Collects figures, and says each as soon as it is there: a run takes minutes."""

    runs: int
    group: str = ""
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, unit: str, values: Iterable[float]) -> None:
        self._put(Figure(self.group, name, unit, tuple(round(value, 3) for value in values)))

    def skip(self, name: str, why: str) -> None:
        self._put(Figure(self.group, name, "", skipped=why))

    def times(self, name: str, act: Callable[[], object], runs: int | None = None) -> None:
        """Do something several times and note the milliseconds each time took."""
        self.add(name, "ms", [elapsed(act) for _ in range(runs or self.runs)])

    def _put(self, figure: Figure) -> None:
        self.figures.append(figure)
        sys.stderr.write("  ".join(figure.row()[:4]) + "\n")


class Laps:
    """Several things measured in one round, again and again: one figure for each name."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.note(name, (time.perf_counter() - began) * 1000)

    def note(self, name: str, value: float) -> None:
        self._values.setdefault(name, []).append(value)

    def into(self, book: Book, unit: str = "ms") -> None:
        for name, values in self._values.items():
            book.add(name, unit, values)


def elapsed(act: Callable[[], object]) -> float:
    """Tell how many milliseconds something takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out as Markdown tables, one for each group."""
    told = list(figures)
    parts = []
    for group in dict.fromkeys(figure.group for figure in told):
        rows = [(group, "median", "least", "most", "runs"), *(f.row() for f in told if f.group == group)]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in rows
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def write_json(path: Path, about: dict[str, str], figures: Iterable[Figure]) -> None:
    """Write everything that was measured, each value of it."""
    told = [
        {
            "group": figure.group,
            "name": figure.name,
            "unit": figure.unit,
            "values": figure.values,
            **({"skipped": figure.skipped} if figure.skipped else {}),
        }
        for figure in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": about, "figures": told}, indent=1) + "\n")
