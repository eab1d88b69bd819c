from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainable.component import Component, component, components
from trainable.component_fields import typed
from trainable.component_json import canonical_json, decode, encode, fingerprint, what_acts
from trainable.component_paths import difference, get_value, leaves, parse_value, with_value, with_values
from trainable.config import Budget, TrainConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.hooks.weight_average import WeightAverage
from trainable.losses.z_loss import ZLoss
from trainable.models.block import ParallelBlock
from trainable.models.gpt import GPT
from trainable.models.mlp import LeakyRelu2, SwiGLU
from trainable.schedules import Cosine, Tidal

BASE = TrainConfig()


@dataclass(frozen=True, kw_only=True)
class PlainTuples(Component):
    """Fields that no component of the project has yet."""

    abstract: ClassVar[bool] = True  # keeps it out of the registry that the contract tests run over

    betas: tuple[float, float] = (0.9, 0.95)
    names: tuple[str, ...] = ()
    either: int | float = 0
    flag: bool = False


# --- JSON -----------------------------------------------------------------------------------------------------------

fraction = st.floats(0, 1)
configs = st.builds(
    TrainConfig,
    schedule=st.one_of(st.builds(Cosine, min_lr_frac=fraction, cycles=st.integers(1, 5)), st.builds(Tidal)),
    losses=st.sampled_from([(), (ZLoss(weight=1e-4),)]),
    hooks=st.lists(st.sampled_from([GradientClip(), GradientClip(max_norm=0.3)]), max_size=1).map(tuple)
    | st.just((WeightAverage(decay=0.9), GradientClip(max_norm=1.0))),
    model=st.builds(
        GPT,
        logit_softcap=st.floats(1e-3, 1e9),
        mlp=st.builds(LeakyRelu2, slope=fraction),
        encoder_layers=st.none() | st.integers(0, 9),
    ),
    horizon=st.none() | st.builds(Budget, tokens=st.integers(1, 2**62)),
    seed=st.integers(0, 2**63 - 1),
)


@given(config=configs)
def test_any_config_comes_back_from_json_text_with_its_fingerprint(config):
    again = decode(json.loads(canonical_json(config)))
    assert again == config and fingerprint(again) == fingerprint(config)


@given(config=configs)
def test_the_leaves_of_a_config_set_on_another_give_the_config(config):
    config = replace(config, horizon=None)  # a budget has no defaults, so its name alone is no value
    values = {path: value for path, value in leaves(config).items() if path != "budget"}
    assert with_values(BASE, values) == config


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GPT(rope_base=10000), GPT(rope_base=10000.0)),
        (Cosine(min_lr_frac=0), Cosine(min_lr_frac=-0.0)),
        (GradientClip(max_norm=1), GradientClip(max_norm=1.0)),
    ],
)
def test_equal_components_have_one_fingerprint(one, other):
    assert one == other
    assert canonical_json(one) == canonical_json(other) == canonical_json(decode(encode(one)))


def test_the_order_of_keys_and_missing_fields_do_not_matter():
    data = encode(BASE)
    shuffled = {key: data[key] for key in reversed(data)}
    del shuffled["seed"]
    assert fingerprint(decode(shuffled)) == fingerprint(BASE)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"type": "Tidall"}, "unknown component type 'Tidall': did you mean 'Tidal'?"),
        ({"min_lr_frac": 0.1}, "a component has no type"),
        ({"type": ["Tidal"]}, r"a component's type is \['Tidal'\], no name"),
        ({"type": "Schedule"}, "unknown component type 'Schedule'"),
        ({"type": "Tidal", "warmup_fraction": 0.1}, "Tidal has no knob 'warmup_fraction': did you mean 'warmup_frac'?"),
        ({"type": "Tidal", "warmup_frac": "0.1"}, "Tidal.warmup_frac is '0.1' but must be a number"),
        ({"type": "Tidal", "warmup_frac": 2}, r"Tidal.warmup_frac is 2.0 but must be in \[0, 1\)"),
        (
            {"type": "TrainConfig", "schedule": {"type": "ZLoss"}},
            "TrainConfig.schedule is ZLoss.* but must be a schedule",
        ),
        ({"type": "TrainConfig", "hooks": [{"type": "ZLoss"}]}, "TrainConfig.hooks is .* but must be a list of hooks"),
        (
            {"type": "TrainConfig", "hooks": {"type": "GradientClip"}},
            "TrainConfig.hooks is .* but must be a list of hooks",
        ),
        ({"type": "TrainConfig", "model": None}, "TrainConfig.model is null but must be a model"),
    ],
)
def test_json_that_is_no_config_is_one_clear_error(data, says):
    with pytest.raises(ValueError, match=says):
        decode(data)


