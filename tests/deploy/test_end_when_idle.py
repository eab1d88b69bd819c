"""deploy/end_when_idle.sh with a stand-in for shutdown: when a cloud machine ends by itself, and when it must not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "end_when_idle.sh"
HOUR = 3600
RUNNING = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
print(flush=True)
time.sleep(600)
"""

ONLY_OURS = """
mapfile -t pids < <(/usr/bin/pgrep "$@")
for pid in "${pids[@]}"; do if grep -qx "$pid" "$DRIVERS"; then DO; found=yes; fi; done
[ -n "$found" ]
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="for machines of a cloud")


class Machine:
    """A machine that has been up and idle for given times."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "state" / "busy").touch()
        self.up(9 * HOUR)

    def up(self, seconds: int) -> None:
        (self.folder / "uptime").write_text(f"{seconds}.12 0.00\n")

    def idle(self, seconds: int) -> None:
        since = time.time() - seconds
        os.utime(self.folder / "state" / "busy", (since, since))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Of the machine's processes the script may see and end only what this test has started.
        commands = self.folder / "bin"
        given = {
            "PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(self.folder),
            "DRIVERS": str(self.folder / "drivers"), "IDLE_STATE": str(self.folder / "state"),
            "IDLE_UPTIME": str(self.folder / "uptime"),
            "IDLE_END": f"touch {self.folder / 'ended'}",
        }  # fmt: skip
        return subprocess.run(["bash", str(SCRIPT), *arguments], env=given, capture_output=True, text=True)

    @property
    def ended(self) -> bool:
        return (self.folder / "ended").exists()


@pytest.fixture
def machine(tmp_path: Path, stand_in) -> Machine:
    crontab = """
        if [ "$1" = -l ]; then cat "$HOME/crontab" 2>/dev/null; exit; fi
        cat > "$HOME/new"; mv "$HOME/new" "$HOME/crontab"
    """
    pgrep, pkill = ONLY_OURS.replace("DO", 'echo "$pid"'), "shift; " + ONLY_OURS.replace("DO", 'kill -TERM "$pid"')
    stand_in(tmp_path / "bin", pgrep=pgrep, pkill=pkill, crontab=crontab)
    (tmp_path / "drivers").touch()
    return Machine(tmp_path)


@pytest.fixture
def driver(machine) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose command line is a driver's."""
    command = [sys.executable, "-c", RUNNING, "-m", "tuner.run", "--space", "parameter_golf"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()  # it takes signals now
    (machine.folder / "drivers").write_text(f"{running.pid}\n")
    yield running
    running.kill()
    running.wait()
    running.stdout.close()


def test_a_head_ends_after_hours_without_a_driver(machine) -> None:
    machine.idle(3 * HOUR)
    done = machine.run("look", "head", "180")
    assert machine.ended and "nothing has run for 180 minutes" in done.stdout


def test_a_head_stays_until_the_time_is_over(machine) -> None:
    machine.idle(3 * HOUR - 120)
    assert machine.run("look", "head", "180").returncode == 0
    assert not machine.ended


def test_a_head_with_a_driver_stays_and_begins_to_count_anew(machine, driver) -> None:
    machine.idle(30 * HOUR)
    machine.run("look", "head", "180")
    driver.kill()
    driver.wait()
    machine.run("look", "head", "180")
    assert not machine.ended


def test_a_machine_that_has_just_booted_has_not_been_idle(machine) -> None:
    machine.idle(30 * HOUR)
    machine.up(60)
    machine.run("look", "head", "180")
    assert not machine.ended


def test_a_head_at_the_end_of_its_hours_asks_for_checkpoints_gives_its_workers_back_and_ends(
    machine, driver, stand_in
) -> None:
    (machine.folder / "ray_bootstrap_config.yaml").touch()
    stand_in(
        machine.folder / "venv" / "bin",
        ray=f'echo "ray $*" >> {machine.folder}/calls; test ! -e {machine.folder}/ended',
    )
    machine.up(47 * HOUR)
    machine.run("look", "head", "180", "48")
    assert not machine.ended and driver.poll() is None
    machine.up(48 * HOUR)
    machine.run("look", "head", "180", "48")
    assert machine.ended and driver.wait(timeout=60) == 130
    config = machine.folder / "ray_bootstrap_config.yaml"
    assert (machine.folder / "calls").read_text() == f"ray down --yes --workers-only {config}\n"


def test_a_worker_ends_without_ray_and_is_not_kept_by_a_driver(machine, driver) -> None:
    machine.idle(HOUR)
    machine.run("look", "worker", "30")
    assert machine.ended


def test_cron_looks_once_however_often_it_is_installed(machine) -> None:
    (machine.folder / "crontab").write_text("0 0 * * * mine\n")
    machine.run("install", "head", "180", "48")
    machine.run("install", "head", "60")
    mine, ours = (machine.folder / "crontab").read_text().splitlines()
    assert mine == "0 0 * * * mine"
    assert ours.startswith(f"*/5 * * * * bash {SCRIPT} look head 60 ")


@pytest.mark.parametrize(
    "given",
    [(), ("look",), ("look", "heads", "3"), ("look", "head", "0"), ("look", "head", "3", "x"), ("go", "head", "3")],
)
def test_a_call_that_is_not_understood_ends_nothing(machine, given) -> None:
    machine.idle(30 * HOUR)
    assert machine.run(*given).returncode == 2
    assert not machine.ended
