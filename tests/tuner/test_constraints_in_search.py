"""Constraints and two objectives in a whole search: what is refused, what is told, what a resume keeps."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from search_spaces import constraints
from search_spaces.constraints import parse_all
from trainable.component_json import decode
from trainable.component_paths import with_values
from trainable.schedules import Constant
from tuner.search_loop import Search

VOCAB = 260


@pytest.fixture
def limited(make_bench, toy_space):
    """A bench whose space has constraints or a second objective."""

    def make(name: str = "limited", limits: tuple[str, ...] = (), second: str | None = None):
        space = dataclasses.replace(toy_space, constraints=parse_all(limits), second_objective=second)
        return make_bench(name, space)

    return make


def test_what_is_too_large_is_refused_before_training_and_the_sampler_learns_it(limited, toy_space, play) -> None:
    # The parameters of the toy space differ by its skip weights alone, which join encoder layers to as many others.
    base = with_values(limited().base, {"model.encoder_layers": 0})
    small, large = (
        constraints.num_parameters(toy_space.config(base, {"model.encoder_layers": layers}), VOCAB) for layers in (0, 1)
    )
    assert small < large
    limit = f"parameters<={small}"
    bench = dataclasses.replace(limited("small", (limit,)), base=base)
    search = bench.search(trials=20, vocab_size=VOCAB)
    tune = play(search).run()
    refused = [row for row in bench.rows() if row["status"] == "infeasible" and row["parameters"]]
    assert refused
    for row in refused:
        assert row["parameters"] == large and "parameters<=" in row["reason"] and row["key"] not in tune.started
        assert row["attempt"] is None and row["train_seconds"] is None
    assert len(tune.started) == 20
    told = [t for t in search.proposals.sampler.study.get_trials() if t.constraints.get(limit, 0) > 0]
    assert len(told) >= len(refused) > 0


def broken(config) -> bool:
    return isinstance(config.schedule, Constant)


def tempting(config, milestone: float) -> float:
    """What breaks the limit would be the best."""
    return 2.0 + abs(math.log10(config.optimizer.matrix_lr / 0.1)) - broken(config)


@pytest.fixture
def slowly(play):
    """Plays a search in which one schedule takes long, so that it breaks a limit on seconds."""

    def run(search: Search, **settings):
        tune = play(search, **settings)
        original = tune._train

        def train(request):
            config = decode(json.loads(request.config))
            for result in original(request):
                yield result | {"seconds": result["seconds"] * (2 if broken(config) else 1)}

        tune._train = train
        return tune.run()

    return run


def test_a_trial_over_a_limit_is_infeasible_and_told_with_its_value_and_excess(limited, slowly) -> None:
    limit = "train_seconds<=30"
    bench = limited("slow", (limit,))
    search = bench.search(trials=40, slots=2, stopper="none")
    slowly(search, curve=tempting)
    rows = {row["optuna_number"]: row for row in bench.rows() if row["attempt"]}
    assert {row["status"] for row in rows.values()} == {"completed", "infeasible"}
    for number, row in rows.items():
        trial = search.proposals.sampler.study.trials[number]
        assert (row["status"] == "infeasible") == (row["train_seconds"] > 30) == (trial.constraints[limit] > 0)
        assert trial.value == row["last_value"], "feasible or not, Optuna knows the value"
        if row["status"] == "infeasible":
            assert row["reason"] == "train_seconds 48 > 30 (train_seconds<=30)" and row["value"] is None
    late = [row["status"] for number, row in sorted(rows.items())][20:]
    assert late.count("completed") >= 15, "a third of the space breaks it, and by value the best"
    again = bench.search(trials=40, slots=2)
    kept = {t.constraints[limit] for t in again.proposals.sampler.study.trials if limit in t.constraints}
    assert kept == {t.constraints[limit] for t in search.proposals.sampler.study.trials if limit in t.constraints}


def test_two_objectives_are_both_told_and_nothing_is_stopped_early(limited, slowly) -> None:
    bench = limited("two", second="train_seconds")
    search = bench.search(trials=14, slots=2, reports=3)
    slowly(search)
    rows = [row for row in bench.rows() if row["attempt"]]
    assert {row["status"] for row in rows} == {"completed"} and search.stopper.milestones == []
    for row in rows:
        assert search.proposals.sampler.study.trials[row["optuna_number"]].values == [
            row["value"],
            row["train_seconds"],
        ]
    front = {tuple(trial.values) for trial in search.proposals.sampler.study.best_trials}
    again = bench.search(trials=14, slots=2)
    assert {tuple(trial.values) for trial in again.proposals.sampler.study.best_trials} == front and len(front) >= 1
