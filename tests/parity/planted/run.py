"""Diagnose planted mistakes under the ports' Python: ``python run.py {keras,torch} {single,pairs}``.

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

from tests.parity.support import IDS, ROWS, make_bundle
from tf1_lstm.parity.bundle import Bundle
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
}
SINGLE: Dict[str, List[str]] = {
    "ids": LSTM,
    "rows": ["not-divided-by-255", "columns-for-rows"],
    "both": ["directions-swapped", "directions-joined-in-other-order", "backward-output-at-last-step"],
    "gru": ["reset-after", "gate-order-ur"],
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
    inputs: Any = bundle.inputs
    if framework == "keras":
        from tests.parity.planted import keras_port
        from tf1_lstm.parity.watch_keras import KerasWatch

        watch = KerasWatch(keras_port.build(bundle, flaws), bundle.spec, bundle.settings["classes"])
    else:
        from tests.parity.planted import torch_port
        from tf1_lstm.parity.watch_torch import TorchWatch

        kind = torch_port.WithTorchAdam if "adam-epsilon" in flaws else torch_port.build
        watch = TorchWatch(kind(bundle, flaws), bundle.spec, bundle.settings["classes"])
    numbers = Numbers(watch.logits(inputs))
    again = watch.logits(inputs)
    if not np.array_equal(again, numbers.logits):
        runs = [numbers.logits, again, *(watch.logits(inputs) for _ in range(RUNS - 2))]
        numbers = numbers._replace(repeats=np.stack(runs))
    with suppress(NotVisibleError):
        numbers = numbers._replace(steps=watch.steps(inputs))
    with suppress(NotVisibleError):
        trained = watch.train(inputs, bundle.labels)
        numbers = numbers._replace(loss=trained.loss, gradients=trained.gradients, adam=tuple(trained.adam))
    return numbers


def cases(framework: str, which: str) -> List[Case]:
    """Return (bundle, flaws) of every port: each mistake alone, or 30 random pairs of them."""
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


def main(framework: str, which: str) -> None:
    for base, flaws in cases(framework, which):
        bundle = BUNDLES[base]
        problem = problem_of(bundle)
        seen = see(framework, bundle, flaws)
        found = {}
        for name, numbers in (("visible", seen), ("blind", Numbers(seen.logits, repeats=seen.repeats))):
            diagnosis = diagnose(problem, numbers)
            found[name] = [sorted(explanation.names) for explanation in diagnosis.explanations]
            if name == "visible":
                trained = [explanation.training for explanation in diagnosis.explanations]
        parts = [part for part in ("steps", "gradients", "adam") if getattr(seen, part)]
        line = {"base": base, "planted": sorted(flaws), "seen": parts, "training": trained, **found}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
