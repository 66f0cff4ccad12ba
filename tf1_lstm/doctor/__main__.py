"""``python3 -m tf1_lstm.doctor``: the doctor without the rest of the command line, from Python 3.6 on."""

import sys

from tf1_lstm.commands.doctor import main

sys.exit(main())
