#!/usr/bin/env bash
# Ends a cloud machine that has nothing to do. Cron looks every five minutes, also after a reboot:
#
#   end_when_idle.sh install head 180 48   after 180 minutes without a driver; and 48 hours after its boot in any case, when
#                                          drivers are asked for checkpoints first and workers are given back
#   end_when_idle.sh install worker 30     after 30 minutes without Ray: one whose head has died is given back by nobody else
#
# `end_when_idle.sh look ROLE MINUTES [HOURS]` is what cron runs; its lines go to ~/end_when_idle.log.
# Where the machine's own shutdown only stops it (Google Cloud), its disk goes on costing until `ray down`.
set -euo pipefail
STATE=${IDLE_STATE:-$HOME/.end_when_idle}
END=${IDLE_END:-sudo -n shutdown -h now}
UPTIME=${IDLE_UPTIME:-/proc/uptime}
PATIENCE_SECONDS=${IDLE_PATIENCE_SECONDS:-600} # for the last checkpoints
BOOTSTRAP=$HOME/ray_bootstrap_config.yaml      # by which the head's autoscaler knows its cluster

usage() { sed -n '4,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
say() { echo "$(date -u +%FT%TZ) $*"; }

role=${2:-} minutes=${3:-} hours=${4:-}
case $role in
  head) busy='-m tuner\.run( |$)' ;;
  worker) busy='/raylet/raylet( |$)' ;;
  *) usage ;;
esac
[[ $minutes =~ ^[1-9][0-9]*$ && $hours =~ ^([1-9][0-9]*)?$ ]] || usage

install() {
  local script line
  script=$(realpath "$0")
  mkdir -p "$STATE"
  touch "$STATE/busy"
  line="*/5 * * * * bash $script look $role $minutes $hours >> $HOME/end_when_idle.log 2>&1"
  { crontab -l 2> /dev/null | grep -vF end_when_idle.sh || true; echo "$line"; } | crontab -
}

look() {
  exec 9> "$STATE/lock"
  flock -n 9 || exit 0 # the look before is still ending the machine
  local up idle
  up=$(cut -d. -f1 "$UPTIME")
  if [ -n "$hours" ] && [ "$up" -ge $((hours * 3600)) ]; then
    say "up for $hours hours: ending the machine"
    stop_drivers
    end
  elif pgrep -f -- "$busy" > /dev/null; then
    touch "$STATE/busy"
  else
    idle=$(($(date +%s) - $(stat -c %Y "$STATE/busy")))
    [ "$up" -ge "$idle" ] || idle=$up # a machine that has just booted has not been idle
    [ "$idle" -lt $((minutes * 60)) ] || { say "nothing has run for $minutes minutes: ending the machine"; end; }
  fi
}

stop_drivers() {
  pkill -TERM -f -- "$busy" || return 0 # each asks its trials for checkpoints
  local waited=0
  while pgrep -f -- "$busy" > /dev/null && [ "$waited" -lt "$PATIENCE_SECONDS" ]; do sleep 1; waited=$((waited + 1)); done
}

end() {
  if [ "$role" = head ] && [ -e "$BOOTSTRAP" ]; then # without a head nobody would give its workers back
    timeout 900 "$HOME/venv/bin/ray" down --yes --workers-only "$BOOTSTRAP" || say "ray down: exit code $?"
  fi
  $END
}

case ${1:-} in
  install) install ;;
  look) look ;;
  *) usage ;;
esac
