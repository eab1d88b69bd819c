"""Autoscaling by demand, with a provider that plays a cloud: deploy/rehearse_autoscaling.py in small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_workers_come_because_trials_wait_and_are_given_back() -> None:
    # Trials as long as a worker's start on a busy machine: shorter ones may all end in the worker that came first.
    command = [sys.executable, "deploy/rehearse_autoscaling.py", "--trials", "6", "--steps", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0 and done.stdout.endswith("rehearsal passed\n"), done.stdout + done.stderr
