"""Container images made by hand, as docker save and skopeo write them, and as their enemies would."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Entry = tuple[tarfile.TarInfo, bytes]
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
AMD64 = {"os": "linux", "architecture": "amd64"}


def file(name: str, content: bytes = b"", mode: int = 0o644, **facts: Any) -> Entry:
    return _entry(name, tarfile.REGTYPE, mode, content, **facts)


def directory(name: str, mode: int = 0o755, **facts: Any) -> Entry:
    return _entry(name, tarfile.DIRTYPE, mode, **facts)


def link(name: str, target: str) -> Entry:
    return _entry(name, tarfile.SYMTYPE, 0o777, linkname=target)


def hard_link(name: str, target: str) -> Entry:
    return _entry(name, tarfile.LNKTYPE, 0o644, linkname=target)


def device(name: str) -> Entry:
    return _entry(name, tarfile.CHRTYPE, 0o666, devmajor=1, devminor=3)


def fifo(name: str) -> Entry:
    return _entry(name, tarfile.FIFOTYPE, 0o600)


def layer(*entries: Entry, form: int = tarfile.PAX_FORMAT) -> bytes:
    """The tar archive of one layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for member, content in entries:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def config(layers: Sequence[bytes], defaults: Mapping[str, object] | None = None, **facts: object) -> bytes:
    """The document that names an image's layers and says what a command gets in it."""
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{sha256(data)}" for data in layers]}
    return json.dumps({**AMD64, "config": defaults or {}, "rootfs": rootfs, **facts}).encode()


def docker_archive(
    path: Path, layers: Sequence[bytes], said: bytes | None = None, *, links: bool = False
) -> Path:
    """What docker before 25 saves; with `links`, a layer that is there twice is a link the second time."""
    said = said or config(layers)
    names = [f"{number}{sha256(data)[:8]}/layer.tar" for number, data in enumerate(layers)]
    manifest = [{"Config": f"{sha256(said)}.json", "RepoTags": ["team/app:1"], "Layers": names}]
    entries: list[Entry] = []
    for name, data in zip(names, layers, strict=True):
        first = names[layers.index(data)]
        entries.append(link(name, f"../{first}") if links and first != name else file(name, data))
    entries += [file(f"{sha256(said)}.json", said), file("manifest.json", json.dumps(manifest).encode())]
    path.write_bytes(layer(*entries))
    return path


def layout_files(
    layers: Sequence[bytes],
    said: bytes | None = None,
    *,
    packed: bool = True,
    platform: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """The files of an OCI image layout with one image."""
    blobs = [gzip.compress(data, 1, mtime=0) if packed else data for data in layers]
    said = said or config(layers)
    manifest = json.dumps(
        {
            "mediaType": MANIFEST,
            "config": descriptor(said, CONFIG),
            "layers": [descriptor(data, LAYER) for data in blobs],
        }
    ).encode()
    entry = {**descriptor(manifest, MANIFEST), **({"platform": platform} if platform else {})}
    return {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps({"manifests": [entry]}).encode(),
        **blob_files(said, manifest, *blobs),
    }


def blob_files(*blobs: bytes) -> dict[str, bytes]:
    """Blobs where a layout has them."""
    return {f"blobs/sha256/{sha256(data)}": data for data in blobs}


def descriptor(data: bytes, media_type: str, **facts: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{sha256(data)}", "size": len(data), **facts}


def write_layout(place: Path, files: Mapping[str, bytes]) -> Path:
    """A layout as a directory."""
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


def write_archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """A layout as one tar."""
    path.write_bytes(layer(*(file(name, data) for name, data in files.items())))
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _entry(name: str, kind: bytes, mode: int, content: bytes = b"", **facts: Any) -> Entry:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size = kind, mode, len(content)
    for key, value in facts.items():
        setattr(member, key, value)
    return member, content
