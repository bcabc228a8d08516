"""Read a recipe: the TOML text that says what goes into an environment.

Pure: text in, values or InvalidRequest out; nothing here looks at a disk. A recipe stands on another one (`base`), on
Debian itself (`suite`), or on nothing (`base = "none"`).
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pyro_mcp.environments.values import EnvironmentDefaults
from pyro_mcp.errors import InvalidRequest

NOTHING = "none"
# A suite is listed once it has been built and booted: the kit and the mirrors' layout are per suite.
_SUITES = ("bookworm",)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}(:[a-z0-9][a-z0-9._-]{0,62})?")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODE = re.compile(r"[0-7]{3,4}")
_DEEPEST_CHAIN = 16


@dataclass(frozen=True)
class RecipeFile:
    """One thing to put into the root: exactly one of `source` (a host file), `content`, `link` and `directory` is set.

    Without a `mode` a host file keeps its own, other files get 0644 and directories 0755.
    """

    path: str
    mode: int | None = None
    source: str | None = None
    content: str | None = None
    link: str | None = None
    directory: bool = False


@dataclass(frozen=True)
class Recipe:
    """A recipe as written, bases not looked up yet. `origin` is the file it was read from, for messages."""

    name: str
    origin: str
    summary: str = ""
    base: str | None = None
    suite: str | None = None
    packages: tuple[str, ...] = ()
    files: tuple[RecipeFile, ...] = ()
    script: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class Plan:
    """A recipe with all its bases folded in, the deepest first: what is to be built."""

    name: str
    suite: str | None
    packages: tuple[str, ...]
    files: tuple[tuple[str, RecipeFile], ...]  # each with the origin its `source` is relative to
    scripts: tuple[str, ...]
    defaults: EnvironmentDefaults
    origins: tuple[str, ...]


def parse(text: str, *, origin: str) -> Recipe:
    """Read one recipe. Raises InvalidRequest naming the file and the key that is wrong."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(origin, "the file is not TOML", str(error)) from None
    reader = _Reader(origin, "", table)
    defaults = reader.table("defaults")
    recipe = Recipe(
        name=reader.matching("name", _NAME, "name or name:tag, of small letters, digits, '.', '_' and '-'")
        or "",
        origin=origin,
        summary=reader.text("summary") or "",
        base=reader.text("base"),
        suite=reader.choice("suite", _SUITES),
        packages=reader.packages(),
        files=tuple(_file(entry) for entry in reader.tables("files")),
        script=reader.text("script") or "",
        env=defaults.variables("env"),
        workdir=defaults.path("workdir"),
        user=defaults.text("user"),
    )
    reader.nothing_else()
    defaults.nothing_else()
    _check(recipe)
    return recipe


def flatten(name: str, look_up: Callable[[str], Recipe]) -> Plan:
    """Fold a recipe and its bases into one plan. `look_up` gives the recipe of a name."""
    chain: list[Recipe] = []
    following: str | None = name
    while following is not None and following != NOTHING:
        if len(chain) == _DEEPEST_CHAIN or following in (recipe.name for recipe in chain):
            raise _wrong(chain[0].origin, "its bases never end", " → ".join(recipe.name for recipe in chain))
        chain.append(look_up(following))
        following = chain[-1].base
    chain.reverse()
    plan = Plan(
        name=name,
        suite=chain[0].suite,
        packages=tuple(sorted({package for recipe in chain for package in recipe.packages})),
        files=tuple((recipe.origin, entry) for recipe in chain for entry in recipe.files),
        scripts=tuple(recipe.script for recipe in chain if recipe.script),
        defaults=EnvironmentDefaults(
            env={key: value for recipe in chain for key, value in recipe.env.items()},
            workdir=next((recipe.workdir for recipe in reversed(chain) if recipe.workdir), "/"),
            user=next((recipe.user for recipe in reversed(chain) if recipe.user), "root"),
        ),
        origins=tuple(recipe.origin for recipe in chain),
    )
    if plan.suite is None and (plan.packages or plan.scripts):
        raise _wrong(
            chain[-1].origin, f"an environment on base {NOTHING!r} has files only", "no packages, no script"
        )
    return plan


