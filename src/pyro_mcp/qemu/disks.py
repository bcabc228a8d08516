"""Disk files: the blank ones a machine starts from, and the layers a workspace grows on top."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from pyro_mcp.errors import GuestFailed, HostUnfit, LimitReached
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.programs import search_path
from pyro_mcp.host.writing import sync_file
from pyro_mcp.qemu.installed import INSTALL_HINT
from pyro_mcp.qemu.launch import LayerFile

# A template is frozen with this much seed in its drive, so that any real seed image can stand in at a restore.
SEED_BYTES = 64 << 30
_JOURNAL_MIB = 16
_EXTERNAL_DATA = 1 << 2


class DiskStore:
    """The blank disks of this host, made once per size and never written again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def empty_seed(self) -> LayerFile:
        """Give the sparse file that stands for "no seed"."""
        return LayerFile(self._made("seed-empty-v1.raw", lambda path: _sparse(path, SEED_BYTES)))

    def blank(self, size_mib: int) -> LayerFile:
        """Give a formatted, empty ext4 disk; machines write to layers above it."""
        return LayerFile(self._made(f"ext4-{size_mib}-v1.raw", lambda path: _format(path, size_mib)))

    def new_layer(self, path: Path, size_mib: int) -> LayerFile:
        """Make an empty layer for a disk of this size. What lies below it is told to QEMU, not written into it."""
        pristine = self._made(f"layer-{size_mib}-v1.qcow2", lambda made: _empty_layer(made, size_mib))
        try:
            shutil.copyfile(pristine, path)
        except OSError as error:
            raise LimitReached(f"a disk's layer cannot be written: {path}", details=str(error)) from error
        return LayerFile(path, "qcow2")

    def is_empty(self, path: Path, size_mib: int) -> bool:
        """Tell whether a layer is as new_layer() made it."""
        pristine = self._directory / f"layer-{size_mib}-v1.qcow2"
        return pristine.exists() and filecmp.cmp(pristine, path, shallow=False)

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        path = self._directory / name
        if path.exists():
            return path
        with exclusive(self._directory / "lock", what="another pyro to format a disk"):
            if not path.exists():
                _make_whole(path, make)
        return path


def write_raw(image: Path, target: int) -> None:
    """Write a qcow2 image that stands alone into an open, empty file, sparse where it is empty."""
    with image.open("rb") as file:
        header = file.read(80)
    # Whoever wrote it had read a guest's layers: an image that would lead qemu-img to another file is not opened.
    if int.from_bytes(header[8:16]) or int.from_bytes(header[72:80]) & _EXTERNAL_DATA:
        raise GuestFailed("the image of the disk names another file, which no image of ours does")
    os.ftruncate(target, int.from_bytes(header[24:32]))
    output = f"/proc/self/fd/{target}"
    command = [
        "qemu-img",
        "convert",
        "-n",
        "--target-is-zero",
        "-f",
        "qcow2",
        "-O",
        "raw",
        str(image),
        output,
    ]
    _run(command, package="qemu-utils", inherited=(target,))


def _make_whole(path: Path, make: Callable[[Path], None]) -> None:
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    try:
        make(unfinished)
        sync_file(unfinished)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise LimitReached("a blank disk cannot be written", details=str(error)) from error
    unfinished.replace(path)


def _sparse(path: Path, size: int) -> None:
    with path.open("xb") as file:
        file.truncate(size)


def _format(path: Path, size_mib: int) -> None:
    _sparse(path, size_mib << 20)
    # The journal is what makes kill -9 harmless: without one the first kill in mid-write broke the disk. Inode
    # tables of a sparse file are zero already.
    _run(
        [
            *("mkfs.ext4", "-q", "-F", "-m", "0", "-L", "pyro", "-J", f"size={_JOURNAL_MIB}"),
            *("-E", "lazy_itable_init=1,lazy_journal_init=1", "-O", "^resize_inode", str(path)),
        ],
        package="e2fsprogs",
    )


def _empty_layer(path: Path, size_mib: int) -> None:
    _run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), f"{size_mib}M"], package="qemu-utils")


def _run(command: list[str], *, package: str, inherited: tuple[int, ...] = ()) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            pass_fds=inherited,
            env={**os.environ, "PATH": search_path()},
        )
    except FileNotFoundError as error:
        hint = INSTALL_HINT if package == "qemu-utils" else f"sudo apt-get install {package}"
        raise HostUnfit(f"{command[0]} is not installed", hint=hint) from error
    except subprocess.CalledProcessError as error:
        raise HostUnfit(f"{command[0]} failed", details=error.stderr.strip()) from error
