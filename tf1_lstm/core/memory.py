"""How the C library hands out memory: what a step freed is kept for the next one."""

import ctypes
from functools import lru_cache

# Numbers of mallopt(3) in glibc.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
KEPT_BYTES = 1 << 30
TOP_PAD_BYTES = 64 << 20


@lru_cache(maxsize=None)
def keep_freed_memory() -> bool:
    """Let this process keep up to 1 GB that it freed; returns whether the C library can.

    By default glibc gives large blocks back to the system at once, and a training step that asks for them
    again pays for new, zeroed pages: 2,200 page faults and a sixth of the time in a step of
    ``imdb-lstmcell2`` with the fast engine. No result depends on it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(
        mallopt(name, value)
        for name, value in (
            (_M_MMAP_MAX, 0),
            (_M_TRIM_THRESHOLD, KEPT_BYTES),
            (_M_TOP_PAD, TOP_PAD_BYTES),
        )
    )
