"""What a push believes of a workspace, held against a walk of all of it: random seeds, random changes in the guest.

PYRO_PUSH_ROUNDS sets how many random changes are tried, PYRO_PUSH_SEED which; a failure names both.
"""

import os
import random
from pathlib import Path

import pytest
from tests.opened import Opened, Opening, opening, outliving

from pyro_mcp.errors import Conflict
from pyro_mcp.workspaces.push.held import held
from pyro_mcp.workspaces.push.run import push_sync
from pyro_mcp.workspaces.seeding.manifest import Manifest
from pyro_mcp.workspaces.seeding.select import SeedOptions, select

__all__ = ["opening"]
pytestmark = outliving
_ROUNDS = int(os.environ.get("PYRO_PUSH_ROUNDS", "12"))
_SEED = int(os.environ.get("PYRO_PUSH_SEED", "77"))
_NAMES = ("a", "b", "c.py", "d e")
# Whatever a guest can do to a tree: the same few names again and again, so that things meet.
_MEDDLE = r"""
import os, random, shutil, sys
chance = random.Random(sys.argv[1])
names = sys.argv[2:]
def somewhere():
    found = [top for top, _, _ in os.walk(".") if "/.git" not in top]
    return os.path.join(chance.choice(found), chance.choice(names))
def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
def write(path):
    with open(path, "w") as file:
        file.write(chance.choice(["same", "mine", "longer than that"]))
for _ in range(8):
    path, other = somewhere(), somewhere()
    what = chance.randrange(9)
    try:
        if what == 0: remove(path)
        elif what == 1: os.rename(path, other)
        elif what == 2: remove(path); os.makedirs(os.path.join(path, chance.choice(names)))
        elif what == 3: os.chmod(path, chance.choice([0o700, 0o755, 0o750]))
        elif what == 4: remove(path); os.symlink(chance.choice(names), path)
        elif what == 5: remove(path); os.mkfifo(path)
        elif what == 6: os.utime(path)
        else: remove(path); write(path)
    except OSError:
        pass
"""


@pytest.mark.timeout(60 + 10 * _ROUNDS)
def test_a_push_believes_just_what_a_walk_of_everything_would_tell(opening: Opening, tmp_path: Path) -> None:
    chance = random.Random(_SEED)
    host = tmp_path / "host"
    _grow(host, chance)
    with opening(host) as opened:
        (tmp_path / "meddle.py").write_text(_MEDDLE)
        with opened.using() as session:
            push_sync(session, opened.sessions, str(tmp_path), dest="/opt")
        for number in range(_ROUNDS):
            opened.run(f"python3 /opt/meddle.py {_SEED}-{number} {' '.join(map(repr, _NAMES))}")
            _grow(host, chance)
            _compared(opened, host, f"{_SEED=} {number=}")
            if number % 3 == 2:
                _pushed(opened, host, f"{_SEED=} {number=}")


def _compared(opened: Opened, host: Path, which: str) -> None:
    record = opened.sessions.record(opened.id)
    assert record.seed_digest
    seeded = {path: item for path, item in opened.sessions.seeds.manifest(record.seed_digest).items() if path}
    entries = select(host, SeedOptions()).entries
    with opened.using() as session:
        walked = held(session, "/workspace", None, {}, (), delete=True)
        everything = held(session, "/workspace", b"", seeded, entries, delete=True)
        needed = held(session, "/workspace", b"", seeded, entries, delete=False)
    assert _timeless(everything) == _timeless(walked), which
    wanted = {entry.path for entry in entries} | set(seeded)
    assert {path: item for path, item in _timeless(needed).items() if path in wanted} == {
        path: item for path, item in _timeless(walked).items() if path in wanted
    }, which
    assert _timeless(needed).items() <= _timeless(walked).items(), which


def _pushed(opened: Opened, host: Path, which: str) -> None:
    """A push that is refused changes nothing. One that takes the host's side leaves what only the guest changed, and
    a second one finds nothing to do."""
    with opened.using() as session:
        before = _timeless(held(session, "/workspace", None, {}, (), delete=True))
        try:
            report = push_sync(session, opened.sessions, str(host), delete=True)
        except Conflict:
            assert _timeless(held(session, "/workspace", None, {}, (), delete=True)) == before, which
            report = push_sync(session, opened.sessions, str(host), delete=True, overwrite=True)
        found = held(session, "/workspace", None, {}, (), delete=True)
        again = push_sync(session, opened.sessions, str(host), delete=True)
    assert (again.changed, again.removed) == (0, 0), which
    assert set(report.kept) <= set(again.kept), which
    for entry in select(host, SeedOptions()).entries:
        above = [b"/".join(entry.path.split(b"/")[:depth]) for depth in range(1, entry.path.count(b"/") + 2)]
        assert entry.path in found or not entry.path or {*map(os.fsdecode, above)} & {*again.kept}, which


def _timeless(manifest: Manifest) -> Manifest:
    return {path: item._replace(mtime=0) for path, item in manifest.items()}


def _grow(host: Path, chance: random.Random) -> None:
    """Make the host's tree, or change it: a few files, folders and links of the same names."""
    host.mkdir(exist_ok=True)
    for _ in range(12):
        place = host.joinpath(*chance.choices(_NAMES, k=chance.randrange(1, 4)))
        if any(above.is_symlink() or above.is_file() for above in place.parents if host in above.parents):
            continue
        if place.is_symlink() or place.is_file():
            place.unlink()
        if place.is_dir():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if chance.random() < 0.2:
            place.symlink_to(chance.choice(_NAMES))
        else:
            place.write_text(chance.choice(["same", "other", "longer than that"]))
