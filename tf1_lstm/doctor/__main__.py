"""``python3 -m tf1_lstm.doctor``: the doctor without the rest of the command line, from Python 3.6 on."""

import argparse
import sys

from tf1_lstm.doctor import add_options, run

parser = argparse.ArgumentParser(prog="python3 -m tf1_lstm.doctor", description=__doc__)
add_options(parser)
sys.exit(run(parser.parse_args()))
