"""Terminals that stay open."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pyro_mcp.host.interruption import current_interruption
from pyro_mcp.models.arguments import EnvMapping
from pyro_mcp.models.secret_arguments import SecretEnv
from pyro_mcp.models.shell import ShellInfo, ShellText, ShellWritten
from pyro_mcp.models.shell_arguments import (
    AppendNewline,
    Cols,
    Keys,
    Rows,
    ShellChars,
    ShellCursor,
    ShellId,
    ShellInput,
    Signal,
    View,
    WaitIdle,
    WaitPattern,
    WaitPrompt,
    WaitTimeout,
)
from pyro_mcp.models.workspace_arguments import GuestDirectory, WorkspaceRef
from pyro_mcp.operations.declare import FULL, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces.shells import reading, using
else:
    reading = lazily("pyro_mcp.workspaces.shells.reading")
    using = lazily("pyro_mcp.workspaces.shells.using")

_NOTHING: Mapping[str, str] = {}


class ShellOperations(Noun):
    """`pyro.workspace.shell`: terminals for what is asked and answered step by step, and for full-screen programs."""

    @operation("shell_open", effect="changes", profiles=FULL)
    def open(
        self,
        workspace: WorkspaceRef,
        *,
        cwd: GuestDirectory = "/workspace",
        cols: Cols = 120,
        rows: Rows = 30,
        env: EnvMapping = _NOTHING,
        secret_env: SecretEnv = _NOTHING,
    ) -> ShellText:
        """Open a terminal with a shell, for interactive programs and a state that stays.

        Answers at the first prompt. Bash where the environment has it, else sh. For single commands `exec` is simpler.
        """
        request = using.OpenRequest(
            cwd=cwd,
            cols=cols,
            rows=rows,
            env=dict(env),
            secret_env=dict(secret_env),
            max_chars=self._scope.output_limit,
        )
        return using.open_shell(self._sessions, workspace, request)

    @operation("shell_write", effect="changes", profiles=FULL)
    def write(
        self,
        workspace: WorkspaceRef,
        shell_id: ShellId,
        input: ShellInput = "",
        *,
        append_newline: AppendNewline = True,
        keys: Keys = (),
        wait_for_idle_ms: WaitIdle = None,
        wait_for_pattern: WaitPattern = None,
        wait_for_prompt: WaitPrompt = False,
        timeout_seconds: WaitTimeout = 25,
    ) -> ShellWritten:
        """Type into a shell, or press keys; with a wait the answer has what came of it, else read it then."""
        if wait_for_pattern is not None:
            reading.require_pattern(wait_for_pattern)  # before anything is typed: who corrects it types again
        written = using.write_shell(
            self._sessions,
            workspace,
            shell_id,
            input,
            newline=append_newline and not keys,
            keys=tuple(keys),
        )
        if wait_for_idle_ms is None and wait_for_pattern is None and not wait_for_prompt:
            return written
        request = reading.ReadRequest(
            max_chars=self._scope.output_limit,
            wait_for_idle_ms=wait_for_idle_ms,
            wait_for_pattern=wait_for_pattern,
            wait_for_prompt=wait_for_prompt,
            timeout_seconds=timeout_seconds,
            match_from=written.cursor,
        )
        read = reading.read_shell(self._sessions, workspace, shell_id, request, current_interruption())
        return replace(written, read=read)

    @operation("shell_read", effect="reads", profiles=FULL)
    def read(
        self,
        workspace: WorkspaceRef,
        shell_id: ShellId,
        *,
        cursor: ShellCursor = None,
        max_chars: ShellChars = None,
        view: View = "text",
        wait_for_idle_ms: WaitIdle = None,
        wait_for_pattern: WaitPattern = None,
        wait_for_prompt: WaitPrompt = False,
        timeout_seconds: WaitTimeout = 25,
    ) -> ShellText:
        """Read a shell as a person would, after the first of its waits comes true.

        Control sequences are carried out, progress bars at their last state. The answer tells whether the shell prompts, and
        the last command's exit code.
        """
        request = reading.ReadRequest(
            cursor=cursor,
            max_chars=max_chars,
            view=view,
            wait_for_idle_ms=wait_for_idle_ms,
            wait_for_pattern=wait_for_pattern,
            wait_for_prompt=wait_for_prompt,
            timeout_seconds=timeout_seconds,
        )
        return reading.read_shell(self._sessions, workspace, shell_id, request, current_interruption())

    @operation("shell_signal", title="Signal shell", effect="changes", profiles=FULL)
    def signal(self, workspace: WorkspaceRef, shell_id: ShellId, signal: Signal = "INT") -> ShellInfo:
        """Signal what runs in the foreground of a shell."""
        return using.signal_shell(self._sessions, workspace, shell_id, signal)

    @operation("shell_resize", effect="changes", profiles=FULL)
    def resize(self, workspace: WorkspaceRef, shell_id: ShellId, *, cols: Cols, rows: Rows) -> ShellInfo:
        """Give a shell's terminal another size."""
        return using.resize_shell(self._sessions, workspace, shell_id, cols=cols, rows=rows)

    @operation("shell_close", effect="destroys", profiles=FULL)
    def close(self, workspace: WorkspaceRef, shell_id: ShellId) -> ShellInfo:
        """End a shell and all that runs in it."""
        return using.close_shell(self._sessions, workspace, shell_id)

    @operation("shell_list", title="List shells", effect="reads", profiles=FULL)
    def list(self, workspace: WorkspaceRef) -> list[ShellInfo]:
        """List a workspace's shells."""
        return using.list_shells(self._sessions, workspace)
