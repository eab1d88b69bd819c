"""Campaigns on a device are charged for all that they train, and judged by what their best is expected to be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import optuna
import pytest

from benchmarks.surrogate import campaigns, compare, draws
from benchmarks.surrogate.campaigns import OptunaAlone, Ours
from benchmarks.surrogate.device import Device, Outcome
from search_spaces.domains import Value
from tuner.proposals import bounded_history


@pytest.fixture(scope="module")
def device(small, made_up) -> Device:
    return Device(small, made_up, "trees")


class Scripted:
    """A method that proposes given points in turn."""

    def __init__(self, points) -> None:
        self.points, self.asked, self.told, self.most_open = list(points), 0, [], 0

    def ask(self):
        self.asked += 1
        self.most_open = max(self.most_open, self.asked - len(self.told))
        return self.asked - 1, self.points[(self.asked - 1) % len(self.points)]

    def stops(self, number, rung, value) -> bool:
        return False

    def tell(self, number, outcome) -> None:
        self.told.append((number, outcome))


@pytest.mark.parametrize("slots", [1, 4])
def test_the_seconds_of_all_runs_are_charged_whatever_became_of_them(device, small, slots) -> None:
    generator = np.random.default_rng(0)
    method = Scripted([draws.at_random(small.space, generator) for _ in range(60)])
    budget = 15 * device.base_seconds
    trace = campaigns.run(device, method, slots, budget, seed=3)
    assert trace.seconds[-1] == pytest.approx(sum(outcome.seconds for _, outcome in method.told))
    assert trace.seconds[-2] < budget <= trace.seconds[-1]
    assert len(set(trace.statuses)) == 3 and method.most_open == slots


def test_a_campaign_is_worth_what_its_best_measured_config_is_expected_to_be(device, small) -> None:
    generator = np.random.default_rng(0)
    method = Scripted([draws.at_random(small.space, generator) for _ in range(60)])
    trace = campaigns.run(device, method, 1, 15 * device.base_seconds, seed=3)
    ended = [(outcome.final, number) for number, outcome in method.told if outcome.final is not None]
    assert trace.best[-1] == device.expected(method.points[min(ended)[1]])
    assert np.isnan(trace.best_at(-1.0)) and trace.best_at(1e9) == trace.best[-1]


def test_a_method_that_proposes_no_valid_run_comes_to_an_end(device, small) -> None:
    base = small.space.values_of(small.base)
    method = Scripted([base | {"model.num_layers": 2, "model.encoder_layers": 4}])
    trace = campaigns.run(device, method, 1, 2 * device.base_seconds, seed=0)
    assert len(trace.statuses) == 2 * campaigns.MOST_TRIALS and trace.seconds[-1] == 0


@pytest.mark.parametrize(
    "name", ["ours, gp", "ours, tpe", "ours, tpe, random first", "random", "Optuna TPE", "Ray OptunaSearch + ASHA"]
)
def test_every_method_begins_with_the_base(device, small, name) -> None:
    number, values = campaigns.methods()[name](device, 1).ask()
    assert number == 0 and values == small.space.values_of(small.base)


def test_ours_begins_near_the_base_unless_it_is_kept_from_it(device, small) -> None:
    base = small.space.values_of(small.base)

    def kept(name: str) -> float:
        method = campaigns.methods()[name](device, 1)
        return float(np.mean([method.ask()[1].get(path) == value for _ in range(12) for path, value in base.items()]))

    assert kept("ours, tpe") > 0.7 > 0.5 > kept("ours, tpe, random first")


def test_a_fail_is_told_as_the_worst_end_where_a_sampler_learns_nothing_of_it(small) -> None:
    base = small.space.values_of(small.base)
    method = OptunaAlone(small.space, base, optuna.samplers.RandomSampler(seed=0), fails_are_worst=True)
    for outcome in (
        Outcome("completed", 1.0, (4.0,)),
        Outcome("completed", 1.0, (3.0,)),
        Outcome("out of memory", 0.1),
    ):
        number, _ = method.ask()
        method.tell(number, outcome)
    assert [trial.value for trial in method.study.trials] == [4.0, 3.0, 4.0]


def test_the_view_of_all_trials_makes_the_same_campaign_until_the_bound_and_another_after_it(
    device, small, monkeypatch
) -> None:
    monkeypatch.setattr(bounded_history, "MOST", 24)
    monkeypatch.setattr(bounded_history, "BEST", 4)

    def asked(name: str) -> list[Mapping[str, Value]]:
        method, found = campaigns.methods()[name](device, 1), []
        for _ in range(32):
            number, values = method.ask()
            found.append(values)
            method.tell(number, device.train(values, 0))
        return found

    bounded, whole = (asked(f"ours, tpe, random first{view}") for view in ("", ", whole history"))
    assert bounded[:20] == whole[:20] and bounded != whole


def test_our_sampler_is_told_the_ends(device, small) -> None:
    method = Ours(device, seed=0, method="tpe")
    number, values = method.ask()
    method.tell(number, device.train(values, 0))
    (trial,) = method.sampler.study.trials
    assert trial.value == device.train(values, 0).final and trial.user_attrs["train_seconds"] > 0


def test_campaigns_that_are_kept_are_not_run_again(tmp_path, made_up, monkeypatch, capsys) -> None:
    lines = tmp_path / "lines.jsonl"
    monkeypatch.setattr(compare.trainings, "read", lambda space, file: made_up)
    monkeypatch.setattr(compare, "RUNS", (1, 2))
    monkeypatch.setattr(compare, "FEWEST", 50)
    monkeypatch.setattr(compare.models, "KINDS", {"trees": compare.models.Trees})
    options = ["--seeds", "1", "--slots", "2", "--methods", "random", "ours, tpe", "--lines", str(lines)]
    assert compare.main(options) == 0
    kept, shown = lines.read_text(), capsys.readouterr().out
    assert len(kept.splitlines()) == 2
    assert "best at 2" in shown and "level at the end" in shown and "The base: trees" in shown
    assert compare.main(options) == 0
    assert lines.read_text() == kept
    assert compare.main([*options[:4], "--methods", "rndom"]) == 2
    assert "there is no method 'rndom'" in capsys.readouterr().err


def test_samplers_are_not_compared_on_a_surrogate_that_knows_too_little(made_up, monkeypatch, capsys) -> None:
    monkeypatch.setattr(compare.trainings, "read", lambda space, file: made_up[:20])
    assert compare.main(["--methods", "random"]) == 2
    assert "needs at least 200: record more" in capsys.readouterr().err