def test_a_value_that_is_no_number_never_reaches_a_key():
    with pytest.raises(ValueError, match="JSON"):
        canonical_json([float("nan")])


# --- paths ----------------------------------------------------------------------------------------------------------


@given(
    value=st.floats(1e-6, 1e6),
    path=st.sampled_from(["optimizer.matrix_lr", "model.logit_softcap", "hooks.GradientClip.max_norm"]),
)
def test_what_is_set_at_a_path_is_found_there_and_nothing_else_changes(path, value):
    changed = with_value(BASE, path, value)
    assert get_value(changed, path) == value
    assert all(p == path or p.startswith("hooks") for p in difference(BASE, changed))
    assert TrainConfig() == BASE


def test_a_path_into_an_absent_trick_switches_it_on_from_neutral_beside_the_others():
    one = with_value(BASE, "hooks.GradientClip.max_norm", 0.3)
    both = with_value(one, "hooks.WeightPerturbation.every_steps", 7)
    assert [type(h).__name__ for h in both.hooks] == ["WeightPerturbation", "GradientClip"]  # the order of their kind
    assert both.hooks[0] == replace(type(both.hooks[0]).neutral(), every_steps=7)
    terms = with_value(with_value(BASE, "losses.ZLoss.weight", 0.1), "losses.LogitL2.weight", 0.1).losses
    assert [type(term).__name__ for term in terms] == ["ZLoss", "LogitL2"]  # a kind without one: as they are set


def test_what_acts_is_a_config_without_nulls_and_without_tricks_that_do_nothing():
    neutral = tuple(
        component(name, "hook").neutral() for name in ("SharpnessAware", "UphillDrift", "PredatorPreyDecay")
    )
    clip = component("GradientClip", "hook")(max_norm=1.0)
    one, other = (encode(replace(BASE, hooks=hooks)) for hooks in ((*neutral, clip), (clip, *neutral[:1])))
    assert one != other and what_acts(one) == what_acts(other)
    assert what_acts(one)["hooks"] == [{"type": "GradientClip", "max_norm": 1.0}]
    assert what_acts(encode(replace(BASE, seed=1))) != what_acts(encode(BASE))
    earlier = encode(component("PredatorPreyDecay", "hook").neutral())
    del earlier["horizon_steps"]
    assert what_acts([earlier, 3, None, {"type": "Gone", "weight": None}]) == [3, None, {"type": "Gone"}]


def test_a_component_is_set_by_its_name_or_as_itself():
    assert with_value(BASE, "schedule", "Tidal").schedule == Tidal()
    assert with_value(BASE, "model.mlp", LeakyRelu2(slope=0.5)).model.mlp == LeakyRelu2(slope=0.5)
    assert with_value(BASE, "hooks.GradientClip", GradientClip(max_norm=2.0)).hooks == (GradientClip(max_norm=2.0),)
    assert with_value(BASE, "hooks", ["GradientClip"]).hooks == (GradientClip(),)


def test_an_optional_component_is_switched_on_by_its_fields_and_off_by_null():
    on = with_values(BASE, {"horizon.steps": 400, "horizon.tokens": 10})
    assert on.horizon == Budget(steps=400, tokens=10)
    assert with_value(on, "horizon.steps", 300).horizon == Budget(steps=300, tokens=10)
    assert with_value(on, "horizon", None) == BASE


def test_a_parent_and_its_fields_may_be_set_in_any_order():
    values = {"schedule.warmup_frac": 0.5, "schedule": "Tidal", "model.mlp.slope": 0.5, "model.mlp": "LeakyRelu2"}
    config = with_values(BASE, values)
    assert (config.schedule, config.model.mlp) == (Tidal(warmup_frac=0.5), LeakyRelu2(slope=0.5))
    assert config == with_values(BASE, dict(reversed(values.items())))


