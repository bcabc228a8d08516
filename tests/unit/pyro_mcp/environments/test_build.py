import io
import tarfile
from pathlib import Path

import pytest

from pyro_mcp.environments import debian, squashfs
from pyro_mcp.environments.build import build_image, files_archive, hooks
from pyro_mcp.environments.debian import Bootstrap
from pyro_mcp.environments.recipe import Plan, RecipeFile
from pyro_mcp.environments.values import EnvironmentDefaults

TOOL = RecipeFile("/opt/tool", source="tool")
FILES = (
    RecipeFile("/bin/sh", link="busybox"),
    RecipeFile("/etc/motd", content="hello"),
    RecipeFile("/secret", 0o700, directory=True),
    TOOL,
)


def plan(*files: RecipeFile, suite: str | None = None, scripts: tuple[str, ...] = ()) -> Plan:
    pairs = tuple(("r.toml", entry) for entry in files)
    return Plan("mine", suite, ("git",) if suite else (), pairs, scripts, EnvironmentDefaults(), ("r.toml",))


def unpacked(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive}


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    path = tmp_path / "tool"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_files_links_and_directories_arrive_as_roots_without_times(tool: Path) -> None:
    members = unpacked(files_archive(plan(*FILES), {TOOL: tool}))
    assert members["bin/sh"].linkname == "busybox"
    assert members["secret"].isdir()
    modes = {name: oct(members[name].mode) for name in ("secret", "etc/motd", "opt/tool", "tmp", "etc")}
    assert modes == {
        "secret": "0o700",
        "etc/motd": "0o644",
        "opt/tool": "0o755",
        "tmp": "0o1777",
        "etc": "0o755",
    }
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}


def test_an_environment_of_files_alone_gets_what_the_guest_mounts_over() -> None:
    assert {"dev", "proc", "sys", "run", "tmp"} <= unpacked(files_archive(plan(), {})).keys()
    assert "dev" not in unpacked(files_archive(plan(suite="bookworm"), {}))


def test_directories_come_before_what_is_in_them(tool: Path) -> None:
    names = list(unpacked(files_archive(plan(*FILES, suite="bookworm"), {TOOL: tool})))
    assert names.index("opt") < names.index("opt/tool")


def test_a_later_file_replaces_an_earlier_one() -> None:
    twice = plan(RecipeFile("/a", content="1"), RecipeFile("/a", content="22"))
    assert unpacked(files_archive(twice, {}))["a"].size == 2


def test_hooks_restore_the_public_archive_then_files_then_scripts(tmp_path: Path) -> None:
    wanted = plan(FILES[1], suite="bookworm", scripts=("echo 1", "echo 2"))
    lines = hooks(wanted, tmp_path, tmp_path / "files.tar")
    assert [line.split()[0] for line in lines] == ["cp", "chroot", "chroot", "chroot"]
    assert "http://deb.debian.org/debian bookworm main" in (tmp_path / "sources.list").read_text()
    assert (tmp_path / "pyro-script-1").read_text() == "echo 2"


def test_a_debian_root_is_made_then_packed_without_what_is_never_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def bootstrap(wanted: Bootstrap, scratch: Path, _step: object) -> int:
        seen.append((wanted.suite, wanted.variant, wanted.packages, wanted.target, scratch))
        for name in ("dev", "proc", "sys", "run", "tmp"):
            (wanted.target / name).mkdir(parents=True)
        return 7

    def pack(tree: Path, image: Path, *, epoch: int, without: tuple[str, ...]) -> None:
        seen.append((tree, image, epoch, {"dev/*", "tmp/*", "etc/resolv.conf"} <= set(without)))
        assert (tree / "dev").stat().st_mtime == epoch

    monkeypatch.setattr(debian, "bootstrap", bootstrap)
    monkeypatch.setattr(squashfs, "pack_tree", pack)
    build_image(plan(suite="bookworm"), {}, tmp_path, tmp_path / "image")
    root = tmp_path / "root"
    assert seen == [("bookworm", "minbase", ("git",), root, tmp_path), (root, tmp_path / "image", 7, True)]


def test_an_environment_on_nothing_needs_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Path, Path, int]] = []
    monkeypatch.setattr(squashfs, "pack_tar", lambda tar, image, *, epoch: seen.append((tar, image, epoch)))
    build_image(plan(FILES[1]), {}, tmp_path, tmp_path / "image")
    assert seen == [(tmp_path / "files.tar", tmp_path / "image", 0)]
