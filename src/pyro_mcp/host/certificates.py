"""Which certificates this host trusts beside those of its distribution: a company's gateway signs with one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyro_mcp.errors import HostUnfit

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----")
# Where an administrator puts them: Debian and its kin, Fedora, openSUSE.
_ADDED = ("/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors", "/etc/pki/trust/anchors")
# What distributions ship: what a bundle has beyond that was added. Only Debian keeps it apart.
_SHIPPED = "/usr/share/ca-certificates"
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# They travel in one message to the guest.
MOST_BYTES = 40_000


def added_certificates(root: Path = Path("/"), variables: Iterable[str] | None = None) -> str:
    """Give them as PEM, one after the other, each once; raise HostUnfit for more than a guest can be given."""
    named = variables if variables is not None else [os.environ.get(name, "") for name in _BUNDLES]
    added = dict.fromkeys(pem for folder in _ADDED for pem in _in_folder(root / folder[1:]))
    shipped = frozenset(_in_folder(root / _SHIPPED[1:]))
    if shipped:
        bundles = [root / _BUNDLE[1:], *(Path(path) for path in named if path)]
        added |= dict.fromkeys(pem for path in bundles for pem in _in_file(path) if pem not in shipped)
    text = "".join(f"{pem}\n" for pem in added)
    if len(text) > MOST_BYTES:
        raise HostUnfit(
            f"this host has {len(added)} certificates of its own, more than a machine can be given",
            details=f"{len(text)} bytes; the most is {MOST_BYTES}",
            hint="Leave them out with <<no_host_ca=true>>, and add the one that is needed inside the machine.",
        )
    return text


def _in_folder(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".crt", ".pem") and path.is_file():
            yield from _in_file(path)


def _in_file(path: Path) -> Iterator[str]:
    """Certificates as their base64 alone tells them apart: line lengths differ between files."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return
    for found in _PEM.findall(text):
        body = "".join(found.split("-----")[2].split())
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        yield f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----"
