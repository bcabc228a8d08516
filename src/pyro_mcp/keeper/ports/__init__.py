"""The way in: ports of this host, and what goes through them to the guest."""
