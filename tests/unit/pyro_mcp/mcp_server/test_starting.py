import subprocess
import sys

_START = """
import sys
from pyro_mcp.mcp_server.starting import put_off_what_stdio_does_without
put_off_what_stdio_does_without()
import pyro_mcp.mcp_server.server
"""


def _python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_starts_without_what_it_does_not_use() -> None:
    loaded = _python(_START + "print(*sorted(sys.modules))").split()
    assert "mcp.server.lowlevel.server" in loaded
    assert not {"mcp.client", "mcp.server.mcpserver", "httpx2"} & set(loaded)


def test_whoever_asks_for_what_was_put_off_finds_it() -> None:
    asked = "import mcp\nfrom mcp.server import MCPServer\nprint(mcp.Client.__name__, MCPServer.__name__)"
    assert _python(_START + asked) == "Client MCPServer\n"
    assert _python(
        _START + "import mcp\ntry:\n    mcp.nothing\nexcept AttributeError as e:\n    print(e)"
    ).startswith("module 'mcp' has no attribute 'nothing'")


def test_what_is_imported_already_is_left_alone() -> None:
    assert _python("import mcp\nclient = mcp.Client" + _START + "print(mcp.Client is client)") == "True\n"
