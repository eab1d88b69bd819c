"""Fidelities judge a run in different ways and leave the run itself as it is, also when they are cut and resumed."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from functools import partial

import pytest
import torch

from trainable.config import Budget
from trainable.evaluation.artifact import Artifact
from trainable.hooks.weight_perturbation import WeightPerturbation
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.schedules import Cosine, EarlyDecay
from trainable.target import Target
from trainable.train import train
from trainable.worker import checkpoint
from trainable.worker.fidelity import BRANCH_FRACTION, FIDELITIES, Branch, Complete, branched, shortened_config

MILESTONES = [2.0, 4.0]
BESIDE = pytest.mark.parametrize("name", ["complete", "branch"])


@pytest.fixture
def config(tiny):
    """Eight steps with a hook that draws, so that a generator left in another state would show."""
    return replace(tiny, budget=Budget(steps=8), hooks=(WeightPerturbation(scale=0.01),))


@pytest.fixture
def begin(dataset):
    """A fidelity at the start of a trial."""

    def make(name, config, milestones=MILESTONES, should_stop=lambda: False):
        start = partial(Run.start, dataset=dataset, runtime=Runtime())
        return FIDELITIES[name](config, start, milestones, should_stop)

    return make


def timeless(report):
    """The report without clocks."""
    counted = {name: value for name, value in report.extra.items() if "seconds" not in name}
    return replace(report, seconds=0.0, train_minutes=0.0, eval_seconds=0.0, compile_seconds=0.0, extra=counted)


class StopAt:
    """Says stop at the n-th question."""

    def __init__(self, question: int) -> None:
        self.left = question

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == -1


@pytest.mark.parametrize("name", FIDELITIES)
def test_there_is_one_report_a_milestone_and_one_at_the_end(begin, config, name) -> None:
    reports = list(begin(name, config).reports())
    found = [(r.milestone, r.step, r.status) for r in reports]
    assert found == [(2.0, 2, "running"), (4.0, 4, "running"), (8.0, 8, "completed")]
    assert all(math.isfinite(r.val_bpb) for r in reports)


@BESIDE
def test_the_run_itself_ends_bit_for_bit_as_without(begin, config, name, first_difference) -> None:
    plain, judged = begin("truncate", config, []), begin(name, config)
    (expected,), reports = list(plain.reports()), list(judged.reports())
    kept = ("network", "buffers", "optimizer", "hooks", "generator", "position")
    states = [{part: f.run.state_dict()[part] for part in kept} for f in (plain, judged)]
    assert first_difference(*states) is None
    assert (reports[-1].val_loss, reports[-1].val_bpb) == (expected.val_loss, expected.val_bpb)
    assert judged.run.config.key("data") == config.key("data")


@BESIDE
def test_values_on_the_way_are_others_than_those_of_the_run_itself(begin, config, name) -> None:
    of_the_run = [r.val_loss for r in begin("truncate", config).reports()][:-1]
    judged = [r.val_loss for r in begin(name, config).reports()][:-1]
    assert all(ours != plain for ours, plain in zip(judged, of_the_run, strict=True))


def test_complete_trains_whole_schedules_and_counts_them(begin, config, dataset) -> None:
    reports = list(begin("complete", config).reports())
    for report in reports[:-1]:
        alone = Run.start(shortened_config(config, report.milestone), dataset, Runtime())
        (expected,) = train(alone)
        assert (report.val_loss, report.progress) == (expected.val_loss, 1.0)
    assert [(r.extra["steps"], r.extra["tokens"], r.extra["spent"]) for r in reports] == [
        (0, 0, 0.0),
        (2, 128, 2.0),
        (6, 384, 6.0),
    ]
    assert 0 < reports[1].extra["seconds"] < reports[2].extra["seconds"]
    assert reports[2].eval_seconds > reports[2].extra["eval_seconds"] > 0


def test_branch_decays_a_copy_and_counts_it(begin, config, dataset) -> None:
    first, _, last = list(begin("branch", config).reports())
    run = Run.start(config, dataset, Runtime())
    next(train(run, [2.0]))
    copy = replace(run, config=branched(run), spent=replace(run.spent))
    (decayed,) = train(copy)
    assert first.val_loss == decayed.val_loss
    plain = next(iter(begin("truncate", config).reports()))
    assert first.logged == plain.logged | {"val_loss_before_decay": plain.val_loss}
    assert (first.extra["steps"], last.extra["steps"], last.extra["spent"]) == (1, 2, 2.0), "at least one step each"
    assert first.extra["seconds"] > 0


def test_the_rate_of_a_branch_goes_from_where_it_is_to_where_its_schedule_ends(config, dataset) -> None:
    run = Run.start(replace(config, budget=Budget(steps=100)), dataset, Runtime())
    run.spent.steps = 40
    found = branched(run)
    assert found.budget == Budget(steps=46) and found.horizon == Budget(steps=100)
    assert found.schedule == EarlyDecay(inner=Cosine(), at=0.4, frac=BRANCH_FRACTION * 0.4)
    assert found.schedule(0.4) == Cosine()(0.4) and found.schedule(0.46) == pytest.approx(Cosine()(1.0))


def test_a_schedule_that_has_ended_is_not_decayed_again(config, dataset) -> None:
    run = Run.start(replace(config, horizon=Budget(steps=4)), dataset, Runtime())
    run.spent.steps = 4
    assert branched(run).schedule == config.schedule


def test_a_shortened_config_keeps_its_proportions_and_has_neither_target_nor_artifact(config) -> None:
    whole = replace(
        config,
        budget=Budget(steps=9, tokens=576, seconds=9.0),
        horizon=Budget(steps=12),
        target=Target(loss=1.0),
        artifact=Artifact(),
    )
    short = shortened_config(whole, 3.0)
    assert short.budget == Budget(steps=3, tokens=192, seconds=3.0) and short.horizon == Budget(steps=4)
    assert short.target is None and short.artifact is None
    assert isinstance(short.budget.steps, int)
    assert shortened_config(replace(config, budget=Budget(epochs=0.5)), 0.0556).budget == Budget(epochs=0.0556)


@pytest.mark.parametrize("name", FIDELITIES)
def test_a_trial_cut_anywhere_goes_on_bit_for_bit(begin, config, name, tmp_path, first_difference) -> None:
    whole = begin(name, config)
    expected, cuts = [timeless(r) for r in whole.reports()], 0
    for question in range(40):
        cut = begin(name, config, should_stop=StopAt(question))
        reports = [timeless(r) for r in cut.reports()]
        if reports[-1].status != "interrupted":
            break
        cuts += 1
        assert reports[-1].val_bpb is None
        checkpoint.save(tmp_path, "cut", cut.state_dict(), "key")
        resumed = begin(name, config)
        resumed.load_state_dict(checkpoint.load(tmp_path / "cut", "key"))
        found = [*reports[:-1], *(timeless(r) for r in resumed.reports())]
        assert found == expected, f"stopped at question {question}"
        kept = ("network", "optimizer", "generator")
        assert first_difference(*({k: f.run.state_dict()[k] for k in kept} for f in (whole, resumed))) is None
    assert cuts == {"truncate": 8, "complete": 14, "branch": 10}[name], "as many places as there are steps"


@BESIDE
def test_a_state_saved_while_training_goes_on_bit_for_bit(begin, config, name, tmp_path) -> None:
    """As a checkpoint of a running trial that is then killed: nobody asked it to end."""
    expected = [timeless(r) for r in begin(name, config).reports()]
    for question in range(8):
        killed = begin(name, config)
        asked = iter(range(100))

        def should_stop(killed=killed, asked=asked, question=question) -> bool:
            if next(asked) == question:
                checkpoint.save(tmp_path, "saved", killed.state_dict(), "key")
            return False

        killed.should_stop = should_stop
        list(killed.reports())
        resumed = begin(name, config)
        resumed.load_state_dict(checkpoint.load(tmp_path / "saved", "key"))
        found = [timeless(r) for r in resumed.reports()]
        assert found == expected[-len(found) :]


@BESIDE
def test_a_run_beside_that_diverges_ends_the_trial_and_is_named(begin, config, name, monkeypatch) -> None:
    hot = replace(config, optimizer=replace(config.optimizer, matrix_lr=1e20, tied_embed_lr=1e20))
    monkeypatch.setattr("trainable.train.CHECK_EVERY_STEPS", 10**9)
    last = list(begin(name, hot).reports())[-1]
    assert last.status == "diverged" and "not finite" in last.reason
    assert name == "branch" or last.reason.endswith("of the run of 2")


def test_a_branch_that_diverges_ends_the_trial_and_is_named(begin, config, monkeypatch) -> None:
    def poisoned(run):
        with torch.no_grad():
            next(run.network.parameters()).fill_(math.nan)
        return branched(run)

    monkeypatch.setattr("trainable.worker.fidelity.branched", poisoned)
    trial = begin("branch", config)
    (only,) = trial.reports()
    assert all(p.isfinite().all() for p in trial.run.network.parameters()), "the run itself is as it was"
    assert (only.status, only.milestone, only.step) == ("diverged", 2.0, 2)
    assert only.reason.endswith("of the decay that branched off at 2")


def test_without_milestones_all_are_the_run_itself(begin, config) -> None:
    found = [[r.val_loss for r in begin(name, config, []).reports()] for name in FIDELITIES]
    assert found[0] == found[1] == found[2] and len(found[0]) == 1


def test_every_fidelity_is_called_as_it_calls_itself() -> None:
    assert FIDELITIES["complete"] is Complete and FIDELITIES["branch"] is Branch


@pytest.mark.parametrize("name", FIDELITIES)
def test_a_trial_that_was_saved_as_it_reported_goes_on_after_that_report(begin, config, name) -> None:
    expected, cut = [timeless(report) for report in begin(name, config).reports()], begin(name, config)
    reports = cut.reports()
    next(reports)
    state = checkpoint_of(cut)
    later = begin(name, config)
    later.load_state_dict(state)
    assert [timeless(report) for report in later.reports()] == expected[1:]


def checkpoint_of(fidelity):
    """The state as a file would give it back."""
    return copy.deepcopy(fidelity.state_dict())
