"""The jobs of a study on a Dask cluster: of this machine, or the scheduler at an address.

    python studies/dask_study.py STUDY.json ROOT [--data DIR | --sample] [--scheduler ADDRESS]

It runs in any Python with ``distributed``, in which nothing of this project need be installed: each
task starts ``tf1-lstm study job`` (``TF1_LSTM`` names it). A worker that is lost has its jobs handed
out again; a training that it left behind holds its run's lock, and the new job waits for it.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import List

TF1_LSTM = os.environ.get("TF1_LSTM", ".venv/bin/tf1-lstm")


def job(words: List[str]) -> int:
    """Do one job; returns its exit code."""
    return subprocess.run([TF1_LSTM, "study", "job", *words], check=False).returncode


def main() -> int:
    """Hand out every job and print how it ended; returns 1 where one did not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("root")
    parser.add_argument("--data", default="data")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--scheduler", help="default: a cluster of this machine's cores")
    options = parser.parse_args()

    from distributed import Client, LocalCluster, as_completed

    plan = subprocess.run(
        [TF1_LSTM, "study", "plan", options.study, "--root", options.root, "--json"],
        stdout=subprocess.PIPE,
        check=True,
    )
    numbers = [str(one["job"]) for one in json.loads(plan.stdout)["jobs"]]
    data = ["--sample"] if options.sample else ["--data", options.data]
    # One thread a worker: a job takes one core.
    cluster = options.scheduler or LocalCluster(threads_per_worker=1, dashboard_address=None)
    failed = 0
    with Client(cluster) as client:
        words = [
            [options.study, number, "--root", options.root, "--wait", "3600", *data] for number in numbers
        ]
        futures = client.map(job, words, key=[f"job-{number}" for number in numbers], pure=False, retries=3)
        for future in as_completed(futures):
            code = future.result() if future.status == "finished" else None
            failed += code != 0
            print(f"{future.key}: {'done' if code == 0 else f'exit code {code}'}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
