"""What workers can do, by verb."""

from __future__ import annotations

from pyro_agent.apply import apply_tree
from pyro_agent.changes import list_changes
from pyro_agent.files import read_file
from pyro_agent.search import search_tree
from pyro_agent.tree_list import list_contents, list_tree, read_tree
from pyro_agent.work import Job

JOBS: dict[str, Job] = {
    "file.read": read_file,
    "tree.list": list_tree,
    "tree.manifest": list_contents,
    "tree.read": read_tree,
    "tree.search": search_tree,
    "tree.changes": list_changes,
    "tree.apply": apply_tree,
}
