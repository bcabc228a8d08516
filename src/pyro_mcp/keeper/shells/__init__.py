"""Shells: terminals that outlive the clients that opened them, as long as their machine runs."""
