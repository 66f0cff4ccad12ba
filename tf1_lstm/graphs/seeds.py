"""The seed of every random op, derived from the run's seed and the op's name."""

import hashlib


def op_seed(seed: int, name: str) -> int:
    """31 bits of SHA-256 over the run's seed and the op's name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "little") >> 1
