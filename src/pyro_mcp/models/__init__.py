"""What callers hand in and see: data only.

Frozen dataclasses rather than pydantic models: importing pydantic costs 200 ms, a third of a whole `pyro run`. The MCP
server, which needs JSON Schemas, has pydantic read the same classes.
"""
