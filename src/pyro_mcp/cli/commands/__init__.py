"""The commands that are more than "call, then print"."""
