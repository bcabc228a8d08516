"""Patches: read any form, work out what it does, tell what does not fit.

`parse_patch(data)` reads; `plan_patch(parsed, read)` gives the new content of every path, or why not. Neither touches a file.
"""

from pyro_mcp.workspaces.patch.document import ParsedPatch
from pyro_mcp.workspaces.patch.parse import parse_patch
from pyro_mcp.workspaces.patch.plan import PatchPlan, Write, plan_patch
from pyro_mcp.workspaces.patch.tree import FileState

__all__ = ["FileState", "ParsedPatch", "PatchPlan", "Write", "parse_patch", "plan_patch"]
