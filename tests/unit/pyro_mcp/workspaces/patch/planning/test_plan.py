import hashlib

import pytest
from tests.unit.pyro_mcp.workspaces.trees import Tree, patched, read_from

from pyro_mcp.errors import Conflict, InvalidRequest
from pyro_mcp.models.patch import HunkOutcome, PatchedFile, PatchReport
from pyro_mcp.workspaces.patch import PatchPlan, parse_patch, plan_patch

FUNCTIONS = b"class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 1\n"


def tree(**files: bytes) -> Tree:
    return {name.encode(): ("regular", content) for name, content in files.items()}


def unified(path: str, *hunks: str) -> bytes:
    return f"--- a/{path}\n+++ b/{path}\n{''.join(hunks)}".encode()


def report_of(old: Tree, patch: bytes) -> PatchReport:
    return patched(old, patch)[1].report


def only_file(report: PatchReport) -> PatchedFile:
    (file,) = report.files
    return file


def only_hunk(report: PatchReport) -> HunkOutcome:
    (hunk,) = only_file(report).hunks
    return hunk


def kinds(report: PatchReport) -> set[str]:
    found: set[str] = {note.kind for note in report.tolerances}
    for file in report.files:
        found |= {note.kind for note in file.tolerances}
        found |= {note.kind for hunk in file.hunks for note in hunk.tolerances}
    return found


