"""Which image is in an archive: its layers in order, and what a command gets in it.

Read by one of two indexes: `index.json` of the OCI image layout, which new dockers write too, or docker's `manifest.json`.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyro_mcp.environments.oci.container import Container, lacking, read_file
from pyro_mcp.environments.oci.document import Document, parse, parse_list, sha256_in
from pyro_mcp.environments.oci.limits import Limits, too_large
from pyro_mcp.environments.values import EnvironmentDefaults
from pyro_mcp.errors import InvalidRequest

_OS, _ARCHITECTURE = "linux", "amd64"
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MOST_INDEXES = 64  # an index may lead to indexes: one for each image of an archive
_MOST_SHOWN = 8
_NAME_OF_IMAGE = "org.opencontainers.image.ref.name"
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its file in the archive, the SHA-256 of that (None where nobody says), and of what is in it when unpacked."""

    path: str
    digest: str | None
    diff_id: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image for our machines. `id` is the SHA-256 of its config, which names every layer by content."""

    id: str
    layers: tuple[Layer, ...]
    defaults: EnvironmentDefaults


def read_image(container: Container, limits: Limits) -> Image:
    """Find the one image for linux/amd64. Raises InvalidRequest naming what there is when there is none, or several."""
    if container.size("index.json") is not None:
        return _by_layout(container, limits)
    if container.size("manifest.json") is not None:
        return _by_docker(container, limits)
    raise InvalidRequest(
        "this is no image: it has neither index.json nor manifest.json",
        hint="Save one: docker save IMAGE -o image.tar, or skopeo copy docker://IMAGE oci:LAYOUT.",
    )


def _by_layout(container: Container, limits: Limits) -> Image:
    described = choose(_manifests(container, limits))
    manifest = parse("the manifest", _blob(container, described, limits))
    config_at = manifest.part("config")
    config = _blob(container, config_at, limits)
    said = manifest.parts("layers")
    for layer in said:
        _require_size(container, layer)
    digests = [layer.digest("digest") for layer in said]
    return _image(config, [_blob_path(digest) for digest in digests], digests, limits)


def _manifests(container: Container, limits: Limits) -> list[Document]:
    """Collect the descriptors of all manifests, in indexes of indexes too."""
    indexes = [parse("index.json", read_file(container, "index.json", limits.documents))]
    found: list[Document] = []
    for read in range(_MOST_INDEXES + 1):
        if not indexes:
            return found
        if read == _MOST_INDEXES:
            break
        for item in indexes.pop().parts("manifests"):
            if item.text("mediaType") not in _INDEXES:
                found.append(item)
            elif (
                container.size(_blob_path(item.digest("digest"))) is not None
            ):  # else of an image that was not saved
                indexes.append(parse("an index", _blob(container, item, limits)))
    raise too_large(f"more than {_MOST_INDEXES} indexes")


def choose(manifests: Sequence[Document]) -> Document:
    """Choose the manifest for our machines; one that does not say what it is for may be."""
    fitting = [item for item in manifests if _platform(item) in (f"{_OS}/{_ARCHITECTURE}", "")]
    if not fitting:
        raise _other_platform([_platform(item) for item in manifests])
    fitting.sort(key=lambda item: (not _platform(item), item.part("platform").text("variant")))
    first = fitting[0].part("platform").text("variant")
    alike = {
        item.digest("digest"): item
        for item in fitting
        if item.part("platform").text("variant") == first
        and bool(_platform(item)) == bool(_platform(fitting[0]))
    }
    if len(alike) > 1:
        raise _several([item.part("annotations").text(_NAME_OF_IMAGE) for item in alike.values()])
    return fitting[0]


def _platform(item: Document) -> str:
    platform = item.part("platform")
    return "/".join(part for part in (platform.text("os"), platform.text("architecture")) if part)


def _by_docker(container: Container, limits: Limits) -> Image:
    saved = parse_list("manifest.json", read_file(container, "manifest.json", limits.documents))
    configs = {item.text("Config"): item for item in saved}
    if len(configs) != 1:
        raise _several([", ".join(item.texts("RepoTags")) for item in configs.values()])
    [(name, item)] = configs.items()
    config = read_file(container, posixpath.normpath(name), limits.documents)
    named = posixpath.basename(name).removesuffix(".json")
    if _HEX.fullmatch(named) and hashlib.sha256(config).hexdigest() != named:
        raise _damaged(name)
    paths = [posixpath.normpath(path) for path in item.texts("Layers")]
    return _image(config, paths, [None] * len(paths), limits)


def _image(config: bytes, paths: Sequence[str], digests: Sequence[str | None], limits: Limits) -> Image:
    said = parse("the image's config", config)
    found = "/".join(said.text(key) for key in ("os", "architecture"))
    if found != f"{_OS}/{_ARCHITECTURE}":
        raise _other_platform([found])
    rootfs = said.part("rootfs")
    diff_ids = [sha256_in(text, rootfs.wrong("diff_ids")) for text in rootfs.texts("diff_ids")]
    if len(diff_ids) != len(paths):
        raise rootfs.wrong("diff_ids")
    if len(paths) > limits.layers:
        raise too_large(f"more than {limits.layers} layers")
    layers = (Layer(*facts) for facts in zip(paths, digests, diff_ids, strict=True))
    return Image(hashlib.sha256(config).hexdigest(), tuple(layers), _defaults(said.part("config")))


def _defaults(config: Document) -> EnvironmentDefaults:
    variables = [text.partition("=") for text in config.texts("Env")]
    return EnvironmentDefaults(
        env={name: value for name, equals, value in variables if name and equals},
        workdir=posixpath.normpath("/" + config.text("WorkingDir").lstrip("/")),
        user=config.text("User") or "root",
    )


def _blob(container: Container, descriptor: Document, limits: Limits) -> bytes:
    """Read a document by its descriptor, and compare it with that."""
    digest = descriptor.digest("digest")
    _require_size(container, descriptor)
    data = read_file(container, _blob_path(digest), limits.documents)
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(_blob_path(digest))
    return data


def _require_size(container: Container, descriptor: Document) -> None:
    path = _blob_path(descriptor.digest("digest"))
    size = container.size(path)
    if size is None:
        raise lacking(path)
    if size != descriptor.number("size"):
        raise _damaged(path)


def _blob_path(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _damaged(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"{name} is not what the image says", hint="Save the image again; a copy may be broken."
    )


def _other_platform(found: Sequence[str]) -> InvalidRequest:
    there_is = ", ".join(sorted({name or "of no platform" for name in found})[:_MOST_SHOWN]) or "nothing"
    return InvalidRequest(
        f"the archive has no image for {_OS}/{_ARCHITECTURE}; it has {there_is}",
        hint=f"Pull and save that one: docker pull --platform {_OS}/{_ARCHITECTURE} IMAGE, then docker save.",
    )


def _several(names: Sequence[str]) -> InvalidRequest:
    named = ", ".join(name or "one without a name" for name in names[:_MOST_SHOWN])
    return InvalidRequest(
        f"the archive has {len(names)} images{': ' if named else ''}{named}",
        hint="Save one alone: docker save IMAGE -o image.tar.",
    )
