"""What callers pass in about the files of a workspace, described once (see arguments.py)."""

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pyro_mcp.models.arguments import Argument
from pyro_mcp.models.diff import DiffFormat
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.export import ExportFormat
from pyro_mcp.models.workspace_arguments import ANSWER_CHARS

_LONGEST = 4096
_MOST_LINES = 1 << 40


def _guest_path_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return "is not a string"
    if not value or "\0" in value:
        return "is empty or contains a NUL character"
    return f"is longer than {_LONGEST} characters" if len(value) > _LONGEST else None


def _host_path_fault(value: object) -> str | None:
    if not isinstance(value, str | os.PathLike):
        return "is not a path"
    text = str(os.fspath(value))
    return "is empty or contains a NUL character" if not text or "\0" in text else None


def _paths_fault(value: object) -> str | None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return "is not a list of paths"
    return next((fault for item in value if (fault := _guest_path_fault(item))), None)


def _edits_fault(value: object) -> str | None:
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence) or not value:
        return "is not a list of edits with at least one"
    return (
        None if all(isinstance(item, Edit) for item in value) else "is not a list of Edit(old, new, count=1)"
    )


GuestPath = Annotated[
    str, Argument(text="Below /workspace, or absolute.", also=_guest_path_fault, any_bytes=True)
]
GuestTree = Annotated[str, Argument(text="Directory.", also=_guest_path_fault, any_bytes=True)]
GuestPaths = Annotated[Sequence[str], Argument(text="Only these paths or patterns.", also=_paths_fault)]
MoveTo = Annotated[str | None, Argument(text="Move it here instead.", also=_guest_path_fault, any_bytes=True)]
Depth = Annotated[int, Argument(text="Levels to go down.", obvious=True, minimum=1, maximum=100)]
GlobDepth = Annotated[
    int | None,
    Argument(text="Levels to go down; else 1, or what glob needs.", minimum=1, maximum=100),
]
Glob = Annotated[
    str | None, Argument(text="Only names like this, e.g. **/*.py.", also=_guest_path_fault, any_bytes=True)
]
StartLine = Annotated[int, Argument(text="First line, from 1.", obvious=True, minimum=1, maximum=_MOST_LINES)]
EndLine = Annotated[int | None, Argument(text="Last line.", obvious=True, minimum=1, maximum=_MOST_LINES)]
MaxChars = Annotated[
    int | None,
    Argument(
        text="At most so much.", obvious=True, minimum=1, maximum=1 << 30, through_mcp=ANSWER_CHARS * 3 // 4
    ),
]
Encoding = Annotated[Literal["utf-8", "base64"], Argument(text="base64 for binary.", obvious=True)]
Content = Annotated[str, Argument(text="The whole file.", obvious=True, any_bytes=True)]
IfMatch = Annotated[
    str | None,
    Argument(
        text='Only if it has this sha256; "absent": only a new one.',
        pattern=r"^([0-9a-f]{64}|absent)$",
        form="a sha256 of 64 digits, or absent",
        hint='Give the sha256 of an earlier answer, or "absent".',
    ),
]
Executable = Annotated[bool | None, Argument(text="Set or clear the bit.")]
Edits = Annotated[
    Sequence[Edit],
    Argument(text="Texts to replace, exactly as they are; each occurs `count` times.", also=_edits_fault),
]
Pattern = Annotated[str, Argument(text="Regular expression.")]
ContextLines = Annotated[int, Argument(text="Lines around each match.", obvious=True, minimum=0, maximum=50)]
MatchLimit = Annotated[int, Argument(text="At most so many.", obvious=True, minimum=1, maximum=10_000)]
Recursive = Annotated[bool, Argument(text="A directory with all in it.", obvious=True)]

PatchText = Annotated[str, Argument(text="git diff, unified diff or *** Begin Patch.", any_bytes=True)]
DryRun = Annotated[bool, Argument(text="Only tell what would happen.", obvious=True)]


def _strip_fault(value: object) -> str | None:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return None
    return "is neither auto nor a number of directories"


def _branch_fault(value: object) -> str | None:
    return "is empty" if value == "" else None


StripLevels = Annotated[
    int | Literal["auto"],
    Argument(text="Leading directories to cut off paths.", also=_strip_fault),
]
DiffFormatArgument = Annotated[DiffFormat, Argument(text="What to show.", obvious=True)]
DiffIgnored = Annotated[bool, Argument(text="With ignored and generated files.")]

SourcePath = Annotated[
    str | os.PathLike[str],
    Argument(text="Host directory.", wire=str, also=_host_path_fault, host_path=True),
]
Destination = Annotated[
    str, Argument(text="Where it goes.", obvious=True, also=_guest_path_fault, any_bytes=True)
]
DeleteMissing = Annotated[bool, Argument(text="Delete what the source lacks now.", obvious=True)]
HostWins = Annotated[bool, Argument(text="Where both changed, take the host's.")]
ExportPath = Annotated[
    str, Argument(text="File or directory to copy.", also=_guest_path_fault, any_bytes=True)
]
OutputPath = Annotated[
    str | os.PathLike[str] | None,
    Argument(text="Where to, on the host.", wire=str, also=_host_path_fault, host_path=True),
]
ExportFormatArgument = Annotated[
    ExportFormat,
    Argument(text="Files as they are, the diff, or a git branch in the repository it came from."),
]
BranchName = Annotated[str | None, Argument(text="pyro/NAME if not given.", also=_branch_fault)]
RepositoryPath = Annotated[
    str | os.PathLike[str] | None,
    Argument(
        text="Another repository for the branch.",
        wire=str,
        also=_host_path_fault,
        host_path=True,
    ),
]
Overwrite = Annotated[bool, Argument(text="Replace what is there.", obvious=True)]
AllowPaths = Annotated[
    Sequence[str],
    Argument(text="Paths to export though the host might execute them.", also=_paths_fault),
]
