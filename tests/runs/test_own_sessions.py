"""The documented sessions on data of one's own: from nothing to train, predict, resume and compare.

Each is the session of ``docs/own-experiments.md``, command for command, on small generated data.
"""

import csv
import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
import pytest

from tests.parity.ports_python import needed_python
from tests.tiers import representative
from tf1_lstm.cli import main
from tf1_lstm.core.text_table import display_width
from tf1_lstm.runs.folder import RunFolder

WORDS = {"bad": ("awful", "boring"), "fair": ("okay", "average"), "good": ("great", "superb")}
FEW = ["--set", "epochs=2", "--set", "units=8", "--set", "batch_size=16"]


def write_reviews(path: Path) -> None:
    """Ninety reviews of three classes, told apart by their words."""
    random = np.random.RandomState(1)
    with open(str(path), "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "verdict"])
        for number in range(90):
            verdict = sorted(WORDS)[number % 3]
            chosen = random.choice([*WORDS[verdict], "the", "film", "was", "and"], random.randint(3, 9))
            writer.writerow([" ".join(chosen) + ".", verdict])


def write_folder(path: Path) -> None:
    """The same reviews as files in a folder for each class."""
    write_reviews(path.with_suffix(".csv"))
    with open(str(path.with_suffix(".csv")), encoding="utf-8") as stream:
        for number, (review, verdict) in enumerate(list(csv.reader(stream))[1:]):
            (path / verdict).mkdir(parents=True, exist_ok=True)
            (path / verdict / f"{number}.txt").write_text(review, encoding="utf-8")


def write_sequences(path: Path) -> None:
    """Sequences of three numbers a step; two numbers to find of each."""
    x = np.random.RandomState(1).normal(size=(90, 6, 3))
    np.savez(str(path), x=x, y=np.stack([x[:, :, 0].sum(axis=1), x[:, -1, 1]], axis=1))


def write_text(path: Path) -> None:
    """A text in which every next character is known but for which animal comes."""
    random = np.random.RandomState(1)
    lines = [f"the quick brown {random.choice(['fox', 'cat', 'dog'])} jumps\n" for _ in range(60)]
    path.write_text("".join(lines))


KINDS: List[Tuple[str, Any, List[str], List[str], List[str]]] = [
    (
        "reviews.csv",
        write_reviews,
        ["--data", "reviews.csv", "--text", "review", "--label", "verdict"],
        FEW,
        ["--text", "A great film."],
    ),
    ("reviews", write_folder, ["--data", "reviews"], FEW, ["--text", "awful and boring"]),
    ("sequences.npz", write_sequences, ["--data", "sequences.npz"], FEW, ["--file", "sequences.npz"]),
    (
        "plain.txt",
        write_text,
        ["--data", "plain.txt"],
        [*FEW[:4], "--set", "batch_size=4"],
        ["--text", "the qui"],
    ),
]
NAMES = [kind[0] for kind in KINDS]
UNLIKE = ("reviews.csv", "sequences.npz")


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: Any, *arguments: str, code: int = 0) -> str:
    """What a command prints, with the exit code that it must end with."""
    capsys.readouterr()
    found = main(list(arguments))
    out, err = capsys.readouterr()
    assert found == code, out + err
    return str(out)


def bits_of(run: Path) -> Any:
    folder = RunFolder.open(run)
    last = folder.checkpoints()[-1]
    return last["step"], last["weights_sha256"], folder.losses().tobytes()


def interrupt_at(monkeypatch: Any, iteration: int) -> None:
    """Send this process what Ctrl-C sends, once, within a training's iteration."""
    from tf1_lstm.runs.loop import TrainingLoop

    iterate = TrainingLoop.iterate

    def interrupted(self: Any, number: int) -> None:
        iterate(self, number)
        if number == iteration:
            monkeypatch.setattr(TrainingLoop, "iterate", iterate)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(TrainingLoop, "iterate", interrupted)