def _check(recipe: Recipe) -> None:
    if not recipe.name:
        raise _wrong(recipe.origin, "name is missing")
    if (recipe.base is None) == (recipe.suite is None):
        known = f'base = "debian:12" (or another environment, or "{NOTHING}")'
        raise _wrong(
            recipe.origin,
            "exactly one of base and suite must be given",
            f'{known}, or suite = "{_SUITES[0]}"',
        )


def _file(entry: _Reader) -> RecipeFile:
    path = entry.path("path")
    if path is None or path == "/":
        raise entry.wrong("path", "must name a file in the environment")
    link, source, content = entry.text("link"), entry.text("source"), entry.text("content")
    made = RecipeFile(
        path=path,
        mode=entry.mode("mode"),
        source=source,
        content=content,
        link=link,
        directory=entry.flag("directory"),
    )
    if sum((source is not None, content is not None, link is not None, made.directory)) != 1:
        raise entry.wrong("path", "needs exactly one of source, content, link and directory = true")
    entry.nothing_else()
    return made


class _Reader:
    """Takes typed values out of one TOML table, and knows what to call them when they are wrong."""

    def __init__(self, origin: str, where: str, table: Mapping[str, object]) -> None:
        self._origin = origin
        self._where = where
        self._left = dict(table)

    def text(self, key: str) -> str | None:
        """Take a string; None when the key is not there."""
        value = self._left.pop(key, None)
        if value is not None and (not isinstance(value, str) or "\0" in value):
            raise self.wrong(key, "must be a string")
        return value

    def matching(self, key: str, pattern: re.Pattern[str], meaning: str) -> str | None:
        """Take a string of a certain form."""
        value = self.text(key)
        if value is not None and not pattern.fullmatch(value):
            raise self.wrong(key, f"must be a {meaning}, not {value!r}")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """Take one of the strings offered."""
        value = self.text(key)
        if value is not None and value not in choices:
            raise self.wrong(key, f"must be one of {', '.join(choices)}, not {value!r}")
        return value

    def path(self, key: str) -> str | None:
        """Take an absolute path that stays below the root, without `.`, `..` and doubled slashes."""
        value = self.text(key)
        if value is not None and (not value.startswith("/") or posixpath.normpath(value) != value):
            raise self.wrong(key, f"must be a plain absolute path, not {value!r}")
        return value

    def mode(self, key: str) -> int | None:
        """Take permissions in octal, written as a string."""
        value = self.matching(key, _MODE, 'string of octal digits such as "0755"')
        return None if value is None else int(value, 8)

    def flag(self, key: str) -> bool:
        """Take true or false; false when nothing is said."""
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def packages(self) -> tuple[str, ...]:
        """Take the list of Debian packages."""
        value = self._left.pop("packages", [])
        if not isinstance(value, list):
            raise self.wrong("packages", "must be a list of package names")
        for item in value:
            if not isinstance(item, str) or not _PACKAGE.fullmatch(item):
                raise self.wrong("packages", f"{item!r} is not the name of a Debian package")
        return tuple(value)

    def variables(self, key: str) -> dict[str, str]:
        """Take a table of environment variables."""
        value = self._left.pop(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table of variables")
        for name, content in value.items():
            if not _VARIABLE.fullmatch(name) or not isinstance(content, str) or "\0" in content:
                raise self.wrong(f"{key}.{name}", "must be a variable's name with a string")
        return value

    def table(self, key: str) -> _Reader:
        """Take a table; an empty one when the key is not there."""
        value = self._left.pop(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return _Reader(self._origin, f"{key}.", value)

    def tables(self, key: str) -> list[_Reader]:
        """Take a list of tables."""
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"must be a list of tables, each written as [[{key}]]")
        return [_Reader(self._origin, f"{key}[{number}].", item) for number, item in enumerate(value)]

    def nothing_else(self) -> None:
        """Refuse what nobody took: most likely a misspelt key."""
        for key in self._left:
            raise self.wrong(key, "is not a key that recipes have")

    def wrong(self, key: str, why: str) -> InvalidRequest:
        """Build the error for a key of this table."""
        return _wrong(self._origin, f"{self._where}{key} {why}")


def _wrong(origin: str, what: str, details: str | None = None) -> InvalidRequest:
    return InvalidRequest(
        f"recipe {origin}: {what}", details=details, hint="docs/environments.md lists the keys of a recipe."
    )
