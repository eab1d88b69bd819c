from __future__ import annotations

import math

import pytest
import torch

from trainable.component_paths import with_values
from trainable.config import Budget
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train
from tuner.audit import short_runs
from tuner.audit.short_runs import CAREFUL, QUICK, WHOLE, Look, Shrunken, Trajectory, distance, hidden

TINY = Look(steps=8, rows=1, sequence_parts=1)


@pytest.fixture
def set_in(toy_base):
    def change(**values):
        return with_values(toy_base, {path.replace("__", "."): value for path, value in values.items()})

    return change


def test_the_time_of_a_run_is_squeezed_with_all_that_begins_or_ends_in_it(set_in) -> None:
    config = set_in(
        hooks__Canopy__min_scale=0.3,
        hooks__MutationDecay__scale=0.1,
        hooks__MutationDecay__after_step=119,
        hooks__ControlledBurn__fraction=0.1,
        hooks__ControlledBurn__every_steps=80,
        optimizer__muon_momentum_warmup_steps=480,
        optimizer__muon_ns_steps=5,
        horizon__steps=400,
    )
    short = short_runs.shrunken(config, Look(12, 1, 1)).config
    assert short.budget == Budget(steps=12) and short.horizon == Budget(steps=20)
    canopy, burn, mutation = short.hooks
    assert (canopy.after_step, mutation.after_step, burn.every_steps) == (-1, 5, 4)
    assert (short.optimizer.muon_momentum_warmup_steps, short.optimizer.muon_ns_steps) == (24, 5)
    assert short.model == config.model


def test_a_step_has_as_many_rows_as_the_look_wants_and_its_parts_need(set_in) -> None:
    assert short_runs.shrunken(set_in(), Look(8, 2, 4)).config.data.batch_tokens == 2 * 4
    split = set_in(data__grad_accum_steps=4)
    short = short_runs.shrunken(split, Look(8, 2, 4)).config
    assert (short.data.batch_tokens, short.data.grad_accum_steps, short.data.seq_len) == (4 * 4, 4, 4)
    assert (short.evaluation.seq_len, short.evaluation.tokens) == (4, 8)


def test_a_sequence_that_cannot_be_divided_stays_whole(set_in) -> None:
    short = short_runs.shrunken(set_in(evaluation__stride=8), QUICK).config  # longer than a quarter of a window
    assert (short.data.seq_len, short.evaluation.seq_len) == (16, 16)


def test_a_run_whose_steps_nobody_knows_is_refused(set_in) -> None:
    with pytest.raises(ValueError, match="budget is in seconds"):
        short_runs.shrunken(set_in(budget__steps=None, budget__seconds=60.0))


@pytest.mark.parametrize(
    ("path", "value"),
    [("budget__steps", 260), ("data__source", "elsewhere"), ("data__batch_tokens", 128), ("evaluation__tokens", 128)],
)
def test_what_shrinking_takes_away_is_hidden(path, value, set_in) -> None:
    assert hidden(set_in(), set_in(**{path: value})) == {path.replace("__", ".")}


def test_a_target_is_hidden_and_a_rate_is_not(set_in) -> None:
    assert "target" in hidden(set_in(), set_in(target__loss=2.0))
    assert hidden(set_in(), set_in(optimizer__matrix_lr=0.1, model__num_layers=2)) == set()


def test_the_distance_of_a_run_from_itself_is_nothing_and_that_of_another_rate_is_not(set_in) -> None:
    assert distance(set_in(), set_in(optimizer__embed_lr=1.0), TINY).at_the_end == 0  # dead: embeddings are tied
    found = distance(set_in(), set_in(optimizer__scalar_lr=0.041), TINY)
    assert 0 < found.at_a_quarter < short_runs.FAR and 0 < found.at_the_end < 0.2


def test_runs_that_are_far_apart_early_are_not_trained_to_their_end(set_in) -> None:
    one, other = set_in(seed=11), set_in(seed=11, optimizer__matrix_lr=0.3)
    assert distance(one, other, TINY).at_the_end > short_runs.FAR
    assert [len(short_runs.trajectory(c, TINY).reports) for c in (one, other)] == [1, 1]


def test_other_shapes_are_infinitely_far_apart(set_in) -> None:
    assert distance(set_in(), set_in(model__num_layers=4), TINY).at_the_end == math.inf


def test_what_only_the_evaluation_sees_is_seen_in_the_loss(set_in) -> None:
    found = distance(set_in(), set_in(hooks__WeightAverage__decay=0.9), TINY)
    assert found.at_a_quarter == 0 and found.at_the_end > 0.01


def test_the_distance_of_a_run_that_diverges_is_no_number(set_in) -> None:
    sunk = set_in(optimizer__scalar_lr=1e20, optimizer__matrix_lr=1e20, optimizer__tied_embed_lr=1e20)
    assert math.isnan(distance(sunk, set_in(), TINY).at_the_end)


def test_a_trajectory_goes_on_where_it_stopped(set_in) -> None:
    shrunk = short_runs.shrunken(set_in(), TINY)
    trajectory = Trajectory(shrunk)
    assert [r.step for r in trajectory.reports] == [2]
    trajectory.finish()
    trajectory.finish()
    assert [r.step for r in trajectory.reports] == [2, 8]
    run = Run.start(shrunk.config, short_runs.made_up(shrunk), Runtime())
    assert [r.step for r in train(run)] == [8]
    assert all(torch.equal(p, q) for p, q in zip(trajectory.weights[1], run.network.parameters(), strict=True))


def test_passes_with_documents_left_out_still_hold_a_batch(set_in) -> None:
    config = set_in(data__order="epochs", data__document_shuffle_prob=1.0, data__document_keep_frac=0.3)
    plain = set_in(data__order="epochs")
    assert distance(plain, config, WHOLE).at_the_end > 0


def test_a_run_of_many_passes_has_a_short_text(set_in, monkeypatch) -> None:
    config = with_values(set_in(), {"budget.steps": None, "budget.epochs": 4.0})
    monkeypatch.setattr("search_spaces.coverage.dataset", lambda data: short_runs.made_up(Shrunken(config, 5000)))
    short, once = short_runs.shrunken(config, TINY), short_runs.shrunken(set_in(), TINY)
    assert once.stream_tokens == 8 * 16 + 1
    assert short.stream_tokens == 16 + 1 + 2 * short_runs.DOCUMENT_TOKENS and short.key != once.key


def test_equal_digests_are_of_equal_first_steps(set_in) -> None:
    assert short_runs.weights_digest(set_in()) == short_runs.weights_digest(set_in(optimizer__head_lr=0.1))
    assert short_runs.weights_digest(set_in()) != short_runs.weights_digest(set_in(optimizer__matrix_lr=0.05))


def test_threads_are_as_before_afterwards() -> None:
    torch.set_num_threads(2)
    with short_runs.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_looks_meet_no_wave_of_the_schedules_at_its_zeros_only() -> None:
    for look in (QUICK, CAREFUL, WHOLE):
        assert all(math.gcd(look.steps, periods) == 1 for periods in (2, 3, 6, 8, 12))
