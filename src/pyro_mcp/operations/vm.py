"""Throwaway machines: one command, one machine, gone afterwards."""

from dataclasses import replace

from pyro_mcp.host.interruption import current_interruption
from pyro_mcp.models.run import OnOutput, RunRequest, RunResult
from pyro_mcp.operations.engine import Engine
from pyro_mcp.operations.kept_output import KeptOutput


def run_command(
    engine: Engine, request: RunRequest, on_output: OnOutput | None, limit: int | None
) -> RunResult:
    """Run, and keep the output in the answer unless `on_output` takes it."""
    if on_output is not None:
        return engine.run(request, on_output, current_interruption())
    kept = {"stdout": KeptOutput(limit), "stderr": KeptOutput(limit)}
    result = engine.run(request, lambda stream, data: kept[stream].add(data), current_interruption())
    return replace(
        result,
        stdout=kept["stdout"].text(),
        stderr=kept["stderr"].text(),
        stdout_truncated=kept["stdout"].truncated,
        stderr_truncated=kept["stderr"].truncated,
    )
