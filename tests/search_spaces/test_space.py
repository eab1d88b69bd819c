from __future__ import annotations

from dataclasses import replace

import optuna
import pytest

import search_spaces
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.space import Knob, Scale, Space, label_at
from trainable.component import switched_off
from trainable.component_paths import get_value
from trainable.config import TrainConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.models.mlp import LeakyRelu2, Relu2, SwiGLU
from trainable.schedules import Constant, Cosine, Tidal
from tuner.proposals.sampler import suggest

BASE = TrainConfig()
SPACE = Space(
    name="made_up",
    question="Does the space do what it says?",
    objective="val_bpb",
    scales={"proxy": Scale(BASE, trials=4, about="small"), "full": Scale(BASE, trials=4, about="large")},
    knobs=(
        Knob("schedule", Choice(Cosine(), Tidal(), Constant(), slow=Tidal(warmup_frac=0.6)), "shapes"),
        Knob("schedule.min_lr_frac", Uniform(0.0, 0.4), "", {"schedule": ("Cosine", "Tidal", "slow")}),
        Knob("schedule.warmup_frac", Uniform(0.0, 0.5), "", {"schedule": ("Tidal",)}),
        Knob("model.tie_embeddings", Choice(True, False), ""),
        Knob("optimizer.tied_embed_lr", LogUniform(0.005, 0.3), "", {"model.tie_embeddings": (True,)}),
        Knob("optimizer.head_lr", LogUniform(0.001, 0.1), "", {"model.tie_embeddings": (False,)}),
        Knob("model.num_heads", Choice(2, 8), ""),
        Knob("model.num_kv_heads", Choice(1, 2, 4, 8), ""),
        Knob("model.mlp", Choice(Relu2(), LeakyRelu2(), SwiGLU()), ""),
        Knob("model.mlp.slope", Uniform(0.0, 0.5), "", {"model.mlp": ("LeakyRelu2",)}),
        Knob("model.num_layers", Integer(1, 12), ""),
        Knob("hooks.GradientClip.max_norm", Choice(None, 0.3), ""),
    ),
)


def paths(space: Space) -> list[str]:
    return [knob.path for knob in space.knobs]


def test_the_base_config_is_the_config_of_its_own_values():
    values = SPACE.values_of(BASE)
    assert SPACE.config(BASE, values) == BASE
    assert values["schedule"] == "Cosine" and values["hooks.GradientClip.max_norm"] is None
    assert "schedule.warmup_frac" not in values and "optimizer.head_lr" not in values


def test_values_are_set_and_labels_stand_for_what_they_name():
    values = {
        "schedule": "slow",
        "schedule.min_lr_frac": 0.3,
        "model.mlp": "SwiGLU",
        "hooks.GradientClip.max_norm": 0.3,
    }
    config = SPACE.config(BASE, values)
    assert config.schedule == Tidal(warmup_frac=0.6, min_lr_frac=0.3)
    assert (config.model.mlp, config.hooks) == (SwiGLU(), (GradientClip(max_norm=0.3),))


def test_a_field_of_a_chosen_component_is_set_even_where_the_base_has_its_value():
    space = replace(SPACE, knobs=(Knob("schedule", Choice(Cosine(), Tidal(min_lr_frac=0.4)), ""), SPACE.knobs[1]))
    space = replace(space, knobs=(space.knobs[0], replace(space.knobs[1], when=None)))
    assert space.config(BASE, {"schedule": "Tidal", "schedule.min_lr_frac": 0.1}).schedule.min_lr_frac == 0.1


