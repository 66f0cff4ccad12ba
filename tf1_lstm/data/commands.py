"""The commands ``fetch`` and ``prepare``: public files to the folder that the recipes read."""

import argparse
import json
from pathlib import Path
from typing import Any

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


def manifest_text(manifest: Any, folder: Path) -> str:
    """What ``prepare imdb`` prints: each file with its hash, and the corpus statistics."""
    lines = []
    published = manifest.get("as_published", {})
    for name, file in manifest["files"].items():
        shape = " x ".join(str(extent) for extent in file["shape"])
        same = "  as published" if published.get(name) else ""
        lines.append(f"{folder / name}  {shape}  sha256 {file['sha256']}{same}")
    for split in ("train", "test"):
        counts = manifest[split]
        lines.append(
            f"{split}: {counts['files']:,} files, {counts['words']:,} words, mean {counts['mean_words']}; "
            f"{counts['cut']:,} cut at {manifest['steps']} words, "
            f"{counts['unknown_ids']:,} of {counts['ids']:,} ids unknown"
        )
    lines.append(f"{folder / 'manifest.json'}, {folder / 'length-histogram.png'}")
    return "\n".join(lines)
