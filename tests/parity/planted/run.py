"""Diagnose planted mistakes under the ports' Python: ``python run.py {keras,torch} {single,pairs,imdb}``.

Prints one JSON line for each port: what was planted, and what the diagnosis named, with everything
visible and from the logits alone.
"""

import json
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from tests.parity.support import IDS, ROWS, make_bundle, small
from tf1_lstm.parity.bundle import Bundle, read_bundle
from tf1_lstm.parity.diagnosis import diagnose
from tf1_lstm.parity.problem import Numbers, problem_of
from tf1_lstm.parity.watch import NotVisibleError, Watch

RUNS = 48
Case = Tuple[str, Tuple[str, ...]]
LSTM = [
    "forget-bias-missing",
    "forget-bias-twice",
    "gate-order-ifjo",
    "gate-order-ifoj",
    "gate-order-iofj",
    "gate-order-iojf",
    "gate-order-ijof",
    "hard-sigmoid",
    "relu-for-tanh",
    "kernel-transposed",
    "kernels-swapped",
    "no-bias",
    "cell-state-for-output",
    "first-step-for-last",
    "sequence-reversed",
    "padding-in-front",
    "padding-masked",
    "ids-shifted",
    "unknown-as-padding",
    "dropout-left-on",
    "dropout-scaled-twice",
    "probabilities-for-logits",
    "adam-epsilon",
]
BUNDLES = {
    "ids": make_bundle(IDS, batch=8, units=6),
    "rows": make_bundle(ROWS),
    "both": make_bundle(ROWS, bidirectional=True, readout="both-states"),
    "gru": make_bundle(ROWS, cell="gru"),
    "imdb-gru2": make_bundle(small("imdb-gru2")),
    "imdb-gru32": make_bundle(small("imdb-gru32")),
    "imdb-bilstm2": make_bundle(small("imdb-bilstm2")),
}
SINGLE: Dict[str, List[str]] = {
    "ids": LSTM,
    "rows": ["not-divided-by-255", "columns-for-rows"],
    "both": ["directions-swapped", "directions-joined-in-other-order", "backward-output-at-last-step"],
    "gru": ["reset-after", "gate-order-ur"],
}
OF_EMBEDDINGS = ["embedding-frozen", "labels-swapped", "loss-summed", "classes-swapped"]
OF_EMBEDDINGS += ["probabilities-for-logits", "dropout-left-on", "unknown-as-padding", "padding-masked"]
# framework -> recipe of word ids -> what is planted in its port
IMDB: Dict[str, Dict[str, List[str]]] = {
    "keras": {
        "imdb-gru2": [
            *OF_EMBEDDINGS,
            "rmsprop-epsilon",
            "reset-before",
            "gate-order-ruc",
            "biases-swapped",
            "biases-summed",
            "kernel-transposed",
            "first-step-for-last",
            "first-layer-for-last",
            "dense-relu-missing",
            "dropout-scaled-twice",
            "padding-behind",
            "ids-shifted",
        ]
    },
    "torch": {
        "imdb-bilstm2": [
            *OF_EMBEDDINGS,
            "padding-row-frozen",
            "adam-epsilon",
            "bias-trained-once",
            "forget-bias-added",
            "gate-order-ifjo",
            "directions-swapped",
            "directions-joined-in-other-order",
            "backward-output-at-last-step",
            "first-layer-for-last",
            "padding-in-front",
        ],
        "imdb-gru32": [
            "padding-row-frozen",
            "rmsprop-decay",
            "rmsprop-epsilon",
            "gate-order-ruc",
            "padding-masked",
        ],
    },
}
TORCH_ONLY = {"ids": ["steps-on-batch-axis", "bias-trained-twice"]}
# Two of a group are one mistake; a random port shows neither gradients nor steps of Adam.
GROUPS = [
    {"forget-bias-missing", "forget-bias-twice", "no-bias"},
    {name for name in LSTM if name.startswith("gate-order")},
    {"dropout-left-on", "dropout-scaled-twice", "adam-epsilon", "probabilities-for-logits"},
    {"cell-state-for-output", "first-step-for-last"},
    {"hard-sigmoid", "relu-for-tanh", "adam-epsilon"},
    {"padding-in-front", "padding-masked"},
]


