"""What happened in a workspace, in facts for a reviewer."""
