"""Memory that machines share and none can write."""

import mmap
import os
from pathlib import Path

import pytest

from pyro_mcp.errors import LimitReached
from pyro_mcp.qemu.memory import empty_memory, noted, save_memory, shared_memory

PAGE = 4096
SIZE = 16 * PAGE


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A saved memory: one page of ones, one of twos, the rest empty."""
    memory = empty_memory("test", SIZE)
    os.pwrite(memory, b"\1" * PAGE, PAGE)
    os.pwrite(memory, b"\0" * PAGE, 4 * PAGE)
    os.pwrite(memory, b"\2" * PAGE, 8 * PAGE)
    path = tmp_path / "memory"
    save_memory(memory, path)
    os.close(memory)
    return path


def test_a_saved_memory_has_holes_where_there_are_zeroes(image: Path) -> None:
    assert image.stat().st_size == SIZE
    assert image.stat().st_blocks * 512 == 2 * PAGE
    content = image.read_bytes()
    assert content[PAGE : 2 * PAGE] == b"\1" * PAGE
    assert content[8 * PAGE : 9 * PAGE] == b"\2" * PAGE
    assert content.count(0) == SIZE - 2 * PAGE


def test_nobody_can_write_a_shared_memory(image: Path, tmp_path: Path) -> None:
    with shared_memory("key", image, tmp_path / "notes") as memory:
        memory.finish()
        assert os.pread(memory.descriptor, SIZE, 0) == image.read_bytes()
        with pytest.raises(PermissionError):
            os.pwrite(memory.descriptor, b"x", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(memory.descriptor, 0)
        with pytest.raises(PermissionError):
            mmap.mmap(memory.descriptor, SIZE)
        private = mmap.mmap(memory.descriptor, SIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
        private[0] = 7
        assert os.pread(memory.descriptor, 1, 0) == b"\0"


def test_a_second_machine_gets_the_pages_of_the_first(image: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with shared_memory("key", image, notes) as first:
        first.finish()
        with noted(notes, first), shared_memory("key", image, notes) as second:
            second.finish()
            assert os.fstat(second.descriptor).st_ino == os.fstat(first.descriptor).st_ino
        with shared_memory("key", image, notes) as third:
            assert os.fstat(third.descriptor).st_ino != os.fstat(first.descriptor).st_ino


def test_another_templates_memory_is_not_taken(image: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with shared_memory("key", image, notes) as first:
        first.finish()
        with noted(notes, first), shared_memory("other", image, notes) as second:
            assert os.fstat(second.descriptor).st_ino != os.fstat(first.descriptor).st_ino


def test_notes_of_the_dead_are_cleared(image: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / f"{2**22 + 1}-5").touch()
    with shared_memory("key", image, notes) as memory:
        memory.finish()
    assert not list(notes.iterdir())


def test_an_image_that_is_gone_while_it_is_read_is_an_error(image: Path, tmp_path: Path) -> None:
    with shared_memory("key", image, tmp_path / "notes") as memory:
        memory.finish()
        image.unlink()
        memory.copy_from(image)
        with pytest.raises(LimitReached):
            memory.finish()
