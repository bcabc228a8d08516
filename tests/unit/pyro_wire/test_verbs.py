"""Which requests count as looking."""

from pyro_agent.verbs import VERBS
from pyro_wire.verbs import READING


def test_what_counts_as_looking_are_verbs_that_there_are() -> None:
    assert {verb for verb in READING if not verb.startswith("keeper.")} <= set(VERBS)


def test_no_verb_that_changes_something_counts_as_looking() -> None:
    changing = {
        "prepare",
        "rehearse",
        "settle",
        "attach",
        "exec",
        "sync",
        "freeze",
        "thaw",
        "detach",
        "tree.apply",
    }
    assert not READING & changing
