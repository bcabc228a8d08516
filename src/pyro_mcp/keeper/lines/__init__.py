"""The loop that everything in a keeper waits in, and the lines that meet there: clients' and the agent's."""
