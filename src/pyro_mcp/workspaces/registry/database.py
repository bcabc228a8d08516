"""Open the registry's database and run transactions on it. The one place where rows are untyped; the nouns type them."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyro_mcp.errors import Conflict, HostUnfit, LimitReached, PyroError
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.workspaces.registry.schema import MIGRATIONS

# Longer than the slowest of our transactions by far; twenty clients at once queue for milliseconds.
_BUSY_SECONDS = 15.0
_CANNOT_WAIT = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY"})

Row = tuple[Any, ...]


class Reading:
    """One consistent view of the registry, which changes nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Give all rows of the answer."""
        return self._connection.execute(query, tuple(parameters)).fetchall()

    def row(self, query: str, parameters: Sequence[object] = ()) -> Row | None:
        """Give the first row of the answer, if any."""
        found: Row | None = self._connection.execute(query, tuple(parameters)).fetchone()
        return found


class Change(Reading):
    """One transaction: all of it happens at the end of its block, or none of it does."""

    def run(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Carry out one statement; tells how many rows it touched."""
        return self._connection.execute(statement, tuple(parameters)).rowcount

    def insert(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Carry out one INSERT; tells the new row's number."""
        return self._connection.execute(statement, tuple(parameters)).lastrowid or 0


class Registry:
    """The database, opened when first used. Any number of threads and processes may use it at once."""

    def __init__(self, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
        self._path = path
        self._migrations = migrations
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        weakref.finalize(self, _close, self._idle)

    @classmethod
    def at(cls, paths: Paths) -> Registry:
        """Name the user's registry; nothing is opened or made yet."""
        return cls(paths.state / "registry.sqlite")

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Read inside the block; every query sees the same state, and no writer is held up."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield Reading(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def changing(self, *, durable: bool = True) -> Iterator[Change]:
        """Change inside the block; nobody else does meanwhile. An exception undoes it all.

        When the block ends the change survives kill -9 of anything; with `durable` the power may go as well (one fsync).
        """
        with self._connection() as connection:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Change(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close what is open; the registry can be used again afterwards. At the end of its life it closes itself."""
        with self._guard:
            _close(self._idle)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with _told_as_ours(self._path):
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._open()
            try:
                yield connection
            finally:
                with self._guard:
                    self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        private_directory(self._path.parent)
        connection = _connect(self._path)
        try:
            if _version(connection) != len(self._migrations):
                self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the schema up to date under a lock, in one transaction: another pyro sees the old schema or the new one."""
        with exclusive(self._path.with_suffix(".lock"), what="another pyro to update its registry"):
            version = _version(connection)
            if version > len(self._migrations):
                raise HostUnfit(
                    f"{self._path} was written by a newer pyro",
                    details=f"schema {version}; this pyro knows {len(self._migrations)}",
                    hint="Upgrade this pyro, or set PYRO_HOME to a directory of its own.",
                )
            # The journal's mode is kept in the file; it cannot be changed inside a transaction.
            connection.execute("PRAGMA journal_mode = WAL")
            for number, step in enumerate(self._migrations[version:], start=version + 1):
                connection.executescript(
                    f"BEGIN IMMEDIATE;\n{step}\n;PRAGMA user_version = {number};\nCOMMIT;"
                )


@contextmanager
def looking_at(path: Path) -> Iterator[Reading]:
    """Read the registry of another state directory inside the block, as it stands: nothing there is migrated or changed."""
    with _told_as_ours(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
        )
        try:
            yield Reading(connection)
        finally:
            connection.close()


def _close(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _told_as_ours(path: Path) -> Iterator[None]:
    """Raise SQLite's troubles as ours. A broken rule (IntegrityError) is left to the noun, which knows what it means."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise _translated(error, path) from error


def _translated(error: sqlite3.Error, path: Path) -> PyroError:
    code = getattr(error, "sqlite_errorname", "")
    if code in _CANNOT_WAIT:
        return Conflict("another pyro holds the registry", details=str(error), hint="Try again in a moment.")
    if code == "SQLITE_FULL" or code.startswith("SQLITE_IOERR"):
        return LimitReached(
            f"{path} cannot be written",
            details=str(error),
            hint="Free some disk space (pyro prune), then try again.",
        )
    return HostUnfit(
        f"{path} cannot be used",
        details=f"{code or type(error).__name__}: {error}",
        hint="Restore the file from a backup, or set PYRO_HOME to a new directory.",
    )