def test_values_are_judged_together_not_one_after_the_other():
    smaller = {"model.num_heads": 6, "model.num_kv_heads": 3, "model.model_dim": 96}
    for order in (smaller, dict(reversed(smaller.items()))):
        model = with_values(BASE, order).model
        assert (model.num_heads, model.num_kv_heads, model.model_dim) == (6, 3, 96)
    with pytest.raises(ValueError, match=r"GPT.num_kv_heads is 4 but must be a divisor of num_heads = 6"):
        with_values(BASE, {"model.num_heads": 6, "model.model_dim": 96})


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("optimizer.matrix_lrr", 1, "MuonAdam has no knob 'matrix_lrr': did you mean 'optimizer.matrix_lr'?"),
        ("matrix_lr", 1, "TrainConfig has no knob 'matrix_lr': did you mean 'optimizer.matrix_lr'?"),
        ("optimiser.matrix_lr", 1, "TrainConfig has no knob 'optimiser': did you mean 'optimizer'?"),
        ("schedule.warmup_frac", 0.1, "Cosine has no knob 'warmup_frac': did you mean 'schedule.min_lr_frac'?"),
        ("hooks.GradientClipp.max_norm", 1, "'GradientClipp' is not a hook: did you mean 'GradientClip'?"),
        ("hooks.ZLoss.weight", 1, "'ZLoss' is not a hook: valid hooks: "),
        ("losses.ZLos.weight", 1, "'ZLos' is not a loss term: did you mean 'ZLoss'?"),
        ("hooks.GradientClip.norm", 1, "GradientClip has no knob 'norm': did you mean 'hooks.GradientClip.max_norm'?"),
        ("hooks.GradientClip", 3, "hooks.GradientClip is 3 but must be a GradientClip"),
        ("hooks.GradientClip", ZLoss(), "hooks.GradientClip is ZLoss.* but must be a GradientClip"),
        ("hooks", ["ZLoss"], "'ZLoss' is not a hook"),
        ("hooks", 3, "TrainConfig.hooks is 3 but must be a list of hooks"),
        ("optimizer", "Muonn", "'Muonn' is not an optimizer: "),
        ("schedule", "Tidall", "'Tidall' is not a schedule: did you mean 'Tidal'?"),
        ("schedule", "Schedule", "'Schedule' is not a schedule"),
        ("schedule", "ZLoss", "'ZLoss' is not a schedule"),
        ("schedule", 3, "TrainConfig.schedule is 3 but must be a schedule"),
        ("horizon.step", 400, "Budget has no knob 'step': did you mean 'horizon.steps'?"),
        ("seed.x", 1, r"'seed.x' goes below a plain value \(1337\)"),
        ("model.mlp.slope.x.y", 1, "Relu2 has no knob 'slope'"),
        ("", 1, "TrainConfig has no knob ''"),
        ("optimizer.", 1, "MuonAdam has no knob ''"),
        ("seed", True, "TrainConfig.seed is true but must be a whole number"),
        ("seed", 1.5, "TrainConfig.seed is 1.5 but must be a whole number"),
        ("seed", "1", "TrainConfig.seed is '1' but must be a whole number"),
        ("seed", None, "TrainConfig.seed is null but must be a whole number"),
        ("seed", -1, r"TrainConfig.seed is -1 but must be in 0..2\^63-1"),
        ("optimizer.matrix_lr", float("nan"), "MuonAdam.matrix_lr is nan but must be finite"),
        ("optimizer.matrix_lr", float("inf"), "MuonAdam.matrix_lr is inf but must be finite"),
        ("optimizer.matrix_lr", 10**400, r"MuonAdam.matrix_lr is about 10\^400 but must be a number"),
        ("optimizer.matrix_lr", "inf", "MuonAdam.matrix_lr is inf but must be finite"),
        ("optimizer.matrix_lr", "0.1", "MuonAdam.matrix_lr is '0.1' but must be a number"),
        ("optimizer.matrix_lr", True, "MuonAdam.matrix_lr is true but must be a number"),
        ("model.tie_embeddings", 1, "GPT.tie_embeddings is 1 but must be true or false"),
        ("model.tie_embeddings", "true", "GPT.tie_embeddings is 'true' but must be true or false"),
        ("model.encoder_layers", 1.5, "GPT.encoder_layers is 1.5 but must be a whole number or null"),
        ("data.source", 3, "DataConfig.source is 3 but must be text"),
    ],
)
def test_a_wrong_path_or_value_is_one_error_that_names_it_and_the_way_out(path, value, says):
    with pytest.raises(ValueError, match=says):
        with_value(BASE, path, value)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("optimizer.matrix_lrr", "did you mean 'matrix_lr'?"),
        ("hooks.GradientClip.max_norm", "'hooks.GradientClip.max_norm': there is no 'GradientClip' here"),
        ("horizon.steps", r"'horizon.steps' goes below a plain value \(None\)"),
    ],
)
def test_reading_a_path_that_is_not_there_is_an_error_too(path, says):
    with pytest.raises(ValueError, match=says):
        get_value(BASE, path)


