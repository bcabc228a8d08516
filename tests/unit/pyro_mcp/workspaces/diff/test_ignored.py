"""Which new files git ignores, told from ignore files that are read one by one."""

import pytest

from pyro_mcp.workspaces.diff.ignored import Ignored
from pyro_mcp.workspaces.seeding.ignore import Rules


class Tree:
    """Ignore files by path; remembers which were asked for."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.asked: list[bytes] = []

    def __call__(self, path: bytes) -> bytes:
        self.asked.append(path)
        return self.files.get(path.decode(), b"")


def test_a_directorys_own_file_overrules_those_above_but_not_for_an_ignored_directory() -> None:
    tree = Tree(**{".gitignore": b"*.o\nbuild/\n", "src/.gitignore": b"!*.o\n", "build/.gitignore": b"!*\n"})
    ignored = Ignored(tree, Rules())
    assert [path for path in (b"a.o", b"src/a.o", b"build/x", b"src/build/x", b"a.c") if path in ignored] == [
        b"a.o",
        b"build/x",
        b"src/build/x",
    ]


def test_no_file_is_read_twice_and_none_in_what_is_ignored() -> None:
    tree = Tree(**{".gitignore": b"node_modules\n"})
    ignored = Ignored(tree, Rules())
    assert all(b"node_modules/p%d/lib/f" % number in ignored for number in range(50))
    assert tree.asked == [b".git/info/exclude", b".gitignore"]


def test_a_part_of_a_repository_is_matched_by_its_whole_path() -> None:
    rules = Rules().over(b"", b"/part/out\n")
    assert b"out/x" in Ignored(Tree(), rules, prefix=b"part/")
    assert b"out/x" not in Ignored(Tree(), rules)


def test_the_repositorys_own_excludes_apply() -> None:
    assert b"secret" in Ignored(Tree(**{".git/info/exclude": b"secret\n"}), Rules())


BYTECODE = b"src/__pycache__/a.cpython-311.pyc"
GENERATED = [BYTECODE, b"a.pyc", b".venv/bin/python", b"web/node_modules/x/y.js", b"x.egg-info/PKG-INFO"]


@pytest.mark.parametrize("git", [True, False])
def test_what_tools_generate_is_told_apart_from_what_git_ignores(git: bool) -> None:
    tree = Tree(**{".gitignore": b"*.log\n"})
    judge = Ignored(tree, git=git)
    assert {judge.reason(path) for path in GENERATED} == {"generated"}
    assert judge.reason(b"a.log") == ("ignored" if git else None)
    assert [judge.reason(name + b"/x") for name in (b"build", b"dist", b"target", b"vendor")] == [None] * 4


@pytest.mark.parametrize("git", [True, False])
def test_a_projects_own_rule_wins_over_those_that_we_know(git: bool) -> None:
    tree = Tree(**{".gitignore": b"!__pycache__/\n", "web/.gitignore": b"!node_modules\n"})
    judge = Ignored(tree, git=git)
    assert judge.reason(BYTECODE) is None
    assert judge.reason(b"web/node_modules/x/y.js") is None
    assert judge.reason(b"node_modules/x") == "generated"
    assert judge.reason(b"a.pyc") == "generated"


def test_what_is_new_in_a_directory_that_the_seed_has_is_shown() -> None:
    asked = []

    def seeded(path: bytes) -> bool:
        asked.append(path)
        return path == b"node_modules"

    judge = Ignored(Tree(), git=False, seeded=seeded)
    assert judge.reason(b"node_modules/mine/x.js") is None
    assert judge.reason(b"node_modules/mine/y.js") is None
    assert judge.reason(b"other/node_modules/x.js") == "generated"
    assert asked == [b"node_modules", b"other/node_modules"]


def test_without_git_no_ignore_file_is_read_for_what_has_no_generated_name() -> None:
    tree = Tree()
    judge = Ignored(tree, git=False)
    assert [judge.reason(b"d%d/x.py" % number) for number in range(50)] == [None] * 50
    assert tree.asked == []
