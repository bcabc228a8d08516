"""A machine's way out: every name and connection that its agent asks for is decided and carried out here."""
