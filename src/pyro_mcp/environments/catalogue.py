"""Which environments there are, what each is to be built from, and whether that has changed since it was built."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.errors import InvalidRequest, NotFound

if TYPE_CHECKING:  # recipe.py brings tomllib, 7 ms that a warm run does not need
    from pyro_mcp.environments.recipe import Plan, Recipe, RecipeFile

BUILT_IN = Path(__file__).with_name("recipes")
BUSYBOX_SOURCE = "kit:busybox"


@dataclass(frozen=True)
class Source:
    """A file of this host that a build reads: the build stands as long as its content does."""

    path: str
    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Look at a file as it is now."""
        found = path.stat()
        return cls(str(path), found.st_size, found.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())

    def is_current(self) -> bool:
        """Whether the file still has that content; it is read only where size or time differ."""
        path = Path(self.path)
        try:
            found = path.stat()
            return (found.st_size, found.st_mtime_ns) == (self.size, self.mtime_ns) or (
                Source.of(path).sha256 == self.sha256
            )
        except OSError:
            return False


@dataclass(frozen=True)
class Resolved:
    """All that goes into one environment: the plan, where its files are on this host, and a key over both."""

    plan: Plan
    host_files: Mapping[RecipeFile, Path]
    sources: tuple[Source, ...]
    key: str


class Catalogue:
    """The recipes inside the package, and a person's own, which may not take a built-in name."""

    def __init__(self, own: Path, others: Callable[[], Iterable[str]] = tuple) -> None:
        """`others` gives the names of environments that have no recipe, for who misspells one."""
        self._places = (BUILT_IN, own)
        self._others = others

    def recipe_files(self) -> list[Path]:
        """List the recipe files, ours first."""
        return [path for place in self._places for path in sorted(place.glob("*.toml"))]

    def file_of(self, name: str) -> Path:
        """Find the recipe file of a name; by its file name first, which costs no parsing."""
        for place in self._places:
            usual = place / f"{name.replace(':', '-')}.toml"
            # os.path's answers no where Path's raises: for NUL and for names longer than files may have
            if "/" not in name and os.path.isfile(usual):  # noqa: PTH113
                return usual
        for path, recipe in self._recipes():
            if recipe.name == name:
                return path
        raise self._unknown(name)

    def recipes(self) -> dict[str, tuple[Path, Recipe]]:
        """Read them all, by name. Raises InvalidRequest when one is wrong or two have one name."""
        found: dict[str, tuple[Path, Recipe]] = {}
        for path, recipe in self._recipes():
            if recipe.name in found:
                first = found[recipe.name][0]
                raise InvalidRequest(
                    f"recipe {path}: name {recipe.name!r} is taken by {first}", hint="Choose another name."
                )
            found[recipe.name] = (path, recipe)
        return found

    def plan(self, name: str) -> tuple[Plan, Recipe]:
        """Read a recipe, and fold it with its bases. Raises NotFound, with near names, when there is none of that name."""
        from pyro_mcp.environments.recipe import flatten

        recipes = self.recipes()

        def look_up(wanted: str) -> Recipe:
            if wanted not in recipes:
                raise self._unknown(wanted)
            return recipes[wanted][1]

        return flatten(name, look_up), look_up(name)

    def resolve(self, name: str, *, builder: int, busybox: Callable[[], Path]) -> Resolved:
        """Fold a recipe and its bases, and read every file it names. `busybox` gives the kit's, when a recipe wants it."""
        plan, _ = self.plan(name)
        files = {
            entry: busybox() if entry.source == BUSYBOX_SOURCE else _host_file(origin, entry.source)
            for origin, entry in plan.files
            if entry.source is not None
        }
        contents = {entry: _source(path, plan) for entry, path in files.items()}
        recipe_sources = [Source.of(Path(origin)) for origin in plan.origins]
        modes = {entry.path: files[entry].stat().st_mode & 0o777 for entry in files}
        key = _key(
            builder, plan, {entry.path: (contents[entry].sha256, modes[entry.path]) for entry in files}
        )
        return Resolved(plan, files, (*recipe_sources, *contents.values()), key)

    def _recipes(self) -> list[tuple[Path, Recipe]]:
        from pyro_mcp.environments.recipe import parse

        return [(path, parse(_text(path), origin=str(path))) for path in self.recipe_files()]

    def _unknown(self, name: str) -> NotFound:
        import difflib

        known = sorted({*self.recipes(), *self._others()})
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}."
        return NotFound(
            f"no environment is called {name!r}", hint=f"{hint} `<<vm_list_environments>>` shows them all."
        )


def sources_from(notes: object) -> Sequence[Source] | None:
    """Read sources back from a record; None when they are not what was written."""
    try:
        return [Source(**note) for note in notes]  # type: ignore[attr-defined]  # tried
    except TypeError:
        return None


def _key(builder: int, plan: Plan, contents: Mapping[str, tuple[str, int]]) -> str:
    """Hash all that decides the image, but for names, messages, and the state of the archive on the day."""
    what = {
        "builder": builder,
        "suite": plan.suite,
        "packages": plan.packages,
        "files": [asdict(entry) for _, entry in plan.files],
        "contents": contents,
        "scripts": plan.scripts,
        "defaults": asdict(plan.defaults),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _host_file(origin: str, source: str) -> Path:
    """A recipe's paths are relative to the recipe."""
    return (Path(origin).parent / Path(source).expanduser()).resolve()


def _source(path: Path, plan: Plan) -> Source:
    try:
        return Source.of(path)
    except OSError as error:
        raise InvalidRequest(f"recipe of {plan.name}: cannot read {path}", details=str(error)) from None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"recipe {path} cannot be read", details=str(error)) from None
