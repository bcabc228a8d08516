"""What callers pass in about workspaces, described once (see arguments.py)."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pyro_mcp.models.arguments import Argument, is_text, words_fault
from pyro_mcp.models.run import StreamName
from pyro_mcp.models.workspace import WorkspaceState

_YEAR = 366 * 24 * 3600
_HOUR = 3600
_MOST_LABELS = 64
_LONGEST_LABEL = 256
# The kernel's limits (PATH_MAX with its NUL, NAME_MAX).
_LONGEST_PATH, _LONGEST_NAME = 4096, 255
_ID_PATTERN = r"^out-[0-9a-z]{10}$"
_ID_HINT = "It looks like out-4h7k2m9qxz, and stands in the answer of an exec."
# An answer for a model is to stay within 8,000 tokens, about 32,000 characters, with the words around it.
ANSWER_CHARS = 24_000


def _labels_fault(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return "is not a mapping of keys to values"
    if len(value) > _MOST_LABELS:
        return f"has {len(value)} labels; the most is {_MOST_LABELS}"
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, str):
            return f"has {key!r}, whose key and value are not both strings"
        if not is_text(key + item):
            return f"has {key!r} with bytes that are no UTF-8 text"
        if not key or "=" in key or max(len(key), len(item)) > _LONGEST_LABEL:
            return f"has {key[:60]!r}: a key is 1 to {_LONGEST_LABEL} characters without '=', a value at most as long"
    return None


def path_fault(value: object) -> str | None:
    if not isinstance(value, str | os.PathLike):
        return "is not a path"
    text = os.fspath(value)
    if not text or "\0" in str(text):
        return "is empty or contains a NUL character"
    parts = str(text).encode("utf-8", "surrogatepass").split(b"/")
    too_long = sum(map(len, parts)) + len(parts) > _LONGEST_PATH or max(map(len, parts)) > _LONGEST_NAME
    return "is too long for a path" if too_long else None


WorkspaceRef = Annotated[
    str,
    Argument(
        text="Id or name.",
        obvious=True,
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        form="issue-123: lowercase letters, digits and -",
        hint="A workspace is named by its id or name; `<<workspace_list>>` shows them.",
    ),
]
WorkspaceRefs = Annotated[Sequence[str], Argument(text="Workspace ids or names.", also=words_fault)]
NewName = Annotated[str | None, Argument(text="a-z, 0-9 and -; made up if not given.")]
OtherName = Annotated[str | None, Argument(text="New name.", obvious=True)]
NewNames = Annotated[Sequence[str], Argument(text="Names for them.", also=words_fault)]
ClearName = Annotated[bool, Argument(text="Take the name off.", obvious=True)]
Labels = Annotated[Mapping[str, str], Argument(text="Labels.", obvious=True, also=_labels_fault)]
LabelFilter = Annotated[
    Mapping[str, str], Argument(text="Only with all of these.", obvious=True, also=_labels_fault)
]
NewLabels = Annotated[Mapping[str, str], Argument(text="Labels to set.", obvious=True, also=_labels_fault)]
ClearLabels = Annotated[Sequence[str], Argument(text="Keys to take off.", obvious=True, also=words_fault)]
StateFilter = Annotated[WorkspaceState | None, Argument(text="Only in this state.", obvious=True)]
EnvironmentFilter = Annotated[str | None, Argument(text="Only of this environment.", obvious=True)]
ListLimit = Annotated[
    int | None,
    Argument(
        text="At most so many.",
        obvious=True,
        minimum=1,
        maximum=1_000_000,
        through_mcp=50,
        unset="all",
    ),
]
SeedPath = Annotated[
    str | os.PathLike[str] | None,
    Argument(
        text="Host directory or tar archive to copy into /workspace.",
        wire=str,
        also=path_fault,
        host_path=True,
    ),
]
DiskMib = Annotated[
    int, Argument(text="Room for files, in MiB.", obvious=True, minimum=64, maximum=1024 * 1024)
]
IdleStopSeconds = Annotated[
    int,
    Argument(text="Stop it when unused for so long; 0: never. Files stay.", minimum=0, maximum=_YEAR),
]
NewIdleStopSeconds = Annotated[
    int | None, Argument(text="Stop when unused for so long; 0: never.", minimum=0, maximum=_YEAR)
]
TtlSeconds = Annotated[
    int | None,
    Argument(
        text="Delete it so long after its creation; 0: never.", minimum=0, maximum=10 * _YEAR, unset="never"
    ),
]
NewTtlSeconds = Annotated[
    int | None,
    Argument(text="Delete so long after its creation; 0: never.", minimum=0, maximum=10 * _YEAR),
]
IncludeIgnored = Annotated[bool, Argument(text="Copy what git ignores, too.")]
IncludeSensitive = Annotated[bool, Argument(text="Copy untracked keys, .env files and the like, too.")]

GuestDirectory = Annotated[
    str, Argument(text="Working directory.", obvious=True, also=path_fault, any_bytes=True)
]
YieldAfterSeconds = Annotated[
    float | None,
    Argument(
        text="Answer after this with an exec_id if it still runs.", minimum=0, maximum=_HOUR, through_mcp=25
    ),
]
MaxOutputChars = Annotated[
    int | None,
    Argument(text="Cut the middle of longer output.", minimum=200, maximum=10_000_000),
]
ExecId = Annotated[
    str,
    Argument(
        text="From the answer of workspace_exec.", pattern=_ID_PATTERN, form="out-4h7k2m9qxz", hint=_ID_HINT
    ),
]
WaitSeconds = Annotated[float, Argument(text="Wait at most so long; 0: just look.", minimum=0, maximum=_HOUR)]
ExecAction = Annotated[
    Literal["wait", "interrupt", "kill"], Argument(text="Interrupt (Ctrl-C) or kill it first.")
]

OutputId = Annotated[
    str,
    Argument(text="From the answer that was cut.", pattern=_ID_PATTERN, form="out-4h7k2m9qxz", hint=_ID_HINT),
]
OutputStream = Annotated[StreamName, Argument(text="Which one.", obvious=True)]
OutputOffset = Annotated[int, Argument(text="First byte; below 0: from the end.", maximum=1 << 50)]
OutputLimit = Annotated[
    int | None,
    Argument(
        text="At most so many bytes.", minimum=1, maximum=1 << 30, through_mcp=ANSWER_CHARS, unset="all"
    ),
]
TailLines = Annotated[
    int | None, Argument(text="Only the last lines.", obvious=True, minimum=1, maximum=1_000_000)
]
Grep = Annotated[str | None, Argument(text="Only lines with this regular expression.")]

Since = Annotated[
    datetime | str | None,
    Argument(text="An age such as 15m or 2h, or a time (RFC 3339).", wire=str),
]
EventKind = Annotated[str | None, Argument(text="Only of this kind: create, exec, file, reset, …")]

SnapshotName = Annotated[str, Argument(text="The snapshot's name: a-z, 0-9 and -.")]
SnapshotRef = Annotated[str, Argument(text="Snapshot to go back to.")]
FromSnapshot = Annotated[str | None, Argument(text="Snapshot to start from; now if not given.")]
DiffFrom = Annotated[str | None, Argument(text="Compare from this snapshot, not from the start.")]
DiffTo = Annotated[str | None, Argument(text="Compare to this snapshot, not to now.")]
ForkCount = Annotated[
    int | None, Argument(text="How many; one for each name if not given.", minimum=1, maximum=32)
]
