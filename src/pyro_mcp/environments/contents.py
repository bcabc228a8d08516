"""What the guest kit is made of, as its data file says. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Contents:
    """The table in kit_data/kit.toml, typed; that file explains each part."""

    packages: tuple[str, ...]
    modules: tuple[str, ...]
    applets: tuple[str, ...]
    directories: tuple[str, ...]
    links: Mapping[str, str]
    programs: Mapping[str, str]
    libraries: tuple[str, ...]
    python_library: str
    python_left_out: tuple[str, ...]
    python_tried: tuple[str, ...]


def read_contents(text: str) -> Contents:
    """Read the data file; it is ours, so that a mistake in it is a plain KeyError."""
    table = tomllib.loads(text)
    return Contents(
        packages=tuple(table["packages"]),
        modules=tuple(table["modules"]),
        applets=tuple(table["applets"]),
        directories=tuple(table["directories"]),
        links=table["links"],
        programs=table["programs"],
        libraries=tuple(table["libraries"]["names"]),
        python_library=table["python"]["library"],
        python_left_out=tuple(table["python"]["left_out"]),
        python_tried=tuple(table["python"]["tried"]),
    )


# Each module says what it needs in its .modinfo section, which depmod would only copy to modules.dep.
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def module_name(file_name: str) -> str:
    """Give the name the kernel knows a module file by."""
    return file_name.removesuffix(".ko").replace("-", "_")


def dependencies(module: bytes) -> list[str]:
    """Read which other modules must be loaded before this one."""
    found = _DEPENDS.search(module)
    return [module_name(name) for name in found[1].decode().split(",") if name] if found else []


def load_order(wanted: Iterable[str], needs: Mapping[str, list[str]]) -> list[str]:
    """Put modules and all they need in an order in which each can be loaded. `needs` lists every module there is."""
    order: list[str] = []

    def add(name: str) -> None:
        if name not in order:
            for needed in needs[name]:
                add(needed)
            order.append(name)

    for name in wanted:
        add(name)
    return order
