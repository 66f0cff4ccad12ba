"""The public files this project uses: names, addresses, sizes, content hashes and licences.

Only the content of a file decides whether it is the right one, so each hash here is of unpacked
content and is the same whatever wraps it.
"""

import os
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from tf1_lstm.errors import InputError

MIRROR_VARIABLE = "TF1_LSTM_MIRROR"

# SHA-256 of the unpacked files: a gzip wrapping differs from server to server, its content does not.
MNIST_SHA256 = {
    "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class PublicFile(NamedTuple):
    """One file of a public data set, as it is kept below the data folder.

    Attributes:
      what: the data set, which is also the folder: ``glove``, ``imdb`` or ``mnist``.
      name: the file's name there.
      kept: ``"plain"`` (unpacked), ``"gzip"`` (one file in gzip) or ``"reviews"`` (``.tar.gz``).
      sha256: for ``"plain"`` and ``"gzip"`` of the unpacked bytes; for ``"reviews"`` by the rule of
        ``tf1_lstm.data.fetch.reviews_sha256``.
      content_bytes: size of the unpacked bytes (of the labelled reviews alone).
      unpack_limit: the most bytes the whole archive may unpack to.
      addresses: where it is published, the first one first.
      download_bytes: size of what the addresses serve.
      member: the pattern of the wanted member where the download is a zip of several.
      accepted: under which names it may be found in a folder, apart from ``name``.
      licence: what its authors say of its use.
    """

    what: str
    name: str
    kept: str
    sha256: str
    content_bytes: int
    unpack_limit: int
    addresses: Tuple[str, ...]
    download_bytes: int
    member: Optional[str]
    accepted: Tuple[str, ...]
    licence: str

    @property
    def download_name(self) -> str:
        """The file name at the addresses; the mirror and ``--from`` know it by the same name."""
        path = urlsplit(self.addresses[0]).path
        return path.rpartition("/")[2]


_GLOVE = PublicFile(
    what="glove",
    name="glove.6B.50d.txt",
    kept="plain",
    sha256="d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f",
    content_bytes=171_350_079,
    unpack_limit=171_350_079,
    addresses=(
        "https://downloads.cs.stanford.edu/nlp/data/glove.6B.zip",
        "https://nlp.stanford.edu/data/glove.6B.zip",
        "https://huggingface.co/stanfordnlp/glove/resolve/main/glove.6B.zip",
    ),
    download_bytes=862_182_613,
    member="*50d.txt",
    accepted=(
        "glove.6B.50d.txt.xz",
        "glove.6B.50d.txt.gz",
        "glove.6B.50d.txt.zip",
        "glove.6B.50d.zip",
        "glove.6B.zip",
    ),
    licence="PDDL 1.0",
)

_IMDB = PublicFile(
    what="imdb",
    name="aclImdb_v1.tar.gz",
    kept="reviews",
    sha256="b155ae18c4016500d64b7ea091f3f04c4ea9e702ab3bdb2b4aa0effbd4da11c6",
    content_bytes=65_483_508,
    # With its unlabelled reviews and bags of words the public archive unpacks to about 0.4 GB.
    unpack_limit=2 << 30,
    addresses=(
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        # Baidu's copy for PaddlePaddle, with the MD5 of Stanford's archive.
        "https://dataset.bj.bcebos.com/imdb%2FaclImdb_v1.tar.gz",
    ),
    download_bytes=84_125_825,
    member=None,
    accepted=(
        "aclImdb_v1.tgz",
        "aclImdb_v1.tar.xz",
        "aclImdb_v1.tar",
        "aclImdb_v1.zip",
        "aclImdb.tar.gz",
        "aclImdb.tar.xz",
        "aclImdb.zip",
        "aclImdb",
    ),
    licence="none stated; cite Maas et al., 2011",
)


def _mnist(stem: str, sha256: str, content_bytes: int, download_bytes: int) -> PublicFile:
    return PublicFile(
        what="mnist",
        name=f"{stem}.gz",
        kept="gzip",
        sha256=sha256,
        content_bytes=content_bytes,
        unpack_limit=content_bytes,
        addresses=(
            f"https://ossci-datasets.s3.amazonaws.com/mnist/{stem}.gz",
            f"https://storage.googleapis.com/cvdf-datasets/mnist/{stem}.gz",
        ),
        download_bytes=download_bytes,
        member=None,
        accepted=(stem, f"{stem}.xz", f"{stem}.zip", stem.replace("-idx", ".idx")),
        licence="CC BY-SA 3.0",
    )


PUBLIC_FILES: Tuple[PublicFile, ...] = (
    _GLOVE,
    _IMDB,
    _mnist(
        "train-images-idx3-ubyte",
        MNIST_SHA256["train-images"],
        content_bytes=47_040_016,
        download_bytes=9_912_422,
    ),
    _mnist(
        "train-labels-idx1-ubyte",
        MNIST_SHA256["train-labels"],
        content_bytes=60_008,
        download_bytes=28_881,
    ),
    _mnist(
        "t10k-images-idx3-ubyte",
        MNIST_SHA256["t10k-images"],
        content_bytes=7_840_016,
        download_bytes=1_648_877,
    ),
    _mnist(
        "t10k-labels-idx1-ubyte",
        MNIST_SHA256["t10k-labels"],
        content_bytes=10_008,
        download_bytes=4_542,
    ),
)


def fetched_file(what: str, data: Path) -> Optional[Path]:
    """Where ``fetch`` put the (first) file of a data set, or somebody did under one of its names; else None."""
    for public in PUBLIC_FILES:
        if public.what == what:
            for name in (public.name, *public.accepted):
                if (data / what / name).exists():
                    return data / what / name
    return None


def data_folder(folder: Path, below: str) -> Path:
    """The data folder of a data set's own folder, which may be either."""
    return folder.parent if folder.name == below else folder


def making(dataset: str, data: Path) -> str:
    """The commands that make a data set in a data folder, for a message."""
    into = "" if data in (Path("data"), Path()) else f" --data {data}"
    if dataset == "mnist":
        return f"`tf1-lstm fetch mnist{into}`"
    return f"`tf1-lstm fetch all{into}`, then `tf1-lstm prepare {dataset}{into}`"


def addresses_of(public: PublicFile, environment: Mapping[str, str] = os.environ) -> Tuple[str, ...]:
    """Give the addresses to try for a file, in order.

    ``TF1_LSTM_MIRROR`` replaces the public ones: one or several base addresses separated by spaces,
    each of which must serve the file under its public name (``BASE/glove.6B.zip``). A mirror needs
    no trust, since what it serves is checked like everything else.

    Raises:
      InputError: the variable holds something that is not an http or https address.
    """
    bases = environment.get(MIRROR_VARIABLE, "").split()
    for base in bases:
        if urlsplit(base).scheme not in ("http", "https"):
            raise InputError(f"{MIRROR_VARIABLE}: found {base!r}; expected http:// or https:// addresses")
    if not bases:
        return public.addresses
    return tuple(f"{base.rstrip('/')}/{public.download_name}" for base in bases)
