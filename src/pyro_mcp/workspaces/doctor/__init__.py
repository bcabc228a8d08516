"""Whether this host can run machines, fact by fact, each with the command that mends it."""

from pyro_mcp.workspaces.doctor.examination import examine, forget_what_is_known

__all__ = ["examine", "forget_what_is_known"]
