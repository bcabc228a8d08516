"""The `pyro` command line."""
