"""The example of a user's own training loop, with Ray: searched on two workers, confirmed, and gone on with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_train.py"
SMALLER = {"trials=12": "trials=5, concurrent=2", 'confirm="2x2..4"': 'confirm="1x2"', "steps=400": "steps=80"}


def run(folder: Path, changes: dict[str, str]) -> str:
    """Run the example with some of its text changed; returns what it prints."""
    text = EXAMPLE.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    script = folder / "own_train.py"
    script.write_text(text)
    variables = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    done = subprocess.run([sys.executable, script], cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_a_loop_that_knows_nothing_of_us_is_searched_on_two_workers(tmp_path) -> None:
    out = run(tmp_path, SMALLER)
    folder = tmp_path / "results" / "runs" / "spirals"
    trials = pd.read_parquet(folder / "trials")
    searched = trials[trials["stage"] == "search"]
    assert len(searched) == 5 and set(searched["status"]) <= {"completed", "stopped"}
    assert set(trials.loc[trials["stage"] == "confirm", "seed"]) == {1338, 1339} and len(trials) == 9
    assert trials["worker"].nunique() == len(trials), "a process for each trial"
    spans = trials[["started_at", "ended_at"]].sort_values("started_at")
    assert (spans["started_at"].shift(-1) < spans["ended_at"]).any(), "two at a time"
    assert "Confirmed on fresh seeds" in out and "<Best: trial " in out
    run(tmp_path, SMALLER | {"trials=12": "trials=6, concurrent=2"})
    again = pd.read_parquet(folder / "trials").set_index("key")
    assert (again["stage"] == "search").sum() == 6
    assert (again.loc[searched["key"], "attempt"] == 1).all(), "finished trials are never run again"


@pytest.mark.slow
def test_a_crash_keeps_the_functions_own_traceback(tmp_path) -> None:
    fails = {"    torch.manual_seed(config": "    raise RuntimeError('no spirals today')\n    torch.manual_seed(config"}
    crash = {"trials=12": "trials=1, concurrent=1", 'confirm="2x2..4"': "confirm=False"}
    out = run(tmp_path, fails | crash)
    assert "trial 0 (base) crashed: RuntimeError: no spirals today" in out
    (error,) = (tmp_path / "results" / "runs" / "spirals" / "errors").glob("*.txt")
    assert "in train\n" in error.read_text() and "own_train.py" in error.read_text()
