"""Commands in a workspace."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pyro_mcp.host.interruption import current_interruption
from pyro_mcp.models.arguments import Command, EnvMapping, OutputListener, Stdin, TimeoutSeconds
from pyro_mcp.models.secret_arguments import SecretEnv
from pyro_mcp.models.workspace import ExecResult
from pyro_mcp.models.workspace_arguments import (
    ExecAction,
    ExecId,
    GuestDirectory,
    MaxOutputChars,
    WaitSeconds,
    WorkspaceRef,
    YieldAfterSeconds,
)
from pyro_mcp.operations.declare import CORE, FULL, operation
from pyro_mcp.operations.given import input_of, words_of
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces import exec as commands
else:
    commands = lazily("pyro_mcp.workspaces.exec")

_NOTHING: Mapping[str, str] = {}
# With a listener the answer's own text is left empty; asking for none of it saves reading it back.
_LEAST_CHARS = 1
# Commands that were left running and never asked for again are forgotten at some time.
_MOST_REMEMBERED = 1000


class Commands(Noun):
    """The part of `pyro.workspace` that runs commands."""

    @operation(
        "workspace_exec", title="Run command", effect="changes", profiles=CORE, only_in={"secret_env": FULL}
    )
    def exec(
        self,
        workspace: WorkspaceRef,
        command: Command,
        *,
        cwd: GuestDirectory = "/workspace",
        env: EnvMapping = _NOTHING,
        stdin: Stdin = None,
        timeout_seconds: TimeoutSeconds = 600,
        yield_after_seconds: YieldAfterSeconds = None,
        max_output_chars: MaxOutputChars = None,
        secret_env: SecretEnv = _NOTHING,
        on_output: OutputListener = None,
    ) -> ExecResult:
        """Run a command in a workspace, as root. A stopped one is started first. What the command leaves running ends with it.

        A command that fails is an answer, not an error. With `on_output` the output is told as it comes, as the stream's
        name and bytes, and the answer's is empty; all of it is kept for `output.read`. `stdin` may be an open file.
        """
        request = commands.ExecRequest(
            command=words_of(command),
            cwd=cwd,
            env=dict(env),
            stdin=input_of(stdin),
            timeout_seconds=timeout_seconds,
            yield_after_seconds=yield_after_seconds,
            max_output_chars=_LEAST_CHARS if on_output else self._answer_chars(max_output_chars),
            secret_env=dict(secret_env),
        )
        result = commands.exec_command(self._sessions, workspace, request, on_output, current_interruption())
        if on_output is None:
            return self._remembered(result)
        return replace(result, stdout="", stderr="", stdout_truncated=False, stderr_truncated=False)

    @operation("workspace_exec_wait", title="Wait for command", effect="changes", profiles=CORE)
    def exec_wait(
        self,
        workspace: WorkspaceRef,
        exec_id: ExecId,
        *,
        wait_seconds: WaitSeconds = 25,
        action: ExecAction = "wait",
    ) -> ExecResult:
        """Wait for a command that still runs, poll it, interrupt it or kill it.

        The answer has all that it wrote so far; through MCP, what it wrote since the last answer.
        """
        result = commands.wait_for_exec(
            self._sessions,
            workspace,
            exec_id,
            wait_seconds=wait_seconds,
            action=action,
            max_output_chars=self._answer_chars(None),
            told=(self._scope.told or {}).get(exec_id, commands.NOTHING_TOLD),
            interruption=current_interruption(),
        )
        return self._remembered(result)

    def _remembered(self, result: ExecResult) -> ExecResult:
        """Keep in mind how much the caller has had, where it is to hear each thing once: until the end is told."""
        if (told := self._scope.told) is not None:
            told.pop(result.exec_id, None)
            if result.outcome == "running":
                told[result.exec_id] = commands.Told(result.stdout_bytes, result.stderr_bytes)
                while len(told) > _MOST_REMEMBERED:
                    told.pop(next(iter(told)), None)
        return result

    def _answer_chars(self, asked: int | None) -> int | None:
        """The room in an answer: what the caller asks for, else what its door has."""
        limit = self._scope.output_limit
        return asked or (None if limit is None else 2 * limit)
