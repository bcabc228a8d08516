from collections.abc import Callable, Sequence
from typing import Annotated

import pytest
from tests.doors import ENVIRONMENTS, MemoryEngine

from pyro_mcp import Pyro
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.arguments import Argument, OutputListener
from pyro_mcp.operations.declare import CORE, EVERYWHERE, FULL, declared_in, operation

Count = Annotated[int, Argument(text="How many.", minimum=1, maximum=3)]
Text = Annotated[str | bytes, Argument(text="What to say.", wire=str)]


class Noun:
    @operation("noun_say", effect="changes", profiles=CORE, cli=("noun", "say"), only_in={"count": FULL})
    def say(self, text: Text, *, count: Count = 1, on_output: OutputListener = None) -> str:
        """Say it. Use it to hear it
        again.

        More for readers.
        """
        return str(text) * count

    @operation("noun_list", effect="reads", profiles=EVERYWHERE, cli=("noun", "list"))
    def list(self) -> Sequence[int]:
        """List them."""
        return [1]


def test_the_signature_is_the_declaration() -> None:
    say, listing = declared_in(Noun)
    assert (say.name, say.effect, say.cli) == ("noun_say", "changes", ("noun", "say"))
    assert say.summary == "Say it."
    assert say.description == "Say it. Use it to hear it again."
    text, count = say.parameters
    assert (text.name, text.type, text.required) == ("text", str, True)
    assert (count.name, count.type, count.required, count.default) == ("count", int, False, 1)
    assert listing.parameters == ()


def test_a_noun_made_of_others_has_their_operations_after_its_own() -> None:
    class Whole(Noun):
        @operation("noun_add", effect="changes", profiles=CORE)
        def add(self) -> None:
            """Add one."""

    assert [found.name for found in declared_in(Whole, "noun")] == ["noun_add", "noun_say", "noun_list"]


def test_a_narrower_profile_offers_fewer_arguments() -> None:
    say = declared_in(Noun)[0]
    assert [item.name for item in say.parameters_in("workspace-full")] == ["text", "count"]
    assert [item.name for item in say.parameters_in("workspace-core")] == ["text"]


def test_arguments_are_checked_whoever_calls() -> None:
    assert Noun().say("a", count=3) == "aaa"
    with pytest.raises(InvalidRequest, match="count is 4; the most is 3"):
        Noun().say("a", count=4)
    with pytest.raises(InvalidRequest, match="count is 0"):
        declared_in(Noun)[0].method(Noun(), "a", count=0)


def test_an_argument_that_nobody_described_is_a_mistake_in_the_declaration() -> None:
    with pytest.raises(TypeError, match="parameter bare has no Argument"):

        @operation("noun_bad", effect="reads", profiles=FULL, cli=("bad",))
        def bad(self: Noun, bare: int) -> None: ...


def test_lists_know_their_plural() -> None:
    assert declared_in(Noun)[1].plural is None
    assert type(ENVIRONMENTS[0]).plural == "environments"


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda pyro: pyro.workspace.create(labels={"a": "\udcff"}), "labels has"),
        (lambda pyro: pyro.workspace.list(labels={"\udcff": "a"}), "labels has"),
        (lambda pyro: pyro.workspace.list(environment="\udcff"), "environment has bytes that are no UTF-8"),
        (lambda pyro: pyro.workspace.list(limit=1.5), "limit 1.5 is not a whole number"),
        (lambda pyro: pyro.workspace.create(mem_mib=1024.5), "mem_mib 1024.5 is not a whole number"),
        (lambda pyro: pyro.workspace.create(name="\ud800"), "name has bytes that are no UTF-8"),
        (lambda pyro: pyro.workspace.logs("x", kind="\udcff"), "kind has bytes that are no UTF-8"),
        (
            lambda pyro: pyro.run("debian:12", "true", vcpu_count=True),
            "vcpu_count True is not a whole number",
        ),
        (lambda pyro: pyro.run("debian:12", "true", env={"A": "\ud800"}), "env has 'A'"),
        (lambda pyro: pyro.run("debian:12", "true", stdin="\ud800"), "stdin has half"),
        (lambda pyro: pyro.workspace.create(secrets={"A": "12345678\ud800"}), "the secret A has half"),
    ],
)
def test_what_no_program_could_take_is_refused_in_words(call: Callable[[Pyro], object], fault: str) -> None:
    """Names and contents of files may be any bytes; all else is text, and what is counted is whole."""
    with pytest.raises(InvalidRequest) as refused:
        call(Pyro(engine=MemoryEngine()))
    assert fault in refused.value.brief
