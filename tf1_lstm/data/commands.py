"""The commands ``fetch`` and ``prepare``: public files to the folder that the recipes read."""

import argparse
import json
from pathlib import Path
from typing import Any, List

from tf1_lstm.errors import InputError

WHAT = ("glove", "imdb", "mnist", "all")


def add_parsers(subparsers: Any) -> None:
    """Add ``fetch`` and ``prepare``."""
    fetch = subparsers.add_parser(
        "fetch",
        help="download the public files, or take them from a folder, and check their content",
        description="Download the public files (GloVe, the Large Movie Review Dataset, MNIST), or take "
        "them from a folder; either way their unpacked content is checked by SHA-256.",
    )
    fetch.add_argument("what", choices=WHAT)
    _add_folder(fetch)
    fetch.add_argument(
        "--from", dest="source", type=Path, metavar="DIR", help="take the files from DIR, without a network"
    )
    fetch.add_argument("--json", action="store_true", help="print one JSON document")
    fetch.set_defaults(func=run_fetch)

    prepare = subparsers.add_parser("prepare", help="make a recipe's arrays from the raw files")
    kinds = prepare.add_subparsers(metavar="DATASET", title="data sets")
    kinds.required = True
    kinds.dest = "dataset"
    imdb = kinds.add_parser(
        "imdb",
        help="wordsList.npy, wordVectors.npy, idsMatrix.npy and idsMatrixTest.npy",
        description="Make the tutorial's arrays from the raw reviews and GloVe: the word list and vectors "
        "byte for byte as published, the id matrix with its rows sorted by file name.",
    )
    paths = "a folder, .tar.gz, .zip, .txt, .xz or .gz"
    imdb.add_argument("--reviews", type=Path, required=True, metavar="PATH", help=f"the reviews: {paths}")
    imdb.add_argument("--glove", type=Path, metavar="PATH", help=f"GloVe 6B 50d: {paths}")
    imdb.add_argument(
        "--vectors",
        choices=("glove", "train"),
        default="glove",
        help="train: make word vectors from the reviews themselves (needs requirements-word2vec.txt)",
    )
    _add_folder(imdb)
    imdb.add_argument("--json", action="store_true", help="print one JSON document")
    imdb.set_defaults(func=run_prepare_imdb)

    keras = kinds.add_parser(
        "keras-imdb",
        help="the reviews as keras.datasets.imdb has them: ids, labels, words, word vectors",
        description="Make the reviews as keras.datasets.imdb gives them, in Keras's order and with Keras's "
        "ids, from the raw reviews or from Keras's own files (which are read without executing anything).",
    )
    source = keras.add_mutually_exclusive_group(required=True)
    source.add_argument("--reviews", type=Path, metavar="PATH", help=f"the raw reviews: {paths}")
    source.add_argument("--npz", type=Path, metavar="FILE", help="or Keras's imdb.npz")
    keras.add_argument(
        "--word-index",
        type=Path,
        metavar="FILE",
        help="with --npz: Keras's imdb_word_index.json, for predict and --glove",
    )
    keras.add_argument(
        "--glove", type=Path, metavar="PATH", help=f"GloVe, for recipes that take word vectors: {paths}"
    )
    keras.add_argument(
        "--dimensions",
        type=int,
        choices=(50, 100, 200, 300),
        default=50,
        help="which file of glove.6B.zip, or of a folder, to take (default: 50; published with 100)",
    )
    _add_folder(keras)
    keras.add_argument("--json", action="store_true", help="print one JSON document")
    keras.set_defaults(func=run_prepare_keras_imdb)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, default=Path("data"), metavar="DIR", help="the data folder (default: data)"
    )


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch and print one line for each file."""
    from tf1_lstm.data.fetch import fetch

    files = fetch(options.what, options.data, options.source)
    if options.json:
        print(json.dumps({"files": [dict(file._asdict(), path=str(file.path)) for file in files]}, indent=1))
        return 0
    for file in files:
        print(f"{file.path}  {file.status}  sha256 {file.sha256}  ({file.licence})")
    return 0


def run_prepare_imdb(options: argparse.Namespace) -> int:
    """Prepare and print the corpus statistics and the files' hashes."""
    from tf1_lstm.data.prepare import prepare_imdb

    manifest = prepare_imdb(options.reviews, options.glove, options.data, options.vectors)
    if options.json:
        print(json.dumps(manifest, indent=1))
        return 0
    print(manifest_text(manifest, options.data / "imdb"))
    return 0


def run_prepare_keras_imdb(options: argparse.Namespace) -> int:
    """Prepare and print the statistics and the files' hashes."""
    from tf1_lstm.data.prepare_keras import prepare_keras_imdb, prepare_keras_npz

    if options.npz is not None:
        manifest = prepare_keras_npz(
            options.npz, options.word_index, options.glove, options.data, options.dimensions
        )
    elif options.word_index is not None:
        raise InputError("--word-index: found it with --reviews, expected it with --npz")
    else:
        manifest = prepare_keras_imdb(options.reviews, options.glove, options.data, options.dimensions)
    if options.json:
        print(json.dumps(manifest, indent=1))
        return 0
    print(keras_manifest_text(manifest, options.data / "keras-imdb"))
    return 0


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
