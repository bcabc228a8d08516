"""Mounts are planned as data; paths inside a workspace cannot lead out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyro_agent.base.system import MS_BIND, MS_NOATIME, MS_PRIVATE, MS_RDONLY
from pyro_agent.disk import mounts


def test_a_disk_is_ext4_and_a_seed_read_only() -> None:
    disk, private, seed = mounts.plan_disk(disk=True, seed=True)
    assert (disk.source, disk.kind, disk.flags) == ("/dev/vdd", "ext4", MS_NOATIME)
    assert (private.target, private.flags) == (mounts.DISK, MS_PRIVATE)
    assert (seed.source, seed.kind, seed.flags) == ("/dev/vdc", "squashfs", MS_RDONLY)


def test_without_a_disk_memory_stands_in() -> None:
    disk, _ = mounts.plan_disk(disk=False, seed=False)
    assert (disk.kind, disk.target) == ("tmpfs", mounts.DISK)


@pytest.mark.parametrize("seed", [True, False])
def test_the_root_is_made_first_and_everything_else_inside_it(seed: bool) -> None:
    root, *rest = mounts.plan_root(seed=seed)
    assert root.kind == "overlay"
    assert "lowerdir=/run/env,upperdir=/run/disk/root/upper" in root.options
    assert all(mount.inside for mount in rest)
    assert {mount.target for mount in rest} == {"dev", "sys", "run", "workspace"}


def test_a_seeded_workspace_is_an_overlay_that_can_rename_folders() -> None:
    workspace = mounts.plan_root(seed=True)[-1]
    assert workspace.kind == "overlay"
    assert "lowerdir=/run/seed" in workspace.options
    assert "redirect_dir=on" in workspace.options


def test_an_unseeded_workspace_is_a_folder_of_the_disk() -> None:
    workspace = mounts.plan_root(seed=False)[-1]
    assert (workspace.source, workspace.flags) == ("/run/disk/workspace/upper", MS_BIND)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_missing_folders_are_made(root: int, tmp_path: Path) -> None:
    os.close(mounts.open_folder(root, "a/b"))
    os.close(mounts.open_folder(root, "tmp", mode=0o1777))
    assert (tmp_path / "a/b").is_dir()
    assert (tmp_path / "tmp").stat().st_mode & 0o7777 == 0o1777


def test_links_lead_nowhere_outside(root: int, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "etc").symlink_to("/inside")
    mounts.write_text(root, "etc/hostname", "ws\n")
    assert (tmp_path / "inside/hostname").read_text() == "ws\n"
    (tmp_path / "up").symlink_to("../../../..")
    mounts.write_text(root, "up/file", "x")
    assert (tmp_path / "file").read_text() == "x"


def test_a_file_that_is_a_link_is_replaced_and_not_followed(root: int, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").symlink_to(victim)
    assert mounts.read_text(root, "etc/hostname") is None
    mounts.write_text(root, "etc/hostname", "ws\n")
    assert victim.read_text() == "precious"
    assert (tmp_path / "etc/hostname").read_text() == "ws\n"


def test_a_file_that_is_the_same_is_left_alone(root: int, tmp_path: Path) -> None:
    mounts.write_text(root, "etc/hosts", "x\n")
    before = (tmp_path / "etc/hosts").stat()
    mounts.write_text(root, "etc/hosts", "x\n")
    assert (tmp_path / "etc/hosts").stat().st_ino == before.st_ino
    mounts.write_text(root, "etc/hosts", "xy\n")
    assert mounts.read_text(root, "etc/hosts") == "xy\n"
    assert [path.name for path in (tmp_path / "etc").iterdir()] == ["hosts"]


def test_a_fifo_in_a_files_place_blocks_nobody(root: int, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc/hosts")
    assert mounts.read_text(root, "etc/hosts") is None
    mounts.write_text(root, "etc/hosts", "x\n")
    assert (tmp_path / "etc/hosts").read_text() == "x\n"
