"""The command ``prepare``: raw files to the folder that the recipes read."""

import argparse
import json
from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.commands.options import add_folder_option, add_json_option
from tf1_lstm.errors import InputError

PATHS = "a folder, .tar.gz, .zip, .txt, .xz or .gz"
FETCHED = "by default what `tf1-lstm fetch` brought"


EXAMPLES = """\
examples:
  tf1-lstm prepare imdb                what `tf1-lstm fetch all` brought
  tf1-lstm prepare imdb --reviews aclImdb_v1.tar.gz --glove glove.6B.50d.txt
  tf1-lstm prepare keras-imdb --npz imdb.npz --word-index imdb_word_index.json"""


def add_parser(subparsers: Any) -> None:
    """Add ``prepare`` with its data sets."""
    parser = subparsers.add_parser("prepare", help="make a recipe's arrays from the raw files")
    kinds = parser.add_subparsers(metavar="DATASET", title="data sets")
    kinds.required = True
    kinds.dest = "dataset"
    _add_imdb(kinds)
    _add_keras_imdb(kinds)
    parser.set_defaults(func=run)


def _add_imdb(kinds: Any) -> None:
    imdb = kinds.add_parser(
        "imdb",
        help="wordsList.npy, wordVectors.npy, idsMatrix.npy and idsMatrixTest.npy",
        description="Make the tutorial's arrays from the raw reviews and GloVe: the word list and vectors "
        "byte for byte as published, the id matrix with its rows sorted by file name.",
    )
    imdb.add_argument("--reviews", type=Path, metavar="PATH", help=f"the reviews: {PATHS}; {FETCHED}")
    imdb.add_argument("--glove", type=Path, metavar="PATH", help=f"GloVe 6B 50d: {PATHS}; {FETCHED}")
    imdb.add_argument(
        "--vectors",
        choices=("glove", "train"),
        default="glove",
        help="train: make word vectors from the reviews themselves (needs requirements/word2vec.txt)",
    )
    add_folder_option(imdb)
    add_json_option(imdb)


def _add_keras_imdb(kinds: Any) -> None:
    keras = kinds.add_parser(
        "keras-imdb",
        help="the reviews as keras.datasets.imdb has them: ids, labels, words, word vectors",
        description="Make the reviews as keras.datasets.imdb gives them, in Keras's order and with Keras's "
        "ids, from the raw reviews or from Keras's own files (which are read without executing anything).",
    )
    source = keras.add_mutually_exclusive_group()
    source.add_argument("--reviews", type=Path, metavar="PATH", help=f"the raw reviews: {PATHS}; {FETCHED}")
    source.add_argument("--npz", type=Path, metavar="FILE", help="or Keras's imdb.npz")
    keras.add_argument(
        "--word-index",
        type=Path,
        metavar="FILE",
        help="with --npz: Keras's imdb_word_index.json, for predict and --glove",
    )
    keras.add_argument(
        "--glove",
        type=Path,
        metavar="PATH",
        help=f"GloVe, for recipes that take word vectors: {PATHS}; {FETCHED}",
    )
    keras.add_argument(
        "--dimensions",
        type=int,
        choices=(50, 100, 200, 300),
        default=50,
        help="which file of glove.6B.zip, or of a folder, to take (default: 50; published with 100)",
    )
    add_folder_option(keras)
    add_json_option(keras)


def run(options: argparse.Namespace) -> int:
    """Prepare and print the statistics and the files' hashes."""
    prepare, text = {
        "imdb": (_prepare_imdb, manifest_text),
        "keras-imdb": (_prepare_keras_imdb, keras_manifest_text),
    }[options.dataset]
    manifest = prepare(options)
    if options.json:
        print(json.dumps(manifest, indent=1))
    else:
        print(text(manifest, options.data / options.dataset))
    return 0


def _prepare_imdb(options: argparse.Namespace) -> Dict[str, Any]:
    from tf1_lstm.data.prepare import prepare_imdb

    reviews = options.reviews or _fetched("imdb", "--reviews", options.data)
    glove = options.glove
    if glove is None and options.vectors == "glove":
        glove = _fetched("glove", "--glove", options.data)
    return prepare_imdb(reviews, glove, options.data, options.vectors)


def _fetched(what: str, option: str, data: Path) -> Path:
    """The file that ``fetch`` brought; raises InputError with the command that brings it."""
    from tf1_lstm.data.sources import fetched_file

    found = fetched_file(what, data)
    if found is None:
        into = "" if data == Path("data") else f" --data {data}"
        raise InputError(
            f"{option}: missing, and found none of its names in {data / what}; expected it, or what "
            f"`tf1-lstm fetch all{into}` brings"
        )
    return found


def _prepare_keras_imdb(options: argparse.Namespace) -> Dict[str, Any]:
    from tf1_lstm.data.prepare_keras import prepare_keras_imdb, prepare_keras_npz
    from tf1_lstm.data.sources import fetched_file

    if options.npz is not None:
        return prepare_keras_npz(
            options.npz, options.word_index, options.glove, options.data, options.dimensions
        )
    if options.word_index is not None:
        raise InputError("--word-index: found it with --reviews, expected it with --npz")
    reviews = options.reviews or _fetched("imdb", "--reviews", options.data)
    glove = options.glove
    if glove is None and options.dimensions == 50:
        glove = fetched_file("glove", options.data)
    return prepare_keras_imdb(reviews, glove, options.data, options.dimensions)


def manifest_text(manifest: Any, folder: Path) -> str:
    """What ``prepare imdb`` prints: each file with its hash, and the corpus statistics."""
    lines = _file_lines(manifest, folder, "as_published", "as published")
    for split in ("train", "test"):
        counts = manifest[split]
        lines.append(
            f"{split}: {counts['files']:,} files, {counts['words']:,} words, mean {counts['mean_words']}; "
            f"{counts['cut']:,} cut at {manifest['steps']} words, "
            f"{counts['unknown_ids']:,} of {counts['ids']:,} ids unknown"
        )
    lines.append(f"{folder / 'manifest.json'}, {folder / 'length-histogram.png'}")
    return "\n".join(lines)


def keras_manifest_text(manifest: Any, folder: Path) -> str:
    """What ``prepare keras-imdb`` prints: each file with its hash, and the statistics."""
    lines = _file_lines(manifest, folder, "of_public_reviews", "as of the public reviews")
    for split in ("train", "test"):
        counts = manifest[split]
        lines.append(
            f"{split}: {counts['reviews']:,} reviews, {counts['positive']:,} positive; mean length "
            f"{counts['mean_length']}, longest {counts['longest']:,} (with the start marker)"
        )
    vectors = manifest["sources"].get("vectors")
    if vectors:
        lines.append(f"word vectors for {vectors['found']:,} of the {vectors['words']:,} most frequent words")
    lines.append(str(folder / "manifest.json"))
    return "\n".join(lines)


def _file_lines(manifest: Any, folder: Path, known: str, mark: str) -> List[str]:
    """A line for each file; ``mark`` ends that of a file which ``known`` in the manifest says is."""
    lines = []
    for name, file in manifest["files"].items():
        shape = " x ".join(str(extent) for extent in file["shape"])
        same = f"  {mark}" if manifest[known].get(name) else ""
        lines.append(f"{folder / name}  {shape}  sha256 {file['sha256']}{same}")
    return lines
