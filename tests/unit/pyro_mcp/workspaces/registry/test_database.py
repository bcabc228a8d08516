import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pyro_mcp.errors import Conflict, HostUnfit, LimitReached
from pyro_mcp.workspaces.registry import Registry, database
from pyro_mcp.workspaces.registry.schema import MIGRATIONS

MARK = "CREATE TABLE later (id INTEGER PRIMARY KEY); INSERT INTO later VALUES (7);"


def test_a_new_registry_has_the_schema_and_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "registry.sqlite"
    with Registry(path).reading() as reading:
        assert reading.row("SELECT count(*) FROM workspaces") == (0,)
        assert reading.row("PRAGMA user_version") == (len(MIGRATIONS),)
        assert reading.row("PRAGMA journal_mode") == ("wal",)
        assert reading.row("PRAGMA foreign_keys") == (1,)
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("known", range(len(MIGRATIONS) + 1))
def test_every_earlier_schema_is_brought_up_to_date(tmp_path: Path, known: int) -> None:
    path = tmp_path / "registry.sqlite"
    Registry(path, MIGRATIONS[:known]).close()
    with Registry(path, (*MIGRATIONS, MARK)).reading() as reading:
        assert reading.row("SELECT id FROM later") == (7,)
        assert reading.row("PRAGMA user_version") == (len(MIGRATIONS) + 1,)


def test_a_migration_that_fails_leaves_the_old_schema(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    with Registry(path, ("CREATE TABLE first (id INTEGER);",)).reading():
        pass
    broken = Registry(
        path, ("CREATE TABLE first (id INTEGER);", "CREATE TABLE second (id INTEGER); nonsense;")
    )
    with pytest.raises(HostUnfit), broken.reading():
        pass
    with Registry(path, ("CREATE TABLE first (id INTEGER);",)).reading() as reading:
        assert reading.rows("SELECT name FROM sqlite_master") == [("first",)]


def test_a_registry_of_a_newer_pyro_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    with Registry(path, (*MIGRATIONS, MARK)).reading():
        pass
    with pytest.raises(HostUnfit) as refused, Registry(path).reading():
        pass
    assert refused.value.hint
    assert "newer" in refused.value.brief


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(HostUnfit) as refused, Registry(path).reading():
        pass
    assert refused.value.hint


def test_an_exception_undoes_the_whole_change(registry: Registry) -> None:
    def interrupted() -> None:
        with registry.changing() as change:
            change.run("INSERT INTO layers VALUES ('a', '/a', NULL, 1, 0, 0)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with registry.reading() as reading:
        assert reading.rows("SELECT id FROM layers") == []


def test_a_reader_sees_one_state_while_others_write(registry: Registry) -> None:
    with registry.reading() as reading:
        before = reading.row("SELECT count(*) FROM layers")
        with registry.changing() as change:
            change.run("INSERT INTO layers VALUES ('a', '/a', NULL, 1, 0, 0)")
        assert reading.row("SELECT count(*) FROM layers") == before
    with registry.reading() as reading:
        assert reading.row("SELECT count(*) FROM layers") == (1,)


def test_writers_queue_instead_of_losing_updates(registry: Registry) -> None:
    with registry.changing() as change:
        change.run("INSERT INTO layers VALUES ('a', '/a', NULL, 0, 0, 0)")

    def count() -> None:
        for _ in range(25):
            with registry.changing(durable=False) as change:
                row = change.row("SELECT size_mib FROM layers")
                assert row is not None
                change.run("UPDATE layers SET size_mib = ?", (row[0] + 1,))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with registry.reading() as reading:
        assert reading.row("SELECT size_mib FROM layers") == (200,)


def test_many_processes_may_open_a_registry_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "state" / "registry.sqlite"
    code = (
        "import sys; from pathlib import Path; from pyro_mcp.workspaces.registry import Registry\n"
        "with Registry(Path(sys.argv[1])).changing() as change: change.run('INSERT INTO layers VALUES (?, ?, NULL, 1, 0, 0)', "
        "(sys.argv[2], sys.argv[2]))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), str(n)]) for n in range(6)]
    assert [process.wait() for process in started] == [0] * 6
    with Registry(path).reading() as reading:
        assert reading.row("SELECT count(*) FROM layers") == (6,)


def test_a_holder_that_does_not_end_is_a_conflict(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    with registry.changing(), pytest.raises(Conflict), registry.changing():
        pass


def test_a_full_disk_is_a_limit(registry: Registry) -> None:
    def fill() -> None:
        with registry.changing() as change:
            change.run("PRAGMA max_page_count = 1")
            for number in range(2000):
                change.run("INSERT INTO layers VALUES (?, ?, NULL, 1, 0, 0)", (f"{number}", f"{number:0300}"))

    with pytest.raises(LimitReached):
        fill()


def test_a_broken_rule_is_left_to_the_noun(registry: Registry) -> None:
    with pytest.raises(sqlite3.IntegrityError), registry.changing() as change:
        change.run("INSERT INTO layers VALUES ('a', '/a', 'no such layer', 1, 0, 0)")
