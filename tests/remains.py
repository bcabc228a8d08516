"""What of pyro is on this host: the processes that belong to one PYRO_HOME, and whatever a machine may have left there."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process that holds something of a PYRO_HOME."""

    pid: int
    command: tuple[str, ...]
    holds: frozenset[str]

    @property
    def is_keeper(self) -> bool:
        return any(word.endswith("keeper/__main__.py") for word in self.command)

    @property
    def is_qemu(self) -> bool:
        return any("qemu-system" in word for word in self.command[:1])

    def peak_mib(self) -> int:
        """The most memory it ever had in use (VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


def processes_of(home: Path) -> list[Process]:
    """Every process but ours that was started with this PYRO_HOME or holds a file below it."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [found for pid in numbers if pid != os.getpid() and (found := _look_at(pid, home)) is not None]


def keeper_of(home: Path) -> Process | None:
    """The one keeper there is, once there is one."""
    return next((found for found in processes_of(home) if found.is_keeper), None)


def qemu_of(home: Path) -> Process | None:
    """The one QEMU there is, once there is one."""
    return next((found for found in processes_of(home) if found.is_qemu), None)


def remains(home: Path) -> list[str]:
    """Everything that is left of machines: processes, directories, sockets, notes; half-made things in a cache of its own."""
    return [
        *(f"process {found.pid}: {' '.join(found.command)[:200]}" for found in processes_of(home)),
        *(str(path) for path in _files_left(home)),
    ]


def _files_left(home: Path) -> Iterator[Path]:
    yield from (home / "state/machines").glob("*")
    yield from (home / "runtime").glob("*.sock")
    yield from (home / "runtime/templates").glob("*/*")
    if not (home / "cache").is_symlink():
        yield from (home / "cache/staging").glob("*")
        yield from (home / "cache/templates").glob("*.new")


def _look_at(pid: int, home: Path) -> Process | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        variables = Path(f"/proc/{pid}/environ").read_bytes()
        if not command:
            return None  # dead, and not yet reaped
        holds = frozenset(link for link in links_of(pid) if link.startswith((f"{home}/", "/run/pyro-uids/")))
    except OSError:
        return None  # gone meanwhile, or somebody else's
    if not holds and f"PYRO_HOME={home}\0".encode() not in variables:
        return None
    if holds and not any(link.startswith(f"{home}/") for link in holds):
        return None  # a machine of another home
    return Process(pid, tuple(command.decode(errors="replace").split("\0")[:-1]), holds)


def links_of(pid: int) -> Iterator[str]:
    """What the descriptors of a process stand for."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            yield str(descriptor.readlink())
