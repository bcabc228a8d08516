"""Read `git diff` output and plain unified diffs, with whatever text stands around them."""

import re
from dataclasses import dataclass, field, replace

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.patch import PatchAction, Tolerance
from pyro_mcp.workspaces.patch.planning import names
from pyro_mcp.workspaces.patch.reading.binary import read_binary
from pyro_mcp.workspaces.patch.reading.document import BinaryChange, Hunk, RawName, Section
from pyro_mcp.workspaces.patch.reading.hunks import is_file_header, read_hunk, starts_hunk

MAX_BINARY = 256 * 1024 * 1024
"""Of all binary content in one patch: it is unpacked in memory."""
_COMMIT = re.compile(rb"(?:From|commit) [0-9a-f]{40,64}\b")
_MODE = re.compile(rb"(old mode|new mode|deleted file mode|new file mode) ([0-7]{5,6})\s*\Z")
_MOVE = re.compile(rb"(rename|copy) (from|to|old|new) (.+)\Z", re.DOTALL)
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{5,6}))?\s*\Z")
_PASSED_OVER = (b"index ", b"similarity index ", b"dissimilarity index ")
_COMMON = (b"Index: ", b"=====", b"-- ", b"From ", b"Only in ", b"diff -", b"```", b"~~~", b"commit ")
"""Lines that patches have between their files; nobody needs to be told that they were passed over."""


@dataclass(slots=True)
class _Header:
    """What the lines above a file's hunks say."""

    line: int
    pair: tuple[RawName, RawName] | None = None
    old: RawName | None = None
    new: RawName | None = None
    moved_from: RawName | None = None
    moved_to: RawName | None = None
    move: PatchAction | None = None
    modes: dict[bytes, int] = field(default_factory=dict)
    ids: tuple[str, str] | None = None
    has_names: bool = False
    """`---` and `+++` were there: what they leave unnamed does not exist."""


@dataclass(slots=True)
class UnifiedReader:
    """Reads the sections of a patch one after another."""

    lines: list[bytes]
    at: int = 0
    sections: list[Section] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    """Lines that belong to no file of the patch."""
    commit: int = 0
    binary_left: int = MAX_BINARY

    def read(self) -> list[Section]:
        """Read all sections."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith(b"diff --git "):
                self._read_git_section()
            elif is_file_header(self.lines, self.at):
                self._read_plain_section()
            else:
                self._pass_over(line)
        return self.sections

    def _pass_over(self, line: bytes) -> None:
        number = self.at + 1
        if line.startswith((b"diff --cc ", b"diff --combined ", b"@@@ ")):
            raise InvalidRequest(
                f"line {number} of the patch begins a merge's combined diff, which cannot be applied",
                hint="Make the patch against one parent: git diff PARENT MERGE.",
            )
        if line.startswith(b"***************"):
            raise InvalidRequest(
                f"line {number} of the patch begins a context diff", hint="Make it with diff -u."
            )
        if line.startswith(b"@@ -"):
            raise InvalidRequest(
                f"line {number} of the patch begins a hunk, but no file is named above it",
                hint='Put "--- a/PATH" and "+++ b/PATH" before the hunks of each file.',
            )
        if _COMMIT.match(line) and self.sections:
            self.commit += 1
        if line.strip() and not line.startswith(_COMMON):
            self.stray.append(number)
        self.at += 1

    def _read_git_section(self) -> None:
        header = _Header(self.at + 1, pair=names.read_name_pair(self.lines[self.at][len(b"diff --git ") :]))
        self.at += 1
        while self.at < len(self.lines) and self._read_extended(header, self.lines[self.at]):
            self.at += 1
        self._skip_blank_before_names()
        if is_file_header(self.lines, self.at):
            self._read_names(header, dated=False)
        section = _git_section(header, self.commit)
        binary, left_out = self._read_binary()
        hunks = () if binary else self._read_hunks()
        self.sections.append(replace(section, hunks=hunks, binary=binary, binary_left_out=left_out))

    def _skip_blank_before_names(self) -> None:
        at = self.at
        while at < len(self.lines) and not self.lines[at].strip():
            at += 1
        if at < len(self.lines) and is_file_header(self.lines, at):
            self.at = at

    def _read_extended(self, header: _Header, line: bytes) -> bool:
        """Take one line of git's extended header; False when it is none."""
        if found := _MODE.match(line):
            header.modes[found.group(1)] = int(found.group(2), 8)
        elif found := _MOVE.match(line):
            header.move = "rename" if found.group(1) == b"rename" else "copy"
            name = names.read_plain_name(found.group(3))
            if found.group(2) in (b"from", b"old"):
                header.moved_from = name
            else:
                header.moved_to = name
        elif found := _INDEX.match(line):
            header.ids = found.group(1).decode(), found.group(2).decode()
            if found.group(3):
                header.modes[b"index"] = int(found.group(3), 8)
        else:
            return line.startswith(_PASSED_OVER)
        return True

    def _read_names(self, header: _Header, *, dated: bool) -> None:
        header.old = names.read_file_name(self.lines[self.at][4:], dated=dated)
        header.new = names.read_file_name(self.lines[self.at + 1][4:], dated=dated)
        header.has_names = True
        self.at += 2

    def _read_binary(self) -> tuple[BinaryChange | None, bool]:
        line = self.lines[self.at].rstrip() if self.at < len(self.lines) else b""
        if line == b"GIT binary patch":
            binary, self.at = read_binary(self.lines, self.at + 1, self.binary_left)
            self.binary_left -= len(binary.data)
            return binary, False
        if line.startswith((b"Binary files ", b"Files ")) and line.endswith(b" differ"):
            self.at += 1
            return None, True
        return None, False

    def _read_hunks(self) -> tuple[Hunk, ...]:
        hunks: list[Hunk] = []
        while True:
            at = self.at
            while at < len(self.lines) and not self.lines[at].strip():
                at += 1
            if at == len(self.lines) or not starts_hunk(self.lines[at]):
                return tuple(hunks)
            hunk, self.at = read_hunk(self.lines, at)
            hunks.append(hunk)

    def _read_plain_section(self) -> None:
        header = _Header(self.at + 1)
        self._read_names(header, dated=True)
        if header.old is None and header.new is None:
            raise InvalidRequest(f"line {header.line} of the patch names no file on either side")
        hunks = self._read_hunks()
        if not hunks:
            raise InvalidRequest(f"line {header.line} of the patch names a file, but no hunk follows")
        action: PatchAction = "add" if header.old is None else "delete" if header.new is None else "modify"
        parts = names.prefix_parts(header.old, header.new)
        self.sections.append(
            Section(
                "unified",
                action,
                header.old,
                header.new,
                header.line,
                hunks=hunks,
                prefix_parts=parts,
                commit=self.commit,
            )
        )


