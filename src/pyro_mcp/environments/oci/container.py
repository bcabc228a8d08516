"""What an image comes in: files by name, each read from its own start."""

from __future__ import annotations

import io
from typing import Protocol

from pyro_mcp.environments.oci.limits import too_large
from pyro_mcp.errors import InvalidRequest

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"


class Container(Protocol):
    """Where an image's files are."""

    def size(self, name: str) -> int | None:
        """Tell how large a file is; None when there is none of that name."""
        ...

    def open(self, name: str) -> io.BufferedReader: ...


def read_file(container: Container, name: str, limit: int) -> bytes:
    """Read a whole small file."""
    size = container.size(name)
    if size is None:
        raise lacking(name)
    if size > limit:
        raise too_large(f"a {name} of {size:,} bytes")
    with container.open(name) as file:
        return file.read(limit)


def lacking(name: str) -> InvalidRequest:
    """Build the error for a file that the archive names and does not have."""
    return InvalidRequest(
        f"the archive has no {name}", hint="Save the image again; a copy may have been broken off."
    )


def compressed_with_zstd(what: str) -> InvalidRequest:
    """Build the error for the one compression in use that Python cannot undo."""
    return InvalidRequest(
        f"{what} is compressed with zstd, which pyro does not read",
        hint="Write it anew: skopeo copy --dest-compress-format gzip SOURCE oci:LAYOUT, or docker save.",
    )
