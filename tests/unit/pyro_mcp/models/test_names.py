import pytest

from pyro_mcp.models.names import display_name, exact_name


@pytest.mark.parametrize(
    ("name", "text", "exact"),
    [(b"a%b", "a%b", None), ("é".encode(), "é", None), (b"\xff%", "%FF%25", "/yU="), (b"a\n", "a\n", None)],
)
def test_a_name_that_is_not_utf_8_is_escaped_and_kept_in_base64(
    name: bytes, text: str, exact: str | None
) -> None:
    assert (display_name(name), exact_name(name)) == (text, exact)
