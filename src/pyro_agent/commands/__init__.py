"""Verbs that run a command for as long as their stream is open: with pipes, or on a terminal."""
