"""Say what is going on, without knowing who listens.

The engine writes `with step("building debian:12", total=300, unit="packages") as s: s.advance(1)`; a front end installs a
listener around its call. Without one, saying costs next to nothing. Standard library only.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Protocol


class Listener(Protocol):
    """Is told of every step, on the thread that takes it. It must be quick and must not raise."""

    def started(self, step: "Step") -> None: ...

    def changed(self, step: "Step") -> None: ...

    def ended(self, step: "Step") -> None: ...


class Step:
    """One thing being done: how far it is (`done` of `total` `unit`), its latest note, and the step it belongs to."""

    def __init__(
        self, text: str, total: int | None, unit: str, parent: "Step | None", listener: Listener | None
    ) -> None:
        self.text = text
        self.total = total
        self.unit = unit
        self.parent = parent
        self.done = 0
        self.latest = ""
        self.failed = False
        self.began = monotonic()
        self._listener = listener

    @property
    def depth(self) -> int:
        """How many steps this one stands in."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def seconds(self) -> float:
        """How long the step has lasted."""
        return monotonic() - self.began

    def advance(self, amount: int) -> None:
        """Count `amount` more units as done."""
        self.done += amount
        self._tell()

    def reach(self, done: int, total: int | None = None) -> None:
        """Set how much is done, and the total where it is learnt on the way."""
        self.done = done
        self.total = self.total if total is None else total
        self._tell()

    def note(self, text: str) -> None:
        """Say what the step is at."""
        self.latest = text
        self._tell()

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener.changed(self)


_listener: ContextVar[Listener | None] = ContextVar("pyro_progress_listener", default=None)
_current: ContextVar[Step | None] = ContextVar("pyro_progress_step", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every step taken inside the block, by this context."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


_remarks: ContextVar[dict[str, bool | str] | None] = ContextVar("pyro_remarks", default=None)


@contextmanager
def remarks() -> Iterator[dict[str, bool | str]]:
    """Collect what is remarked inside the block: facts about how an operation went that are no part of its own answer."""
    facts: dict[str, bool | str] = {}
    token = _remarks.set(facts)
    try:
        yield facts
    finally:
        _remarks.reset(token)


def remarked() -> Mapping[str, bool | str]:
    """What was remarked so far, for whoever collects it."""
    return _remarks.get() or {}


def remark(**facts: bool | str) -> None:
    """Tell whoever asked for the operation something besides its answer."""
    collected = _remarks.get()
    if collected is not None:
        collected.update(facts)


@contextmanager
def step(text: str, total: int | None = None, unit: str = "") -> Iterator[Step]:
    """Do something worth telling; steps inside the block belong to this one."""
    listener = _listener.get()
    taken = Step(text, total, unit, _current.get(), listener)
    token = _current.set(taken)
    if listener is not None:
        listener.started(taken)
    try:
        yield taken
    except BaseException:
        taken.failed = True
        raise
    finally:
        _current.reset(token)
        if listener is not None:
            listener.ended(taken)
