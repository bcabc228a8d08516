"""How long torture lasts, and where its chance begins: the variables ROUNDS, SECONDS and SEED."""

import os
import random
import time

ROUNDS = int(os.environ.get("ROUNDS", "100"))
SECONDS = float(os.environ.get("SECONDS", "10"))
SEED = os.environ.get("SEED") or str(time.time_ns())


def chance(*parts: object) -> random.Random:
    """Give random numbers that are the same for the same SEED and parts."""
    return random.Random(" ".join([SEED, *map(str, parts)]))
