"""Files of a workspace, looked at and changed without a shell; all others here go through `guest_files` and `guest_changes`."""
