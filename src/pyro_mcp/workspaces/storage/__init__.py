"""Where workspaces keep their files on this host, and who else stands on the same cache."""
