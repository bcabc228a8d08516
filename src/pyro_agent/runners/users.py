"""Find a user in the workspace's own /etc/passwd, without libc: its lookups would load the environment's plugins."""

from __future__ import annotations

from dataclasses import dataclass

from pyro_wire.faults import FaultError


@dataclass(frozen=True, slots=True)
class User:
    """Whom a command runs as."""

    name: str
    uid: int
    gid: int
    home: str
    groups: tuple[int, ...]


ROOT = User("root", 0, 0, "/root", (0,))


def find_user(wanted: str, passwd: str, group: str) -> User:
    """Return the user of that name or number. An unlisted number is a user too."""
    for line in passwd.splitlines():
        user = _user(line, group)
        if user is not None and wanted in (user.name, str(user.uid)):
            return user
    if wanted in ("root", "0"):
        return ROOT
    if wanted.isascii() and wanted.isdigit():
        return User(wanted, int(wanted), int(wanted), "/", ())
    raise FaultError(
        "invalid_request",
        f"no user {wanted!r} in this workspace",
        hint="name one of its /etc/passwd, or a uid",
    )


def _user(line: str, group: str) -> User | None:
    fields = line.split(":")
    if len(fields) < 6 or not fields[2].isdigit() or not fields[3].isdigit():
        return None
    gid = int(fields[3])
    return User(fields[0], int(fields[2]), gid, fields[5] or "/", _groups(fields[0], gid, group))


def _groups(name: str, gid: int, group: str) -> tuple[int, ...]:
    listed = {gid}
    for line in group.splitlines():
        fields = line.split(":")
        if len(fields) >= 4 and fields[2].isdigit() and name in fields[3].split(","):
            listed.add(int(fields[2]))
    return tuple(sorted(listed))
