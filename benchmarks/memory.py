"""What a machine costs this host in memory."""

from pathlib import Path

from pyro_wire.messages import Message


def tree(pid: int) -> list[int]:
    """Name a process and everything below it."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += tree(int(child))
    return found


def proportional_mib(status: Message) -> float:
    """Tell what a keeper, its QEMU and the walls between them take, pages shared with others counted by their share."""
    return sum(_pss_kib(pid) for pid in tree(int(str(status["pid"])))) / 1024


def _pss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
