"""What the commands of a workspace wrote."""

from typing import TYPE_CHECKING

from pyro_mcp.models.workspace import OutputText
from pyro_mcp.models.workspace_arguments import (
    Grep,
    OutputId,
    OutputLimit,
    OutputOffset,
    OutputStream,
    TailLines,
    WorkspaceRef,
)
from pyro_mcp.operations.declare import CORE, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces.outputs import reading
else:
    reading = lazily("pyro_mcp.workspaces.outputs.reading")

# More than one answer in memory should hold; `next_offset` leads on.
_WHOLE = 64 << 20


class OutputOperations(Noun):
    """`pyro.workspace.output`: read what an answer had no room for."""

    @operation("workspace_output_read", title="Read command output", effect="reads", profiles=CORE)
    def read(
        self,
        workspace: WorkspaceRef,
        output_id: OutputId,
        *,
        stream: OutputStream = "stdout",
        offset: OutputOffset = 0,
        limit: OutputLimit = None,
        tail_lines: TailLines = None,
        grep: Grep = None,
    ) -> OutputText:
        """Page, tail or grep the whole output of a command when an answer was cut."""
        return reading.read_output(
            self._sessions,
            workspace,
            output_id,
            stream=stream,
            offset=offset,
            limit=limit or _WHOLE,
            tail_lines=tail_lines,
            grep=grep,
        )
