"""What goes out of a workspace to the host, and what comes in later, on real machines."""

import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from tests.opened import Opened, Opening, git, opening, outliving

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound, PolicyDenied
from pyro_mcp.models.export import ExportReport
from pyro_mcp.models.push import PushReport
from pyro_mcp.workspaces.export import export_workspace
from pyro_mcp.workspaces.lifecycle import delete_workspace, reset_workspace
from pyro_mcp.workspaces.push import run as pushing
from pyro_mcp.workspaces.push.plan import plan_push
from pyro_mcp.workspaces.push.run import push_sync
from pyro_mcp.workspaces.snapshots import fork_workspace

__all__ = ["opening"]
pytestmark = outliving


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A host's repository with something that is not committed."""
    found = tmp_path / "repository"
    (found / "src").mkdir(parents=True)
    (found / "src/one.py").write_text("one\n")
    (found / "gone.txt").write_text("gone\n")
    (found / ".gitignore").write_text("*.o\n")
    git(found, "init", "-q", "-b", "main")
    git(found, "config", "user.name", "A. Host")
    git(found, "config", "user.email", "host@example.org")
    git(found, "add", "-A")
    git(found, "commit", "-qm", "one")
    (found / "gone.txt").unlink()
    (found / "src/one.py").write_text("one\nnot committed\n")
    (found / "untracked.txt").write_text("untracked\n")
    (found / "build.o").write_text("build\n")
    return found


