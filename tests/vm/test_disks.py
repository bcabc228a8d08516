"""The disk of a stopped workspace, and the difference between any two of its states, on real machines."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from tests.ladder import PyroProgram
from tests.opened import git
from tests.remains import keeper_of

from pyro_mcp import Conflict, InvalidRequest, PolicyDenied, Pyro, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.errors import NotFound
from pyro_mcp.host.programs import search_path
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.registry import layers

_TOKEN = "the-token-of-the-test"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A host's repository."""
    found = tmp_path / "seed"
    (found / "src").mkdir(parents=True)
    (found / "src/kept.py").write_text("kept\n")
    (found / "src/first.py").write_text("".join(f"line {number}\n" for number in range(20)))
    (found / ".gitignore").write_text("*.log\n")
    (found / "gone.txt").write_text("gone later\n")
    git(found, "init", "-q", "-b", "main")
    git(found, "add", "-A")
    git(found, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "one")
    return found


@pytest.fixture
def workspace(environment: Environment, seed: Path) -> Iterator[Workspace]:
    """A workspace of it."""
    with Pyro().workspace.create(seed_path=seed, secrets={"TOKEN": _TOKEN}) as made:
        yield made


def test_any_two_states_are_compared(workspace: Workspace, seed: Path, tmp_path: Path) -> None:
    workspace.exec(
        "sed -i 's/^line 3$/line three/' src/first.py; echo new > new.txt; rm gone.txt; echo x > build.log"
    )
    workspace.snapshot.create("one")
    workspace.exec(
        "sed -i 's/^line 15$/line fifteen/' src/first.py; mv new.txt src/renamed.txt; echo gone later > gone.txt"
    )
    workspace.exec("chmod +x src/kept.py; ln -s kept.py src/link; head -c 9000 /dev/urandom > blob")
    workspace.snapshot.create("two")
    workspace.exec("rm -r src; echo later > later.txt")

    began = monotonic()
    between = workspace.diff(from_snapshot="one", to_snapshot="two")
    print(f"one..two: {monotonic() - began:.2f} s")
    changed = {(file.path, file.status) for file in between.files}
    assert changed == {
        *(
            ("src/first.py", "modified"),
            ("src/renamed.txt", "renamed"),
            ("src/link", "added"),
            ("blob", "added"),
        ),
        *(("src/kept.py", "modified"), ("gone.txt", "added")),
    }
    assert between.patch is not None
    assert "line three" not in "".join(line for line in between.patch.splitlines() if line[:1] in "+-")

    # What stands in between leads from one to the other, for git too.
    to_one = workspace.diff(to_snapshot="one").patch
    assert to_one is not None
    for patch in (to_one, between.patch):
        git(seed, "apply", "-", stdin=patch.encode())
    straight = workspace.diff(from_snapshot="baseline", to_snapshot="two").patch
    git(seed, "add", "-A")
    assert straight is not None
    back = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(seed), str(back))
    git(back, "apply", "--index", "-", stdin=straight.encode())
    assert git(seed, "write-tree") == git(back, "write-tree")

    reverse = workspace.diff(from_snapshot="two", to_snapshot="one")
    assert len(reverse.files) == len(between.files)
    now = workspace.diff(from_snapshot="two", paths=["src", "later.txt"], format="name-status").name_status
    assert now is not None
    assert "D\tsrc/first.py" in now
    assert "A\tlater.txt" in now
    assert "blob" not in now
    assert workspace.diff(from_snapshot="two", to_snapshot="two").files == ()
    with pytest.raises(NotFound, match="no snapshot 'three'"):
        workspace.diff(from_snapshot="three")

    # Neither state needs the workspace itself.
    workspace.stop()
    assert len(workspace.diff(from_snapshot="one", to_snapshot="two").files) == 6
    assert workspace.status().state == "stopped"


