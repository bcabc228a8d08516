import os
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.environments.builders import Builders

from pyro_mcp.environments import kit_store
from pyro_mcp.environments.cache import Cache
from pyro_mcp.environments.kit_store import KitStore


@pytest.fixture
def store(builders: Builders, tmp_path: Path) -> KitStore:
    return KitStore(Cache(tmp_path))


def test_it_is_built_once(store: KitStore, builders: Builders) -> None:
    assert store.kit() == store.kit()
    assert builders.built == ["kit"]


def test_an_edit_of_the_agent_rebuilds_no_kit(
    store: KitStore, builders: Builders, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.kit()
    monkeypatch.setattr(kit_store, "agent_archive", lambda: b"edited")
    after = store.kit()
    assert builders.built == ["kit"]
    assert (before.root, before.kernel) == (after.root, after.kernel)
    assert before.digest != after.digest
    assert after.initrd.read_bytes() == (after.root.parent / "base.cpio").read_bytes() + b"edited"


def test_a_truncated_ram_disk_is_joined_again(store: KitStore) -> None:
    kit = store.kit()
    whole = kit.initrd.read_bytes()
    os.truncate(kit.initrd, 5)
    assert store.kit().initrd.read_bytes() == whole


def test_a_truncated_root_is_built_again(store: KitStore, builders: Builders) -> None:
    os.truncate(store.kit().root, 100)
    assert store.kit().root.stat().st_size > 100
    assert builders.built == ["kit", "kit"]


def test_a_refresh_follows_the_archive(store: KitStore, builders: Builders) -> None:
    before = store.kit()
    builders.archive = "tuesday"
    assert store.kit() == before
    assert store.kit(refresh=True) != before


def test_busybox_alone_can_be_had(store: KitStore) -> None:
    assert store.busybox().read_text().startswith("busybox")


def test_what_is_current_is_named_for_prune(store: KitStore) -> None:
    assert store.digests() == set()
    store.kit()
    assert len(store.digests()) == 2
