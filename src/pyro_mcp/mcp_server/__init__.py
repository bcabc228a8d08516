"""The MCP server: operations as tools."""
