"""Two states that both know what differs from the seed."""

from pyro_mcp.workspaces.diff.between import State, change, differ
from pyro_mcp.workspaces.diff.entries import Entry
from pyro_mcp.workspaces.files.guest_files import GuestFile, Record


def file(content: str, mode: int = 0o644) -> GuestFile:
    return GuestFile("file", mode, len(content), sha256=content, content=content.encode())


def state(**changed: tuple[GuestFile | None, GuestFile | None]) -> State:
    """What a state says: by name, how it was seeded and how it is."""
    return {
        name.encode(): Record(name.encode(), old, new, omitted=False) for name, (old, new) in changed.items()
    }


SEEDED, NEW, NEWER = file("seeded"), file("new"), file("newer")


def entry(found: GuestFile) -> Entry:
    return Entry("regular", found.content, size=found.size)


def test_what_only_one_state_changed_is_in_the_other_as_it_was_seeded() -> None:
    changed = state(a=(SEEDED, NEW))
    assert differ(b"a", changed, {})
    assert differ(b"a", {}, changed)
    assert change(b"a", changed, {}).new == entry(SEEDED)
    assert change(b"a", {}, changed).old == entry(SEEDED)
    assert change(b"a", {}, changed).new == entry(NEW)


def test_what_both_changed_is_compared_as_it_is_now() -> None:
    one, other = state(a=(SEEDED, NEW)), state(a=(SEEDED, NEWER))
    assert differ(b"a", one, other)
    assert not differ(b"a", one, state(a=(SEEDED, NEW)))
    assert differ(b"a", one, state(a=(SEEDED, file("new", 0o755))))
    assert (change(b"a", one, other).old, change(b"a", one, other).new) == (entry(NEW), entry(NEWER))


def test_what_one_state_removed_is_gone_there() -> None:
    removed, kept = state(a=(SEEDED, None)), state(a=(SEEDED, NEW))
    assert change(b"a", kept, removed).new is None
    assert change(b"a", removed, kept).old is None
    assert change(b"a", removed, {}).new == entry(SEEDED)
    assert change(b"a", state(a=(None, NEW)), {}).new is None
    assert not differ(b"a", removed, state(a=(SEEDED, None)))
