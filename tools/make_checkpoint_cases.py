"""Make the checkpoint cases: a small checkpoint of each version, cell and oddity, written by TF 1.15.

.venv/bin/python tools/make_checkpoint_cases.py [FOLDER]     (default: tests/checkpoints/cases)
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Sequence

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.checkpoint_case_names import Shape
from tools.checkpoint_cases import V1, CheckpointCase, all_cases, variables_of

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "checkpoints" / "cases"


def _start(values: np.ndarray) -> Any:
    """An initializer that gives each slice of a partitioned variable its own part of the values."""

    def start(shape: Shape, dtype: Any = None, partition_info: Any = None) -> Any:
        first = partition_info.var_offset if partition_info else [0] * len(shape)
        return values[tuple(slice(place, place + extent) for place, extent in zip(first, shape))]

    return start


def save(case: CheckpointCase, folder: Path) -> None:
    """Write one checkpoint with TensorFlow's own Saver."""
    import tensorflow as tf

    with tf.Graph().as_default():
        for place, (name, values) in enumerate(sorted(variables_of(case).items())):
            array = np.asarray(values)
            partitioner = None
            if case.parts > 1 and array.ndim == 2:
                partitioner = tf.fixed_size_partitioner(case.parts)
            with tf.device(f"/cpu:{place % case.shards}"):
                kind = tf.as_dtype(array.dtype)
                tf.get_variable(name, array.shape, kind, _start(array), partitioner=partitioner)
        saver = tf.train.Saver(tf.global_variables(), sharded=case.shards > 1, write_version=case.format)
        with tf.Session(config=tf.ConfigProto(device_count={"CPU": case.shards})) as session:
            session.run(tf.global_variables_initializer())
            saver.save(
                session,
                str(folder / case.name),
                global_step=case.step,
                write_meta_graph=False,
                write_state=False,
            )


def main(arguments: Sequence[str]) -> int:
    """Write the checkpoint cases and its list."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    warnings.simplefilter("ignore")
    listed = []
    for case in all_cases():
        save(case, folder)
        path = case.name if case.step is None else f"{case.name}-{case.step}"
        weights = {role: [name, list(shape)] for role, (name, shape) in case.weights.items()}
        listed.append(
            {
                "path": path,
                "format": "V1 single file" if case.format == V1 else "V2 bundle",
                "step": case.step,
                "slots": case.slots,
                "optimizer": case.optimizer,
                "untrained": case.untrained,
                "about": case.about,
                "weights": weights,
                "extra": sorted(case.extra),
            }
        )
    text = "[\n" + ",\n".join(json.dumps(entry, sort_keys=True) for entry in listed) + "\n]\n"
    (folder / "cases.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
