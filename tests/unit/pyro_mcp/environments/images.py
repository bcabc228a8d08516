"""What looks like a squashfs to whoever only looks at its start."""

import struct
from pathlib import Path


def write_image(path: Path, content: bytes = b"content") -> None:
    """Write a file with a squashfs superblock that tells its true length."""
    body = content.ljust(4000, b"\0")
    path.write_bytes(b"hsqs".ljust(40, b"\0") + struct.pack("<Q", 96 + len(body)) + bytes(48) + body)
