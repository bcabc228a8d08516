"""An export that does not fit says how much it is and how much would."""

from pathlib import Path
from typing import cast

import pytest

from pyro_mcp.errors import LimitReached
from pyro_mcp.workspaces.export import copying
from pyro_mcp.workspaces.export.landing import Landing


class _Below:
    output = Path("/somewhere/out")


@pytest.mark.parametrize(("size", "told"), [(178, "178 bytes"), (3 << 20, "3 MiB")])
def test_what_does_not_fit_is_told_with_its_size_and_place(
    size: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "free_disk", lambda _: 0)
    with pytest.raises(LimitReached, match=f"the export of {told} does not fit below /somewhere") as refused:
        copying._require_room(cast(Landing, _Below()), size)
    assert (refused.value.details or "").startswith("0 MiB may be written there")