def test_knobs_that_are_only_valid_together_may_be_sampled_together():
    config = SPACE.config(BASE, {"model.num_heads": 2, "model.num_kv_heads": 1})
    assert (config.model.num_heads, config.model.num_kv_heads) == (2, 1)
    with pytest.raises(ValueError, match=r"GPT.num_kv_heads is 8 but must be a divisor of num_heads = 2"):
        SPACE.config(BASE, {"model.num_heads": 2, "model.num_kv_heads": 8})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"schedule": "Cosin"}, "schedule is 'Cosin' but must be in Cosine | Tidal | Constant | slow"),
        ({"model.num_layers": 13}, "model.num_layers is 13 but must be in 1 .. 12"),
        ({"model.num_layers": 3.0}, "model.num_layers is 3.0 but must be in 1 .. 12"),
        ({"model.num_layers": True}, "model.num_layers is true but must be in 1 .. 12"),
        ({"model.tie_embeddings": 1}, "model.tie_embeddings is 1 but must be in true | false"),
        ({"optimizer.tied_embed_lr": float("nan")}, "optimizer.tied_embed_lr is nan but must be in 0.005 .. 0.3"),
        (
            {"optimizer.head_lrr": 0.1},
            "space made_up has no knob 'optimizer.head_lrr': did you mean 'optimizer.head_lr'",
        ),
    ],
)
def test_a_value_outside_its_domain_is_refused_and_not_moved_inside(values, says):
    with pytest.raises(ValueError, match=says.replace("|", r"\|")):
        SPACE.config(BASE, values)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"space made_up has no scale 'prox': did you mean 'proxy'\?"):
        SPACE.scale("prox")
    with pytest.raises(ValueError, match=r"space made_up has no knob 'schedul': did you mean 'schedule'\?"):
        SPACE.knob("schedul")
    with pytest.raises(ValueError, match=r"unknown space 'parameter_gold': did you mean 'parameter_golf'\?"):
        search_spaces.load("parameter_gold")
    assert search_spaces.load("parameter_golf").name == "parameter_golf"


def test_a_knob_is_active_only_under_the_values_it_names():
    warmup = SPACE.knob("schedule.warmup_frac")
    assert SPACE.active(warmup, {"schedule": "Tidal"})
    assert not SPACE.active(warmup, {"schedule": "slow"}) and not SPACE.active(warmup, {})


def test_a_condition_names_an_earlier_knob_and_a_path_stands_once():
    late = Knob("schedule.min_lr_frac", Uniform(0.0, 0.4), "", {"schedule": ("Tidal",)})
    with pytest.raises(ValueError, match=r"min_lr_frac depends on schedule, which must be a knob that comes before it"):
        replace(SPACE, knobs=(late, SPACE.knobs[0]))
    with pytest.raises(ValueError, match="the knob schedule stands twice"):
        replace(SPACE, knobs=(SPACE.knobs[0], SPACE.knobs[0]))


def test_a_space_that_cannot_be_is_refused_with_the_nearest_that_can():
    with pytest.raises(ValueError, match=r"has the objective 'val_bbp': did you mean 'val_bpb'\?"):
        replace(SPACE, objective="val_bbp")
    with pytest.raises(ValueError, match=r"has the second objective 'train_second': did you mean 'train_seconds'\?"):
        replace(SPACE, second_objective="train_second")
    knob = SPACE.knob("optimizer.head_lr")
    outside = replace(knob, when=None, likely=Uniform(0.0, 1e9))
    with pytest.raises(ValueError, match=r"optimizer.head_lr is likely .* which is not in "):
        replace(SPACE, knobs=(outside,))


# --- what is fixed for a whole campaign -------------------------------------------------------------------------------


def test_a_fixed_knob_is_gone_and_so_are_those_it_makes_inert():
    base, rest = SPACE.fixed(BASE, {"model.tie_embeddings": False})
    assert base.model.tie_embeddings is False
    assert set(paths(SPACE)) - set(paths(rest)) == {"model.tie_embeddings", "optimizer.tied_embed_lr"}
    assert rest.knob("optimizer.head_lr").when is None
    assert rest.values_of(base)["optimizer.head_lr"] == 0.008


def test_a_fixed_choice_leaves_the_knobs_inside_it_free():
    base, rest = SPACE.fixed(BASE, {"schedule": "Tidal"})
    assert base.schedule == Tidal()
    assert {"schedule.min_lr_frac", "schedule.warmup_frac"} <= set(paths(rest))
    assert rest.config(base, {"schedule.warmup_frac": 0.25}).schedule == Tidal(warmup_frac=0.25)


