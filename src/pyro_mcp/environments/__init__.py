"""The root filesystems that machines boot, and the guest kit that boots them: built once, cached by content."""
