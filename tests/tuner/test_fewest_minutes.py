"""The fewest minutes to a score: minutes are minimised, and a trial that misses the score does not count."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from search_spaces.constraints import parse_all
from trainable.component_json import decode
from tuner.proposals.reuse import Library

SCORE = "val_bpb<=2.2"


def quick(config) -> float:
    """Minutes that a trial takes as a part of the usual: the higher the rate, the fewer."""
    return 1 / (1 + config.optimizer.matrix_lr)


def score(config, milestone: float) -> float:
    return 2.0 + abs(math.log10(config.optimizer.matrix_lr / 0.05))


@pytest.fixture
def asked(make_bench, toy_space, play):
    """Plays a search for the fewest minutes, and gives its bench and its search."""

    def run(name: str, **settings):
        space = dataclasses.replace(toy_space, objective="train_minutes", constraints=parse_all([SCORE]))
        bench = make_bench(name, space)
        search = bench.search(trials=16, stopper="none", **settings)
        tune = play(search, curve=score)
        original = tune._train

        def train(request):
            config = decode(json.loads(request.config))
            for result in original(request):
                yield result | {"train_minutes": result["train_minutes"] * quick(config)}

        tune._train = train
        tune.run()
        return bench, search

    return run


def test_the_best_is_the_quickest_of_those_that_reach_the_score(asked) -> None:
    bench, search = asked("quick")
    rows = [row for row in bench.rows() if row["attempt"]]
    assert search.stopper.milestones == [], "minutes are known when a run has ended"
    reached = {row["key"]: row["train_minutes"] for row in rows if row["val_bpb"] <= 2.2}
    assert {row["status"] for row in rows} == {"completed", "infeasible"}
    assert {row["key"] for row in rows if row["status"] == "completed"} == reached.keys()
    assert all(row["value"] == row["train_minutes"] for row in rows if row["status"] == "completed")
    assert all(row["reason"].endswith(f"> 2.2 ({SCORE})") for row in rows if row["status"] == "infeasible")
    best = search.ledger.best()
    assert best is not None and best.value == min(reached.values())
    assert min(row["train_minutes"] for row in rows) < best.value, "a quicker one missed the score"


def test_a_trial_whose_minutes_nobody_wrote_down_is_trained_anew(asked) -> None:
    first, _ = asked("first")
    old = first.store()
    base = next(row for row in old.trials() if row["is_base"])
    old.write_trial(base | {"train_minutes": None})
    again, _ = asked("again", library=Library([first.folder]))
    rows = {row["key"]: row for row in again.rows()}
    assert rows[base["key"]]["reused_from"] is None and rows[base["key"]]["train_minutes"] > 0
    assert any(row["reused_from"] == "first" and row["value"] == row["train_minutes"] for row in rows.values())
