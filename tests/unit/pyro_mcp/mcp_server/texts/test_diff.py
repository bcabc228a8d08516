"""Changes as a model reads them: a cut hides no file, and one line tells how to go on."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pyro_mcp.mcp_server.bounds import MOST_TEXT
from pyro_mcp.mcp_server.texts.by_operation import BOUNDED, TEXTS
from pyro_mcp.mcp_server.texts.diff import diff_text, overview
from pyro_mcp.models.diff import DiffFormat, WorkspaceDiff
from pyro_mcp.workspaces.diff import Change, Entry, diff_trees


def _diff(files: Mapping[str, int], format: DiffFormat = "patch") -> WorkspaceDiff:
    """New files with so many lines each."""
    entries = {path: Entry("regular", b"a line\n" * count) for path, count in files.items()}
    return diff_trees([Change(path.encode(), None, entry) for path, entry in entries.items()]).to_model(
        format
    )


def test_a_change_that_fits_is_told_as_it_is() -> None:
    found = _diff({"a.py": 1})
    assert diff_text(found, MOST_TEXT) == f"1 file changed, +1 -0\n{found.patch}".rstrip()


def test_a_cut_patch_begins_with_all_files_and_ends_with_one_line_that_leads_on() -> None:
    found = _diff({"a.py": 10, "ledger/core.py": 9000, "z.py": 10})
    text = TEXTS["workspace_diff"](found)
    assert len(text) <= MOST_TEXT
    lines = text.split("\n")
    assert lines[:5] == [
        "3 files changed, +9020 -0",
        "added a.py +10 -0",
        "added ledger/core.py +9000 -0",
        "added z.py +10 -0",
        "---",
    ]
    assert lines[-2] == "---"
    shown = len("\n".join(lines[5:-2])) + 1
    patch = found.patch or ""
    assert (
        lines[-1]
        == f'Cut at {shown:,} of {len(patch):,} characters: give paths=["ledger/core.py"] for one file.'
    )
    assert patch.startswith("\n".join(lines[5:-2]) + "\n")
    assert text.lower().count("cut") == 1
    assert "workspace_diff" in BOUNDED


def test_one_file_alone_that_is_too_long_leads_to_all_of_it() -> None:
    text = diff_text(_diff({"a.py": 9000}), MOST_TEXT)
    assert text.endswith("workspace_export with format=patch has all of it.")


@pytest.mark.parametrize("format", ["stat", "name-status"])
def test_long_lists_are_folded_by_directory(format: DiffFormat) -> None:
    found = _diff(
        {f"lib/p{number % 40}/deep/x{number}.py": 1 for number in range(3000)} | {"a.py": 1}, format
    )
    text = diff_text(found, MOST_TEXT)
    assert len(text) <= MOST_TEXT
    assert "added a.py +1 -0" in text
    assert "75 files below lib/p0/deep/ +75 -0" in text
    assert "3,000 files below lib/ +3000 -0" in overview(found.files, 200)


def test_more_directories_than_there_is_room_for_are_counted() -> None:
    found = _diff({f"d{number}/{name}": 1 for number in range(500) for name in "ab"}, "stat")
    text = overview(found.files, 1000)
    assert len(text) <= 1000
    assert text.endswith("more such lines")


def test_what_is_not_shown_is_counted_and_led_to() -> None:
    found = replace(_diff({"a.py": 1}), ignored=1, generated=1489)
    assert diff_text(found).startswith(
        "1 file changed, +1 -0, and 1 file that git ignores, and 1,489 generated files; include_ignored shows them\n"
    )
    nothing = replace(_diff({}), generated=2)
    assert (
        diff_text(nothing) == "Nothing else is changed, only 2 generated files; include_ignored shows them."
    )


def test_a_path_of_nothing_is_not_told_as_unchanged() -> None:
    assert diff_text(_diff({})) == "Nothing is changed."
    found = replace(_diff({}), unmatched=("ledger/cor.py", "*.rs"))
    assert diff_text(found) == "No such path, before or now: ledger/cor.py, *.rs"
