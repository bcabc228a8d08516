"""What is compared: files before and after, as git sees files."""

from collections.abc import Callable
from dataclasses import dataclass

from pyro_mcp.models.patch import EntryType

MODES: dict[EntryType, int] = {"regular": 0o100644, "executable": 0o100755, "symlink": 0o120000}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in one state. For a symlink, `content` is its target.

    Content may be given as a function, called at most once, when it is needed.
    """

    type: EntryType
    content: bytes | Callable[[], bytes]
    size: int | None = None
    """Given, a file too large to compare is not even read."""

    @property
    def mode(self) -> int:
        """Give the mode as git writes it."""
        return MODES[self.type]

    def read(self) -> bytes:
        """Give the content."""
        return self.content if isinstance(self.content, bytes) else self.content()


@dataclass(frozen=True, slots=True)
class Change:
    """A path below the workspace's root, with what was there and what is there now; None for nothing."""

    path: bytes
    old: Entry | None
    new: Entry | None
