from pathlib import Path

import pytest

from pyro_mcp.environments.catalogue import BUILT_IN, Catalogue, Source, sources_from
from pyro_mcp.errors import InvalidRequest, NotFound


@pytest.fixture
def own(tmp_path: Path) -> Path:
    directory = tmp_path / "environments"
    directory.mkdir()
    return directory


def no_kit() -> Path:
    raise AssertionError("nothing here wants the kit")


def test_ours_are_there_without_a_directory_of_ones_own(tmp_path: Path) -> None:
    assert set(Catalogue(tmp_path / "absent").recipes()) == {"debian:12", "debian:12-base", "debian:12-build"}


def test_a_recipe_is_found_whatever_its_file_is_called(own: Path) -> None:
    (own / "some.toml").write_text('name = "mine:1"\nbase = "none"\n')
    catalogue = Catalogue(own)
    assert catalogue.file_of("mine:1") == own / "some.toml"
    assert catalogue.file_of("debian:12") == BUILT_IN / "debian-12.toml"


@pytest.mark.parametrize("name", ["debain:12", "debian", "debian:13"])
def test_near_names_are_offered(own: Path, name: str) -> None:
    with pytest.raises(NotFound, match=name) as caught:
        Catalogue(own).file_of(name)
    assert "Did you mean debian:12" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["", "zzz", "../recipes/debian-12", "a\0b", "x" * 5000])
def test_a_strange_name_is_simply_unknown(own: Path, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        Catalogue(own).file_of(name)
    assert "debian:12" in (caught.value.hint or "")


def test_two_recipes_may_not_share_a_name(own: Path) -> None:
    (own / "mine.toml").write_text('name = "debian:12"\nbase = "none"\n')
    with pytest.raises(InvalidRequest, match="is taken by"):
        Catalogue(own).recipes()


def test_a_base_that_is_not_there_is_named(own: Path) -> None:
    (own / "mine.toml").write_text('name = "mine"\nbase = "debian:11"\n')
    with pytest.raises(NotFound, match="debian:11"):
        Catalogue(own).plan("mine")


def test_a_recipe_that_is_no_text_is_named(own: Path) -> None:
    (own / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidRequest, match=r"mine\.toml cannot be read"):
        Catalogue(own).recipes()


def test_the_key_moves_with_whatever_goes_in(own: Path) -> None:
    recipe, tool = own / "mine.toml", own / "tool"
    tool.write_text("1")

    def key(text: str, builder: int = 1) -> str:
        recipe.write_text(f'name = "mine"\nbase = "none"\n{text}')
        return Catalogue(own).resolve("mine", builder=builder, busybox=no_kit).key

    plain = '[[files]]\npath = "/tool"\nsource = "tool"\n'
    keys = [
        key(plain),
        key(plain, builder=2),
        key(plain + 'mode = "0700"'),
        key(plain + '[defaults]\nworkdir = "/"\nuser = "me"'),
    ]
    tool.write_text("2")
    keys.append(key(plain))
    tool.chmod(0o755)
    keys.append(key(plain))
    assert len(set(keys)) == len(keys)
    assert key(plain) == key('summary = "no part of the image"\n' + plain)


def test_a_file_of_a_recipe_that_is_missing_is_named(own: Path) -> None:
    (own / "mine.toml").write_text(
        'name = "mine"\nbase = "none"\n[[files]]\npath = "/a"\nsource = "absent"\n'
    )
    with pytest.raises(InvalidRequest, match="absent"):
        Catalogue(own).resolve("mine", builder=1, busybox=no_kit)


def test_the_kits_busybox_can_be_had(own: Path, tmp_path: Path) -> None:
    (tmp_path / "bb").write_text("elf")
    (own / "mine.toml").write_text(
        'name = "mine"\nbase = "none"\n[[files]]\npath = "/bin/busybox"\nsource = "kit:busybox"\n'
    )
    resolved = Catalogue(own).resolve("mine", builder=1, busybox=lambda: tmp_path / "bb")
    assert list(resolved.host_files.values()) == [tmp_path / "bb"]


def test_a_source_is_current_while_its_content_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1")
    source = Source.of(path)
    path.touch()
    assert source.is_current()
    path.write_text("2")
    assert not source.is_current()
    path.unlink()
    assert not source.is_current()


@pytest.mark.parametrize("notes", [None, 7, [{"path": "x"}], ["x"]])
def test_notes_of_another_version_are_no_sources(notes: object) -> None:
    assert sources_from(notes) is None


def test_ours_have_what_people_and_models_take_for_granted(own: Path) -> None:
    """Without them `git commit` and `pip install` fail, and what fails is reported as the project's fault."""
    plan, _ = Catalogue(own).plan("debian:12-build")
    written = {entry.path: entry.content or "" for _, entry in plan.files}
    assert "email = " in written["/etc/gitconfig"]
    assert "break-system-packages = true" in written["/etc/pip.conf"]
    assert {"strace", "python3-pytest"} <= set(plan.packages)
    plain = {entry.path for _, entry in Catalogue(own).plan("debian:12")[0].files}
    assert plain == {"/etc/gitconfig"}
