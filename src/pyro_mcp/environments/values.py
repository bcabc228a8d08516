"""What this folder hands to the others: plain values, known by their content's digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class EnvironmentDefaults:
    """What a command gets that says nothing else: variables, working directory, user."""

    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"


@dataclass(frozen=True)
class Environment:
    """A root filesystem ready to boot. `digest` is the SHA-256 of `image`, an uncompressed squashfs."""

    name: str
    digest: str
    image: Path
    defaults: EnvironmentDefaults


@dataclass(frozen=True)
class Kit:
    """What boots any environment: kernel, initial RAM disk (with the agent in it) and the agent's own root.

    `digest` is over all three, so it moves with every edit of the agent.
    """

    digest: str
    kernel: Path
    initrd: Path
    root: Path


@dataclass(frozen=True)
class EnvironmentListing:
    """One environment as `pyro env list` and `inspect` show it; digest, size, time and image are None until it is built.

    It has a recipe, or was imported from an archive, whose own id is `image_id` (the SHA-256 of its config).
    """

    name: str
    summary: str
    recipe: Path | None
    built: bool
    base: str | None
    packages: tuple[str, ...]
    defaults: EnvironmentDefaults
    digest: str | None = None
    size: int | None = None
    built_at: str | None = None
    image: Path | None = None
    imported_from: Path | None = None
    image_id: str | None = None


@dataclass(frozen=True)
class Pruned:
    """What `prune` freed."""

    freed_bytes: int
    digests: tuple[str, ...]
