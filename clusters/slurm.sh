#!/usr/bin/env bash
# A search on the nodes of one Slurm job. The flags of ./fer tune follow the file:
#
#   sbatch --nodes=4 --gpus-per-node=2 clusters/slurm.sh --dataset mmi --preset paper --gpus-per-run auto
#
# Submit it in the root of the checkout, which all nodes must see under the same path, with `make setup` done and
# the data prepared. Options of sbatch on the command line override those below; add --partition and --account
# as your site wants them.
#
#SBATCH --job-name=fer-tune
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --gpus-per-node=1
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@300
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
#
# Five minutes before --time is over, the job is put into the queue again, and so it is by Slurm when a node fails
# or the job is preempted: the same command then continues from the runs folder.
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:?submit this file with sbatch}"

export PATH="$PWD/.venv/bin:$PATH"
# Anyone who can reach Ray's ports can run code: every node requires the token, a file in the shared home folder.
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
ray get-auth-token --generate >/dev/null
# /tmp/ray may belong to another user of the node.
export RAY_TMPDIR=${RAY_TMPDIR:-/tmp/$(id -un)}
# Seconds that nodes wait for each other; 30 are not enough where libraries come from a busy shared disk.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=${RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT:-600}
# Of this node, the first of the job, which Slurm runs this file on. Not by its name: that can stand for
# 127.0.1.1 in its own /etc/hosts. Set RAY_HEAD_ADDRESS if the first network is not the one between nodes.
address=${RAY_HEAD_ADDRESS:-$(hostname -I | cut -d' ' -f1)}

trap 'echo "--time is nearly over: the job goes back into the queue"; scontrol requeue "$SLURM_JOB_ID"' USR1

# On every node: start Ray. On the first one, once all are there: the search, then the end of Ray everywhere.
# --cpu-bind=none: Ray counts the CPUs of the node, and its tasks must not share the one of this step's task.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --cpu-bind=none \
    ray symmetric-run --address "$address:6379" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
    .venv/bin/python -m platform.tune --address auto --runs "$PWD/runs" --data-root "$PWD/data" "$@" &
step=$!
# A signal that is caught ends `wait`, not the step.
until wait "$step"; do
    status=$?
    kill -0 "$step" 2>/dev/null || exit "$status"
done
