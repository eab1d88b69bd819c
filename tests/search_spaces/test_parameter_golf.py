"""The parameter-golf space: its base against the reference notes, and no knob without effect."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

import search_spaces
from search_spaces.domains import Choice
from search_spaces.space import Knob, label_at
from trainable.component_paths import difference, with_values
from trainable.config import Budget, TrainConfig
from trainable.evaluation.artifact import Artifact
from trainable.optimizers.muon_adam import MuonAdam
from trainable.schedules import Cosine
from tuner.cli import options

SPACE = search_spaces.load("parameter_golf")
FULL, PROXY = SPACE.scale("full").base, SPACE.scale("proxy").base

# The knobs that need more than the few steps of the test below, or other circumstances, with the reason.
EVALUATION_ONLY = {"hooks.WeightAverage.decay": "it averages weights for the evaluation; training does not see it"}


def test_the_line_of_the_readme_that_switches_the_artifact_on_resolves():
    readme = (Path(search_spaces.__file__).parent / "parameter_golf" / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in readme.splitlines() if "python -m tuner.run" in line]
    asked = options.parse(shlex.split(line)[3:]).spec
    for scale in ("full", "proxy"):
        base, _ = search_spaces.load(asked.space).fixed(SPACE.scale(scale).base, asked.overrides)
        assert base.artifact == Artifact(code_bytes=47_642, limit_bytes=16_000_000, bits=8, compressor="zlib")
        assert SPACE.scale(scale).base.artifact is None


def test_the_full_base_is_upstream_with_a_cosine_that_completes():
    model, optimizer = FULL.model, FULL.optimizer
    assert (model.num_layers, model.model_dim, model.num_heads, model.num_kv_heads) == (9, 512, 8, 4)
    assert (model.num_encoder_layers, model.num_skips, model.mlp_mult, model.tie_embeddings) == (4, 4, 2.0, True)
    assert (model.logit_softcap, model.rope_base, model.qk_gain_init) == (30.0, 10_000.0, 1.5)
    assert sum(p.numel() for p in model.build(1024, 8).parameters()) == 17_059_912
    assert optimizer == MuonAdam(
        matrix_lr=0.04,
        scalar_lr=0.04,
        tied_embed_lr=0.05,
        embed_lr=0.6,
        head_lr=0.008,
        muon_momentum=0.95,
        muon_momentum_start=0.85,
        muon_momentum_warmup_steps=500,
        muon_ns_steps=5,
        muon_wd=0.0,
        adam_beta1=0.9,
        adam_beta2=0.95,
        adam_eps=1e-8,
        adam_wd=0.0,
    )
    assert FULL.schedule == Cosine(min_lr_frac=0.1, cycles=1)
    assert (FULL.budget, FULL.horizon) == (Budget(steps=240), None)
    assert (FULL.data.batch_tokens, FULL.data.seq_len, FULL.data.grad_accum_steps) == (524_288, 1024, 8)


def test_the_proxy_differs_in_size_and_source_alone():
    assert {path for path in difference(FULL, PROXY)} == {
        "model.model_dim",
        "data.source",
        "data.seq_len",
        "data.batch_tokens",
        "data.grad_accum_steps",
        "evaluation.tokens",
        "evaluation.tokens_on_the_way",
        "evaluation.batch_tokens",
        "evaluation.seq_len",
    }


@pytest.fixture
def shrunk(tiny) -> TrainConfig:
    """The proxy with all its layers, heads and splits, on tiny batches and at width 32.

    Narrower, a head would have one pair of channels, whose frequency does not depend on ``rope_base``.
    """
    return replace(
        PROXY,
        model=replace(PROXY.model, model_dim=32),
        data=replace(tiny.data, batch_tokens=64),
        evaluation=tiny.evaluation,
        budget=Budget(steps=4),
    )


def pairs(knob: Knob) -> list:
    """For each knob two values: its bounds, or the first label beside each other one."""
    if isinstance(knob.domain, Choice):
        return [(knob.domain.labels[0], other) for other in knob.domain.labels[1:]]
    return [(knob.domain.low, knob.domain.high)]


CASES = [
    pytest.param(knob, pair, id=f"{knob.path}-{pair[0]}-{pair[1]}") for knob in SPACE.knobs for pair in pairs(knob)
]


@pytest.mark.parametrize(("knob", "pair"), CASES)
def test_two_values_of_a_knob_are_two_runs(knob, pair, shrunk, run_to_end, first_difference):
    live = {path: labels[0] for path, labels in (knob.when or {}).items()}
    one, other = (run_to_end(SPACE.config(shrunk, {**live, knob.path: value})) for value in pair)
    assert one.last.status == other.last.status == "completed"
    if knob.path in EVALUATION_ONLY:
        assert one.last.val_loss != other.last.val_loss
    else:
        assert first_difference(one.numbers["network"], other.numbers["network"])


def test_dead_rates_are_dead(shrunk, run_to_end, first_difference):
    """Why they have conditions: the campaign turned EMBED_LR for many runs while its embeddings were tied."""
    tied, untied = (with_values(shrunk, {"model.tie_embeddings": value}) for value in (True, False))
    for config, path in (
        (tied, "optimizer.embed_lr"),
        (tied, "optimizer.head_lr"),
        (untied, "optimizer.tied_embed_lr"),
    ):
        changed = run_to_end(with_values(config, {path: 0.77})).numbers
        assert first_difference(run_to_end(config).numbers["network"], changed["network"]) is None, path
        condition = SPACE.knob(path).when
        assert condition == {"model.tie_embeddings": (not config.model.tie_embeddings,)}


def test_every_knob_can_be_read_off_a_config():
    for knob in SPACE.knobs:
        if not knob.when:
            assert label_at(PROXY, knob) in knob.domain
