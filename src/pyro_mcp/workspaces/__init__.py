"""The product: what a user can do with a workspace, a file each, or a folder where it takes more; `session.py` is the way in.

What these stand on is in `machines`, `registry`, `storage`, `secrets`, `history` and `text`; `engine.py` puts the parts together.
"""
