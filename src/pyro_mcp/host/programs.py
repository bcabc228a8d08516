"""Where this host's programs are."""

import os


def search_path() -> str:
    """The PATH to look in: the user's, and the system directories that an ordinary user's often lacks (mkfs.ext4 is there)."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
