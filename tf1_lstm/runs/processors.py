"""On which kinds of processor a run was trained: with another kind its weights differ in bits."""

from typing import Any, Dict, List

from tf1_lstm.errors import InputError
from tf1_lstm.runs.environment import instruction_set, processor
from tf1_lstm.runs.folder import RunFolder

RESUMED_ON = "resumed_on"


def this_kind() -> str:
    """The kind of processor that this is: its name and widest instruction set."""
    facts = processor()
    return _kind(facts.get("model name", "unknown"), facts.get("flags", ""))


def kind_of(environment: Dict[str, Any]) -> str:
    """The same of a recorded environment."""
    return _kind(str(environment.get("cpu", "unknown")), str(environment.get("cpu_flags", "")))


def _kind(name: str, flags: str) -> str:
    return f"{name}, {instruction_set(flags)}"


def check_processor(run: RunFolder, other: bool) -> None:
    """Refuse to go on upon another kind of processor, or record that this is done.

    Args:
      run: opened and locked.
      other: it is wanted.

    Raises:
      InputError: another kind than the run began on, and it is not wanted.
    """
    environment = run.record.get("environment")
    if not isinstance(environment, dict):
        return
    then, now = kind_of(environment), this_kind()
    if then == now:
        return
    if not other:
        raise InputError(
            f"{run.path}: begun on {then}; found {now}, whose bits differ. Expected the same kind, or "
            "--other-processor (the record then says so)"
        )
    run.check_unedited()
    known: List[str] = list(run.record.get(RESUMED_ON, []))
    if now not in known:
        run.save_record(**{RESUMED_ON: [*known, now]})
