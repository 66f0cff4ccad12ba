"""What holds for every picture: the same bytes each time, readable, and honest about the sample."""

import subprocess
import sys

import matplotlib
import pytest
from PIL import Image

from tests.report.gallery import ALL, assert_readable, catching_figures, draw_batches
from tf1_lstm.errors import InputError
from tf1_lstm.report.canvas import picture_title, plain


@pytest.fixture(scope="module", params=[False, True], ids=["real", "sample"])
def is_sample(request):
    return request.param


@pytest.fixture(scope="module", params=ALL, ids=lambda draw: draw.__name__)
def drawn_once(request, tmp_path_factory, is_sample):
    """Each kind of picture, drawn once for all tests: its function, its path and its figure."""
    path = tmp_path_factory.mktemp("picture") / "a.png"
    with catching_figures() as figures:
        request.param(path, is_sample)
    return request.param, path, figures[0]


def test_the_same_numbers_give_the_same_bytes(tmp_path, drawn_once, is_sample):
    draw, path, _ = drawn_once
    before = dict(matplotlib.rcParams)
    try:
        # Somebody's own matplotlibrc must not matter.
        matplotlib.rcParams.update({"font.size": 20, "axes.facecolor": "red", "lines.linewidth": 9})
        changed = dict(matplotlib.rcParams)
        draw(tmp_path / "b.png", is_sample)
        assert dict(matplotlib.rcParams) == changed  # and is left as it was
    finally:
        dict.update(matplotlib.rcParams, before)
    assert path.read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_holds_no_date_and_no_software_name_and_fits_a_screen(drawn_once):
    _, path, _ = drawn_once
    image = Image.open(str(path))
    assert set(image.info) <= {"dpi"}
    assert image.size[0] <= 1500 and image.size[1] <= 1000
    assert [other.name for other in path.parent.iterdir()] == ["a.png"]


def test_the_title_says_embedded_sample_where_it_is_one(drawn_once, is_sample):
    title = drawn_once[2]._suptitle.get_text()
    assert ("EMBEDDED SAMPLE" in title) == is_sample
    assert "lstm" in title


def test_no_text_overlaps_another_or_leaves_the_picture(drawn_once):
    assert_readable(drawn_once[2])


def test_an_unwritable_picture_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        draw_batches(tmp_path / "file" / "a.png")


def test_text_for_a_picture_is_short_and_has_no_mathematics():
    assert plain("a\n  b") == "a b"
    assert plain("$x^2$") == r"\$x^2\$"
    assert plain("电影 film") == "?? film"
    assert plain("x" * 500, 10) == "xxxxxxx..."
    assert picture_title("imdb-lstm", "official-test", "off") == "imdb-lstm, official-test, dropout off"
    assert picture_title("imdb-lstm") == "imdb-lstm"


def test_drawing_needs_neither_pyplot_nor_tensorflow(tmp_path):
    program = (
        "import sys\n"
        "from tf1_lstm.report import page, pictures, results, tables\n"
        f"pictures.confusion_picture([[1]], ['a'], {str(tmp_path / 'a.png')!r}, 'x')\n"
        "print([name for name in ('matplotlib.pyplot', 'tensorflow') if name in sys.modules])\n"
    )
    found = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    assert found.stdout.decode().strip() == "[]"
    light = "import sys, tf1_lstm.report.tables, tf1_lstm.report.page; print('matplotlib' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", light], stdout=subprocess.PIPE, check=True)
    assert found.stdout.decode().strip() == "False"
