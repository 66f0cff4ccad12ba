"""What is wrong with this machine, and what fixes it, in under five seconds.

Standard library and Python 3.6 syntax only, so that it runs where nothing else does. TensorFlow is
imported in a child process, whose crash is a finding.
"""

import sys
from pathlib import Path
from typing import List

from tf1_lstm import __version__
from tf1_lstm.core.text_table import fitted
from tf1_lstm.devices import is_cuda_10
from tf1_lstm.doctor.engine import examine_engine
from tf1_lstm.doctor.findings import OK, PROBLEM, UNCHECKED, WARNING, Clock, Finding
from tf1_lstm.doctor.folders import examine_checkpoints, examine_data, examine_writing
from tf1_lstm.doctor.gpu import examine_gpus
from tf1_lstm.doctor.machine import examine_machine
from tf1_lstm.doctor.packages import ImportTrial, examine_packages
from tf1_lstm.gpus import tensorflow_build

# Seconds: hashing ends first, then the child is ended, then there is time to say so.
HASHING, WHOLE = 3.2, 4.3
MOST_NAMES = 8  # in one line of the text


def examine(data: Path) -> List[Finding]:
    """Look at everything.

    Args:
      data: the data folder; checkpoints and runs are in the working directory.
    """
    clock, hashing = Clock(WHOLE), Clock(HASHING)
    trial = ImportTrial()
    build = tensorflow_build()
    stock = build.cuda is None or is_cuda_10(build)
    findings = examine_machine(build) + examine_packages(stock=stock) + examine_gpus(build, hashing)
    places = [data, Path("checkpoints"), Path("runs")]
    written = examine_writing(places)
    stored = examine_checkpoints(places[1], hashing) + examine_data(data, hashing)
    return [*findings, *stored, *written, trial.finding(clock), *examine_engine()]


def worst(findings: List[Finding]) -> str:
    """The worst status of all."""
    found = {finding.status for finding in findings}
    return next((status for status in (PROBLEM, WARNING, UNCHECKED) if status in found), OK)


def as_text(findings: List[Finding]) -> str:
    """The findings as lines: what is wrong first of all, what is in order in few words."""
    version = ".".join(map(str, sys.version_info[:3]))
    lines = [f"tf1-lstm {__version__} doctor, Python {version}"]
    for status in (PROBLEM, WARNING, UNCHECKED, OK):
        chosen = [finding for finding in findings if finding.status == status]
        for topic in dict.fromkeys(finding.topic for finding in chosen):
            lines += topic_lines([finding for finding in chosen if finding.topic == topic])
    counts = [sum(finding.status == status for finding in findings) for status in (PROBLEM, WARNING)]
    left = [finding.topic + " " + finding.name for finding in findings if finding.status == UNCHECKED]
    unchecked = f", not checked: {len(left)} ({', '.join(left[:MOST_NAMES])})" if left else ""
    lines.append("problems: {}, warnings: {}".format(*counts) + unchecked)
    return "\n".join(fitted(line, " " * 11) for line in lines)


def topic_lines(findings: List[Finding]) -> List[str]:
    """The lines of one topic's findings of one status; things of which the same is said share a line."""
    topic, status = findings[0].topic, findings[0].status
    if topic == "packages" and status == OK:
        return [f"  ok       packages: {len(findings)} as locked"]
    lines = []
    for found in dict.fromkeys(finding.found for finding in findings):
        names = [finding.name for finding in findings if finding.found == found]
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        lines.append(f"  {status:8} {topic}: {', '.join(names[:MOST_NAMES])}{more}: {found}")
    fixes = dict.fromkeys(finding.fix for finding in findings if finding.fix)
    return lines + [f"             -> {fix}" for fix in fixes]
