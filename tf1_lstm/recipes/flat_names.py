"""Settings by the two names of former versions that stand for more than one setting of today."""

import dataclasses
from typing import Any, Dict, Mapping

from tf1_lstm.errors import InputError

READOUTS = {"last-output": "output", "last-state": "state"}


def translated(both: Any, by_default: Any, changes: Mapping[str, Any]) -> Dict[str, Any]:
    """Changes with the flat names ``readout`` and ``bidirectional`` in today's words.

    Args:
      both: the experiment's ``recurrent.bidirectional``.
      by_default: what it becomes where ``bidirectional`` is merely true.
      changes: as typed.
    """
    found = dict(changes)
    word = found.pop("bidirectional", None)
    if word is not None:
        said = str(word).lower()
        if said not in ("true", "yes", "1", "false", "no", "0"):
            found["recurrent.bidirectional"] = word
        else:
            both = (both or by_default) if said in ("true", "yes", "1") else None
            found["recurrent.bidirectional"] = both
    readout = found.pop("readout", None)
    if readout is None:
        return found
    if readout in READOUTS and both is None:
        found["recurrent.read"] = READOUTS[readout]
    elif readout in ("backward-state", "both-states") and both is not None:
        merge = "backward" if readout == "backward-state" else "join"
        found["recurrent.bidirectional"] = dataclasses.replace(both, merge=merge)
    else:
        expected = "'backward-state' or 'both-states'" if both else "'last-output' or 'last-state'"
        raise InputError(f"setting readout: found {readout!r}, expected {expected} (recurrent.read)")
    return found
