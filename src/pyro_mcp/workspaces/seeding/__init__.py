"""Take a host directory, git repository or tar archive into a workspace: choose, check, and write one read-only image.

Nothing here runs a program or follows a link. `SeedStore.ensure()` in store.py is the way in; push/plan.py plans later changes.
See docs/design/seeding.md.
"""
