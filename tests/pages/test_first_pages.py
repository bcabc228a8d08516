"""The page that everybody begins with, word by word on real machines: part of `make test`."""

import pytest
from tests.opened import outliving
from tests.pages.blocks import ROOT
from tests.pages.going import go_through

FIRST = ("README.md",)
pytestmark = [outliving, pytest.mark.timeout(300), pytest.mark.usefixtures("environment")]


@pytest.mark.parametrize("page", FIRST)
def test_page(page: str) -> None:
    wrong = go_through(ROOT / page)
    assert not wrong, "\n\n".join(wrong)
