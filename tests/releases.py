"""Archives of real packages, pinned by version and hash, from the package index that this host's pip is configured for."""

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# Consecutive releases: what lies between two of them is a change as people make it.
RELEASES = [
    ("requests", "2.32.2", "2.32.3"),
    ("click", "8.1.7", "8.1.8"),
    ("jinja2", "3.1.4", "3.1.5"),
    ("pygments", "2.17.2", "2.18.0"),
    ("flask", "3.0.3", "3.1.0"),
]

_SHA256: Mapping[str, str] = {
    "click==8.1.7": "ca9853ad459e787e2192211578cc907e7594e294c7ccc834310722b41b9ca6de",
    "click==8.1.8": "ed53c9d8990d83c2a27deae68e4ee337473f6330c040a31d4225c9574d16096a",
    "flask==3.0.3": "ceb27b0af3823ea2737928a4d99d125a06175b8512c445cbd9a9ce200ef76842",
    "flask==3.1.0": "5f873c5184c897c8d9d1b05df1e3d01b14910ce69607a117bd3277098a5836ac",
    "jinja2==3.1.4": "4a3aee7acbbe7303aede8e9648d13b8bf88a429282aa6122a993f0ac800cb369",
    "jinja2==3.1.5": "8fefff8dc3034e27bb80d67c671eb8a9bc424c0ef4c0826edbff304cceff43bb",
    "more-itertools==9.0.0": "5a6257e40878ef0520b1803990e3e22303a41b5714006c32a3fd8304b26ea1ab",
    "more-itertools==9.1.0": "cabaa341ad0389ea83c17a94566a53ae4c9d07349861ecb14dc6d0345cf9ac5d",
    "pygments==2.17.2": "da46cec9fd2de5be3a8a784f434e4c4ab670b4ff54d605c4c2717e9d49c4c367",
    "pygments==2.18.0": "786ff802f32e91311bff3889f6e9a86e81505fe99f2735bb6d60ae0c5004f199",
    "requests==2.32.2": "dd951ff5ecf3e3b3aa26b40703ba77495dab41da839ae72ef3c8e5d8e2433289",
    "requests==2.32.3": "55365417734eb18255590a9ff9eb97e9e1da868d4ccd6402399eaf68af20a760",
}

# What the suites of click, jinja2 and flask need, for CPython 3.11 on x86-64.
_WHEELS: Mapping[str, str] = {
    "attrs==26.1.0": "c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309",
    "blinker==1.9.0": "ba0efaa9080b619ff2f3459d1d500c57bddea4a6b424b60a91141db6fd2f08bc",
    "click==8.1.8": "63c132bbbed01578a06712a2d1f497bb62d9c1c0d329b7903a866228027263b2",
    "flit-core==3.11.0": "fe464c086f630f106c0fc5001ee377980f45938f03f8f0d03da08a4841748541",
    "idna==3.20": "ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c",
    "iniconfig==2.0.0": "b6a85871a79d2e3b22d2d1b94ac2824226a63c6b741c88f7ae975f18b6778374",
    "itsdangerous==2.2.0": "c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef",
    "jinja2==3.1.5": "aba0f4dc9ed8013c424088f68a5c226f7d6097ed89b246d7749c2ec4175c6adb",
    "markupsafe==3.0.2": "a123e330ef0853c6e822384873bef7507557d8e4a082961e1defa947aa59ba84",
    "outcome==1.3.0.post0": "e771c5ce06d1415e356078d3bdd68523f284b4ce5419828922b6871e65eda82b",
    "packaging==24.2": "09abb1bccd265c01f4a3aa3f7a7db064b36514d2cba19a2f694fe6150451a759",
    "pluggy==1.5.0": "44e1ad92c8ca002de6377e165f3e0f1be63266ab4d554740532335b9d75ea669",
    "pytest==8.3.5": "c69214aa47deac29fad6c2a4f590b9c4a9fdb16a403176fe154b79c0b4d4d820",
    "sniffio==1.3.1": "2f6da418d1f1e0fddd844478f41680e794e6051915791a034ff65e5f100525a2",
    "sortedcontainers==2.4.0": "a163dcaede0f1c021485e957a39245190e74249897e2ae4b2aa38595db237ee0",
    "trio==0.27.0": "68eabbcf8f457d925df62da780eff15ff5dc68fd6b367e2dde59f7aaf2a0b884",
    "werkzeug==3.1.3": "54b78bf3716d19a65be4fceccc0d1d7b89e608834989dfae50ea87564639213e",
}
_FOR_THE_GUEST = ("--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux2014_x86_64")


def unpacked(name: str, version: str, place: Path) -> Path:
    """Unpack a release below `place`; give its top directory."""
    target = place / f"{name}-{version}-unpacked"
    with tarfile.open(_archive(name, version)) as archive:
        archive.extractall(target, filter="data")
    (top,) = target.iterdir()
    return top


def wheels() -> Path:
    """Give the directory with all wheels."""
    kept = _kept() / "wheels"
    if len({*_WHEELS.values()} & {_sha256(file) for file in kept.glob("*.whl")}) < len(_WHEELS):
        _download(_WHEELS, kept, _FOR_THE_GUEST)
    return kept


def _archive(name: str, version: str) -> Path:
    kept, wanted = _kept(), f"{name}=={version}"
    archive = kept / f"{name}-{version}.tar.gz"
    if not archive.exists() or _sha256(archive) != _SHA256[wanted]:
        _download({wanted: _SHA256[wanted]}, kept, ("--no-binary", ":all:"))
    assert _sha256(archive) == _SHA256[wanted]
    return archive


def _download(wanted: Mapping[str, str], place: Path, options: Sequence[str]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    listed = place / "wanted.txt"
    listed.write_text("".join(f"{name} --hash=sha256:{digest}\n" for name, digest in wanted.items()))
    words = [*_pip(), "download", "-q", "--no-deps", *options, "--require-hashes", "-r", str(listed)]
    subprocess.run(words, cwd=place, check=True)


def _pip() -> list[str]:
    """The host's own pip, with its configuration; else one that uv brings."""
    own = shutil.which("pip") or shutil.which("pip3")
    return [own] if own else [*uv(), "tool", "run", "pip"]


def uv() -> list[str]:
    """The uv that `scripts/setup` found or installed."""
    return [shutil.which("uv") or str(Path(__file__).parents[1] / ".tools/uv/bin/uv")]


def _kept() -> Path:
    """Where archives are kept from one run to the next."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("PYRO_RELEASES") or cache / "pyro-tests")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
