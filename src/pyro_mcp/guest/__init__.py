"""The agent as the host sees it: greet it, ask it, and read its answers without trusting them."""
