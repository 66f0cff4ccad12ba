"""The session side: train, resume, verify, evaluate, predict, reproduce."""

from tf1_lstm.core.callable_module import make_callable

make_callable(__name__, "tf1_lstm.api.training:runs")
