"""Show that a study survives the death of a node: a real Slurm on this machine, two node daemons, one killed.

Starts munge, slurmctld and two slurmd (Debian's ``slurm-wlm`` and ``munge``; as root) in a folder of its
own, submits the study as a job array, kills everything of one node with -9 in the middle of a training,
brings the node back, and waits. Then every seed is trained once more without Slurm and without a stop, and
the weights are compared. About eight minutes; two of them are Slurm's own hold on a job it queues again.

    .venv/bin/python tools/slurm_trial.py --data data --out /tmp/trial
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / ".venv" / "bin" / "tf1-lstm"
NODES = ("host1", "host2")
SEEDS = list(range(1, 9))
# Checkpoints often enough for the kill to fall between two of them; no bit depends on it.
SAVE_EVERY = 50
CONFIGURATION = """\
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPort=26817
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmdTimeout=20
SchedulerType=sched/builtin
SelectType=select/linear
JobRequeue=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
{nodes}
PartitionName=all Nodes={names} Default=YES MaxTime=INFINITE State=UP
"""


class Cluster:
    """A Slurm of two nodes on this machine, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Write the configuration; nothing is started yet."""
        self.folder = folder
        munge = folder / "munge"
        munge.mkdir(parents=True)
        munge.chmod(0o755)
        (folder / "state").mkdir()
        key = munge / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={27001 + number} CPUs=1 "
            "RealMemory=2000 State=UNKNOWN"
            for number, name in enumerate(NODES)
        )
        path = folder / "slurm.conf"
        path.write_text(CONFIGURATION.format(host=host, folder=folder, nodes=nodes, names=",".join(NODES)))
        self.environment = {**os.environ, "SLURM_CONF": str(path)}

    def start(self) -> None:
        """Start munge, the controller and both nodes."""
        munge = self.folder / "munge"
        words = [f"--{name}={munge / name}" for name in ("socket", "pid-file", "log-file", "seed-file")]
        words[0], key = f"--socket={munge / 'socket'}", f"--key-file={munge / 'key'}"
        self._run("munged", "--force", key, *words)
        self._run("slurmctld")
        for name in NODES:
            self.start_node(name)

    def start_node(self, name: str) -> None:
        """Start the daemon of a node, also again."""
        self._run("slurmd", "-N", name)

    def ask(self, *command: str) -> str:
        """What a Slurm command prints."""
        return self._run(*command).strip()

    def kill_node(self, name: str) -> List[int]:
        """Kill the daemon and everything that it started with -9; returns the processes."""
        job = self.ask("squeue", "-h", "-t", "R", "-w", name, "-o", "%A").split()[0]
        pids = [int((self.folder / f"slurmd-{name}.pid").read_text())]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                environment = (process / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if command.startswith(f"slurmstepd: [{job}.".encode()) or (
                f"SLURMD_NODENAME={name}".encode() in environment
            ):
                pids.append(int(process.name))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return pids

    def stop(self) -> None:
        """End every daemon that is still there."""
        for path in (*self.folder.glob("*.pid"), self.folder / "munge" / "pid-file"):
            try:
                os.kill(int(path.read_text()), signal.SIGTERM)
            except (OSError, ValueError):
                continue

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise SystemExit(f"slurm_trial: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


def main() -> int:
    """Run the trial; exit code 1 where a seed is not what it would have been."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="with the real MNIST files")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet"
    )
    options = parser.parse_args()
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
    if missing:
        parser.error(f"{missing[0]}: not found; expected Debian's packages slurm-wlm and munge")
    out = options.out.resolve()
    out.mkdir(parents=True)
    study = {
        "name": "trial",
        "cells": [{"recipe": "mnist-rnn", "seeds": SEEDS, "set": {"schedule.save_every": SAVE_EVERY}}],
    }
    path = out / "trial.json"
    path.write_text(json.dumps(study))
    cluster = Cluster(out / "slurm")
    began = time.monotonic()
    try:
        cluster.start()
        root, data = out / "runs", options.data.resolve()
        script = [str(ROOT / "studies" / "slurm-array.sh"), str(path), str(root), str(data)]
        os.environ["TF1_LSTM"] = cluster.environment["TF1_LSTM"] = str(PROGRAM)
        array = f"--array=1-{len(SEEDS)}"
        say(began, cluster.ask("sbatch", array, "--chdir", str(out), "--mem=0", *script))
        wait_for_kill(cluster, path, root, began)
        wait_for_end(cluster, began)
    finally:
        cluster.stop()
    say(began, "every element of the array has ended; the same seeds once more, without Slurm or a stop")
    alone = out / "alone"
    command = [str(PROGRAM), "study", "run", str(path), "--root", str(alone), "--data", str(data), "--quiet"]
    subprocess.run(command, check=True)
    return 0 if compared(plan(path, root), plan(path, alone)) else 1


def wait_for_kill(cluster: Cluster, path: Path, root: Path, began: float) -> None:
    """Kill the first node when its training has a few checkpoints, and bring it back when Slurm has noticed."""
    node = NODES[0]
    while True:
        time.sleep(0.2)
        task = cluster.ask("squeue", "-h", "-t", "R", "-w", node, "-o", "%K")
        if not task:
            continue
        folder = Path(plan(path, root)[int(task.split()[0]) - 1]["folder"])
        saved = sorted(int(one.stem.rpartition("-")[2]) for one in folder.glob("checkpoints/*.index"))
        if 3 <= len(saved) <= 10:
            break
    killed = cluster.kill_node(node)
    say(
        began,
        f"{node} killed with -9: {len(killed)} processes, {folder.name} had saved iteration {saved[-1]}",
    )
    while "down" not in cluster.ask("sinfo", "-h", "-N", "-n", node, "-o", "%t"):
        time.sleep(1)
    say(began, f"Slurm has noticed: {node} is down; it is started again")
    cluster.start_node(node)


def wait_for_end(cluster: Cluster, began: float) -> None:
    """Wait until the queue is empty."""
    left = ""
    while True:
        now = cluster.ask("squeue", "-h", "-r", "-o", "%K %T")
        if now != left:
            left = now
            say(began, "; ".join(now.splitlines()) or "the queue is empty")
        if not now:
            return
        time.sleep(1)


def plan(path: Path, root: Path) -> List[Dict[str, Any]]:
    """The study's jobs, as ``study plan --json`` lists them."""
    words = [str(PROGRAM), "study", "plan", str(path), "--root", str(root), "--json"]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)["jobs"]


def compared(tried: List[Dict[str, Any]], alone: List[Dict[str, Any]]) -> bool:
    """Print a line a seed, and say whether all are done, trained once, and equal in bits."""
    good = True
    print("seed  state  trainings  resumed after  weights_sha256    without a stop    equal")
    for one, other in zip(tried, alone):
        lines = (Path(one["folder"]) / "log.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        starts = sum(event["event"] == "start" for event in events)
        resumed = [str(event["step"]) for event in events if event["event"] == "resume"]
        found, expected = (
            json.loads((Path(job["folder"]) / "results.json").read_text())["weights_sha256"]
            for job in (one, other)
        )
        equal = found == expected and one["state"] == "done" and starts == 1
        good = good and equal
        print(
            f"{one['seed']:>4}  {one['state']:5}  {starts:>9}  {', '.join(resumed) or '-':>13}  "
            f"{found[:16]}  {expected[:16]}  {'yes' if equal else 'NO'}"
        )
    return good


def say(began: float, text: str) -> None:
    """Print a line with the seconds since the beginning."""
    print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
