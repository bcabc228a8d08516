"""What a job costs a model, call by call, and whether it needed any of the tricks that pyro is to make unnecessary."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass
class Transcript:
    """All calls of one job through one door."""

    job: str
    door: str
    calls: list[Call] = field(default_factory=list)

    def before(self, operation: str, arguments: Mapping[str, object]) -> None:
        """Refuse a call that resorts to a trick."""
        words = arguments.get("command", "")
        command = words if isinstance(words, str) else " ".join(map(str, words))  # type: ignore[call-overload]
        trick = _TRICKS.search(command)
        assert trick is None, f"{operation} does by shell what an operation is there for: {command}"
        assert _TYPED_ID.search(json.dumps(arguments)) is None, (
            f"{operation} has an id typed by hand: {arguments}"
        )

    def after(self, operation: str, arguments: Mapping[str, object], text: str) -> None:
        """Count a call and look at what was answered."""
        assert _ESCAPE not in text, f"{operation} answers with terminal control sequences: {text!r}"
        self.calls.append(Call(operation, len(json.dumps(arguments)), len(text)))

    def told(self) -> str:
        """One line per call, and the sum."""
        total = Call(
            f"{len(self.calls)} calls", sum(c.given for c in self.calls), sum(c.got for c in self.calls)
        )
        rows = [f"{call.operation:<24} {call.given:>7} {call.got:>7}" for call in (*self.calls, total)]
        head = f"{self.job} through {self.door}"
        return "\n".join([head, f"{'operation':<24} {'given':>7} {'answer':>7}  (characters)", *rows])
