"""Choose what of a host directory goes into a seed, without reading any content: one walk that never enters what git ignores."""

# Names are bytes here, so that every name is taken as it is; pathlib has none.
# ruff: noqa: PTH112,PTH114,PTH116,PTH120

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.models.names import display_name
from pyro_mcp.models.seed import GitFacts
from pyro_mcp.workspaces.seeding import gitdir
from pyro_mcp.workspaces.seeding.entries import Entry, Unseedable, from_stat, read_small, why
from pyro_mcp.workspaces.seeding.findings import Findings
from pyro_mcp.workspaces.seeding.ignore import Rules
from pyro_mcp.workspaces.seeding.sensitive import sensitive
from pyro_mcp.workspaces.seeding.tracked import Tracked, read_index
from pyro_mcp.workspaces.seeding.user_excludes import user_excludes

_IGNORE_FILE = 1 << 20


@dataclass(frozen=True)
class SeedOptions:
    """What to take beyond the usual: ignored files, likely secrets."""

    include_ignored: bool = False
    include_sensitive: bool = False


@dataclass(frozen=True)
class _Repository:
    """What is known of the repository that a directory belongs to. `prefix` is its root's path in the seed, with a slash;
    `above` the seed's path in the repository, with a slash, when the seed is only a part of it."""

    tracked: Tracked
    prefix: bytes = b""
    above: bytes = b""

    def name(self, path: bytes) -> bytes:
        """The path within the repository of a path within the seed."""
        return self.above + path[len(self.prefix) :]


@dataclass(frozen=True)
class _Place:
    """A directory to walk: its path in the seed (with a slash), on the host, and what applies there."""

    path: bytes
    origin: bytes
    rules: Rules | None
    repository: _Repository | None
    ignored: bool = False


@dataclass
class Selection:
    """What goes into a seed, in the order of the walk, and what does not."""

    entries: list[Entry] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    _places: dict[bytes, _Place] = field(default_factory=dict)

    def enter(self, place: _Place) -> None:
        """Remember what applies in a directory."""
        self._places[place.path] = place

    def leaves_out(self, path: bytes, *, is_directory: bool) -> bool:
        """Whether a path that the host does not have would be left out there: ignored, or a likely secret."""
        parts = path.split(b"/")
        place = self._places.get(b"")
        for depth in range(1, len(parts) + 1):
            here = b"/".join(parts[:depth])
            if place is not None and _hides(place, here, is_directory or depth < len(parts)):
                return True
            place = self._places.get(here + b"/", place)
        return not is_directory and sensitive().by_name(path)


def _hides(place: _Place, path: bytes, is_directory: bool) -> bool:
    if place.repository is None:
        return False
    inner = place.repository.name(path)
    known = place.repository.tracked.below(inner) if is_directory else inner in place.repository.tracked
    return not known and (place.ignored or _ignores(place, inner, is_directory))


def select(source: Path, options: SeedOptions) -> Selection:
    """Choose from a directory. Raises NotFound when there is none."""
    origin = os.fsencode(source)
    if not source.exists():
        raise NotFound(
            f"there is no {source}", hint="Name a directory, a git repository or a tar archive of this host."
        )
    if os.path.realpath(origin) == b"/":
        raise InvalidRequest("the whole host cannot be a seed", hint="Name the directory to work on.")
    if os.path.realpath(origin) == _home():
        raise InvalidRequest(
            f"{source} is your home directory: all of it cannot be a seed",
            hint="Name the directory of the project in it.",
        )
    walk = _Walk(options, Selection(findings=Findings(source=str(source))))
    walk.run(origin)
    return walk.selection


def _home() -> bytes | None:
    try:
        return os.path.realpath(os.fsencode(Path.home()))
    except RuntimeError:  # there is none
        return None


