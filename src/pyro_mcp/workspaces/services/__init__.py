"""Services of a workspace, and the ports of this host that lead to them."""
