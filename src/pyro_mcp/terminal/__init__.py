"""A terminal in memory: what programs write becomes what a person would read. Pure: bytes in, lines and answers out."""
