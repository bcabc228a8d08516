"""What callers pass in about disks, described once (see arguments.py)."""

import os
from typing import Annotated

from pyro_mcp.models.arguments import Argument
from pyro_mcp.models.disk import DiskFormat
from pyro_mcp.models.workspace_arguments import ANSWER_CHARS, path_fault

MaxBytes = Annotated[
    int | None,
    Argument(text="At most so much.", minimum=1, maximum=1 << 30, through_mcp=ANSWER_CHARS * 3 // 4),
]
DiskFormatArgument = Annotated[
    DiskFormat,
    Argument(
        text="tar: all files, the environment's too; qcow2, raw: its own disk, an ext4 with overlay layers."
    ),
]
NewFile = Annotated[
    str | os.PathLike[str],
    Argument(text="New file on the host.", wire=str, also=path_fault, host_path=True),
]
