import os
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.images import write_image

from pyro_mcp.environments.shelf import Entry, Shelf, digest_of, sha256_of

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def put(shelf: Shelf, key: str = KEY, content: bytes = b"content", **notes: object) -> Entry:
    staged = shelf.root.parent / f"staged-{key[:2]}"
    staged.mkdir()
    write_image(staged / "root.squashfs", content)
    return shelf.put(staged, key, notes)


def test_what_is_put_is_found_by_key_and_by_digest(shelf: Shelf) -> None:
    entry = put(shelf, name="x")
    assert shelf.find(KEY) == shelf.entry(entry.digest) == entry
    assert entry.digest == sha256_of(entry.directory / "root.squashfs")
    record = shelf.record(KEY)
    assert record is not None
    assert record.notes == {"name": "x"}
    assert not (shelf.root.parent / "staged-ab").exists()


def test_nothing_is_found_on_an_empty_shelf(shelf: Shelf) -> None:
    assert (shelf.find(KEY), shelf.record(KEY), shelf.digests(), list(shelf.records())) == (
        None,
        None,
        [],
        [],
    )


def test_the_same_content_is_kept_once(shelf: Shelf) -> None:
    assert put(shelf).digest == put(shelf, OTHER).digest
    assert len(shelf.digests()) == 1


def test_several_files_have_a_digest_over_names_and_contents(shelf: Shelf) -> None:
    staged = shelf.root.parent / "kit"
    staged.mkdir()
    (staged / "a").write_text("1")
    (staged / "b").write_text("2")
    entry = shelf.put(staged, KEY, {})
    assert set(entry.files) == {"a", "b"}
    assert entry.digest == digest_of(entry.files)


@pytest.mark.parametrize("size", [0, 50, 4000])
def test_a_truncated_image_is_not_found(shelf: Shelf, size: int) -> None:
    entry = put(shelf)
    os.truncate(entry.directory / "root.squashfs", size)
    assert shelf.find(KEY) is None


def test_a_missing_file_or_a_damaged_note_is_not_found(shelf: Shelf) -> None:
    entry = put(shelf)
    (entry.directory / "root.squashfs").unlink()
    assert shelf.find(KEY) is None
    (entry.directory / "entry.json").write_text("{")
    assert shelf.find(KEY) is None


@pytest.mark.parametrize(
    "notes", ["[]", '{"files": {"root.squashfs": {"size": 1}}, "made_at": ""}', '{"files": 7}']
)
def test_another_versions_notes_are_as_good_as_none(shelf: Shelf, notes: str) -> None:
    entry = put(shelf)
    (entry.directory / "entry.json").write_text(notes)
    assert shelf.find(KEY) is None


def test_a_damaged_thing_is_replaced_by_the_next_of_the_same_content(shelf: Shelf) -> None:
    os.truncate(put(shelf).directory / "root.squashfs", 10)
    replaced = put(shelf)
    assert shelf.find(KEY) == replaced


def test_a_touched_file_is_read_once_and_then_known(shelf: Shelf) -> None:
    image = put(shelf).directory / "root.squashfs"
    os.utime(image, (1, 1))
    found = shelf.find(KEY)
    assert found is not None
    assert found.files["root.squashfs"].mtime_ns == 1_000_000_000
    assert shelf.find(KEY) == found


def test_a_touched_and_changed_file_is_damaged(shelf: Shelf) -> None:
    image = put(shelf).directory / "root.squashfs"
    image.write_bytes(image.read_bytes()[:-1] + b"!")
    os.utime(image, (1, 1))
    assert shelf.find(KEY) is None


def test_damage_behind_an_unchanged_look_is_found_by_reading_all(shelf: Shelf) -> None:
    entry = put(shelf)
    image = entry.directory / "root.squashfs"
    look = image.stat()
    with image.open("r+b") as file:
        file.seek(1000)
        file.write(b"!")
    os.utime(image, ns=(look.st_atime_ns, look.st_mtime_ns))
    assert shelf.find(KEY) is not None
    assert not shelf.is_intact(entry.digest)


def test_what_is_not_kept_is_dropped_with_its_keys(shelf: Shelf) -> None:
    kept, gone = put(shelf), put(shelf, OTHER, b"other")
    scrap = shelf.root.parent / "scrap"
    scrap.mkdir()
    freed = shelf.keep_only({kept.digest}, scrap)
    assert set(freed) == {gone.digest}
    assert freed[gone.digest] >= 4000
    assert (shelf.digests(), [record.key for record in shelf.records()]) == ([kept.digest], [KEY])
    assert list(scrap.iterdir()) == []


def test_what_a_newer_pyro_made_is_known_as_such(shelf: Shelf) -> None:
    put(shelf, builder=1)
    newer = put(shelf, OTHER, b"other", builder=2)
    assert shelf.newer_than(1) == {newer.digest}


def test_half_written_keys_are_tidied_away(shelf: Shelf) -> None:
    put(shelf)
    (shelf.root / "keys" / f".{OTHER}.json.17").write_text("{")
    shelf.tidy()
    assert [path.name for path in (shelf.root / "keys").iterdir()] == [f"{KEY}.json"]
