import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.patch import parse_patch
from pyro_mcp.workspaces.patch.reading.document import ParsedPatch


def kinds(patch: ParsedPatch) -> set[str]:
    """Gather all that was tolerated."""
    everything = [*patch.tolerances]
    for section in patch.sections:
        everything += [*section.tolerances, *(note for hunk in section.hunks for note in hunk.tolerances)]
    return {note.kind for note in everything}


def test_text_without_a_change_is_refused_with_what_is_expected() -> None:
    with pytest.raises(InvalidRequest, match="no change") as caught:
        parse_patch(b"I could not find the bug.\n")
    assert "Begin Patch" in (caught.value.hint or "")


def test_fences_and_prose_around_a_patch_are_passed_over_and_told() -> None:
    patch = parse_patch(b"Sure!\n```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n```\nDone.\n")
    assert len(patch.sections) == 1
    assert kinds(patch) == {"surrounding_text"}
    assert "(lines 1, 9)" in patch.tolerances[0].detail


def test_right_counts_keep_lines_that_look_like_headers() -> None:
    patch = parse_patch(b"--- a/x\n+++ b/x\n@@ -1,2 +1,1 @@\n--- minus\n-+++ plus\n+new\n")
    assert [line.op for line in patch.sections[0].hunks[0].lines] == ["-", "-", "+"]


def test_wrong_counts_are_counted_again() -> None:
    patch = parse_patch(
        b"--- a/x\n+++ b/x\n@@ -1,9 +1,1 @@\n a\n-b\n+c\n\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert [len(section.hunks[0].lines) for section in patch.sections] == [3, 2]
    assert kinds(patch) == {"hunk_counts"}


def test_counts_that_are_too_small_lose_nothing() -> None:
    patch = parse_patch(b"--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n a\n\n-b\n+c\n")
    assert [line.op for line in patch.sections[0].hunks[0].lines] == [" ", " ", "-", "+"]


def test_a_change_below_a_line_that_belongs_to_no_hunk_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="line 5 of the patch is inside a hunk"):
        parse_patch(b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\nstray\n-b\n+c\n")


def test_a_context_line_without_its_space_passes_where_the_counts_prove_it() -> None:
    patch = parse_patch(b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\nstray\n-b\n+c\n")
    assert kinds(patch) == {"line_prefix"}


def test_a_patch_that_travelled_as_crlf_text_loses_the_cr() -> None:
    patch = parse_patch(b"--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-a\r\n+b\r\n")
    assert patch.sections[0].hunks[0].new_lines() == [b"b"]
    assert kinds(patch) == {"patch_line_endings"}


def test_a_file_with_crlf_keeps_it() -> None:
    patch = parse_patch(b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+b\r\n")
    assert patch.sections[0].hunks[0].new_lines() == [b"b\r"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"@@ -1 +1 @@\n-a\n+b\n", "no file is named"),
        (b"diff --cc x\n@@@ -1 -1 +1 @@@\n", "combined diff"),
        (b"*** x\n--- y\n***************\n*** 1 ****\n", "context diff"),
        (b"--- a/x\n+++ b/x\n", "no hunk follows"),
        (b"--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "no file on either side"),
        (b"diff --git a/x b/x\nGIT binary patch\nnonsense\n", "literal SIZE"),
        (b"diff --git a/x b/x\nGIT binary patch\nliteral 5\nzz\n", "damaged"),
        (b"diff --git a/x b/x\nGIT binary patch\nliteral 9999999999\n\n", "more than"),
        (b'diff --git "a/\\q" "b/\\q"\nold mode 100644\n', "unknown escape"),
        (b"*** Begin Patch\n*** Update File: x\n*** End Patch\n", "no hunk"),
        (b"*** Begin Patch\n*** Add File: x\n+a\nb\n*** End Patch\n", 'lack their "\\+"'),
        (b"*** Begin Patch\n*** Rename File: x\n*** End Patch\n", "neither a file nor the end"),
        (b"*** Begin Patch\n*** Delete File: x\n*** End Patch\n*** Begin Patch\n", "a second patch begins"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(text: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        parse_patch(text)


def test_an_envelope_is_read_whole() -> None:
    patch = parse_patch(
        b"*** Begin Patch\n*** Add File: new\n+one\n+\n*** Delete File: old\n*** Update File: a\n*** Move to: b\n"
        b"@@ class A\n@@ def f\n x\n-y\n+z\n*** End of File\n*** End Patch\n"
    )
    add, delete, rename = patch.sections
    assert (add.action, add.hunks[0].new_lines()) == ("add", [b"one", b""])
    assert (delete.action, delete.old and delete.old.text) == ("delete", b"old")
    assert (rename.action, rename.hunks[0].anchors, rename.hunks[0].at_end) == (
        "rename",
        (b"class A", b"def f"),
        True,
    )
    assert not kinds(patch)


def test_an_envelope_without_its_first_and_last_line_is_tolerated() -> None:
    patch = parse_patch(b"*** Update File: a\n@@\n-y\n+z\n")
    assert len(patch.sections) == 1
    assert kinds(patch) == {"envelope"}


def test_an_envelope_may_hold_a_unified_diff() -> None:
    patch = parse_patch(b"*** Begin Patch\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n*** End Patch\n")
    assert patch.sections[0].form == "unified"
    assert kinds(patch) == {"envelope"}


def test_a_mail_series_is_read_as_commits_that_build_on_each_other() -> None:
    mail = (
        b"From %s Mon Sep 17 00:00:00 2001\nSubject: x\n\n---\n x | 2 +-\n\n"
        b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-%d\n+%d\n-- \n2.39.5\n\n"
    )
    patch = parse_patch(mail % (b"a" * 40, 1, 2) + mail % (b"b" * 40, 2, 3))
    assert [section.commit for section in patch.sections] == [0, 1]
    assert [len(section.hunks[0].lines) for section in patch.sections] == [2, 2]
