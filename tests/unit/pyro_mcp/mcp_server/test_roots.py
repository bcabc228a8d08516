from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.doors import MemoryEngine

from pyro_mcp import Pyro
from pyro_mcp.errors import Conflict, InvalidRequest, PolicyDenied
from pyro_mcp.mcp_server.roots import Roots
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.workspaces.export.landing import Landing


def test_what_lies_below_a_root_is_made_real(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    roots = Roots([str(tmp_path)])
    assert roots.confine("seed_path", "a") == str(tmp_path / "a")
    assert roots.confine("seed_path", f"{tmp_path}/a/../a") == str(tmp_path / "a")
    assert roots.confine("output_path", "not/there/yet") == str(tmp_path / "not/there/yet")


@pytest.mark.parametrize("path", ["..", "/", "/etc/passwd", "a/../../x", "leads-out", "leads-out/passwd"])
def test_what_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "leads-out").symlink_to("/etc")
    with pytest.raises(PolicyDenied, match="seed_path") as refused:
        Roots([str(root)]).confine("seed_path", path)
    assert (refused.value.hint or "").startswith(f"Choose a path below {root}. ")
    assert "--host-root" in (refused.value.hint or "")


def test_callers_are_told_before_they_name_a_path(tmp_path: Path) -> None:
    assert f"lie below {tmp_path}" in Roots([str(tmp_path)]).told
    assert "No path" in Roots([]).told
    for profile, said in (("workspace-core", True), ("vm-run", False)):
        server = Pyro(engine=MemoryEngine()).create_server(profile, host_roots=[str(tmp_path)])  # type: ignore[arg-type]
        assert (str(tmp_path) in (server.mcp.instructions or "")) is said


def test_a_neighbour_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(PolicyDenied):
        Roots([str(tmp_path / "root")]).confine("seed_path", str(tmp_path / "rootless"))


@pytest.mark.parametrize("path", ["a\0b", "", "a/" * 3000, "a" * 300])
def test_what_is_no_path_is_not_taken_for_one(tmp_path: Path, path: str) -> None:
    """An empty one, below all, is not the root itself."""
    with pytest.raises(InvalidRequest, match="seed_path"):
        Roots([str(tmp_path)]).confine("seed_path", path)


def test_the_working_directory_is_the_default_but_never_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Roots.given_or_default([]).confine("seed_path", ".") == str(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in (str(tmp_path), "/"):
        monkeypatch.chdir(place)
        with pytest.raises(PolicyDenied, match="no host directory"):
            Roots.given_or_default([]).confine("seed_path", str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("workspace_create", {"seed_path", "secret_files"}),
        ("workspace_disk_export", {"output_path"}),
        ("workspace_sync_push", {"source_path"}),
        ("workspace_export", {"output_path", "repository_path"}),
    ],
)
def test_every_host_path_is_marked(operation: str, arguments: set[str], tmp_path: Path) -> None:
    parameters = operation_named(operation).parameters
    assert {item.name for item in parameters if item.argument.host_path} == arguments
    for name in arguments:
        with pytest.raises(PolicyDenied):
            Roots([str(tmp_path)]).confined(parameters, {name: "/etc"})
        with pytest.raises(PolicyDenied, match=f"{name}.KEY /etc leads outside"):
            Roots([str(tmp_path)]).confined(parameters, {name: {"KEY": "/etc"}})


def test_a_directory_exchanged_for_a_link_after_the_check_leads_nowhere(tmp_path: Path) -> None:
    """What counts is where the opened directory is, not where its name led a moment before."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    for place in (root / "real", outside):
        place.mkdir(parents=True)
    roots = Roots([str(root)])
    output = Path(roots.confine("output_path", "real/out.txt"))
    (root / "real").rename(root / "aside")
    (root / "real").symlink_to(outside)
    with pytest.raises(PolicyDenied, match="output_path"):
        Landing(output, overwrite=False, confirm=partial(roots.confine, "output_path"))
    assert list(outside.iterdir()) == []


def test_a_directory_exchanged_for_a_link_after_it_was_opened_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for place in (root / "real", outside):
        place.mkdir(parents=True)
    confirm = partial(Roots([str(root)]).confine, "output_path")
    with closing(Landing(root / "real/out.txt", overwrite=False, confirm=confirm)) as landing:
        (root / "real").rename(root / "aside")
        (root / "real").symlink_to(outside)
        with landing.file(0o600):
            pass
        landing.land_file()
    assert list(outside.iterdir()) == []
    assert (root / "aside/out.txt").exists()


def test_a_path_that_changes_while_it_is_looked_at_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: object) -> str:
        raise FileNotFoundError(path)

    roots = Roots([str(tmp_path)])
    monkeypatch.setattr("os.path.realpath", gone)
    with pytest.raises(Conflict, match="changed while"):
        roots.confine("seed_path", "x")
