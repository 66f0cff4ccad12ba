"""The command line as a user meets it: help, exit codes, one JSON document, quiet standard error."""

import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, List

import pytest

from tests.runs.conftest import called, environment, tf1_lstm
from tf1_lstm.cli import build_parser
from tf1_lstm.commands import COMMANDS
from tf1_lstm.recipes import all_recipes

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the sample, short but with a checkpoint that answers."""
    folder = tmp_path_factory.mktemp("cli")
    arguments = ["train", "imdb-lstm", "--sample", "--run", "run", "--iterations", "60", "--save-every", "30"]
    finished = called(arguments, folder)
    assert finished.returncode == 0, finished.stderr
    return folder / "run"


def output(arguments: List[str], folder: Path = PROJECT, code: int = 0) -> str:
    finished = called(arguments, folder)
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout


def document(arguments: List[str], code: int = 0) -> Any:
    return json.loads(output([*arguments, "--json"], code=code))


def test_help_lists_every_command_and_imports_nothing_heavy():
    code = (
        "import sys\nfrom tf1_lstm.cli import build_parser\nprint(build_parser().format_help())\n"
        "heavy = {'tensorflow', 'numpy', 'matplotlib', 'requests', 'PIL', 'tqdm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"    {name}" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str):
    assert "usage: tf1-lstm " + name in output([name, "--help"])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["train", "imdb-lsmt", "--sample"], "recipe 'imdb-lsmt': unknown; did you mean imdb-lstm or"),
        (
            ["train", "imdb-lstm", "--sample", "--set", "units=many"],
            "setting recurrent.cell.units: found 'many', expected a whole number",
        ),
        (
            ["train", "imdb-lstm", "--sample", "--set", "unit=3"],
            "setting 'unit': unknown; did you mean recurrent.cell.units",
        ),
        (
            ["train", "mnist-lstm", "--sample", "--set", "keep_prob=0.5"],
            "setting 'keep_prob': unknown here; it is one of Dropout",
        ),
        (["train", "imdb-lstm", "--sample", "--set", "units"], "--set: found 'units', expected NAME=VALUE"),
        (
            ["train", "imdb-lstm", "--sample", "--set", "batch_size=0"],
            "setting batch_size: found 0, expected 1 or more",
        ),
        (["train", "imdb-lstm", "--data", "nowhere"], "nowhere: no such folder"),
        (["evaluate", "imdb-lstm", "--sample", "--checkpoint", "nowhere"], "nowhere"),
        (
            ["train", "imdb-lstm", "--sample", "--run", "/proc/run"],
            "/proc/run: cannot be used as a run folder",
        ),
        (["resume", "."], ".: no run.json in it; expected the folder of a run"),
        (["verify", "nowhere"], "nowhere: no run.json in it"),
        (["reproduce"], "RECIPE: missing"),
        (["recipes", "nothing"], "recipe 'nothing': unknown"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: List[str], message: str, tmp_path: Path):
    finished = called(arguments, tmp_path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr.startswith(f"tf1-lstm: {message}")
    assert len(finished.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [["train"], ["nonsense"], ["train", "imdb-lstm", "--iterations", "-3"], []]
)
def test_bad_usage_is_exit_code_2(arguments: List[str], tmp_path: Path):
    finished = called(arguments, tmp_path)
    assert finished.returncode == 2
    assert "usage: tf1-lstm" in finished.stderr


def test_recipes_lists_every_recipe():
    listed = output(["recipes"])
    for name in all_recipes():
        assert name in listed
    assert [r["name"] for r in document(["recipes"])["recipes"]] == list(all_recipes())


def test_recipe_audit_is_computed_and_differs_when_corrected():
    def totals(*extra: str) -> dict:
        found = document(["recipes", "imdb-lstm", "--sample", *extra])
        return {finding["what"]: finding["total"] for finding in found["audit"]["findings"]}

    published = totals()
    assert published["rows in both train and test"] == 2
    assert published["rows labelled wrongly in test"] == 1
    assert published["rows in neither train nor test"] == 1
    assert not any(totals("--corrected").values())


def test_recipe_of_the_bidirectional_model_names_the_untrained_variables():
    findings = document(["recipes", "mnist-bilstm", "--sample"])["audit"]["findings"]
    (finding,) = [f for f in findings if f["what"] == "variables without a gradient"]
    assert finding["total"] == 2
    assert "lstm/fw/0/kernel, lstm/fw/0/bias" in finding["meaning"]


def test_train_prints_the_documents_lines_and_where_everything_is(tmp_path: Path):
    arguments = ["train", "imdb-lstm", "--sample", "--run", "r", "--iterations", "9", "--set", "log_every=4"]
    finished = tf1_lstm(arguments, tmp_path)
    assert finished.returncode == 0
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("EMBEDDED SAMPLE")
    assert lines[1].startswith("iteration 5/9... loss 0.")
    assert lines[2].startswith("iteration 9/9... loss ")
    assert "checkpoint      r/checkpoints/imdb-lstm-9" in lines
    for word in ("Warning", "warning", "tensorflow", "deprecated"):
        assert word not in finished.stderr
    assert (tmp_path / "r" / "curves.png").stat().st_size > 10_000
    assert (tmp_path / "r" / "curves.csv").read_text().splitlines()[0] == "iteration,loss,accuracy"


@pytest.mark.parametrize(
    "ending",
    [
        "",
        pytest.param("/checkpoints", marks=pytest.mark.thorough),
        "/checkpoints/imdb-lstm-60",
        "/checkpoints/imdb-lstm-60.index",
    ],
)
def test_evaluate_takes_a_prefix_a_file_or_a_folder_and_the_settings_of_its_run(run: Path, ending: str):
    path = f"{run}{ending}" if ending else f"{run}/checkpoints"
    found = document(["evaluate", "imdb-lstm", "--checkpoint", path, "--split", "official-test"])
    for key in ("recipe", "checkpoint", "split", "examples", "dropout", "accuracy", "loss", "confusion"):
        assert key in found
    assert found["sample"] is True
    assert found["examples"] == sum(map(sum, found["confusion"])) == 400
    right = found["confusion"][0][0] + found["confusion"][1][1]
    assert found["accuracy"] == pytest.approx(right / 400)


def test_evaluate_all_splits_with_dropout_off_and_on(run: Path):
    found = document(
        ["evaluate", "imdb-lstm", "--checkpoint", f"{run}/checkpoints", "--split", "all", "--dropout", "both"]
    )
    kinds = [(e["split"], e["dropout"], e["draws"]) for e in found["evaluations"]]
    names = ("tutorial-test", "train", "official-test")
    assert kinds == [(name, *how) for name in names for how in (("off", 1), ("on", 3))]


def test_unknown_split_is_refused(run: Path, tmp_path: Path):
    arguments = ["evaluate", "imdb-lstm", "--checkpoint", f"{run}/checkpoints", "--split", "validation"]
    finished = called(arguments, tmp_path)
    assert finished.returncode == 2
    assert (
        "--split: found 'validation', expected one of tutorial-test, train, official-test" in finished.stderr
    )


def test_test_batches_are_printed_as_published_beside_the_published(run: Path):
    lines = output(["test-batches", "imdb-lstm", "--checkpoint", f"{run}/checkpoints"]).splitlines()
    batches = [line for line in lines if line.startswith("Accuracy for this batch: ")]
    assert len(batches) == 10
    assert batches[0].endswith("(published: 91.6666686535)")
    assert batches[5].endswith("(published: 75.0)")
    assert any("dropout on" in line for line in lines)
    assert lines[-1].startswith("published  mean 85.42% of 240 draws")


def test_predict_answers_or_refuses_each_text(run: Path):
    texts = ["a wonderful film, truly superb", "", "это хорошо", "word " * 100_000]
    finished = called(
        ["predict", "imdb-lstm", "--checkpoint", f"{run}/checkpoints", "--json", "--text", *texts[:3]],
        PROJECT,
    )
    assert finished.returncode == 1
    first, empty, foreign = json.loads(finished.stdout)["predictions"]
    assert first["label"] in ("positive", "negative")
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert "empty" in empty["refused"]
    assert "CYRILLIC" in foreign["refused"]


def test_predict_reads_standard_input_and_files(run: Path, tmp_path: Path):
    (tmp_path / "long.txt").write_text("the film was good " * 30_000)
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 40)
    base = ["predict", "imdb-lstm", "--checkpoint", f"{run}/checkpoints", "--json"]
    finished = tf1_lstm([*base, "-"], tmp_path, input="the film was good\n")
    assert finished.returncode == 0, finished.stderr
    (one,) = json.loads(finished.stdout)["predictions"]
    assert one["notes"]["words"] == 4
    finished = called([*base, "--file", "long.txt", "noise.txt"], tmp_path)
    assert finished.returncode == 1
    cut, refused = json.loads(finished.stdout)["predictions"]
    assert cut["notes"]["cut"] is True
    assert "not a text" in refused["refused"]


def test_verify_passes_on_a_good_run_and_fails_on_a_changed_one(run: Path, tmp_path: Path):
    import shutil

    lines = output(["verify", str(run), "--rerun", "35"]).splitlines()
    assert lines and all(line.startswith("PASS") for line in lines)
    assert "35 losses" in lines[-1]
    shutil.copytree(str(run), str(tmp_path / "copy"))
    with open(tmp_path / "copy" / "losses.f32", "r+b") as stream:
        stream.seek(4 * 20)
        stream.write(b"\0\0\0\0")
    lines = output(["verify", str(tmp_path / "copy"), "--rerun", "35"], code=1).splitlines()
    failed = [line for line in lines if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failed] == [
        "FAIL  checkpoint 30",
        "FAIL  checkpoint 60",
        "FAIL  rerun",
    ]
    assert failed[-1].startswith("FAIL  rerun: iteration 21: loss")
    index = tmp_path / "copy" / "checkpoints" / "imdb-lstm-30.index"
    index.write_bytes(index.read_bytes()[:-1])
    lines = output(["verify", str(tmp_path / "copy")], code=1).splitlines()
    assert any(
        line.startswith("FAIL  checkpoint 30: checkpoints/imdb-lstm-30.index has changed") for line in lines
    )


@pytest.mark.thorough
def test_reproduce_ends_with_a_table_and_paths_and_may_be_repeated(tmp_path: Path):
    arguments = [
        "reproduce",
        "imdb-lstm",
        "--sample",
        "--iterations",
        "30",
        "--draws",
        "2",
        "--results",
        "r.json",
    ]
    for number in (1, 2):
        finished = called([*arguments, *["--quiet"][: number - 1]], tmp_path)
        assert finished.returncode == 0, finished.stderr
        assert (finished.stderr == "") == (number == 2)
        assert "weights_sha256" in finished.stdout
        assert "EMBEDDED SAMPLE" in finished.stdout
        folder = tmp_path / "runs" / ("imdb-lstm-sample-seed1" if number == 1 else "imdb-lstm-sample-seed1-2")
        results = json.loads((folder / "results.json").read_text())
        for name in results["pictures"].values():
            assert (folder / name).stat().st_size > 0
            assert str((folder / name).relative_to(tmp_path)) in finished.stdout
        assert {e["dropout"] for e in results["evaluations"]} == {"off", "on"}
        assert results["published"][0]["verdict"] == "not comparable"
    assert json.loads((tmp_path / "r.json").read_text()) == results


def test_reproduce_goes_on_with_a_run_that_exists(run: Path, tmp_path: Path):
    arguments = [
        "reproduce",
        "imdb-lstm",
        "--sample",
        "--run",
        str(run),
        "--iterations",
        "60",
        "--save-every",
        "30",
    ]
    finished = called(arguments, tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "already trained" in finished.stderr
    finished = called([*arguments, "--seed", "2"], tmp_path)
    assert finished.returncode == 2
    assert "a run with other settings, another seed or engine" in finished.stderr


def test_every_command_has_a_module_of_its_own():
    modules = {
        name: importlib.import_module(f"tf1_lstm.commands.{name.replace('-', '_')}") for name in COMMANDS
    }
    assert all(callable(module.add_parser) and callable(module.run) for module in modules.values())
    package = PROJECT / "tf1_lstm" / "commands"
    written = [path.stem for path in package.glob("*.py") if "def add_parser(" in path.read_text()]
    assert sorted(COMMANDS) == sorted(name.replace("_", "-") for name in written)


def test_only_the_commands_know_argparse():
    """Everything below takes typed arguments, so that it can be called without a command line."""
    package = PROJECT / "tf1_lstm"
    knowing = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"\bargparse\b", path.read_text())
    }
    assert {Path(name).parts[0] for name in knowing} == {"commands", "cli.py", "parity"}
    assert [name for name in knowing if name.startswith("parity")] == ["parity/ports/train.py"]


def test_predictions_are_written_as_csv_and_as_arrays(run: Path, tmp_path: Path):
    import csv

    import numpy as np

    texts = ["a wonderful film", "", "dull, dull"]
    base = ["predict", "imdb-lstm", "--checkpoint", f"{run}/checkpoints", "--json", "--text", *texts]
    for name in ("found.csv", "found.npz"):
        finished = called([*base, "--out", str(tmp_path / name)], PROJECT)
        assert finished.returncode == 1, finished.stderr
    documents = json.loads(finished.stdout)["predictions"]
    with open(tmp_path / "found.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["text"] for row in rows] == texts
    assert [row["label"] for row in rows] == [one.get("label", "") for one in documents]
    assert float(rows[2]["probability negative"]) == documents[2]["probabilities"]["negative"]
    assert "empty" in rows[1]["refused"] and rows[1]["ids"] == ""
    with np.load(str(tmp_path / "found.npz"), allow_pickle=False) as arrays:
        assert arrays["texts"].tolist() == texts
        assert np.isnan(arrays["probabilities"][1]).all()
        assert arrays["probabilities"][2].sum() == pytest.approx(1)
        assert " ".join(map(str, arrays["ids"][2])) == rows[2]["ids"]


def test_predictions_go_to_no_file_of_another_kind(run: Path, tmp_path: Path):
    base = ["predict", "imdb-lstm", "--checkpoint", f"{run}/checkpoints", "--text", "good"]
    finished = called([*base, "--out", "found.txt"], tmp_path)
    assert (finished.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "expected a name that ends in .csv or .npz" in finished.stderr


def commands_in(text: str) -> List[List[str]]:
    """The commands among examples: a line each, a remark after spaces, goes on after a backslash."""
    lines = [re.split(r"\s{3,}| > ", line.strip())[0] for line in re.sub(r"\\\n *", "", text).splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("tf1-lstm ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_examples_and_the_parser_takes_them(name: str):
    module = importlib.import_module("tf1_lstm.commands." + name.replace("-", "_"))
    examples = commands_in(module.EXAMPLES)
    assert examples[0][0] == name
    for words in examples:  # of the command, and of those that go on with what it writes
        parser = build_parser([words[0]])
        assert parser.parse_args(words).command == words[0]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["trian"], "did you mean train?"),
        (["train", "imdb-lstm", "--iteratons", "3"], "--iteratons 3; did you mean --iterations"),
        (["fetch", "gluve"], "did you mean glove?"),
        (["xyzzy"], "expected one of recipes, fetch"),
    ],
)
def test_a_word_that_does_not_exist_is_answered_with_the_nearest(
    arguments: List[str], said: str, tmp_path: Path
):
    finished = called(arguments, tmp_path)
    assert finished.returncode == 2
    assert said in finished.stderr


def test_quiet_shows_results_and_errors_only(tmp_path: Path):
    finished = tf1_lstm(["train", "imdb-lstm", "--sample", "--iterations", "5", "--quiet"], tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("engine ")
    finished = called(["train", "imdb-lstm", "--data", "nowhere", "--quiet"], tmp_path)
    assert finished.stderr.startswith("tf1-lstm: nowhere: no such folder")
