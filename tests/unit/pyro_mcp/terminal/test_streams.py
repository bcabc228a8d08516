"""What real programs wrote, recorded in shells of `debian:12-build` (80 by 24): what is read of it is what a person saw."""

from pathlib import Path

import pytest

from pyro_mcp.terminal.reading import lines_since
from pyro_mcp.terminal.screen import Screen

_STREAMS = Path(__file__).with_name("streams")
_NUMBERED = "Line {} of a text that is longer than the screen"


def play(name: str, piece: int = 1 << 20) -> tuple[Screen, str]:
    """Feed a recorded stream; give the terminal and its text."""
    data = (_STREAMS / name).read_bytes()
    screen = Screen(80, 24)
    for start in range(0, len(data), piece):
        screen.feed(data[start : start + piece])
    text = lines_since(screen, 0, len(data), 1 << 20).text
    assert "\x1b" not in text + "".join(screen.grid.text())
    return screen, text


@pytest.mark.parametrize("name", sorted(file.name for file in _STREAMS.iterdir()))
@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_how_a_stream_is_cut_changes_nothing(name: str, piece: int) -> None:
    whole, text = play(name)
    cut, same = play(name, piece)
    assert cut.grid.text() == whole.grid.text()
    assert same == text
    assert (cut.full_screen, cut.marks.state, cut.modes) == (
        whole.full_screen,
        whole.marks.state,
        whole.modes,
    )


def test_vim_with_a_line_deleted_and_a_word_typed() -> None:
    screen, text = play("vim")
    assert screen.full_screen
    kept = [_NUMBERED.format(number) for number in range(1, 25) if number != 10]
    kept[9] = "hello" + kept[9]
    assert screen.grid.text()[:23] == kept
    assert text.splitlines()[-1].endswith("vi text")  # the shell's own lines are still there


def test_vim_that_is_left() -> None:
    screen, text = play("vim-left")
    assert not screen.full_screen
    assert "of a text" not in text
    assert text.splitlines()[-1].endswith(":/workspace# ")


def test_less_after_a_search() -> None:
    screen, _ = play("less")
    assert screen.grid.text() == [*(_NUMBERED.format(number) for number in range(60, 83)), ":"]


def test_less_that_is_left() -> None:
    screen, text = play("less-left")
    assert (screen.full_screen, screen.marks.state) == (False, "prompt")
    assert "of a text" not in text


def test_top_that_has_drawn_once_and_ended() -> None:
    _, text = play("top")
    lines = text.splitlines()
    assert any(line.startswith("top - ") for line in lines)
    assert [line.split()[-1] for line in lines if " root " in line] == ["top", "python3", "bash"]


def test_top_that_goes_on_is_its_last_frame() -> None:
    screen, _ = play("top-running")
    assert screen.full_screen
    shown = screen.grid.text()
    assert shown[0].startswith("top - ")
    assert sum("load average" in line for line in shown) == 1
    assert sum(line.endswith("bash") for line in shown) == 1


def test_python_with_a_completion() -> None:
    _, text = play("python")
    assert text.split("python3 -q\n")[1] == (
        ">>> def f(x):\n...     return x*2\n...\n>>> f(21)\n42\n>>> print('x')\nx\n>>> "
    )


def test_pip_with_its_progress_bar_at_its_last_state() -> None:
    _, text = play("pip")
    bars = [line for line in text.splitlines() if "━" in line]
    assert len(bars) == 1
    assert "3.0/3.0 MB" in bars[0]
    assert "Successfully installed demo-1.0" in text.splitlines()


def test_git_log_in_its_pager() -> None:
    screen, text = play("git-log")
    subjects = [line.split(" Change ")[1] for line in text.splitlines() if " Change " in line]
    assert subjects == [f"number {number}" for number in range(40, 0, -1)]
    assert screen.grid.text()[-1] == "(END)"


def test_npm_test() -> None:
    _, text = play("npm-test")
    lines = text.splitlines()
    assert "# pass 1" in "\n".join(lines) or "ℹ pass 1" in lines
    assert "# fail 1" in "\n".join(lines) or "ℹ fail 1" in lines


def test_what_completion_offers_and_the_line_it_leaves() -> None:
    _, text = play("completion")
    assert "test/ text" in " ".join(text.split())
