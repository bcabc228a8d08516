"""From what a patch says to what it would do to the files that it meets."""
