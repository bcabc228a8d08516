"""What cannot be typed or sent is refused before anything is asked, with what was probably meant."""

import pytest

from pyro_mcp import InvalidRequest, Pyro


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda shell: shell.write("ws", "sh-1", keys=["ctrlc"]), "did you mean ctrl-c?"),
        (lambda shell: shell.write("ws", "sh-1", keys="enter"), "is not a list of names"),
        (lambda shell: shell.write("ws", "sh-1", "a\0b"), "contains a NUL character"),
        (lambda shell: shell.write("ws", "shell 1", "ls"), "not of the form"),
        (lambda shell: shell.signal("ws", "sh-1", "SIGINT"), "is no signal"),
        (lambda shell: shell.read("ws", "sh-1", view="picture"), "is not one of text, screen, raw"),
        (lambda shell: shell.resize("ws", "sh-1", cols=0, rows=10), "the least is 20"),
    ],
)
def test_what_is_refused(call: object, told: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        call(Pyro().workspace.shell)  # type: ignore[operator]
    assert told in str(refused.value)
    assert refused.value.hint
