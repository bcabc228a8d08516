"""What goes out of a workspace to the host, and what comes in later, on real machines."""

import shutil
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from tests.opened import Opened, Opening, git, opening, outliving

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound, PolicyDenied
from pyro_mcp.models.export import ExportReport
from pyro_mcp.models.push import PushReport
from pyro_mcp.workspaces.export import export_workspace
from pyro_mcp.workspaces.push import run as pushing
from pyro_mcp.workspaces.push.plan import plan_push
from pyro_mcp.workspaces.push.run import push_sync

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
        opened.run("echo mine > src/one.py; echo own > own.txt; touch own.o")
        report = _push(opened, repository)
        assert (report.overwritten, report.withheld) == (("src/one.py",), (".env",))
        assert (
            opened.run("cat src/*.py own.txt; stat -c %s untracked.txt/big") == "later\ntwo\nown\n12800000\n"
        )
        report = _push(opened, repository, delete=True)
        assert (report.changed, report.removed, report.overwritten) == (0, 1, ("own.txt",))
        opened.run("test -e own.o && test -d .git && ! test -e own.txt")


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


def _push(opened: Opened, source: Path, *, delete: bool = False) -> PushReport:
    with opened.using() as session:
        return push_sync(session, opened.sessions, str(source), delete=delete)


def _names(repository: Path, before: str, after: str) -> str:
    return " ".join(git(repository, "diff", "--no-renames", "--name-status", before, after).decode().split())


def _own(directory: Path) -> set[str]:
    """What the fixtures put there."""
    return {path.name for path in directory.iterdir() if path.name == "logs"}
