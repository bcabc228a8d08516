"""Go through a page as its reader would: type what it says to type, and look whether it prints what it says it prints."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.pages.blocks import Block, Command, blocks, commands, name_of
from tests.pages.projects import project_for
from tests.pages.shell import Shell
from tests.pages.table import BEFORE, NOT_RUN, found_in
from tests.pages.told import differences

from pyro_mcp import Pyro
from pyro_mcp.host.paths import Paths

SHELLS = ("sh", "bash", "console")
_FAILS = re.compile(r"^(error: |pyro: exit status [1-9])")
_READER = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def go_through(page: Path) -> list[str]:
    """Give what is not as the page says. Whatever workspaces it leaves are deleted."""
    # As short as a person's home is: long paths are cut in tables.
    with TemporaryDirectory(prefix="home-", dir="/tmp") as name:
        home = Path(name)
        # Where it is without PYRO_HOME, too: a host that is started from a desktop has no variables of the shell.
        (home / ".cache").mkdir()
        (home / ".cache/pyro").symlink_to(Paths.from_environment().cache.resolve())
        try:
            with Shell(home, project_for(name_of(page), home), _READER) as shell:
                return [wrong for block in blocks(page) for wrong in _wrong(block, name_of(page), shell)]
        finally:
            for found in Pyro().workspace.list():
                Pyro().workspace.delete(found.workspace_id)


def _wrong(block: Block, page: str, shell: Shell) -> Iterator[str]:
    if block.language in SHELLS:
        for command in commands(block):
            if found_in(NOT_RUN, page, command.text) is None:
                yield from _typed(command, page, shell)
    elif block.language == "python":
        (shell.home / "block.py").write_text(block.text)
        yield from _typed(Command(block.line, "python ~/block.py", None), page, shell)


def _typed(command: Command, page: str, shell: Shell) -> Iterator[str]:
    if before := found_in(BEFORE, page, command.text):
        status, said = shell.run(before)
        assert status == 0, "\n".join([before, *said])
    status, said = shell.run(command.text)
    shell.hear("\n".join(command.told or ()), "\n".join(said))
    where = f"{page}:{command.line}: {command.text}"
    if (status != 0) != any(_FAILS.match(line) for line in command.told or ()):
        yield "\n".join([where, f"exit status {status}", *said])
    elif command.told is not None and (wrong := differences(command.told, said, str(shell.home))):
        yield f"{where}\n{wrong}"
