"""Keep the values of a workspace's secrets: a file each, which only their owner can read, in its own directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.paths import private_directory
from pyro_mcp.host.writing import sync_directory


class SecretStore:
    """The directory `secrets` of one workspace; it goes when the workspace goes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, values: Mapping[str, bytes]) -> None:
        """Write the values, for good: a workspace that is there has all of them."""
        if not values:
            return
        private_directory(self._directory)
        for name, value in values.items():
            descriptor = os.open(self._directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
        sync_directory(self._directory)

    def values(self, names: tuple[str, ...]) -> dict[str, bytes]:
        """Read the values of these secrets. Raises HostUnfit when one is gone: nothing could be redacted then."""
        try:
            return {name: (self._directory / name).read_bytes() for name in names}
        except OSError as error:
            raise HostUnfit(
                "a secret of the workspace cannot be read",
                details=f"{error.filename}: {error.strerror}",
                hint="Restore the file, or delete the workspace and create it again.",
            ) from error
