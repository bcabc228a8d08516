"""Which requests only look: told apart where a line breaks and nobody can know any more what the rest of them did."""

# Of the agent's verbs and the keeper's. A verb that is not here changes something.
READING = frozenset(
    {
        "ping",
        "file.stat",
        "file.read",
        "tree.list",
        "tree.manifest",
        "tree.read",
        "tree.search",
        "tree.changes",
        "keeper.status",
        "keeper.shell.list",
        "keeper.shell.read",
    }
)
