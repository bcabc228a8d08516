"""Verbs that look at files and change none: read, list, search, and compare with the seed."""
