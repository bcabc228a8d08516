"""The machine itself: its directory, its restore, its snapshots, and the logs that it leaves."""
