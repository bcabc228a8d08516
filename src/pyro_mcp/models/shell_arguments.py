"""What callers pass in about shells, described once (see arguments.py)."""

import signal
from collections.abc import Sequence
from typing import Annotated

from pyro_mcp.models.arguments import Argument
from pyro_mcp.models.shell import ShellView
from pyro_mcp.models.workspace_arguments import ANSWER_CHARS

_HOUR = 3600


def _keys_fault(value: object) -> str | None:
    from pyro_mcp.terminal.keys import is_key, near_key  # only where there are any

    if isinstance(value, str) or not isinstance(value, Sequence):
        return "is not a list of names"
    for name in value:
        if not isinstance(name, str) or not is_key(name):
            near = near_key(name) if isinstance(name, str) else None
            return f"has {name!r}, which is no key" + (f"; did you mean {near}?" if near else "")
    return None


def _input_fault(value: object) -> str | None:
    return "contains a NUL character; press ctrl-space for one" if "\0" in str(value) else None


def _signal_fault(value: object) -> str | None:
    return None if f"SIG{value}" in signal.Signals.__members__ else f"{str(value)[:40]!r} is no signal"


ShellId = Annotated[
    str,
    Argument(
        text="From the answer of shell_open.",
        pattern=r"^sh-[1-9][0-9]{0,8}$",
        form="sh-1",
        hint="It looks like sh-1; a list of the workspace's shells shows it.",
        obvious=True,
    ),
]
Cols = Annotated[int, Argument(text="Columns.", obvious=True, minimum=20, maximum=1000)]
Rows = Annotated[int, Argument(text="Rows.", obvious=True, minimum=2, maximum=500)]
ShellInput = Annotated[str, Argument(text="Text to type.", obvious=True, also=_input_fault, any_bytes=True)]
AppendNewline = Annotated[bool, Argument(text="Press enter after the text if no keys follow.")]
Keys = Annotated[
    Sequence[str],
    Argument(
        text="Keys to press then: q, enter, tab, esc, up, ctrl-c, page-down, f1, …",
        also=_keys_fault,
        hint="Keys: any single character, enter, tab, esc, space, backspace, up, down, left, right, home, end, page-up, "
        "page-down, insert, delete, f1 to f12, ctrl-a to ctrl-z, alt-a to alt-z, shift-tab.",
    ),
]
ShellCursor = Annotated[
    int | None,
    Argument(text="Begin there, not where the last read ended.", minimum=0, maximum=1 << 50),
]
ShellChars = Annotated[
    int | None,
    Argument(
        text="At most so many characters.",
        obvious=True,
        minimum=100,
        maximum=10_000_000,
        through_mcp=ANSWER_CHARS,
        unset="all",
    ),
]
View = Annotated[ShellView, Argument(text="text: new lines; screen: what is visible; raw: bytes.")]
WaitIdle = Annotated[
    int | None,
    Argument(text="Until a pause so long.", minimum=1, maximum=_HOUR * 1000),
]
WaitPattern = Annotated[str | None, Argument(text="Until this regular expression matches.")]
WaitPrompt = Annotated[bool, Argument(text="Until the next prompt.")]
WaitTimeout = Annotated[float, Argument(text="Wait at most so long.", obvious=True, minimum=0, maximum=_HOUR)]
Signal = Annotated[
    str,
    Argument(
        text="INT, TERM, KILL, …",
        also=_signal_fault,
        hint="A name without SIG: INT, TERM, KILL, HUP, QUIT, TSTP, CONT, USR1, …",
    ),
]
