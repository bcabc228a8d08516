"""Have mmdebstrap make a Debian root: its command line as data, its output as progress, its failures as pyro's errors."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from pyro_mcp.environments import sandbox
from pyro_mcp.errors import HostUnfit, InvalidRequest, PyroError
from pyro_mcp.progress import Step

ARCHIVE = "http://deb.debian.org"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Kept in the root as well, so that apt and dpkg go on like this inside. Copyright files stay: they are the licences.
_APT_OPTIONS = ('Acquire::Languages "none"', 'Acquire::Retries "2"', 'APT::Install-Recommends "false"')
_DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/bug/*",
)
_UNREACHABLE = re.compile(
    r"Could not resolve|Temporary failure resolving|Could not connect|Unable to connect|Connection (failed|refused|timed out)"
    r"|Failed to fetch|Cannot initiate the connection|Network is unreachable"
)
_UNKNOWN_PACKAGE = re.compile(
    r"Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate"
)


@dataclass(frozen=True)
class Bootstrap:
    """One run of mmdebstrap: what goes into the directory `target`, and which shell lines run on the way ($1 is the root)."""

    suite: str
    variant: str
    packages: Sequence[str]
    target: Path
    hooks: Sequence[str] = ()


def sources(suite: str, archive: str = ARCHIVE) -> list[str]:
    """List the lines of sources.list: the release, its updates, its security fixes; all signed by Debian's own keys."""
    signed = f"deb [signed-by={_KEYRING}]"
    return [
        f"{signed} {archive}/debian {suite} main",
        f"{signed} {archive}/debian {suite}-updates main",
        f"{signed} {archive}/debian-security {suite}-security main",
    ]


def command(bootstrap: Bootstrap, archive: str = ARCHIVE) -> list[str]:
    """Give mmdebstrap's command line."""
    hook = (
        "extract-hook" if bootstrap.variant == "extract" else "customize-hook"
    )  # extract mode runs no later ones
    return [
        "mmdebstrap",
        "--verbose",  # apt's own lines, for progress
        "--mode=root",  # inside sandbox.run(), where we are root
        "--format=directory",
        "--skip=output/dev",  # no device nodes: a user namespace cannot make them, and guests have devtmpfs
        "--architectures=amd64",
        f"--variant={bootstrap.variant}",
        *([f"--include={','.join(bootstrap.packages)}"] if bootstrap.packages else []),
        *(f"--aptopt={option}" for option in _APT_OPTIONS),
        *(f"--dpkgopt={option}" for option in _DPKG_OPTIONS),
        *(f"--{hook}={line}" for line in bootstrap.hooks),
        bootstrap.suite,
        str(bootstrap.target),
        *sources(bootstrap.suite, archive),
    ]


def bootstrap(wanted: Bootstrap, scratch: Path, step: Step) -> int:
    """Make the root, and return the date of the archive it came from, in seconds since 1970.

    Raises HostUnfit when the archive cannot be reached, InvalidRequest for a package it does not have or a script that fails.
    """
    sandbox.require_tools("mmdebstrap", "mksquashfs", "sqfstar")
    if not _KEYRING.exists():
        raise HostUnfit(
            "Debian's archive keys are not here",
            hint="Install them: sudo apt-get install debian-archive-keyring",
        )
    dates, meter = scratch / "dates", _Meter(step, wanted.variant)
    note_dates = f'grep -h ^Date: "$1"/var/lib/apt/lists/*InRelease > {shlex.quote(str(dates))}'
    with_dates = Bootstrap(
        wanted.suite, wanted.variant, wanted.packages, wanted.target, [*wanted.hooks, note_dates]
    )
    archive = os.environ.get("PYRO_DEBIAN_MIRROR", ARCHIVE).rstrip("/")
    sandbox.run(
        command(with_dates, archive),
        scratch=scratch,
        on_line=meter.read,
        diagnose=lambda last_words: diagnose(last_words, archive),
        settings=_proxy(os.environ),
    )
    return newest_date(dates.read_text())


def diagnose(last_words: str, archive: str = ARCHIVE) -> PyroError | None:
    """Recognise the failures that a person can do something about."""
    if unknown := _UNKNOWN_PACKAGE.search(last_words):
        name = unknown[1] or unknown[2]
        return InvalidRequest(
            f"Debian has no package {name}",
            details=last_words,
            hint="Names are listed at https://packages.debian.org; correct the recipe's packages.",
        )
    if _UNREACHABLE.search(last_words):
        return HostUnfit(
            f"the Debian archive at {archive} cannot be reached",
            details=last_words,
            hint="Check the network and http_proxy, or name another mirror in PYRO_DEBIAN_MIRROR, then try again.",
        )
    if "pyro-script" in last_words:
        return InvalidRequest("the recipe's script failed", details=last_words)
    return None


def newest_date(dates: str) -> int:
    """Find the latest of some `Date:` lines, in seconds since 1970."""
    return max(
        int(parsedate_to_datetime(line.partition(":")[2].strip()).timestamp()) for line in dates.splitlines()
    )


class _Meter:
    """Counts packages in the lines of apt and dpkg: those set up, or those fetched where they are only unpacked."""

    _EXPECTED = re.compile(r"\d+ upgraded, (\d+) newly installed")
    _GOT = re.compile(r"Get:\d+ \S+ \S+ \S+ (\S+)")

    def __init__(self, step: Step, variant: str) -> None:
        self._step = step
        self._only_fetched = variant == "extract"
        self._rounds_left = 1 if self._only_fetched else 2  # the essential packages come first
        self._packages = 0

    def read(self, line: str) -> None:
        if expected := self._EXPECTED.match(line):
            self._expect(int(expected[1]))
        elif line.startswith("Setting up "):
            self._step.advance(1)
            self._step.note(f"setting up {line.split()[2]}")
        elif got := self._GOT.match(line):
            self._fetched(got[1])
        elif line.startswith("I: "):
            self._step.note(line[3:])

    def _expect(self, packages: int) -> None:
        self._packages += packages
        self._rounds_left -= 1
        # Before the last round the total is not known, and a bar that falls back is worse than none.
        if self._rounds_left == 0:
            self._step.reach(self._step.done, self._packages)

    def _fetched(self, package: str) -> None:
        if self._packages and self._only_fetched:
            self._step.advance(1)
        self._step.note(f"downloading {package}" if self._packages else "downloading package lists")


def _proxy(variables: Mapping[str, str]) -> dict[str, str]:
    """Give apt the proxy of the host's own apt, where no variable names one; as an apt option it would stay in the root."""
    if "http_proxy" in variables:
        return {}
    try:
        found = subprocess.run(
            ["apt-config", "dump", "--format=%v", "Acquire::http::Proxy"],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    address = found.stdout.strip()
    return {"http_proxy": address} if address.startswith("http") else {}
