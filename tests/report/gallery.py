"""One drawing function for each kind of picture, filled with realistic numbers."""

import contextlib
from unittest import mock

import matplotlib
import numpy as np

from tests.report.examples import (
    MEASURED_RIGHT,
    PUBLISHED_RIGHT,
    epoch_log,
    make_results,
    published_epochs,
    published_log,
    ten_classes,
    training_log,
)
from tf1_lstm.report import (
    batches,
    canvas,
    confusion,
    curves,
    experiments_picture,
    mistakes,
    overview,
    pictures,
)

PUBLISHED = [right / 24 for right in PUBLISHED_RIGHT]
MEASURED = [right / 24 for right in MEASURED_RIGHT]


def draw_curves(path, is_sample=False, log=None, published=None):
    log = training_log() if log is None else log
    published = published_log() if published is None else published
    title = pictures.picture_title("imdb-lstm", "train", "on")
    pictures.curves(log, published, path, title, is_sample, checkpoints=[10000, 20000])


def draw_epochs(path, is_sample=False, log=None, published=None):
    log = epoch_log() if log is None else log
    published = published_epochs() if published is None else published
    pictures.curves(log, published, path, "imdb-lstm32, seed 1, means of epochs", is_sample)


def draw_report(path, is_sample=False, **changes):
    results = make_results(sample=is_sample, **changes)
    names = ("positive", "negative")
    pictures.report_picture(results, results["log"], published_log(), path, class_names=names)


def draw_confusion(path, is_sample=False):
    names = [str(k) for k in range(10)]
    pictures.confusion_picture(ten_classes(), names, path, "mnist-lstm, test, dropout off", is_sample)


def draw_mistakes(path, is_sample=False, wrong=40, examples=200, class_names=()):
    random = np.random.RandomState(0)
    true = random.randint(0, 10, examples)
    predicted = true.copy()
    predicted[:wrong] = (true[:wrong] + 1) % 10
    sure = random.uniform(0.3, 1, examples)
    images = random.uniform(size=(examples, 28, 28))
    pictures.mistakes_picture(
        images,
        true,
        predicted,
        sure,
        path,
        title="mnist-lstm, test, dropout off",
        class_names=class_names,
        is_sample=is_sample,
    )


def draw_batches(path, is_sample=False, published=PUBLISHED, measured=MEASURED):
    title = pictures.picture_title("imdb-lstm", "tutorial-test", "on")
    pictures.test_batches_picture(published, measured, path, batch_size=24, title=title, is_sample=is_sample)


ALL = [draw_curves, draw_epochs, draw_report, draw_confusion, draw_mistakes, draw_batches]


@contextlib.contextmanager
def catching_figures():
    """The figures that are drawn meanwhile, caught on their way to a file."""
    figures: list = []
    real = canvas.picture

    @contextlib.contextmanager
    def catching(*arguments):
        with real(*arguments) as figure:
            yield figure
        figures.append(figure)

    with contextlib.ExitStack() as stack:
        for module in (batches, confusion, curves, experiments_picture, mistakes, overview):
            stack.enter_context(mock.patch.object(module, "picture", catching))
        yield figures


def texts_of(figure):
    """Every text object of a figure that says something."""
    texts = figure.findobj(matplotlib.text.Text)
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def boxes_of(figure):
    """Texts with their boxes, without tick labels that are not drawn (outside the limits)."""
    renderer = figure.canvas.get_renderer()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            drawn = [label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)]
            every = [label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)]
            hidden |= {id(label) for label in every} - {id(label) for label in drawn if axes.axison}
    texts = [text for text in texts_of(figure) if id(text) not in hidden]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts]


def assert_readable(figure):
    """No text overlaps another or leaves the picture."""
    width, height = figure.get_size_inches() * canvas.DPI
    texts = boxes_of(figure)
    assert len(texts) > 8
    for number, (text, box) in enumerate(texts):
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, text
        for other, other_box in texts[number + 1 :]:
            across = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
            along = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
            assert across <= 1 or along <= 1, f"{text!r} over {other!r}"
