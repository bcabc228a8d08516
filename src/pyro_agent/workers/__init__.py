"""Processes beside the agent for all that may take long, so that its loop never waits for a disk."""
