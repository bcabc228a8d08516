"""The recipes hold: each prompt has one, its calls are what the profile's tools take, its Python is what the SDK has."""

import ast
import json
import re
from pathlib import Path

import pytest
from tests.use_cases.recipe import costs

from pyro_mcp.mcp_server.prompts import prompts_in
from pyro_mcp.mcp_server.schema import arguments_from
from pyro_mcp.operations.catalogue import all_operations, operation_named, operations_in
from pyro_mcp.operations.declare import Operation, Profile

_ROOT = Path(__file__).parents[2]
_PLACE = _ROOT / "docs" / "use-cases"
_RECIPES = sorted(set(_PLACE.glob("*.md")) - {_PLACE / "README.md"})
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
_CALL = re.compile(r"^([a-z]+(?:_[a-z]+)+) (\{.*\})$", re.MULTILINE)
_PROFILE = re.compile(r"^Profile: `(workspace-\w+)`", re.MULTILINE)
_SMOKE = re.compile(r"`make (smoke-[a-z-]+)`")
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

recipes = pytest.mark.parametrize("page", _RECIPES, ids=lambda page: page.stem)


def test_every_prompt_has_its_recipe_and_every_recipe_its_prompt() -> None:
    assert {page.stem for page in _RECIPES} == set(prompts_in("workspace-full"))
    index = (_PLACE / "README.md").read_text()
    assert all(f"({page.name})" in index for page in _RECIPES)


@recipes
def test_its_calls_are_what_the_tools_of_its_profile_take(page: Path) -> None:
    text = page.read_text()
    profile = _profile(text)
    offered = {operation.name for operation in operations_in(profile)}
    calls = _CALL.findall(text)
    assert len(calls) >= 5
    for name, given in calls:
        assert name in offered, f"{name} is not in {profile}"
        arguments_from(operation_named(name), profile, json.loads(given))


@recipes
def test_it_names_its_prompt_and_its_smoke_test_that_both_exist(page: Path) -> None:
    text = page.read_text()
    assert f"prompt `{page.stem}`" in text
    targets = set(re.findall(r"^([a-z-]+):", (_ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(_SMOKE.findall(text))
    assert named
    assert named <= targets


@recipes
def test_it_does_what_its_prompt_tells_a_model_to_do(page: Path) -> None:
    """What a prompt has a model call, the recipe shows or explains."""
    text = page.read_text()
    prompt = prompts_in("workspace-full")[page.stem].filled(
        dict.fromkeys(prompts_in("workspace-full")[page.stem].arguments, "x"), _profile(text)
    )
    called = set(re.findall(r"\b(?:workspace|snapshot)_[a-z_]+", prompt))
    assert called - set(re.findall(r"\b(?:workspace|snapshot)_[a-z_]+", text)) == set()


@recipes
def test_the_index_tells_the_same_costs(page: Path) -> None:
    (row,) = re.findall(
        rf"^\| \[{page.stem}\]\({page.name}\) \|.*\d+ \|$", (_PLACE / "README.md").read_text(), re.MULTILINE
    )
    told = tuple(int(cell.strip().replace(",", "")) for cell in row.split("|")[2:-2])
    assert told == costs(page)["MCP"]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_python_calls_what_the_sdk_has(page: Path) -> None:
    for block in _PYTHON.findall(page.read_text()):
        for call in ast.walk(ast.parse(block)):
            if isinstance(call, ast.Call) and (chain := _chain(call.func)):
                operation = _operation(chain)
                assert operation is not None, f"the SDK has no {'.'.join(chain)}"
                known = {parameter.name for parameter in operation.parameters}
                assert {word.arg for word in call.keywords if word.arg} <= known, ast.unparse(call)


def _profile(text: str) -> Profile:
    found = _PROFILE.search(text)
    assert found is not None, "it says which profile it needs"
    return "workspace-core" if found[1] == "workspace-core" else "workspace-full"


def _chain(called: ast.expr) -> list[str]:
    """The names from `ws` or `Pyro()` on to the method; nothing for other calls."""
    names: list[str] = []
    while isinstance(called, ast.Attribute):
        names.insert(0, called.attr)
        called = called.value
    if isinstance(called, ast.Name) and called.id == "ws":
        return ["workspace", *names]
    is_client = (
        isinstance(called, ast.Call) and isinstance(called.func, ast.Name) and called.func.id == "Pyro"
    )
    return names if is_client and names != ["create_server"] else []  # no operation


def _operation(chain: list[str]) -> Operation | None:
    paths = {f"{found.noun}.{found.method.__name__}".lstrip("."): found for found in all_operations()}
    return paths.get(".".join(chain))
