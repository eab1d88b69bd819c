"""Promotion with real Ray: a stopped trial goes on from its checkpoint on another worker, and ends as it would have."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import tuner
from results.stopping import stopping_line
from tests.small_campaign import SMALL
from tuner import early_stopping
from tuner.early_stopping import Predictive, Promise, Stop

pytestmark = pytest.mark.slow
RUNG = 24.0  # of 48 steps


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    draw, words = random.Random(0), ["the", "cat", "sat", "on", "a", "mat", "and", "then", "it", "ran", "far", "away"]
    (tmp_path / "text").mkdir()
    for number in range(40):
        (tmp_path / "text" / f"{number:02}.txt").write_text(" ".join(draw.choice(words) for _ in range(400)) + ".\n")
    for name, value in {"TUNER_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_ends_as_if_it_had_never_been_stopped(workplace, monkeypatch) -> None:
    asked = {
        "scale": "proxy", "overrides": {**SMALL, "budget.steps": 48, "data.vocab_size": 280}, "data": "text",
        "trials": 4, "confirm": False, "audit": False, "concurrent": 1, "seed": 5, "results": "runs", "display": False,
    }  # fmt: skip
    whole = tuner.search("parameter_golf", stopper="none", name="whole", **asked).trials.set_index("key")
    stopped: list[str] = []

    def judge(self: Predictive, key: str, rung: float, value: float) -> Stop | None:
        """Stop the first trial that may be, at its second rung."""
        self.record(key, rung, value)
        if rung != RUNG or stopped or key == base:
            return None
        stopped.append(key)
        return Stop(rung, value, value)

    def promise(self: Predictive, key: str, rung: float) -> Promise | None:
        return Promise(rung, 0.5, 4, self.pairs(rung)) if len(self.ends) >= 3 else None

    (base,) = whole.index[whole["is_base"]]
    monkeypatch.setattr(early_stopping.Predictive, "judge", judge)
    monkeypatch.setattr(early_stopping.Predictive, "promise", promise)
    campaign = tuner.search("parameter_golf", name="again", **asked)
    again = campaign.trials.set_index("key")
    (key,) = stopped
    row = again.loc[key]
    (stop,) = json.loads(row["promotions"])
    assert (row["status"], row["attempt"], row["steps"]) == ("completed", 2, 48) and not isinstance(row["note"], str)
    assert stop["rung"] == RUNG and stop["why"].startswith("rung 24 orders the ends over 3 finished trials now: ")
    assert row["value"] == whole.loc[key, "value"], "bit for bit"
    reports = campaign.reports[campaign.reports["key"] == key]
    assert list(reports["milestone"]) == [12.0, 24.0, 48.0]
    assert not list(Path("runs/again/checkpoints").glob("*"))
    assert "1 stopped trial went on again: 1 completed" in stopping_line(campaign.read())
