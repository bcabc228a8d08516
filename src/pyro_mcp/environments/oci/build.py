"""Make the image of an environment from a container image, inside a staging directory."""

from __future__ import annotations

from pathlib import Path

from pyro_mcp.environments import squashfs
from pyro_mcp.environments.oci.container import Container
from pyro_mcp.environments.oci.image import Image
from pyro_mcp.environments.oci.layers import unpacked
from pyro_mcp.environments.oci.limits import Limits, Spent
from pyro_mcp.environments.oci.pack import Packing
from pyro_mcp.environments.oci.tarstream import members
from pyro_mcp.environments.oci.tree import Tree, is_nameable
from pyro_mcp.environments.values import EnvironmentDefaults
from pyro_mcp.errors import LimitReached
from pyro_mcp.host.room import free_disk
from pyro_mcp.progress import Step, step

# What the guest mounts over, whatever the image has there.
_MOUNT_POINTS = {
    b"dev": 0o755,
    b"proc": 0o755,
    b"sys": 0o755,
    b"run": 0o755,
    b"tmp": 0o1777,
    b"workspace": 0o755,
}
# Left free for everybody else on that disk.
_SPARED = 256 << 20


def build_image(name: str, container: Container, image: Image, out: Path, limits: Limits) -> None:
    """Make `out`, a squashfs of all that the image's layers come to."""
    with step(f"importing {name}") as importing:
        tree = merged(container, image, limits, importing)
        complete(tree, image.defaults)
        packing = Packing(tree)
        _require_room(out.parent, packing.content)
        squashfs.pack_stream(
            lambda pipe: packing.write(pipe, container, image.layers, importing),
            out,
            epoch=packing.latest,
            root_mode=tree.root.inode.mode,
        )


def merged(container: Container, image: Image, limits: Limits, reading: Step) -> Tree:
    """Read every layer, compare its digests, and merge them in their order."""
    tree, spent = Tree(limits), Spent(limits)
    for number, layer in enumerate(image.layers):
        reading.note(f"reading layer {number + 1} of {len(image.layers)}")
        with unpacked(container, layer, spent) as stream:
            tree.apply(number, members(stream))
    return tree


def complete(tree: Tree, defaults: EnvironmentDefaults) -> None:
    """Add what a machine mounts on, and the directory that commands start in: docker makes both, too."""
    for name, mode in _MOUNT_POINTS.items():
        present = tree.root.children.get(name)
        if present is not None and not present.is_directory:
            del tree.root.children[name]
        tree.make_directory((name,), mode)
    path = defaults.workdir.encode(errors="surrogateescape")
    workdir = tuple(part for part in path.split(b"/") if part)
    if workdir and is_nameable(path, workdir) and not tree.is_crossed(workdir):
        tree.make_directory(workdir)


def _require_room(place: Path, content: int) -> None:
    free = free_disk(place) - _SPARED
    if content > free:
        raise LimitReached(
            f"the image takes {content >> 20} MiB of disk in {place.parent}, and {max(free, 0) >> 20} MiB are to be had",
            hint="Free some room, run pyro env prune, or set PYRO_HOME or XDG_CACHE_HOME to a larger disk.",
        )
