"""Build the package, install it into empty environments, and use it from there, outside of the checkout, on real machines.

For each Python that pyro supports, once with the newest of what it needs and once, on the oldest, with the lowest; then from the
source archive, and with `uvx`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_PYTHONS = ("3.11", "3.12", "3.13")
_ENVIRONMENT = "debian:12"
_WORKSPACE_SMOKE = f"""
import importlib.resources, sys
from pyro_mcp import Pyro
from pyro_mcp.models.edit import Edit

assert importlib.resources.files("pyro_mcp").joinpath("py.typed").is_file()
with Pyro().workspace.create("{_ENVIRONMENT}", seed_path=sys.argv[1]) as ws:
    assert ws.exec("python3 calc.py").stdout == "-1\\n"
    ws.file.edit("calc.py", [Edit("2 - 3", "2 + 3")])
    assert ws.exec("python3 calc.py").stdout == "5\\n"
    assert "+print(2 + 3)" in (ws.diff().patch or "")
"""


def main() -> None:
    """Check them all; the first that fails ends it."""
    with tempfile.TemporaryDirectory(prefix="pyro-dist-") as made:
        place = Path(made)
        _run("uv", "build", "--quiet", "--out-dir", str(place / "dist"), str(_ROOT))
        (wheel,) = (place / "dist").glob("*.whl")
        (archive,) = (place / "dist").glob("*.tar.gz")
        for version in _PYTHONS:
            _check(place, f"{version}, wheel", version, wheel)
        _check(place, f"{_PYTHONS[0]}, lowest versions", _PYTHONS[0], wheel, "--resolution", "lowest-direct")
        _check(place, f"{_PYTHONS[-1]}, source archive", _PYTHONS[-1], archive)
        said = _run(
            "uvx", "--quiet", "--from", str(wheel), "pyro", "run", "-q", _ENVIRONMENT, "--", "echo", "uvx"
        )
        _say("uvx", said)


def _check(place: Path, name: str, version: str, package: Path, *options: str) -> None:
    home = Path(tempfile.mkdtemp(dir=place))
    _run("uv", "venv", "--quiet", "--python", version, str(home / "venv"))
    python = str(home / "venv/bin/python")
    _run("uv", "pip", "install", "--quiet", "--python", python, *options, str(package))
    pyro = str(home / "venv/bin/pyro")
    _run(pyro, "doctor", cwd=home)
    _say(name, _run(pyro, "run", "-q", _ENVIRONMENT, "--", "git", "--version", cwd=home))
    (home / "seed").mkdir()
    (home / "seed/calc.py").write_text("print(2 - 3)\n")
    _run(python, "-W", "error::DeprecationWarning", "-c", _WORKSPACE_SMOKE, str(home / "seed"), cwd=home)
    _run(python, "-c", _MCP_SMOKE, pyro, cwd=home)


_MCP_SMOKE = """
import asyncio, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main() -> None:
    server = StdioServerParameters(command=sys.argv[1], args=["mcp", "serve", "--profile", "workspace-core"])
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        assert len((await session.list_tools()).tools) > 10

asyncio.run(main())
"""


def _run(*command: str, cwd: Path | None = None) -> str:
    """Run it as a stranger would: without this checkout or this environment in sight."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "VIRTUAL_ENV", "UV_PROJECT"))
    }
    # A host without uv has the one that scripts/setup installed, and only for this.
    clean["PATH"] = os.pathsep.join([clean.get("PATH", os.defpath), str(_ROOT / ".tools/uv/bin")])
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        _fail(command, done.stdout + done.stderr)
    return done.stdout.strip()


def _fail(command: Sequence[str], said: str) -> None:
    print(f"dist-check: failed: {' '.join(command)[:300]}\n{said}", file=sys.stderr)
    sys.exit(1)


def _say(name: str, what: str) -> None:
    print(f"dist-check: {name}: {what}", flush=True)


if __name__ == "__main__":
    main()
