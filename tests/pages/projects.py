"""The directory that a page begins in: a project, as its reader has one."""

import shutil
from pathlib import Path

from tests.opened import git
from tests.pages.blocks import ROOT
from tests.use_cases import releases

# Pages that begin in the clone, and take the example out of it.
_IN_THE_CLONE = ("README.md", "docs/first-run.md", "docs/install.md")


def project_for(page: str, home: Path) -> Path:
    """Make it below `home`."""
    if page in _IN_THE_CLONE:
        clone = home / "pyro"
        clone.mkdir()
        (clone / "examples").symlink_to(ROOT / "examples")
        return clone
    if page.startswith("docs/use-cases/") and not page.endswith("README.md"):
        return _package(Path(page).stem, home / "src")
    return _calc(home)


def _package(recipe: str, place: Path) -> Path:
    if recipe == "untrusted-inspection":
        (place / "package").mkdir(parents=True)
        (place / "package" / "setup.py").write_text("print(open('/etc/hostname').read())\n")
        return place / "package"
    if recipe == "cold-start-validation":
        return releases.fixed(place)
    project = releases.with_bug(place)
    for attempts in (project, project.parent / "candidates"):
        attempts.mkdir(exist_ok=True)
        for name, fix in (("a", releases.FIX), ("b", releases.BUG.replace("list(it)", "[*it]"))):
            (attempts / f"{name}.patch").write_text(_patch(project, fix))
    return project


def _patch(project: Path, fix: str) -> str:
    """A change of the function that has the bug, as git shows it."""
    file = project / releases.FILE
    text = file.read_text()
    file.write_text(text.replace(releases.BUG, fix))
    shown = git(project, "diff").decode()
    file.write_text(text)
    return shown


def _calc(home: Path) -> Path:
    shutil.copytree(ROOT / "examples" / "calc", home / "calc")
    git(home / "calc", "init", "-q")
    git(home / "calc", "add", "-A")
    git(home / "calc", "commit", "-q", "-m", "Add")
    return home / "calc"
