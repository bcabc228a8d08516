"""Whoever uses a shell by writing and reading alone, and holds what is read against what a person would see."""

import re

import pyte

from pyro_mcp import Workspace
from pyro_mcp.models.shell import ShellText

# Whatever a terminal would act on, but the end of a line and a tab.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Typist:
    """Drives one shell."""

    def __init__(self, workspace: Workspace, **options: object) -> None:
        self._shell = workspace.shell
        self.opened = workspace.shell.open(**options)  # type: ignore[arg-type]
        self.id = self.opened.shell_id

    def do(self, text: str = "", *keys: str, **waits: object) -> ShellText:
        """Type, wait for the prompt or what else is said, and give what is to be read."""
        self._shell.write(self.id, text, keys=keys)
        return self.read(**waits)

    def read(self, **waits: object) -> ShellText:
        """Read what is new, once the prompt is back or what else is waited for has come."""
        found = self._shell.read(self.id, **(waits or {"wait_for_prompt": True}))  # type: ignore[arg-type]
        assert not _CONTROL.search(found.text), repr(found.text)
        return found

    def sees_what_a_person_sees(self) -> None:
        """Give all bytes since the beginning to another terminal emulator: its screen must be the one that is read."""
        self._shell.read(self.id, wait_for_idle_ms=300)
        (about,) = [found for found in self._shell.list() if found.shell_id == self.id]
        raw, screen = (self._shell.read(self.id, cursor=0, view=view) for view in ("raw", "screen"))  # type: ignore[arg-type]
        assert not _CONTROL.search(screen.text), repr(screen.text)
        assert (raw.dropped_bytes, raw.cursor) == (0, screen.cursor)
        judge = pyte.Screen(about.cols, about.rows)
        pyte.ByteStream(judge).feed(raw.raw or b"")
        assert (
            screen.text.splitlines()
            == "\n".join(line.rstrip() for line in judge.display).rstrip().splitlines()
        )
