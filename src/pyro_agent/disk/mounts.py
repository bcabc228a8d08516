"""What is mounted where when a disk is attached: planned as data, then carried out with mount(2).

Inside the workspace's root every path is resolved as if that root were `/`: what an earlier session left there
(a `/dev` that is a link, say) can mislead nobody outside it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass

from pyro_agent.base import system
from pyro_wire.faults import FaultError

ENVIRONMENT = "/run/env"
DISK = "/run/disk"
SEED = "/run/seed"
ROOT = "/run/root"
DEVICES = "/run/devices"
SYSFS = "/run/sysfs"

ENVIRONMENT_DRIVE = "/dev/vdb"
SEED_DRIVE = "/dev/vdc"
WORKSPACE_DRIVE = "/dev/vdd"

# On the workspace's disk. Each `upper` is what a diff walks; `pyro` is for the host's journals, out of every diff.
_ROOT_UPPER, _ROOT_WORK = f"{DISK}/root/upper", f"{DISK}/root/work"
WORKSPACE_UPPER, _WORKSPACE_WORK = f"{DISK}/workspace/upper", f"{DISK}/workspace/work"
_FOLDERS = (_ROOT_UPPER, _ROOT_WORK, WORKSPACE_UPPER, _WORKSPACE_WORK, f"{DISK}/pyro")


@dataclass(frozen=True, slots=True)
class Mount:
    """One call of mount(2); `inside` targets are paths within the workspace's root."""

    part: str
    source: str
    target: str
    kind: str | None = None
    flags: int = 0
    options: str = ""
    inside: bool = False


_SEED_MOUNT = Mount("seed", SEED_DRIVE, SEED, "squashfs", system.MS_RDONLY)


def plan_disk(*, disk: bool, seed: bool) -> list[Mount]:
    """Say how the disk and the seed are mounted in the agent's own root."""
    mounts = [
        # The kernel need not initialise inode tables: the host's mkfs or nobody does.
        Mount("disk", WORKSPACE_DRIVE, DISK, "ext4", system.MS_NOATIME, "noinit_itable")
        if disk
        else Mount("disk", "workspace", DISK, "tmpfs", 0, "mode=0700")
    ]
    # Else a seed that covers an empty /workspace, which is the upper directory bound there, would cover that, too.
    mounts.append(Mount("disk", "none", DISK, None, system.MS_PRIVATE))
    if seed:
        mounts.append(_SEED_MOUNT)
    return mounts


def plan_root(*, seed: bool) -> list[Mount]:
    """Say how the workspace's root is put together once the disk is there.

    /tmp is a plain directory of the root overlay, hence on the disk: it survives a stop, and it is not the
    machine's memory that a large temporary file fills. /proc is mounted by each exec for its own namespace.
    """
    return [
        Mount("root", "root", ROOT, "overlay", 0, _overlay(ENVIRONMENT, _ROOT_UPPER, _ROOT_WORK)),
        Mount("devices", DEVICES, "dev", None, system.MS_BIND | system.MS_REC, inside=True),
        Mount("devices", SYSFS, "sys", None, system.MS_BIND | system.MS_REC, inside=True),
        Mount("devices", "run", "run", "tmpfs", system.MS_NOSUID | system.MS_NODEV, "mode=0755", inside=True),
        _plan_seeded()
        if seed
        else Mount("workspace", WORKSPACE_UPPER, "workspace", None, system.MS_BIND, inside=True),
    ]


def _plan_seeded() -> Mount:
    lower = _overlay(SEED, WORKSPACE_UPPER, _WORKSPACE_WORK)
    return Mount("workspace", "workspace", "workspace", "overlay", 0, lower, inside=True)


def cover_workspace(root: int) -> None:
    """Give a machine that was frozen with an empty workspace its seed."""
    carry_out(_SEED_MOUNT)
    carry_out(_plan_seeded(), root)


def _overlay(lower: str, upper: str, work: str) -> str:
    # redirect_dir: without it, renaming a directory of the lower layer gives EXDEV.
    return f"lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=on"


