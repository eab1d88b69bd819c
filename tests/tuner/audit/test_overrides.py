"""What the audit calls live, nearly inert, idle and inert. Small models are trained: nothing here has a list."""

from __future__ import annotations

import pytest
from torch import Tensor

import search_spaces
from search_spaces import recorded
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space
from trainable.component_paths import with_values
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train
from tuner.audit import overrides as audit
from tuner.audit.overrides import IDLE, INERT, LIVE, RESTATED, audit_overrides, audit_space, inert_paths
from tuner.audit.recorded import start_of
from tuner.audit.short_runs import CAREFUL, QUICK, Distance, Look, apart, made_up, one_thread, shrunken


@pytest.fixture(scope="module")
def golf() -> Space:
    return search_spaces.load("parameter_golf")


@pytest.fixture(scope="module")
def golf_row(golf):
    """What a recorded row builds on and what it changes there, at the proxy's size."""
    runs = {run.id: run for run in recorded.load(golf)}
    return lambda name, reading="as_logged": start_of(golf, runs[name], runs, reading)


def statuses(base, overrides) -> dict[str, str]:
    return {f.path: f.status for f in audit_overrides(base, overrides)}


def test_rates_of_tables_that_a_model_lacks_are_inert_and_the_others_live(toy_base) -> None:
    rates = {
        "optimizer.embed_lr": 0.8,
        "optimizer.head_lr": 0.1,
        "optimizer.tied_embed_lr": 0.06,
        "optimizer.matrix_lr": 0.05,
    }
    assert inert_paths(toy_base, rates) == ["optimizer.embed_lr", "optimizer.head_lr"]
    untied = with_values(toy_base, {"model.tie_embeddings": False})
    assert inert_paths(untied, rates) == ["optimizer.tied_embed_lr"]
    assert statuses(untied, rates)["optimizer.matrix_lr"] == LIVE


def test_an_inert_override_names_the_knob_that_it_hangs_on(golf, golf_row) -> None:
    rate, matrix = audit_overrides(*golf_row("C11"), golf)
    assert (rate.path, rate.status, rate.difference) == ("optimizer.embed_lr", INERT, 0.0)
    assert rate.why == "while model.tie_embeddings=true"
    assert (rate.value, rate.undone) == (1.0, 0.8)
    assert (matrix.path, matrix.status) == ("optimizer.matrix_lr", LIVE)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("W6", "hooks.Canopy.min_scale"),  # Mycorrhizal mixes gradients that it scaled apart
        ("W9", "hooks.ThermalVent.gain"),  # a factor that changes from step to step does not cancel
        ("W2", "schedule"),  # a wave of six periods
        ("1", "losses.ZLoss.weight"),
        ("NF9", "hooks.MutationDecay.scale"),
        ("P10-E13", "model.logit_softcap"),  # 18 instead of 20
        ("U6", "model.attention.HeadPruning.keep"),  # from step 100 on
        ("U10", "optimizer.muon_momentum"),  # of which the warm-up ends beyond the run
        ("4", "model.stem.EmbedMixup.weight"),  # between the rows of a batch
        ("C13", "losses.HeadDiversity.weight"),  # ours works
        ("F8", "schedule.warmup_frac"),
    ],
)
def test_what_acts_is_live_however_small_or_late(name, path, golf_row) -> None:
    base, overrides = golf_row(name)
    others = {other: value for other, value in overrides.items() if other != path}
    assert statuses(with_values(base, others), {path: overrides[path]}) == {path: LIVE}


def test_scaling_the_steps_themselves_does_not_cancel(golf_row) -> None:
    base, _ = golf_row("W7")
    assert statuses(base, {"hooks.CanopyRates.min_scale": 0.3}) == {"hooks.CanopyRates.min_scale": LIVE}


def test_a_value_that_is_there_without_it_is_restated_and_not_called_inert(toy_base) -> None:
    found = statuses(toy_base, {"schedule": "Tidal", "schedule.warmup_frac": 0.382, "losses.ZLoss.weight": 0.0})
    assert found == {"schedule": LIVE, "schedule.warmup_frac": RESTATED, "losses.ZLoss.weight": RESTATED}


