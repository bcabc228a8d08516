"""All other pages with something to type or to run: `make smoke-docs`."""

from pathlib import Path

import pytest
from tests.opened import outliving
from tests.pages.blocks import blocks, name_of, pages
from tests.pages.going import SHELLS, go_through
from tests.pages.test_first_pages import FIRST

pytestmark = [outliving, pytest.mark.timeout(900), pytest.mark.usefixtures("environment")]
_RUN = (*SHELLS, "python")
_PAGES = [
    page
    for page in pages()
    if name_of(page) not in FIRST and any(block.language in _RUN for block in blocks(page))
]


@pytest.mark.parametrize("page", _PAGES, ids=name_of)
def test_page(page: Path) -> None:
    wrong = go_through(page)
    assert not wrong, "\n\n".join(wrong)
