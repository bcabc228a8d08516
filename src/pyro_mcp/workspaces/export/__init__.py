"""Copy out of a workspace: whatever a guest sends, nothing on the host is written outside of what was asked for."""

from pyro_mcp.workspaces.export.run import export_workspace

__all__ = ["export_workspace"]
