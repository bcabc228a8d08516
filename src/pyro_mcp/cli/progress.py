"""Progress on stderr: a bar on a terminal where an amount is known, otherwise one line when a step begins."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pyro_mcp.progress import Step, listening, remarked

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Quicker steps are not worth a second line.
_WORTH_TELLING_SECONDS = 1.0


class Lines:
    """For pipes, logs and CI: one line per step, and one with its seconds when it took some."""

    def started(self, step: Step) -> None:
        click.echo(f"pyro: {_told(step)}", err=True)

    def changed(self, step: Step) -> None:
        pass

    def ended(self, step: Step) -> None:
        if step.seconds >= _WORTH_TELLING_SECONDS:
            how = "failed" if step.failed else "done"
            click.echo(f"pyro: {_told(step)}: {how} after {step.seconds:.0f} s", err=True)


class Bars(Lines):
    """For terminals. rich is imported by the first step that has a total: a machine's start never waits for it."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[int, TaskID] = {}

    def started(self, step: Step) -> None:
        if step.total is None and self._progress is None:
            super().started(step)
        else:
            self._add(step)

    def changed(self, step: Step) -> None:
        if id(step) not in self._tasks and step.total is not None:
            self._add(step)
        if self._progress is not None and id(step) in self._tasks:
            self._progress.update(
                self._tasks[id(step)], completed=step.done, total=step.total, note=step.latest[:60]
            )

    def ended(self, step: Step) -> None:
        task = self._tasks.pop(id(step), None)
        if task is None or self._progress is None:
            super().ended(step)
            return
        self._progress.stop_task(task)
        if not self._tasks:
            self.close()

    def close(self) -> None:
        """Leave the bars as they are and give the terminal back."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._tasks.clear()

    def _add(self, step: Step) -> None:
        if self._progress is None:
            self._progress = _new_bars()
            self._progress.start()
        self._tasks[id(step)] = self._progress.add_task(_told(step), total=step.total, note="")


def _new_bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    return Progress(*columns, console=Console(file=sys.stderr))


def _told(step: Step) -> str:
    return f"{'  ' * step.depth}{step.text}"


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[None]:
    """Show the steps taken inside the block, in the form that fits where stderr goes, and what was remarked on the way."""
    if quiet:
        yield
        return
    bars = Bars()
    try:
        with listening(bars if sys.stderr.isatty() else Lines()):
            yield
    finally:
        bars.close()
    if reason := remarked().get("resumed_reason"):
        click.echo(f"pyro: the workspace was started again: {reason}", err=True)
