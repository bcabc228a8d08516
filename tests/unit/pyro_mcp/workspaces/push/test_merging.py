"""One path, three versions of it: what it was, what the host has, what the workspace has."""

import pytest

from pyro_mcp.workspaces.push.merging import Verdict, merge
from pyro_mcp.workspaces.seeding.manifest import Item


def file(digest: bytes, mode: int = 0o644) -> Item:
    return Item("file", mode, 1, 0, digest)


def folder(mode: int = 0o755) -> Item:
    return Item("directory", mode, 0, 0, b"")


def link(target: bytes) -> Item:
    return Item("symlink", 0o777, 1, 0, target)


OLD, NEW, MINE = file(b"old"), file(b"new"), file(b"mine")
TOLD = Verdict("nothing", 0o644)
TAKEN = Verdict("all", 0o644)
KEPT = Verdict("nothing", 0o644, kept=True)


@pytest.mark.parametrize(
    ("base", "host", "there", "verdict"),
    [
        pytest.param(OLD, OLD, OLD, TOLD, id="nobody changed it"),
        pytest.param(OLD, NEW, NEW, TOLD, id="both changed it to the same"),
        pytest.param(None, NEW, NEW, TOLD, id="both added the same"),
        pytest.param(OLD, NEW, OLD, TAKEN, id="the host changed it"),
        pytest.param(None, NEW, None, TAKEN, id="the host added it"),
        pytest.param(OLD, OLD, MINE, KEPT, id="the workspace changed it"),
        pytest.param(OLD, OLD, None, KEPT, id="the workspace deleted it"),
        pytest.param(OLD, NEW, MINE, TAKEN._replace(clash="changed on both sides"), id="both changed it"),
        pytest.param(None, NEW, MINE, TAKEN._replace(clash="added on both sides"), id="both added it"),
        pytest.param(
            OLD,
            NEW,
            None,
            TAKEN._replace(clash="changed on the host, deleted in the workspace"),
            id="changed here, deleted there",
        ),
        # modes
        pytest.param(OLD, file(b"old", 0o755), OLD, Verdict("mode", 0o755), id="the host's mode"),
        pytest.param(OLD, OLD, file(b"old", 0o755), Verdict("nothing", 0o755, kept=True), id="its own mode"),
        pytest.param(OLD, NEW, file(b"old", 0o755), Verdict("all", 0o755), id="the host's content, its mode"),
        pytest.param(OLD, file(b"old", 0o755), MINE, Verdict("mode", 0o755, kept=True), id="its content"),
        pytest.param(
            OLD,
            file(b"old", 0o755),
            file(b"old", 0o600),
            Verdict("mode", 0o755, clash="mode 755 on the host, 600 in the workspace"),
            id="both changed the mode",
        ),
        pytest.param(
            None,
            file(b"new", 0o755),
            NEW,
            Verdict("mode", 0o755, clash="mode 755 on the host, 644 in the workspace"),
            id="both added it, one of them to be executed",
        ),
        pytest.param(None, file(b"new", 0o664), NEW, Verdict("mode", 0o664), id="another umask"),
        pytest.param(None, folder(0o775), folder(), Verdict("mode", 0o775), id="a folder of another umask"),
        pytest.param(
            OLD,
            file(b"old", 0o755),
            None,
            Verdict("all", 0o755, clash="changed on the host, deleted in the workspace"),
            id="mode here, deleted there",
        ),
        # kinds
        pytest.param(OLD, folder(), OLD, Verdict("all", 0o755), id="a folder on the host now"),
        pytest.param(OLD, OLD, folder(), KEPT, id="a folder in the workspace now"),
        pytest.param(
            OLD,
            folder(),
            MINE,
            Verdict("all", 0o755, clash="changed on both sides"),
            id="a folder here, changed there",
        ),
        pytest.param(
            OLD,
            NEW,
            folder(),
            TAKEN._replace(clash="changed on both sides"),
            id="changed here, a folder there",
        ),
        pytest.param(
            OLD,
            link(b"new"),
            link(b"mine"),
            Verdict("all", 0o777, clash="changed on both sides"),
            id="two links for a file",
        ),
        # links
        pytest.param(link(b"old"), link(b"new"), link(b"old"), Verdict("all", 0o777), id="the host's link"),
        pytest.param(
            link(b"old"),
            link(b"old"),
            link(b"mine")._replace(mode=0),
            Verdict("nothing", 0o777, kept=True),
            id="its own link",
        ),
        pytest.param(link(b"old"), link(b"old"), link(b"old")._replace(mode=0), Verdict("nothing", 0o777)),
        pytest.param(
            link(b"old"),
            link(b"new"),
            None,
            Verdict("all", 0o777, clash="changed on the host, deleted in the workspace"),
            id="a link here, none there",
        ),
    ],
)
def test_what_becomes_of_a_path(base: Item | None, host: Item, there: Item | None, verdict: Verdict) -> None:
    assert merge(base, host, there) == verdict
