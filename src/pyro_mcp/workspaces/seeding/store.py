"""The seed images of this host, each known by its content's digest and made once however many workspaces lie on it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pyro_mcp.errors import InvalidRequest, LimitReached, NotFound
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.room import free_disk
from pyro_mcp.host.writing import sync_directory, write_whole
from pyro_mcp.models.encoding import as_json
from pyro_mcp.models.seed import SeedReport
from pyro_mcp.progress import step
from pyro_mcp.workspaces.registry.seed_report import report_from
from pyro_mcp.workspaces.seeding import manifest
from pyro_mcp.workspaces.seeding.build import ImageBuild, measure, store_entries, top_of
from pyro_mcp.workspaces.seeding.findings import Findings
from pyro_mcp.workspaces.seeding.hashes import HashCache
from pyro_mcp.workspaces.seeding.manifest import Manifest
from pyro_mcp.workspaces.seeding.select import SeedOptions, Selection, select
from pyro_mcp.workspaces.seeding.tarball import is_archive, store_archive

# Part of every key: an image that another version of this code made of the same files is another image.
_FORMAT = b"pyro seed 1"
# Left free on the host whatever is seeded.
_SPARE_BYTES = 512 << 20
# The drive that a template is frozen with (qemu/disks.py); an image is a sparse file of just that size.
DRIVE_BYTES = 64 << 30


@dataclass(frozen=True)
class Seed:
    """What a workspace lies on: an image file, read-only, or nothing (`image` and `digest` are None)."""

    report: SeedReport
    digest: str | None = None
    image: Path | None = None


@dataclass(frozen=True)
class PrunedSeeds:
    """What was freed."""

    digests: tuple[str, ...]
    freed_bytes: int


class SeedStore:
    """Makes and keeps seed images. They are state, not cache: a workspace is lost without the image that it lies on."""

    def __init__(self, paths: Paths, drive_bytes: int = DRIVE_BYTES) -> None:
        self._images = paths.state / "seeds"
        self._keys = paths.cache / "seeds"
        self._drive_bytes = drive_bytes

    def ensure(self, source: Path | None, options: SeedOptions | None = None) -> Seed:
        """Give the seed of a directory, git repository, tar archive or nothing, made when its content is new.

        Raises NotFound, InvalidRequest for what cannot be a seed, LimitReached when it does not fit.
        """
        if source is None:
            return Seed(SeedReport(kind="none"))
        source, options = Path(os.path.abspath(source)), options or SeedOptions()  # noqa: PTH100 - links stay links
        if source.is_file():
            return self._of_archive(source, options)
        if source.exists() and not source.is_dir():
            raise InvalidRequest(
                f"{source} is neither a directory nor a tar archive", hint="Name one of these."
            )
        with step(f"looking through {source}"):
            selection = select(source, options)
        return self._of_directory(source, selection, options)

    def find(self, digest: str) -> Path | None:
        """Find an image that is whole; None when there is none, or when it was damaged, which removes it."""
        image = self._image(digest)
        try:
            expected = int(image.with_suffix(".size").read_text())
            found = image.stat().st_size
        except (OSError, ValueError):
            return None
        return image if found == max(expected, self._drive_bytes) else None

    def manifest(self, digest: str) -> Manifest:
        """Read what an image holds. Raises NotFound."""
        path = self._image(digest).with_suffix(".manifest")
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"the seed {digest[:12]} is not here", hint="Create the workspace again."
            ) from None
        return manifest.decode(text)

    def hashes(self, source: Path) -> HashCache:
        """Give what is known of the contents of a directory that was seeded from."""
        return HashCache(self._keys / f"hashes-{hashlib.sha256(os.fsencode(source)).hexdigest()[:32]}")

    def sizes(self) -> dict[str, int]:
        """Tell for every image how much disk it takes."""
        found = sorted(self._images.glob("*.sqfs")) if self._images.is_dir() else []
        return {image.stem: image.stat().st_blocks * 512 for image in found}

    def prune(self, in_use: Collection[str]) -> PrunedSeeds:
        """Remove every image but these, and what unfinished builds left behind.

        The caller holds whatever keeps a new workspace from choosing an image at this moment.
        """
        gone = {digest: size for digest, size in self.sizes().items() if digest not in in_use}
        for digest in gone:
            for suffix in (".size", ".sqfs", ".manifest"):
                self._image(digest).with_suffix(suffix).unlink(missing_ok=True)
        self._sweep()
        return PrunedSeeds(tuple(gone), sum(gone.values()))

    def _of_directory(self, source: Path, selection: Selection, options: SeedOptions) -> Seed:
        selection.entries.sort(key=lambda entry: entry.path)
        if len(selection.entries) == 1:
            return Seed(selection.findings.report(files=0, directories=0, symlinks=0, size=0))
        self._check_room(sum(entry.stored for entry in selection.entries))
        key = _key(selection, options)
        findings = selection.findings
        with exclusive(self._keys / f"{key[:2]}.lock", what="another pyro to read the same seed"):
            if (known := self._known(key, findings)) is not None:
                return known
            with self._building(key) as file:
                build = ImageBuild(file)
                built = store_entries(
                    build, selection.entries, findings, withhold=not options.include_sensitive
                )
                seed = self._finish(file, build, findings)
            if built.settled:
                self._remember(key, seed)
            self.hashes(source).save(built.hashes)
            return seed

    def _of_archive(self, source: Path, options: SeedOptions) -> Seed:
        if not is_archive(source):
            raise InvalidRequest(
                f"{source} is neither a directory nor a tar archive",
                hint=".tar, .tar.gz, .tar.bz2 and .tar.xz can be read.",
            )
        found = source.stat()
        stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, options)
        key = hashlib.sha256(_FORMAT + repr(stamp).encode()).hexdigest()
        findings = Findings(kind="tar", source=str(source))
        with exclusive(self._keys / f"{key[:2]}.lock", what="another pyro to read the same archive"):
            if (known := self._known(key, findings)) is not None:
                return known
            room = min(self._drive_bytes, free_disk(self._images) - _SPARE_BYTES)
            with self._building(key) as file:
                build = ImageBuild(file)
                store_archive(
                    build, source, findings, withhold=not options.include_sensitive, most_bytes=room
                )
                seed = self._finish(file, build, findings)
            self._remember(key, seed)
            return seed

    def _finish(self, file: BinaryIO, build: ImageBuild, findings: Findings) -> Seed:
        """Write the tables and give the image its name, so that it is there whole or not at all."""
        text = manifest.encode(manifest.of_tree(build.root))
        digest = hashlib.sha256(text).hexdigest()
        found = measure(build.root)
        report = findings.report(
            files=found.counts["file"],
            directories=found.counts["directory"],
            symlinks=found.counts["symlink"],
            size=found.size,
            top=top_of(build.root),
        )
        image = self._image(digest)
        if self.find(digest) is None:
            length = build.writer.finish(build.root)
            if length > self._drive_bytes:
                raise _too_large(length, self._drive_bytes)
            file.truncate(max(length, self._drive_bytes))
            file.flush()
            os.fsync(file.fileno())
            write_whole(image.with_suffix(".manifest"), text)
            Path(file.name).replace(image)
            write_whole(image.with_suffix(".size"), str(length).encode())
            sync_directory(self._images)
        return Seed(report, digest, image)

    @contextmanager
    def _building(self, key: str) -> Iterator[BinaryIO]:
        """Open a file to build in; its lock tells _sweep() that somebody is at it. It is removed unless it was renamed."""
        private_directory(self._images)
        self._sweep()
        path = self._images / f"{key}.new"
        try:
            with path.open("wb", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield file
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise LimitReached(
                "the disk is too full for the seed",
                details=str(error),
                hint="Free some disk space (pyro prune).",
            ) from error
        finally:
            path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what killed builds left."""
        for path in self._images.glob("*.new"):
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                path.unlink(missing_ok=True)

    def _known(self, key: str, findings: Findings) -> Seed | None:
        """Give the image that this very selection became before; the report is as of now, but for what reading told."""
        try:
            kept = json.loads((self._keys / f"{key}.json").read_text())
            digest, report = kept["digest"], report_from(kept["report"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        image = self.find(digest)
        if image is None:
            return None
        return Seed(replace(report, source=findings.source, git=findings.git, cached=True), digest, image)

    def _remember(self, key: str, seed: Seed) -> None:
        kept = {"digest": seed.digest, "report": as_json(seed.report)}
        private_directory(self._keys)
        write_whole(self._keys / f"{key}.json", json.dumps(kept).encode())

    def _check_room(self, size: int) -> None:
        if size > self._drive_bytes:
            raise _too_large(size, self._drive_bytes)
        room = free_disk(self._images) - _SPARE_BYTES
        if size > room:
            raise LimitReached(
                f"the seed of {size >> 20} MiB does not fit on the host's disk",
                details=f"{max(room, 0) >> 20} MiB are free",
                hint="Free some disk space (pyro prune), or seed a smaller part.",
            )

    def _image(self, digest: str) -> Path:
        return self._images / f"{digest}.sqfs"


def _key(selection: Selection, options: SeedOptions) -> str:
    """A key that needs no content: what was chosen, and the stamps that tell a changed file."""
    digest = hashlib.sha256(_FORMAT + repr((options, selection.findings)).encode())
    for entry in selection.entries:
        digest.update(repr(entry[:5] + entry[6:]).encode())
    return digest.hexdigest()


def _too_large(size: int, most: int) -> LimitReached:
    return LimitReached(
        f"the seed of {size >> 20} MiB is larger than a seed can be",
        details=f"A workspace's seed drive has {most >> 20} MiB.",
        hint="Seed a smaller part, or let the workspace fetch the rest.",
    )
