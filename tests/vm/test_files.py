"""Files of a workspace, looked at and changed without a shell, on real machines."""

import base64

import pytest
from tests.opened import Opened, Opening, opening, outliving

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound, PyroError
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.file import FileContent, FileWritten
from pyro_mcp.workspaces.files import reading, writing

__all__ = ["opening"]
pytestmark = outliving


def test_a_file_is_read_by_lines_with_its_hash_and_bytes_are_never_mangled(opening: Opening) -> None:
    with opening(None) as opened:
        opened.run(r"seq 1 9 > text; printf 'a\r\nb\r\n' > crlf; printf '\000\377' > bytes")
        opened.run('printf odd > "$(printf "n\\377")"')
        read = _read(opened, "text", start_line=3, end_line=4)
        assert (read.content, read.start_line, read.end_line, read.total_lines) == ("3\n4\n", 3, 4, 9)
        assert read.sha256 == opened.run("sha256sum text").split()[0]
        assert _read(opened, "crlf").content == "a\r\nb\r\n"
        with pytest.raises(InvalidRequest, match="not UTF-8"):
            _read(opened, "bytes")
        assert base64.b64decode(_read(opened, "bytes", encoding="base64").content) == b"\0\xff"
        assert _read(opened, "n\udcff").content == "odd"
        assert _read(opened, "text", max_chars=5).content == "1\n2\n"


def test_what_is_no_file_is_refused_and_no_path_leads_out(opening: Opening) -> None:
    with opening(None) as opened:
        opened.run("mkfifo pipe; mkdir d; ln -s ../../../../../etc/hostname out; ln -s loop loop")
        for path in ("pipe", "d", "/dev/zero", "/dev/null", "", "/", "loop", "a\0b", "x" * 5000):
            with pytest.raises(PyroError):
                _read(opened, path)
        for path in ("nothing", "d/nothing", "/proc/1/environ"):
            with pytest.raises((NotFound, InvalidRequest)):
                _read(opened, path)
        assert _read(opened, "out").content == opened.run("cat /etc/hostname")
        for path in ("/proc/x", "/dev/x", "/sys/x", "d", "/", "/workspace"):
            with pytest.raises(PyroError):
                _write(opened, path, "x")


def test_a_write_keeps_the_mode_follows_links_and_minds_if_match(opening: Opening) -> None:
    with opening(None) as opened:
        first = _write(opened, "new/deep/f", "one\n", executable=True)
        assert (first.created, first.mode) == (True, "0755")
        opened.run("ln -s deep/f new/link; ln -s nowhere dangling")
        second = _write(opened, "new/link", "two\n", if_match=first.sha256)
        assert (second.created, second.mode) == (False, "0755")
        assert opened.run("readlink new/link; cat new/deep/f") == "deep/f\ntwo\n"
        with pytest.raises(Conflict):
            _write(opened, "new/deep/f", "three\n", if_match=first.sha256)
        with pytest.raises(Conflict):
            _write(opened, "new/deep/f", "three\n", if_match="absent")
        _write(opened, "dangling", "made\n")
        assert opened.run("cat nowhere") == "made\n"
        _write(opened, "bytes", base64.b64encode(b"\0\xff").decode(), encoding="base64")
        assert opened.run("od -An -tx1 bytes").split() == ["00", "ff"]


def test_edits_are_all_made_or_none(opening: Opening) -> None:
    with opening(None) as opened:
        opened.run("seq 1 20 > text; ln -s text link")
        with opened.using() as session:
            edited = writing.edit_file(
                session, "link", [Edit("7\n8", "seven"), Edit("20", "end")], if_match=None
            )
            assert edited.total == 2
            with pytest.raises(Conflict):
                writing.edit_file(session, "text", [Edit("seven", "7"), Edit("nowhere", "x")], if_match=None)
            with pytest.raises(Conflict):
                writing.edit_file(session, "text", [Edit("seven", "7")], if_match="0" * 64)
        assert opened.run("sed -n '7p;$p' text; readlink link") == "seven\nend\ntext\n"


