#!/usr/bin/env bash
# A rehearsal of the Dockerfile without a container runtime: its steps, as they stand there, in a clean root made by debootstrap.
#
#   sudo deploy/rehearse_image.sh FOLDER [NAME=VALUE ...]      (Debian or Ubuntu, root, debootstrap; build arguments; some minutes)
#
# FOLDER is made, and kept. Then, as the image's user: a dry run, and a campaign of two trials. BIND names folders and files of
# this machine that the steps may read, such as pip's settings and what those name; PIP_* of the environment holds there too.
# MIRROR may name a mirror of Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=${1:?an empty folder}
shift
fail() { echo "rehearse_image.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "chroot needs root"
command -v debootstrap > /dev/null || fail "apt-get install debootstrap"
[ -e "$ROOT/etc" ] || debootstrap --variant=minbase bookworm "$ROOT" ${MIRROR:+"$MIRROR"} > "$ROOT.log" 2>&1 || fail "debootstrap: $ROOT.log"
ROOT=$(realpath "$ROOT")

mounted=()
release() { for place in "${mounted[@]}"; do umount "$place"; done; }
trap release EXIT
bind() { # SOURCE, at the same place of the root
  if [ -d "$1" ]; then mkdir -p "$ROOT$1"; else mkdir -p "$(dirname "$ROOT$1")" && touch "$ROOT$1"; fi
  mount --bind -o ro "$1" "$ROOT$1"
  mounted=("$ROOT$1" "${mounted[@]}")
}
mount -t proc proc "$ROOT/proc" && mounted=("$ROOT/proc")
mkdir -p "$ROOT/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/dev/shm" && mounted=("$ROOT/dev/shm" "${mounted[@]}")
for place in /etc/resolv.conf ${BIND:-}; do bind "$place"; done

python3 deploy/dockerfile_steps.py Dockerfile "$@" > "$ROOT/steps.sh"
mkdir -p "$ROOT/context"
python3 deploy/dockerfile_steps.py --context . | tar --create --files-from - | tar --extract --no-same-owner --directory "$ROOT/context"
mapfile -t pip < <(env | grep '^PIP_' || true)
SECONDS=0
chroot "$ROOT" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  "${pip[@]}" /bin/bash -e /steps.sh > "$ROOT.log" 2>&1 || { tail -n 20 "$ROOT.log"; fail "a step failed: $ROOT.log"; }
echo "[$SECONDS s] every step of the Dockerfile ran; /opt/venv: $(du -sm "$ROOT/opt/venv" | cut -f1) MB"

inside() { # as the image's user, in its environment
  chroot --userspec=1000:1000 "$ROOT" /usr/bin/env -i HOME=/home/tuner /bin/bash -c '. /environment.sh; cd /home/tuner; exec "$@"' inside "$@"
}
QUESTION=(python -m tuner.run --space parameter_golf --scale proxy --trials 2 --no-confirm --no-audit --set budget.steps=20)
inside "${QUESTION[@]}" --dry-run
inside "${QUESTION[@]}" --concurrent 1 --name image
inside python -m tuner.status results/runs/image
[ "$(inside id -u)" = 1000 ] || fail "the user is not 1000"
for command in ray wget ps; do inside "$command" --version > /dev/null || fail "there is no $command in the image"; done
echo "[$SECONDS s] rehearsal passed"