def test_only_exact_conversions_are_made():
    assert with_value(BASE, "seed", 1e6).seed == 1_000_000 and type(with_value(BASE, "seed", 1e6).seed) is int
    assert type(with_value(BASE, "model.rope_base", 500).model.rope_base) is float
    assert with_value(PlainTuples(), "betas", [1, 0.5]).betas == (1.0, 0.5)
    assert type(with_value(PlainTuples(), "either", 1).either) is int
    for path, value in {"betas": [0.9], "names": ["a", 1], "flag": 0}.items():
        with pytest.raises(ValueError, match=rf"PlainTuples\.{path} is .* but must be"):
            with_value(PlainTuples(), path, value)


def test_the_rule_of_every_field_is_in_english_not_in_the_types_of_python() -> None:
    for cls in (*components(), PlainTuples):
        for name in (field.name for field in fields(cls)):
            with pytest.raises(ValueError, match=" but must be ") as error:
                typed(cls, name, {"no": "setting"})
            rule = str(error.value).partition(" but must be ")[2]
            assert not set(re.findall(r"\w+", rule)) & {"int", "float", "bool", "str", "tuple", "dict", "None"}, error
            assert rule == rule.strip() and "  " not in rule


def test_a_rule_has_an_article_where_english_has_one() -> None:
    for path, says in {
        "betas": "a list of a number and a number$",
        "names": "a list of texts$",
        "either": "a whole number or a number$",
        "flag": "true or false$",
    }.items():
        with pytest.raises(ValueError, match=rf"PlainTuples\.{path} is null but must be {says}"):
            with_value(PlainTuples(), path, None)
    with pytest.raises(ValueError, match=r"TrainConfig\.horizon is false but must be a Budget or null$"):
        with_value(BASE, "horizon", False)


def test_a_difference_names_the_paths_and_both_values():
    other = with_values(BASE, {"schedule": "Tidal", "hooks.GradientClip.max_norm": 0.3, "model.block": ParallelBlock()})
    assert difference(BASE, other) == {
        "hooks": ((), ("GradientClip",)),
        "hooks.GradientClip.max_norm": (None, 0.3),
        "model.block": ("SequentialBlock", "ParallelBlock"),
        "schedule": ("Cosine", "Tidal"),
        "schedule.cycles": (1, None),
        "schedule.warmup_frac": (None, 0.382),
    }
    assert difference(BASE, BASE) == {}


# --- the command line and names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1e-3", 0.001),
        ("true", True),
        ("False", False),
        ("None", None),
        ("null", None),
        ("Tidal", "Tidal"),
        ("inf", "inf"),
        ("[1, 2]", [1, 2]),
        ("~/my text", "~/my text"),
        ("", ""),
    ],
)
def test_what_is_typed_is_read_as_json_or_else_as_text(text, value):
    assert parse_value(text) == value and type(parse_value(text)) is type(value)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]"])
def test_what_is_no_finite_number_is_refused_where_it_is_typed(text):
    with pytest.raises(ValueError, match="is not a value a run can have"):
        parse_value(text)


def test_a_component_is_found_under_its_own_kind_only():
    assert component("SwiGLU", "mlp") is SwiGLU
    with pytest.raises(ValueError, match="'SwiGLU' is not a block"):
        component("SwiGLU", "block")


def test_abstract_components_are_not_among_the_components():
    assert not {"Schedule", "Hook", "LossTerm", "PlainTuples"} & {c.__name__ for c in components()}


def test_two_components_may_not_share_a_name():
    with pytest.raises(ValueError, match="two components are called Tidal: the other is in trainable"):
        type("Tidal", (Component,), {"__module__": "elsewhere"})
    assert component("Tidal", "schedule") is Tidal


def test_a_rule_that_does_not_hold_names_class_field_value_and_rule():
    with pytest.raises(ValueError, match=r"^Cosine.min_lr_frac is 1.5 but must be in \[0, 1\]$"):
        Cosine(min_lr_frac=1.5)
    with pytest.raises(ValueError, match=r"^Cosine.min_lr_frac is nan but must be in \[0, 1\]$"):
        Cosine(min_lr_frac=float("nan"))
