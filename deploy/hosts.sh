#!/usr/bin/env bash
# Hosts for a rehearsal, on this machine: `hosts.sh up N`, `hosts.sh cut I` (power loss of host I), `hosts.sh down`.
#
# A host is a network, mount, process, name and IPC namespace with sshd on 10.97.5.(10+I), its own /tmp, home and /dev/shm,
# and /mnt/shared, which all hosts share. Processes in it see no others: `ray stop` there stops nothing here.
# Needs root. REHEARSAL names an empty folder for keys, logs and the shared folder; KEEP lists folders that stay visible.
set -euo pipefail
REHEARSAL=${REHEARSAL:?an empty folder}
KEEP=${KEEP:-}
NET=10.97.5 BRIDGE=rehearsal0

address() { echo "$NET.$((10 + $1))"; }

bridge() {
  ip link add "$BRIDGE" type bridge
  ip addr add "$NET.1/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

plug() { # host I into the bridge
  local name=rehearsal-$1
  ip netns add "$name"
  ip link add "reh$1" type veth peer name eth0 netns "$name"
  ip link set "reh$1" master "$BRIDGE" up
  ip -n "$name" addr add "$(address "$1")/24" dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" link set lo up
  ip -n "$name" route add default via "$NET.1" # Ray finds its own address by looking which way it would go out
}

inside() { # runs as process 1 of host I; what is private hides the machine's own, what is kept is put back
  hostname "host$1"
  mount -t tmpfs tmpfs /mnt
  mkdir /mnt/shared /mnt/kept /mnt/own
  mount --bind "$REHEARSAL/shared" /mnt/shared
  mount --bind "$REHEARSAL/own" /mnt/own
  local n=0 path
  for path in $KEEP; do n=$((n + 1)); mkdir "/mnt/kept/$n"; mount --bind "$path" "/mnt/kept/$n"; done
  for path in /tmp /root /home /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs "$path"; done
  n=0
  for path in $KEEP; do n=$((n + 1)); mkdir -p "$path"; mount --bind "/mnt/kept/$n" "$path"; done
  chmod 700 /root
  mkdir -p /root/.ssh /run/sshd
  cp /mnt/own/key.pub /root/.ssh/authorized_keys
  cp /mnt/own/profile /root/.bashrc
  cp /mnt/own/profile /root/.profile
  cp /mnt/own/hostkey /root/.hostkey
  chmod 600 /root/.hostkey /root/.ssh/authorized_keys
  /usr/sbin/sshd -D -e -f /dev/null -o HostKey=/root/.hostkey -o PidFile=none -o UsePAM=no -o StrictModes=no \
    -o PermitRootLogin=prohibit-password -o MaxSessions=100 -o MaxStartups=100 &
  while :; do wait -n || sleep 1; done # also reaps what others leave behind
}

up() {
  mkdir -p "$REHEARSAL/shared" "$REHEARSAL/own"
  ssh-keygen -q -t ed25519 -N '' -f "$REHEARSAL/own/key"
  ssh-keygen -q -t ed25519 -N '' -f "$REHEARSAL/own/hostkey"
  bridge
  for i in $(seq "$1"); do
    plug "$i"
    setsid ip netns exec "rehearsal-$i" unshare --mount --pid --uts --ipc --fork --mount-proc --propagation private \
      bash "$0" inside "$i" > "$REHEARSAL/host$i.log" 2>&1 &
    echo $! > "$REHEARSAL/host$i.pid"
  done
  for i in $(seq "$1"); do
    for _ in $(seq 50); do (: < "/dev/tcp/$(address "$i")/22") 2>/dev/null && continue 2; sleep 0.2; done
    echo "host $i does not answer: $(tail -1 "$REHEARSAL/host$i.log")" >&2
    return 1
  done
}

cut() { # no last word: the network goes first, then everything that runs
  ip link set "reh$1" down
  end "$1"
}

end() { # process 1 of a namespace takes all others with it
  local outer first
  outer=$(cat "$REHEARSAL/host$1.pid")
  first=$(pgrep -P "$outer" || true)
  [ -z "$first" ] || kill -9 "$first"
}

down() {
  local file i
  for file in "$REHEARSAL"/host*.pid; do
    [ -e "$file" ] || continue
    i=$(basename "$file" .pid); i=${i#host}
    end "$i" || true
    ip netns del "rehearsal-$i" 2>/dev/null || true
    ip link del "reh$i" 2>/dev/null || true
    rm -f "$file"
  done
  ip link del "$BRIDGE" 2>/dev/null || true
}

case "${1:-}" in
  up) up "${2:?how many}" ;;
  cut) cut "${2:?which}" ;;
  down) down ;;
  inside) inside "$2" ;;
  *) sed -n 2,6p "$0"; exit 2 ;;
esac
