"""Warming reads what is there, follows links inside the environment only, and takes nothing for granted."""

from __future__ import annotations

from pathlib import Path

from pyro_agent.warm import warm


def test_an_empty_environment_is_as_good_as_any(tmp_path: Path) -> None:
    assert warm(str(tmp_path)) == 0


def test_programs_are_read_once_through_links_that_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr/bin/dash").write_bytes(b"x" * 1000)
    (tmp_path / "usr/bin/sh").symlink_to("dash")
    (tmp_path / "usr/bin/bash").symlink_to("/usr/bin/dash")
    (tmp_path / "usr/bin/git").symlink_to("git")
    (tmp_path / "usr/bin/env").symlink_to("/nowhere")
    assert warm(str(tmp_path)) == 1000
