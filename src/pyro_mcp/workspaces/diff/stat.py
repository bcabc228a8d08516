"""Write `--stat` as git writes it: names, counts, and a graph, all within 80 columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyro_mcp.workspaces.text.quoting import quote_name

_WIDTH = 80


@dataclass(frozen=True, slots=True)
class StatLine:
    """What the summary tells of one file. For a binary one the counts are its size before and after."""

    path: bytes
    old_path: bytes | None
    insertions: int
    deletions: int
    binary: bool
    old_size: int = 0
    new_size: int = 0

    @property
    def changed(self) -> int:
        """Count the changed lines."""
        return self.insertions + self.deletions

    @property
    def sizes(self) -> str:
        """Tell how the size of a binary file changed."""
        return f"{self.old_size} -> {self.new_size} bytes"


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide each part of a line is, and how many changes the widest graph stands for."""

    name: int
    number: int
    graph: int
    most: int


def render_stat(files: Sequence[StatLine]) -> str:
    """Write one line per file and the sum."""
    if not files:
        return ""
    names = [_shown_name(file) for file in files]
    columns = _columns(files, names)
    lines = [_line(file, name, columns) for file, name in zip(files, names, strict=True)]
    return "".join(line + "\n" for line in [*lines, _sum(files)])


def _shown_name(file: StatLine) -> str:
    new = quote_name(file.path).decode()
    if file.old_path is None:
        return new
    old = quote_name(file.old_path).decode()
    return f"{old} => {new}" if old.startswith('"') or new.startswith('"') else _merge_names(old, new)


def _merge_names(old: str, new: str) -> str:
    """Write a rename with the directories that both names share once: `src/{old => new}/file.py`."""
    shortest = min(len(old), len(new))
    same = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    head = old.rfind("/", 0, same) + 1
    tail = 0
    # The two shared parts may have one slash in common, as in a/b/c to a/c.
    for size in range(1, shortest - max(head - 1, 0) + 1):
        if old[-size] != new[-size]:
            break
        if old[-size] == "/":
            tail = size
    middle_old = old[head : max(len(old) - tail, head)]
    middle_new = new[head : max(len(new) - tail, head)]
    if not head and not tail:
        return f"{old} => {new}"
    return f"{old[:head]}{{{middle_old} => {middle_new}}}{old[len(old) - tail :] if tail else ''}"


def _columns(files: Sequence[StatLine], names: Sequence[str]) -> _Columns:
    most = max((file.changed for file in files if not file.binary), default=0)
    number = max(len(str(most)), 3 if any(file.binary for file in files) else 0)
    binary = max((len(f"Bin {file.sizes}") for file in files if file.binary), default=0)
    graph = most if most + 4 > binary else binary - 4
    name = max(map(len, names))
    if name + number + 6 + graph > _WIDTH:
        graph = min(graph, max(_WIDTH * 3 // 8 - number - 6, 6))
        if name > _WIDTH - number - 6 - graph:
            name = _WIDTH - number - 6 - graph
        else:
            graph = _WIDTH - number - 6 - name
    return _Columns(name, number, graph, most)


def _line(file: StatLine, name: str, columns: _Columns) -> str:
    start = f" {_fit(name, columns.name)} | "
    if file.binary:
        unchanged = not file.old_size and not file.new_size
        return start + "Bin".rjust(columns.number) + ("" if unchanged else " " + file.sizes)
    graph = _graph(file, columns)
    return start + str(file.changed).rjust(columns.number) + (" " + graph if graph else "")


def _fit(name: str, width: int) -> str:
    """Cut a name at its left, at a slash if there is one."""
    if len(name) > width:
        kept = name[len(name) - (width - 3) :]
        name = "..." + kept[max(kept.find("/"), 0) :]
    return name.ljust(width)


def _graph(file: StatLine, columns: _Columns) -> str:
    plus, minus = file.insertions, file.deletions
    if columns.graph <= columns.most:
        total = _scale(plus + minus, columns)
        if total < 2 and plus and minus:
            total = 2
        if plus < minus:
            plus = _scale(plus, columns)
            minus = total - plus
        else:
            minus = _scale(minus, columns)
            plus = total - minus
    return "+" * plus + "-" * minus


def _scale(count: int, columns: _Columns) -> int:
    """Fit a count into the graph; what is not nothing keeps at least one column."""
    return 1 + count * (columns.graph - 1) // columns.most if count else 0


def _sum(files: Sequence[StatLine]) -> str:
    plus, minus = sum(file.insertions for file in files), sum(file.deletions for file in files)
    parts = [f"{len(files)} file{_s(len(files))} changed"]
    if plus or not minus:
        parts.append(f"{plus} insertion{_s(plus)}(+)")
    if minus or not plus:
        parts.append(f"{minus} deletion{_s(minus)}(-)")
    return " " + ", ".join(parts)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
