"""`pyro workspace`: all that is done with workspaces; most of its commands are read off their operations."""

from pyro_mcp.cli.nouns import NounGroup

workspace = NounGroup(
    "workspace",
    help="Linux machines that stay: create, work in, roll back, fork, delete.",
    by_hand={
        "workspace.list": "pyro_mcp.cli.commands.several:list_",
        "workspace.exec": "pyro_mcp.cli.commands.exec:exec_",
        "workspace.exec-wait": "pyro_mcp.cli.commands.exec:exec_wait",
        "workspace.output.read": "pyro_mcp.cli.commands.output:read",
        "workspace.export": "pyro_mcp.cli.commands.export:export",
        "workspace.delete": "pyro_mcp.cli.commands.several:delete",
        "workspace.fork": "pyro_mcp.cli.commands.several:fork",
        "workspace.shell.read": "pyro_mcp.cli.commands.shell:read",
        "workspace.file.read": "pyro_mcp.cli.commands.file:read",
        "workspace.file.write": "pyro_mcp.cli.commands.file:write",
        "workspace.file.edit": "pyro_mcp.cli.commands.file:edit",
        "workspace.service.start": "pyro_mcp.cli.commands.service:start",
        "workspace.patch.apply": "pyro_mcp.cli.commands.patch:apply",
    },
    for_people={
        "attach": (
            "pyro_mcp.cli.commands.attach:attach_",
            "Attach your terminal to a workspace shell: the one named, else the newest, else a new one.",
        ),
    },
    below={
        "workspace.output": "What commands wrote.",
        "workspace.sync": "Later changes of this computer.",
        "workspace.file": "Files, without a shell.",
        "workspace.patch": "Patches.",
        "workspace.service": "Servers and other long-running processes.",
        "workspace.disk": "The disks of stopped workspaces.",
        "workspace.snapshot": "Named states to go back to or fork from.",
        "workspace.shell": "Terminals that stay open, read as text.",
    },
)