def see(framework: str, bundle: Bundle, flaws: Sequence[str]) -> Numbers:
    """Build the port and read all that is visible of it."""
    watch: Watch
    inputs = bundle.inputs
    has_embedding = bundle.spec.trains_embedding
    if framework == "keras":
        from tests.parity.planted import keras_imdb_port, keras_port
        from tf1_lstm.parity.watch_keras import KerasWatch

        build: Any = keras_imdb_port.build if has_embedding else keras_port.build
        watch = KerasWatch(build(bundle, flaws), bundle.spec)
    else:
        from tests.parity.planted import torch_imdb_port, torch_port
        from tf1_lstm.parity.watch_torch import TorchWatch

        build = torch_imdb_port.PlantedPort if has_embedding else torch_port.build
        if "adam-epsilon" in flaws and not has_embedding:
            build = torch_port.WithTorchAdam
        watch = TorchWatch(build(bundle, flaws), bundle.spec)
    numbers = Numbers(watch.logits(inputs))
    again = watch.logits(inputs)
    if not np.array_equal(again, numbers.logits):
        runs = [numbers.logits, again, *(watch.logits(inputs) for _ in range(RUNS - 2))]
        numbers = numbers._replace(repeats=np.stack(runs))
    with suppress(NotVisibleError):
        numbers = numbers._replace(steps=watch.steps(inputs))
    with suppress(NotVisibleError):
        trained = watch.train(inputs, bundle.labels)
        numbers = numbers._replace(
            loss=trained.loss, gradients=trained.gradients, updates=tuple(trained.updates)
        )
    return numbers


def cases(framework: str, which: str) -> List[Case]:
    """Return (bundle, flaws) of every port: each mistake alone, or 30 random pairs of them."""
    if which == "imdb":
        bases = IMDB[framework]
        right: List[Case] = [(base, ()) for base in bases]
        return right + [(base, (flaw,)) for base, flaws in bases.items() for flaw in flaws]
    if which == "single":
        found: List[Case] = [(base, ()) for base in SINGLE]
        found += [(base, (flaw,)) for base, flaws in SINGLE.items() for flaw in flaws]
        if framework == "torch":
            found += [(base, (flaw,)) for base, flaws in TORCH_ONLY.items() for flaw in flaws]
        return found
    draw = random.Random(f"{framework} pairs")
    pairs: List[Case] = []
    while len(pairs) < 30:
        pair = tuple(sorted(draw.sample(LSTM, 2)))
        if ("ids", pair) not in pairs and not any(set(pair) <= group for group in GROUPS):
            pairs.append(("ids", pair))
    return pairs


def main(framework: str, which: str, *named: str) -> None:
    """Run the ports of ``cases``; or of a bundle's file those with one of the named mistakes each."""
    bundles = {which: read_bundle(which)} if named else BUNDLES
    for base, flaws in [(which, (flaw,)) for flaw in named] or cases(framework, which):
        bundle = bundles[base]
        problem = problem_of(bundle)
        seen = see(framework, bundle, flaws)
        found = {}
        for name, numbers in (("visible", seen), ("blind", Numbers(seen.logits, repeats=seen.repeats))):
            diagnosis = diagnose(problem, numbers)
            found[name] = [sorted(explanation.names) for explanation in diagnosis.explanations]
            if name == "visible":
                trained = [explanation.training for explanation in diagnosis.explanations]
        parts = [part for part in ("steps", "gradients", "updates") if getattr(seen, part)]
        line = {"base": base, "planted": sorted(flaws), "seen": parts, "training": trained, **found}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
