"""The `pyro` command line."""

import gc

# A command lives for tenths of a second and makes little garbage: looking for it takes 5 ms of every start.
gc.set_threshold(100_000, 50, 50)
