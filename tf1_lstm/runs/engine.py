"""Which engine calculates the recurrent layers of a run, and that a run goes on with its own.

``exact`` is TensorFlow 1.15 alone. ``fast`` is TensorFlow 1.15 with recurrent layers of our own.
"""

import sys
from typing import Any, Dict, Mapping, Optional

from tf1_lstm.errors import InputError
from tf1_lstm.graphs.engine.build import source_sha256
from tf1_lstm.graphs.engine.library import EngineChoice, choose, chosen_again

EXACT, FAST = "exact", "fast"
ENGINES = (EXACT, FAST)


def engine_of(name: str, *, threads: int, device: str, exact: bool = True) -> Optional[EngineChoice]:
    """The engine that was asked for on this machine; None for the exact one.

    Args:
      name: one of ``ENGINES``.
      threads: 0 for one a processor.
      device: ``cpu`` or ``gpu``, as it was settled.
      exact: dropout masks as a function of (seed, iteration).

    Raises:
      InputError: the fast engine cannot be used here, or not with these options.
    """
    if name == EXACT:
        return None
    if name != FAST:
        raise InputError(f"--engine: found {name!r}, expected {' or '.join(ENGINES)}")
    if device == "gpu":
        raise InputError("--engine fast: found a GPU in use, expected --device cpu")
    if not exact:
        raise InputError("--engine fast: found --not-exact, expected without: its masks are the exact ones")
    return choose(threads)


def engine_record(engine: Optional[EngineChoice]) -> Dict[str, Any]:
    """What a run's record says of its engine."""
    if engine is None:
        return {"name": EXACT}
    return {"name": FAST, "instruction_set": engine.instruction_set, "source_sha256": source_sha256()}


def engine_words(record: Optional[Mapping[str, Any]]) -> str:
    """What a report says of an engine."""
    if record is None or record["name"] == EXACT:
        return "exact: TensorFlow 1.15"
    return (
        f"fast: TensorFlow 1.15 with recurrent layers of our own ({record['instruction_set']}, source "
        f"{record['source_sha256'][:12]})"
    )


def recorded_engine(where: str, record: Mapping[str, Any]) -> Optional[EngineChoice]:
    """The engine of a run, to go on with the same bits; None for the exact one.

    Args:
      where: the run, for the error.
      record: its ``run.json``.

    Raises:
      InputError: this processor or these sources can only give other bits.
    """
    found = record.get("engine") or {"name": EXACT}
    if found["name"] == EXACT:
        return None
    now = source_sha256()
    if found["source_sha256"] != now:
        raise InputError(
            f"{where}: calculated by a fast engine of source {found['source_sha256'][:16]}…, found "
            f"{now[:16]}…: it cannot go on with the same bits"
        )
    engine = chosen_again(found["instruction_set"], record["options"]["threads"])
    if engine.instruction_set != found["instruction_set"]:
        print(
            f"tf1-lstm: this processor lacks {found['instruction_set']}; {engine.instruction_set} gives the "
            "same bits",
            file=sys.stderr,
        )
    return engine
