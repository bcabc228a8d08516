"""The words that start pyro still hold when its environment is upgraded, moved on, or thrown away."""

from pathlib import Path

import pytest

from pyro_mcp.chat_hosts.launching import Installed, launcher, requirement_of


def _installed(root: Path, *, prefix: str, on_path: Path | None = None, uvx: Path | None = None) -> Installed:
    where = root / prefix
    return Installed(where, where / "bin" / "python", root / "uv", on_path, uvx, "pyro-mcp==1.2.3")


def _program(root: Path, prefix: str) -> Path:
    program = root / prefix / "bin" / "pyro"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    return program


def test_a_virtual_environment_is_named_itself(tmp_path: Path) -> None:
    program = _program(tmp_path, "venv")
    assert launcher(_installed(tmp_path, prefix="venv")) == (str(program),)


def test_a_tool_is_named_by_its_link(tmp_path: Path) -> None:
    program = _program(tmp_path, "tools/pyro-mcp")
    link = tmp_path / "local" / "pyro"
    link.parent.mkdir()
    link.symlink_to(program)
    assert launcher(_installed(tmp_path, prefix="tools/pyro-mcp", on_path=link)) == (str(link),)


def test_another_pyro_on_the_path_is_not_named(tmp_path: Path) -> None:
    program, other = _program(tmp_path, "venv"), _program(tmp_path, "other")
    assert launcher(_installed(tmp_path, prefix="venv", on_path=other)) == (str(program),)


def test_a_throwaway_environment_of_uvx_is_never_named(tmp_path: Path) -> None:
    _program(tmp_path, "uv/archive-v0/abc")
    uvx = tmp_path / "uvx"
    found = launcher(_installed(tmp_path, prefix="uv/archive-v0/abc", uvx=uvx))
    assert found == (str(uvx), "--from", "pyro-mcp==1.2.3", "pyro")


def test_without_a_program_the_module_is_run(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    assert launcher(_installed(tmp_path, prefix="venv")) == (str(python), "-m", "pyro_mcp")


def test_this_very_pyro_can_be_started() -> None:
    assert Path(launcher(Installed.here())[0]).exists()


@pytest.mark.parametrize(
    ("record", "requirement"),
    [
        (None, "pyro-mcp==1.2.3"),
        ('{"url": "file:///src/pyro", "dir_info": {}}', "pyro-mcp @ file:///src/pyro"),
        (
            '{"url": "https://example.org/pyro.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            "pyro-mcp @ git+https://example.org/pyro.git@abc",
        ),
    ],
)
def test_uvx_is_told_where_it_came_from(record: str | None, requirement: str) -> None:
    assert requirement_of("1.2.3", record) == requirement
