"""The verbs there are."""

from __future__ import annotations

from pyro_agent.verbs import VERBS


def test_every_verb_has_a_name_a_host_may_use() -> None:
    disk = ["attach", "detach", "freeze", "prepare", "rehearse", "settle", "sync", "thaw"]
    files = [
        "file.read",
        "file.stat",
        "tree.apply",
        "tree.changes",
        "tree.list",
        "tree.manifest",
        "tree.read",
        "tree.search",
    ]
    assert sorted(VERBS) == sorted(["connect", "exec", "ping", "pty", "secret.put", *disk, *files])
