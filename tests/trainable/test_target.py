from __future__ import annotations

from dataclasses import replace

import pytest

from trainable import train as train_module
from trainable.component_paths import with_values
from trainable.config import Budget
from trainable.hooks.weight_perturbation import WeightPerturbation
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.target import Target


@pytest.fixture
def losses(tiny, run_to_end) -> list[float]:
    """Training loss of each of twelve steps."""
    return [r.train_loss for r in run_to_end(replace(tiny, budget=Budget(steps=12)), range(1, 13)).reports]


@pytest.fixture
def seeking(tiny):
    """A config of twelve steps that ends at a target."""

    def make(**fields):
        return replace(tiny, budget=Budget(steps=12), target=Target(**fields))

    return make


def first_at_or_below(values: list[float], limit: float) -> int:
    return next(i for i, v in enumerate(values, start=1) if v <= limit)


def test_a_run_ends_at_the_first_batch_at_or_below_the_target(seeking, losses, run_to_end):
    for limit in (losses[3], sorted(losses)[4]):
        last = run_to_end(seeking(loss=limit)).last
        assert (last.status, last.target_reached) == ("completed", True)
        assert last.step == first_at_or_below(losses, limit)
        assert last.time_to_target == last.seconds > 0
        assert last.milestone == 12  # the end of the run stands for the end of its budget


def test_the_running_mean_starts_at_the_first_batch(seeking, losses, run_to_end):
    means, smoothing = [losses[0]], 0.6
    for loss in losses[1:]:
        means.append(smoothing * means[-1] + (1 - smoothing) * loss)
    limit = (means[5] + means[6]) / 2
    assert run_to_end(seeking(loss=limit, smoothing=smoothing)).last.step == first_at_or_below(means, limit)


def test_the_loss_is_looked_at_only_every_so_many_steps(seeking, losses, run_to_end):
    limit = max(losses[3:])
    step = first_at_or_below(losses, limit)
    assert run_to_end(seeking(loss=limit, every_steps=5)).last.step == -(-step // 5) * 5


def test_on_validation_the_score_decides_and_costs_no_time(seeking, tiny, run_to_end, monkeypatch):
    scores = [r.val_loss for r in run_to_end(replace(tiny, budget=Budget(steps=12)), range(1, 13)).reports]
    ticks = iter(range(1_000_000))
    monkeypatch.setattr(train_module.time, "perf_counter", lambda: float(next(ticks)))
    ended = run_to_end(seeking(loss=scores[5], split="validation"))
    assert ended.last.step == first_at_or_below(scores, scores[5])
    assert ended.last.val_loss == pytest.approx(scores[ended.last.step - 1])
    assert ended.run.eval_seconds >= ended.last.step
    assert ended.last.time_to_target == ended.run.spent.seconds < 4 * ended.last.step + 4


def test_a_run_that_misses_says_how_long_it_tried(seeking, run_to_end):
    reports = run_to_end(seeking(loss=0.001), [5]).reports
    assert [(r.status, r.step, r.target_reached) for r in reports] == [("running", 5, False), ("completed", 12, False)]
    assert all(r.time_to_target == r.seconds > 0 for r in reports)


def test_without_a_target_there_is_no_time_to_it(tiny, run_to_end):
    last = run_to_end(tiny).last
    assert last.time_to_target is None and last.target_reached is None


@pytest.mark.parametrize("counted", [False, True])
def test_compilation_counts_only_where_it_is_asked_to(counted, seeking, dataset):
    run = Run.start(seeking(loss=99.0, with_compile_time=counted), dataset, Runtime())
    run.compile_seconds = 1000.0
    (report,) = train_module.train(run)
    assert (report.step, report.time_to_target) == (1, report.seconds + 1000.0 * counted)


def test_a_target_never_reached_changes_nothing_of_the_run(seeking, tiny, run_to_end, first_difference):
    hooks = (WeightPerturbation.example(),)
    without = run_to_end(replace(tiny, budget=Budget(steps=12), hooks=hooks)).numbers
    for split in ("train", "validation"):
        found = run_to_end(replace(seeking(loss=0.001, split=split, every_steps=3), hooks=hooks)).numbers
        for part in ("network", "optimizer", "generator", "position"):
            assert first_difference(without[part], found[part]) is None
        assert found["report"]["val_loss"] == without["report"]["val_loss"]


def test_a_resumed_run_reaches_it_at_the_same_step(seeking, losses, run_to_end, dataset, first_difference):
    config = seeking(loss=sum(losses) / len(losses), smoothing=0.8)
    straight = run_to_end(config)
    assert straight.last.target_reached and straight.last.step > 4
    asked = iter([False] * 3 + [True])
    broken = run_to_end(config, should_stop=lambda: next(asked))
    resumed = Run.start(config, dataset, Runtime())
    resumed.load_state_dict(broken.run.state_dict())
    numbers = [straight.numbers, run_to_end(resumed).numbers]
    assert all(n["report"].pop("time_to_target") > 0 for n in numbers)  # a clock's
    assert first_difference(*numbers) is None
    assert run_to_end(resumed).reports == []  # what has ended has nothing more to report


def test_a_loss_that_is_not_finite_reaches_no_target(seeking, tiny, run_to_end):
    rates = {"optimizer.matrix_lr": 1e20, "optimizer.scalar_lr": 1e20, "optimizer.tied_embed_lr": 1e20}
    assert run_to_end(with_values(seeking(loss=0.001), rates)).last.status == "diverged"


def test_setting_a_field_is_enough_to_have_a_target(tiny):
    assert with_values(tiny, {"target.loss": 3.5}).target == Target(loss=3.5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"split": "valid"}, "did you mean 'validation'"),
        ({"split": "validation", "smoothing": 0.5}, "0 on validation"),
        ({"loss": 0.0}, "positive"),
        ({"every_steps": 0}, "at least 1"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Target(**fields)
