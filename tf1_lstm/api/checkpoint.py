"""A checkpoint that answers: evaluate it, predict with it, read its weights, hand it on."""

from html import escape
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

import numpy as np

from tf1_lstm.api.shown import Listed
from tf1_lstm.data.base import Example
from tf1_lstm.errors import InputError
from tf1_lstm.report.html import table
from tf1_lstm.runs.restore import Restored, restore

PathLike = Union[str, Path]


def load(
    checkpoint: PathLike,
    recipe: Optional[PathLike] = None,
    *,
    data: Optional[PathLike] = None,
    sample: bool = False,
    corrected: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    device: str = "auto",
    threads: int = 0,
) -> "Checkpoint":
    """Open a checkpoint of any TensorFlow 1 version with the data set it belongs to.

    Args:
      checkpoint: a prefix, one of a checkpoint's files, or a folder (its newest checkpoint).
      recipe: a name, ``FILE.py:NAME`` or a run folder; found by itself where the checkpoint lies in a
        run, or fits one recipe only.
      data: the data folder; ``data`` by default.
      sample: use the embedded sample.
      corrected: apply the recipe's corrected settings.
      settings: changes, by path, e.g. ``{"data.steps": 100}``.
      device: ``auto``, ``cpu`` or ``gpu``.
      threads: TensorFlow's; 0 for one a core.

    Raises:
      InputError: no checkpoint, no recipe that fits, or no data.
    """
    return Checkpoint(
        restore(
            str(recipe or recipe_of(checkpoint)),
            checkpoint,
            data=None if data is None else Path(data),
            sample=sample,
            corrected=corrected,
            settings=settings,
            device=device,
            threads=threads,
        )
    )


def recipe_of(checkpoint: PathLike) -> str:
    """The recipe of the run that a checkpoint lies in, else the only one that it fits.

    Raises:
      InputError: none fits, or several do.
    """
    from tf1_lstm.checkpoints.inspection import inspect
    from tf1_lstm.recipes import all_recipes
    from tf1_lstm.runs.recorded import run_of

    run = run_of(Path(checkpoint))
    if run is not None:
        return str(run.folder) if run.record.get("own_file") else str(run.record["recipe"])
    found = [fit["name"] for fit in inspect(str(checkpoint), all_recipes())["recipes"] if fit["fits"]]
    if len(found) == 1:
        return str(found[0])
    what = f"{len(found)} recipes that it fits ({', '.join(found)})" if found else "no recipe that it fits"
    raise InputError(f"{checkpoint}: found {what}, expected one; name it: load(checkpoint, recipe)")


class TestBatches(NamedTuple):
    """The document's last step, drawn again.

    Attributes:
      accuracies: of each batch.
      mean: over them.
      interval: 95 % interval of the mean.
      published: accuracies as published; empty where none were.
    """

    accuracies: Sequence[float]
    mean: float
    interval: Sequence[float]
    published: Sequence[float]

    def __repr__(self) -> str:
        low, high = self.interval
        return f"<TestBatches: {len(self.accuracies)}, mean {self.mean:.2%} [{low:.2%}, {high:.2%}]>"

    def _repr_html_(self) -> str:
        published = [f"{value:.2%}" for value in self.published] + [""] * len(self.accuracies)
        rows = [
            [number, f"{measured:.2%}", beside]
            for number, (measured, beside) in enumerate(zip(self.accuracies, published), 1)
        ]
        return f"<p>{escape(repr(self)[1:-1])}</p>" + table(["batch", "measured", "published"], rows, (1, 2))


class Predictions(Listed[Dict[str, Any]]):
    """One document for each thing that was given: ``name``, ``label``, ``probability``, …, or ``refused``."""

    headers = ("name", "label", "probability", "refused")

    def rows(self) -> Sequence[Sequence[Any]]:
        """The table's cells."""
        return [
            [one["name"], one.get("label", ""), _rounded(one.get("probability")), one.get("refused", "")]
            for one in self
        ]


def _rounded(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.4f}"