@pytest.mark.parametrize(
    ("name", "write", "data", "few", "asked"),
    [kind if kind[0] in UNLIKE else pytest.param(*kind, marks=pytest.mark.thorough) for kind in KINDS],
    ids=NAMES,
)
def test_from_nothing_to_a_verified_and_resumed_run(
    name: str,
    write: Any,
    data: List[str],
    few: List[str],
    asked: List[str],
    tmp_path: Path,
    capsys: Any,
    monkeypatch: Any,
) -> None:
    write(tmp_path / name)
    said(capsys, "new", "mine.py", *data)
    assert "EXPERIMENT = Experiment(" in (tmp_path / "mine.py").read_text()
    said(capsys, "train", "mine.py", "--run", "whole", *few)
    interrupt_at(monkeypatch, 3)
    said(capsys, "train", "mine.py", "--run", "R", *few, code=130)
    said(capsys, "resume", "R")
    assert bits_of(tmp_path / "R") == bits_of(tmp_path / "whole")
    assert "FAIL" not in said(capsys, "verify", "R", "--rerun", "5")

    evaluated = json.loads(said(capsys, "evaluate", "mine.py", "--checkpoint", "R", "--json"))
    assert evaluated["examples"] > 0
    if evaluated["interval"] is None:
        assert evaluated["examples"] == 1
    else:
        assert evaluated["interval"][0] <= evaluated["interval"][1]
    if name == "reviews.csv":  # What differs from the file is said of the file, in lines that fit.
        with monkeypatch.context() as narrow:
            narrow.setenv("COLUMNS", "80")
            printed = said(capsys, "evaluate", "mine.py", "--checkpoint", "R")
        assert "(in the file: " in printed and "published" not in printed
        assert max(map(display_width, printed.splitlines())) <= 80
    predicted = json.loads(said(capsys, "predict", "mine.py", "--checkpoint", "R", *asked, "--json"))
    answer = predicted["predictions"][0]
    assert ("numbers" in answer) if name == "sequences.npz" else answer["label"]

    # The run's folder is enough, also when the file has changed since.
    (tmp_path / "mine.py").write_text("raise SystemExit")
    again = json.loads(said(capsys, "evaluate", "R", "--checkpoint", "R", "--json"))
    assert {k: v for k, v in again.items() if k != "recipe"} == {
        k: v for k, v in evaluated.items() if k != "recipe"
    }
    assert "FAIL" not in said(capsys, "verify", "R")
    # Every kind is listed beside others, with its own figure.
    listed = json.loads(said(capsys, "runs", ".", "--json"))["runs"][0]
    figure = listed["errors"] if name == "sequences.npz" else listed["accuracies"]
    assert set(figure) == {evaluated["split"]} and "R" in said(capsys, "runs", ".")
    said(capsys, "report", ".", "--out", "all.html")
    drawn = (tmp_path / "all.html").read_text(encoding="utf-8")
    assert f'data-value="{next(iter(figure.values()))}"' in drawn
    if name == "sequences.npz":
        assert ">validation mean absolute error by iteration<" in drawn
        said(capsys, "test-batches", "R", "--checkpoint", "R", code=2)


def test_a_run_folder_is_trained_again_after_its_file_has_gone(tmp_path: Path, capsys: Any) -> None:
    write_reviews(tmp_path / "reviews.csv")
    said(capsys, "new", "mine.py", *KINDS[0][2])
    said(capsys, "train", "mine.py", "--run", "R", "--set", "epochs=1", "--set", "units=4")
    (tmp_path / "mine.py").unlink()
    said(capsys, "train", "R", "--run", "again", "--set", "epochs=1", "--set", "units=4")
    assert bits_of(tmp_path / "again") == bits_of(tmp_path / "R")
    facts = RunFolder.open(tmp_path / "again").record["own_file"]
    assert facts["name"] == "mine.py"
    assert Path(facts["folder"]) == tmp_path
    assert "FAIL" not in said(capsys, "verify", "again")


