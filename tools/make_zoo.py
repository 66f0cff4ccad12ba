"""Make the zoo: one small checkpoint of every age, cell and oddity, written by TensorFlow 1.15.

.venv/bin/python tools/make_zoo.py [FOLDER]     (default: tests/checkpoints/zoo)
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Sequence

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.zoo_animals import V1, Animal, all_animals, variables_of
from tools.zoo_names import Shape

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "checkpoints" / "zoo"


def _start(values: np.ndarray) -> Any:
    """An initializer that gives each slice of a partitioned variable its own part of the values."""

    def start(shape: Shape, dtype: Any = None, partition_info: Any = None) -> Any:
        first = partition_info.var_offset if partition_info else [0] * len(shape)
        return values[tuple(slice(place, place + extent) for place, extent in zip(first, shape))]

    return start


def save(animal: Animal, folder: Path) -> None:
    """Write one checkpoint with TensorFlow's own Saver."""
    import tensorflow as tf

    with tf.Graph().as_default():
        for place, (name, values) in enumerate(sorted(variables_of(animal).items())):
            array = np.asarray(values)
            partitioner = None
            if animal.parts > 1 and array.ndim == 2:
                partitioner = tf.fixed_size_partitioner(animal.parts)
            with tf.device(f"/cpu:{place % animal.shards}"):
                kind = tf.as_dtype(array.dtype)
                tf.get_variable(name, array.shape, kind, _start(array), partitioner=partitioner)
        saver = tf.train.Saver(tf.global_variables(), sharded=animal.shards > 1, write_version=animal.format)
        with tf.Session(config=tf.ConfigProto(device_count={"CPU": animal.shards})) as session:
            session.run(tf.global_variables_initializer())
            saver.save(
                session,
                str(folder / animal.name),
                global_step=animal.step,
                write_meta_graph=False,
                write_state=False,
            )


def main(arguments: Sequence[str]) -> int:
    """Write the zoo and its list."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    warnings.simplefilter("ignore")
    listed = []
    for animal in all_animals():
        save(animal, folder)
        path = animal.name if animal.step is None else f"{animal.name}-{animal.step}"
        weights = {role: [name, list(shape)] for role, (name, shape) in animal.weights.items()}
        listed.append(
            {
                "path": path,
                "format": "V1 single file" if animal.format == V1 else "V2 bundle",
                "step": animal.step,
                "slots": animal.slots,
                "optimizer": animal.optimizer,
                "untrained": animal.untrained,
                "about": animal.about,
                "weights": weights,
                "extra": sorted(animal.extra),
            }
        )
    text = "[\n" + ",\n".join(json.dumps(entry, sort_keys=True) for entry in listed) + "\n]\n"
    (folder / "zoo.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