class _Walk:
    def __init__(self, options: SeedOptions, selection: Selection) -> None:
        self.options = options
        self.selection = selection
        self.findings = selection.findings
        self._user_rules: Rules | None = None

    def run(self, origin: bytes) -> None:
        start = self._enclosing(origin) or _Place(b"", origin, None, None)
        self._add(b"", origin, os.stat(origin), None)
        pending = [start]
        while pending:
            place = pending.pop()
            try:
                place = self._enter(place)
                self.selection.enter(place)
                pending += self._children(place)
            except OSError as error:
                self.findings.skip(place.path, why(error))

    def _children(self, place: _Place) -> list[_Place]:
        """Take what is directly in a directory; gives the directories to walk."""
        below = []
        for name, is_directory, found in _listing(place):
            path, origin = place.path + name, place.origin + b"/" + name
            if name == b".git":
                continue  # _enter() has seen to it
            repository = place.repository
            inner = repository.name(path) if repository else path
            known = repository is not None and (
                repository.tracked.below(inner) if is_directory else inner in repository.tracked
            )
            ignored = not known and (place.ignored or _ignores(place, inner, is_directory))
            if ignored and not self.options.include_ignored:
                self.findings.ignored.append(path + b"/" if is_directory else path)
                continue
            if is_directory:
                # What is tracked in an ignored directory is taken, and nothing else of it.
                hidden = not self.options.include_ignored and (place.ignored or _ignores(place, inner, True))
                below.append(_Place(path + b"/", origin, place.rules, repository, ignored=hidden))
            self._take(path, origin, found, known, is_directory)
        return below

    def _take(
        self, path: bytes, origin: bytes, found: os.DirEntry[bytes] | None, known: bool, is_directory: bool
    ) -> None:
        try:
            status = found.stat(follow_symlinks=False) if found is not None else os.lstat(origin)
        except OSError as error:
            self.findings.skip(path, why(error))
            return
        if not is_directory and sensitive().by_name(path):
            if known:
                self.findings.sensitive_tracked.append(path)
            elif not self.options.include_sensitive:
                self.findings.withheld.append(path)
                return
        self._add(path, origin, status, known)

    def _add(self, path: bytes, origin: bytes, status: os.stat_result, known: bool | None) -> None:
        try:
            self.selection.entries.append(from_stat(path, origin, status, private=known is False))
        except Unseedable as reason:
            self.findings.skip(path, str(reason))
        except OSError as error:
            self.findings.skip(path, why(error))

    def _enter(self, place: _Place) -> _Place:
        """See what begins in a directory: a repository, or an ignore file of the one it belongs to."""
        dot_git = place.origin + b"/.git"
        if os.path.lexists(dot_git) and not (place.repository and place.repository.above and not place.path):
            place = self._enter_repository(place)
        if place.repository is not None and place.rules is not None:
            text = read_small(place.origin + b"/.gitignore", _IGNORE_FILE)
            if text:
                base = place.repository.name(place.path).rstrip(b"/")
                place = replace(place, rules=place.rules.over(base, text))
        return place

    def _enter_repository(self, place: _Place) -> _Place:
        git = place.path + b".git"
        tracked, own = Tracked(), b""
        try:
            found = gitdir.locate(place.origin)
        except (Unseedable, OSError) as reason:
            self.findings.skip(git, why(reason) if isinstance(reason, OSError) else str(reason))
            found = None
        if found is not None:
            own = gitdir.excludes(found)
            tracked = self._tracked(found, git)
            self._take_history(found, place)
        if not place.path:
            self._tell_repository(place, found)
        elif (
            place.repository and place.repository.name(place.path[:-1]) in place.repository.tracked.submodules
        ):
            self._tell_submodule(place.path[:-1])
        rules = self._with_user_rules().over(b"", own)
        return _Place(place.path, place.origin, rules, _Repository(tracked, prefix=place.path), ignored=False)

    def _tracked(self, found: gitdir.GitDirectory, git: bytes) -> Tracked:
        try:
            return read_index(found)
        except Unseedable as reason:
            self.findings.skip(git + b"/index", str(reason))
            return Tracked()

    def _take_history(self, found: gitdir.GitDirectory, place: _Place) -> None:
        try:
            self.selection.entries += list(gitdir.take(found, place.path))
        except OSError as error:
            self.findings.skip(place.path + b".git", why(error))

    def _tell_repository(self, place: _Place, found: gitdir.GitDirectory | None) -> None:
        self.findings.kind = "git"
        branch, commit = gitdir.head(found) if found else (None, None)
        self.findings.git = GitFacts(
            repository=display_name(place.origin), commit=commit, branch=branch, history=found is not None
        )

    def _tell_submodule(self, path: bytes) -> None:
        if git := self.findings.git:
            self.findings.git = replace(git, submodules=(*git.submodules, display_name(path)))

    def _enclosing(self, origin: bytes) -> _Place | None:
        """When the source is a part of a repository that tracks something there, the rules of that repository apply."""
        if os.path.lexists(origin + b"/.git"):
            return None
        whole = os.path.realpath(origin)
        for parent in _parents(whole):
            if not os.path.lexists(parent + b"/.git"):
                continue
            try:
                found = gitdir.locate(parent)
                tracked = read_index(found) if found else Tracked()
            except (Unseedable, OSError):
                return None
            above = whole[len(parent.rstrip(b"/")) + 1 :]
            if found is None or not tracked.below(above):
                return None
            self._tell_part(parent, above, found)
            rules = self._rules_above(parent, above, gitdir.excludes(found))
            return _Place(b"", origin, rules, _Repository(tracked, above=above + b"/"))
        return None

    def _tell_part(self, parent: bytes, above: bytes, found: gitdir.GitDirectory) -> None:
        branch, commit = gitdir.head(found)
        self.findings.kind = "git"
        self.findings.git = GitFacts(
            repository=display_name(parent),
            commit=commit,
            branch=branch,
            history=False,
            subdirectory=display_name(above),
        )

    def _rules_above(self, root: bytes, above: bytes, own: bytes) -> Rules:
        rules = self._with_user_rules().over(b"", own)
        parts = above.split(b"/")
        for depth in range(len(parts)):
            base = b"/".join(parts[:depth])
            text = read_small(b"/".join((root.rstrip(b"/"), *parts[:depth], b".gitignore")), _IGNORE_FILE)
            rules = rules.over(base, text) if text else rules
        return rules

    def _with_user_rules(self) -> Rules:
        if self._user_rules is None:
            self._user_rules = Rules().over(b"", user_excludes())
        return self._user_rules


def _ignores(place: _Place, path: bytes, is_directory: bool) -> bool:
    return place.rules is not None and place.rules.ignores(path, is_directory)


def _listing(place: _Place) -> Iterator[tuple[bytes, bool, os.DirEntry[bytes] | None]]:
    """What is in a directory; of an ignored one only what is tracked, without reading the directory itself."""
    if place.ignored and place.repository is not None:
        for name in place.repository.tracked.children(place.repository.name(place.path).rstrip(b"/")):
            origin = place.origin + b"/" + name
            if os.path.lexists(origin):
                yield name, os.path.isdir(origin) and not os.path.islink(origin), None
        return
    with os.scandir(place.origin) as listing:
        for item in listing:
            yield item.name, item.is_dir(follow_symlinks=False), item


def _parents(path: bytes) -> Iterator[bytes]:
    while path not in (b"/", b""):
        path = os.path.dirname(path)
        yield path
