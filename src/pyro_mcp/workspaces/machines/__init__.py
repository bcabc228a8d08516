"""Machines: what makes them (shop, making, granting), and the ones of workspaces (starting, running)."""
