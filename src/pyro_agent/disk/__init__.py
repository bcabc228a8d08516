"""The disk under a workspace: what is mounted where, and paths that cannot lead out of its root."""
