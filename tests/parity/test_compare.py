"""The command ``compare`` on ports that are plain NumPy functions, under this Python."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from tests.parity.support import IDS, ROWS, make_bundle, with_document
from tf1_lstm.cli import main
from tf1_lstm.parity.bundle import write_bundle
from tf1_lstm.parity.compare import parse_tolerances

# A port by hand, as a user may have one; FLAW is replaced.
PORT = """
import numpy as np

with np.load({bundle!r}) as arrays:
    kernel, bias = arrays["weights/lstm/fw/0/kernel"], arrays["weights/lstm/fw/0/bias"]
    weights, softmax_bias = arrays["weights/softmax/weights"], arrays["weights/softmax/bias"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def port(pictures):
    {before}
    units = len(bias) // 4
    h = c = np.zeros((len(pictures), units), np.float32)
    for row in pictures.swapaxes(0, 1):
        i, j, f, o = np.split(np.concatenate([row, h], 1) @ kernel + bias, 4, axis=1)
        c = sigmoid(f + {forget}) * c + sigmoid(i) * np.tanh(j)
        h = sigmoid(o) * np.tanh(c)
    logits = h @ weights + softmax_bias
    return {answer}
"""


def write_port(folder: Path, before: str = "pass", forget: str = "1.0", answer: str = "logits") -> str:
    text = PORT.format(bundle=str(folder / "a.npz"), before=before, forget=forget, answer=answer)
    (folder / "my_port.py").write_text(text)
    return f"{folder / 'my_port.py'}:port"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "a.npz", make_bundle(ROWS, batch=4))
    return tmp_path


def compare(folder: Path, capsys: Any, port: str, *more: str) -> Tuple[int, Dict[str, Any]]:
    arguments = ["compare", str(folder / "a.npz"), "--port", port, "--python", sys.executable]
    code = main([*arguments, "--out", str(folder / "out"), "--json", *more])
    printed = capsys.readouterr()
    return code, json.loads(printed.out)


def statuses(document: Dict[str, Any]) -> Dict[str, str]:
    return {level["name"]: level["status"] for level in document["levels"]}


def names(document: Dict[str, Any]) -> List[List[str]]:
    return [[m["name"] for m in e["mistakes"]] for e in document["diagnosis"]["explanations"]]


def test_a_right_port_holds_and_says_what_could_not_be_seen(folder, capsys):
    code, document = compare(folder, capsys, write_port(folder))
    assert code == 0
    assert document["holds"]
    found = statuses(document)
    assert found.pop("logits") == "PASS"
    assert set(found.values()) == {"not available"}
    assert "inputs in, logits out" in document["levels"][0]["reason"]
    assert (folder / "out" / "difference.png").read_bytes()[:4] == b"\x89PNG"


def test_a_wrong_port_is_explained_with_the_line_that_fixes_it(folder, capsys):
    code, document = compare(folder, capsys, write_port(folder, forget="0.0"))
    assert code == 1
    assert not document["holds"]
    assert names(document) == [["forget-bias-missing"]]
    mistake = document["diagnosis"]["explanations"][0]["mistakes"][0]
    assert "never saves it" in mistake["says"]
    assert "+= 1" in mistake["fix"]


def test_what_no_mistake_explains_is_said_with_what_was_tried(folder, capsys):
    port = write_port(folder, answer="logits + np.linspace(0, 1, logits.size).reshape(logits.shape)")
    code, document = compare(folder, capsys, port)
    assert code == 1
    assert names(document) == []
    assert document["diagnosis"]["tried"]["pairs"] > 500
    assert "no known mistake explains it" in document["verdict"]


def test_words_name_the_mistake_and_its_line(folder, capsys):
    arguments = [
        "--port",
        write_port(folder, before="pictures = pictures[:, ::-1]"),
        "--python",
        sys.executable,
    ]
    code = main(["compare", str(folder / "a.npz"), *arguments, "--out", str(folder / "out")])
    printed = capsys.readouterr().out
    assert code == 1
    assert "sequence-reversed: the steps are read from the end to the beginning" in printed
    assert "fix: inputs = inputs[:, ::-1]" in printed


def test_raw_pictures_are_fed_to_a_port_that_should_scale_them(folder, capsys):
    right = write_port(folder, before="pictures = pictures.astype('float32') / 255")
    assert compare(folder, capsys, right, "--raw-pictures")[0] == 0
    code, document = compare(folder, capsys, write_port(folder), "--raw-pictures")
    assert code == 1
    assert names(document) == [["not-divided-by-255"]]


@pytest.mark.parametrize(
    ("before", "answer", "said", "has_traceback"),
    [
        ("raise ValueError('my own error')", "logits", "raised ValueError: my own error", True),
        ("pass", "logits[:, :2]", "returned shape (4, 2), expected (4, 3)", True),
        ("pass", "logits * np.nan", "12 logits of 12 that are NaN or infinite", True),
        ("pass", "'text'", "expected float logits", True),
        ("pass", "None", "expected float logits", True),
        ("import os; os._exit(7)", "logits", "ended with exit code 7", True),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "logits", "ended by SIGSEGV", True),
        ("raise SystemExit(0)", "logits", "raised SystemExit", True),
        ("print('{}'); import sys; sys.stderr.write('noise')", "logits + 9", "", False),
    ],
)
def test_a_port_that_fails_is_reported_with_its_own_traceback(
    folder, capsys, before, answer, said, has_traceback
):
    code, document = compare(folder, capsys, write_port(folder, before=before, answer=answer))
    assert code == (2 if has_traceback else 1)  # without logits a port cannot be judged
    assert not document["holds"]
    if not has_traceback:
        assert document["failures"] == []
        return
    (failure,) = document["failures"]
    assert failure["level"] == "logits"
    assert said in failure["reason"]
    assert statuses(document)["logits"] == "not available"
    assert Path(failure["traceback"]).is_file()
    if "my own error" in before:
        text = Path(failure["traceback"]).read_text()
        assert "my_port.py" in text
        assert "raise ValueError" in text


def test_a_port_that_takes_too_long_is_stopped(folder, capsys):
    port = write_port(folder, before="import time; time.sleep(600)")
    code, document = compare(folder, capsys, port, "--time-limit", "2")
    assert code == 2
    assert "time limit of 2 s" in document["failures"][0]["reason"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "no_such_module:port",
            "no module 'no_such_module' here or installed; expected one, or FILE.py:name",
        ),
        ("{folder}/my_port.py:prt", "has no 'prt'; expected a name in it, such as port"),
        ("{folder}/broken.py:port", "SyntaxError"),
        ("{folder}/missing.py:port", "no such file"),
        ("{folder}/missing.keras", "no such file"),
        ("{folder}/missing.pt", "no such file"),
        ("{folder}/missing.onnx", "no such file"),
        ("{folder}/a.weights.h5", "weights without a model; give module:Class"),
        ("{folder}/my_port.py:kernel", "cannot be called"),
        ("{folder}/framework.py:port", "has no keras: make ports makes .venv-ports, which has it"),
        (
            "{folder}/classes.py:Model",
            "Model needs weights: call the parameter that takes the bundle 'bundle'",
        ),
        ("something", "expected module:callable"),
    ],
)
def test_a_port_that_cannot_be_loaded_is_one_line_with_the_next_step(folder, capsys, target, said):
    write_port(folder)
    (folder / "broken.py").write_text("def port(:\n")
    (folder / "framework.py").write_text("import keras\n")
    (folder / "classes.py").write_text("class Model:\n    def __init__(self, weights):\n        pass\n")
    arguments = ["--port", target.format(folder=folder), "--python", sys.executable]
    code = main(["compare", str(folder / "a.npz"), *arguments, "--out", str(folder / "out")])
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert not (folder / "out" / "difference.png").exists()


def test_the_page_holds_verdict_levels_and_pictures_and_loads_nothing(folder, capsys):
    code, document = compare(folder, capsys, write_port(folder, forget="0.0"))
    page = Path(document["page"]).read_text()
    assert code == 1
    assert "forget-bias-missing" in page
    assert page.count("data:image/png;base64,") == 1  # its states cannot be seen
    assert "http" not in page.replace("http-equiv", "")
    assert 'src="data:' in page


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("logits + np.arange(len(logits))[:, None]", "each row of the logits is off by a constant"),
        ("logits + np.array([0.5, -1, 2])", "every example are off by the same: 0.5, -1, 2"),
        ("1.7 * (logits + np.array([0.5, -1, 2]))", "correlate with 1.00"),
    ],
)
def test_where_to_look_is_said_where_no_mistake_explains(folder, capsys, answer, said):
    code, document = compare(folder, capsys, write_port(folder, answer=answer))
    assert code == 1
    assert names(document) == []
    assert any(said in clue for clue in document["clues"]), document["clues"]


def test_a_class_is_built_with_the_bundle(folder, capsys):
    (folder / "class_port.py").write_text(
        "class Port:\n"
        "    def __init__(self, bundle):\n"
        "        self.logits = bundle.logits\n"
        "    def __call__(self, inputs):\n"
        "        return self.logits\n"
    )
    assert compare(folder, capsys, f"{folder}/class_port.py:Port")[0] == 0


def test_a_random_port_is_never_right(folder, capsys):
    port = write_port(folder, answer="logits + 1e-7 * np.random.normal(size=logits.shape)")
    assert compare(folder, capsys, port)[0] == 0  # rounding is not randomness
    # One generator for all calls, so that each differs and the test does not.
    before = "random = globals().setdefault('random', np.random.RandomState(1))"
    noisy = write_port(
        folder, before, answer="(h * (random.rand(*h.shape) < 0.5) / 0.5) @ weights + softmax_bias"
    )
    code, document = compare(folder, capsys, noisy)
    assert code == 1
    assert document["diagnosis"]["random"]
    assert names(document) == [["dropout-left-on"]]


def test_a_tolerance_can_be_set_for_one_level(folder, capsys):
    port = write_port(folder, answer="logits + 1e-3")
    assert compare(folder, capsys, port)[0] == 1
    code, document = compare(folder, capsys, port, "--tolerance", "logits=0.01")
    assert code == 0
    assert {level["tolerance"] for level in document["levels"]} == {1e-5, 0.01}
    assert compare(folder, capsys, port, "--tolerance", "0.01")[0] == 0


def test_the_old_name_of_a_level_is_understood():
    assert parse_tolerances(["adam=1e-3", "0.1"]) == {"updates": 1e-3, "": 0.1}
    assert parse_tolerances(["updates=1e-3"]) == {"updates": 1e-3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tolerance", "losses=1"], "found level 'losses'"),
        (["--tolerance", "-1"], "expected a positive number"),
        (["--tolerance", "logits=nan"], "expected a positive number"),
        (["--python", "/no/such/python"], "is not a program"),
    ],
)
def test_bad_options_end_with_one_line_and_code_2(folder, capsys, arguments, said):
    code = main(["compare", str(folder / "a.npz"), "--port", write_port(folder), *arguments])
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_a_file_that_is_no_bundle_ends_with_code_2(tmp_path, capsys):
    (tmp_path / "a.npz").write_bytes(b"hello")
    assert main(["compare", str(tmp_path / "a.npz"), "--port", "x:y"]) == 2
    assert "expected a bundle" in capsys.readouterr().err


def test_labels_of_a_whole_split_are_compared_where_data_are_given(tmp_path, capsys):
    from tf1_lstm.data.registry import open_dataset
    from tf1_lstm.files import sha256_of_array

    dataset, side = open_dataset("mnist-rows", None, sample=True), 28
    split = dataset.split(dataset.split_names()[0])
    logits = np.random.RandomState(0).normal(size=(len(split.inputs), 3)).astype(np.float32)
    bundle = with_document(
        make_bundle(ROWS, batch=4, steps=side, input_size=side),
        dataset={"name": "mnist-rows", "is_sample": True, "hashes": {}},
        split={"name": split.name, "examples": len(logits), "inputs_sha256": sha256_of_array(split.inputs)},
    )
    write_bundle(tmp_path / "a.npz", bundle.__class__(**dict(bundle.__dict__, split_logits=logits)))
    np.save(str(tmp_path / "all.npy"), logits)
    (tmp_path / "looking_up.py").write_text(
        "import numpy as np\n"
        f"batch = np.load({str(tmp_path / 'a.npz')!r})['logits']\n"
        f"whole = np.load({str(tmp_path / 'all.npy')!r})\n"
        "seen = [0]\n"
        "def port(inputs):\n"
        "    if len(inputs) == 4:\n"
        "        return batch\n"
        "    seen[0] += len(inputs)\n"
        "    return whole[seen[0] - len(inputs):seen[0]] * WRONG\n"
    )
    text = (tmp_path / "looking_up.py").read_text()
    for factor, expected, holds in (("1", "0 of", 0), ("-1", f"{len(logits):,} of", 1)):
        (tmp_path / "looking_up.py").write_text(text.replace("WRONG", factor))
        code, document = compare(tmp_path, capsys, f"{tmp_path}/looking_up.py:port", "--sample")
        assert code == holds
        assert expected in next(level for level in document["levels"] if level["name"] == "labels")["reason"]


def test_parity_imports_no_tensorflow_1():
    code = "import sys, tf1_lstm.parity.compare, tf1_lstm.parity.child; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ids_reach_the_port_as_they_are(tmp_path, capsys):
    write_bundle(tmp_path / "a.npz", make_bundle(IDS, batch=4))
    (tmp_path / "ids_port.py").write_text(
        "import numpy as np\n"
        f"arrays = np.load({str(tmp_path / 'a.npz')!r})\n"
        "def port(ids):\n"
        "    assert ids.dtype == np.int32 and np.array_equal(ids, arrays['batch/inputs'])\n"
        "    return arrays['logits']\n"
    )
    assert compare(tmp_path, capsys, f"{tmp_path}/ids_port.py:port")[0] == 0
