"""An experiment as one flat list of settings: what bundles, ports and data sets read.

It is also what run folders and bundles of format 1 hold, so its names are fixed; what it cannot say of
an experiment of today has names of its own behind them.
"""

import dataclasses
from typing import Any, Dict, Mapping, Optional

from tf1_lstm.core.cells import cell_kinds, cell_name
from tf1_lstm.core.parts import kinds
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.data_parts import KerasImdb, MnistRows, TutorialImdb
from tf1_lstm.recipes.experiment import (
    Bidirectional,
    Dropout,
    Embedding,
    Epochs,
    Experiment,
    Head,
    InitialValues,
    Inputs,
    Optimizer,
    Recurrent,
    Rows,
    Sigmoid,
    Softmax,
    Steps,
    TensorFlow1,
    TorchAdam,
    WrapperDropout,
)
from tf1_lstm.recipes.flat_names import READOUTS


def flat_settings(experiment: Experiment, iterations: int = 0) -> Dict[str, Any]:
    """Every setting by its flat name, JSON-ready.

    Args:
      experiment: any.
      iterations: of the whole training, where the experiment counts epochs.
    """
    recurrent, head, data = experiment.recurrent, experiment.head, experiment.data
    schedule, dropout, cell = experiment.schedule, experiment.dropout, experiment.recurrent.cell
    epochs = schedule if isinstance(schedule, Epochs) else None
    steps = schedule if isinstance(schedule, Steps) else None
    initial = experiment.initial_values
    own = initial if isinstance(initial, TensorFlow1) else None
    found = {
        "inputs": "rows" if isinstance(experiment.inputs, Rows) else "ids",
        "steps": getattr(data, "steps", 0),
        "input_size": getattr(experiment.inputs, "width", 0),
        "classes": head.columns,
        "cell": cell_name(cell),
        "units": cell.units,
        "readout": _readout(recurrent),
        "softmax_initializer": own.softmax if own else "random_normal",
        "layers": recurrent.layers,
        "bidirectional": recurrent.bidirectional is not None,
        "forget_bias": 1.0 if cell.added_forget_bias is None else cell.added_forget_bias,
        "output_keep_prob": dropout.output_keep_prob if isinstance(dropout, WrapperDropout) else 1.0,
        "softmax_bias": own.softmax_bias if own else 0.0,
        "fixed_batch": bool(steps and steps.fixed_batch),
        "any_steps": data.any_steps,
        "padding": getattr(data, "padding", "back"),
        "embedding": "word-vectors"
        if isinstance(experiment.inputs, Rows)
        else type(experiment.inputs).flat_kind,
        "vocabulary": getattr(data, "words", 0),
        "initializers": type(initial).flat_kind,
        "joined_layers": recurrent.joined_layers,
        "double_bias": bool(getattr(experiment.optimizer, "two_biases", False)),
        "keep_prob": dropout.keep_prob if isinstance(dropout, Dropout) else 1.0,
        "dropout_at": ",".join(dropout.at) if isinstance(dropout, Dropout) else "",
        "dense_units": getattr(head, "dense", 0),
        "output": type(head).flat_kind,
        "batch_size": getattr(schedule, "batch_size", 1),
        "iterations": steps.iterations if steps else (epochs.iterations if epochs else 0) or iterations,
        "sampler": getattr(data, "sampler", "published"),
        "learning_rate": experiment.optimizer.learning_rate,
        "log_every": getattr(schedule, "log_every", 1),
        "log_batch": steps.log_batch if steps else "epoch",
        "log_first": bool(steps and steps.log_first),
        "save_every": getattr(schedule, "save_every", 0),
        "optimizer": type(experiment.optimizer).flat_kind,
        "epochs": epochs.epochs if epochs and not epochs.iterations else 0,
        "validation": epochs.validation if epochs else "",
        "early_stopping": epochs.early_stopping if epochs else 0,
        "held_out": getattr(data, "held_out", 0.0),
        "drop_remainder": bool(epochs and epochs.drop_remainder),
        "batch_order": getattr(data, "batch_order", "shuffled"),
    }
    found.update(_later(experiment))
    return found


def _later(experiment: Experiment) -> Dict[str, Any]:
    """What format 1 had no name for, where it is not as it was then."""
    recurrent, front, data = experiment.recurrent, experiment.front, experiment.data
    merge = recurrent.bidirectional.merge if recurrent.bidirectional else "join"
    # Of two directions only the last states had a name.
    read_later = ("steps", "mean", "maximum", *(("output",) if recurrent.bidirectional else ()))
    pairs = {
        "activation": (getattr(recurrent.cell, "activation", "tanh"), "tanh"),
        "read": (recurrent.read if recurrent.read in read_later else "", ""),
        "merge": (merge if merge in ("sum", "product", "average", "forward") else "", ""),
        "mask": (recurrent.mask, "none"),
        "go_backwards": (recurrent.go_backwards, False),
        "shared_cell": (recurrent.shared_cell, False),
        "carried_state": (recurrent.carried_state, False),
        "widths": (list(recurrent.widths), []),
        "front": (front.units if front else 0, 0),
        "front_activation": (front.activation if front else "", ""),
        "output_activation": (experiment.head.activation, "linear"),
        "loss": (getattr(experiment.head, "loss", ""), ""),
        "dense_activation": (experiment.head.dense_activation, "relu"),
        "rho": (getattr(experiment.optimizer, "rho", 0.95), 0.95),
        "epsilon": (getattr(experiment.optimizer, "epsilon", 1e-8), 1e-8),
        "cutting": (getattr(data, "cutting", ""), getattr(data, "padding", "")),
    }
    return {name: value for name, (value, default) in pairs.items() if value != default}


