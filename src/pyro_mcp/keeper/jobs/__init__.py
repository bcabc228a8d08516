"""The commands of a workspace, kept and followed whether or not who started them is still there."""
