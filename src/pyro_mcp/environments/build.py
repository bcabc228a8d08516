"""Build the image of one environment from its plan, inside a staging directory."""

from __future__ import annotations

import io
import os
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path

from pyro_mcp.environments import debian, squashfs
from pyro_mcp.environments.recipe import Plan, RecipeFile
from pyro_mcp.progress import step

# What the guest mounts over, and what an environment made of files alone gets without asking.
_MOUNT_POINTS = ("dev", "proc", "sys", "run", "tmp")
# Left by a running system or by the build itself: never part of an image, and different in every build.
_LEFT_OUT = (
    *(f"{name}/*" for name in _MOUNT_POINTS),
    "var/log/*.log",
    "var/log/apt/*",
    "var/cache/apt/*.bin",
    "var/cache/ldconfig/*",
    "var/cache/debconf/*-old",
    "var/lib/dpkg/*-old",
    "etc/*-",
    "etc/hostname",
    "etc/resolv.conf",
    "root/.cache",
    "root/.npm",
)


def build_image(plan: Plan, host_files: Mapping[RecipeFile, Path], work: Path, image: Path) -> None:
    """Make `image`. `host_files` says where each file with a `source` is; `work` is room to make a mess in."""
    extra = work / "files.tar"
    extra.write_bytes(files_archive(plan, host_files))
    with step(f"building {plan.name}", unit="packages") as building:
        if plan.suite is None:
            squashfs.pack_tar(extra, image, epoch=0)
            return
        root = work / "root"
        wanted = debian.Bootstrap(plan.suite, "minbase", plan.packages, root, hooks(plan, work, extra))
        epoch = debian.bootstrap(wanted, work, building)
        for name in _MOUNT_POINTS:  # emptied just now: the one trace of the build's own time
            os.utime(root / name, (epoch, epoch), follow_symlinks=False)
        building.note("packing the image")
        squashfs.pack_tree(root, image, epoch=epoch, without=_LEFT_OUT)


def hooks(plan: Plan, work: Path, extra: Path) -> list[str]:
    """Write down what happens in the new root once its packages are there: its sources.list, the recipe's files, its scripts."""
    assert plan.suite is not None
    public = work / "sources.list"
    public.write_text("\n".join(debian.sources(plan.suite)) + "\n")
    # Whatever mirror the build used, the root names Debian's own.
    lines = [f'cp {_quoted(public)} "$1"/etc/apt/sources.list']
    if plan.files:
        # Unpacked by the root's own tar, chrooted: its absolute links lead nowhere else.
        lines.append(
            f'chroot "$1" tar --extract --keep-directory-symlink --no-overwrite-dir < {_quoted(extra)}'
        )
    for number, script in enumerate(plan.scripts):
        path = work / f"pyro-script-{number}"
        path.write_text(script)
        lines.append(
            f'chroot "$1" sh -eu < {_quoted(path)} || {{ echo pyro-script-{number} failed >&2; exit 1; }}'
        )
    return lines


def files_archive(plan: Plan, host_files: Mapping[RecipeFile, Path]) -> bytes:
    """Pack the recipe's files as a tar archive: root's, without times, parents first. A later file replaces an earlier one."""
    buffer = io.BytesIO()
    wanted = {entry.path: entry for _, entry in plan.files}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in _parents(wanted, whole_root=plan.suite is None):
            _add_directory(archive, path, 0o1777 if path == "/tmp" else 0o755)  # noqa: S108 - the guest's
        for path, entry in sorted(wanted.items()):
            if entry.directory:
                _add_directory(archive, path, 0o755 if entry.mode is None else entry.mode)
            else:
                _add_file(archive, entry, host_files)
    return buffer.getvalue()


def _parents(wanted: Mapping[str, RecipeFile], *, whole_root: bool) -> list[str]:
    """The directories that nobody wrote down; in a Debian root they are mostly there already, and tar leaves those alone."""
    needed = {f"/{name}" for name in _MOUNT_POINTS} if whole_root else set()
    needed |= {str(parent) for path in wanted for parent in Path(path).parents if str(parent) != "/"}
    return sorted(needed - wanted.keys())


def _add_directory(archive: tarfile.TarFile, path: str, mode: int) -> None:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.type, member.mode = tarfile.DIRTYPE, mode
    archive.addfile(member)


def _add_file(archive: tarfile.TarFile, entry: RecipeFile, host_files: Mapping[RecipeFile, Path]) -> None:
    member = tarfile.TarInfo(entry.path.lstrip("/"))
    member.mode = 0o644 if entry.mode is None else entry.mode
    data = (entry.content or "").encode()
    if entry.link is not None:
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.link, 0o777
    elif entry.source is not None:
        path = host_files[entry]
        data = path.read_bytes()
        member.mode = path.stat().st_mode & 0o777 if entry.mode is None else entry.mode
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
