"""Patches: read any form, work out what it does, tell what does not fit.

`parse_patch(data)` reads; `plan_patch(parsed, read)` gives the new content of every path, or why not. Neither touches a
file; `applying.py` carries a plan out in a workspace.
"""

from pyro_mcp.workspaces.patch.planning.plan import PatchPlan, Write, plan_patch
from pyro_mcp.workspaces.patch.planning.tree import FileState
from pyro_mcp.workspaces.patch.reading.document import ParsedPatch
from pyro_mcp.workspaces.patch.reading.parse import parse_patch

__all__ = ["FileState", "ParsedPatch", "PatchPlan", "Write", "parse_patch", "plan_patch"]
