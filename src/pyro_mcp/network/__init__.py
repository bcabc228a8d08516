"""What a machine may reach: pure decisions, without a socket. The keeper's egress acts on them."""
