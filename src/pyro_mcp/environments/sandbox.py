"""Run the build tools where they can neither outlive pyro nor reach past their own directory's owner.

Everything runs in a process and a mount namespace of its own: when the first process of it dies, the kernel kills the rest
and drops its mounts. Root needs no more; anybody else also gets a user namespace in which he is root and his subordinate
ids are the other users.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from pyro_mcp.errors import HostUnfit, LimitReached, PyroError
from pyro_mcp.host.processes import child
from pyro_mcp.host.programs import search_path
from pyro_mcp.host.waiting import wait_until

# Enough to hold apt's complaint about every mirror, and little enough to read.
_LAST_LINES = 30
_DISK_FULL = ("No space left on device", "Disk quota exceeded", "You don't have enough free space")
_PACKAGES = {
    "unshare": "util-linux",
    "newuidmap": "uidmap",
    "mmdebstrap": "mmdebstrap",
    "mksquashfs": "squashfs-tools",
    "sqfstar": "squashfs-tools",
}
# C, so that messages can be recognised; no variable of the user's reaches a maintainer script but the proxy's.
_KEPT_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


# Turns a tool's last words into the error that its caller should see; None when they say nothing special.
Diagnose = Callable[[str], PyroError | None]
Feed = Callable[[IO[bytes]], None]


def wrapped(argv: Sequence[str], *, privileged: bool) -> list[str]:
    """Give the command line that runs `argv` in namespaces of its own (as root in them)."""
    own_users = [] if privileged else ["--user", "--map-auto", "--map-root-user"]
    return ["unshare", *own_users, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *argv]


def require_tools(*names: str) -> None:
    """Raise HostUnfit, naming the Debian packages, when a program is not installed."""
    needed = ["unshare", *names] if os.geteuid() == 0 else ["unshare", "newuidmap", *names]
    missing = [name for name in needed if shutil.which(name, path=search_path()) is None]
    if missing:
        packages = " ".join(sorted({_PACKAGES[name] for name in missing}))
        raise HostUnfit(
            f"building needs {' and '.join(missing)}",
            hint=f"Install what is missing: sudo apt-get install {packages}",
        )


def run(
    argv: Sequence[str],
    *,
    scratch: Path,
    on_line: Callable[[str], None] = lambda _line: None,
    diagnose: Diagnose = lambda _last_words: None,
    settings: Mapping[str, str] | None = None,
    feed: Feed | None = None,
) -> None:
    """Run a build tool to its end, handing each line it prints to `on_line`; `feed` writes what it is to read.

    It dies with the calling thread, and with a `feed` that raises.
    Raises what `diagnose` makes of its last words, LimitReached when the disk is full,
    HostUnfit otherwise, always with the last words as details.
    """
    command = wrapped(argv, privileged=os.geteuid() == 0)
    last: deque[str] = deque(maxlen=_LAST_LINES)
    variables = _variables(scratch) | dict(settings or {})

    def hear(output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode(errors="replace").rstrip()
                last.append(text)
                on_line(text)

    stdin = subprocess.PIPE if feed else subprocess.DEVNULL
    with child(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables) as tool:
        assert tool.stdout is not None
        if feed is None:
            hear(tool.stdout)
        else:
            _converse(tool, feed, hear)
        status = tool.wait()
    if status != 0:
        last_words = "\n".join(last)
        raise diagnose(last_words) or _failure(argv[0], status, last_words)


def _converse(tool: subprocess.Popen[bytes], feed: Feed, hear: Callable[[IO[bytes]], None]) -> None:
    """Write to a tool while another thread hears it: one that is not heard stops reading."""
    assert tool.stdin is not None
    listener = threading.Thread(target=hear, args=(tool.stdout,), daemon=True)
    listener.start()
    with suppress(BrokenPipeError), tool.stdin as pipe:  # one that ended early has said why
        feed(pipe)
    listener.join()


def remove_tree(directory: Path) -> None:
    """Remove a directory of ours, also where files in it belong to our subordinate users; silent when it is gone."""
    # A builder just killed may still be in the middle of its last write.
    wait_until(lambda: _is_removed(directory), what=f"{directory} to be empty", timeout=10)


def _is_removed(directory: Path) -> bool:
    try:
        shutil.rmtree(directory)
    except FileNotFoundError:
        return not directory.exists()
    except PermissionError:
        run(["rm", "-rf", "--one-file-system", "--", str(directory)], scratch=directory.parent)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def _failure(tool: str, status: int, last_words: str) -> PyroError:
    if any(words in last_words for words in _DISK_FULL):
        return LimitReached(
            "the disk is full",
            details=last_words,
            hint="Free some room (pyro env prune may), then try again.",
        )
    if "unshare" in last_words or "newuidmap" in last_words or "uid_map" in last_words:
        return HostUnfit("user namespaces do not work here", details=last_words, hint=_namespaces_hint())
    return HostUnfit(f"{tool} failed with status {status}", details=last_words)


def _namespaces_hint() -> str:
    if os.geteuid() == 0:
        return "Building makes mounts, which this container does not allow: run pyro on the host, or with CAP_SYS_ADMIN."
    return (
        "Building without root needs user namespaces, the package uidmap, and a range in /etc/subuid and /etc/subgid: "
        "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER. On Ubuntu 23.10 and later also "
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0. Or run `sudo pyro`."
    )


def _variables(scratch: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {"PATH": search_path(), "LC_ALL": "C.UTF-8", "TMPDIR": str(scratch), "HOME": "/root"} | kept
