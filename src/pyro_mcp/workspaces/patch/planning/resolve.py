"""Decide which path in the workspace each section of a patch means."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.names import display_name
from pyro_mcp.models.patch import Tolerance
from pyro_mcp.workspaces.patch.planning.names import below_workspace, check_path, is_inside, strip_name
from pyro_mcp.workspaces.patch.reading.document import RawName, Section

Strip = int | Literal["auto"]
_DEEPEST = 8  # leading parts that `auto` may take off where only the files tell


@dataclass(frozen=True, slots=True)
class Target:
    """A section with its paths found."""

    section: Section
    old: bytes | None
    new: bytes | None
    tolerances: tuple[Tolerance, ...] = ()

    @property
    def path(self) -> bytes:
        """Give the path to name the section by."""
        return self.new if self.new is not None else self.old or b""


def resolve_targets(
    sections: tuple[Section, ...], exists: Callable[[bytes], bool], strip: Strip
) -> list[Target]:
    """Find the paths of all sections; raise InvalidRequest for one that is not plainly inside the workspace."""
    usual = Counter(
        section.prefix_parts for section in sections if section.prefix_parts is not None
    ).most_common(1)
    resolver = _Resolver(exists, strip, usual[0][0] if usual and usual[0][0] else 0)
    return [resolver.resolve(section) for section in sections]


@dataclass(slots=True)
class _Resolver:
    """Finds the paths of one section after the other."""

    exists: Callable[[bytes], bool]
    strip: Strip
    usual: int
    """How many leading parts most names of the patch have as a prefix."""
    created: set[bytes] = field(default_factory=set)

    def resolve(self, section: Section) -> Target:
        old, new, notes = self._paths(section)
        if (
            section.action == "modify"
            and section.form == "unified"
            and old != new
            and new
            and self._there(new)
        ):
            old = new  # a diff of x.orig and x is about x
        for path in (old, new):
            if path is not None:
                check_path(path)
        if new is not None:
            self.created.add(new)
        return Target(section, old, new, section.tolerances + notes)

    def _there(self, path: bytes) -> bool:
        return path in self.created or self.exists(path)

    def _paths(self, section: Section) -> tuple[bytes | None, bytes | None, tuple[Tolerance, ...]]:
        if self.strip != "auto":
            return _strip(section.old, self.strip), _strip(section.new, self.strip), ()
        rooted = [below_workspace(name) if name else None for name in (section.old, section.new)]
        if any(rooted):
            note = Tolerance(kind="path_prefix", detail='"/workspace/" was taken off the name')
            return rooted[0], rooted[1], (note,)
        preferred = self.usual if section.prefix_parts is None else section.prefix_parts
        parts = self._choose(section, preferred)
        notes: tuple[Tolerance, ...] = ()
        if parts != preferred:
            detail = f"{parts} leading parts were taken off the name, because that leads to a file"
            notes = (Tolerance(kind="path_prefix", detail=detail),)
        return _strip(section.old, parts), _strip(section.new, parts), notes

    def _choose(self, section: Section, preferred: int) -> int:
        """Take the prefix that the names show; where no such file is, one that leads to a file.

        A deep guess is made only where hunks then prove that it is the right file.
        """
        if section.old is None or section.form == "envelope":
            return preferred
        deepest = _DEEPEST if section.hunks and section.action == "modify" else 1
        tries = [preferred, *(parts for parts in range(deepest + 1) if parts != preferred)]
        return next((parts for parts in tries if self._leads_to_file(section, parts)), preferred)

    def _leads_to_file(self, section: Section, parts: int) -> bool:
        names = (section.old, section.new if section.action == "modify" else None)
        paths = [strip_name(name, parts) for name in names if name]
        return any(path is not None and is_inside(path) and self._there(path) for path in paths)


def _strip(name: RawName | None, parts: int) -> bytes | None:
    if name is None:
        return None
    path = strip_name(name, parts)
    if path is None:
        raise InvalidRequest(
            f'the patch names "{display_name(name.text[:200])}", which has no {parts} leading parts to take off',
            hint='Leave strip at "auto", or give the number of directories that the patch names above the workspace.',
        )
    return path
