"""Find a user in the workspace's own /etc/passwd, without libc: its lookups would load the environment's plugins."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyro_wire.faults import FaultError


@dataclass(frozen=True, slots=True)
class User:
    """Whom a command runs as."""

    name: str
    uid: int
    gid: int
    home: str
    groups: tuple[int, ...]


_LARGEST_ID = 2**32 - 2
ROOT = User("root", 0, 0, "/root", (0,))


def find_user(wanted: str, passwd: str, group: str) -> User:
    """Return the user of that name or number; an unlisted number is one, too. `USER:GROUP` has that group and no others."""
    name, colon, group_wanted = wanted.partition(":")
    user = _find(name, passwd, group)
    if not colon:
        return user
    gid = _find_group(group_wanted, group)
    return replace(user, gid=gid, groups=(gid,))


def _find(wanted: str, passwd: str, group: str) -> User:
    for line in passwd.splitlines():
        user = _user(line, group)
        if user is not None and wanted in (user.name, str(user.uid)):
            return user
    if wanted in ("root", "0"):
        return ROOT
    if _is_id(wanted):
        return User(wanted, int(wanted), int(wanted), "/", ())
    raise FaultError(
        "invalid_request",
        f"no user {wanted!r} in this workspace",
        hint="name one of its /etc/passwd, or a uid",
    )


def _find_group(wanted: str, group: str) -> int:
    for line in group.splitlines():
        fields = line.split(":")
        if len(fields) >= 3 and _is_id(fields[2]) and wanted in (fields[0], fields[2]):
            return int(fields[2])
    if _is_id(wanted):
        return int(wanted)
    raise FaultError(
        "invalid_request",
        f"no group {wanted!r} in this workspace",
        hint="name one of its /etc/group, or a gid",
    )


def _is_id(text: str) -> bool:
    """Whether it is a number that the kernel takes for a user or group."""
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST_ID


def _user(line: str, group: str) -> User | None:
    fields = line.split(":")
    if len(fields) < 6 or not _is_id(fields[2]) or not _is_id(fields[3]):
        return None
    gid = int(fields[3])
    return User(fields[0], int(fields[2]), gid, fields[5] or "/", _groups(fields[0], gid, group))


def _groups(name: str, gid: int, group: str) -> tuple[int, ...]:
    listed = {gid}
    for line in group.splitlines():
        fields = line.split(":")
        if len(fields) >= 4 and _is_id(fields[2]) and name in fields[3].split(","):
            listed.add(int(fields[2]))
    return tuple(sorted(listed))
