"""Every kind of file that the program reads: small sound examples, and what reading one gives.

A kind's ``read`` takes the folder of its files and returns what they say, as something that can be
compared; it raises ``InputError`` where they are refused. Where a format has a checksum, whatever is read
in spite of damage must be what the sound files say (``exact``).
"""

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
from PIL import Image

from tests.data.idx_files import image_bytes, label_bytes, random_digits
from tests.data.small_imdb import review_files
from tests.data.small_keras import write_index, write_npz
from tests.fuzz import text_kinds
from tests.fuzz.kind import PROJECT, Files, Kind, written
from tests.parity.support import ROWS, make_bundle
from tf1_lstm.core.parts import to_document
from tf1_lstm.data.content import reviews_sha256
from tf1_lstm.data.glove import read_glove
from tf1_lstm.data.idx import read_images, read_labels
from tf1_lstm.data.images import read_pictures
from tf1_lstm.data.keras_npz import read_reviews, read_words
from tf1_lstm.data.manifest import check_manifest
from tf1_lstm.data.own.array_files import map_npz
from tf1_lstm.data.parts import PartialDownload
from tf1_lstm.data.registry import open_dataset
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, read_npy, sha256_of_file
from tf1_lstm.parity.answers import checked
from tf1_lstm.parity.bundle import arrays_of, digest_of, read_bundle, write_bundle
from tf1_lstm.parity.npz import read_npz
from tf1_lstm.parity.runner import _collect
from tf1_lstm.recipes import find_recipe
from tf1_lstm.runs.folder import RunFolder


def _saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npy() -> Files:
    return {"a.npy": _saved(np.arange(60, dtype=np.float32).reshape(3, 20))}


def _npz() -> Files:
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.arange(20.0), b=np.zeros((2, 3), np.int32))
    return {"a.npz": stream.getvalue()}


def _bundle() -> Files:
    return written(lambda folder: write_bundle(folder / "a.npz", make_bundle(ROWS, batch=2)))


def _read_bundle(folder: Path) -> Any:
    bundle = read_bundle(folder / "a.npz")
    return digest_of(arrays_of(bundle)), bundle.document


def _idx() -> Files:
    return {
        "images": image_bytes(random_digits(4, seed=1)),
        "labels": label_bytes(np.arange(4, dtype=np.uint8)),
    }


def _idx_gz() -> Files:
    import gzip

    return {name: gzip.compress(content) for name, content in _idx().items()}


def _read_idx(folder: Path) -> Any:
    return read_images(folder / "images").sha256, read_labels(folder / "labels").sha256


def _tar() -> Files:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in review_files().items():
            info = tarfile.TarInfo(f"aclImdb/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return {"a": stream.getvalue()}


def _zip() -> Files:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in review_files().items():
            archive.writestr(f"aclImdb/{name}", content)
    return {"a": stream.getvalue()}


def _run() -> Files:
    def write(folder: Path) -> None:
        record = {
            "recipe": "imdb-lstm",
            "settings": {"units": 64, "learning_rate": 0.001},
            "deviations": {"units": [64, 32]},
            "options": {
                "seed": 1,
                "keep": 0,
                "exact": True,
                "summaries": True,
                "threads": 0,
                "device": "auto",
                "start_from": None,
            },
            "data_folder": "data",
            "sample": True,
            "data": {"idsMatrix.npy": "0" * 64},
        }
        run = RunFolder.create(folder / "run", record)
        run.log("start", iterations=4)
        (folder / "run" / "checkpoints").mkdir()
        for step in (2, 4):
            run.append("losses", [0.5, 0.25])
            run.log("log", iteration=step, loss=0.5, accuracy=0.25)
            file = f"checkpoints/imdb-lstm-{step}.index"
            (folder / "run" / file).write_bytes(b"index" * step)
            run.log(
                "checkpoint",
                step=step,
                prefix=f"checkpoints/imdb-lstm-{step}",
                sha256={file: sha256_of_file(folder / "run" / file)},
                weights_sha256="0" * 64,
                series=run.series_sha256(step),
            )
        run.log("end", step=4)
        run.save_record(ended="2020-01-01T00:00:00Z")
        run.close()

    return written(write)


def _read_run(folder: Path) -> Any:
    run = RunFolder.open(folder / "run")
    events, checkpoints = run.events(), run.checkpoints()
    edits, damages = run.edits(), [run.damage(checkpoint) for checkpoint in checkpoints]
    if edits or any(damages) or len(checkpoints) < 2:
        raise InputError(f"{folder}: {edits} {damages}")
    return run.record, events, run.losses()[:4].tobytes()


def _port() -> Files:
    def write(folder: Path) -> None:
        bundle = make_bundle(ROWS, batch=2)
        np.savez(str(folder / "logits.npz"), logits=bundle.logits)
        np.savez(str(folder / "weights.npz"), **bundle.weights)
        np.savez(str(folder / "steps.npz"), **bundle.steps)
        training: Dict[str, Any] = {f"gradients/{r}": a for r, a in bundle.gradients.items()}
        np.savez(str(folder / "training.npz"), loss=np.float32(bundle.loss), **training)
        (folder / "port.json").write_text(json.dumps({"kind": "function", "source": "x", "notes": ["y"]}))
        (folder / "split.json").write_text(json.dumps({"reason": "none", "failed": False}))

    return written(write)


def _read_port(folder: Path) -> Any:
    bundle = make_bundle(ROWS, batch=2)
    observed = checked(_collect(folder, ""), bundle)
    text = json.dumps([observed.reasons, observed.failed, observed.port], ensure_ascii=False)
    if not text.isprintable():
        raise AssertionError("text that is not fit for a terminal")
    return None


def _pictures() -> Files:
    digit = Image.fromarray(random_digits(1, seed=2)[0])
    found: Files = {"digit.npy": _saved(random_digits(2, seed=3))}
    for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM"):
        stream = io.BytesIO()
        digit.save(stream, form)
        found[f"digit.{form.lower()}"] = stream.getvalue()
    return found


def _read_pictures(folder: Path) -> Any:
    for path in sorted(folder.iterdir()):
        for example in read_pictures(path, path.name):
            if example.inputs is not None and example.inputs.shape != (28, 28):
                raise AssertionError(f"{path.name}: inputs of shape {example.inputs.shape}")


def _sample(name: str) -> Callable[[], Files]:
    def make() -> Files:
        folder = PROJECT / "data" / "sample" / name
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".tsv"}

    return make


