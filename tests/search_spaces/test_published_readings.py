"""Recorded runs as they ran, against the arithmetic of the published scripts, written down here once more."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
import torch

import search_spaces
from search_spaces import recorded
from search_spaces.recorded import RecordedRun
from trainable.config import Budget, Spent, TrainConfig
from trainable.models.stem.embed_mixup import EmbedMixup

GOLF, NANOCHAT = search_spaces.load("parameter_golf"), search_spaces.load("nanochat")
MAINRUN, SPEEDRUN = search_spaces.load("mainrun"), search_spaces.load("speedrun")


def golf(run_id: str, reading: str = "as_run", scale: str = "full") -> TrainConfig:
    return recorded.resolve(GOLF, run_id, reading, scale)


# --- nanochat: scripts/base_train.py at a825e63 -----------------------------------------------------------------------


def published_multiplier(steps: int, ratio: float, floor: float) -> Callable[[int], float]:
    """40 steps up, whole ones down: their number is rounded, and the floor would be met one step after the last."""
    down = round(ratio * steps)

    def at(step: int) -> float:
        if step < 40:
            return (step + 1) / 40
        if step <= steps - down:
            return 1.0
        left = (steps - step) / down
        return left + (1 - left) * floor

    return at


def stated(run: RecordedRun) -> tuple[int, float, float]:
    """Steps, warmdown ratio and floor that a row states: 0.65 and 0.05 are the script's defaults."""
    named = re.search(r"warmdown ([\d.]+)( to 0)?", run.name)
    assert run.steps is not None
    return run.steps, float(named[1]) if named else 0.65, 0.0 if named and named[2] else 0.05


STATED = [run for run in recorded.load(NANOCHAT) if run.base is not None and run.steps is not None]


@pytest.mark.parametrize("reading", recorded.READINGS)
@pytest.mark.parametrize("run", STATED, ids=lambda run: run.id)
def test_a_rate_of_nanochat_is_the_scripts_at_every_step(run, reading):
    steps, ratio, floor = stated(run)
    schedule, published = (
        recorded.resolve(NANOCHAT, run.id, reading).schedule,
        published_multiplier(steps, ratio, floor),
    )
    for step in range(steps):
        assert schedule(step / steps) == pytest.approx(published(step), abs=1e-12)


def test_all_rows_of_nanochat_with_a_warmdown_of_their_own_are_among_them():
    own = {run.id for run in recorded.load(NANOCHAT) if "warmdown" in run.name and run.base is not None}
    assert own <= {run.id for run in STATED} and len(own) == 8 and len(STATED) > 18


# --- parameter golf: train_gpt_focal_fixed.py of its pull request 1434 ------------------------------------------------


@pytest.mark.parametrize(("reading", "horizon"), [("as_run", 400), ("as_logged", 240)])
def test_a_day_of_nf3_has_fifty_steps_in_both_readings(reading, horizon):
    config = golf("NF3", reading)
    assert config.horizon == (None if horizon == 240 else Budget(steps=400)) and config.budget.steps == 240
    for step in range(240):
        progress = step / horizon
        base = 0.1 + 0.5 * (1.0 - 0.1) * (1.0 + math.cos(math.pi * progress))
        day = math.sin(2 * math.pi * step / 50) * 0.15 * (1.0 - progress)
        assert config.schedule(progress) == pytest.approx(max(0.1, base + day), abs=1e-12)


def test_the_decay_of_w2_swings_over_the_scripts_iterations_and_its_rate_over_the_run():
    config = golf("W2")
    (decay,) = config.hooks
    assert (config.horizon, decay.decay, decay.amplitude, decay.cycles, decay.horizon_steps) == (
        None,
        0.01,
        0.5,
        6,
        400,
    )
    for step in range(240):  # the warmdown in wall time: 2.5 s a step, 600 s, 1200 steps
        elapsed = 2.5 * step
        left = (600 - elapsed) / (1200 * elapsed / step) if step else 1.0
        assert config.schedule(step / 240) == pytest.approx(left, abs=1e-8)
    assert golf("W10").hooks[0].horizon_steps is None and golf("W10").horizon == Budget(steps=400)  # the same there
    assert golf("W2", "as_logged").hooks[0].horizon_steps is None


