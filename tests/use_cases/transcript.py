"""What a job costs a model, call by call, and whether it needed any of the tricks that pyro is to make unnecessary."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

# Files are written, edited and patched by operations; a shell that does it is what a model resorts to where there are none.
_TRICKS = re.compile(r"<<|(?<![0-9&])>(?!&)|\bbase64\b|\bprintf\b|\bsed\s+-i|\btee\b|\bpatch\s+-p")
_TYPED_ID = re.compile(r"\bws-[0-9a-z]{10}\b")
_ESCAPE = "\x1b"


@dataclass(frozen=True)
class Call:
    """One call: the characters of its arguments, and of what came back for the model to read."""

    operation: str
    given: int
    got: int
    seconds: float


@dataclass
class Transcript:
    """All calls of one job through one door."""

    job: str
    door: str
    calls: list[Call] = field(default_factory=list)
    heard: list[tuple[str, str, str]] = field(default_factory=list)
    begun: float = field(default_factory=monotonic)

    def before(self, operation: str, arguments: Mapping[str, object]) -> None:
        """Refuse a call that resorts to a trick."""
        words = arguments.get("command", "")
        command = words if isinstance(words, str) else " ".join(map(str, words))  # type: ignore[call-overload]
        trick = _TRICKS.search(command)
        assert trick is None, f"{operation} does by shell what an operation is there for: {command}"
        assert _TYPED_ID.search(json.dumps(arguments)) is None, (
            f"{operation} has an id typed by hand: {arguments}"
        )
        self.begun = monotonic()

    def after(self, operation: str, arguments: Mapping[str, object], text: str) -> None:
        """Count a call and look at what was answered."""
        assert _ESCAPE not in text, f"{operation} answers with terminal control sequences: {text!r}"
        given = json.dumps(arguments)
        self.calls.append(Call(operation, len(given), len(text), monotonic() - self.begun))
        self.heard.append((operation, given, text))

    def told(self) -> str:
        """One line per call, and the sum."""
        rows = [
            f"{call.operation:<24} {call.given:>7} {call.got:>7} {call.seconds:>8.2f}"
            for call in (*self.calls, self._total())
        ]
        head = f"{self.job} through {self.door}"
        return "\n".join(
            [head, f"{'operation':<24} {'given':>7} {'answer':>7}  seconds  (characters)", *rows]
        )

    def keep(self) -> None:
        """Write all that was said below $PYRO_TRANSCRIPTS, where it is set: the recipes' answers come from there."""
        if place := os.environ.get("PYRO_TRANSCRIPTS"):
            Path(place).mkdir(parents=True, exist_ok=True)
            words = [f"{operation} {given}\n{text}" for operation, given, text in self.heard]
            name = re.sub(r"[^a-z]+", "-", f"{self.job} {self.door}") + ".txt"
            (Path(place) / name).write_text("\n\n".join([*words, self.told()]) + "\n")

    def _total(self) -> Call:
        given, got = sum(call.given for call in self.calls), sum(call.got for call in self.calls)
        return Call(f"{len(self.calls)} calls", given, got, sum(call.seconds for call in self.calls))
