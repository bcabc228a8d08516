"""Diffs: two states of some files in, what git would say about them out.

`diff_trees(changes)` compares; the result renders itself as a patch that `git apply` takes, as `--stat` or as `--name-status`.
"""

from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.report import TreeDiff, diff_trees

__all__ = ["Change", "Entry", "TreeDiff", "diff_trees"]