def test_files_come_out_as_they_are_and_nothing_that_leads_out(opening: Opening, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with opening(None) as opened:
        opened.run(
            "mkdir -p d/e; echo x > d/e/f; chmod 4755 d/e/f; ln -s e/f d/in; ln -s /etc/passwd abs; mkfifo d/pipe"
        )
        opened.run(
            "ln -s ../../x up; ln -s d/e deep; ln -s deep/../../.. through; printf 'a\\nb' > \"$(printf 'n\\377')\""
        )
        report = _export(opened, output_path=str(out))
        assert {one.path for one in report.left_out} == {"abs", "d/pipe", "up", "through"}
        assert (out / "d/in").read_text() == "x\n"
        assert stat.S_IMODE((out / "d/e/f").stat().st_mode) == 0o755
        assert sorted(bytes(path) for path in out.iterdir())[-1] == bytes(out) + b"/n\xff"
        with pytest.raises(Conflict, match="there already"):
            _export(opened, output_path=str(out))
        _export(opened, path="d/e", output_path=str(out / "d/e"), overwrite=True)
        with pytest.raises(NotFound):
            _export(opened, path="nothing", output_path=str(tmp_path / "nothing"))
        assert {path.name for path in tmp_path.iterdir()} == {"out"} | _own(tmp_path)


def test_an_export_follows_no_link_of_the_host(opening: Opening, tmp_path: Path) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out"
    victim.mkdir()
    out.mkdir()
    (out / "d").symlink_to(victim)
    (tmp_path / "link").symlink_to(victim / "file")
    with opening(None) as opened:
        opened.run("mkdir d; echo x > d/f")
        with pytest.raises(Conflict):
            _export(opened, output_path=str(out), overwrite=True)
        _export(opened, path="d/f", output_path=str(tmp_path / "link"), overwrite=True)
    assert (tmp_path / "link").read_text() == "x\n"
    assert not list(victim.iterdir())


def test_what_the_host_would_execute_is_refused_unless_it_is_named(
    opening: Opening, repository: Path
) -> None:
    out = repository.parent / "out"
    with opening(repository) as opened:
        opened.run(
            "echo x > .envrc; mkdir .vscode; echo {} > .vscode/tasks.json; mkdir -p r/objects r/refs; echo > r/HEAD"
        )
        with pytest.raises(PolicyDenied) as refused:
            _export(opened, output_path=str(out))
        assert {".envrc", ".vscode/tasks.json", "r/HEAD"} <= set((refused.value.details or "").splitlines())
        with pytest.raises(PolicyDenied):
            _export(opened, format="branch")
        with pytest.raises(PolicyDenied):
            _export(opened, path="src/one.py", output_path=str(repository / ".git/hooks/pre-commit"))
        report = _export(opened, output_path=str(out), allow_paths=[".envrc", ".vscode", "r"])
        assert (out / ".envrc").exists()
        assert not (out / ".git").exists()
        assert [one.path for one in report.left_out] == [".git"]


def test_a_patch_turns_the_seed_into_the_workspace(opening: Opening, repository: Path) -> None:
    patch, copy = repository.parent / "change.patch", repository.parent / "copy"
    with opening(repository) as opened:
        with pytest.raises(Conflict, match="nothing changed"):
            _export(opened, format="patch", output_path=str(patch))
        opened.run("echo two >> src/one.py; rm untracked.txt; head -c 999 /dev/urandom > bin; touch x.o")
        assert _export(opened, format="patch", output_path=str(patch)).files == 3
        wanted = opened.run("sha256sum src/one.py bin")
    shutil.copytree(repository, copy)
    git(copy, "apply", "-", stdin=patch.read_bytes())
    assert not (copy / "untracked.txt").exists()
    for line in wanted.splitlines():
        digest, name = line.split()
        assert sha256((copy / name).read_bytes()).hexdigest() == digest


def test_a_branch_is_head_then_what_was_not_committed_then_the_change(
    opening: Opening, repository: Path
) -> None:
    before = git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")
    hook = repository / ".git/hooks/post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch executed\n")
    hook.chmod(0o755)
    with opening(repository) as opened:
        opened.run(
            "echo two >> src/one.py; mkdir n; echo n > n/n; ln -s n l; touch new.o; chmod +x untracked.txt"
        )
        report = _export(opened, format="branch", branch_name="work/it")
        with pytest.raises(Conflict, match="branch"):
            _export(opened, format="branch", branch_name="work/it")
        _export(opened, format="branch", branch_name="work/it", overwrite=True)
        with pytest.raises(Conflict, match="checked out"):
            _export(opened, format="branch", branch_name="main", overwrite=True)
        with pytest.raises(InvalidRequest):
            _export(opened, format="branch", branch_name="a..b")
    assert (git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")) == before
    assert not (repository / "executed").exists()
    assert report.dirty
    assert _names(repository, "main", report.dirty) == "D gone.txt M src/one.py A untracked.txt"
    assert _names(repository, report.dirty, "work/it") == "A l A n/n M src/one.py M untracked.txt"
    assert git(repository, "show", "work/it:src/one.py") == b"one\nnot committed\ntwo\n"
    assert git(repository, "log", "-1", "--format=%an <%ae>", "work/it") == b"A. Host <host@example.org>\n"
    git(repository, "fsck", "--strict")


def test_a_push_brings_just_what_differs(opening: Opening, repository: Path) -> None:
    with opening(repository) as opened:
        assert (_push(opened, repository).changed, _push(opened, repository).removed) == (0, 0)
        (repository / "src/one.py").write_text("later\n")
        (repository / "src/two.py").write_text("two\n")
        (repository / ".env").write_text("SECRET=1\n")
        (repository / "untracked.txt").unlink()
        (repository / "untracked.txt").mkdir()
        (repository / "untracked.txt/big").write_bytes(bytes(range(256)) * 50_000)
        opened.run("echo own > own.txt; touch own.o")
        report = _push(opened, repository)
        assert (report.overwritten, report.withheld) == ((), (".env",))
        assert (
            opened.run("cat src/*.py own.txt; stat -c %s untracked.txt/big") == "later\ntwo\nown\n12800000\n"
        )
        (repository / "src/two.py").unlink()
        report = _push(opened, repository, delete=True)
        assert (report.changed, report.removed, report.overwritten) == (0, 1, ())
        opened.run("test -e own.o && test -d .git && test -e own.txt && ! test -e src/two.py")


def test_a_push_leaves_the_workspaces_own_work_alone(opening: Opening, repository: Path) -> None:
    """Edits, deletions and modes of files that the host did not touch survive, beside what it did."""
    (repository / "kept.py").write_text("kept\n")
    (repository / "tool").write_text("tool\n")
    with opening(repository) as opened:
        opened.run("echo mine > src/one.py; rm untracked.txt; chmod 755 tool; echo own > src/own.py")
        (repository / "kept.py").write_text("later\n")
        (repository / "tool").write_text("tool, later\n")
        report = _push(opened, repository, delete=True)
        assert (report.changed, report.removed, report.kept) == (2, 0, ("src/one.py", "untracked.txt"))
        assert opened.run("cat kept.py src/*.py tool") == "later\nmine\nown\ntool, later\n"
        opened.run("test -x tool && ! test -e untracked.txt")
        again = _push(opened, repository, delete=True)
        assert (again.changed, again.removed) == (0, 0)
        assert again.kept == ("src/one.py", "tool", "untracked.txt")
        (repository / "kept.py").write_text("later still\n")
        assert _push(opened, repository).changed == 1  # what a push brought is no work of the workspace's


def test_what_both_sides_changed_is_a_conflict_until_the_host_is_to_win(
    opening: Opening, repository: Path
) -> None:
    with opening(repository) as opened:
        opened.run("echo mine > src/one.py; echo mine > untracked.txt; echo mine > added")
        (repository / "src/one.py").write_text("later\n")
        (repository / "untracked.txt").unlink()
        (repository / "added").write_text("theirs\n")
        (repository / "new").write_text("new\n")
        with pytest.raises(Conflict) as refused:
            _push(opened, repository, delete=True)
        assert refused.value.details == (
            "added: added on both sides\n"
            "src/one.py: changed on both sides\n"
            "untracked.txt: deleted on the host, changed in the workspace"
        )
        assert "overwrite" in (refused.value.hint or "")
        assert opened.run("cat src/one.py untracked.txt added; ls") == (
            "mine\nmine\nmine\nadded\nsrc\nuntracked.txt\n"
        )
        report = _push(opened, repository, delete=True, overwrite=True)
        assert report.overwritten == ("added", "src/one.py", "untracked.txt")
        assert (report.changed, report.removed) == (3, 1)
        assert opened.run("cat src/one.py added; ls") == "later\ntheirs\nadded\nnew\nsrc\n"
        opened.run("echo mine > new")
        assert _push(opened, repository, delete=True).kept == ("new",)


def test_what_a_push_brought_is_known_as_long_as_the_disk_holds_it(
    opening: Opening, repository: Path
) -> None:
    """A reset takes a push back: the next one brings the same again. A fork knows what its source was brought."""
    with opening(repository) as opened:
        (repository / "src/one.py").write_text("later\n")
        assert _push(opened, repository).changed == 1
        (forked,) = fork_workspace(opened.sessions, opened.id, count=1, names=(), from_snapshot=None)
        reset_workspace(opened.sessions, opened.id, "baseline")
        assert _push(opened, repository).changed == 1
        (repository / "src/one.py").write_text("later still\n")
        assert forked.workspace
        fork = Opened(opened.sessions, forked.workspace.workspace_id)
        try:
            for one in (opened, fork):
                assert _push(one, repository).changed == 1
                assert one.run("cat src/one.py") == "later still\n"
        finally:
            delete_workspace(opened.sessions, fork.id)


def test_a_nested_repository_of_the_workspaces_own_is_never_taken_along(
    opening: Opening, repository: Path
) -> None:
    (repository / "part").mkdir()
    (repository / "part/file").write_text("file\n")
    with opening(repository) as opened:
        opened.run("cd part && git init -q")
        shutil.rmtree(repository / "part")
        assert [_push(opened, repository, delete=True).removed for _ in range(2)] == [1, 0]
        opened.run("test -d part/.git && ! test -e part/file")
        (repository / "part").write_text("a file now\n")
        with pytest.raises(Conflict) as refused:
            _push(opened, repository)
        assert "part/.git" in (refused.value.details or "")
        opened.run("test -d part/.git")


def test_outside_the_workspace_the_host_wins(opening: Opening, repository: Path) -> None:
    with opening(repository) as opened:
        opened.run("mkdir /opt/copy")
        _push(opened, repository, dest="/opt/copy")
        opened.run("echo mine > /opt/copy/src/one.py; echo own > /opt/copy/own")
        report = _push(opened, repository, dest="/opt/copy")
        assert (report.changed, report.overwritten, report.kept) == (1, ("src/one.py",), ())
        report = _push(opened, repository, dest="/opt/copy", delete=True)
        assert (report.removed, report.overwritten) == (1, ("own",))


def test_pushes_at_once_forget_nothing_of_each_other(opening: Opening, tmp_path: Path) -> None:
    sources = [tmp_path / f"source-{number}" for number in range(4)]
    for source in sources:
        source.mkdir()
        (source / "file").write_text("first\n")
    with opening(None) as opened, ThreadPoolExecutor(4) as threads:
        for text in ("first\n", "second\n"):
            for source in sources:
                (source / "file").write_text(text)
            pushes = [
                threads.submit(_push, opened, source, dest=f"/workspace/{source.name}") for source in sources
            ]
            for push in pushes:
                assert push.result().changed >= 1
        assert opened.run("cat source-*/file") == "second\n" * 4


def test_a_push_that_cannot_be_whole_is_none(
    opening: Opening, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes between being looked at and being read spoils the push before anything is sent."""
    plan = plan_push

    def plan_then_change(*arguments: object, **options: object) -> object:
        planned = plan(*arguments, **options)  # type: ignore[arg-type]
        (repository / "src/one.py").write_text("later\nmuch later\n")
        return planned

    with opening(repository) as opened:
        (repository / "src/a.py").write_text("a\n")
        (repository / "src/one.py").write_text("later\n")
        monkeypatch.setattr(pushing, "plan_push", plan_then_change)
        with pytest.raises(Conflict, match="changed on the host"):
            _push(opened, repository)
        assert opened.run("ls src; cat src/one.py") == "one.py\none\nnot committed\n"


def _export(opened: Opened, **arguments: object) -> ExportReport:
    with opened.using() as session:
        return export_workspace(session, opened.sessions, **arguments)  # type: ignore[arg-type]


def _push(opened: Opened, source: Path, **arguments: object) -> PushReport:
    with opened.using() as session:
        return push_sync(session, opened.sessions, str(source), **arguments)  # type: ignore[arg-type]


def _names(repository: Path, before: str, after: str) -> str:
    return " ".join(git(repository, "diff", "--no-renames", "--name-status", before, after).decode().split())


def _own(directory: Path) -> set[str]:
    """What the fixtures put there."""
    return {path.name for path in directory.iterdir() if path.name == "logs"}
