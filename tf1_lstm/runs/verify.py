"""Check a finished or stopped run again, from its files alone."""

import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.runs.engine import engine_words, recorded_engine
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.recorded import check_unchanged, experiment_of


class Check(NamedTuple):
    """One thing that was checked: its name, whether it holds, and what was seen."""

    name: str
    holds: bool
    seen: str


def verify(path: Path, data: Optional[Path] = None, rerun: Optional[int] = None) -> Iterator[Check]:
    """Check a run from its files; yields each check when it is done.

    Args:
      path: the run folder.
      data: where its data is now, if it was moved.
      rerun: train that many first iterations again.

    Raises:
      InputError: no run.
    """
    folder = RunFolder.open(path)
    edits = folder.edits()
    sealed = "as written" if folder.is_sealed else "made before runs were sealed: edits cannot be told"
    yield Check("seals", not edits, "; ".join(edits) or f"record and log {sealed}")
    try:
        experiment = experiment_of(folder.path, folder.record, data)
        check_unchanged(folder.path, folder.record, experiment)
    except InputError as error:
        yield Check("recipe and data", False, str(error))
        return
    hashes = folder.record["data"]
    yield Check(
        "recipe and data", True, f"settings as recorded; {len(hashes)} files with the recorded SHA-256"
    )
    yield _written(folder)
    intact: List[Dict[str, Any]] = []
    for checkpoint in _to_be_there(folder):
        damage = folder.damage(checkpoint)
        if damage is None:
            intact.append(checkpoint)
        yield Check(
            f"checkpoint {checkpoint['step']:,}",
            damage is None,
            damage or f"{len(checkpoint['sha256'])} files with the logged SHA-256",
        )
    if intact:
        yield from _weights(folder, experiment, intact)
    if rerun:
        iterations = rerun
        yield _attempt("rerun", lambda: _rerun(folder, experiment, iterations))


def _to_be_there(folder: RunFolder) -> List[Dict[str, Any]]:
    """The checkpoints that the run kept, also where somebody has removed them since."""
    logged, there = folder.logged_checkpoints(), folder.checkpoints()
    kept = logged[-folder.record["options"]["keep"] :]
    return [checkpoint for checkpoint in logged if checkpoint in kept or checkpoint in there]


def _written(folder: RunFolder) -> Check:
    """Every iteration up to the last checkpoint has its loss."""
    steps = [checkpoint["step"] for checkpoint in folder.logged_checkpoints()]
    losses = len(folder.losses())
    last = max(steps) if steps else 0
    ended = " and ended" if folder.record.get("ended") else ", not ended"
    return Check("log", losses >= last, f"{losses:,} losses, last checkpoint {last:,}{ended}")


def _weights(folder: Any, experiment: Any, intact: List[Dict[str, Any]]) -> Iterator[Check]:
    """The digest of every checkpoint, and the logged evaluation of the last."""
    from tf1_lstm.checkpoints.restore import load_weights
    from tf1_lstm.runs.model import Model

    record = folder.record["options"]
    try:
        engine = recorded_engine(str(folder.path), folder.record)
    except InputError as error:
        yield Check("engine", False, str(error).splitlines()[0])
        return
    yield Check("engine", True, engine_words(folder.record.get("engine")))
    model = Model(
        experiment.recipe,
        experiment.dataset.constants(),
        seed=record["seed"],
        threads=record["threads"],
        engine=engine,
    )
    with model:
        for checkpoint in intact:

            def digest(checkpoint: Dict[str, Any] = checkpoint) -> Tuple[bool, str]:
                found = load_weights(folder.path / checkpoint["prefix"], model.expected()).digest()
                return found == checkpoint["weights_sha256"], f"weights_sha256 {found[:16]}…"

            yield _attempt(f"weights {checkpoint['step']:,}", digest)
        evaluations = {e["step"]: e for e in folder.events() if e["event"] == "evaluation"}
        last = intact[-1]
        if last["step"] in evaluations:
            logged = evaluations[last["step"]]
            yield _attempt("evaluation", lambda: _evaluate(model, experiment, folder, last, logged))
    yield from _own_losses(folder, experiment, intact, engine)


def _own_losses(folder: Any, experiment: Any, intact: List[Dict[str, Any]], engine: Any) -> Iterator[Check]:
    """The logged losses that checkpoints can tell, where there are any."""
    from tf1_lstm.runs.own_losses import own_losses

    try:
        found = own_losses(folder, experiment, intact, engine)
    except InputError as error:
        found = False, str(error).splitlines()[0]
    if found is not None:
        yield Check("losses", *found)


def _evaluate(
    model: Any, experiment: Any, folder: Any, checkpoint: Dict[str, Any], logged: Dict[str, Any]
) -> Tuple[bool, str]:
    from tf1_lstm.checkpoints.restore import load_weights
    from tf1_lstm.runs.evaluate import evaluate

    model.load(load_weights(folder.path / checkpoint["prefix"], model.expected()))
    found = evaluate(model, experiment.dataset.split(logged["split"]))
    same = all(logged.get(name) == value for name, value in found.figures.items())
    seen = f"{found.split} " + ", ".join(f"{name} {value!r}" for name, value in found.figures.items())
    others = " and ".join(repr(logged.get(name)) for name in found.figures)
    return same, seen if same else f"{seen}; logged {others}"


def _rerun(folder: Any, experiment: Any, iterations: int) -> Tuple[bool, str]:
    """Train the first iterations again elsewhere and compare every loss, bit for bit."""
    from tf1_lstm.runs.loop import TrainOptions
    from tf1_lstm.runs.train import train

    logged = folder.losses()
    iterations = min(iterations, len(logged))
    options = TrainOptions(**folder.record["options"])
    if not options.exact:
        return False, "the run was made with --not-exact, so its losses cannot come again"
    shorter = experiment._replace(recipe=experiment.recipe.with_settings({"iterations": iterations}))
    with tempfile.TemporaryDirectory(prefix="tf1-lstm-verify-") as scratch:
        path = Path(scratch) / "run"
        engine = recorded_engine(str(folder.path), folder.record)
        train(shorter, path, options._replace(summaries=False), progress=False, engine=engine)
        again = RunFolder.open(path)
        found = again.losses()
        figures = [_figures(run, iterations) for run in (folder, again)]
    different = [k for k in range(iterations) if found[k].tobytes() != logged[k].tobytes()]
    if different:
        first = different[0]
        return False, (
            f"iteration {first + 1}: loss {found[first]!r}, logged {logged[first]!r} "
            f"({len(different):,} of {iterations:,} differ)"
        )
    return figures[0] == figures[1], (
        f"{iterations:,} losses and {len(figures[1])} logged figures bit for bit"
        if figures[0] == figures[1]
        else "the losses agree, the logged figures differ"
    )


def _figures(run: Any, iterations: int) -> List[Tuple[Any, ...]]:
    from tf1_lstm.runs.pictures import logged_figures

    return [tuple(entry.values()) for entry in logged_figures(run) if entry["iteration"] <= iterations]


def _attempt(name: str, check: Callable[[], Tuple[bool, str]]) -> Check:
    """Run a check; bad input makes it fail in place of ending the command."""
    try:
        return Check(name, *check())
    except InputError as error:
        return Check(name, False, str(error).splitlines()[0])