@pytest.mark.slow
def test_a_regression_is_reproduced_from_its_folder(tmp_path: Path, capfd: Any) -> None:
    write_sequences(tmp_path / "sequences.npz")
    said(capfd, "new", "mine.py", *KINDS[2][2])
    said(capfd, "train", "mine.py", "--run", "R", "--set", "epochs=1", "--set", "units=4")
    (tmp_path / "mine.py").unlink()
    found = said(capfd, "reproduce", "R", "--run", "again", "--set", "epochs=1", "--set", "units=4")
    assert "mean absolute error" in found
    results = json.loads((tmp_path / "again" / "results.json").read_text())
    assert results["weights_sha256"] == bits_of(tmp_path / "R")[1]
    assert {one["split"] for one in results["evaluations"]} == {"train", "validation", "test"}


def test_data_that_have_changed_are_noticed(tmp_path: Path, capsys: Any) -> None:
    write_reviews(tmp_path / "reviews.csv")
    said(capsys, "new", "mine.py", *KINDS[0][2])
    said(capsys, "train", "mine.py", "--run", "R", *FEW)
    content = (tmp_path / "reviews.csv").read_bytes()
    (tmp_path / "reviews.csv").write_bytes(content.replace(b"great", b"grand"))
    assert "FAIL" in said(capsys, "verify", "R", code=1)
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "reviews.csv").write_bytes(content)
    (tmp_path / "reviews.csv").unlink()
    assert "FAIL" not in said(capsys, "verify", "R", "--data", "moved")


def test_the_audit_is_of_ones_own_splits(tmp_path: Path, capsys: Any) -> None:
    write_reviews(tmp_path / "reviews.csv")
    said(capsys, "new", "mine.py", *KINDS[0][2])
    found = said(capsys, "recipes", "mine.py")
    assert "test examples that are training examples too" in found
    assert "identical examples with different labels" in found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["mine.txt", "--data", "reviews.csv"], "expected .py"),
        (["mine.py"], "found neither --data nor --from"),
        (["mine.py", "--data", "none.csv", "--text", "a", "--label", "b"], "none.csv: No such file"),
        (["mine.py", "--data", "reviews.csv"], "expected --text COLUMN and --label COLUMN"),
        (
            ["mine.py", "--data", "reviews.csv", "--text", "review", "--label", "x"],
            "found the column 'x' not at all",
        ),
        (["mine.py", "--from", "none"], "recipe 'none': unknown"),
        (["there.py", "--from", "imdb-lstm"], "found a file already"),
    ],
)
def test_new_says_what_is_wrong_and_writes_nothing(
    arguments: List[str], expected: str, tmp_path: Path, capsys: Any
) -> None:
    write_reviews(tmp_path / "reviews.csv")
    (tmp_path / "there.py").write_text("mine")
    assert main(["new", *arguments]) == 2
    err = capsys.readouterr().err
    assert expected in err and err.count("\n") == 1
    assert not (tmp_path / "mine.py").exists() and (tmp_path / "there.py").read_text() == "mine"