def _read_data(dataset: str) -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        return open_dataset(dataset, folder).hashes()

    return read


def _keras() -> Files:
    def write(folder: Path) -> None:
        write_npz(folder / "imdb.npz")
        write_index(folder / "index.json")

    return written(write)


def _read_keras(folder: Path) -> Any:
    reviews = read_reviews(folder / "imdb.npz")
    read_words(folder / "index.json", 1)
    return {split: hashlib.sha256(found.ids.tobytes()).hexdigest() for split, found in reviews.items()}


def _glove() -> Files:
    lines = (f"word{k} " + " ".join(f"{(k * j) % 7 / 8:.3f}" for j in range(50)) for k in range(20))
    return {"glove.txt": "\n".join(lines).encode() + b"\n"}


def _part() -> Files:
    note = {"address": "http://x/a.gz", "total": 10, "validator": None}
    return {"a.gz.part": b"12345", "a.gz.part.json": json.dumps(note).encode()}


def _read_part(folder: Path) -> Any:
    part = PartialDownload(folder / "a.gz")
    note = part.note()
    return note is None or (note.total or 0) > part.size()


def _manifest() -> Files:
    return {
        key: value for key, value in _sample("imdb")().items() if key in ("manifest.json", "wordsList.npy")
    }


def _results() -> Files:
    from tests.report.examples import make_results

    return {"results.json": json.dumps(make_results()).encode()}


def _read_results(folder: Path) -> Any:
    from tf1_lstm.report.documents import read_results

    return read_results(folder / "results.json")


def _experiment() -> Files:
    return {"experiment.json": json.dumps(to_document(find_recipe("imdb-lstm"))).encode()}


def _read_experiment(folder: Path) -> Any:
    return find_recipe("imdb-lstm").from_document(read_json(folder / "experiment.json"))


def _own_npz() -> Files:
    files: Files = {}
    for name, save in (("stored.npz", np.savez), ("packed.npz", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, x=np.arange(24.0).reshape(4, 6), y=np.array([0, 1, 0, 1]))
        files[name] = stream.getvalue()
    return files


def _read_own_npz(folder: Path) -> Any:
    whats = {"x": "inputs", "y": "labels"}
    return [
        {name: array.tobytes() for name, array in map_npz(folder / file, whats).items()}
        for file in ("stored.npz", "packed.npz")
    ]


KINDS: Tuple[Kind, ...] = (
    *text_kinds.KINDS,
    Kind("experiment", _experiment, _read_experiment, False),
    Kind("own npz", _own_npz, _read_own_npz, False),
    Kind("npy", _npy, lambda folder: read_npy(folder / "a.npy", "an array"), False),
    Kind("npz", _npz, lambda folder: read_npz(folder / "a.npz", "arrays"), False),
    Kind("bundle", _bundle, _read_bundle, True),
    Kind("idx", _idx, _read_idx, False),
    Kind("idx in gzip", _idx_gz, _read_idx, True),
    Kind("tar of reviews", _tar, lambda folder: reviews_sha256(folder / "a", 1 << 24), True),
    Kind("zip of reviews", _zip, lambda folder: reviews_sha256(folder / "a", 1 << 24), False),
    Kind("run folder", _run, _read_run, True),
    Kind("port's answers", _port, _read_port, False),
    Kind("pictures", _pictures, _read_pictures, False),
    Kind("imdb arrays", _sample("imdb"), _read_data("imdb-ids"), False),
    Kind("keras-imdb arrays", _sample("keras-imdb"), _read_data("keras-imdb"), False),
    Kind("manifest", _manifest, lambda folder: check_manifest(folder, ["wordsList.npy"]), False),
    Kind("Keras's npz", _keras, _read_keras, True),
    Kind("GloVe", _glove, lambda folder: len(read_glove(folder / "glove.txt").words), False),
    Kind("unfinished download", _part, _read_part, False),
    Kind("results", _results, _read_results, False),
    Kind(
        "JSON",
        lambda: {"a.json": b'{"a": [1, 2.5, "x", null, true]}'},
        lambda f: read_json(f / "a.json"),
        False,
    ),
)


def names() -> List[str]:
    """Of all kinds, checkpoints included."""
    return ["checkpoints", *(kind.name for kind in KINDS)]
