"""The fast engine's library: which instruction sets this processor has, and its ops in TensorFlow.

A library that is missing, of other sources or of a newer system is refused with a reason; nothing
falls back to the exact engine by itself.
"""

import ctypes
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.graphs.engine.build import LIBRARY, built_source, source_sha256

# In the order of engine.h; those with fused multiplication give the same bits.
INSTRUCTION_SETS = ("AVX512", "AVX2", "AVX")
FUSED = ("AVX512", "AVX2")
# TensorFlow's own library, whose C interface the ops are written for.
INTERNAL = "_pywrap_tensorflow_internal.so"


class EngineChoice(NamedTuple):
    """How the recurrent layers are calculated.

    Attributes:
      instruction_set: one of ``INSTRUCTION_SETS``.
      threads: of the engine; at least 1.
    """

    instruction_set: str
    threads: int


@lru_cache(maxsize=None)
def opened(path: Path = LIBRARY) -> Any:
    """The library's ops, after every check.

    Raises:
      InputError: there is none, it is of other sources, or it does not fit this system.
    """
    if not path.is_file():
        raise InputError(
            f"--engine fast: {path} is not there; `make setup` builds it where gcc or clang is installed"
        )
    if built_source(path) != source_sha256():
        raise InputError(f"--engine fast: {path} was built from other sources; `make setup` builds it again")
    import tensorflow.python as internals

    from tf1_lstm.core.tensorflow import tf

    try:
        # TensorFlow keeps its symbols to itself; the engine's library needs some of them.
        folder = os.path.dirname(internals.__file__)
        ctypes.CDLL(os.path.join(folder, INTERNAL), mode=ctypes.RTLD_GLOBAL | os.RTLD_NOLOAD)
        ops = tf.load_op_library(str(path))
    except (OSError, tf.errors.OpError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--engine fast: {path} does not fit this system: {reason}") from error
    from tf1_lstm.graphs.engine.gradients import register

    register(ops)
    return ops


def supported_sets() -> Any:
    """The instruction sets of this processor, the fastest first."""
    opened()
    found = ctypes.CDLL(str(LIBRARY)).tf1_lstm_engine_supports
    return tuple(name for number, name in enumerate(INSTRUCTION_SETS) if found(number))


def choose(threads: int, instruction_set: Optional[str] = None) -> EngineChoice:
    """The engine on this processor.

    Args:
      threads: 0 for one a processor that this process may use.
      instruction_set: one of ``INSTRUCTION_SETS``; the fastest if None.

    Raises:
      InputError: the library cannot be used, or the processor lacks the instruction set.
    """
    there = supported_sets()
    name = instruction_set or (there[0] if there else "")
    if name not in there:
        has = ", ".join(there) or "none of them"
        raise InputError(f"--engine fast: this processor lacks {name or 'AVX'}; it has {has}")
    return EngineChoice(name, threads or len(os.sched_getaffinity(0)))


def chosen_again(recorded: str, threads: int) -> EngineChoice:
    """The engine that gives the bits of a recorded instruction set.

    Raises:
      InputError: this processor can only give others.
    """
    there = supported_sets()
    same = FUSED if recorded in FUSED else (recorded,)
    if recorded not in there:
        fitting = [name for name in there if name in same]
        return choose(threads, fitting[0] if fitting else recorded)
    return choose(threads, recorded)
