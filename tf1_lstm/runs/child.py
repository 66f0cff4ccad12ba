"""What ``reproduce`` does in processes of their own: training, and measuring one checkpoint.

A fresh process proves that the checkpoint alone carries the result: nothing of the training's session
can be left over. ``python -m tf1_lstm.runs.child JOB`` reads a JSON object with ``do`` (``train``,
``resume`` or ``measure``) and the arguments of the function of that name below.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from tf1_lstm.core.exits import exit_code_of
from tf1_lstm.core.quiet import NO_BANNER, be_quiet, is_quiet


def _train(data: Optional[str], run: str, **arguments: Any) -> int:
    """Train, as ``start_run`` does; that it is the sample stands in the results."""
    from tf1_lstm.runs.start import say_where, start_run

    os.environ[NO_BANNER] = "1"
    return say_where(start_run(data=_path(data), run=Path(run), **arguments))


def _resume(path: str, data: Optional[str]) -> int:
    from tf1_lstm.runs.start import resume_run, say_where

    outcome = resume_run(Path(path), _path(data))
    return 0 if outcome is None else say_where(outcome)


def _measure(data: Optional[str], pictures: Optional[str], **arguments: Any) -> int:
    """Measure one checkpoint and print the JSON document."""
    from tf1_lstm.runs.measure import measure

    print(json.dumps(measure(data=_path(data), pictures=_path(pictures), **arguments), allow_nan=False))
    return 0


def _path(text: Optional[str]) -> Optional[Path]:
    return None if text is None else Path(text)


def main(job: Dict[str, Any]) -> int:
    """Do a job; returns its exit code."""
    if is_quiet():
        be_quiet()
    arguments = dict(job)
    actions: Dict[str, Callable[..., int]] = {"train": _train, "resume": _resume, "measure": _measure}
    action = actions[arguments.pop("do")]
    return exit_code_of(lambda: action(**arguments))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
