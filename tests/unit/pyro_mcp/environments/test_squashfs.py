import struct
from pathlib import Path

import pytest

from pyro_mcp.environments import sandbox, squashfs


def superblock(bytes_used: int) -> bytes:
    return b"hsqs".ljust(40, b"\0") + struct.pack("<Q", bytes_used) + bytes(48)


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (superblock(4096) + bytes(4000), True),
        (superblock(4096) + bytes(3999), False),
        (superblock(4096)[:90], False),
        (b"", False),
        (b"\0" * 8192, False),
    ],
)
def test_a_short_image_is_told_from_a_whole_one(tmp_path: Path, content: bytes, whole: bool) -> None:
    image = tmp_path / "image"
    image.write_bytes(content)
    assert squashfs.is_whole(image) is whole


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    seen: list[tuple[list[str], dict[str, str]]] = []

    def run(argv: list[str], *, scratch: Path, settings: dict[str, str], feed: object = None) -> None:
        seen.append((argv, settings))

    monkeypatch.setattr(sandbox, "run", run)
    return seen


def test_a_tree_is_packed_without_compression_and_without_todays_date(
    commands: list[tuple[list[str], dict[str, str]]],
) -> None:
    squashfs.pack_tree(Path("/t"), Path("/i"), epoch=7, own_all=True, without=["dev/*", "tmp/*"])
    [(argv, settings)] = commands
    assert argv[:4] == ["mksquashfs", "/t", "/i", "-noappend"]
    assert {"-noI", "-noD", "-noF", "-noX", "-all-root"} <= set(argv)
    assert argv[-4:] == ["-wildcards", "-e", "dev/*", "tmp/*"]
    assert settings == {"SOURCE_DATE_EPOCH": "7"}


def test_an_archive_is_packed_under_a_root_that_only_root_writes(
    commands: list[tuple[list[str], dict[str, str]]],
) -> None:
    squashfs.pack_tar(Path("/a b.tar"), Path("/i"), epoch=0)
    [(argv, _settings)] = commands
    assert argv[4] == "/a b.tar"
    assert argv[-3:] == ["-root-mode", "0755", "/i"]


def test_a_stream_is_packed_under_the_root_that_it_had(
    commands: list[tuple[list[str], dict[str, str]]],
) -> None:
    squashfs.pack_stream(lambda _pipe: None, Path("/i"), epoch=9, root_mode=0o711)
    [(argv, settings)] = commands
    assert (argv[0], argv[-3:]) == ("sqfstar", ["-root-mode", "0711", "/i"])
    assert settings == {"SOURCE_DATE_EPOCH": "9"}
