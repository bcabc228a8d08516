"""The line between host and guest: frames, streams and messages. Standard library only, no I/O."""
