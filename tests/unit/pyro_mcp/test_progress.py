import pytest

from pyro_mcp.progress import Step, listening, step


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, step: Step) -> None:
        self.lines.append(f"{'.' * step.depth}{step.text} begins")

    def changed(self, step: Step) -> None:
        self.lines.append(f"{step.text} {step.done}/{step.total} {step.latest}".rstrip())

    def ended(self, step: Step) -> None:
        self.lines.append(f"{step.text} {'fails' if step.failed else 'ends'}")


def test_a_listener_hears_begin_changes_and_end_in_order() -> None:
    heard = Heard()
    with listening(heard), step("building", total=3, unit="packages") as building:
        building.advance(2)
        building.note("unpacking")
        building.reach(7, total=9)
    assert heard.lines == [
        "building begins",
        "building 2/3",
        "building 2/3 unpacking",
        "building 7/9 unpacking",
        "building ends",
    ]


def test_a_step_inside_another_knows_its_depth() -> None:
    heard = Heard()
    with listening(heard), step("outer"), step("inner"):
        pass
    assert heard.lines == ["outer begins", ".inner begins", "inner ends", "outer ends"]


def test_a_step_that_raises_says_so_and_lets_the_error_through() -> None:
    heard = Heard()
    with pytest.raises(ZeroDivisionError), listening(heard), step("dividing"):
        _ = 1 // 0
    assert heard.lines == ["dividing begins", "dividing fails"]


def test_nobody_hears_after_the_block() -> None:
    heard = Heard()
    with listening(heard):
        pass
    with step("alone") as alone:
        alone.advance(1)
    assert heard.lines == []
