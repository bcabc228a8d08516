from pyro_mcp.workspaces.diff.stat import StatLine, render_stat


def line(path: bytes, plus: int, minus: int, old: bytes | None = None) -> StatLine:
    return StatLine(path, old, plus, minus, binary=False)


def test_nothing_changed_says_nothing() -> None:
    assert render_stat([]) == ""


def test_graphs_share_the_width_and_nothing_is_left_without_a_sign() -> None:
    text = render_stat([line(b"big", 1000, 500), line(b"small", 1, 1)])
    first, second, last = text.splitlines()
    assert max(map(len, (first, second))) <= 80
    assert second == " small |    2 +-"
    assert last == " 2 files changed, 1001 insertions(+), 501 deletions(-)"


def test_a_long_name_loses_its_start() -> None:
    text = render_stat([line(b"directory/" * 20 + b"file.py", 1, 0)])
    assert text.startswith(" .../directory/")
    assert max(map(len, text.splitlines())) <= 80


def test_a_rename_shares_what_both_names_share() -> None:
    text = render_stat(
        [line(b"src/new/x.py", 0, 0, b"src/old/x.py"), line(b"b", 0, 0, b"a"), line(b"a/c", 0, 0, b"a/b/c")]
    )
    assert [row.split(" |")[0].strip() for row in text.splitlines()[:3]] == [
        "src/{old => new}/x.py",
        "a => b",
        "a/{b => }/c",
    ]


def test_a_binary_file_shows_its_sizes() -> None:
    assert " x | Bin 3 -> 5 bytes\n" in render_stat(
        [StatLine(b"x", None, 0, 0, binary=True, old_size=3, new_size=5)]
    )
