"""What is chosen from directories and repositories; nothing is read but names."""

import os
import socket
from pathlib import Path

import pytest

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.workspaces.seeding.select import SeedOptions, Selection, select

from .conftest import fill, git, repository

EVERYTHING = SeedOptions(include_ignored=True, include_sensitive=True)


def names(selection: Selection) -> set[str]:
    """The chosen files and links, and directories with a slash at the end; not what belongs to git."""
    return {
        os.fsdecode(entry.path) + ("/" if entry.kind == "directory" else "")
        for entry in selection.entries
        if entry.path and not {b".git", b".gitignore", b".gitmodules"} & set(entry.path.split(b"/"))
    }


def in_git(selection: Selection, prefix: str = "") -> set[str]:
    root = os.fsencode(prefix + ".git/")
    return {
        os.fsdecode(e.path[len(root) :])
        for e in selection.entries
        if e.path.startswith(root) and e.kind == "file"
    }


def chosen(source: Path, options: SeedOptions | None = None) -> set[str]:
    return names(select(source, options or SeedOptions()))


def test_a_plain_directory_is_taken_whole_but_for_likely_secrets(source: Path) -> None:
    fill(
        source,
        {
            "a/b.txt": "",
            ".env": "",
            ".env.example": "",
            ".aws/credentials": "",
            "keys/id_rsa": "",
            "keys/id_rsa.pub": "",
        },
    )
    (source / "empty").mkdir()
    (source / ".gitignore").write_text("a\n")  # no repository: nobody asked for its rules
    found = select(source, SeedOptions())
    assert names(found) == {"a/", "a/b.txt", ".env.example", ".aws/", "keys/", "keys/id_rsa.pub", "empty/"}
    assert sorted(found.findings.withheld) == [b".aws/credentials", b".env", b"keys/id_rsa"]
    assert found.findings.kind == "directory"
    assert {".env", ".aws/credentials", "keys/id_rsa"} <= chosen(source, EVERYTHING)


def test_a_repository_gives_what_is_tracked_and_what_is_not_ignored(source: Path) -> None:
    repository(
        source, {"src/a.py": "", ".gitignore": "*.log\n/build/\nnode_modules\n!keep.log\n", "old.txt": ""}
    )
    fill(
        source,
        {
            "new.py": "",
            "x.log": "",
            "keep.log": "",
            "build/out": "",
            "src/node_modules/p/i.js": "",
            "src/build/ok": "",
        },
    )
    (source / "old.txt").unlink()
    found = select(source, SeedOptions())
    assert names(found) == {"src/", "src/a.py", "new.py", "keep.log", "src/build/", "src/build/ok"}
    assert sorted(found.findings.ignored) == [b"build/", b"src/node_modules/", b"x.log"]
    assert found.findings.kind == "git"
    assert {"build/out", "x.log", "src/node_modules/p/i.js"} <= chosen(source, EVERYTHING)


def test_what_is_tracked_is_taken_from_ignored_directories_too(source: Path) -> None:
    repository(source, {"build/keep/a.txt": "", "build/b.txt": "", ".gitignore": "build/\n"})
    fill(source, {"build/junk": "", "build/keep/junk": "", "build/more/junk": ""})
    assert chosen(source) == {"build/", "build/b.txt", "build/keep/", "build/keep/a.txt"}


