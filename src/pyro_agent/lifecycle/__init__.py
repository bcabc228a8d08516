"""What becomes of the machine as a whole: it gets its disk, its identity and its secrets, is frozen, and lets go."""