class TestPlacing:
    def test_a_hunk_off_its_line_is_found_and_the_offset_told(self) -> None:
        after, plan = patched(tree(x=b"0\n0\n0\na\nb\n"), unified("x", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"))
        assert after == tree(x=b"0\n0\n0\na\nc\n")
        hunk = only_hunk(plan.report)
        assert (hunk.line, hunk.offset, kinds(plan.report)) == (4, 3, {"offset"})

    def test_two_places_equally_good_are_refused_with_their_lines(self) -> None:
        old = tree(x=b"a\nb\na\nb\n0\n")
        hunk = only_hunk(report_of(old, unified("x", "@@ -9,2 +9,2 @@\n a\n-b\n+c\n")))
        assert (hunk.applied, hunk.candidates) == (False, (1, 3))

    def test_the_exact_line_decides_between_equal_places(self) -> None:
        after, _ = patched(tree(x=b"a\nb\na\nb\n0\n"), unified("x", "@@ -3,2 +3,2 @@\n a\n-b\n+c\n"))
        assert after == tree(x=b"a\nb\na\nc\n0\n")

    def test_a_neighbour_with_the_same_offset_decides(self) -> None:
        old = tree(x=b"0\n0\nstart\na\nb\n1\na\nb\n")
        after, plan = patched(
            old, unified("x", "@@ -1,1 +1,1 @@\n-start\n+begin\n", "@@ -5,2 +5,2 @@\n a\n-b\n+c\n")
        )
        assert after == tree(x=b"0\n0\nbegin\na\nb\n1\na\nc\n")
        assert [hunk.offset for hunk in only_file(plan.report).hunks] == [2, 2]

    def test_hunks_out_of_order_are_placed_by_their_text(self) -> None:
        after, plan = patched(
            tree(x=b"a\nb\nc\n"), unified("x", "@@ -3 +3 @@\n-c\n+C\n", "@@ -1 +1 @@\n-a\n+A\n")
        )
        assert after == tree(x=b"A\nb\nC\n")
        assert "hunk_order" in kinds(plan.report)

    def test_hunks_may_share_lines_that_neither_changes(self) -> None:
        first, second = "@@ -1,3 +1,3 @@\n-a\n+A\n b\n c\n", "@@ -2,3 +2,4 @@\n b\n c\n+new\n d\n"
        after, _ = patched(tree(x=b"a\nb\nc\nd"), unified("x", first, second))
        assert after == tree(x=b"A\nb\nc\nnew\nd")

    def test_the_same_hunk_twice_is_refused(self) -> None:
        hunk = "@@ -1,2 +1,3 @@\n a\n+new\n b\n"
        assert not report_of(tree(x=b"a\nb\nc\n"), unified("x", hunk, hunk)).applicable

    def test_two_hunks_for_the_same_lines_are_refused(self) -> None:
        report = report_of(tree(x=b"a\nb\n"), unified("x", "@@ -1 +1 @@\n-a\n+A\n", "@@ -1 +1 @@\n-a\n+B\n"))
        assert not report.applicable

    def test_added_lines_without_context_need_proof_of_where_they_belong(self) -> None:
        content = b"a\nb\n"
        hunk = "@@ -1,0 +2,1 @@\n+new\n"
        assert not report_of(tree(x=content), unified("x", hunk)).applicable
        id = hashlib.sha1(b"blob 4\0" + content).hexdigest()[:7]
        proven = f"diff --git a/x b/x\nindex {id}..1234567 100644\n".encode() + unified("x", hunk)
        assert patched(tree(x=content), proven)[0] == tree(x=b"a\nnew\nb\n")

    @pytest.mark.parametrize(
        ("old", "hunk"),
        [
            (b"a\nb\n", "@@ -1,2 +1,4 @@\n a\n b\n+c\n+d\n"),
            (b"a\nb\n", "@@ -1,2 +1,3 @@\n+import x\n a\n b\n"),
            (b"a\nb\n", "@@ -1,2 +1,4 @@\n+import x\n a\n b\n+c\n"),
        ],
    )
    def test_what_is_added_at_the_edge_of_a_hunk_is_not_added_twice(self, old: bytes, hunk: str) -> None:
        """Its old lines are there after the first time, too; git looks for the end or the beginning of the file."""
        once, _ = patched(tree(x=old), unified("x", hunk))
        outcome = only_hunk(report_of(once, unified("x", hunk)))
        assert (outcome.applied, "applied before" in (outcome.reason or "")) == (False, True)

    def test_blank_lines_and_lines_like_others_are_added_at_an_edge(self) -> None:
        after, _ = patched(tree(x=b"a\n\nb\n"), unified("x", "@@ -2,2 +2,3 @@\n+\n \n b\n"))
        assert after == tree(x=b"a\n\n\nb\n")
        after, _ = patched(tree(x=b"}\n}\n"), unified("x", "@@ -1,2 +1,3 @@\n }\n }\n+}\n"))
        assert after == tree(x=b"}\n}\n}\n")

    def test_an_anchor_chooses_the_block(self) -> None:
        patch = b"*** Begin Patch\n*** Update File: x\n@@ def g(self):\n-        return 1\n+        return 2\n*** End Patch\n"
        after, _ = patched(tree(x=FUNCTIONS), patch)
        assert after == tree(x=FUNCTIONS[:-2] + b"2\n")

    def test_without_the_anchor_the_same_hunk_is_ambiguous(self) -> None:
        patch = (
            b"*** Begin Patch\n*** Update File: x\n@@\n-        return 1\n+        return 2\n*** End Patch\n"
        )
        assert only_hunk(report_of(tree(x=FUNCTIONS), patch)).candidates == (3, 6)

    def test_an_anchor_that_is_not_there_is_told_when_the_text_is_there_once(self) -> None:
        hunk = b"     def g(self):\n-        return 1\n+        return 2\n"
        patch = b"*** Begin Patch\n*** Update File: x\n@@ def h(self):\n" + hunk + b"*** End Patch\n"
        assert kinds(report_of(tree(x=FUNCTIONS), patch)) == {"anchor"}

    def test_end_of_file_appends(self) -> None:
        patch = b"*** Begin Patch\n*** Update File: x\n@@\n+c\n*** End of File\n*** End Patch\n"
        assert patched(tree(x=b"a\nb\n"), patch)[0] == tree(x=b"a\nb\nc\n")


class TestTolerance:
    def test_a_crlf_file_keeps_its_line_ends(self) -> None:
        after, plan = patched(tree(x=b"a\r\nb\r\nc"), unified("x", "@@ -1,2 +1,3 @@\n a\n-b\n+B\n+B2\n"))
        assert after == tree(x=b"a\r\nB\r\nB2\r\nc")
        assert kinds(plan.report) == {"line_endings"}

    def test_whitespace_at_the_end_of_lines_is_forgiven_and_context_keeps_it(self) -> None:
        after, plan = patched(tree(x=b"a  \nb\t\nc\n"), unified("x", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"))
        assert after == tree(x=b"a  \nB\nc\n")
        assert kinds(plan.report) == {"trailing_whitespace"}

    def test_a_missing_newline_at_the_end_is_forgiven(self) -> None:
        after, plan = patched(tree(x=b"a\nb"), unified("x", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"))
        assert after == tree(x=b"a\nc\n")
        assert kinds(plan.report) == {"newline_at_end"}

    def test_untouched_last_line_keeps_its_missing_newline(self) -> None:
        assert patched(tree(x=b"a\nb"), unified("x", "@@ -1,2 +1,2 @@\n-a\n+A\n b\n"))[0] == tree(x=b"A\nb")

    def test_unchanged_lines_of_an_envelope_may_lack_their_space_also_where_they_are_indented(self) -> None:
        body = b"def g(self):\n        x = 1\n\n-        return 1\n+        return 2\n        # end\n"
        old = b"class A:\ndef g(self):\n        x = 1\n\n        return 1\n        # end\n"
        patch = b"*** Begin Patch\n*** Update File: x\n@@\n" + body + b"*** End Patch\n"
        after, plan = patched(tree(x=old), patch)
        assert after == tree(x=old.replace(b"return 1", b"return 2"))
        assert kinds(plan.report) == {"line_prefix"}

    def test_unchanged_lines_without_their_space_that_stand_twice_are_refused_with_the_places(self) -> None:
        old = b"    a\n    b\n    a\n    b\n"
        patch = b"*** Begin Patch\n*** Update File: x\n@@\n    a\n-    b\n+    c\n*** End Patch\n"
        assert only_hunk(report_of(tree(x=old), patch)).candidates == (1, 3)

    def test_what_fits_as_it_is_written_is_not_read_otherwise(self) -> None:
        old = b"   a\n   b\n    a\n   b\n"
        patch = b"*** Begin Patch\n*** Update File: x\n@@\n    a\n-   b\n+   c\n*** End Patch\n"
        after, plan = patched(tree(x=old), patch)
        assert after == tree(x=b"   a\n   c\n    a\n   b\n")
        assert kinds(plan.report) == set()

    def test_indentation_is_never_forgiven(self) -> None:
        hunk = only_hunk(report_of(tree(x=b"  a\n"), unified("x", "@@ -1 +1 @@\n-    a\n+    b\n")))
        assert hunk.nearest[0].differences[0].difference == "indentation"


class TestRejection:
    def test_the_nearest_lines_are_shown_with_what_differs(self) -> None:
        old = tree(x=b"import os\n\ndef f(a):\n    return a + 1\n")
        hunk = only_hunk(
            report_of(old, unified("x", '@@ -3,2 +3,2 @@\n def f(a):\n-    return a + 2\n+    return "3"\n'))
        )
        (near,) = hunk.nearest
        assert (near.start_line, near.end_line, near.lines[0]) == (3, 4, "def f(a):")
        (difference,) = near.differences
        assert (difference.line, difference.difference) == (4, "text")
        assert (difference.wanted, difference.file) == ("    return a + 2", "    return a + 1")

    def test_a_change_that_is_there_already_is_recognised(self) -> None:
        hunk = only_hunk(
            report_of(tree(x=b"a\nnew\nc\n"), unified("x", "@@ -1,3 +1,3 @@\n a\n-old\n+new\n c\n"))
        )
        assert "applied before" in (hunk.reason or "")

    def test_one_wrong_hunk_keeps_all_files_as_they_are(self) -> None:
        patch = unified("x", "@@ -1 +1 @@\n-a\n+b\n") + unified("y", "@@ -1 +1 @@\n-nowhere\n+b\n")
        after, plan = patched(tree(x=b"a\n", y=b"y\n"), patch)
        assert after == tree(x=b"a\n", y=b"y\n")
        assert [file.applied for file in plan.report.files] == [True, False]
        assert plan == PatchPlan(plan.report)

    def test_the_error_says_where_to_look(self) -> None:
        plan = plan_patch(
            parse_patch(unified("x", "@@ -1 +1 @@\n-    abc\n+b\n")), read_from(tree(x=b"  abc\n"))
        )
        with pytest.raises(Conflict) as caught:
            plan.require_applicable()
        assert "files: 1 of 1" in caught.value.brief
        assert "nearest: line 1" in (caught.value.details or "")
        assert "Nothing was changed" in (caught.value.hint or "")


class TestFiles:
    def test_a_new_file_may_not_exist(self) -> None:
        patch = b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n"
        assert patched({}, patch)[0] == tree(x=b"a\n")
        assert "exists already" in (only_file(report_of(tree(x=b""), patch)).reason or "")

    def test_a_change_of_nothing_creates_the_file_and_says_so(self) -> None:
        after, plan = patched({}, unified("x", "@@ -0,0 +1 @@\n+a\n"))
        assert after == tree(x=b"a\n")
        assert kinds(plan.report) == {"missing_header"}

    def test_a_deletion_must_know_all_lines(self) -> None:
        patch = b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
        assert patched(tree(x=b"a\n"), patch)[0] == {}
        assert "does not know" in (only_file(report_of(tree(x=b"a\nb\n"), patch)).reason or "")

    def test_a_missing_file_is_named(self) -> None:
        report = report_of({}, unified("x", "@@ -1 +1 @@\n-a\n+b\n"))
        assert only_file(report).reason == '"x" does not exist'

    def test_two_files_swap_their_names(self) -> None:
        patch = (
            b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
            b"diff --git a/y b/x\nsimilarity index 100%\nrename from y\nrename to x\n"
        )
        assert patched(tree(x=b"1\n", y=b"2\n"), patch)[0] == tree(x=b"2\n", y=b"1\n")

    def test_a_renamed_file_keeps_its_permissions(self) -> None:
        plan = patched(
            tree(x=b"1\n"), b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
        )[1]
        assert (plan.removals, plan.writes[0].path, plan.writes[0].permissions_of) == ((b"x",), b"y", b"x")

    def test_commits_of_a_series_build_on_each_other(self) -> None:
        first = b"From " + b"a" * 40 + b" Mon\n" + unified("x", "@@ -1 +1 @@\n-1\n+2\n")
        second = (
            b"From "
            + b"b" * 40
            + b" Mon\ndiff --git a/x b/y\nsimilarity index 50%\nrename from x\nrename to y\n"
        )
        second += b"--- a/x\n+++ b/y\n@@ -1 +1 @@\n-2\n+3\n"
        assert patched(tree(x=b"1\n"), first + second)[0] == tree(y=b"3\n")

    def test_a_link_is_not_patched_through(self) -> None:
        old: Tree = {b"x": ("symlink", b"../secret"), b"d": ("symlink", b"/etc")}
        assert "symbolic link" in (
            only_file(report_of(old, unified("x", "@@ -1 +1 @@\n-a\n+b\n"))).reason or ""
        )
        new_below = b"--- /dev/null\n+++ b/d/passwd\n@@ -0,0 +1 @@\n+a\n"
        assert "is no directory (symlink)" in (only_file(report_of(old, new_below)).reason or "")

    def test_a_file_below_a_file_and_over_a_directory_is_refused(self) -> None:
        old: Tree = {b"f": ("regular", b""), b"d/x": ("regular", b"")}
        assert not report_of(old, b"--- /dev/null\n+++ b/f/x\n@@ -0,0 +1 @@\n+a\n").applicable
        assert not report_of(old, b"--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+a\n").applicable

    def test_a_submodule_is_refused(self) -> None:
        header = b"diff --git a/s b/s\nnew file mode 160000\nindex 0000000..1234567\n--- /dev/null\n+++ b/s\n"
        patch = header + b"@@ -0,0 +1 @@\n+Subproject commit 1\n"
        assert "submodule" in (only_file(report_of({}, patch)).reason or "")

    def test_a_binary_file_whose_content_is_left_out_is_refused_with_the_remedy(self) -> None:
        patch = b"diff --git a/x b/x\nindex 1234567..89abcde 100644\nBinary files a/x and b/x differ\n"
        assert "--binary" in (only_file(report_of(tree(x=b"\0"), patch)).reason or "")

    def test_a_binary_change_of_other_content_is_refused(self) -> None:
        patch = (
            b"diff --git a/x b/x\nindex "
            + b"1" * 40
            + b".."
            + b"2" * 40
            + b" 100644\nGIT binary patch\nliteral 0\nHc$@<O00001\n\n"
        )
        assert "not what the patch was made from" in (only_file(report_of(tree(x=b"\0"), patch)).reason or "")


class TestPrefixes:
    HUNK = "@@ -1 +1 @@\n-a\n+b\n"

    @pytest.mark.parametrize(
        ("names", "noted"),
        [
            (("a/src/x", "b/src/x"), False),
            (("src/x", "src/x"), False),
            (("p-1.0/src/x", "p-1.1/src/x"), False),
            (("a/p/src/x", "b/p/src/x"), True),
            (("/workspace/src/x", "/workspace/src/x"), True),
            (("a//workspace/src/x", "b//workspace/src/x"), True),
            (("src/x.orig", "src/x"), False),
            (("./src/x", "./src/x"), False),
        ],
    )
    def test_the_file_is_found_behind_the_prefix(self, names: tuple[str, str], noted: bool) -> None:
        old: Tree = {b"src/x": ("regular", b"a\n")}
        after, plan = patched(old, f"--- {names[0]}\n+++ {names[1]}\n{self.HUNK}".encode())
        assert after == {b"src/x": ("regular", b"b\n")}
        assert ("path_prefix" in kinds(plan.report)) is noted

    def test_a_number_to_strip_is_taken_at_its_word(self) -> None:
        patch = parse_patch(f"--- a/src/x\n+++ b/src/x\n{self.HUNK}".encode())
        assert plan_patch(patch, read_from(tree(x=b"a\n")), strip=2).report.applicable
        assert not plan_patch(patch, read_from({b"src/x": ("regular", b"a\n")}), strip=0).report.applicable
        with pytest.raises(InvalidRequest, match="leading parts"):
            plan_patch(patch, read_from({}), strip=3)

    @pytest.mark.parametrize(
        "name", ["../x", "/etc/passwd", ".git/config", "b/../../x", "a/.git/hooks/pre-commit"]
    )
    def test_ways_out_are_invalid(self, name: str) -> None:
        with pytest.raises(InvalidRequest):
            patched({}, f"*** Begin Patch\n*** Add File: {name}\n+a\n*** End Patch\n".encode())
        with pytest.raises(InvalidRequest):
            patched(
                {},
                f"--- /dev/null\n+++ {name if name.startswith('/') else 'b/' + name}\n@@ -0,0 +1 @@\n+a\n".encode(),
            )


class TestExplanation:
    def test_lines_are_told_as_they_are_to_be_copied(self) -> None:
        plan = patched(tree(x=b"say('it\\'s')\n"), unified("x", "@@ -1 +1 @@\n-say('its')  \n+say(1)\n"))[1]
        with pytest.raises(Conflict) as refused:
            plan.require_applicable()
        told = (refused.value.details or "").splitlines()
        assert "        wanted: say('its')\\x20\\x20" in told
        assert "        is:     say('it\\'s')" in told
        assert "around those lines" in refused.value.hint

    def test_the_next_step_fits_what_is_wrong(self) -> None:
        for patch, step in (
            (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", "is changed by an update"),
            (b"--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "workspace_file_list"),
        ):
            with pytest.raises(Conflict) as refused:
                patched(tree(x=b"a\n"), patch)[1].require_applicable()
            assert step in refused.value.hint
            assert "those lines" not in refused.value.hint
