#!/usr/bin/env bash
# A rehearsal of deploy/on_premises.yaml with nothing but this machine: four hosts, a real `ray up`, a campaign with trials
# on every worker, one worker cut off on the way, `ray down`. Every trial must be accounted for, or the exit code is 1.
#
#   sudo PYTHON=.venv/bin/python deploy/rehearse.sh          (Linux; some minutes; see docs/rehearsal.md)
set -euo pipefail
cd "$(dirname "$0")/.."
PROJECT=$PWD
PYTHON=$(realpath -s "${PYTHON:-.venv/bin/python}")
TRIALS=${TRIALS:-12} STEPS=${STEPS:-1200}
HOSTS=4 VICTIM=3

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $*"; exit 1; }

needs() {
  [ "$(id -u)" = 0 ] || { echo "rehearse.sh makes network and process namespaces: run it as root" >&2; exit 2; }
  local missing=()
  for pair in /usr/sbin/sshd:openssh-server ssh:openssh-client rsync:rsync ip:iproute2 unshare:util-linux pgrep:procps; do
    command -v "${pair%%:*}" > /dev/null || missing+=("${pair##*:}")
  done
  [ ${#missing[@]} = 0 ] || { echo "rehearse.sh needs: apt-get install ${missing[*]}" >&2; exit 2; }
  "$PYTHON" -c 'import ray, yaml' || { echo "PYTHON=$PYTHON has no Ray: see README.md" >&2; exit 2; }
}
needs

export REHEARSAL KEEP RAY_TMPDIR
REHEARSAL=$(mktemp -d /var/tmp/rehearsal-XXXXXX)
VENV=$(dirname "$(dirname "$PYTHON")")
BASE=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
KEEP="$VENV $BASE"
mkdir -p "$REHEARSAL/own" "$REHEARSAL/launcher"
RAY_TMPDIR=$REHEARSAL/launcher # the launcher's own state stays apart from other clusters'
export HOME=$REHEARSAL/launcher RAY_AUTH_MODE=token RAY_UP_enable_autoscaler_v2=0 RAY_USAGE_STATS_ENABLED=0 TERM=dumb
export PATH=$VENV/bin:$PATH PYTHONPATH=$PROJECT PYTHONDONTWRITEBYTECODE=1
trap 'code=$?; bash "$PROJECT/deploy/hosts.sh" down; [ $code = 0 ] && rm -rf "$REHEARSAL" || echo "logs: $REHEARSAL"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cat > "$REHEARSAL/own/profile" << X
export PATH=$VENV/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 PYTHONPATH=\$HOME/tuner
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 TUNER_CACHE=/mnt/shared/cache
X
mkdir -p "$HOME/.ray"
"$PYTHON" -c 'import secrets; print(secrets.token_hex(32), end="")' > "$HOME/.ray/auth_token"
chmod 600 "$HOME/.ray/auth_token"

say "making $HOSTS hosts"
bash deploy/hosts.sh up "$HOSTS"

# The very file of deploy/, with this cluster's addresses; the packages are there already, so nothing is installed.
"$PYTHON" - "$HOSTS" > "$REHEARSAL/cluster.yaml" << 'X'
import os, sys, yaml
cluster = yaml.safe_load(open("deploy/on_premises.yaml"))
addresses = [f"10.97.5.{10 + i}" for i in range(1, int(sys.argv[1]) + 1)]
cluster["provider"].update(head_ip=addresses[0], worker_ips=addresses[1:])
cluster["auth"] = {"ssh_user": "root", "ssh_private_key": os.environ["REHEARSAL"] + "/own/key"}
cluster["file_mounts"] = {"~/tuner": os.getcwd(), "~/.ray/auth_token": os.environ["HOME"] + "/.ray/auth_token"}
cluster["setup_commands"] = []
for commands in (cluster["head_start_ray_commands"], cluster["worker_start_ray_commands"]):
    commands[-1] = commands[-1].replace("/shared", "/mnt/shared")
start = cluster["worker_start_ray_commands"]
start[-1] = start[-1].replace("ray start", "ray start --num-cpus=1")
print(yaml.safe_dump(cluster))
X

on() { # a command on host I
  local i=$1; shift
  ssh -q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i "$REHEARSAL/own/key" "root@10.97.5.$((10 + i))" \
    "bash --login -c $(printf %q "cd; $*")"
}

say "ray up"
ray up -y --no-config-cache "$REHEARSAL/cluster.yaml" > "$REHEARSAL/up.log" 2>&1 || { tail -20 "$REHEARSAL/up.log"; fail "ray up"; }
ALIVE='import ray; ray.init("auto", logging_level="ERROR"); print(sum(n["Alive"] for n in ray.nodes()))'
for _ in $(seq 30); do
  NODES=$(on 1 "python -c '$ALIVE' 2>/dev/null" || echo 0)
  [ "$NODES" = "$HOSTS" ] && break
  sleep 3
done
[ "$NODES" = "$HOSTS" ] || fail "$NODES of $HOSTS nodes came"
say "$NODES nodes are alive"
on 1 "RAY_AUTH_MODE=disabled timeout 60 python -c '$ALIVE' > /dev/null 2>&1" && fail "the cluster let in a driver without the token"
say "a driver without the token is turned away"

RUN="python -m tuner.run --space parameter_golf --scale proxy --trials $TRIALS --seed 0 --no-audit --no-confirm --address auto --name rehearsal"
RUN="$RUN --set budget.steps=$STEPS --set model.num_layers=2 --set model.encoder_layers=1 --set model.model_dim=32"
RUN="$RUN --set data.vocab_size=300 --set data.seq_len=64 --set data.batch_tokens=512 --set evaluation.tokens=2048"
RUN="$RUN --set evaluation.seq_len=64 --stopper none" # so that host 3's trial does not end as it is cut off
say "a folder that the workers cannot see:"
code=0; on 1 "cd tuner && $RUN --results /tmp/runs" > "$REHEARSAL/unseen.log" 2>&1 || code=$?
tail -1 "$REHEARSAL/unseen.log"
[ "$code" = 2 ] || fail "exit code $code, not 2"

say "the campaign, on the shared folder"
CAMPAIGN=$REHEARSAL/shared/runs/rehearsal
on 1 "cd tuner && $RUN --results /mnt/shared/runs" > "$REHEARSAL/campaign.log" 2>&1 &
DRIVER=$!
export CAMPAIGN VICTIM TRIALS
facts() { "$PYTHON" - "$1" << 'X'
import os, sys
import pandas
trials = pandas.read_parquet(os.environ["CAMPAIGN"] + "/trials")
hosts = trials["worker"].dropna().str.partition(":")[0]
if sys.argv[1] == "ready":  # every worker has trained, and the victim trains now
    now = hosts[trials["status"] == "running"]
    sys.exit(hosts.nunique() < 3 or f"host{os.environ['VICTIM']}" not in set(now))
ended = trials["status"].isin(["completed", "stopped", "diverged", "plateaued"])
print("trials by host that ended them:", hosts[ended].value_counts().to_dict())
print("trials by status:", trials["status"].value_counts().to_dict())
again = trials[trials["attempt"] > 1]
print("tried again:", "; ".join(f"trial {r.number} {r.status} as attempt {r.attempt} on {r.worker}" for r in again.itertuples()))
whole = ended.all() and len(trials) == int(os.environ["TRIALS"]) and trials["key"].is_unique and len(again) > 0
sys.exit(not whole)
X
}
for _ in $(seq 200); do
  kill -0 "$DRIVER" 2>/dev/null || { cat "$REHEARSAL/campaign.log"; fail "the campaign ended before a host was cut off"; }
  facts ready 2>/dev/null && break
  sleep 3
done
facts ready || fail "no trial ran on host $VICTIM"
on 1 "python -m tuner.status /mnt/shared/runs/rehearsal"
say "cutting off host $VICTIM, which trains"
bash deploy/hosts.sh cut "$VICTIM"
code=0; wait "$DRIVER" || code=$?
grep -v '^ \|^$' "$REHEARSAL/campaign.log"
[ "$code" = 0 ] || fail "the campaign ended with exit code $code"
facts account || fail "not every trial is accounted for"
on 1 "python -m tuner.status /mnt/shared/runs/rehearsal"

rays() { on "$1" "ps -eo args= | grep -c '[r]ay[:/]' || true"; } # its servers, agents and workers; not this command
before=$(rays 2)
[ "$before" -gt 0 ] || fail "no Ray process is seen on host 2, where trials ran"

say "ray down"
ray down -y "$REHEARSAL/cluster.yaml" > "$REHEARSAL/down.log" 2>&1 || { tail "$REHEARSAL/down.log"; fail "ray down"; }
left=0
for i in $(seq "$HOSTS"); do
  [ "$i" = "$VICTIM" ] && continue
  [ "$i" = 1 ] || on "$i" "ray stop > /dev/null 2>&1" # `ray down` forgets the workers of a local provider
  for _ in $(seq 20); do count=$(rays "$i"); [ "$count" = 0 ] && break; sleep 1; done
  left=$((left + count))
done
[ "$left" = 0 ] || fail "$left Ray processes are left"
say "$before Ray processes ran on host 2; none is left on any host: rehearsal passed"