def _git_section(header: _Header, commit: int) -> Section:
    """Make a section of a header; the hunks come later."""
    action = _action(header)
    old, new = _names(header, action)
    if (old is None and action != "add") or (new is None and action != "delete"):
        raise InvalidRequest(
            f'line {header.line} of the patch: "diff --git" does not say which file is meant'
        )
    modes = header.modes
    seen = header.pair or (header.old, header.new)
    return Section(
        "git",
        action,
        None if action == "add" else old,
        None if action == "delete" else new,
        header.line,
        old_mode=modes.get(b"old mode", modes.get(b"deleted file mode", modes.get(b"index"))),
        new_mode=modes.get(b"new mode", modes.get(b"new file mode", modes.get(b"index"))),
        old_id=header.ids[0] if header.ids else None,
        new_id=header.ids[1] if header.ids else None,
        prefix_parts=names.prefix_parts(*seen),
        commit=commit,
        tolerances=_missing_header(header, action),
    )


def _action(header: _Header) -> PatchAction:
    if b"new file mode" in header.modes:
        return "add"
    if b"deleted file mode" in header.modes:
        return "delete"
    if header.move and header.moved_from and header.moved_to:
        return header.move
    if header.has_names and header.old is None:
        return "add"
    return "delete" if header.has_names and header.new is None else "modify"


def _names(header: _Header, action: PatchAction) -> tuple[RawName | None, RawName | None]:
    if action in ("rename", "copy"):
        return header.moved_from, header.moved_to
    pair = header.pair or (None, None)
    return header.old or pair[0], header.new or pair[1]


def _missing_header(header: _Header, action: PatchAction) -> tuple[Tolerance, ...]:
    expected = {"add": b"new file mode", "delete": b"deleted file mode"}.get(action)
    if expected is None or expected in header.modes:
        return ()
    detail = f'line {header.line} of the patch: "{expected.decode()}" is missing, /dev/null says the same'
    return (Tolerance(kind="missing_header", detail=detail),)
