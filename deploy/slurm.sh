#!/usr/bin/env bash
# A campaign as a Slurm job: sbatch deploy/slurm.sh, from the checkout, with the project installed in .venv on a folder that
# all nodes see. `ray symmetric-run` starts Ray on every node of the job and runs the command on the first.
# Whole nodes only: Ray ends what it finds of itself on a node, so two jobs of one user must not share one.
#SBATCH --job-name=tuner
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@300
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:?run this by sbatch}"
export PATH=$PWD/.venv/bin:$PATH OMP_NUM_THREADS=1
export RAY_AUTH_MODE=token RAY_memory_monitor_refresh_ms=0
if ! [ -s ~/.ray/auth_token ]; then # the home folder is shared by the nodes
  mkdir -p ~/.ray
  (umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' > ~/.ray/auth_token)
fi

results=$PWD/results/runs
campaign=slurm-$SLURM_JOB_ID # a job that is requeued keeps its number, and goes on with its campaign
if [ -f "$results/$campaign/campaign.json" ]; then
  question=(--resume "$campaign")
else
  question=(--space parameter_golf --scale full --name "$campaign")
fi
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun --nodes="$SLURM_NNODES" --ntasks="$SLURM_NNODES" --ntasks-per-node=1 \
  ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_NNODES" -- \
  python -m tuner.run "${question[@]}" --results "$results" --address auto
