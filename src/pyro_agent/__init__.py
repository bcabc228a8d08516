"""The program inside the guest: it carries out the host's requests and decides nothing."""
