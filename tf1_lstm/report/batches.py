"""Published test batches beside measured ones, with means and intervals."""

from typing import Any, Optional, Sequence, Tuple

from tf1_lstm.files import PathLike
from tf1_lstm.report.canvas import BLUE, GREY, VERMILLION, empty, picture
from tf1_lstm.report.statistics import accuracy_interval
from tf1_lstm.report.tables import percent, percent_interval


def test_batches_picture(
    published: Sequence[float],
    measured: Sequence[float],
    path: PathLike,
    *,
    batch_size: int,
    title: str,
    is_sample: bool = False,
    published_size: Optional[int] = None,
) -> None:
    """Draw single test batches, published on the left and measured on the right.

    Args:
      published: accuracies between 0 and 1, one a batch; may be empty.
      measured: the same of this run.
      path: the PNG file.
      batch_size: examples in a batch.
      title: see ``canvas.picture_title``.
      is_sample: the run used the embedded sample; nothing published is drawn then.
      published_size: examples in a published batch, where it is not ``batch_size``.
    """
    sizes = (published_size or batch_size, batch_size)
    with picture(path, title, (9, 4.6), is_sample) as figure:
        draw_test_batches(figure.subplots(), () if is_sample else published, measured, sizes)


test_batches_picture.__test__ = False  # type: ignore[attr-defined]  # pytest must not collect it


def draw_test_batches(
    axes: Any, published: Sequence[float], measured: Sequence[float], sizes: Tuple[int, int]
) -> None:
    """Draw both groups: a stem for each batch, the mean as a line, its 95 % interval as a band.

    Args:
      axes: where to.
      published: accuracies between 0 and 1; may be empty.
      measured: the same of this run.
      sizes: examples in a published and in a measured batch.
    """
    groups = [("published", published, sizes[0]), ("measured", measured, sizes[1])]
    groups = [group for group in groups if len(group[1])]
    if not groups:
        empty(axes, "no test batches")
        return
    start, ticks = 0, []
    for name, accuracies, size in groups:
        places = list(range(start + 1, start + 1 + len(accuracies)))
        _draw_group(axes, places, accuracies, name)
        _write_mean(axes, (places[0] + places[-1]) / 2, accuracies, name, size)
        every = max(1, -(-len(places) // 5))
        ticks += [(place, number + 1) for number, place in enumerate(places) if number % every == 0]
        start = places[-1] + 1
    axes.set_xticks([place for place, _ in ticks])
    axes.set_xticklabels([str(number) for _, number in ticks])
    axes.set_xlim(0, start)
    axes.grid(False, axis="x")
    axes.set_xlabel("test batch")
    axes.set_ylabel("accuracy; bands: 95 % intervals of the means")
    everything = [accuracy for group in groups for accuracy in group[1]]
    axes.set_ylim(max(0.0, min([0.9, *everything]) - 0.06), 1.03)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %" if value < 1.001 else "")


def _draw_group(axes: Any, places: Sequence[int], accuracies: Sequence[float], name: str) -> None:
    colour = VERMILLION if name == "published" else BLUE
    mean = sum(accuracies) / len(accuracies)
    ends = [places[0] - 0.6, places[-1] + 0.6]
    axes.plot(ends, [mean, mean], "--" if name == "published" else "-", color=colour, linewidth=2)
    axes.vlines(places, mean, accuracies, color=GREY, linewidth=1)
    size = 7 if len(places) <= 20 else 3
    axes.plot(places, accuracies, "D" if name == "published" else "o", color=colour, markersize=size)


def _write_mean(axes: Any, centre: float, accuracies: Sequence[float], name: str, batch_size: int) -> None:
    count, mean = len(accuracies), sum(accuracies) / len(accuracies)
    interval = accuracy_interval(mean, count * batch_size)
    colour = VERMILLION if name == "published" else BLUE
    half = (count - 1) / 2 + 0.6
    band = {"color": colour, "alpha": 0.15, "linewidth": 0}
    axes.fill_between([centre - half, centre + half], interval.low, interval.high, **band)
    text = f"{name}: {percent(mean)}\n{percent_interval(interval)}, {count} x {batch_size}"
    where = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "bottom", "fontsize": 9}
    axes.text(centre, 1.01, text, **where)
