"""What is left of an answer that has secrets anywhere in it."""

from pyro_mcp.models.diff import FileDiff, WorkspaceDiff
from pyro_mcp.redaction import Redactor, without_secrets

TOKEN = "the-token-of-this"


def test_every_text_in_an_answer_is_redacted_and_nothing_else_changes() -> None:
    def told(path: str) -> WorkspaceDiff:
        return WorkspaceDiff(
            files=(FileDiff(path=path, status="renamed", old_path=f"{path}-old"),), stat=path
        )

    clean = without_secrets(told(f"a/{TOKEN.encode().hex()}"), Redactor({"T": TOKEN.encode()}))
    assert clean == told("a/[redacted:T]")


def test_lists_and_mappings_are_searched_too() -> None:
    redactor = Redactor({"T": TOKEN.encode()})
    assert without_secrets({TOKEN: [1, (TOKEN, None)]}, redactor) == {
        "[redacted:T]": [1, ("[redacted:T]", None)]
    }


def test_without_secrets_it_is_the_very_same() -> None:
    answer = {TOKEN: [TOKEN]}
    assert without_secrets(answer, Redactor({})) is answer
