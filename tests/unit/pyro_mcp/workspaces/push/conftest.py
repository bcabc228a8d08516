"""What is pushed comes from trees and repositories like those that are seeded."""

from tests.unit.pyro_mcp.workspaces.seeding.conftest import plain_git, source, store

__all__ = ["plain_git", "source", "store"]