def test_run_4_is_mixed_by_a_roll_and_its_row_says_what_that_does():
    assert golf("4").model.stem == (EmbedMixup(weight=0.1, pairing="rolled"),)
    assert golf("4", "as_logged").model.stem == (EmbedMixup(weight=0.1, pairing="random"),)
    (note,) = [run.note for run in recorded.load(GOLF) if run.id == "4"]
    assert "roll" in note and "the first with the row's last" in note


def test_the_full_scale_reads_the_text_as_the_scripts_loader_and_the_small_scales_as_they_did():
    """Those read another text, so that its order means nothing there, and their replays that are kept stay valid."""
    for run in recorded.load(GOLF):
        if run.base is not None:
            assert golf(run.id).data.order == "spans" and golf(run.id, "as_logged").data.order == "stream"
            assert {golf(run.id, "as_run", scale).data.order for scale in ("proxy", "replay")} == {"stream"}
    data = golf("BASE").data
    assert (data.batch_tokens // data.grad_accum_steps, data.grad_accum_steps, data.seq_len) == (65_536, 8, 1024)


# --- mainrun: torch's OneCycleLR over the 1883 steps of the fork ------------------------------------------------------


@pytest.mark.parametrize(
    ("run_id", "peak", "pct", "div", "final"),
    [("current", 1e-3, 0.5, 10.0, 1e4), ("one-cycle", 5e-4, 0.2, 5.0, 100.0)],
)
@pytest.mark.filterwarnings("ignore:Detected call of")  # torch wants its optimizer stepped first
def test_rates_and_beta1_of_mainruns_one_cycle_are_torchs_at_every_step(run_id, peak, pct, div, final):
    config = recorded.resolve(MAINRUN, run_id, "as_run")
    adam = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        adam, max_lr=peak, total_steps=1883, pct_start=pct, div_factor=div, final_div_factor=final
    )
    assert config.horizon is not None
    for step in range(1883):
        progress, group = config.horizon.fraction(Spent(steps=step)), adam.param_groups[0]
        assert config.optimizer.lr * config.schedule(progress) == pytest.approx(group["lr"], rel=1e-9)
        assert config.schedule.momentum(progress) == pytest.approx(group["betas"][0], rel=1e-9)
        if step < 1882:
            theirs.step()


def test_the_report_itself_counts_a_cycle_from_the_first_step_to_the_end():
    for run_id, pct in (("current", 0.5), ("one-cycle", 0.2)):
        config = recorded.resolve(MAINRUN, run_id, "as_logged")
        assert config.horizon is None and config.schedule.pct_start == pct


# --- speedrun: train_moe.py of 5-dollar-llm at 0248c5b, and its training/trainer.py -----------------------------------


@pytest.mark.parametrize("run_id", ["moe", "moe-zero-init"])
def test_the_mixture_trains_a_twelfth_of_its_schedule_and_warms_up_for_most_of_that(run_id):
    config = recorded.resolve(SPEEDRUN, run_id, "as_run")
    limit, accumulation, rows, length = 10_000, 12, 8, 512
    steps = limit // accumulation
    assert config.budget == Budget(tokens=steps * accumulation * rows * length)
    assert config.horizon is not None and config.data.batch_tokens == accumulation * rows * length
    warmup = int(limit * 0.05)
    for step in range(steps):
        fallen = (step - warmup) / (limit - warmup)
        published = step / warmup if step < warmup else 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * fallen))
        assert config.schedule(config.horizon.fraction(Spent(steps=step))) == pytest.approx(published, abs=1e-12)


def test_the_mixture_as_run_has_one_matrix_for_queries_keys_and_values_and_no_norm_of_them():
    for run_id in ("moe", "moe-zero-init"):
        model, logged = (recorded.resolve(SPEEDRUN, run_id, reading).model for reading in ("as_run", "as_logged"))
        assert (model.joined_qkv, model.qk_norm, logged.joined_qkv, logged.qk_norm) == (True, False, False, True)
