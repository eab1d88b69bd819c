#!/usr/bin/env bash
# Installs this checkout, with the versions of constraints.txt, on a node: `setup_node.sh [VENV]`, by default into ~/venv.
#
# The interpreter is the first that is to be had: one of the supported range that is here, the distribution's own by apt-get
# (Ubuntu 24.04 has 3.12, Debian 12 has 3.11), or one that uv brings (Ubuntu 22.04 has only 3.10). Ray wants the very same on all
# nodes: where their systems differ, INTERPRETER=uv brings one release everywhere. TUNER_CACHE, if set, holds for everything
# that runs on the node later. Can be run again; ends in one line if it cannot.
set -euo pipefail
VENV=${1:-$HOME/venv}
SUPPORTED='3.13 3.12 3.11'          # of pyproject.toml
EXTRAS=${EXTRAS:-cluster}           # of pyproject.toml; a head that starts machines needs aws or gcp too
INTERPRETER=${INTERPRETER:-any}     # or uv
UV=0.13.9                           # from PyPI, where nothing else brings an interpreter
CHECKOUT=$(cd "$(dirname "$0")/.." && pwd)

fail() { echo "setup_node.sh: $*" >&2; exit 1; }
log=$(mktemp)
work=$(mktemp -d)
trap 'rm -rf "$log" "$work"' EXIT

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null; }
makes() { "$1" -m venv --clear "$VENV" > "$log" 2>&1; } # Debian's interpreters may lack what this needs

here() { # an interpreter of this machine
  local wanted name
  for wanted in $SUPPORTED; do
    for name in "python$wanted" python3; do
      [ "$(version "$name")" = "$wanted" ] && makes "$name" && return
    done
  done
  return 1
}

distribution() { # the distribution's own, if it is of the range
  command -v apt-get > /dev/null || return 1
  local sudo='' package
  [ "$(id -u)" = 0 ] || sudo='sudo -n'
  $sudo true 2> /dev/null || return 1
  $sudo apt-get update > "$log" 2>&1 || return 1
  for package in $SUPPORTED; do
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y "python$package-venv" > "$log" 2>&1 && here && return
  done
  return 1
}

by_uv() { # an interpreter from GitHub, by a tool from PyPI
  local tool=uv
  if [ "$INTERPRETER" = uv ] || ! command -v uv > /dev/null; then # each release of uv knows one of each Python
    python3 -m pip install --quiet --target "$work" "uv==$UV" > "$log" 2>&1 || return 1
    tool=$work/bin/uv
  fi
  "$tool" venv --quiet --clear --seed --managed-python --python 3.12 "$VENV" > "$log" 2>&1
}

usable() { case " $SUPPORTED " in *" $(version "$VENV/bin/python") "*) "$VENV/bin/python" -m pip --version > /dev/null 2>&1 ;; *) false ;; esac; }
found() { [ "$INTERPRETER" = any ] && { here || distribution; }; }
usable || found || by_uv ||
  fail "no Python of $SUPPORTED is here, nor could apt-get or uv bring one: $(tail -n 1 "$log")"
usable || fail "$VENV/bin/python is no Python of $SUPPORTED with pip"

pip() { "$VENV/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install --constraint "$CHECKOUT/constraints.txt" --editable "${CHECKOUT}[$EXTRAS]"

profile=$HOME/.bashrc # read by `ray exec`, `ray start` and a person
touch "$profile"
sed -i '/# by setup_node.sh$/d' "$profile"
echo "export PATH=$VENV/bin:\$PATH RAY_AUTH_MODE=token ${TUNER_CACHE:+TUNER_CACHE=$TUNER_CACHE} # by setup_node.sh" >> "$profile"
"$VENV/bin/python" "$CHECKOUT/deploy/check_gpu.py"
echo "setup_node.sh: $("$VENV/bin/python" --version) in $VENV"
