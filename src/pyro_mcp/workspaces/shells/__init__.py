"""Terminals of a workspace: open one, type into it, read what it shows, and wait for what it does."""