class Checkpoint:
    """A checkpoint in a graph, with its data set; close it, or use it as a context manager.

    Attributes:
      recipe: the experiment, with the settings in use.
      facts: checkpoint, step, digest, whether the data are the sample, settings that differ.
    """

    def __init__(self, restored: Restored) -> None:
        self._restored = restored
        self._dataset = restored.experiment.dataset
        self.recipe = restored.experiment.recipe
        self.facts: Dict[str, Any] = restored.facts
        self._from_states: Any = None

    @property
    def splits(self) -> Sequence[str]:
        """Names that ``evaluate`` takes."""
        return tuple(self._dataset.split_names())

    @property
    def weights(self) -> Dict[str, np.ndarray]:
        """The canonical weights: name -> float32 array, e.g. ``lstm/fw/0/kernel``."""
        return dict(self._restored.model.weights(self.facts["step"]).arrays)

    def evaluate(
        self, split: Optional[str] = None, *, dropout: bool = False, draws: int = 3, progress: bool = True
    ) -> Any:
        """Measure a split, every example once.

        Args:
          split: one of ``splits``; the first by default.
          dropout: on, as published.
          draws: repetitions with dropout on.
          progress: show a bar.

        Returns:
          ``accuracy``, ``loss``, ``interval``, ``confusion``, ``probabilities`` and more; of a
          regression its errors.
        """
        from tf1_lstm.runs.evaluate import evaluate

        name = split or self.splits[0]
        return evaluate(self._restored.model, self._dataset.split(name), dropout, draws, progress)

    def test_batches(self, batches: int = 10, *, seed: int = 1, dropout: bool = True) -> TestBatches:
        """Draw the published test batches again; see the command ``test-batches``."""
        from tf1_lstm.report.statistics import test_batches_record
        from tf1_lstm.runs.evaluate import sampled_accuracies

        on = dropout and self.recipe.keep_prob < 1
        found = sampled_accuracies(self._restored.model, self._dataset, batches, seed, on)
        record = test_batches_record(found, self._restored.experiment.batch_size, "on" if on else "off")
        figures = self.recipe.published.figures
        published = next((figure.parts for figure in figures if figure.parts), ())
        return TestBatches(found, record["mean"], record["interval"], tuple(published))

    def encode(self, texts: Union[str, Sequence[Any]]) -> List[Example]:
        """Texts (or paths of pictures) as the graph takes them; ``inputs`` is None where one is refused."""
        items = [texts] if isinstance(texts, (str, Path)) else list(texts)
        return list(self._dataset.encode(items, [_name(item) for item in items]))

    def predict(self, texts: Union[str, Sequence[Any]]) -> Predictions:
        """Label and probability of texts, or of pictures by their paths."""
        from tf1_lstm.runs.predict import predict

        documents = predict(self._restored.model, self._dataset, self.encode(texts))
        return Predictions(documents, [one["name"] for one in documents])

    def outputs(
        self,
        inputs: np.ndarray,
        *,
        initial_state: Optional[Sequence[np.ndarray]] = None,
        lengths: Optional[np.ndarray] = None,
    ) -> Any:
        """Logits, the last layer's outputs and the last states of a batch, from states of one's own.

        Args:
          inputs: ``[batch, steps]`` ids or ``[batch, steps, width]`` numbers.
          initial_state: in Keras's order: of each layer h, then c; forward, then backward; each
            ``[batch, units]``. Zeros if None. ``states`` of a batch before goes on where it ended.
          lengths: ``[batch]``, steps of each example that count, where the model reads them.

        Returns:
          ``logits``, ``outputs`` and ``states``; see ``runs.given_state.StateOutputs``.

        Raises:
          InputError: inputs or states of another number, type or shape.
        """
        from tf1_lstm.runs.given_state import outputs_from
        from tf1_lstm.runs.model import Model

        if self._from_states is None:
            model = self._restored.model
            self._from_states = Model(
                self.recipe, self._dataset.constants(), device=model.device, given_state=True
            )
            self._from_states.load(model.weights(self.facts["step"]))
        return outputs_from(self._from_states, np.asarray(inputs), "inputs", initial_state, lengths)

    def export(self, to: str, out: PathLike, **more: Any) -> List[str]:
        """Write a bundle, or a model for Keras, PyTorch or ONNX; see ``runs.export.export``.

        The checkpoint is closed by it.

        Returns:
          Lines that say how the file is used.
        """
        from tf1_lstm.runs.export import export

        return export(self._restored, to, Path(out), **more)

    def close(self) -> None:
        """Free TensorFlow's session."""
        self._restored.model.session.close()
        if self._from_states is not None:
            self._from_states.session.close()

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        where = Path(self.facts["checkpoint"]).name
        sample = ", embedded sample" if self.facts["sample"] else ""
        return (
            f"<Checkpoint {where} of {self.recipe.name}{sample}, weights {self.facts['weights_sha256'][:12]}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            [name, " x ".join(map(str, array.shape)), str(array.dtype)]
            for name, array in self.weights.items()
        ]
        return f"<p>{escape(repr(self)[1:-1])}</p>" + table(["weights", "shape", "type"], rows)


def _name(item: Any) -> str:
    text = " ".join(str(item)[:200].split())
    return text if isinstance(item, Path) or len(text) <= 40 else text[:39] + "…"
