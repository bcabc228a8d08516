"""Builders that make their images out of nothing, and count how often they are asked."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.images import write_image

from pyro_mcp.environments.kit_inputs import BUSYBOX, KERNEL, RAM_DISK, ROOT
from pyro_mcp.environments.recipe import Plan, RecipeFile


class Builders:
    """Stand in for build.py and kit.py; `archive` is the state of Debian's archive on the day."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.built: list[str] = []
        self.archive = "monday"
        monkeypatch.setattr("pyro_mcp.environments.build.build_image", self.build_image)
        monkeypatch.setattr("pyro_mcp.environments.kit.build_kit", self.build_kit)

    def build_image(self, plan: Plan, host_files: Mapping[RecipeFile, Path], work: Path, image: Path) -> None:
        self.built.append(plan.name)
        contents = [path.read_text() for path in host_files.values()]
        write_image(image, f"{plan.packages} {contents} {self.archive}".encode())

    def build_kit(self, work: Path, out: Path) -> None:
        self.built.append("kit")
        for name in (KERNEL, RAM_DISK, BUSYBOX):
            (out / name).write_text(f"{name} {self.archive}".ljust(64))
        write_image(out / ROOT, self.archive.encode())