def make_folders() -> None:
    """Make the disk's own folders where a new disk lacks them; where the last of them is, all are."""
    if not os.path.isdir(_FOLDERS[-1]):
        for folder in _FOLDERS:
            os.makedirs(folder, exist_ok=True)


def fill_devices() -> None:
    """Mount what /dev holds beside its files: terminals and shared memory."""
    terminals = "newinstance,ptmxmode=0666,mode=0620,gid=5"
    for kind, folder, flag, options in (
        ("devpts", f"{DEVICES}/pts", system.MS_NOEXEC, terminals),
        ("tmpfs", f"{DEVICES}/shm", system.MS_NODEV, "mode=1777"),
    ):
        if not os.path.ismount(folder):
            system.mount(kind, folder, kind, system.MS_NOSUID | flag, options)


def take_down() -> None:
    """Unmount root and disk again.

    With the root goes everything in it, and what is mounted in its /dev goes from ours, too: the two are one to the kernel.
    """
    system.unmount(ROOT, system.MNT_DETACH)
    system.unmount(DISK)
    fill_devices()


def carry_out(mount: Mount, root: int | None = None) -> None:
    """Do one mount; `root` is a descriptor of the workspace's root for the mounts inside."""
    try:
        if not mount.inside:
            os.makedirs(mount.target, exist_ok=True)
            system.mount(mount.source, mount.target, mount.kind, mount.flags, mount.options)
            return
        assert root is not None
        target = open_folder(root, mount.target)
        try:
            system.mount(mount.source, f"/proc/self/fd/{target}", mount.kind, mount.flags, mount.options)
        finally:
            os.close(target)
    except OSError as error:
        raise FaultError("guest_failed", f"cannot mount the {mount.part}: {error}") from error


def open_folder(root: int, path: str, mode: int = 0o755) -> int:
    """Open a directory inside the workspace's root, making its last part where it is missing."""
    flags = os.O_PATH | os.O_DIRECTORY
    with suppress(FileNotFoundError):
        return system.open_in_root(root, path, flags)
    parent, _, name = path.strip("/").rpartition("/")
    parent_folder = open_folder(root, parent) if parent else os.dup(root)
    try:
        os.mkdir(name, dir_fd=parent_folder)
        os.chmod(f"/proc/self/fd/{parent_folder}/{name}", mode)  # mkdir's mode is subject to the umask
    finally:
        os.close(parent_folder)
    return system.open_in_root(root, path, flags)


def write_text(root: int, path: str, content: str) -> None:
    """Put a small file into the workspace's root; leave one that is the same alone.

    One that is there is written in place: the new names of a restored machine would otherwise cost 20 ms of directory work
    each, and a file cut short by a kill is written again at the next start.
    """
    folder_path, _, name = path.rpartition("/")
    folder = open_folder(root, folder_path)
    data = content.encode("utf-8", "surrogateescape")
    try:
        present = _read_small(folder, name, len(data) + 1)
        if present == data or (present is not None and _write_in_place(folder, name, data)):
            return
        temporary = f".{name}.pyro"
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644, dir_fd=folder)
        try:
            os.write(file, data)
        finally:
            os.close(file)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _write_in_place(folder: int, name: str, data: bytes) -> bool:
    """Write over a file of one name; False where it has more (or is none), and others would see it change."""
    try:
        file = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return False
    try:
        if os.fstat(file).st_nlink != 1:
            return False
        os.pwrite(file, data, 0)
        os.ftruncate(file, len(data))  # not to nothing first: ext4 would then write it out at once
    finally:
        os.close(file)
    return True


def read_text(root: int, path: str, limit: int = 64 * 1024) -> str | None:
    """Read a small file of the workspace's root; None where there is no such plain file."""
    folder_path, _, name = path.rpartition("/")
    folder = open_folder(root, folder_path)
    try:
        data = _read_small(folder, name, limit)
    finally:
        os.close(folder)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _read_small(folder: int, name: str, limit: int) -> bytes | None:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    try:
        return os.read(file, limit) if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)
