"""What a training writes besides its log: checkpoints by ``tf.train.Saver`` and TensorBoard scalars."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import replacing, sha256_of_file
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.runs.checks import is_plain_name
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.model import Model

LARGEST_GRAPH = 16 << 20  # bytes
BINS = 30


class CheckpointWriter:
    """Checkpoints ``checkpoints/NAME-STEP`` of one run, logged with the hashes of their files.

    TensorFlow writes the data first and the index last, each to a temporary name. A checkpoint
    counts for a resumption only once its event, with the hashes, is in the log; by then its files
    have been brought to the disk.

    Attributes:
      last: the event of the newest checkpoint, or None.
    """

    def __init__(self, run: RunFolder, model: Model, name: str, keep: int) -> None:
        self._run = run
        self._model = model
        self._keep = keep
        self._folder = run.path / "checkpoints"
        self._prefix = self._folder / name
        if not is_plain_name(name):
            raise InputError(
                f"{name!r:.80}: cannot be the name of a checkpoint; expected letters, digits, - or _"
            )
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._folder}: cannot be made: {error.strerror or error}") from error
        self._saver = model.saver
        existing = run.checkpoints()
        self.last: Optional[Dict[str, Any]] = existing[-1] if existing else None

    def save(self, step: int) -> None:
        """Write the checkpoint of ``step`` iterations.

        Raises:
          InputError: the disk is full or the folder cannot be written; earlier checkpoints stay.
        """
        target = f"{self._prefix}-{step}"
        try:
            self._saver.save(self._model.session, target, write_state=False)
        except (tf.errors.OpError, OSError, ValueError) as error:
            self._remove_unfinished(step)
            message = str(error).splitlines()[0]
            raise InputError(f"{target}: the checkpoint cannot be written: {message}") from error
        files = self._files(step)
        try:
            for path in [*files, self._folder]:
                _bring_to_disk(path)
            self._run.sync()
        except OSError as error:
            raise InputError(
                f"{target}: the checkpoint cannot be written: {error.strerror or error}"
            ) from error
        weights = self._model.weights(step)
        self.last = {
            "step": step,
            "prefix": str(Path(target).relative_to(self._run.path)),
            "sha256": {str(path.relative_to(self._run.path)): sha256_of_file(path) for path in files},
            "weights_sha256": weights.digest(),
            "series": self._run.series_sha256(step),
        }
        self._run.log("checkpoint", **self.last)
        self._run.sync()
        self._forget_old()
        self._write_state()

    def _forget_old(self) -> None:
        checkpoints = self._run.checkpoints()
        if self._keep:
            for checkpoint in checkpoints[: -self._keep]:
                self._run.forget(checkpoint)

    def _write_state(self) -> None:
        """Write TensorFlow's ``checkpoint`` file in one step, with paths relative to its folder."""
        names: List[str] = [Path(c["prefix"]).name for c in self._run.checkpoints()]
        lines = [f'model_checkpoint_path: "{names[-1]}"']
        lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
        with replacing(self._folder / "checkpoint", "w") as stream:
            stream.write("\n".join(lines) + "\n")

    def _files(self, step: int) -> List[Path]:
        start = f"{self._prefix.name}-{step}."
        return sorted(path for path in self._folder.iterdir() if path.name.startswith(start))

    def _remove_unfinished(self, step: int) -> None:
        # The index first: without it the rest is no checkpoint.
        for path in sorted(self._files(step), key=lambda path: path.suffix != ".index"):
            with suppress(OSError):
                path.unlink()


def _bring_to_disk(path: Path) -> None:
    handle = os.open(str(path), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def histogram(array: np.ndarray) -> Any:
    """An array's histogram, as TensorBoard reads it: each bin's upper end and count."""
    flat = np.asarray(array, np.float64).ravel()
    counts, edges = np.histogram(flat, bins=BINS)
    return tf.compat.v1.HistogramProto(
        min=flat.min(),
        max=flat.max(),
        num=flat.size,
        sum=flat.sum(),
        sum_squares=np.square(flat).sum(),
        bucket_limit=edges[1:].tolist(),
        bucket=counts.tolist(),
    )


class Scalars:
    """TensorBoard scalars, written from Python so that the graph has no summary op in it."""

    def __init__(self, folder: Path) -> None:
        with tf.Graph().as_default():
            self._writer = tf.compat.v1.summary.FileWriter(str(folder))

    def begin(self, step: int) -> None:
        """Tell TensorBoard to drop what an interrupted process wrote after ``step``."""
        log = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._writer.add_session_log(log, step)

    def describe(self, graph: Any, name: str, settings: Mapping[str, Any]) -> None:
        """Write what a run is, before its first iteration: its graph, its settings as a text and as hparams.

        A graph with large constants inside (a table of word vectors) is left out.
        """
        from tensorboard.plugins.hparams import api as hparams

        if graph.as_graph_def().ByteSize() <= LARGEST_GRAPH:
            self._writer.add_graph(graph)
        rows = "".join(f"| {path} | {value} |\n" for path, value in settings.items())
        text = tf.compat.v1.make_tensor_proto(f"{name}\n\n| setting | value |\n| --- | --- |\n{rows}")
        value = tf.compat.v1.Summary.Value(tag="settings", tensor=text)
        value.metadata.plugin_data.plugin_name = "text"
        self._writer.add_summary(tf.compat.v1.Summary(value=[value]))
        plain = {
            path: value if isinstance(value, (bool, int, float, str)) else str(value)
            for path, value in settings.items()
        }
        self._writer.add_summary(hparams.hparams_pb(plain, trial_id=name).SerializeToString())
        self._writer.flush()

    def histograms(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write how the numbers of each array are distributed."""
        values = [
            tf.compat.v1.Summary.Value(tag=f"weights/{name}", histo=histogram(array))
            for name, array in arrays.items()
        ]
        self._writer.add_summary(tf.compat.v1.Summary(value=values), step)
        self._writer.flush()

    def write(self, step: int, **values: Any) -> None:
        """Write one value for each name."""
        summary = tf.compat.v1.Summary(
            value=[
                tf.compat.v1.Summary.Value(tag=name, simple_value=float(value))
                for name, value in values.items()
            ]
        )
        self._writer.add_event(tf.compat.v1.Event(wall_time=time.time(), step=step, summary=summary))
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the event file."""
        self._writer.close()
