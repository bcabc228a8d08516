"""The product: what a user can do with a workspace, one file each; session.py is the way in."""