def test_list_search_move_and_remove(opening: Opening) -> None:
    with opening(None) as opened:
        opened.run(
            "mkdir -p a/b/c .git/x; echo needle > a/b/c/f.py; echo needle > a/g.txt; ln -s a l; printf '\\0needle' > bin"
        )
        with opened.using() as session:
            listed = reading.list_files(session, ".", depth=9, glob=None)
            assert [entry.path for entry in listed.entries] == [
                "a",
                "a/b",
                "a/b/c",
                "a/b/c/f.py",
                "a/g.txt",
                "bin",
                "l",
            ]
            deep = reading.list_files(session, "/workspace", depth=None, glob="**/*.py")
            assert [entry.path for entry in deep.entries] == ["a/b/c/f.py"]
            found = reading.search_files(session, "nowhere", path="", glob=None, context_lines=0, limit=10)
            assert (found.matches, found.searched, found.skipped_binary) == ((), 2, 1)
            found = reading.search_files(session, "^need", path="", glob="*.py", context_lines=0, limit=10)
            assert [(match.path, match.line) for match in found.matches] == [("a/b/c/f.py", 1)]
            for place in ("a/b", "a/b/c/f.py"):
                found = reading.search_files(
                    session, "^need", path=place, glob=None, context_lines=0, limit=10
                )
                assert [match.path for match in found.matches] == ["a/b/c/f.py"]
            with pytest.raises(InvalidRequest):
                reading.search_files(session, "(", path="", glob=None, context_lines=0, limit=10)
            with pytest.raises(Conflict):
                writing.remove_file(session, "a", to=None, recursive=False)
            writing.remove_file(session, "a/b", to="moved/b", recursive=False)
            with pytest.raises(Conflict, match="exists already"):
                writing.remove_file(session, "l", to="bin", recursive=False)
            writing.remove_file(session, "a", to=None, recursive=True)
            writing.remove_file(session, "l", to=None, recursive=False)
            with pytest.raises(NotFound):
                writing.remove_file(session, "a", to=None, recursive=True)
        assert (
            opened.run("find . -path ./.git -prune -o -type f -print | sort") == "./bin\n./moved/b/c/f.py\n"
        )


def test_a_path_that_is_not_there_is_answered_with_what_was_meant(opening: Opening) -> None:
    with opening(None) as opened:
        opened.run("mkdir -p ledger docs; touch ledger/core.py ledger/README.md docs/guide.md")

        def hint(path: str) -> str:
            with opened.using() as session, pytest.raises(NotFound) as missing:
                reading.read_file(
                    session, path, start_line=1, end_line=None, max_chars=None, encoding="utf-8"
                )
            return missing.value.hint

        assert hint("ledger/cor.py") == "Did you mean ledger/core.py?"
        assert hint("/workspace/ledger/readme.md") == "Did you mean /workspace/ledger/README.md?"
        assert hint("core.py") == "Did you mean ledger/core.py?"
        assert hint("ledgr/core.py") == "There is no directory ledgr. Did you mean ledger?"
        assert hint("src/deep/x") == "There is no directory src. `workspace_file_list` shows what is there."
        assert hint("x*y") == "`workspace_file_list` shows what is there."
        with opened.using() as session:
            for act in (
                lambda: writing.edit_file(session, "ledger/cor.py", [Edit("a", "b")], if_match=None),
                lambda: writing.remove_file(session, "ledger/cor.py", to=None, recursive=False),
                lambda: reading.list_files(session, "ledge", depth=None, glob=None),
                lambda: reading.search_files(session, "x", path="ledge", glob=None, context_lines=0, limit=1),
            ):
                with pytest.raises(NotFound, match="Did you mean ledger"):
                    act()
            with pytest.raises(Conflict) as there:
                writing.write_file(
                    session, "docs/guide.md", "x", encoding="utf-8", if_match="absent", executable=None
                )
            assert str(there.value).count("it exists") == 1


def _read(opened: Opened, path: str, **chosen: object) -> FileContent:
    usual = {"start_line": 1, "end_line": None, "max_chars": None, "encoding": "utf-8"}
    with opened.using() as session:
        return reading.read_file(session, path, **{**usual, **chosen})  # type: ignore[arg-type]


def _write(opened: Opened, path: str, content: str, **chosen: object) -> FileWritten:
    usual = {"encoding": "utf-8", "if_match": None, "executable": None}
    with opened.using() as session:
        return writing.write_file(session, path, content, **{**usual, **chosen})  # type: ignore[arg-type]
