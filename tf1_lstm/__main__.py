"""``python -m tf1_lstm``: the same as ``tf1-lstm``."""

import sys

from tf1_lstm.cli import main

sys.exit(main())