MISTAKEN = {
    "syntax.py": b"def (",
    "nothing.py": b"X = 1",
    "number.py": b"EXPERIMENT = 3",
    "raises.py": b"X = 1\nraise ValueError('no')",
    "empty.csv": b"",
    "one.csv": b"review,verdict\na b,x\nc d,x\n",
    "few.csv": b"review,verdict\na b,x\nc d,y\n",
    "latin.csv": b"review,verdict\ncaf\xe9 au,x\nc d,y\n",
}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("syntax.py", "syntax.py: line 1: invalid syntax"),
        ("nothing.py", "nothing.py: found no experiment, expected one named EXPERIMENT"),
        ("nothing.py:OTHER", "nothing.py: found no experiment, expected one named OTHER"),
        ("number.py", "number.py: EXPERIMENT is of type int, expected an Experiment"),
        ("raises.py", "raises.py: line 2: ValueError: no"),
        ("gone.py", "gone.py: No such file or directory"),
        ("empty.csv", "empty.csv: found an empty file"),
        ("one.csv", "one.csv: found 'x' alone, expected two classes or more"),
        ("few.csv", "few.csv: test: found none of 2 examples"),
        ("latin.csv", "latin.csv: line 2: found the byte 0xe9 at column 4, expected utf-8"),
        ("large.csv", "large.csv: found 10,737,418,240 bytes, expected at most"),
        ("nan.npz", "nan.npz: found NaN or infinity in row 4 of x"),
        ("labels.npz", "labels.npz: found y [8], expected 9"),
        ("unlabelled.npz", "unlabelled.npz: found x, expected 'y'"),
    ],
)
def test_a_mistake_is_said_in_one_line(file: str, expected: str, tmp_path: Path, capsys: Any) -> None:
    for name, content in MISTAKEN.items():
        (tmp_path / name).write_bytes(content)
    if file == "large.csv":
        with open(str(tmp_path / file), "wb") as stream:
            stream.truncate(10 << 30)
    x = np.zeros((9, 3, 2))
    np.savez("labels.npz", x=x, y=np.arange(8) % 2)
    np.savez("unlabelled.npz", x=x)
    x[4, 1, 0] = np.nan
    np.savez("nan.npz", x=x, y=np.arange(9) % 2)
    columns = ["--text", "review", "--label", "verdict"] if file.endswith(".csv") else []
    train = ["train", file, "--run", "R"]
    assert main(train if ".py" in file else ["new", "a.py", "--data", file, *columns]) == 2
    err = capsys.readouterr().err
    assert expected in err, err
    assert err.count("\n") == 1, err
    assert not (tmp_path / "R").exists() and not (tmp_path / "a.py").exists()


def test_new_from_a_recipe_keeps_its_model(tmp_path: Path, capsys: Any) -> None:
    write_reviews(tmp_path / "reviews.csv")
    said(capsys, "new", "mine.py", "--from", "imdb-lstm", *KINDS[0][2])
    source = (tmp_path / "mine.py").read_text()
    assert "WrapperDropout(output_keep_prob=0.75)" in source and "iterations=50000" in source
    said(capsys, "train", "mine.py", "--run", "R", "--set", "iterations=3")


# Heading of docs/own-experiments.md -> the kind whose files the commands under it read.
SESSIONS = {
    "## Three classes in a CSV": KINDS[0],
    "## A folder of texts": KINDS[1],
    "## A regression on sequences": KINDS[2],
    "## A character model": KINDS[3],
}
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "own-experiments.md"


def documented(heading: str) -> List[List[str]]:
    """The commands under a heading, without what their lines show and say."""
    text = DOCUMENT.read_text(encoding="utf-8").split(heading + "\n", 1)[1].split("\n## ", 1)[0]
    blocks = text.split("```")[1::2]
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line[2:], comments=True)[1:] for line in lines if line.startswith("$ tf1-lstm ")]


@pytest.mark.parametrize("heading", representative(SESSIONS, "## A regression on sequences"))
def test_the_documented_session_runs_as_it_stands(heading: str, tmp_path: Path, capsys: Any) -> None:
    """From nothing to train, evaluate, predict, verify, resume, export and compare in ten commands."""
    commands = documented(heading)
    words = [command[0] for command in commands]
    assert {"new", "train", "resume", "evaluate", "predict", "verify", "export", "compare"} <= set(words)
    assert len(commands) <= 10
    for framework in ("keras", "torch", "onnxruntime"):
        needed_python(framework)
    kind = SESSIONS[heading]
    kind[1](tmp_path / next(c[c.index("--data") + 1] for c in commands if c[0] == "new").rstrip("/"))
    for command in commands:
        few = ["--set", "epochs=1"] if command[0] == "train" else []
        said(capsys, *command, *few)
