"""How much of an image is taken in before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from pyro_mcp.errors import LimitReached


@dataclass(frozen=True)
class Limits:
    """Bounds on what an archive may make of this host's memory, time and disk; each is far above what images have."""

    documents: int = 4 << 20  # bytes of an index, manifest or config: what registries take
    layers: int = 512  # docker itself stops at 127
    # Each takes half a kilobyte of memory until the image is packed; large images have 200,000.
    entries: int = 500_000
    names: int = 256 << 20  # bytes of all names, links and attributes, which stay in memory too
    content: int = 32 << 30  # bytes of all layers, unpacked: the largest known images have 20 GiB


class Spent:
    """What one image has taken so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._entries = self._names = self._content = 0

    def entry(self, names: int = 0) -> None:
        """Count one more entry, with so many bytes of names. Raises LimitReached."""
        self._entries += 1
        self._names += names
        if self._entries > self.limits.entries:
            raise too_large(f"more than {self.limits.entries:,} entries")
        if self._names > self.limits.names:
            raise too_large(f"more than {self.limits.names >> 20} MiB of names")

    def content(self, size: int) -> None:
        """Count so many bytes of unpacked layers. Raises LimitReached."""
        self._content += size
        if self._content > self.limits.content:
            raise too_large(f"more than {self.limits.content / 2**30:.0f} GiB when unpacked")


def too_large(how: str) -> LimitReached:
    """Build the error for an image that is beyond a bound."""
    return LimitReached(f"the image has {how}", hint="Make the image smaller; nothing of it was kept.")
