"""`pyro workspace`: all that is done with workspaces; most of its commands are read off their operations."""

from pyro_mcp.cli.nouns import NounGroup

workspace = NounGroup(
    "workspace",
    help="Linux machines that stay: create, work in, roll back, fork, delete.",
    by_hand={"workspace.exec": "pyro_mcp.cli.commands.exec:exec_"},
    below={
        "workspace.output": "What commands wrote.",
        "workspace.snapshot": "Named states to go back to or fork from.",
    },
)