def test_a_stopped_workspace_is_looked_into(
    workspace: Workspace, home: Path, pyro: PyroProgram, tmp_path: Path
) -> None:
    workspace.exec(
        "echo changed > src/kept.py; echo root > /root/mine; ln -s /etc/passwd link; mkfifo pipe; cp /bin/true bin"
    )
    for attempt in (
        lambda: workspace.disk.list(),
        lambda: workspace.disk.read("src/kept.py"),
        lambda: workspace.disk.export(output_path=tmp_path / "never.tar"),
    ):
        with pytest.raises(Conflict, match="is running") as refused:
            attempt()
        assert "workspace_stop" in (refused.value.hint or "")
    workspace.stop()
    names = {found.path for found in workspace.disk.list(depth=2).entries}
    assert {"src", "src/kept.py", "src/first.py", "link", "bin"} <= names
    assert {found.path for found in workspace.disk.list("/root").entries} >= {"mine"}
    assert workspace.disk.read("src/kept.py").content == "changed\n"
    assert workspace.disk.read("/etc/debian_version").content.startswith("12.")
    assert workspace.disk.read("bin", max_bytes=100).encoding == "base64"
    with pytest.raises(NotFound):
        workspace.disk.read("no-such-file")
    with pytest.raises(InvalidRequest):
        workspace.disk.read("src")
    assert workspace.status().state == "stopped"
    with Engine().sessions.registry.reading() as reading:
        top = Engine().sessions.record(workspace.info.workspace_id).top_layer
        assert top is not None
        assert (
            len(layers.chain(reading, top)) == 3
        )  # base, what it wrote, and one for what it will write: not one per look

    for kind in ("qcow2", "raw"):
        image = tmp_path / f"disk.{kind}"
        workspace.disk.export(output_path=image, format=kind)
        raw = tmp_path / f"{kind}.raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)  # ours, so the host may
        debugfs = (
            shutil.which("debugfs", path=search_path()) or "debugfs"
        )  # where a user's own path ends short of
        found = subprocess.run(
            [debugfs, "-R", "cat /workspace/upper/src/kept.py", raw], capture_output=True, check=True
        )
        assert found.stdout == b"changed\n"
        assert image.stat().st_blocks * 512 < 100 << 20
        raw.unlink()
    # Killed in the middle, a look leaves no machine, and a workspace that is as it was.
    with pyro.start(
        "workspace", "disk", "export", workspace.info.workspace_id, "--output", str(tmp_path / "half.tar")
    ) as process:
        wait_until(lambda: keeper_of(home), what="the machine that looks", timeout=20)
        process.kill()
    wait_until(lambda: keeper_of(home) is None, what="the machine to end with pyro", timeout=20)
    assert workspace.disk.read("/root/mine").content == "root\n"
    assert not (tmp_path / "half.tar").exists()
    # It goes on as it was.
    assert workspace.exec("cat src/kept.py /root/mine").stdout == "changed\nroot\n"


@pytest.mark.timeout(150)
def test_all_files_go_into_an_archive(cold_home: Path, seed: Path, tmp_path: Path) -> None:
    with Pyro().workspace.create("tiny", seed_path=seed, secrets={"TOKEN": _TOKEN}) as workspace:
        workspace.exec(
            "echo changed > src/kept.py; ln -s /etc/passwd link; busybox mkfifo pipe; busybox rm gone.txt"
        )
        workspace.stop()
        made = workspace.disk.export(output_path=tmp_path / "all.tar")
        with tarfile.open(tmp_path / "all.tar") as archive:
            content = archive.extractfile("workspace/src/kept.py")
            assert content is not None
            assert content.read() == b"changed\n"
            assert archive.getmember("workspace/link").linkname == "/etc/passwd"
            assert archive.getmember("bin/busybox").mode & 0o111
            assert archive.getmember("bin/sh").linkname == "busybox"
            assert archive.getmember("proc").isdir()
            assert not {"workspace/pipe", "workspace/gone.txt"} & set(archive.getnames())
            assert made.files == len(archive.getnames())
        assert made.left_out == 1
        with pytest.raises(Conflict, match="there already"):
            workspace.disk.export(output_path=tmp_path / "all.tar")
        workspace.exec("echo $TOKEN > conf", secret_env={"TOKEN": "TOKEN"})
        workspace.stop()
        with pytest.raises(PolicyDenied) as refused:
            workspace.disk.export(output_path=tmp_path / "never.tar")
        assert refused.value.details == "workspace/conf: TOKEN"
        assert not (tmp_path / "never.tar").exists()


def test_a_disk_gives_no_secret_out(workspace: Workspace, tmp_path: Path) -> None:
    workspace.exec("echo a = $TOKEN > conf; (printf 'bin\\0'; cat conf) > raw", secret_env={"TOKEN": "TOKEN"})
    workspace.stop()
    assert workspace.disk.read("conf").content == "a = [redacted:TOKEN]\n"
    with pytest.raises(PolicyDenied) as refused:
        workspace.disk.read("raw")
    assert refused.value.details == "raw: TOKEN"
    assert workspace.status().secrets == ("TOKEN",)
