"""The HTML page of a run: self-contained, escaped, complete."""

import base64
from html.parser import HTMLParser

import pytest

from tests.report.examples import epoch_results, make_results
from tests.report.gallery import draw_batches
from tf1_lstm.errors import InputError
from tf1_lstm.report.page import write_page

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Reads a page, refusing tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open: list = []
        self.tags: list = []
        self.text: list = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def lines_of(path):
    """What a page says, without empty lines."""
    text = "\n".join(part for part in read(path).text if part.strip())
    return text.replace("\u00a0", " ")


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "run"
    draw_batches(folder / "pictures" / "batches.png")
    return folder


def test_the_page_holds_its_pictures_and_loads_nothing(run_folder):
    results = make_results(pictures={"test_batches": "pictures/batches.png"})
    page = read(write_page(run_folder, results))
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    start = "data:image/png;base64,"
    assert image["src"].startswith(start)
    assert base64.b64decode(image["src"][len(start) :]) == (run_folder / "pictures/batches.png").read_bytes()
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "href" for name in attributes), tag
        assert attributes.get("src", "data:").startswith("data:")


def test_the_page_shows_what_was_published_measured_set_and_used(run_folder):
    results = make_results(deviations={"iterations": [50000, 600]})
    page = read(write_page(run_folder, results, oddities=["Row 12499 is labelled wrongly."]))
    text = "\n".join(page.text).replace("\u00a0", " ")
    for expected in (
        "tf1-lstm reproduce imdb-lstm --seed 1",
        "85.4 % [1]",
        "[80.4, 89.3]",
        "82.40 %",
        "-2.5",
        "forget_bias",
        "50,000\n600",
        "Some CPU @ 2.5 GHz",
        "39 min 44 s",
        "01" * 32,
        "Row 12499 is labelled wrongly.",
        "The log: 50 lines",
    ):
        assert expected in text, expected
    assert "EMBEDDED SAMPLE" not in text


def test_the_page_of_the_sample_says_so_first(run_folder):
    page = write_page(run_folder, make_results(sample=True)).read_text()
    places = [
        page.index(text) for text in ("EMBEDDED SAMPLE", "<body>", "stand-in", 'class="verdict"', "<table>")
    ]
    assert places == sorted(places)


def test_the_verdict_comes_first_and_in_words(run_folder):
    text = lines_of(write_page(run_folder, make_results()))
    verdict = "Published: 85.4 % (mean of ten test batches). This run: 82.9 % of 240 examples right"
    assert verdict in text and "-2.5 points" in text
    assert text.index(verdict) < text.index("tf1-lstm reproduce")


def test_no_picture_is_shown_twice_and_each_says_what_is_seen(run_folder):
    pictures = {"report": "pictures/batches.png", "curves": "pictures/batches.png"}
    images = [
        a for tag, a in read(write_page(run_folder, make_results(pictures=pictures))).tags if tag == "img"
    ]
    assert len(images) == 1
    assert images[0]["alt"].startswith("Loss and accuracy by iteration; accuracy of each split")


def test_the_page_has_a_dark_scheme_and_tables_scroll_by_themselves(run_folder):
    page = write_page(run_folder, make_results()).read_text()
    assert "prefers-color-scheme: dark" in page
    assert page.count("<table>") == page.count('<div class="wide"><table>')


def test_nothing_from_outside_becomes_markup(run_folder):
    evil = "<script>alert(1)</script>\"'&"
    results = make_results(
        recipe=evil,
        command=evil,
        environment={evil: evil},
        settings={evil: [evil]},
        deviations={evil: [evil, evil]},
        data={evil: evil},
        pictures={evil: evil},
    )
    for entry in results["published"] + results["evaluations"]:
        entry.update(split=evil, source=evil, name=evil, note=evil)
    page = read(write_page(run_folder, results, oddities=[evil]))
    assert "script" not in {tag for tag, _ in page.tags}
    assert sum(evil in text for text in page.text) > 10


@pytest.mark.parametrize(
    "path", ["gone.png", "../outside.png", "text.png", "../x.md", "pictures", "/etc/hostname", "a\0b"]
)
def test_what_is_no_picture_of_the_run_is_named_and_left_out(run_folder, path):
    draw_batches(run_folder.parent / "outside.png")
    (run_folder.parent / "x.md").write_text("outside")
    (run_folder / "text.png").write_text("no picture")
    page = read(write_page(run_folder, make_results(pictures={"curves": path})))
    assert "img" not in {tag for tag, _ in page.tags}
    assert any("Picture curves is missing" in text for text in page.text)


def test_a_list_of_mistakes_is_shown_as_text(run_folder):
    (run_folder / "mistakes.md").write_text("1. <b>bad</b>\n2. 电影\n", encoding="utf-8")
    page = read(write_page(run_folder, make_results(pictures={"mistakes": "mistakes.md"})))
    assert "1. <b>bad</b>\n2. 电影\n" in page.text and "img" not in {tag for tag, _ in page.tags}


def test_a_run_without_log_evaluations_and_pictures_has_a_page(tmp_path):
    empty: dict = {"log": [], "evaluations": [], "published": [], "test_batches": None}
    empty.update(environment={}, data={})
    text = "\n".join(read(write_page(tmp_path, make_results(**empty))).text)
    assert "Published and measured" not in text and "Settings" in text


def test_a_log_with_a_loss_that_is_no_number_is_shown(tmp_path):
    log = [{"iteration": 1000, "loss": None, "accuracy": 0.5}]
    assert "not a number" in read(write_page(tmp_path, make_results(log=log))).text


def test_a_log_of_epochs_is_shown_with_its_validation(tmp_path):
    text = lines_of(write_page(tmp_path, epoch_results()))
    assert "iteration\nepoch\nloss\naccuracy\nval_loss\nval_accuracy" in text
    assert "314\n2\n0.400000\n0.820000\n0.350000\n0.860000" in text
    assert "validation, measured\n3\n0.3500\n2\n86.00 %" in text
    iterations = lines_of(write_page(tmp_path, make_results()))
    assert "iteration\nloss\naccuracy\n1,000" in iterations and "Epochs" not in iterations


def test_the_same_results_give_the_same_page(run_folder):
    results = make_results(pictures={"test_batches": "pictures/batches.png"})
    first = write_page(run_folder, results).read_bytes()
    assert write_page(run_folder, results).read_bytes() == first


def test_an_unwritable_folder_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_page(tmp_path / "file", make_results())
