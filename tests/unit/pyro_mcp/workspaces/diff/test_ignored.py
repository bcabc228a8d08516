"""Which new files git ignores, told from ignore files that are read one by one."""

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


def test_pythons_bytecode_is_ignored_unless_the_repository_says_otherwise() -> None:
    path = b"src/__pycache__/a.cpython-311.pyc"
    assert path in Ignored(Tree())
    assert b"src/a.pyc" not in Ignored(Tree())
    assert path not in Ignored(Tree(**{".gitignore": b"!__pycache__/\n"}))
