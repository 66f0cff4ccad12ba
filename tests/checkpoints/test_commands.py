"""``inspect`` and ``convert`` as they are typed."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.checkpoints.support import CASES, listed_cases
from tests.experiments import experiment
from tf1_lstm.checkpoints.fitting import fits
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.naming import NAMINGS
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.cli import build_parser
from tf1_lstm.commands.convert import TARGETS
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.experiment import Experiment

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> int:
    options = build_parser(["inspect", "convert"]).parse_args([str(argument) for argument in arguments])
    return options.func(options)


def as_json(capsys: Any, *arguments: object) -> Dict[str, Any]:
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


BOTH = {"bidirectional": True, "readout": "both-states", "dense_units": 0}


def recipe(name: str, **graph: Any) -> Experiment:
    plain = {"steps": 5, "input_size": 3, "classes": 2, "units": 4}
    return experiment(name, **{**plain, **graph})


def test_the_targets_on_the_command_line_are_those_that_exist():
    assert tuple(NAMINGS) == TARGETS


@pytest.mark.parametrize("case", listed_cases(), ids=lambda case: case["path"])
def test_every_case_is_inspected_and_its_json_is_one_document(case, capsys):
    document = as_json(capsys, "inspect", CASES / case["path"])
    names = [entry["name"] for entry in document["variables"]]
    assert names == sorted(read_checkpoint(CASES / case["path"]).specs)
    assert document["format"] == case["format"]
    assert (document["model"] is None) == (document["weights_sha256"] is None) == bool(document["problem"])
    assert run("inspect", CASES / case["path"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in names)


def test_the_text_answers_the_questions(capsys):
    assert run("inspect", CASES / "own-names-7") == 0
    text = capsys.readouterr().out
    for piece in (
        "2 layers, one direction, basic_lstm, inputs 30, units 6, classes 2",
        "V2 bundle, 2 files",
        "step        7",
        "naming      1.2 and later",
        "Adam for 6, Adam_1 for 6 of 6 weights; beta1_power 0.729",
        "Prediction_Parameters/Weights",
        "Adam of softmax/weights",
    ):
        assert piece in text


def test_nan_is_counted_and_the_json_stays_valid(capsys):
    document = as_json(capsys, "inspect", CASES / "nan-7")
    entry = next(one for one in document["variables"] if one["role"] == "lstm/fw/0/kernel")
    assert entry["nan"] == 3
    assert entry["minimum"] is not None
    assert run("inspect", CASES / "nan-7") == 0


def test_minimum_and_maximum_are_those_of_the_values(capsys):
    document = as_json(capsys, "inspect", CASES / "0.12-gru-1x1-7")
    checkpoint = read_checkpoint(CASES / "0.12-gru-1x1-7")
    for entry in document["variables"]:
        values = checkpoint.variables[entry["name"]]
        assert (entry["minimum"], entry["maximum"]) == (float(values.min()), float(values.max()))


def test_a_layer_in_front_is_named(capsys):
    document = as_json(capsys, "inspect", CASES / "input-layer-7")
    roles = {entry["name"]: entry["role"] for entry in document["variables"]}
    assert (roles["in/w"], roles["in/b"], document["unassigned"]) == ("front/kernel", "front/bias", [])


def test_what_may_be_a_layer_is_pointed_at(tmp_path, capsys):
    source = read_checkpoint(CASES / "1.15-basic_lstm-1x1-7")
    arrays = {**source.variables, "attention/context": np.ones((4, 4), np.float32)}
    write_bundle(str(tmp_path / "m"), arrays)
    assert as_json(capsys, "inspect", tmp_path / "m")["unassigned"] == ["attention/context"]
    run("inspect", tmp_path / "m")
    assert "beware      the model may well read attention/context" in capsys.readouterr().out


def test_candidates_for_the_softmax_are_listed(capsys):
    document = as_json(capsys, "inspect", CASES / "two-softmaxes-7")
    assert document["softmax_candidates"] == [["a/w", "a/b"], ["c/w", "a/b"]]
    assert document["model"]["classes"] is None


@pytest.mark.parametrize(
    ("graph", "differences"),
    [
        ({}, ()),
        ({"units": 8}, ("units 4, expected 8",)),
        ({"cell": "gru"}, ("cell basic_lstm, expected gru",)),
        ({"input_size": 28, "classes": 10}, ("inputs 3, expected 28", "classes 2, expected 10")),
        ({"layers": 2}, ("layers 1, expected 2",)),
        ({"bidirectional": True, "readout": "both-states"}, ("directions 1, expected 2",)),
    ],
)
def test_recipes_that_nearly_fit_say_what_differs(graph, differences):
    specs = read_checkpoint(CASES / "1.15-basic_lstm-1x1-7").specs
    (fit,) = fits(specs, {"r": recipe("r", **graph)})
    assert (fit.fits, fit.differences) == (not differences, differences)


def test_recipes_of_another_model_altogether_are_left_out():
    specs = read_checkpoint(CASES / "1.15-basic_lstm-1x1-7").specs
    assert fits(specs, {"r": recipe("r", units=8, classes=9, layers=3)}) == []
    assert fits(read_checkpoint(CASES / "no-cell-7").specs, {"r": recipe("r")}) == []


def test_word_vectors_decide_the_inputs_where_the_recipe_leaves_them_open():
    specs = read_checkpoint(CASES / "own-names-7").specs
    (fit,) = fits(specs, {"r": recipe("r", inputs="ids", layers=2, units=6)})
    assert fit.fits
    assert fit.note == "with word vectors of 30 numbers"


def test_the_readout_tells_two_bidirectional_recipes_apart():
    specs = read_checkpoint(CASES / "backward-state-7").specs
    both = {way: recipe(way, bidirectional=True, readout=way) for way in ("backward-state", "both-states")}
    found = {fit.recipe: fit for fit in fits(specs, both)}
    assert found["backward-state"].fits
    assert found["both-states"].differences == (
        "the softmax reads 4 numbers, expected 8 (read=state, merge=join)",
    )


@pytest.mark.parametrize(
    ("path", "graph", "differences"),
    [
        ("keras-two-layers-basic_lstm-7", {}, ()),
        ("keras-two-layers-basic_lstm-7", {"vocabulary": 8}, ("words 9, expected 8",)),
        ("keras-two-layers-basic_lstm-7", {"embedding": "word-vectors-trained", "vocabulary": 0}, ()),
        (
            "keras-two-layers-basic_lstm-7",
            {"embedding": "word-vectors"},
            ("embedding trained, expected none in the checkpoint",),
        ),
        ("keras-two-layers-basic_lstm-7", {"output": "softmax"}, ("classes 1, expected 2",)),
        ("keras-frozen-7", {}, ("embedding none in the checkpoint, expected trained",)),
        ("keras-frozen-7", {"embedding": "word-vectors"}, ()),
        ("keras-frozen-7", {"embedding": "word-vectors", "dense_units": 7}, ("dense units 4, expected 7",)),
        ("keras-two-layers-gru_reset_after-7", {"cell": "gru"}, ("cell gru_reset_after, expected gru",)),
        ("pytorch-joined-7", {**BOTH, "joined_layers": True}, ()),
        ("pytorch-joined-7", BOTH, ("upper layers that read both directions, expected one direction",)),
        (
            "pytorch-joined-7",
            {**BOTH, "joined_layers": True, "readout": "backward-state"},
            ("the softmax reads 8 numbers, expected 4 (read=state, merge=backward)",),
        ),
    ],
)
def test_published_kinds_of_models_fit_or_say_what_differs(path, graph, differences):
    keras = {"inputs": "ids", "layers": 2, "dense_units": 4, "output": "sigmoid", "readout": "last-state"}
    plain = {**keras, "embedding": "trained", "vocabulary": 9}
    (fit,) = fits(read_checkpoint(CASES / path).specs, {"r": recipe("r", **{**plain, **graph})})
    assert (fit.fits, fit.differences) == (not differences, differences)


def test_a_published_model_is_described_in_one_line(capsys):
    summary = as_json(capsys, "inspect", CASES / "pytorch-joined-7")["model"]["summary"]
    assert summary == (
        "2 layers, two directions, joined, basic_lstm, inputs 3 of 9 words, units 4, one output"
    )
    summary = as_json(capsys, "inspect", CASES / "keras-frozen-7")["model"]["summary"]
    assert summary == "2 layers, one direction, basic_lstm, inputs 3, units 4, dense 4, one output"


def test_convert_prints_old_and_new_names_and_what_was_checked(tmp_path, capsys):
    assert run("convert", CASES / "mnist-2016-7", tmp_path / "out", "--to", "tf1.15") == 0
    lines = capsys.readouterr().out.splitlines()
    moved = [line.split()[:3] for line in lines if "->" in line and "old name" not in line]
    assert ["RNN/BasicLSTMCell/Linear/Matrix", "->", "rnn/basic_lstm_cell/kernel"] in moved
    assert ["weights/Adam_1", "->", "softmax/weights/Adam_1"] in moved
    assert lines[-1] == "written and read back: 14 variables, bit for bit the same"


def test_a_dry_run_writes_nothing_and_sees_what_is_in_the_way(tmp_path, capsys):
    arguments: List[object] = ["convert", CASES / "mnist-2016-7", tmp_path / "out", "--to", "tf0.12"]
    assert run(*arguments, "--dry-run") == 0
    assert "nothing was written" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        run(*arguments, "--dry-run")


def test_convert_as_json_is_one_document(tmp_path, capsys):
    document = as_json(capsys, "convert", CASES / "mnist-2016-7", tmp_path / "out", "--to", "tutorial")
    assert document["written"] is True
    made = {move["new"] for move in document["moves"] if not move["old"]}
    assert made == {"Variable"}
    assert len(document["sha256"]) == 64


def test_inspect_answers_at_once(capsys):
    start = time.process_time()
    run("inspect", CASES / "tutorial-90000")
    assert time.process_time() - start < 2


def test_an_object_based_checkpoint_is_described_though_it_is_no_model(tmp_path, capsys):
    import tensorflow as tf

    with tf.Graph().as_default(), tf.Session() as session:
        kept = tf.train.Checkpoint(kernel=tf.Variable(tf.zeros([2, 3]), use_resource=True))
        session.run(tf.global_variables_initializer())
        path = kept.save(str(tmp_path / "ck"), session)
    document = as_json(capsys, "inspect", path)
    kinds = {entry["dtype"] for entry in document["variables"]}
    assert "string" in kinds
    assert document["model"] is None
    assert Path(document["prefix"]).name == "ck-1"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_a_file_name_that_the_terminal_cannot_show_is_no_crash(tmp_path, encoding):
    prefix = os.fsencode(str(tmp_path)) + b"/mod\xe8le-\xe6\xa8\xa1-7"
    for suffix in (b".index", b".data-00000-of-00001"):
        shutil.copy(str(CASES / "own-names-7") + suffix.decode(), os.fsdecode(prefix + suffix))
    program = (
        "import sys\n"
        "from tf1_lstm.cli import build_parser\n"
        "parser = build_parser(['inspect', 'convert'])\n"
        "options = parser.parse_args(sys.argv[1:]); options.func(options)\n"
    )
    for command in (["inspect"], ["inspect", "--json"], ["convert", "--dry-run", "--to=tf1.0"]):
        target = [str(tmp_path / "out")] if command[0] == "convert" else []
        run = subprocess.run(
            [sys.executable, "-c", program, *command, os.fsdecode(prefix), *target],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            cwd=str(ROOT),
            capture_output=True,
            check=False,
        )
        assert (run.returncode, run.stderr) == (0, b"")
        assert b"basic_lstm_cell" in run.stdout
