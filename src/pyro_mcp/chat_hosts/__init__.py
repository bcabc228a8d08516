"""Chat hosts: the programs that start `pyro mcp serve`, where each keeps its configuration, and what to write there."""
