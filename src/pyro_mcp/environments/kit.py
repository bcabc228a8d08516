"""Build the guest kit: Debian's cloud kernel, an initial RAM disk, and the root in which the agent lives.

The agent itself is not in it: kit_inputs.agent_archive() packs its sources, and they are appended to the RAM disk, so that
an edit of the agent rebuilds no kit.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pyro_mcp.environments import cpio, debian, sandbox, squashfs
from pyro_mcp.environments.contents import Contents, dependencies, load_order, module_name, read_contents
from pyro_mcp.environments.kit_inputs import BUSYBOX, KERNEL, KIT_DATA, RAM_DISK, ROOT
from pyro_mcp.errors import HostUnfit
from pyro_mcp.progress import step

_SUITE = "bookworm"


def build_kit(work: Path, out: Path) -> None:
    """Put kernel, RAM disk, root and busybox into `out`; `work` is room to make a mess in."""
    contents = read_contents((KIT_DATA / "kit.toml").read_text())
    unpacked, root = work / "unpacked", work / "root"
    with step("building the guest kit", unit="packages") as building:
        wanted = debian.Bootstrap(_SUITE, "extract", contents.packages, unpacked)
        epoch = debian.bootstrap(wanted, work, building)
        building.note("packing")
        shutil.copyfile(_only(unpacked.glob("boot/vmlinuz-*"), "kernel"), out / KERNEL)
        shutil.copyfile(unpacked / contents.programs["bin/busybox"], out / BUSYBOX)
        (out / RAM_DISK).write_bytes(ram_disk(contents, unpacked))
        _lay_out_root(contents, unpacked, root)
        _compile_and_try(contents, root, work)
        squashfs.pack_tree(root, out / ROOT, epoch=epoch, own_all=True)


def ram_disk(contents: Contents, unpacked: Path) -> bytes:
    """Pack init, busybox and the kernel modules; uncompressed, for unpacking costs more under emulation than reading."""
    library = _only((unpacked / "lib/modules").glob("*/kernel"), "module directory")
    modules = {module_name(path.name): path.read_bytes() for path in library.rglob("*.ko")}
    needs = {name: [need for need in dependencies(data) if need in modules] for name, data in modules.items()}
    members = [cpio.directory(name) for name in ("agent", "bin", "dev", "kit", "modules", "proc", "sys")]
    members.append(
        cpio.file("bin/busybox", (unpacked / contents.programs["bin/busybox"]).read_bytes(), 0o755)
    )
    members += [cpio.link(f"bin/{applet}", "busybox") for applet in contents.applets]
    members.append(cpio.file("init", (KIT_DATA / "init").read_bytes(), 0o755))
    for number, name in enumerate(load_order(contents.modules, needs)):
        members.append(cpio.file(f"modules/{number:02}-{name}.ko", modules[name]))
    return cpio.archive(members)


def _lay_out_root(contents: Contents, unpacked: Path, root: Path) -> None:
    for name in contents.directories:
        (root / name).mkdir(parents=True)
    for target, source in contents.programs.items():
        _copy(unpacked / source, root / target)
    libraries = "lib/x86_64-linux-gnu"
    for name in contents.libraries:
        places = (unpacked / libraries / name, unpacked / "usr" / libraries / name)
        _copy(_only((place for place in places if place.exists()), name), root / libraries / name)
    for path, target in contents.links.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    left_out = shutil.ignore_patterns(*contents.python_left_out)
    library = contents.python_library
    # Links stay links: followed here, an absolute one would fetch a file of this host.
    shutil.copytree(unpacked / library, root / library, symlinks=True, ignore=left_out)


def _compile_and_try(contents: Contents, root: Path, work: Path) -> None:
    """Compile the library by the guest's own Python: importing source costs a guest seconds. Then see that all of it works."""
    python = ["chroot", str(root), "/usr/bin/python3", "-I", "-S"]
    compiling = [
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        f"/{contents.python_library}",
    ]
    sandbox.run([*python, *compiling], scratch=work)
    sandbox.run(
        [*python, "-B", "-c", f"import {', '.join(contents.python_tried)}; hashlib.sha256()"], scratch=work
    )
    sandbox.run(["chroot", str(root), "/usr/sbin/nft", "--version"], scratch=work)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source.resolve(), target)


def _only(found: Iterator[Path], what: str) -> Path:
    path = next(found, None)
    if path is None:
        raise HostUnfit(
            f"Debian's packages for the guest kit have no {what}", hint="Try again; if it stays, report it."
        )
    return path
