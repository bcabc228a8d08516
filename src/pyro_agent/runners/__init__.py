"""Processes forked ahead, and all that lies between one of them and the command that it becomes."""
