"""Seeds that mean harm, through the command line into a machine: nothing of them runs on the host, nothing is written outside."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from tests.ladder import PyroProgram
from tests.manifold import archive_of
from tests.opened import git

from pyro_mcp.models.seed import SeedReport
from pyro_mcp.workspaces.registry.seed_report import report_from

# Whoever read such a file, or counted its bytes, would be at it for hours.
_ENDLESS = 1 << 40
# Root reads everything; as somebody else, or without this, a closed file is closed.
_NO_OVERRIDE = "--bounding-set=-dac_override,-dac_read_search"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """What the seed's programs would make."""
    return tmp_path / "canary"


@pytest.fixture
def repository(tmp_path: Path, canary: Path) -> Path:
    """A repository that has git run programs wherever git can be made to, and holds what is no file."""
    found = tmp_path / "repository"
    (found / "node_modules").mkdir(parents=True)
    for name, text in {
        "a.txt": "a\n",
        ".gitignore": "node_modules\n",
        ".gitattributes": "* filter=evil diff=evil\n",
    }.items():
        (found / name).write_text(text)
    git(found, "init", "-q", "-b", "main")
    git(found, "add", "-A")
    git(found, "commit", "-qm", "one")
    run = f"touch {canary}; cat"
    with (found / ".git/config").open("a") as config:
        config.write(
            "[user]\n\tname = A. Host\n\temail = a@host.example\n"
            f'[core]\n\tfsmonitor = "{run}"\n\tpager = "{run}"\n\tsshCommand = "{run}"\n\teditor = "{run}"\n'
            f'[filter "evil"]\n\tclean = "{run}"\n\tsmudge = "{run}"\n\tprocess = "{run}"\n\trequired = true\n'
            f'[diff "evil"]\n\ttextconv = "{run}"\n\tcommand = "{run}"\n[gpg]\n\tprogram = "{run}"\n[commit]\n\tgpgSign = true\n'
        )
    for hook in (
        "post-checkout",
        "post-index-change",
        "pre-commit",
        "post-commit",
        "reference-transaction",
        "update",
    ):
        (found / ".git/hooks" / hook).write_text(f"#!/bin/sh\n{run}\n")
        (found / ".git/hooks" / hook).chmod(0o755)
    with (found / "node_modules/endless").open("wb") as endless:
        endless.truncate(_ENDLESS)
    (found / "closed").write_text("closed")
    (found / "closed").chmod(0)
    (found / "up").symlink_to("../../../../../../etc/passwd")
    (found / "out").symlink_to(tmp_path)
    os.mkfifo(found / "pipe")
    _socket(found / "socket")
    return found


def test_a_hostile_repository_executes_nothing_and_is_told(
    pyro: PyroProgram, repository: Path, canary: Path
) -> None:
    before = _listing(repository.parent)
    with _created(repository) as (name, seed):
        assert {one.path for one in seed.skipped} == {"closed", "pipe", "socket"}
        assert seed.ignored == ("node_modules/",)
        assert seed.symlinks == 2
        inside = _exec(
            pyro,
            name,
            "git status --porcelain; readlink up out; find . -size +1M; ls -d .git/hooks node_modules; true",
        )
        assert inside.splitlines() == [
            "?? out",
            "?? up",
            "../../../../../../etc/passwd",
            str(repository.parent),
        ]
        (repository / "a.txt").write_text("pushed\n")
        pushed = _json(_without_override("workspace", "sync", "push", name, str(repository), "--json"))
        assert (pushed["changed"], pushed["removed"]) == (1, 0)
        _exec(pyro, name, "echo made here > b.txt")
        _json(pyro("workspace", "export", name, "--format", "branch", "--branch-name", "work", "--json"))
        assert git(repository, "show", "work:b.txt") == b"made here\n"
        assert git(repository, "show", "work:a.txt") == b"pushed\n"
    assert not canary.exists()
    assert _listing(repository.parent) == before


def test_a_hostile_archive_writes_nothing_outside(pyro: PyroProgram, tmp_path: Path) -> None:
    outside, archive = tmp_path / "outside", tmp_path / "seed.tar.gz"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    refused = ["../up", "a/../../up", f"{outside}/absolute", "hard", "linked/through", "null", "disk", "pipe"]
    with tarfile.open(archive, "w:gz") as tar:
        _add(tar, "fine", b"fine\n")
        for name in refused[:3]:
            _add(tar, name, b"harm")
        _add(tar, "hard", kind=tarfile.LNKTYPE, target=f"{outside}/kept")
        _add(tar, "linked", kind=tarfile.SYMTYPE, target=str(outside))
        _add(tar, "linked/through", b"harm")
        _add(tar, "null", kind=tarfile.CHRTYPE)
        _add(tar, "disk", kind=tarfile.BLKTYPE)
        _add(tar, "pipe", kind=tarfile.FIFOTYPE)
    with _created(archive) as (name, seed):
        assert sorted(one.path for one in seed.skipped) == sorted(refused)
        assert _exec(pyro, name, "find . -mindepth 1 | sort; cat fine").split() == [
            "./fine",
            "./linked",
            "fine",
        ]
    assert {path.name for path in outside.iterdir()} == {"kept"}
    assert (outside / "kept").read_text() == "kept"
    assert not (tmp_path / "up").exists()


def test_a_small_archive_that_is_tens_of_thousands_of_files(pyro: PyroProgram, tmp_path: Path) -> None:
    """A sample: `make torture` has a million."""
    archive = tmp_path / "seed.tar.gz"
    archive_of(archive, 30_000, folder=15_000)
    with _created(archive) as (name, seed):
        assert (seed.files, seed.skipped) == (30_000, ())
        counted = _exec(pyro, name, "ls 00000000 | wc -l; ls 00000001 | tail -n 1; test -f 00000001/00022222")
        assert counted.split() == ["15000", "00029999"]


@contextmanager
def _created(source: Path) -> Iterator[tuple[str, SeedReport]]:
    made = _json(_without_override("workspace", "create", "--seed-path", str(source), "--json"))
    name = str(made["workspace_id"])
    try:
        yield name, report_from(cast("dict[str, object]", made["seed"]))
    finally:
        _json(_without_override("workspace", "delete", name, "--json"))


def _without_override(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run pyro as one to whom a closed file is closed."""
    limited = [shutil.which("setpriv") or "setpriv", _NO_OVERRIDE] if os.geteuid() == 0 else []
    program = str(Path(sys.executable).with_name("pyro"))
    return subprocess.run([*limited, program, *arguments], capture_output=True, timeout=50, check=False)


def _json(done: "subprocess.CompletedProcess[bytes]") -> dict[str, object]:
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def _exec(pyro: PyroProgram, name: str, script: str) -> str:
    done = pyro("workspace", "exec", "-q", name, "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _socket(path: Path) -> None:
    """Leave a socket; its name is longer than bind() takes, the directory's descriptor makes it shorter."""
    directory = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{directory}/{path.name}")
    os.close(directory)


def _add(
    tar: tarfile.TarFile, name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, target: str = ""
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size, member.mode = kind, target, len(content), 0o644
    tar.addfile(member, io.BytesIO(content))


def _listing(directory: Path) -> set[str]:
    """Every name below a directory but what git and the machine's logs add."""
    found = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return {path for path in found if not path.startswith(("repository/.git", "logs"))}
