import pytest

from pyro_mcp.environments.contents import dependencies, load_order, module_name, read_contents
from pyro_mcp.environments.kit_inputs import KIT_DATA


def test_a_module_says_what_it_needs() -> None:
    assert dependencies(b"\x7fELF\0license=GPL\0depends=nf-nat,nf_tables\0name=x\0") == [
        "nf_nat",
        "nf_tables",
    ]
    assert dependencies(b"\0depends=\0") == []
    assert dependencies(b"no such section") == []


def test_modules_come_after_what_they_need_and_once() -> None:
    needs = {"a": ["b", "c"], "b": ["c"], "c": [], "d": ["c"]}
    assert load_order(["d", "a"], needs) == ["c", "d", "b", "a"]


def test_a_module_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="gone"):
        load_order(["gone"], {})


def test_file_names_are_not_module_names() -> None:
    assert module_name("virtio-rng.ko") == "virtio_rng"


def test_our_own_contents() -> None:
    contents = read_contents((KIT_DATA / "kit.toml").read_text())
    assert {"virtio_blk", "virtio_console", "squashfs", "overlay"} <= set(contents.modules)
    assert {"json", "ctypes", "selectors", "socket", "pty", "tarfile", "mmap"} <= set(contents.python_tried)
    assert not any(
        name.startswith("/") for name in (*contents.programs, *contents.links, *contents.directories)
    )
    # init uses each of them by name
    init = (KIT_DATA / "init").read_text()
    assert all(applet in init for applet in contents.applets)
