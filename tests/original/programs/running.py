"""Build a program, save it as its author did, and hold what is adopted from it against its own session."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.original.programs import Build, Program, tf, v1
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.errors import InputError
from tf1_lstm.original.adopt import VECTORS, adopt
from tf1_lstm.original.feeds import Tensor
from tf1_lstm.original.model import Described, described
from tf1_lstm.original.source import open_graph
from tf1_lstm.runs.adopted import AdoptedNumbers, FedBatch, compared


class AdoptedProgram(NamedTuple):
    """What became of a program.

    Attributes:
      prefix: of its checkpoint.
      refused: why it was not adopted; empty where it was.
      said: what its graph says.
      adopted: the experiment.
      check: the experiment beside the session's own numbers.
      inputs: what was fed, ``[batch, steps, ...]``.
      lengths: the steps that count, or None.
      outputs: the session's, of the tensor that ``said`` names.
      own_output: of the tensor that the program's author meant.
    """

    prefix: str
    refused: str = ""
    said: Any = None
    adopted: Any = None
    check: Any = None
    inputs: Any = None
    lengths: Any = None
    outputs: Any = None
    own_output: Any = None


def adopted_program(build: Build, folder: Path) -> AdoptedProgram:
    """Build, save, adopt (as ``mine.py`` beside the checkpoint) and compare a program."""
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(7)
        program = build()
        variables = v1.trainable_variables()
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            prefix = v1.train.Saver().save(session, str(folder / "model.ckpt"), 3)
            try:
                original = open_graph(prefix)
                said = described(original)
                found = adopt(read_checkpoint(prefix), said, {}, "mine")
            except InputError as error:
                return AdoptedProgram(prefix, str(error))
            right, lengths, own = _numbers(graph, session, program, said, variables)
    feeds = {Tensor(key.name, key.op.name, 0): np.asarray(value) for key, value in program.feeds.items()}
    check = compared(original, said, found.experiment, FedBatch(feeds, lengths), right)
    if said.vectors is not None:
        np.save(str(folder / VECTORS.format("mine")), said.vectors)
    (folder / "mine.py").write_text(found.source)
    inputs = next(value for tensor, value in feeds.items() if tensor.node == said.inputs)
    inputs = np.swapaxes(inputs, 0, 1) if said.steps_first else inputs
    if said.width and inputs.ndim == 2:
        inputs = inputs.reshape(len(inputs), -1, said.width)
    return AdoptedProgram(prefix, "", said, found, check, inputs, lengths, right.outputs, own)


def _numbers(graph: Any, session: Any, program: Program, said: Described, variables: Any) -> Any:
    """The session's outputs, loss and gradients, the lengths, and what the author calls the output."""
    lengths = session.run(said.lengths, program.feeds) if said.lengths else None
    outputs, own = session.run([said.output, program.output], program.feeds)
    if not said.loss:
        return AdoptedNumbers(outputs, None, {}), lengths, own
    loss = graph.get_tensor_by_name(said.loss)
    derived = [
        (variable.op.name, tf.convert_to_tensor(one))
        for variable, one in zip(variables, tf.gradients(loss, variables))
        if one is not None
    ]
    value, gradients = session.run([loss, [one for _, one in derived]], program.feeds)
    named = dict(zip([name for name, _ in derived], gradients))
    return AdoptedNumbers(outputs, float(value), named), lengths, own
