"""Every picture of a report, under one name; ``canvas`` holds their style.

Importing this imports matplotlib (a third of a second), so commands import it when they draw.
"""

from tf1_lstm.report.batches import test_batches_picture
from tf1_lstm.report.canvas import picture_title
from tf1_lstm.report.confusion import confusion_picture
from tf1_lstm.report.curves import curves
from tf1_lstm.report.logs import write_curves_csv
from tf1_lstm.report.mistakes import mistakes_picture, mistakes_text
from tf1_lstm.report.overview import report_picture

__all__ = [
    "confusion_picture",
    "curves",
    "mistakes_picture",
    "mistakes_text",
    "picture_title",
    "report_picture",
    "test_batches_picture",
    "write_curves_csv",
]
