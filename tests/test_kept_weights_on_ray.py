"""Kept weights of a whole campaign on Ray: its driver is killed, it is resumed, exported, and scored again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from results import load
from results.store.statuses import ENDED
from tests.small_campaign import SET_SMALL, workplace_on_ray
from trainable.worker import kept_weights

pytestmark = pytest.mark.slow
TRIALS = 8


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    return workplace_on_ray(tmp_path, monkeypatch)


def start(workplace: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tuner.run", *arguments, "--results", "runs", "--concurrent", "2"]
    with (workplace / "log").open("w") as log:
        return subprocess.Popen(command, cwd=workplace, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def kept(folder: Path) -> dict[str, str]:
    """Key -> path, by the rows; each file is there, and there are no others."""
    rows = load(folder).rows
    named = {row["key"]: row["weights"] for row in rows.to_dict("records") if isinstance(row["weights"], str)}
    files = {str(path.relative_to(folder)) for path in (folder / kept_weights.FOLDER).rglob("*.safetensors")}
    assert files == set(named.values())
    return named


def test_after_a_kill_the_winner_and_the_base_are_kept_once_and_score_the_same_when_exported(workplace) -> None:
    folder = workplace / "runs" / "night"
    asked = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--data", "text", "--stopper", "none"]
    settings = [text.replace("budget.steps=12", "budget.steps=60") for text in SET_SMALL]
    small = [*settings, "--trials", str(TRIALS), "--confirm", "2x2"]
    process = start(workplace, *asked, *small, "--name", "night")
    try:
        deadline = time.monotonic() + 480
        while not folder.is_dir() or not (folder / "campaign.json").exists() or _ended(folder) < 3:
            assert process.poll() is None and time.monotonic() < deadline, (workplace / "log").read_text()
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    assert _ended(folder) < TRIALS, "it was killed on its way"
    done = load(folder).rows.set_index("key").loc[lambda rows: rows["status"].isin(ENDED), ["attempt", "value"]]

    process = start(workplace, "--resume", "night")
    try:
        assert process.wait(timeout=480) == 0, (workplace / "log").read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    rows = load(folder).rows.set_index("key")
    assert rows.loc[done.index, ["attempt", "value"]].equals(done), "nothing was trained twice"
    (won,) = load(folder).winner().to_dict("records")
    bases = set(load(folder).trials.query("is_base")["key"])
    best = load(folder).trials.query("not is_base").sort_values("value").iloc[0]["key"]
    assert set(kept(folder)) == {*bases, best if won["key"] in bases else won["key"]}

    command = [sys.executable, "-m", "tuner.export", "runs/night", "--to", "handed_in"]
    done_export = subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=300)
    assert done_export.returncode == 0, done_export.stderr
    facts = json.loads((workplace / "handed_in" / "export.json").read_text())
    assert facts["trial"] == won["trial"] and facts["scored_again"] == facts["scored_in_the_search"]
    assert facts["scored_again"]["val_bpb"] == won["value"]


def _ended(folder: Path) -> int:
    return int(load(folder).rows["status"].isin(ENDED).sum())
