import re
from pathlib import Path

import pytest

from pyro_mcp.environments.catalogue import BUILT_IN
from pyro_mcp.environments.recipe import Recipe, RecipeFile, flatten, parse
from pyro_mcp.errors import InvalidRequest

BASE = Recipe(
    name="base", origin="/r/base.toml", suite="bookworm", packages=("git",), env={"A": "1", "B": "1"}
)
TOP = Recipe(
    name="top",
    origin="/r/top.toml",
    base="base",
    packages=("curl", "git"),
    script="true",
    env={"B": "2"},
    workdir="/srv",
)


def look_up(name: str) -> Recipe:
    return {"base": BASE, "top": TOP}[name]


def test_a_whole_recipe() -> None:
    recipe = parse(
        """
        name = "mine:1"
        summary = "mine"
        base = "debian:12"
        packages = ["libstdc++6", "gcc=4:12.2.0-3"]
        script = "echo hi"
        files = [{ path = "/etc/a", content = "x", mode = "0600" }, { path = "/etc/b", link = "a" }]
        [defaults]
        env = { LANG = "C.UTF-8" }
        workdir = "/workspace"
        user = "root"
        """,
        origin="mine.toml",
    )
    assert recipe == Recipe(
        name="mine:1",
        origin="mine.toml",
        summary="mine",
        base="debian:12",
        packages=("libstdc++6", "gcc=4:12.2.0-3"),
        files=(RecipeFile("/etc/a", 0o600, content="x"), RecipeFile("/etc/b", link="a")),
        script="echo hi",
        env={"LANG": "C.UTF-8"},
        workdir="/workspace",
        user="root",
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = ", "is not TOML"),
        ('base = "none"', "name is missing"),
        ('name = "Big"\nbase = "none"', "name must be a name"),
        ('name = "../x"\nbase = "none"', "name must be a name"),
        ('name = "x"', "exactly one of base and suite"),
        ('name = "x"\nbase = "none"\nsuite = "bookworm"', "exactly one of base and suite"),
        ('name = "x"\nsuite = "sid"', "suite must be one of bookworm, not 'sid'"),
        ('name = "x"\nbase = 7', "base must be a string"),
        ('name = "x"\nbase = "none"\npakages = []', "pakages is not a key"),
        ('name = "x"\nbase = "y"\npackages = "git"', "packages must be a list"),
        ('name = "x"\nbase = "y"\npackages = ["--option"]', "'--option' is not the name of a Debian package"),
        ('name = "x"\nbase = "y"\npackages = ["git,curl"]', "'git,curl' is not the name"),
        ('name = "x"\nbase = "none"\nfiles = "x"', "files must be a list of tables"),
        ('name = "x"\nbase = "none"\n[[files]]\ncontent = "x"', r"files\[0\].path must name a file"),
        ('name = "x"\nbase = "none"\n[[files]]\npath = "/"', r"files\[0\].path must name a file"),
        ('name = "x"\nbase = "none"\n[[files]]\npath = "/a"', "needs exactly one of source"),
        (
            'name = "x"\nbase = "none"\n[[files]]\npath = "/a"\nlink = "b"\ncontent = ""',
            "needs exactly one of",
        ),
        (
            'name = "x"\nbase = "none"\n[[files]]\npath = "/a/../b"\ncontent = ""',
            "must be a plain absolute path",
        ),
        ('name = "x"\nbase = "none"\n[[files]]\npath = "a"\ncontent = ""', "must be a plain absolute path"),
        ('name = "x"\nbase = "none"\n[[files]]\npath = "/a"\ncontent = ""\nmode = "rwx"', "octal digits"),
        (
            'name = "x"\nbase = "none"\n[[files]]\npath = "/a"\ndirectory = 1',
            "directory must be true or false",
        ),
        ('name = "x"\nbase = "none"\n[[files]]\npath = "/a"\nlink = "b"\nowner = "me"', "owner is not a key"),
        ('name = "x"\nbase = "none"\ndefaults = 1', "defaults must be a table"),
        ('name = "x"\nbase = "none"\n[defaults]\nenv = 1', "defaults.env must be a table"),
        ('name = "x"\nbase = "none"\n[defaults.env]\n"A B" = "1"', "defaults.env.A B must be"),
        (
            'name = "x"\nbase = "none"\n[defaults]\nworkdir = "srv"',
            "defaults.workdir must be a plain absolute path",
        ),
        ('name = "x"\nbase = "none"\n[defaults]\nshell = "sh"', "defaults.shell is not a key"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(text: str, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint) as caught:
        parse(text, origin="mine.toml")
    assert "mine.toml" in caught.value.brief
    assert caught.value.hint


def test_bases_are_folded_in_deepest_first() -> None:
    plan = flatten("top", look_up)
    assert (plan.suite, plan.packages, plan.scripts) == ("bookworm", ("curl", "git"), ("true",))
    assert plan.defaults.env == {"A": "1", "B": "2"}
    assert (plan.defaults.workdir, plan.defaults.user) == ("/srv", "root")
    assert plan.origins == ("/r/base.toml", "/r/top.toml")


def test_bases_that_stand_on_each_other_are_refused() -> None:
    circle = {name: Recipe(name=name, origin=name, base=other) for name, other in (("a", "b"), ("b", "a"))}
    with pytest.raises(InvalidRequest, match="never end"):
        flatten("a", circle.__getitem__)


@pytest.mark.parametrize("recipe", [{"packages": ("git",)}, {"script": "true"}])
def test_nothing_can_be_installed_on_nothing(recipe: dict[str, object]) -> None:
    lone = Recipe(name="lone", origin="lone.toml", base="none", **recipe)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="has files only"):
        flatten("lone", lambda _name: lone)


def test_our_own_recipes_are_in_order() -> None:
    recipes = {
        recipe.name: recipe
        for path in BUILT_IN.glob("*.toml")
        for recipe in [parse(path.read_text(), origin=str(path))]
    }
    assert sorted(recipes) == ["debian:12", "debian:12-base", "debian:12-build"]
    plans = {name: flatten(name, recipes.__getitem__) for name in recipes}
    assert {"git", "python3", "curl", "ca-certificates"} <= set(plans["debian:12"].packages)
    assert {"gcc", "make", "python3-dev", "python3-venv", "python3-pip", "nodejs", "npm"} <= set(
        plans["debian:12-build"].packages
    )
    assert all(recipe.summary for recipe in recipes.values())


def test_the_recipes_in_the_docs_are_recipes() -> None:
    text = Path("docs/environments.md").read_text()
    examples = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert [parse(example, origin="docs").name for example in examples] == ["django", "busybox"]