def _readout(recurrent: Recurrent) -> str:
    if recurrent.bidirectional is not None:
        return "backward-state" if recurrent.bidirectional.merge == "backward" else "both-states"
    return "last-state" if recurrent.read == "state" else "last-output"


def experiment_of_flat(base: Experiment, settings: Mapping[str, Any]) -> Experiment:
    """The experiment that a record of format 1 describes.

    Args:
      base: the recipe that it names; what the record does not say stands as there.
      settings: flat name -> value.

    Raises:
      InputError: a name or value that no recipe of then had.
    """
    now = flat_settings(base)
    unknown = sorted(set(settings) - set(now))
    if unknown:
        raise InputError(f"setting {unknown[0]!r}: unknown in a record of format 1")
    s = {**now, **settings}
    cell_kind = cell_kinds().get(str(s["cell"]))
    if cell_kind is None:
        raise InputError(f"setting cell: found {s['cell']!r}, expected one of {', '.join(cell_kinds())}")
    cell: Any = cell_kind
    bias = {"forget_bias": s["forget_bias"]} if cell_kind.default_forget_bias is not None else {}
    both = Bidirectional("backward" if s["readout"] == "backward-state" else "join", s["joined_layers"])
    recurrent = Recurrent(
        cell(units=s["units"], **bias),
        s["layers"],
        both if s["bidirectional"] else None,
        "state" if s["bidirectional"] else READOUTS.get(s["readout"], s["readout"]),
    )
    return dataclasses.replace(
        base,
        data=_data(s, base),
        inputs=Rows(s["input_size"]) if s["inputs"] == "rows" else _inputs(s),
        recurrent=recurrent,
        head=_head(s),
        optimizer=_optimizer(s),
        schedule=_schedule(s, base),
        initial_values=_initial(s),
        dropout=_dropout(s),
    )


def _data(s: Mapping[str, Any], base: Experiment) -> Any:
    if isinstance(base.data, TutorialImdb):
        return TutorialImdb(s["steps"], s["sampler"])
    if isinstance(base.data, MnistRows):
        return MnistRows(s["sampler"])
    names = ("steps", "padding", "held_out", "batch_order")
    chosen = {name: s[name] for name in names}
    return KerasImdb(words=s["vocabulary"], cutting=s["padding"], whole_length=s["any_steps"], **chosen)


def _inputs(s: Mapping[str, Any]) -> Inputs:
    if s["embedding"] == "trained":
        return Embedding(s["input_size"])
    found: Inputs = _kind(Inputs, "embedding", s["embedding"])()
    return found


def _head(s: Mapping[str, Any]) -> Head:
    if s["output"] == "sigmoid":
        return Sigmoid(dense=s["dense_units"])
    return Softmax(s["classes"], dense=s["dense_units"])


def _optimizer(s: Mapping[str, Any]) -> Optimizer:
    if s["optimizer"] == "pytorch-adam":
        return TorchAdam(s["learning_rate"], s["double_bias"])
    found: Optimizer = _kind(Optimizer, "optimizer", s["optimizer"])(learning_rate=s["learning_rate"])
    return found


def _initial(s: Mapping[str, Any]) -> InitialValues:
    if s["initializers"] == "tensorflow1":
        return TensorFlow1(s["softmax_initializer"], s["softmax_bias"])
    found: InitialValues = _kind(InitialValues, "initializers", s["initializers"])()
    return found


def _dropout(s: Mapping[str, Any]) -> Optional[Any]:
    places = tuple(place.strip() for place in s["dropout_at"].split(",") if place.strip())
    if places:
        return Dropout(s["keep_prob"], places)
    return WrapperDropout(s["output_keep_prob"]) if s["output_keep_prob"] < 1 else None


def _schedule(s: Mapping[str, Any], base: Experiment) -> Any:
    if s["log_batch"] != "epoch":
        names = (
            "iterations",
            "batch_size",
            "log_every",
            "log_batch",
            "log_first",
            "save_every",
            "fixed_batch",
        )
        return Steps(**{name: s[name] for name in names})
    of_epochs = ("batch_size", "validation", "early_stopping", "drop_remainder", "log_every", "save_every")
    epochs = s["epochs"] or getattr(base.schedule, "epochs", 1)
    iterations = 0 if s["epochs"] else s["iterations"]
    return Epochs(epochs, iterations=iterations, **{name: s[name] for name in of_epochs})


def _kind(family: Any, name: str, word: str) -> Any:
    known = {kind.flat_kind: kind for kind in kinds(family).values() if kind.flat_kind}
    if word not in known:
        raise InputError(f"setting {name}: found {word!r}, expected one of {', '.join(known)}")
    return known[word]