def test_ignored_directories_are_never_entered(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(source, {"node_modules/tracked.js": "", ".gitignore": "node_modules\n"})
    fill(source, {"node_modules/junk/x.js": "", "sub/node_modules/junk": ""})
    entered: list[bytes] = []
    scandir = os.scandir

    def watched(path: bytes) -> object:
        entered.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", watched)
    assert "node_modules/tracked.js" in chosen(source)
    assert not [path for path in entered if b"node_modules" in path]


def test_tracked_secrets_are_seeded_and_named_untracked_ones_withheld(source: Path) -> None:
    repository(source, {".env": "", "a.txt": ""})
    fill(source, {"local.env": "", "sub/.npmrc": "", "server.key": ""})
    found = select(source, SeedOptions())
    assert ".env" in names(found)
    assert found.findings.sensitive_tracked == [b".env"]
    assert sorted(found.findings.withheld) == [b"local.env", b"server.key"]


def test_the_users_own_ignore_patterns_apply(source: Path, tmp_path: Path) -> None:
    repository(source, {"a": ""})
    fill(source, {"b.swp": "", "c.tmp": "", "d": ""})
    fill(
        tmp_path / "home",
        {
            ".gitconfig": "[core]\n\texcludesFile = ~/mine\n",
            "mine": "*.swp\n",
            ".config/git/ignore": "*.tmp\n",
        },
    )
    assert chosen(source) == {"a", "c.tmp", "d"}
    (tmp_path / "home" / ".gitconfig").unlink()
    (source / ".git" / "info" / "exclude").write_text("d\n")
    assert chosen(source) == {"a", "b.swp"}


def test_the_history_comes_without_hooks_logs_and_configuration(source: Path) -> None:
    repository(source, {"a": ""})
    git(source, "remote", "add", "origin", "https://user:secret@example.org/x")
    git(source, "tag", "v1")
    git(source, "pack-refs", "--all")
    git(source, "gc", "-q")
    fill(
        source,
        {
            ".git/hooks/pre-commit": "",
            ".git/credentials": "",
            ".git/objects/tmp_obj_1": "",
            ".git/index.lock": "",
        },
    )
    found = select(source, SeedOptions())
    inside = in_git(found)
    assert {"HEAD", "index", "config", "packed-refs"} <= inside
    assert not [
        name
        for name in inside
        if name.startswith(("hooks", "logs", "credentials", "worktrees")) or "tmp_" in name
    ]
    assert "index.lock" not in inside
    (config,) = (entry.content for entry in found.entries if entry.path == b".git/config")
    assert b"secret" not in config
    assert b"https://example.org/x" in config
    facts = found.findings.git
    assert facts is not None
    assert (facts.commit, facts.branch, facts.history) == (
        git(source, "rev-parse", "HEAD").strip(),
        "main",
        True,
    )


def test_head_is_told_loose_packed_detached_and_unborn(source: Path) -> None:
    repository(source, {"a": ""})
    commit = git(source, "rev-parse", "HEAD").strip()

    def head() -> tuple[str | None, str | None]:
        facts = select(source, SeedOptions()).findings.git
        assert facts
        return facts.branch, facts.commit

    assert head() == ("main", commit)
    git(source, "pack-refs", "--all")
    assert head() == ("main", commit)
    git(source, "checkout", "-q", "--detach")
    assert head() == (None, commit)
    git(source, "checkout", "-q", "--orphan", "new")
    assert head() == ("new", None)


def test_a_linked_worktree_becomes_a_repository_of_its_own(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", {"a": "1"})
    git(main, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    fill(tmp_path / "linked", {"b": ""})
    git(tmp_path / "linked", "add", "b")
    found = select(tmp_path / "linked", SeedOptions())
    assert names(found) == {"a", "b"}
    assert {"HEAD", "index", "config", "refs/heads/main", "refs/heads/side"} <= in_git(found)
    assert found.findings.skipped == []
    facts = found.findings.git
    assert facts is not None
    assert (facts.branch, facts.commit) == ("side", git(main, "rev-parse", "HEAD").strip())


def test_submodules_and_nested_repositories_bring_their_own_rules(tmp_path: Path) -> None:
    library = repository(tmp_path / "library", {"lib.c": "", ".gitignore": "*.o\n"})
    main = repository(tmp_path / "main", {"a": "", ".gitignore": "*.c\n"})
    git(main, "submodule", "add", "-q", str(library), "vendor/lib")
    git(main, "commit", "-q", "-m", "with submodule")
    repository(main / "nested", {"n": "", ".gitignore": "*.tmp\n"})
    fill(
        main, {"vendor/lib/new.c": "", "vendor/lib/x.o": "", "nested/x.tmp": "", "nested/y.c": "", "z.c": ""}
    )
    found = select(main, SeedOptions())
    assert {"vendor/lib/lib.c", "vendor/lib/new.c", "nested/n", "nested/y.c"} <= names(found)
    assert not {"vendor/lib/x.o", "nested/x.tmp", "z.c"} & names(found)
    assert {"HEAD", "config"} <= in_git(found, "vendor/lib/")
    assert {"HEAD", "config"} <= in_git(found, "nested/")
    assert not [name for name in in_git(found) if name.startswith("modules")]
    assert found.findings.git is not None
    assert found.findings.git.submodules == ("vendor/lib",)


def test_a_part_of_a_repository_follows_its_rules(tmp_path: Path) -> None:
    main = repository(
        tmp_path / "main",
        {"app/a.py": "", ".gitignore": "/app/build/\n*.pyc\n", "app/sub/.gitignore": "!x.pyc\n"},
    )
    fill(main, {"app/build/x": "", "app/y.pyc": "", "app/sub/x.pyc": "", "other/z": ""})
    found = select(main / "app", SeedOptions())
    assert {"a.py", "sub/", "sub/x.pyc"} <= names(found)
    assert not {"build/x", "y.pyc"} & names(found)
    facts = found.findings.git
    assert facts is not None
    assert (facts.subdirectory, facts.history, facts.repository) == ("app", False, str(main))
    assert chosen(main / "other") == {"z"}
    assert select(main / "other", SeedOptions()).findings.kind == "directory"


def test_what_is_no_file_is_told_and_not_waited_for(source: Path) -> None:
    os.mkfifo(source / "fifo")
    os.mkfifo(source / ".gitignore")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
    (source / "a").touch()
    found = select(source, SeedOptions())
    assert names(found) == {"a"}
    assert sorted(found.findings.skipped) == [
        (b".gitignore", "FIFO"),
        (b"fifo", "FIFO"),
        (b"socket", "socket"),
    ]


def test_an_unreadable_directory_is_told(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, {"closed/x": "", "open/y": ""})
    scandir = os.scandir

    def refuse(path: bytes) -> object:
        if path.endswith(b"closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = select(source, SeedOptions())
    assert names(found) == {"closed/", "open/", "open/y"}
    assert found.findings.skipped == [(b"closed/", "unreadable: permission denied")]


def test_what_is_not_there_or_is_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        select(tmp_path / "nowhere", SeedOptions())
    with pytest.raises(InvalidRequest):
        select(Path("/"), SeedOptions())


def test_the_home_directory_is_refused_and_what_is_in_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a").write_text("a")
    (tmp_path / "project" / "up").symlink_to("..")
    for named in (tmp_path, tmp_path / "project" / "up"):
        with pytest.raises(InvalidRequest, match="your home directory") as refused:
            select(named, SeedOptions())
        assert "project" in (refused.value.hint or "")
    assert "a" in chosen(tmp_path / "project")


def test_what_would_be_left_out_is_known_without_its_being_there(source: Path) -> None:
    repository(
        source, {".gitignore": "build/\n*.o\n", "sub/.gitignore": "!k.o\nlocal\n", "build/tracked": ""}
    )
    found = select(source, SeedOptions())
    asked = [
        b"build/x",
        b"a.o",
        b"sub/k.o",
        b"sub/local",
        b"sub/deep/local",
        b"new/a.o",
        b"new/.env",
        b"a.c",
        b"build/tracked",
    ]
    out = {path for path in asked if found.leaves_out(path, is_directory=False)}
    assert out == {b"build/x", b"a.o", b"sub/local", b"sub/deep/local", b"new/a.o", b"new/.env"}
