from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.images import write_image
from tests.unit.pyro_mcp.environments.test_cpio import read_back

from pyro_mcp.environments import debian, sandbox, squashfs
from pyro_mcp.environments.contents import read_contents
from pyro_mcp.environments.kit import build_kit, ram_disk
from pyro_mcp.environments.kit_inputs import BUSYBOX, KERNEL, KIT_DATA, RAM_DISK, ROOT
from pyro_mcp.errors import HostUnfit

CONTENTS = read_contents((KIT_DATA / "kit.toml").read_text())
LIBRARIES = "lib/x86_64-linux-gnu"


def lay_out(unpacked: Path) -> None:
    """Lay out what Debian's packages unpack to, as far as the kit looks at it."""
    kernel = unpacked / "lib/modules/6.1.0-cloud-amd64/kernel"
    for name in CONTENTS.modules:
        path = kernel / "drivers" / f"{name.replace('_', '-')}.ko"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0depends=virtio,virtio_ring\0" if name.startswith("virtio") else b"\0depends=\0")
    (kernel / "virtio.ko").write_bytes(b"\0depends=virtio_ring\0")
    (kernel / "virtio_ring.ko").write_bytes(b"\0depends=\0")
    files = [
        *CONTENTS.programs.values(),
        "boot/vmlinuz-6.1.0-cloud-amd64",
        "usr/lib/python3.11/json/__init__.py",
    ]
    files += [f"usr/{LIBRARIES}/{name}" for name in CONTENTS.libraries]
    files += ["usr/lib/python3.11/test/test_json.py", "usr/lib/python3.11/sitecustomize.py"]
    for name in files:
        (unpacked / name).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / name).write_text(name)
    (unpacked / "usr/lib/python3.11/outside.py").symlink_to("/etc/passwd")


def test_the_ram_disk_has_init_and_the_modules_in_order(tmp_path: Path) -> None:
    lay_out(tmp_path)
    members = {member.path: member for member in read_back(ram_disk(CONTENTS, tmp_path))}
    modules = [path for path in members if path.startswith("modules/")]
    assert modules == sorted(modules)
    assert modules[:4] == [
        *(
            "modules/00-virtio_ring.ko",
            "modules/01-virtio.ko",
            "modules/02-virtio_mmio.ko",
            "modules/03-virtio_blk.ko",
        ),
    ]
    assert members["init"].mode & 0o111
    assert {f"bin/{applet}" for applet in CONTENTS.applets} <= members.keys()
    assert {"proc", "sys", "dev", "kit", "agent"} <= members.keys()


def test_packages_without_a_kernel_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HostUnfit, match="no module directory"):
        ram_disk(CONTENTS, tmp_path)


def test_the_kit_is_put_together_from_what_debian_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def bootstrap(wanted: debian.Bootstrap, _scratch: Path, _step: object) -> int:
        assert wanted.variant == "extract"
        lay_out(wanted.target)
        return 7

    def pack(tree: Path, image: Path, *, epoch: int, own_all: bool) -> None:
        inside = {str(path.relative_to(tree)) for path in tree.rglob("*")}
        assert {
            "usr/bin/python3",
            "bin/busybox",
            "bin/sh",
            "agent",
            "run",
            f"{LIBRARIES}/libc.so.6",
        } <= inside
        assert "usr/lib/python3.11/json/__init__.py" in inside
        assert not {"usr/lib/python3.11/test", "usr/lib/python3.11/sitecustomize.py"} & inside
        # a link out stays a link: followed here, it would bring in a file of the host's
        assert (tree / "usr/lib/python3.11/outside.py").is_symlink()
        assert own_all
        write_image(image)

    monkeypatch.setattr(debian, "bootstrap", bootstrap)
    monkeypatch.setattr(squashfs, "pack_tree", pack)
    monkeypatch.setattr(sandbox, "run", lambda argv, *, scratch: ran.append(argv))
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    out.mkdir()
    build_kit(work, out)
    assert {path.name for path in out.iterdir()} == {KERNEL, RAM_DISK, ROOT, BUSYBOX}
    assert [
        "compileall" in " ".join(argv) or "import" in " ".join(argv) or "nft" in argv[2] for argv in ran
    ] == [True] * 3
