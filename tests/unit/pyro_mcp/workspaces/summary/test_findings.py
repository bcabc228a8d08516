import pytest

from pyro_mcp.workspaces.diff import Change, Entry, diff_trees
from pyro_mcp.workspaces.seeding.manifest import Item
from pyro_mcp.workspaces.summary.findings import below_git, findings_of


def regular(text: str) -> Entry:
    return Entry("regular", text.encode())


def found(*changes: Change, not_shown: int = 0) -> list[tuple[str, str]]:
    return [(item.reason, item.path) for item in findings_of(diff_trees(changes), changes, not_shown)]


TESTS = "import pytest\n\n\ndef test_a():\n    assert f() == 1\n\n\ndef test_b():\n    assert f() == 2\n"


def test_tests_that_went_are_told() -> None:
    assert found(Change(b"tests/test_f.py", regular(TESTS), None)) == [("test-deleted", "tests/test_f.py")]
    fewer = TESTS.partition("\n\n\ndef test_b")[0] + "\n"
    assert found(Change(b"test_f.py", regular(TESTS), regular(fewer))) == [
        ("tests-removed", "test_f.py"),
        ("assertions-removed", "test_f.py"),
    ]


@pytest.mark.parametrize(
    "mark", ["@pytest.mark.skip", '@pytest.mark.xfail(reason="x")', "@unittest.skip('x')"]
)
def test_tests_that_are_skipped_now_are_told(mark: str) -> None:
    now = TESTS.replace("def test_b", f"{mark}\ndef test_b")
    assert found(Change(b"test_f.py", regular(TESTS), regular(now))) == [("test-skipped", "test_f.py")]
    assert found(Change(b"test_f.py", regular(now), regular(TESTS))) == []


def test_other_languages_tests_count_too() -> None:
    go = "func TestA(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Error(1)\n\t}\n}\n"
    skipped = go.replace("{\n\tif", "{\n\tt.Skip()\n\tif", 1)
    assert found(Change(b"a_test.go", regular(go), regular(skipped))) == [("test-skipped", "a_test.go")]
    js = "it('adds', () => {\n  expect(f()).toBe(1)\n})\n"
    assert found(Change(b"a.test.js", regular(js), regular(js.replace("it(", "it.skip(")))) == [
        ("tests-removed", "a.test.js"),
        ("test-skipped", "a.test.js"),
    ]


def test_a_better_test_is_nothing_to_look_at() -> None:
    more = TESTS + "\n\ndef test_c():\n    assert f() == 3\n"
    assert found(Change(b"test_f.py", regular(TESTS), regular(more))) == []
    assert found(Change(b"src/f.py", regular("def f():\n    assert x\n"), regular("def f(): ...\n"))) == []


def test_what_is_installed_and_what_executes_is_told() -> None:
    assert found(Change(b"uv.lock", regular("a\n"), regular("b\n"))) == [("dependencies-changed", "uv.lock")]
    assert ("executes-on-host", ".vscode/tasks.json") in found(
        Change(b".vscode/tasks.json", None, regular("{}\n"))
    )
    assert found(Change(b"run.sh", regular("x\n"), Entry("executable", b"x\n"))) == [
        ("made-executable", "run.sh")
    ]
    assert found(Change(b"new.sh", None, Entry("executable", b"x\n"))) == []


def test_links_out_and_large_files_are_told() -> None:
    assert found(
        Change(b"a/in", None, Entry("symlink", b"../b")),
        Change(b"a/out", None, Entry("symlink", b"../../etc/passwd")),
        Change(b"big", None, Entry("regular", bytes(range(256)) * 8192)),
        not_shown=2,
    ) == [("link-leads-out", "a/out"), ("large-file", "big"), ("not-shown", "")]


def test_programs_that_git_runs_are_told_new_ones_and_those_of_the_seed() -> None:
    def item(mode: int) -> Item:
        return Item("file", mode, 1, 0, b"")

    seeded = {
        b"evil/.git/hooks/post-checkout": item(0o755),
        b".git/hooks/pre-push.sample": item(0o755),
        b".git/config": item(0o644),
        b"run.sh": item(0o755),
    }
    told = below_git([b"other/.git/hooks/pre-commit"], seeded)
    assert [(found.path, found.detail.partition(";")[0]) for found in told] == [
        ("evil/.git/hooks/post-checkout", "there from the beginning"),
        ("other/.git/hooks/pre-commit", "added or changed since the baseline"),
    ]