def test_a_threshold_that_is_not_reached_is_idle(toy_base) -> None:
    assert statuses(toy_base, {"hooks.GradientClip.max_norm": 30.0}) == {"hooks.GradientClip.max_norm": IDLE}


def test_what_a_shrunken_run_lacks_is_not_called_inert(toy_base) -> None:
    constant = with_values(toy_base, {"schedule": "Constant"})
    (steps,) = audit_overrides(constant, {"budget.steps": 245})
    assert (steps.status, steps.difference, steps.why) == (LIVE, None, "budget.steps: not in a shrunken run")
    assert not steps.seen
    (horizon,) = audit_overrides(constant, {"horizon.steps": 400})
    assert horizon.status == INERT  # nothing looks at the progress


def test_an_override_that_the_others_need_is_live(toy_base) -> None:
    layers, encoder = audit_overrides(toy_base, {"model.num_layers": 5, "model.encoder_layers": 4})
    assert layers.status == LIVE and layers.why.startswith("without it: GPT.encoder_layers is 4")
    assert encoder.status == LIVE and encoder.difference is not None


def test_of_two_that_replace_each_other_only_one_is_inert(toy_base, monkeypatch) -> None:
    clip, vent = "hooks.GradientClip.max_norm", "hooks.ThermalVent.gain"

    def made_up(one, other, look):
        def acts(config):
            return any(type(hook).__name__ in ("GradientClip", "ThermalVent") for hook in config.hooks)

        return Distance(0.0, float(acts(one) != acts(other)))

    monkeypatch.setattr(audit, "distance", made_up)
    monkeypatch.setattr(audit, "wakes", lambda *_: False)
    audit.difference_status.cache_clear()
    assert statuses(toy_base, {clip: 0.25, vent: 0.25}) == {clip: INERT, vent: LIVE}
    audit.difference_status.cache_clear()


def test_the_fields_of_a_component_that_changes_nothing_change_nothing(toy_base) -> None:
    same = {"schedule": "Phases", "schedule.first": "Cosine", "schedule.first.min_lr_frac": 0.2}
    still = with_values(toy_base, {f"optimizer.{name}_lr": 0.0 for name in ("matrix", "scalar", "tied_embed")})
    assert set(statuses(still, same).values()) == {INERT}


def test_mistakes_are_one_clear_line(toy_base) -> None:
    with pytest.raises(ValueError, match=r"no knob 'matrix_rl': did you mean 'optimizer.matrix_lr'"):
        audit_overrides(toy_base, {"optimizer.matrix_rl": 0.1})
    timed = with_values(toy_base, {"budget.steps": None, "budget.seconds": 60.0})
    with pytest.raises(ValueError, match="budget is in seconds"):
        audit_overrides(timed, {"optimizer.matrix_lr": 0.1})


# --- spaces -----------------------------------------------------------------------------------------------------------


def test_every_knob_of_a_space_with_its_conditions_is_live(toy_space, toy_base) -> None:
    found = audit_space(toy_space, toy_base)
    assert [(f.path, f.status) for f in found] == [(k.path, LIVE) for k in toy_space.knobs]
    encoder = found[-1]
    assert (encoder.undone, encoder.value) == (1, 0)  # seven make no valid model


def test_a_knob_without_its_condition_is_found_with_what_it_hangs_on(toy_base) -> None:
    space = Space(
        name="careless",
        question="",
        objective="val_bpb",
        scales={"proxy": Scale(toy_base, trials=1, about="")},
        knobs=(
            Knob("optimizer.embed_lr", LogUniform(0.05, 2.0), ""),
            Knob("model.tie_embeddings", Choice(True, False), ""),
            Knob("hooks.GradientClip.max_norm", Choice(None, 1e6, 30.0), ""),
            Knob("optimizer.muon_ns_steps", Integer(4, 6), ""),
            Knob("model.qk_gain_init", Uniform(1.0, 2.0), ""),
        ),
    )
    found = audit_space(space, toy_base)
    assert [f.status for f in found] == [INERT, LIVE, IDLE, LIVE, LIVE]
    assert found[0].why == "while model.tie_embeddings=true"


