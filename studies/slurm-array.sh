#!/bin/bash
#SBATCH --job-name=tf1-lstm-study --requeue --open-mode=append --cpus-per-task=1 --mem=1500M
#SBATCH --signal=TERM@120 --output=%x-%a.log
# A study as a Slurm job array, an element a job. From the project's folder, with as many elements as
# `tf1-lstm study plan` lists:
#
#   sbatch --array=1-60 studies/slurm-array.sh studies/mnist.json runs/mnist data
#
# A node that dies, or a time limit, costs the work since the last checkpoint: the element is queued
# again and goes on. `exec` lets Slurm's SIGTERM reach the job itself, which then saves a checkpoint.
exec "${TF1_LSTM:-.venv/bin/tf1-lstm}" study job "$1" "$SLURM_ARRAY_TASK_ID" --root "$2" --data "$3" --wait 600
