"""A directory of finished things, each known by the digest of its content, none ever changed in place.

    <root>/<digest>/…            the thing's files, and entry.json with what each looked like when it was put there
    <root>/keys/<key>.json       which digest answers to a key (the hash of everything that went into making it)

Put there by rename, so a reader sees all of a thing or nothing. Reading takes no lock and writes nothing: a cache that is
read-only, or shared with another version of pyro, serves what it has.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pyro_mcp.environments.sandbox import remove_tree
from pyro_mcp.environments.squashfs import is_whole
from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.writing import sync_directory, write_whole

_ENTRY = "entry.json"
_KEYS = "keys"
_IMAGE_SUFFIX = ".squashfs"


@dataclass(frozen=True)
class Fingerprint:
    """What a file looked like when it was put on the shelf."""

    size: int
    mtime_ns: int
    inode: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One finished thing."""

    digest: str
    directory: Path
    made_at: str
    files: Mapping[str, Fingerprint]

    @property
    def size(self) -> int:
        """The bytes its files take."""
        return sum(file.size for file in self.files.values())


@dataclass(frozen=True)
class Record:
    """What stands behind a key: a digest, and the maker's notes."""

    key: str
    digest: str
    notes: Mapping[str, object]


class Shelf:
    """The finished things below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def record(self, key: str) -> Record | None:
        """Read what stands behind a key; None when nothing does, or nothing readable."""
        found = _read_json(self.root / _KEYS / f"{key}.json")
        if found is None or not isinstance(found.get("digest"), str):
            return None
        notes = found.get("notes")
        return Record(key, str(found["digest"]), notes if isinstance(notes, dict) else {})

    def find(self, key: str) -> Entry | None:
        """Find the thing behind a key, if it is there and sound."""
        record = self.record(key)
        return self.entry(record.digest) if record else None

    def entry(self, digest: str) -> Entry | None:
        """Find a thing whose files are still what was put there, by the look of them; None when it is gone or damaged."""
        entry = self._read_entry(digest)
        if entry is None:
            return None
        try:
            seen = {name: self._look_at(entry, name, wanted) for name, wanted in entry.files.items()}
        except OSError:
            return None
        if not all(seen.values()):
            return None
        return (
            entry
            if seen == entry.files
            else self._seen_anew(entry, {name: file for name, file in seen.items() if file})
        )

    def is_intact(self, digest: str) -> bool:
        """Read every byte of a thing and compare the hashes."""
        entry = self._read_entry(digest)
        return entry is not None and all(
            sha256_of(entry.directory / name) == wanted.sha256 for name, wanted in entry.files.items()
        )

    def put(self, staged: Path, key: str, notes: Mapping[str, object]) -> Entry:
        """Put the files of `staged` on the shelf under their digest, and point `key` at it. The caller holds the shelf's lock."""
        files = {file.name: _fingerprint(file) for file in sorted(staged.iterdir())}
        entry = Entry(digest_of(files), staged, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), files)
        _write(staged / _ENTRY, _facts(entry))
        place = self.root / entry.digest
        if self.entry(entry.digest) is None:
            remove_tree(place)  # it may be there, damaged
            self.root.mkdir(parents=True, exist_ok=True)
            staged.rename(place)
            sync_directory(self.root)
        self.point(key, entry.digest, notes)
        found = self.entry(entry.digest)
        if found is None:
            raise HostUnfit(
                f"{place} changed while it was put there", hint="Is something else writing to pyro's cache?"
            )
        return found

    def point(self, key: str, digest: str, notes: Mapping[str, object]) -> None:
        """Let a key answer with a digest, whole or not at all."""
        keys = self.root / _KEYS
        keys.mkdir(parents=True, exist_ok=True)
        _write(keys / f"{key}.json", {"digest": digest, "notes": dict(notes)})

    def records(self) -> Iterator[Record]:
        """Go through all keys."""
        for path in sorted((self.root / _KEYS).glob("[0-9a-f]*.json")):
            if record := self.record(path.stem):
                yield record

    def digests(self) -> list[str]:
        """Name all things on the shelf, damaged ones too."""
        return sorted(path.name for path in self.root.glob("[0-9a-f]*") if path.is_dir())

    def tidy(self) -> None:
        """Remove the half-written keys of whoever was killed; the caller holds the lock, so nobody else writes one now."""
        for path in (self.root / _KEYS).glob(".*"):
            path.unlink(missing_ok=True)

    def newer_than(self, builder: int) -> set[str]:
        """Name the things that a newer pyro noted down; how it uses them is not for this one to judge."""
        return {record.digest for record in self.records() if _builder(record) > builder}

    def drop(self, digest: str, scrap: Path) -> int:
        """Take a thing off the shelf by way of `scrap`, with all keys to it, and tell how many bytes that freed."""
        for record in self.records():
            if record.digest == digest:
                (self.root / _KEYS / f"{record.key}.json").unlink(missing_ok=True)
        place = self.root / digest
        freed = sum(file.stat().st_blocks * 512 for file in place.iterdir())
        place.rename(scrap / digest)
        remove_tree(scrap / digest)
        return freed

    def keep_only(self, kept: Collection[str], scrap: Path) -> dict[str, int]:
        """Drop everything but `kept`, and tell how many bytes each thing dropped had taken."""
        return {digest: self.drop(digest, scrap) for digest in self.digests() if digest not in kept}

    def _read_entry(self, digest: str) -> Entry | None:
        directory = self.root / digest
        found = _read_json(directory / _ENTRY)
        if found is None:
            return None
        try:
            files = {name: Fingerprint(**facts) for name, facts in found["files"].items()}  # type: ignore[attr-defined]  # tried
            return Entry(digest, directory, str(found["made_at"]), files)
        except (KeyError, TypeError, AttributeError):  # another version's, or damaged: as good as not there
            return None

    def _look_at(self, entry: Entry, name: str, wanted: Fingerprint) -> Fingerprint | None:
        """Compare a file with what was put there; None when it is damaged."""
        path = entry.directory / name
        found = path.stat()
        if found.st_size != wanted.size or (name.endswith(_IMAGE_SUFFIX) and not is_whole(path)):
            return None
        if (found.st_mtime_ns, found.st_ino) == (wanted.mtime_ns, wanted.inode):
            return wanted
        # Touched, copied or restored from a backup: its bytes decide.
        if sha256_of(path) != wanted.sha256:
            return None
        return Fingerprint(wanted.size, found.st_mtime_ns, found.st_ino, wanted.sha256)

    def _seen_anew(self, entry: Entry, files: Mapping[str, Fingerprint]) -> Entry:
        """Note how a thing looks now that its bytes were found right, so that the next look is cheap again."""
        renewed = Entry(entry.digest, entry.directory, entry.made_at, files)
        with suppress(OSError):  # a read-only cache: then the next look costs as much
            _write(entry.directory / _ENTRY, _facts(renewed))
        return renewed


def digest_of(files: Mapping[str, Fingerprint]) -> str:
    """One file's own hash; for several, the hash over their names and hashes."""
    if len(files) == 1:
        return next(iter(files.values())).sha256
    return hashlib.sha256(
        "".join(f"{name} {files[name].sha256}\n" for name in sorted(files)).encode()
    ).hexdigest()


def sha256_of(path: Path) -> str:
    """Hash a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _builder(record: Record) -> int:
    found = record.notes.get("builder")
    return found if isinstance(found, int) else 0


def _fingerprint(path: Path) -> Fingerprint:
    sha256 = sha256_of(path)
    with path.open("rb") as file:
        os.fsync(file.fileno())
        found = os.fstat(file.fileno())
    return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino, sha256)


def _read_json(path: Path) -> dict[str, object] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _facts(entry: Entry) -> dict[str, object]:
    return {"made_at": entry.made_at, "files": {name: asdict(file) for name, file in entry.files.items()}}


def _write(path: Path, content: object) -> None:
    write_whole(path, json.dumps(content, indent=1, sort_keys=True).encode())
    sync_directory(path.parent)