def test_knobs_are_moved_to_the_further_end(toy_base) -> None:
    knob = Knob("optimizer.matrix_lr", LogUniform(0.01, 0.1), "")
    assert audit._values(knob, 0.04) == [0.01, 0.1]
    assert audit._values(knob, 0.02) == [0.1, 0.01]
    assert audit._values(Knob("x", Uniform(0.0, 1.0), ""), 0.6) == [0.0, 1.0]
    assert audit._values(Knob("x", Integer(0, 4), ""), 4) == [0]


def test_the_proxys_base_takes_what_a_user_fixed_but_sizes_it_has_not(golf) -> None:
    base = audit.proxy_base(golf, {"model.model_dim": 640, "optimizer.matrix_lr": 0.1})
    assert (base.model.model_dim, base.optimizer.matrix_lr) == (96, 0.1)
    base = audit.proxy_base(golf, {"model.model_dim": 384, "data.source": "fineweb10B_gpt2"})
    assert base == golf.scale("proxy").base


def test_settings_of_a_small_scale_are_audited_as_they_are(golf) -> None:
    assert audit.at_proxy(golf, {"model.model_dim": 640}) == {"model.model_dim": 96}
    assert audit.at_proxy(golf, {"model.model_dim": 640}, "proxy") == {"model.model_dim": 640}
    assert audit.at_proxy(golf, {"data.seq_len": 64}, "proxy") == {"data.seq_len": 64}
    assert audit.at_proxy(golf, {"data.seq_len": 64}) == {}, "no size of the proxy stands for it"


def test_a_setting_that_changes_nothing_is_found_unless_some_trials_will_need_it(golf) -> None:
    settings = {"optimizer.embed_lr": 1.0, "model.rope_base": 2000.0, "data.batch_tokens": 4096}
    tied = {f.path: f for f in audit.audit_fixed(golf, settings | {"model.tie_embeddings": True}, sampled=())}
    assert tied["optimizer.embed_lr"].status == INERT and "tie_embeddings" in tied["optimizer.embed_lr"].why
    assert tied["model.rope_base"].status == LIVE and tied["model.tie_embeddings"].status == RESTATED
    open_ = {f.path: f.status for f in audit.audit_fixed(golf, settings, sampled={"model.tie_embeddings"})}
    assert open_["optimizer.embed_lr"] == LIVE


@pytest.mark.slow  # tests/contracts/test_every_knob.py holds it of every space, by runs of two values
def test_the_knobs_of_parameter_golf_all_act(golf) -> None:
    found = audit_space(golf, audit.proxy_base(golf, {}))
    assert {f.path: f.status for f in found} == {knob.path: LIVE for knob in golf.knobs}


def moved_by_bf16(name: str, look: Look) -> float:
    """Return the part of its way by which a shrunken base ends elsewhere in bf16 than in fp32."""
    shrunk = shrunken(audit.proxy_base(search_spaces.load(name), {}), look)
    places: list[list[list[Tensor]]] = []
    for precision in ("fp32", "bf16"):
        run, places = Run.start(shrunk.config, made_up(shrunk), Runtime(precision=precision)), [*places, []]
        with one_thread():
            for report in train(run, milestones=(look.steps // 4,)):
                assert report.status in ("running", "completed")
                places[-1].append([p.detach().clone() for p in run.network.parameters()])
    (quarter, end), (_, other) = places
    return apart(end, other) / apart(quarter, end)  # the way since the quarter, as the audit has it


def test_rounding_to_bf16_moves_a_run_further_than_what_is_said_to_move_it_less() -> None:
    assert moved_by_bf16("mainrun", QUICK) > audit.BF16_ROUNDING


@pytest.mark.slow  # 20 s
@pytest.mark.parametrize("name", search_spaces.names())
def test_it_does_so_in_every_space_with_a_careful_look(name) -> None:
    assert moved_by_bf16(name, CAREFUL) > audit.BF16_ROUNDING
