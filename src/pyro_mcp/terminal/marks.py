"""Where a shell stands, by the marks that it puts around its prompt (OSC 133), and the last command's exit code."""

from __future__ import annotations

from typing import Literal

State = Literal["starting", "prompt", "continuation", "running"]
_LARGEST_CODE = 255
_MOST_ENTERED = 10_000


class Marks:
    """What the marks say.

    A: a prompt begins, B: it ends and the shell waits for input, C: a command begins, D;N: it ended with N. `k=s` at A marks
    the prompt of a line that goes on.
    """

    def __init__(self) -> None:
        self.state: State = "starting"
        self.exit_code: int | None = None
        # Has a line ended since the last prompt? Else one that comes is the same, drawn again at another size.
        self.line_ended = True
        self._goes_on = False
        self._entered = 0  # lines that were entered and had no prompt yet
        self._prompted = False  # there was one, though more lines than it were entered

    def take(self, text: str) -> None:
        """Take a mark: what follows `133;`."""
        kind, *options = text.split(";")
        if kind == "A":
            self._goes_on = "k=s" in options
        elif kind == "B" and self.line_ended:
            self.line_ended = False
            self._entered = max(0, self._entered - 1)
            self._prompted = self._entered > 0
            if not self._entered:
                self._at_prompt()
        elif kind == "C":
            self.state = "running"
            self._prompted = False
        elif kind == "D":
            self._take_code(options)

    def entered(self, lines: int) -> None:
        """Learn that somebody has pressed Enter so often, or a key after which a shell prompts anew."""
        if lines and self.state != "starting":
            self._entered = min(self._entered + lines, _MOST_ENTERED)
            self._prompted = False
            self.state = "running"

    def quiet(self) -> None:
        """Learn that nothing has come for a while: lines that got no prompt of their own were read by a command."""
        if self._prompted:
            self._entered, self._prompted = 0, False
            self._at_prompt()

    def _at_prompt(self) -> None:
        self.state = "continuation" if self._goes_on else "prompt"

    def _take_code(self, options: list[str]) -> None:
        code = options[0] if options else ""
        if code.isascii() and code.isdigit() and len(code) <= 3 and int(code) <= _LARGEST_CODE:
            self.exit_code = int(code)
