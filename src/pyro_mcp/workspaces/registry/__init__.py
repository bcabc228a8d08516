"""What pyro knows about this host, in one SQLite database: workspaces, snapshots, layers, machines, events, resources.

One module per noun; each function takes a `Reading` or a `Change` (database.py), so that the caller decides what is one
transaction. See docs/design/registry.md.
"""

from pyro_mcp.workspaces.registry.database import Change, Reading, Registry

__all__ = ["Change", "Reading", "Registry"]
