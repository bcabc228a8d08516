import pytest

from pyro_mcp.mcp_server.texts.complaints import what_to_do


@pytest.mark.parametrize(
    ("exit_code", "stderr", "words"),
    [  # each as dash writes it
        (127, "sh: 1: source: not found\n", "write `. FILE`"),
        (127, "sh: 1: shopt: not found\n", '["bash", "-c"'),
        (127, "sh: 1: [[: not found\n", '["bash", "-c"'),
        (2, 'sh: 1: Syntax error: "(" unexpected\n', '["bash", "-c"'),
        (2, "sh: 1: Syntax error: redirection unexpected\n", '["bash", "-c"'),
        (2, "sh: 3: Syntax error: Bad for loop variable\n", '["bash", "-c"'),
        (2, "sh: 1: Bad substitution\n", '["bash", "-c"'),
        (2, "warm-up\nsh: 1: set: Illegal option -o pipefail\n", '["bash", "-c"'),
        (127, "./run.sh: 12: source: not found\n", "write `. FILE`"),
        (127, "sh: 1: cargo: not found\n", "may lack the program"),
        (127, "", "may lack the program"),
    ],
)
def test_a_bashism_is_not_taken_for_a_missing_program(exit_code: int, stderr: str, words: str) -> None:
    said = what_to_do(exit_code, stderr)
    assert said is not None
    assert words in said
    assert ("may lack" in said) == ("may lack" in words)


@pytest.mark.parametrize(
    ("exit_code", "stderr"),
    [
        (0, "sh: 1: source: not found\n"),
        (1, "source: not found in the index\n"),
        (2, 'sh: 1: Syntax error: "fi" unexpected'),
    ],
)
def test_nothing_is_said_where_nobody_knows(exit_code: int, stderr: str) -> None:
    assert what_to_do(exit_code, stderr) is None