def test_knobs_that_a_fixed_component_does_not_have_are_gone_and_can_be_named():
    """Geodesic Muon for nGPT, as its page has it; the knobs of a component that is searched have conditions instead."""
    ngpt = search_spaces.load("ngpt")
    overrides = {"optimizer": "MuonAdamSplit", "optimizer.adam_wd": 0.0}
    base, rest = ngpt.fixed(ngpt.scale("proxy").base, overrides)
    gone = ngpt.without_place(base, overrides)
    assert set(paths(ngpt)) - set(paths(rest)) == gone.keys() == {p for p in paths(ngpt) if p.startswith("optimizer.")}
    assert set(gone.values()) == {"MuonAdamSplit"} and "optimizer.lr" in gone
    assert rest.config(base, rest.values_of(base)) == base
    assert SPACE.without_place(SPACE.fixed(BASE, {"schedule": "Cosine"})[0], {"schedule": "Cosine"}) == {}
    assert ngpt.without_place(ngpt.scale("proxy").base, {"optimizer.lr": 0.1}) == {}


@pytest.mark.parametrize("name", search_spaces.names())
@pytest.mark.parametrize("optimizer", ["AdamW", "MuonAdam", "MuonAdamSplit", "MuonAdamW", "SGD"])
def test_every_space_can_be_searched_with_any_optimizer(name, optimizer):
    space = search_spaces.load(name)
    base, rest = space.fixed(space.scale("proxy").base, {"optimizer": optimizer})
    values = rest.values_of(base)  # which may lie outside what is searched: refused, with the setting to give too
    inside = {path: value for path, value in values.items() if value in rest.knob(path).domain}
    assert type(base.optimizer).__name__ == optimizer and len(inside) >= len(values) - 2
    assert rest.config(base, inside) == base


def test_a_value_fixed_inside_a_sampled_component_holds_for_every_option_that_has_it():
    base, rest = SPACE.fixed(BASE, {"schedule.min_lr_frac": 0.25})
    assert "schedule" in paths(rest) and "schedule.min_lr_frac" not in paths(rest)
    for label in rest.knob("schedule").domain.labels:
        schedule = rest.config(base, {"schedule": label}).schedule
        assert getattr(schedule, "min_lr_frac", 0.25) == 0.25, label
    assert rest.config(base, {"schedule": "slow"}).schedule == Tidal(warmup_frac=0.6, min_lr_frac=0.25)
    assert rest.config(base, rest.values_of(base)) == base


def test_what_is_no_knob_may_be_fixed_too():
    base, rest = SPACE.fixed(BASE, {"budget.steps": 10, "hooks.WeightAverage.decay": 0.9})
    assert base.budget.steps == 10 and paths(rest) == paths(SPACE)
    assert [type(h).__name__ for h in rest.config(base, {"hooks.GradientClip.max_norm": 0.3}).hooks] == [
        "GradientClip",
        "WeightAverage",
    ]


def test_a_fixed_path_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match=r"MuonAdam has no knob 'head_lrr': did you mean 'optimizer.head_lr'\?"):
        SPACE.fixed(BASE, {"optimizer.head_lrr": 1.0})


def test_the_label_of_an_absent_trick_is_its_neutral_value():
    clip = SPACE.knob("hooks.GradientClip.max_norm")
    assert label_at(BASE, clip) is None
    assert label_at(replace(BASE, hooks=(GradientClip(max_norm=0.3),)), clip) == 0.3


def test_a_label_where_the_path_leads_nowhere_is_an_error_with_the_nearest_name():
    with pytest.raises(ValueError, match="Cosine has no knob 'warmup_frac'"):
        label_at(BASE, SPACE.knob("schedule.warmup_frac"))


def test_every_column_has_the_type_of_its_domain():
    types = SPACE.column_types()
    assert list(types) == paths(SPACE)
    assert (types["schedule"], types["model.num_layers"], types["model.tie_embeddings"]) == ("string", "int64", "bool")


def test_an_option_is_found_again_in_the_config_that_has_it():
    for label in SPACE.knob("schedule").domain.labels:
        config = SPACE.config(BASE, {"schedule": label})
        assert label_at(config, SPACE.knob("schedule")) == label
        assert get_value(config, "schedule") == SPACE.knob("schedule").domain.options[label]


@pytest.mark.parametrize("name", search_spaces.names())
def test_no_knob_of_a_space_is_proposed_where_another_of_its_knobs_switches_it_off(name):
    space = search_spaces.load(name)
    base = space.scale("proxy").base
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(40):
        trial = study.ask()
        every = {knob.path: suggest(trial, knob.path, knob.domain) for knob in space.knobs}
        values = {knob.path: every[knob.path] for knob in space.knobs if space.active(knob, every)}
        assert not switched_off(space.config(base, values)).keys() & values.keys()
