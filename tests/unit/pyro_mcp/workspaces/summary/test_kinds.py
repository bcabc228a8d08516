import pytest

from pyro_mcp.models.summary import FileKind
from pyro_mcp.workspaces.summary.kinds import kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app.py", "source"),
        ("SRC/Main.RS", "source"),
        ("tests/helpers.py", "test"),
        ("src/pkg/tests/data.bin", "test"),
        ("src/test_app.py", "test"),
        ("web/button.spec.tsx", "test"),
        ("pkg/io_test.go", "test"),
        ("contest/winner.py", "source"),
        ("latest/api.py", "source"),
        ("pyproject.toml", "dependencies"),
        ("web/package-lock.json", "dependencies"),
        ("requirements-dev.txt", "dependencies"),
        ("README.md", "documentation"),
        ("docs/conf.py", "documentation"),
        ("LICENSE", "documentation"),
        (".github/workflows/ci.yml", "configuration"),
        ("Makefile", "configuration"),
        (".editorconfig", "configuration"),
        ("logo.png", "other"),
    ],
)
def test_a_path_has_a_kind(path: str, kind: FileKind) -> None:
    assert kind_of(path) == kind
