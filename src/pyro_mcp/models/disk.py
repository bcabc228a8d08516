"""What is found on the disk of a stopped workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DiskFormat = Literal["tar", "qcow2", "raw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskContent:
    """A file of a disk, or its first bytes: text, or base64 where it is none. `size` is the whole file's."""

    path: str
    content: str
    encoding: Literal["utf-8", "base64"]
    size: int
    mode: str
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskExport:
    """What was written. `files` counts the entries of a tar, `left_out` the sockets, FIFOs and devices that it lacks."""

    format: DiskFormat
    output_path: str
    bytes: int
    files: int = 0
    left_out: int = 0
