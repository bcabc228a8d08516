"""What was done with a workspace: a chain of events, what its keeper decided of the network, and how both are read."""
