#!/usr/bin/env bash
# A campaign by its name as a Slurm job, from the checkout, with the project installed in .venv on a folder that all nodes see:
#
#   sbatch deploy/slurm.sh night --space parameter_golf --scale full              begins the campaign, or goes on with it
#   sbatch deploy/slurm.sh night --space ngpt --hours 40 -- --gpu-fraction 0.5    what follows -- is for every start, also a resume
#
# Five minutes before the time limit Slurm signals this script alone (B:). It asks the driver, which asks every trial for a
# checkpoint; then the job is requeued and goes on under the same name, until the campaign has ended. Bad input (exit code 2)
# and an ended campaign are not requeued; `scancel` ends the job for good.
# RESULTS (results/runs here), TUNER_CACHE (data/cache here) and MAX_REQUEUES (100) may be set in the environment.
# Whole nodes only: Ray ends what it finds of itself on a node, so two jobs of one user must not share one.
#SBATCH --job-name=tuner
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@300
set -euo pipefail
PATIENCE_SECONDS=${PATIENCE_SECONDS:-200} # for checkpoints, of the 300 s; then the last ones that were written must do

say() { echo "slurm.sh: $*" >&2; }

cd "${SLURM_SUBMIT_DIR:?run this by sbatch}"
name=${1:-}
case $name in
  '' | -*) say "which campaign? sbatch deploy/slurm.sh NAME --space SPACE ..., not '$name'"; exit 2 ;;
esac
shift
question=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do question+=("$1"); shift; done
[ $# = 0 ] || shift # what is left is for every start

export PATH=$PWD/.venv/bin:$PATH OMP_NUM_THREADS=1
export RAY_AUTH_MODE=token RAY_memory_monitor_refresh_ms=0
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=300 # Ray gives nodes 30 s, which imports from a shared folder may take
export TUNER_CACHE=${TUNER_CACHE:-$PWD/data/cache} # prepared once for all nodes and jobs; home folders have small quotas
results=${RESULTS:-$PWD/results/runs}
if ! [ -s ~/.ray/auth_token ]; then # the home folder is shared by the nodes
  mkdir -p ~/.ray
  (umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' > ~/.ray/auth_token)
fi

if python -m tuner.status "$results/$name" > /dev/null 2>&1; then
  question=(--resume "$name")
elif [ ${#question[@]} = 0 ]; then
  say "there is no campaign '$name' in $results: say what to search, for example --space parameter_golf --scale full"
  exit 2
else
  question+=(--name "$name")
fi

# A socket's path may have 107 bytes, of which Ray's own part of it takes up to 75.
short=${TMPDIR:-/tmp}
[ ${#short} -le 16 ] || short=/tmp
export RAY_TMPDIR=$short/t$SLURM_JOB_ID
here=$(mktemp -d "$short/t$SLURM_JOB_ID-XXXXXX") # the driver runs on this node, since its name is given as the head's
trap 'rm -rf "$here"' EXIT

# On the first node this is the driver's parent: its process number and its exit code become known to this script.
# shellcheck disable=SC2016 # it is expanded there
driver='"$@" & echo $! > "$0/pid"; wait $!; code=$?; echo $code > "$0/code"; exit $code'
# shellcheck disable=SC2016
node='trap "rm -rf \"$RAY_TMPDIR\"" EXIT; "$@"'

asked='' signalled='' since=0 # why the driver is asked to end; whether it has been (a second signal would end it at once)
trap 'asked=${asked:-limit} since=$SECONDS' USR1
trap 'asked=cancel since=$SECONDS' TERM INT
srun --nodes="$SLURM_NNODES" --ntasks="$SLURM_NNODES" --ntasks-per-node=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" \
  bash -c "$node" node \
  ray symmetric-run --address "$SLURMD_NODENAME:6379" --min-nodes "$SLURM_NNODES" --num-cpus "$SLURM_CPUS_PER_TASK" -- \
  bash -c "$driver" "$here" \
  python -m tuner.run "${question[@]}" --results "$results" --address auto "$@" &
step=$!

runs() { kill -0 "$step" 2>/dev/null; }
nap() { sleep 1 & wait $! || true; } # a trap runs at once where the shell waits, but not where it runs a command
until [ -s "$here/code" ] || ! runs; do
  if [ -n "$asked" ] && [ -z "$signalled" ] && [ -s "$here/pid" ]; then
    kill -TERM "$(cat "$here/pid")" || true
    signalled=yes
  fi
  [ -z "$asked" ] || [ $((SECONDS - since)) -lt "$PATIENCE_SECONDS" ] || break
  nap
done

code=$(cat "$here/code" 2>/dev/null || true)
if [ "$asked" = limit ]; then
  case $code in
    '' | 130 | 143) # interrupted, or not even begun: nobody else has asked for it
      if [ "${SLURM_RESTART_COUNT:-0}" -ge "${MAX_REQUEUES:-100}" ]; then
        say "requeued ${SLURM_RESTART_COUNT} times, and no more (MAX_REQUEUES): sbatch again to go on"
        exit 1
      fi
      say "the time limit is near: requeueing, to go on with campaign '$name'"
      scontrol requeue "$SLURM_JOB_ID" || { say "Slurm does not requeue job $SLURM_JOB_ID: sbatch again to go on"; exit 1; }
      exit 0
      ;;
  esac
fi
for _ in $(seq 120); do runs || break; nap; done # workers end a minute after their head
! runs || kill -TERM "$step" || true
ended=0
wait "$step" || ended=$?
exit "${code:-$ended}" # no code: the driver never came, since Ray did not start
