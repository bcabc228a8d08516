"""Where a shell stands, by its marks and by what was typed."""

from pyro_mcp.terminal.marks import Marks


def marks(*taken: str) -> Marks:
    made = Marks()
    take(made, *taken)
    return made


def take(made: Marks, *taken: str) -> None:
    """Take marks, each on a line of its own."""
    for mark in taken:
        made.line_ended = True
        made.take(mark)


def stands(made: Marks) -> str:
    return made.state


def test_a_command_from_prompt_to_prompt() -> None:
    made = marks("D;0", "A")
    assert stands(made) == "starting"
    take(made, "B")
    assert (stands(made), made.exit_code) == ("prompt", 0)
    made.entered(1)
    assert stands(made) == "running"
    take(made, "C", "D;7", "A", "B")
    assert (stands(made), made.exit_code) == ("prompt", 7)


def test_a_line_that_goes_on() -> None:
    made = marks("A", "B")
    made.entered(1)
    take(made, "A;k=s", "B")
    assert stands(made) == "continuation"


def test_of_several_lines_entered_at_once_the_last_ones_prompt_counts() -> None:
    made = marks("A", "B")
    made.entered(2)
    take(made, "C", "D;0", "A", "B")
    assert stands(made) == "running"
    take(made, "C", "D;0", "A", "B")
    assert stands(made) == "prompt"


def test_lines_that_a_command_has_read_are_waited_for_until_it_is_quiet() -> None:
    made = marks("A", "B")
    made.entered(3)
    made.quiet()
    assert stands(made) == "running"
    take(made, "C", "D;0", "A", "B")
    made.quiet()
    assert stands(made) == "prompt"
    made.entered(1)
    take(made, "B")
    assert stands(made) == "prompt"


def test_nonsense_changes_nothing() -> None:
    made = marks("", ";", "D;", "D;x", "D;999", "D;-1", "Z;1", "D;٣")
    assert (stands(made), made.exit_code) == ("starting", None)
    made.entered(0)
    assert stands(made) == "starting"


def test_a_prompt_that_is_drawn_again_is_not_the_one_after_a_command() -> None:
    made = marks("D;0", "A", "B")
    made.entered(1)
    for mark in ("D;0", "A", "B"):  # no line has ended since
        made.take(mark)
    assert stands(made) == "running"
    take(made, "C", "D;0", "A", "B")
    assert stands(made) == "prompt"
