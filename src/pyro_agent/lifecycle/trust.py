"""Let the guest's programs trust the certificates that its host has added: behind a company's gateway nothing works without."""

from __future__ import annotations

import os

from pyro_agent.base import system
from pyro_agent.disk import mounts

_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_FOLDER = "usr/local/share/ca-certificates"
# OpenSSL's own default, for programs that are started without variables.
_OPENSSL, _OPENSSL_FILE = "usr/lib/ssl", "cert.pem"
_LARGEST_BUNDLE = 4 << 20
_END = "-----END CERTIFICATE-----\n"


def trust(root: int, certificates: str) -> None:
    """Add certificates (PEM) to the workspace's store, where `update-ca-certificates` finds them again; costs nothing twice."""
    present = mounts.read_text(root, _BUNDLE, _LARGEST_BUNDLE) or ""
    if certificates in present:
        return
    for number, certificate in enumerate(certificates.split(_END)[:-1], start=1):
        mounts.write_text(root, f"{_FOLDER}/pyro-host-{number}.crt", certificate + _END)
    whole = present if not present or present.endswith("\n") else present + "\n"
    mounts.write_text(root, _BUNDLE, whole + certificates)
    _link_openssl(root)


def _link_openssl(root: int) -> None:
    try:
        folder = system.open_in_root(root, _OPENSSL, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return  # an environment without OpenSSL
    try:
        os.symlink(f"/{_BUNDLE}", _OPENSSL_FILE, dir_fd=folder)
    except OSError:
        return  # it has one
    finally:
        os.close(folder)
